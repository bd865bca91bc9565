// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The ledger in a browser: search, rows in words, verification, export.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { fleet, reasonIn, takes } from './lib/console-steps.mjs';
import { startServer } from './lib/server.mjs';
import { takeTimes } from './lib/times.mjs';

const source = (path) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

test('the page knows every kind of row, and words it', () => {
    const documented = [...source('doc/ledger.md').matchAll(/^\| `([a-z]+-[a-z-]+)` \|/gm)].map((match) => match[1]);
    const known = [...source('www/src/pages/ledger/kinds.ts').matchAll(/'([a-z-]+)'/g)].map((match) => match[1]);
    assert.deepEqual(known, documented);
    const messages = JSON.parse(source('www/src/messages/en.json'));
    for (const kind of known)
        assert.ok(messages[`ledger.row.${kind}`], kind);
});

describe('the ledger in a browser', { skip: noBrowser }, () => {
    let server, scene, modules;
    before(async () => {
        server = await startServer(null, { keep: true });
        ({ scene, modules } = await fleet(server, 2));
        await scene.setTarget('2');
        await takes(modules[0]);
        await modules[1].ask();
        for (let i = 0; i < 50; i += 1)
            await server.admin('PATCH', `/products/${scene.product}?by=Ann`, { name: `name ${i}` }, { expect: 200 });
    });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });
    const open = async (t, path, options = {}) => {
        const view = await openConsole(t, options.server ?? server, { path, ...options });
        await view.logIn();
        return view;
    };

    test('search by kind, product, device and day; the address has it all', async (t) => {
        const view = await open(t, '/console/ledger');
        const { page } = view;
        const rows = page.locator('.ledger-row');
        await rows.nth(40).waitFor();
        await view.checkAccess();
        await view.screenshot('ledger');
        await page.getByRole('link', { name: 'Next page' }).click();
        await page.waitForURL(/after=50$/);
        await page.getByLabel('Kind').selectOption('version-reported');
        await page.getByLabel('Product').selectOption(scene.product);
        await page.getByLabel('Device').fill(modules[0].id);
        await page.getByLabel('Since').fill('2020-01-31');
        await page.getByRole('button', { name: 'Search', exact: true }).last().click();
        await page.getByText(`imei:${modules[0].id} runs 2, before 1 (check-in, unauthenticated).`).waitFor();
        assert.equal(new URL(page.url()).search, `?kind=version-reported&product=${scene.product}&device=${modules[0].id}&since=2020-01-31`);
        assert.equal(await rows.count(), 2);
        await page.reload();
        await rows.nth(1).waitFor();
        await rows.nth(1).getByText('JSON of the row').click();
        assert.equal(JSON.parse(await rows.nth(1).locator('pre').textContent()).detail.version, '2');
        await view.checkAccess();
        await view.open('/console/ledger?until=2020-01-31');
        await page.getByText('Nothing in the ledger fits this search.').waitFor();
        await view.checkAccess();
    });

    test('a reason is in the language of the reader', async (t) => {
        const query = `kind=check-in&product=${scene.product}&device=${modules[0].id}`;
        const { items } = (await server.admin('GET', `/ledger?${query}`)).json;
        const { detail } = items.find((row) => row.detail.reason_params.every((param) => typeof param === 'string'));
        const view = await open(t, `/console/ledger?${query}`, { language: 'zh-CN' });
        await view.page.getByText(await reasonIn(server, 'zh', detail.reason_code, ...detail.reason_params)).first().waitFor();
        await view.open(`/console/ledger?kind=version-reported&product=${scene.product}&device=${modules[0].id}`);
        await view.page.getByText(`运行 2，之前 1（签到，未认证）`).waitFor();
    });

    test('new rows come without a reload', async (t) => {
        const view = await open(t, '/console/ledger?kind=product-added');
        await view.page.locator('.ledger-row').first().waitFor();
        await server.createProduct('newcomer');
        await view.page.locator('.ledger-row').filter({ hasText: 'newcomer' }).waitFor();
    });

    test('a wrong device id says what is wrong', async (t) => {
        const view = await open(t, '/console/ledger?device=nil', { allow: [/status of 422/] });
        await view.page.getByRole('alert').getByText(/not a device id/).waitFor();
    });

    test('the browser verifies all rows, and compares them with a head', async (t) => {
        const view = await open(t, '/console/ledger');
        const { page } = view;
        await page.getByText('Verify, and keep a head').click();
        const { json: head } = await server.admin('GET', '/ledger/head');
        await page.getByRole('button', { name: 'Verify all rows' }).click();
        await page.getByText(`The ledger is unchanged: ${head.seq} rows, from 1 to ${head.seq}.`).waitFor();
        await page.getByLabel('Head that you kept').fill(JSON.stringify(head));
        await page.getByRole('button', { name: 'Verify all rows' }).click();
        await page.getByText('agrees with your head').waitFor();
        await view.checkAccess();
        await view.screenshot('ledger-verified');
        await page.getByLabel('Head that you kept').fill(JSON.stringify({ ...head, hash: '0'.repeat(64) }));
        await page.getByRole('button', { name: 'Verify all rows' }).click();
        await page.getByText(`Row ${head.seq} differs from your head.`).waitFor();
        await page.getByLabel('Head that you kept').fill(JSON.stringify({ ...head, seq: head.seq + 7 }));
        await page.getByRole('button', { name: 'Verify all rows' }).click();
        await page.getByText('the end is missing').waitFor();
        await page.getByLabel('Head that you kept').fill('nothing');
        await page.getByRole('button', { name: 'Verify all rows' }).click();
        await page.getByText('This is not a head').waitFor();
    });

    test('a row that was changed, and rows that are missing, are found', async (t) => {
        const own = await startServer(t);
        await own.createProduct('pumps');
        for (let i = 0; i < 5; i += 1)
            await own.admin('PATCH', '/products/pumps', { name: `名称 "${i}" \\ é` }, { expect: 200 });
        const change = async (sql) => {
            await own.stop();
            execFileSync('sqlite3', [join(own.dataDir, 'dfota.db'), sql]);
            await own.start();
        };
        const said = async (text) => {
            const view = await open(t, '/console/ledger', { server: own, allow: [/ERR_CONNECTION/] });
            await view.page.getByText('Verify, and keep a head').click();
            await view.page.getByRole('button', { name: 'Verify all rows' }).click();
            await view.page.getByText(text).waitFor();
        };
        await said('The ledger is unchanged: 6 rows');
        await change("DROP TRIGGER IF EXISTS ledger_no_update; DROP TRIGGER IF EXISTS ledger_no_delete; UPDATE ledger SET detail = replace(detail, '\"name\":\"名称 \\\"1', '\"name\":\"名称 \\\"9') WHERE seq = 3");
        await said('Row 3 was changed');
        await change('DELETE FROM ledger WHERE seq = 3');
        await said('Rows are missing before row 4.');
    });

    test('after old rows were removed the rest is still verified', async (t) => {
        const own = await startServer(t);
        await own.createProduct('pumps');
        await own.admin('PATCH', '/products/pumps', { name: 'x' }, { expect: 200 });
        await own.admin('POST', '/ledger/prune', { before: Date.now(), by: 'Ann' }, { expect: 200 });
        const { json: head } = await own.admin('GET', '/ledger/head');
        const view = await open(t, '/console/ledger', { server: own });
        await view.page.getByText('Verify, and keep a head').click();
        await view.page.getByRole('button', { name: 'Verify all rows' }).click();
        await view.page.getByText(new RegExp(`The ledger is unchanged: .*to ${head.seq}\\.`)).waitFor();
    });

    test('the rows that were searched for are exported as CSV and JSON Lines', async (t) => {
        const view = await open(t, `/console/ledger?kind=product-set&product=${scene.product}`);
        const { page } = view;
        const exported = async (name) => {
            const download = page.waitForEvent('download');
            await page.getByRole('button', { name }).click();
            return (await readFile(await (await download).path(), 'utf8')).trimEnd().split(/\r?\n/);
        };
        const csv = await exported('Export CSV');
        assert.equal(csv[0], 'seq,at,kind,product,firmware,device,attempt,package,detail,prev,hash');
        assert.equal(csv.length, 51);
        assert.match(csv[50], new RegExp(`^\\d+,\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z,product-set,${scene.product},,,,,"\\{""by"":.*""name"":""name 49""\\}",[0-9a-f]{64},[0-9a-f]{64}$`));
        const lines = (await exported('Export JSON Lines')).map((line) => takeTimes(JSON.parse(line)));
        assert.deepEqual(lines, (await server.admin('GET', `/ledger?kind=product-set&product=${scene.product}`)).json.items);
    });

    for (const [language, theme] of [['zh-CN', 'light'], ['en-US', 'dark']])
        test(`on a phone, ${language}, ${theme}: nothing is cut, axe-core finds nothing`, async (t) => {
            const view = await open(t, '/console/ledger', { language, theme, viewport: phone });
            await view.page.locator('.ledger-row').first().waitFor();
            await view.checkWidth();
            await view.checkAccess();
            await view.screenshot(`phone-ledger-${language}-${theme}`);
        });
});
