// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A package is made with little effort first. More effort follows where it decides, then for packages that devices take, then in idle
// time. More effort never disturbs a device.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { firmwareImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { buildDir, startServer, stopsBuildDir } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

const seed = 4101;
const size = 60_000;
const efforts = ['quick', 'good', 'best'];
let dir, sizes, smallest;

// The package size at each effort for the images of these scenes.
before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dfota-effort-'));
    const [old, next, out] = ['old', 'new', 'out'].map((name) => join(dir, name));
    await writeFile(old, firmwareImage({ seed, size, revision: 0 }));
    await writeFile(next, firmwareImage({ seed, size, revision: 1 }));
    sizes = Object.fromEntries(efforts.map((effort) => {
        execFileSync(join(buildDir, 'dfota'), ['diff', '--effort', effort, old, next, out]);
        return [effort, statSync(out).size];
    }));
    smallest = Math.min(...Object.values(sizes));
    assert.ok(smallest < sizes.quick, `these images show nothing: ${JSON.stringify(sizes)}`);
});
after(() => rm(dir, { recursive: true, force: true }));

const build = (server, options = {}) => Scene.build(server, { seed, size, ...options });
// Reads only the first bytes of the package. (The kernel takes such a small package whole.)
function beginning(module) {
    const request = buildRequest(module.target, { host: module.address.host, rangeLine: 'Range: bytes=0-999' });
    return exchange({ address: module.address, segments: [request] });
}

const tried = (server) => server.log('package-tried').map(({ effort }) => effort);

async function allTried(server, most = ['good', 'best']) {
    await poll('all efforts are tried', () => tried(server).join() === most.join());
}

// The server has exactly these files.
function holds(server, files) {
    const top = join(server.dataDir, 'blobs');
    const kept = readdirSync(top).flatMap((folder) => readdirSync(join(top, folder))).sort();
    return kept.join() === files.map(sha256).sort().join();
}

describe('a package that fits', () => {
    test('is ready after little effort, and is replaced by smaller ones', async (t) => {
        const server = await startServer(t, { config: { idle_effort: 'best' } });
        const scene = await build(server);
        await scene.makePackage();
        assert.equal(Number((await server.logged('package-ready'))[0].size), sizes.quick);
        await allTried(server);
        const made = await poll('the smallest is in its place', async () => {
            const now = await scene.package();
            return now.size === smallest && now;
        });
        assert.deepEqual([made.state, made.proven, made.improving], ['ready', true, false]);
        assert.equal(sizes[made.effort], smallest);
        const content = await scene.content();
        assert.equal(sha256(content), made.sha256);
        await poll('what was replaced is gone', () => holds(server, [...scene.images.values(), content]));
        const replaced = await server.logged('package-replaced');
        assert.deepEqual([Number(replaced[0].was), Number(replaced.at(-1).size)], [sizes.quick, smallest]);
        const module = scene.module();
        assert.equal((await module.ask()).body.length, smallest);
    });

    test('gets as much effort as idle_effort says, and no more', async (t) => {
        for (const [effort, expected] of [['none', []], ['good', ['good']]]) {
            const server = await startServer(t, { config: { idle_effort: effort } });
            const scene = await build(server);
            await scene.makePackage();
            await allTried(server, expected);
            // The next request is served first, so nothing was left to do when its package is made.
            await (await Scene.build(server)).makePackage();
            assert.deepEqual(tried(server).slice(0, expected.length), expected);
            assert.equal((await scene.package()).size, sizes[effort === 'none' ? 'quick' : effort]);
        }
    });

    test('keeps its bytes while a transfer is pinned to it, and after a device has them', async (t) => {
        const server = await startServer(t);
        const scene = await build(server);
        const quick = await scene.makePackage();
        const module = scene.module();
        const { body: have } = await beginning(module);
        await poll('what it has is on record', async () => (await scene.record(module)).attempts[0].state === 'interrupted');

        await server.restart({ config: { idle_effort: 'best' } });
        await allTried(server);
        const held = await scene.package();
        assert.deepEqual([held.sha256, held.size, held.effort], [quick.sha256, sizes.quick, 'quick']);
        await server.restart({ hard: true });
        assert.equal((await scene.package()).sha256, quick.sha256);

        module.address = server.device; // another port since the restart
        const rest = await module.ask({ range: have.length });
        assert.equal(rest.status, 206);
        assert.equal(sha256(Buffer.concat([have, rest.body])), quick.sha256);
        await scene.awaitAttempt(module, 'delivered');
        await server.restart({ hard: true });
        assert.equal((await scene.package()).sha256, quick.sha256, 'bytes that a device has stay');
        assert.equal(server.log('blobs-removed').length, 0, 'nothing was lost or left');
        assert.equal(sha256(await scene.content()), quick.sha256);
    });

    test('gets smaller bytes once an unfinished download is given up', async (t) => {
        const server = await startServer(t, { config: { pin_idle_ms: 1 } });
        const scene = await build(server);
        await scene.makePackage();
        const module = scene.module();
        await beginning(module);
        await poll('what it has is on record', async () => (await scene.record(module)).attempts[0].state === 'interrupted');
        await server.restart({ config: { idle_effort: 'best', pin_idle_ms: 1 } });
        await poll('the smallest takes its place', async () => (await scene.package()).size === smallest);
        const other = scene.module();
        assert.equal((await other.ask()).body.length, smallest);
        await server.restart({ hard: true });
        assert.equal(sha256(await scene.content()), (await scene.package()).sha256);
    });

    test('is replaced when a begun download was idle for too long', async (t) => {
        const server = await startServer(t, { config: { pin_idle_ms: 1 } });
        const scene = await build(server);
        await scene.makePackage();
        const module = scene.module();
        const { body: have } = await beginning(module);
        await poll('what it has is on record', async () => (await scene.record(module)).attempts[0].state === 'interrupted');
        await server.restart({ config: { ...server.config, idle_effort: 'best' } });
        await poll('the smallest takes its place', async () => (await scene.package()).size === smallest);
        module.address = server.device;
        assert.equal((await module.ask({ range: have.length })).status, 416);
    });
});

describe('a package over the limit', () => {
    test('that more effort can bring below it: the device waits, and gets the smaller package', async (t) => {
        const server = await startServer(t);
        const scene = await build(server, { limit: smallest });
        const module = scene.module();
        let answer;
        await poll('it is sent', async () => {
            answer = await module.ask();
            assert.ok(answer.status === 200 || answer.code === 43, JSON.stringify(answer));
            return answer.status === 200;
        });
        assert.equal(answer.body.length, smallest);
        assert.equal(Number((await server.logged('package-ready'))[0].size), sizes.quick);
        const { attempts } = await scene.record(module);
        assert.equal(attempts.length, 1, 'it waited and was served in one attempt');
    });

    test('that no effort brings below it is refused, but only after all efforts were tried', async (t) => {
        const server = await startServer(t);
        const scene = await build(server, { limit: smallest - 1 });
        const module = scene.module();
        await poll('it is refused', async () => {
            const { code } = await module.ask();
            assert.ok(code === 43 || code === 21);
            return code === 21;
        });
        const made = await scene.package();
        assert.deepEqual([made.state, made.size], ['oversize', smallest]);
        await allTried(server);
        await poll('nothing more is tried', async () => !(await scene.package()).improving);
    });

    test('by far is refused at once', async (t) => {
        const server = await startServer(t);
        const scene = await build(server, { limit: Math.floor(sizes.quick / 2) });
        const made = await server.makePackage(scene.product, scene.firmware, ...scene.versions);
        assert.deepEqual([made.state, made.improving], ['oversize', false]);
        assert.equal((await scene.module().ask()).code, 21);
        assert.deepEqual(tried(server), []);
        await scene.set({ max_package_bytes: smallest });
        await poll('another limit brings it within reach', async () => (await scene.package()).state === 'ready');
    });
});

test('a job with more effort is cancelled for a package that a device waits for', async (t) => {
    const server = await startServer(t, { config: { idle_effort: 'best', jobs: 1 } });
    const large = await Scene.build(server, { size: 1_500_000, format: 'ec618-csdk' });
    await large.makePackage();
    await poll('it is tried harder', async () => (await large.package()).improving);
    const small = await build(server);
    assert.equal((await small.module().ask()).code, 43);
    await poll('the small one is made', async () => (await small.package()).state === 'ready');
    assert.match((await server.logged('package-tried'))[0].reason, /a higher-priority job waits/);
    assert.equal((await large.package()).state, 'ready');
});

describe('a server that is killed while it tries more effort', () => {
    for (const [where, stop] of [['before it began', 'job-improves'], ['with the smaller one written', 'package-written:2'],
        ['with the smaller one published', 'package-published:2']])
        test(where, { skip: !stopsBuildDir && 'no build with stop points' }, async (t) => {
            const server = await startServer(t, { build: stopsBuildDir, config: { idle_effort: 'good', jobs: 1 } });
            const scene = await build(server);
            server.env = { DFOTA_STOP: stop };
            await server.restart();
            const quick = await scene.makePackage();
            await poll('it is held', () => server.log('stopped-at').length > 0);
            assert.equal((await scene.content()).length, sizes.quick, 'the package is there meanwhile');
            assert.equal((await scene.package()).improving, true);
            server.env = {};
            await server.restart({ hard: true });
            const there = await scene.package();
            assert.equal(there.state, 'ready');
            assert.equal(there.crashes, 0);
            assert.ok(there.sha256 === quick.sha256 || there.size < quick.size);
            await poll('it is tried again', async () => (await scene.package()).size === sizes.good);
            const content = await scene.content();
            await poll('nothing is left over', () => holds(server, [...scene.images.values(), content]));
        });
});
