// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Backups and full disks, and what the server knows of its last backup.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Clock, day } from './lib/clock.mjs';
import { run, scratch } from './lib/ctl.mjs';
import { startOn } from './lib/disk.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const needsDisk = { skip: noMounts };
const dfotad = (...args) => run(args, { command: join(buildDir, 'dfotad') });
const ctl = (server, ...args) =>
    run(args, { env: { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token } });
const known = async (server) => (await server.admin('GET', '/status', null, { expect: 200 })).json.backup;
const due = async (server) => (await server.admin('GET', '/overview', null, { expect: 200 })).json.next.find(({ kind }) => kind === 'backup-due');
const rows = async (server) => (await server.admin('GET', '/ledger?kind=backup-made', null, { expect: 200 })).json.items;
const copies = async (dir) => (await readdir(dir)).filter((name) => /^\d{8}T\d{6}Z/.test(name)).sort();

async function backedUp(server, dir) {
    const { status, out, err } = await ctl(server, 'backup', dir, '-o', 'json');
    assert.equal(status, 0, err);
    return JSON.parse(out);
}

async function assertGood(dir) {
    const { status, out, err } = await dfotad(`--fsck=${dir}`);
    assert.equal(status, 0, out + err);
}

describe('the server', () => {
    test('shows its last backup, in the status and the ledger', async (t) => {
        const server = await startServer(t), dir = join(await scratch(t), 'backup');
        await Scene.build(server, { kind: 'noise', size: 10_000, versions: ['1', '2'] });
        assert.deepEqual(await known(server), { last: null, failed: null, due: false });
        const { made_at } = await backedUp(server, dir);
        const { last, failed } = await known(server);
        assert.deepEqual([last.made_at, last.token_name, last.result, last.files, last.missing, failed], [made_at, 'admin', 'complete', 2, 0, null]);
        assert.ok(last.size > 20_000 + 100_000, 'the images and the database');
        const [row] = await rows(server);
        assert.deepEqual([row.detail.result, row.detail.size, row.detail.made, row.detail.by.token_name], ['complete', last.size, made_at, 'admin']);
        const { out } = await ctl(server, 'status');
        assert.match(out, /Last backup +20\d\d-/);
        assert.match(out, /result +complete/);
        assert.doesNotMatch(out, /is due/);
    });

    test('says when a backup is due, until one is made', async (t) => {
        const clock = new Clock();
        const server = await startServer(t, { wrapper: clock.wrapper }), dir = join(await scratch(t), 'backup');
        assert.equal(await due(server), undefined);
        clock.ahead(8 * day);
        const found = await due(server);
        assert.deepEqual([found.count, found.since, found.action], [8, null, { do: 'make-backup', method: null, path: null }]);
        assert.match((await ctl(server, 'status')).out, /A backup is due: dfotactl backup/);
        await server.restart();
        assert.equal((await server.logged('backup-due'))[0].days, '8');
        const { made_at } = await backedUp(server, dir);
        assert.equal(await due(server), undefined);
        clock.ahead(15 * day + 60_000);
        assert.deepEqual([(await due(server)).count, (await due(server)).since], [7, made_at]);
        await server.restart({ config: { ...server.config, backup_warn_days: 0 } });
        assert.equal(await due(server), undefined);
        assert.equal((await known(server)).due, false);
    });

    test('takes no result that cannot be true', async (t) => {
        const server = await startServer(t);
        const good = { made_at: Date.now(), result: 'complete', size: 1, files: 0, missing: 0 };
        for (const bad of [{ result: 'good' }, { made_at: 5 }, { made_at: Date.now() + day }, { size: -1 }, { missing: 1 }])
            assertProblem(await server.admin('POST', '/backup/result', { ...good, ...bad }), 422, 'invalid');
        assertProblem(await server.admin('POST', '/backup/result', { ...good, more: 1 }), 400, 'bad-request');
        assert.deepEqual([(await known(server)).last, await rows(server)], [null, []]);
    });
});

describe('on a full disk', needsDisk, () => {
    const image = noiseImage({ seed: 7100, size: 1 << 20 });

    test('of the server a backup is refused, and the backup before stays', async (t) => {
        const disk = await Disk.make(t), server = await startOn(t, disk), dir = join(await scratch(t), 'backup');
        await Scene.build(server, { kind: 'noise', size: 10_000, versions: ['1'] });
        const { name } = await backedUp(server, dir);
        await disk.fill(0);
        const { status, err } = await ctl(server, 'backup', dir);
        assert.equal(status, 1);
        assert.match(err, /no space|free/i);
        assert.deepEqual(await copies(dir), [name]);
        await assertGood(dir);
        assert.deepEqual(await readdir(join(server.dataDir, 'incoming')), [], 'nothing is left on the server');
        await disk.clear();
        await backedUp(server, dir);
    });

    test('of the backups nothing half looks whole, and the backup before stays', async (t) => {
        const disk = await Disk.make(t), server = await startServer(t), dir = join(disk.path, 'backup');
        const scene = await Scene.build(server, { kind: 'noise', size: 10_000, versions: ['1'] });
        const { name, made_at } = await backedUp(server, dir);
        await server.putImage(scene.product, 'large', '1', image);
        for (const left of [0, 4096, 300_000, 900_000]) { // too little for the database, an image, or its last bytes
            await disk.fill(left);
            const { status, err } = await ctl(server, 'backup', dir);
            assert.equal(status, 2, err);
            assert.match(err, /cannot (write|make) .*No space left on device/);
            assert.deepEqual(await copies(dir), [name]);
            await assertGood(dir);
            await disk.clear();
        }
        const { last, failed } = await known(server);
        assert.deepEqual([last.made_at, failed.result], [made_at, 'failed']);
        await backedUp(server, dir);
        assert.equal((await known(server)).failed, null);
        await assertGood(dir);
        const there = join(await scratch(t), 'data');
        assert.equal((await dfotad('--data-dir', there, '--restore', dir)).status, 0);
    });

    test('a restore says so, and leaves nothing; with space it works', async (t) => {
        const disk = await Disk.make(t), server = await startServer(t), dir = join(await scratch(t), 'backup');
        const scene = await Scene.build(server, { kind: 'noise', size: 10_000, versions: ['1'] });
        await server.putImage(scene.product, 'large', '1', image);
        await backedUp(server, dir);
        for (const left of [8192, 600_000, 1_200_000]) {
            await disk.fill(left);
            const { status, err } = await dfotad('--data-dir', disk.dir, '--restore', dir);
            assert.equal(status, 1, err);
            assert.match(err, /No space left on device/);
            assert.deepEqual((await readdir(disk.path)).filter((name) => name !== 'ballast'), []);
            await disk.clear();
        }
        assert.equal((await dfotad('--data-dir', disk.dir, '--restore', dir)).status, 0);
        assert.equal((await dfotad('--data-dir', disk.dir, '--fsck')).status, 0);
    });
});
