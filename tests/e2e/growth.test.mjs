// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What keeps a server small for years: old rows go, files that no row names go, and nothing that is referred to.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Clock, day } from './lib/clock.mjs';
import { run } from './lib/ctl.mjs';
import { assertImages } from './lib/disk.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, listFiles } from './lib/scene.mjs';
import { buildDir, startServer, stopsBuildDir } from './lib/server.mjs';

const sql = (server, text) => execFileSync('sqlite3', ['-bail', join(server.dataDir, 'dfota.db'), `PRAGMA foreign_keys = ON; ${text}`], { encoding: 'utf8' }).trim();
const stored = async (server) => (await server.admin('GET', '/status', null, { expect: 200 })).json.stored;
const numbers = (n) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n}) `;

async function assertGood(server) {
    await server.stop();
    const { status, out, err } = await run(['--data-dir', server.dataDir, '--fsck'], { command: join(buildDir, 'dfotad') });
    assert.equal(status, 0, out + err);
    await server.start();
}

describe('rows', () => {
    test('old attempts of a device go, except those that still say something', async (t) => {
        const server = await startServer(t, { config: { attempts_kept: 20 } });
        const scene = await Scene.build(server), module = scene.module();
        await module.upgrade();
        await module.ask();
        await server.stop();
        const [device, firmware] = sql(server, 'SELECT id, firmware_id FROM device').split('|');
        const add = (n, state, target, more = '0') => sql(server, `${numbers(n)}INSERT INTO attempt (device_id, firmware_id, from_version, to_version,
            target_version, state, reason, created_ms, ended_ms, beside) SELECT ${device}, ${firmware}, '1', '2', '${target}', '${state}', 'x', i, i, ${more} FROM n`);
        add(1, 'abandoned', 'once'); // the newest for its target
        add(3, 'confirmed', '2');
        add(2, 'abandoned', '2', 'i');
        sql(server, `INSERT INTO transcript (device_id, sha256, source, received_ms, counted, attempt_id, size_bytes, text_sealed)
            SELECT ${device}, x'00', 'host', 1, 0, max(id), 1, x'00' FROM attempt`);
        add(700, 'abandoned', '2');
        await server.start();
        const [line] = await server.logged('rows-removed');
        assert.equal(Number(line.attempts), 700 - 20 + 1, 'one of two beside: a transcript is about the other');
        const left = sql(server, "SELECT state || ' ' || target_version || ' ' || count(*) FROM attempt WHERE id > 1 GROUP BY state, target_version");
        assert.deepEqual(left.split('\n'), ['abandoned 2 21', 'abandoned once 1', 'confirmed 2 3']);
        assert.equal((await scene.record(module)).confirmed_version, '1002');
        assert.equal((await stored(server)).rows.attempts, 26);
        await assertGood(server);
        assert.equal(server.log('rows-removed').length, 1, 'nothing more to do');
    });

    test('ended targets go, besides the newest hundred of a firmware; days of check-ins go', async (t) => {
        const server = await startServer(t, { config: { check_ins_keep_days: 30 } });
        const scene = await Scene.build(server), module = scene.module();
        await module.ask();
        await server.stop();
        const add = (from, to) => sql(server, `${numbers(to - from)}INSERT INTO campaign (id, firmware_id, name, plain, target, state, audience, created_ms)
            SELECT ${from} + i, 1, 'target', 1, '7', 'cancelled', 'all', i FROM n;
            INSERT INTO campaign_stage SELECT id, 0, 'all', 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0 FROM campaign WHERE id > ${from}`);
        add(1000, 1250);
        sql(server, `INSERT INTO campaign (id, firmware_id, name, plain, target, state, audience, created_ms) VALUES (5, 1, 'spring', 0, '7', 'finished', 'all', 1)`);
        const today = Math.floor(Date.now() / day);
        sql(server, `INSERT INTO check_in_day VALUES (1, ${today - 31}, 1, 1, 1), (1, ${today - 29}, 1, 1, 1);
            INSERT INTO admission VALUES (1, ${today - 2}, 1), (1, ${today - 100}, 1)`);
        await server.start();
        const [line] = await server.logged('rows-removed');
        assert.deepEqual([line.targets, line.check_in_days], ['150', '1']);
        assert.equal(sql(server, 'SELECT count(*), min(id) FROM campaign WHERE id > 1000'), '100|1151');
        assert.equal(sql(server, "SELECT count(*) FROM campaign_stage WHERE campaign_id NOT IN (SELECT id FROM campaign)"), '0');
        assert.equal(sql(server, "SELECT name FROM campaign WHERE id = 5"), 'spring');
        assert.equal(sql(server, `SELECT count(*) FROM admission WHERE day < ${today - 1}`), '0');
        assert.equal((await scene.server.firmware(scene.product, scene.firmware)).target, '1002');
        module.address = server.device;
        assert.equal((await module.askUntilMade()).status, 200);
        await assertGood(server);
    });

    test('the status counts them', async (t) => {
        const server = await startServer(t), scene = await Scene.build(server);
        await scene.makePackage();
        await scene.module().ask();
        await server.restart();
        await poll('they are counted', async () => (await stored(server)).counted_at);
        const { rows, files, file_bytes, database_bytes } = await stored(server);
        assert.deepEqual([rows.images, rows.devices, rows.packages, files], [2, 1, 1, 3]);
        assert.ok(rows.ledger > 3 && file_bytes > 32_000 && database_bytes > 100_000);
        const { out } = await run(['status'], { env: { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token } });
        assert.match(out, /Database bytes +\d/);
        assert.match(out, /ledger rows +\d/);
    });
});

// Files as a killed server, or another database, left them: too many for the start to remove them.
async function leave(server, count) {
    const files = [];
    for (let n = 0; n < count; n += 1) {
        const bytes = noiseImage({ seed: 9000 + n, size: 2000 }), name = sha256(bytes);
        const file = join(server.dataDir, 'blobs', name.slice(0, 2), name);
        await mkdir(join(file, '..'), { recursive: true });
        await writeFile(file, bytes, { mode: 0o400 });
        files.push({ bytes, file, name });
    }
    return files;
}
const isThere = (file) => stat(file).then(() => true, () => false);

describe('files that no row names', () => {
    async function furnish(t, options = {}) {
        const clock = new Clock();
        const server = await startServer(t, { wrapper: clock.wrapper, config: { jobs: 1 }, ...options });
        const scene = await Scene.build(server);
        await scene.makePackage();
        await server.stop();
        const files = await leave(server, 12);
        await server.start();
        await server.logged('blobs-unknown');
        await poll('they are remembered', async () => (await stored(server)).unknown_files === 12);
        return { clock, server, scene, files };
    }

    test('are removed after 30 days, and only these', async (t) => {
        const { clock, server, scene, files } = await furnish(t);
        const [again, gone] = files;
        await scene.server.putImage(scene.product, 'spare', '1', again.bytes); // it is named now
        clock.ahead(29 * day);
        await server.restart();
        await poll('the second count', async () => (await stored(server)).unknown_files === 11);
        assert.equal(server.log('blobs-removed').length, 0);
        clock.ahead(31 * day);
        await server.restart();
        assert.equal((await server.logged('blobs-removed'))[0].count, '11');
        assert.deepEqual([await isThere(again.file), await isThere(gone.file)], [true, false]);
        await assertImages(scene);
        assert.equal((await stored(server)).unknown_files, 0);
        await assertGood(server);
        await poll('they are forgotten', async () => sql(server, 'SELECT count(*) FROM blob_unknown') === '0');
    });

    test('stay when the right database is put back in time', async (t) => {
        const { clock, server, scene, files } = await furnish(t, { config: { jobs: 1, unknown_files_keep_days: 0 } });
        clock.ahead(400 * day);
        await server.restart();
        await poll('the second count', async () => (await stored(server)).counted_at > Date.now() + 300 * day);
        for (const { file } of files)
            assert.ok(await isThere(file), 'never, with 0');
        // A database that does not name the images: nothing is removed at once, also after a long time without a server.
        await server.stop();
        sql(server, "PRAGMA foreign_keys = OFF; DELETE FROM image; DELETE FROM package; DELETE FROM blob_unknown");
        server.config = { jobs: 1 };
        const before = (await listFiles(server.dataDir)).size;
        await server.start();
        await poll('the third count', async () => (await stored(server)).unknown_files === 15);
        assert.ok((await listFiles(server.dataDir)).size >= before);
        void scene;
    });

    test('a kill between the steps loses nothing that is named', { skip: stopsBuildDir ? false : 'no build with --enable-stop-points' }, async (t) => {
        const { clock, server, scene, files } = await furnish(t, { build: stopsBuildDir });
        clock.ahead(31 * day);
        server.env = { DFOTA_STOP: 'files-remembered' };
        await server.stop();
        await server.start();
        await server.logged('stopped-at');
        await server.kill();
        for (const { file } of files)
            assert.ok(await isThere(file));
        server.env = {};
        await server.start();
        await server.logged('blobs-removed');
        await assertImages(scene);
        await assertGood(server);
    });
});
