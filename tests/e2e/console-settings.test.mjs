// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The settings in a browser: the inbox, webhooks, products, limits.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { fleet } from './lib/console-steps.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { create, Receiver, show, upgradeTo } from './lib/receiver.mjs';
import { startServer } from './lib/server.mjs';

describe('the settings in a browser', { skip: noBrowser }, () => {
    let server;
    before(async () => { server = await startServer(null, { keep: true }); });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });
    const open = async (t, section, options = {}) => {
        const view = await openConsole(t, options.server ?? server, { path: `/console/settings?section=${section}`, ...options });
        await view.logIn();
        return view;
    };

    test('the inbox: a missing image is uploaded where it is missed', async (t) => {
        const { scene } = await fleet(server, 0, { versions: ['1138', '1162'], later: ['1147'], target: '1162' });
        const lost = [scene.module({ version: '1147' }), scene.module({ version: '1147' })];
        for (const module of lost)
            assert.equal((await module.ask()).code, 44);
        const view = await open(t, 'inbox');
        const { page } = view;
        await page.getByRole('heading', { name: '2 devices run V1147 of pump, which you have not uploaded' }).waitFor();
        await view.checkAccess();
        await view.screenshot('settings-inbox');
        const transfer = await page.evaluateHandle((bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], 'pump.bin'));
            return data;
        }, [...scene.images.get('1147')]);
        await page.locator('.drop-zone').first().dispatchEvent('drop', { dataTransfer: transfer });
        await page.getByText('Image 1147 is uploaded.').waitFor();
        await page.getByRole('heading', { name: /V1147/ }).waitFor({ state: 'detached' });
        const { json } = await server.admin('GET', scene.path('/images/1147'));
        assert.equal(json.size, scene.images.get('1147').length);
        assert.deepEqual((await server.admin('GET', `/unknown?product=${scene.product}`)).json.items, []);
    });

    test('the inbox: a file that is no image is refused with the reason', async (t) => {
        const { scene } = await fleet(server, 0, { versions: ['1138', '1162'], target: '1162' });
        await scene.module({ version: '1126' }).ask();
        const view = await open(t, 'inbox', { allow: [/status of 422/] });
        await view.page.locator('.drop-zone input').setInputFiles({ name: 'x.html', mimeType: 'text/html', buffer: Buffer.from('<!doctype html><html><body>no</body></html>') });
        await view.page.locator('.drop-zone').getByRole('alert').waitFor();
        await view.page.getByRole('button', { name: 'Forget', exact: true }).first().click();
        await poll('the row is gone', async () => (await server.admin('GET', `/unknown?product=${scene.product}`)).json.items.length === 0);
    });

    test('the inbox: an unknown key becomes a product, an unknown name says what to do', async (t) => {
        const own = await startServer(t);
        const { scene } = await fleet(own, 0);
        const module = scene.module();
        await Object.assign(module, { product: 'meters' }).ask();
        await Object.assign(scene.module(), { firmware: 'pomp' }).ask();
        const view = await open(t, 'inbox', { server: own });
        const { page } = view;
        await page.getByRole('heading', { name: `1 device asks for firmware pomp, which product ${scene.product} does not have` }).waitFor();
        await page.getByRole('heading', { name: '1 device sends the project_key meters, which no product has' }).waitFor();
        await page.getByRole('button', { name: 'Add this product' }).click();
        await page.getByRole('dialog').getByLabel('Name').fill('Water meters');
        await page.getByRole('dialog').getByRole('button', { name: 'Add this product' }).click();
        await page.getByRole('heading', { name: /meters/ }).waitFor({ state: 'detached' });
        assert.equal((await own.admin('GET', '/products/meters')).json.name, 'Water meters');
        await page.getByRole('button', { name: 'Forget all' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Forget all' }).click();
        await page.getByRole('heading', { name: 'Nothing to do' }).waitFor();
        await view.checkAccess();
    });

    test('the inbox: what is refused comes without a reload, and a link shows that of one product', async (t) => {
        const own = await startServer(t);
        const { scene } = await fleet(own, 0);
        const view = await open(t, `inbox&product=${scene.product}`, { server: own });
        const { page } = view;
        await page.getByText('Nothing to do').waitFor();
        await Object.assign(scene.module(), { firmware: 'pomp' }).ask();
        await page.getByRole('heading', { name: /pomp/ }).waitFor();
        await Object.assign(scene.module(), { product: 'meters' }).ask();
        await page.getByRole('link', { name: 'Show all products' }).click();
        await page.getByRole('heading', { name: /meters/ }).waitFor();
        await page.getByRole('heading', { name: /pomp/ }).waitFor();
    });

    test('a webhook is added, tested, changed, switched off and deleted', async (t) => {
        const receiver = await Receiver.start(t);
        const view = await open(t, 'webhooks', { allow: [/status of 412/] });
        const { page } = view;
        const dialog = page.getByRole('dialog');
        await page.getByRole('button', { name: 'Add webhook' }).click();
        await dialog.getByLabel('Name', { exact: true }).fill('our platform');
        await dialog.getByLabel('URL').fill(receiver.url);
        await dialog.getByLabel('stage done').check();
        await dialog.getByLabel('Secret').fill('a secret of some length');
        await view.checkAccess();
        await view.screenshot('settings-webhook-dialog');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('heading', { name: /our platform/ }).waitFor();
        await page.getByRole('button', { name: 'Test', exact: true }).click();
        await page.getByText(/^The receiver took the test in \d+ ms\.$/).waitFor();
        const [event] = await receiver.took(1);
        assert.equal(event.kind, 'test');
        assert.ok(event.headers['x-dfota-signature']);
        receiver.answer = () => ({ status: 503, body: 'busy' });
        await page.getByRole('button', { name: 'Test', exact: true }).click();
        await page.getByText('The test was not delivered: the receiver answered 503: busy').waitFor();
        await view.checkAccess();
        await view.screenshot('settings-webhooks');
        await page.getByRole('button', { name: 'Change' }).click();
        assert.equal(await dialog.getByLabel('stage done').isChecked(), true);
        const [{ webhook: number }] = (await server.admin('GET', '/webhooks')).json.items;
        await server.admin('PATCH', `/webhooks/${number}`, { name: 'our new platform' }, { expect: 200 });
        await dialog.getByLabel('Name', { exact: true }).fill('theirs');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.getByText('Another admin has changed this meanwhile.').waitFor();
        await poll('the form has the new name', async () => await dialog.getByLabel('Name', { exact: true }).inputValue() === 'our new platform');
        await dialog.getByLabel('stage done').uncheck();
        await dialog.getByLabel('Template').fill('{"text":"dfota: {summary}"}');
        await dialog.getByLabel('Remove the secret').check();
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.waitFor({ state: 'hidden' });
        const { json: { items: [{ webhook, ...changed }] } } = await server.admin('GET', '/webhooks');
        assert.deepEqual([changed.kinds, changed.template, changed.signed], [[], '{"text":"dfota: {summary}"}', false]);
        await page.getByRole('button', { name: 'Disable' }).click();
        await page.getByText('not enabled').waitFor();
        assert.equal((await show(server, { webhook })).enabled, false);
        await page.getByRole('button', { name: 'Delete' }).click();
        await dialog.getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('heading', { name: 'No webhooks yet' }).waitFor();
        await view.checkAccess();
    });

    test('what a webhook could not deliver is shown, and can be forgotten', async (t) => {
        const own = await startServer(t);
        const { scene } = await fleet(own, 0, { target: '2' });
        const receiver = await Receiver.start(t);
        receiver.answer = () => 500;
        const webhook = await create(own, receiver, { kinds: ['confirmed'] });
        await upgradeTo(scene, scene.module(), '2');
        await receiver.got(1);
        const view = await open(t, 'webhooks', { server: own });
        await view.page.getByText('0 given up, 1 waiting').click();
        await view.page.getByRole('cell', { name: /the receiver answered 500/ }).waitFor();
        await view.checkAccess();
        await view.page.getByRole('button', { name: 'Forget', exact: true }).click();
        await poll('it is gone', async () => (await show(own, webhook)).waiting === 0);
    });

    test('what was given up is sent again', async (t) => {
        const own = await startServer(t);
        const { scene } = await fleet(own, 0, { target: '2' });
        const receiver = await Receiver.start(t);
        receiver.answer = () => 500;
        const webhook = await create(own, receiver, { kinds: ['confirmed'] });
        await upgradeTo(scene, scene.module(), '2');
        await receiver.got(1);
        await own.stop();
        execFileSync('sqlite3', [join(own.dataDir, 'dfota.db'), 'UPDATE outbox SET gave_up_ms = since_ms, next_try_ms = NULL; UPDATE webhook SET waiting = 0, failed = 1']);
        await own.start();
        assert.equal((await show(own, webhook)).failed, 1);
        const view = await open(t, 'webhooks', { server: own });
        await view.page.getByText('1 event that could not be delivered').waitFor();
        await view.checkAccess();
        await view.screenshot('settings-webhook-failed');
        receiver.answer = () => 204;
        await view.page.getByRole('button', { name: 'Send all again' }).click();
        const [event] = await receiver.took(1);
        assert.equal(event.kind, 'confirmed');
        await view.page.getByText('1 event that could not be delivered').waitFor({ state: 'detached' });
    });

    test('products: add, change, delete; one in use is not deleted', async (t) => {
        const { scene } = await fleet(server, 0);
        const view = await open(t, 'products', { allow: [/status of (409|412)/] });
        const { page } = view;
        const dialog = page.getByRole('dialog');
        await page.getByRole('button', { name: 'Add product' }).click();
        await dialog.getByLabel('Name', { exact: true }).fill('Village pumps');
        await dialog.getByLabel('Key').fill('village');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('button', { name: 'Change Village pumps' }).click();
        await dialog.getByLabel('Name', { exact: true }).fill('Village wells');
        await server.admin('PATCH', '/products/village', { name: 'Village fountains' }, { expect: 200 });
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.getByText('Another admin has changed this meanwhile.').waitFor();
        await poll('the form has the new name', async () => await dialog.getByLabel('Name', { exact: true }).inputValue() === 'Village fountains');
        await dialog.getByLabel('Unknown devices').selectOption('held');
        await dialog.getByLabel('Trust check-ins').check();
        await dialog.getByLabel('Name', { exact: true }).fill('Village pumps 2');
        await view.checkAccess();
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.waitFor({ state: 'hidden' });
        const { json } = await server.admin('GET', '/products/village');
        assert.deepEqual([json.name, json.unknown_devices, json.trusted_check_ins], ['Village pumps 2', 'held', true]);
        await page.getByRole('button', { name: 'Delete Village pumps 2' }).click();
        await dialog.getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('button', { name: 'Change Village pumps 2' }).waitFor({ state: 'detached' });
        await page.getByRole('button', { name: `Delete ${scene.product}`, exact: true }).click();
        await dialog.getByRole('button', { name: 'Delete' }).click();
        await dialog.getByRole('alert').waitFor();
    });

    test('limits and tokens are shown', async (t) => {
        const view = await open(t, 'limits');
        await view.page.getByRole('row', { name: /Packages that a device may begin in 24 hours 6 loop_guard_per_day/ }).waitFor();
        await view.screenshot('settings-limits');
        await view.page.getByRole('link', { name: 'Tokens' }).click();
        await view.page.getByText('dfotactl console').waitFor();
    });

    for (const [language, theme] of [['zh-CN', 'light'], ['en-US', 'dark']])
        test(`on a phone, ${language}, ${theme}: nothing is cut, axe-core finds nothing`, async (t) => {
            const own = await startServer(t);
            const receiver = await Receiver.start(t);
            const { scene } = await fleet(own, 0, { versions: ['1138', '1162'], target: '1162' });
            await scene.module({ version: '1126' }).ask();
            await create(own, receiver, { name: 'a webhook with a name that is very long '.repeat(2).trim(), url: `${receiver.url}?access_token=${'0123456789'.repeat(20)}` });
            await own.createProduct('x'.repeat(64), 'a product with a long name '.repeat(7).trim());
            await own.putImage(scene.product, 'f', '1', noiseImage({ seed: 77, size: 9000 }));
            const view = await open(t, 'inbox', { server: own, language, theme, viewport: phone });
            for (const section of ['inbox', 'webhooks', 'products', 'limits', 'tokens']) {
                await view.open(`/console/settings?section=${section}`);
                await view.page.locator('main .card, main table, main .empty').first().waitFor();
                await view.checkWidth();
                await view.checkAccess();
                await view.screenshot(`phone-settings-${section}-${language}-${theme}`);
            }
        });
});
