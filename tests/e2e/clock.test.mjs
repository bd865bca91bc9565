// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A wall clock was ahead and then corrected: rows stored meanwhile have times in the future. They must not block anything.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { fleet, show, start } from './lib/campaigns.mjs';
import { run } from './lib/ctl.mjs';
import { Clock, day } from './lib/clock.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

async function begin(t, config = {}, options = {}) {
    const clock = new Clock();
    const server = await startServer(t, { config, wrapper: clock.wrapper });
    clock.ahead(400 * day);
    const scene = await Scene.build(server, options);
    await scene.makePackage();
    return { clock, server, scene };
}

const isPast = (ms) => assert.ok(ms === null || ms <= Date.now(), String(ms));

describe('after the clock was ahead and was corrected', () => {
    test('a link is served, then and later', async (t) => {
        const { clock, scene } = await begin(t);
        const { module } = await scene.linkedModule();
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.ask()).code, 27, 'not again within a day');
        clock.ahead(0);
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.ask()).code, 27, 'the right time counts');
        clock.ahead(day + 60_000);
        assert.equal((await module.ask()).status, 200);
    });

    test('a report counts, and so does a delivery after it', async (t) => {
        const { clock, server, scene } = await begin(t, { link_offers: 1 });
        const { module, link } = await scene.linkedModule();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        await report(module, link, { version: '1001' });
        clock.ahead(0);
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.ask()).code, 27, 'what is confirmed in the future does not hide it');
        await report(module, link, { version: '1002' });
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.attempts[0].state], ['1002', 'confirmed']);
        isPast(record.confirmed_at);
        const line = `${module.id},1001\n`;
        const { json } = await server.admin('POST', scene.path('/reports'), line, { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        assert.equal(json.counted, 1, JSON.stringify(json));
    });

    test('no device has a last check-in in the future', async (t) => {
        const { clock, server, scene } = await begin(t);
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        await scene.record(module);
        clock.ahead(0);
        for (const record of [await scene.record(module), (await server.admin('GET', `/products/${scene.product}/devices`)).json.items[0],
            (await server.admin('GET', scene.path('/outcomes'))).json.items[0]])
            for (const [name, value] of Object.entries(record))
                if (/_at$|^since$/.test(name))
                    isPast(value);
        await module.ask();
        assert.ok(Math.abs((await scene.record(module)).last_seen_at - Date.now()) < 60_000);
    });

    test('the loop guard counts downloads that begin now, not those dated next year', async (t) => {
        const { clock, scene } = await begin(t, { loop_guard_per_day: 2 });
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        clock.ahead(0);
        for (let i = 0; i < 2; i++) {
            assert.equal((await module.ask()).status, 200);
            await scene.awaitAttempt(module, 'delivered');
        }
        assert.equal((await module.ask()).code, 40);
    });

    test('a download that had begun continues', async (t) => {
        const { clock, scene } = await begin(t, {}, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        const module = scene.module();
        await module.ask({ cutAfter: 100_000 });
        await scene.awaitAttempt(module, 'interrupted');
        clock.ahead(0);
        assert.equal((await module.ask({ range: 100_000 })).status, 206);
    });

    test('the next day has its own limit of new devices', async (t) => {
        const { clock, scene } = await begin(t, { max_new_devices_per_day: 2 });
        clock.ahead(5 * day);
        await scene.module().ask();
        await scene.module().ask();
        assert.equal((await scene.module().ask()).code, 21);
        clock.ahead(0);
        await scene.module().ask();
        clock.ahead(5 * day);
        assert.notEqual((await scene.module().ask()).code, 21);
    });

    test('old ledger rows are removed, also rows dated in the future', async (t) => {
        const { clock, server } = await begin(t);
        clock.ahead(0);
        await server.createProduct('right-again');
        clock.ahead(3 * day);
        await server.createProduct('newest');
        const { json } = await server.admin('POST', '/ledger/prune', { before: Date.now() + 2 * day }, { expect: 200 });
        assert.ok(json.removed > 1, JSON.stringify(json));
        const { json: left } = await server.admin('GET', '/ledger');
        assert.deepEqual(left.items.map(({ kind }) => kind), ['product-added', 'ledger-pruned']);
    });
});

describe('a time that a person typed', () => {
    const nonsense = [[Math.floor(Date.now() / 1000), /looks like seconds/], [0, /before the year 2000/], [86_400_000, /before the year 2000/],
        [Date.now() * 1000, /after the year 2199/]];

    test('is refused if it cannot be right', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const { module } = await scene.linkedModule();
        const text = 'AirM2M_780E_V1138_LTE_AT\r\n';
        const transcripts = (at) => server.admin('POST', scene.deviceAdminPath(module, `/transcripts?captured_at=${at}`), text, { headers: { 'Content-Type': 'text/plain' } });
        const list = (at) => server.admin('POST', scene.path('/reports'), `${module.id},1001,${at}\n`, { headers: { 'Content-Type': 'text/csv' } });
        const calls = { transcripts, list, since: (at) => server.admin('GET', `/ledger?since=${at}`), until: (at) => server.admin('GET', `/ledger?until=${at}`),
            prune: (before) => server.admin('POST', '/ledger/prune', { before }) };
        for (const [name, call] of Object.entries(calls)) {
            for (const [at, sentence] of nonsense) {
                const answer = await call(at);
                assert.deepEqual([answer.status, answer.json.code], name === 'list' || name === 'prune' ? [422, 'invalid'] : [400, 'bad-request'], name);
                assert.match(answer.json.detail, sentence, name);
            }
        }
        for (const name of ['transcripts', 'list', 'prune']) {
            const answer = await calls[name](Date.now() + day);
            assertProblem(answer, 422, 'invalid');
            assert.match(answer.json.detail, /in the future/, name);
        }
        assert.equal((await server.admin('GET', '/ledger')).json.items.some(({ kind }) => kind === 'ledger-pruned'), false);
    });

    test('is refused by dfotactl before it sends anything', async () => {
        const options = ['--url', 'http://127.0.0.1:1', '--token', 'x', '-p', 'x'];
        for (const [words, option] of [[['ledger', 'prune'], '--before'], [['ledger', 'list'], '--since'], [['report', '866597071234569', '-'], '--captured-at']])
            for (const [text, sentence] of [...nonsense, ['1969-12-31T00:00:00Z', /before the year 2000/], ['2026-02-31T00:00:00Z', /a time that does not exist/], ['0026-01-01T00:00:00Z', /before the year/]]) {
                const { err, status } = await run([...words, option, String(text), ...options], {});
                assert.equal(status, 2, `${words} ${text}: ${err}`);
                assert.match(err.replace(/\s+/g, ' '), sentence);
            }
    });
});

test('a transcript or a report line older than what is known counts, with a warning', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147'], format: 'bsdiff', target: null }); // no package, so no attempt
    const { module } = await scene.linkedModule();
    await module.ask();
    const captured = Date.now() - 30 * day;
    const path = scene.deviceAdminPath(module, `/transcripts?captured_at=${captured}`);
    const { json } = await server.admin('POST', path, 'ATI\r\nAirM2M_780E_V1138_LTE_AT\r\nOK\r\n', { headers: { 'Content-Type': 'text/plain' }, expect: 201 });
    assert.equal(json.counted, true, JSON.stringify(json));
    assert.match(json.warnings.join(), /before the device was last heard of/);
    const other = (await scene.linkedModule()).module;
    await other.ask();
    const line = `${other.id},1138,${captured}\n`;
    const told = (await server.admin('POST', scene.path('/reports'), line, { headers: { 'Content-Type': 'text/csv' }, expect: 200 })).json;
    assert.equal(told.counted, 1);
    assert.match(told.warnings[0].why, /before the device was last heard of/);
});

test('a device that reports long after its campaign has ended is in the evidence', async (t) => {
    const clock = new Clock();
    const server = await startServer(t, { config: { silent_after_ms: 300 }, wrapper: clock.wrapper });
    const dir = await mkdtemp(join(tmpdir(), 'dfota-evidence-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const { scene, modules: [module], ids } = await fleet(server, 1);
    const { campaign } = await start(scene, { devices: ids, stages: [{ all: true, max_silent: 1 }] });
    const { bytes } = await module.download();
    await poll('the campaign is finished', async () => (await show(scene, campaign)).state === 'finished');
    clock.ahead(3 * day);
    await module.applyAndReboot(bytes);
    await module.ask();
    const file = join(dir, 'evidence.json');
    const { host, port } = server.adminAddress;
    const got = await run(['--url', `http://${host}:${port}`, '--product', scene.product, 'evidence', 'get', scene.firmware, 'spring', file], { env: { DFOTA_TOKEN: server.token } });
    assert.equal(got.status, 0, got.err);
    const { devices: [device] } = JSON.parse(Buffer.from(JSON.parse(await readFile(file, 'utf8')).payload, 'base64'));
    assert.deepEqual([device.outcome, device.attempts.map(({ state }) => state)], ['confirmed', ['confirmed']]);
    const { status, out, err } = await run(['evidence', 'verify', file]);
    assert.equal(status, 0, err);
    assert.match(out, /the ends of 1 of 1 attempts/);
});
