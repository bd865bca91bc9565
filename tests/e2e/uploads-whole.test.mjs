// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A file that was changed during its upload is refused or gets a warning; an upload says what else it changed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { assertProblem, listFiles } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

let server, products = 0;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const hash = (bytes, name = 'sha256', form = 'base64') => createHash(name).update(bytes).digest(form);
const digest = (bytes, header = 'Repr-Digest') => ({ [header]: `sha-256=:${hash(bytes)}:` });
const image = (seed, size = 20_000) => noiseImage({ seed, size });
// As curl --data sends it.
const mangled = (bytes) => Buffer.from(bytes.filter((byte) => ![0, 10, 13].includes(byte)));

async function product() {
    const key = `whole-${products += 1}`;
    await server.createProduct(key);
    return key;
}
const put = (on, version, bytes, options, firmware = 'pump') => server.admin('PUT', `${firmwarePath(on, firmware)}/images/${version}`, bytes, options);

describe('a digest', () => {
    test('that does not match is refused with both hashes, and nothing is stored', async () => {
        const on = await product(), bytes = image(1);
        for (const header of ['Repr-Digest', 'Content-Digest']) {
            const before = (await listFiles(server.dataDir)).size;
            const answer = await put(on, 1, mangled(bytes), { headers: digest(bytes, header) });
            assertProblem(answer, 422, 'digest-mismatch');
            assert.ok(answer.json.detail.includes(hash(bytes, 'sha256', 'hex')) && answer.json.detail.includes(hash(mangled(bytes), 'sha256', 'hex')));
            assert.deepEqual((await server.admin('GET', `/products/${on}/firmware`)).json.items, []);
            // The bytes go when the request is over, after its answer.
            await poll('nothing is stored', async () => (await listFiles(server.dataDir)).size === before);
        }
    });
    test('that matches, or has another algorithm, is accepted', async () => {
        const on = await product(), bytes = image(2);
        await put(on, 1, bytes, { headers: digest(bytes), expect: 201 });
        await put(on, 2, image(3), { headers: { 'Repr-Digest': `sha-512=:${hash('x', 'sha512')}:` }, expect: 201 });
    });
    test('that is malformed is 400', async () => {
        const on = await product(), bytes = image(4);
        for (const value of ['sha-256=abc', 'sha-256=:abc', `sha-256=:${hash(bytes, 'sha256', 'hex')}:`])
            assertProblem(await put(on, 1, bytes, { headers: { 'Repr-Digest': value } }), 400, 'bad-request');
    });
    test('is checked for packages, lists and JSON too', async () => {
        const on = await product();
        await put(on, 1, image(5), { expect: 201 });
        await put(on, 2, image(6), { expect: 201 });
        const wrong = digest(image(7));
        assertProblem(await server.admin('PUT', `${firmwarePath(on, 'pump')}/packages/1/2?by=Ann`, image(8), { headers: wrong }), 422, 'digest-mismatch');
        for (const path of ['links?version=1', 'reports'])
            assertProblem(await server.admin('POST', `${firmwarePath(on, 'pump')}/${path}`, Buffer.from('866597071234569,1\n'),
                { headers: { 'Content-Type': 'text/csv', ...wrong } }), 422, 'digest-mismatch');
        assertProblem(await server.admin('PUT', `${firmwarePath(on, 'pump')}/target`, { version: '2' }, { headers: wrong }), 422, 'digest-mismatch');
        assertProblem(await server.admin('POST', `/products/${on}/devices/866597071234569/transcripts`, Buffer.from('ATI\r\nOK\r\n'),
            { headers: { 'Content-Type': 'text/plain', ...wrong } }), 422, 'digest-mismatch');
    });
});

test('text and forms are refused', async () => {
    const on = await product();
    await put(on, 1, image(11), { expect: 201 });
    for (const type of ['application/x-www-form-urlencoded', 'Application/X-WWW-Form-Urlencoded; charset=utf-8', 'text/plain', 'text/html', 'multipart/form-data; boundary=x', 'application/json'])
        for (const path of [`${firmwarePath(on, 'pump')}/images/2`, `${firmwarePath(on, 'pump')}/packages/1/2?by=Ann`])
            assertProblem(await server.admin('PUT', path, image(12), { headers: { 'Content-Type': type } }), 415, 'unsupported-type');
});

describe('without a digest a doubtful image gets a warning:', () => {
    const shown = async (on, version) => (await server.admin('GET', `${firmwarePath(on, 'pump')}/images/${version}`)).json.warnings;
    test('without a NUL, LF or CR', async () => {
        const on = await product(), bytes = mangled(image(21));
        const { json } = await put(on, 1, bytes, { expect: 201 });
        assert.match(json.warnings.join(), /no NUL, LF or CR byte/);
        assert.deepEqual(await shown(on, 1), json.warnings);
        assert.deepEqual((await put(on, 2, mangled(image(22)), { headers: digest(mangled(image(22))), expect: 201 })).json.warnings, []);
    });
    test('with line ends changed, or read as Latin-1 and written as UTF-8', async () => {
        const on = await product(), bytes = image(23);
        const ends = Buffer.from(bytes.toString('latin1').replace(/\n/g, '\r\n'), 'latin1');
        assert.match((await put(on, 1, ends, { expect: 201 })).json.warnings.join(), /every LF byte follows a CR byte/);
        assert.match((await put(on, 2, Buffer.from(bytes.toString('latin1')), { expect: 201 })).json.warnings.join(), /UTF-8/);
    });
    test('with a size far from that of the other images', async () => {
        const on = await product();
        assert.deepEqual((await put(on, 1, image(24), { expect: 201 })).json.warnings, []);
        assert.deepEqual((await put(on, 2, image(25, 21_000), { expect: 201 })).json.warnings, []);
        for (const [version, size] of [[3, 9_000], [4, 60_000]])
            assert.match((await put(on, version, image(26, size), { expect: 201 })).json.warnings.join(), /size is far from that of the other images/);
        assert.equal((await shown(on, 3)).length, 1);
    });
});

describe('format=raw', () => {
    const tar = Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), noiseImage({ seed: 31, size: 3000 })]);
    test('accepts a file that looks like something else, and this is recorded', async () => {
        const on = await product();
        const refused = await put(on, 1, tar);
        assertProblem(refused, 422, 'not-an-image');
        assert.match(refused.json.detail, /tar archive: unpack it first and upload the \.bin inside.*format=raw/);
        const { json } = await put(on, '1?format=raw', tar, { expect: 201 });
        assert.match(json.warnings.join(), /because the admin said so.*tar archive/);
        assert.match((await server.admin('GET', '/ledger')).body.toString(), /format=raw/);
        assertProblem(await put(on, '2?format=gzip', tar), 400, 'bad-request');
    });
});

describe('a new firmware', () => {
    const post = (on, name, bytes = image(41)) => server.admin('POST', `/products/${on}/images?filename=${encodeURIComponent(name)}`, bytes, { expect: 201 });
    test('is announced, and the "(1)" of a browser creates none', async () => {
        const on = await product();
        const first = (await post(on, 'Pump_V1.bin')).json;
        assert.deepEqual([first.firmware_created, first.format], [true, 'bsdiff']);
        assert.match(first.notice, /bsdiff, the default/);
        assert.equal((await post(on, 'Pump_V2 (1).bin', image(42))).json.firmware_created, undefined);
        assert.deepEqual((await server.admin('GET', `/products/${on}/firmware`)).json.items.map((f) => [f.firmware, f.format_is_default]), [['Pump', true]]);
        const refused = await server.admin('POST', `/products/${on}/images?filename=Pump.bin`, image(43));
        assertProblem(refused, 422, 'bad-version');
        assert.match(refused.json.detail, /--firmware NAME --version V/);
    });
    test('of a family with its own updater has no format, and the right one is named', async () => {
        const on = await product();
        for (const [name, fits, advice = fits] of [['x_LuatOS-SoC_Air8000', 'ec7xx-luatos'], ['x_LuatOS-SoC_EC618', 'ec618-luatos'],
            ['x_CSDK_EC618', 'ec618-csdk'], ['x_CSDK_EC718P', 'ec7xx-csdk'], ['AirM2M_780E_LTE_AT', 'ec618-at'], ['AirM2M_780EPM_LTE_AT', 'ec7xx-at'],
            ['x_Air780EHM', null, 'ec7xx-at for AT firmware, ec7xx-csdk'], ['node_ESP32', 'external']]) {
            const { json } = await put(on, 1, image(44), { expect: 201 }, name);
            assert.deepEqual([json.firmware_created, json.format], [true, null], name);
            assert.ok(json.notice.includes(`set one: ${advice}`), json.notice);
            const firmware = (await server.admin('GET', firmwarePath(on, name))).json;
            assert.deepEqual([firmware.format, firmware.fitting_format], [null, fits], name);
        }
    });
    const release = (revision) => binpkg({ ap: firmwareImage({ seed: 45, size: 20_000, revision }), cp: firmwareImage({ seed: 46, size: 20_000, revision: 0 }) });
    test('whose images show such a family has no format either', async () => {
        const on = await product();
        assert.equal((await put(on, 1, release(0), { expect: 201 })).json.format, null);
    });
    test('loses its default format when an image contradicts it, but not a format that an admin set', async () => {
        const on = await product();
        await put(on, 1, image(47, 40_000), { expect: 201 });
        assert.match((await put(on, 2, release(0), { expect: 201 })).json.warnings.join(), /default package format bsdiff was removed/);
        assert.equal((await server.admin('GET', firmwarePath(on, 'pump'))).json.format, null);
        await server.setFirmware(on, 'pump', { format: 'bsdiff' });
        assert.match((await put(on, 3, release(1), { expect: 201 })).json.warnings.join(), /cannot apply packages of the format bsdiff/);
        assert.equal((await server.admin('GET', firmwarePath(on, 'pump'))).json.format, 'bsdiff');
    });
});
