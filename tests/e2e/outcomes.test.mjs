// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The state of each device on its way to the target: a delivered package is not yet an upgrade, and the list shows it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server, scene, devices;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000, versions: ['1', '2', '3'], target: '2' });
    await scene.makePackage('1', '2');
    devices = Object.fromEntries(['confirmed', 'delivered', 'interrupted', 'diverged', 'not_begun', 'above', 'unreachable'].map((name) =>
        [name, scene.module({ version: { above: '3', unreachable: '7', not_begun: '1' }[name] ?? '1' })]));
    await devices.confirmed.upgrade();
    assert.equal((await devices.confirmed.ask()).code, 27);
    for (const name of ['delivered', 'diverged']) {
        await devices[name].ask();
        await scene.awaitAttempt(devices[name], 'delivered');
    }
    await devices.interrupted.ask({ cutAfter: 20_000 });
    await scene.awaitAttempt(devices.interrupted, 'interrupted');
    devices.diverged.version = '1.5';
    assert.equal((await devices.diverged.ask()).code, 44);
    assert.equal((await devices.above.ask()).code, 27);
    await scene.setTarget('1');
    await devices.not_begun.ask();
    await scene.setTarget('2');
    await server.admin('POST', scene.deviceAdminPath(devices.unreachable, '/link'), { version: '1', firmware: scene.firmware }, { expect: 201 });
});
after(() => server?.dispose());

const outcomes = (more = '') => server.admin('GET', scene.path(`/outcomes?limit=1000${more}`));
const nameOf = (id) => Object.keys(devices).find((name) => devices[name].id === id);

describe('the outcomes of a target', () => {
    test('show for every device what is known, since when, and by which evidence', async () => {
        const { json, headers } = await outcomes();
        const seen = Object.fromEntries(json.items.map((item) => [nameOf(item.device), item]));
        assert.deepEqual([json.target, Object.keys(seen).length], ['2', 7]);
        for (const name of ['confirmed', 'delivered', 'interrupted', 'diverged', 'above'])
            assert.equal(seen[name].outcome, name, JSON.stringify(seen[name]));
        assert.equal(seen.not_begun.outcome, 'not_begun');
        assert.equal(seen.unreachable.outcome, 'not_begun', 'a link is no evidence of what runs');
        assert.equal(seen.confirmed.confirmed_by, 'check-in');
        assert.ok(seen.delivered.since >= (await scene.record(devices.delivered)).attempts[0].delivered_at);
        assert.equal(seen.delivered.confirmed_version, '1');
        assert.deepEqual(json.counts, { confirmed: 1, delivered: 1, interrupted: 1, diverged: 1, above: 1, not_begun: 2 });
        assert.equal(String(headers['x-total-count']), '7');
        const { size } = await scene.package('1', '2');
        assert.ok(json.bytes_acked >= 3 * size && json.bytes_in_vain === size, JSON.stringify([json.bytes_acked, json.bytes_in_vain, size]));
    });

    test('can be filtered by state and by q, and come in pages', async () => {
        const narrow = (await outcomes('&state=delivered,diverged')).json;
        assert.deepEqual(narrow.items.map(({ outcome }) => outcome).sort(), ['delivered', 'diverged']);
        assert.equal(narrow.counts.confirmed, 1, 'the counts are of all');
        assert.equal((await outcomes('&state=delivered&q=since%3E24h')).json.items.length, 0);
        assert.equal((await outcomes('&state=delivered&q=since%3E=0s')).json.items.length, 1);
        const first = await server.admin('GET', scene.path('/outcomes?limit=3&state=confirmed,delivered,interrupted,diverged'));
        const next = /<http:\/\/[^/]+\/api\/v1([^>]*)>; rel="next"/.exec(first.headers.link)[1];
        const second = await server.admin('GET', next);
        assert.deepEqual([first.json.items.length, second.json.items.length, second.headers.link], [3, 1, undefined]);
        assert.equal(new Set([...first.json.items, ...second.json.items].map(({ device }) => device)).size, 4);
        for (const bad of ['&state=lost', '&state=delivered,', '&q=since>24', '&q=since>h', '&q=nope=1', '&older_than=24h'])
            assertProblem(await outcomes(bad), 400, 'bad-request');
    });

    test('show devices that have no path', async () => {
        await server.admin('POST', scene.path('/packages/1/2'), null, { expect: 200 });
        await scene.set({ max_package_bytes: 1000 });
        const { json } = await outcomes('&state=unreachable');
        assert.deepEqual(json.items.map(({ device }) => nameOf(device)), ['not_begun']);
        await scene.set({ max_package_bytes: 16_000_000 });
    });

    test('are printed by dfotactl, as a table and as CSV', async () => {
        const { adminAddress: { host, port }, token } = server;
        const ctl = (...words) => run([...words, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { DFOTA_TOKEN: token } });
        const table = await ctl('outcomes', scene.firmware);
        assert.equal(table.status, 0, table.err);
        assert.match(table.out, /^ +1 {2}delivered$/m);
        assert.match(table.out, /in vain: \d+/);
        for (const line of table.out.split('\n'))
            assert.ok(line.length <= 80, line);
        const csv = (await ctl('outcomes', scene.firmware, '--state', 'delivered', '--csv')).out.split('\r\n');
        assert.match(csv[0], /^device,id_kind,outcome,since,confirmed_version,/);
        assert.match(csv[1], new RegExp(`^${devices.delivered.id},imei,delivered,2\\d{3}-`));
        assert.equal(csv.length, 3);
        const told = (await ctl('ledger', 'list', '--device', devices.confirmed.id, '--csv')).out.split('\r\n');
        assert.match(told[0], /^seq,at,kind,product,/);
        assert.ok(told.some((line) => line.includes(',attempt-ended,')), told.join('\n'));
        const page = await server.admin('GET', `/ledger?limit=1&device=${devices.confirmed.id}`);
        assert.deepEqual([page.json.items.length, page.headers['x-total-count']], [1, String(told.length - 2)]);
        const after = await server.admin('GET', `/ledger?limit=1&kind=attempt-ended&after=${page.json.items[0].seq}`);
        assert.equal(after.headers['x-total-count'], '2', 'one is confirmed, one diverged');
        const listed = await server.admin('GET', `/products/${scene.product}/devices?limit=2`);
        assert.equal(listed.json.items.length, 2);
        const fleet = (await ctl('device', 'list', '--csv')).out.split('\r\n');
        assert.equal(fleet.length, 7 + 2);
        assert.ok(fleet.some((line) => line.startsWith(`${devices.confirmed.id},imei,pump,2,`)), fleet.join('\n'));
    });
});

test('a firmware without a target has no outcomes', async () => {
    const none = await Scene.build(server, { target: null });
    assertProblem(await server.admin('GET', none.path('/outcomes')), 422, 'invalid');
});

// A rollback: devices run a version above the target, and that version is their start.
test('during a rollback a device counts as on its way, not as above the target', async (t) => {
    const strict = await startServer(t, { config: { loop_guard_per_day: 1 } });
    const back = await Scene.build(strict, { versions: ['1', '2'], target: '2' });
    const [still, refuses, guarded, back_down] = Array.from({ length: 4 }, () => back.module({ version: '2' }));
    for (const module of [still, refuses, guarded, back_down])
        await module.ask();
    await back.setTarget('1');
    const told = async () => Object.fromEntries((await strict.admin('GET', back.path('/outcomes'), null, { expect: 200 })).json.items
        .map(({ device, outcome, reason }) => [device, [outcome, reason]]));
    assert.equal((await told())[still.id][0], 'above', 'nothing leads down yet');
    await back.set({ downgrades: true });
    await back.makePackage('2', '1');
    for (const module of [refuses, guarded, back_down]) {
        await module.ask();
        await back.awaitAttempt(module, 'delivered');
    }
    back_down.version = '1';
    await back_down.ask();
    await guarded.ask();
    await guarded.ask();
    await strict.admin('POST', back.deviceAdminPath(refuses, '/unblock'), null, { expect: 200 });
    await back.set({ max_package_bytes: 10 });
    await refuses.ask();
    await back.set({ max_package_bytes: 491520 });
    const seen = await told();
    assert.deepEqual([still, refuses, guarded, back_down].map(({ id }) => seen[id][0]), ['not_begun', 'not_applied', 'blocked', 'confirmed']);
    assert.match(seen[guarded.id][1], /loop guard/);
    assert.equal((await strict.admin('GET', back.path('/outcomes?state=blocked'), null, { expect: 200 })).json.items.length, 1);
});
