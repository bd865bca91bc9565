// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The Devices pages of the console in a browser: the list and its filter, changes of many devices, and the page of one device.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { sql } from './lib/chain.mjs';
import { nextImei, poll } from './lib/module.mjs';
import { report, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const transcript = readFileSync(fileURLToPath(new URL('../fixtures/transcript-1138-1147.txt', import.meta.url)));
const at = { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147', '1162'], format: 'bsdiff' };
const refused = /status of 4(00|04|22)/;
const longNote = '泵房后面 behind the pump house at the end of the long road '.repeat(4).slice(0, 120);

describe('the devices', { skip: noBrowser }, () => {
    let server;
    before(async () => { server = await startServer(null, { keep: true }); });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });

    const importList = (product, lines) => server.admin('POST', `/products/${product}/devices`, `device,tags,note,firmware\n${lines.join('\n')}\n`,
        { headers: { 'Content-Type': 'text/csv' }, expect: 200 });

    // A product with devices: three with the tag north, two with south.
    async function fleet() {
        const scene = await Scene.build(server);
        const ids = Array.from({ length: 5 }, nextImei);
        await importList(scene.product, ids.map((id, i) => `${id},${i < 3 ? 'north' : 'south'},,${scene.firmware}`));
        return { scene, ids };
    }

    const list = async (t, scene, query = '', options = {}) => {
        const view = await openConsole(t, server, { path: `/console/devices?product=${scene.product}${query}`, ...options });
        await view.logIn();
        await view.page.locator('.device-table:not([aria-busy]), .empty').first().waitFor();
        return view;
    };

    const rows = (view) => view.page.locator('.device-table tbody tr');
    const awaitRows = (view, count) => poll(`${count} rows`, async () => await rows(view).count() === count);
    const stateOf = async (scene, id) => (await server.deviceRecord(scene.product, id)).state;
    const show = async (t, scene, id, options = {}) => {
        const view = await openConsole(t, server, { path: `/console/devices?product=${scene.product}&device=imei:${id}`, ...options });
        await view.logIn();
        await view.page.locator('.device-id').waitFor();
        return view;
    };

    test('the filter is in the address, and goes with it', async (t) => {
        const { scene, ids } = await fleet();
        const view = await list(t, scene);
        await awaitRows(view, 5);
        await view.page.getByRole('combobox', { name: 'Filter' }).fill('tag=north');
        await view.page.keyboard.press('Enter');
        await awaitRows(view, 3);
        const { searchParams } = new URL(view.page.url());
        assert.deepEqual([searchParams.get('filter'), searchParams.get('product')], ['tag=north', scene.product]);
        await list(t, scene, '&filter=tag%3Dnorth+or+tag%3Dsouth').then((both) => awaitRows(both, 5));
        const other = await list(t, scene, '&filter=tag%3Dsouth');
        await awaitRows(other, 2);
        assert.equal(await other.page.getByRole('combobox', { name: 'Filter' }).inputValue(), 'tag=south');
        await other.page.getByRole('link', { name: ids[4] }).waitFor();
        await view.page.goBack();
        await awaitRows(view, 5);
        assert.equal(await view.page.getByRole('combobox', { name: 'Filter' }).inputValue(), '');
        await view.page.goForward();
        await awaitRows(view, 3);
    });

    test('a wrong filter is told at the box, with the position', async (t) => {
        const { scene } = await fleet();
        const view = await list(t, scene, '', { allow: [refused] });
        const { json } = await server.admin('GET', `/products/${scene.product}/devices?q=${encodeURIComponent('tag=north and')}`, null, { expect: 400 });
        const box = view.page.getByRole('combobox', { name: 'Filter' });
        await box.fill('tag=north and');
        await box.press('Enter');
        await view.page.getByRole('alert').filter({ hasText: json.detail }).waitFor();
        assert.equal(await box.getAttribute('aria-invalid'), 'true');
        await view.checkAccess();
        await view.screenshot('devices-filter-error');
    });

    test('the box suggests how the filter may go on', async (t) => {
        const { scene } = await fleet();
        const view = await list(t, scene);
        const offered = () => view.page.locator('datalist option').evaluateAll((options) => options.map(({ value }) => value));
        assert.ok((await offered()).includes('version<1147 and tag=north'));
        await view.page.getByRole('combobox', { name: 'Filter' }).fill('tag=north and bl');
        await poll('fields are offered', async () => (await offered()).includes('tag=north and blocked='));
        await view.page.getByRole('combobox', { name: 'Filter' }).fill('blocked=');
        await poll('values are offered', async () => (await offered()).join() === 'blocked=yes,blocked=no');
        await view.page.getByRole('button', { name: 'version=none', exact: true }).click();
        assert.equal(new URL(view.page.url()).searchParams.get('filter'), 'version=none');
    });

    test('many devices are retired after their number was said, and that is undone', async (t) => {
        const { scene, ids } = await fleet();
        const view = await list(t, scene, '&filter=tag%3Dnorth');
        await view.page.getByRole('button', { name: 'Change all of this list…' }).click();
        const dialog = view.page.getByRole('dialog');
        await dialog.getByLabel('What to do').selectOption('retire');
        await dialog.getByText('This is for 3 devices.').waitFor();
        await view.checkAccess();
        await view.screenshot('devices-bulk');
        await dialog.getByRole('button', { name: 'Retire: 3 devices' }).click();
        await dialog.getByText('3 devices done').waitFor();
        assert.deepEqual(await Promise.all(ids.map((id) => stateOf(scene, id))), ['retired', 'retired', 'retired', 'active', 'active']);
        await dialog.getByRole('button', { name: 'Undo' }).click();
        await dialog.getByText('Undone: Retire').waitFor();
        await dialog.getByText('3 devices done').waitFor();
        assert.deepEqual(await Promise.all(ids.map((id) => stateOf(scene, id))), ids.map(() => 'active'));
        await dialog.getByText('Close', { exact: true }).click();
        await awaitRows(view, 3);
    });

    test('chosen devices get tags; undo takes only the tags that they had not', async (t) => {
        const { scene, ids } = await fleet();
        const view = await list(t, scene);
        for (const id of [ids[0], ids[4]])
            await view.page.getByRole('checkbox', { name: `Choose ${id}` }).check();
        assert.equal(new URL(view.page.url()).searchParams.get('chosen'), `imei:${ids[0]} imei:${ids[4]}`);
        await view.page.getByRole('button', { name: 'Change 2 chosen devices…' }).click();
        const dialog = view.page.getByRole('dialog');
        await dialog.getByLabel('Tags, with blanks between them').fill('north, lab');
        await dialog.getByRole('button', { name: 'Add tags: 2 devices' }).click();
        await dialog.getByText('2 devices done').waitFor();
        const tags = async (id) => (await server.deviceRecord(scene.product, id)).tags.sort();
        assert.deepEqual([await tags(ids[0]), await tags(ids[4])], [['lab', 'north'], ['lab', 'north', 'south']]);
        await dialog.getByRole('button', { name: 'Undo' }).click();
        await dialog.getByText('Undone: Add tags').waitFor();
        await dialog.getByText('2 devices done').waitFor();
        assert.deepEqual([await tags(ids[0]), await tags(ids[4])], [['north'], ['south']]);
    });

    test('what failed is listed, with the reason', async (t) => {
        const { scene, ids } = await fleet();
        const view = await list(t, scene, '', { allow: [refused] });
        await view.page.getByRole('checkbox', { name: `Choose ${ids[0]}` }).check();
        await view.page.getByRole('button', { name: /^Change 1 chosen/ }).click();
        const dialog = view.page.getByRole('dialog');
        await dialog.getByLabel('Tags, with blanks between them').fill('!');
        await dialog.getByRole('button', { name: 'Add tags: 1 device' }).click();
        await dialog.getByText('1 device failed').waitFor();
        await dialog.getByRole('listitem').getByText(ids[0]).waitFor();
        await view.checkAccess();
    });

    test('a chosen device that is not there is told, and stays told; a selection of text closes nothing', async (t) => {
        const { scene, ids } = await fleet();
        const missing = nextImei(), held = [];
        const chosen = [missing, ...ids].map((id) => `imei:${id}`).join(' ');
        const view = await list(t, scene, `&chosen=${encodeURIComponent(chosen)}`, { allow: [refused] });
        const { page } = view;
        await page.route(/\/devices\/imei%3A/, (route) => (route.request().url().includes(missing) ? route.continue() : void held.push(route)));
        await page.getByRole('button', { name: /^Change 6 chosen/ }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('alert').waitFor();
        await Promise.all(held.map((route) => route.continue().catch(() => {})));
        const field = dialog.getByLabel('Tags, with blanks between them');
        await field.fill('north');
        const box = await field.boundingBox();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
        await page.mouse.move(5, 5);
        await page.mouse.up();
        assert.equal(await field.inputValue(), 'north');
        assert.equal(await dialog.getByRole('alert').count(), 1);
        await page.mouse.click(5, 5);
        await dialog.waitFor({ state: 'hidden' });
    });

    test('retired devices are a list of their own, and columns can be chosen', async (t) => {
        const { scene, ids } = await fleet();
        await server.admin('POST', `/products/${scene.product}/devices/${ids[1]}/retire`, null, { expect: 200 });
        const view = await list(t, scene);
        await awaitRows(view, 4);
        await view.page.getByLabel('State').selectOption('retired');
        await awaitRows(view, 1);
        assert.equal(new URL(view.page.url()).searchParams.get('state'), 'retired');
        await view.page.getByText('Columns').first().click();
        await view.page.getByRole('checkbox', { name: 'Check-ins' }).check();
        await view.page.getByRole('columnheader', { name: 'Check-ins' }).waitFor();
        await view.checkAccess();
        await view.screenshot('devices-columns');
        await view.page.reload();
        await view.page.getByRole('columnheader', { name: 'Check-ins' }).waitFor();
    });

    test('the list is exported as CSV, without formulas', async (t) => {
        const { scene, ids } = await fleet();
        await importList(scene.product, [`${ids[0]},,"=1+1, ""quoted""",`]);
        const view = await list(t, scene);
        const [download] = await Promise.all([view.page.waitForEvent('download'), view.page.getByRole('button', { name: 'Export CSV' }).click()]);
        const text = readFileSync(await download.path(), 'utf8');
        const lines = text.trim().split('\r\n');
        assert.equal(lines.length, 6);
        assert.match(lines[0], /^device,firmware,version,/);
        assert.ok(lines[1].startsWith(`imei:${ids[0]},`) && lines[1].includes('"\'=1+1, ""quoted"""'), lines[1]);
    });

    test('the outcomes lead to the devices of each', async (t) => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        const [silent, done] = [scene.module(), scene.module()];
        await silent.ask();
        await scene.awaitAttempt(silent, 'delivered');
        await done.upgrade();
        await done.ask();
        const view = await openConsole(t, server, { path: `/console/devices?product=${scene.product}&view=outcomes` });
        await view.logIn();
        await view.page.getByRole('link', { name: '1 delivered' }).click();
        await view.page.getByRole('link', { name: silent.id }).waitFor();
        await poll('only it is shown', async () => await view.page.locator('tbody tr').count() === 1);
        assert.equal(new URL(view.page.url()).searchParams.get('outcome'), 'delivered');
        await view.checkAccess();
        await view.screenshot('devices-outcomes');
    });

    test('a module that upgrades fills its timeline, and the page follows', async (t) => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.askUntilMade();
        const view = await show(t, scene, module.id);
        const kinds = () => view.page.locator('.timeline li').evaluateAll((items) => items.map((item) => item.dataset.kind));
        await scene.awaitAttempt(module, 'delivered');
        await module.upgrade();
        await module.ask();
        const wanted = ['check-in', 'attempt-ended', 'version-reported', 'bytes-delivered', 'check-in'];
        await poll('the page shows it', async () => {
            const shown = (await kinds()).filter((kind) => kind !== 'check-ins');
            let i = 0;
            for (const kind of shown)
                i += kind === wanted[i];
            return i === wanted.length;
        });
        const text = await view.page.locator('.timeline').textContent();
        assert.match(text, /1001 → 1002 ended: confirmed/);
        assert.match(text, /Version 1002 confirmed \(before: 1001\)/);
        const record = await scene.record(module);
        assert.ok(text.includes(record.last_answer.reason), 'the reason of the answer');
        const lead = await view.page.locator('.facts a[href*="/console/campaigns"]').getAttribute('href');
        assert.match(lead, new RegExp(`\\?product=${scene.product}&firmware=${scene.firmware}&campaign=\\d+$`));
        await view.page.getByText('What would it be answered now?').click();
        const { json } = await server.admin('GET', `/products/${scene.product}/explain?device=${module.id}`);
        await view.page.getByText(`Code ${json.code}:`).waitFor();
        assert.equal(await view.page.locator('.rules li').count(), json.rules.length);
        assert.equal(await view.page.locator('.rules .answered').count(), 1);
        await view.checkAccess();
        await view.screenshot('device-upgraded');
    });

    test('older pages of the timeline follow', async (t) => {
        const { scene, ids: [id] } = await fleet();
        for (let i = 0; i < 60; i += 1)
            await server.admin('PATCH', `/products/${scene.product}/devices/${id}`, { note: `note ${i}` }, { expect: 200 });
        const view = await show(t, scene, id);
        const entries = view.page.locator('.timeline li');
        await poll('a page is shown', async () => await entries.count() === 50);
        assert.match(await entries.first().textContent(), /note 59/);
        await view.page.getByRole('button', { name: 'Show older' }).click();
        await poll('all are shown', async () => await entries.count() === 60);
        assert.match(await entries.last().textContent(), /note 0/);
        assert.equal(await view.page.getByRole('button', { name: 'Show older' }).count(), 0);
    });

    test('a transcript is explained', async (t) => {
        const scene = await Scene.build(server, at);
        const module = scene.module();
        await module.ask();
        const view = await show(t, scene, module.id);
        await view.page.locator('summary', { hasText: 'Transcripts' }).click();
        await view.page.getByLabel('What the module printed on its serial line').fill(transcript.toString('latin1'));
        await view.page.getByRole('button', { name: 'Explain', exact: true }).click();
        const explained = view.page.locator('.explained');
        await explained.waitFor();
        assert.equal(await explained.locator('tbody tr').count(), 3);
        const text = await explained.textContent();
        assert.match(text, /The module refused the package: too big/);
        assert.match(text, /The last version in the text is 1147/);
        await view.checkAccess();
        await explained.scrollIntoViewIfNeeded();
        await view.screenshot('device-transcript');
        await poll('it is in the timeline', () => view.page.locator('.timeline li[data-kind=transcript-received]').count());
    });

    test('a link is made, with AT commands to copy and a QR code, and revoked', async (t) => {
        const { scene, ids: [id] } = await fleet();
        const view = await show(t, scene, id);
        await view.context.grantPermissions(['clipboard-read', 'clipboard-write']);
        await view.page.getByRole('button', { name: 'Make a link' }).click();
        await view.page.getByLabel('Version that the device runs now').fill('1001');
        await view.page.getByRole('dialog').getByRole('button', { name: 'Make a link' }).click();
        const dialog = view.page.getByRole('dialog', { name: /^Link \d+ for version 1001/ });
        const { links: [link] } = await poll('the link is made', async () => {
            const record = await server.deviceRecord(scene.product, id);
            return record.links.length && record;
        });
        await dialog.getByRole('button', { name: 'Copy AT command 1' }).click();
        await dialog.getByText('Copied.').waitFor();
        assert.equal(await view.page.evaluate(() => navigator.clipboard.readText()), `AT+UPGRADE="URL","${link.url}"`);
        assert.deepEqual(link.at_commands, [`AT+UPGRADE="URL","${link.url}"`, 'AT+UPGRADE']);
        await dialog.getByRole('img', { name: 'QR code of the AT commands' }).waitFor();
        const shape = () => dialog.locator('.qr path').getAttribute('d');
        const first = await shape();
        await dialog.getByRole('button', { name: 'QR code of the URL' }).click();
        await dialog.getByRole('img', { name: 'QR code of the URL' }).waitFor();
        assert.notEqual(await shape(), first);
        await view.checkAccess();
        await view.screenshot('device-link');
        await view.page.keyboard.press('Escape');
        await view.page.getByRole('button', { name: 'Revoke', exact: true }).click();
        await view.page.getByText('1 link was revoked.').waitFor();
        assert.notEqual((await server.deviceRecord(scene.product, id)).links[0].revoked_at, null);
    });

    test('tags and note are edited, a claim is accepted, a device is held out and retired', async (t) => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const { module, link } = await scene.linkedModule();
        await report(module, link, { version: '1' });
        const stranger = scene.module({ id: module.id, version: '2', from: '127.0.0.2' });
        await stranger.ask();
        const view = await show(t, scene, module.id, { allow: [/status of 412/] });
        await view.page.getByRole('button', { name: 'Accept' }).click();
        await view.page.getByText('The claim of 2 was accepted.').waitFor();
        assert.equal((await scene.record(module)).confirmed_version, '2');
        await view.page.getByLabel('Note').fill('mine');
        await server.admin('PATCH', scene.deviceAdminPath(module), { note: 'theirs' }, { expect: 200 });
        await view.page.getByRole('button', { name: 'Save' }).click();
        await view.page.getByText('Another admin has changed this meanwhile.').waitFor();
        await poll('the form has the new note', async () => await view.page.getByLabel('Note').inputValue() === 'theirs');
        await view.page.getByLabel('Tags, with blanks between them').fill('lab 北区');
        await view.page.getByLabel('Note').fill(longNote);
        await view.page.getByRole('button', { name: 'Save' }).click();
        await view.page.getByText('Tags and note were stored.').waitFor();
        const record = await scene.record(module);
        assert.deepEqual([record.tags, record.note], [['lab', '北区'], longNote.trim()]);
        await view.page.getByRole('button', { name: 'Hold out of campaigns' }).click();
        await view.page.getByText(/held out of all campaigns since/).waitFor();
        await view.page.getByRole('button', { name: 'Retire' }).click();
        await view.page.getByRole('dialog').getByRole('button', { name: 'Retire' }).click();
        await view.page.getByRole('button', { name: 'Restore' }).waitFor();
        assert.equal((await scene.record(module)).state, 'retired');
        await view.checkAccess();
    });

    test('the keyboard alone searches, chooses, and opens a device', async (t) => {
        const { scene, ids } = await fleet();
        const view = await list(t, scene);
        const { page } = view;
        const tabTo = async (locator) => {
            for (let i = 0; i < 60 && !(await locator.evaluate((element) => element === document.activeElement)); i += 1)
                await page.keyboard.press('Tab');
        };
        await tabTo(page.getByRole('combobox', { name: 'Filter' }));
        await page.keyboard.type('tag=south');
        await page.keyboard.press('Enter');
        await awaitRows(view, 2);
        await page.keyboard.press('Escape');
        await tabTo(page.getByRole('checkbox', { name: `Choose ${ids[3]}` }));
        await page.keyboard.press('Space');
        await page.getByRole('button', { name: /^Change 1 chosen/ }).waitFor();
        await tabTo(page.getByRole('link', { name: ids[3] }));
        await page.keyboard.press('Enter');
        await page.locator('.device-id').waitFor();
    });

    for (const [name, options] of [['en-light', {}], ['zh-dark', { language: 'zh-CN', theme: 'dark' }], ['phone', { viewport: phone }], ['phone-zh', { viewport: phone, language: 'zh-CN' }]])
        test(`long ids and notes fit, and axe-core finds nothing: ${name}`, async (t) => {
            const scene = await Scene.build(server, { product: `long-${name}`, firmware: 'A-firmware-with-a-long-name-'.repeat(3) });
            const uid = 'U'.repeat(64), module = scene.module();
            await module.upgrade();
            await module.ask();
            await importList(scene.product, [`uid:${uid},"${Array.from({ length: 16 }, (_, i) => `tag-number-${i}-of-a-long-list`).join(' ')}",${longNote},${scene.firmware}`,
                `${module.id},north,${longNote},`]);
            await server.admin('POST', `/products/${scene.product}/devices/uid:${uid}/link`, { version: '1001' }, { expect: 201 });
            const view = await list(t, scene, '', options);
            await view.checkAccess();
            await view.checkWidth();
            await view.screenshot(`devices-long-${name}`);
            await view.page.locator('.menu summary').click();
            await view.checkWidth();
            await view.screenshot(`devices-columns-${name}`);
            await view.page.keyboard.press('Escape');
            assert.equal(await view.page.locator('.menu-body').isVisible(), false);
            for (const id of [`uid:${uid}`, `imei:${module.id}`]) {
                await view.open(`/console/devices?product=${scene.product}&device=${id}`);
                await view.page.locator('.timeline li').first().waitFor();
                await view.page.locator('details.panel').first().locator('summary').click();
                await view.page.locator('.rules').waitFor();
                await view.checkAccess();
                await view.checkWidth();
                await view.screenshot(`device-${id.slice(0, 3)}-${name}`);
                await view.page.locator('.timeline').scrollIntoViewIfNeeded();
                await view.screenshot(`device-${id.slice(0, 3)}-${name}-timeline`);
            }
        });

    test('an empty product says how a device gets there', async (t) => {
        const scene = await Scene.build(server);
        const view = await list(t, scene);
        await view.page.getByRole('heading', { name: 'No devices yet' }).waitFor();
        await view.checkAccess();
        await view.screenshot('devices-empty');
        assert.equal(await view.page.getByRole('link', { name: 'Refused requests' }).count(), 1);
    });

    test('a device that is not known says so', async (t) => {
        const scene = await Scene.build(server);
        const view = await openConsole(t, server, { path: `/console/devices?product=${scene.product}&device=imei:${nextImei()}`, allow: [refused] });
        await view.logIn();
        await view.page.getByText('This device is not known').waitFor();
    });

    test('100,000 devices are paged, sorted and searched, and the page reacts while it reads all of them', async (t) => {
        const scene = await Scene.build(server, { product: 'large' });
        await server.stop();
        sql(server, `INSERT INTO device (product_id, id_kind, device, firmware_id, confirmed_version, confirmed_ms, confirmed_by, confirmed_grade, check_ins, first_seen_ms, last_seen_ms, tags)
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            SELECT p.id, 'uid', 'unit-' || printf('%06d', i), f.id, '1001', 1790000000000, 'check-in', 'unauthenticated', 3, 1790000000000, 1790000000000 + i, iif(i % 1000 = 0, 'rare', '')
            FROM n, product p JOIN firmware f ON f.product_id = p.id WHERE p.product_key = 'large'`);
        await server.start();
        const view = await list(t, scene);
        const { page } = view;
        await awaitRows(view, 100);
        await page.getByRole('link', { name: 'Next page' }).click();
        await page.getByRole('link', { name: 'unit-000200' }).waitFor();
        await awaitRows(view, 100);
        const first = rows(view).first();
        const seen = page.getByRole('columnheader', { name: 'Last seen' });
        await seen.getByRole('button').click();
        await first.getByText('unit-000001').waitFor();
        assert.equal(await seen.getAttribute('aria-sort'), 'ascending');
        await seen.getByRole('button').click();
        await first.getByText('unit-100000').waitFor();
        assert.equal(new URL(page.url()).searchParams.get('sort'), '-last_seen');
        await page.getByText('100 devices on this page, those that were seen last first').waitFor();
        await view.checkAccess();
        await view.screenshot('devices-sorted');
        await page.getByRole('link', { name: 'Next page' }).click();
        await first.getByText('unit-099900').waitFor();
        await page.getByRole('link', { name: 'First page' }).click();
        await first.getByText('unit-100000').waitFor();
        await page.getByRole('combobox', { name: 'Filter' }).fill('tag=rare');
        await page.keyboard.press('Enter');
        const second = rows(view).nth(1);
        await second.getByText('unit-099000').waitFor(); // the first one is the same as before
        await awaitRows(view, 100);
        await page.getByRole('combobox', { name: 'Filter' }).fill('device=unit-099999');
        await page.keyboard.press('Enter');
        await awaitRows(view, 1);
        await page.goBack();
        await second.getByText('unit-099000').waitFor();
        await page.getByRole('combobox', { name: 'Filter' }).fill('');
        await page.keyboard.press('Enter');
        await awaitRows(view, 100);
        await first.getByText('unit-100000').waitFor();
        await seen.getByRole('button').click(); // unsorted again
        await first.getByText('unit-000001').waitFor();
        await view.screenshot('devices-100000');

        // The page does what it is told while it reads all devices.
        let goOn;
        const held = new Promise((done) => { goOn = done; });
        let reads = 0;
        await page.route('**/large/devices?limit=1000*', async (route) => {
            reads += 1;
            if (reads === 3)
                await held;
            await route.continue();
        });
        await page.getByRole('button', { name: 'Count all' }).click();
        await page.getByText('2,000 devices read').waitFor();
        await page.getByRole('checkbox', { name: 'Choose unit-000100' }).check();
        await page.getByRole('button', { name: /^Change 1 chosen/ }).waitFor();
        await page.getByRole('checkbox', { name: 'Choose unit-000100' }).uncheck();
        await page.getByText('2,000 devices read').waitFor();
        goOn();
        await page.getByText('100,000 devices in this list').waitFor({ timeout: 120_000 });
        assert.equal(reads, 100);
        await page.getByRole('button', { name: 'Change all of this list…' }).click();
        await page.getByText(/^At least 20,000 devices/).waitFor({ timeout: 60_000 });
    });

    test('reasons and rules are in the language of the reader', async (t) => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        const view = await show(t, scene, module.id, { language: 'zh-CN' });
        const { page } = view;
        await page.locator('.fact').getByText(/^发送升级包 1001→1002，共 \d+ 字节/).waitFor();
        await page.locator('td').getByText(/^发送升级包 1001→1002/).waitFor();
        await page.locator('.timeline .reason').getByText(/^发送升级包 1001→1002/).waitFor();
        await page.getByText('现在会得到什么应答？').click();
        await page.locator('.rules .answered').waitFor();
        for (const text of await page.locator('.rules li > :first-child').allTextContents())
            assert.match(text, /[\u4e00-\u9fff]/);
        await view.screenshot('device-reasons-zh');
        await view.open(`/console/devices?product=${scene.product}&view=outcomes`);
        await page.locator('td').getByText(/^发送升级包 1001→1002/).waitFor();
    });
});
