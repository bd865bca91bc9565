// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A firmware may have each package format that dfota makes, and a module of each format upgrades with it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';
import { buildDir, firmwarePath, startServer } from './lib/server.mjs';

const run = promisify(execFile);
const tool = (name, ...args) => run(join(buildDir, name), args);

let server, dir, offered;
before(async () => {
    server = await startServer(null, { keep: true });
    dir = await mkdtemp(join(tmpdir(), 'dfota-formats-'));
    offered = [...(await tool('dfota', '--help')).stdout.matchAll(/^ {2}(\S+) +for /gm)].map(([, name]) => name);
    assert.ok(offered.length >= 7, offered.join());
    for (const version of ['1138', '1147'])
        await tool('dfota-sim', '--make-image', version, join(dir, version));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

describe('a package format', () => {
    test('can be set if dfota makes it or if it is external; no other can', async () => {
        await server.createProduct('p');
        await server.putImage('p', 'AirM2M_780E_LTE_AT', '1138', await readFile(join(dir, '1138')));
        const set = (format) => server.admin('PATCH', firmwarePath('p', 'AirM2M_780E_LTE_AT'), { format });
        // Not dfota's: a command of the configuration makes it.
        assert.ok(!offered.includes('external'));
        for (const format of [...offered, 'external'])
            assert.equal((await set(format)).json.format, format);
        for (const format of ['ec618', 'BSDIFF', '', 'ec718-at']) {
            const refused = await set(format);
            assert.equal(refused.status, 422);
            for (const name of [...offered, 'external'])
                assert.ok(refused.json.detail.includes(name), refused.json.detail);
        }
        assert.ok(offered.length >= 7, offered.join());
    });

    test('of an EC618: a package too long for a module is recorded, but never sent', async () => {
        await server.createProduct('long');
        for (const seed of [1, 2])
            await server.putImage('long', 'AirM2M_780E_LTE_AT', String(seed), noiseImage({ seed, size: 500_000 }));
        await server.setFirmware('long', 'AirM2M_780E_LTE_AT', { format: 'ec618-csdk' });
        const made = await server.makePackage('long', 'AirM2M_780E_LTE_AT', '1', '2');
        assert.deepEqual([made.state, made.proven], ['oversize', true], JSON.stringify(made));
        const path = `${firmwarePath('long', 'AirM2M_780E_LTE_AT')}/packages/1/2/content`;
        assert.equal((await server.admin('GET', path)).status, 409);
    });

    // ec7xx.test.mjs has the formats whose images have another layout.
    test('of each kind is made, proven, and applied by a module', async () => {
        for (const format of offered.filter((name) => !name.startsWith('ec7xx-'))) {
            const [product, firmware] = [`product-${format}`, 'AirM2M_780E_LTE_AT'];
            await server.createProduct(product);
            for (const version of ['1138', '1147'])
                await server.putImage(product, firmware, version, await readFile(join(dir, version)));
            await server.setFirmware(product, firmware, { format });
            await server.setTarget(product, firmware, '1147');
            const made = await server.makePackage(product, firmware, '1138', '1147');
            assert.deepEqual([made.state, made.format, made.proven], ['ready', format, true], JSON.stringify(made));
            const { stdout } = await tool('dfota-sim', '--url', `http://${server.device.host}:${server.device.port}`, '--product-key', product,
                '--firmware', firmware, '--image', join(dir, '1138'), '--imei', '866597071234569', '--dialect', 'at', '--until', 'idle',
                '--expect', '1147');
            assert.match(stdout, /reboots into 1147/, format);
            const { json } = await server.admin('GET', `/products/${product}/devices/866597071234569`);
            assert.deepEqual([json.confirmed_version, json.attempts[0].state], ['1147', 'confirmed'], format);
        }
    });

    // A package cannot contain differences outside of AP and CP, and a module would not accept them.
    test('of an EC618 is proven on the parts that it changes', async () => {
        const part = (revision, size) => firmwareImage({ seed: 618, size, revision });
        const releases = {
            1138: binpkg({ ap: part(0, 100_000), cp: part(2, 40_000) }),
            1147: binpkg({ head: 1, bootloader: 'another', ap: part(1, 100_000), cp: part(3, 33_000) }),
        };
        await server.createProduct('released');
        for (const [version, bytes] of Object.entries(releases))
            await server.putImage('released', 'AirM2M_780E_LTE_AT', version, bytes);
        await server.setFirmware('released', 'AirM2M_780E_LTE_AT', { format: 'ec618-at' });
        const made = await server.makePackage('released', 'AirM2M_780E_LTE_AT', '1138', '1147');
        assert.deepEqual([made.state, made.error], ['ready', null]);

        for (const [version, bytes] of Object.entries(releases))
            await writeFile(join(dir, `${version}.binpkg`), bytes);
        await server.setTarget('released', 'AirM2M_780E_LTE_AT', '1147');
        const { stdout } = await tool('dfota-sim', '--url', `http://${server.device.host}:${server.device.port}`, '--product-key', 'released',
            '--firmware', 'AirM2M_780E_LTE_AT', '--image', join(dir, '1138.binpkg'), '--version', '1138', '--know', `1147=${join(dir, '1147.binpkg')}`,
            '--imei', '866597071234569', '--dialect', 'at', '--until', 'idle', '--expect', '1147');
        assert.match(stdout, /reboots into 1147/);
    });
});
