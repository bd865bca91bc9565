// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Upload of images: by version and by file name, streamed, once per version; an incomplete upload leaves nothing.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, adminExchange, assertProblem, listFiles } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

const max_image_bytes = 200_000;

let server;
before(async () => { server = await startServer(null, { keep: true, config: { max_image_bytes } }); });
after(() => server?.dispose());

let products = 0;
async function newProduct(on = server) {
    const product = `images-${products += 1}`;
    await on.createProduct(product);
    return product;
}

const at = (product, version, firmware = 'AirM2M_780E_LTE_AT') => `${firmwarePath(product, firmware)}/images/${encodeURIComponent(version)}`;
const image = (seed, size = 3000) => noiseImage({ seed, size });

// The files in the data directory besides the database.
async function blobs(on = server) {
    return [...(await listFiles(on.dataDir)).keys()].filter((name) => !/\.(db|sqlite3?)(-wal|-shm|-journal)?$/.test(name)).sort();
}

async function versions(product, firmware) {
    const answer = await server.admin('GET', `${firmwarePath(product, firmware)}/images`);
    return answer.status === 404 ? [] : answer.json.items.map((i) => i.version);
}

describe('an image', () => {
    test('is uploaded, shown, and downloaded unchanged', async () => {
        const product = await newProduct();
        const bytes = image(1);
        const put = await server.admin('PUT', at(product, '1138'), bytes, { expect: 201 });
        const { firmware_created, format, notice, ...shown } = put.json;
        const { uploaded_at, warnings, ...rest } = shown;
        assert.deepEqual([firmware_created, format, /set one: ec618-at/.test(notice)], [true, null, true]);
        assert.deepEqual(rest, {
            firmware: 'AirM2M_780E_LTE_AT', version: '1138', variant: null, default: false, kind: 'image', core: null,
            content: 'a binary file of no known kind, perhaps a raw image', core_id: null, chip: null, script: null,
            size: 3000, sha256: sha256(bytes), file_name: null, withdrawn: null, waypoint: 'allowed', waypoint_reason: null,
        });
        assert.deepEqual([warnings.length, /not a \.binpkg/.test(warnings[0])], [1, true], warnings.join());
        assert.ok(uploaded_at > 1.6e12);
        assert.deepEqual((await server.admin('GET', at(product, '1138'), null, { expect: 200 })).json,
            { ...shown, about: { purpose: null, release_note: null, advisory: null, sbom: null } });
        assert.ok((await server.admin('GET', `${at(product, '1138')}/content`, null, { expect: 200 })).body.equals(bytes));
        const made = (await server.admin('GET', firmwarePath(product, 'AirM2M_780E_LTE_AT'), null, { expect: 200 })).json;
        assert.deepEqual([made.images, made.target, made.devices, made.max_package_bytes], [1, null, 0, 491520]);
    });

    test('uploaded again: the same bytes change nothing, other bytes are a conflict', async () => {
        const product = await newProduct();
        const first = await server.admin('PUT', at(product, '1138'), image(2), { expect: 201 });
        const again = await server.admin('PUT', at(product, 'V01138'), image(2), { expect: 200 });
        const { firmware_created, format, notice, ...shown } = first.json;
        assert.deepEqual([firmware_created, format, typeof notice], [true, null, 'string']);
        assert.deepEqual(again.json, shown);
        assertProblem(await server.admin('PUT', at(product, '1138'), image(3)), 409, 'image-conflict');
        assertProblem(await server.admin('PUT', at(product, '1138'), image(2).subarray(1)), 409, 'image-conflict');
        assert.ok((await server.admin('GET', `${at(product, '1138')}/content`)).body.equals(image(2)));
        assert.deepEqual(await versions(product, 'AirM2M_780E_LTE_AT'), ['1138']);
    });

    test('under a second version is accepted, with a warning that stays', async () => {
        const product = await newProduct();
        await server.putImage(product, 'pump', '1', image(4));
        const second = await server.putImage(product, 'pump', '2', image(4));
        assert.match(second.warnings.join(), /\b1\b/);
        const listed = (await server.admin('GET', `${firmwarePath(product, 'pump')}/images`)).json.items;
        assert.deepEqual(listed.map((i) => i.version), ['1', '2']);
        assert.deepEqual(listed[1].warnings, second.warnings);
    });

    test('may be named by any spelling of its version', async () => {
        const product = await newProduct();
        for (const [name, normal] of [['AirM2M_780E_LTE_AT_V1138', '1138'], ['AirM2M_780E_V1147_LTE_AT', '1147'], ['V1162', '1162'],
            ['1170', '1170'], ['202401', '202401']]) {
            assert.equal((await server.putImage(product, 'AirM2M_780E_LTE_AT', name, image(Number(normal)))).version, normal);
            for (const same of [normal, `V${normal}`, `AirM2M_780E_V${normal}_LTE_AT`])
                assert.equal((await server.admin('GET', at(product, same), null, { expect: 200 })).json.version, normal);
        }
        assert.equal((await server.setTarget(product, 'AirM2M_780E_LTE_AT', 'AirM2M_780E_V1147_LTE_AT')).target, '1147');
        assert.deepEqual(await versions(product, 'AirM2M_780E_LTE_AT'), ['1138', '1147', '1162', '1170', '202401']);
    });

    test('under the full name of another firmware is refused', async () => {
        const product = await newProduct();
        for (const name of ['AirM2M_780ET_LTE_AT_V1138', 'AirM2M_780E_V1138_LTE_AT_IPC', 'AirM2M_780E_V1138_LTE_LSAT'])
            assertProblem(await server.admin('PUT', at(product, name), image(5)), 422, 'wrong-firmware');
        assert.deepEqual(await versions(product, 'AirM2M_780E_LTE_AT'), []);
    });

    test('without a version is refused', async () => {
        const product = await newProduct();
        for (const name of ['latest', '1..2', '1.2.x', '-1', '9'.repeat(31)])
            assertProblem(await server.admin('PUT', at(product, name, 'pump'), image(5)), 422, 'bad-version');
    });

    test('that is empty is refused', async () => {
        const product = await newProduct();
        assertProblem(await server.admin('PUT', at(product, '1'), Buffer.alloc(0)), 422, 'invalid');
        assert.deepEqual(await versions(product, 'AirM2M_780E_LTE_AT'), []);
    });
});

describe('a file name gives firmware and version:', () => {
    const names = {
        'AirM2M_780E_V1138_LTE_AT.dfota.bin': ['AirM2M_780E_LTE_AT', '1138'],
        'AirM2M_780E_LTE_AT_V1138.dfota.bin': ['AirM2M_780E_LTE_AT', '1138'],
        'AirM2M_780ET_V1025_LTE_AT_IPC.dfota.bin': ['AirM2M_780ET_LTE_AT_IPC', '1025'],
        'AirM2M_780E_V202401_LTE_AT_VSIM.bin': ['AirM2M_780E_LTE_AT_VSIM', '202401'],
        'fotademo_1103.1.2_LuatOS-SoC_EC618.bin': ['fotademo_LuatOS-SoC_EC618', '1103.1.2'],
        'fotademo_2046.001.000_LuatOS-SoC_EC618.binpkg': ['fotademo_LuatOS-SoC_EC618', '2046.1.0'],
        '水泵_V12_主控.bin': ['水泵_主控', '12'],
    };
    for (const [name, [firmware, version]] of Object.entries(names)) {
        test(name, async () => {
            const product = await newProduct();
            const path = `/products/${product}/images?filename=${encodeURIComponent(name)}`;
            const { json } = await server.admin('POST', path, image(6), { expect: 201 });
            assert.deepEqual([json.firmware, json.file_name], [firmware, name]);
            assert.equal((await server.admin('GET', at(product, version, firmware), null, { expect: 200 })).json.version, json.version);
            await server.admin('POST', path, image(6), { expect: 200 });
            assertProblem(await server.admin('POST', path, image(7)), 409, 'image-conflict');
        });
    }
    test('also with folders before it', async () => {
        const product = await newProduct();
        for (const [n, folder] of ['C:\\fw\\', '/srv/fw_V7/'].entries()) {
            const path = `/products/${product}/images?filename=${encodeURIComponent(`${folder}pump_V${n + 1}.bin`)}`;
            const { json } = await server.admin('POST', path, image(6 + n), { expect: 201 });
            assert.deepEqual([json.firmware, json.version, json.file_name], ['pump', `${n + 1}`, `pump_V${n + 1}.bin`]);
        }
    });
    test('or is refused if it has none', async () => {
        const product = await newProduct();
        for (const name of ['firmware.bin', '', '_V12.bin'])
            assert.ok([400, 422].includes((await server.admin('POST', `/products/${product}/images?filename=${name}`, image(8))).status), name);
        assertProblem(await server.admin('POST', `/products/${product}/images?filename=%ff_V12.bin`, image(8)), 400, 'bad-name');
        assert.deepEqual((await server.admin('GET', `/products/${product}/firmware`)).json.items, []);
    });
});

test('a form or a compressed body is refused, because the form would be stored as the image', async () => {
    const product = await newProduct();
    for (const line of ['Content-Type: multipart/form-data; boundary=x', 'content-type: Multipart/Form-Data', 'Content-Type: application/x-www-form-urlencoded', 'Content-Encoding: gzip']) {
        assertProblem(await adminExchange(server, 'PUT', at(product, '1'), { lines: [line], body: image(20) }), 415, 'unsupported-type');
        assertProblem(await adminExchange(server, 'POST', `/products/${product}/images?filename=pump_V1.bin`, { lines: [line], body: image(20) }), 415, 'unsupported-type');
    }
    assert.deepEqual((await server.admin('GET', `/products/${product}/firmware`)).json.items, []);
    for (const line of ['Content-Encoding: identity', 'Content-Type: application/octet-stream'])
        assert.ok([200, 201].includes((await adminExchange(server, 'PUT', at(product, '1'), { lines: [line], body: image(20) })).status), line);
});

describe('size limits:', () => {
    test('exactly the maximum size is accepted', async () => {
        const product = await newProduct();
        await server.admin('PUT', at(product, '1'), image(9, max_image_bytes), { expect: 201 });
    });

    test('one announced byte more is refused with 413 before the body is sent', async () => {
        const product = await newProduct();
        const earlier = await blobs();
        const answer = await adminExchange(server, 'PUT', at(product, '1'), { lines: [`Content-Length: ${max_image_bytes + 1}`] });
        assertProblem(answer, 413, 'too-large');
        assert.deepEqual(await blobs(), earlier);
    });

    test('a chunked body is refused when it passes the limit', async () => {
        const product = await newProduct();
        const earlier = await blobs();
        const bytes = image(10, 50_000);
        const chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
        const chunked = ['Transfer-Encoding: chunked'];
        const end = Buffer.from('0\r\n\r\n');
        const answer = await adminExchange(server, 'PUT', at(product, '1'), { lines: chunked, more: [...Array(5).fill(chunk), end] });
        assertProblem(answer, 413, 'too-large');
        await poll('nothing is left', async () => (await blobs()).join() === earlier.join());
        const whole = await adminExchange(server, 'PUT', at(product, '2'), { lines: chunked, more: [chunk, chunk, end] });
        assert.equal(whole.status, 201, String(whole.body));
        assert.deepEqual([whole.json.size, whole.json.sha256], [100_000, sha256(Buffer.concat([bytes, bytes]))]);
        assert.deepEqual(await versions(product, 'AirM2M_780E_LTE_AT'), ['2']);
    });

    test('more than the free disk space is refused with 507 and leaves nothing', async (t) => {
        const full = await startServer(t, { config: { disk_reserve_bytes: 10 ** 12 } });
        const product = await newProduct(full);
        const earlier = await blobs(full);
        const answer = await adminExchange(full, 'PUT', at(product, '1'), { lines: ['Content-Length: 3000'] });
        assertProblem(answer, 507, 'no-space');
        assert.deepEqual(await blobs(full), earlier);
        assertProblem(await full.admin('GET', at(product, '1')), 404, 'firmware-not-found');
    });
});

test('an upload that is cut off leaves nothing', async () => {
    const product = await newProduct();
    const earlier = await blobs();
    const bytes = image(11, 150_000);
    const path = `/api/v1${at(product, '1')}`;
    for (const lines of [`Content-Length: ${bytes.length}\r\n\r\n`, 'Transfer-Encoding: chunked\r\n\r\n40000\r\n']) {
        const socket = net.connect(server.adminAddress.port, server.adminAddress.host).on('error', () => {});
        socket.write(`PUT ${path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${server.token}\r\n${lines}`);
        socket.write(bytes.subarray(0, 140_000));
        await poll('a part of it is on the disk', async () => (await blobs()).length > earlier.length);
        socket.resetAndDestroy();
        await poll('nothing of it is left', async () => (await blobs()).join() === earlier.join());
    }
    assertProblem(await server.admin('GET', at(product, '1')), 404, 'firmware-not-found');
    await server.admin('PUT', at(product, '1'), bytes, { expect: 201 });
});

test('eight uploads of one version at once leave one image', async () => {
    const product = await newProduct();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => server.admin('PUT', at(product, '1'), image(20 + (i % 2), 100_000))));
    const statuses = answers.map((a) => a.status).sort();
    assert.equal(statuses.filter((s) => s === 201).length, 1, statuses.join());
    assert.ok(statuses.every((s) => [200, 201, 409].includes(s)), statuses.join());
    const winner = answers.find((a) => a.status === 201).json;
    const { body } = await server.admin('GET', `${at(product, '1')}/content`, null, { expect: 200 });
    assert.equal(sha256(body), winner.sha256);
});

test('images of one product do not appear in another', async () => {
    const [one, two] = [await Scene.build(server), await newProduct()];
    assertProblem(await server.admin('GET', `${firmwarePath(two, one.firmware)}/images/1001`), 404, 'firmware-not-found');
});

test('for two versions with equal bytes, only packages to a higher version are listed', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await server.putImage(scene.product, scene.firmware, '3', scene.images.get('1'));
    await scene.makePackage('1', '2');
    const { items } = (await server.admin('GET', scene.path('/packages'), null, { expect: 200 })).json;
    assert.deepEqual(items.map(({ from, to }) => [from, to]), [['1', '2']]);
});
