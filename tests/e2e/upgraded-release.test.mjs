// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The data directory of each earlier release (tests/fixtures/release-*.tar.xz, by make-release.mjs) is upgraded in place: its 150 links
// answer as they did, nothing is lost, and the way back is there.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run, scratch } from './lib/ctl.mjs';
import { assertRefuses } from './lib/disk.mjs';
import { Module, sha256 } from './lib/module.mjs';
import { Server, buildDir } from './lib/server.mjs';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const releases = readdirSync(fixtures).filter((name) => name.endsWith('.tar.xz')).map((name) => name.replace('.tar.xz', ''));
const schemas = readdirSync(fileURLToPath(new URL('../../storage/schema/sqlite', import.meta.url))).length;
const dfotad = (...args) => run(args, { command: join(buildDir, 'dfotad') });
const sql = (dir, text, file = 'dfota.db') => execFileSync('sqlite3', [join(dir, file), text], { encoding: 'utf8' }).trim();
const kept = (release) => `dfota.db.schema-${String(release.schema).padStart(3, '0')}`;

assert.ok(releases.length > 0);

function unpack(name, dir = mkdtempSync(join(tmpdir(), 'dfota-release-'))) {
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
    execFileSync('tar', ['-xJf', join(fixtures, `${name}.tar.xz`), '-C', dir, '--no-same-owner']);
    return { dir, release: JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) };
}

async function serve(t, dir, release) {
    const server = new Server(dir, {}, [], buildDir);
    server.token = release.token;
    t.after(() => server.dispose());
    await server.start();
    return server;
}

async function assertAnswers(server, release) {
    assert.equal(release.links.length, 150);
    for (const [id, link, status, code, sum] of release.links) {
        const module = new Module({ address: server.device, product: 'pumps', firmware: 'pump', version: '1001', id, link, limit_bytes: Infinity });
        const answer = await module.ask();
        assert.deepEqual([answer.status, answer.code ?? null, answer.status === 200 ? sha256(answer.body) : null], [status, code, sum], link);
    }
}

for (const name of releases) {
    describe(name, () => {
        test('is upgraded in place: 150 links answer as before, and nothing is lost', async (t) => {
            const { dir, release } = unpack(name);
            const counts = () => sql(dir, 'SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM link), (SELECT count(*) FROM attempt), '
                + '(SELECT count(*) FROM image), (SELECT count(*) FROM package)');
            const before = counts();
            const server = await serve(t, dir, release);
            const [{ from, to }] = server.log('database-upgraded');
            assert.deepEqual([Number(from), Number(to)], [release.schema, schemas]);
            assert.equal(counts(), before);
            const { json } = await server.admin('GET', '/status', null, { expect: 200 });
            assert.deepEqual([json.products, json.devices, json.packages.ready], [release.products, release.devices, release.ready]);
            const { json: { items: [row] } } = await server.admin('GET', `/ledger?after=${release.head.seq - 1}&limit=1`, null, { expect: 200 });
            assert.deepEqual([row.seq, row.hash], [release.head.seq, release.head.hash]);
            await assertAnswers(server, release);

            // The next start changes nothing more; a backup of the upgraded server works on another machine.
            await server.restart();
            assert.equal(server.log('database-upgraded').length, 1);
            const backup = join(await scratch(t), 'backup'), there = mkdtempSync(join(tmpdir(), 'dfota-release-'));
            process.on('exit', () => rmSync(there, { recursive: true, force: true }));
            const made = await run(['backup', backup], { env: { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token } });
            assert.equal(made.status, 0, made.err);
            await server.stop();
            const checked = await dfotad('--data-dir', dir, '--fsck');
            assert.equal(checked.status, 0, checked.out + checked.err);
            assert.equal((await dfotad('--data-dir', there, '--restore', backup)).status, 0);
            const second = await serve(t, there, release);
            assert.equal((await second.admin('GET', '/status')).json.devices, release.devices);
        });

        test('has a way back: the database as the release left it', async (t) => {
            const { dir, release } = unpack(name);
            const names = sql(dir, 'SELECT group_concat(name) FROM migration'), rows = sql(dir, 'SELECT * FROM link');
            await writeFile(join(dir, 'dfota.db.schema-007'), 'of an upgrade long ago');
            const server = await serve(t, dir, release);
            await server.stop();
            assert.deepEqual((await readdir(dir)).filter((file) => file.startsWith('dfota.db.')), [kept(release)], 'one copy');
            assert.equal((await stat(join(dir, kept(release)))).mode & 0o777, 0o600);
            assert.equal(sql(dir, 'SELECT group_concat(name) FROM migration', kept(release)), names);
            assert.equal(sql(dir, 'SELECT * FROM link', kept(release)), rows);
            // As doc/upgrade.md says. The older program is here this one again: it upgrades once more.
            await rename(join(dir, kept(release)), join(dir, 'dfota.db'));
            await server.start();
            assert.equal(server.log('database-upgraded').length, 2);
            await assertAnswers(server, release);
        });

        test('an upgrade that is cut off is begun again', async (t) => {
            const { dir, release } = unpack(name);
            await copyFile(join(dir, 'dfota.db'), join(dir, `${kept(release)}.new`));
            const server = await serve(t, dir, release);
            assert.deepEqual((await readdir(dir)).filter((file) => file.startsWith('dfota.db.')), [kept(release)]);
            await assertAnswers(server, release);
        });

        test('is left as it is on a disk without space for the copy', { skip: noMounts }, async (t) => {
            const disk = await Disk.make(t);
            await disk.makeData();
            const { dir, release } = unpack(name, disk.dir);
            const { size } = await stat(join(dir, 'dfota.db'));
            // The copy alone would fit, then the log of the migrations too: a start must not stop between two schemas.
            for (const times of [0.1, 1.2, 1.8, 2.5]) {
                await disk.fill(times * size);
                const server = new Server(dir, {}, [], buildDir);
                t.after(() => server.process?.kill('SIGKILL')); // it must not have started
                await assertRefuses(server, /cannot be copied before the upgrade: .*Nothing was changed: the older dfotad can go on/);
                assert.equal(Number(sql(dir, 'SELECT max(number) FROM migration')), release.schema);
                assert.deepEqual((await readdir(dir)).filter((file) => file.startsWith('dfota.db.')), []);
                await disk.clear();
            }
            await assertAnswers(await serve(t, dir, release), release);
        });
    });
}

test('a program that is older than the database refuses it, and says what to do', async (t) => {
    const { dir, release } = unpack(releases[0]);
    const server = await serve(t, dir, release);
    await server.stop();
    sql(dir, "INSERT INTO migration VALUES (9999, 'of-tomorrow', 1)");
    await assertRefuses(server, /written by a newer dfotad \(schema 9999, this one knows \d+\): install that version/);
    await rm(dir, { recursive: true, force: true });
});
