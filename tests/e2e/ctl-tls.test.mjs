// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl over TLS and through a proxy: whom it trusts, what it sends to whom, and what it says when it does not trust.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { Authority } from './lib/certificate.mjs';
import { assertRun, run, token } from './lib/ctl.mjs';

let authority, good;
before(() => {
    authority = new Authority();
    good = authority.issue('good');
});

// An admin API with TLS; → {url, requests}.
async function serve(t, { cert = good, options = {}, answer = null } = {}) {
    const requests = [];
    const server = https.createServer({ cert: readFileSync(cert.cert), key: readFileSync(cert.key), ...options }, (request, response) => {
        requests.push(request);
        const { status = 200, headers = {} } = answer?.(request) ?? {};
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end('{"items":[]}');
    });
    server.on('tlsClientError', () => {});
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => { server.close(); server.closeAllConnections(); });
    return { url: `https://127.0.0.1:${server.address().port}`, port: server.address().port, requests };
}

const list = (url, options = [], env = {}) => run([...options, 'product', 'list'], { env: { DFOTA_URL: url, DFOTA_TOKEN: token, ...env } });

describe('the certificate of the server', () => {
    test('is accepted when --cacert or SSL_CERT_FILE names who signed it', async (t) => {
        const { url, requests } = await serve(t);
        assertRun(await list(url, ['--cacert', authority.file]), 0);
        assertRun(await list(url, [], { SSL_CERT_FILE: authority.file }), 0);
        assert.deepEqual(requests.map((request) => request.headers.authorization), [`Bearer ${token}`, `Bearer ${token}`]);
    });

    test('is accepted when ca of a profile names who signed it', async (t) => {
        const { url, requests } = await serve(t), home = join(authority.dir, 'home'), folder = join(home, '.config', 'dfota');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(home, 'my.token'), token, { mode: 0o600 });
        const write = (ca) => writeFileSync(join(folder, 'config.ini'), `[default]\nurl = ${url}\ntoken_file = ~/my.token\n${ca}`, { mode: 0o600 });
        const ask = (env = {}) => run(['product', 'list'], { env: { HOME: home, ...env } });
        write(`ca = ${authority.file}\n`);
        assertRun(await ask(), 0);
        assert.equal(requests.length, 1);
        write('');
        assertRun(await ask(), 3, { err: /certificate of the server is not accepted/ });
        assertRun(await ask({ SSL_CERT_FILE: authority.file }), 0);
        write(`ca = ${new Authority().file}\n`);
        assertRun(await run(['product', 'list', '--profile', 'default'], { env: { HOME: home, SSL_CERT_FILE: authority.file } }), 3, { err: /not accepted/ });
    });

    test('is refused in one clear sentence, and the token is not sent', async (t) => {
        const expired = authority.issue('expired', { days: -1 });
        const other = authority.issue('other', { names: 'DNS:other.example' });
        for (const [cert, options] of [[good, []], [good, ['--cacert', new Authority().file]], [expired, ['--cacert', authority.file]], [other, ['--cacert', authority.file]]]) {
            const { url, requests } = await serve(t, { cert });
            const result = await list(url, options);
            assertRun(result, 3, { err: /^dfotactl: the certificate of the server is not accepted, and nothing was sent: .*--cacert FILE.*\n$/ });
            assert.doesNotMatch(result.err, new RegExp(token));
            assert.equal(requests.length, 0);
        }
    });

    test('cannot be checked with a file that has none', async (t) => {
        const { url } = await serve(t);
        const empty = join(authority.dir, 'empty');
        writeFileSync(empty, 'nothing\n');
        for (const file of [empty, join(authority.dir, 'missing')])
            assertRun(await list(url, ['--cacert', file]), 2, { err: new RegExp(`cannot read PEM certificates from ${file}`) });
    });
});

test('TLS 1.1 is not spoken', async (t) => {
    const { url } = await serve(t, { options: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } });
    assertRun(await list(url, ['--cacert', authority.file]), 3, { err: /no TLS connection to the server/ });
});

test('a client certificate is shown to a server that asks for it', async (t) => {
    const client = authority.issue('client');
    const { url, requests } = await serve(t, { options: { ca: readFileSync(authority.file), requestCert: true, rejectUnauthorized: true } });
    assertRun(await list(url, ['--cacert', authority.file]), 3, { err: /the server asks for a client certificate: --cert FILE/ });
    assertRun(await list(url, ['--cacert', authority.file, '--cert', client.both]), 0);
    assertRun(await list(url, ['--cacert', authority.file, '--cert', client.cert, '--cert-key', client.key]), 0);
    assert.equal(requests.length, 2);
    assertRun(await list(url, ['--cacert', authority.file, '--cert', client.cert]), 2, { err: /cannot use the client certificate/ });
    assertRun(await list(url, ['--cert-key', client.key]), 2, { err: /--cert-key is the key of --cert, which is missing/ });
});

test('a redirect is not followed, so no other server gets the token', async (t) => {
    const thief = await serve(t);
    const { url } = await serve(t, { answer: () => ({ status: 302, headers: { Location: `${thief.url}/api/v1/products` } }) });
    assertRun(await list(url, ['--cacert', authority.file]), 3, { err: /answered 302/ });
    assert.equal(thief.requests.length, 0);
});

describe('a proxy', () => {
    // Answers everything itself; → {url, seen}: the targets of the requests.
    async function startProxy(t) {
        const seen = [];
        const proxy = http.createServer((request, response) => {
            seen.push(request.url);
            response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"items":[]}');
        });
        proxy.on('connect', (request, socket) => {
            seen.push(`CONNECT ${request.url} ${request.headers.authorization ?? 'no token'}`);
            socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        });
        await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
        t.after(() => { proxy.close(); proxy.closeAllConnections(); });
        return { url: `http://127.0.0.1:${proxy.address().port}`, seen };
    }

    test('comes from --proxy or the environment, except for hosts in no_proxy', async (t) => {
        const proxy = await startProxy(t);
        assertRun(await list('http://fota.example', ['--proxy', proxy.url]), 0);
        assertRun(await list('http://fota.example', [], { http_proxy: proxy.url }), 0);
        assertRun(await list('https://fota.example', [], { https_proxy: proxy.url }), 3, { err: /CONNECT tunnel failed/ });
        assert.deepEqual(proxy.seen, ['http://fota.example/api/v1/products?limit=1000', 'http://fota.example/api/v1/products?limit=1000', 'CONNECT fota.example:443 no token']);
        assertRun(await list('http://fota.invalid', [], { http_proxy: proxy.url, no_proxy: 'fota.invalid' }), 3, { err: /fota\.invalid/ });
        assert.equal(proxy.seen.length, 3);
    });

    test('is not used for this machine, unless --proxy says so', async (t) => {
        const proxy = await startProxy(t);
        const { url, requests } = await serve(t);
        assertRun(await list(url, ['--cacert', authority.file], { https_proxy: proxy.url }), 0);
        assert.deepEqual([requests.length, proxy.seen.length], [1, 0]);
        assertRun(await list(url, ['--proxy', proxy.url]), 3, { err: /CONNECT tunnel failed/ });
        assert.equal(proxy.seen.length, 1);
    });

    test('gets no password from the command line, which other users can read', async () => {
        const result = await list('http://fota.example', ['--proxy', 'http://li:hunter2@127.0.0.1:1']);
        assertRun(result, 2, { err: /set https_proxy in the environment/ });
        assert.doesNotMatch(result.err, /hunter2/);
    });
});
