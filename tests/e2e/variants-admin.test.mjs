// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Several builds of one version, as an admin sees them: deleted, withdrawn, counted, and named in what waits.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Receiver, create } from './lib/receiver.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const size = 16_000;
let seeds = 19_000;
const other = () => firmwareImage({ seed: (seeds += 1), size });
const image = (scene, version, variant) => scene.path(`/images/${version}${variant === undefined ? '' : `?variant=${variant}`}`);
const put = (scene, version, variant, bytes) => server.admin('PUT', image(scene, version, variant), bytes, { expect: 201 });
const change = (scene, version, variant, body, options = { expect: 200 }) => server.admin('PATCH', image(scene, version, variant), body, options);
const remove = (scene, version, variant, options = {}) => server.admin('DELETE', image(scene, version, variant), null, options);
const makeDefault = (scene, version, variant, value = true) => change(scene, version, variant, { default: value });
const nameBuild = (scene, module, variant) => server.admin('PATCH', scene.deviceAdminPath(module), { variant }, { expect: 200 });
const reasonOf = async (scene, module) => (await scene.record(module)).last_answer;
const things = async (scene, kind) => (await server.admin('GET', '/overview', null, { expect: 200 })).json.next
    .filter((thing) => thing.product === scene.product && (!kind || thing.kind === kind));

// Two builds of version 1: '' and full. Returns the bytes of full.
async function twoBases(options = {}) {
    const scene = await Scene.build(server, { versions: ['1', '2'], ...options });
    const full = other();
    await put(scene, '1', 'full', full);
    return { scene, full };
}

// A module of version 1 that runs one of the builds, and whose version is confirmed.
async function moduleOf(scene, bytes, variant) {
    const module = Object.assign(scene.module({ version: '1' }), { image: bytes });
    await module.ask();
    if (variant !== undefined)
        await nameBuild(scene, module, variant);
    return module;
}

describe('a build is deleted', () => {
    test('when no device is known to run it, and none may run it', async () => {
        const { scene, full } = await twoBases();
        await moduleOf(scene, full, 'full');
        const inUse = await remove(scene, '1', 'full');
        assertProblem(inUse, 409, 'image-in-use');
        assert.equal(inUse.json.detail, 'version 1 (full) is in use: one device runs it');
        await remove(scene, '1', '', { expect: 204 });
        assert.deepEqual((await server.admin('GET', scene.path('/images'), null, { expect: 200 })).json.items.map((one) => [one.version, one.variant]),
            [['1', 'full'], ['2', null]]);
    });

    test('not while a device may run it: the default takes such devices', async () => {
        const { scene } = await twoBases();
        await moduleOf(scene, scene.images.get('1'));
        for (const variant of ['', 'full']) {
            const inUse = await remove(scene, '1', variant);
            assertProblem(inUse, 409, 'image-in-use');
            assert.match(inUse.json.detail, /one device may run it, because its build is not known\. If they run another build, make that one the default first$/);
        }
        await makeDefault(scene, '1', '');
        assertProblem(await remove(scene, '1', ''), 409, 'image-in-use');
        await remove(scene, '1', 'full', { expect: 204 });
        assert.match((await remove(scene, '1')).json.detail, /version 1 is in use: one device runs it/);
    });

    test('of the target: the default, or any build while there is none', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '2', 'full', other());
        assert.match((await remove(scene, '2', 'full')).json.detail, /^version 2 \(full\) is in use: it is the target$/);
        await makeDefault(scene, '2', '');
        assert.match((await remove(scene, '2', '')).json.detail, /it is the target/);
        await remove(scene, '2', 'full', { expect: 204 });
    });

    test('not while a device gets a package from it', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const module = scene.module();
        assert.equal((await module.ask({ cutAfter: 20_000 })).status, 200);
        await scene.awaitAttempt(module, 'interrupted');
        await put(scene, '1001', 'full', other());
        await makeDefault(scene, '1001', 'full');
        assert.match((await remove(scene, '1001', '')).json.detail, /one gets a package from it/);
    });

    test('and a device that runs it gets nothing made from the build that is left', async () => {
        const { scene, full } = await twoBases({ target: null });
        const module = await moduleOf(scene, full, 'full');
        const retire = (what) => server.admin('POST', scene.deviceAdminPath(module, `/${what}`), null, { expect: 200 });
        await retire('retire');
        await remove(scene, '1', 'full', { expect: 204 });
        await retire('restore');
        await scene.setTarget('2');
        await scene.makePackage();
        assert.equal((await module.ask()).code, 44);
        const { reason, reason_code: code } = await reasonOf(scene, module);
        assert.match(reason, /the build of 1 that the device runs is not on the server any more/);
        if (code !== undefined)
            assert.equal(code, 'build-missing');
        await put(scene, '1', 'back', full);
        await module.upgrade();
        assert.equal(module.version, '2');
    });
});

describe('a change names the build', () => {
    test('also beside a default', async () => {
        const { scene } = await twoBases();
        await makeDefault(scene, '1', '');
        for (const answer of [await change(scene, '1', undefined, { withdrawn: true, reason: 'bad' }, {}), await remove(scene, '1'),
            await change(scene, '1', undefined, { waypoint: 'forbidden' }, {}), await server.admin('PUT', scene.path('/images/1/about'), { purpose: 'feature' })]) {
            assertProblem(answer, 409, 'several-builds');
            assert.match(answer.json.detail, /^version 1 has several builds \(variants '' \(none\), full\): name the one to change with variant$/);
        }
        await change(scene, '1', 'full', { waypoint: 'forbidden' });
        assert.equal((await server.admin('GET', image(scene, '1', ''), null, { expect: 200 })).json.waypoint, 'allowed');
    });

    test('If-Match is about that build, and about the build that an admin named of a device', async () => {
        const { scene, full } = await twoBases();
        const tag = async (path) => (await server.admin('GET', path, null, { expect: 200 })).headers.etag;
        const before = await tag(image(scene, '1', 'full'));
        await change(scene, '1', '', { waypoint: 'forbidden' });
        await change(scene, '1', 'full', { default: true }, { expect: 200, headers: { 'If-Match': before } });
        await makeDefault(scene, '1', '');
        const stale = await tag(image(scene, '1', 'full'));
        await makeDefault(scene, '1', 'full');
        assertProblem(await change(scene, '1', 'full', { default: false }, { headers: { 'If-Match': stale } }), 412, 'precondition-failed');
        const module = await moduleOf(scene, full);
        const device = await tag(`/api/v1${scene.deviceAdminPath(module)}`);
        await nameBuild(scene, module, 'full');
        assertProblem(await server.admin('PATCH', scene.deviceAdminPath(module), { note: 'x' }, { headers: { 'If-Match': device } }), 412, 'precondition-failed');
    });
});

describe('a withdrawn build', () => {
    test('is not served, also to a device that has begun, while the other build is', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        const module = scene.module();
        await scene.makePackage();
        assert.equal((await module.ask({ cutAfter: 20_000 })).status, 200);
        await scene.awaitAttempt(module, 'interrupted');
        await put(scene, '1002', 'full', noiseImage({ seed: (seeds += 1), size: 1_500_000 }));
        await makeDefault(scene, '1002', 'full');
        assert.equal((await module.ask({ range: 10_000, cutAfter: 20_000 })).status, 206);
        await scene.awaitAttempt(module, 'interrupted');
        await change(scene, '1002', '', { withdrawn: true, reason: 'bad' });
        assert.equal((await server.firmware(scene.product, scene.firmware)).target, '1002', 'it stays the target');
        assert.notEqual((await module.ask({ range: 10_000, cutAfter: 20_000 })).status, 206);
    });

    test('ends the target when it is the default, or the last one', async () => {
        for (const isDefault of [true, false]) {
            const scene = await Scene.build(server, { versions: ['1', '2'] });
            await put(scene, '2', 'full', other());
            const target = async () => (await server.firmware(scene.product, scene.firmware)).target;
            if (isDefault)
                await makeDefault(scene, '2', '');
            else
                await change(scene, '2', 'full', { withdrawn: true, reason: 'bad' });
            assert.equal(await target(), '2');
            await change(scene, '2', '', { withdrawn: true, reason: 'bad' });
            assert.equal(await target(), null);
            if (!isDefault)
                assertProblem(await server.admin('PUT', scene.path('/target'), { version: '2' }), 409, 'image-withdrawn');
        }
    });
});

describe('the overview', () => {
    test('says which version needs a default, with the devices that wait', async () => {
        const { scene, full } = await twoBases();
        for (const variant of [undefined, undefined, 'full'])
            await moduleOf(scene, full, variant);
        const [thing, ...rest] = await things(scene, 'several-builds');
        assert.deepEqual([thing.version, thing.count, thing.action.do, rest], ['1', 2, 'name-build', []]);
        assert.match(thing.text, /^devices that wait: 2\. V1 has several builds/);
        await makeDefault(scene, '1', 'full');
        assert.deepEqual(await things(scene), []);
    });

    test('says that the target needs a default', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '2', 'full', other());
        const module = scene.module();
        assert.notEqual((await module.ask()).status, 200);
        const [thing] = await things(scene, 'several-builds');
        assert.deepEqual([thing.version, thing.count], ['2', 1]);
        await makeDefault(scene, '2', 'full');
        assert.deepEqual(await things(scene, 'several-builds'), []);
    });

    test('counts no device and no byte twice', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const module = scene.module();
        await module.upgrade();
        assert.equal((await module.ask()).code, 27);
        const { product } = scene;
        const token = (await server.admin('POST', '/tokens', { name: `of ${product}`, scope: 'read', product }, { expect: 201 })).json.secret;
        const bytes = async () => (await server.admin('GET', '/overview', null, { token, expect: 200 })).json.bytes;
        const before = await bytes();
        assert.equal(before.full, size);
        await put(scene, '2', 'full', noiseImage({ seed: (seeds += 1), size: 2 * size }));
        assert.deepEqual(await bytes(), before);
    });

    test('counts a device whose package is too large once', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], kind: 'noise' });
        await put(scene, '1', 'full', noiseImage({ seed: (seeds += 1), size }));
        await put(scene, '2', 'full', noiseImage({ seed: (seeds += 1), size }));
        await makeDefault(scene, '1', '');
        await makeDefault(scene, '2', '');
        await scene.makePackage();
        await server.admin('POST', scene.path('/packages/1/2?from_variant=full&to_variant=full'), null, { expect: [200, 202] });
        await scene.set({ max_package_bytes: 1000 });
        await scene.module().ask();
        const [thing] = await poll('the package is too large', async () => {
            const list = await things(scene, 'oversize');
            return list.length && list;
        });
        assert.deepEqual([thing.from, thing.to, thing.count], ['1', '2', 1]);
    });
});

describe('a target', () => {
    test('says which build it leads to, and what devices of each build get', async () => {
        const { scene, full } = await twoBases();
        for (const variant of [undefined, 'full', 'full'])
            await moduleOf(scene, full, variant);
        const campaign = async (body) => (await server.admin('POST', scene.path('/campaigns'), { name: `c${seeds += 1}`, target: '2', ...body }, { expect: 201 })).json.campaign;
        const audiences = [async () => (await server.admin('PUT', `${scene.path('/target')}?dry_run=1`, { version: '2' }, { expect: 200 })).json];
        for (const body of [{ frozen: false }, { frozen: true }]) {
            const id = await campaign({ ...body, filter: 'version >= 1' });
            audiences.push(async () => (await server.admin('POST', scene.path(`/campaigns/${id}/start?dry_run=1`), null, { expect: 200 })).json);
        }
        for (const ask of audiences) {
            const effect = await ask();
            assert.deepEqual([effect.target_build.variant, effect.devices], [null, 3]);
            assert.deepEqual(effect.groups.map((group) => [group.version, group.build_sha256, group.devices, group.effect === 'unreachable', group.reason_code]),
                [['1', sha256(full), 2, false, effect.groups[0].reason_code], ['1', null, 1, true, 'no-path']]);
        }
        await put(scene, '2', 'full', other());
        assert.equal((await audiences[0]()).target_build, null);
        await makeDefault(scene, '2', 'full');
        assert.equal((await audiences[0]()).target_build.variant, 'full');
    });

    test('has a path for devices of a known build only: outcomes', async () => {
        const { scene, full } = await twoBases({ format: 'bsdiff' });
        await server.admin('DELETE', scene.path('/target'), null, { expect: 204 });
        const modules = [];
        for (const variant of [undefined, 'full', 'full', ''])
            modules.push(await moduleOf(scene, full, variant));
        const outcomes = async (query = '') => (await server.admin('GET', scene.path(`/outcomes?target=2${query}`), null, { expect: 200 })).json;
        assert.deepEqual((await outcomes()).counts, { not_begun: 3, unreachable: 1 });
        const { items } = await outcomes('&state=unreachable');
        assert.deepEqual(items.map((item) => item.device), [modules[0].id]);
        assert.equal((await outcomes('&state=not_begun')).items.length, 3);
        await makeDefault(scene, '1', 'full');
        assert.deepEqual((await outcomes()).counts, { not_begun: 4 });
    });

    test('is explained with the build that the next package leads to', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '2', 'full', other());
        await makeDefault(scene, '2', 'full');
        const module = scene.module();
        await module.ask();
        const explain = (await server.admin('GET', `/api/v1/products/${scene.product}/explain?device=imei:${module.id}`, null, { expect: 200 })).json;
        assert.deepEqual([explain.next_build.version, explain.next_build.variant, explain.next_build.default], ['2', 'full', true]);
    });
});

test('a link asks for the package from the build of the device', async () => {
    const { scene, full } = await twoBases({ target: null });
    const module = await moduleOf(scene, full, 'full');
    await scene.setTarget('2');
    await scene.createLink(module);
    const made = (variant) => server.admin('GET', scene.path(`/packages/1/2?from_variant=${variant}`), null, { expect: 200 });
    await poll('the package is ready', async () => (await made('full')).json.state === 'ready');
});

test('package-ready comes for the package from the build of the device', async (t) => {
    const own = await startServer(t);
    const receiver = await Receiver.start(t);
    await create(own, receiver, { kinds: ['package-ready'] });
    const scene = await Scene.build(own, { versions: ['1', '2'], target: null });
    const full = other();
    const modules = [scene.module(), Object.assign(scene.module(), { image: full })];
    for (const module of modules)
        await module.ask();
    await own.admin('PUT', scene.path('/images/1?variant=full'), full, { expect: 201 });
    await own.admin('PATCH', scene.deviceAdminPath(modules[1]), { variant: 'full' }, { expect: 200 });
    await scene.setTarget('2');
    assert.equal((await modules[1].ask()).code, 43);
    assert.equal((await modules[0].ask()).code, 44);
    const [ready] = await receiver.took(1);
    assert.equal(ready.json.device, `imei:${modules[1].id}`);
    await modules[1].upgrade();
    assert.equal(receiver.events.length, 1);
});
