// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The admin API as HTTP: headers that come twice, times as texts, ranges of files, and pages of other origins.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { poll, sha256 } from './lib/module.mjs';
import { Scene, adminExchange, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { takeTimes, textKey } from './lib/times.mjs';
import { exchange } from './lib/wire.mjs';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'dfota-http-'));
let server, scene, base;

before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server);
    await scene.makePackage();
    base = `http://${server.adminAddress.host}:${server.adminAddress.port}/api/v1`;
});
after(async () => {
    await server.dispose();
    rmSync(dir, { recursive: true, force: true });
});

const ask = (path, headers = {}, method = 'GET') => server.admin(method, path, null, { headers });

describe('a header that decides', () => {
    test('is refused when it is there twice, also with the same value', async () => {
        const bearer = `Authorization: Bearer ${server.token}`;
        const twice = [
            [bearer, bearer], [bearer, 'authorization: Bearer wrong'], [bearer, 'AUTHORIZATION:'],
            ...['Content-Type: application/json', 'Content-Encoding: identity', 'If-Match: *', 'If-None-Match: "a"', 'If-Range: "a"', 'Origin: https://a', 'Cookie: a=b',
                'Idempotency-Key: a', 'X-Dfota-Console: 1', 'Sec-Fetch-Site: none', 'Last-Event-ID: 1', 'Range: bytes=0-', 'Host: other', 'Content-Length: 0',
                'Content-Digest: a', 'Repr-Digest: a'].map((line) => [bearer, line, line]),
        ];
        for (const lines of twice)
            assertProblem(await adminExchange(server, 'GET', '/products', { token: null, lines }), 400, 'bad-request');
        const { json } = await adminExchange(server, 'GET', '/products', { token: null, lines: [bearer, bearer] });
        assert.equal(json.detail, 'there are two Authorization headers');
    });

    test('is refused before the token is looked at: nothing is a failed login', async () => {
        const failed = server.log('login-refused').length;
        const lines = ['Authorization: Bearer wrong', 'Authorization: Bearer wrong'];
        assertProblem(await adminExchange(server, 'GET', '/status', { token: null, lines }), 400, 'bad-request');
        assert.equal(server.log('login-refused').length, failed);
    });

    test('lists that come in parts are read as one', async () => {
        const { module, link } = await scene.linkedModule();
        assert.ok(link.url);
        const lines = ['Accept: application/json', 'Accept: text/csv', 'Content-Type: text/csv'];
        const answer = await adminExchange(server, 'POST', scene.path('/links'), { lines, body: `${module.id}\n` });
        assert.match(answer.header('content-type'), /^text\/csv/);
    });

    test('is no concern of modules: what they send twice is accepted as before', async () => {
        const module = scene.module();
        const answer = await module.ask({ lines: ['Authorization: a', 'Authorization: b', 'Content-Type: a', 'Content-Type: b', 'Cookie: a', 'Cookie: a'] });
        assert.equal(answer.status, 200);
    });
});

describe('times', () => {
    const raw = async (path) => JSON.parse((await server.admin('GET', path, null, { expect: 200 })).body);

    test('have a text beside them in each kind of answer, null beside null', async () => {
        const { module, link } = await scene.linkedModule();
        await module.ask();
        assert.ok(link.created_at === undefined || link.created_time === undefined);
        await server.admin('POST', '/webhooks', { name: 'hook', url: 'http://127.0.0.1:9/' }, { expect: 201 });
        await server.admin('POST', '/session/once', null, { expect: 201 });
        await server.admin('POST', scene.path('/campaigns'), { name: 'spring', target: '1002' }, { expect: 201 });
        const paths = ['/status', '/overview', '/campaigns', '/products', `/products/${scene.product}`, `/products/${scene.product}/firmware`, scene.path(), scene.path('/campaigns'),
            scene.path('/campaigns/spring'), scene.path('/campaigns/spring/devices'), scene.path('/images'), scene.path('/images/1001'), scene.path('/matrix'), scene.path('/queue'),
            scene.path('/packages'), scene.path('/packages/1001/1002'), scene.path('/versions'), scene.path('/missing-bases'), scene.path('/outcomes'),
            scene.path('/paths?from=1001&to=1002'),
            `/products/${scene.product}/devices`, scene.deviceAdminPath(module), scene.deviceAdminPath(module, '/check-ins'), scene.deviceAdminPath(module, '/transcripts'),
            `/products/${scene.product}/explain?device=${module.id}`, `/products/${scene.product}/secrets`, '/unknown', '/webhooks', '/webhooks/1', '/webhooks/1/events', '/ledger',
            '/ledger/head', '/tokens', '/tokens/1', '/session'];
        for (const path of paths)
            await server.admin('GET', path, null, { expect: 200 }); // it checks the texts
        for (const key of ['at', 'created_at', 'uploaded_at', 'expires_at', 'now', 'since', 'last_seen_at', 'old_secret_until', 'state_since', 'day'])
            assert.ok(server.times.get(key) > 0, `no answer with ${key}`);
        const token = await raw('/tokens/1');
        assert.equal(token.created_time, new Date(token.created_at).toISOString());
        assert.deepEqual([token.expires_at, token.expires_time, token.old_secret_until_time], [null, null, null]);
        assert.deepEqual(Object.keys(token).filter((key) => /^created/.test(key)), ['created_at', 'created_time', 'created_by'].filter((key) => key in token), 'it follows its time');
        const { items: [row] } = await raw('/ledger?limit=1');
        assert.equal(row.time, new Date(row.at).toISOString());
    });

    test('are not added where bytes are hashed or signed', async () => {
        const { items } = await raw('/ledger');
        assert.ok(!items.some(({ detail }) => /_time"/.test(JSON.stringify(detail))));
        const sbom = '{"bomFormat":"CycloneDX","specVersion":"1.5","created_at":1790000000000}';
        await server.admin('PUT', scene.path('/images/1001/sbom'), sbom, { headers: { 'Content-Type': 'application/json' }, expect: 200 });
        assert.equal(String((await ask(scene.path('/images/1001/sbom'))).body), sbom);
        const evidence = await ask(scene.path('/campaigns/spring/evidence'));
        assert.equal(evidence.status, 200);
        assert.doesNotMatch(String(evidence.body), /"(made_|created_)?time"/);
        const manifest = await ask('/backup', {}, 'POST');
        assert.equal(manifest.status, 200);
        assert.doesNotMatch(String(manifest.body), /"(made_)?time"/);
    });

    test('are in the data of events', async () => {
        const { seq } = await raw('/ledger/head');
        const text = `GET /api/v1/events?after=${seq - 1} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${server.token}\r\n\r\n`;
        const { body } = await exchange({ address: server.adminAddress, segments: [Buffer.from(text)], cutAfter: 200 });
        const data = /^data: (.*)$/m.exec(String(body));
        assert.ok(data, String(body));
        const row = JSON.parse(data[1]);
        assert.equal(row.time, new Date(row.at).toISOString());
        assert.equal(takeTimes(row).time, undefined);
    });

    test('rule of the names', () => {
        const names = { at: 'time', created_at: 'created_time', since: 'since_time', day: 'day_time', old_secret_until: 'old_secret_until_time', now: 'now_time', days: null, format: null, first: null };
        for (const [key, text] of Object.entries(names))
            assert.equal(textKey(key), text);
    });

    test('are taken as milliseconds and as RFC 3339', async () => {
        const at = Date.now() + 86_400_000;
        const second = Math.floor(at / 1000) * 1000;
        const iso = new Date(second).toISOString();
        const offset = `${new Date(second + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
        for (const [n, given] of [second, iso, iso.replace('.000Z', 'z'), offset, offset.replace('T', ' ')].entries()) {
            const { json } = await server.admin('POST', '/tokens', { name: `t${n}`, scope: 'read', expires_at: given }, { expect: 201 });
            assert.equal(json.expires_at, second, String(given));
            const { json: rotated } = await server.admin('POST', `/tokens/${json.token}/rotate`, { expires_at: given }, { expect: 200 });
            assert.equal(rotated.expires_at, second);
        }
        const { items } = await raw('/ledger?limit=1000');
        const middle = items[Math.floor(items.length / 2)];
        const texts = [String(middle.at), middle.time, middle.time.replace('Z', '%2B00:00')];
        const found = await Promise.all(texts.map(async (text) => (await raw(`/ledger?limit=1000&since=${text}&until=${text}`)).items));
        assert.ok(found[0].some(({ seq }) => seq === middle.seq) || found[0].length === 0);
        assert.deepEqual(found[1], found[0]);
        assert.deepEqual(found[2], found[0]);
    });

    test('are refused with a sentence', async () => {
        const wrong = {
            '2026-11-22T10:00:00': /needs an offset from UTC: end it with Z, or with one like \+08:00/,
            '2026-11-22T10:00:00+8': /wrong offset/,
            '2026-11-31T10:00:00Z': /does not exist/,
            '2026-02-29T10:00:00Z': /does not exist/,
            '2026-11-22T24:00:00Z': /does not exist/,
            '2026-11-22T10:00:60Z': /does not exist/,
            '1999-12-31T23:59:59Z': /before the year 2000 or after 2199/,
            '2200-01-01T00:00:00Z': /before the year 2000 or after 2199/,
            '1790000000': /looks like seconds/,
            yesterday: /takes a time like 2026-11-22T10:00:00Z/,
        };
        for (const [text, sentence] of Object.entries(wrong)) {
            const query = await ask(`/ledger?since=${encodeURIComponent(text)}`);
            assertProblem(query, 400, 'bad-request');
            assert.match(query.json.detail, sentence);
            assert.match(query.json.detail, /^since: /);
            const body = await server.admin('POST', '/ledger/prune', { before: /^\d+$/.test(text) ? Number(text) : text });
            assertProblem(body, 422, 'invalid');
            assert.match(body.json.detail, sentence);
        }
        assertProblem(await server.admin('POST', '/ledger/prune', { before: null }), 422, 'invalid');
        assertProblem(await server.admin('POST', '/ledger/prune', { before: 1.5 }), 422, 'invalid');
        assertProblem(await server.admin('POST', '/ledger/prune', { before: '2100-01-01T00:00:00Z' }), 422, 'invalid');
        assert.equal((await ask('/ledger?since=2016-12-31T23:59:60Z')).status, 200, 'a leap second');
    });
});

describe('files', () => {
    let contents;
    const programs = { curl: null, wget: null };

    before(async () => {
        const image = scene.images.get('1001');
        const sbom = Buffer.from('{"bomFormat":"CycloneDX","specVersion":"1.5"}');
        await server.admin('PUT', scene.path('/images/1001/sbom'), sbom, { headers: { 'Content-Type': 'application/json' }, expect: 200 });
        await server.admin('POST', '/backup', null, { expect: 200 });
        contents = [
            [scene.path('/images/1001/content'), image], [scene.path('/packages/1001/1002/content'), await scene.content()],
            [scene.path('/images/1001/sbom'), sbom], [`/backup/files/${sha256(image)}`, image],
        ];
        for (const name of Object.keys(programs))
            programs[name] = await run(name, ['--version']).then(() => true, () => false);
    });

    test('have an ETag, which is their SHA-256, and are 304 for a client that has them', async () => {
        for (const [path, bytes] of contents) {
            const whole = await ask(path);
            const etag = `"${sha256(bytes)}"`;
            assert.deepEqual([whole.status, whole.headers.etag, whole.headers['accept-ranges']], [200, etag, 'bytes']);
            assert.ok(whole.body.equals(bytes));
            for (const known of [etag, `W/${etag}`, `"a", ${etag}`, '*']) {
                const answer = await ask(path, { 'If-None-Match': known });
                assert.deepEqual([answer.status, answer.headers.etag, answer.body.length], [304, etag, 0], known);
                assert.equal(answer.headers['content-length'], String(bytes.length), 'the length is that of the whole');
            }
            assert.equal((await ask(path, { 'If-None-Match': '"a"' })).status, 200);
        }
    });

    test('are sent in one range', async () => {
        for (const [path, bytes] of contents) {
            const n = bytes.length;
            for (const [range, first, end] of [['bytes=0-', 0, n], ['bytes=5-9', 5, 10], [`bytes=${n - 1}-`, n - 1, n], ['bytes=-7', n - 7, n], [`bytes=-${n + 5}`, 0, n],
                [`bytes=3-${n + 99}`, 3, n], ['BYTES=1-1', 1, 2]]) {
                const part = await ask(path, { Range: range });
                assert.deepEqual([part.status, part.headers['content-range'], part.headers['content-length']], [206, `bytes ${first}-${end - 1}/${n}`, String(end - first)], range);
                assert.ok(part.body.equals(bytes.subarray(first, end)), range);
            }
            for (const range of ['bytes=0-1,4-5', 'bytes=9-5', 'bytes=', 'bytes=a-b', 'bytes=-', 'items=0-1', 'bytes 0-1', 'bytes=1', 'bytes=0x1-', 'bytes=99999999999999999999-']) {
                const whole = await ask(path, { Range: range });
                assert.equal(whole.status, 200, range);
                assert.ok(whole.body.equals(bytes));
            }
            for (const range of [`bytes=${n}-`, 'bytes=999999999999-', 'bytes=-0']) {
                const none = await ask(path, { Range: range });
                assertProblem(none, 416, 'range');
                assert.equal(none.headers['content-range'], `bytes */${n}`);
            }
            const head = await ask(path, { Range: 'bytes=5-9' }, 'HEAD');
            assert.deepEqual([head.status, head.headers['content-length']], [200, String(n)], 'a range is for GET only');
        }
    });

    test('are sent whole when If-Range is about other bytes', async () => {
        for (const [path, bytes] of contents) {
            const etag = `"${sha256(bytes)}"`;
            for (const [condition, status] of [[etag, 206], ['"a"', 200], [`W/${etag}`, 200], ['Sun, 06 Nov 1994 08:49:37 GMT', 200]])
                assert.equal((await ask(path, { Range: 'bytes=2-', 'If-Range': condition })).status, status, condition);
        }
    });

    test('curl -r, curl -C - and wget -c resume', async (t) => {
        const [path, bytes] = contents[0];
        const authorization = `Authorization: Bearer ${server.token}`;
        const file = join(dir, 'image.bin');
        for (const [name, words] of [['curl', ['-sSf', '-C', '-', '-o', file, '-H', authorization]], ['wget', ['-q', '-c', '-O', file, `--header=${authorization}`]]]) {
            if (!programs[name]) {
                t.diagnostic(`no ${name}`);
                continue;
            }
            for (const have of [0, 1, 5000, bytes.length - 1]) {
                writeFileSync(file, bytes.subarray(0, have));
                await run(name, [...words, `${base}${path}`]);
                assert.ok(readFileSync(file).equals(bytes), `${name} from ${have}`);
            }
        }
        if (programs.curl) {
            const { stdout } = await run('curl', ['-sSf', '-r', '10-19', '-H', authorization, `${base}${path}`], { encoding: 'buffer' });
            assert.ok(stdout.equals(bytes.subarray(10, 20)));
        }
        assert.ok(existsSync(file) || !programs.curl);
    });
});

describe('pages of other origins', () => {
    const origin = 'https://tools.example:8443';
    const preflight = (own, { from = origin, method = 'GET', path = '/products', lines = [] } = {}) => adminExchange(own, 'OPTIONS', path, {
        token: null, lines: [`Origin: ${from}`, `Access-Control-Request-Method: ${method}`, ...lines],
    });
    const crossing = ({ headers }) => headers.filter(({ name }) => /^(access-control-|vary)/i.test(name)).map(({ name }) => name);

    test('are not known by default: no header says anything about them', async () => {
        const answer = await adminExchange(server, 'GET', '/products', { lines: [`Origin: ${origin}`] });
        assert.deepEqual([answer.status, crossing(answer)], [200, []]);
        const asked = await preflight(server);
        assert.deepEqual([asked.status, crossing(asked)], [401, []]);
        const known = await adminExchange(server, 'OPTIONS', '/products', { lines: [`Origin: ${origin}`, 'Access-Control-Request-Method: GET'] });
        assert.deepEqual([known.status, crossing(known)], [405, []]);
    });

    test('may ask with a token when they are listed, without cookies, also after a reload', async (t) => {
        const own = await startServer(t, { config: { admin_cors_origins: `http://127.0.0.1:3000 ${origin}` } });
        const asked = await preflight(own, { method: 'PATCH' });
        assert.equal(asked.status, 204);
        assert.equal(asked.header('access-control-allow-origin'), origin);
        assert.match(asked.header('access-control-allow-methods'), /\bPATCH\b/);
        assert.match(asked.header('access-control-allow-headers'), /\bAuthorization\b.*\bIf-Match\b.*\bIdempotency-Key\b/);
        assert.doesNotMatch(asked.header('access-control-allow-headers'), /X-Dfota-Console/i, 'changes with a session stay impossible');
        for (const [path, token, status] of [['/products', own.token, 200], ['/products', null, 401], ['/nothing', own.token, 404]]) {
            const answer = await adminExchange(own, 'GET', path, { token, lines: [`Origin: ${origin}`] });
            assert.equal(answer.status, status);
            assert.equal(answer.header('access-control-allow-origin'), origin);
            assert.equal(answer.header('access-control-allow-credentials'), null);
            assert.equal(answer.header('vary'), 'Origin');
            for (const name of ['Link', 'X-Total-Count', 'Location', 'ETag', 'Retry-After', 'Idempotency-Replayed'])
                assert.ok(answer.header('access-control-expose-headers').split(', ').includes(name), name);
        }
        for (const from of ['https://tools.example', 'https://tools.example:8443.evil.example', 'http://tools.example:8443', 'null', 'https://TOOLS.example:8443', '']) {
            const foreign = await adminExchange(own, 'GET', '/products', { lines: [`Origin: ${from}`] });
            assert.deepEqual([foreign.status, crossing(foreign)], [200, ['Vary']], from);
            assert.equal((await preflight(own, { from })).status, 401, from);
        }
        const page = await adminExchange(own, 'GET', '/../../console/', { lines: [`Origin: ${origin}`] });
        assert.deepEqual(crossing(page).filter((name) => /^access/i.test(name) && page.status === 200), []);
        const stream = await exchange({ address: own.adminAddress, cutAfter: 1,
            segments: [Buffer.from(`GET /api/v1/events HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nAuthorization: Bearer ${own.token}\r\n\r\n`)] });
        assert.equal(stream.header('access-control-allow-origin'), origin);
    });

    test('that are no origins are refused at the start', async () => {
        for (const wrong of ['*', 'https://a/', 'https://a/path', 'a.example', 'https://A.example', 'https://a:443', 'http://a:80', 'https://a:0', 'https://', 'https://u@a', 'null', 'ftp://a']) {
            const { code, stderr } = await run(join(server.build, 'dfotad'), ['--data-dir', join(dir, 'none'), '--admin-cors-origins', wrong]).catch((error) => error);
            assert.notEqual(code, undefined, wrong);
            assert.match(stderr, /is not an origin: write https:\/\/HOST/, wrong);
        }
    });

    test('a reload takes the list', async (t) => {
        const file = join(dir, 'dfota.conf');
        writeFileSync(file, '');
        const own = await startServer(t, { config: { config: file } });
        assert.equal((await preflight(own)).status, 401);
        writeFileSync(file, `admin_cors_origins = ${origin}\n`);
        own.process.kill('SIGHUP');
        await poll('the origin is allowed', async () => (await preflight(own)).status === 204);
        writeFileSync(file, '');
        own.process.kill('SIGHUP');
        await poll('the origin is not allowed', async () => (await preflight(own)).status === 401);
    });
});
