// Full disks, disks that nobody may write to, and disks that fail: what was answered stays, what could not be done is
// said to be so, and once the disk works again so does the server, without a restart.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Faults } from './lib/faults.mjs';
import { noiseImage, random } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, adminExchange, assertProblem, findBySum, listFiles } from './lib/scene.mjs';
import { Server, buildDir, startServer } from './lib/server.mjs';

test('disks of our own can be made, where the tests must be complete', { skip: process.env.CI ? false : noMounts }, () => {
    assert.equal(noMounts, false);
});

const needsDisk = { skip: noMounts };

// A server whose data are on a disk; `reserve` is what it has to keep free there.
async function startOn(t, disk, { reserve = 0, config = {}, wrapper = [] } = {}) {
    const server = serverOn(t, disk, { reserve, config, wrapper });
    await server.start();
    return server;
}

function serverOn(t, disk, { reserve = 0, config = {}, wrapper = [] } = {}) {
    const server = new Server(disk.dir, { disk_reserve_bytes: reserve, ...config }, wrapper, buildDir);
    t.after(() => server.dispose());
    return server;
}

const incoming = (server) => readdir(join(server.dataDir, 'incoming'));

// All that is not the database's: names of blobs and of what is on its way.
const files = async (server) => [...(await listFiles(server.dataDir)).keys()].filter((name) => /^(blobs|incoming)/.test(name)).sort();

// Every image of the scene is there and whole.
async function assertImages(scene, versions = scene.versions) {
    for (const version of versions) {
        const { body } = await scene.server.admin('GET', scene.path(`/images/${version}/content`), null, { expect: 200 });
        assert.equal(sha256(body), sha256(scene.images.get(version)));
    }
}

async function awaitPackage(scene, state) {
    return poll(`the package is ${state}`, async () => {
        const made = await scene.package();
        return made?.state === state ? made : null;
    });
}

describe('the disk is full for an upload:', needsDisk, () => {
    const at = (scene, version) => scene.path(`/images/${version}`);
    const image = noiseImage({ seed: 7001, size: 3 << 20 });

    test('what is announced and does not fit is refused at once', async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server);
        await disk.fill(1 << 20);
        const earlier = await files(server);
        const answer = await adminExchange(server, 'PUT', at(scene, '1003'), { lines: [`Content-Length: ${image.length}`] });
        assertProblem(answer, 507, 'no-space');
        assert.deepEqual(await files(server), earlier);
        await assertImages(scene);
        await disk.clear();
        await server.admin('PUT', at(scene, '1003'), image, { expect: 201 });
    });

    test('what is not announced ends when nothing more fits, and leaves nothing', async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server);
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

    test('somebody else fills the disk meanwhile', async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server);
        const earlier = await files(server);
        const socket = net.connect(server.adminAddress.port, server.adminAddress.host);
        socket.write(`PUT /api/v1${at(scene, '1003')} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${server.token}\r\n`
            + `Content-Length: ${image.length}\r\n\r\n`);
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
    test('at whatever step it happens, all is there or nothing', async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server);
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
                assert.deepEqual(await files(server), earlier);
            }
            assert.deepEqual(await incoming(server), []);
            await disk.clear(4096 * (answer.status === 201 ? 2 : 1));
        }
        assert.ok(statuses.has(507) && statuses.has(201), [...statuses].join());
        await disk.clear();
        await server.admin('PUT', at(scene, '3001'), image, { expect: 201 });
        await assertImages(scene);
    });

    test('what is to be kept in reserve is kept, and what fits beside it is taken', async (t) => {
        const disk = await Disk.make(t, { size: 32 << 20 });
        const server = await startOn(t, disk, { reserve: 8 << 20 });
        const scene = await Scene.build(server);
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
        // Nobody announced how much comes: it ends not far below.
        const whole = noiseImage({ seed: 4000, size: 20 << 20 });
        const chunk = Buffer.concat([Buffer.from(`${whole.length.toString(16)}\r\n`), whole, Buffer.from('\r\n0\r\n\r\n')]);
        const answer = await adminExchange(server, 'PUT', at(scene, '4000'), { lines: ['Transfer-Encoding: chunked'], more: [chunk] });
        assertProblem(answer, 507, 'no-space');
        // Small things still go: that is what the reserve is for.
        await scene.setTarget('4001');
        assert.equal((await scene.module().ask()).code, 43);
    });
});

describe('the disk is full while a package is made:', { ...needsDisk, concurrency: true }, () => {
    // So much is free that a job begins, and less than its package needs; or nothing at all.
    for (const [name, left] of Object.entries({ 'the package does not fit': 1_300_000, 'nothing fits': 0 })) {
        test(`${name}: it waits, and is made by itself when there is space`, async (t) => {
            const disk = await Disk.make(t, { size: 12 << 20 });
            const server = await startOn(t, disk);
            const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 5_000_000, target: null });
            const module = scene.module();
            // Known before, so that its check-ins need little.
            assert.equal((await module.ask()).code, 27);
            await disk.fill(left === 0 ? 200_000 : left);
            await scene.setTarget('1002');
            const answer = await module.ask();
            assert.equal(answer.code, 43, `${answer.status}`);
            await disk.fill(left === 0 ? 0 : Math.min(left, await disk.free()));
            await poll('a job was put back', () => server.log('package-put-back').length > 0 || server.log('job-not-claimed').length > 0);
            await poll('it was tried again', () => server.log('package-put-back').length + server.log('job-not-claimed').length > 1);
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

    test('a large one that does not fit does not hold up the small one behind it', async (t) => {
        const disk = await Disk.make(t, { size: 12 << 20 });
        const server = await startOn(t, disk, { config: { jobs: 1 } });
        const large = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 5_000_000 });
        const small = await Scene.build(server, { size: 16_000 });
        await disk.fill(1_400_000);
        assert.equal((await large.module().ask()).code, 43);
        await poll('it was put back', () => server.log('package-put-back').length > 0);
        await small.module().askUntilMade();
        await awaitPackage(small, 'ready');
        assert.notEqual((await large.package()).state, 'failed');
        await disk.clear();
        await awaitPackage(large, 'ready');
    });
});

// New modules ask, many at once, until `wanted` of them were told to come back: {told, known}.
async function askUntilFull(scene, wanted) {
    const told = [], known = [];
    while (told.length < wanted) {
        const modules = Array.from({ length: 10 }, () => scene.module());
        for (const [i, { status, code }] of (await Promise.all(modules.map((m) => m.ask()))).entries()) {
            assert.ok(code === 27 || (status === 503 && code === 503), `${status} ${code}`);
            (code === 27 ? known : told).push(modules[i]);
        }
        assert.ok(known.length < 5000, 'the disk does not get full');
    }
    return { told, known };
}

// The disk works again, the server was not started again.
async function assertGoesOn(scene, { told, known }) {
    for (const module of told)
        assert.equal(await scene.record(module), null, 'nothing is recorded of a check-in that failed');
    for (const module of known)
        assert.equal((await scene.record(module)).check_ins, 1);
    for (const module of [...told, ...known])
        assert.equal((await module.ask()).code, 27);
    for (const module of told)
        assert.equal((await scene.record(module)).check_ins, 1, 'what failed counts for nobody');
    for (const module of known)
        assert.equal((await scene.record(module)).check_ins, 2);
}

// What was answered is still so after a power cut.
async function assertSurvives(scene, modules) {
    await scene.server.restart({ hard: true });
    for (const module of modules)
        assert.equal((await scene.record(module))?.confirmed_version, '1001');
}

describe('the disk is full for check-ins:', needsDisk, () => {
    test('503, nothing half recorded, and the next one after it works again', async (t) => {
        const disk = await Disk.make(t);
        const server = await startOn(t, disk);
        const scene = await Scene.build(server, { target: null });
        const early = scene.module();
        assert.equal((await early.ask()).code, 27);
        await disk.fill();
        const asked = await askUntilFull(scene, 5);
        assert.equal((await early.ask()).code, 27, 'what changes nothing needs no space');
        assert.ok(server.log('check-in-failed').length >= 5);
        await disk.clear();
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [early, ...asked.told, ...asked.known]);
    });

    test('the write-ahead log grows until nothing fits, because somebody reads for long', async (t) => {
        const disk = await Disk.make(t, { size: 3 << 20 });
        const server = await startOn(t, disk);
        const scene = await Scene.build(server, { target: null });
        const reader = await holdReader(t, disk.dir);
        const asked = await askUntilFull(scene, 3);
        assert.ok((await listFiles(disk.dir)).get('dfota.db-wal') > 1 << 20);
        await reader.end();
        disk.remount(`size=${8 << 20}`);
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [...asked.told, ...asked.known]);
    });

    test('a delivery that ends while the disk is full is on record when there is space', async (t) => {
        const disk = await Disk.make(t, { size: 12 << 20 });
        const server = await startOn(t, disk);
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 5_000_000 });
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

// Somebody who reads the database and does not come to an end.
async function holdReader(t, dir) {
    const child = spawn('sqlite3', ['-readonly', join(dir, 'dfota.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'close');
    child.stdin.write('BEGIN; SELECT count(*) FROM device;\n');
    await once(child.stdout, 'data');
    return { end: () => { child.stdin.end(); return ended; } };
}

describe('nobody may write to the disk', () => {
    const all = (server) => `write,truncate,create,open,rename,unlink,mkdir EROFS 0 0 ${server.dataDir}/*`;

    test('for a while, while the server runs: it says so, and goes on by itself', async (t) => {
        const faults = new Faults();
        const server = await startServer(t, { wrapper: faults.wrapper });
        const scene = await Scene.build(server, { target: null });
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
        assert.match(server.log('check-in-failed').at(-1).error, /^database: .*: Read-only file system$/);
        assert.ok(server.log('admin-call-failed').length >= 3);
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

    test('while a package is made: it waits and is made by itself', async (t) => {
        const faults = new Faults();
        const server = await startServer(t, { wrapper: faults.wrapper });
        const scene = await Scene.build(server);
        // The database works, so that this is seen.
        faults.set(`create,rename,mkdir EROFS 0 0 ${server.dataDir}/*`);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        await poll('it was put back', () => server.log('package-put-back').length > 0);
        assert.match(server.log('package-put-back')[0].reason, /Read-only file system/);
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

// The server does not start; returns what it says.
async function assertRefuses(server, ...words) {
    const logged = server.logLines.length;
    await assert.rejects(server.start(), /ended before it listened/);
    const { code, signal } = await server.ended;
    assert.deepEqual({ code, signal }, { code: 1, signal: null });
    const said = server.logLines.slice(logged).join('\n');
    for (const word of words)
        assert.match(said, word);
    return said;
}

describe('at the start', () => {
    test('the data directory is made, but not what is above it', async (t) => {
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
        server.dataDir = join(server.dataDir, 'admin.token');
        await assertRefuses(server, /admin\.token.*Not a directory/);
    });

    test('a directory of somebody else is refused', needsDisk, async (t) => {
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

describe('a call that fails', () => {
    async function faulty(t, config = {}) {
        const faults = new Faults();
        const server = await startServer(t, { wrapper: faults.wrapper, config });
        return { faults, server };
    }

    test('anywhere in an upload: nothing is acknowledged, nothing is left, and the same upload works after it', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server);
        const places = ['create */incoming/*', 'write */incoming/*', 'fsync */incoming/*', 'mkdir */blobs/??', 'rename */blobs/*',
            'fsync */blobs', 'fsync */blobs/??', 'write */dfota.db-wal', 'fsync */dfota.db-wal'];
        const uploaded = new Map();
        let version = 5000;
        for (const error of ['EIO', 'ENOSPC', 'EROFS']) {
            for (const place of places) {
                const [call, pattern] = place.split(' ');
                const path = scene.path(`/images/${version += 1}`);
                const bytes = noiseImage({ seed: version, size: 50_000 });
                const earlier = await files(server);
                faults.set(`${call} ${error} 0 1 ${pattern}`);
                const answer = await server.admin('PUT', path, bytes);
                const hit = faults.hits().length === 1;
                assert.ok(hit || call === 'mkdir', `${place} did not fail`);
                if (hit) {
                    assert.ok(answer.status >= 500, `${place} ${error}: ${answer.status}`);
                    assertProblem(answer, answer.status, { 500: 'internal', 503: 'unavailable', 507: 'no-space' }[answer.status]);
                    assert.deepEqual(await files(server), earlier, `${place} ${error}`);
                    assertProblem(await server.admin('GET', path), 404, 'image-not-found');
                }
                faults.set();
                await server.admin('PUT', path, bytes, { expect: hit ? 201 : 200 });
                uploaded.set(path, sha256(bytes));
            }
        }
        await server.restart({ hard: true });
        for (const [path, sum] of uploaded)
            assert.equal(sha256((await server.admin('GET', `${path}/content`, null, { expect: 200 })).body), sum);
        await assertImages(scene);
    });

    test('each time the folder of a blob is synced: no upload of these bytes is acknowledged', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server);
        const bytes = noiseImage({ seed: 6001, size: 50_000 });
        faults.set('fsync EIO 0 0 */blobs/??');
        for (let i = 0; i < 3; i += 1)
            assertProblem(await server.admin('PUT', scene.path('/images/6001'), bytes), 500, 'internal');
        // Bytes that are there already: who is told so must be able to rely on it.
        assertProblem(await server.admin('PUT', scene.path('/images/6002'), scene.images.get('1001')), 500, 'internal');
        faults.set();
        await assertImages(scene);
        await server.admin('PUT', scene.path('/images/6001'), bytes, { expect: 201 });
    });

    test('when a package is published: it is made again, and not served before', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server, { target: null });
        faults.set('fsync EIO 0 1 */blobs/??', 'fsync EIO 0 1 */incoming/job-*');
        await scene.setTarget('1002');
        const module = scene.module();
        await module.upgrade();
        assert.equal(faults.hits().length, 2);
        assert.equal((await scene.package('1001', '1002')).crashes, 2);
        assert.equal(server.log('package-put-back').length, 2);
    });

    for (const call of ['write', 'fsync', 'write,fsync,truncate']) {
        for (const error of ['EIO', 'ENOSPC']) {
            test(`(${call}: ${error}) at any place of a commit: the device is told to come back, and nothing of it is kept`, async (t) => {
                const { faults, server } = await faulty(t);
                const scene = await Scene.build(server, { target: null });
                const told = [], known = [];
                // The next one each time, until there is none: then the whole check-in is through.
                for (let skip = 0; known.length < 3; skip += 1) {
                    const module = scene.module();
                    faults.set(`${call} ${error} ${skip} 2 */dfota.db-*`);
                    const answer = await module.ask();
                    const hit = faults.hits().length > 0;
                    faults.set();
                    assert.ok(answer.code === (hit ? 503 : 27), `${skip}: ${answer.status} ${answer.code}, ${faults.hits()}`);
                    (hit ? told : known).push(module);
                    assert.equal((await scene.record(module)) === null, hit);
                    assert.ok(skip < 100);
                }
                assert.ok(told.length > 0);
                await assertGoesOn(scene, { told, known });
                await assertSurvives(scene, [...told, ...known]);
            });
        }
    }

    test('at every commit, of many check-ins at once, for a while', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server, { target: null });
        faults.set('fsync EIO 3 9 */dfota.db-wal', 'write EIO 40 5 */dfota.db-wal');
        const asked = await askUntilFull(scene, 10);
        faults.set();
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [...asked.told, ...asked.known]);
    });

    test('after which it is killed: what could not be synced is no damage', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server, { target: null });
        const known = [];
        for (let i = 0; i < 5; i += 1) {
            faults.set('fsync EIO 0 1 */dfota.db-wal');
            await Promise.all(Array.from({ length: 10 - 2 * i }, () => scene.module().ask()));
            faults.set();
            known.push(scene.module());
            assert.equal((await known.at(-1).ask()).code, 27);
        }
        await assertSurvives(scene, known);
    });

    test('whenever the log is moved into the database: check-ins go on, and nothing is lost', async (t) => {
        const { faults, server } = await faulty(t);
        const scene = await Scene.build(server, { target: null });
        faults.set('write,fsync,truncate EIO 0 0 */dfota.db');
        const known = [];
        while (faults.hits().length < 3) {
            const modules = Array.from({ length: 20 }, () => scene.module());
            for (const answer of await Promise.all(modules.map((m) => m.ask())))
                assert.equal(answer.code, 27);
            known.push(...modules);
            assert.ok(known.length < 20_000, 'the log is never moved');
        }
        await assertSurvives(scene, known.slice(-50));
        faults.set();
        await server.restart();
        for (const module of known.slice(-50))
            assert.equal((await scene.record(module))?.confirmed_version, '1001');
    });
});

async function flipBit(file, at) {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 1 << at % 8;
    await handle.write(byte, 0, 1, at);
    await handle.close();
}

describe('a flipped bit', () => {
    test('in a package that is in memory already: what is sent is whole; after a start it is made again', async (t) => {
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
        assert.equal(server.log('blob-corrupt').length, 1);
        await second.upgrade();
        assert.equal(sha256(await scene.content()), made.sha256);
    });

    test('in an image: no package is made of it, and the same bytes repair it', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const damaged = scene.images.get('1002');
        await flipBit(await findBySum(server.dataDir, sha256(damaged)), 9000);
        const module = scene.module();
        assert.equal((await module.askUntilMade()).code, 21);
        const failed = await scene.package();
        assert.equal(failed.state, 'failed');
        assert.match(failed.error, /has SHA-256 .*, expected/);
        assert.equal(server.log('package-failed').length, 1);
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
        const modules = Array.from({ length: 60 }, () => scene.module({ version: '4' }));
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
            assert.ok(before[i] === null ? after[i] === null || after[i].length === 0 : before[i].equals(after[i]), `dfota.db${all[i]} was changed`);
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
        'a device in an index': (server) => pageOf(server, 'device_by_firmware') * 4096 - 3,
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

    test('wherever it is damaged, no file of an image is removed', async (t) => {
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

    test('what a power cut tore, behind all that was answered, is no damage', async (t) => {
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

    test('a log left beside a backup that was put back destroys nothing', async (t) => {
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

    test('what the refusal tells to do works', async (t) => {
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

    test('none, beside files of images: refused, because they would be nobody\'s', async (t) => {
        const { server, scene } = await furnished(t);
        await server.stop();
        const whole = await readAll(server);
        for (const harm of [() => rm(main(server)), () => writeFile(main(server), '')]) {
            await harm();
            await assertRefuses(server, /blobs, but no database .*dfota\.db: put it back/);
        }
        await writeAll(server, whole);
        await server.start();
        await assertImages(scene);
    });

    test('an older one put back: files that it does not know are kept, and taken again when they are uploaded again', async (t) => {
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
        assert.equal(server.log('blobs-unknown').at(-1).count, '3');
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
