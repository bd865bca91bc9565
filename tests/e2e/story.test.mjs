// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The example: the package V1138→V1162 has over 550 KB, and the module takes 480 KB. Over V1147 there are two packages that fit.
// 150 simulated modules reach it, although the admin only sets the target: half of them in the vendor's dialect,
// half by links with hosts that report.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { imeiWithCheckDigit } from './lib/module.mjs';
import { startServer } from './lib/server.mjs';
import { simJson } from './lib/sim.mjs';

const firmware = 'AirM2M_780E_LTE_AT';
const limit = 491_520; // the module's partition, 480 KiB
const half = 75;

// A program that changes a little with every release, and two blocks of random data, each of
// which was replaced in one of the releases: V1147 has a new first one, V1162 a new second one.
const release = (revision, first, second) => Buffer.concat([
    firmwareImage({ seed: 1138, size: 120_000, revision }), noiseImage({ seed: first, size: 272_000 }),
    noiseImage({ seed: second, size: 272_000 }),
]);
const images = {
    1138: release(0, 1, 2),
    1142: release(1, 1, 2), // no help: as far from V1162 as V1138 is
    1147: release(2, 3, 2),
    1162: release(3, 3, 4),
};

const imeis = (from) => Array.from({ length: half }, (_, i) => imeiWithCheckDigit(String(from + i)));

test('150 modules at V1138 reach V1162 by way of V1147', async (t) => {
    const server = await startServer(t);
    const path = `/products/pumps/firmware/${firmware}`;
    const dir = mkdtempSync(join(tmpdir(), 'dfota-story-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));

    await server.createProduct('pumps');
    for (const [version, bytes] of Object.entries(images)) {
        await server.putImage('pumps', firmware, version, bytes);
        writeFileSync(join(dir, version), bytes);
    }
    await server.setFirmware('pumps', firmware, { format: 'bsdiff', canary_confirmations: 0 });
    const spoken = imeis(86659707000000), linked = imeis(86659707100000);
    const { body: links } = await server.admin('POST', `${path}/links?version=1138`, linked.join('\n'),
        { headers: { 'Content-Type': 'text/csv', Accept: 'text/csv' }, expect: 200 });
    writeFileSync(join(dir, 'links.csv'), links);

    await server.setTarget('pumps', firmware, '1162');

    const all = ['--firmware', firmware, '--interval', '0.5', '--until', '1162', '--quiet',
        ...Object.keys(images).flatMap((version) => ['--know', `${version}=${join(dir, version)}`]), '--image', join(dir, '1138')];
    const { host, port } = server.device;
    const [dialect, hosts] = await Promise.all([
        simJson('--url', `http://${host}:${port}`, '--product-key', 'pumps', '--dialect', 'at', '--imei', spoken[0],
            '--count', half, ...all),
        simJson('--links', join(dir, 'links.csv'), '--report', ...all),
    ]);
    for (const { status, stderr, json } of [dialect, hosts]) {
        assert.equal(status, 0, stderr);
        assert.deepEqual([json.modules, json.as_wanted, json.packages, json.rejected], [half, half, 2 * half, 0]);
    }

    const sizes = new Map((await server.admin('GET', `${path}/packages`, null, { expect: 200 })).json.items
        .map((p) => [`${p.from}→${p.to}`, p.size]));
    assert.ok(sizes.get('1138→1162') > limit, `the direct package has ${sizes.get('1138→1162')} bytes`);
    assert.ok(sizes.get('1138→1147') <= limit && sizes.get('1147→1162') <= limit);

    for (const imei of [...spoken, ...linked]) {
        const record = await server.deviceRecord('pumps', `imei:${imei}`);
        assert.equal(record.confirmed_version, '1162');
        assert.deepEqual(record.attempts.map((a) => [a.from, a.to, a.target, a.state, a.size, a.link !== null]), [
            ['1147', '1162', '1162', 'confirmed', sizes.get('1147→1162'), linked.includes(imei)],
            ['1138', '1147', '1162', 'confirmed', sizes.get('1138→1147'), linked.includes(imei)],
        ], imei);
    }

    const { json: way } = await server.admin('GET', `${path}/paths?from=1138&to=1162`, null, { expect: 200 });
    assert.deepEqual(way.hops.map((hop) => [hop.from, hop.to]), [['1138', '1147'], ['1147', '1162']]);
    const direct = way.excluded.find((pair) => pair.from === '1138' && pair.to === '1162');
    assert.equal(direct.reason, `${sizes.get('1138→1162').toLocaleString('en')} bytes, the limit is 491,520`);
});
