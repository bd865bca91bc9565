// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Which devices a campaign leads: by filter, in which order, and what happens when a device is held out, retired, replaced,
// deleted, or moves to another firmware.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ctlOf, ledgerRows } from './lib/chain.mjs';
import { scratch } from './lib/ctl.mjs';
import { firmwareImage } from './lib/firmware.mjs';
import { nextImei } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

async function fleet(count, { tags = [], ...options } = {}) {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null, ...options });
    const modules = Array.from({ length: count }, () => scene.module());
    for (const [n, module] of modules.entries()) {
        await module.ask();
        if (tags[n])
            await patch(scene, module, { tags: tags[n] });
    }
    return { scene, modules, ids: modules.map((m) => `imei:${m.id}`) };
}

const path = (scene, id = '', rest = '') => scene.path(`/campaigns${id ? `/${id}` : ''}${rest}`);
const add = (scene, body) => server.admin('POST', path(scene), { name: 'spring', target: scene.versions.at(-1), ...body });
async function draft(scene, body) {
    const answer = await add(scene, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.json));
    return answer.json;
}
const act = async (scene, id, verb, body = null) => (await server.admin('POST', path(scene, id, `/${verb}`), body, { expect: 200 })).json;
const show = async (scene, id) => (await server.admin('GET', path(scene, id), null, { expect: 200 })).json;
const started = async (scene, body) => act(scene, (await draft(scene, body)).campaign, 'start');
const dryRun = async (scene, id) => (await server.admin('POST', path(scene, id, '/start?dry_run=1'), null, { expect: 200 })).json;
const rows = async (scene, id) => (await server.admin('GET', path(scene, id, '/devices?limit=1000'), null, { expect: 200 })).json.items;
const order = async (scene, id) => (await rows(scene, id)).map(({ device }) => `imei:${device}`);
const patch = (scene, module, body) => server.admin('PATCH', scene.deviceAdminPath(module), body, { expect: 200 });
const post = (scene, module, action, body = null) => server.admin('POST', scene.deviceAdminPath(module, `/${action}`), body);
const explain = async (scene, module) =>
    (await server.admin('GET', `/products/${scene.product}/explain?device=imei:${module.id}`, null, { expect: 200 })).json;
const reason = async (scene, module) => (await scene.record(module)).last_answer.reason;
const outcome = async (scene, id, module) => (await rows(scene, id)).find(({ device }) => device === module.id)?.outcome;

// Every device is in exactly one outcome, and the counts are those of the rows.
async function assertCounts(scene, id, expected = {}) {
    const { counts, stages, devices } = await show(scene, id);
    const list = await rows(scene, id);
    assert.equal(new Set(list.map(({ device }) => device)).size, list.length);
    for (const [name, count] of Object.entries(counts))
        assert.equal(list.filter((row) => row.outcome === name).length, count, name);
    stages.forEach((stage, n) => {
        for (const [name, count] of Object.entries(stage.counts))
            assert.equal(list.filter((row) => row.stage === n + 1 && row.outcome === name).length, count, `${name} in stage ${n + 1}`);
    });
    if (devices !== null)
        assert.equal(Object.values(counts).reduce((a, b) => a + b, 0), devices);
    for (const [name, count] of Object.entries(expected))
        assert.equal(counts[name], count, name);
}

async function takes(module) {
    const answer = await module.askUntilMade();
    if (answer.status !== 200)
        return false;
    await module.applyAndReboot(answer.body);
    assert.equal((await module.ask()).code, 27);
    return true;
}

// The module comes back with the old version.
async function fails(scene, module) {
    await module.download();
    await scene.awaitAttempt(module, 'delivered');
    await module.ask();
}

const pause = { confirmed_percent: 0, max_failed: 1000, max_silent: 1000, approvals: 2 };

describe('a filter', () => {
    test('is frozen or dynamic: there is no default', async () => {
        const { scene, ids } = await fleet(1);
        const refused = async (body, words) => {
            const answer = await add(scene, body);
            assertProblem(answer, 422, 'invalid');
            assert.match(answer.json.detail, words);
        };
        await refused({ filter: 'tag=north' }, /say with "frozen"/);
        await refused({ filter: 'tag=north', frozen: null }, /say with "frozen"/);
        await refused({ frozen: true }, /frozen belongs to a filter/);
        await refused({ filter: '', frozen: true }, /at least one condition/);
        await refused({ filter: 'tag>north', frozen: true }, /character 4: this condition has only/);
        await refused({ filter: 'tag=north', frozen: true, devices: ids }, /not both/);
        await refused({ filter: 'tag=north', frozen: false, first: ids }, /first is for a list/);
        await refused({ filter: 'tag=north', frozen: true, order: 'given' }, /hash or spread/);
        await refused({ order: 'random' }, /given, hash or spread/);
        const { campaign } = await draft(scene, { filter: 'tag=north', frozen: true });
        const nothing = await server.admin('POST', path(scene, campaign, '/start'));
        assertProblem(nothing, 422, 'invalid');
        assert.match(nothing.json.detail, /selects no device now/);
        assert.equal((await show(scene, campaign)).state, 'draft');
    });

    test('that is frozen makes the list at the start', async () => {
        const { scene, modules, ids } = await fleet(5, { tags: [['north'], ['north'], ['south'], ['north'], []] });
        const made = await draft(scene, { filter: 'version<2 and tag=north', frozen: true, first: [ids[4]] });
        assert.deepEqual([made.audience, made.filter, made.frozen, made.order, made.devices], ['filter', 'version<2 and tag=north', true, 'hash', null]);
        assert.deepEqual((await dryRun(scene, made.campaign)).devices, 4);
        await patch(scene, modules[3], { tags: ['south'] });
        await scene.makePackage();
        const effect = await dryRun(scene, made.campaign);
        assert.deepEqual([effect.devices, effect.groups.map((g) => [g.version, g.devices, g.effect])], [3, [['1', 3, 'upgrade']]]);
        const now = await act(scene, made.campaign, 'start');
        assert.deepEqual([now.devices, now.counts.waiting], [3, 3]);
        const list = await order(scene, made.campaign);
        assert.deepEqual([list[0], new Set(list.slice(1))], [ids[4], new Set(ids.slice(0, 2))]);
        await patch(scene, modules[3], { tags: ['north'] });
        await patch(scene, modules[0], { tags: [] });
        assert.equal(await takes(modules[3]), false, 'the list is fixed');
        assert.equal(await takes(modules[0]), true);
        await assertCounts(scene, made.campaign, { confirmed: 1, waiting: 2 });
        const [row] = (await ledgerRows(server, { product: scene.product })).filter(({ kind }) => kind === 'campaign-added');
        assert.deepEqual([row.detail.audience, row.detail.filter, row.detail.frozen], ['filter', 'version<2 and tag=north', true]);
    });

    test('that is dynamic is asked at each check-in, until a stage admits the device', async () => {
        const { scene, modules } = await fleet(3, { tags: [['north']] });
        const { campaign, audience, devices } = await started(scene, { filter: 'tag=north', frozen: false, finish_transfers: true });
        assert.deepEqual([audience, devices], ['filter', null]);
        assert.equal((await modules[1].ask()).code, 27);
        assert.equal(await reason(scene, modules[1]), 'no target is set for this firmware');
        assert.equal((await explain(scene, modules[1])).campaign, null);
        const { body } = await modules[0].askUntilMade();
        await patch(scene, modules[0], { tags: [] });
        assert.equal((await explain(scene, modules[0])).campaign.outcome, 'admitted');
        await modules[0].applyAndReboot(body);
        await modules[0].ask();
        await assertCounts(scene, campaign, { confirmed: 1 });
        await patch(scene, modules[1], { tags: ['north'] });
        assert.equal(await takes(modules[1]), true);
        assert.equal(await takes(modules[2]), false);
        await assertCounts(scene, campaign, { confirmed: 2 });
        assert.equal((await show(scene, campaign)).state, 'running', 'new devices may come');
    });

    test('that is dynamic sees the version that the device reports now, and the time when it was seen before', async () => {
        const { scene } = await fleet(0);
        await started(scene, { filter: 'version<2', frozen: false });
        assert.equal(await takes(scene.module()), true, 'a new device has a version at its first check-in');
        const seen = await fleet(1);
        await started(seen.scene, { filter: 'last_seen>7d', frozen: false });
        assert.equal(await takes(seen.modules[0]), false);
        assert.equal(await takes(seen.scene.module()), true, 'a device that was never seen is older than each age');
    });

    test('that is dynamic has stages: a number, and a share of what it selected at the start', async () => {
        const { scene, modules } = await fleet(12, { tags: Array.from({ length: 12 }, (_, n) => (n < 10 ? ['north'] : [])) });
        const { campaign } = await started(scene, { filter: 'tag=north', frozen: false, stages: [{ devices: 1 }, { percent: 30, approvals: 1 }, { all: true }] });
        const got = [];
        for (const module of [...modules].reverse())
            got.push(await takes(module));
        assert.deepEqual(got.map(Number), [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert.equal((await show(scene, campaign)).gate, 'stage 2: 0 of 1 admins have approved');
        await assertCounts(scene, campaign, { confirmed: 3 });
    });

    test('conflicts as all devices do, and a list goes before it', async () => {
        const { scene, modules, ids } = await fleet(3, { versions: ['1', '2', '3'], tags: [['north'], ['north'], ['north']] });
        await started(scene, { target: '3', filter: 'tag=north', frozen: false });
        const other = await draft(scene, { name: 'other', target: '2', devices: [ids[2]] });
        const refused = await server.admin('POST', path(scene, other.campaign, '/start'));
        assertProblem(refused, 409, 'campaign-conflict');
        assert.match(refused.json.detail, /campaign other \(to 2\) and campaign spring \(to 3\)/);
        assert.match((await dryRun(scene, other.campaign)).conflict, /spring/);
        assertProblem(await server.admin('PUT', scene.path('/target'), { version: '2' }), 409, 'campaign-conflict');
        await started(scene, { name: 'list', target: '3', devices: [ids[0], ids[1]], stages: [{ devices: 1 }, { all: true }] });
        assert.equal((await explain(scene, modules[1])).campaign.name, 'list');
        assert.equal((await explain(scene, modules[2])).campaign.name, 'spring');
        assert.equal(await takes(modules[1]), false);
        await scene.setTarget('3');
        assert.equal((await explain(scene, modules[2])).campaign.name, 'spring', 'a filter goes before all devices');
    });

    test('that is frozen conflicts with a list in the dry run too', async () => {
        const { scene, ids } = await fleet(2, { versions: ['1', '2', '3'], tags: [['north'], ['north']] });
        await started(scene, { target: '2', devices: [ids[0]] });
        const { campaign } = await draft(scene, { name: 'other', filter: 'tag=north', frozen: true });
        assert.match((await dryRun(scene, campaign)).conflict, /campaign other \(to 3\) and campaign spring \(to 2\)/);
        assertProblem(await server.admin('POST', path(scene, campaign, '/start')), 409, 'campaign-conflict');
    });

    test('is kept by a copy, and works with a new target', async () => {
        const { scene, modules, ids } = await fleet(3, { versions: ['1', '2', '3'], tags: [['north'], ['north'], ['north']] });
        const { campaign } = await started(scene, { target: '2', filter: 'tag=north', frozen: false, stages: [{ devices: 1 }, { all: true }] });
        await takes(modules[0]);
        const now = await act(scene, campaign, 'retarget', { target: '3' });
        assert.deepEqual([now.stage, now.counts.confirmed], [1, 0]);
        assert.equal(await takes(modules[1]), true);
        assert.equal(modules[1].version, '3');
        await assertCounts(scene, campaign, { confirmed: 1 });
        const copy = (await server.admin('POST', path(scene, campaign, '/copy'), { name: 'again' }, { expect: 201 })).json;
        assert.deepEqual([copy.state, copy.audience, copy.filter, copy.frozen], ['draft', 'filter', 'tag=north', false]);
        await act(scene, campaign, 'cancel');
        const frozen = await started(scene, { name: 'frozen', filter: 'tag=north', frozen: true, order: 'spread', first: [ids[2]] });
        const again = (await server.admin('POST', path(scene, frozen.campaign, '/copy'), { name: 'more' }, { expect: 201 })).json;
        assert.deepEqual([again.filter, again.frozen, again.order, again.devices, await order(scene, again.campaign)], ['tag=north', true, 'spread', null, [ids[2]]]);
        assert.equal((await server.admin('PATCH', path(scene, 'again'), { filter: null }, { expect: 200 })).json.audience, 'all');
    });
});

describe('a list', () => {
    test('has an order: as given, by hash, or spread over the tags', async () => {
        const tags = Array.from({ length: 12 }, (_, n) => (n < 8 ? ['north'] : n < 11 ? ['south'] : []));
        const { scene, ids } = await fleet(12, { tags });
        const given = await draft(scene, { devices: ids });
        assert.deepEqual([given.order, await order(scene, given.campaign)], ['given', ids]);
        const hash = await draft(scene, { name: 'hash', devices: ids, order: 'hash', first: [ids[3]] });
        const shuffled = await order(scene, hash.campaign);
        assert.equal(shuffled[0], ids[3]);
        assert.notDeepEqual(shuffled, [ids[3], ...ids.filter((id) => id !== ids[3])]);
        await server.admin('PATCH', path(scene, hash.campaign), { devices: [...ids].reverse(), first: [ids[3]] }, { expect: 200 });
        assert.deepEqual(await order(scene, hash.campaign), shuffled, 'the same devices have the same order');
        const spread = await draft(scene, { name: 'spread', devices: ids, order: 'spread' });
        const at = (await order(scene, spread.campaign)).map((id) => tags[ids.indexOf(id)].join() || 'none');
        assert.deepEqual(new Set(at.slice(0, 3)), new Set(['north', 'south', 'none']));
        assert.deepEqual(at.slice(7), Array.from({ length: 5 }, () => 'north'));
        assertProblem(await server.admin('PATCH', path(scene, given.campaign), { order: 'hash' }), 422, 'invalid');
    });

    test('is a CSV file, with a header as an import has, or without one', async () => {
        const { scene, modules, ids } = await fleet(3);
        const { campaign } = await draft(scene, {});
        const csv = (text) => server.admin('PUT', path(scene, campaign, '/devices'), text, { headers: { 'Content-Type': 'text/csv' } });
        const [a, b, c] = modules.map(({ id }) => id), fresh = nextImei();
        const put = await csv(`\uFEFFdevice,tags,note,first\r\n${a},"north, lab",behind the 村泵,\r\n${b},,,first\r\n${fresh},south,,\r\n`);
        assert.deepEqual([put.status, put.json.devices, put.json.new_devices], [200, 3, 1], JSON.stringify(put.json));
        assert.deepEqual(await order(scene, campaign), [ids[1], ids[0], `imei:${fresh}`]);
        const record = await scene.record(modules[0]);
        assert.deepEqual([record.tags, record.note], [['lab', 'north'], 'behind the 村泵']);
        const gbk = await csv(Buffer.concat([Buffer.from(`device,note\n${c},`), Buffer.from([0xb4, 0xe5, 0xb1, 0xc3]), Buffer.from('\n')]));
        assert.deepEqual([gbk.status, (await scene.record(modules[2])).note], [200, '村泵']);
        assert.equal((await csv(`${a}\n${b},first\n`)).json.devices, 2);
        assert.deepEqual(await order(scene, campaign), [ids[1], ids[0]]);
        assert.equal((await csv(`IMEI number\n${a}\n`)).json.devices, 1);
        assertProblem(await csv(`device,firmware\n${a},other\n`), 422, 'invalid');
        assertProblem(await csv(`device,colour\n${a},red\n`), 422, 'invalid');
        assertProblem(await csv(`${a},first,north\n`), 422, 'invalid');
        assert.deepEqual(await order(scene, campaign), [ids[0]], 'all lines or none');
    });
});

// The four states of a device, made in a campaign whose first stage reaches three devices: [confirmed, not_applied, admitted,
// waiting, waiting].
async function fiveStates() {
    const { scene, modules, ids } = await fleet(5, { kind: 'noise', size: 200_000 });
    await scene.set({ format: 'bsdiff' });
    await scene.makePackage();
    const { campaign } = await started(scene, { devices: ids, stages: [{ devices: 3, ...pause }, { all: true }] });
    assert.equal(await takes(modules[0]), true);
    await fails(scene, modules[1]);
    await modules[2].ask({ cutAfter: 1000 });
    await scene.awaitAttempt(modules[2], 'interrupted');
    await assertCounts(scene, campaign, { confirmed: 1, not_applied: 1, admitted: 1, waiting: 2, out: 0 });
    return { scene, modules, ids, campaign };
}
const states = ['confirmed', 'not_applied', 'admitted', 'waiting'];

describe('a device that takes no part', () => {
    for (const [n, state] of states.entries())
        test(`was ${state}, is out, and comes back`, async () => {
            const { scene, modules, campaign } = await fiveStates();
            const module = modules[n];
            for (const [leave, back] of [
                [() => patch(scene, module, { held_out: true }), () => patch(scene, module, { held_out: false })],
                [() => post(scene, module, 'retire'), () => post(scene, module, 'restore')]]) {
                await leave();
                await assertCounts(scene, campaign, { out: 1 });
                assert.equal(await outcome(scene, campaign, module), 'out');
                assert.equal((await module.ask()).code, 27);
                const record = await scene.record(module);
                assert.match(record.last_answer.reason, /^this device is (held out of all campaigns|retired)$/);
                assert.deepEqual([record.campaign.name, record.campaign.outcome, record.campaign.target], ['spring', 'out', '2']);
                await back();
                await assertCounts(scene, campaign, { out: 0 });
                const expected = state === 'confirmed' ? 'confirmed' : 'waiting';
                assert.equal(await outcome(scene, campaign, module), expected);
                assert.equal((await scene.record(module)).campaign.outcome, expected);
            }
        });

    test('gives its place in the stage to the next of the list, and the gate counts that one', async () => {
        const { scene, modules, ids } = await fleet(4);
        const { campaign } = await started(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        assert.equal(await takes(modules[1]), false);
        await fails(scene, modules[0]);
        assert.equal((await show(scene, campaign)).state, 'paused');
        await patch(scene, modules[0], { held_out: true });
        assert.deepEqual((await act(scene, campaign, 'resume')).stage, 1, 'no device has confirmed');
        assert.equal((await show(scene, campaign)).gate, 'stage 1: 0 of 1 devices have confirmed');
        assert.equal(await takes(modules[2]), false);
        assert.equal(await takes(modules[1]), true);
        assert.equal((await show(scene, campaign)).stage, 2);
        await post(scene, modules[2], 'retire');
        assert.equal(await takes(modules[3]), true);
        const now = await show(scene, campaign);
        assert.deepEqual([now.state, now.counts.confirmed, now.counts.out], ['running', 2, 2], 'the device that is held out may come back');
        await patch(scene, modules[0], { held_out: false });
        assert.equal(await takes(modules[0]), true);
        const end = await show(scene, campaign);
        assert.deepEqual([end.state, end.counts.confirmed, end.counts.out], ['finished', 3, 1], 'the retired device is not waited for');
        await assertCounts(scene, campaign);
    });

    test('is out from the start, and an open audience does not count it', async () => {
        const { scene, modules, ids } = await fleet(4);
        await scene.makePackage();
        await patch(scene, modules[0], { held_out: true });
        await post(scene, modules[1], 'retire');
        const { campaign } = await draft(scene, { devices: ids, stages: [{ percent: 50 }, { all: true }] });
        const effect = await dryRun(scene, campaign);
        assert.deepEqual([effect.devices, effect.out, effect.groups.map((g) => [g.effect, g.devices])], [2, 2, [['upgrade', 2], ['out', 2]]]);
        await act(scene, campaign, 'start');
        await assertCounts(scene, campaign, { out: 2, waiting: 2 });
        assert.equal(await takes(modules[3]), false);
        assert.equal(await takes(modules[2]), true, 'half of those that take part');
        await patch(scene, modules[0], { held_out: false });
        await assertCounts(scene, campaign, { out: 1, waiting: 2, confirmed: 1 });
        assert.equal(await takes(modules[0]), true);
        await act(scene, campaign, 'cancel');
        await patch(scene, modules[3], { held_out: true });
        const all = (await server.admin('PUT', scene.path('/target?dry_run=1'), { version: '2' }, { expect: 200 })).json;
        assert.deepEqual([all.devices, all.out], [2, 1]);
        assert.deepEqual((await server.admin('GET', `/products/${scene.product}/devices?q=held_out%3Dyes`)).json.items.map((d) => d.device), [modules[3].id]);
    });

    test('of an open audience leaves its count, and comes back without a place', async () => {
        const { scene, modules } = await fleet(3);
        const { campaign } = await started(scene, { stages: [{ devices: 2, ...pause }, { all: true }] });
        assert.equal(await takes(modules[0]), true);
        await fails(scene, modules[1]);
        await post(scene, modules[0], 'retire');
        await patch(scene, modules[1], { held_out: true });
        await assertCounts(scene, campaign, { out: 2, confirmed: 0, not_applied: 0 });
        await post(scene, modules[0], 'restore');
        await patch(scene, modules[1], { held_out: false });
        await assertCounts(scene, campaign, { out: 0, confirmed: 1, not_applied: 0 });
        assert.equal(await takes(modules[2]), true);
        await assertCounts(scene, campaign, { confirmed: 2 });
    });

    test('has another firmware now, and comes back', async () => {
        const { scene, modules, ids } = await fleet(2);
        await server.putImage(scene.product, 'other', '7', firmwareImage({ seed: 4711, size: 16_000, revision: 7 }));
        const { campaign } = await started(scene, { devices: ids });
        modules[0].firmware = 'other';
        modules[0].version = '7';
        await modules[0].ask();
        await assertCounts(scene, campaign, { out: 1, waiting: 1 });
        assert.equal(await takes(modules[1]), true);
        assert.equal((await show(scene, campaign)).state, 'finished');
        const again = await started(scene, { name: 'again', devices: ids });
        modules[0].firmware = scene.firmware;
        modules[0].version = '1';
        await assertCounts(scene, again.campaign, { out: 1, confirmed: 1 });
    });

    test('that comes back with its check-in is served', async () => {
        const { scene, modules, ids } = await fleet(2);
        await server.putImage(scene.product, 'other', '7', firmwareImage({ seed: 4712, size: 16_000, revision: 7 }));
        const { campaign } = await started(scene, { devices: ids });
        modules[0].firmware = 'other';
        modules[0].version = '7';
        await modules[0].ask();
        modules[0].firmware = scene.firmware;
        modules[0].version = '1';
        assert.equal(await takes(modules[0]), true);
        await assertCounts(scene, campaign, { out: 0, confirmed: 1, waiting: 1 });
    });

    test('keeps what it got, but not an unfinished download', async () => {
        const { scene, modules, ids } = await fleet(1);
        const { campaign } = await started(scene, { devices: ids });
        const { bytes } = await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        await patch(scene, modules[0], { held_out: true });
        assert.equal((await scene.record(modules[0])).attempts[0].state, 'delivered');
        assert.equal((await show(scene, campaign)).state, 'running', 'the device may come back');
        await modules[0].applyAndReboot(bytes);
        assert.equal((await modules[0].ask()).code, 27);
        assert.equal((await scene.record(modules[0])).attempts[0].state, 'confirmed');
        await patch(scene, modules[0], { held_out: false });
        assert.equal((await show(scene, campaign)).state, 'finished');
    });

    test('frees the place of the canary', async () => {
        const { scene, modules, ids } = await fleet(2, { canary: true });
        await started(scene, { devices: ids });
        await modules[0].download();
        await scene.awaitAttempt(modules[0], 'delivered');
        assert.equal((await modules[1].ask()).code, 27);
        assert.match(await reason(scene, modules[1]), /tries it first/);
        await patch(scene, modules[0], { held_out: true });
        assert.equal((await modules[1].ask()).status, 200);
    });
});

describe('a replaced device', () => {
    for (const [n, state] of states.entries())
        test(`that was ${state} gives its place to the new one`, async () => {
            const { scene, modules, ids, campaign } = await fiveStates();
            const made = scene.module();
            assert.equal((await post(scene, modules[n], 'replace', { device: made.id })).status, 201);
            await assertCounts(scene, campaign, { out: 0 });
            const wanted = [...ids];
            wanted[n] = `imei:${made.id}`;
            assert.deepEqual(await order(scene, campaign), wanted);
            assert.equal(await outcome(scene, campaign, made), state === 'waiting' ? 'waiting' : 'admitted');
            assert.equal((await modules[n].ask()).code, 27);
            if (state !== 'waiting')
                assert.equal(await takes(made), true);
            await assertCounts(scene, campaign, state === 'waiting' ? { waiting: 2 } : {});
        });

    test('keeps its place when the new one has one, and cannot lead it to two versions', async () => {
        const { scene, modules, ids } = await fleet(4, { versions: ['1', '2', '3'] });
        const { campaign } = await started(scene, { target: '2', devices: ids.slice(0, 2) });
        const other = await started(scene, { name: 'other', target: '3', devices: ids.slice(2) });
        const refused = await post(scene, modules[0], 'replace', { device: modules[2].id });
        assertProblem(refused, 409, 'campaign-conflict');
        assert.match(refused.json.detail, /campaign spring \(to 2\) and campaign other \(to 3\)/);
        assert.equal((await scene.record(modules[0])).state, 'active');
        assert.equal((await post(scene, modules[0], 'replace', { device: modules[1].id })).status, 200);
        await assertCounts(scene, campaign, { out: 1, waiting: 1 });
        await assertCounts(scene, other.campaign, { waiting: 2 });
        const planned = await draft(scene, { name: 'planned', devices: [ids[3]] });
        const made = nextImei();
        assert.equal((await post(scene, modules[3], 'replace', { device: made })).status, 201);
        assert.deepEqual(await order(scene, planned.campaign), [`imei:${made}`]);
        assert.deepEqual(await order(scene, other.campaign), [ids[2], `imei:${made}`]);
    });
});

describe('what is deleted', () => {
    test('a device that never did anything leaves its lists', async () => {
        const { scene, modules, ids } = await fleet(2);
        const typo = nextImei(), planned = nextImei();
        const { campaign } = await started(scene, { devices: [`imei:${typo}`, ...ids], stages: [{ devices: 1 }, { all: true }] });
        const { campaign: later } = await draft(scene, { name: 'later', devices: [`imei:${planned}`, ids[0]] });
        assert.equal(await takes(modules[0]), false);
        for (const id of [typo, planned])
            await server.admin('DELETE', `/products/${scene.product}/devices/imei:${id}`, null, { expect: 204 });
        assert.equal(await takes(modules[0]), true, 'the next of the list goes first');
        assert.equal(await takes(modules[1]), true);
        const end = await show(scene, campaign);
        assert.deepEqual([end.state, end.devices, end.counts.confirmed], ['finished', 2, 2]);
        await assertCounts(scene, campaign);
        assert.deepEqual([(await show(scene, later)).devices, await order(scene, later)], [1, [ids[0]]]);
        assert.equal((await act(scene, later, 'start')).state, 'finished');
    });

    test('a firmware with campaigns that have ended', async () => {
        const { scene } = await fleet(0);
        const { campaign } = await started(scene, {});
        const refused = await server.admin('DELETE', scene.path());
        assertProblem(refused, 409, 'firmware-in-use');
        assert.match(refused.json.detail, /2 images and 0 devices .*; the campaign spring to 2 is running/);
        await act(scene, campaign, 'cancel');
        await draft(scene, { name: 'never', filter: 'tag=north', frozen: false });
        for (const version of scene.versions)
            await server.admin('DELETE', scene.path(`/images/${version}`), null, { expect: 204 });
        await server.admin('DELETE', scene.path(), null, { expect: 204 });
        await server.admin('DELETE', `/products/${scene.product}`, null, { expect: 204 });
    });
});

describe('outcomes', () => {
    test('are those on the way to the target that is named, or to the only one', async () => {
        const { scene, modules, ids } = await fleet(2, { versions: ['1', '2', '3'] });
        const outcomes = (query = '') => server.admin('GET', scene.path(`/outcomes${query}`));
        assertProblem(await outcomes(), 422, 'invalid');
        await started(scene, { target: '2', devices: [ids[0]], pause_when_done: true });
        await takes(modules[0]);
        assert.deepEqual([(await outcomes()).json.target, (await outcomes()).json.counts], ['2', { confirmed: 1, not_begun: 1 }]);
        await started(scene, { name: 'other', target: '3', devices: [ids[1]] });
        const refused = await outcomes();
        assertProblem(refused, 422, 'invalid');
        assert.match(refused.json.detail, /lead to several versions: .*2, 3$/);
        const three = await outcomes('?target=3&limit=1');
        assert.equal(three.json.target, '3');
        assert.match(three.headers.link, /[?&]target=3/);
        assertProblem(await outcomes('?target=x'), 422, 'bad-version');
    });
});

describe('dfotactl', () => {
    test('writes a filter, holds a device out, and shows both', async (t) => {
        const { scene, modules } = await fleet(2, { tags: [['north'], ['north']] });
        const ctl = (...args) => ctlOf(server, '--product', scene.product, ...args);
        const refused = await ctl('campaign', 'create', 'pump', 'spring', '2', '--filter', 'tag=north');
        assert.deepEqual([refused.status, /either --frozen .* or --dynamic/.test(refused.err)], [2, true], refused.err);
        assert.equal((await ctl('campaign', 'create', 'pump', 'spring', '2', '--frozen')).status, 2);
        const made = await ctl('campaign', 'create', 'pump', 'spring', '2', '--filter', 'tag=north', '--frozen', '--order', 'spread');
        assert.match(made.out, /Audience\s+filter\n\s+filter\s+tag=north\n\s+frozen\s+yes\n\s+order\s+spread\n/, made.out + made.err);
        assert.match((await ctl('campaign', 'start', 'pump', 'spring', '--dry-run')).out, /^Target 2: 2 devices/);
        assert.equal((await ctl('campaign', 'start', 'pump', 'spring')).status, 0);
        assert.match((await ctl('device', 'hold-out', modules[0].id)).err, /is held out of all campaigns/);
        assert.match((await ctl('campaign', 'show', 'pump', 'spring')).out, /\n\s+out\s+1\n/);
        assert.match((await ctl('device', 'show', modules[0].id)).out, /Held out\s+yes\n[^]*Campaign\s+spring\n\s+target\s+2\n[^]*outcome\s+out\n/);
        assert.match((await ctl('explain', modules[1].id)).out, /Campaign\s+spring\n[^]*outcome\s+waiting\n/);
        assert.match((await ctl('outcomes', 'pump', '2')).out, /^Target 2\n/);
        assert.equal((await ctl('device', 'let-in', modules[0].id)).status, 0);
        assert.match((await ctl('campaign', 'show', 'pump', 'spring')).out, /\n\s+out\s+0\n/);
        const file = join(await scratch(t), 'list.csv');
        await writeFile(file, `device,tags\n${modules[1].id},south\n`);
        const listed = await ctl('campaign', 'create', 'pump', 'listed', '2', '--devices', file);
        assert.equal(listed.status, 0, listed.err);
        assert.deepEqual((await scene.record(modules[1])).tags, ['south']);
    });
});
