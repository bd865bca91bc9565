// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Several builds of one version, told apart by their variant.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { sha256 } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const size = 16_000;
let seeds = 9000;
const other = () => noiseImage({ seed: (seeds += 1), size });
const put = (scene, version, variant, bytes, expect = 201) => server.admin('PUT', scene.path(`/images/${version}?variant=${variant}`), bytes, { expect });
const get = (scene, rest, expect = 200) => server.admin('GET', scene.path(rest), null, { expect });
const makeDefault = (scene, version, variant, value = true) =>
    server.admin('PATCH', scene.path(`/images/${version}?variant=${variant}`), { default: value }, { expect: 200 });

describe('the builds of a version', () => {
    test('are stored beside each other, and each is named by its variant', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const bytes = other();
        const answer = await put(scene, '1', 'full', bytes);
        assert.equal(answer.json.variant, 'full');
        assert.equal(answer.json.default, false);
        assert.match(answer.headers.get?.('location') ?? answer.headers.location, /\/images\/1\?variant=full$/);
        const items = (await get(scene, '/images')).json.items;
        assert.deepEqual(items.map((image) => [image.version, image.variant]), [['1', null], ['1', 'full'], ['2', null]]);
        assert.equal((await get(scene, '/images/1?variant=full')).json.sha256, sha256(bytes));
        assert.ok((await get(scene, '/images/1/content?variant=full')).body.equals(bytes));
        assert.ok((await get(scene, '/images/1/content?variant=')).body.equals(scene.images.get('1')));
        await put(scene, '1', 'full', bytes, 200);
    });

    test('need a name when several are stored: the error lists them', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        const answer = await server.admin('GET', scene.path('/images/1'));
        assertProblem(answer, 409, 'several-builds');
        assert.match(answer.json.detail, /version 1 has several builds \(variants '' \(none\), full\)/);
        const missing = await server.admin('GET', scene.path('/images/1?variant=tts'));
        assertProblem(missing, 404, 'image-not-found');
        assert.match(missing.json.detail, /no variant 'tts'; there is '' \(none\), full/);
        assertProblem(await server.admin('GET', scene.path('/images/1?variant=TTS')), 400, 'bad-request');
        assertProblem(await server.admin('PUT', scene.path('/images/1?variant=a/b'), other()), 400, 'bad-request');
    });

    test('one may be the default, and another one takes that over', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await makeDefault(scene, '1', 'full');
        assert.equal((await get(scene, '/images/1')).json.variant, 'full');
        await makeDefault(scene, '1', '');
        assert.equal((await get(scene, '/images/1')).json.variant, null);
        assert.equal((await get(scene, '/images/1?variant=full')).json.default, false);
        await makeDefault(scene, '1', '', false);
        assertProblem(await server.admin('GET', scene.path('/images/1')), 409, 'several-builds');
    });

    test('a refused upload says how to store another build', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const answer = await server.admin('PUT', scene.path('/images/1'), other());
        assertProblem(answer, 409, 'image-conflict');
        assert.match(answer.json.detail, /another build of the version, give it a variant, for example variant=full/);
        await put(scene, '1', 'full', other());
        const again = await server.admin('PUT', scene.path('/images/1?variant=full'), other());
        assertProblem(again, 409, 'image-conflict');
        assert.match(again.json.detail, /^version 1 \(full\) exists already/);
    });

    test('one is deleted, and the last one needs no name', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await server.admin('DELETE', scene.path('/images/1?variant='), null, { expect: 204 });
        assert.equal((await get(scene, '/images/1')).json.variant, 'full');
    });
});

describe('a device of a version with several builds', () => {
    test('gets the package from its own build, when the package to it came from here', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: '2' });
        const second = firmwareImage({ seed: 4711, size });
        await put(scene, '2', 'full', second);
        const modules = [];
        for (const [variant, bytes] of [['', scene.images.get('2')], ['full', second]]) {
            await makeDefault(scene, '2', variant);
            scene.known.set(sha256(bytes), '2');
            const module = scene.module();
            await module.upgrade();
            assert.equal((await module.ask()).code, 27);
            assert.equal((await scene.record(module)).build_sha256, sha256(bytes));
            assert.ok(module.image.equals(bytes), 'the default');
            modules.push(module);
        }
        await makeDefault(scene, '2', 'full', false);
        await scene.setTarget('3');
        for (const module of modules) {
            await module.upgrade(); // a patch of the other build gives an image that nobody knows
            assert.equal(module.version, '3');
        }
        const stranger = scene.module({ version: '2' });
        assert.equal((await stranger.ask()).code, 44);
    });

    test('gets the package from the build that an admin names', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const second = firmwareImage({ seed: 4712, size });
        await put(scene, '1', 'full', second);
        const module = Object.assign(scene.module(), { image: second });
        const set = (variant, expect = 200) => server.admin('PATCH', `/api/v1/products/${scene.product}/devices/imei:${module.id}`, { variant }, { expect });
        assert.equal((await module.ask()).code, 44);
        assertProblem(await set('tts', 422), 422, 'invalid');
        assert.equal((await set('full')).json.build_sha256, sha256(second));
        await module.upgrade();
        assert.equal(module.version, '2');
        const other = scene.module();
        assert.equal((await other.ask()).code, 44, 'only of this device');
        assert.equal((await set(null)).json.build_sha256, null);
    });

    test('gets no package while its build is not known', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await scene.makePackage();
        const module = scene.module();
        await put(scene, '1', 'full', other());
        assert.equal((await module.ask()).code, 44);
        const { reason, reason_code: code } = (await scene.record(module)).last_answer;
        assert.match(reason, /^1 has several builds \('' \(none\), full\), and which one the device runs is not known/);
        if (code !== undefined)
            assert.equal(code, 'several-builds');
    });

    test('gets the package of the default', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await makeDefault(scene, '1', '');
        await scene.makePackage();
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
        const explain = (await server.admin('GET', `/api/v1/products/${scene.product}/explain?device=imei:${module.id}`, null, { expect: 200 })).json;
        assert.deepEqual([explain.build.variant, explain.build.known], [null, false], 'the default is assumed');
        await module.upgrade();
        assert.equal(module.version, '2');
    });

    test('goes on with a package that it has begun', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const module = scene.module();
        assert.equal((await module.ask({ cutAfter: 20_000 })).status, 200);
        await scene.awaitAttempt(module, 'interrupted');
        await put(scene, '1002', 'full', other());
        assert.equal((await module.ask({ range: 10_000 })).status, 206);
    });
});

test('a package is named by both builds', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await put(scene, '1', 'full', scene.images.get('1').subarray(0, size - 100));
    assertProblem(await server.admin('POST', scene.path('/packages/1/2')), 409, 'several-builds');
    for (const variant of ['full', ''])
        await server.admin('POST', scene.path(`/packages/1/2?from_variant=${variant}`), null, { expect: [200, 202] });
    assertProblem(await server.admin('GET', scene.path('/packages/1/2?from_variant=full&to_variant=x')), 404, 'image-not-found');
});

test('a version with several builds may be the target: a device without a certain build is told why', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await put(scene, '2', 'full', other());
    await scene.setTarget('2');
    const path = (await get(scene, '/paths?from=1&to=2')).json;
    assert.equal(path.state, 'none');
    assert.match(JSON.stringify(path.excluded), /2 has several builds, and which one is meant is not known/);
    await put(scene, '1', 'full', other());
    assert.equal((await get(scene, '/paths?from=1&from_variant=full&to=2')).json.state, 'none');
});
