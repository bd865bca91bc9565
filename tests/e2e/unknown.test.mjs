// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Values that the server refuses are in a limited list for the admin; ids in all forms in which modules send them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { imeiWithCheckDigit, nextImei } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const site = '/api/site/firmware_upgrade?';

async function ask(scene, query) {
    return scene.module().ask({ target: site + query });
}

async function rows(product) {
    const answer = await server.admin('GET', `/unknown${product === undefined ? '' : `?product=${product}`}`);
    assert.equal(answer.status, 200);
    return answer.json.items;
}

async function devices(product) {
    return (await server.admin('GET', `/products/${product}/devices`)).json.items;
}

describe('a refused value is listed with advice', () => {
    let scene;
    const imei = nextImei();
    before(async () => { scene = await Scene.build(server, { firmware: 'pump', versions: ['1138', '1162'] }); });
    const query = (changes = {}) => new URLSearchParams({ imei, project_key: scene.product, firmware_name: 'pump', version: '1138', ...changes }).toString().replaceAll('+', '%20');

    test('an unknown version: the image to upload', async () => {
        for (let i = 0; i < 3; i++)
            assert.equal((await ask(scene, query({ version: '1126' }))).code, 44);
        const [row] = (await rows(scene.product)).filter((r) => r.kind === 'version' && r.text === '1126');
        assert.deepEqual([row.count, row.devices, row.device, row.firmware, row.code], [3, 1, `imei:${imei}`, 'pump', 44]);
        assert.match(row.do, /upload image V1126 of pump/);
        assert.ok(row.first_at <= row.last_at);
    });

    test('a malformed version', async () => {
        assert.equal((await ask(scene, query({ version: '1.x/7' }))).code, 44);
        const row = (await rows(scene.product)).find((r) => r.text === '1.x/7');
        assert.match(row.do, /not a version/);
    });

    test('a mistyped firmware, and a new one', async () => {
        assert.equal((await ask(scene, query({ firmware_name: 'Pumb' }))).code, 26);
        assert.equal((await ask(scene, query({ firmware_name: 'meter station' }))).code, 26);
        const list = await rows(scene.product);
        assert.match(list.find((r) => r.text === 'Pumb').do, /did you mean pump/);
        assert.match(list.find((r) => r.text === 'meter station').do, /upload an image of firmware meter station/);
    });

    test('a mistyped product key', async () => {
        assert.equal((await ask(scene, query({ project_key: `${scene.product}X` }))).code, 25);
        const row = (await rows()).find((r) => r.kind === 'product' && r.text === `${scene.product}X`);
        assert.equal(row.product, null);
        assert.match(row.do, new RegExp(`did you mean product key ${scene.product}`));
    });

    test('a blank id', async () => {
        assert.equal((await ask(scene, query({ imei: '000000000000000' }))).code, 3);
        const row = (await rows(scene.product)).find((r) => r.kind === 'id');
        assert.match(row.text, /imei:000000000000000/);
    });

    test('bytes that are not text: escaped in the list and in the log', async () => {
        await ask(scene, `${query()}`.replace('firmware_name=pump', 'firmware_name=%ff%1b[31m'));
        const row = (await rows()).find((r) => r.kind === 'firmware' && r.code === 400);
        assert.equal(row.text, '\\xFF\\x1B[31m');
        assert.match(server.logText, /event=answer .*code=400 .*xFF/);
    });

    test('a flood of names leaves a limited list, and frequent names stay', async () => {
        for (let i = 0; i < 300; i++) {
            await ask(scene, query({ firmware_name: `flood-${i}-${'x'.repeat(i % 7)}` }));
            if (i % 30 === 29)
                await rows();
        }
        const list = await rows(scene.product);
        assert.ok(list.length <= 100, `${list.length}`);
        assert.ok(list.some((r) => r.text === '1126'));
    });

    test('a row, and the list, can be forgotten', async () => {
        const [first] = await rows(scene.product);
        assert.equal((await server.admin('DELETE', `/unknown/${first.unknown}`)).status, 204);
        assert.equal((await server.admin('DELETE', `/unknown/${first.unknown}`)).status, 404);
        assert.equal((await server.admin('DELETE', '/unknown')).status, 204);
        assert.deepEqual(await rows(), []);
    });
});

describe('Air724UG sends its core and its script', () => {
    const firmware = 'PROJECT_LuatOS-Air_RDA8910_TTS';
    const from = (scene, core, version) => ask(scene, new URLSearchParams({
        project_key: scene.product, imei: nextImei(), firmware_name: firmware, core_version: core, dfota: '1', version }).toString());

    test('both count if the images are named by both', async () => {
        const scene = await Scene.build(server, { firmware, versions: ['4030.1.0.0', '4030.1.0.1'], format: 'bsdiff' });
        assert.equal((await from(scene, '4030', '1.0.0')).code, 43);
        assert.equal((await from(scene, '4030', '1.0.1')).code, 27);
        assert.equal((await from(scene, '4031', '1.0.0')).code, 27, 'the core decides first');
        assert.equal((await from(scene, '4029', '9.9.9')).code, 44);
    });

    test('the middle number is dropped if the target has none', async () => {
        const scene = await Scene.build(server, { firmware, versions: ['4030.1.0', '4030.1.1'], format: 'bsdiff' });
        assert.equal((await from(scene, '4030', '001.999.000')).code, 43);
        assert.equal((await from(scene, '4030', '001.999.001')).code, 27);
    });

    test('only the core counts if the images are named by it', async () => {
        const scene = await Scene.build(server, { firmware, versions: ['4030', '4035'], format: 'bsdiff' });
        assert.equal((await from(scene, '4030', '1.0.0')).code, 43);
        assert.equal((await from(scene, '4035', '1.0.0')).code, 27);
        assert.equal((await from(scene, '4035', '0.0.0')).code, 27, 'AT firmware has no script');
    });
});

test('two modules with one id are reported, and the loop guard stays open', async () => {
    const scene = await Scene.build(server, { firmware: 'pump', versions: ['1138', '1147', '1162'] });
    const imei = nextImei();
    const from = (version) => ask(scene, `imei=${imei}&project_key=${scene.product}&firmware_name=pump&version=${version}`);
    const show = async () => (await server.admin('GET', `/products/${scene.product}/devices/imei:${imei}`)).json;
    await from('1138');
    await from('1147');
    assert.equal((await show()).shared, null, 'one change is an upgrade by other means');
    for (let i = 0; i < 8; i++) {
        await from('1138');
        await from('1147');
    }
    const device = await show();
    assert.deepEqual([...device.shared.versions].sort(), ['1138', '1147']);
    assert.match(device.notice, /two modules seem to share this id/);
    assert.equal(device.blocked, false);
    assert.ok(device.attempts.filter((a) => a.state === 'diverged').length <= 1, 'not diverged again and again');
    assert.equal((await server.logged('device-shared')).length, 1);
    const noticed = (await server.admin('GET', `/products/${scene.product}/devices?notice=1`)).json.items;
    assert.deepEqual(noticed.map((d) => d.device), [imei]);

    assert.equal((await server.admin('POST', `/products/${scene.product}/devices/imei:${imei}/unblock`)).status, 200);
    assert.equal((await show()).shared, null);
});

describe('one device, in every form of its id', () => {
    const body = '86659798765432';
    const forms = {
        '14, 15 and 16 digits of an IMEI': [`imei=${body}`, `imei=${imeiWithCheckDigit(body)}`, `imei=${body}01`, `imei=${body}02`],
        'a unique id of 24 digits': ['mac=3fa85f6457174562b3fc2c96', 'mac=3FA85F6457174562B3FC2C96'],
        'a unique id of 32 digits': ['mac=3fa85f6457174562b3fc2c963f66afa6'],
        'a uid in bytes, and in the hex of another client': ['uid=%3f%a8%5f%64%57%17%45%62%b3%fc%2c%96', 'uid=3FA85F6457174562B3FC2C96'],
        'a text in imei': ['imei=C81234567830'],
        'a blank imei beside a MAC': ['imei=000000000000000&mac=C8C2C68E1234', 'mac=c8:c2:c6:8e:12:34'],
    };
    for (const [name, ids] of Object.entries(forms)) {
        test(name, async () => {
            const scene = await Scene.build(server, { firmware: 'pump', versions: ['1138', '1162'] });
            for (const id of ids)
                assert.equal((await ask(scene, `${id}&project_key=${scene.product}&firmware_name=pump&version=1162`)).code, 27);
            const list = await devices(scene.product);
            assert.equal(list.length, 1, JSON.stringify(list.map((d) => `${d.id_kind}:${d.device}`)));
            for (const id of ids.filter((i) => !i.includes('%') && !i.includes('&'))) {
                const shown = await server.admin('GET', `/products/${scene.product}/devices/${id.replace('=', ':')}`);
                assert.equal(shown.json?.device, list[0].device, id);
            }
            if (ids[0] === 'imei=C81234567830') {
                assert.match(list[0].warnings.join(), /not an IMEI/);
                const shown = await server.admin('GET', `/products/${scene.product}/devices/C81234567830`);
                assert.equal(shown.json.device, 'C81234567830');
            }
        });
    }

    test('placeholders are refused with 3 as every kind of id', async () => {
        const scene = await Scene.build(server, { firmware: 'pump', versions: ['1138', '1162'] });
        for (const id of ['imei=nil', 'imei=00000000000000', 'imei=0000000000000018', 'mac=000000000000', 'mac=FF:FF:FF:FF:FF:FF',
            'mac=000000000000000000000000', 'uid=null', 'uid=%00%00%00%00%00%00', 'uid=%ff%ff%ff%ff%ff%ff', 'uid=0', 'nil'])
            assert.equal((await ask(scene, `${id}&project_key=${scene.product}&firmware_name=pump&version=1138`)).code, 3, id);
        assert.deepEqual(await devices(scene.product), []);
    });
});
