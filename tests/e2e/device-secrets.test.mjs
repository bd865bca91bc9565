// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Secrets of devices: the private path /t/SECRET/, device_key, products that demand one, grades, rotation, and ids under a wrong secret.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { luatosPackage } from './lib/luatos.mjs';
import { forms, nextImei, query } from './lib/module.mjs';
import { Scene, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const any = { judge: { kind: 'any' } };
const pathOf = (link) => new URL(link.url).pathname;

async function secretOf(scene, module) {
    const path = module ? scene.deviceAdminPath(module, '/secrets') : `/products/${scene.product}/secrets`;
    return (await server.admin('POST', path, {}, { expect: 201 })).json;
}
const demand = (scene, rule = 'required') =>
    server.admin('PATCH', `/products/${scene.product}`, { device_secret: rule }, { expect: 200 });
const rows = async (scene, kind) =>
    (await server.admin('GET', `/ledger?product=${scene.product}&kind=${kind}`, null, { expect: 200 })).json.items;

// A module whose client has the URL with the secret in it.
function under(module, secret) {
    module.prefix = `/t/${secret.value}`;
    return module;
}

async function known(scene, options) {
    const module = scene.module(options);
    await module.ask();
    return module;
}

describe('under the private path', () => {
    const luatos = { firmware: 'PROJECT_LuatOS-SoC_EC618', versions: ['1103.1.2', '1103.1.3'], format: 'bsdiff' };
    const lines = {
        'LuatOS libfota since 2024-12-27': luatos,
        'Air724UG': { firmware: 'PROJECT_RDA8910_TTS', versions: ['4030', '4035'], format: 'bsdiff' },
        'AT firmware in KEY mode': { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1162'], format: 'bsdiff' },
        'libfota2 glued to /upgrade': luatos,
    };
    for (const [form, line] of Object.entries(lines))
        test(`${form} upgrades, and its evidence has the grade of the secret`, async () => {
            assert.ok(forms[form]);
            const scene = await Scene.build(server, line);
            const secret = await secretOf(scene);
            await demand(scene);
            const module = under(scene.module({ form, id: nextImei() }), secret);
            await module.ask();
            await module.upgrade();
            await module.ask();
            const record = await scene.record(module);
            assert.deepEqual([record.confirmed_version, record.confirmed_grade], [line.versions[1], 'product-secret']);
            assert.deepEqual([record.secret.secret, record.secret.of], [secret.secret, 'product']);
        });

    test('libfota3 gets a URL under the secret, and its result goes there', async () => {
        const firmware = 'pump_LuatOS-SoC_Air8101';
        const scene = await Scene.build(server, { firmware, versions: [], target: null });
        await server.putImage(scene.product, firmware, '2046.1.2', luatosPackage({ script: noiseImage({ seed: 7799, size: 60_000 }) }));
        await scene.setTarget('2046.1.2');
        const secret = await secretOf(scene);
        await demand(scene);
        const module = scene.module({ id: nextImei(), firmware, version: null });
        const target = `/api/site/turnkey_fota?${query({ imei: module.id, project_key: scene.product, model: 'Air8101', core_id: '8', core_version: '2046',
            script_name: 'pump', script_version: '001.999.001' })}`;
        const plain = await module.ask({ target, judge: { kind: 'report' } });
        assert.equal(plain.json.code, 25);
        const { json } = await module.ask({ target: `${secret.path}${target}`, judge: { kind: 'report' } });
        assert.equal(json.code, 0, JSON.stringify(json));
        const path = new URL(json.url).pathname;
        assert.match(path, new RegExp(`^${secret.path}/d/[a-z2-7]{26}$`));
        assert.equal((await module.ask({ target: path.slice(secret.path.length), ...any })).code, 25, 'a link that was handed out is no secret');
        assert.equal((await module.ask({ target: path })).status, 200);
        const result = `/api/site/turnkey_fota_result?fota_sn=${json.fota_sn}&result_code=0`;
        assert.equal((await module.ask({ target: `/t/${'x'.repeat(26)}${result}`, method: 'POST', ...any })).status, 404);
        assert.equal((await module.ask({ target: `${secret.path}${result}`, method: 'POST', judge: { kind: 'report' } })).status, 200);
    });

    test('a link works too, and a report over it keeps the prefix', async () => {
        const scene = await Scene.build(server);
        const { module, link } = await scene.linkedModule();
        const secret = await secretOf(scene, module);
        await demand(scene);
        assert.equal((await module.askUntilMade({ target: `${secret.path}${pathOf(link)}` })).status, 200);
        const { code } = await module.ask({ target: pathOf(link), ...any });
        assert.ok(![3, 25].includes(code), `a link that an admin made is a secret itself: ${code}`);
        const other = await secretOf(await Scene.build(server));
        assert.equal((await module.ask({ target: `${other.path}${pathOf(link)}`, ...any })).status, 404);
    });
});

describe('a secret that is wrong', () => {
    test('is answered like an unknown path, and changes nothing', async () => {
        const scene = await Scene.build(server);
        const module = await known(scene);
        const before = await scene.record(module);
        const unknown = await module.ask({ target: '/no/such/path', ...any });
        for (const wrong of ['x'.repeat(26), 'short', 'y'.repeat(200), '%00', 'a?b']) {
            const answer = await module.ask({ target: `/t/${wrong}/api/site/firmware_upgrade?imei=${module.id}&project_key=${scene.product}` +
                `&firmware_name=${module.firmware}&version=${module.version}`, ...any });
            assert.deepEqual([answer.status, String(answer.body)], [404, String(unknown.body)], wrong);
        }
        const resume = { range: 100, ...any };
        const plain = await module.ask({ target: '/no/such/path', ...resume });
        const answer = await module.ask({ target: `/t/${'x'.repeat(26)}${module.target}`, ...resume });
        assert.deepEqual([answer.status, answer.body.length], [plain.status, 0], 'a resume too, without a body');
        const after = await scene.record(module);
        assert.deepEqual([after.last_answer, after.check_ins], [before.last_answer, before.check_ins]);
    });

    test('of another device or product is flagged once a day, and the device keeps its own', async () => {
        const scene = await Scene.build(server);
        const a = await known(scene, { id: nextImei() }), b = await known(scene, { id: nextImei() });
        const mine = await secretOf(scene, a), theirs = await secretOf(scene, b);
        const foreign = await secretOf(await Scene.build(server));
        under(a, mine);
        await a.ask();
        for (const secret of [theirs, foreign, theirs]) {
            under(a, secret);
            assert.equal((await a.ask(any)).status, 404);
        }
        const found = await rows(scene, 'secret-conflict');
        assert.deepEqual(found.map(({ device, detail }) => [device, detail.secret]), [[`imei:${a.id}`, theirs.secret]]);
        assert.equal((await server.logged('secret-conflict', 1, ({ device }) => device === a.id)).length, 1);
        const record = await scene.record(a);
        assert.equal(record.secret_conflict.secret, theirs.secret);
        assert.equal(record.secret.secret, mine.secret);
        const { next } = (await server.admin('GET', '/overview', null, { expect: 200 })).json;
        assert.ok(next.some(({ kind, device }) => kind === 'secret-conflict' && device === `imei:${a.id}`), JSON.stringify(next));
        assert.equal((await scene.record(b)).secret_conflict, null);
    });
});

describe('device_key', () => {
    const asking = (module, key) => `/api/site/firmware_upgrade?${query({ imei: module.id, project_key: module.product, device_key: key,
        firmware_name: module.firmware, version: module.version })}`;

    test('is a secret too: valid, of another device, unknown, and empty', async () => {
        const scene = await Scene.build(server);
        const module = await known(scene), other = await known(scene, { id: nextImei() });
        const value = 'meter-0042.key_of-the-factory';
        const { json: mine } = await server.admin('POST', scene.deviceAdminPath(module, '/secrets'), { value }, { expect: 201 });
        const theirs = await secretOf(scene, other);
        assert.equal(mine.value, value);
        await module.ask({ target: asking(module, value), ...any });
        assert.equal((await scene.record(module)).confirmed_grade, 'device-secret');
        assert.equal((await module.ask({ target: asking(module, theirs.value), ...any })).code, 25);
        assert.equal((await scene.record(module)).secret_conflict.secret, theirs.secret);
        for (const key of ['', 'unknown-but-long-enough', 'k'.repeat(300), '\u0001'])
            assert.notEqual((await other.ask({ target: asking(other, key), ...any })).code, 25, key);
        await demand(scene);
        for (const key of ['', 'unknown-but-long-enough', `${value}x`, value.slice(0, -1)])
            assert.equal((await module.ask({ target: asking(module, key), ...any })).code, 25, key);
        assert.notEqual((await module.ask({ target: asking(module, value), ...any })).code, 25);
    });
});

describe('a product that demands a secret', () => {
    test('answers without one like an unknown product, and the admin sees which devices it refuses', async () => {
        const scene = await Scene.build(server);
        const module = await known(scene);
        await demand(scene);
        const unknown = await module.ask({ target: '/api/site/firmware_upgrade?imei=866597071234567&project_key=nobody&firmware_name=x&version=1', ...any });
        const answer = await module.ask(any);
        assert.deepEqual([answer.status, String(answer.body)], [unknown.status, String(unknown.body)]);
        const { items } = (await server.admin('GET', `/unknown?product=${scene.product}`, null, { expect: 200 })).json;
        const row = items.find(({ code }) => code === 25);
        assert.match(row.text, new RegExp(module.id));
        assert.match(row.do, /demands a secret/);
        const explained = (await server.admin('GET', `/products/${scene.product}/explain?device=${module.id}`, null, { expect: 200 })).json;
        assert.deepEqual([explained.code, explained.reason_code, explained.device], [25, 'secret-missing', module.id]);
        await demand(scene, 'optional');
        assert.notEqual((await module.ask(any)).code, 25);
        assert.deepEqual((await rows(scene, 'product-set')).map(({ detail }) => detail.device_secret), ['required', 'optional']);
        await server.admin('PATCH', `/products/${scene.product}`, { device_secret: 'perhaps' }, { expect: 422 });
    });
});

describe('grades', () => {
    test('a device secret ranks above a product secret, and both above none', async () => {
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
        const module = await known(scene);
        const grade = async (version, prefix) => {
            Object.assign(module, { version, prefix });
            await module.ask(any);
            const { confirmed_version: confirmed, confirmed_grade: of, claim } = await scene.record(module);
            return [confirmed, of, claim?.version ?? null];
        };
        const ofProduct = (await secretOf(scene)).path, ofDevice = (await secretOf(scene, module)).path;
        assert.deepEqual(await grade('1001', ''), ['1001', 'unauthenticated', null]);
        assert.deepEqual(await grade('1001', ofProduct), ['1001', 'product-secret', null]);
        assert.deepEqual(await grade('1002', ''), ['1001', 'product-secret', '1002']);
        assert.deepEqual(await grade('1002', ofDevice), ['1002', 'device-secret', null]);
        assert.deepEqual(await grade('1001', ofProduct), ['1002', 'device-secret', '1001']);
        assert.ok((await scene.record(module)).attempts.some(({ beside }) => beside), 'any device of the product can send this');
        assert.deepEqual(await grade('1003', ofDevice), ['1003', 'device-secret', null]);
    });
});

describe('rotation', () => {
    test('old and new work together; the list says who has moved; the old one ends', async () => {
        const scene = await Scene.build(server);
        const a = await known(scene), b = await known(scene, { id: nextImei() });
        const path = `/products/${scene.product}/secrets`;
        const old = await secretOf(scene);
        await demand(scene);
        await under(a, old).ask();
        await under(b, old).ask();
        const { json: fresh } = await server.admin('POST', `${path}/${old.secret}/rotate`, { overlap_ms: 60_000 }, { expect: 201 });
        assert.notEqual(fresh.value, old.value);
        await under(a, fresh).ask();
        await under(b, old).ask();
        const seen = async () => (await server.admin('GET', path, null, { expect: 200 })).json.items
            .map(({ secret, state, devices, used_at: used }) => [secret, state, devices, used > 0]);
        assert.deepEqual(await seen(), [[old.secret, 'ending', 1, true], [fresh.secret, 'valid', 1, true]]);
        await under(b, fresh).ask();
        assert.deepEqual(await seen(), [[old.secret, 'ending', 0, false], [fresh.secret, 'valid', 2, true]]);
        await server.admin('DELETE', `${path}/${old.secret}`, null, { expect: 204 });
        assert.equal((await under(b, old).ask(any)).status, 404);
        await server.admin('DELETE', `${path}/${old.secret}`, null, { expect: 409 });
        const { json: third } = await server.admin('POST', `${path}/${fresh.secret}/rotate`, { overlap_ms: 0 }, { expect: 201 });
        assert.equal((await under(b, fresh).ask(any)).status, 404, 'it ended at once');
        assert.notEqual((await under(b, third).ask(any)).status, 404);
        assert.deepEqual((await rows(scene, 'secret-rotated')).map(({ detail }) => detail.old_secret), [old.secret, fresh.secret]);
        assert.equal((await rows(scene, 'secret-revoked')).length, 1);
    });
});

describe('who may see and change secrets', () => {
    test('below operate nobody sees one, and refusals are clear', async () => {
        const scene = await Scene.build(server);
        const secret = await secretOf(scene);
        const path = `/products/${scene.product}/secrets`;
        const { json: reader } = await server.admin('POST', '/tokens', { name: `reader ${scene.product}`, scope: 'read' }, { expect: 201 });
        const shown = await server.admin('GET', path, null, { token: reader.secret, expect: 200 });
        assert.deepEqual([shown.json.items[0].secret, shown.json.items[0].value, shown.json.items[0].path], [secret.secret, null, null]);
        assert.ok(!shown.body.includes(secret.value));
        await server.admin('POST', path, {}, { token: reader.secret, expect: 403 });
        for (const value of ['short', 'a'.repeat(65), 'with space 0123456789', 'slash/0123456789abc'])
            assert.match((await server.admin('POST', path, { value }, { expect: 422 })).json.detail, /16 to 64 characters/);
        await server.admin('POST', path, { value: secret.value }, { expect: 422 });
        assert.equal((await server.admin('POST', `${path}/999999/rotate`, {}, { expect: 404 })).json.code, 'secret-not-found');
        const other = await Scene.build(server);
        await server.admin('DELETE', `/products/${other.product}/secrets/${secret.secret}`, null, { expect: 404 });
        for (let i = 1; i < 8; i++)
            await secretOf(scene);
        assert.match((await server.admin('POST', path, {}, { expect: 422 })).json.detail, /revoke one before/);
    });

    test('below operate a transcript shows the beginning of a secret only', async () => {
        const scene = await Scene.build(server);
        const module = await known(scene);
        const value = 'factory.2026_meter-0042', said = `AT+UPGRADE="URL","http://host/t/${value}/d/x"\r\nGET /upgrade?device_key=${value}\r\nOK\r\n`;
        const { json: reader } = await server.admin('POST', '/tokens', { name: `hears ${scene.product}`, scope: 'read' }, { expect: 201 });
        const { json } = await server.admin('POST', scene.deviceAdminPath(module, '/transcripts'), said, { headers: { 'Content-Type': 'text/plain' }, expect: 201 });
        const text = async (options) => (await server.admin('GET', scene.deviceAdminPath(module, `/transcripts/${json.transcript}`), null,
            { headers: { Accept: 'text/plain' }, expect: 200, ...options })).body.toString();
        assert.equal(await text({}), said);
        assert.equal(await text({ token: reader.secret }), said.replaceAll(value, `factor${'*'.repeat(value.length - 6)}`));
    });

    test('dfotactl makes, lists, rotates and revokes them', async () => {
        const scene = await Scene.build(server);
        const module = await known(scene);
        const ctl = async (...args) => {
            const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product };
            const { status, out, err } = await run(args, { env });
            assert.equal(status, 0, err);
            return out;
        };
        const value = (await ctl('secret', 'add', module.id)).trim();
        assert.match(value, /^[a-z2-7]{26}$/);
        await under(module, { value }).ask();
        assert.match(await ctl('secret', 'list'), new RegExp(`device +imei:${module.id} +valid .* 1 .*${value}`));
        const [{ secret }] = (await server.admin('GET', scene.deviceAdminPath(module, '/secrets'), null, { expect: 200 })).json.items;
        assert.match(await ctl('secret', 'rotate', `${secret}`, '--overlap', '1'), /^[a-z2-7]{26}\n$/);
        assert.match(await ctl('secret', 'list', module.id), /ending/);
        await ctl('secret', 'revoke', `${secret}`, '--yes');
        assert.equal((await module.ask(any)).status, 404);
        assert.match(await ctl('device', 'show', module.id), /grade +device-secret/);
        assert.match(await ctl('product', 'set', scene.product, '--device-secret', 'required'), /Secret of devices +required/);
    });
});

test('a host that reports under the secret of its device gets its next link there', async () => {
    const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: '1002' });
    const { module, link } = await scene.linkedModule();
    const secret = await secretOf(scene, module);
    const { json } = await report(module, { ...link, report_url: link.report_url.replace('/d/', `${secret.path}/d/`) }, { version: '1001' });
    assert.equal((await scene.record(module)).confirmed_grade, 'device-secret');
    assert.match(new URL(json.next.url).pathname, new RegExp(`^${secret.path}/d/`));
});
