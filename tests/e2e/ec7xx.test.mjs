// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Firmware for modules with an EC716 or EC718: the chip decides the limit of a package, wherever the chip is known from, and a
// module of each format upgrades. The images are generated, in the layout of these modules.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { binpkg } from './lib/firmware.mjs';
import { assertProblem } from './lib/scene.mjs';
import { buildDir, firmwarePath, startServer } from './lib/server.mjs';

const run = promisify(execFile);
const tool = (name, ...args) => run(join(buildDir, name), args);
const formats = ['ec7xx-at', 'ec7xx-csdk', 'ec7xx-luatos'];
const least = 217_088, atHead = 10;

// An image, packed as a module packs.
const generate = (out, ...options) => run('python3', [fileURLToPath(new URL('../ec7xx/generate.py', import.meta.url)), 'image', out, '--page', '0x8000',
    '--packer', join(buildDir, 'ec7xx-lzma'), ...options]);

let server, dir;
const parts = [];
before(async () => {
    server = await startServer(null, { keep: true });
    dir = await mkdtemp(join(tmpdir(), 'dfota-ec7xx-'));
    for (const revision of ['0', '1']) {
        const [ap, cp] = ['ap', 'cp'].map((part) => join(dir, part + revision));
        await generate(ap, '--seed', '7', '--revision', revision);
        await generate(cp, '--seed', '8', '--revision', revision, '--groups', '0=6000');
        parts.push({ ap: await readFile(ap), cp: await readFile(cp) });
    }
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

const release = (revision, product) => binpkg({ ...parts[revision], product });
// Two such releases have little in common: the package between them is longer than the least limit.
const other = async (seed, product = '') => {
    const ap = join(dir, `other${seed}`);
    await generate(ap, '--seed', String(seed), '--unz', '800000', '--groups', '0=u3000');
    return binpkg({ ap: await readFile(ap), cp: parts[0].cp, product });
};

let products = 0;
// A firmware with an image of each version, and the format.
async function firmwareOf(name, { images = {}, format = null, on = server } = {}) {
    const product = `ec7xx-${products += 1}`, path = firmwarePath(product, name);
    await on.createProduct(product);
    const put = (version, bytes, expect = 201) => on.admin('PUT', `${path}/images/${version}`, bytes, { expect });
    const set = async (changes) => (await on.admin('PATCH', path, changes, { expect: 200 })).json;
    const answers = [];
    for (const [version, bytes] of Object.entries(images))
        answers.push((await put(version, bytes)).json);
    const shown = format === null ? null : await set({ format });
    const refuse = async (changes, ...sentences) => {
        const answer = await on.admin('PATCH', path, changes);
        assertProblem(answer, 422, 'invalid');
        for (const sentence of sentences)
            assert.match(answer.json.detail, sentence);
    };
    return { product, name, path, put, set, refuse, shown, images: answers, show: () => on.firmware(product, name) };
}

// What it says of its limit.
const limitOf = ({ max_package_bytes: limit, chip, chip_limit: most }) => [limit, chip, most];

// A module that runs one image and gets the other.
async function upgrade(of, format, chip, dialect, images) {
    const files = {};
    for (const [version, bytes] of Object.entries(images))
        await writeFile(files[version] = join(dir, `${of.product}-${version}`), bytes);
    const [from, to] = Object.keys(images);
    const { stdout } = await tool('dfota-sim', '--url', `http://${server.device.host}:${server.device.port}`, '--product-key', of.product,
        '--firmware', of.name, '--image', files[from], '--version', from, '--know', `${to}=${files[to]}`, '--imei', '866597071234569',
        '--dialect', dialect, '--chip', chip, '--until', 'idle', '--expect', to);
    assert.match(stdout, new RegExp(`reboots into ${to.replaceAll('.', '\\.')}`), format);
    const { attempts: [attempt], confirmed_version: confirmed } = await server.deviceRecord(of.product, '866597071234569');
    assert.deepEqual([confirmed, attempt.state, attempt.proven], [to, 'confirmed', true], format);
}

describe('a module upgrades', () => {
    const names = { 'ec7xx-at': 'AirM2M_780EPM_LTE_AT', 'ec7xx-csdk': 'pump_CSDK_EC718PM', 'ec7xx-luatos': 'fotademo_LuatOS-SoC_Air780EPM' };
    for (const format of formats)
        test(`with ${format}, which its name tells, after its package was proven`, async () => {
            const versions = format === 'ec7xx-luatos' ? ['2034.1.1', '2034.1.2'] : ['1138', '1147'];
            const images = Object.fromEntries(versions.map((version, revision) => [version, release(revision, 'EC718PM_PRD')]));
            const of = await firmwareOf(names[format], { images });
            for (const { chip, warnings } of of.images)
                assert.deepEqual([chip, warnings], ['ec718pm', []]);
            const before = await of.show();
            assert.deepEqual([before.format, before.fitting_format, before.chip, before.limit_note], [null, format, null, null]);
            const shown = await of.set({ format });
            assert.deepEqual([...limitOf(shown), shown.notice, shown.canary_confirmations], [360_448, 'ec718pm', 360_448, null, 1]);
            assert.equal(shown.limit_note, 'the limit of 360448 bytes is that of the chip ec718pm (360448 bytes), and the name of the firmware says that chip');
            await server.setTarget(of.product, of.name, versions[1]);
            const made = await server.makePackage(of.product, of.name, ...versions);
            assert.deepEqual([made.state, made.format, made.proven, made.error], ['ready', format, true, null]);
            await upgrade(of, format, 'ec718pm', format === 'ec7xx-luatos' ? 'luatos' : 'at', images);
        });
});

describe('the canary', () => {
    for (const format of formats)
        test(`of ${format} cannot be turned off`, async () => {
            const of = await firmwareOf('pump', { images: { 1: release(0, 'EC718PM_PRD') }, format });
            await of.refuse({ canary_confirmations: 0 }, /only bsdiff can go without a canary/);
            assert.equal((await of.show()).canary_confirmations, 1);
            // Nor does it stay off when the format is set.
            await of.set({ format: 'bsdiff', canary_confirmations: 0 });
            assert.equal((await of.set({ format })).canary_confirmations, 1);
        });
});

describe('the limit is that of the chip', () => {
    test('in the name of the firmware', async () => {
        for (const [name, chip, limit] of [['AirM2M_780EP_LTE_AT', 'ec718p', 331_776], ['AirM2M_780EHM_LTE_AT', 'ec718hm', 479_232], ['pump_EC718U', 'ec718u', 950_272]]) {
            const of = await firmwareOf(name, { images: { 1: release(0, '') }, format: 'ec7xx-csdk' });
            assert.deepEqual(limitOf(of.shown), [limit, chip, limit]);
        }
    });

    test('in an image; of several, the one with the least room, also of a withdrawn one: devices that run it still get packages', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0, 'EC718HM_PRD'), 2: release(1, 'EC718PM_PRD') }, format: 'ec7xx-at' });
        assert.deepEqual(limitOf(of.shown), [360_448, 'ec718pm', 360_448]);
        assert.match(of.shown.limit_note, /an image of the firmware says that chip/);
        await server.admin('PATCH', `${of.path}/images/2`, { withdrawn: true, reason: 'another chip' }, { expect: 200 });
        assert.deepEqual(limitOf(await of.set({ max_package_bytes: null })), [360_448, 'ec718pm', 360_448]);
        await of.refuse({ max_package_bytes: 479_232 }, /the chip ec718pm/);
        await server.admin('DELETE', `${of.path}/images/2`, null, { expect: 204 });
        assert.deepEqual(limitOf(await of.set({ max_package_bytes: null })), [479_232, 'ec718hm', 479_232]);
    });

    test('in images, but not for one that tells only the family: it may be of a chip with less room', async () => {
        const images = { 1: release(0, 'EC718P_PRD'), 2: release(1, 'EC718HM_PRD') };
        const of = await firmwareOf('pump', { images, format: 'ec7xx-csdk' });
        assert.deepEqual(limitOf(of.shown), [least, 'ec718hm', 479_232]);
        assert.match(of.shown.limit_note, /lower than that of the chip ec718hm \(479232 bytes\), .* but another one may be for a chip with less room$/);
        const other = await firmwareOf('pump', { images: { 2: images[2] }, format: 'ec7xx-csdk' });
        assert.equal(other.shown.max_package_bytes, 479_232);
        const { json } = await other.put('1', images[1], 422);
        assert.match(json.detail, /^this image does not tell its exact chip, and only other images say that firmware pump is for the chip ec718hm: .* at most 217088, /);
        await other.set({ max_package_bytes: least });
        await other.put('1', images[1]);
    });

    test('and a higher one is refused, with chip and limit; the head of AT firmware is not counted', async () => {
        for (const [format, most] of [['ec7xx-at', 360_448 + atHead], ['ec7xx-csdk', 360_448], ['ec7xx-luatos', 360_448]]) {
            const of = await firmwareOf('Air780EPM', { images: { 1: release(0, '') }, format });
            await of.refuse({ max_package_bytes: most + 1 }, /the chip ec718pm/, new RegExp(`at most ${most} bytes`), /the name of the firmware says/);
            assert.deepEqual(limitOf(await of.set({ max_package_bytes: most })), [most, 'ec718pm', 360_448]);
            const lower = await of.set({ max_package_bytes: 100_000 });
            assert.match(lower.limit_note, /the limit of 100000 bytes is lower than that of the chip ec718pm \(360448 bytes\)/);
            assert.deepEqual(limitOf(await of.set({ max_package_bytes: null })), [360_448, 'ec718pm', 360_448]);
        }
    });

    test('and one that an admin has set lower stays; a new format or name that means less room lowers it', async () => {
        const of = await firmwareOf('Air780EHM', { images: { 1: release(0, '') } });
        await of.set({ max_package_bytes: 300_000 });
        assert.equal((await of.set({ format: 'ec7xx-luatos' })).max_package_bytes, 300_000);
        await of.set({ max_package_bytes: 479_232 });
        const renamed = await of.set({ name: 'Air780EP' });
        assert.deepEqual(limitOf(renamed), [331_776, 'ec718p', 331_776]);
        const [line] = await server.logged('limit-set', 1, (l) => l.firmware === 'Air780EP');
        assert.equal(line.size_bytes, '331776');
    });

    test('and with another format there is none', async () => {
        const of = await firmwareOf('Air780EPM', { images: { 1: release(0, 'EC718PM_PRD') }, format: 'external' });
        assert.deepEqual([...limitOf(of.shown), of.shown.limit_note], [491_520, null, null, null]);
        await of.set({ max_package_bytes: 1_000_000 });
        assert.equal((await of.set({ max_package_bytes: null })).max_package_bytes, 491_520);
    });

    test('in the configuration; another chip there lowers the limit at the next start', async (t) => {
        const conf = join(dir, 'conf');
        const write = (chip) => writeFile(conf, `[firmware pump]\nchip = ${chip}\n`);
        await write('ec718hm');
        const own = await startServer(t, { config: { config: conf } });
        const of = await firmwareOf('pump', { images: { 1: release(0, '') }, format: 'ec7xx-at', on: own });
        assert.deepEqual(limitOf(of.shown), [479_232, 'ec718hm', 479_232]);
        assert.match(of.shown.limit_note, /the configuration \(chip\) says that chip/);
        await of.refuse({ max_package_bytes: 479_243 }, /the configuration \(chip\) says that chip/);
        await write('ec718p');
        await own.restart();
        assert.deepEqual(limitOf(await of.show()), [331_776, 'ec718p', 331_776]);
        const [line] = await own.logged('limit-lowered');
        assert.deepEqual([line.firmware, line.chip, line.size_bytes, line.was], ['pump', 'ec718p', '331776', '479232']);
    });
});

describe('when the chip is not known', () => {
    test('any more, because the only image that told it was deleted, the limit is lowered', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0, ''), 2: release(1, 'EC718HM_PRD') }, format: 'ec7xx-at' });
        assert.deepEqual(limitOf(of.shown), [479_232, 'ec718hm', 479_232]);
        await server.admin('DELETE', `${of.path}/images/1`, null, { expect: 204 });
        assert.equal((await of.show()).max_package_bytes, 479_232);
        await of.put('1', release(0, ''));
        await server.admin('DELETE', `${of.path}/images/2`, null, { expect: 204 });
        assert.deepEqual(limitOf(await of.show()), [least, null, null]);
        const [line] = await server.logged('limit-lowered');
        assert.deepEqual([line.firmware, line.was, line.size_bytes], ['pump', '479232', String(least)]);
    });


    test('the limit is that of the chip with the least room, and a sentence says so', async () => {
        for (const product of ['', 'EC718P_PRD']) { // the second one is cut: three chips begin so
            const of = await firmwareOf('pump', { images: { 1: release(0, product) }, format: 'ec7xx-at' });
            assert.deepEqual(limitOf(of.shown), [least, null, null]);
            assert.match(of.shown.limit_note, /^the chip is not known, and the limit of 217088 bytes fits the chip with the least room \(ec716s\)\. If you know the chip, name it in the configuration \(key chip of \[firmware NAME\]\), or, /);
            assert.equal(of.shown.notice, of.shown.limit_note);
        }
    });

    test('an admin can set another one, up to that of the chips with 4 MB of flash', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0, '') }, format: 'ec7xx-luatos' });
        const set = await of.set({ max_package_bytes: 331_776 });
        assert.match(set.limit_note, /^the chip is not known, and the limit of 331776 bytes was set by an admin, or for a chip that was known before: the chip with the least room \(ec716s\) takes only 217088 bytes$/);
        assert.equal((await of.set({ max_package_bytes: 360_448 })).max_package_bytes, 360_448);
        await of.refuse({ max_package_bytes: 360_449 }, /^the chip is not known, and a chip that takes more than 360448 bytes has 8 MB of flash, .*: name the chip/);
        assert.equal((await of.set({ max_package_bytes: null })).max_package_bytes, least);
    });

    test('a package within that limit is made, uploaded and taken by a module; a larger one is not sent', async () => {
        const images = { 1: await other(71), 2: await other(72) };
        const of = await firmwareOf('pump', { images, format: 'ec7xx-csdk' });
        await server.setTarget(of.product, of.name, '2');
        const made = await server.makePackage(of.product, of.name, '1', '2');
        assert.deepEqual([made.state, made.proven], ['oversize', true], JSON.stringify(made));
        assert.ok(made.counted > least && made.counted < 331_776, String(made.counted));
        await of.set({ max_package_bytes: 331_776 });
        const path = `${of.path}/packages/1/2`;
        const { body } = await server.admin('GET', `${path}/content`, null, { expect: 200 });
        await of.set({ max_package_bytes: least });
        const put = async () => (await server.admin('PUT', `${path}?by=Ann`, body, { expect: [200, 201] })).json;
        const early = await put();
        assert.deepEqual([early.state, early.proven], ['oversize', true]);
        await of.set({ max_package_bytes: 331_776 });
        const { state, proven, origin } = await put();
        assert.deepEqual([state, proven, origin], ['ready', true, 'uploaded']);
        await upgrade(of, 'ec7xx-csdk', 'ec718p', 'at', images);
    });
});

describe('an uploaded package', () => {
    test('that is too long for the chip of its images is refused, whatever the name of the firmware says', async () => {
        const [from, to] = [await other(71, 'EC718P_PRD'), await other(72, 'EC718P_PRD')];
        const unknown = await firmwareOf('pump', { images: { 1: from, 2: to }, format: 'ec7xx-csdk' });
        await unknown.set({ max_package_bytes: 331_776 });
        await server.makePackage(unknown.product, unknown.name, '1', '2');
        const { body } = await server.admin('GET', `${unknown.path}/packages/1/2/content`, null, { expect: 200 });
        const of = await firmwareOf('Air780EHM', { images: { 1: from, 2: to }, format: 'ec7xx-csdk' });
        const answer = await server.admin('PUT', `${of.path}/packages/1/2?by=Ann`, body);
        assert.equal(answer.status, 422, JSON.stringify(answer.json));
        assert.match(answer.json.detail, /the archive is for a chip with 4 MB of flash, and ec718hm has 8 MB/);
    });

    test('without the head that its devices need is refused, although it leads from one image to the other', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0), 2: release(1) }, format: 'ec7xx-csdk' });
        await server.makePackage(of.product, of.name, '1', '2');
        const path = `${of.path}/packages/1/2`;
        const { body } = await server.admin('GET', `${path}/content`, null, { expect: 200 });
        const answer = await server.admin('PUT', `${path}?by=Ann`, body.subarray(92), { expect: 422 });
        assert.match(answer.json.detail, /^this is .* without the head of a format, but firmware pump has the format ec7xx-csdk$/);
    });
});

describe('an image', () => {
    test('for a chip with less room than the limit of the firmware is refused, and nothing is stored', async () => {
        const of = await firmwareOf('AirM2M_780EHM_LTE_AT', { images: { 1138: release(0, 'EC718HM_PRD') }, format: 'ec7xx-at' });
        const { json } = await of.put('1147', release(1, 'EC718PM_PRD'), 422);
        assert.equal(json.code, 'invalid');
        assert.match(json.detail, /^this image is for the chip ec718pm, whose modules take at most 360458 bytes, and the limit of firmware AirM2M_780EHM_LTE_AT is 479232: set its max_package_bytes to at most 360448, /);
        assert.equal((await of.show()).images, 1);
        await of.set({ max_package_bytes: 360_448 });
        const { json: image } = await of.put('1147', release(1, 'EC718PM_PRD'));
        assert.match(image.warnings.join(), /this image is for the chip ec718pm, and the firmware is for the chip ec718hm: the name of the firmware says so/);
    });

    test('tells that the limit could be higher, when nothing told the chip before', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0, '') }, format: 'ec7xx-at' });
        const { json } = await of.put('2', release(1, 'EC718HM_PRD'));
        assert.match(json.warnings.join(), /this image is for the chip ec718hm, whose modules take 479232 bytes, and the limit of the firmware is 217088: set max_package_bytes to use the rest/);
        assert.deepEqual(limitOf(await of.show()), [least, 'ec718hm', 479_232]);
    });

    test('for the other family of chips gets a warning', async () => {
        const of = await firmwareOf('AirM2M_780E_LTE_AT', { images: { 1138: binpkg({ ...parts[0] }) }, format: 'ec618-at' });
        const { json } = await of.put('1147', release(1, 'EC718PM_PRD'));
        assert.match(json.warnings.join(), /this image is for the chip ec718pm, and the firmware is for an EC618: no package can be made from it/);
        const other = await firmwareOf('AirM2M_780EP_LTE_AT', { images: { 1138: release(0, 'EC718P_PRD') }, format: 'ec7xx-at' });
        const { json: wrong } = await other.put('1147', release(1, 'EC618_PRD'));
        assert.match(wrong.warnings.join(), /this image is for the chip ec618, and the firmware is for an EC7xx: no package can be made from it/);
    });

    test('of another chip than the name of the firmware: no package is made', async () => {
        const images = { 1: release(0, 'EC718HM_PRD'), 2: release(1, 'EC718HM_PRD') };
        const of = await firmwareOf('Air780EPM', { images, format: 'ec7xx-at' });
        const made = await server.makePackage(of.product, of.name, '1', '2');
        assert.equal(made.state, 'failed');
        assert.match(made.error, /the images are for the chip ec718hm, not for ec718pm/);
    });

    test('of a firmware without a name of modules gives its family, which the advice names', async () => {
        const of = await firmwareOf('pump', { images: { 1: release(0, 'EC716S_PRD') } });
        const { notice, format } = await of.show();
        assert.equal(format, null);
        assert.match(notice, /EC716 and EC718 modules need one; set one: ec7xx-at for AT firmware, ec7xx-csdk for CSDK firmware, ec7xx-luatos for LuatOS/);
    });
});
