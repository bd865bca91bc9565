// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// GET /overview: the next things to do, and counts; devices by confirmed version, day by day.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const day = 86_400_000;
const overview = async (server) => (await server.admin('GET', '/overview', null, { expect: 200 })).json;
// A token for this product alone, made when it is first needed.
const bound = new Map();
async function tokenOf(server, product) {
    const key = `${server.token} ${product}`;
    if (!bound.has(key))
        bound.set(key, (await server.admin('POST', '/tokens', { name: `of ${product}`, scope: 'read', product }, { expect: 201 })).json.secret);
    return bound.get(key);
}
// Things to do about a product. A token for this product alone sees the same ones, and no others.
async function things(server, product) {
    const found = (await overview(server)).next.filter((thing) => thing.product === product);
    const token = await tokenOf(server, product);
    const { next } = (await server.admin('GET', '/overview', null, { token, expect: 200 })).json;
    assert.deepEqual(next.map(({ kind }) => kind), found.map(({ kind }) => kind));
    return found;
}
const thing = async (server, product, kind) => (await things(server, product)).find((one) => one.kind === kind);
const versions = async (scene, query = '') => (await scene.server.admin('GET', scene.path(`/versions${query}`), null, { expect: 200 })).json.items;

async function call(server, { method, path }, query = '') {
    return server.admin(method, path + query, null, { expect: [200, 204] });
}

async function update(module) {
    await module.applyAndReboot((await module.askUntilMade()).body);
    await module.ask();
}

describe('the next things to do', () => {
    let server;
    before(async () => { server = await startServer(null, { keep: true, config: { loop_guard_per_day: 2 } }); });
    after(() => server?.dispose());

    test('a new server has none, and no step is done', async (t) => {
        const own = await startServer(t);
        const { next, more, steps, devices, firmwares } = await overview(own);
        assert.deepEqual([next, more, firmwares], [[], false, []]);
        assert.deepEqual(steps, { product: false, images: false, format: false, target: false, link: false });
        assert.deepEqual(devices, { all: 0, waiting: 0, sending: 0, delivered: 0, silent: 0, blocked: 0 });
    });

    test('each step is done by what it makes', async (t) => {
        const own = await startServer(t);
        const done = async () => Object.entries((await overview(own)).steps).filter(([, is]) => is).map(([name]) => name);
        const scene = await Scene.build(own, { versions: [], later: ['1', '2'], target: null });
        assert.deepEqual(await done(), ['product']);
        await scene.upload('1');
        assert.deepEqual(await done(), ['product', 'format']);
        await scene.upload('2');
        assert.deepEqual(await done(), ['product', 'images', 'format']);
        await scene.setTarget('2');
        await scene.createLink(scene.module({ version: '1' }));
        assert.deepEqual(await done(), ['product', 'images', 'format', 'target', 'link']);
    });

    test('a version without an image, until it is uploaded', async () => {
        const scene = await Scene.build(server, { versions: ['2', '3'], later: ['1'] });
        await scene.module({ version: '1' }).ask();
        await scene.module({ version: '1' }).ask();
        const found = await thing(server, scene.product, 'unknown-base');
        assert.deepEqual([found.firmware, found.version, found.count, found.action], ['pump', '1', 2, { do: 'upload-image', method: null, path: null }]);
        assert.match(found.text, /V1/);
        await scene.upload('1');
        assert.deepEqual(await things(server, scene.product), []);
    });

    test('a format that is not set, while devices ask', async () => {
        const scene = await Scene.build(server, { firmware: 'AirM2M_780E_LTE_AT', versions: ['1', '2'], target: null });
        assert.deepEqual(await things(server, scene.product), []);
        await scene.module().ask();
        assert.equal((await thing(server, scene.product, 'format-not-set')).count, 1);
    });

    test('a stage that waits for approval, and its one action', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const modules = [scene.module(), scene.module()];
        for (const module of modules)
            await module.ask();
        const { json: { campaign } } = await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '2', stages: [{ devices: 1, approvals: 1 }, { all: true }] }, { expect: 201 });
        await server.admin('POST', scene.path(`/campaigns/${campaign}/start`), null, { expect: 200 });
        await update(modules[0]);
        const found = await thing(server, scene.product, 'stage-waits');
        assert.deepEqual([found.campaign, found.name, found.stage, found.action.do], [campaign, 'spring', 1, 'approve']);
        assert.match(found.action.path, /\/approve\?stage=1$/);
        await call(server, found.action, '&by=Ann');
        assert.deepEqual(await things(server, scene.product), []);
    });

    test('a campaign that a gate has paused, since when', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const module = scene.module();
        const { json: { campaign } } = await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '2', devices: [`imei:${module.id}`], stages: [{ devices: 1, max_failed: 0 }] }, { expect: 201 });
        await server.admin('POST', scene.path(`/campaigns/${campaign}/start`), null, { expect: 200 });
        await module.download();
        await scene.awaitAttempt(module, 'delivered');
        const begun = Date.now();
        await module.ask(); // it came back with the old version
        const found = await thing(server, scene.product, 'gate-broken');
        assert.deepEqual([found.campaign, found.stage, found.action.method], [campaign, 1, null]);
        assert.deepEqual([found.reason_code, found.reason_params], ['gate-failed', ['1', '1', '0']]);
        assert.equal(found.text, `campaign spring is paused: ${found.reason}`);
        assert.ok(Math.abs(found.since - begun) < 60_000, found.since);
        await server.admin('POST', scene.path(`/campaigns/${campaign}/cancel`), null, { expect: 200 });
        assert.equal(await thing(server, scene.product, 'gate-broken'), undefined);
    });

    test('a campaign that has paused after its last stage, until an admin decides', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const module = scene.module();
        const body = { name: 'spring', target: '2', devices: [`imei:${module.id}`], pause_when_done: true };
        const { json: { campaign } } = await server.admin('POST', scene.path('/campaigns'), body, { expect: 201 });
        await server.admin('POST', scene.path(`/campaigns/${campaign}/start`), null, { expect: 200 });
        await update(module);
        const found = await thing(server, scene.product, 'campaign-done');
        assert.deepEqual([found.campaign, found.action.do], [campaign, 'decide']);
        await server.admin('POST', scene.path(`/campaigns/${campaign}/cancel`), null, { expect: 200 });
        assert.equal(await thing(server, scene.product, 'campaign-done'), undefined);
    });

    test('a package out of service: the action lifts the quarantine', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await scene.makePackage();
        await server.admin('PUT', scene.path('/packages/1/2/quarantine'), { reason: 'it hangs' }, { expect: [200, 204] });
        const found = await thing(server, scene.product, 'out-of-service');
        assert.deepEqual([found.from, found.to], ['1', '2']);
        assert.deepEqual([found.reason, found.reason_code], ['it hangs', null]);
        assert.match(found.text, /it hangs/);
        await call(server, found.action);
        assert.deepEqual(await things(server, scene.product), []);
    });

    test('a package over the limit, when there is no other path', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], kind: 'noise', size: 100_000 });
        const module = scene.module();
        await module.askUntilMade();
        await scene.set({ max_package_bytes: 50_000 });
        const found = await poll('it is told', () => thing(server, scene.product, 'oversize'));
        assert.deepEqual([found.from, found.to, found.count, found.limit], ['1', '2', 1, 50_000]);
        assert.ok(found.size > found.limit);
    });

    test('devices that wait to be admitted, and devices that the loop guard blocks', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const module = scene.module();
        for (let i = 0; i < 4; i++)
            await module.askUntilMade();
        assert.equal((await thing(server, scene.product, 'loop-guard')).count, 1);
        await server.admin('PATCH', `/products/${scene.product}`, { unknown_devices: 'held' }, { expect: 200 });
        await scene.module().ask();
        assert.equal((await thing(server, scene.product, 'held')).count, 1);
    });

    test('a webhook that cannot deliver', async (t) => {
        const own = await startServer(t);
        const deaf = http.createServer((request, response) => { response.statusCode = 500; response.end(); }).listen(0, '127.0.0.1');
        t.after(() => deaf.close());
        await poll('it listens', () => deaf.address());
        await own.admin('POST', '/webhooks', { name: 'chat', url: `http://127.0.0.1:${deaf.address().port}/` }, { expect: 201 });
        const scene = await Scene.build(own, { versions: ['1', '2'] });
        await update(scene.module());
        const found = await poll('it is told', async () => (await overview(own)).next.find(({ kind }) => kind === 'webhook'));
        assert.deepEqual([found.name, found.failed], ['chat', 0]);
        assert.match(found.error, /500/);
    });

    test('a disk that is low', async (t) => {
        const own = await startServer(t, { config: { disk_reserve_bytes: 1_000_000_000_000 } });
        const { next } = await overview(own);
        assert.deepEqual(next.map(({ kind }) => kind), ['disk-low']);
    });

    test('the list has an end', async (t) => {
        const own = await startServer(t);
        const scene = await Scene.build(own, { versions: ['100', '101'] });
        for (let version = 1; version <= 8; version++)
            await scene.module({ version: String(version) }).ask();
        const { next, more } = await overview(own);
        assert.deepEqual([next.length, more], [5, true]);
    });
});

describe('counts', () => {
    test('devices on their way, the queue, bytes beside full images', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'], size: 60_000 });
        const done = scene.module(), got = scene.module();
        await update(done);
        await got.download();
        await scene.awaitAttempt(got, 'delivered');
        const { devices, bytes, firmwares } = await overview(server);
        assert.deepEqual(devices, { all: 2, waiting: 0, sending: 0, delivered: 1, silent: 0, blocked: 0 });
        const { size } = await scene.package();
        assert.deepEqual(bytes, { sent: 2 * size, full: 60_000, saved: 60_000 - 2 * size });
        assert.deepEqual(firmwares.map(({ product, firmware, devices: own, images }) => [product, firmware, own, images]), [[scene.product, 'pump', devices, 2]]);
    });
});

describe('devices by confirmed version', () => {
    test('today as it is, and the days before as they were', async (t) => {
        const server = await startServer(t, { config: { silent_after_ms: 400 * day } });
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const modules = [scene.module(), scene.module(), scene.module()];
        for (const module of modules)
            await module.ask();
        await update(modules[0]);
        const today = Math.floor(Date.now() / day) * day;
        assert.deepEqual(await versions(scene), [{ day: today, devices: { 1: 2, 2: 1 } }]);
        await server.restart(); // the first round of maintenance stores the day
        const stored = () => execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), 'SELECT version, devices FROM fleet_day ORDER BY 1'], { encoding: 'utf8' });
        await poll('the day is stored', () => stored() === '1|2\n2|1\n');
        await server.stop();
        // Today's number is wrong, so it is stored again, and what is too old is removed with that.
        execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), `INSERT INTO fleet_day SELECT firmware_id, day - 3, version, devices FROM fleet_day;
            INSERT INTO fleet_day SELECT firmware_id, day - 401, version, devices FROM fleet_day WHERE day = ${today / day};
            UPDATE fleet_day SET devices = 7 WHERE day = ${today / day} AND version = '1'`]);
        await server.start();
        await poll('the day is stored again, and what is old is removed', () => stored() === '1|2\n1|2\n2|1\n2|1\n');
        const items = await versions(scene);
        assert.deepEqual(items.map((item) => [(today - item.day) / day, item.devices]), [[3, { 1: 2, 2: 1 }], [0, { 1: 2, 2: 1 }]]);
        assert.deepEqual((await versions(scene, '?days=2')).length, 1);
        await server.admin('GET', scene.path('/versions?days=401'), null, { expect: 400 });
    });
});
