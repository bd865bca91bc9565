// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Webhooks about campaigns and packages out of service: what each event tells, and that the events of a campaign arrive in order
// whatever the receiver and the server go through.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ledgerRows } from './lib/chain.mjs';
import { Clock } from './lib/clock.mjs';
import { assertRun, run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Receiver, create, listed, secret, show, signatureOf } from './lib/receiver.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const kinds = ['stage-done', 'campaign-paused', 'campaign-finished', 'package-quarantined', 'needs-person'];

async function begin(t, { config = {}, hook = {}, wrapper } = {}) {
    const server = await startServer(t, { config, wrapper });
    const receiver = await Receiver.start(t);
    const webhook = await create(server, receiver, { kinds, ...hook });
    return { server, receiver, webhook };
}

// A running campaign for a list of modules.
async function campaign(server, count, stages, more = {}) {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    const modules = Array.from({ length: count }, () => scene.module());
    const ids = modules.map(({ id }) => `imei:${id}`);
    const { campaign: number } = (await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '2', devices: ids, stages, ...more }, { expect: 201 })).json;
    const act = async (verb, body = null) => (await server.admin('POST', scene.path(`/campaigns/${number}/${verb}`), body, { expect: 200 })).json;
    const state = async () => (await server.admin('GET', scene.path(`/campaigns/${number}`), null, { expect: 200 })).json;
    await act('start');
    return { scene, modules, ids, number, act, state };
}

// Asks, applies the package and reports.
async function takes(module) {
    const answer = await module.askUntilMade();
    if (answer.status !== 200)
        return false;
    await module.applyAndReboot(answer.body);
    await module.ask();
    return true;
}

// The module gets the whole package and comes back with the old version.
async function refuses(scene, module) {
    await module.download();
    await scene.awaitAttempt(module, 'delivered');
    await module.ask();
}

const factsOf = ({ json: { id, at, summary, ...facts } }) => facts;
const stepsOf = (events) => events.map(({ kind, json }) => [kind, json.stage, json.why ?? json.gate].filter(Boolean).join(' '));

describe('a campaign', () => {
    test('tells that its stages are done and that it is finished', async (t) => {
        const { server, receiver } = await begin(t);
        const { scene, modules, number } = await campaign(server, 2, [{ devices: 1 }, { all: true }]);
        const about = { product: scene.product, firmware: 'pump', campaign: number, name: 'spring', target: '2', stages: 2 };
        assert.ok(await takes(modules[0]));
        const [first] = await receiver.took(1);
        assert.deepEqual(factsOf(first), { event: 'stage-done', ...about, stage: 1, confirmed: 1, failed: 0, silent: 0 });
        assert.equal(first.json.summary, `Campaign spring (pump to 2, product ${scene.product}): stage 1 of 2 is done; `
            + 'confirmed: 1, failed: 0, silent: 0. Next: stage 2 of 2 admits all devices.');
        assert.ok(await takes(modules[1]));
        const [, last, end] = await receiver.took(3);
        assert.deepEqual(factsOf(last), { event: 'stage-done', ...about, stage: 2, confirmed: 1, failed: 0, silent: 0 });
        assert.deepEqual(factsOf(end), { event: 'campaign-finished', ...about, stage: 2, confirmed: 2, failed: 0, silent: 0 });
        assert.match(end.json.summary, / is finished; confirmed: 2, failed: 0, silent: 0\.$/);
        assert.equal(receiver.events.length, 3);
    });

    test('tells which gate paused it and which devices broke it; so do the API, the ledger and dfotactl', async (t) => {
        const { server, receiver } = await begin(t);
        const { scene, modules, ids, number, act, state } = await campaign(server, 3, [{ devices: 2, max_failed: 1 }, { all: true }]);
        for (const module of modules.slice(0, 2))
            await refuses(scene, module);
        const [paused, person] = await receiver.took(2);
        const about = { product: scene.product, firmware: 'pump', campaign: number, name: 'spring', target: '2', stage: 1, stages: 2 };
        const reason = 'stage 1: devices that did not apply a package: 2, allowed are 1';
        const devices = [ids[1], ids[0]];
        assert.deepEqual(factsOf(paused), { event: 'campaign-paused', ...about, reason, gate: 'max_failed', gate_stage: 1, devices, count: 2 });
        assert.ok(paused.json.summary.endsWith(` is paused: ${reason}: ${devices.join(', ')}.`), paused.json.summary);
        assert.deepEqual(factsOf(person), { event: 'needs-person', ...about, why: 'campaign-paused', notice: `it is paused: ${reason}: ${devices.join(', ')}` });
        const { broken_gate: broken } = await state();
        assert.deepEqual([broken.gate, broken.stage, broken.count], ['max_failed', 1, 2]);
        assert.deepEqual(broken.devices.map(({ device, outcome, stage }) => [`imei:${device}`, outcome, stage]), devices.map((id) => [id, 'not_applied', 1]));
        const [row] = (await ledgerRows(server, { product: scene.product })).filter(({ kind }) => kind === 'campaign-paused');
        assert.deepEqual(row.detail, { campaign: 'spring', count: 2, devices, gate: 'max_failed', reason, reason_code: 'gate-failed', reason_params: ['1', '2', '1'], stage: 1, target: '2' });
        const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
        const shown = await run(['campaign', 'show', 'pump', 'spring', '--product', scene.product], { env });
        assertRun(shown, 0, { out: /gate of stage 1 broke: max_failed\. Its devices, the newest first \(2 of 2\)/ });
        for (const module of modules.slice(0, 2))
            assert.match(shown.out, new RegExp(`^ *${module.id} +not_applied`, 'm'));
        assert.equal((await act('resume')).broken_gate, null);
        await act('pause', { reason: 'rain' });
        const [, , again] = await receiver.took(3);
        assert.deepEqual(factsOf(again), { event: 'campaign-paused', ...about, reason: 'rain' });
        assert.equal((await state()).broken_gate, null);
    });

    test('tells of a silent device, of the end that waits for a person, and of an approval', async (t) => {
        const { server, receiver } = await begin(t, { config: { silent_after_ms: 300 } });
        const silent = await campaign(server, 2, [{ devices: 1 }, { all: true }]);
        await silent.modules[0].download();
        const [paused] = await receiver.took(2);
        assert.deepEqual([paused.json.gate, paused.json.devices, paused.json.count], ['max_silent', [silent.ids[0]], 1]);
        receiver.taken.length = 0;
        const asks = await campaign(server, 2, [{ devices: 1, approvals: 1 }, { all: true }], { pause_when_done: true });
        await takes(asks.modules[0]);
        const [approval] = await receiver.took(1);
        assert.deepEqual([approval.kind, approval.json.why, approval.json.notice], ['needs-person', 'approval', 'stage 1: 0 of 1 admins have approved']);
        await asks.act('approve?stage=1&by=Ann');
        await takes(asks.modules[1]);
        assert.deepEqual(stepsOf(await receiver.took(5)), ['needs-person 1 approval', 'stage-done 1', 'stage-done 2', 'campaign-paused 2', 'needs-person 2 campaign-paused']);
        assert.equal((await asks.act('resume')).state, 'finished');
        assert.deepEqual(stepsOf(await receiver.took(6)).at(-1), 'campaign-finished 2');
    });

    test('a template makes the body of the new kinds', async (t) => {
        const { server, receiver } = await begin(t, { hook: { kinds: [], template: '{"t":"{summary}","n":[{campaign},{count},{stage}],"d":"{devices}{gate}{from}"}' } });
        const { scene, modules, number } = await campaign(server, 1, [{ devices: 1 }]);
        await refuses(scene, modules[0]);
        const [paused] = await receiver.took(1, ({ kind }) => kind === 'campaign-paused');
        assert.deepEqual([paused.json.n, paused.json.d], [[number, 1, 1], `imei:${modules[0].id}max_failed`]);
        assert.match(paused.json.t, /^Campaign spring .* is paused: /);
    });
});

describe('a package out of service', () => {
    test('is told: by the canary, by several devices, and by an admin', async (t) => {
        const { server, receiver } = await begin(t);
        const ways = [
            ['canary', { canary: true }, 1, /^1 device came back with 1/],
            ['devices', {}, 2, /^2 devices came back with 1/],
            ['admin', {}, 0, /^the cells of village 7 fail$/],
        ];
        for (const [why, options, count, reason] of ways) {
            const scene = await Scene.build(server, { versions: ['1', '2'], ...options });
            if (count === 2)
                await scene.set({ quarantine_after: 2 });
            await scene.makePackage();
            let device = null;
            for (let i = 0; i < count; i += 1) {
                const module = scene.module();
                device = `imei:${module.id}`;
                await refuses(scene, module);
            }
            for (let i = 0; count === 0 && i < 2; i += 1)
                await server.admin('PUT', scene.path('/packages/1/2/quarantine'), { reason: 'the cells of village 7 fail' }, { expect: 204 });
            const mine = ({ json }) => json.product === scene.product;
            const [told, person] = await receiver.took(2, mine);
            const { reason: said, ...facts } = factsOf(told);
            assert.deepEqual(facts, { event: 'package-quarantined', product: scene.product, firmware: 'pump', from: '1', to: '2', why, ...(device && { device }) });
            assert.match(said, reason);
            const notice = `the package from 1 to 2 is out of service: ${said}`;
            assert.deepEqual(factsOf(person), { event: 'needs-person', product: scene.product, firmware: 'pump', from: '1', to: '2', why: 'package-quarantined', notice });
            assert.ok(told.json.summary.endsWith(`${notice}.`));
            assert.equal(receiver.events.filter(mine).length, 2, 'told once');
        }
    });
});

describe('order', () => {
    // What the ledger has of the campaign, as the events that have to arrive.
    async function expected(server, scene) {
        const rows = (await ledgerRows(server, { product: scene.product })).filter(({ kind }) => kind.startsWith('campaign-'));
        return rows.flatMap(({ kind, detail }) => {
            if (kind === 'campaign-stage-began' && detail.stage > 1)
                return [`stage-done ${detail.stage - 1}`];
            if (kind === 'campaign-paused')
                return [`campaign-paused ${detail.stage} ${detail.gate}`, `needs-person ${detail.stage} campaign-paused`];
            return kind === 'campaign-finished' ? ['stage-done 5', 'campaign-finished 5'] : [];
        });
    }

    test('the events of a campaign arrive at least once and in order, whatever receiver and server go through', async (t) => {
        const clock = new Clock();
        let ahead = 0;
        const skip = (ms) => clock.ahead(ahead += ms);
        const { server, receiver, webhook } = await begin(t, { hook: { secret }, wrapper: clock.wrapper });
        const healthy = await Receiver.start(t);
        await create(server, healthy, { kinds, secret });
        const stages = [1, 2, 3, 4].map((devices) => ({ devices, min_confirmed: 1 }));
        const { scene, modules, number, act, state } = await campaign(server, 6, [...stages, { all: true }]);
        const kill = async () => {
            await server.restart({ hard: true });
            for (const module of modules)
                module.address = server.device;
        };
        // A module that takes the package while the server is killed: it tries again.
        const takesWhileKilled = async (module) => {
            const asking = takes(module).catch(() => null);
            await new Promise((done) => setTimeout(done, 60 * Math.random()));
            await kill();
            await asking;
            await poll('it is confirmed', async () => {
                await (module.version === '1' ? takes(module) : module.ask());
                return (await scene.record(module)).confirmed_version === '2';
            });
        };
        await receiver.stop(); // connections are refused
        await takesWhileKilled(modules[0]);
        await poll('a try is recorded', async () => (await listed(server, webhook, 'waiting')).some((row) => row.tries > 0));
        await healthy.took(1);
        receiver.answer = () => 'hang'; // the receiver has the event, and the server does not learn of it
        await receiver.listen();
        skip(3_600_000);
        await receiver.got(1);
        await takesWhileKilled(modules[1]);
        await receiver.got(2);
        await healthy.took(2); // it did not wait for the one that hangs
        const answers = [500, 'cut', 503, 500, 'cut', 429];
        let turn = 0;
        receiver.answer = () => (turn < 12 ? answers[turn++ % answers.length] : 204);
        await refuses(scene, modules[2]);
        await poll('the gate breaks', async () => (await state()).state === 'paused');
        await act('resume');
        for (const module of modules.slice(2)) // the one that refused takes the package now
            await takesWhileKilled(module);
        assert.equal((await state()).state, 'finished');
        await poll('all is delivered', async () => {
            skip(3_600_000);
            return (await show(server, webhook)).waiting === 0;
        }, { every_ms: 300 });
        const all = await expected(server, scene);
        assert.deepEqual(all.at(-1), 'campaign-finished 5');
        await poll('the healthy one has all', () => new Set(healthy.taken.map(({ id }) => id)).size === all.length);
        const ids = [];
        for (const { events, taken } of [receiver, healthy]) {
            assert.ok(events.every(({ json }) => json.campaign === number));
            const once = [...new Map(taken.map((event) => [event.id, event])).values()];
            assert.deepEqual(stepsOf(once), all);
            const order = events.map(({ id }) => id);
            assert.deepEqual(order, [...new Set(order)].flatMap((id) => order.filter((other) => other === id)), 'a later one waits for the one before');
            for (const event of events) {
                assert.equal(event.headers['x-dfota-signature'], signatureOf(secret, event));
                assert.equal(event.body, once.find(({ id }) => id === event.id).body, 'the same body each time');
            }
            ids.push(once.map(({ id }) => id));
        }
        assert.deepEqual(ids[0], ids[1], 'one event has one id');
        assert.ok(receiver.events.length > receiver.taken.length + 10);
    });

    test('a campaign whose event cannot be delivered holds up no other campaign', async (t) => {
        const { server, receiver, webhook } = await begin(t);
        const [stuck, other] = [await campaign(server, 2, [{ devices: 1 }, { all: true }]), await campaign(server, 2, [{ devices: 1 }, { all: true }])];
        receiver.answer = ({ json }) => (json.campaign === stuck.number ? 'hang' : 204);
        for (const { modules } of [stuck, other])
            for (const module of modules)
                assert.ok(await takes(module));
        assert.deepEqual(stepsOf(await receiver.took(3)), ['stage-done 1', 'stage-done 2', 'campaign-finished 2']);
        assert.equal(receiver.events.filter(({ json }) => json.campaign === stuck.number).length, 1, 'its later events wait');
        const waiting = await poll('only its events wait', async () => {
            const rows = await listed(server, webhook, 'waiting');
            return rows.length === 3 && rows;
        });
        assert.deepEqual(waiting.map(({ order }) => order), Array(3).fill(`campaign:${stuck.number}`));
    });
});
