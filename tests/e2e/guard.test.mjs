// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// When the loop guard closes, the device's notice and the ledger say why. All blocked devices of a firmware are
// unblocked with one call.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertRun, run } from './lib/ctl.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server, scene;
before(async () => {
    server = await startServer(null, { keep: true, config: { loop_guard_per_day: 2, link_offers: 9, link_offer_gap_ms: 0 } });
    scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000, versions: ['1', '2', '3'], target: '3' });
    await scene.makePackage('1', '3');
    await scene.makePackage('2', '3');
});
after(() => server?.dispose());

// Fetches until the guard closes; `once` is one fetch.
async function close(module, once) {
    for (let i = 0; i < 2; i += 1)
        await once();
    assert.equal((await module.ask()).code, 40);
    const { notice, blocked } = await scene.record(module);
    assert.equal(blocked, true);
    const rows = (await server.admin('GET', `/ledger?kind=check-in&device=${module.id}`)).json.items.filter(({ detail }) => detail.guard);
    assert.equal(rows.length, 1, 'one row says that the guard closed');
    assert.ok(notice.endsWith(`; ${rows[0].detail.guard}`), notice);
    assert.match(notice, /^loop guard: no package is sent( to \S+)? until the device is unblocked; /);
    return rows[0].detail.guard;
}

async function fetchWhole(module, state = 'delivered') {
    assert.equal((await module.ask()).status, 200);
    await scene.awaitAttempt(module, state);
}

describe('the loop guard says why it closed', () => {
    test('the package was fetched completely, and the old version came back', async () => {
        const module = scene.module({ version: '1' });
        assert.equal(await close(module, () => fetchWhole(module)),
            'the same package was fetched completely and the old version came back 2 times: check the base image and the package');
    });

    test('no download was completed', async () => {
        const module = scene.module({ version: '1' });
        const why = await close(module, async () => {
            await module.ask({ cutAfter: 20_000 });
            await scene.awaitAttempt(module, 'interrupted');
        });
        const { size } = await scene.package('1', '3');
        const [, bytes, of] = /^none of 2 downloads was completed, at most (\d+) of (\d+) bytes arrived: check the network of the module$/.exec(why);
        assert.equal(Number(of), size);
        assert.ok(Number(bytes) < size);
    });

    test('two modules use one id', async () => {
        const module = scene.module({ version: '1' });
        const versions = ['1', '2'];
        const why = await close(module, async () => {
            module.version = versions[0];
            await fetchWhole(module);
            versions.reverse();
            module.version = versions[0];
        });
        assert.equal(why, 'two modules seem to use this id (versions that downloads began from: 2)');
    });

    test('nobody reports over a link', async () => {
        const { module } = await scene.linkedModule({ version: '1' });
        assert.equal(await close(module, () => fetchWhole(module)),
            '2 downloads over a link were completed, and no version was reported: check the host');
    });
});

describe('all blocked devices of a firmware', () => {
    const unblock = (query) => server.admin('POST', `/products/${scene.product}/devices/unblock${query}`);

    test('are unblocked with one call, and each has a row in the ledger', async () => {
        const modules = Array.from({ length: 3 }, () => scene.module({ version: '1' }));
        for (const module of modules)
            await close(module, () => fetchWhole(module));
        const blocked = (await server.admin('GET', scene.path('/outcomes?state=blocked'))).headers['x-total-count'];
        const { json } = await unblock(`?firmware=${scene.firmware}&by=Ann`);
        const { items, ...counts } = json;
        assert.deepEqual(counts, { firmware: scene.firmware, unblocked: Number(blocked) });
        assert.equal(items.length, Number(blocked));
        for (const { id } of modules)
            assert.ok(items.some(({ device }) => id.endsWith(device)), id);
        for (const module of modules) {
            const record = await scene.record(module);
            assert.deepEqual([record.blocked, record.blocked_for, record.notice], [false, [], null]);
            const [row] = (await server.admin('GET', `/ledger?kind=device-unblocked&device=${module.id}`)).json.items;
            assert.equal(row.detail.by.name, 'Ann');
        }
        assert.equal((await modules[0].ask()).status, 200);
        assert.deepEqual((await unblock(`?firmware=${scene.firmware}`)).json.unblocked, 0);
        const [line] = await server.logged('devices-unblocked');
        assert.deepEqual([line.firmware, line.count], [scene.firmware, String(blocked)]);
    });

    test('that a filter selects', async () => {
        const modules = Array.from({ length: 2 }, () => scene.module({ version: '1' }));
        for (const module of modules)
            await close(module, () => fetchWhole(module));
        await server.admin('PATCH', scene.deviceAdminPath(modules[1]), { tags: ['north'] }, { expect: 200 });
        assert.equal((await unblock(`?firmware=${scene.firmware}&q=${encodeURIComponent('tag=north')}`)).json.unblocked, 1);
        assert.deepEqual([(await scene.record(modules[0])).blocked, (await scene.record(modules[1])).blocked], [true, false]);
        assertProblem(await unblock(`?firmware=${scene.firmware}&q=tag`), 400, 'bad-request');
        assert.equal((await unblock(`?firmware=${scene.firmware}`)).json.unblocked, 1);
    });

    test('of a firmware that the call names', async () => {
        assertProblem(await unblock(''), 400, 'bad-request');
        assertProblem(await unblock('?firmware=other'), 404, 'firmware-not-found');
    });

    test('by dfotactl', async () => {
        const module = scene.module({ version: '1' });
        await close(module, () => fetchWhole(module));
        const { adminAddress: { host, port }, token } = server;
        const ctl = (...words) => run([...words, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { DFOTA_TOKEN: token } });
        assert.match((await ctl('device', 'unblock', '--all', scene.firmware)).out, /^Unblocked devices +1\n\nDEVICE/m);
        assert.equal((await scene.record(module)).blocked, false);
        const { out } = await ctl('device', 'unblock', scene.firmware, '--all', '-o', 'json');
        assert.equal(JSON.parse(out).unblocked, 0);
    });
});
