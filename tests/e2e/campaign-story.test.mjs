// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The story, judged by the modules: 150 of them run V1138, and a campaign leads them to V1162 over V1147, in stages. The
// package of each hop goes to one module first. What the modules got, and when, must be what the stages and gates allow.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { Fleet } from './lib/fleet.mjs';
import { Module, imeiWithCheckDigit, poll, sha256 } from './lib/module.mjs';
import { startServer } from './lib/server.mjs';

const firmware = 'AirM2M_780E_LTE_AT';
const limit = 120_000;
const count = 150;

// As in story.test.mjs, and smaller: the package V1138→V1162 is over the limit, and those over V1147 are not.
const release = (revision, first, second) => Buffer.concat([
    firmwareImage({ seed: 1138, size: 30_000, revision }), noiseImage({ seed: first, size: 70_000 }), noiseImage({ seed: second, size: 70_000 }),
]);
const images = { 1138: release(0, 1, 2), 1142: release(1, 1, 2), 1147: release(2, 3, 2), 1162: release(3, 3, 4) };
const known = new Map(Object.entries(images).map(([version, bytes]) => [sha256(bytes), version]));

const imei = (i) => imeiWithCheckDigit(String(86659707000000 + i));

// A server with the firmware, its packages made, and a campaign that has begun.
async function begin(t, stages, settings = {}) {
    const server = await startServer(t);
    await server.createProduct('pumps');
    for (const [version, bytes] of Object.entries(images))
        await server.putImage('pumps', firmware, version, bytes);
    const set = await server.setFirmware('pumps', firmware, { format: 'bsdiff', max_package_bytes: limit, ...settings });
    assert.equal(set.canary_confirmations, 1);
    for (const [from, to] of [['1138', '1162'], ['1138', '1147'], ['1147', '1162']])
        await server.makePackage('pumps', firmware, from, to);
    const path = `/products/pumps/firmware/${firmware}/campaigns`;
    const devices = Array.from({ length: count }, (_, i) => `imei:${imei(i)}`);
    await server.admin('POST', path, { name: 'spring', target: '1162', devices, stages }, { expect: 201 });
    const call = (verb) => server.admin('POST', `${path}/spring/${verb}`, null, { expect: 200 });
    await call('start');
    const modules = devices.map((_, i) => new Module({
        address: server.device, product: 'pumps', firmware, version: '1138', image: images[1138], known, id: imei(i), limit_bytes: limit,
    }));
    return {
        server, modules, call,
        show: async () => (await server.admin('GET', `${path}/spring`, null, { expect: 200 })).json,
        rows: async () => (await server.admin('GET', `${path}/spring/devices?limit=1000`, null, { expect: 200 })).json.items,
        record: (i) => server.deviceRecord('pumps', `imei:${imei(i)}`),
    };
}

// Which modules a campaign may have admitted, from what the modules have begun to report: `gates` has, for each stage but
// the last, the modules up to here, and how many of them must have confirmed.
function reachOf(gates, done) {
    const open = gates.find(({ reach, from, confirmed }) => [...done].filter((i) => i >= from && i < reach).length < confirmed);
    return open ? open.reach : count;
}

// Fails at once when a module gets a package that no stage can have admitted, or that another module tries.
function watch(gates, fleet) {
    fleet.onGot = (index, hop) => {
        assert.ok(index < reachOf(gates, fleet.done), `module ${index} has V${hop.from}'s package, and ${[...fleet.done]} have confirmed`);
        if (hop.confirmed === 0)
            assert.equal(hop.holders.size, 1, `modules ${[...hop.holders]} have the package of V${hop.from} on trial`);
    };
}

// Rounds until nothing can change any more; `each` is called after each of them.
async function play(fleet, scene, each) {
    await fleet.ask(0); // the canary
    await poll('the campaign has ended', async () => {
        await fleet.round();
        return each(await scene.show());
    }, { timeout_ms: 120_000 });
}

// The counts of the stages and of the campaign are those that the modules saw.
async function assertOutcomes(scene, fleet, gates) {
    const [shown, rows] = [await scene.show(), await scene.rows()];
    const expected = (i) => (fleet.done.has(i) ? 'confirmed' : fleet.failed.has(i) ? 'not_applied' : 'waiting');
    assert.deepEqual(rows.map(({ device, outcome }) => [device, outcome]), fleet.modules.map((m, i) => [m.id, expected(i)]));
    let from = 0;
    for (const [n, stage] of shown.stages.entries()) {
        const reach = gates[n]?.reach ?? count;
        const inside = [...Array(reach - from).keys()].map((i) => expected(from + i));
        for (const outcome of ['confirmed', 'not_applied'])
            assert.equal(stage.counts[outcome], inside.filter((seen) => seen === outcome).length, `${outcome} in stage ${n + 1}`);
        from = reach;
    }
    assert.equal(shown.counts.confirmed, fleet.done.size);
}

function assertCanaries(fleet) {
    assert.deepEqual(fleet.hopList.map((hop) => hop.from), ['1138', '1147']);
    for (const hop of fleet.hopList)
        assert.equal(hop.most_on_trial, 1, `the package of V${hop.from} went to one module first`);
}

test('150 modules: canary, 5, 10 %, all, over two hops', async (t) => {
    const scene = await begin(t, [{ devices: 5 }, { percent: 10 }, { all: true }]);
    const gates = [{ from: 0, reach: 5, confirmed: 5 }, { from: 5, reach: 15, confirmed: 10 }];
    const fleet = new Fleet(scene.modules, { target: '1162', record: scene.record });
    watch(gates, fleet);
    const stages = new Set();
    await play(fleet, scene, ({ state, stage }) => {
        stages.add(stage);
        return state === 'finished';
    });
    assertCanaries(fleet);
    assert.deepEqual(fleet.downloads, Array(count).fill(2));
    for (const hop of fleet.hopList) {
        assert.equal(hop.got.length, count);
        assert.ok(Math.max(...hop.got.slice(0, 5)) < 5 && Math.max(...hop.got.slice(0, 15)) < 15, 'the stages came one after the other');
        assert.ok(hop.most > 15, `${hop.most} at the same time: the last stage has no limit`);
    }
    await fleet.round();
    assert.deepEqual(new Set(fleet.codes), new Set([27]));
    await assertOutcomes(scene, fleet, gates);
    assert.deepEqual((await scene.show()).stages.map(({ counts }) => counts.confirmed), [5, 10, 135]);
    for (const i of [0, 7, 149])
        assert.deepEqual((await scene.record(i)).attempts.map((a) => [a.from, a.to, a.state]),
            [['1147', '1162', 'confirmed'], ['1138', '1147', 'confirmed']]);
});

// Every fifth module has a package of V1138 and does not apply it; the canary is not one of them.
const fifth = (index, module) => module.version === '1138' && index % 5 === 1;

describeFifth('gates that allow it', [
    { devices: 5, min_confirmed: 4, confirmed_percent: 80, max_failed: 1 },
    { percent: 10, min_confirmed: 8, confirmed_percent: 80, max_failed: 2 },
    { all: true, max_failed: 30 },
], async (scene, fleet) => {
    await play(fleet, scene, ({ state }) => {
        assert.notEqual(state, 'paused');
        return state === 'finished';
    });
});

describeFifth('gates that pause the campaign', [
    { devices: 5, min_confirmed: 4 }, { percent: 10, min_confirmed: 8 }, { all: true },
], async (scene, fleet) => {
    const gates = [];
    await play(fleet, scene, async ({ state, stage, paused_why, counts }) => {
        if (state !== 'paused')
            return state === 'finished';
        const failed = [...fleet.failed].filter((i) => stage === 1 || i >= (stage === 2 ? 5 : 15)).length;
        assert.match(paused_why, new RegExp(`^stage ${stage}: devices that did not apply a package: \\d+, allowed are \\d+$`));
        assert.equal(counts.not_applied, fleet.failed.size);
        const downloads = fleet.downloads.reduce((a, b) => a + b);
        await fleet.round();
        assert.equal(fleet.downloads.reduce((a, b) => a + b), downloads, 'a paused campaign begins nothing');
        const waiting = fleet.modules.findIndex((_, i) => !fleet.done.has(i) && fleet.downloads[i] === 0);
        if (waiting >= 0)
            assert.equal((await scene.record(waiting)).last_answer.reason, `the campaign spring is paused: ${paused_why}`);
        for (const i of fleet.failed)
            assert.equal(fleet.afterFailure[i], 27, 'the report that pauses the campaign gets no package');
        gates.push(stage);
        const { json } = await scene.call('resume');
        if (json.state === 'running')
            assert.ok(json.stages[stage - 1].accepted_failed >= failed);
        return json.state === 'finished';
    });
    assert.deepEqual([...new Set(gates)], [1, 2, 3], 'each stage has paused the campaign');
});

function describeFifth(name, stages, run) {
    test(`every fifth module does not apply a package: ${name}`, async (t) => {
        const scene = await begin(t, stages, { quarantine_after: 1000 });
        const gates = [{ from: 0, reach: 5, confirmed: 4 }, { from: 5, reach: 15, confirmed: 8 }];
        const fleet = new Fleet(scene.modules, { target: '1162', record: scene.record, refuses: fifth });
        watch(gates, fleet);
        await run(scene, fleet);
        assertCanaries(fleet);
        assert.deepEqual([fleet.done.size, fleet.failed.size], [120, 30]);
        await assertOutcomes(scene, fleet, gates);
        fleet.downloads.forEach((downloads, i) => assert.ok(downloads <= 6, `module ${i} began ${downloads} downloads`));
    });
}

test('every fifth module does not apply a package: the second one takes the package out of service', async (t) => {
    const scene = await begin(t, [{ devices: 20, confirmed_percent: 50, max_failed: 1000 }, { all: true, max_failed: 1000 }]);
    const fleet = new Fleet(scene.modules, { target: '1162', record: scene.record, refuses: fifth });
    await fleet.ask(0);
    await fleet.ask(0); // confirmed: the others may have it
    await fleet.round({ order: Array(20).keys(), parallel: 1 });
    await fleet.round({ order: Array(20).keys(), parallel: 1 });
    assert.equal(fleet.failed.size, 4, 'all four of the stage had it before the second came back');
    const downloads = fleet.hopList[0].got.length;
    await fleet.round();
    await fleet.round();
    assert.equal(fleet.hopList[0].got.length, downloads);
    assert.match((await scene.server.package('pumps', firmware, '1138', '1147')).quarantine.reason, /^2 devices came back with 1138/);
});

// Planning goes around a package that is out of service: with the image of V1142 there is a second way.
for (const [name, stages, hops, code, reason] of [
    ['a gate pauses the campaign', [{ devices: 5 }, { percent: 10 }, { all: true }], 1, 27,
        /^the campaign spring is paused: stage 1: devices that did not apply a package: 1, allowed are 0$/],
    ['the gates allow it', [{ all: true, max_failed: 1000 }], 2, 21, /out of service: 1 device came back with 1138, and the package was on trial/],
]) {
    test(`a package that all refuse goes to one module only: ${name}`, async (t) => {
        const scene = await begin(t, stages);
        const fleet = new Fleet(scene.modules, { target: '1162', record: scene.record, refuses: () => true });
        await poll('no module can get a package', async () => {
            await fleet.round();
            return fleet.held.every((held) => held === null) && fleet.codes.every((last) => last === code);
        });
        await fleet.round();
        assert.deepEqual(fleet.hopList.map((hop) => hop.got.length), Array(hops).fill(1), 'each package went to one module');
        assert.equal(fleet.downloads.reduce((a, b) => a + b), hops);
        assert.match((await scene.server.package('pumps', firmware, '1138', '1147')).quarantine.reason, /^1 device came back with 1138/);
        assert.deepEqual(new Set(fleet.codes), new Set([code]));
        for (const i of [...fleet.failed, 0, 77, 149])
            assert.match((await scene.record(i)).last_answer.reason, reason);
        const { counts } = await scene.show();
        assert.deepEqual([counts.not_applied, counts.waiting + counts.admitted], [fleet.failed.size, count - fleet.failed.size]);
    });
}
