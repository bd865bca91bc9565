// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Full packages of CSDK on the server: only where an admin allows them, only where no path of deltas leads, and what a device
// gets is its whole new firmware.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binpkg, firmwareImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const judge = join(dirname(fileURLToPath(import.meta.url)), '..', 'ec618', 'full.py');
const cp = firmwareImage({ seed: 619, size: 20_000 });
const release = (revision, seed) => binpkg({ ap: firmwareImage({ seed, size: 60_000, revision }), cp });

let server, dir, seeds = 700;
before(async () => {
    server = await startServer(null, { keep: true });
    dir = await mkdtemp(join(tmpdir(), 'dfota-csdk-'));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

// Images 1001 and 1002 in format ec618-csdk, with 1002 as the target.
async function csdk({ full = 'allowed', format = 'ec618-csdk', limit = null, on = server } = {}) {
    const scene = await Scene.build(on, { versions: [], target: null });
    const seed = seeds += 1;
    for (const [version, revision] of [['1001', 0], ['1002', 1]]) {
        scene.images.set(version, release(revision, seed));
        await scene.upload(version);
    }
    await scene.set({ format, ...(full && { full_packages: full }), ...(limit && { max_package_bytes: limit }) });
    await scene.setTarget('1002');
    return scene;
}

const path = async (scene, from, to = '1002') => (await scene.server.admin('GET', scene.path(`/paths?from=${from}&to=${to}`), null, { expect: 200 })).json;
const matrix = async (scene) => (await scene.server.admin('GET', scene.path('/matrix'), null, { expect: 200 })).json;

const stateOf = async (scene) => (await matrix(scene)).full_packages.find((item) => item.to === '1002').state;

// Asks until the package is made.
const served = (module) => poll('the package is served', async () => {
    const answer = await module.ask();
    return answer.status === 200 && answer;
}, { timeout_ms: 20_000 });

async function judgeBytes(bytes, version, scene) {
    const [file, image] = [join(dir, 'package'), join(dir, 'image')];
    await writeFile(file, bytes);
    await writeFile(image, scene.images.get(version));
    execFileSync('python3', [judge, file, image]);
}

describe('full packages of CSDK', () => {
    test('a device whose version has no image gets one, runs it, and confirms', async () => {
        const scene = await csdk();
        const module = scene.module({ version: '0900' });
        const { body } = await served(module);
        await judgeBytes(body, '1002', scene);
        const attempt = await scene.awaitAttempt(module, 'delivered');
        assert.deepEqual([attempt.from, attempt.to, attempt.format], ['900', '1002', 'full']);
        assert.match((await scene.record(module)).last_answer.reason, /the full package 900→1002 of \d+ bytes is sent: the device needs no base image/);
        module.version = '1002';
        assert.equal((await module.ask()).code, 27);
        assert.equal((await scene.record(module)).attempts[0].state, 'confirmed');
    });

    test('a delta is preferred, and the path says what the full package costs', async () => {
        const scene = await csdk();
        const delta = await scene.makePackage('1001', '1002');
        await served(scene.module({ version: '0900' }));
        const module = scene.module({ version: '1001' });
        const { body } = await served(module);
        assert.equal(body.length, delta.size);
        const { full, size, hops } = await path(scene, '1001');
        assert.deepEqual([size, hops.length], [delta.size, 1]);
        assert.deepEqual(full, { state: 'ready', size: full.size, limit: 1507328, used: false, more_bytes: full.size - delta.size, deltas: { state: 'path', hops, size } });
        assert.ok(full.size > delta.size);
        const unknown = await path(scene, '900');
        assert.deepEqual([unknown.size, unknown.full], [full.size, { ...full, used: true, more_bytes: null, deltas: { state: 'none', hops: [], size: null } }]);
        assert.deepEqual([hops[0].full, unknown.hops[0].full], [false, true]);
        assert.deepEqual((await matrix(scene)).full_packages, [{ to: '1002', to_variant: null, state: 'ready', size: full.size }]);
        const { items } = (await server.admin('GET', scene.path('/packages'), null, { expect: 200 })).json;
        const { from, to, format, state, size: bytes, counted, proven } = items.find((item) => item.format === 'full');
        assert.deepEqual([from, to, format, state, bytes, counted, proven], ['any', '1002', 'full', 'ready', full.size, full.size, true]);
    });

    test('preferred: the full package goes before a delta that is there', async () => {
        const scene = await csdk({ full: 'preferred' });
        const delta = await scene.makePackage('1001', '1002');
        const module = scene.module({ version: '1001' });
        const { body } = await served(module);
        await judgeBytes(body, '1002', scene);
        const { full, hops } = await path(scene, '1001');
        assert.deepEqual([full.used, full.more_bytes, hops.length, hops[0].full], [true, full.size - delta.size, 1, true]);
        assert.deepEqual([full.deltas.state, full.deltas.size], ['path', delta.size]);
    });

    test('preferred: what cannot be a full package goes as a delta', async () => {
        const other = await Scene.build(server, { versions: [], target: null });
        for (const [version, revision] of [['1002', 0], ['1003', 1]]) {
            other.images.set(version, firmwareImage({ seed: 711, size: 60_000, revision })); // raw: no CP
            await other.upload(version);
        }
        await other.set({ format: 'ec618-csdk', full_packages: 'preferred' });
        await other.setTarget('1003');
        const { body } = await served(other.module({ version: '1002' }));
        assert.ok(body.length < 10_000);
        const { full, hops } = await path(other, '1002', '1003');
        assert.deepEqual([full.state, full.used, hops.length], ['failed', false, 1]);
    });

    test('records say "any" where a delta has its base', async () => {
        const scene = await csdk();
        await served(scene.module({ version: '0900' }));
        const { json } = await server.admin('GET', '/ledger?limit=1000', null, { expect: 200 });
        const hash = sha256(scene.images.get('1002'));
        const made = json.items.find(({ kind, detail }) => kind === 'package-made' && detail.to_sha256 === hash);
        assert.deepEqual([made.detail.format, made.detail.from_sha256], ['full', 'any']);
        const line = await poll('the log line', async () => server.log('package-ready').find((one) => one.to === hash));
        assert.equal(line.from, 'any');
    });

    test('a damaged full package is never sent', async (t) => {
        // A dfota whose "full" is hit by one wrong bit after it was checked.
        const worker = join(dir, 'worker');
        await writeFile(worker, `#!/bin/sh
real='${join(buildDir, 'dfota')}'
[ "$1" = full ] || exec "$real" "$@"
"$real" "$@" || exit
for last; do :; done
printf x | dd of="$last" bs=1 seek=15000 conv=notrunc 2>/dev/null
`, { mode: 0o755 });
        const own = await startServer(t, { config: { dfota_path: worker } });
        const scene = await csdk({ on: own });
        const module = scene.module({ version: '0900' });
        await module.ask();
        const failed = await poll('the job fails', async () => (await matrix(scene)).full_packages.find(({ state }) => state === 'failed'));
        assert.equal(failed.size, null);
        await poll('nothing leads to 1002', async () => (await module.ask()).code === 44); // the way over 1001 fails too
        assert.match(JSON.stringify((await path(scene, '900')).excluded), /could not be made/);
    });

    test('no delta fits: the full package takes its place, although it is over the limit of deltas', async () => {
        const scene = await csdk({ limit: 200 });
        const module = scene.module({ version: '1001' });
        const { body } = await served(module);
        assert.ok(body.length > 200);
        await judgeBytes(body, '1002', scene);
    });

    test('they are off by default, and stop when they are switched off', async () => {
        const scene = await csdk({ full: false });
        const shown = await server.firmware(scene.product, scene.firmware);
        assert.equal(shown.full_packages, 'off');
        const module = scene.module({ version: '0900' });
        assert.equal((await module.ask()).code, 44);
        assert.equal((await path(scene, '900')).full, null);
        await scene.set({ full_packages: 'allowed' });
        await served(module);
        await scene.set({ full_packages: null });
        assert.equal((await module.ask()).code, 44);
        assert.equal((await module.ask({ headers: ['Range: bytes=10-'] })).code, 44, 'nothing of it is sent again');
        assert.deepEqual((await matrix(scene)).full_packages, []);
    });

    test('they are refused for other formats', async () => {
        for (const format of ['ec618-luatos', 'ec618-at', 'bsdiff', null]) {
            const scene = await csdk({ full: false, format });
            const answer = await server.admin('PATCH', scene.path(), { full_packages: 'allowed' });
            assertProblem(answer, 422, 'invalid', /only devices with CSDK firmware can take full packages: full_packages needs the format ec618-csdk/);
        }
        const scene = await csdk();
        assertProblem(await server.admin('PATCH', scene.path(), { format: 'ec618-luatos' }), 422, 'invalid', /full_packages needs/);
        assertProblem(await server.admin('PATCH', scene.path(), { full_packages: 'yes' }), 422, 'invalid', /off, allowed or preferred/);
        await scene.set({ format: 'ec618-luatos', full_packages: 'off' });
    });

    test('one device tries it first, and its failure takes it out of service', async () => {
        const scene = await csdk();
        await scene.set({ quarantine_after: 1 });
        const [first, second] = [scene.module({ version: '0900' }), scene.module({ version: '0901' })];
        await served(first);
        await scene.awaitAttempt(first, 'delivered');
        assert.equal((await second.ask()).code, 27, 'the other waits');
        await first.ask();
        assert.equal((await scene.record(first)).attempts.at(-1).state, 'not_applied');
        assert.notEqual((await second.ask()).status, 200);
        assert.equal(await stateOf(scene), 'quarantined');
        await server.admin('DELETE', scene.path('/images/1002/quarantine'), null, { expect: [200, 204] });
        assert.equal(await stateOf(scene), 'ready');
    });

    test('a full package that is uploaded as an image or a delta is refused', async () => {
        const scene = await csdk({ format: 'ec618-luatos', full: false });
        const [image, full] = [join(dir, 'image'), join(dir, 'full')];
        await writeFile(image, scene.images.get('1002'));
        execFileSync(join(buildDir, 'dfota'), ['full', image, full]);
        const bytes = await readFile(full);
        assertProblem(await server.admin('PUT', scene.path('/images/1003'), bytes), 422, 'not-an-image', /a full package of CSDK/);
        assertProblem(await server.admin('PUT', scene.path('/packages/1001/1002?by=Ann'), bytes), 422, 'not-a-package', /full package/);
    });
});
