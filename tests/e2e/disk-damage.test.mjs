// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Damaged files: a flipped bit in an image or a package, and databases that are damaged, torn or restored. Damage is found and
// reported, and nothing undamaged is lost.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { assertImages, assertRefuses, files, flipBit } from './lib/disk.mjs';
import { noiseImage, random } from './lib/firmware.mjs';
import { sha256 } from './lib/module.mjs';
import { Scene, assertProblem, findBySum } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

describe('a flipped bit', () => {
    test('in a package that is already in memory: the sent bytes are right; after a restart the package is made again', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const made = await scene.makePackage();
        const first = scene.module();
        await first.upgrade();
        await flipBit(await findBySum(server.dataDir, made.sha256), 300);
        const second = scene.module();
        assert.equal(sha256((await second.ask()).body), made.sha256);
        await server.restart();
        second.address = server.device;
        const answer = await second.ask();
        assert.equal(answer.code, 43, `${answer.status}`);
        assert.equal((await server.logged('blob-corrupt', 1)).length, 1);
        await second.upgrade();
        assert.equal(sha256(await scene.content()), made.sha256);
    });

    test('in an image: no package is made from it, and an upload of the same bytes repairs it', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const damaged = scene.images.get('1002');
        await flipBit(await findBySum(server.dataDir, sha256(damaged)), 9000);
        const module = scene.module();
        assert.equal((await module.askUntilMade()).code, 21);
        const failed = await scene.package();
        assert.equal(failed.state, 'failed');
        assert.match(failed.error, /has SHA-256 .*, expected/);
        assert.equal((await server.logged('package-failed', 1)).length, 1);
        assertProblem(await server.admin('GET', scene.path('/images/1002/content')), 500, 'corrupt');
        assertProblem(await server.admin('PUT', scene.path('/images/1002'), noiseImage({ seed: 2, size: 100 })), 409, 'image-conflict');
        await server.admin('PUT', scene.path('/images/1002'), damaged, { expect: 200 });
        await assertImages(scene);
        await scene.makePackage();
        await module.upgrade();
        assert.equal(module.version, '1002');
    });
});

describe('a damaged database:', () => {
    const main = (server) => join(server.dataDir, 'dfota.db');
    const all = ['', '-wal', '-shm'];

    async function readAll(server) {
        return Promise.all(all.map((ending) => readFile(main(server) + ending).catch(() => null)));
    }

    async function writeAll(server, contents) {
        for (const [i, ending] of all.entries())
            await (contents[i] === null ? rm(main(server) + ending, { force: true }) : writeFile(main(server) + ending, contents[i]));
    }

    async function furnished(t, options = {}) {
        const server = await startServer(t, options);
        const scene = await Scene.build(server, { versions: ['1', '2', '3', '4'] });
        await scene.makePackage();
        // So few that SQLite does not move the log into the file (at 1000 pages) and begin it again.
        const modules = Array.from({ length: 30 }, () => scene.module({ version: '4' }));
        for (const module of modules)
            assert.equal((await module.ask()).code, 27);
        return { server, scene, modules };
    }

    // Refused with all that an admin needs, and left as it is.
    async function assertDamaged(server) {
        const before = await readAll(server);
        await assertRefuses(server, /dfota\.db is damaged/, /backup/, /\.dump/);
        const after = await readAll(server);
        for (const i of [0, 1])
            assert.ok(before[i] === null ? after[i] === null || after[i].length === 0 : before[i].equals(after[i]),
                `dfota.db${all[i]} was changed`);
    }

    // Where a table or an index stands in the file.
    function pageOf(server, name) {
        return Number(execFileSync('sqlite3', ['-readonly', main(server), `SELECT rootpage FROM sqlite_schema WHERE name = '${name}'`]));
    }

    const places = {
        'the beginning of the file': () => 3,
        'the size of a page': () => 16,
        'the schema': () => 100,
        'the page of a table': (server) => (pageOf(server, 'product') - 1) * 4096,
        'the page of an index': (server) => (pageOf(server, 'image_by_sha256') - 1) * 4096 + 1,
        'a hash in an index, by which files are swept': (server) => pageOf(server, 'image_by_sha256') * 4096 - 20,
        'a device in an index': (server) => pageOf(server, 'device_of_firmware') * 4096 - 3,
    };
    for (const [name, at] of Object.entries(places)) {
        test(`a flipped bit in ${name} is refused`, async (t) => {
            const { server, scene } = await furnished(t);
            await server.stop();
            const whole = await readAll(server);
            await flipBit(main(server), at(server));
            await assertDamaged(server);
            await writeAll(server, whole);
            await server.start();
            await assertImages(scene);
        });
    }

    test('whatever part is damaged, no file of an image is removed', async (t) => {
        const { server, scene } = await furnished(t);
        await server.stop();
        const whole = await readAll(server);
        const earlier = await files(server);
        const { below } = random(20261);
        let refused = 0;
        for (let i = 0; i < 40; i += 1) {
            await flipBit(main(server), below(whole[0].length));
            if (await server.start().then(() => true, () => false))
                await server.stop(); // in text that means nothing to the database, nothing can be known
            else
                refused += 1;
            assert.deepEqual((await files(server)).filter((name) => /^blobs/.test(name)), earlier);
            await writeAll(server, whole);
        }
        assert.ok(refused > 0);
        await server.start();
        await assertImages(scene);
    });

    const logs = {
        'a flipped bit in the middle of the log': (server, wal) => flipBit(main(server) + '-wal', wal.length >> 1),
        'a flipped bit in its last page': (server, wal) => flipBit(main(server) + '-wal', wal.length - 100),
        'a flipped bit in its header': (server) => flipBit(main(server) + '-wal', 10),
        'a log that is cut short': (server, wal) => truncate(main(server) + '-wal', wal.length - 5000),
        'a log that is empty': (server) => truncate(main(server) + '-wal', 0),
        'no log': (server) => rm(main(server) + '-wal'),
        'a log of something else': (server, wal) => writeFile(main(server) + '-wal', noiseImage({ seed: 3, size: wal.length })),
    };
    for (const [name, harm] of Object.entries(logs)) {
        test(`${name}, after a power cut, is refused`, async (t) => {
            const { server, scene, modules } = await furnished(t);
            await server.kill();
            const whole = await readAll(server);
            assert.ok(whole[1].length > 100_000);
            await harm(server, whole[1]);
            await assertDamaged(server);
            await writeAll(server, whole);
            await server.start();
            await assertImages(scene);
            for (const module of modules)
                assert.equal((await scene.record(module))?.confirmed_version, '4');
        });
    }

    test('a torn end of the log after everything that was answered is not damage', async (t) => {
        const { server, scene, modules } = await furnished(t);
        for (const torn of [100, 4120, 10_000]) {
            await server.kill();
            const wal = await readFile(main(server) + '-wal');
            await writeFile(main(server) + '-wal', Buffer.concat([wal, wal.subarray(32, 32 + torn)]));
            await server.start();
            for (const module of modules)
                assert.equal((await scene.record(module))?.confirmed_version, '4');
            await scene.module().ask();
        }
    });

    test('an old log beside a restored backup destroys nothing', async (t) => {
        const { server, scene } = await furnished(t);
        await server.stop();
        const backup = await readAll(server);
        await server.start();
        const ask = async (count) => {
            for (let i = 0; i < count; i += 1)
                await scene.module({ version: '4', address: server.device }).ask();
        };
        await ask(300);
        await server.restart();
        await ask(20);
        await server.kill();
        await writeFile(main(server), backup[0]);
        await assertRefuses(server, /dfota\.db is damaged/);
        assert.ok((await readFile(main(server))).equals(backup[0]), 'the backup was changed');
        await writeAll(server, backup);
        await server.start();
        await assertImages(scene);
    });

    test('the repair that the refusal names works', async (t) => {
        const { server, scene, modules } = await furnished(t);
        await server.stop();
        await flipBit(main(server), (pageOf(server, 'image_by_sha256') - 1) * 4096 + 1);
        const said = await assertRefuses(server, /\.dump/);
        const [, command] = /with: (sqlite3 FILE .* sqlite3 NEW)$/.exec(said);
        const saved = main(server) + '.new';
        execFileSync('sh', ['-c', command.replace('FILE', `"${main(server)}"`).replace('NEW', `"${saved}"`)]);
        await writeAll(server, [await readFile(saved), null, null]);
        await server.start();
        await assertImages(scene);
        for (const module of modules)
            assert.equal((await scene.record(module))?.confirmed_version, '4');
        await scene.makePackage('1', '4');
    });

    test('no database but image files: the start is refused, because no row would name the files', async (t) => {
        const { server, scene } = await furnished(t);
        await server.stop();
        const whole = await readAll(server);
        for (const harm of [() => rm(main(server)), () => writeFile(main(server), '')]) {
            await harm();
            await assertRefuses(server, /there is no database .*dfota\.db, but .* is there: restore the database/);
        }
        await writeAll(server, whole);
        await server.start();
        await assertImages(scene);
    });

    test('an older database restored: files that it does not know are kept, and used when they are uploaded again', async (t) => {
        const server = await startServer(t, { config: { jobs: 1 } });
        const scene = await Scene.build(server, { versions: ['1'], later: ['2', '3', '4'] });
        await server.stop();
        const older = await readAll(server);
        await server.start();
        for (const version of ['2', '3', '4'])
            await scene.upload(version);
        await server.stop();
        const newer = await readAll(server);
        const earlier = await files(server);

        await writeAll(server, older);
        await server.start();
        assert.equal((await server.logged('blobs-unknown')).at(-1).count, '3');
        assert.deepEqual(await files(server), earlier);
        await scene.upload('2');
        await scene.upload('3');
        await assertImages(scene, ['1', '2', '3']);
        await server.stop();

        await writeAll(server, newer);
        await server.start();
        await assertImages(scene, ['1', '2', '3', '4']);
    });
});
