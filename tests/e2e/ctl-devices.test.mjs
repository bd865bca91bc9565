// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of dfotactl for devices and their links, against an admin API played by the test.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import {
    FakeApi, airm2m, assertRun, at, columns, deltaPackage, device, firmware, firmwarePath, link, problem, scratch,
} from './lib/ctl.mjs';

describe('devices and links', () => {
    const devicePath = '/products/pumps/devices/866597071234567';

    test('device list follows all pages, but only on this server', async (t) => {
        const api = await FakeApi.start(t);
        const bare = (n) => device({ device: `86659707123456${n}`, links: undefined, attempts: undefined });
        api.on('GET /products/pumps/devices', ({ query }) => {
            const n = Number(query.get('after') ?? 0);
            const rest = `/api/v1/products/pumps/devices?after=${n + 1}`;
            const next = n === 0 ? `<${rest}>; rel="next"` : n === 1 ? `<http://127.0.0.1:9${rest}>; rel="next"` : null;
            return { body: { items: [bare(n)] }, headers: next ? { Link: next } : {} };
        });
        const table = await api.ctl('device', 'list', '--firmware', airm2m, '--notice');
        assertRun(table, 0);
        assert.deepEqual(['firmware', 'notice'].map((k) => api.requests[0].query.get(k)), [airm2m, '1']);
        assert.equal(api.requests.length, 3);
        assert.match(table.out, /4560 .*\n.*4561 .*\n.*4562 /);
        assert.deepEqual(JSON.parse((await api.ctl('device', 'list', '-o', 'json')).out).items.map((d) => d.device),
            [0, 1, 2].map((n) => bare(n).device));
    });

    test('a list that never ends is not followed for ever', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/devices', ({ raw }) => ({ body: { items: [device()] }, headers: { Link: `<${raw}>; rel="next"` } }));
        assertRun(await api.ctl('device', 'list'), 3, { err: /does not end/ });
    });

    test('device show prints everything that is known', async (t) => {
        const api = await FakeApi.start(t);
        const notice = 'stale link or refused package: report the version or set a new link';
        api.on(`GET ${devicePath}`, device({
            notice, warnings: ['the check digit of the IMEI is wrong'],
            links: [{ link: 3, token: 'x', firmware: airm2m, version: '1138', url: link().url, created_at: at, revoked_at: null }],
            attempts: [
                { attempt: 13, from: '1138', to: '1162', target: '1162', state: 'delivered', reason: 'nobody reported yet', bytes_acked: 43059,
                    size: 43059, created_at: at },
                { attempt: 12, from: '1138', to: '1162', target: '1162', state: 'not_applied', reason: 'came back with 1138',
                    bytes_acked: 43059, size: 43059, created_at: at,
                    result: { code: 2, meaning: 'the package could not be written', at } },
            ],
        }));
        const { out } = await api.ctl('device', 'show', '866597071234567');
        for (const pattern of [/^Confirmed version +1138$/m, /^ +by +check-in$/m, /^ +authenticated +no$/m, /^Last answer +43$/m,
            /^ +because +the package 1138→1162 is being generated$/m, new RegExp(`^notice: ${notice}$`, 'm'),
            /^warning: the check digit of the IMEI is wrong$/m, /^ +3 +1138 +2026-11-22 17:57:43Z +-\n +http:\/\/fota\.example/m,
            /^13 +1138 +1162 +1162 +delivered +43059 +43059 +2026-11-22 17:57:43Z\n +nobody reported yet\n12 .*not_applied/m,
            /^What the device says about the attempts\n[^\n]*\n *12 +2 +2026-11-22 17:57:43Z\n +the package could not be written$/m])
            assert.match(out, pattern);
        for (const line of out.split('\n'))
            assert.ok(columns(line) <= 80, line);
    });

    test('a device that has never asked has no confirmed version', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${devicePath}`, device({ confirmed_version: null, confirmed_at: null, confirmed_by: null, last_answer: null }));
        const { out } = await api.ctl('device', 'show', '866597071234567');
        assert.match(out, /^Confirmed version +-$/m);
        assert.match(out, /^Last answer +-$/m);
        assert.match(out, /\(none\)\n$/);
    });

    test('device link prints the commands to type, each on one line', async (t) => {
        const api = await FakeApi.start(t);
        const url = `http://fota.${'long.'.repeat(20)}example:8080/d/0a1b2c3d/1138`;
        api.on(`POST ${devicePath}/link`, { status: 201, body: link({ url, at_commands: [`AT+UPGRADE="URL","${url}"`, 'AT+UPGRADE'], warnings: ['odd IMEI'] }) });
        const result = await api.ctl('device', 'link', '866597071234567', '--version', 'V1138', '--firmware', airm2m);
        assertRun(result, 0);
        assert.deepEqual(JSON.parse(api.requests[0].body), { version: 'V1138', firmware: airm2m });
        assert.ok(result.out.includes(`\n  AT+UPGRADE="URL","${url}"\n  AT+UPGRADE\n`), result.out);
        assert.match(result.out, /^warning: odd IMEI$/m);
        await api.ctl('device', 'link', '866597071234567');
        assert.deepEqual(JSON.parse(api.requests[1].body), {});
    });

    for (const [name, over, routes, expected, message] of [
        ['the package that it needs', {}, { packages: [deltaPackage({ state: 'queued' }), deltaPackage()] }, 0, /1138→1162 is ready/],
        ['a package from the reported version', { version: null }, { packages: [deltaPackage()] }, 0, /is ready/],
        ['a package that fails', {}, { packages: [deltaPackage({ state: 'failed', error: 'no' })] }, 4, /is failed: no/],
        ['a format that is not set', {}, { packages: [problem(409, 'format-not-set', 'no format')] }, 4, /firmware set .*\n.*no format/],
        ['nothing, at the target', {}, { packages: [problem(422, 'not-an-upgrade', 'no')] }, 0, /nothing to wait for/],
        ['nothing, without a target', {}, { packages: [], target: null }, 0, /no target is set: nothing/],
    ])
        test(`device link --wait waits for ${name}`, async (t) => {
            const api = await FakeApi.start(t);
            api.on(`POST ${devicePath}/link`, { status: 201, body: link(over) });
            api.on(`GET ${devicePath}`, device()).on(`GET ${firmwarePath}`, firmware('target' in routes ? { target: routes.target } : {}));
            const states = [...routes.packages];
            api.on(`GET ${firmwarePath}/packages/1138/1162`, () => states.length > 1 ? states.shift() : states[0]);
            const result = await api.ctl('device', 'link', '866597071234567', '--wait');
            assertRun(result, expected, { err: message });
            assert.match(result.out, /AT\+UPGRADE\n$/);
        });

    test('device links sends the CSV and lists the links', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        await writeFile(join(dir, 'imeis.csv'), 'imei\n866597071234567\n866597071234575,1125\n');
        const answer = { items: [link(), link({ device: '866597071234575', version: '1125', warnings: ['odd'] })] };
        api.on(`POST ${firmwarePath}/links`, answer);
        const result = await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv'), '--version', '1138');
        assertRun(result, 0, { err: /^dfotactl: 2 links are new; 0 existed already and are unchanged\n$/ });
        const [request] = api.requests;
        assert.deepEqual([request.query.get('version'), request.headers['content-type'], String(request.body).length], ['1138', 'text/csv', 42]);
        assert.match(result.out, /866597071234575 +1125 +- +http:.*\n +warning: odd$/m);
        const json = await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv'), '-o', 'json');
        assert.deepEqual(JSON.parse(json.out), answer);
        api.on(`POST ${firmwarePath}/links`, problem(422, 'bad-device', 'line 2: no IMEI'));
        assertRun(await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv')), 1, { err: /line 2: no IMEI \(bad-device\)/ });
    });

    test('device revoke revokes one link or all', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`DELETE ${devicePath}/links`, { status: 204 }).on(`DELETE ${devicePath}/links/3`, { status: 204 });
        assertRun(await api.ctl('device', 'revoke', '--yes', '866597071234567'), 0, { err: /all links of 866597071234567 are revoked/ });
        assertRun(await api.ctl('device', 'revoke', '--yes', '866597071234567', '--link', '3'), 0, { err: /link 3 of/ });
        assertRun(await api.ctl('device', 'revoke', '--yes', '866597071234567', '--link', ''), 2, { err: /empty/ });
    });

    test('device unblock asks once and shows the device', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${devicePath}/unblock`, device());
        const result = await api.ctl('device', 'unblock', '866597071234567');
        assertRun(result, 0);
        assert.match(result.out, /^Blocked +no$/m);
    });
});
