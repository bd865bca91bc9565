// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The frame of the console in a browser: log in and out, languages, themes, keyboard, phone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { startServer } from './lib/server.mjs';

const messages = (language) => JSON.parse(readFileSync(fileURLToPath(new URL(`../../www/src/messages/${language}.json`, import.meta.url)), 'utf8'));

describe('the messages', () => {
    const en = messages('en'), zh = messages('zh');
    const placeholders = (text) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();
    test('both languages have every text, with the same values in it', () => {
        assert.deepEqual(Object.keys(zh), Object.keys(en));
        assert.deepEqual(Object.keys(en), Object.keys(en).sort());
        for (const key of Object.keys(en)) {
            assert.deepEqual(placeholders(zh[key]), placeholders(en[key]), key);
            assert.ok(en[key].trim() && zh[key].trim(), key);
        }
    });
    test('every text in Chinese is Chinese', () => {
        for (const [key, text] of Object.entries(zh))
            assert.match(text, /[\u4e00-\u9fff]/, key);
    });
});

describe('in a browser', { skip: noBrowser }, () => {
    const pages = [['Overview', '概览'], ['Firmware', '固件'], ['Devices', '设备'], ['Campaigns', '升级任务'], ['Ledger', '账本'], ['Settings', '设置']];
    const refused = /status of 401/;
    let server;
    before(async () => { server = await startServer(null, { keep: true }); });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });

    test('a token logs in, the address stays, and logging out ends the session', async (t) => {
        const view = await openConsole(t, server, { path: '/console/devices?filter=tag%3Dnorth' });
        const { page } = view;
        await view.logIn();
        assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Devices');
        assert.equal(new URL(page.url()).search, '?filter=tag%3Dnorth');
        assert.equal(await page.evaluate(() => document.cookie), '');
        await page.reload();
        await page.getByRole('navigation').waitFor();
        await page.getByRole('button', { name: 'Log out' }).click();
        await view.tokenField.waitFor();
        assert.deepEqual(await view.context.cookies(), []);
        await page.goBack().catch(() => {});
        await view.open('/console/');
        await view.tokenField.waitFor();
    });

    test('a wrong token is refused with a reason', async (t) => {
        const view = await openConsole(t, server, { allow: [refused] });
        await view.tokenField.fill('wrong');
        await view.page.getByRole('button', { name: 'Log in' }).click();
        await view.page.getByText('The server does not know this token.').waitFor();
        assert.equal(await view.tokenField.getAttribute('aria-invalid'), 'true');
        await view.checkAccess();
        await view.screenshot('login-wrong');
        await view.logIn();
    });

    test('a page can neither reach another host nor run inline code, and the test notices a try', async (t) => {
        const view = await openConsole(t, server);
        const reached = await view.page.evaluate(() => fetch('http://127.0.0.1:9/').then(() => true, () => false));
        const ran = await view.page.evaluate(() => {
            const script = document.createElement('script');
            script.textContent = 'globalThis.hasRun = true';
            document.head.append(script);
            return globalThis.hasRun === true;
        });
        assert.deepEqual([reached, ran], [false, false]);
        await poll('both are noticed', () => view.errors.filter((text) => /Content Security Policy/.test(text)).length >= 2);
        assert.throws(() => view.assertClean(), /errors in the browser/);
        view.errors.length = 0;
        view.hosts.clear();
    });

    test('a one-time login works once, and its code leaves the address', async (t) => {
        const { json } = await server.admin('POST', '/session/once', null, { expect: 201 });
        const view = await openConsole(t, server, { path: json.url });
        await view.page.getByRole('navigation').waitFor();
        assert.equal(new URL(view.page.url()).hash, '');
        const again = await openConsole(t, server, { path: json.url, allow: [refused] });
        await again.page.getByText('This one-time login was used already').waitFor();
    });

    test('a session that ends leads to the login, and back to the same page', async (t) => {
        const own = await startServer(t);
        const view = await openConsole(t, own, { path: '/console/', allow: [refused] });
        await view.logIn();
        await own.stop();
        execFileSync('sqlite3', [join(own.dataDir, 'dfota.db'), 'UPDATE session SET token_sha256 = zeroblob(32)']);
        own.config = { ...own.config, admin_listen: `127.0.0.1:${own.adminAddress.port}` };
        await own.start();
        await view.page.getByText('Your session has ended').waitFor();
        await view.logIn();
        assert.equal(await view.page.getByRole('heading', { level: 1 }).textContent(), 'Overview');
    });

    test('a lost connection is shown, and heals', async (t) => {
        const own = await startServer(t);
        const view = await openConsole(t, own);
        await view.logIn();
        await view.page.getByText('Fleet').waitFor();
        const port = own.adminAddress.port;
        await own.stop();
        const notice = view.page.getByText('No connection to the server.');
        await notice.waitFor();
        await view.screenshot('offline');
        own.config = { ...own.config, admin_listen: `127.0.0.1:${port}` };
        await own.start();
        await notice.waitFor({ state: 'detached' });
    });

    test('the keyboard alone logs in, reaches every page, and finds everything', async (t) => {
        const view = await openConsole(t, server);
        const { page } = view;
        await page.waitForFunction(() => document.activeElement.name === 'token');
        await page.keyboard.type(server.token);
        await page.keyboard.press('Enter');
        await page.getByRole('navigation').waitFor();
        await page.keyboard.press('Tab');
        assert.equal(await view.focused(), 'a Skip to the content');
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
        for (const [name] of pages.slice(1)) {
            const link = page.getByRole('link', { name, exact: true });
            for (let i = 0; i < 40 && !(await link.evaluate((element) => element === document.activeElement)); i++)
                await page.keyboard.press('Shift+Tab');
            await page.keyboard.press('Enter');
            await page.waitForFunction((title) => document.activeElement.tagName === 'H1' && document.activeElement.textContent === title, name);
            assert.equal(await link.getAttribute('aria-current'), 'page');
            assert.equal(await page.title(), `${name} · dfota`);
        }
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox', { name: 'Search' }).waitFor();
        await page.keyboard.type('led');
        await view.checkAccess();
        await page.keyboard.press('Enter');
        await page.waitForURL('**/console/ledger');
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox', { name: 'Search' }).waitFor();
        await page.keyboard.press('Escape');
        await page.getByRole('combobox', { name: 'Search' }).waitFor({ state: 'detached' });
    });

    test('the palette finds firmwares and devices', async (t) => {
        await server.createProduct('palette');
        await server.putImage('palette', 'pump', '1', noiseImage({ seed: 9911, size: 20_000 }));
        await server.admin('POST', '/products/palette/devices', 'device,firmware\n866597071234569,pump\n', { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        const view = await openConsole(t, server);
        await view.logIn();
        await view.page.keyboard.press('Control+k');
        await view.page.getByRole('combobox', { name: 'Search' }).fill('pum');
        await view.page.getByRole('listbox').getByRole('option', { name: 'pump' }).waitFor();
        await view.page.getByRole('combobox', { name: 'Search' }).fill('866597071234569');
        await view.page.getByRole('listbox').getByRole('option', { name: '866597071234569' }).waitFor();
        await view.screenshot('palette');
        await view.page.keyboard.press('Enter');
        await view.page.waitForURL(/\/console\/devices\?product=palette&device=imei/);
    });

    test('the language follows the browser, and can be switched', async (t) => {
        const view = await openConsole(t, server, { language: 'zh-CN' });
        await view.page.getByRole('button', { name: '登录' }).waitFor();
        assert.equal(await view.page.evaluate(() => document.documentElement.lang), 'zh-CN');
        await view.logIn();
        await view.page.getByRole('heading', { name: '概览' }).waitFor();
        await view.page.getByRole('button', { name: 'English' }).click();
        await view.page.getByRole('heading', { name: 'Overview' }).waitFor();
        await view.page.reload();
        await view.page.getByRole('heading', { name: 'Overview' }).waitFor();
    });

    test('the theme follows the system, and can be switched', async (t) => {
        const view = await openConsole(t, server, { theme: 'dark' });
        const ground = () => view.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        const dark = await ground();
        const button = view.page.getByRole('button', { name: /^Theme/ });
        await button.click(); // light
        assert.notEqual(await ground(), dark);
        await view.page.reload();
        await view.tokenField.waitFor();
        assert.notEqual(await ground(), dark);
        await button.click(); // dark
        assert.equal(await ground(), dark);
    });

    for (const [language, index] of [['en', 0], ['zh', 1]])
        for (const theme of ['light', 'dark'])
            test(`every page in ${language}, ${theme}: axe-core finds nothing, and nothing is cut`, async (t) => {
                const view = await openConsole(t, server, { language: language === 'zh' ? 'zh-CN' : 'en-US', theme });
                const name = (page) => `${page}-${language}-${theme}`;
                await view.checkAccess();
                await view.screenshot(name('login'));
                await view.logIn();
                for (const [i, titles] of pages.entries()) {
                    await view.page.getByRole('link', { name: titles[index], exact: true }).click();
                    await view.page.locator('main :is(.empty, .stats, .table-frame, .ledger-list, .card)').first().waitFor();
                    await view.checkAccess();
                    await view.checkWidth();
                    await view.screenshot(name(pages[i][0].toLowerCase()));
                }
            });

    test('on a phone the menu opens and closes, and nothing is wider than the screen', async (t) => {
        const empty = await startServer(t);
        const view = await openConsole(t, empty, { viewport: phone });
        await view.checkWidth();
        await view.checkAccess();
        await view.screenshot('phone-login');
        await view.logIn();
        await view.page.getByRole('heading', { name: 'No images yet' }).waitFor();
        await view.checkWidth();
        await view.checkAccess();
        await view.screenshot('phone-overview');
        assert.equal(await view.page.getByRole('link', { name: 'Devices' }).isVisible(), false);
        await view.page.getByRole('button', { name: 'Menu' }).click();
        await view.checkAccess();
        await view.screenshot('phone-menu');
        await view.page.getByRole('link', { name: 'Devices' }).click();
        await view.page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
        await view.page.getByRole('heading', { name: 'No product yet' }).waitFor();
        assert.equal(await view.page.getByRole('link', { name: 'Devices' }).isVisible(), false);
        await view.checkWidth();
    });

    test('an unknown page says so', async (t) => {
        const view = await openConsole(t, server, { path: '/console/nothing' });
        await view.logIn();
        await view.page.getByText('This page does not exist.').waitFor();
        await view.checkAccess();
    });

    test('the about box leads to the licences', async (t) => {
        const view = await openConsole(t, server);
        await view.logIn();
        await view.page.getByRole('button', { name: 'About dfota' }).click();
        await view.checkAccess();
        const link = view.page.getByRole('link', { name: /Licences/ });
        assert.equal(await link.getAttribute('href'), '/console/licences.txt');
    });
});
