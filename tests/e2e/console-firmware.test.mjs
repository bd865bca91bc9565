// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The firmware pages of the console: upload, the matrix, paths, packages, settings, and the target.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const refused = /status of (404|409|412|422)/;
const block = 8000;
let server;
let lines = 0;

// A firmware whose n-th version differs from the one before in one block of noise, so a package over d versions has about d
// blocks. `reach`: over how many versions a package fits.
async function line(versions, { reach = 2, product = `line-${lines + 1}`, on = server, ...rest } = {}) {
    lines += 1;
    const noise = (n, blocks = 1) => noiseImage({ seed: lines * 1000 + n, size: blocks * block });
    const images = new Map(versions.map((version, n) =>
        [version, Buffer.concat([noise(200, 4), ...versions.flatMap((_, k) => [noise(k < n ? 100 + k : k), noise(300 + k, 2)])])]));
    const scene = Object.assign(new Scene(), {
        server: on, product, firmware: 'pump', versions, images, known: new Map([...images].map(([version, bytes]) => [sha256(bytes), version])),
    });
    await on.createProduct(product);
    for (const version of versions)
        await scene.upload(version);
    await scene.set({ max_package_bytes: reach * block + block / 2, ...rest });
    return scene;
}

const address = (scene, tab, more = {}) => `/console/firmware?${new URLSearchParams({ product: scene.product, firmware: scene.firmware, tab, ...more })}`;
const query = (page, name) => new URL(page.url()).searchParams.get(name);
const cellOf = (page, from, to) => page.getByRole('gridcell', { name: new RegExp(`^${from} → ${to}: `) });
const kindOf = async (cell) => /c-(\w+)/.exec(await cell.getAttribute('class'))[1];
const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);

// As a person drops files: the browser's own event with the files in it.
async function drop(page, files) {
    const data = await page.evaluateHandle((list) => {
        const transfer = new DataTransfer();
        for (const { name, base64 } of list)
            transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
        return transfer;
    }, files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') })));
    const zone = page.locator('.drop');
    await zone.dispatchEvent('dragover', { dataTransfer: data });
    await page.locator('.drop.over').waitFor();
    await zone.dispatchEvent('drop', { dataTransfer: data });
}

describe('firmware pages', { skip: noBrowser }, () => {
    before(async () => { server = await startServer(null, { keep: true }); });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });

    test('two images, dropped, become a firmware, and their cell turns from generating to a number', async (t) => {
        const gate = await writeScript(t, (dir) => `until [ -e ${dir}/go ]; do sleep 0.1; done\nexec ${join(buildDir, 'dfota')} "$@"`);
        const own = await startServer(t, { config: { matrix: 'all', dfota_path: gate.path } });
        const view = await openConsole(t, own, { path: '/console/firmware' });
        const { page } = view;
        await view.logIn();
        await page.getByRole('heading', { name: 'No products yet' }).waitFor();
        await view.checkAccess();
        await page.getByLabel('Name of the product').fill('Village pumps');
        await page.getByLabel('Key').fill('pumps');
        await page.getByRole('button', { name: 'Add the product' }).click();
        await page.getByRole('heading', { name: 'No images yet' }).waitFor();
        await view.screenshot('firmware-empty');

        const digests = [];
        page.on('request', (request) => { if (request.method() === 'POST' && /\/images\?/.test(request.url())) digests.push(request.headers()['repr-digest']); });
        const images = ['1138', '1147'].map((version, revision) => ({ name: `Pump_V${version}.bin`, bytes: firmwareImage({ seed: 71, size: 60_000, revision }) }));
        await drop(page, images);
        const files = page.getByRole('list', { name: 'Files' }).getByRole('listitem');
        await poll('both are stored', async () => (await page.locator('.upload.stored').count()) === 2);
        for (const [i, { bytes }] of images.entries()) {
            await files.nth(i).getByText(sha256(bytes).slice(0, 12)).waitFor();
            assert.equal(digests[i], `sha-256=:${Buffer.from(sha256(bytes), 'hex').toString('base64')}:`);
        }
        await files.first().getByText('its package format is bsdiff, the default').waitFor();
        await view.checkAccess();
        await view.screenshot('firmware-uploaded');

        await page.getByRole('table').getByRole('link', { name: 'Pump' }).click();
        await page.getByRole('heading', { level: 2, name: 'Pump' }).waitFor();
        await page.getByRole('link', { name: 'Matrix', exact: true }).click();
        const cell = cellOf(page, '1138', '1147');
        await cell.waitFor();
        await poll('it is being made', async () => (await kindOf(cell)) === 'generating');
        assert.equal(await cell.textContent(), '…');
        await view.screenshot('firmware-generating');
        await writeFile(join(gate.dir, 'go'), '');
        await poll('it has a size', async () => (await kindOf(cell)) === 'fits', { timeout_ms: 20_000 });
        const made = await own.package('pumps', 'Pump', '1138', '1147');
        assert.equal(await cell.textContent(), String(Math.ceil(made.size / 1024)));
        await page.getByText('All requested packages are made.').waitFor();
    });

    test('a file that is no image is refused with what it is, and can be sent as raw; a file without a version gets a name', async (t) => {
        await server.createProduct('uploads');
        const view = await openConsole(t, server, { path: '/console/firmware?product=uploads', allow: [refused] });
        const { page } = view;
        await view.logIn();
        const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61', 'hex'), noiseImage({ seed: 5, size: 3000 })]);
        const input = page.locator('input[type=file]');
        await input.setInputFiles([{ name: 'Valve_V1.bin', mimeType: '', buffer: picture }, { name: 'firmware.bin', mimeType: '', buffer: noiseImage({ seed: 6, size: 9000 }) }]);
        const [first, second] = [0, 1].map((i) => page.getByRole('list', { name: 'Files' }).getByRole('listitem').nth(i));
        await first.getByText('this is a picture, not an image.', { exact: true }).waitFor();
        await second.getByText("the file name 'firmware.bin' contains no version: name firmware and version", { exact: true }).waitFor();
        await view.checkAccess();
        await view.screenshot('firmware-refused');
        await first.getByRole('button', { name: 'Upload as a raw image' }).click();
        await first.getByText('accepted as a raw image because the admin said so').waitFor();
        await second.getByLabel('Firmware').fill('Valve');
        await second.getByLabel('Version').fill('V2');
        await second.getByRole('button', { name: 'Upload with this name' }).click();
        await second.getByText('stored', { exact: true }).waitFor();
        assert.equal((await server.firmware('uploads', 'Valve')).images, 2);
        await page.getByRole('button', { name: 'Clear the list' }).click();
        await page.getByRole('list', { name: 'Files' }).waitFor({ state: 'detached' });
    });

    test('an image can be withdrawn, restored, required as a waypoint, and deleted', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: '2' });
        const view = await openConsole(t, server, { path: address(scene, 'images'), allow: [refused] });
        const { page } = view;
        await view.logIn();
        const image = (version) => server.admin('GET', scene.path(`/images/${version}`), null, { expect: 200 }).then(({ json }) => json);
        await page.getByRole('button', { name: '3', exact: true }).click();
        const dialog = page.getByRole('dialog');
        await dialog.waitFor();
        assert.equal(query(page, 'image'), '3');
        await view.checkAccess();
        await view.screenshot('firmware-image');
        await dialog.getByLabel('Reason').fill('the pump stops');
        await dialog.getByRole('button', { name: 'Withdraw' }).click();
        await dialog.getByText(/^Withdrawn on .*: the pump stops$/).waitFor();
        assert.equal((await image('3')).withdrawn.reason, 'the pump stops');
        await dialog.getByRole('button', { name: 'Restore' }).click();
        await dialog.getByRole('button', { name: 'Withdraw' }).waitFor();
        assert.equal((await image('3')).withdrawn, null);
        await dialog.getByLabel('Use in paths').selectOption('required');
        await dialog.getByLabel('Reason').last().fill('moves the settings');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await poll('it is required', async () => (await image('3')).waypoint === 'required');
        await page.keyboard.press('Escape');
        await page.getByRole('row').filter({ hasText: 'required waypoint' }).waitFor();

        await page.getByRole('button', { name: '2', exact: true }).click();
        await dialog.getByRole('button', { name: 'Delete the image' }).click();
        await dialog.getByRole('button', { name: 'Really delete 2' }).click();
        await dialog.getByRole('alert').filter({ hasText: /target/ }).waitFor();
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: '1', exact: true }).click();
        await dialog.getByRole('button', { name: 'Delete the image' }).click();
        await dialog.getByRole('button', { name: 'Really delete 1' }).click();
        await dialog.waitFor({ state: 'hidden' });
        assert.equal((await server.admin('GET', scene.path('/images/1'))).status, 404);
    });

    test('several builds of a version: uploaded, one made the default, and each has its row in the matrix', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const module = scene.module({ version: '1' });
        await module.ask();
        const view = await openConsole(t, server, { path: address(scene, 'images'), allow: [refused] });
        const { page } = view;
        await view.logIn();
        await page.locator('.drop').waitFor();
        await drop(page, [{ name: 'pump_V1.bin', bytes: noiseImage({ seed: 8201, size: 16_000 }) }]);
        await page.getByRole('alert').filter({ hasText: /If this is another build of the version, give it a variant\.$/ }).waitFor();
        assert.equal(await page.getByLabel('Build').inputValue(), 'full', 'the server suggests one');
        await view.checkAccess();
        await page.getByRole('button', { name: 'Send as another build' }).click();
        await page.getByRole('button', { name: '1 (full)', exact: true }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('button', { name: 'Make this build the default' }).click();
        await dialog.getByRole('button', { name: 'No longer the default' }).waitFor();
        await view.checkAccess();
        await view.screenshot('firmware-builds');
        await page.keyboard.press('Escape');
        await page.getByRole('row').filter({ hasText: 'default build' }).filter({ hasText: '1 (full)' }).waitFor();
        assert.equal((await server.admin('GET', scene.path('/images/1'))).json.variant, 'full');

        await server.admin('POST', scene.path('/packages/1/2?from_variant='), null, { expect: [200, 202] });
        await view.open(address(scene, 'matrix'));
        await cellOf(page, '1', '2').waitFor();
        await page.getByRole('gridcell', { name: /^1 → 1 \(full\): builds of one version/ }).waitFor();
        await cellOf(page, '1 \\(full\\)', '2').click();
        await page.getByRole('link', { name: 'Open the package' }).click();
        await page.getByRole('button', { name: 'Request the package' }).click();
        await page.getByRole('button', { name: 'Take out of service' }).waitFor();
        const { items } = (await server.admin('GET', scene.path('/packages'))).json;
        assert.deepEqual(items.map((one) => one.from_variant), [null, 'full']);

        await server.admin('PATCH', `/products/${scene.product}/devices/imei:${module.id}`, { variant: 'full' }, { expect: 200 });
        await view.open(`/console/devices?${new URLSearchParams({ product: scene.product })}`);
        await page.getByRole('row').filter({ hasText: '1 (full)' }).waitFor();
    });

    test('the target is set after its effect was shown, and cleared', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        await scene.makePackage();
        assert.equal((await scene.module().ask()).code, 27);
        const view = await openConsole(t, server, { path: address(scene, 'images') });
        const { page } = view;
        await view.logIn();
        await page.getByRole('button', { name: 'Change the target' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('button', { name: 'Show the effect' }).click();
        await dialog.getByRole('cell', { name: '1 → 2' }).waitFor();
        assert.equal((await server.firmware(scene.product, 'pump')).target, null);
        await view.checkAccess();
        await view.screenshot('firmware-target');
        await dialog.getByRole('button', { name: 'Set 2 as the target' }).click();
        await poll('the target is set', async () => (await server.firmware(scene.product, 'pump')).target === '2');
        await dialog.waitFor({ state: 'hidden' });
        await page.getByRole('button', { name: 'Change the target' }).click();
        await dialog.getByRole('button', { name: 'Clear the target' }).click();
        await poll('the target is cleared', async () => (await server.firmware(scene.product, 'pump')).target === null);
    });

    test('the settings are saved, only what was changed, and an error says what is wrong', async (t) => {
        const scene = await Scene.build(server, { versions: ['1'], target: null });
        const view = await openConsole(t, server, { path: address(scene, 'settings'), allow: [refused] });
        const { page } = view;
        await view.logIn();
        const save = page.getByRole('button', { name: 'Save' });
        assert.equal(await save.isDisabled(), true);
        await page.getByLabel('Limit of a package, in bytes').fill('470000');
        await scene.set({ quarantine_after: 9 });
        await save.click();
        await page.getByText('Another admin has changed this meanwhile.').waitFor();
        await poll('the form has the new value', async () => await page.getByLabel('Limit of a package, in bytes').inputValue() === '491520');
        assert.equal(await save.isDisabled(), true);
        await page.getByLabel('Limit of a package, in bytes').fill('600000');
        await page.getByLabel(/^ec618-at/).check();
        await save.click();
        await page.getByText('491530').waitFor(); // the most that such a module takes
        await page.getByLabel('Limit of a package, in bytes').fill('480000');
        await page.getByLabel('Hours of downloads').fill('22:00-06:00+08:00');
        const [request] = await Promise.all([page.waitForRequest((one) => one.method() === 'PATCH'), save.click()]);
        assert.deepEqual(request.postDataJSON(), { format: 'ec618-at', max_package_bytes: 480000, hours: '22:00-06:00+08:00' });
        await page.getByText('The settings are saved.').waitFor();
        const { format, max_package_bytes: limit, hours } = await server.firmware(scene.product, 'pump');
        assert.deepEqual([format, limit, hours], ['ec618-at', 480000, '22:00-06:00+08:00']);
        await view.checkAccess();
        await view.screenshot('firmware-settings');
    });

    test('the page of a firmware for an EC716 or EC718 says which chip decides the limit, or that none is known', async (t) => {
        const scene = await Scene.build(server, { firmware: 'Air780EPM', versions: ['1'], target: null, format: 'ec7xx-at', canary: true });
        const view = await openConsole(t, server, { path: address(scene, 'settings') });
        const { page } = view;
        await view.logIn();
        await page.getByText(/^The chip EC718PM takes 360,?448 bytes\.$/).waitFor();
        await scene.set({ name: 'pump' });
        Object.assign(scene, { firmware: 'pump' });
        await page.goto(new URL(address(scene, 'settings'), page.url()).href);
        await page.getByText('The chip is not known. The chip with the least room takes 217088 bytes.').waitFor();
        await page.getByLabel(/^ec7xx-luatos/).check();
        await page.getByRole('button', { name: 'Save' }).click();
        await poll('the format is set', async () => (await server.firmware(scene.product, 'pump')).format === 'ec7xx-luatos');
        await view.checkAccess();
    });

    describe('the matrix', () => {
        let scene;
        before(async () => {
            scene = await line(['1', '2', '3', '4']);
            for (const [from, to] of [['1', '2'], ['1', '3'], ['1', '4'], ['2', '3'], ['2', '4']])
                await server.makePackage(scene.product, 'pump', from, to);
            await server.admin('PUT', scene.path('/packages/2/3/quarantine'), { reason: 'two pumps stopped' }, { expect: 204 });
        });

        test('shows what fits, what is over the limit, what is out of service, and what was not requested', async (t) => {
            const view = await openConsole(t, server, { path: address(scene, 'matrix') });
            const { page } = view;
            await view.logIn();
            await cellOf(page, '1', '2').waitFor();
            const kinds = {};
            for (const pair of ['1 2', '1 3', '1 4', '2 3', '3 4'])
                kinds[pair] = await kindOf(cellOf(page, ...pair.split(' ')));
            assert.deepEqual(kinds, { '1 2': 'fits', '1 3': 'fits', '1 4': 'over', '2 3': 'out', '3 4': 'unknown' });
            const over = cellOf(page, '1', '4');
            assert.match(await over.getAttribute('aria-label'), /, over the limit$/);
            assert.match(await over.textContent(), /^\d+!$/);
            await cellOf(page, '2', '3').hover();
            await page.locator('.cell-facts').getByText('two pumps stopped').waitFor();
            const made = await scene.package('1', '3');
            await scene.set({ max_package_bytes: made.size + 10 });
            await poll('it is near the limit', async () => (await kindOf(cellOf(page, '1', '3'))) === 'near', { timeout_ms: 15_000 });
            await scene.set({ max_package_bytes: 2.5 * block });
            await view.checkAccess();
            await view.screenshot('firmware-matrix');
        });

        test('is walked with the keyboard, and Enter picks two versions', async (t) => {
            const view = await openConsole(t, server, { path: address(scene, 'matrix') });
            const { page } = view;
            await view.logIn();
            await cellOf(page, '1', '2').waitFor();
            const frame = page.getByRole('region', { name: 'Packages of pump' });
            await frame.focus();
            await page.keyboard.press('Tab');
            for (const [key, from, to] of [[null, '1', '2'], ['ArrowLeft', '1', '2'], ['ArrowDown', '1', '2'], ['ArrowRight', '1', '3'], ['ArrowDown', '2', '3'],
                ['ArrowDown', '2', '3'], ['End', '2', '4'], ['ArrowDown', '3', '4'], ['Control+Home', '1', '2'], ['Control+End', '3', '4'], ['ArrowUp', '2', '4'],
                ['Home', '2', '3'], ['PageUp', '1', '3']]) {
                if (key)
                    await page.keyboard.press(key);
                assert.ok(await isFocused(cellOf(page, from, to)), `${key}: ${await view.focused()}`);
                await page.locator('.cell-facts').getByText(`${from} → ${to}`).waitFor();
            }
            assert.equal(await page.locator('td[tabindex="0"]').count(), 1);
            await page.keyboard.press('Enter');
            await page.waitForURL((url) => url.searchParams.get('from') === '1' && url.searchParams.get('to') === '3');
            assert.equal(await cellOf(page, '1', '3').getAttribute('aria-selected'), 'true');
            await page.getByRole('link', { name: 'Show the path' }).click();
            await page.getByText(/^A path of 1 hop,/).waitFor();
        });

        test('is drawn anew when an image before the others goes', async (t) => {
            const own = await line(['1', '2', '3', '4']);
            const view = await openConsole(t, server, { path: address(own, 'matrix') });
            const { page } = view;
            await view.logIn();
            await cellOf(page, '1', '2').waitFor();
            await server.admin('DELETE', own.path('/images/1'), null, { expect: 204 });
            await cellOf(page, '1', '2').waitFor({ state: 'detached' });
            assert.equal(await cellOf(page, '2', '3').getAttribute('data-spot'), '0 0');
            assert.deepEqual(await page.locator('.matrix tbody tr').evaluateAll((rows) => rows.map((row) => row.querySelectorAll('td').length)), [2, 2]);
        });

        test('of 40 versions stays readable', async (t) => {
            const versions = Array.from({ length: 40 }, (_, i) => String(1100 + i * 3));
            const states = ['ready', 'ready', 'ready', 'ready', 'oversize', 'queued', 'generating', 'failed'];
            const pairs = versions.flatMap((from, i) => versions.slice(i + 1).map((to, k) => {
                const size = 30_000 + k * 13_500 + (i * 7919) % 9000;
                const state = (i + k) % 13 === 12 ? states[(i * 3 + k) % 8] : size > 491_520 ? 'oversize' : 'ready';
                const isMade = state === 'ready' || state === 'oversize';
                return { from, from_variant: null, to, to_variant: null, state, size: isMade ? size : null, proven: (i + k) % 37 !== 5, released: false, effort: isMade ? 'good' : null,
                    waiting: 0, duration_ms: 800, quarantine: (i + k) % 38 === 11 && i % 5 === 0 ? 'devices came back' : null, error: null };
            })).filter((_, n) => n % 97 !== 3);
            const view = await openConsole(t, server, { path: address(scene, 'matrix') });
            const { page } = view;
            await page.route('**/pump/matrix', (route) => route.fulfill({ json: { firmware: 'pump', format: 'bsdiff', limit: 491_520, versions, withdrawn: [versions[7]], full: [], full_packages: [],
                builds: versions.map((version, i) => ({ name: version, version, variant: null, default: false, withdrawn: i === 7 })),
                pairs, queue: { queued: 0, generating: 0, estimate_ms: 0 } } }));
            await view.logIn();
            await cellOf(page, versions[0], versions[1]).waitFor();
            await view.checkWidth();
            await view.checkAccess();
            await view.screenshot('firmware-matrix-40');
            // The headers of the cell that has the focus stay in view.
            await cellOf(page, versions[0], versions[1]).focus();
            await page.keyboard.press('Control+End');
            const box = (locator) => locator.boundingBox();
            const [cell, column, row] = [await box(page.locator('td:focus')), await box(page.getByRole('columnheader', { name: versions[39] })),
                await box(page.getByRole('rowheader', { name: versions[38] }))];
            assert.ok(column.y + column.height <= cell.y + 1 && Math.abs(column.x - cell.x) < 3, JSON.stringify({ cell, column }));
            assert.ok(row.x + row.width <= cell.x + 1 && Math.abs(row.y - cell.y) < 3, JSON.stringify({ cell, row }));
            await view.screenshot('firmware-matrix-40-end');
            await page.setViewportSize(phone);
            await view.checkWidth();
            await view.screenshot('firmware-matrix-40-phone');
        });
    });

    test('a path is drawn, says what was ruled out, and its packages can be requested', async (t) => {
        const scene = await line(['1', '2', '3', '4']);
        const view = await openConsole(t, server, { path: address(scene, 'path') });
        const { page } = view;
        await view.logIn();
        await page.getByRole('heading', { name: 'Choose two versions' }).waitFor();
        await page.getByLabel('From', { exact: true }).selectOption('1');
        await page.getByLabel('To', { exact: true }).selectOption('4');
        await page.getByText('The path is not settled').waitFor();
        await page.waitForURL((url) => url.searchParams.get('from') === '1' && url.searchParams.get('to') === '4');
        await page.getByRole('button', { name: 'Request the packages' }).click();
        await page.getByText(/^A path of 2 hops,/).waitFor({ timeout: 60_000 });
        const { json } = await server.admin('GET', scene.path('/paths?from=1&to=4'), null, { expect: 200 });
        assert.equal(await page.locator('.drawing .hop').count(), json.hops.length);
        for (const { from, to } of json.hops)
            await page.locator('ol.hops').getByRole('link', { name: `${from} → ${to}` }).waitFor();
        await page.getByRole('row').filter({ hasText: /the limit is/ }).first().waitFor();
        await view.checkAccess();
        await view.checkWidth();
        await view.screenshot('firmware-path');
        await page.getByRole('button', { name: 'Swap' }).click();
        await page.getByText(/downgrades/i).first().waitFor();
    });

    test('a package is requested, downloaded, taken out of service and put back', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const view = await openConsole(t, server, { path: address(scene, 'package', { from: '1', to: '2' }), allow: [refused] });
        const { page } = view;
        await view.logIn();
        await page.getByRole('button', { name: 'Request the package' }).click();
        const link = page.getByRole('link', { name: 'Download' });
        await link.waitFor();
        const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
        assert.equal(await download.failure(), null);
        await page.getByRole('button', { name: 'Take out of service' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Reason').fill('smoke');
        await view.checkAccess();
        await dialog.getByRole('button', { name: 'Take out of service' }).click();
        await page.getByText(/^Out of service since .*: smoke$/).waitFor();
        await view.checkAccess();
        await page.getByRole('button', { name: 'Put back into service' }).click();
        await page.getByText(/^Out of service since/).waitFor({ state: 'detached' });
        assert.equal((await scene.package()).quarantine, null);
    });

    test('an uploaded package that cannot be proven is released only with the digits of its hash', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null, format: 'external' });
        const view = await openConsole(t, server, { path: address(scene, 'package', { from: '1', to: '2' }), allow: [refused] });
        const { page } = view;
        await view.logIn();
        const bytes = noiseImage({ seed: 4711, size: 5000 });
        await page.getByLabel('Your name, for the ledger').fill('Ann Lee');
        await page.locator('input[type=file]').setInputFiles({ name: 'made.bin', mimeType: '', buffer: bytes });
        await page.getByText('Ann Lee, who uploaded it').waitFor();
        await page.getByRole('button', { name: 'Release' }).click();
        const dialog = page.getByRole('dialog');
        const button = dialog.getByRole('button', { name: 'Release' });
        const digits = dialog.getByLabel('At least the first 8 digits of the SHA-256');
        await digits.fill('00000000');
        await dialog.getByText('This is not the SHA-256 of the package.').waitFor();
        assert.equal(await button.isDisabled(), true);
        await digits.fill(sha256(bytes).slice(0, 8));
        await dialog.getByLabel('Why: what was tried').fill('on a bench');
        await view.checkAccess();
        await view.screenshot('firmware-release');
        await button.click();
        await page.getByText(/^Released on .* by Ann Lee: on a bench$/).waitFor();
        assert.equal((await scene.package()).released.by, 'Ann Lee');
        await page.getByRole('button', { name: 'End the release' }).click();
        await page.getByText(/^Released on/).waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Remove the uploaded package' }).click();
        await page.getByRole('heading', { name: 'This package was never requested' }).waitFor();
    });

    describe('look', () => {
        const names = ['images', 'matrix', 'path', 'package', 'settings'];
        let scene;
        before(async () => {
            scene = await line(['2046.1.2', '2046.1.3', '2046.1.10'], { product: 'a-product-with-quite-a-long-key-that-has-to-break-somewhere', reach: 1 });
            await server.makePackage(scene.product, 'pump', '2046.1.2', '2046.1.3');
            await server.makePackage(scene.product, 'pump', '2046.1.3', '2046.1.10');
            await server.makePackage(scene.product, 'pump', '2046.1.2', '2046.1.10');
        });
        for (const [name, options] of [['phone', { viewport: phone }], ['zh', { language: 'zh-CN' }], ['dark', { theme: 'dark' }],
            ['zh-dark-phone', { language: 'zh-CN', theme: 'dark', viewport: phone }]])
            test(`each tab, ${name}: axe-core finds nothing, and nothing is cut`, async (t) => {
                const view = await openConsole(t, server, { path: '/console/firmware', ...options });
                await view.logIn();
                await view.page.locator('main .table-frame').waitFor();
                await view.checkAccess();
                await view.checkWidth();
                await view.screenshot(`firmware-list-${name}`);
                for (const tab of names) {
                    await view.open(address(scene, tab, { from: '2046.1.2', to: '2046.1.10' }));
                    await view.page.locator({ images: '.drop', matrix: 'td.c-over', path: '.drawing', package: '.facts', settings: '.settings' }[tab]).first().waitFor();
                    await view.checkAccess();
                    await view.checkWidth();
                    await view.screenshot(`firmware-${tab}-${name}`);
                }
            });
    });
});
