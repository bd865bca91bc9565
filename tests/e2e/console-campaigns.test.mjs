// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The pages of campaigns in a browser: writing one, watching it, a broken gate, the page for paper.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openConsole, phone } from './lib/browser.mjs';
import { campaignPath, draft, fleet, place, reasonIn, refuses, started, tabTo, takes } from './lib/console-steps.mjs';
import { poll } from './lib/module.mjs';
import { startServer } from './lib/server.mjs';

const stages = [{ devices: 1 }, { devices: 3 }, { all: true }];

describe('campaigns in a browser', { skip: noBrowser }, () => {
    let server;
    before(async () => { server = await startServer(null, { keep: true }); });
    after(async () => {
        await closeBrowser();
        await server?.dispose();
    });
    const open = async (t, path, options = {}) => {
        const view = await openConsole(t, server, { path, ...options });
        await view.logIn();
        return view;
    };

    test('without campaigns the page says what one is, and leads to the first', async (t) => {
        const own = await startServer(t);
        const view = await openConsole(t, own, { path: '/console/campaigns' });
        await view.logIn();
        await view.page.getByRole('heading', { name: 'No campaigns yet' }).waitFor();
        await view.checkAccess();
        await view.screenshot('campaigns-empty');
        await view.page.getByRole('link', { name: 'New campaign' }).click();
        await view.page.getByRole('heading', { name: 'No firmware yet' }).waitFor();
    });

    test('a campaign is written, forecast, started, and seen live from the canary to all', async (t) => {
        const { scene, modules, ids } = await fleet(server, 6);
        for (const module of modules)
            await module.ask();
        await scene.makePackage('1', '2');
        const view = await open(t, `/console/campaigns?view=new&product=${scene.product}&firmware=pump`);
        const { page } = view;
        await page.getByLabel('Name', { exact: true }).fill('spring');
        await page.getByLabel('Target version').selectOption('2');
        await page.getByLabel('a list of ids').check();
        await page.getByLabel('Device ids').fill(ids.join('\n'));
        await page.getByLabel('Admits, stage 2').fill('3');
        await page.getByRole('button', { name: 'Remove stage 3' }).click();
        for (const stage of [1, 2])
            await page.getByLabel(`Settle hours, stage ${stage}`).fill('');
        await page.getByLabel('Your name').fill('Li Wei');
        await page.getByRole('button', { name: 'Save draft' }).click();
        const effect = page.getByRole('region', { name: 'What would happen' });
        await effect.getByText('1 → 2').waitFor();
        assert.match(await effect.textContent(), /With a path6/);
        await view.checkAccess();
        await view.screenshot('campaigns-draft');
        await page.getByRole('checkbox', { name: /^Pause/ }).check();
        await page.getByText('Save the changes first. The start uses what is saved.').waitFor();
        assert.equal(await page.getByRole('button', { name: 'Start', exact: true }).isDisabled(), true);
        await page.getByRole('checkbox', { name: /^Pause/ }).uncheck();
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.getByRole('button', { name: 'Start', exact: true }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText(/^6 devices are led to 2: 6 with a path, 0 cannot be reached/).waitFor();
        await dialog.getByText('The first of 3 stages admits 1 device.').waitFor();
        await view.checkAccess();
        await view.screenshot('campaigns-start');
        await dialog.getByRole('button', { name: 'Start', exact: true }).click();
        const stage = (n) => page.locator('.stage').nth(n - 1);
        await stage(1).getByText('now', { exact: true }).waitFor();
        await view.screenshot('campaigns-canary');
        await takes(modules[0]);
        await stage(2).getByText('now', { exact: true }).waitFor();
        await stage(1).getByText('confirmed 1').waitFor();
        for (const module of modules.slice(1, 3))
            await takes(module);
        await stage(3).getByText('now', { exact: true }).waitFor();
        await view.checkAccess();
        await view.screenshot('campaigns-last-stage');
        for (const module of modules.slice(3))
            await takes(module);
        await page.locator('.campaign-head').getByText('finished', { exact: true }).waitFor();
        await page.getByRole('region', { name: 'In the order of the list' }).getByText('confirmed').nth(5).waitFor();
        const { json } = await server.admin('GET', campaignPath(scene, 'spring'));
        assert.deepEqual([json.created_by, json.stages.map((s) => s.counts.confirmed)], ['Li Wei', [1, 2, 3]]);
    });

    test('a broken gate shows its devices, says what to do, and resuming says what it accepts', async (t) => {
        const { scene, modules, ids } = await fleet(server, 4);
        await started(scene, { devices: ids, stages });
        const view = await open(t, place(scene, 'spring'));
        const { page } = view;
        await refuses(scene, modules[0]);
        const broken = page.getByRole('region', { name: 'paused' });
        await broken.getByText('stage 1: devices that did not apply a package: 1, allowed are 0').waitFor();
        const device = broken.getByRole('link', { name: modules[0].id });
        assert.match(await device.getAttribute('href'), new RegExp(`/console/devices\\?product=${scene.product}&device=imei%3A${modules[0].id}`));
        await page.getByRole('heading', { name: 'Failures by cause' }).waitFor();
        await view.checkAccess();
        await view.screenshot('campaigns-broken');
        await page.getByRole('button', { name: 'Resume' }).click();
        await page.getByRole('dialog').getByText(/^1 device has failed so far\. Resuming accepts these failures/).waitFor();
        await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
        await page.locator('.campaign-head').getByText('running', { exact: true }).waitFor();
        assert.equal((await server.admin('GET', campaignPath(scene, 'spring'))).json.stages[0].accepted_failed, 1);
        await page.getByText('1 failed, allowed are 0 (1 was accepted when the campaign was resumed)').waitFor();
    });

    test('pause with a reason, approve with a name, retarget, copy, cancel, delete a draft', async (t) => {
        const { scene, ids } = await fleet(server, 3, { versions: ['1', '2', '3'] });
        await started(scene, { target: '2', devices: ids, stages: [{ devices: 1, approvals: 1 }, { all: true }] });
        const view = await open(t, place(scene, 'spring'));
        const { page } = view;
        const dialog = page.getByRole('dialog');
        const act = async (name, fill = async () => {}) => {
            await page.getByRole('button', { name, exact: true }).click();
            await dialog.waitFor();
            await fill();
            await dialog.getByRole('button', { name, exact: true }).click();
            await dialog.waitFor({ state: 'hidden' });
        };
        await act('Approve stage', () => dialog.getByLabel('Your name').fill('Ann'));
        await page.getByText('1 of 1 admins have approved').waitFor();
        await act('Pause', () => dialog.getByLabel('Reason').fill('rain at the site'));
        await page.getByRole('region', { name: 'paused' }).getByText('rain at the site').waitFor();
        await act('Resume');
        await act('Retarget', () => dialog.getByLabel('New target version').selectOption('3'));
        await page.getByText(`pump to 3: a list of 3 devices.`).waitFor();
        await act('Cancel campaign');
        await page.locator('.campaign-head').getByText('cancelled', { exact: true }).waitFor();
        await act('Copy', () => dialog.getByLabel('Name of the copy').fill('summer'));
        await page.getByRole('heading', { name: /summer/ }).waitFor();
        await act('Delete draft');
        await page.getByRole('link', { name: 'New campaign' }).waitFor();
        const rows = (await server.admin('GET', `/ledger?product=${scene.product}&kind=campaign-approved`)).json.items;
        assert.equal(rows[0].detail.by.name, 'Ann');
    });

    test('a draft that conflicts cannot be started, and says with what', async (t) => {
        const { scene, ids } = await fleet(server, 3, { versions: ['1', '2', '3'] });
        await started(scene, { target: '2', devices: ids });
        await draft(scene, { name: 'other', target: '3', devices: ids.slice(1) });
        const view = await open(t, place(scene, 'other'));
        const conflict = view.page.getByRole('region', { name: 'What would happen' }).getByRole('alert');
        await conflict.waitFor();
        assert.match(await conflict.textContent(), /cannot be started.*campaign other \(to 3\) and campaign spring \(to 2\)/);
        assert.equal(await view.page.getByRole('button', { name: 'Start', exact: true }).isDisabled(), true);
        await view.checkAccess();
        await view.screenshot('campaigns-conflict');
    });

    test('a list of a draft stays when only the stages are changed, and a filter or a file replaces it', async (t) => {
        const { scene, ids } = await fleet(server, 3);
        await draft(scene, { devices: ids });
        const view = await open(t, place(scene, 'spring'), { allow: [/status of 412/] });
        const { page } = view;
        const saved = () => server.admin('GET', campaignPath(scene, 'spring')).then(({ json }) => json);
        const save = async (check) => {
            await page.getByRole('button', { name: 'Save changes' }).click();
            await poll('it is saved', async () => check(await saved()));
        };
        await page.getByLabel('as saved: a list of 3 devices').waitFor();
        await page.getByLabel('Name', { exact: true }).fill('summer');
        await server.admin('PATCH', campaignPath(scene, 'spring'), { pause_when_done: true }, { expect: 200 });
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.getByText('Another admin has changed this meanwhile.').waitFor();
        await poll('the form has the saved name', async () => await page.getByLabel('Name', { exact: true }).inputValue() === 'spring');
        await page.getByRole('button', { name: 'Add a stage' }).click();
        await save(({ stages: list, devices }) => list.length === 2 && devices === 3);
        await page.getByLabel('a filter').check();
        await page.getByLabel('Filter', { exact: true }).fill('version=1 and tag=north');
        await page.getByLabel(/^frozen:/).check();
        await save(({ filter, frozen }) => filter === 'version=1 and tag=north' && frozen === true);
        await page.getByLabel('as saved: the devices that the filter selects at the start: version=1 and tag=north').waitFor();
        await page.getByLabel('a CSV file').check();
        await page.locator('input[type=file]').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`${ids[0]}\n${ids[1]},first\n`) });
        await save(({ filter, devices }) => filter === null && devices === 2);
    });

    test('a CSV file that is refused leaves no draft behind', async (t) => {
        const { scene } = await fleet(server, 1);
        const view = await open(t, `/console/campaigns?view=new&product=${scene.product}&firmware=pump`, { allow: [/status of 422/] });
        const { page } = view;
        await page.getByLabel('Name', { exact: true }).fill('spring');
        await page.getByLabel('Target version').selectOption('2');
        await page.getByLabel('a CSV file').check();
        await page.locator('input[type=file]').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('nil\n') });
        await page.getByRole('button', { name: 'Save draft' }).click();
        await page.getByRole('alert').getByText(/line 1|nil/).waitFor();
        assert.deepEqual((await server.admin('GET', campaignPath(scene))).json.items, []);
    });

    test('a CSV file that is refused leaves the list of a saved draft', async (t) => {
        const { scene, ids } = await fleet(server, 2);
        await server.admin('POST', campaignPath(scene), { name: 'spring', target: '2', devices: ids }, { expect: 201 });
        const view = await open(t, place(scene, 'spring'), { allow: [/status of 422/] });
        const { page } = view;
        await page.getByLabel('a CSV file').check();
        await page.locator('input[type=file]').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('nil\n') });
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.getByRole('alert').getByText(/line 1|nil/).waitFor();
        const { json } = await server.admin('GET', campaignPath(scene, 'spring'), null, { expect: 200 });
        assert.deepEqual([json.audience, json.devices], ['list', 2]);
    });

    test('the keyboard alone writes a campaign', async (t) => {
        const { scene } = await fleet(server, 1);
        const view = await open(t, '/console/campaigns');
        const { page } = view;
        const go = async (target, ...keys) => {
            await target.waitFor();
            await tabTo(page, target);
            for (const key of keys)
                await page.keyboard.press(key);
        };
        await go(page.getByRole('link', { name: 'New campaign' }), 'Enter');
        await page.getByLabel('Firmware', { exact: true }).waitFor();
        await go(page.getByLabel('Firmware', { exact: true }));
        await page.keyboard.type(scene.product);
        await page.waitForURL(new RegExp(`product=${scene.product}&`));
        await page.getByRole('option', { name: '2', exact: true }).waitFor({ state: 'attached' });
        await go(page.getByLabel('Name', { exact: true }));
        await page.keyboard.type('by keys');
        await go(page.getByLabel('Target version'));
        await page.keyboard.type('2');
        await go(page.getByRole('button', { name: 'Remove stage 3' }), 'Enter');
        await go(page.getByRole('button', { name: 'Save draft' }), 'Enter');
        await page.getByRole('heading', { name: /by keys/ }).waitFor();
        assert.equal((await server.admin('GET', campaignPath(scene, 'by%20keys'))).json.stages.length, 3);
    });

    test('devices are shown by outcome, in pages, and the address has the choice', async (t) => {
        const { scene, ids } = await fleet(server, 60);
        await started(scene, { devices: ids, stages });
        const view = await open(t, place(scene, 'spring', '&outcome=waiting'));
        const { page } = view;
        const rows = page.getByRole('region', { name: 'In the order of the list' }).locator('tbody tr');
        await poll('a page of 50', async () => await rows.count() === 50);
        await page.getByRole('link', { name: 'Next page' }).click();
        await poll('the rest', async () => await rows.count() === 10);
        assert.match(page.url(), /outcome=waiting&after=50$/);
        await page.getByLabel('Outcome', { exact: true }).selectOption('silent');
        await page.getByText('No device has this outcome.').waitFor();
    });

    test('the page for paper: what was done, when, by whom, and what each device confirmed', async (t) => {
        const { scene, modules, ids } = await fleet(server, 3);
        await started(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        await takes(modules[0]);
        const view = await open(t, place(scene, 'spring', '&view=print'), { theme: 'dark' });
        const { page } = view;
        const history = page.getByRole('region', { name: 'What was done' });
        await history.getByText('Campaign spring to 2 was started.').waitFor();
        await history.getByRole('cell', { name: 'Ann' }).waitFor();
        await page.getByRole('region', { name: 'What each of 3 devices confirmed' }).getByText(modules[2].id).waitFor();
        await view.checkAccess();
        await page.emulateMedia({ media: 'print' });
        assert.equal(await page.getByRole('navigation').isVisible(), false);
        assert.equal(await page.locator('.bar').isVisible(), false);
        assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false);
        assert.deepEqual(await page.evaluate(() => [getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.querySelector('main')).color]),
            ['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
        await view.screenshot('campaigns-paper');
        const chinese = await open(t, place(scene, 'spring', '&view=print'), { language: 'zh-CN' });
        await chinese.page.getByText(`升级任务 spring：${await reasonIn(server, 'zh', 'stage-admits-all', '2', '2')}`).waitFor();
    });

    test('the list shows all firmwares, and long names do not overflow', async (t) => {
        const { scene, ids } = await fleet(server, 2, { firmware: 'AirM2M_780E_LTE_AT_with_a_name_that_is_far_too_long_for_a_column_of_a_table' });
        await started(scene, { name: 'a-name-without-blanks-that-is-as-long-as-a-name-can-be-64-bytes!', devices: ids });
        const view = await open(t, '/console/campaigns');
        await view.page.getByRole('link', { name: /^a-name/ }).waitFor();
        await view.checkAccess();
        await view.checkWidth();
        await view.screenshot('campaigns-list');
        await view.page.getByRole('link', { name: /^a-name/ }).click();
        await view.page.locator('.stage').first().waitFor();
        await view.checkWidth();
    });

    for (const [language, theme] of [['zh-CN', 'light'], ['en-US', 'dark'], ['zh-CN', 'dark']])
        test(`on a phone, ${language}, ${theme}: nothing is cut, axe-core finds nothing`, async (t) => {
            const { scene, modules, ids } = await fleet(server, 4);
            await started(scene, { devices: ids, stages });
            await refuses(scene, modules[0]);
            await draft(scene, { name: 'next', devices: ids });
            const view = await open(t, '/console/campaigns', { language, theme, viewport: phone });
            const look = async (name, target) => {
                await target.waitFor();
                await view.checkAccess();
                await view.checkWidth();
                await view.screenshot(`phone-campaigns-${name}-${language}-${theme}`);
            };
            await look('list', view.page.locator('tbody tr').first());
            for (const [name, path, target] of [
                ['broken', place(scene, 'spring'), '.alert table'], ['draft', place(scene, 'next'), '.aside table'], ['paper', place(scene, 'spring', '&view=print'), '.signature'],
                ['new', `/console/campaigns?view=new&product=${scene.product}&firmware=pump`, '.stage-editor'],
            ]) {
                await view.open(path);
                await look(name, view.page.locator(target).first());
            }
        });
});
