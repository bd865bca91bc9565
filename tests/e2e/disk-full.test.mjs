// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Full disks: what was answered stays, what failed is reported, and when there is space again the server
// goes on, without a restart.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { askUntilFull, assertGoesOn, assertImages, assertSurvives, awaitPackage, files, startOn } from './lib/disk.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { Scene, adminExchange, assertProblem, listFiles } from './lib/scene.mjs';

test('disks can be made if no test may be skipped', { skip: process.env.CI ? false : noMounts }, () => {
    assert.equal(noMounts, false);
});

const needsDisk = { skip: noMounts };

// A scene on a server that has a disk of its own; what is neither about the disk nor the server is the scene's.
async function furnish(t, { disk: ofDisk = {}, server: ofServer = {}, ...ofScene } = {}) {
    const disk = await Disk.make(t, ofDisk);
    const server = await startOn(t, disk, ofServer);
    return { disk, server, scene: await Scene.build(server, ofScene) };
}

const incoming = (server) => readdir(join(server.dataDir, 'incoming'));

describe('the disk is full for an upload:', needsDisk, () => {
    const at = (scene, version) => scene.path(`/images/${version}`);
    const image = noiseImage({ seed: 7001, size: 3 << 20 });

    test('an announced length that does not fit is refused at once', async (t) => {
        const { disk, server, scene } = await furnish(t);
        await disk.fill(1 << 20);
        const earlier = await files(server);
        const answer = await adminExchange(server, 'PUT', at(scene, '1003'), { lines: [`Content-Length: ${image.length}`] });
        assertProblem(answer, 507, 'no-space');
        assert.deepEqual(await files(server), earlier);
        await assertImages(scene);
        await disk.clear();
        await server.admin('PUT', at(scene, '1003'), image, { expect: 201 });
    });

    test('an unannounced length ends when nothing more fits, and leaves nothing', async (t) => {
        const { disk, server, scene } = await furnish(t);
        await disk.fill(1 << 20);
        const earlier = await files(server);
        const chunk = Buffer.concat([Buffer.from(`${image.length.toString(16)}\r\n`), image, Buffer.from('\r\n0\r\n\r\n')]);
        const answer = await adminExchange(server, 'PUT', at(scene, '1003'), { lines: ['Transfer-Encoding: chunked'], more: [chunk] });
        assertProblem(answer, 507, 'no-space');
        await poll('nothing is left', async () => (await files(server)).join() === earlier.join());
        assert.equal(await disk.free(), 1 << 20, 'all of the space is given back');
        assertProblem(await server.admin('GET', at(scene, '1003')), 404, 'image-not-found');
        await assertImages(scene);
        await disk.clear();
        await server.admin('PUT', at(scene, '1003'), image, { expect: 201 });
    });

    test('another program fills the disk meanwhile', async (t) => {
        const { disk, server, scene } = await furnish(t);
        const earlier = await files(server);
        const socket = net.connect(server.adminAddress.port, server.adminAddress.host);
        socket.write(`PUT /api/v1${at(scene, '1003')} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${server.token}\r\n`
            + `Connection: close\r\nContent-Length: ${image.length}\r\n\r\n`);
        socket.write(image.subarray(0, 1 << 20));
        await poll('a part of it is on the disk', async () => (await files(server)).length > earlier.length);
        await disk.fill();
        const chunks = [];
        socket.on('data', (bytes) => chunks.push(bytes)).on('error', () => {});
        socket.write(image.subarray(1 << 20));
        await new Promise((ended) => socket.on('close', ended));
        assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 507 [^]*"code":"no-space"/);
        await poll('nothing is left', async () => (await files(server)).join() === earlier.join());
        await assertImages(scene);
        await disk.clear();
        await server.admin('PUT', at(scene, '1003'), image, { expect: 201 });
    });

    // The same upload with one page more each time: it fails at each of its steps once, down to the commit.
    test('at every step: the image is stored completely or not at all', async (t) => {
        const { disk, server, scene } = await furnish(t);
        const statuses = new Set();
        await disk.fill();
        for (let version = 2001; version <= 2040; version += 1) {
            const bytes = noiseImage({ seed: version, size: 20_000 });
            const earlier = await files(server);
            const answer = await server.admin('PUT', at(scene, version), bytes, { expect: [201, 503, 507] });
            statuses.add(answer.status);
            if (answer.status === 201) {
                const { body } = await server.admin('GET', `${at(scene, version)}/content`, null, { expect: 200 });
                assert.ok(body.equals(bytes));
            } else {
                assertProblem(await server.admin('GET', at(scene, version)), 404, 'image-not-found');
                // The bytes go when the request is over, after its answer.
                await poll('nothing is left', async () => (await files(server)).join() === earlier.join());
            }
            assert.deepEqual(await incoming(server), []);
            await disk.clear(4096 * (answer.status === 201 ? 2 : 1));
        }
        assert.ok(statuses.has(507) && statuses.has(201), [...statuses].join());
        await disk.clear();
        await server.admin('PUT', at(scene, '3001'), image, { expect: 201 });
        await assertImages(scene);
    });

    test('the reserve stays free, and what fits beside it is accepted', async (t) => {
        const { disk, server, scene } = await furnish(t, { disk: { size: 32 << 20 }, server: { reserve: 8 << 20 } });
        const size = 2 << 20;
        let taken = 0;
        for (; ; taken += 1) {
            const answer = await server.admin('PUT', at(scene, 4001 + taken), noiseImage({ seed: 4001 + taken, size }));
            if (answer.status !== 201) {
                assertProblem(answer, 507, 'no-space');
                break;
            }
            assert.ok(await disk.free() >= 8 << 20, 'the reserve is whole');
        }
        assert.ok(await disk.free() - size < 8 << 20, 'no space is wasted');
        assert.ok(taken >= 8, `${taken}`);
        // Without an announced length the upload ends a little below the reserve.
        const whole = noiseImage({ seed: 4000, size: 20 << 20 });
        const chunk = Buffer.concat([Buffer.from(`${whole.length.toString(16)}\r\n`), whole, Buffer.from('\r\n0\r\n\r\n')]);
        const answer = await adminExchange(server, 'PUT', at(scene, '4000'), { lines: ['Transfer-Encoding: chunked'], more: [chunk] });
        assertProblem(answer, 507, 'no-space');
        // Small writes still work: the reserve is for them.
        await scene.setTarget('4001');
        assert.equal((await scene.module().ask()).code, 43);
    });
});

describe('the disk is full while a package is made:', { ...needsDisk, concurrency: true }, () => {
    // Enough space for a job to begin but not for its package; or no space at all.
    for (const [name, left] of Object.entries({ 'the package does not fit': 1_300_000, 'nothing fits': 0 })) {
        test(`${name}: the package waits, and is made without help when there is space`, async (t) => {
            const { disk, server, scene } = await furnish(t, {
                disk: { size: 12 << 20 }, kind: 'noise', size: 1_500_000, limit: 5_000_000, target: null,
            });
            const module = scene.module();
            // A known device, so that its check-ins need little space.
            assert.equal((await module.ask()).code, 27);
            await disk.fill(left === 0 ? 200_000 : left);
            await scene.setTarget('1002');
            const answer = await module.ask();
            assert.equal(answer.code, 43, `${answer.status}`);
            await disk.fill(left === 0 ? 0 : Math.min(left, await disk.free()));
            // Which of the three depends on the step at which the disk became full.
            const events = ['package-put-back', 'job-not-claimed', 'job-not-stored'];
            await poll('the job did not work, and was tried again',
                () => events.reduce((sum, event) => sum + server.log(event).length, 0) > 1);
            assert.deepEqual(server.log('package-failed'), []);
            const { code, status } = await module.ask();
            assert.ok(code === 43 || code === 503, `${status} ${code}`);
            const waiting = await scene.package();
            assert.equal(waiting.crashes, 0, 'a full disk is no crash');
            assert.ok(['queued', 'generating'].includes(waiting.state));
            await assertImages(scene);
            await disk.clear();
            const made = await awaitPackage(scene, 'ready');
            assert.equal(made.crashes, 0);
            await module.upgrade();
            assert.equal(module.version, '1002');
            assert.deepEqual(await incoming(server), []);
        });
    }

    test('a large package that does not fit does not block a small one after it', async (t) => {
        const disk = await Disk.make(t, { size: 12 << 20 });
        const server = await startOn(t, disk, { config: { jobs: 1 } });
        const large = await Scene.build(server, { kind: 'noise', size: 2_000_000, limit: 5_000_000 });
        const small = await Scene.build(server, { size: 16_000 });
        await disk.fill(1_800_000); // a job begins with 1 MiB
        assert.equal((await large.module().ask()).code, 43);
        await poll('it was put back', () => server.log('package-put-back').length > 0);
        await small.module().askUntilMade();
        await awaitPackage(small, 'ready');
        assert.notEqual((await large.package()).state, 'failed');
        await disk.clear();
        await awaitPackage(large, 'ready');
    });
});

describe('the disk is full for check-ins:', needsDisk, () => {
    test('503, nothing is half recorded, and the next one with space works', async (t) => {
        const { disk, server, scene } = await furnish(t, { target: null });
        const early = scene.module();
        assert.equal((await early.ask()).code, 27);
        await disk.fill();
        const asked = await askUntilFull(scene, 5);
        assert.equal((await early.ask()).code, 27, 'what changes nothing needs no space');
        await server.logged('check-in-failed', 5);
        await disk.clear();
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [early, ...asked.told, ...asked.known]);
    });

    test('a long read makes the write-ahead log grow until nothing fits', async (t) => {
        const { disk, scene } = await furnish(t, { disk: { size: 3 << 20 }, target: null });
        const reader = await holdReader(t, disk.dir);
        const asked = await askUntilFull(scene, 3);
        assert.ok((await listFiles(disk.dir)).get('dfota.db-wal') > 1 << 20);
        await reader.end();
        disk.remount(`size=${8 << 20}`);
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [...asked.told, ...asked.known]);
    });

    test('a delivery that ends while the disk is full is recorded when there is space', async (t) => {
        const { disk, server, scene } = await furnish(t, { disk: { size: 12 << 20 }, kind: 'noise', size: 1_500_000, limit: 5_000_000 });
        await scene.makePackage();
        const module = scene.module();
        // Reads nothing until the disk is full.
        const socket = net.connect({ ...server.device, pauseOnConnect: true });
        socket.pause();
        socket.write(`GET ${module.target} HTTP/1.1\r\nHost: h\r\n\r\n`);
        await scene.awaitAttempt(module, 'sending');
        await disk.fill();
        await scene.server.clearTarget(scene.product, scene.firmware).catch(() => {});
        await askUntilFull(scene, 1);
        socket.resume();
        await new Promise((ended) => socket.on('close', ended));
        await poll('it could not be stored', () => server.log('progress-kept').length > 0);
        await disk.clear();
        await scene.awaitAttempt(module, 'delivered');
    });
});

// A reader of the database that does not end.
async function holdReader(t, dir) {
    const child = spawn('sqlite3', ['-readonly', join(dir, 'dfota.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'close');
    child.stdin.write('BEGIN; SELECT count(*) FROM device;\n');
    await once(child.stdout, 'data');
    return { end: () => { child.stdin.end(); return ended; } };
}
