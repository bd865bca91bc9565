// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl against the real dfotad: whole tasks, from an empty server to what a device gets.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { assertRun, run, scratch } from './lib/ctl.mjs';
import { firmwareImage } from './lib/firmware.mjs';
import { bspatch, imeiWithCheckDigit, nextImei, sha256 } from './lib/module.mjs';
import { buildDir, startServer } from './lib/server.mjs';

describe('against the real server', { skip: !existsSync(join(buildDir, 'dfotad')) && `no dfotad in ${buildDir}` }, () => {
    const lamp = 'lamp_LuatOS-SoC_EC718';

    // A server with its own ctl(); `version` of the images counts the revisions.
    async function begin(t, config = {}) {
        const server = await startServer(t, { config });
        const dir = await scratch(t);
        const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
        const ctl = (...args) => run(args, { env });
        const images = [0, 1].map((revision) => firmwareImage({ seed: 7, size: 200_000, revision }));
        const files = ['lamp_1103.1.1_LuatOS-SoC_EC718.bin', 'lamp_1103.1.2_LuatOS-SoC_EC718.bin'].map((n) => join(dir, n));
        for (const [i, file] of files.entries())
            await writeFile(file, images[i]);
        return { server, dir, ctl, images, files };
    }

    async function json(ctl, ...args) {
        const result = await ctl(...args, '-o', 'json');
        assertRun(result, 0);
        return JSON.parse(result.out);
    }

    test('from an empty server to a package that bspatch applies', async (t) => {
        const { dir, ctl, images, files } = await begin(t);
        assertRun(await ctl('firmware', 'list'), 2, { err: /product add/ });
        assertRun(await ctl('product', 'add', '村庄的灯', '--key', 'lamps'), 0);
        assertRun(await ctl('product', 'add', 'again', '--key', 'lamps'), 1, { err: /\(product-exists\)\n$/ });
        assertRun(await ctl('image', 'upload', ...files), 0, { err: /firmware set .*|^$/ });
        assert.deepEqual((await json(ctl, 'image', 'list')).items.map((i) => [i.firmware, i.version, i.size, i.sha256]),
            images.map((bytes, i) => [lamp, `1103.1.${i + 1}`, bytes.length, sha256(bytes)]));
        assertRun(await ctl('image', 'upload', files[0], '--firmware', lamp, '--version', '1103.1.2'), 1, { err: /\(image-conflict\)/ });
        assertRun(await ctl('image', 'get', lamp, '1103.1.1', join(dir, 'got')), 0);
        assert.ok((await readFile(join(dir, 'got'))).equals(images[0]));
        const set = await json(ctl, 'firmware', 'set', lamp, '--format', 'bsdiff', '--max-package-bytes', '300000');
        assert.deepEqual([set.format, set.max_package_bytes], ['bsdiff', 300000]);
        assert.equal((await json(ctl, 'target', 'set', lamp, '1103.1.2')).target, '1103.1.2');
        assertRun(await ctl('target', 'set', lamp, '9999'), 1, { err: /\(image-not-found\)/ });
        const made = await json(ctl, 'package', 'make', lamp, '1103.1.1', '1103.1.2', '--wait');
        assert.deepEqual([made.state, made.proven], ['ready', true]);
        assertRun(await ctl('package', 'get', lamp, '1103.1.1', '1103.1.2', join(dir, 'package')), 0);
        assert.ok((await bspatch(images[0], await readFile(join(dir, 'package')))).equals(images[1]));
        assert.equal((await json(ctl, 'package', 'list', lamp)).items.length, 1);
        assertRun(await ctl('package', 'show', lamp, '1103.1.2', '1103.1.1'), 1, { err: /\(not-an-upgrade\)/ });
        assert.deepEqual((await json(ctl, 'missing-bases', lamp)).items, []);
        const shown = await json(ctl, 'status');
        assert.deepEqual([shown.products, shown.packages.ready], [1, 1]);
        assertRun(await ctl('firmware', 'set', lamp, '--max-package-bytes', '10'), 0);
        assertRun(await ctl('package', 'make', lamp, '1103.1.1', '1103.1.2', '--wait'), 4, { err: /is oversize/ });
        assertRun(await ctl('package', 'get', lamp, '1103.1.1', '1103.1.2', join(dir, 'none')), 1, { err: /\(package-oversize\)/ });
        assertRun(await ctl('target', 'clear', lamp), 0, { err: /no target now/ });
        assert.equal((await json(ctl, 'firmware', 'show', lamp)).target, null);
        assertRun(await ctl('firmware', 'set', lamp, '--format', 'none'), 0, { err: /firmware set .* --format ec7xx-luatos/ });
        assertRun(await ctl('package', 'make', lamp, '1103.1.1', '1103.1.2'), 1, { err: /\(format-not-set\)/ });
    });

    test('links, devices, and why a device got its answer', async (t) => {
        const { dir, ctl, files } = await begin(t, { public_device_url: 'http://fota.example:8080' });
        await ctl('product', 'add', 'lamps', '--key', 'lamps');
        await ctl('image', 'upload', ...files);
        assertRun(await ctl('firmware', 'set', lamp, '--format', 'bsdiff'), 0);
        assertRun(await ctl('target', 'set', lamp, '1103.1.2'), 0);
        const imei = nextImei();
        const made = await ctl('device', 'link', imei, '--version', '1103.1.1', '--wait');
        assertRun(made, 0, { err: /is ready/ });
        assert.match(made.out, /^ {2}AT\+UPGRADE="URL","http:\/\/fota\.example:8080\/d\/[^"]+"\n {2}AT\+UPGRADE\n/m);
        await writeFile(join(dir, 'imeis.csv'), `imei\n${[1, 2, 3].map(nextImei).join('\n')}\n`);
        const links = (await json(ctl, 'device', 'links', lamp, '--csv', join(dir, 'imeis.csv'), '--version', '1103.1.1')).items;
        assert.equal(new Set(links.map((l) => l.url)).size, 3);
        const listed = await ctl('device', 'list');
        assertRun(listed, 0);
        assert.match(listed.out, new RegExp(`^${imei} +${lamp} +- `, 'm'), 'a link confirms nothing');
        assert.equal((await json(ctl, 'device', 'list', '--firmware', lamp)).items.length, 4);
        const shown = await ctl('device', 'show', `imei:${imei}`);
        assertRun(shown, 0);
        assert.match(shown.out, /^Confirmed version +-$/m);
        assert.match(shown.out, /^Links\n/m);
        assertRun(await ctl('device', 'unblock', imei), 0);
        assertRun(await ctl('device', 'revoke', '--yes', imei, '--link', '9999999'), 1, { err: /\(link-not-found\)/ });
        assertRun(await ctl('device', 'revoke', '--yes', imei), 0, { err: /are revoked/ });
        assert.ok((await json(ctl, 'device', 'show', imei)).links.every((l) => l.revoked_at !== null));
        assertRun(await ctl('device', 'show', 'imei:100000000000009'), 1, { err: /\(device-not-found\)/ });
    });

    test('more devices than one page holds', async (t) => {
        const { dir, ctl, files } = await begin(t, { public_device_url: 'http://fota.example:8080' });
        await ctl('product', 'add', 'lamps', '--key', 'lamps');
        await ctl('image', 'upload', ...files);
        const imeis = Array.from({ length: 1050 }, (_, i) => imeiWithCheckDigit(`8665970${String(i).padStart(7, '0')}`));
        await writeFile(join(dir, 'imeis.csv'), imeis.join('\n'));
        assertRun(await ctl('device', 'links', lamp, '--csv', join(dir, 'imeis.csv'), '--version', '1103.1.1'), 0, { err: /links are new/ });
        assert.deepEqual((await json(ctl, 'device', 'list')).items.map((d) => d.device).sort(), imeis.sort());
    });

    test('a wrong token is refused', async (t) => {
        const { ctl } = await begin(t);
        assertRun(await ctl('status', '--token', 'wrong'), 1, { err: /\(unauthorized\)\n$/ });
    });
});
