// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The admin API: who may call it, what its errors look like, and the calls that no other file tests.

import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { nextImei, poll, sha256 } from './lib/module.mjs';
import { Scene, adminExchange, assertProblem, listFiles } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

let server, scene, device;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: '1002' });
    device = scene.module();
    await device.ask();
});
after(() => server?.dispose());

// Every path of the API: [methods, path].
function routes() {
    const [p, f, d] = [`/products/${scene.product}`, scene.path(), scene.deviceAdminPath(device)];
    return [
        ['GET', '/status'], ['GET', '/campaigns'], ['GET POST', '/products'], ['GET PATCH DELETE', p], ['GET', `${p}/firmware`], ['GET PATCH DELETE', f], ['PUT DELETE', `${f}/target`],
        ['GET', `${f}/missing-bases`], ['POST', `${p}/images`], ['GET', `${f}/images`], ['GET PUT PATCH DELETE', `${f}/images/1001`],
        ['GET', `${f}/images/1001/content`], ['GET', `${f}/matrix`], ['GET', `${f}/queue`], ['GET', `${f}/packages`], ['GET POST PUT DELETE', `${f}/packages/1001/1002`],
        ['GET', `${f}/packages/1001/1002/content`], ['POST DELETE', `${f}/packages/1001/1002/release`],
        ['GET POST', `${p}/devices`], ['GET PATCH DELETE', d], ['POST', `${d}/retire`], ['POST', `${d}/restore`], ['POST', `${d}/admit`],
        ['POST', `${d}/replace`], ['POST', `${d}/unblock`], ['POST DELETE', `${d}/claim`], ['POST', `${d}/link`],
        ['POST', `${f}/links`], ['DELETE', `${d}/links`], ['GET DELETE', `${d}/links/1`], ['GET DELETE', '/unknown'], ['DELETE', '/unknown/1'],
    ].map(([methods, path]) => ({ methods: methods.split(' '), path }));
}

// One address may fail ten times at once: then 429 (tokens.test.mjs).
function assertRefused(answer, name) {
    if (answer.status === 429)
        return assertProblem(answer, 429, 'too-many-attempts');
    assertProblem(answer, 401, 'unauthorized');
    assert.match(answer.headers['www-authenticate'], /^Bearer\b/, name);
}

describe('without the right token no path is open', () => {
    const wrong = {
        'no Authorization': { token: null },
        'another token': { token: 'x'.repeat(43) },
        'an empty token': { headers: { Authorization: 'Bearer ' } },
        'another scheme': { headers: { Authorization: 'Basic dXNlcjpwYXNz' } },
    };
    for (const [name, options] of Object.entries(wrong)) {
        test(`with ${name}`, async () => {
            const paths = [...routes(), { methods: ['GET', 'POST'], path: '/no/such/path' }];
            for (const { methods, path } of paths) {
                for (const method of methods) {
                    const answer = await server.admin(method, path, null, options);
                    assertRefused(answer, `${method} ${path}`);
                }
            }
        });
    }
    test('with a part of the token, and with a longer text', async () => {
        for (const token of [server.token.slice(0, -1), `${server.token}x`, server.token.toUpperCase() + '0'])
            assertRefused(await server.admin('GET', '/status', null, { token }));
    });
    test('and the call changes nothing', async () => {
        await server.admin('DELETE', scene.path('/target'), null, { token: null });
        assert.equal((await server.admin('GET', scene.path(), null, { expect: 200 })).json.target, '1002');
    });
});

describe('a wrong method is refused with 405 and Allow', () => {
    test('on every path', async () => {
        for (const { methods, path } of routes()) {
            for (const method of ['PUT', 'PATCH', 'DELETE', 'POST'].filter((m) => !methods.includes(m)).slice(0, 2)) {
                const answer = await server.admin(method, path);
                assertProblem(answer, 405, 'method-not-allowed');
                const allowed = answer.headers.allow.split(/, */);
                for (const one of methods)
                    assert.ok(allowed.includes(one), `${method} ${path}: Allow: ${answer.headers.allow}`);
                assert.ok(!allowed.includes(method));
            }
        }
    });
});

describe('an error is a problem document with its own code:', () => {
    const f = (rest = '') => scene.path(rest);
    const json = (text) => Buffer.from(text);
    const type = { headers: { 'Content-Type': 'application/json' } };
    const cases = {
        'no such path': () => ['GET', '/nothing', null, 404, 'not-found'],
        'a path with something behind it': () => ['GET', '/status/more', null, 404, 'not-found'],
        'no such product': () => ['GET', '/products/nobody', null, 404, 'product-not-found'],
        'no such product, deeper': () => ['GET', '/products/nobody/firmware/x/images/1', null, 404, 'product-not-found'],
        'no such firmware': () => ['GET', `/products/${scene.product}/firmware/none`, null, 404, 'firmware-not-found'],
        'no such image': () => ['GET', f('/images/7'), null, 404, 'image-not-found'],
        'a target without image': () => ['PUT', f('/target'), { version: '7' }, 404, 'image-not-found'],
        'a package never asked for': () => ['GET', f('/packages/1002/1003'), null, 404, 'package-not-found'],
        'a package from nowhere': () => ['POST', f('/packages/7/1003'), null, 404, 'image-not-found'],
        'a package downwards': () => ['POST', f('/packages/1003/1002'), null, 422, 'not-an-upgrade'],
        'a package to itself': () => ['GET', f('/packages/1003/1003'), null, 422, 'not-an-upgrade'],
        'no such device': () => ['GET', `/products/${scene.product}/devices/imei:${nextImei()}`, null, 404, 'device-not-found'],
        'no device name': () => ['GET', `/products/${scene.product}/devices/imei:12`, null, 422, 'bad-device'],
        'an existing product': () => ['POST', '/products', { name: 'again', product_key: scene.product }, 409, 'product-exists'],
        'an unknown field': () => ['POST', '/products', { name: 'x', key: 'y' }, 400, 'bad-request'],
        'an unknown field of a firmware': () => ['PATCH', f(), { max_package_byte: 1 }, 400, 'bad-request'],
        'a field of the wrong type': () => ['PATCH', f(), { max_package_bytes: '491520' }, 422, 'invalid'],
        'a limit of 0': () => ['PATCH', f(), { max_package_bytes: 0 }, 422, 'invalid'],
        'a limit too large': () => ['PATCH', f(), { max_package_bytes: 1073741825 }, 422, 'invalid'],
        'an unknown format': () => ['PATCH', f(), { format: 'zip' }, 422, 'invalid'],
        'a missing field': () => ['PUT', f('/target'), {}, 422, 'invalid'],
        'a version that is none': () => ['PUT', f('/target'), { version: 'latest' }, 422, 'bad-version'],
        'broken JSON': () => ['PATCH', f(), json('{"format":'), 400, 'bad-json', type],
        'JSON with something behind it': () => ['PATCH', f(), json('{} x'), 400, 'bad-json', type],
        'JSON that is not UTF-8': () => ['POST', '/products', Buffer.from('{"name":"\xff"}', 'latin1'), 400, 'bad-json', type],
        'a name that is not UTF-8': () => ['GET', `/products/${scene.product}/firmware/%ff%fe`, null, 400, 'bad-name'],
        'a name with a control character': () => ['PUT', `/products/${scene.product}/firmware/a%0ab/images/1`, json('x'), 400, 'bad-name'],
        'a name with a NUL': () => ['GET', `/products/${scene.product}%00x`, null, 400, 'bad-name'],
        'a name too long': () => ['PUT', `/products/${scene.product}/firmware/${'x'.repeat(101)}/images/1`, json('x'), 400, 'bad-name'],
        'JSON too large': () => ['POST', '/products', { name: 'x'.repeat(70_000) }, 413, 'too-large'],
    };
    for (const [name, make] of Object.entries(cases)) {
        test(name, async () => {
            const [method, path, body, status, code, options] = make();
            assertProblem(await server.admin(method, path, body, options), status, code);
        });
    }
    test('an over-long URL and over-long headers', async () => {
        assertProblem(await adminExchange(server, 'GET', `/status?${'x'.repeat(300_000)}`), 414, 'uri-too-long');
        assertProblem(await adminExchange(server, 'GET', '/status', { lines: [`X-Pad: ${'x'.repeat(300_000)}`] }), 431, 'headers-too-large');
    });
    test('a request that two parsers could read differently', async () => {
        for (const lines of [['Content-Length: 2', 'Content-Length: 3'], ['Content-Length: 2', 'Transfer-Encoding: chunked'], ['Host: other'], ['X : y']]) {
            const answer = await adminExchange(server, 'POST', '/products', { lines, more: [Buffer.from('{}')] });
            assert.equal(answer.status, 400, lines.join());
            assert.notEqual(answer.closed, 'open');
        }
    });
});

test('every answer to a request that asks for it closes the connection', async () => {
    for (const [method, path] of [['GET', '/status'], ['GET', '/nothing'], ['GET', '/products'], ['HEAD', '/status']]) {
        const answer = await adminExchange(server, method, path);
        assert.equal(answer.header('connection'), 'close');
        assert.equal(answer.closed, 'fin');
    }
});

test('the admin listener does not serve devices, and the device listener does not serve the admin API', async () => {
    const answer = await server.admin('GET', '/products', null, { expect: 200 });
    assert.ok(answer.json.items.some((p) => p.product_key === scene.product));
    for (const target of ['/api/v1/status', '/api/v1/products'])
        assert.equal((await device.ask({ target, lines: [`Authorization: Bearer ${server.token}`] })).status, 404);
    const upside = scene.module();
    const { status } = await exchange({
        address: server.adminAddress, segments: [buildRequest(upside.target, { connection: 'close', lines: [`Authorization: Bearer ${server.token}`] })],
    });
    assert.equal(status, 404);
    assert.equal(await scene.record(upside), null);
});

describe('the token', () => {
    test('is written once, readable only by the owner; the data directory keeps only its hash', async (t) => {
        const own = await startServer(t);
        const file = join(own.dataDir, 'admin.token');
        assert.equal((await stat(file)).mode & 0o777, 0o600);
        assert.ok(own.token.length >= 32, 'long enough not to be guessed');
        await own.createProduct('before');
        await rm(file);
        await own.restart();
        await own.admin('GET', '/products/before', null, { expect: 200 });
        await assert.rejects(stat(file), { code: 'ENOENT' }, 'it is not written a second time');
        const forms = [own.token, Buffer.from(own.token).toString('base64'), Buffer.from(own.token).toString('hex')];
        const raw = /^[0-9a-f]{32,}$/i.test(own.token) ? [Buffer.from(own.token, 'hex')] : [];
        let hashed = false;
        for (const name of (await listFiles(own.dataDir)).keys()) {
            const bytes = await readFile(join(own.dataDir, name));
            for (const form of [...forms, ...raw])
                assert.ok(!bytes.includes(form), `${name} holds the token`);
            hashed ||= bytes.includes(sha256(own.token)) || bytes.includes(Buffer.from(sha256(own.token), 'hex'));
        }
        assert.ok(hashed, 'its SHA-256 is in the database');
        assert.ok(!own.logText.includes(own.token), 'the log holds the token');
    });

    test('differs from server to server', async (t) => {
        assert.notEqual((await startServer(t)).token, server.token);
    });
});

describe('the other calls:', () => {
    test('status counts', async () => {
        await scene.makePackage('1001', '1002');
        const { json } = await server.admin('GET', '/status', null, { expect: 200 });
        const { json: products } = await server.admin('GET', '/products');
        assert.equal(json.products, products.items.length);
        assert.ok(json.devices >= 1 && json.packages.ready >= 1 && json.uptime_ms >= 0);
        assert.match(json.version, /^\d+\.\d+\.\d+/);
        assert.deepEqual([json.limits.loop_guard_per_day, json.limits.max_transfers], [6, 0]);
        assert.deepEqual(Object.keys(json.packages).sort(), ['estimate_ms', 'failed', 'generating', 'quarantined', 'queued', 'ready']);
    });

    test('a product without a key gets one', async () => {
        const { json } = await server.admin('POST', '/products', { name: 'Dorfpumpen 水泵' }, { expect: 201 });
        assert.match(json.product_key, /^[0-9A-Za-z]{32}$/);
        assert.deepEqual((await server.admin('GET', `/products/${json.product_key}`, null, { expect: 200 })).json, json);
        assert.equal(json.name, 'Dorfpumpen 水泵');
    });

    test('devices are listed page by page', async () => {
        const own = await Scene.build(server);
        const modules = Array.from({ length: 7 }, () => own.module());
        for (const module of modules)
            await module.ask();
        const seen = [];
        let path = `/products/${own.product}/devices?limit=3`;
        let pages = 0;
        for (; path; pages += 1) {
            const { json, headers } = await server.admin('GET', path, null, { expect: 200 });
            assert.ok(json.items.length <= 3 && json.items.every((d) => d.attempts === undefined && d.links === undefined));
            seen.push(...json.items.map((d) => d.device));
            const next = /<([^>]+)>; *rel="next"/.exec(headers.link ?? '')?.[1];
            path = next && new URL(next, 'http://h/').pathname + new URL(next, 'http://h/').search;
        }
        assert.equal(pages, 3);
        assert.deepEqual(seen.sort(), modules.map((m) => m.id).sort());
        const narrowed = async (query) => (await server.admin('GET', `/products/${own.product}/devices?${query}`)).json.items.length;
        assert.equal(await narrowed('firmware=pump'), 7);
        assert.equal(await narrowed('firmware=other'), 0);
        assert.equal(await narrowed('notice=1'), 0);
    });

    test('a target is set and switched off', async () => {
        const own = await Scene.build(server, { target: null });
        assert.equal((await own.module().ask()).code, 27);
        assert.equal((await server.admin('PUT', own.path('/target'), { version: 'V1002' }, { expect: 200 })).json.target, '1002');
        assert.equal((await own.module().ask()).code, 43);
        const off = await server.admin('DELETE', own.path('/target'), null, { expect: 204 });
        assert.equal(off.body.length, 0);
        await server.admin('DELETE', own.path('/target'), null, { expect: 204 });
        assert.equal((await server.admin('GET', own.path())).json.target, null);
        assert.equal((await own.module().ask()).code, 27);
    });

    test('a firmware is changed field by field', async () => {
        const own = await Scene.build(server);
        assert.deepEqual((({ format, max_package_bytes }) => [format, max_package_bytes])(await own.set({ max_package_bytes: 1 })), ['bsdiff', 1]);
        assert.deepEqual((({ format, max_package_bytes }) => [format, max_package_bytes])(await own.set({ format: null })), [null, 1]);
        const { notice } = (await server.admin('GET', own.path())).json;
        assert.match(notice, /format/);
        assertProblem(await server.admin('PATCH', own.path(), { max_package_bytes: 2, format: 'zip' }), 422, 'invalid');
        assert.equal((await server.admin('GET', own.path())).json.max_package_bytes, 1, 'all of a change or none');
        for (const [format, most] of [['ec618-csdk', 491520], ['ec618-at', 491530], ['ec618-luatos', 491520]]) {
            assertProblem(await server.admin('PATCH', own.path(), { format, max_package_bytes: most + 1 }), 422, 'invalid');
            assert.equal((await own.set({ format, max_package_bytes: most })).max_package_bytes, most);
            assertProblem(await server.admin('PATCH', own.path(), { max_package_bytes: most + 1 }), 422, 'invalid');
            await own.set({ format: null, max_package_bytes: most + 1 });
            assertProblem(await server.admin('PATCH', own.path(), { format }), 422, 'invalid');
        }
        await own.set({ max_package_bytes: 1 });
    });

    test('a package is asked for, becomes ready and is downloaded', async () => {
        const own = await Scene.build(server, { versions: ['1', '2', '3'] });
        assert.equal((await server.admin('POST', own.path('/packages/1/3'), null, { expect: 202 })).json.from, '1');
        await poll('it is made', async () => (await own.package('1', '3')).state === 'ready');
        const made = (await server.admin('POST', own.path('/packages/V1/V3'), null, { expect: 200 })).json;
        assert.equal(sha256(await own.content('1', '3')), made.sha256);
        assert.ok(made.finished_at >= made.queued_at && made.duration_ms >= 0);
        assert.equal(made.crashes, 0);
    });
});
