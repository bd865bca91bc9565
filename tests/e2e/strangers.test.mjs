// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a stranger can cost: rows and bytes in the ledger, the log and the database after N requests, by what the stranger
// has. Counted, not timed. DFOTA_STRANGER_REQUESTS=10000 gives the figures of doc/reliability.md, printed as diagnostics.

import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { luatosPackage } from './lib/luatos.mjs';
import { nextImei, poll } from './lib/module.mjs';
import { report, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const requests = Number(process.env.DFOTA_STRANGER_REQUESTS ?? 1500);

function get(server, path, { from = '127.0.0.1', method = 'GET', body = null } = {}) {
    return new Promise((done, failed) => {
        const request = http.request({ ...server.device, path, method, localAddress: from, agent: false, headers: body ? { 'Content-Length': Buffer.byteLength(body) } : {} }, (answer) => {
            const parts = [];
            answer.on('data', (bytes) => parts.push(bytes)).on('error', failed).on('end', () => {
                const text = Buffer.concat(parts).toString('utf8');
                done({ status: answer.statusCode, code: answer.statusCode < 300 ? 0 : JSON.parse(text).code, text });
            });
        });
        request.on('error', failed).end(body);
    });
}

const question = (scene, imei, version, product = scene.product) =>
    `/api/site/firmware_upgrade?imei=${imei}&project_key=${product}&firmware_name=${scene.firmware}&version=${version}`;

// All of them, sixteen at a time.
async function flood(count, ask) {
    let next = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
        while (next < count)
            await ask(next++);
    }));
}

async function ledger(server, query = '') {
    const { json } = await server.admin('GET', `/ledger?limit=1000${query}`, null, { expect: 200 });
    return json;
}

// Rows of the ledger, and bytes of the log and of the database with its write-ahead log.
async function cost(server) {
    let database = 0;
    for (const name of await readdir(server.dataDir))
        if (name.startsWith('dfota.db'))
            database += (await stat(join(server.dataDir, name))).size;
    // What the server does without a request, such as making a package, does not count.
    let rows = 0;
    for (let page, after = 0; !page || page.length; after = page.at(-1)?.seq) {
        page = (await ledger(server, `&after=${after}`)).items;
        rows += page.filter((row) => row.device || row.kind === 'facts-counted' || row.kind === 'admission-full').length;
    }
    return { rows, log: Buffer.byteLength(server.logText), database };
}

async function costOf(t, server, name, act) {
    const before = await cost(server);
    await act();
    await poll('the log has come', async () => {
        const seen = server.logLines.length;
        await server.admin('GET', '/status');
        return server.logLines.length === seen;
    });
    const after = await cost(server);
    const by = { rows: after.rows - before.rows, log: after.log - before.log, database: after.database - before.database };
    t.diagnostic(`${name}: ${requests} requests: ${by.rows} rows, ${by.log} bytes of log, ${by.database} bytes of database`);
    return by;
}

const LOG_MOST = 400_000; // a burst of 1000 lines, and a few a second while the test runs
const LOG_MOST_STRANGER = 60_000;
const DATABASE_MOST = 6_000_000; // nearly all of it is the write-ahead log, which is used again

describe('what a stranger can cost,', () => {
    test('who has nothing', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const by = await costOf(t, server, 'nothing', () => flood(requests, async (n) => {
            const paths = [question(scene, 866_597_071_000_000 + n, '1001', 'no-such'), `/d/aaaaaaaaaaaaaaaaaaaaaaaaaa/${n}`,
                `/api/site/turnkey_fota?imei=${n}&project_key=x`, '/api/site/turnkey_fota_result?fota_sn=x&result_code=1'];
            await get(server, paths[n % paths.length], { method: paths[n % paths.length].includes('result') ? 'POST' : 'GET' });
        }));
        assert.equal(by.rows, 0);
        assert.ok(by.log < 2 * LOG_MOST_STRANGER, `${by.log} bytes of log`);
        assert.ok(by.database < 100_000, `${by.database} bytes of database`);
        await server.stop();
        assert.ok(server.logLines.some((line) => /suppressed=\d+/.test(line)), 'what was left out is named');
        await server.start();
    });

    test('who has the product key and invents IMEIs', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const limit = 10_000 - 10_000 / 4;
        const by = await costOf(t, server, 'the product key', () => flood(requests, (n) => get(server, question(scene, 866_597_071_000_000 + n * 10, '1001'))));
        assert.ok(by.rows <= Math.min(4 * Math.min(requests, limit), 32_768 + 8), `${by.rows} rows`);
        assert.ok(by.log < LOG_MOST + LOG_MOST_STRANGER, `${by.log} bytes of log`);
        assert.ok(by.database < DATABASE_MOST + 4000 * Math.min(requests, limit), `${by.database} bytes of database`);
        const { json } = await server.admin('GET', '/status');
        assert.equal(json.devices, Math.min(requests, limit));
    });

    test('who has an admitted IMEI and alternates its version', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
        const imei = nextImei();
        const by = await costOf(t, server, 'an admitted IMEI', async () => {
            for (let n = 0; n < requests; n++)
                await get(server, question(scene, imei, n % 2 ? '1001' : '1002'));
        });
        assert.ok(by.rows <= 64 + 32 + 8, `${by.rows} rows`);
        assert.ok(by.log < LOG_MOST, `${by.log} bytes of log`);
        assert.ok(by.database < DATABASE_MOST, `${by.database} bytes of database`);
        const record = await server.deviceRecord(scene.product, `imei:${imei}`);
        assert.equal(record.confirmed_version, requests % 2 ? '1002' : '1001', 'what it runs is known all the same');
        assert.ok(record.attempts.length <= 100, `${record.attempts.length} attempts`);
        const told = (await ledger(server, `&device=imei:${imei}&kind=facts-counted`)).items;
        assert.ok(told.length >= 2);
        assert.equal(told.at(-1).detail.of, 'device');
        assert.ok(told.at(-1).detail.total >= 100 && told.at(-1).detail.counts['version-reported'] > 0);
        await server.admin('GET', '/ledger/head', null);
        // A link of the same device still has its own budget.
        const module = scene.module({ id: imei, version: '1003' });
        const link = await scene.createLink(module, { version: '1001' });
        await report(module, link, { version: '1003' });
        const last = (await ledger(server, `&device=imei:${imei}&kind=version-reported`)).items.at(-1);
        assert.deepEqual([last.detail.version, last.detail.evidence], ['1003', 'host-report']);
    });

    test('who has a link', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
        const module = scene.module();
        const link = await scene.createLink(module);
        const path = new URL(link.report_url).pathname;
        const post = (version) => get(server, path, { method: 'POST', body: JSON.stringify({ version }) });
        await post('1002');
        const same = await costOf(t, server, 'a link that repeats its report', () => flood(200, () => post('1002')));
        assert.equal(same.rows, 0, 'an unchanged report is no row');
        const by = await costOf(t, server, 'a link', () => flood(requests, (n) => post(n % 2 ? '1001' : '1002')));
        assert.ok(by.rows <= 64 + 32 + 8, `${by.rows} rows`);
        assert.ok(by.log < LOG_MOST, `${by.log} bytes of log`);
        assert.ok(by.database < DATABASE_MOST, `${by.database} bytes of database`);
        await post('1003');
        const record = await server.deviceRecord(scene.product, `imei:${module.id}`);
        assert.equal(record.confirmed_version, '1003');
        const large = 'AT+CSQ\r\n+CSQ: 18\r\nOK\r\n'.padEnd(60_000, 'x');
        for (let n = 0; n < 12; n++)
            assert.equal((await get(server, path, { method: 'POST', body: `${n}${large}` })).status < 500, true);
    });

    test('who repeats the result of libfota3 for an attempt', async (t) => {
        const server = await startServer(t, { config: { public_device_url: 'http://127.0.0.1' } });
        const firmware = 'pump_LuatOS-SoC_Air8101';
        const scene = await Scene.build(server, { firmware, versions: [], target: null });
        await server.putImage(scene.product, firmware, '2046.1.2', luatosPackage({ script: noiseImage({ seed: 77, size: 20_000 }) }));
        await scene.setTarget('2046.1.2');
        const offer = await get(server, `/api/site/turnkey_fota?imei=${nextImei()}&project_key=${scene.product}&model=Air8101&core_id=8&core_version=2046&script_name=pump&script_version=001.999.001`);
        const path = `/api/site/turnkey_fota_result?fota_sn=${JSON.parse(offer.text).fota_sn}&result_code=3`;
        const by = await costOf(t, server, 'a result', () => flood(200, () => get(server, path, { method: 'POST' })));
        assert.equal(by.rows, 1);
    });
});

describe('new devices', () => {
    test('of one network leave room for the others, and the admin is told', async (t) => {
        const server = await startServer(t, { config: { max_new_devices_per_day: 40 } });
        const scene = await Scene.build(server);
        const ask = async (from) => (await get(server, question(scene, nextImei(), '1001'), { from })).code;
        const known = nextImei();
        await get(server, question(scene, known, '1001'), { from: '127.0.1.1' });
        const first = [];
        for (let n = 0; n < 60; n++)
            first.push(await ask(`127.0.1.${1 + n % 200}`));
        assert.equal(first.filter((code) => code !== 21).length, 29, 'three quarters of the day, with the one before');
        assert.equal(first.at(-1), 21);
        assert.notEqual(await ask('127.0.2.1'), 21, 'another network still has room');
        assert.equal((await get(server, question(scene, known, '1001'), { from: '127.0.1.9' })).code !== 21, true, 'a known device goes on');
        const { json } = await server.admin('GET', '/status', null, { expect: 200 });
        assert.deepEqual(json.admission_full, [{ product: scene.product, network: '127.0.1.0/24', devices: 30 }]);
        const told = (await ledger(server, '&kind=admission-full')).items;
        assert.deepEqual(told.map((row) => [row.detail.network, row.detail.devices, row.detail.limit]), [['127.0.1.0/24', 30, 40]]);
        const [line] = await server.logged('admission-full');
        assert.equal(line.network, '127.0.1.0/24');
        assert.equal(server.log('admission-full').length, 1, 'once');
    });

    test('behind our own proxy share only the limit of the product', async (t) => {
        const server = await startServer(t, { config: { max_new_devices_per_day: 8, device_proxies: '127.0.0.1' } });
        const scene = await Scene.build(server);
        for (let n = 0; n < 8; n++)
            assert.notEqual((await get(server, question(scene, nextImei(), '1001'))).code, 21);
        assert.equal((await get(server, question(scene, nextImei(), '1001'))).code, 21);
    });
});

test('a log that is not read delays no answer', async (t) => {
    const server = await startServer(t, { config: { log_lines_per_second: 0 } });
    const scene = await Scene.build(server);
    const stderr = server.process.stderr;
    stderr.pause();
    await flood(4000, (n) => get(server, question(scene, nextImei(), '1001', `no-such-${n}-${'x'.repeat(40)}`)));
    assert.equal((await server.admin('GET', '/status')).status, 200);
    stderr.resume();
    await server.logged('log-dropped');
    await server.stop();
    await server.start();
});
