// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The path from one version to another: the hops of devices, what the admin sees, and what forbids a path.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { run as ctl } from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const block = 8000;
let server;
let lines = 0;
before(async () => { server = await startServer(null, { keep: true, config: { loop_guard_per_day: 1, matrix: 'needed' } }); });
after(() => server?.dispose());

// A firmware whose n-th version differs from the one before in one block of noise; the rest is common. So a
// package over d versions has about d blocks. `reach`: over how many versions a package fits.
async function line(versions, { reach = 2, target = versions.at(-1), missing = [], ...rest } = {}) {
    lines += 1;
    const noise = (n, blocks = 1) => noiseImage({ seed: lines * 1000 + n, size: blocks * block });
    const images = new Map(versions.map((version, n) =>
        [version, Buffer.concat([noise(200, 4), ...versions.flatMap((_, k) => [noise(k < n ? 100 + k : k), noise(300 + k, 2)])])]));
    const scene = Object.assign(new Scene(), {
        server, product: `line-${lines}`, firmware: 'pump', versions, images,
        known: new Map([...images].map(([version, bytes]) => [sha256(bytes), version])),
    });
    await server.createProduct(scene.product);
    for (const version of versions)
        if (!missing.includes(version))
            await scene.upload(version);
    await scene.set({ max_package_bytes: reach * block + block / 2, ...rest });
    if (target)
        await scene.setTarget(target);
    return scene;
}

const paths = async (scene, from, to, method = 'GET') =>
    (await server.admin(method, scene.path(`/paths?from=${from}&to=${to}`), null, { expect: [200, 202] })).json;

// Asks until the path is settled, like `dfotactl path --wait`.
const settle = (scene, from, to) => poll('the path is settled', async () => {
    const way = await paths(scene, from, to, 'POST');
    return way.state === 'waiting' ? null : way;
}, { timeout_ms: 60_000 });

const stops = (way) => [way.from, ...way.hops.map((hop) => hop.to)];
const change = (scene, version, body) => server.admin('PATCH', scene.path(`/images/${version}`), body, { expect: 200 });

describe('a device', () => {
    test('is led hop by hop, each recorded with its target, and two hops in one day are not a loop', async () => {
        const scene = await line(['1138', '1147', '1162'], { reach: 1 });
        const module = scene.module();
        const seen = new Set();
        await poll('it has arrived', async () => {
            const answer = await module.ask();
            if (answer.code === 43)
                seen.add((await scene.record(module)).last_answer.reason);
            if (answer.status === 200)
                await module.applyAndReboot(answer.body);
            return module.version === '1162';
        }, { timeout_ms: 60_000 });
        assert.equal((await module.ask()).code, 27);
        const { attempts, blocked } = await scene.record(module);
        assert.equal(blocked, false);
        assert.deepEqual(attempts.map((a) => [a.from, a.to, a.target, a.state]),
            [['1147', '1162', '1162', 'confirmed'], ['1138', '1147', '1162', 'confirmed']]);
        assert.match(attempts[1].reason, /^the package 1138→1147 \(on the way to 1162\) of \d+ bytes is sent$/);
        assert.ok([...seen].some((reason) => /^the package 1138→1162 is /.test(reason)), [...seen].join('\n'));
        await module.ask({ target: scene.module({ id: module.id }).target }); // back at 1138 without a word why
        assert.equal((await module.ask({ target: scene.module({ id: module.id }).target })).code, 40, 'that is a loop');
    });

    test('waits in one attempt, however often the path is planned again', async () => {
        const scene = await line(['1', '2', '3', '4', '5'], { reach: 1 });
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        const [waiting] = (await scene.record(module)).attempts;
        assert.deepEqual([waiting.from, waiting.to, waiting.target, waiting.state], ['1', '5', '5', 'waiting']);
        assert.equal((await module.askUntilMade()).status, 200);
        const { attempts } = await scene.record(module);
        assert.deepEqual(attempts.map((a) => [a.attempt, a.from, a.to, a.target]), [[waiting.attempt, '1', '2', '5']]);
    });

    test('gets the direct package if it fits, whatever else is made', async () => {
        const scene = await line(['1', '2', '3'], { reach: 2, target: null });
        await scene.makePackage('1', '2');
        await scene.makePackage('2', '3');
        await scene.setTarget('3');
        const module = scene.module();
        await module.upgrade();
        assert.deepEqual((await scene.record(module)).attempts.map((a) => [a.from, a.to]), [['1', '3']]);
    });

    test('stops at a required version although the direct package fits', async () => {
        const scene = await line(['1', '2', '3'], { reach: 2 });
        await change(scene, '2', { waypoint: 'required', reason: 'it moves the settings' });
        await scene.makePackage('1', '3');
        const answer = await scene.module().askUntilMade();
        assert.equal(answer.status, 200);
        assert.equal(sha256(answer.body), (await scene.package('1', '2')).sha256);
    });

    test('is led past a withdrawn and a forbidden version, or refused with the reason', async () => {
        const scene = await line(['1', '2', '3', '4'], { reach: 2 });
        await settle(scene, '1', '4');
        await change(scene, '2', { withdrawn: true, reason: 'it does not boot in the cold' });
        await settle(scene, '1', '4');
        const module = scene.module();
        assert.equal(sha256((await module.askUntilMade()).body), (await scene.package('1', '3')).sha256);
        await change(scene, '3', { waypoint: 'forbidden', reason: 'it forgets its keys' });
        const refused = await scene.module().askUntilMade();
        assert.equal(refused.code, 21);
        const away = scene.module({ version: '2' }); // what runs the withdrawn one gets away from it
        assert.equal(sha256((await away.askUntilMade()).body), (await scene.package('2', '4')).sha256);
    });

    test('is led to a lower version only if downgrades are allowed', async () => {
        const scene = await line(['1', '2', '3'], { reach: 1, target: '1' });
        const way = await settle(scene, '3', '1');
        assert.deepEqual([way.state, stops(way)], ['path', ['3', '2', '1']]);
        assert.match(way.advice, /downgrades/);
        const module = scene.module({ version: '3' });
        assert.equal((await module.ask()).code, 27);
        await scene.set({ downgrades: true });
        assert.equal((await paths(scene, '3', '1')).advice, null);
        await module.upgrade();
        assert.equal(module.version, '2');
        await module.upgrade();
        assert.equal(module.version, '1');
        assert.equal((await module.ask()).code, 27);
    });

    test('with a host is told its next hop, and gets at most three offers over its link', async () => {
        const scene = await line(['1138', '1147', '1162'], { reach: 1 });
        await settle(scene, '1138', '1162');
        const { module, link } = await scene.linkedModule();
        const { json } = await report(module, link, { version: '1138' });
        assert.deepEqual([json.target, json.next.version, json.next.ready], ['1162', '1147', true]);
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        const again = await module.ask();
        assert.equal(again.code, 27);
        assert.match((await scene.record(module)).last_answer.reason,
            /^the package 1138→1147 \(on the way to 1162\) was delivered over this link, and no version was reported/);
        const told = await report(module, link, { version: '1147' });
        assert.deepEqual([told.json.next.version, told.json.next.ready], ['1162', true]);
        assert.equal(new URL(told.json.next.url).pathname, new URL(link.url).pathname.replace('1138', '1147'));
    });
});

describe('GET …/paths', () => {
    test('shows hops with sizes, excluded pairs with the reason, and packages still to be made', async () => {
        const scene = await line(['1138', '1147', '1162'], { reach: 1, target: null });
        const first = await paths(scene, '1138', '1162');
        assert.deepEqual(first, {
            firmware: 'pump', from: '1138', from_variant: null, to: '1162', to_variant: null, full: null, state: 'waiting', hops: [], size: null, excluded: [],
            waiting: [{ from: '1138', from_variant: null, to: '1162', to_variant: null, size: null, counted: null, full: false, state: 'unknown' }], limit: 12000, advice: null, advice_code: null, advice_params: null,
        });
        assert.equal(await scene.package(), null, 'looking asks for nothing');
        const way = await settle(scene, 'V1138', 'pump_V1162');
        const size = async (from, to) => (await scene.package(from, to)).size;
        const [one, two, direct] = [await size('1138', '1147'), await size('1147', '1162'), await size('1138', '1162')];
        assert.deepEqual(way, {
            firmware: 'pump', from: '1138', from_variant: null, to: '1162', to_variant: null, full: null, state: 'path', size: one + two,
            hops: [
                { from: '1138', from_variant: null, to: '1147', to_variant: null, size: one, counted: one, full: false, state: 'ready' },
                { from: '1147', from_variant: null, to: '1162', to_variant: null, size: two, counted: two, full: false, state: 'ready' },
            ],
            excluded: [{
                from: '1138', from_variant: null, to: '1162', to_variant: null, reason: `${direct.toLocaleString('en')} bytes, the limit is 12,000`,
                reason_code: 'hop-oversize', reason_params: [direct.toLocaleString('en'), '12,000'],
            }],
            waiting: [], limit: 12000, advice: null, advice_code: null, advice_params: null,
        });
    });

    test('says that there is no path, and what would help', async () => {
        const scene = await line(['1138', '1147', '1150', '1162'], { reach: 1, missing: ['1147'] });
        await scene.module({ version: '1147' }).ask(); // a device runs what is not here
        const way = await settle(scene, '1138', '1162');
        assert.deepEqual([way.state, way.hops, way.waiting], ['none', [], []]);
        assert.match(way.advice,
            /^1138→1150: [\d,]+ bytes, the limit is 12,000, and no image between 1138 and 1150 is stored: upload one, such as 1147, which devices run$/);
        assert.deepEqual(way.excluded.map((pair) => `${pair.from}→${pair.to}`), ['1138→1162', '1138→1150']);
        const module = scene.module();
        const answer = await module.askUntilMade();
        assert.equal(answer.code, 21);
        assert.match((await scene.record(module)).last_answer.reason,
            /^no path leads from 1138 to 1162 because of 1138→1162: [\d,]+ bytes, the limit is 12,000, and no version between them helps$/);
        await scene.upload('1147');
        assert.deepEqual(stops(await settle(scene, '1138', '1162')), ['1138', '1147', '1150', '1162']);
        assert.equal((await module.askUntilMade()).status, 200);
    });

    test('names a base without an image, and a version that forbids the path', async () => {
        const scene = await line(['1', '2', '3'], { reach: 1, missing: ['1'] });
        const way = await paths(scene, '1', '3');
        assert.deepEqual([way.state, way.advice], ['none', 'the image of 1 is missing on the server: upload it']);
        await scene.upload('1');
        await change(scene, '2', { waypoint: 'forbidden', reason: 'no' });
        const barred = await settle(scene, '1', '3');
        assert.deepEqual([barred.state, barred.advice], ['none', '2 is forbidden as a waypoint: if you change that, there may be a path']);
        assert.deepEqual([barred.advice_code, barred.advice_params], ['advice-allow', ['2']]);
        assert.deepEqual(barred.excluded.at(-1), { from: '1', from_variant: null, to: '2', to_variant: null, reason: '2 is forbidden as a waypoint', reason_code: 'waypoint-forbidden', reason_params: ['2'] });
        await change(scene, '3', { withdrawn: true, reason: 'no' });
        assert.equal((await paths(scene, '1', '3')).advice, '3 is withdrawn: set another target');
    });

    test('refuses what it cannot answer', async () => {
        const scene = await line(['1', '2']);
        const get = (rest) => server.admin('GET', scene.path(`/paths${rest}`));
        assertProblem(await get(''), 400, 'bad-request');
        assertProblem(await get('?from=1'), 400, 'bad-request');
        assertProblem(await get('?from=x&to=2'), 422, 'bad-version');
        assertProblem(await get('?from=1&to=AirM2M_780E_LTE_AT_V2'), 422, 'wrong-firmware');
        assertProblem(await get('?from=1&to=1'), 422, 'invalid');
        assertProblem(await get('?from=1&to=9'), 404, 'image-not-found');
        assertProblem(await server.admin('GET', `/products/${scene.product}/firmware/none/paths?from=1&to=2`), 404, 'firmware-not-found');
    });
});

describe('dfotactl path', () => {
    const path = (scene, ...words) => ctl(['path', ...words], { env: {
        DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product,
    } });

    test('explains the path within 80 columns', async () => {
        const scene = await line(['1138', '1147', '1162'], { reach: 1, target: null });
        const before = await path(scene, '1138', '1162');
        assert.equal(before.out, '1138→1162: not known yet\nstill to be made:\n  1138→1162  unknown\n');
        const { status, out } = await path(scene, '1138', '1162', '--wait');
        assert.equal(status, 0);
        assert.match(out, new RegExp(['1138→1162: a path of 2 hops', '  1138→1147 {6,}[\\d,]+ bytes', '  1147→1162 {6,}[\\d,]+ bytes',
            '  in total {7,}[\\d,]+ bytes', 'ruled out:', '  1138→1162  [\\d,]+ bytes, the limit is 12,000', ''].join('\n') + '$'));
        const json = await path(scene, '1138', '1162', '-o', 'json', '--firmware', 'pump');
        assert.deepEqual(JSON.parse(json.out), await paths(scene, '1138', '1162'));
    });

    test('says what would help, and fails if there is no path to wait for', async () => {
        const scene = await line(['1138', '1147', '1162'], { reach: 1, missing: ['1147'] });
        const { status, out, err } = await path(scene, '1138', '1162', '--wait');
        assert.equal(status, 4);
        assert.match(err, /there is no path from 1138 to 1162/);
        assert.match(out, /^1138→1162: no path\nruled out:\n {2}1138→1162 {2}[\d,]+ bytes, the limit is 12,000\nadvice: 1138→1162: [\d,]+ bytes, the limit is 12,000, and no image /);
        assert.ok(out.split('\n').every((text) => text.length <= 80), out);
    });
});
