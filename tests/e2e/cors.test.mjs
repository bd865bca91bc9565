// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Pages of other origins use the admin API from a real browser: a listed origin with a token, another one not at all, and
// neither with the session of the console.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, describe, test } from 'node:test';

import { closeBrowser, noBrowser, openPage } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';

after(() => closeBrowser());

// A site on a free port with an empty page. Returns its origin.
async function openSite(t, host) {
    const site = http.createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><link rel=icon href=data:,><title>site</title>'));
    await new Promise((done) => site.listen(0, '127.0.0.1', done));
    t.after(() => site.close());
    return `http://${host}:${site.address().port}`;
}

// fetch() in the page: {status, json}, or {failed: true} when the browser does not give the page an answer.
const ask = (page, url, { method = 'GET', headers = {}, body, credentials = 'omit' } = {}) => page.evaluate(async ([where, options]) => {
    try {
        const answer = await fetch(where, options);
        return { status: answer.status, json: await answer.json().catch(() => null) };
    } catch {
        return { failed: true };
    }
}, [url, { method, headers, body, credentials }]);

describe('a page of another origin', { skip: noBrowser }, () => {
    test('that is listed uses the API with a token; another one cannot; no session works', async (t) => {
        const listed = await openSite(t, 'localhost');
        const foreign = await openSite(t, 'localhost');
        const server = await startServer(t, { config: { admin_cors_origins: listed } });
        const base = `http://localhost:${server.adminAddress.port}`;
        const devices = `${base}/api/v1/products/pumps/devices`;
        const bearer = { Authorization: `Bearer ${server.token}` };
        await server.createProduct('pumps');
        const page = await openPage(t);

        await page.goto(`${listed}/`);
        const list = await ask(page, devices, { headers: bearer });
        assert.equal(list.status, 200);
        assert.deepEqual(list.json, { items: [] });
        const changed = await ask(page, `${base}/api/v1/products/pumps`,
            { method: 'PATCH', headers: { ...bearer, 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'Pumps' }) });
        assert.deepEqual([changed.status, changed.json.name], [200, 'Pumps']);
        assert.equal((await ask(page, devices)).status, 401, 'the page can read why it is refused');
        assert.equal((await ask(page, `${base}/healthz`)).failed, true, 'only the API is open');

        await page.goto(`${foreign}/`);
        assert.equal((await ask(page, devices, { headers: bearer })).failed, true);
        assert.equal((await ask(page, devices)).failed, true);

        // The browser has a session of the console, and localhost with another port is the same site: the cookie would be sent.
        await page.goto(`${base}/console/`);
        const login = await ask(page, `${base}/api/v1/session`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token: server.token }), credentials: 'include' });
        assert.equal(login.status, 204);
        assert.equal((await ask(page, devices, { credentials: 'include' })).status, 200, 'the console itself has a session');
        for (const origin of [listed, foreign]) {
            await page.goto(`${origin}/`);
            assert.equal((await ask(page, devices, { credentials: 'include' })).failed, true, origin);
            const change = { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Dfota-Console': '1' }, body: JSON.stringify({ name: 'x', product_key: 'x' }), credentials: 'include' };
            assert.equal((await ask(page, `${base}/api/v1/products`, change)).failed, true, origin);
            const simple = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify({ name: 'x', product_key: 'x' }), credentials: 'include' };
            assert.equal((await ask(page, `${base}/api/v1/products`, simple)).failed, true, origin);
        }
        const { json } = await server.admin('GET', '/products', null, { expect: 200 });
        assert.deepEqual(json.items.map(({ product_key: key }) => key), ['pumps']);
    });
});
