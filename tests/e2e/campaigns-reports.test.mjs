// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a report means for a campaign: also from another firmware, another address, a stranger, and after the device had confirmed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { act, assertCounts, fleet, show, start, takes } from './lib/campaigns.mjs';
import { Module, poll } from './lib/module.mjs';
import { report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const oneThenAll = [{ devices: 1 }, { all: true }];

// The same device, with the firmware `valve`.
function asValve(scene, module) {
    return new Module({ address: scene.server.device, product: scene.product, firmware: 'valve', version: '2', known: scene.known,
        limit_bytes: Infinity, id: module.id });
}

async function fleetWithValve(count) {
    const made = await fleet(server, count);
    for (const version of ['1', '2'])
        await server.putImage(made.scene.product, 'valve', version, made.scene.images.get(version));
    return made;
}

test('a package that makes another firmware of the module breaks the gate', async () => {
    const { scene, modules, ids } = await fleetWithValve(3);
    const { campaign } = await start(scene, { devices: ids, stages: oneThenAll });
    assert.equal((await modules[0].askUntilMade()).status, 200);
    await scene.awaitAttempt(modules[0], 'delivered');
    await asValve(scene, modules[0]).ask();
    const shown = await show(scene, campaign);
    assert.deepEqual([shown.state, shown.counts.diverged, shown.broken_gate.count], ['paused', 1, 1]);
    assert.equal((await modules[1].ask()).code, 27);
    await assertCounts(scene, campaign);
});

test('a device that confirmed and comes to another firmware has failed', async () => {
    const { scene, modules, ids } = await fleetWithValve(3);
    const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, approvals: 1 }, { all: true }] });
    assert.equal(await takes(modules[0]), true);
    await asValve(scene, modules[0]).ask();
    assert.deepEqual([(await show(scene, campaign)).state, (await assertCounts(scene, campaign)).diverged], ['paused', 1]);
});

test('a device that falls back to its old version has failed, and gets no package in the same answer', async () => {
    const { scene, modules, ids } = await fleet(server, 3);
    const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, settle_ms: 86_400_000 }, { all: true }] });
    const { image } = modules[0];
    assert.equal(await takes(modules[0]), true);
    Object.assign(modules[0], { version: '1', image });
    assert.equal((await modules[0].ask()).code, 27);
    const shown = await show(scene, campaign);
    assert.deepEqual([shown.state, shown.counts.confirmed, shown.counts.diverged], ['paused', 0, 1]);
    await act(scene, campaign, 'resume');
    assert.equal(await takes(modules[0]), true, 'it gets the package again after the resume');
    assert.equal((await assertCounts(scene, campaign)).confirmed, 1);
});

for (const silent of [false, true])
    test(`a module with a new address that ${silent ? 'is never heard of again' : 'did not apply the package'} breaks the gate`, async (t) => {
        const own = await startServer(t, { config: silent ? { silent_after_ms: 300 } : {} });
        const { scene, modules, ids } = await fleet(own, 3, { kind: 'noise', size: 200_000 });
        const { campaign } = await start(scene, { devices: ids, stages: oneThenAll });
        await modules[0].askUntilMade({ cutAfter: 1000 });
        await scene.awaitAttempt(modules[0], 'interrupted');
        modules[0].from = '127.0.0.2';
        await modules[0].download();
        await poll('it is delivered', async () => (await scene.record(modules[0])).attempts.some(({ state }) => ['delivered', 'silent'].includes(state)));
        if (!silent)
            assert.equal((await modules[0].ask()).code, 27);
        await poll('the campaign is paused', async () => (await show(scene, campaign)).state === 'paused');
        const { counts } = await show(scene, campaign);
        assert.equal(counts[silent ? 'silent' : 'not_applied'], 1);
        await assertCounts(scene, campaign);
    });

test('a stranger who asks in the name of a silent device does not make it heard of', async (t) => {
    const own = await startServer(t, { config: { silent_after_ms: 300 } });
    const { scene } = await fleet(own, 0);
    const { module, link } = await scene.linkedModule();
    await report(module, link, { version: '1' });
    const { campaign } = await start(scene, { devices: [`imei:${module.id}`], stages: oneThenAll });
    await module.askUntilMade();
    await poll('the device is silent', async () => (await show(scene, campaign)).counts.silent === 1);
    await act(scene, campaign, 'resume');
    await scene.module({ id: module.id }).askUntilMade();
    assert.deepEqual([(await show(scene, campaign)).counts.silent, (await assertCounts(scene, campaign)).admitted], [1, 0]);
});

test('a stranger who asks in the name of a device does not take its place in a stage', async () => {
    const { scene } = await fleet(server, 0);
    const { module, link } = await scene.linkedModule();
    await report(module, link, { version: '1' });
    const { campaign } = await start(scene, { stages: oneThenAll });
    await scene.module({ id: module.id }).askUntilMade();
    assert.equal((await assertCounts(scene, campaign)).admitted, 0);
    assert.equal(await takes(scene.module()), true, 'the place is free');
});

test('a report counts in all campaigns of the device that lead to the version', async () => {
    const { scene, modules, ids } = await fleet(server, 2);
    const { campaign } = await start(scene, { name: 'north', devices: ids, stages: oneThenAll });
    await start(scene, { name: 'lab', devices: [ids[0]], pause_when_done: true });
    assert.equal(await takes(modules[0]), true);
    assert.deepEqual([(await show(scene, 'lab')).counts.confirmed, (await show(scene, 'lab')).state], [1, 'paused']);
    assert.equal((await show(scene, 'north')).stage, 2);
    assert.equal((await assertCounts(scene, campaign)).confirmed, 1);
});

for (const pauses of [true, false])
    test(`the report that ${pauses ? 'pauses' : 'finishes'} the campaign after its last stage gets no package`, async () => {
        const { scene, modules, ids } = await fleet(server, 2);
        const { campaign } = await start(scene, { devices: ids, stages: [{ all: true, max_failed: 1 }], pause_when_done: pauses });
        assert.equal(await takes(modules[0]), true);
        assert.equal((await modules[1].askUntilMade()).status, 200);
        await scene.awaitAttempt(modules[1], 'delivered');
        assert.equal((await modules[1].ask()).code, 27);
        assert.equal((await show(scene, campaign)).state, pauses ? 'paused' : 'finished');
        assert.deepEqual([(await assertCounts(scene, campaign)).not_applied], [1]);
    });
