// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Tokens in a browser: the page of the tokens, a console for a token that only looks, and one for a token of one product.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openConsole } from './lib/browser.mjs';
import { fleet } from './lib/console-steps.mjs';
import { startServer } from './lib/server.mjs';

describe('tokens in a browser', { skip: noBrowser }, () => {
    let server, scene, module;
    before(async () => {
        server = await startServer(null, { keep: true });
        ({ scene } = await fleet(server, 0, { versions: ['1138', '1162'], target: '1162' }));
        ({ module } = await scene.linkedModule());
        await scene.makePackage();
        await scene.module({ version: '1126' }).ask();
        await server.admin('POST', '/webhooks', { name: 'robot', url: 'http://127.0.0.1:9/x', enabled: false }, { expect: 201 });
    });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });
    const make = async (body) => (await server.admin('POST', '/tokens', body, { expect: 201 })).json;
    const works = async (token) => (await server.admin('GET', '/products', null, { token })).status === 200;

    test('one is made, shown once, rotated and revoked', async (t) => {
        const view = await openConsole(t, server, { path: '/console/settings?section=tokens' });
        await view.logIn();
        const { page } = view;
        await page.getByRole('row', { name: /^admin admin: everything all products valid/ }).waitFor();
        const dialog = page.getByRole('dialog');
        const secret = async () => {
            const text = await dialog.getByRole('group', { name: 'Secret' }).innerText();
            assert.match(text, /^[0-9a-f]{64}$/);
            await view.checkAccess();
            await dialog.getByRole('button', { name: 'I have kept it' }).click();
            assert.ok(!(await page.content()).includes(text), 'the secret is shown once');
            return text;
        };
        await page.getByRole('button', { name: 'New token' }).click();
        await dialog.getByLabel('Name', { exact: true }).fill('build-robot');
        await dialog.getByLabel('Scope').selectOption('upload');
        await dialog.getByLabel('Product').selectOption(scene.product);
        await dialog.getByLabel('Expires after').selectOption('90');
        await view.screenshot('settings-token-new');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.getByRole('button', { name: 'Copy' }).waitFor();
        await view.screenshot('settings-token-secret');
        const first = await secret();
        assert.ok(await works(first));
        await page.getByRole('row', { name: new RegExp(`^build-robot upload: images and packages ${scene.product} valid until `) }).waitFor();
        await view.checkAccess();
        await view.screenshot('settings-tokens');
        await page.getByRole('button', { name: 'Rotate the token build-robot' }).click();
        await dialog.getByLabel('The old secret works').selectOption({ label: 'no longer' });
        await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
        const second = await secret();
        assert.deepEqual([await works(first), await works(second)], [false, true]);
        await page.getByRole('button', { name: 'Revoke the token build-robot' }).click();
        await dialog.getByRole('button', { name: 'Cancel' }).click();
        assert.ok(await works(second), 'a revocation is confirmed first');
        await page.getByRole('button', { name: 'Revoke the token build-robot' }).click();
        await dialog.getByRole('button', { name: 'Revoke', exact: true }).click();
        await page.getByRole('row', { name: /^build-robot .* revoked/ }).waitFor();
        assert.ok(!await works(second));
    });

    // Each page, with the things that are on it before a scope hides something.
    const pages = () => {
        const at = `product=${scene.product}&firmware=${scene.firmware}`;
        return [['/console/', /./], ['/console/firmware', /pump/], [`/console/firmware?${at}`, /1162/], [`/console/firmware?${at}&tab=matrix`, /1138/],
            [`/console/firmware?${at}&tab=settings`, /./], [`/console/firmware?${at}&tab=matrix&from=1138&to=1162`, /./], ['/console/devices', /./],
            [`/console/devices?product=${scene.product}&device=imei:${module.id}`, new RegExp(module.id)], ['/console/campaigns', /./], ['/console/ledger', /./],
            ...['inbox', 'webhooks', 'products', 'limits', 'tokens'].map((section) => [`/console/settings?section=${section}`, /./])];
    };
    // What changes something; a search and the choice of columns do not.
    const controls = ['form:not([role=search]) :is(input, select, textarea, button):not(:disabled)', 'input[type=file]', '.button.danger', '.drop', '.drop-zone']
        .map((one) => `main ${one}`).join(', ');
    async function walk(t, token, check) {
        const view = await openConsole(t, server);
        await view.logIn(token.secret);
        const changes = [];
        view.page.on('request', (request) => { if (!['GET', 'HEAD'].includes(request.method())) changes.push(`${request.method()} ${request.url()}`); });
        let seen = 0;
        for (const [path, text] of pages()) {
            await view.open(path);
            await view.page.locator('main').getByText(text).first().waitFor();
            await view.page.locator('main .loading').waitFor({ state: 'detached' });
            seen += await check(view, path);
        }
        assert.deepEqual(changes, []);
        return seen;
    }

    test('for a token with the scope read there is no control that changes something', async (t) => {
        const count = async (view, path) => {
            const found = await view.page.locator(controls).evaluateAll((all) => all.map((one) => one.outerHTML.slice(0, 150)));
            assert.deepEqual(found, [], path);
            const buttons = await view.page.locator('main button:not(:disabled)').allInnerTexts();
            for (const text of buttons)
                assert.doesNotMatch(text, /^(Add|Make|Set|Save|Delete|Revoke|Rotate|Withdraw|Release|Change|Test|Forget|Hold|Retire|Replace|Accept|Upload|Start|Pause|New|Request|Take)\b/, `${path}: ${text}`);
            return 0;
        };
        await walk(t, await make({ name: 'boss', scope: 'read' }), count);
        // The same walk finds the controls of a token that may do everything.
        const all = await walk(t, { secret: server.token }, (view) => view.page.locator(controls).count());
        assert.ok(all > 10, `${all} controls`);
    });

    test('a token of one product opens every page', async (t) => {
        const bound = await make({ name: 'bound', scope: 'admin', product: scene.product });
        await walk(t, bound, async (view, path) => {
            if (!/section=(webhooks|tokens)/.test(path))
                assert.deepEqual(await view.page.locator('main [role=alert]').allInnerTexts(), [], path);
            return 0;
        });
    });
});
