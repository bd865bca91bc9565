// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Changes of a stored image by an admin: withdrawn, forbidden or required as a waypoint, deleted.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene, assertProblem, findBySum, listFiles, writeScript } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const set = (scene, version, body, expect = 200) => server.admin('PATCH', scene.path(`/images/${version}`), body, { expect });
const remove = (scene, version) => server.admin('DELETE', scene.path(`/images/${version}`));
const show = async (scene, version) => (await server.admin('GET', scene.path(`/images/${version}`), null, { expect: 200 })).json;
const target = async (scene) => (await server.admin('GET', scene.path(), null, { expect: 200 })).json.target;

describe('a withdrawn image', () => {
    test('shows since when and why, until it is restored', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'] });
        assert.equal((await show(scene, '2')).withdrawn, null);
        const withdrawn = (await set(scene, 'V2', { withdrawn: true, reason: 'loses its SIM — 掉卡' })).json;
        assert.equal(withdrawn.withdrawn.reason, 'loses its SIM — 掉卡');
        assert.ok(withdrawn.withdrawn.at > 1.6e12);
        const again = (await set(scene, '2', { withdrawn: true, reason: 'and its clock' })).json;
        assert.deepEqual(again.withdrawn, { at: withdrawn.withdrawn.at, reason: 'and its clock' });
        assert.deepEqual(await show(scene, '2'), again);
        assert.equal((await set(scene, '2', { withdrawn: false })).json.withdrawn, null);
        assert.equal((await server.logged('image-withdrawn', 2)).length, 2);
        assert.equal((await server.logged('image-restored', 1)).length, 1);
    });

    test('cannot be a target', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'] });
        await set(scene, '2', { withdrawn: true, reason: 'bad' });
        const answer = await server.admin('PUT', scene.path('/target'), { version: '2' });
        assertProblem(answer, 409, 'image-withdrawn');
        assert.match(answer.json.detail, /bad/);
        assert.equal(await target(scene), '3');
        await set(scene, '2', { withdrawn: false });
        await scene.setTarget('2');
    });

    test('is not the target any more: its devices are offered nothing', async () => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        const module = scene.module();
        await set(scene, '1002', { withdrawn: true, reason: 'bricks on 2G' });
        assert.equal(await target(scene), null);
        assert.equal((await module.ask()).code, 27);
        await set(scene, '1002', { withdrawn: false });
        assert.equal(await target(scene), null, 'what an alarm ended does not begin again by itself');
    });

    test('ends a transfer to it with 416 at the next Range; a transfer to another image continues', async () => {
        const options = { kind: 'noise', size: 1_500_000, limit: 16_000_000 };
        const scenes = [await Scene.build(server, options), await Scene.build(server, options)];
        const modules = [];
        for (const scene of scenes) {
            await scene.makePackage();
            const module = scene.module();
            assert.equal((await module.ask({ cutAfter: 20_000 })).status, 200);
            await scene.awaitAttempt(module, 'interrupted');
            modules.push(module);
        }
        await set(scenes[0], '1002', { withdrawn: true, reason: 'bad' });
        await server.clearTarget(scenes[1].product, scenes[1].firmware);
        const refused = await modules[0].ask({ range: 10_000 });
        assert.equal(refused.status, 416);
        assert.match((await scenes[0].record(modules[0])).last_answer.reason, /the unfinished package 1001→1002 is no longer available/);
        assert.equal((await modules[1].ask({ range: 10_000 })).status, 206, 'a target that moves ends nothing');
    });

    test('has its queued packages removed', async (t) => {
        const worker = await writeScript(t, () => 'exec sleep 600');
        const slow = await startServer(t, { config: { jobs: 1, dfota_path: worker.path } });
        const scene = await Scene.build(slow, { versions: ['1', '2', '3', '4'], target: null });
        const ask = (from, to) => slow.admin('POST', scene.path(`/packages/${from}/${to}`), null, { expect: 202 });
        await ask('1', '2');
        await poll('the first is being made', async () => (await scene.package('1', '2')).state === 'generating');
        for (const [from, to] of [['1', '4'], ['2', '3'], ['3', '4']])
            await ask(from, to);
        await slow.admin('PATCH', scene.path('/images/4'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
        const left = (await slow.admin('GET', scene.path('/packages'))).json.items;
        assert.deepEqual(left.map((p) => `${p.from} ${p.to} ${p.state}`), ['1 2 generating', '2 3 queued']);
        const refused = await slow.admin('DELETE', scene.path('/images/2'));
        assertProblem(refused, 409, 'image-in-use');
        assert.match(refused.json.detail, /being made now/);
    });
});

describe('a waypoint', () => {
    test('is allowed, forbidden or required', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'] });
        const of = async (version) => {
            const { waypoint, waypoint_reason } = await show(scene, version);
            return [waypoint, waypoint_reason];
        };
        assert.deepEqual(await of('2'), ['allowed', null]);
        await set(scene, '2', { waypoint: false });
        assert.deepEqual(await of('2'), ['forbidden', null]);
        await set(scene, '2', { waypoint: 'required', reason: 'moves the settings' });
        assert.deepEqual(await of('2'), ['required', 'moves the settings']);
        await set(scene, '2', { waypoint: 'forbidden', reason: 'too slow' });
        assert.deepEqual(await of('2'), ['forbidden', 'too slow']);
        await set(scene, '2', { waypoint: true });
        assert.deepEqual(await of('2'), ['allowed', null]);
        await set(scene, '2', {});
        const listed = (await server.admin('GET', scene.path('/images'))).json.items;
        assert.deepEqual(listed.map((i) => i.waypoint), ['allowed', 'allowed', 'allowed']);
    });

    test('or a withdrawal with a wrong value or reason is refused', async () => {
        const scene = await Scene.build(server);
        for (const body of [
            { waypoint: 'perhaps' }, { waypoint: 1 }, { waypoint: 'required' }, { withdrawn: true }, { withdrawn: 'yes', reason: 'x' },
            { withdrawn: false, reason: 'x' }, { reason: 'x' }, { waypoint: true, reason: 'x' }, { withdrawn: true, reason: '' }, { withdrawn: true, reason: 5 },
            { withdrawn: true, reason: 'x'.repeat(301) }, { withdrawn: true, reason: 'a\nb' }, [],
        ])
            assertProblem(await server.admin('PATCH', scene.path('/images/1002'), body), 422, 'invalid');
        assertProblem(await server.admin('PATCH', scene.path('/images/7'), { waypoint: false }), 404, 'image-not-found');
        assert.deepEqual([(await show(scene, '1002')).withdrawn, await target(scene)], [null, '1002']);
    });
});

describe('an image is deleted', () => {
    const files = async () => [...(await listFiles(server.dataDir)).keys()].filter((name) => name.startsWith('blobs/')).length;

    test('with its packages and their files', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: null });
        const before = await files();
        await scene.makePackage('1', '2');
        await scene.makePackage('2', '3');
        const kept = await scene.makePackage('1', '3');
        assert.equal(await files(), before + 3);
        assert.equal((await remove(scene, '2')).status, 204);
        assert.equal(await files(), before, 'two packages and the image are gone, one package is left');
        await findBySum(server.dataDir, kept.sha256);
        assertProblem(await remove(scene, '2'), 404, 'image-not-found');
        assertProblem(await server.admin('GET', scene.path('/packages/1/2')), 404, 'image-not-found');
        assert.deepEqual((await server.admin('GET', scene.path('/images'))).json.items.map((i) => i.version), ['1', '3']);
        await scene.upload('2');
        assert.equal(await scene.package('1', '2'), null, 'nothing is remembered of it');
        await scene.makePackage('1', '2');
    });

    test('but its bytes and packages stay while another image has the same bytes', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: null });
        const made = await scene.makePackage('1', '2');
        await server.putImage(scene.product, 'twin', '2', scene.images.get('2'));
        await server.putImage(scene.product, 'twin', '1', scene.images.get('1'));
        assert.equal((await remove(scene, '2')).status, 204);
        assert.equal((await server.package(scene.product, 'twin', '1', '2')).sha256, made.sha256);
        await server.admin('GET', `/products/${scene.product}/firmware/twin/images/2/content`, null, { expect: 200 });
        await server.admin('GET', `/products/${scene.product}/firmware/twin/packages/1/2/content`, null, { expect: 200 });
    });

    test('only if it is not in use; otherwise the error counts the devices that use it', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: '3', kind: 'noise', size: 1_000_000, limit: 16_000_000 });
        const refused = async (version, ...words) => {
            const answer = await remove(scene, version);
            assertProblem(answer, 409, 'image-in-use');
            for (const word of words)
                assert.match(answer.json.detail, word);
        };
        await refused('3', /in use: it is the target$/);
        await scene.linkedModule({ version: '2' });
        await refused('2', /one has a link/);
        await scene.makePackage('1', '3');
        const modules = Array.from({ length: 3 }, () => scene.module({ version: '1' }));
        for (const module of modules) {
            await module.ask({ cutAfter: 20_000 });
            await scene.awaitAttempt(module, 'interrupted');
        }
        await refused('1', /3 devices run it$/);
        await scene.setTarget('2');
        await refused('3', /3 are on the way to it$/);
        for (const module of modules.slice(1)) {
            module.version = '3';
            await module.ask();
        }
        await refused('3', /2 devices run it, one is on the way to it$/);
        assert.equal((await server.admin('GET', scene.path('/images'))).json.items.length, 3);
    });
});

test('a firmware setting says whether devices may be downgraded', async () => {
    const scene = await Scene.build(server);
    assert.equal((await server.admin('GET', scene.path())).json.downgrades, false);
    assert.equal((await scene.set({ downgrades: true })).downgrades, true);
    assert.equal((await scene.set({ max_package_bytes: 1000 })).downgrades, true);
    assert.equal((await scene.set({ downgrades: false })).downgrades, false);
    assertProblem(await server.admin('PATCH', scene.path(), { downgrades: 'yes' }), 422, 'invalid');
});
