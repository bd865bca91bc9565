// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The console over HTTP: its files, sessions, one-time logins, and what another site cannot do.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';

import { run } from './lib/ctl.mjs';
import { assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

function ask(method, path, { headers = {}, body = null } = {}) {
    return new Promise((done, failed) => {
        const payload = body === null ? null : Buffer.from(JSON.stringify(body));
        const given = payload ? { 'Content-Length': payload.length, ...headers } : headers;
        http.request({ host: server.adminAddress.host, port: server.adminAddress.port, method, path, headers: given, agent: false }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c)).on('error', failed).on('end', () => {
                const bytes = Buffer.concat(chunks);
                const json = /json/.test(response.headers['content-type']) ? JSON.parse(bytes) : undefined;
                done({ status: response.statusCode, headers: response.headers, body: bytes, json });
            });
        }).on('error', failed).end(payload);
    });
}

const session = '/api/v1/session';
const cookieOf = (answer) => answer.headers['set-cookie']?.[0].split(';')[0];
async function logIn(body = { token: server.token }) {
    const answer = await ask('POST', session, { body });
    assert.equal(answer.status, 204, String(answer.body));
    return cookieOf(answer);
}
const own = (Cookie, headers = {}) => ({ headers: { Cookie, 'X-Dfota-Console': '1', ...headers } });

describe('files', () => {
    const gzip = { headers: { 'Accept-Encoding': 'br, gzip;q=0.8' } };
    let index, assets;
    before(async () => {
        index = await ask('GET', '/console/');
        assets = [...String(index.body).matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)].map((match) => match[1]);
        assert.ok(assets.length >= 3, String(index.body));
    });

    test('every page of the console is the index, and a missing file is 404', async () => {
        for (const path of ['/console/devices', '/console/devices?filter=a.b', '/console/a/b/c', '/console/index.html'])
            assert.deepEqual((await ask('GET', path)).body, index.body, path);
        for (const path of ['/console/x.js', '/console/assets/index.js', '/console/../dfota.db', '/console/%2e%2e%2fdfota.db'])
            assert.equal((await ask('GET', path)).status, 404, path);
        for (const path of ['/', '/console']) {
            const { status, headers } = await ask('GET', path);
            assert.deepEqual([status, headers.location], [302, '/console/'], path);
        }
    });
    test('each answer has the headers that keep other sites out', async () => {
        for (const path of ['/', '/console/', '/console/x.js', assets[0]]) {
            const { headers } = await ask('GET', path);
            const policy = headers['content-security-policy'];
            for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"])
                assert.ok(policy.includes(rule), `${path}: ${policy}`);
            assert.doesNotMatch(policy, /unsafe|\*|http/);
            assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy'], headers['cross-origin-opener-policy']],
                ['nosniff', 'no-referrer', 'same-origin']);
            assert.ok(headers['permissions-policy']);
        }
    });
    test('hashed names are kept for a year, the index is asked for again', async () => {
        assert.equal(index.headers['cache-control'], 'no-cache');
        for (const path of assets)
            assert.equal((await ask('GET', path)).headers['cache-control'], 'public, max-age=31536000, immutable');
    });
    test('the bytes come compressed or plain, with a tag of their own', async () => {
        for (const path of ['/console/', ...assets]) {
            const plain = await ask('GET', path), packed = await ask('GET', path, gzip);
            assert.deepEqual([plain.headers['content-encoding'], packed.headers['content-encoding']], [undefined, 'gzip']);
            assert.ok(gunzipSync(packed.body).equals(plain.body), path);
            for (const { headers, body } of [plain, packed]) {
                assert.equal(headers.etag, `"${createHash('sha256').update(body).digest('hex')}"`);
                assert.equal(headers.vary, 'Accept-Encoding');
            }
            for (const refusal of ['gzip;q=0', 'gzip; q=0.000', 'identity', 'xgzip'])
                assert.equal((await ask('GET', path, { headers: { 'Accept-Encoding': refusal } })).headers['content-encoding'], undefined, refusal);
        }
    });
    test('a conditional GET is answered without the bytes, HEAD like GET', async () => {
        const { headers: { etag } } = await ask('GET', '/console/', gzip);
        for (const known of [etag, `"x", W/${etag}`, '*']) {
            const { status, body, headers } = await ask('GET', '/console/', { headers: { ...gzip.headers, 'If-None-Match': known } });
            assert.deepEqual([status, body.length, headers.etag], [304, 0, etag], known);
        }
        assert.equal((await ask('GET', '/console/', { headers: { 'If-None-Match': etag } })).status, 200); // that of the compressed bytes
        const head = await ask('HEAD', '/console/');
        assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, String(index.body.length)]);
    });
    test('the first view is below 150 KB, compressed', async () => {
        const sizes = await Promise.all(['/console/', ...assets].map(async (path) => (await ask('GET', path, gzip)).body.length));
        const sum = sizes.reduce((a, b) => a + b);
        assert.ok(sum > 5_000 && sum < 150_000, `${sum} bytes`);
    });
    test('the licences of the packages are there', async () => {
        const { headers, body } = await ask('GET', '/console/licences.txt');
        assert.match(headers['content-type'], /^text\/plain/);
        assert.match(String(body), /^preact [\d.]+ \(MIT\)\n\nThe MIT License/m);
    });
    test('the listener of the devices does not have the console', async () => {
        for (const path of ['/', '/console/'])
            await new Promise((done) => http.get({ ...server.device, path, agent: false }, (response) => {
                assert.ok(response.statusCode >= 400, path);
                response.resume().on('end', done);
            }));
    });
});

describe('a session', () => {
    test('begins with a token, and ends when its owner logs out', async () => {
        const answer = await ask('POST', session, { body: { token: server.token } });
        assert.match(answer.headers['set-cookie'][0], /^dfota_session=[0-9a-f]{64}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
        const cookie = cookieOf(answer);
        const { json } = await ask('GET', session, { headers: { Cookie: `other=1; ${cookie}` } });
        const hash = createHash('sha256').update(server.token).digest('hex');
        assert.deepEqual([json.login, json.token, json.ends_at > Date.now() + 11 * 3_600_000], ['session', hash.slice(0, 8), true]);
        assert.equal((await ask('GET', '/api/v1/status', { headers: { Cookie: cookie } })).status, 200);
        const out = await ask('DELETE', session, own(cookie));
        assert.equal(out.status, 204);
        assert.match(out.headers['set-cookie'][0], /^dfota_session=; .*Max-Age=0/);
        assertProblem(await ask('GET', '/api/v1/status', { headers: { Cookie: cookie } }), 401, 'unauthorized');
        assert.equal((await ask('GET', session, { headers: { Cookie: cookie } })).json.login, 'none');
    });
    test('says who is logged in, also to strangers and to a token', async () => {
        assert.deepEqual((await ask('GET', session)).json, { login: 'none', token: null, name: null, scope: null, product: null, since: null, since_time: null, ends_at: null, ends_time: null });
        assert.equal((await server.admin('GET', '/session')).json.login, 'token');
        assertProblem(await server.admin('GET', '/session', null, { token: 'wrong' }), 401, 'unauthorized');
    });
    test('is refused for a wrong token, which the log tells', async () => {
        for (const body of [{ token: 'wrong' }, { token: '' }, { code: 'f'.repeat(64) }]) {
            const answer = await ask('POST', session, { body });
            assertProblem(answer, 401, 'unauthorized');
            assert.equal(answer.headers['set-cookie'], undefined);
        }
        for (const body of [{}, { token: 'a', code: 'b' }, { token: 1 }])
            assertProblem(await ask('POST', session, { body }), 422, 'invalid');
        assertProblem(await ask('POST', session, { body: { token: server.token, more: 1 } }), 400, 'bad-request');
        const lines = await server.logged('login-refused', 3);
        assert.ok(lines.every(({ peer, reason }) => peer && ['token', 'code'].includes(reason)));
        assert.doesNotMatch(server.logText, new RegExp(server.token));
    });
    test('outlives a restart, and only its hash is in the database', async () => {
        const cookie = await logIn();
        const secret = cookie.split('=')[1];
        await server.restart();
        assert.equal((await ask('GET', session, { headers: { Cookie: cookie } })).json.login, 'session');
        const dump = execFileSync('sqlite3', ['-readonly', join(server.dataDir, 'dfota.db'), '.dump session'], { encoding: 'utf8' });
        assert.ok(dump.includes(createHash('sha256').update(secret).digest('hex')), dump);
        assert.ok(!dump.includes(secret));
    });
    test('ends with its token, and after seven days', async () => {
        const [gone, old, good] = [await logIn(), await logIn(), await logIn()];
        const hash = (cookie) => createHash('sha256').update(cookie.split('=')[1]).digest('hex');
        await server.stop();
        execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), `UPDATE session SET token_sha256 = zeroblob(32) WHERE sha256 = x'${hash(gone)}';
            UPDATE session SET expires_ms = ${Date.now() - 1000} WHERE sha256 = x'${hash(old)}';`]);
        await server.start();
        for (const [cookie, login] of [[gone, 'none'], [old, 'none'], [good, 'session']])
            assert.equal((await ask('GET', session, { headers: { Cookie: cookie } })).json.login, login);
    });
    test('makes room: the one that was unused the longest ends', async () => {
        const first = await logIn();
        await ask('GET', session, { headers: { Cookie: first } });
        let second = null;
        for (let i = 0; i < 256; i++) {
            const cookie = await logIn();
            second ??= cookie;
            if (i % 50 === 0)
                await ask('GET', session, { headers: { Cookie: first } });
        }
        assert.equal((await ask('GET', session, { headers: { Cookie: first } })).json.login, 'session');
        assert.equal((await ask('GET', session, { headers: { Cookie: second } })).json.login, 'none');
    });
    test('is Secure when the page came over TLS', async () => {
        const headers = { Host: 'fota.example', Origin: 'https://fota.example' };
        assert.match((await ask('POST', session, { headers, body: { token: server.token } })).headers['set-cookie'][0], /; Secure$/);
    });
    test('is named in the ledger like its token', async () => {
        const cookie = await logIn();
        const { status } = await ask('POST', '/api/v1/products?by=Li', { ...own(cookie), body: { name: 'Pumps', product_key: 'by-session' } });
        assert.equal(status, 201);
        const { json } = await server.admin('GET', '/ledger?kind=product-added');
        const { by } = json.items.at(-1).detail;
        assert.deepEqual([by.name, by.token], ['Li', createHash('sha256').update(server.token).digest('hex').slice(0, 8)]);
    });
});

describe('another site', () => {
    const add = (cookie, headers) => ask('POST', '/api/v1/products', { headers: { Cookie: cookie, ...headers }, body: { name: 'x' } });
    const host = () => `${server.adminAddress.host}:${server.adminAddress.port}`;
    let cookie;
    before(async () => { cookie = await logIn(); });

    test('cannot change anything with the cookie', async () => {
        const header = { 'X-Dfota-Console': '1' };
        for (const headers of [{}, { 'X-Dfota-Console': '0' }, { ...header, 'Sec-Fetch-Site': 'cross-site' }, { ...header, 'Sec-Fetch-Site': 'same-site' },
            { ...header, 'Sec-Fetch-Site': 'none' }, { ...header, Origin: 'http://evil.example' }, { ...header, Origin: 'null' },
            { ...header, Origin: `http://${host()}.evil.example` }])
            assertProblem(await add(cookie, headers), 403, 'forbidden');
        for (const headers of [header, { ...header, 'Sec-Fetch-Site': 'same-origin' }, { ...header, Origin: `http://${host()}` },
            { ...header, 'Sec-Fetch-Site': 'same-origin', Origin: 'https://fota.example' }]) // behind a proxy
            assert.equal((await add(cookie, headers)).status, 201);
    });
    test('cannot log a browser in', async () => {
        for (const headers of [{ Origin: 'http://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }])
            assertProblem(await ask('POST', session, { headers, body: { token: server.token } }), 403, 'forbidden');
    });
    test('a token needs no header, and decides when both are sent', async () => {
        const token = { Authorization: `Bearer ${server.token}` };
        assert.equal((await ask('POST', '/api/v1/products', { headers: { ...token, Origin: 'http://evil.example' }, body: { name: 'x' } })).status, 201);
        assert.equal((await add('dfota_session=0', token)).status, 201);
        for (const Authorization of ['Bearer wrong', 'Basic eDp4', 'Bearer'])
            assertProblem(await add(cookie, { 'X-Dfota-Console': '1', Authorization }), 401, 'unauthorized');
    });
});

describe('a one-time login', () => {
    test('works once', async () => {
        const { json } = await server.admin('POST', '/session/once', null, { expect: 201 });
        assert.equal(json.url, `/console/#code=${json.code}`);
        const cookie = await logIn({ code: json.code });
        assert.equal((await ask('GET', '/api/v1/status', { headers: { Cookie: cookie } })).status, 200);
        assertProblem(await ask('POST', session, { body: { code: json.code } }), 401, 'unauthorized');
        assertProblem(await ask('POST', `${session}/once`, own(cookie)), 403, 'forbidden');
        assertProblem(await ask('POST', `${session}/once`), 401, 'unauthorized');
    });
    test('dfotactl console prints it', async () => {
        const url = `http://${server.adminAddress.host}:${server.adminAddress.port}`;
        const { out, status } = await run(['console', '--url', `${url}/`], { env: { DFOTA_TOKEN: server.token } });
        assert.equal(status, 0);
        const [, code] = new RegExp(`^${url}/console/#code=([0-9a-f]{64})\n$`).exec(out);
        await logIn({ code });
        assert.doesNotMatch(server.logText, new RegExp(code));
    });
});
