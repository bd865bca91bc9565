// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Backups: dfotactl backup while the server works, is killed, or loses files; dfotad --restore on another machine; dfotad --fsck.
//
//   DFOTA_BACKUP_SEED   repeats the kills of a run; every run prints its own

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run, scratch } from './lib/ctl.mjs';
import { assertImages, assertRefuses, flipBit } from './lib/disk.mjs';
import { noiseImage, random } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, findBySum, listFiles } from './lib/scene.mjs';
import { Server, buildDir, startServer } from './lib/server.mjs';

const seed = Number(process.env.DFOTA_BACKUP_SEED ?? Math.floor(Math.random() * 2 ** 31));
const schema = fileURLToPath(new URL('../../storage/schema/sqlite', import.meta.url));

// ---- The programs ----

const dfotad = (...args) => run(args, { command: join(buildDir, 'dfotad') });
const restore = (dataDir, from) => dfotad('--data-dir', dataDir, '--restore', from);
const fsck = (dir) => dfotad(`--fsck=${dir}`);
const fsckData = (dir) => dfotad('--data-dir', dir, '--fsck');

function backup(server, dir, { args = [], url = `http://127.0.0.1:${server.adminAddress.port}`, during = null } = {}) {
    return run(['backup', dir, '-o', 'json', ...args], { env: { DFOTA_URL: url, DFOTA_TOKEN: server.token }, during });
}

async function backedUp(server, dir, options) {
    const { status, out, err } = await backup(server, dir, options);
    assert.equal(status, 0, err);
    assert.equal(err, '');
    return JSON.parse(out);
}

const copies = async (dir) => (await readdir(dir)).filter((name) => /^\d{8}T\d{6}Z/.test(name)).sort();

async function assertGood(result) {
    const { status, out, err } = await result;
    assert.equal(status, 0, out + err);
    assert.match(out, /no fault was found\n$/);
    return out;
}

// A proxy in front of the admin API that counts the requests. `hook(number, request)` is awaited before each is passed on. When it
// returns a function, this is called with the first bytes of the answer.
async function startProxy(t, server, hook = () => {}) {
    const requests = [];
    const proxy = http.createServer(async (request, response) => {
        requests.push(`${request.method} ${request.url}`);
        const during = await hook(requests.length, request);
        const passed = http.request({ host: '127.0.0.1', port: server.adminAddress.port, method: request.method, path: request.url,
            headers: request.headers, agent: false }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            if (during)
                answer.once('data', during);
            answer.on('error', () => response.destroy()).pipe(response);
        });
        passed.on('error', () => response.destroy());
        response.on('error', () => {});
        request.pipe(passed);
    });
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
    t.after(() => new Promise((done) => {
        proxy.close(done);
        proxy.closeAllConnections();
    }));
    return { requests, url: `http://127.0.0.1:${proxy.address().port}`, files: () => requests.filter((r) => r.startsWith('GET')) };
}

// A data directory that is not there yet. It is removed after the servers have ended.
function fresh() {
    const base = mkdtempSync(join(tmpdir(), 'dfota-restored-'));
    process.on('exit', () => rmSync(base, { recursive: true, force: true }));
    return join(base, 'data');
}

// A server on a restored directory; `like` is the one that was backed up.
async function startRestored(t, like, dataDir) {
    const server = new Server(dataDir, like.config, [], buildDir);
    server.token = like.token;
    t.after(() => server.dispose());
    await server.start();
    return server;
}

// Writes the sums of a backup again, after a test has changed its files.
async function sumAgain(copy) {
    const there = await readdir(copy);
    const names = ['dfota.conf', 'secret.key', 'dfota.db', 'signing.key', 'manifest.json'].filter((name) => there.includes(name));
    const lines = await Promise.all(names.map(async (name) => `${sha256(await readFile(join(copy, name)))}  ${name}\n`));
    await writeFile(join(copy, 'SHA256SUMS'), lines.join(''));
}

async function furnished(t, options = {}) {
    const server = await startServer(t, options);
    const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
    await scene.makePackage();
    return { server, scene, dir: join(await scratch(t), 'backup') };
}

// ---- A second machine ----

describe('a server that is restored on another machine', () => {
    test('answers 150 links as before, and knows nothing of what came later', async (t) => {
        const { server, scene, dir } = await furnished(t);
        const modules = [];
        for (let n = 0; n < 150; n += 1)
            modules.push((await scene.linkedModule()).module);
        for (const module of modules.slice(0, 50))
            await module.upgrade();
        for (const module of modules.slice(50, 100))
            await module.askUntilMade();
        for (const module of modules.slice(0, 100))
            await poll('the end of the download is recorded', async () => (await scene.record(module)).attempts[0].state !== 'sending');
        const made = await backedUp(server, dir);
        // What comes after the backup is lost: an upgrade, and a link.
        const later = modules.pop();
        const { module: unknown } = await scene.linkedModule();
        const known = [];
        for (const module of modules)
            known.push(await module.ask());
        await later.upgrade();
        const { body: head } = await server.admin('GET', '/ledger/head');
        await server.kill();
        await rm(server.dataDir, { recursive: true });

        const there = fresh();
        const { status, out, err } = await restore(there, dir);
        assert.equal(status, 0, err);
        assert.match(out, new RegExp(`^restored the backup ${made.name}, made by dfotad `));
        await assertGood(fsckData(there));
        const standby = await startRestored(t, server, there);
        const ledger = (await standby.admin('GET', `/ledger?after=${made.ledger.seq - 1}&limit=1`, null, { expect: 200 })).json.items[0];
        assert.equal(ledger.hash, made.ledger.hash);
        assert.ok(JSON.parse(head).seq > made.ledger.seq);
        for (const [n, module] of modules.entries()) {
            module.address = standby.device;
            const answer = await module.ask();
            assert.deepEqual([answer.status, answer.code, sha256(answer.body)], [known[n].status, known[n].code, sha256(known[n].body)], `link ${n}`);
        }
        unknown.address = later.address = standby.device;
        assert.equal((await unknown.ask()).code, 3);
        await assertImages(Object.assign(scene, { server: standby }));
        // The host of the upgraded device reports its version again: nothing is sent twice.
        const dialect = scene.module({ version: '1003', id: later.id, address: standby.device });
        dialect.address = standby.device;
        assert.equal((await dialect.ask()).code, 27);
    });

    test('has lost the orders of admins and the downloads since the backup', async (t) => {
        const { server, scene, dir } = await furnished(t);
        await backedUp(server, dir);
        await server.admin('PATCH', scene.path('/images/1002'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
        const module = scene.module();
        const { body } = await module.askUntilMade();
        await server.kill();
        const there = fresh();
        assert.equal((await restore(there, dir)).status, 0);
        const standby = await startRestored(t, server, there);
        const image = (await standby.admin('GET', scene.path('/images/1002'), null, { expect: 200 })).json;
        assert.equal(image.withdrawn, null, 'to be repeated by hand');
        module.address = standby.device;
        assert.equal((await module.ask({ range: 100 })).status, 416, 'the download begins again');
        assert.equal(sha256((await module.ask()).body), sha256(body));
    });

    test('takes a backup of the release before, with an older schema', async (t) => {
        const dir = join(await scratch(t), 'backup'), copy = join(dir, '20250101T000000Z');
        const names = readdirSync(schema).sort().filter((name) => name < '033'); // 033 needs functions of dfotad
        let sql = names.map((name) => readFileSync(join(schema, name), 'utf8')).join('\n');
        sql += 'CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT;';
        names.forEach((name, n) => { sql += `INSERT INTO migration VALUES (${n + 1}, '${name.replace('.sql', '')}', 1);\n`; });
        sql += "INSERT INTO product (product_key, name, created_ms) VALUES ('old', 'Old pumps', 1);";
        await mkdir(copy, { recursive: true });
        execFileSync('sqlite3', ['-bail', join(copy, 'dfota.db')], { input: sql });
        await writeFile(join(copy, 'manifest.json'), JSON.stringify({ backup: 1, made_at: 1, version: '0.0.9', schema: names.length,
            ledger: { seq: 0, hash: '0'.repeat(64), at: null }, configuration: null, blobs: [], missing: [] }));
        await sumAgain(copy);
        await assertGood(fsck(dir));
        const there = fresh();
        const { status, err } = await restore(there, copy);
        assert.equal(status, 0, err);
        const server = new Server(there, {}, [], buildDir);
        t.after(() => server.dispose());
        await server.start();
        assert.equal((await server.admin('GET', '/products/old', null, { expect: 200 })).json.name, 'Old pumps');
    });
});

// ---- What a backup fetches ----

describe('dfotactl backup', () => {
    test('fetches only what the folder does not have, and only its owner can read the folder', async (t) => {
        const { server, scene, dir } = await furnished(t);
        const proxy = await startProxy(t, server);
        const first = await backedUp(server, dir, { url: proxy.url });
        assert.equal(first.files, 4, 'three images and a package');
        assert.equal(proxy.files().length, 7, 'the database and both keys');
        proxy.requests.length = 0;
        await backedUp(server, dir, { url: proxy.url });
        assert.equal(proxy.files().length, 3, 'the database and both keys alone');
        await scene.makePackage('1002', '1003');
        proxy.requests.length = 0;
        const third = await backedUp(server, dir, { url: proxy.url });
        assert.deepEqual([third.fetched, proxy.files().length], [4, 4]);
        assert.deepEqual(proxy.requests.filter((r) => !r.startsWith('GET')), ['POST /api/v1/backup', 'DELETE /api/v1/backup', 'POST /api/v1/backup/result']);
        assert.equal((await copies(dir)).length, 3);
        for (const name of await readdir(dir, { recursive: true }))
            assert.equal((await stat(join(dir, name))).mode & 0o077, 0, name);
        await assertGood(fsck(dir));
        assert.deepEqual((await readdir(join(server.dataDir, 'incoming'))), [], 'nothing is left on the server');
    });

    test('has the configuration file as the server read it', async (t) => {
        const conf = join(await scratch(t), 'dfota.conf');
        await writeFile(conf, '# a comment\njobs = 1\n');
        const { server, dir } = await furnished(t, { config: { config: conf } });
        await writeFile(conf, 'jobs = 2\n');
        const { name } = await backedUp(server, dir);
        assert.equal(await readFile(join(dir, name, 'dfota.conf'), 'utf8'), '# a comment\njobs = 1\n');
    });

    test('begins again when a file is removed meanwhile', async (t) => {
        const { server, scene, dir } = await furnished(t);
        const gone = noiseImage({ seed: 77, size: 5000 });
        await server.putImage(scene.product, 'spare', '1', gone);
        const proxy = await startProxy(t, server, async (number, request) => {
            if (request.method === 'GET' && number === 2)
                await server.admin('DELETE', `/products/${scene.product}/firmware/spare/images/1`, null, { expect: 204 });
        });
        const made = await backedUp(server, dir, { url: proxy.url });
        assert.equal(made.files, 4);
        assert.equal(proxy.requests.filter((r) => r === 'POST /api/v1/backup').length, 2);
        await assertGood(fsck(dir));
    });

    test('keeps all the rest when a file is damaged on the server, and says so', async (t) => {
        const { server, scene, dir } = await furnished(t);
        const { sha256: sum } = await scene.package();
        await flipBit(await findBySum(server.dataDir, sum), 100);
        const { status, out, err } = await backup(server, dir);
        assert.equal(status, 1, err);
        assert.match(err, /package 1001 to 1003 is damaged on the server/);
        assert.match(err, /was made, but 1 file is damaged on the server and missing in the backup/);
        assert.equal(JSON.parse(out).missing, 1);
        const checked = await fsck(dir);
        assert.equal(checked.status, 1);
        assert.match(checked.out, /fault: package 1001 to 1003: .* is gone/);
        const there = fresh();
        const restored = await restore(there, dir);
        assert.equal(restored.status, 0, restored.err);
        assert.match(restored.out, /1 file is missing/);
        const standby = await startRestored(t, server, there);
        await assertImages(Object.assign(scene, { server: standby }));
        const module = scene.module();
        await module.upgrade();
        assert.equal(module.version, '1003');
    });

    test('keeps the newest backups, and removes the files that no backup names any more', async (t) => {
        const { server, scene, dir } = await furnished(t);
        await server.putImage(scene.product, 'spare', '1', noiseImage({ seed: 78, size: 5000 }));
        await backedUp(server, dir, { args: ['--keep', '2'] });
        await server.admin('DELETE', `/products/${scene.product}/firmware/spare/images/1`, null, { expect: 204 });
        const second = await backedUp(server, dir, { args: ['--keep', '2'] });
        assert.deepEqual([second.removed_backups, second.removed_files], [0, 0]);
        const third = await backedUp(server, dir, { args: ['--keep', '2'] });
        assert.deepEqual([third.removed_backups, third.removed_files, third.removed_bytes], [1, 1, 5000]);
        assert.deepEqual(await copies(dir), [second.name, third.name]);
        await assertGood(fsck(dir));
        // With a manifest that cannot be read, no file is removed: the backup may need it.
        await server.putImage(scene.product, 'spare', '2', noiseImage({ seed: 79, size: 5000 }));
        await writeFile(join(dir, third.name, 'manifest.json'), '{');
        assert.deepEqual((await readdir(dir)).filter((name) => name.startsWith('.removed')), [], 'nothing of a removed backup is left');
        const { status, err } = await backup(server, dir, { args: ['--keep', '2'] });
        assert.equal(status, 2);
        assert.match(err, /cannot read .*manifest\.json, so no file in blobs\/ was removed/);
        assert.equal((await copies(dir)).length, 2);
    });

    test('refuses a folder that has other files, such as a data directory', async (t) => {
        const { server } = await furnished(t);
        const before = await listFiles(server.dataDir);
        const { status, err } = await backup(server, server.dataDir);
        assert.equal(status, 2);
        assert.match(err, /is not empty and was not made by dfotactl backup/);
        assert.deepEqual([...(await listFiles(server.dataDir)).keys()].sort(), [...before.keys()].sort());
    });

    test('does not write into a folder while another one does', async (t) => {
        const { server, dir } = await furnished(t);
        let second = null;
        const proxy = await startProxy(t, server, async (number) => {
            if (number === 1)
                second = await backup(server, dir);
        });
        await backedUp(server, dir, { url: proxy.url });
        assert.equal(second.status, 2);
        assert.match(second.err, /another dfotactl makes a backup/);
    });

    test('gives no copy of a damaged database', async (t) => {
        const { server, scene, dir } = await furnished(t);
        await server.stop();
        execFileSync('sqlite3', [join(server.dataDir, 'dfota.db')],
            { input: `PRAGMA foreign_keys = OFF; UPDATE image SET firmware_id = 4711 WHERE version = '${scene.versions[1]}';` });
        await server.start();
        const { status, err } = await backup(server, dir);
        assert.equal(status, 1);
        assert.match(err, /"code":"corrupt".*the database is damaged: row \d+ of the table image refers to a row/);
        assert.deepEqual(await copies(dir), []);
    });
});

// ---- Kills ----

describe(`a kill during a backup (seed ${seed}):`, () => {
    for (const victim of ['dfotactl', 'the server']) {
        test(`${victim} is killed at any request, while devices ask and images come`, async (t) => {
            const { server, scene, dir } = await furnished(t);
            const rand = random(seed);
            let child = null, moment = 0, version = 2000, over = false;
            const proxy = await startProxy(t, server, async (number) => {
                if (number !== moment)
                    return null;
                const kill = () => (victim === 'dfotactl' ? child.kill('SIGKILL') : server.process && server.kill());
                if (rand.below(2) === 0)
                    return kill;
                await kill();
                return null;
            });
            // Errors are expected while the server is dead.
            const asking = (async () => {
                while (!over)
                    await scene.module({ address: server.device }).ask().catch(() => new Promise((next) => setImmediate(next)));
            })();
            const uploading = (async () => {
                for (let n = 1; !over; n += 1) {
                    const path = `/products/${scene.product}/firmware/spare/images/${n}`;
                    await server.admin('PUT', path, noiseImage({ seed: 5000 + n, size: 2000 })).catch(() => new Promise((next) => setImmediate(next)));
                }
            })();
            for (let round = 0; round < 8; round += 1) {
                await server.putImage(scene.product, scene.firmware, String(version += 1), noiseImage({ seed: version, size: 3000 }));
                proxy.requests.length = 0;
                moment = 1 + rand.below(round < 2 ? 6 : 3);
                const { status } = await backup(server, dir, { url: proxy.url, during: (started) => { child = started; } });
                if (!server.process || server.process.killed) {
                    await server.ended;
                    await server.start();
                }
                assert.notEqual(status, 1, 'nothing was refused');
                for (const name of await copies(dir).catch(() => []))
                    await assertGood(fsck(join(dir, name)));
            }
            moment = 0;
            const made = await backedUp(server, dir);
            over = true;
            await Promise.all([asking, uploading]);
            await assertGood(fsck(dir));
            assert.equal((await copies(dir)).at(-1), made.name);
            assert.deepEqual((await readdir(dir)).filter((name) => name.startsWith('.')), ['.lock']);
            const there = fresh();
            assert.equal((await restore(there, dir)).status, 0);
            const standby = await startRestored(t, server, there);
            await assertImages(Object.assign(scene, { server: standby }));
        });
    }

    test('a restore that was cut off is noticed by the server, and can be repeated', async (t) => {
        const { server, scene, dir } = await furnished(t);
        await backedUp(server, dir);
        const there = fresh();
        await mkdir(join(there, 'restoring', 'blobs', 'ab'), { recursive: true });
        await mkdir(join(there, 'blobs', 'ab'), { recursive: true });
        await writeFile(join(there, 'blobs', 'ab', 'ab'.repeat(32)), 'half');
        await writeFile(join(there, 'restoring', 'database'), 'half');
        const standby = new Server(there, {}, [], buildDir);
        await assertRefuses(standby, /a restore into .* was cut off: run dfotad --restore again/);
        const { status, err } = await restore(there, dir);
        assert.equal(status, 0, err);
        const started = await startRestored(t, server, there);
        await assertImages(Object.assign(scene, { server: started }));
    });
});

test('a restore that is killed leaves a whole data directory, or one that a restore completes', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { kind: 'noise', size: 3_000_000, versions: ['1', '2', '3', '4'] });
    const dir = join(await scratch(t), 'backup');
    await backedUp(server, dir);
    const ends = new Set();
    for (let round = 0; round < 6; round += 1) {
        const there = join(await scratch(t), 'data'), from = round * 2; // files that are there at the kill
        const { status } = await run(['--data-dir', there, '--restore', dir], {
            command: join(buildDir, 'dfotad'),
            during: async (child) => {
                while (child.exitCode === null && (await listFiles(there)).size < from)
                    await new Promise((next) => setImmediate(next));
                child.kill('SIGKILL');
            },
        });
        const whole = (await readdir(there).catch(() => [])).includes('dfota.db');
        ends.add(status);
        if (!whole)
            assert.equal((await restore(there, dir)).status, 0, `round ${round}`);
        await assertGood(fsckData(there));
    }
    assert.ok(ends.has('SIGKILL'));
    await assertImages(scene);
});

// ---- Refusals ----

const tree = async (dir) => {
    const files = new Map();
    for (const name of (await listFiles(dir)).keys())
        files.set(name, createHash('sha256').update(await readFile(join(dir, name))).digest('hex'));
    return files;
};

// A backup that is damaged is found by both, and leaves nothing.
async function assertFound(t, dir, ...words) {
    const checked = await fsck(dir);
    assert.equal(checked.status, 1, checked.out + checked.err);
    for (const word of words)
        assert.match(checked.out, word);
    const base = await scratch(t), there = join(base, 'data');
    const { status, err } = await restore(there, dir);
    assert.equal(status, 1);
    for (const word of words)
        assert.match(err, word);
    assert.deepEqual(await readdir(base), [], 'nothing is left');
}

describe('a backup with a flipped bit is found by --fsck and by --restore:', () => {
    const kinds = {
        'the database': [(dir, name) => join(dir, name, 'dfota.db'), /dfota\.db does not have the SHA-256/],
        'the manifest': [(dir, name) => join(dir, name, 'manifest.json'), /manifest\.json does not have the SHA-256/],
        'the configuration': [(dir, name) => join(dir, name, 'dfota.conf'), /dfota\.conf does not have the SHA-256/],
        'the sums': [(dir, name) => join(dir, name, 'SHA256SUMS'), /does not have the SHA-256/],
        'an image': [(dir, name, scene) => findBySum(dir, sha256(scene.images.get('1002'))), /image 1002 of pump|is damaged: its bytes/],
        'a package': [async (dir, name, scene) => findBySum(dir, (await scene.package()).sha256), /is damaged: its bytes do not have/],
    };
    for (const [kind, [find, word]] of Object.entries(kinds)) {
        test(kind, async (t) => {
            const conf = join(await scratch(t), 'dfota.conf');
            await writeFile(conf, 'jobs = 1\n');
            const { server, scene, dir } = await furnished(t, { config: { config: conf } });
            const { name } = await backedUp(server, dir);
            const file = await find(dir, name, scene);
            const { size } = await stat(file);
            for (const at of [0, size >> 1, size - 2]) {
                await flipBit(file, at);
                await assertFound(t, dir, word);
                await flipBit(file, at);
            }
            await assertGood(fsck(dir));
        });
    }
});

describe('a restore refuses', () => {
    test('a directory that is not empty, and changes nothing in it', async (t) => {
        const { server, dir } = await furnished(t);
        await backedUp(server, dir);
        const running = await restore(server.dataDir, dir);
        assert.equal(running.status, 1);
        assert.match(running.err, /another dfotad works on the data directory/);
        await server.stop();
        const before = await tree(server.dataDir);
        const stopped = await restore(server.dataDir, dir);
        assert.equal(stopped.status, 1);
        assert.match(stopped.err, /is not empty: it has /);
        assert.deepEqual(await tree(server.dataDir), before);
        await server.start();
    });

    test('a newer schema, a backup without its manifest, and what is no backup', async (t) => {
        const { server, dir } = await furnished(t);
        const { name } = await backedUp(server, dir);
        const base = await scratch(t), there = join(base, 'data'), spare = join(await scratch(t), 'spare');
        await cp(dir, spare, { recursive: true });
        execFileSync('sqlite3', [join(spare, name, 'dfota.db')], { input: "PRAGMA journal_mode = DELETE; INSERT INTO migration VALUES (9999, 'x', 1);" });
        await sumAgain(join(spare, name));
        const refusals = [[spare, /written by a newer dfotad \(schema 9999/]];
        const bare = join(await scratch(t), 'bare');
        await cp(dir, bare, { recursive: true });
        await rm(join(bare, name, 'manifest.json'));
        refusals.push([bare, /the backup \d+T\d+Z is not complete: .*manifest\.json/], [base, /there is no backup in /],
            [join(base, 'nothing'), /cannot open the backup .*No such file/]);
        for (const [from, word] of refusals) {
            const { status, err } = await restore(there, from);
            assert.equal(status, 1, err);
            assert.match(err, word);
            assert.deepEqual(await readdir(base), []);
        }
        assert.equal((await fsck(spare)).status, 2, 'this version cannot check it');
        const usage = await dfotad('--restore');
        assert.equal(usage.status, 2);
        assert.match(usage.err, /--restore needs the folder of a backup/);
    });

    test('nothing when an older backup of the folder is named', async (t) => {
        const { server, scene, dir } = await furnished(t);
        const old = await backedUp(server, dir);
        const later = scene.module();
        await later.ask();
        await backedUp(server, dir);
        const there = fresh();
        const { status, out } = await restore(there, join(dir, old.name));
        assert.equal(status, 0);
        assert.match(out, new RegExp(old.name));
        const standby = await startRestored(t, server, there);
        assert.equal((await standby.admin('GET', scene.deviceAdminPath(later))).status, 404);
    });
});

// ---- fsck of a data directory ----

describe('--fsck of a data directory', () => {
    const faults = {
        'a damaged image': [async ({ server, scene }) => flipBit(await findBySum(server.dataDir, sha256(scene.images.get('1002'))), 50),
            /fault: image 1002 of pump: .* is damaged/],
        'a damaged package': [async ({ server, made }) => flipBit(await findBySum(server.dataDir, made.sha256), 50),
            /fault: package 1001 to 1003: .* is damaged/],
        'a missing file': [async ({ server, made }) => rm(await findBySum(server.dataDir, made.sha256)), /fault: package 1001 to 1003: .* is gone/],
        'a changed row of the ledger': [({ sql }) => sql("UPDATE ledger SET detail = '{}' WHERE seq = 2"), /fault: .*row 2/],
        'a missing row': [({ sql }) => sql('PRAGMA foreign_keys = OFF; DELETE FROM product'), /fault: the database is damaged: row .* refers to/],
        'a missing key': [({ server }) => rm(join(server.dataDir, 'secret.key')), /fault: the file secret.key beside the database is missing/],
        'the key of another server': [({ server }) => writeFile(join(server.dataDir, 'secret.key'), `${'5a'.repeat(32)}\n`), /fault: the file secret.key does not belong/],
        'a damaged page': [({ server }) => flipBit(join(server.dataDir, 'dfota.db'), 4096 * 3 + 3), /fault: /],
    };
    for (const [name, [harm, word]] of Object.entries(faults)) {
        test(`finds ${name}, and changes nothing`, async (t) => {
            const { server, scene } = await furnished(t);
            const made = await scene.package();
            await server.stop();
            await assertGood(fsckData(server.dataDir));
            await harm({ server, scene, made, sql: (input) => execFileSync('sqlite3', [join(server.dataDir, 'dfota.db')], { input }) });
            const before = await tree(server.dataDir);
            const { status, out } = await fsckData(server.dataDir);
            assert.equal(status, 1, out);
            assert.match(out, word);
            assert.match(out, /faults? (was|were) found\n$/);
            assert.deepEqual(await tree(server.dataDir), before);
        });
    }

    test('tells of files that no row names, which are no fault', async (t) => {
        const { server } = await furnished(t);
        await server.kill();
        const sum = sha256(Buffer.from('left'));
        await mkdir(join(server.dataDir, 'blobs', sum.slice(0, 2)), { recursive: true });
        await writeFile(join(server.dataDir, 'blobs', sum.slice(0, 2), sum), 'left');
        assert.match(await assertGood(fsckData(server.dataDir)), /1 more files? in blobs\/ .* named by no row/);
        await server.start();
    });

    test('is refused while the server runs, and where there is no database', async (t) => {
        const { server } = await furnished(t);
        const running = await fsckData(server.dataDir);
        assert.equal(running.status, 2);
        assert.match(running.err, /another dfotad works on the data directory/);
        const empty = await fsckData(await scratch(t));
        assert.equal(empty.status, 2);
        assert.match(empty.err, /cannot open the database/);
        await poll('the server still works', async () => (await server.admin('GET', '/status')).status === 200);
    });
});
