// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of campaigns: fleets, calls of the API, and what must hold of counts at any time.

import assert from 'node:assert/strict';

import { Scene } from './scene.mjs';

// Modules of a firmware without a target.
export async function fleet(server, count, options = {}) {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null, ...options });
    const modules = Array.from({ length: count }, () => scene.module());
    return { scene, modules, ids: modules.map((m) => `imei:${m.id}`) };
}

export const path = (scene, id = '', rest = '') => scene.path(`/campaigns${id ? `/${id}` : ''}${rest}`);

export async function act(scene, id, verb, body = null) {
    return (await scene.server.admin('POST', path(scene, id, `/${verb}`), body, { expect: 200 })).json;
}

export async function start(scene, body) {
    const made = await scene.server.admin('POST', path(scene), { name: 'spring', target: scene.versions.at(-1), ...body }, { expect: 201 });
    return act(scene, made.json.campaign, 'start');
}

export const show = async (scene, id) => (await scene.server.admin('GET', path(scene, id), null, { expect: 200 })).json;

export async function devices(scene, id, outcome) {
    const query = `/devices?limit=1000${outcome ? `&outcome=${outcome}` : ''}`;
    return (await scene.server.admin('GET', path(scene, id, query), null, { expect: 200 })).json.items;
}

// Every device is in exactly one outcome, and the counts of the stages are those of the rows.
export async function assertCounts(scene, id) {
    const { counts, stages } = await show(scene, id);
    const rows = await devices(scene, id);
    assert.equal(new Set(rows.map(({ device }) => device)).size, rows.length);
    for (const [name, count] of Object.entries(counts))
        assert.equal(rows.filter(({ outcome }) => outcome === name).length, count, name);
    stages.forEach((stage, n) => {
        for (const [name, count] of Object.entries(stage.counts))
            assert.equal(rows.filter((row) => row.stage === n + 1 && row.outcome === name).length, count, `${name} in stage ${n + 1}`);
    });
    return counts;
}

// Asks, applies the package and reports. True: it got one.
export async function takes(module) {
    const answer = await module.askUntilMade();
    if (answer.status !== 200)
        return false;
    await module.applyAndReboot(answer.body);
    assert.equal((await module.ask()).code, 27);
    return true;
}
