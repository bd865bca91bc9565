// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// An uploaded image is recognised by its content: a file that cannot be an image is refused, and the error says what it is.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';
import { deflateRawSync, gzipSync } from 'node:zlib';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { assertProblem, listFiles } from './lib/scene.mjs';
import { buildDir, firmwarePath, startServer } from './lib/server.mjs';

const run = promisify(execFile);
const airm2m = 'AirM2M_780E_LTE_AT';

let server, dir, products = 0;
before(async () => {
    server = await startServer(null, { keep: true });
    dir = await mkdtemp(join(tmpdir(), 'dfota-recognition-'));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

const image = (revision) => firmwareImage({ seed: 71, size: 20_000, revision });
const release = (revision, cp = 5) => binpkg({ ap: image(revision), cp: image(cp) });
// An image that contains some text.
const naming = (...names) => Buffer.concat([noiseImage({ seed: 72, size: 3000 }), ...names.map((n) => Buffer.from(`\0${n}\0`)), noiseImage({ seed: 73, size: 100 })]);

async function upload(bytes, { firmware = 'pump', version = '1138', on = null } = {}) {
    const product = on ?? `recognition-${products += 1}`;
    if (!on)
        await server.createProduct(product);
    return server.admin('PUT', `${firmwarePath(product, firmware)}/images/${version}`, bytes);
}

async function delta(format) {
    const [old, next, out] = ['old', 'new', format].map((n) => join(dir, n));
    await writeFile(old, release(0));
    await writeFile(next, release(1));
    await run(join(buildDir, 'dfota'), ['diff', '--format', format, old, next, out]);
    return readFile(out);
}

function flipped(bytes) {
    bytes[bytes.length - 1] ^= 1;
    return bytes;
}

// A ZIP of one file, as far as its first bytes go.
const zip = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), deflateRawSync(noiseImage({ seed: 1, size: 500 }))]);

describe('refused as an image, and nothing is stored:', () => {
    const page = '<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n';
    const kinds = {
        'a damaged ZIP archive': [zip, /the archive cannot be read/],
        'a damaged 7z archive': [Buffer.concat([Buffer.from('377abcaf271c0004', 'hex'), noiseImage({ seed: 2, size: 900 })]), /the archive cannot be read/],
        'gzip data': [gzipSync(noiseImage({ seed: 3, size: 900 })), /gzip data/],
        'an error page': [Buffer.from(page), /an HTML page, perhaps from a failed download/],
        'a JSON answer': [Buffer.from('{"code":43,"msg":"\\u5347\\u7ea7"}'), /JSON/],
        'text': [Buffer.from('not found\n'.repeat(500)), /text, not a binary file/],
        'an ELF file': [Buffer.concat([Buffer.from('\x7fELF\x01', 'latin1'), noiseImage({ seed: 4, size: 900 })]), /an ELF file/],
        'Intel HEX': [Buffer.from(':020000040800F2\r\n'.repeat(50)), /Intel HEX/],
        'a .binpkg that is cut off': [release(0).subarray(0, -1), /cut off: its part cp-demo-flash has 19999 bytes, not 20000/],
        'a .binpkg with a flipped bit': [flipped(release(0)), /damaged: its part cp-demo-flash/],
        'a bsdiff package': [() => delta('bsdiff'), /a bsdiff package, not a full image/],
        'a .par': [() => delta('ec618-csdk'), /\.par.* not a full image/],
        'an AT package': [() => delta('ec618-at'), /head of AT firmware.* not a full image/],
        'a LuatOS package of a core': [() => delta('ec618-luatos'), /92-byte head of LuatOS.* not a full image/],
    };
    for (const [name, [bytes, sentence]] of Object.entries(kinds)) {
        test(name, async () => {
            const product = `refused-${products += 1}`;
            await server.createProduct(product);
            const earlier = [...(await listFiles(server.dataDir)).keys()].filter((file) => !/\.db/.test(file)).sort();
            const answer = await upload(Buffer.isBuffer(bytes) ? bytes : await bytes(), { on: product });
            assertProblem(answer, 422, 'not-an-image');
            assert.match(answer.json.detail, sentence);
            assert.deepEqual((await server.admin('GET', `/products/${product}/firmware`)).json.items, []);
            await poll('nothing of it is left', async () =>
                isDeepStrictEqual([...(await listFiles(server.dataDir)).keys()].filter((file) => !/\.db/.test(file)).sort(), earlier));
        });
    }
});

describe('accepted as an image:', () => {
    const told = async (bytes, over) => {
        const { status, body, json } = await upload(bytes, over);
        assert.equal(status, 201, String(body));
        return json;
    };
    test('an unknown file, without a warning if the firmware needs none', async () => {
        const json = await told(noiseImage({ seed: 5, size: 3000 }));
        assert.deepEqual([json.kind, json.core, json.content, json.warnings], ['image', null, 'a binary file of no known kind, perhaps a raw image', []]);
    });
    test('a .binpkg, with its parts shown', async () => {
        const json = await told(release(0), { firmware: airm2m });
        assert.match(json.content, /^a \.binpkg, .*: ap_bootloader 14 bytes, ap 20000 bytes, cp-demo-flash 20000 bytes$/);
        assert.deepEqual(json.warnings, []);
    });
    test('a .binpkg with unknown content: a warning says that no packages can be made from it, and what to do', async () => {
        const json = await told(Buffer.concat([release(0), Buffer.from('more')]), { firmware: airm2m });
        assert.equal(json.warnings.length, 1);
        assert.match(json.warnings[0], /4 bytes of the \.binpkg are not an entry; use the format external, or upload a package that was made elsewhere/);
    });
    test('a .binpkg of a release with a script, by its name: a warning names the right file', async () => {
        await server.createProduct('by-name');
        const put = async (name) => (await server.admin('POST', `/products/by-name/images?filename=${name}`, release(0), { expect: 201 })).json;
        const made = await put('pump_1.2.3_LuatOS-SoC_V1114_EC618.binpkg');
        assert.deepEqual([made.firmware, made.version], ['pump_LuatOS-SoC_EC618', '1114.1.3']);
        assert.match(made.warnings.join(), /this .binpkg has the name of a release with a script: it may be for mass production.* Take the .soc, or the .binpkg inside/);
        assert.doesNotMatch((await put('pump_LuatOS-SoC_V1114_EC618.binpkg')).warnings.join(), /mass production/);
    });
    test('a file that is not a .binpkg, for a module with an EC618: a warning says what follows', async () => {
        const bytes = noiseImage({ seed: 6, size: 3000 });
        for (const [over, format] of [[{ firmware: airm2m }, null], [{ firmware: 'own' }, 'ec618-csdk'], [{ firmware: 'own' }, 'bsdiff']]) {
            const on = `own-${products += 1}`;
            await server.createProduct(on);
            if (format) {
                await server.admin('PUT', `${firmwarePath(on, over.firmware)}/images/1`, release(3), { expect: 201 });
                await server.setFirmware(on, over.firmware, { format });
            }
            const { warnings } = await told(bytes, { ...over, on });
            assert.deepEqual(warnings.filter((w) => !/size is far/.test(w)).map((w) => /not a \.binpkg.*external/.test(w)), format === 'bsdiff' ? [] : [true], warnings.join());
        }
    });
    test('any file if the inspection fails', async (t) => {
        const other = await startServer(t, { config: { dfota_path: '/bin/false' } });
        await other.createProduct('p');
        const { json } = await other.admin('PUT', `${firmwarePath('p', 'pump')}/images/1`, noiseImage({ seed: 1, size: 500 }), { expect: 201 });
        assert.deepEqual([json.content, json.warnings], [null, ['dfota could not inspect the file: exit status 1']]);
        assert.equal((await other.logged('content-unseen', 1)).length, 1);
    });
});

describe('a release name in the content', () => {
    const at = { firmware: airm2m, version: '1138' };
    const cases = [
        ['that is the image\'s own', ['AirM2M_780E_V1138_LTE_AT'], at, 201, null],
        ['of another version', ['AirM2M_780E_V1147_LTE_AT'], at, 422, /not an image of AirM2M_780E_LTE_AT, version 1138: its content says that it is AirM2M_780E_V1147_LTE_AT/],
        ['of another firmware', ['AirM2M_780EP_V1138_LTE_AT'], at, 422, /says that it is AirM2M_780EP_V1138_LTE_AT/],
        ['of another version, twice', ['AirM2M_780E_V1147_LTE_AT', 'AirM2M_780E_V1147_LTE_AT'], at, 422, /V1147/],
        ['beside the image\'s own', ['AirM2M_780E_V1147_LTE_AT', 'AirM2M_780E_V1138_LTE_AT'], at, 201, null],
        ['that is one of several others', ['AirM2M_780E_V1147_LTE_AT', 'AirM2M_780E_V1148_LTE_AT'], at, 201, /names AirM2M_780E_V1147_LTE_AT and others, but not version 1138/],
        ['in which no version can be read', ['AirM2M_780E_VX38_LTE_AT'], at, 201, /names the release AirM2M_780E_VX38_LTE_AT, which contains no readable version/],
        ['under a firmware name of one\'s own', ['AirM2M_780E_V1147_LTE_AT'], { firmware: 'pump', version: '3' }, 201, /names AirM2M_780E_V1147_LTE_AT, but not version 3 of pump/],
    ];
    for (const [name, names, over, status, sentence] of cases) {
        test(name, async () => {
            const answer = await upload(naming(...names), over);
            assert.equal(answer.status, status, String(answer.body));
            if (status === 422) {
                assertProblem(answer, 422, 'not-an-image');
                assert.match(answer.json.detail, sentence);
                return;
            }
            const warnings = answer.json.warnings.filter((w) => !/not a \.binpkg/.test(w));
            assert.deepEqual(warnings.map((w) => sentence?.test(w)), sentence ? [true] : [], warnings.join());
        });
    }

    test('and equal bytes under another version give two warnings, which stay', async () => {
        const on = `two-${products += 1}`;
        await server.createProduct(on);
        const bytes = naming('AirM2M_780E_V1147_LTE_AT');
        assert.equal((await upload(bytes, { on, version: '3' })).json.warnings.length, 1);
        const { json } = await upload(bytes, { on, version: '4' });
        assert.deepEqual(json.warnings.map((w) => /not version 4/.test(w) || /version 3 has the same bytes:/.test(w)), [true, true]);
        await server.restart();
        const { json: shown } = await server.admin('GET', `${firmwarePath(on, 'pump')}/images/4`, null, { expect: 200 });
        assert.deepEqual(shown.warnings, json.warnings);
    });
});

test('a file whose name and content name different versions is refused', async () => {
    const product = `named-${products += 1}`;
    await server.createProduct(product);
    const bytes = naming('AirM2M_780E_V1147_LTE_AT');
    const path = (version) => `/products/${product}/images?filename=AirM2M_780E_V${version}_LTE_AT.dfota.bin`;
    assertProblem(await server.admin('POST', path(1138), bytes), 422, 'not-an-image');
    await server.admin('POST', path(1147), bytes, { expect: 201 });
});
