// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The vendor's dialect: every form of the request, every code of the answer, and the identity of the device.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { forms, imeiWithCheckDigit, nextImei } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const site = '/api/site/firmware_upgrade?';

// A module of the scene asks with these parameters instead of its own; undefined leaves one out.
function asking(module, changes) {
    const all = { imei: module.id, project_key: module.product, firmware_name: module.firmware, version: module.version, ...changes };
    return site + Object.entries(all).filter(([, v]) => v !== undefined).map((kv) => kv.map(encodeURIComponent).join('=')).join('&');
}

async function expectCode(module, code, options = {}) {
    const answer = await module.ask(options);
    assert.equal(answer.code, code, `${answer.status} ${answer.body.subarray(0, 200)}`);
    assert.equal(answer.status, 400);
    return answer;
}

describe('a module upgrades, asking as', () => {
    const luatos = { firmware: 'PROJECT_LuatOS-SoC_EC618', versions: ['1103.1.2', '1103.1.3'], format: 'bsdiff' };
    const lines = {
        'LuatOS libfota of 2023': luatos,
        'LuatOS libfota of 2023 with a model': luatos,
        'LuatOS libfota since 2024-12-27': luatos,
        'LuatOS libfota2': luatos,
        'Air724UG': { firmware: 'PROJECT_RDA8910_TTS', versions: ['4030', '4035'], format: 'bsdiff' },
        'Air724UG that needs an OSS URL': { firmware: 'PROJECT_RDA8910_TTS', versions: ['4030', '4035'], format: 'bsdiff' },
        'EC618 CSDK': { firmware: 'meter_CSDK_EC618', versions: ['1.0.2', '1.0.10'], format: 'bsdiff' },
        'AT firmware in KEY mode': { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1162'], format: 'bsdiff' },
        'libfota2 at /upgrade': luatos,
        'libfota2 glued to /upgrade': luatos,
        'libfota glued to the vendor\'s path': luatos,
    };
    const ids = { imei: nextImei, mac: () => 'C8C2C68E1234', uid: () => '30393438373235' };
    const takesAnyId = /since 2024|libfota2/;

    test('every form that the simulated module knows is tested', () => assert.deepEqual(Object.keys(lines), Object.keys(forms)));

    for (const [form, line] of Object.entries(lines)) {
        for (const idKind of takesAnyId.test(form) ? Object.keys(ids) : ['imei']) {
            test(`${form}, by ${idKind}`, async () => {
                const scene = await Scene.build(server, line);
                const [from, to] = line.versions;
                const module = scene.module({ form, idKind, id: ids[idKind]() });

                await expectCode(module, 43);
                let record = await scene.record(module);
                assert.equal(record.device, module.id);
                assert.equal(record.id_kind, idKind);
                assert.equal(record.firmware, line.firmware);
                assert.equal(record.confirmed_version, from);
                assert.equal(record.confirmed_by, 'check-in');
                assert.equal(record.attempts[0].state, 'waiting');
                assert.deepEqual(record.last_answer.code, 43);

                const { answers } = await module.upgrade();
                assert.equal(answers[0].status, form.startsWith('Air724UG') ? 206 : 200);
                assert.equal(module.version, to);
                assert.ok(module.image.equals(scene.images.get(to)));

                await expectCode(module, 27);
                record = await scene.record(module);
                assert.equal(record.confirmed_version, to);
                assert.equal(record.attempts[0].state, 'confirmed');
                assert.equal(record.attempts.length, 1);
            });
        }
    }

    test('unknown parameters are ignored', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await expectCode(module, 43, { target: asking(module, { model: 'Air780E', rssi: '-70', '': '', 'é': '请' }) });
    });
});

describe('code', () => {
    test('3: no usable id', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        for (const changes of [{ imei: undefined }, { imei: '' }, { imei: undefined, mac: '', uid: '' }])
            await expectCode(module, 3, { target: asking(module, changes) });
        assert.equal((await server.admin('GET', `/products/${scene.product}/devices`)).json.items.length, 0);
    });

    test('17: the firmware belongs to another product', async () => {
        const [mine, other] = [await Scene.build(server), await Scene.build(server, { firmware: 'valve' })];
        const module = mine.module();
        await expectCode(module, 17, { target: asking(module, { firmware_name: other.firmware }) });
        assert.equal(await mine.record(module), null);
    });

    test('21: no package format is set', async () => {
        const scene = await Scene.build(server, { firmware: 'AirM2M_718P_LTE_AT', versions: ['1138', '1162'] });
        const module = scene.module();
        await expectCode(module, 21);
        assert.match((await scene.record(module)).last_answer.reason, /format/);
    });

    test('25: an unknown project, or none', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        for (const project_key of ['nobody', '', undefined, scene.product.toUpperCase()])
            await expectCode(module, 25, { target: asking(module, { project_key }) });
        assert.equal(await scene.record(module), null);
    });

    test('26: an unknown firmware, or none', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        for (const firmware_name of ['no-such-firmware', '', undefined])
            await expectCode(module, 26, { target: asking(module, { firmware_name }) });
        assert.equal(await scene.record(module), null);
    });

    test('27: at the target, above it, or without a target', async () => {
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: '1002' });
        for (const version of ['1002', '1003', '999999']) {
            const module = scene.module({ version });
            await expectCode(module, 27);
            const record = await scene.record(module);
            assert.equal(record.confirmed_version, version);
            assert.deepEqual(record.attempts, []);
        }
        await server.clearTarget(scene.product, scene.firmware);
        await expectCode(scene.module(), 27);
        assert.equal(await scene.package('1001', '1002'), null);
    });

    test('43 until the package is made, then 200', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await expectCode(module, 43);
        assert.ok(['queued', 'generating', 'ready'].includes((await scene.package()).state));
        const answer = await module.askUntilMade();
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, await scene.content());
    });

    test('44: a base that the server does not have, or no version sent; the admin sees both', async () => {
        const scene = await Scene.build(server);
        const modules = [scene.module({ version: '900' }), scene.module({ version: '900' }), scene.module({ version: '901' })];
        for (const module of modules)
            await expectCode(module, 44);
        const { json } = await server.admin('GET', scene.path('/missing-bases'), null, { expect: 200 });
        assert.deepEqual(json.items, [{ version: '900', devices: 2 }, { version: '901', devices: 1 }]);
        const module = scene.module();
        await expectCode(module, 44, { target: asking(module, { version: undefined }) });
        assert.equal((await scene.record(module)).confirmed_version, null);
    });

    test('40: a device that begins too often is blocked until an admin unblocks it', async (t) => {
        const guarded = await startServer(t, { config: { loop_guard_per_day: 2 } });
        const scene = await Scene.build(guarded);
        const module = scene.module();
        await scene.makePackage();
        for (let i = 0; i < 2; i += 1)
            assert.equal((await module.ask()).status, 200);
        await expectCode(module, 40);
        await expectCode(module, 40);
        assert.equal((await scene.record(module)).blocked, true);
        assert.equal((await scene.module().ask()).status, 200, 'another device is not concerned');

        const lifted = await guarded.admin('POST', scene.deviceAdminPath(module, '/unblock'), null, { expect: 200 });
        assert.equal(lifted.json.blocked, false);
        assert.equal((await module.ask()).status, 200);
    });

    test('waiting does not count as beginning', async (t) => {
        const guarded = await startServer(t, { config: { loop_guard_per_day: 1 } });
        const scene = await Scene.build(guarded);
        const module = scene.module();
        await expectCode(module, 43);
        for (let i = 0; i < 5; i += 1)
            await module.ask({ method: 'HEAD' });
        assert.equal((await module.askUntilMade()).status, 200);
        assert.equal((await scene.record(module)).blocked, false);
    });

    test('each has its own status in the configuration', async (t) => {
        const other = await startServer(t, { config: { status_43: 503, status_27: 404, status_25: 403 } });
        const scene = await Scene.build(other);
        const module = scene.module();
        const wanted = { 43: [503, {}], 27: [404, { version: '1002' }], 25: [403, { project_key: 'x' }], 26: [400, { firmware_name: 'x' }] };
        for (const [code, [status, changes]] of Object.entries(wanted)) {
            const answer = await module.ask({ target: asking(module, changes) });
            assert.deepEqual([answer.code, answer.status], [Number(code), status]);
        }
    });
});

describe('the device', () => {
    test('is known by its imei, else its mac, else its uid', async () => {
        const scene = await Scene.build(server);
        const [imei, mac, uid] = [nextImei(), 'C8C2C68EAA01', 'uid-of-this-one'];
        const module = scene.module();
        const cases = [[{ uid, mac, imei }, `imei:${imei}`], [{ imei: '', uid, mac }, `mac:${mac}`], [{ imei: undefined, mac: '', uid }, `uid:${uid}`]];
        for (const [i, [changes, name]] of cases.entries()) {
            await module.ask({ target: asking(module, changes) });
            assert.ok(await server.deviceRecord(scene.product, name), name);
            assert.equal((await server.admin('GET', `/products/${scene.product}/devices`)).json.items.length, i + 1);
        }
    });

    test('is the same device in every spelling of its mac', async () => {
        const scene = await Scene.build(server);
        const module = scene.module({ idKind: 'mac', id: 'C8C2C68EAA02' });
        for (const mac of ['c8c2c68eaa02', 'C8:C2:C6:8E:AA:02', 'c8-c2-c6-8e-aa-02'])
            await module.ask({ target: asking(module, { imei: undefined, mac }) });
        const { json } = await server.admin('GET', `/products/${scene.product}/devices`);
        assert.deepEqual(json.items.map((d) => [d.id_kind, d.device, d.check_ins]), [['mac', 'C8C2C68EAA02', 3]]);
    });

    test('is a different device in another product', async () => {
        const [one, two] = [await Scene.build(server), await Scene.build(server, { versions: ['1', '2'] })];
        const id = nextImei();
        const [here, there] = [one.module({ id }), two.module({ id, version: '2' })];
        await expectCode(here, 43);
        await expectCode(there, 27);
        assert.equal((await one.record(here)).confirmed_version, '1001');
        assert.equal((await two.record(there)).confirmed_version, '2');
        assert.equal((await two.record(there)).attempts.length, 0);
    });

    test('is served, with a warning, if the check digit of the imei is wrong', async () => {
        const scene = await Scene.build(server);
        const right = imeiWithCheckDigit('86659707123456');
        const wrong = right.slice(0, 14) + ((Number(right[14]) + 1) % 10);
        const [good, bad] = [scene.module({ id: right }), scene.module({ id: wrong })];
        assert.equal((await good.askUntilMade()).status, 200);
        assert.equal((await bad.askUntilMade()).status, 200);
        assert.deepEqual((await scene.record(good)).warnings, []);
        assert.match((await scene.record(bad)).warnings.join(), /check digit/);
    });

    test('is refused above the limit of new devices of a product in a day', async (t) => {
        const small = await startServer(t, { config: { max_new_devices_per_day: 2 } });
        const [scene, other] = [await Scene.build(small), await Scene.build(small)];
        const [first, second, third] = [scene.module(), scene.module(), scene.module()];
        await expectCode(first, 43);
        await expectCode(second, 43);
        await expectCode(third, 21);
        assert.equal(await scene.record(third), null);
        assert.equal((await first.askUntilMade()).status, 200, 'a known device goes on');
        await expectCode(other.module(), 43);
    });

    test('is not authenticated, and the record says so', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.ask();
        const record = await scene.record(module);
        assert.equal(record.confirmed_authenticated, false);
        assert.equal(record.confirmed_by, 'check-in');
        assert.ok(record.confirmed_at >= record.first_seen_at && record.first_seen_at > 1.6e12);
    });
});

describe('HEAD gets the same decision and records nothing:', () => {
    test('before the first request for the package', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        const head = await module.ask({ method: 'HEAD' });
        assert.equal(head.status, 400);
        assert.equal(await scene.record(module), null);
        assert.equal(await scene.package(), null);
        const get = await expectCode(module, 43);
        assert.equal(head.header('content-length'), get.header('content-length'));
    });

    test('with a package that is ready, for a device that is known', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await expectCode(module, 43);
        const { size } = await scene.makePackage();
        const earlier = await scene.record(module);
        for (const range of [null, 0]) {
            const head = await module.ask({ method: 'HEAD', range });
            assert.equal(head.status, range === null ? 200 : 206);
            assert.equal(head.header('content-length'), String(size));
        }
        assert.deepEqual(await scene.record(module), earlier);
    });
});

describe('versions', () => {
    test('are numbers: leading zeros do not count', async () => {
        const scene = await Scene.build(server, { versions: ['2046.001.000', '2046.001.010'] });
        const module = scene.module();
        for (const version of ['2046.001.000', '2046.1.0', '02046.01.00']) {
            const answer = await module.askUntilMade({ target: asking(module, { version }) });
            assert.equal(answer.status, 200, version);
        }
        for (const version of ['2046.001.010', '2046.1.10', '2046.1.9999'])
            await expectCode(module, 27, { target: asking(module, { version }) });
        assert.equal((await scene.package('2046.1.0', '2046.1.10')).state, 'ready');
    });

    test('compare component by component', async () => {
        const scene = await Scene.build(server, { versions: ['1.9.0', '1.10.0'] });
        assert.equal((await scene.module({ version: '1.9.0' }).askUntilMade()).status, 200);
        await expectCode(scene.module({ version: '1.10.0' }), 27);
    });

    test('are never led down', async () => {
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
        const module = scene.module({ version: '1003' });
        await scene.setTarget('1001');
        await expectCode(module, 27);
        for (const to of ['1001', '1002', '1003'])
            assert.equal((await server.admin('GET', scene.path(`/packages/1003/${to}`))).status, 422);
    });
});

describe('other paths and methods', () => {
    test('another path: 404 with a code', async () => {
        const scene = await Scene.build(server);
        for (const target of ['/', '/index.html', '/api/site/nothing', '/api/v1/status', '/favicon.ico', '/api%2Fsite/firmware_upgrade?imei=1']) {
            const answer = await scene.module().ask({ target });
            assert.deepEqual([answer.status, answer.code], [404, 404], target);
        }
    });

    test('another method: 405 with Allow', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'BREW']) {
            const answer = await module.ask({ method, body: method === 'POST' ? '{}' : null });
            assert.deepEqual([answer.status, answer.code], [405, 405], method);
            assert.match(answer.header('allow'), /\bGET\b/);
        }
        assert.equal(await scene.record(module), null);
    });
});
