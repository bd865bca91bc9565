// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What tests of the console's pages do with campaigns and modules.

import assert from 'node:assert/strict';

import { Scene } from './scene.mjs';

// A firmware with modules. A package goes to all of them at once.
export async function fleet(server, count, options = {}) {
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null, ...options });
    const modules = Array.from({ length: count }, () => scene.module());
    return { scene, modules, ids: modules.map((m) => `imei:${m.id}`) };
}

export const campaignPath = (scene, id = '', rest = '') => scene.path(`/campaigns${id ? `/${id}` : ''}${rest}`);

export async function draft(scene, body) {
    return (await scene.server.admin('POST', campaignPath(scene), { name: 'spring', target: scene.versions.at(-1), ...body }, { expect: 201 })).json;
}

export async function started(scene, body) {
    const { campaign } = await draft(scene, body);
    return (await scene.server.admin('POST', campaignPath(scene, campaign, '/start?by=Ann'), null, { expect: 200 })).json;
}

// The page of a campaign in the console.
export const place = (scene, campaign, more = '') => `/console/campaigns?${new URLSearchParams({ product: scene.product, firmware: scene.firmware, campaign })}${more}`;

// Asks, applies the package and reports.
export async function takes(module) {
    const answer = await module.askUntilMade();
    assert.equal(answer.status, 200);
    await module.applyAndReboot(answer.body);
    await module.ask();
}

// Asks, throws the package away, and reports the old version.
export async function refuses(scene, module) {
    assert.equal((await module.askUntilMade()).status, 200);
    await scene.awaitAttempt(module, 'delivered');
    await module.ask();
}

// A reason in the language of a reader.
export async function reasonIn(server, language, code, ...params) {
    const { json: texts } = await server.admin('GET', `/reasons?lang=${language}`, null, { expect: 200 });
    return texts[code].replace(/\{(\d)\}/g, (_, n) => params[Number(n)]);
}

// Tab until the element has the focus.
export async function tabTo(page, target, key = 'Tab') {
    const has = () => target.evaluate((element) => element === document.activeElement);
    for (let i = 0; i < 80 && !(await has()); i += 1)
        await page.keyboard.press(key);
    assert.ok(await has(), 'Tab reaches the element');
}
