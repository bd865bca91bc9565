// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Reports of hosts for their modules, and links in bulk.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { imeiWithCheckDigit, nextImei, poll } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const at = { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147', '1162'], format: 'bsdiff' };

let server;
before(async () => { server = await startServer(null, { keep: true, config: { public_device_url: 'http://fota.example' } }); });
after(() => server?.dispose());

describe('a report', () => {
    test('sets the confirmed version and answers with the next hop, which works', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const { status, json } = await report(module, link, { version: 'AirM2M_780E_V1147_LTE_AT' });
        assert.equal(status, 200);
        assert.deepEqual([json.confirmed_version, json.target, json.next.version], ['1147', '1162', '1162']);
        assert.deepEqual(json.next.at_commands, [`AT+UPGRADE="URL","${json.next.url}"`, 'AT+UPGRADE']);
        assert.equal(typeof json.next.ready, 'boolean');
        assert.equal(json.reason, null, 'nothing has been sent, and nothing stands in the way');
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by], ['1147', 'host-report']);

        module.link = new URL(json.next.url).pathname;
        module.version = '1147';
        module.image = scene.images.get('1147');
        await module.upgrade();
        assert.equal(module.version, '1162');
        const last = await report(module, link, { version: '1162' });
        assert.deepEqual([last.json.confirmed_version, last.json.next, last.json.reason], ['1162', null, '1162 is the target']);
        const { attempts, confirmed_version } = await scene.record(module);
        assert.equal(confirmed_version, '1162');
        assert.equal(attempts.find((a) => a.from === '1147').state, 'confirmed');
    });

    test('says when the next package is ready', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const next = await poll('it is ready', async () => {
            const { json } = await report(module, link, { version: '1138' });
            return json.next.ready ? json.next : null;
        });
        module.link = new URL(next.url).pathname;
        assert.equal((await module.ask()).status, 200);
    });

    test('has no next step if there is nothing to do', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        for (const version of ['1162', '1170'])
            assert.equal((await report(module, link, { version })).json.next, null);
        await server.clearTarget(scene.product, scene.firmware);
        const { json } = await report(module, link, { version: '1138' });
        assert.deepEqual([json.confirmed_version, json.target, json.next], ['1138', null, null]);
    });

    test('of the old version after a delivery means not applied', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        await report(module, link, { version: '1138' });
        assert.equal((await scene.record(module)).attempts.at(-1).state, 'not_applied');
    });

    test('of a third version after a delivery means diverged', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        await report(module, link, { version: '1147' });
        assert.equal((await scene.record(module)).attempts.at(-1).state, 'diverged');
    });

    test('accepts every spelling of a version, and changes nothing if it is wrong', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        for (const version of ['1147', 'V1147', 'AirM2M_780E_LTE_AT_V1147', 'AirM2M_780E_V1147_LTE_AT'])
            assert.equal((await report(module, link, { version })).json.confirmed_version, '1147');
        const bad = {
            400: ['', '{', '[]extra', '{"version":"1162"', Buffer.from([0xff, 0xfe]).toString('latin1')],
            422: ['{"version":"AirM2M_780ET_V1162_LTE_AT"}', '{"version":"AirM2M_780E_V1162_LTE_LSAT"}', '{"version":"no version"}'],
        };
        for (const [status, bodies] of Object.entries(bad)) {
            for (const body of bodies) {
                const answer = await report(module, link, body);
                assert.deepEqual([answer.status, answer.code], [Number(status), Number(status)], `${body}: ${answer.body}`);
            }
        }
        for (const body of ['{}', '{"version":1162}', '{"version":null}', '[]', '"1162"']) {
            const { status } = await report(module, link, body);
            assert.ok([400, 422].includes(status), `${body}: ${status}`);
        }
        assert.equal((await scene.record(module)).confirmed_version, '1147');
    });

    test('that is too long is refused', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const answer = await module.ask({
            method: 'POST', target: new URL(link.report_url).pathname, body: JSON.stringify({ version: '1147', log: 'x'.repeat(100_000) }),
            judge: { kind: 'report', mayReset: true },
        });
        assert.equal(answer.status, 413);
        assert.equal((await scene.record(module)).confirmed_version, null);
    });

    test('must be a POST: GET is 405 with Allow', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const answer = await module.ask({ target: new URL(link.report_url).pathname });
        assert.deepEqual([answer.status, answer.code], [405, 405]);
        assert.match(answer.header('allow'), /POST/);
        const posted = await module.ask({ method: 'POST', body: '{"version":"1162"}' });
        assert.equal(posted.status, 405);
        assert.match(posted.header('allow'), /GET/);
    });
});

describe('a device of a link', () => {
    test('may be new; its firmware is the one in the full name, or the only one', async () => {
        const scene = await Scene.build(server, at);
        const other = await Scene.build(server, { firmware: 'valve' });
        const only = await scene.createLink(scene.module());
        assert.equal(only.firmware, scene.firmware);
        await server.putImage(scene.product, 'second', '1', Buffer.from([0, 1, 2, 3, 255, 254, 128, 0]));
        const named = await scene.createLink(scene.module(), { version: 'AirM2M_780E_V1138_LTE_AT' });
        assert.deepEqual([named.firmware, named.version], [scene.firmware, '1138']);
        const path = scene.deviceAdminPath(scene.module(), '/link');
        assert.ok([409, 422].includes((await server.admin('POST', path, { version: '1138' })).status), 'two firmwares, none named');
        assertProblem(await server.admin('POST', path, { version: '1138', firmware: other.firmware }), 404, 'firmware-not-found');
        const misspelt = await server.admin('POST', path, { version: '1138', firmware: scene.firmware, versoin: '1' });
        assertProblem(misspelt, 400, 'bad-request');
        assert.match(misspelt.json.detail, /unknown field: versoin; it takes: version firmware$/);
    });

    test('has warnings about everything that prevents its upgrade', async () => {
        const scene = await Scene.build(server, at);
        const warnings = async (body) => {
            const path = scene.deviceAdminPath(scene.module(), '/link');
            return (await server.admin('POST', path, { firmware: scene.firmware, ...body }, { expect: 201 })).json.warnings.join('; ');
        };
        const version = scene.versions[0];
        assert.equal(await warnings({ version }), '');
        assert.match(await warnings({}), /^no version [^;]*code 44$/);
        assert.match(await warnings({ version: '7' }), /^the image of version 7 [^;]*code 44$/);
        await scene.set({ format: null });
        assert.match(await warnings({ version }), /^no package format [^;]*code 21$/);
        await server.clearTarget(scene.product, scene.firmware);
        assert.match(await warnings({ version }), /^no target [^;]*code 27; no package format/);
    });

    test('has a warning if the check digit of its imei is wrong, and is refused without a valid id', async () => {
        const scene = await Scene.build(server, at);
        const right = imeiWithCheckDigit('86659707654321');
        const wrong = right.slice(0, 14) + ((Number(right[14]) + 5) % 10);
        assert.deepEqual((await scene.createLink(scene.module({ id: right }))).warnings, []);
        assert.match((await scene.createLink(scene.module({ id: wrong }))).warnings.join(), /check digit/);
        assertProblem(await server.admin('POST', `/products/${scene.product}/devices/imei:12/link`, { version: '1138' }), 422, 'bad-device');
    });
});

describe('links in bulk', () => {
    const bulk = (scene, csv, { query = '?version=1138', ...headers } = {}) =>
        server.admin('POST', scene.path(`/links${query}`), csv, { headers: { 'Content-Type': 'text/csv', ...headers } });

    test('are made for every line of a CSV, with its own version or the common one', async () => {
        const scene = await Scene.build(server, at);
        const ids = [nextImei(), nextImei(), nextImei()];
        const { status, json } = await bulk(scene, `imei,version\r\n${ids[0]}\r\n\r\n${ids[1]},1147\n${ids[2]},`);
        assert.equal(status, 200);
        assert.deepEqual(json.items.map((l) => [l.device, l.version]), [[ids[0], '1138'], [ids[1], '1147'], [ids[2], '1138']]);
        const module = scene.module({ id: ids[1], link: new URL(json.items[1].url).pathname });
        assert.deepEqual((await module.askUntilMade()).body, await scene.content('1147', '1162'));
    });

    test('are returned as CSV on request', async () => {
        const scene = await Scene.build(server, at);
        const ids = [nextImei(), nextImei()];
        const { status, headers, body } = await bulk(scene, ids.join('\n'), { Accept: 'text/csv' });
        assert.equal(status, 200);
        assert.match(headers['content-type'], /^text\/csv/);
        const [heading, ...rows] = body.toString().trim().split(/\r?\n/).map((line) => line.split(','));
        assert.deepEqual(heading, ['imei', 'version', 'url', 'report_url']);
        assert.deepEqual(rows.map((r) => r.slice(0, 2)), ids.map((id) => [id, '1138']));
        assert.ok(rows.every((r) => /^http:\/\/[^/]+\/d\/[^/]+\/1138$/.test(r[2]) && r[3].endsWith('/report')));
    });

    test('are made for all lines or none: the error has the number of the bad line', async () => {
        const scene = await Scene.build(server, at);
        const id = nextImei();
        for (const bad of ['hello', '12', `${nextImei()},x y`, `${nextImei()},1147,more`]) {
            const answer = await bulk(scene, `imei\n${id}\n${bad}\n`);
            assert.equal(answer.status, 422, `${bad}: ${answer.body}`);
            assert.match(answer.json.detail, /\b3\b/);
        }
        assert.equal(await server.deviceRecord(scene.product, `imei:${id}`), null);
    });

    test('need the content type of a CSV', async () => {
        const scene = await Scene.build(server, at);
        assertProblem(await bulk(scene, '{}', { 'Content-Type': 'application/json' }), 415, 'unsupported-type');
    });

    test('are made for 3,000 devices at once', async () => {
        const scene = await Scene.build(server, at);
        const ids = Array.from({ length: 3000 }, (_, i) => imeiWithCheckDigit(String(35_000_000_000_000 + i)));
        const { status, json } = await bulk(scene, ids.join('\n'));
        assert.equal(status, 200);
        assert.equal(new Set(json.items.map((l) => l.url)).size, 3000);
    });
});
