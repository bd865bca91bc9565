// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Check-ins that are answered from memory: as long as nothing has changed, and not once more. The judges are the metric that
// counts them, the record of the device, and the same request with a Range, which is always decided anew.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { sql } from './lib/chain.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;

before(async (t) => { server = await startServer(t); });

async function counted(of = server) {
    const answer = await fetch(`http://${of.adminAddress.host}:${of.adminAddress.port}/metrics`, { headers: { Authorization: `Bearer ${of.token}` } });
    return Number(/^dfota_checkins_unchanged_total (\d+)$/m.exec(await answer.text())[1]);
}

const askAtOnce = (module, times = 20, form = {}) => Promise.all(Array.from({ length: times }, () => module.ask(form)));

// Whether one of the next check-ins is answered from memory. They come close together: an answer in memory is not used when the
// server has not looked for a few milliseconds what other processes have changed.
async function isRemembered(module, of = server) {
    const from = await counted(of);
    for (let i = 0; i < 10 && await counted(of) === from; i += 1)
        await askAtOnce(module);
    return await counted(of) > from;
}

// A module that runs the target, and was answered from memory just now.
async function idle(of = server, options = {}) {
    const scene = await Scene.build(of, { versions: ['1', '2', '3'], target: '2' });
    const module = scene.module({ version: '2', ...options });
    assert.equal((await module.ask()).code, 27);
    assert.ok(await isRemembered(module, of));
    return { scene, module };
}

const post = (scene, module, action, body = null) => server.admin('POST', scene.deviceAdminPath(module, `/${action}`), body, { expect: 200 });
const reasonOf = async (scene, module) => (await scene.record(module)).last_answer.reason_code;

test('the first check-in after a change gets the new answer', async () => {
    const { scene, module } = await idle();
    const changes = [
        ['a target above', () => scene.setTarget('3'), (answer) => [43, 200].includes(answer.code ?? answer.status)],
        ['the target again', () => scene.setTarget('2'), (answer) => answer.code === 27],
        ['a new target below', () => scene.setTarget('1'), async (answer) => answer.code === 27 && await reasonOf(scene, module) === 'downgrade'],
        ['no target', () => server.clearTarget(scene.product, scene.firmware), (answer) => answer.code === 27],
        ['the target', () => scene.setTarget('2'), (answer) => answer.code === 27],
        ['a demanded secret', () => server.admin('PATCH', `/products/${scene.product}`, { device_secret: 'required' }, { expect: 200 }), (answer) => answer.code === 25],
        ['no demanded secret', () => server.admin('PATCH', `/products/${scene.product}`, { device_secret: 'optional' }, { expect: 200 }), (answer) => answer.code === 27],
        ['a retired device', () => post(scene, module, 'retire'), async (answer) => answer.code === 27 && await reasonOf(scene, module) === 'device-retired'],
        ['an active device', () => post(scene, module, 'restore'), async (answer) => answer.code === 27 && await reasonOf(scene, module) === 'up-to-date'],
    ];
    for (const [name, change, isRight] of changes) {
        await change();
        const answer = await module.ask();
        assert.ok(await isRight(answer), `${name}: ${answer.status} ${answer.body}, ${await reasonOf(scene, module)}`);
        if (answer.code === 27)
            await isRemembered(module);
    }
    assert.ok(await isRemembered(module));
});

// Without a target no campaign counts what the devices report: only their own rows change.
test('the device itself changes, and another one does not matter', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    const module = scene.module({ version: '2' }), other = scene.module({ version: '2' });
    for (const one of [other, module]) {
        assert.equal((await one.ask()).code, 27);
        assert.ok(await isRemembered(one));
    }
    for (let i = 0; i < 10; i += 1) {
        module.version = String(1 + i % 2);
        await askAtOnce(other);
        assert.equal((await module.ask()).code, 27);
        assert.equal((await scene.record(module)).confirmed_version, module.version, 'the same words as before the change');
    }
    assert.ok(await isRemembered(other));
});

test('each check-in counts', async () => {
    const { scene, module } = await idle();
    const { check_ins: asked, last_seen_at: seen } = await scene.record(module);
    const from = await counted();
    for (let i = 0; i < 5; i += 1)
        for (const { code } of await askAtOnce(module, 10))
            assert.equal(code, 27);
    const hits = await counted() - from;
    const record = await scene.record(module);
    assert.equal(record.check_ins, asked + 50, `${hits} of them from memory`);
    assert.ok(record.last_seen_at > seen);
    assert.ok(hits > 0);
});

test('a device that this server has updated is answered from memory, too', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const module = scene.module();
    await module.upgrade();
    assert.equal((await module.ask()).code, 27);
    assert.ok(await isRemembered(module));
});

// The counts of check-ins change without any other change of the database.
test('a filter of a campaign is asked each time', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    const module = scene.module({ version: '1' }), other = scene.module({ version: '2' });
    const { json } = await server.admin('POST', scene.path('/campaigns'), { name: 'often', target: '2', filter: 'check_ins>=40', frozen: false }, { expect: 201 });
    await server.admin('POST', scene.path(`/campaigns/${json.campaign}/start`), null, { expect: 200 });
    for (let i = 0; i < 4; i += 1)
        for (const { code } of await askAtOnce(module, 10))
            assert.equal(code, 27);
    await askAtOnce(other, 5);
    assert.notEqual((await module.ask()).code, 27);
});

test('requests with a secret, a Range, or over HEAD are decided each time', async () => {
    const { scene, module } = await idle();
    const { json } = await server.admin('POST', `/products/${scene.product}/secrets`, {}, { expect: 201 });
    const base = `/api/site/firmware_upgrade?project_key=${scene.product}&firmware_name=${scene.firmware}&version=2&imei=${module.id}`;
    const forms = {
        'a secret': { target: `${base}&device_key=${json.value}` },
        'a secret in the path': { target: `${json.path}${base}` },
        'a Range': { target: base, range: 0 },
        HEAD: { target: base, method: 'HEAD' },
    };
    for (const [name, form] of Object.entries(forms)) {
        await module.ask(form);
        assert.ok(await isRemembered(module));
        const from = await counted();
        for (const { status } of await askAtOnce(module, 10, form))
            assert.equal(status, 400);
        assert.equal(await counted(), from, name);
    }
});

test('another process changes the database', async () => {
    const { scene, module } = await idle();
    await askAtOnce(module);
    sql(server, `UPDATE device SET state = 'retired' WHERE device = '${module.id}'`);
    await poll('the device is retired', async () => {
        await module.ask();
        return await reasonOf(scene, module) === 'device-retired';
    }, { timeout_ms: 5_000 });
});

test('a reload: the status of the answer is the new one', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-unchanged-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const config = join(dir, 'dfota.conf');
    writeFileSync(config, 'status_27 = 404\n');
    const own = await startServer(t, { config: { config } });
    const { module } = await idle(own);
    assert.equal((await module.ask()).status, 404);
    writeFileSync(config, 'status_27 = 410\n');
    own.process.kill('SIGHUP');
    await own.logged('reloaded');
    assert.equal((await module.ask()).status, 410);
});

// A pseudo-random number generator with a seed: the same walk each time.
function dice(seed) {
    let state = seed;
    return (sides) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 16) % sides;
    };
}

test('a random walk: the answer is the same as to a request that is decided each time', async () => {
    const roll = dice(20261201);
    const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: '2' });
    for (const [from, to] of [['1', '2'], ['1', '3'], ['2', '3']])
        await scene.makePackage(from, to);
    const modules = Array.from({ length: 6 }, (_, n) => scene.module({ version: String(1 + n % 3) }));
    const campaigns = [], steps_max = process.env.DFOTA_SANITIZED ? 40 : 150;
    const steps = [
        () => (roll(4) ? server.admin('PUT', scene.path('/target'), { version: String(1 + roll(3)) }) : server.admin('DELETE', scene.path('/target'))),
        () => scene.set({ downgrades: roll(2) === 1 }),
        () => scene.set({ hours: ['always', '00:00-00:01+00:00'][roll(2)] }),
        () => server.admin('PATCH', `/products/${scene.product}`, { device_secret: ['optional', 'required'][roll(4) ? 0 : 1] }),
        () => server.admin('PATCH', `/products/${scene.product}`, { trusted_check_ins: roll(2) === 1 }),
        () => server.admin('POST', scene.deviceAdminPath(modules[roll(6)], ['/retire', '/restore', '/unblock'][roll(3)])),
        () => server.admin('PATCH', scene.deviceAdminPath(modules[roll(6)]), { held_out: roll(2) === 1, tags: [['north'], []][roll(2)] }),
        () => { modules[roll(6)].version = String(1 + roll(3)); },
        async () => {
            const made = await server.admin('POST', scene.path('/campaigns'), { name: `c${campaigns.length}`, target: String(1 + roll(3)),
                ...(roll(2) && { filter: 'tag=north', frozen: false }) });
            if (made.status === 201)
                campaigns.push(scene.path(`/campaigns/${made.json.campaign}`));
        },
        async () => campaigns.length && server.admin('POST', `${campaigns[roll(campaigns.length)]}/${['start', 'pause', 'resume', 'cancel'][roll(4)]}`),
    ];
    const from = await counted();
    for (let step = 0; step < steps_max; step += 1) {
        await steps[roll(steps.length)]();
        for (const module of modules.slice(0, 2 + roll(5))) {
            const answers = await askAtOnce(module, 6);
            const told = await module.ask();
            const reason = await reasonOf(scene, module);
            const decided = await module.ask({ range: 0 });
            assert.equal(told.code === 27, decided.code === 27, `step ${step}: ${answers.map(({ code }) => code)}, ${told.code}, ${decided.code}`);
            if (told.code === 27)
                assert.equal(reason, await reasonOf(scene, module), `step ${step}`);
        }
    }
    assert.ok(await counted() > from + steps_max / 10, `${await counted() - from} from memory`);
});
