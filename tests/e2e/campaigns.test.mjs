// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Campaigns over real check-ins: which modules get a package, when the next stage begins, and when the campaign stops.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { act, assertCounts, devices, fleet, path, show, start, takes } from './lib/campaigns.mjs';
import { ledgerRows, sql } from './lib/chain.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const many = { confirmed_percent: 0, max_failed: 1000, max_silent: 1000 };

async function draft(scene, body) {
    return (await scene.server.admin('POST', path(scene), { name: 'spring', target: scene.versions.at(-1), ...body }, { expect: 201 })).json;
}
const reason = async (scene, module) => (await scene.record(module)).last_answer.reason;

describe('stages', () => {
    test('five devices, half of them, all: each stage begins when the one before is confirmed', async () => {
        const { scene, modules, ids } = await fleet(server, 20);
        const { campaign } = await start(scene, {
            devices: ids, stages: [{ devices: 5, min_confirmed: 4 }, { percent: 50, confirmed_percent: 100 }, { all: true }],
        });
        assert.equal(await takes(modules[7]), false);
        assert.equal(await reason(scene, modules[7]), 'the campaign spring has not reached this device: stage 1 of 3 admits 5 devices');
        for (const module of modules.slice(0, 3))
            assert.equal(await takes(module), true);
        assert.deepEqual(await assertCounts(scene, campaign), { waiting: 17, admitted: 0, confirmed: 3, not_applied: 0, diverged: 0, silent: 0, out: 0 });
        assert.equal((await show(scene, campaign)).gate, 'stage 1: 3 of 4 devices have confirmed');
        assert.equal(await takes(modules[3]), true);
        assert.equal((await show(scene, campaign)).stage, 2);
        assert.equal(await takes(modules[10]), false);
        for (const module of modules.slice(4, 10))
            assert.equal(await takes(module), true);
        const now = await show(scene, campaign);
        assert.deepEqual([now.stage, now.state, now.counts.confirmed], [3, 'running', 10]);
        for (const module of modules.slice(10))
            assert.equal(await takes(module), true);
        const end = await show(scene, campaign);
        assert.deepEqual([end.state, end.counts.confirmed, end.counts.waiting], ['finished', 20, 0]);
        await assertCounts(scene, campaign);
        const kinds = (await ledgerRows(server, { product: scene.product })).map(({ kind }) => kind).filter((kind) => kind.startsWith('campaign-'));
        assert.deepEqual(kinds, ['campaign-added', 'campaign-started', 'campaign-stage-began', 'campaign-stage-began', 'campaign-stage-began', 'campaign-finished']);
    });

    test('an open audience counts devices: the first that ask, and a share of those that do not run the target', async () => {
        const { scene, modules } = await fleet(server, 30);
        for (const module of modules)
            await module.ask();
        const { campaign } = await start(scene, { stages: [{ devices: 2 }, { percent: 50, approvals: 1 }, { all: true }] });
        const got = [];
        for (const module of modules)
            got.push(await takes(module));
        assert.deepEqual(got, modules.map((_, n) => n < 15));
        assert.deepEqual((await show(scene, campaign)).gate, 'stage 2: 0 of 1 admins have approved');
        assert.equal((await modules[15].ask()).code, 27);
        await act(scene, campaign, 'approve?stage=2&by=Ann');
        assert.equal(await takes(modules[15]), true);
        assert.equal((await assertCounts(scene, campaign)).confirmed, 16);
    });

    test('a share of an open audience without a device is one device', async () => {
        const { scene, modules } = await fleet(server, 2);
        const { campaign } = await start(scene, { stages: [{ percent: 10, approvals: 1 }, { all: true }] });
        assert.deepEqual([await takes(modules[0]), await takes(modules[1])], [true, false]);
        assert.equal((await show(scene, campaign)).stage, 1);
    });

    test('named devices go first, and a device that runs the target is confirmed', async () => {
        const { scene, modules, ids } = await fleet(server, 4);
        modules[1].version = '2';
        await modules[1].ask();
        const { campaign } = await start(scene, { devices: ids, first: [ids[3], ids[1]], stages: [{ devices: 2 }, { all: true }] });
        assert.deepEqual((await devices(scene, campaign)).map(({ device }) => device), [3, 1, 0, 2].map((n) => modules[n].id));
        assert.deepEqual((await devices(scene, campaign, 'confirmed')).map(({ device, stage }) => [device, stage]), [[modules[1].id, 1]]);
        assert.equal(await takes(modules[0]), false);
        assert.equal(await takes(modules[3]), true);
        assert.equal(await takes(modules[0]), true);
        assert.equal(await takes(modules[2]), true);
        assert.equal((await show(scene, campaign)).state, 'finished');
    });

    test('two hops are one way: the device is confirmed with the last one', async () => {
        const { scene, modules, ids } = await fleet(server, 2, { versions: ['1', '2', '3'] });
        await server.admin('PATCH', scene.path('/images/2'), { waypoint: 'required', reason: 'a new file system' }, { expect: 200 });
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        await modules[0].upgrade();
        assert.equal(modules[0].version, '2');
        const { body } = await modules[0].askUntilMade();
        assert.equal((await show(scene, campaign)).counts.admitted, 1);
        assert.equal(await takes(modules[1]), false);
        await modules[0].applyAndReboot(body);
        await modules[0].ask();
        assert.deepEqual([modules[0].version, (await show(scene, campaign)).stage], ['3', 2]);
    });
});

describe('gates', () => {
    test('a device that comes back with the old version pauses the campaign; a resume accepts it', async () => {
        const { scene, modules, ids } = await fleet(server, 6);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 3, min_confirmed: 2 }, { all: true }] });
        await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        assert.equal((await modules[0].ask()).code, 27, 'its own report has paused the campaign');
        const now = await show(scene, campaign);
        assert.equal(await reason(scene, modules[0]), `the campaign spring is paused: ${now.paused_why}`);
        assert.deepEqual([now.state, now.paused_why], ['paused', 'stage 1: devices that did not apply a package: 1, allowed are 0']);
        assert.equal((await devices(scene, campaign, 'not_applied'))[0].device, modules[0].id);
        assert.equal((await modules[1].ask()).code, 27);
        assert.equal(await reason(scene, modules[1]), `the campaign spring is paused: ${now.paused_why}`);
        const [line] = await server.logged('campaign-paused', 1, ({ reason: why }) => why === now.paused_why);
        assert.equal(line.campaign, 'spring');
        const resumed = await act(scene, campaign, 'resume?by=Ann');
        assert.deepEqual([resumed.state, resumed.stages[0].max_failed, resumed.stages[0].accepted_failed], ['running', 0, 1]);
        for (const module of modules.slice(1, 3))
            assert.equal(await takes(module), true);
        assert.equal((await show(scene, campaign)).stage, 2);
        await modules[4].download();
        await scene.awaitAttempt(modules[4], 'delivered');
        await modules[4].ask();
        assert.match((await show(scene, campaign)).paused_why, /^stage 2: /);
        await assertCounts(scene, campaign);
    });

    test('a device of an earlier stage that fails later pauses the campaign too', async () => {
        const { scene, modules, ids } = await fleet(server, 5);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 3, min_confirmed: 2 }, { all: true }] });
        await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        for (const module of modules.slice(1, 3))
            assert.equal(await takes(module), true);
        assert.equal((await show(scene, campaign)).stage, 2);
        await modules[0].ask();
        assert.equal((await show(scene, campaign)).paused_why, 'stage 1: devices that did not apply a package: 1, allowed are 0');
    });

    test('a silent device breaks the gate, and is confirmed when it is heard again', async (t) => {
        const on = await startServer(t, { config: { silent_after_ms: 300 } });
        const { scene, modules, ids } = await fleet(on, 3);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        const { bytes } = await modules[0].download();
        const paused = await poll('the campaign is paused', async () => {
            const now = await show(scene, campaign);
            return now.state === 'paused' && now;
        });
        assert.match(paused.paused_why, /^stage 1: devices that are silent after delivery: 1/);
        await modules[0].applyAndReboot(bytes);
        await modules[0].ask();
        assert.deepEqual((await assertCounts(scene, campaign)).confirmed, 1);
        assert.equal((await act(scene, campaign, 'resume')).stage, 2);
    });

    test('a silent device that comes back with the old version pauses the campaign, and gets nothing', async (t) => {
        const on = await startServer(t, { config: { silent_after_ms: 300 } });
        const { scene, modules, ids } = await fleet(on, 3);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, max_silent: 1 }, { all: true }] });
        await modules[0].download();
        await poll('the device is silent', async () => (await show(scene, campaign)).counts.silent === 1);
        assert.equal((await modules[0].ask()).code, 27);
        const now = await show(scene, campaign);
        assert.deepEqual([now.state, now.counts.not_applied, now.counts.silent], ['paused', 1, 0]);
        assert.equal(await reason(scene, modules[0]), `the campaign spring is paused: ${now.paused_why}`);
    });

    test('a device that asks again over its link, without a report, is not silent', async (t) => {
        const on = await startServer(t, { config: { link_offer_gap_ms: 0 } });
        const scene = await Scene.build(on, { versions: ['1', '2'], target: null });
        const { module } = await scene.linkedModule();
        const { campaign } = await start(scene, { devices: [`imei:${module.id}`] });
        for (let times = 0; times < 2; times += 1) {
            await module.download();
            await scene.awaitAttempt(module, 'delivered');
        }
        const now = await show(scene, campaign);
        assert.deepEqual([now.state, now.counts.admitted, now.counts.silent], ['running', 1, 0]);
    });

    test('the next stage begins some time after the last confirmation', async (t) => {
        const on = await startServer(t, { config: { silent_after_ms: 200 } }); // looks often
        const { scene, modules, ids } = await fleet(on, 2);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, settle_ms: 5000 }, { all: true }] });
        await takes(modules[0]);
        const before_ms = (await show(scene, campaign)).stages[0].last_confirmed_at;
        assert.equal((await show(scene, campaign)).gate, 'stage 1: the last confirmation is not old enough');
        const now = await poll('stage 2 begins', async () => {
            const seen = await show(scene, campaign);
            return seen.stage === 2 && seen;
        });
        assert.ok(now.stage_started_at - before_ms >= 5000);
    });

    test('a silent device confirms after the campaign has finished', async (t) => {
        const own = await startServer(t, { config: { silent_after_ms: 300 } });
        const { scene, modules, ids } = await fleet(own, 1);
        const { campaign } = await start(scene, { devices: ids, stages: [{ all: true, max_silent: 1 }] });
        const { bytes } = await modules[0].download();
        await poll('the campaign is finished', async () => (await show(scene, campaign)).state === 'finished');
        assert.equal((await assertCounts(scene, campaign)).silent, 1);
        await modules[0].applyAndReboot(bytes);
        await modules[0].ask();
        assert.equal((await assertCounts(scene, campaign)).confirmed, 1);
    });

    test('two admins approve a stage: the same name does not count twice', async () => {
        const { scene, modules, ids } = await fleet(server, 2);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, approvals: 2 }, { all: true }] });
        await takes(modules[0]);
        const approve = (query) => server.admin('POST', path(scene, campaign, `/approve${query}`));
        for (const query of ['', '?by=Ann', '?stage=1', '?stage=0&by=Ann', '?stage=one&by=Ann'])
            assertProblem(await approve(query), 400, 'bad-request');
        assert.equal((await act(scene, campaign, 'approve?stage=1&by=Ann')).gate, 'stage 1: 1 of 2 admins have approved');
        assertProblem(await approve('?stage=1&by=Ann'), 409, 'already-approved');
        assert.equal((await act(scene, campaign, 'approve?stage=1&by=Bob')).stage, 2);
    });

    test('an approval counts only for the stage that it names, and only where one is needed', async () => {
        const { scene, modules, ids } = await fleet(server, 3);
        const stages = [{ devices: 1, approvals: 1 }, { devices: 2, approvals: 1, settle_ms: 86_400_000 }, { all: true }];
        const { campaign } = await start(scene, { devices: ids, stages });
        const refused = async (id, query) => assertProblem(await server.admin('POST', path(scene, id, `/approve?${query}`)), 409, 'campaign-state');
        await takes(modules[0]);
        assert.equal((await act(scene, campaign, 'approve?stage=1&by=Ann')).stage, 2);
        await refused(campaign, 'stage=1&by=Bob'); // Bob saw stage 1 before Ann approved it
        assert.deepEqual((await show(scene, campaign)).stages.map(({ approved }) => approved), [1, 0, 0]);
        await refused(campaign, 'stage=3&by=Bob');
        await takes(modules[1]);
        assert.equal((await act(scene, campaign, 'approve?stage=2&by=Bob')).stages[1].approved, 1);
        await refused(campaign, 'stage=2&by=Ann'); // it has all approvals, and waits for time
        const other = await start(scene, { name: 'other', stages: [{ devices: 1 }, { all: true }] });
        await refused(other.campaign, 'stage=1&by=Ann');
        await server.admin('PUT', scene.path('/target'), { version: '2' }, { expect: 200 });
        const plain = (await server.admin('GET', path(scene), null, { expect: 200 })).json.items.find((one) => one.plain);
        await refused(plain.campaign, 'stage=1&by=Ann');
    });

    test('a call refuses what it does not take, and changes nothing', async () => {
        const { scene, ids } = await fleet(server, 2);
        const { campaign } = await draft(scene, { devices: ids });
        const refused = async (method, rest, body = null) => assertProblem(await server.admin(method, path(scene, campaign, rest), body), 400, 'bad-request');
        await refused('POST', '/start', { dry_run: true });
        await refused('POST', '/start?dry-run=1');
        await refused('POST', '/start?dry_run=true');
        assert.equal((await show(scene, campaign)).state, 'draft');
        await act(scene, campaign, 'start?by=Ann');
        for (const verb of ['resume', 'cancel', 'approve?stage=1&by=Ann'])
            await refused('POST', `/${verb}`, { by: 'Ann' });
        for (const call of ['/pause?dry_run=1', '/cancel?dry_run=1', '/resume?stage=1', '/approve?stages=1&by=Ann'])
            await refused('POST', call);
        await refused('POST', '/retarget?dry_run=1', { target: '1' });
        await refused('GET', '/devices?state=waiting');
        await refused('GET', '?x');
        await refused('DELETE', '', { force: true });
        assert.equal((await show(scene, campaign)).state, 'running');
        for (const [method, query, body] of [['PUT', '?dry-run=1', { version: '2' }], ['DELETE', '?dry_run=1', null], ['DELETE', '', { dry_run: true }]])
            assertProblem(await server.admin(method, scene.path(`/target${query}`), body), 400, 'bad-request');
    });

    test('devices that go first are sent with the list that they are part of', async () => {
        const { scene, ids } = await fleet(server, 4);
        const { campaign } = await draft(scene, { devices: ids });
        const patch = (body) => server.admin('PATCH', path(scene, campaign), body);
        for (const first of [[ids[2]], []])
            assertProblem(await patch({ first }), 422, 'invalid');
        assert.deepEqual((await devices(scene, campaign)).map(({ device }) => `imei:${device}`), ids);
        assert.equal((await patch({ first: [ids[2]], devices: ids })).json.devices, 4);
        assert.equal((await devices(scene, campaign))[0].device, ids[2].slice(5));
        assertProblem(await patch({ first: [ids[2]], devices: null }), 422, 'invalid');
        assert.equal((await patch({ filter: 'version<2', frozen: true })).status, 200);
        assert.equal((await patch({ first: [ids[1]] })).status, 200);
    });

    test('pause when done: a person ends the campaign', async () => {
        const { scene, modules, ids } = await fleet(server, 1);
        const { campaign } = await start(scene, { devices: ids, pause_when_done: true });
        await takes(modules[0]);
        const now = await show(scene, campaign);
        assert.deepEqual([now.state, now.paused_why], ['paused', 'the last stage is done']);
        assert.deepEqual(((end) => [end.state, end.pause_when_done])(await act(scene, campaign, 'resume')), ['finished', true]);
    });

    test('a share of 0 is said: without it all devices confirm; the time counts from the start of the stage', async () => {
        const { scene, ids } = await fleet(server, 2);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, min_confirmed: 0 }, { all: true }] });
        assert.equal((await show(scene, campaign)).gate, 'stage 1: 0 of 1 devices have confirmed');
        await act(scene, campaign, 'cancel');
        const later = await start(scene, {
            name: 'later', devices: ids, stages: [{ devices: 1, confirmed_percent: 0, settle_ms: 86_400_000 }, { all: true }] });
        assert.deepEqual([later.stage, later.gate], [1, 'stage 1: the stage is not old enough']);
    });
});

describe('pause, cancel, retarget, copy', () => {
    test('a paused campaign begins nothing new, and lets a download end, or not', async () => {
        for (const finish_transfers of [true, false]) {
            const { scene, modules } = await fleet(server, 2, { kind: 'noise', size: 200_000 });
            await scene.set({ format: 'bsdiff' });
            const { campaign } = await start(scene, { finish_transfers });
            await modules[0].askUntilMade({ cutAfter: 1000 });
            await scene.awaitAttempt(modules[0], 'interrupted');
            await act(scene, campaign, 'pause', { reason: 'rain' });
            assert.equal((await modules[1].ask()).code, 27);
            assert.equal(await reason(scene, modules[1]), 'the campaign spring is paused: rain');
            const answer = await modules[0].ask({ range: 1000 });
            assert.equal(answer.status, finish_transfers ? 206 : 416);
            assert.match(await reason(scene, modules[0]), finish_transfers ? /is continued at byte 1000/ : /is paused: rain/);
            await act(scene, campaign, 'resume');
            assert.equal((await modules[1].ask()).status, 200);
        }
    });

    for (const [verb, body] of [['cancel', null], ['retarget', { target: '3' }]])
        test(`after ${verb} a download that has begun may end, or not`, async () => {
            for (const finish_transfers of [true, false]) {
                const { scene, modules } = await fleet(server, 1, { versions: ['1', '2', '3'], kind: 'noise', size: 200_000 });
                await scene.set({ format: 'bsdiff' });
                const { campaign } = await start(scene, { target: '2', finish_transfers });
                await modules[0].askUntilMade({ cutAfter: 1000 });
                await scene.awaitAttempt(modules[0], 'interrupted');
                await act(scene, campaign, 'pause', { reason: 'rain' });
                await act(scene, campaign, verb, body);
                if (verb === 'retarget')
                    await act(scene, campaign, 'resume');
                assert.equal((await modules[0].ask({ range: 1000 })).status, finish_transfers ? 206 : 416);
                assert.match(await reason(scene, modules[0]), finish_transfers ? /is continued at byte 1000/
                    : /^the campaign spring does not lead to 2 any more, and its downloads do not go on$/);
            }
        });

    test('a download goes on when another campaign leads to the same version', async () => {
        const { scene, modules } = await fleet(server, 1, { kind: 'noise', size: 200_000 });
        await scene.set({ format: 'bsdiff' });
        const { campaign } = await start(scene, { finish_transfers: false });
        await modules[0].askUntilMade({ cutAfter: 1000 });
        await scene.awaitAttempt(modules[0], 'interrupted');
        await act(scene, campaign, 'cancel');
        await server.admin('PUT', scene.path('/target'), { version: '2' }, { expect: 200 });
        assert.equal((await modules[0].ask({ range: 1000 })).status, 206);
    });

    test('a paused campaign begins no package of another path', async () => {
        const { scene, modules } = await fleet(server, 1, { versions: ['1', '2', '3'], kind: 'noise', size: 200_000 });
        await scene.set({ format: 'bsdiff' });
        const waypoint = (body) => server.admin('PATCH', scene.path('/images/2'), body, { expect: 200 });
        await waypoint({ waypoint: 'required', reason: 'a new file system' });
        await scene.makePackage('1', '2');
        await scene.makePackage('1', '3');
        const { campaign } = await start(scene, { target: '3' });
        await modules[0].askUntilMade({ cutAfter: 1000 });
        await scene.awaitAttempt(modules[0], 'interrupted');
        await act(scene, campaign, 'pause', { reason: 'rain' });
        await waypoint({ waypoint: 'allowed' });
        assert.equal((await modules[0].ask()).code, 27);
        assert.equal(await reason(scene, modules[0]), 'the campaign spring is paused: rain');
    });

    test('a cancelled campaign leads no device, and its state does not change any more', async () => {
        const { scene, modules } = await fleet(server, 1);
        const { campaign } = await start(scene, {});
        assert.equal((await act(scene, campaign, 'cancel')).state, 'cancelled');
        assert.equal((await modules[0].ask()).code, 27);
        assert.equal(await reason(scene, modules[0]), 'no target is set for this firmware');
        for (const verb of ['start', 'pause', 'resume', 'cancel'])
            assertProblem(await server.admin('POST', path(scene, campaign, `/${verb}`)), 409, 'campaign-state');
        assertProblem(await server.admin('DELETE', path(scene, campaign)), 409, 'campaign-state');
    });

    test('a new target begins with the first stage again', async () => {
        const { scene, modules, ids } = await fleet(server, 2, { versions: ['1', '2', '3'] });
        const { campaign } = await start(scene, { target: '2', devices: ids, stages: [{ devices: 1 }, { all: true }] });
        await takes(modules[0]);
        assert.equal((await show(scene, campaign)).stage, 2);
        const now = await act(scene, campaign, 'retarget', { target: '3' });
        assert.deepEqual([now.stage, now.target, now.counts.waiting, now.counts.confirmed], [1, '3', 2, 0]);
        assert.equal(await takes(modules[1]), false);
        assert.equal(await takes(modules[0]), true);
        assert.deepEqual([modules[0].version, (await show(scene, campaign)).stage], ['3', 2]);
        await assertCounts(scene, campaign);
    });

    test('a new target and a copy have the limits that an admin wrote, and nothing of what was', async () => {
        const { scene, modules, ids } = await fleet(server, 2, { versions: ['1', '2', '3'] });
        const { campaign } = await start(scene, { target: '2', devices: ids, pause_when_done: true });
        const copy = async (name) => (await server.admin('POST', path(scene, campaign, '/copy'), { name }, { expect: 201 })).json;
        await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        await modules[0].ask();
        const first = await copy('first');
        assert.deepEqual([first.state, first.broken_gate, first.paused_why, first.pause_when_done], ['draft', null, null, true]);
        assert.deepEqual((await act(scene, campaign, 'resume')).stages[0].accepted_failed, 1);
        await takes(modules[1]);
        assert.equal((await show(scene, campaign)).paused_why, 'the last stage is done');
        const second = await copy('second');
        assert.deepEqual([second.stages[0].max_failed, second.stages[0].accepted_failed, second.actual.bytes], [0, 0, 0]);
        const now = await act(scene, campaign, 'retarget', { target: '3' });
        assert.deepEqual([now.state, now.paused_why], ['paused', 'it leads to version 3 now, and waits to be resumed']);
        assert.deepEqual([now.stages[0].max_failed, now.stages[0].accepted_failed], [0, 0]);
        assert.equal((await act(scene, campaign, 'resume')).state, 'running');
        for (const module of modules)
            await takes(module);
        assert.deepEqual([(await show(scene, campaign)).state, (await show(scene, campaign)).paused_why], ['paused', 'the last stage is done']);
    });

    test('an unfinished download that begins anew counts for the new target', async () => {
        const { scene, modules, ids } = await fleet(server, 2, { versions: ['1', '2', '3', '4'], kind: 'noise', size: 200_000 });
        await scene.set({ format: 'bsdiff' });
        await server.admin('PATCH', scene.path('/images/2'), { waypoint: 'required', reason: 'a new file system' }, { expect: 200 });
        await scene.makePackage('1', '2');
        const { campaign } = await start(scene, { target: '3', devices: ids });
        await modules[0].askUntilMade({ cutAfter: 1000 });
        await scene.awaitAttempt(modules[0], 'interrupted');
        await act(scene, campaign, 'retarget', { target: '4' });
        assert.equal((await modules[0].askUntilMade()).status, 200);
        await scene.awaitAttempt(modules[0], 'delivered');
        await modules[0].ask();
        assert.deepEqual([(await show(scene, campaign)).counts.not_applied, (await show(scene, campaign)).state], [1, 'paused']);
    });

    test('a copy is a draft with the same devices and stages', async () => {
        const { scene, ids } = await fleet(server, 3);
        const { campaign, stages } = await start(scene, { devices: ids, stages: [{ devices: 1, settle_ms: 5 }, { all: true }] });
        const copy = (await server.admin('POST', path(scene, campaign, '/copy'), { name: 'again' }, { expect: 201 })).json;
        assert.deepEqual([copy.state, copy.devices, copy.stages], ['draft', 3, stages]);
        assertProblem(await server.admin('POST', path(scene, campaign, '/copy'), { name: 'spring' }), 409, 'campaign-exists');
        assert.deepEqual((await devices(scene, 'again')).map(({ device }) => `imei:${device}`), ids);
        await server.admin('DELETE', path(scene, 'again'), null, { expect: 204 });
        assertProblem(await server.admin('GET', path(scene, 'again')), 404, 'campaign-not-found');
    });

    test('a withdrawn version pauses the campaigns that lead to it', async () => {
        const { scene } = await fleet(server, 0);
        const { campaign } = await start(scene, {});
        assertProblem(await server.admin('DELETE', scene.path('/images/2')), 409, 'image-in-use');
        await server.admin('PATCH', scene.path('/images/2'), { withdrawn: true, reason: 'it reboots' }, { expect: 200 });
        assert.equal((await show(scene, campaign)).paused_why, 'version 2 is withdrawn');
        assertProblem(await server.admin('POST', path(scene, campaign, '/resume')), 409, 'image-withdrawn');
        assert.equal((await show(scene, campaign)).state, 'paused');
        await server.admin('PATCH', scene.path('/images/2'), { withdrawn: false }, { expect: 200 });
        assert.equal((await act(scene, campaign, 'resume')).state, 'running');
    });
});

test('the list of all firmwares has pages, the newest first, with the product', async () => {
    const made = [];
    for (const name of ['north', 'south']) {
        const { scene } = await fleet(server, 0);
        made.push([scene.product, scene.firmware, (await draft(scene, { name })).campaign]);
    }
    const all = (query) => server.admin('GET', `/campaigns?${query}`, null, { expect: 200 });
    const first = await all('limit=1');
    assert.match(first.headers.link, /^<http:\/\/[^/]+\/api\/v1\/campaigns\?limit=1&after=\d+>; rel="next"$/);
    const second = await all(/\?([^>]*)/.exec(first.headers.link)[1]);
    assert.deepEqual([...second.json.items, ...first.json.items].map((c) => [c.product, c.firmware, c.campaign]), made);
    const single = (await server.admin('GET', `/products/${made[1][0]}/firmware/${made[1][1]}/campaigns/south`)).json;
    assert.deepEqual(first.json.items[0], { ...single, product: made[1][0] });
});

describe('one device, one campaign', () => {
    test('two campaigns cannot lead a device to two versions', async () => {
        const { scene, ids } = await fleet(server, 3, { versions: ['1', '2', '3'] });
        await start(scene, { target: '2', devices: ids.slice(0, 2) });
        const other = await draft(scene, { name: 'other', target: '3', devices: ids.slice(1) });
        const refused = await server.admin('POST', path(scene, other.campaign, '/start'));
        assertProblem(refused, 409, 'campaign-conflict');
        assert.match(refused.json.detail, /campaign other \(to 3\) and campaign spring \(to 2\)/);
        assert.match((await server.admin('POST', path(scene, other.campaign, '/start?dry_run=1'))).json.conflict, /spring/);
        assertProblem(await server.admin('PUT', scene.path('/target'), { version: '3' }), 409, 'campaign-conflict');
        await server.admin('PATCH', path(scene, other.campaign), { devices: ids.slice(2) }, { expect: 200 });
        await act(scene, other.campaign, 'start');
        assertProblem(await server.admin('POST', path(scene), { name: 'other', target: '3' }), 409, 'campaign-exists');
    });

    test('two lists lead devices of one version to two targets', async () => {
        const { scene, modules, ids } = await fleet(server, 5, { versions: ['1', '2', '3'] });
        await start(scene, { target: '2', devices: [ids[0], ids[2]] });
        await start(scene, { name: 'other', target: '3', devices: [ids[1], ids[3]] });
        for (const module of modules.slice(0, 4))
            assert.equal(await takes(module), true);
        assert.deepEqual(modules.map(({ version }) => version), ['2', '3', '2', '3', '1']);
        assert.equal(await takes(modules[4]), false);
        for (const name of ['spring', 'other'])
            assert.deepEqual([(await show(scene, name)).state, (await show(scene, name)).counts.confirmed], ['finished', 2]);
    });

    test('the target of a firmware is a plain campaign', async () => {
        const { scene, modules } = await fleet(server, 1, { versions: ['1', '2', '3'] });
        await scene.setTarget('2');
        const list = async () => (await server.admin('GET', path(scene), null, { expect: 200 })).json.items;
        const [plain] = await list();
        assert.deepEqual([plain.plain, plain.name, plain.target, plain.state, plain.audience], [true, 'target', '2', 'running', 'all']);
        await takes(modules[0]);
        assert.equal((await list())[0].counts.confirmed, 1);
        assertProblem(await server.admin('POST', path(scene, plain.campaign, '/cancel')), 409, 'campaign-state');
        await scene.setTarget('3');
        assert.deepEqual((await list()).map(({ target, state }) => [target, state]), [['3', 'running'], ['2', 'cancelled']]);
        await server.clearTarget(scene.product, scene.firmware);
        assert.equal((await server.admin('GET', scene.path())).json.target, null);
    });
});

describe('the effect', () => {
    test('is shown before the start: by path, with bytes, and what cannot be reached', async () => {
        const { scene, modules, ids } = await fleet(server, 3);
        const { size } = await scene.makePackage();
        modules[2].version = '7';
        for (const module of modules)
            await module.ask();
        const { campaign } = await draft(scene, { devices: ids });
        const { json } = await server.admin('POST', path(scene, campaign, '/start?dry_run=1'), null, { expect: 200 });
        assert.deepEqual([json.devices, json.bytes, json.conflict], [3, 2 * size, null]);
        assert.deepEqual(json.groups.map((g) => [g.version, g.devices, g.effect, g.path, g.hops]),
            [['1', 2, 'upgrade', ['1', '2'], 1], ['7', 1, 'above', null, null]]);
        const { devices: led, bytes, hops, canaries, rounds, rhythm_known, duration_ms } = json.forecast;
        assert.deepEqual([led, bytes, hops, canaries, rounds, rhythm_known, duration_ms], [2, 2 * size, 1, 0, 2, 0, null]);
        assert.deepEqual((({ forecast, actual }) => [forecast, actual.elapsed_ms])(await show(scene, campaign)), [null, null]);
        assert.equal((await show(scene, campaign)).state, 'draft');
        const target = (await server.admin('PUT', scene.path('/target?dry_run=1'), { version: '1' }, { expect: 200 })).json;
        assert.deepEqual(target.groups.map((g) => [g.version, g.effect]), [['1', 'up_to_date'], ['7', 'above']]);
        assert.equal((await server.admin('GET', scene.path())).json.target, null);
    });
});

describe('the forecast', () => {
    const hour = 3_600_000;

    // Each device asked `days` days ago for the first time, and once in `every` hours since.
    const setRhythm = (scene, every, days) => sql(server, `UPDATE device SET first_seen_ms = last_seen_ms - ${days * 24 * hour}, pauses = ${days * 24 / every},
        pauses_ms = ${days * 24 * hour} WHERE firmware_id = (SELECT id FROM firmware WHERE name = '${scene.firmware}' AND product_id =
        (SELECT id FROM product WHERE product_key = '${scene.product}'))`);

    test('time at the rhythm of the fleet, stored at the start, beside what came of it', async () => {
        const { scene, modules, ids } = await fleet(server, 10, { canary: true });
        const { size } = await scene.makePackage('1', '2');
        for (const module of modules)
            await module.ask();
        await scene.record(modules[0]); // stores the counts of check-ins
        setRhythm(scene, 6, 30);
        const { campaign } = await draft(scene, { devices: ids, stages: [{ devices: 1, settle_ms: 24 * hour, approvals: 1 }, { all: true }] });
        const dry = (await server.admin('POST', path(scene, campaign, '/start?dry_run=1'), null, { expect: 200 })).json.forecast;
        assert.deepEqual([dry.sampled, dry.rhythm_known, dry.interval_ms, dry.slow_interval_ms], [10, 10, 6 * hour, 6 * hour]);
        assert.deepEqual([dry.rounds, dry.canaries, dry.settle_ms, dry.approvals, dry.duration_ms], [5, 1, 24 * hour, 1, 54 * hour]);
        const { forecast, actual } = await act(scene, campaign, 'start');
        assert.deepEqual(forecast, dry);
        assert.deepEqual([actual.confirmed, actual.bytes, actual.bytes_in_vain], [0, 0, 0]);
        await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        await modules[0].ask();
        const failed = await show(scene, campaign);
        assert.deepEqual([failed.actual.confirmed, failed.actual.bytes, failed.actual.bytes_in_vain], [0, size, size]);
        assert.ok(failed.actual.elapsed_ms > 0 && failed.actual.elapsed_ms < hour);
        const turned = (await act(scene, campaign, 'retarget', { target: '1' }));
        assert.deepEqual([turned.forecast.devices, turned.forecast.duration_ms, turned.actual.bytes], [0, null, size]);
        assert.equal((await server.admin('POST', path(scene, campaign, '/copy'), { name: 'again' }, { expect: 201 })).json.forecast, null);
    });

    test('a package that is confirmed needs no canary, and a target has a forecast too', async () => {
        const { scene, modules } = await fleet(server, 3, { canary: true });
        await scene.setTarget('2');
        await takes(modules[0]);
        await modules[1].ask();
        const { forecast } = (await server.admin('PUT', scene.path('/target?dry_run=1'), { version: '2' }, { expect: 200 })).json;
        assert.deepEqual([forecast.devices, forecast.canaries, forecast.rounds], [1, 0, 2]);
        await server.clearTarget(scene.product, scene.firmware);
        await scene.setTarget('2');
        const [plain] = (await server.admin('GET', path(scene), null, { expect: 200 })).json.items;
        assert.deepEqual([plain.forecast.devices, plain.forecast.rounds], [1, 2]);
        await takes(modules[1]);
        assert.equal((await show(scene, plain.campaign)).actual.confirmed, 1);
    });
});

describe('what an admin writes', () => {
    test('a list as CSV, with devices that are new', async () => {
        const { scene, ids } = await fleet(server, 3);
        const { campaign } = await draft(scene, {});
        const csv = (text) => server.admin('PUT', path(scene, campaign, '/devices'), text, { headers: { 'Content-Type': 'text/csv' } });
        const put = await csv(`imei,first\n${ids[0].slice(5)}\n${ids[1].slice(5)},first\n${ids[0].slice(5)}\n`);
        assert.deepEqual([put.status, put.json.devices, put.json.new_devices], [200, 2, 2]);
        assert.deepEqual((await devices(scene, campaign)).map(({ device }) => `imei:${device}`), [ids[1], ids[0]]);
        assertProblem(await csv(`${ids[0].slice(5)},last\n`), 422, 'invalid');
        assert.equal((await server.admin('PATCH', path(scene, campaign), { devices: null }, { expect: 200 })).json.audience, 'all');
    });

    test('what cannot be run is refused', async () => {
        const { scene } = await fleet(server, 0);
        const refused = async (body, code = 'invalid', status = 422) =>
            assertProblem(await server.admin('POST', path(scene), { name: 'x', target: '2', ...body }), status, code);
        await refused({ name: '17' });
        await refused({ target: '9' }, 'image-not-found', 404);
        await refused({ devices: [] });
        await refused({ devices: ['imei:000'] }, 'bad-device');
        await refused({ stages: [] });
        await refused({ stages: [{ devices: 5 }, { devices: 4 }] });
        await refused({ stages: [{ all: true }, { percent: 50 }] });
        await refused({ stages: [{ devices: 5, percent: 5 }] });
        await refused({ stages: [{ devices: 5, least: 5 }] }, 'bad-request', 400);
        await refused({ stages: [{ devices: 5, approvals: 3 }] });
        await refused({ stages: [{ devices: -1 }] });
        assert.equal((await server.admin('GET', path(scene))).json.items.length, 0, 'nothing is left of a refused one');
    });

    test('a running campaign is no draft', async () => {
        const { scene, ids } = await fleet(server, 1);
        const { campaign } = await start(scene, {});
        assertProblem(await server.admin('PATCH', path(scene, campaign), { devices: ids }), 409, 'campaign-state');
        assert.equal((await server.admin('PATCH', path(scene, campaign), { pause_when_done: true }, { expect: 200 })).json.pause_when_done, true);
    });
});

test('the counts are right after the server was killed in the middle', async (t) => {
    const on = await startServer(t);
    const { scene, modules, ids } = await fleet(on, 12);
    const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 6, min_confirmed: 6, max_failed: 1000, max_silent: 1000 }, { all: true }] });
    await scene.makePackage();
    for (let round = 0; round < 3; round++) {
        const asking = modules.map((module) => takes(module).catch(() => null));
        await poll('a module got it', async () => (await on.admin('GET', path(scene, campaign)).catch(() => null))?.json?.counts.confirmed > round * 2 || null)
            .catch(() => null);
        await on.restart({ hard: true });
        await Promise.all(asking);
        modules.forEach((module) => { module.address = on.device; });
        await assertCounts(scene, campaign);
    }
    const end = await poll('all are done', async () => {
        for (const module of modules)
            if (module.version === '1')
                await takes(module);
            else
                await module.ask();
        return (await show(scene, campaign)).state === 'finished';
    });
    assert.ok(end);
    assert.equal((await assertCounts(scene, campaign)).confirmed, 12);
    assert.equal(sql(on, 'SELECT count(*) FROM campaign_device')?.toString().trim(), '12');
});
