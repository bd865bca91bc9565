// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A reason is a code with parameters: in the API, in the table of texts, in doc/reasons.md, and in dfotactl in two languages.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { sql } from './lib/chain.mjs';
import { run } from './lib/ctl.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const ctl = async (scene, words, env) => {
    const { adminAddress: { host, port }, token } = server;
    const { out, err, status } = await run([...words, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { LC_ALL: '', DFOTA_TOKEN: token, ...env } });
    assert.equal(status ?? 0, 0, err);
    return out;
};
const texts = async (lang) => (await server.admin('GET', `/reasons?lang=${lang}`, null, { expect: [200] })).json;
// The English text of a code with its parameters, as the console makes the Chinese one.
const word = (table, code, params) => table[code].replace(/\{(\d)\}/g, (_, n) => (typeof params[n] === 'string' ? params[n] : word(table, params[n].code, params[n].params)));

// A device that waits for a campaign which is paused.
async function pausedScene(body) {
    const scene = await Scene.build(server);
    const module = scene.module();
    const { campaign } = (await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '1002', stages: [{ all: true }] }, { expect: [201] })).json;
    await server.admin('POST', scene.path(`/campaigns/${campaign}/start`), null, { expect: [200] });
    await server.admin('POST', scene.path(`/campaigns/${campaign}/pause`), body, { expect: [200] });
    assert.equal((await module.ask()).code, 27);
    return { scene, module, campaign };
}

describe('the texts', () => {
    test('are the same codes in both languages, and the default is English', async () => {
        const en = await texts('en'), zh = await texts('zh');
        assert.ok(Object.keys(en).length > 100);
        assert.deepEqual(Object.keys(zh), Object.keys(en));
        assert.deepEqual((await server.admin('GET', '/reasons')).json, en);
        for (const [code, text] of Object.entries(zh))
            assert.match(text, /[\u4e00-\u9fff]/, code);
        assertProblem(await server.admin('GET', '/reasons?lang=fr'), 400, 'bad-request');
    });

    test('are not sent again while they are the same', async () => {
        const { adminAddress: { host, port }, token } = server;
        const get = (lang, headers = {}) => fetch(`http://${host}:${port}/api/v1/reasons?lang=${lang}`, { headers: { Authorization: `Bearer ${token}`, ...headers } });
        const first = await get('zh');
        const etag = first.headers.get('etag');
        assert.match(etag, /^"[0-9a-f]{20}"$/);
        assert.equal((await get('zh', { 'If-None-Match': etag })).status, 304);
        assert.equal((await get('en', { 'If-None-Match': etag })).status, 200);
    });

    test('are in doc/reasons.md', async () => {
        const rows = [...read('doc/reasons.md').matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm)].map(([, code, text]) => [code, text]);
        assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(Object.entries(await texts('en')).map(([code, text]) => [code, text.trim()])));
    });

    test('are used, each of them', () => {
        const sources = ['upgrade', 'server'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile() && entry.name.endsWith('.c')).map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8'))).join('\n');
        const symbols = [...read('upgrade/reason_table.h').matchAll(/\bX\((REASON_[A-Z_]+),/g)].map((match) => match[1]);
        assert.ok(symbols.length > 100);
        for (const symbol of symbols)
            assert.match(sources, new RegExp(`\\b${symbol}\\b`), symbol);
    });
});

describe('a reason in the API', () => {
    test('has its code and parameters, also a reason in a reason', async () => {
        const { scene, module, campaign } = await pausedScene(undefined);
        const en = await texts('en');
        const { last_answer: answer } = await scene.record(module);
        assert.deepEqual(answer, {
            code: 27, at: answer.at, reason: 'the campaign spring is paused: an admin paused it',
            reason_code: 'campaign-paused', reason_params: ['spring', { code: 'paused-by-admin', params: [] }],
        });
        assert.equal(word(en, answer.reason_code, answer.reason_params), answer.reason);
        const explained = (await server.admin('GET', `/products/${scene.product}/explain?device=imei:${module.id}`)).json;
        assert.deepEqual([explained.reason_code, explained.reason_params], [answer.reason_code, answer.reason_params]);
        const shown = (await server.admin('GET', scene.path(`/campaigns/${campaign}`))).json;
        assert.deepEqual([shown.paused_why, shown.paused_why_code, shown.paused_why_params], ['an admin paused it', 'paused-by-admin', []]);
        assert.deepEqual([shown.gate, shown.gate_code, shown.gate_params], [null, null, null]);
    });

    test('has the words of an admin as they are', async () => {
        const { scene, module, campaign } = await pausedScene({ reason: 'rain' });
        const shown = (await server.admin('GET', scene.path(`/campaigns/${campaign}`))).json;
        assert.deepEqual([shown.paused_why, shown.paused_why_code, shown.paused_why_params], ['rain', null, null]);
        assert.deepEqual((await scene.record(module)).last_answer.reason_params, ['spring', 'rain']);
    });

    test('of an attempt and of an outcome', async () => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        const [attempt] = (await scene.record(module)).attempts;
        assert.equal(attempt.reason_code, 'package-sent');
        assert.equal(word(await texts('en'), attempt.reason_code, attempt.reason_params), attempt.reason);
        const outcomes = (await server.admin('GET', scene.path('/outcomes'))).json;
        assert.deepEqual(outcomes.items.map((item) => item.reason_code), ['package-sent']);
    });

    test('of a pair of the matrix, of a package over the limit, and of each rule', async () => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        const [from, to] = scene.versions;
        const { size } = await scene.package();
        const en = await texts('en');
        const said = (item, name) => [word(en, item[`${name}_code`], item[`${name}_params`]), item[name]];
        await server.admin('PUT', scene.path(`/packages/${from}/${to}/quarantine`), { reason: 'smoke' }, { expect: 204 });
        sql(server, `UPDATE quarantine SET reason = '["trial-failed","${from}"]' WHERE reason LIKE '%smoke%'`);
        const { pairs } = (await server.admin('GET', scene.path('/matrix'), null, { expect: 200 })).json;
        const pair = pairs.find((one) => one.from === from && one.to === to);
        assert.equal(pair.quarantine_code, 'trial-failed');
        assert.equal(...said(pair, 'quarantine'));
        await scene.set({ max_package_bytes: size - 1 });
        const made = await scene.package();
        assert.deepEqual([made.error_code, made.error_params], ['hop-oversize', [String(size), String(size - 1)]]);
        assert.equal(...said(made, 'error'));
        const module = scene.module();
        await module.ask();
        const { rules } = (await server.admin('GET', `/products/${scene.product}/explain?device=imei:${module.id}`)).json;
        for (const rule of rules) {
            assert.match(rule.asks_code, /^rule-/);
            assert.equal(...said(rule, 'asks'));
        }
    });

    test('that an older version stored is shown in its words', async () => {
        const { scene, module } = await pausedScene(undefined);
        sql(server, `UPDATE device SET last_reason = 'the old words' WHERE last_reason LIKE '%spring%'`);
        const { last_answer: answer } = await scene.record(module);
        assert.deepEqual([answer.reason, answer.reason_code, answer.reason_params], ['the old words', null, null]);
        assert.match(await ctl(scene, ['device', 'show', module.id], { LANG: 'zh_CN.UTF-8' }), /the old words/);
    });
});

describe('dfotactl', () => {
    test('words reasons in the language of the locale', async () => {
        const { scene, module } = await pausedScene(undefined);
        const chinese = /升级任务 spring 已暂停：由管理员暂停/, english = /the campaign spring is paused: an admin\s+paused it/;
        const explain = ['explain', module.id];
        for (const [env, wanted] of [
            [{}, english], [{ LANG: 'zh_CN.UTF-8' }, chinese], [{ LC_MESSAGES: 'zh_TW.UTF-8', LANG: 'de_DE.UTF-8' }, chinese],
            [{ LC_ALL: 'C.UTF-8', LC_MESSAGES: 'zh_CN.UTF-8', LANG: 'zh_CN.UTF-8' }, english], [{ LC_MESSAGES: 'C', LANG: 'zh_CN.UTF-8' }, english],
        ]) {
            const out = await ctl(scene, explain, env);
            assert.match(out, wanted, JSON.stringify(env));
            assert.match(out, /Would get +27/); // all other texts stay English
        }
        assert.match(await ctl(scene, ['campaign', 'list', scene.firmware], { LANG: 'zh_CN.UTF-8' }), /由管理员暂停/);
        assert.match(await ctl(scene, ['device', 'show', module.id], { LANG: 'zh_CN.UTF-8' }), chinese);
    });

    test('gives programs the same JSON everywhere', async () => {
        const { scene, module } = await pausedScene(undefined);
        const json = JSON.parse(await ctl(scene, ['explain', module.id, '-o', 'json'], { LANG: 'zh_CN.UTF-8' }));
        assert.equal(json.reason, 'the campaign spring is paused: an admin paused it');
        assert.equal(json.reason_code, 'campaign-paused');
    });
});

describe('the ledger', () => {
    test('has the English text, the code and the parameters', async () => {
        const { scene, module } = await pausedScene(undefined);
        const rows = (await server.admin('GET', `/ledger?device=imei:${module.id}&product=${scene.product}`)).json.items;
        const checkIn = rows.find((row) => row.kind === 'check-in');
        assert.equal(checkIn.detail.reason, 'the campaign spring is paused: an admin paused it');
        assert.equal(checkIn.detail.reason_code, 'campaign-paused');
        assert.deepEqual(checkIn.detail.reason_params, ['spring', { code: 'paused-by-admin', params: [] }]);
        const began = (await server.admin('GET', `/ledger?kind=campaign-stage-began&product=${scene.product}`)).json.items[0];
        assert.deepEqual([began.detail.admits_code, began.detail.admits_params], ['stage-admits-all', ['1', '1']]);
    });
});
