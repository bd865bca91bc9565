// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The overview in a browser: it follows the server, says what to do next, and leads a newcomer to the first link.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { fleet, reasonIn, refuses, started } from './lib/console-steps.mjs';
import { poll } from './lib/module.mjs';
import { create, Receiver, upgradeTo } from './lib/receiver.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

describe('the overview in a browser', { skip: noBrowser }, () => {
    after(() => closeBrowser());

    test('five steps lead from nothing to the first link, and each is ticked', async (t) => {
        const server = await startServer(t);
        const view = await openConsole(t, server);
        const { page } = view;
        await view.logIn();
        await page.getByRole('heading', { name: 'No images yet' }).waitFor();
        await view.checkAccess();
        await view.screenshot('overview-first');
        await page.getByLabel('Name of the product').fill('Village pumps');
        await page.getByLabel('Product key').fill('pumps');
        await page.getByRole('button', { name: 'Add the product' }).click();
        await page.getByRole('link', { name: 'Upload images' }).waitFor();
        assert.equal(await page.locator('.steps li.done').count(), 1);
        await server.putImage('pumps', 'pump', '1', noiseImage({ seed: 4001, size: 20_000 }));
        await server.putImage('pumps', 'pump', '2', noiseImage({ seed: 4002, size: 20_000 }));
        const target = page.getByRole('link', { name: 'Choose the version' });
        await target.waitFor(); // without a reload
        assert.match(await target.getAttribute('href'), /firmware\?product=pumps&firmware=pump/);
        await view.checkAccess();
        await view.screenshot('overview-first-images');
        await server.setTarget('pumps', 'pump', '2');
        await page.getByRole('link', { name: 'Make a link' }).waitFor();
        await server.admin('POST', '/products/pumps/devices/imei:866597071234569/link', { firmware: 'pump', version: '1' }, { expect: 201 });
        await page.getByText('Nothing waits for you.').waitFor();
        assert.equal(await page.locator('.steps').count(), 0);
    });

    test('a device that asks, a campaign and its approval: the page follows', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { product: 'pumps', versions: ['1', '2', '3'], target: null });
        const modules = Array.from({ length: 4 }, () => scene.module());
        for (const module of modules)
            await module.ask();
        await scene.module({ version: '9' }).ask();
        const view = await openConsole(t, server);
        const { page } = view;
        await view.logIn();
        await page.getByText('1 device runs V9, and there is no image of it.').waitFor();
        assert.match(await page.getByRole('link', { name: 'Upload the image' }).getAttribute('href'), /firmware\?product=pumps&firmware=pump&upload=9/);
        const { json: { campaign } } = await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '2', stages: [{ devices: 1, approvals: 1 }, { all: true }] }, { expect: 201 });
        await server.admin('POST', scene.path(`/campaigns/${campaign}/start`), null, { expect: 200 });
        await modules[0].applyAndReboot((await modules[0].askUntilMade()).body);
        await modules[0].ask();
        const approve = page.locator('.next-thing > button');
        await approve.waitFor();
        await view.checkAccess();
        await view.checkWidth();
        await view.screenshot('overview-next');
        await approve.click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Your name').fill('Ann');
        await view.checkAccess();
        await view.screenshot('overview-approve');
        await dialog.getByRole('button', { name: 'Approve' }).click();
        await approve.waitFor({ state: 'detached' });
        assert.equal((await server.admin('GET', scene.path(`/campaigns/${campaign}`))).json.stage, 2);
        await modules[1].applyAndReboot((await modules[1].askUntilMade()).body);
        await modules[1].ask();
        await poll('the table follows', async () => (await page.locator('details td').allTextContents()).includes('2'));
        await page.getByText('Show as a table').click();
        await view.checkAccess();
        await view.screenshot('overview-table');
    });

    test('a campaign that a gate has paused: the next thing to do leads to the campaign', async (t) => {
        const server = await startServer(t);
        const { scene, modules, ids } = await fleet(server, 2);
        await started(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        const views = [];
        for (const language of ['en-US', 'zh-CN']) {
            views.push(await openConsole(t, server, { language }));
            await views.at(-1).logIn();
        }
        await refuses(scene, modules[0]);
        const [{ page }, { page: chinese }] = views;
        await page.getByText('Campaign spring to V2 is paused: stage 1: devices that did not apply a package: 1, allowed are 0').waitFor();
        const why = await reasonIn(server, 'zh', 'gate-failed', '1', '1', '0');
        await chinese.getByText(`升级任务 spring（V2）已暂停：${why}`).waitFor();
        await views[0].checkAccess();
        await views[0].screenshot('overview-gate');
        await page.locator('.next-thing').filter({ hasText: 'spring' }).getByRole('link', { name: 'Decide' }).click();
        await page.getByRole('region', { name: 'paused' }).getByText('stage 1: devices that did not apply a package: 1').waitFor();
        await page.getByRole('button', { name: 'Resume' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
        await chinese.locator('.next-thing').filter({ hasText: 'spring' }).waitFor({ state: 'detached' });
    });

    test('each next thing leads to its place', async (t) => {
        const server = await startServer(t, { config: { loop_guard_per_day: 2 } });
        const { scene, modules } = await fleet(server, 1, { target: '2' });
        await scene.module({ version: '9' }).ask();
        const noisy = await Scene.build(server, { versions: ['1', '2'], kind: 'noise', size: 100_000 });
        await noisy.module().askUntilMade();
        await noisy.set({ max_package_bytes: 50_000 });
        const bare = await Scene.build(server, { firmware: 'AirM2M_780E_LTE_AT', versions: ['1', '2'], target: null });
        await bare.module().ask();
        for (let i = 0; i < 4; i++)
            await modules[0].askUntilMade();
        await server.admin('PUT', scene.path('/packages/1/2/quarantine'), { reason: 'it hangs' }, { expect: [200, 204] });
        await server.admin('PATCH', `/products/${bare.product}`, { unknown_devices: 'held' }, { expect: 200 });
        await bare.module().ask();
        const receiver = await Receiver.start(t);
        receiver.answer = () => 500;
        const hook = await create(server, receiver, { name: 'chat', kinds: ['confirmed'] });
        const done = await Scene.build(server, { versions: ['1', '2'] });
        await upgradeTo(done, done.module(), '2');
        const view = await openConsole(t, server);
        const { page } = view;
        await view.logIn();
        const things = page.locator('.next-thing');
        const follow = async (text, address, target) => {
            await view.open('/console/');
            await things.filter({ hasText: text }).getByRole('link').click();
            await page.waitForURL((url) => decodeURIComponent(url.search.replaceAll('+', ' ')).startsWith(`?${address}`));
            await target.waitFor();
        };
        const where = (of) => `product=${of.product}&firmware=${of.firmware}`;
        const heading = (name) => page.getByRole('heading', { name, exact: true });
        const deviceLink = (module) => page.getByRole('link', { name: module.id });
        await follow('runs V9', `${where(scene)}&upload=9`, heading('pump'));
        await follow('no package format is set', `${where(bare)}&tab=settings`, page.getByLabel(/format/i).first());
        await follow('no path of smaller packages', `${where(noisy)}&tab=path&from=1&to=2`, page.locator('main [aria-current=page]').filter({ hasText: 'Path' }));
        await follow('downloaded again and again', `product=${scene.product}&filter=blocked=yes and firmware="pump"`, deviceLink(modules[0]));
        await follow('until an admin admits', `product=${bare.product}&state=held`, page.locator('tbody tr').first());
        await follow('Webhook chat cannot deliver', `section=webhooks&webhook=${hook.webhook}`, page.getByRole('heading', { name: /^chat/ }));
        await poll('the webhook has the focus', async () => (await view.focused()).startsWith('h2 chat'));
        const quiet = await Scene.build(server, { versions: ['1', '2'] });
        const got = [quiet.module(), quiet.module()]; // the most of a firmware
        for (const module of got) {
            await module.download();
            await quiet.awaitAttempt(module, 'delivered');
        }
        await view.open('/console/');
        await page.locator('.fleet > div').filter({ hasText: 'Delivered, not confirmed' }).getByRole('link').click();
        await deviceLink(got[0]).click();
        await page.waitForURL(/device=imei/);
        await view.open('/console/');
        await page.getByRole('link', { name: 'Show the matrix' }).click();
        await page.locator('main [aria-current=page]').filter({ hasText: 'Matrix' }).waitFor();
        await view.open('/console/');
        await things.filter({ hasText: 'it hangs' }).getByRole('button', { name: 'Lift the quarantine' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Lift the quarantine' }).click();
        await things.filter({ hasText: 'it hangs' }).waitFor({ state: 'detached' });
    });

    for (const [language, title, name] of [['en-US', 'Devices by confirmed version', 'en'], ['zh-CN', '按已确认版本统计的设备', 'zh']])
        for (const theme of ['light', 'dark'])
            test(`a chart with a past, ${name}, ${theme}, also on a phone`, async (t) => {
                const server = await startServer(t);
                const scene = await Scene.build(server, { product: 'pumps', versions: ['1138', '1147', '1162'], target: '1162' });
                const share = [40, 60, 200];
                const lines = share.flatMap((count, n) => Array.from({ length: count }, (_, i) => `8665970${n}${String(i).padStart(7, '0')},${[1138, 1147, 1162][n]}`));
                await server.admin('POST', scene.path('/reports'), `${lines.join('\n')}\n`, { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
                await server.stop();
                const past = Array.from({ length: 60 }, (_, i) => 60 - i).map((ago) =>
                    ['1138', '1147', '1162'].map((version, n) => `(1, ${Math.floor(Date.now() / 86_400_000) - ago}, '${version}', ${[40 + 3 * ago, 60 + ago % 7, 200 - 3 * ago][n]})`)).flat();
                execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), `INSERT OR REPLACE INTO fleet_day VALUES ${past.join(', ')}`]);
                await server.start();
                for (const [viewport, size] of [[undefined, ''], [phone, '-phone']]) {
                    const view = await openConsole(t, server, { language, theme, ...(viewport ? { viewport } : {}) });
                    await view.logIn();
                    await view.page.getByRole('heading', { name: title }).waitFor();
                    await view.page.locator('.chart canvas').waitFor();
                    await view.checkAccess();
                    await view.checkWidth();
                    await view.page.locator('.chart-card').scrollIntoViewIfNeeded();
                    await view.screenshot(`overview-chart-${name}-${theme}${size}`);
                    const fetched = view.page.waitForResponse(/versions\?days=30/);
                    await view.page.getByLabel(/Span|时间范围/).selectOption('30');
                    await (await fetched).finished();
                    assert.match(view.page.url(), /days=30/);
                }
            });

    test('data that cannot be fetched again stays, with the reason, until it can', async (t) => {
        const server = await startServer(t);
        await server.createProduct('first');
        const view = await openConsole(t, server, { allow: [/status of 500/] });
        const { page } = view;
        await view.logIn();
        const heading = page.getByRole('heading', { name: 'Fleet' });
        await heading.waitFor();
        const problem = { status: 500, contentType: 'application/problem+json', body: '{"status":500,"code":"internal","detail":"the disk is gone"}' };
        await page.route('**/api/v1/overview', (route) => route.fulfill(problem));
        await server.createProduct('second');
        await page.getByRole('alert').getByText('the disk is gone').waitFor();
        assert.ok(await heading.isVisible());
        await page.unroute('**/api/v1/overview');
        await server.createProduct('third');
        await page.getByRole('alert').waitFor({ state: 'detached' });
    });

    test('a lost stream heals, and what happened meanwhile is shown', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { product: 'pumps', versions: ['1', '2'] });
        await scene.module().ask();
        const view = await openConsole(t, server);
        await view.logIn();
        await view.page.getByText('Nothing waits for you.').waitFor();
        const { port } = server.adminAddress;
        await server.kill();
        const notice = view.page.getByText('No connection to the server.');
        await notice.waitFor();
        server.config = { ...server.config, admin_listen: `127.0.0.1:${port}` };
        await server.start();
        await notice.waitFor({ state: 'detached' });
        await scene.module({ version: '7' }).ask();
        await view.page.getByText('1 device runs V7').waitFor();
    });

    test('without a place for a stream the page asks now and then', async (t) => {
        const server = await startServer(t);
        const view = await openConsole(t, server, { allow: [/status of 503/] });
        await view.page.route('**/api/v1/events', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"unavailable"}' }));
        await view.logIn();
        await view.page.getByRole('heading', { name: 'No images yet' }).waitFor();
        await server.createProduct('pumps');
        await view.page.getByText('(done)').waitFor({ timeout: 25_000 });
    });
});
