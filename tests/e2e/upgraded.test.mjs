// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A data directory of an older server: its tables are made by the migrations of that time, its rows are as it wrote them. A package that
// was proven by older rules which are now known to be wrong is never sent, and is made again.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { firmwareImage } from './lib/firmware.mjs';
import { rawCrc } from './lib/luatos.mjs';
import { Module, nextImei, sha256 } from './lib/module.mjs';
import { listFiles } from './lib/scene.mjs';
import { Server, buildDir, firmwarePath } from './lib/server.mjs';

const schema = fileURLToPath(new URL('../../storage/schema/sqlite', import.meta.url));
const older = 10; // the schema of the older server
const product = 'old-product';
const now = Date.now() - 60_000;

// The state of each firmware: its package as the older server had it, for another pair of images each.
const cases = {
    made: { format: 'ec618-csdk' },
    released: { format: 'ec618-at', more: { proven: 0, released_ms: 5, released_by: "'Jan'", released_note: "'x'" } },
    uploaded: { format: 'ec618-csdk', more: { origin: "'uploaded'", uploaded_by: "'Ann'" } },
    better: { format: 'ec618-luatos', more: { better_size_bytes: 4, better_sha256: `x'${sha256('less')}'`, better_effort: 3 } },
    external: { format: 'external', more: { origin: "'external'" } },
    'external-uploaded': { format: 'external', more: { origin: "'uploaded'", uploaded_by: "'Ann'" } },
    'external-released': { format: 'external', more: { origin: "'uploaded'", proven: 0, released_ms: 5, released_by: "'Jan'", released_note: "'x'" } },
    bsdiff: { format: 'bsdiff', fileName: 'pump_1.2.3_LuatOS-SoC_V2034_Air780EHM_116.soc' },
};

let server, dir;

function dfota(...words) {
    return execFileSync(join(buildDir, 'dfota'), words, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

// A package as the older server wrote it: without the order bit, or with it where it does not belong.
function makeOld(one) {
    const format = one.format === 'external' ? 'bsdiff' : one.format;
    writeFileSync(join(dir, 'old'), one.images[0]);
    writeFileSync(join(dir, 'new'), one.images[1]);
    dfota('diff', '--format', format, '--effort', 'quick', 'old', 'new', 'package');
    const made = readFileSync(join(dir, 'package'));
    if (format === 'bsdiff')
        return made;
    const at = { 'ec618-csdk': 0, 'ec618-at': 10, 'ec618-luatos': 92 }[format];
    const par = made.subarray(at);
    par[84] ^= 0x10;
    const seen = Buffer.from(par).fill(0, 12, 44);
    createHash('sha256').update(seen).digest().copy(par, 12);
    if (format === 'ec618-luatos') { // its head had no MD5 of the core data
        made.fill(0, 76, 92);
        made.writeUInt32LE(rawCrc(made.subarray(8, 92)), 4);
    }
    return made;
}

function keep(bytes) {
    const name = sha256(bytes), folder = join(server.dataDir, 'blobs', name.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), bytes);
}

function rowsOf(name, one, n) {
    const [from, to] = one.images.map((image) => `x'${sha256(image)}'`);
    const fields = {
        id: n, from_sha256: from, to_sha256: to, format: `'${one.format}'`, state: "'ready'", size_bytes: one.package.length,
        sha256: `x'${sha256(one.package)}'`, proven: 1, effort: 1, tried: 1, queued_ms: 1, finished_ms: 2, ...one.more,
    };
    return `
INSERT INTO firmware (id, product_id, name, format, max_package_bytes, created_ms) VALUES (${n}, 1, '${name}', '${one.format}', 1000000, 1);
INSERT INTO image (id, firmware_id, version, sha256, size_bytes, uploaded_ms) VALUES (${2 * n}, ${n}, '1', ${from}, ${one.images[0].length}, 1);
INSERT INTO image (id, firmware_id, version, sha256, size_bytes, uploaded_ms, file_name) VALUES (${2 * n + 1}, ${n}, '2', ${to}, ${one.images[1].length}, 1, ${one.fileName ? `'${one.fileName}'` : 'NULL'});
UPDATE firmware SET target_image_id = ${2 * n + 1} WHERE id = ${n};
INSERT INTO package (${Object.keys(fields)}) VALUES (${Object.values(fields)});
INSERT INTO device (id, product_id, id_kind, device, firmware_id, confirmed_version, confirmed_ms, confirmed_by, confirmed_authenticated, asked_version)
    VALUES (${n}, 1, 'imei', '${one.imei}', ${n}, '1', ${now}, 'check-in', 0, '1');
INSERT INTO attempt (device_id, firmware_id, from_version, to_version, target_version, state, reason, format, package_sha256, size_bytes,
    bytes_acked, fetches, created_ms, sent_ms, active_ms, proven) VALUES (${n}, ${n}, '1', '2', '2', 'interrupted', 'the package is sent',
    '${one.format}', x'${sha256(one.package)}', ${one.package.length}, 100, 1, ${now}, ${now}, ${now}, 1);`;
}

before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'dfota-upgraded-'));
    server = new Server(mkdtempSync(join(tmpdir(), 'dfota-e2e-')), {}, [], buildDir);
    const migrations = readdirSync(schema).sort().filter((name) => Number(name.slice(0, 3)) <= older);
    assert.equal(migrations.length, older);
    let sql = migrations.map((name) => readFileSync(join(schema, name), 'utf8')).join('\n');
    sql += 'CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT;';
    migrations.forEach((name, n) => { sql += `INSERT INTO migration VALUES (${n + 1}, '${name.replace('.sql', '')}', 1);\n`; });
    sql += `INSERT INTO product VALUES (1, '${product}', 'old', 1);`;
    Object.entries(cases).forEach(([name, one], n) => {
        one.images = [0, 1].map((revision) => firmwareImage({ seed: 900 + n, size: 70_000, revision }));
        one.package = makeOld(one);
        one.imei = nextImei();
        [...one.images, one.package].forEach(keep);
        sql += rowsOf(name, one, n + 1);
    });
    keep(Buffer.from('less'));
    execFileSync('sqlite3', ['-bail', join(server.dataDir, 'dfota.db')], { input: sql });
    await server.start();
});
after(async () => {
    await server?.dispose();
    rmSync(dir, { recursive: true, force: true });
});

const module = (name) => new Module({
    address: server.device, product, firmware: name, version: '1', image: cases[name].images[0], id: cases[name].imei,
});
const fileOf = async (bytes) => [...(await listFiles(server.dataDir)).keys()].some((name) => name.endsWith(sha256(bytes)));
const packageOf = async (name) => (await server.package(product, name, '1', '2'));

for (const name of ['made', 'released', 'uploaded', 'better']) {
    describe(`a package of the older rules that was ${name}`, () => {
        test('is not continued, and its file is removed', async () => {
            const answer = await module(name).ask({ range: 100 });
            assert.equal(answer.status, 416);
            assert.equal(await fileOf(cases[name].package), false);
        });
        test('is made again, proven, and sent', async () => {
            const { bytes } = await module(name).download();
            assert.notEqual(sha256(bytes), sha256(cases[name].package));
            const made = await packageOf(name);
            assert.deepEqual([made.state, made.origin, made.proven, made.released, made.sha256], ['ready', 'made', true, null, sha256(bytes)]);
            for (const [file, content] of [['old', cases[name].images[0]], ['new', cases[name].images[1]], ['package', bytes]])
                writeFileSync(join(dir, file), content);
            dfota('verify', 'old', 'package', 'new');
            writeFileSync(join(dir, 'package'), cases[name].package);
            assert.throws(() => dfota('verify', 'old', 'package', 'new'), /order bit/);
        });
    });
}

test('a package of an external command that older rules had proven is not sent', async () => {
    assert.equal((await module('external').ask({ range: 100 })).status, 416);
    assert.equal(await fileOf(cases.external.package), false);
});

test('an uploaded package of the format external is kept, but is not proven any more', async () => {
    assert.equal((await module('external-uploaded').ask({ range: 100 })).status, 416);
    assert.equal(await fileOf(cases['external-uploaded'].package), true);
    const kept = await packageOf('external-uploaded');
    assert.deepEqual([kept.origin, kept.proven, kept.released], ['uploaded', false, null]);
});

test('a release without a firmware in the ledger applies to no firmware', async () => {
    assert.equal((await module('external-released').ask({ range: 100 })).status, 416);
    assert.equal(await fileOf(cases['external-released'].package), true);
    assert.equal((await packageOf('external-released')).released, null);
});

test('an image has the core_id that the name of its .soc says', async () => {
    const ids = [];
    for (const name of ['bsdiff', 'external'])
        ids.push((await server.admin('GET', `${firmwarePath(product, name)}/images/2`, null, { expect: 200 })).json.core_id);
    assert.deepEqual(ids, [116, null]);
});

test('packages of other formats are still sent', async () => {
    const answer = await module('bsdiff').ask({ range: 100 });
    assert.equal(answer.status, 206);
    assert.deepEqual(answer.body, cases.bsdiff.package.subarray(100));
});

test('a limit above the maximum of the modules is lowered', async () => {
    for (const [name, limit] of [['made', 491520], ['better', 491520], ['bsdiff', 1000000], ['external', 1000000]])
        assert.equal((await server.admin('GET', `/products/${product}/firmware/${name}`, null, { expect: 200 })).json.max_package_bytes, limit);
});

test('the target of an older server becomes a plain campaign', async () => {
    const path = `/products/${product}/firmware/bsdiff`;
    assert.equal((await server.admin('GET', path, null, { expect: 200 })).json.target, '2');
    const [plain, ...more] = (await server.admin('GET', `${path}/campaigns`, null, { expect: 200 })).json.items;
    assert.deepEqual([plain.plain, plain.state, plain.target, plain.stage, more], [true, 'running', '2', 1, []]);
    const mine = module('bsdiff');
    const { bytes } = await mine.download();
    assert.deepEqual(bytes, cases.bsdiff.package);
    await server.admin('PUT', `${path}/target`, { version: '1' }, { expect: 200 });
    await server.admin('DELETE', `${path}/target`, null, { expect: 204 });
    assert.equal((await mine.ask()).code, 27);
});

test('the upgrade is logged once', async () => {
    const [line] = await server.logged('packages-outdated');
    assert.equal(line.count, '6');
    await server.restart();
    assert.equal(server.log('packages-outdated').length, 1);
    assert.equal(server.log('blobs-unknown').length, 0);
});
