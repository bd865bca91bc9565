// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A check-in in a campaign of 100,000 devices costs what it costs in one of 100: counted in statements, in steps of
// SQLite's virtual machine, and in rows read by scans of whole tables. The same for the gate of a stage.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { Steps } from './lib/steps.mjs';

const kinds = 20; // modules that are copied
const path = (scene, rest = '') => scene.path(`/campaigns/spring${rest}`);

// Every row of a table `copies` times more; `changes`: column → its new value, with i from 1 to `copies`.
const columnsOf = (server, table) => execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), `SELECT name FROM pragma_table_info('${table}')`],
    { encoding: 'utf8' }).trim().split('\n');

function copyRows(server, table, copies, where, changes) {
    const columns = columnsOf(server, table);
    return `INSERT INTO ${table} (${columns.join()}) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${copies})
        SELECT ${columns.map((name) => changes[name] ?? name).join()} FROM ${table}, n WHERE ${where};`;
}

// 20 modules become a fleet: each is copied with its attempts, its place in the campaign and in the counts.
async function multiply(server, fleet) {
    const copies = fleet / kinds - 1;
    await server.stop();
    const silent = columnsOf(server, 'attempt').map((name) => ({ id: 'id - 500', state: "'silent'" })[name] ?? name);
    const statements = [
        // Those that have confirmed were silent first, with an earlier attempt.
        `INSERT INTO attempt SELECT ${silent.join()} FROM attempt WHERE state = 'confirmed';`,
        `UPDATE campaign_device SET rank = -1 - rank * ${copies + 1};`, // the places keep their shares of the list
        `UPDATE campaign_device SET rank = -1 - rank;`,
        copyRows(server, 'campaign_device', copies, 'true', { device_id: 'device_id + i * 1000', rank: 'rank + i' }),
        copyRows(server, 'device', copies, 'true', { id: 'id + i * 1000', device: "device || '-' || i" }),
        copyRows(server, 'attempt', copies, 'true', { id: 'id + i * 1000', device_id: 'device_id + i * 1000' }),
        copyRows(server, 'fleet_member', copies, 'true', { device_id: 'device_id + i * 1000' }),
        `UPDATE fleet_group SET devices = devices * ${copies + 1};`,
        `UPDATE campaign SET ${['devices', 'reach', 'reached'].map((name) => `${name} = ${name} * ${copies + 1}`).join()};`,
        `UPDATE campaign_stage SET ${['admitted', 'confirmed', 'not_applied'].map((name) => `${name} = ${name} * ${copies + 1}`).join()};`,
    ];
    execFileSync('sqlite3', [join(server.dataDir, 'dfota.db')], { input: `BEGIN; ${statements.join('\n')} COMMIT; PRAGMA integrity_check;` });
    await server.start();
}

// Half of the modules are in the first stage, and four of them have confirmed. The gate waits for two
// admins.
async function begin(t, fleet) {
    const steps = new Steps();
    const server = await startServer(t, { wrapper: steps.wrapper });
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    await scene.makePackage();
    const modules = Array.from({ length: kinds }, () => scene.module());
    await server.admin('POST', scene.path('/campaigns'), {
        name: 'spring', target: '2', devices: modules.map((m) => `imei:${m.id}`),
        stages: [{ percent: 50, min_confirmed: 0, max_failed: 1_000_000_000, approvals: 2 }, { all: true }],
    }, { expect: 201 });
    await server.admin('POST', path(scene, '/start'), null, { expect: 200 });
    const has = async (module) => {
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
    };
    for (const module of modules.slice(0, 4)) {
        await has(module);
        module.version = '2';
        await module.ask();
    }
    await multiply(server, fleet);
    for (const module of modules)
        module.address = server.device;
    const { counts } = (await server.admin('GET', path(scene), null, { expect: 200 })).json;
    assert.equal(Object.values(counts).reduce((a, b) => a + b), fleet);
    return { server, scene, modules, steps };
}

// The cheapest of some calls: the server has chores at the same time.
async function measure(steps, list, run, afterwards = () => {}) {
    let least = null;
    for (const item of list) {
        const before = steps.read();
        await run(item);
        const after = steps.read();
        await afterwards(item);
        const cost = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
        least ??= cost;
        for (const [name, value] of Object.entries(cost))
            least[name] = Math.min(least[name], value);
    }
    return least;
}

async function costs(t, fleet) {
    const { server, scene, modules, steps } = await begin(t, fleet);
    const asks = (codes) => async (module) => {
        const answer = await module.ask();
        assert.ok(codes.includes(answer.code ?? answer.status), `${answer.code ?? answer.status}`);
    };
    const call = (method, rest, body = null) => () => server.admin(method, path(scene, rest), body, { expect: 200 });
    const now = {};
    const confirm = async (module) => {
        await scene.awaitAttempt(module, 'delivered');
        module.version = '2';
        await module.ask();
    };
    now['a device that a stage admits'] = await measure(steps, modules.slice(4, 7), asks([200]), confirm);
    for (const module of modules.slice(7, 10)) {
        await asks([200])(module);
        await scene.awaitAttempt(module, 'delivered');
    }
    now['a device that no stage has reached'] = await measure(steps, modules.slice(12, 15), asks([27]));
    now['the same again'] = await measure(steps, modules.slice(12, 15), asks([27]));
    now['a device that is not in the list'] = await measure(steps, [scene.module(), scene.module(), scene.module()], asks([27]));
    now['a device that confirmed before'] = await measure(steps, modules.slice(0, 4), asks([27]));
    modules[7].version = '2';
    modules[8].version = '2';
    now['a confirmation, and the gate'] = await measure(steps, modules.slice(7, 9), asks([27]));
    now['a device that did not apply the package, and the gate'] = await measure(steps, [modules[9]], asks([200]),
        (module) => scene.awaitAttempt(module, 'delivered'));
    modules[19].version = '2';
    now['a device that has the target before its stage'] = await measure(steps, [modules[19]], asks([27]));
    now['an approval, and the gate'] = await measure(steps, [0], call('POST', '/approve?by=Ann'));
    now['an approval, and the next stage'] = await measure(steps, [0], call('POST', '/approve?by=Bob'));
    assert.equal((await server.admin('GET', path(scene))).json.stage, 2);
    now.pause = await measure(steps, [0], call('POST', '/pause'));
    now['a resume, and the gates'] = await measure(steps, [0], call('POST', '/resume'));
    now['the campaign for an admin'] = await measure(steps, [0, 1, 2], call('GET', ''));
    now['a page of its devices'] = await measure(steps, [0, 1], call('GET', '/devices?limit=10'));
    now['a page of its devices with an outcome'] = await measure(steps, [0, 1], call('GET', '/devices?limit=10&outcome=waiting'));
    return now;
}

test('a campaign of 100,000 devices costs what one of 100 does', async (t) => {
    const few = await costs(t, 100), many = await costs(t, 100_000);
    for (const [what, { statements, steps, scanned }] of Object.entries(many)) {
        t.diagnostic(`${what}: ${statements} statements, ${steps} steps, ${scanned} rows scanned; of 100 devices ${few[what].steps} steps`);
        assert.ok(statements > 0 && few[what].statements > 0, 'the shim counts');
    }
    // A chore may run in between; anything that depends on the fleet would cost a thousand times more.
    for (const [what, cost] of Object.entries(many)) {
        const least = few[what];
        assert.ok(cost.statements <= least.statements * 1.5 + 10, `${what}: ${cost.statements} statements, and ${least.statements} of 100 devices`);
        assert.ok(cost.steps <= least.steps * 2 + 200, `${what}: ${cost.steps} steps, and ${least.steps} of 100 devices`);
        assert.ok(cost.scanned <= least.scanned + 10, `${what}: ${cost.scanned} rows scanned, and ${least.scanned} of 100 devices`);
    }
});
