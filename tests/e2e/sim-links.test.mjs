// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The simulator with links: modules without a host, hosts that report, and files with links.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { imeiWithCheckDigit } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import {
    deliver, delta, file, idle, imei, json, makePackages, refusal, serve, sim, simJson, wait,
} from './lib/sim.mjs';

before(makePackages);

describe('links', () => {
    const linked = ['--image', file('1138'), '--interval', '0.01'];

    test('without a host the same link is asked again, whatever version runs, and a repeated package is refused', async (t) => {
        const fake = await serve(t, [wait, deliver(delta['1138-1162']), deliver(delta['1138-1162']), idle]);
        const { status, json: { items: [module] } } = await simJson('--link', `${fake.url}/d/tok/1138`, ...linked, '--asks', 4);
        assert.equal(status, 0);
        assert.deepEqual([module.version, module.packages, module.rejected, module.reports], ['1162', 1, 1, 0]);
        assert.deepEqual(fake.requests.map((r) => r.first), Array(4).fill('GET /d/tok/1138 HTTP/1.1'));
    });

    test('without a host it has reached its version by booting it', async (t) => {
        const fake = await serve(t, [deliver(delta['1138-1162'])]);
        assert.equal((await sim('--link', `${fake.url}/d/tok/1138`, ...linked, '--until', '1162')).status, 0);
        assert.equal(fake.requests.length, 1);
    });

    test('a host reports the full name after each reboot and follows the next link', async (t) => {
        let fake;
        const says = (version) => JSON.stringify({ version });
        fake = await serve(t, ({ first, body }) => {
            switch (`${first.slice(0, -9)} ${body}`) {
            case 'GET /d/tok/1138 ':
                return deliver(delta['1138-1147']);
            case `POST /d/tok/report ${says('AirM2M_780E_V1147_LTE_AT')}`:
                return json({
                    confirmed_version: '1147', target: '1162',
                    next: { version: '1162', url: `${fake.url}/d/tok/1147`, at_commands: [], ready: true },
                });
            case 'GET /d/tok/1147 ':
                return deliver(delta['1147-1162']);
            case `POST /d/tok/report ${says('AirM2M_780E_V1162_LTE_AT')}`:
                return json({ confirmed_version: '1162', target: '1162', next: null });
            default:
                return refusal(404);
            }
        });
        const { status, lines } = await sim('--link', `${fake.url}/d/tok/1138`, ...linked, '--report', '--imei', imei,
            '--firmware', 'AirM2M_780E_LTE_AT', '--expect', '1162');
        assert.equal(status, 0, lines.join('\n'));
        assert.equal(fake.requests.length, 4);
        assert.ok(lines.includes(`${imei} reports AirM2M_780E_V1147_LTE_AT`));
        assert.ok(lines.includes('→ confirmed 1147'));
        assert.match(lines.at(-1), /ends at 1162: idle/);
    });

    test('a report that did not arrive is repeated, a refused one is final', async (t) => {
        const again = await serve(t, [deliver(delta['1138-1162']), { parts: [] }, refusal(503, '503 Service Unavailable'),
            json({ confirmed_version: '1162', target: '1162', next: null })]);
        const words = (fake) =>
            ['--link', `${fake.url}/d/tok/1138`, ...linked, '--report', '--firmware', 'pump', '--until', '1162'];
        assert.equal((await sim(...words(again))).status, 0);
        assert.equal(again.requests.at(-1).body, '{"version":"pump_V1162"}');

        const refused = await serve(t, [deliver(delta['1138-1162']), refusal(422, '422 Unprocessable Content')]);
        const { json: { items: [module] } } = await simJson(...words(refused));
        assert.deepEqual([module.outcome, module.reports], ['refused', 0]);
    });

    test('a file of links as the server prints it: a module for each, on the image of its version', async (t) => {
        const fake = await serve(t, ({ target }) => {
            const [, , token, version] = target.split('/');
            return version === 'report' ? json({ confirmed_version: '1162', target: '1162', next: null })
                : token.startsWith('a') ? deliver(delta['1138-1162']) : deliver(delta['1147-1162']);
        });
        const rows = ['imei,version,url,report_url'];
        for (let i = 0; i < 10; i += 1)
            for (const [token, version] of [['a', 1138], ['b', 1147]])
                rows.push([
                    imeiWithCheckDigit(`866597071${version}${i}`), version, `${fake.url}/d/${token}${i}/${version}`,
                    `${fake.url}/d/${token}${i}/report`,
                ].join(','));
        writeFileSync(file('links.csv'), rows.join('\r\n') + '\r\n');
        const { status, json: summary } = await simJson('--links', file('links.csv'), '--report', '--firmware', 'pump', ...linked,
            '--know', `1147=${file('1147')}`, '--know', `1162=${file('1162')}`, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual([summary.modules, summary.as_wanted, summary.outcomes, summary.reports, summary.packages],
            [20, 20, { reached: 20 }, 20, 20]);
        assert.equal(new Set(summary.items.map((i) => i.module)).size, 20);
        assert.equal(fake.requests.filter((r) => r.method === 'POST').length, 20);
    });

    test('the file of dfotactl device links is read by the names of its columns', async (t) => {
        const server = await startServer(t, { config: { public_device_url: 'http://fota.example' } });
        const scene = await Scene.build(server, { product: 'pumps', firmware: 'pump', versions: ['1138', '1162'], format: 'bsdiff' });
        writeFileSync(file('imeis.csv'), '866597071234500,1138\n866597071234518,1138\n');
        const env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
        const printed = await run(['device', 'links', scene.firmware, '--csv', file('imeis.csv'), '-o', 'csv'], { env });
        assert.equal(printed.status, 0, printed.err);
        const fake = await serve(t, ({ target }) => (target.endsWith('/report') ? json({ confirmed_version: '1162', target: '1162', next: null })
            : deliver(delta['1138-1162'])));
        writeFileSync(file('factory.csv'), printed.out.replaceAll('http://fota.example', fake.url));
        const { status, json: summary } = await simJson('--links', file('factory.csv'), '--report', '--firmware', 'pump', ...linked, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual(summary.items.map((i) => i.module), ['866597071234500', '866597071234518']);
        assert.equal(summary.reports, 2);
        // the columns in another order, one that is not known, and quotes around a comma
        writeFileSync(file('order.csv'), `"note",url,device\r\n"one, ""two""",${fake.url}/d/x/1138,866597071234500\r\n`);
        const other = await simJson('--links', file('order.csv'), ...linked, '--until', '1162');
        assert.deepEqual([other.status, other.json.items.map((i) => i.module)], [0, ['866597071234500']]);
    });

    test('a file of bare URLs', async (t) => {
        const fake = await serve(t, () => deliver(delta['1138-1162']));
        writeFileSync(file('urls'), `${fake.url}/d/x/1138\n\n${fake.url}/d/y/1138`);
        const { status, lines } = await sim('--links', file('urls'), ...linked, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.target).sort(), ['/d/x/1138', '/d/y/1138']);
        assert.ok(lines.includes('module 2 reboots into 1162'));
    });
});
