// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Disks that are read-only, for a while or from the start, and other places where a server cannot start: it says so,
// changes nothing, and works when the cause is gone.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { chmod, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import {
    assertGoesOn, assertImages, assertRefuses, assertSurvives, awaitPackage, serverOn, startFaulty, startOn,
} from './lib/disk.mjs';
import { Faults } from './lib/faults.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const needsDisk = { skip: noMounts };

describe('the disk is read-only', () => {
    const all = (server) => `write,truncate,create,open,rename,unlink,mkdir EROFS 0 0 ${server.dataDir}/*`;

    test('for a while, while the server runs: it says so, and continues without help', async (t) => {
        const { faults, server, scene } = await startFaulty(t, { target: null });
        const early = scene.module();
        assert.equal((await early.ask()).code, 27);
        faults.set(all(server));
        const asked = { told: [scene.module(), scene.module()], known: [] };
        for (const module of asked.told)
            assert.equal((await module.ask()).code, 503);
        assert.equal((await early.ask()).code, 27, 'what changes nothing needs no disk');
        assertProblem(await server.admin('PUT', scene.path('/images/1003'), noiseImage({ seed: 1, size: 5000 })), 503, 'unavailable');
        assertProblem(await server.admin('POST', '/products', { name: 'x', product_key: 'x' }), 503, 'unavailable');
        assertProblem(await server.admin('PUT', scene.path('/target'), { version: '1002' }), 503, 'unavailable');
        await assertImages(scene);
        // Connections that are opened meanwhile.
        await Promise.all(Array.from({ length: 12 }, () => server.admin('GET', '/products', null, { expect: 200 })));
        assert.match((await server.logged('check-in-failed')).at(-1).error, /^database: .*: Read-only file system$/);
        await server.logged('admin-call-failed', 3);
        assert.ok(faults.hits().some((hit) => /EROFS/.test(hit)));
        faults.set();
        await Promise.all(Array.from({ length: 12 }, () => server.admin('GET', '/products', null, { expect: 200 })));
        await assertGoesOn(scene, asked);
        await server.createProduct('x');
        await server.admin('PUT', scene.path('/images/1003'), noiseImage({ seed: 1, size: 5000 }), { expect: 201 });
        await scene.setTarget('1002');
        const module = scene.module();
        await module.upgrade();
        assert.equal(module.version, '1002');
        await assertSurvives(scene, asked.told);
    });

    test('while a package is made: the package waits and is made without help', async (t) => {
        const { faults, server, scene } = await startFaulty(t);
        // The database works, so that this is seen.
        faults.set(`create,rename,mkdir EROFS 0 0 ${server.dataDir}/*`);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        await poll('it was put back', () => server.log('package-put-back').length > 0);
        assert.match((await server.logged('package-put-back'))[0].reason, /Read-only file system/);
        faults.set(`rename EROFS 0 1 ${server.dataDir}/blobs/*`);
        await poll('it was put back again', () => server.log('package-put-back').length > 1);
        assert.deepEqual([(await module.ask()).code, (await scene.package()).crashes], [43, 0]);
        await awaitPackage(scene, 'ready');
        await module.upgrade();
    });

    test('at the start: it says so and changes nothing', needsDisk, async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server);
        await server.stop();
        disk.remount('ro');
        await assertRefuses(server, /Read-only file system/);
        disk.remount('rw');
        await server.start();
        await assertImages(scene);
    });
});

describe('at the start', () => {
    test('the data directory is created, but not its parent', async (t) => {
        const faults = new Faults();
        const server = await startServer(t, { wrapper: faults.wrapper });
        await server.stop();
        const there = server.dataDir;
        server.dataDir = join(there, 'none', 'data');
        await assertRefuses(server, /none\/data: No such file or directory/);
        server.dataDir = join(there, 'none');
        server.token = null;
        await server.start();
        server.dataDir = there;
    });

    test('a file in its place is refused', async (t) => {
        const server = await startServer(t);
        await server.stop();
        const there = server.dataDir;
        server.dataDir = join(there, 'admin.token');
        await assertRefuses(server, /admin\.token.*Not a directory/);
        server.dataDir = there;
    });

    test('a directory in use by another server is refused, and the other server is not disturbed', async (t) => {
        const first = await startServer(t);
        const second = await startServer(t);
        await second.stop();
        const there = second.dataDir;
        second.dataDir = first.dataDir;
        await assertRefuses(second, /another dfotad works on the data directory/);
        second.dataDir = there;
        const scene = await Scene.build(first);
        assert.equal((await scene.module().ask()).code, 43);
    });

    test('a directory of another user is refused', needsDisk, async (t) => {
        const disk = await Disk.make(t);
        await disk.makeData();
        await chown(disk.dir, 65534, 65534);
        await chmod(disk.path, 0o755);
        // The superuser without the right to go past permissions.
        const server = serverOn(t, disk, { wrapper: ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] });
        await assertRefuses(server, /data.*Permission denied/);
        await chown(disk.dir, 0, 0);
        await server.start();
    });

    test('a full disk is named, and with space it starts', needsDisk, async (t) => {
        const disk = await Disk.make(t);
        await disk.fill(50 * 4096);
        const server = serverOn(t, disk);
        let refused = 0;
        // The first start, with one page more each time.
        for (let started = false; !started; refused += 1) {
            await disk.fill(refused * 4096);
            started = await server.start().then(() => true, () => false);
            if (!started) {
                assert.deepEqual(await server.ended, { code: 1, signal: null });
                assert.match(server.logLines.at(-1), /disk is full|No space left on device|not enough space/);
            }
            await disk.clear();
            assert.ok(refused < 200);
        }
        assert.ok(refused > 10, `${refused}`);
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.upgrade();
        for (let i = 0; i < 20; i += 1)
            await scene.module().ask();
        // Later ones, after an end and after a power cut.
        for (const end of ['stop', 'kill']) {
            await server[end]();
            await disk.fill();
            if (await server.start().then(() => true, () => false)) {
                await server.stop();
            } else {
                assert.deepEqual(await server.ended, { code: 1, signal: null });
                assert.match(server.logLines.at(-1), /disk is full|No space left on device|not enough space/);
            }
            await disk.clear();
            await server.start();
            await assertImages(scene);
            assert.equal((await scene.record(module)).asked_version, '1001');
        }
    });
});
