// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Tokens: what each scope may call, one product, rotation, revocation, the last one, failed attempts, proxies.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { program, run } from './lib/ctl.mjs';
import { firmwareImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true, config: { admin_proxies: '127.0.0.1' } }); });
after(() => server?.dispose());

const scopes = ['read', 'upload', 'operate', 'admin'];
const sha = (text) => createHash('sha256').update(text).digest('hex');
let made = 0;
async function make(body = {}, options = {}) {
    const { json } = await server.admin('POST', '/tokens', { name: `token-${made += 1}`, scope: 'read', ...body }, { expect: 201, ...options });
    return json;
}
const url = (own = server) => `http://127.0.0.1:${own.adminAddress.port}`;
const as = (token) => ({ token: token.secret ?? token });
const show = async (token) => (await server.admin('GET', `/tokens/${token.token}`, null, { expect: 200 })).json;
// A device of this product asks for a firmware that the server does not have.
const refusedName = (product) => new Promise((done, failed) => http.get({ ...server.device, agent: false,
    path: `/api/site/firmware_upgrade?project_key=${product}&firmware_name=none&version=1.0.0&imei=866597071234567` },
(response) => response.resume().on('end', done)).on('error', failed));
const lastRow = async (kind) => (await server.admin('GET', `/ledger?kind=${kind}&sort=-seq&limit=1`, null, { expect: 200 })).json.items[0];

// The table of routes with the scope of each, as the source has it.
const source = readFileSync(new URL('../../server/admin/admin.c', import.meta.url), 'utf8').replaceAll(/\\\n/g, '');
const bases = { API: '', PRODUCT: '/products/nope', FIRMWARE: '/products/nope/firmware/none', DEVICE: '/products/nope/devices/imei:866597071234567',
    WEBHOOK: '/webhooks/999', CAMPAIGN: '/products/nope/firmware/none/campaigns/none' };
const routes = [...source.matchAll(/X\("([A-Z]+)", ([A-Z]+)(?: "([^"]*)")?,\s+"[a-z_ ]*",\s+((?:READ|UPLOAD|OPERATE|ADMIN)(?: \| CUT)?),/g)]
    .map(([, method, base, path, access]) => ({
        method, path: bases[base] + (path ?? '').replaceAll('{}', '999'), scope: access.split(' ')[0].toLowerCase(), cut: access.endsWith('CUT'),
        ofProduct: bases[base].startsWith('/products/'),
    }));

describe('a scope', () => {
    test('is named by every route but those that are open to strangers', () => {
        const all = [...source.matchAll(/X\("[A-Z]+", [A-Z]+/g)].length;
        assert.equal(routes.length, all - [...source.matchAll(/X\("[A-Z]+", API "\/session", "", \d/g)].length);
        assert.ok(routes.length > 90, `${routes.length} routes`);
        for (const { method, path, scope } of routes)
            assert.ok(scope !== 'read' || method === 'GET' || path.startsWith('/session'), `${method} ${path} changes something`);
    });
    test('opens its calls and those of the scopes before, and no other', async () => {
        for (const [rank, scope] of scopes.entries()) {
            const token = await make({ scope });
            for (const route of routes) {
                const method = route.path === '/events' ? 'HEAD' : route.method;
                const answer = await server.admin(method, route.path, null, as(token));
                const may = rank >= scopes.indexOf(route.scope);
                assert.equal(answer.status !== 403 || answer.json.detail.includes('with a token'), may, `${scope}: ${method} ${route.path} ${answer.status} ${answer.body}`);
                if (!may)
                    assertProblem(method === 'HEAD' ? answer : answer, 403, 'forbidden');
            }
        }
    });
    test('is told by the refusal, and by GET /session', async () => {
        const token = await make({ name: 'boss', scope: 'read' });
        const { json } = await server.admin('POST', '/products', { name: 'x' }, as(token));
        assert.equal(json.detail, 'the token boss has the scope read; this call needs admin');
        const { json: who } = await server.admin('GET', '/session', null, as(token));
        assert.deepEqual([who.login, who.name, who.scope, who.product], ['token', 'boss', 'read', null]);
    });
    test('hides the URLs and templates of webhooks, which may hold a secret', async () => {
        await server.admin('POST', '/webhooks', { name: 'robot', url: 'http://chat.example/hook?key=hidden',
            template: '{"routing_key":"hidden","text":"{summary}"}' }, { expect: 201 });
        const { json } = await server.admin('GET', '/webhooks', null, as(await make()));
        assert.deepEqual([json.items[0].url, json.items[0].template], ['http://chat.example/…', null]);
        assert.equal((await server.admin('GET', '/webhooks')).json.items[0].url, 'http://chat.example/hook?key=hidden');
    });
});

test('below the scope operate a token does not see what opens a link', async (t) => {
    const server = await startServer(t);
    const make = async (scope) => (await server.admin('POST', '/tokens', { name: `the ${scope}`, scope }, { expect: 201 })).json;
    const scene = await Scene.build(server, { product: 'linked' });
    const { module, link } = await scene.linkedModule();
    const path = scene.deviceAdminPath(module);
    const secret = /\/d\/([a-z2-7]{26})/.exec(link.url)[1];
    const said = `AT+UPGRADE="URL","${link.url}"\r\nOK\r\n`;
    const { json: added } = await server.admin('POST', `${path}/transcripts`, said, { headers: { 'Content-Type': 'text/plain' }, expect: 201 });
    assert.equal(added.text, said);
    for (const scope of scopes) {
        const may = ['operate', 'admin'].includes(scope);
        const token = await make(scope);
        const { json, body } = await server.admin('GET', path, null, { ...as(token), expect: 200 });
        const [shown] = json.links;
        assert.deepEqual([shown.token, shown.url], may ? [secret, link.url] : [null, null], scope);
        assert.equal(shown.at_commands.length > 0, may);
        assert.equal(body.includes(secret), may, scope);
        for (const Accept of ['application/json', 'text/plain']) {
            const text = (await server.admin('GET', `${path}/transcripts/${added.transcript}`, null, { ...as(token), headers: { Accept }, expect: 200 })).body.toString();
            assert.equal(text.includes(secret), may, scope);
            assert.ok(text.includes(secret.slice(0, 6)), 'enough to find the link');
        }
        const { status, out, err } = await run(['device', 'show', module.id, '--product', 'linked'], { env: { DFOTA_URL: url(server), DFOTA_TOKEN: token.secret } });
        assert.deepEqual([status, out.includes(secret)], [0, may], out + err);
    }
});

describe('a token of one product', () => {
    let token;
    before(async () => {
        for (const key of ['mine', 'other'])
            await server.createProduct(key);
        for (const revision of [0, 1])
            await server.putImage('other', 'pump', `100${revision}`, firmwareImage({ seed: 77, size: 16_000, revision }));
        await server.admin('POST', '/products/other/firmware/pump/campaigns', { name: 'spring', target: '1001', stages: [{ devices: 1 }] }, { expect: 201 });
        token = await make({ scope: 'admin', product: 'mine' });
    });
    test('reaches this product only', async () => {
        for (const route of routes) {
            const method = route.path === '/events' ? 'HEAD' : route.method;
            const { status, json } = await server.admin(method, route.path, null, as(token));
            assert.equal(status === 403 && !/with a token/.test(json?.detail ?? ''), !route.cut, `${method} ${route.path} ${status}`);
            if (route.ofProduct && !['DELETE', 'PATCH'].includes(method))
                assert.notEqual((await server.admin(method, route.path.replace('nope', 'mine'), null, as(token))).status, 403, `${method} ${route.path}`);
        }
        assertProblem(await server.admin('GET', '/products/%6fther', null, as(token)), 403, 'forbidden');
        assert.equal((await server.admin('GET', '/products/%6dine', null, as(token))).status, 200);
    });
    test('sees only this product in lists of the whole server', async () => {
        const get = async (path) => (await server.admin('GET', path, null, { ...as(token), expect: 200 })).json;
        assert.deepEqual((await get('/products')).items.map((p) => p.product_key), ['mine']);
        assert.ok((await get('/ledger')).items.every((row) => row.product === 'mine'));
        assert.ok((await get('/ledger?product=mine')).items.length > 0);
        assertProblem(await server.admin('GET', '/ledger?product=other', null, as(token)), 403, 'forbidden');
        assertProblem(await server.admin('HEAD', '/events?product=other', null, as(token)).then(async () => server.admin('GET', '/events?product=other', null, as(token))), 403, 'forbidden');
        assert.equal((await get('/webhooks')).items.length, 0);
        for (const key of ['other', 'mine'])
            await refusedName(key);
        assert.deepEqual((await server.admin('GET', '/unknown')).json.items.map((row) => row.product).sort(), ['mine', 'other']);
        for (const query of ['', '?product=', '?product=mine'])
            assert.deepEqual((await get(`/unknown${query}`)).items.map((row) => row.product), ['mine'], query);
        assertProblem(await server.admin('GET', '/unknown?product=other', null, as(token)), 403, 'forbidden');
        const all = (await server.admin('GET', '/overview')).json;
        assert.ok(all.firmwares.length > 0);
        const { firmwares, next } = await get('/overview');
        assert.deepEqual([firmwares, next], [[], []]);
        assert.deepEqual((await server.admin('GET', '/campaigns')).json.items.map(({ name }) => name), ['spring']);
        assert.deepEqual((await get('/campaigns')).items, []);
    });
    test('sees the status of this product only, and nothing of the whole server', async () => {
        const { json: whole } = await server.admin('GET', '/status');
        const { json: status } = await server.admin('GET', '/status', null, { ...as(token), expect: 200 });
        assert.deepEqual(Object.keys(status), Object.keys(whole));
        assert.deepEqual([status.products, status.devices, status.conflicts, status.packages, status.transfers, status.admission_full],
            [1, 0, null, null, null, []]);
        assert.deepEqual(status.limits, whole.limits);
        assert.equal((await run(['status'], { env: { DFOTA_URL: url(), DFOTA_TOKEN: token.secret } })).status, 0);
    });
    test('does not see what of the whole server waits for a person', async (t) => {
        const own = await startServer(t, { config: { max_new_devices_per_day: 1 } });
        await own.createProduct('mine');
        const scene = await Scene.build(own, { product: 'other' });
        for (let i = 0; i < 3; i += 1)
            await scene.module().ask();
        const bound = (await own.admin('POST', '/tokens', { name: 'bound', scope: 'admin', product: 'mine' }, { expect: 201 })).json;
        const kinds = async (secret) => (await own.admin('GET', '/overview', null, { token: secret, expect: 200 })).json.next.map(({ kind }) => kind);
        assert.ok((await kinds(own.token)).includes('admission-full'));
        assert.deepEqual(await kinds(bound.secret), []);
        assert.equal((await own.admin('GET', '/status')).json.admission_full.length, 1);
        assert.deepEqual((await own.admin('GET', '/status', null, { token: bound.secret })).json.admission_full, []);
    });
    test('needs a product that exists, and keeps it from being deleted', async () => {
        assertProblem(await server.admin('POST', '/tokens', { name: 'x', scope: 'read', product: 'nope' }), 404, 'product-not-found');
        await server.createProduct('bound');
        const bound = await make({ product: 'bound' });
        assertProblem(await server.admin('DELETE', '/products/bound'), 409, 'product-in-use');
        await server.admin('DELETE', `/tokens/${bound.token}`, null, { expect: 204 });
        await server.admin('DELETE', '/products/bound', null, { expect: 204 });
    });
});

describe('making and listing', () => {
    test('the secret is told once, and only its hash is kept', async () => {
        const token = await make({ name: 'ci', scope: 'upload' });
        assert.match(token.secret, /^[0-9a-f]{64}$/);
        assert.equal((await show(token)).secret, undefined);
        const dump = execFileSync('sqlite3', ['-readonly', join(server.dataDir, 'dfota.db'), '.dump'], { encoding: 'utf8', maxBuffer: 1 << 28 });
        assert.ok(dump.includes(sha(token.secret)) && !dump.includes(token.secret));
        assert.doesNotMatch(server.logText, new RegExp(token.secret));
        const { detail } = await lastRow('token-added');
        assert.deepEqual([detail.name, detail.scope, detail.token], ['ci', 'upload', token.token]);
    });
    test('shows the last use and from where', async () => {
        const token = await make();
        assert.deepEqual([(await show(token)).used_at, (await show(token)).used_from], [null, null]);
        const before = Date.now();
        await server.admin('GET', '/products', null, { ...as(token), expect: 200 });
        const now = await show(token);
        assert.ok(now.used_at >= before && now.used_at <= Date.now());
        assert.equal(now.used_from, '127.0.0.1');
        await server.restart();
        assert.equal((await show(token)).used_at, now.used_at);
    });
    test('refuses what cannot be', async () => {
        for (const [body, code] of [[{ name: '' }, 'invalid'], [{ name: 'x'.repeat(65) }, 'invalid'], [{ name: 'a\nb' }, 'invalid'], [{ scope: 'root' }, 'invalid'],
            [{ scope: 'none' }, 'invalid'], [{ expires_at: 5 }, 'invalid'], [{ expires_at: Date.now() - 1 }, 'invalid'], [{ expires_at: 'x' }, 'invalid']])
            assertProblem(await server.admin('POST', '/tokens', { name: 'odd', scope: 'read', ...body }), 422, code);
        const token = await make({ name: 'twice' });
        assertProblem(await server.admin('POST', '/tokens', { name: 'twice', scope: 'read' }), 409, 'token-exists');
        await server.admin('DELETE', `/tokens/${token.token}`, null, { expect: 204 });
        await make({ name: 'twice' });
        for (const path of ['/tokens/999', '/tokens/x', '/tokens/-1'])
            assertProblem(await server.admin('GET', path), 404, 'token-not-found');
    });
    test('expires', async () => {
        const token = await make({ name: 'short', expires_at: Date.now() + 1500 });
        await server.admin('GET', '/products', null, { ...as(token), expect: 200 });
        await poll('the token has expired', async () => (await show(token)).state === 'expired');
        assertProblem(await server.admin('GET', '/products', null, as(token)), 401, 'unauthorized');
        const [line] = await server.logged('login-refused', 1, ({ token_name: name }) => name === 'short');
        assert.equal(line.reason, 'expired');
        assertProblem(await server.admin('POST', `/tokens/${token.token}/rotate`, {}), 422, 'invalid');
        const { json } = await server.admin('POST', `/tokens/${token.token}/rotate`, { expires_at: null }, { expect: 200 });
        await server.admin('GET', '/products', null, { token: json.secret, expect: 200 });
    });
});

test('the log warns of a token that expires within 14 days', async () => {
    const day = 86_400_000;
    await make({ name: 'soon', expires_at: Date.now() + 13 * day });
    await make({ name: 'soon-too', expires_at: Date.now() + 2 * day });
    await make({ name: 'later', expires_at: Date.now() + 15 * day });
    const before = server.log('token-expires').length;
    await server.restart();
    const lines = (await server.logged('token-expires', before + 2)).slice(before);
    assert.deepEqual(lines.map(({ token_name: name }) => name).sort(), ['soon', 'soon-too']);
});

describe('the end of a token', () => {
    const logIn = async (token) => {
        const { headers } = await server.admin('POST', '/session', { token }, { token: null, expect: 204 });
        return headers['set-cookie'][0].split(';')[0];
    };
    const login = async (cookie) => (await server.admin('GET', '/session', null, { token: null, headers: { Cookie: cookie } })).json;
    const stream = (headers) => new Promise((done, failed) => {
        const state = { over: false };
        http.get({ ...server.adminAddress, path: '/api/v1/events', agent: false, headers }, (response) => {
            response.resume().on('close', () => { state.over = true; });
            done(state);
        }).on('error', failed);
    });

    test('revoked: its sessions and streams end at once, without a restart and after one', async () => {
        const token = await make({ name: 'gone', scope: 'operate' });
        const cookie = await logIn(token.secret);
        const { scope, name, login: kind } = await login(cookie);
        assert.deepEqual([kind, scope, name], ['session', 'operate', 'gone']);
        const streams = [await stream({ Authorization: `Bearer ${token.secret}` }), await stream({ Cookie: cookie })];
        const began = Date.now();
        await server.admin('DELETE', `/tokens/${token.token}?by=Li`, null, { expect: 204 });
        assertProblem(await server.admin('GET', '/products', null, as(token)), 401, 'unauthorized');
        assert.equal((await login(cookie)).login, 'none');
        await poll('the streams have ended', () => streams.every(({ over }) => over));
        assert.ok(Date.now() - began < 15_000, 'not only at the next look after 25 s');
        const { detail } = await lastRow('token-revoked');
        assert.deepEqual([detail.name, detail.by.name, detail.by.token_name, detail.by.token], ['gone', 'Li', 'admin', sha(server.token).slice(0, 8)]);
        assertProblem(await server.admin('DELETE', `/tokens/${token.token}`), 409, 'token-revoked');
        assertProblem(await server.admin('POST', `/tokens/${token.token}/rotate`, {}), 409, 'token-revoked');
        await server.restart();
        assertProblem(await server.admin('GET', '/products', null, as(token)), 401, 'unauthorized');
        assert.equal((await show(token)).state, 'revoked');
    });
    test('rotated: the old secret works for the overlap, then not', async () => {
        const token = await make({ name: 'turning' });
        const rotate = async (body) => (await server.admin('POST', `/tokens/${token.token}/rotate`, body, { expect: 200 })).json;
        const works = async (secret) => (await server.admin('GET', '/products', null, { token: secret })).status === 200;
        const second = await rotate({ overlap_ms: 1500 });
        assert.deepEqual([await works(token.secret), await works(second.secret)], [true, true]);
        await poll('the overlap is over', async () => (await show(token)).old_secret_until === null);
        assert.deepEqual([await works(token.secret), await works(second.secret)], [false, true]);
        const third = await rotate({});
        const { old_secret_until: until } = await show(token);
        assert.ok(Math.abs(until - Date.now() - 86_400_000) < 60_000, `${until}`);
        await server.restart();
        assert.deepEqual([await works(second.secret), await works(third.secret)], [true, true]);
        const fourth = await rotate({ overlap_ms: 0 });
        assert.deepEqual([await works(second.secret), await works(third.secret), await works(fourth.secret)], [false, false, true]);
        assertProblem(await server.admin('POST', `/tokens/${token.token}/rotate`, { overlap_ms: -1 }), 422, 'invalid');
        assertProblem(await server.admin('POST', `/tokens/${token.token}/rotate`, { overlap_ms: 91 * 86_400_000 }), 422, 'invalid');
    });
    test('a session with an old secret ends with the overlap', async () => {
        const token = await make();
        const cookie = await logIn(token.secret);
        await server.admin('POST', `/tokens/${token.token}/rotate`, { overlap_ms: 0 }, { expect: 200 });
        assert.equal((await login(cookie)).login, 'none');
    });
    test('the last one that may do everything and never expires stays', async () => {
        const own = await startServer(null, { keep: true });
        try {
            const first = (await own.admin('GET', '/tokens')).json.items[0];
            assert.deepEqual([first.name, first.scope, first.product, first.expires_at], ['admin', 'admin', null, null]);
            const add = async (body) => (await own.admin('POST', '/tokens', { scope: 'admin', ...body }, { expect: 201 })).json;
            await own.createProduct('p');
            await add({ name: 'short', expires_at: Date.now() + 86_400_000 });
            await add({ name: 'narrow', product: 'p' });
            await add({ name: 'weak', scope: 'operate' });
            assertProblem(await own.admin('DELETE', `/tokens/${first.token}`), 409, 'last-token');
            assertProblem(await own.admin('POST', `/tokens/${first.token}/rotate`, { expires_at: Date.now() + 86_400_000 }), 409, 'last-token');
            assert.equal((await own.admin('GET', '/status')).status, 200);
            const second = await add({ name: 'second' });
            await own.admin('DELETE', `/tokens/${first.token}`, null, { expect: 204, token: second.secret });
            assertProblem(await own.admin('DELETE', `/tokens/${second.token}`, null, { token: second.secret }), 409, 'last-token');
        } finally {
            await own.dispose();
        }
    });
});

describe('failed attempts', () => {
    const from = (address) => ({ headers: { 'X-Forwarded-For': address } });
    const fail = (address) => server.admin('GET', '/products', null, { token: 'guess', ...from(address) });

    test('are logged with the address, limited for each address, and lock no right token out', async () => {
        for (let i = 0; i < 10; i++)
            assertProblem(await fail('192.0.2.77'), 401, 'unauthorized');
        const slow = await fail('192.0.2.77');
        assertProblem(slow, 429, 'too-many-attempts');
        assert.equal(slow.headers['retry-after'], '60');
        assertProblem(await server.admin('POST', '/session', { token: 'guess' }, { token: null, ...from('192.0.2.77') }), 429, 'too-many-attempts');
        await server.admin('GET', '/products', null, { ...from('192.0.2.77'), expect: 200 });
        assertProblem(await fail('192.0.2.78'), 401, 'unauthorized');
        for (let i = 0; i < 10; i++)
            await fail(`2001:db8::${i + 1}`);
        assertProblem(await fail('2001:db8::ffff'), 429, 'too-many-attempts'); // one network
        const lines = await server.logged('login-refused', 10, ({ address }) => address === '192.0.2.77');
        assert.equal(lines.length, 10);
        assert.doesNotMatch(server.logText, /guess/);
    });
    test('are found by the filter for fail2ban', async () => {
        const text = readFileSync(new URL('../../packaging/fail2ban/dfotad.filter', import.meta.url), 'utf8');
        const regex = /^failregex = (.*)$/m.exec(text)[1];
        const filter = new RegExp(regex.replace('<HOST>', '(?:\\[?(?<host>[0-9a-fA-F.:]+)\\]?)'), 'm');
        const [line] = await server.logged('login-refused', 1, ({ address }) => address === '192.0.2.78');
        assert.equal(filter.exec(line.raw)?.groups.host, '192.0.2.78');
        const [six] = await server.logged('login-refused', 1, ({ address }) => address?.startsWith('2001:db8::'));
        assert.equal(filter.exec(six.raw)?.groups.host, six.address);
        for (const other of server.logLines.filter((l) => !/event=login-refused/.test(l)))
            assert.doesNotMatch(other, filter);
        assert.match(`host dfotad[77]: ${line.raw} suppressed=9`, filter);
        assert.doesNotMatch(`level=info event=answer said="${line.raw} "`, filter);
        const [expired] = server.log('login-refused').filter(({ reason }) => reason === 'expired');
        assert.doesNotMatch(expired.raw, filter);
    });
});

describe('behind a proxy', () => {
    const rename = async (headers) => {
        const name = `name ${made += 1}`;
        const answer = await server.admin('PATCH', '/products/other', { name }, { headers });
        return answer.status === 200 ? (await lastRow('product-set')).detail.by : answer;
    };
    test('the ledger and the list of tokens have the address of the client', async () => {
        const by = await rename({ 'X-Forwarded-For': '198.51.100.1, 198.51.100.7' });
        assert.equal(by.client, '198.51.100.7');
        assert.match(by.peer, /^127\.0\.0\.1:\d+$/);
        assert.equal((await rename({ Forwarded: 'for=198.51.100.2, for="[2001:db8::7]:4711";proto=https' })).client, '2001:db8::7');
        assert.equal((await rename({ 'X-Forwarded-For': '198.51.100.9, 127.0.0.1' })).client, '198.51.100.9');
        for (const headers of [{}, { 'X-Forwarded-For': 'unknown' }, { Forwarded: 'for=_hidden' }])
            assert.equal((await rename(headers)).client, undefined);
        const admin = (await server.admin('GET', '/tokens', null, { headers: { 'X-Forwarded-For': '198.51.100.4' } })).json.items.find(({ name }) => name === 'admin');
        assert.equal(admin.used_from, '198.51.100.4');
    });
    test('a header that the client has written beside that of the proxy is refused', async () => {
        assertProblem(await rename({ 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=203.0.113.5' }), 400, 'bad-request');
        assert.equal((await rename({ 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.1' })).client, '198.51.100.1');
    });
    test('of several lines of a header the last counts', async () => {
        const text = await new Promise((done, failed) => http.request({ ...server.adminAddress, method: 'PATCH', path: '/api/v1/products/other', agent: false,
            headers: { Authorization: `Bearer ${server.token}`, 'X-Forwarded-For': ['198.51.100.66', '198.51.100.8'] } }, (response) => {
            response.resume().on('end', () => done(response.statusCode));
        }).on('error', failed).end(JSON.stringify({ name: 'lines' })));
        assert.equal(text, 200);
        assert.equal((await lastRow('product-set')).detail.by.client, '198.51.100.8');
    });
    test('only a proxy of the configuration may tell an address', async () => {
        const own = await startServer(null, { keep: true });
        try {
            await own.admin('POST', '/products', { name: 'x' }, { expect: 201, headers: { 'X-Forwarded-For': '198.51.100.1' } });
            const { json } = await own.admin('GET', '/ledger?kind=product-added');
            assert.equal(json.items[0].detail.by.client, undefined);
        } finally {
            await own.dispose();
        }
    });
});

describe('on the machine itself', () => {
    const renew = (dataDir) => run(['--data-dir', dataDir, '--new-admin-token'], { command: join(buildDir, 'dfotad') });
    test('--new-admin-token makes another token when the server is stopped', async () => {
        const own = await startServer(null, { keep: true });
        try {
            const path = join(own.dataDir, 'admin.token'), old = own.token;
            const running = await renew(own.dataDir);
            assert.equal(running.status, 1);
            assert.match(running.err, /stop the server/);
            assert.equal((await readFile(path, 'utf8')).trim(), old);
            await own.stop();
            const { status, out, err } = await renew(own.dataDir);
            assert.deepEqual([status, err], [0, '']);
            assert.ok(out.includes(path));
            const fresh = (await readFile(path, 'utf8')).trim();
            assert.notEqual(fresh, old);
            assert.ok(!out.includes(fresh));
            assert.equal((await stat(path)).mode & 0o777, 0o600);
            await own.start();
            for (const token of [old, fresh])
                await own.admin('GET', '/tokens', null, { token, expect: 200 });
            const { json } = await own.admin('GET', '/ledger?kind=token-added', null, { token: fresh });
            assert.deepEqual(json.items.map(({ detail }) => [detail.name, detail.by.name]), [['admin-2', 'dfotad --new-admin-token']]);
            assert.deepEqual((await readdir(own.dataDir)).filter((name) => name.endsWith('.new')), []);
        } finally {
            await own.dispose();
        }
    });
    test('it makes no data directory', async () => {
        const { status, err } = await renew(join(server.dataDir, 'none'));
        assert.equal(status, 1);
        assert.match(err, /there is no server's data/);
    });
});

describe('dfotactl token', () => {
    const url = (own = server) => `http://${server.adminAddress.host}:${server.adminAddress.port}`;
    const ctl = (args, token = server.token) => run(args, { command: program, env: { DFOTA_URL: url(), DFOTA_TOKEN: token } });

    test('add prints the token alone, list shows it, rotate and revoke take its name', async () => {
        const added = await ctl(['token', 'add', 'robot', '--scope', 'operate', '--product', 'mine', '--expires', '2099-01-01', '--by', 'Li']);
        assert.equal(added.status, 0, added.err);
        assert.match(added.out, /^[0-9a-f]{64}\n$/);
        const secret = added.out.trim();
        const refused = await ctl(['product', 'list', '-o', 'json'], secret);
        assert.equal(JSON.parse(refused.out).items.length, 1);
        const list = await ctl(['token', 'list']);
        assert.match(list.out, /robot +operate +mine +valid +20.* +2099-01-01 00:00:00Z/);
        assert.doesNotMatch(list.out, new RegExp(secret));
        const rotated = await ctl(['token', 'rotate', 'robot', '--overlap', '0', '--yes']);
        assert.match(rotated.out, /^[0-9a-f]{64}\n$/, rotated.err);
        assert.equal((await ctl(['product', 'list'], secret)).status, 1);
        const file = join(server.dataDir, 'robot.token');
        await writeFile(file, rotated.out, { mode: 0o600 });
        assert.equal((await run(['--url', url(), '--token-file', file, 'product', 'list'], { command: program })).status, 0);
        assert.equal((await ctl(['token', 'revoke', '--yes', 'robot'])).status, 0);
        assert.equal((await ctl(['product', 'list'], rotated.out.trim())).status, 1);
        const again = await ctl(['token', 'revoke', '--yes', 'robot']);
        assert.equal(again.status, 2);
        assert.match(again.err, /there is no token robot/);
    });
    test('the last token is kept', async () => {
        const { json } = await server.admin('GET', '/tokens');
        for (const { token, name, scope, product, expires_at: expires, state } of json.items)
            if (name !== 'admin' && scope === 'admin' && !product && !expires && state === 'valid')
                await server.admin('DELETE', `/tokens/${token}`, null, { expect: 204 });
        const refused = await ctl(['token', 'revoke', '--yes', 'admin']);
        assert.equal(refused.status, 1);
        assert.match(refused.err, /last-token/);
    });
});
