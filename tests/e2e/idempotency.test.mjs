// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a creating call answers with: 201 with the Location of what was made. And Idempotency-Key: a call that is sent
// again gets the first answer and changes nothing, also after kill -9.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { firmwareImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer, stopsBuildDir } from './lib/server.mjs';

let server, scene;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server, { firmware: '水泵 1', versions: ['1001', '1002', '1003'] });
});
after(() => server?.dispose());

const csv = { 'Content-Type': 'text/csv' }, text = { 'Content-Type': 'text/plain' };
let keys = 0;
const newKey = () => `key-${keys += 1}`;
const imei = (n) => `imei:86659707${String(1000000 + n)}`;
// How many rows of the ledger are changes by an admin.
const changes = async () => (await server.admin('GET', '/ledger?limit=1000', null, { expect: 200 })).json.items.filter(({ detail }) => detail.by).length;

// The calls that create something: [what, path, body, headers].
function calls(n) {
    const product = `/products/${scene.product}`, device = `${product}/devices/${encodeURIComponent(imei(n))}`;
    return [
        ['a product', '/products', { name: `made ${n}`, product_key: `made-${n}` }],
        ['a product with a random key', '/products', { name: `random ${n}` }],
        ['a token', '/tokens', { name: `token ${n}`, scope: 'read' }],
        ['a webhook', '/webhooks', { name: `hook ${n}`, url: 'http://127.0.0.1:9/x', enabled: false }],
        ['a campaign', scene.path('/campaigns'), { name: `spring ${n} - ü`, target: '1003' }],
        ['a link', `${device}/link`, { version: '1001', firmware: scene.firmware }],
        ['a transcript', `${device}/transcripts`, `AT+CGMR\r\nAirM2M_780E_V${1000 + n}_LTE_AT\r\nOK\r\n`, text],
        ['a secret of a product', `${product}/secrets`, { value: `secret-of-product-${n}` }],
        ['a secret of a device', `${device}/secrets`, null],
    ];
}

describe('what was made', () => {
    const follow = async (answer) => {
        assert.equal(answer.status, 201, answer.body.toString());
        assert.match(answer.headers.location, /^\/api\/v1\/[!-~]+$/);
        return (await server.admin('GET', answer.headers.location, null, { expect: 200 })).json;
    };
    test('has an address that shows it', async () => {
        for (const [what, path, body, headers] of calls(1)) {
            const answer = await server.admin('POST', path, body, { headers });
            const shown = await follow(answer);
            for (const name of ['product_key', 'token', 'webhook', 'campaign', 'link', 'transcript', 'secret'])
                if (typeof answer.json[name] === 'number' || name === 'product_key')
                    assert.deepEqual(shown[name], answer.json[name], what);
        }
    });
    test('is the image or the package of an upload, once', async () => {
        const bytes = firmwareImage({ seed: 77, size: 16_000, revision: 1 });
        const put = () => server.admin('PUT', scene.path('/images/2001'), bytes);
        assert.equal((await follow(await put())).version, '2001');
        const again = await put();
        assert.deepEqual([again.status, again.headers.location], [200, undefined]);
        const named = await server.admin('POST', `/products/${scene.product}/images?filename=AirM2M_780E_V1138_LTE_AT.bin`,
            firmwareImage({ seed: 78, size: 16_000, revision: 1 }));
        assert.equal((await follow(named)).version, '1138');
        await server.admin('POST', scene.path('/packages/1001/1002'), null, { expect: 202 });
        await poll('the package is made', async () => (await server.admin('GET', scene.path('/packages/1001/1002'))).json.state === 'ready');
        const delta = (await server.admin('GET', scene.path('/packages/1001/1002/content'), null, { expect: 200 })).body;
        await server.admin('DELETE', scene.path('/packages/1001/1002'));
        assert.equal((await follow(await server.admin('PUT', scene.path('/packages/1001/1002?by=Ann'), delta))).from, '1001');
    });
    test('is a copy of a campaign, a new secret, a device that replaces another', async () => {
        const copied = await server.admin('POST', scene.path('/campaigns/spring%201%20-%20%C3%BC/copy'), { name: 'the copy' });
        assert.equal((await follow(copied)).name, 'the copy');
        const { json } = await server.admin('POST', `/products/${scene.product}/secrets`, null, { expect: 201 });
        const turned = await server.admin('POST', `/products/${scene.product}/secrets/${json.secret}/rotate`);
        assert.equal((await follow(turned)).value, turned.json.value);
        const device = (n) => `/products/${scene.product}/devices/${encodeURIComponent(imei(n))}`;
        const replaced = await server.admin('POST', `${device(1)}/replace`, { device: imei(50) });
        assert.equal((await follow(replaced)).device, imei(50).slice(5));
    });
    test('is shown without its secret to a token that may not see it', async () => {
        const reader = (await server.admin('POST', '/tokens', { name: 'reader', scope: 'read' }, { expect: 201 })).json.secret;
        const made = await server.admin('POST', `/products/${scene.product}/secrets`, { value: 'shown-to-operators-only' });
        const shown = await server.admin('GET', made.headers.location, null, { token: reader, expect: 200 });
        assert.doesNotMatch(shown.body.toString(), /shown-to-operators-only/);
        assertProblem(await server.admin('GET', `/products/${scene.product}/secrets/999999`), 404, 'secret-not-found');
        const path = `/products/${scene.product}/devices/${encodeURIComponent(imei(2))}`;
        const link = await server.admin('POST', `${path}/link`, { version: '1001', firmware: scene.firmware });
        const { json } = await server.admin('GET', link.headers.location, null, { token: reader, expect: 200 });
        assert.deepEqual([json.token, json.url], [null, null]);
        assertProblem(await server.admin('GET', `${path}/links/999999`), 404, 'link-not-found');
    });
});

describe('a call that is sent again with its key', () => {
    const send = (key, path, body = null, { headers = {}, ...options } = {}) =>
        server.admin('POST', path, body, { headers: { 'Idempotency-Key': key, ...headers }, ...options });

    test('gets the first answer, and changes nothing', async () => {
        const device = `/products/${scene.product}/devices/${encodeURIComponent(imei(10))}`;
        const secret = (await server.admin('POST', `/products/${scene.product}/secrets`, null, { expect: 201 })).json.secret;
        const token = (await server.admin('POST', '/tokens', { name: 'to rotate', scope: 'read' }, { expect: 201 })).json.token;
        const all = [
            ...calls(10),
            ['a new secret', `/products/${scene.product}/secrets/${secret}/rotate`],
            ['a token that gets a new secret', `/tokens/${token}/rotate`],
            ['links', scene.path('/links?version=1001'), `${imei(11)}\n${imei(12)}\n`, csv],
            ['links as CSV', scene.path('/links?version=1001'), `${imei(11)}\n`, { ...csv, Accept: 'text/csv' }],
            ['devices', `/products/${scene.product}/devices`, `device,tags,firmware\n${imei(13)},hall,${scene.firmware}\n`, csv],
            ['reports', scene.path('/reports'), `${imei(10)},1001\n`, csv],
            ['a request for a package', scene.path('/packages/1002/1003')],
            ['a request for a path', scene.path('/paths?from=1001&to=1003')],
            ['a copy', scene.path('/campaigns/spring%2010%20-%20%C3%BC/copy'), { name: 'copy 10' }],
            ['a start', scene.path('/campaigns/copy%2010/start?dry_run=1')],
            ['devices that are not blocked', `/products/${scene.product}/devices/unblock?firmware=${encodeURIComponent(scene.firmware)}`],
            ['a device that replaces another', `${device}/replace`, { device: imei(60) }],
        ];
        for (const [what, path, body, headers] of all) {
            const key = newKey();
            const first = await send(key, path, body, { headers });
            assert.ok(first.status < 300, `${what}: ${first.status} ${first.body}`);
            const before = await changes();
            const again = await send(key, path, body, { headers });
            assert.deepEqual([again.status, again.body.toString(), again.headers.location, again.headers['content-type'], again.headers['cache-control']],
                [first.status, first.body.toString(), first.headers.location, first.headers['content-type'], first.headers['cache-control']], what);
            assert.deepEqual([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']], [undefined, 'true'], what);
            assert.equal(await changes(), before, `${what}: the second call adds nothing to the ledger`);
        }
    });
    test('must be the same call', async () => {
        const key = newKey();
        await send(key, '/products?by=Ann', { name: 'once', product_key: 'once' }, { expect: 201 });
        const before = await changes();
        for (const [path, body] of [['/products?by=Ann', { name: 'twice', product_key: 'twice' }], ['/products', { name: 'once', product_key: 'once' }],
            ['/tokens?by=Ann', { name: 'once', product_key: 'once' }]])
            assertProblem(await send(key, path, body), 422, 'idempotency-key-reused');
        assert.equal(await changes(), before);
        assertProblem(await server.admin('GET', '/products/twice'), 404, 'product-not-found');
    });
    test('belongs to the token, whatever its secret, and to its sessions', async () => {
        const key = newKey();
        const [mine, other] = await Promise.all(['mine', 'other'].map(async (name) => (await server.admin('POST', '/tokens', { name, scope: 'admin' },
            { expect: 201 })).json));
        const create = (n, options) => send(key, '/products', { name: `of ${n}` }, options);
        const first = await create('token', { token: mine.secret, expect: 201 });
        const { secret } = (await server.admin('POST', `/tokens/${mine.token}/rotate`, null, { expect: 200 })).json;
        const again = await create('token', { token: secret, expect: 201 });
        assert.equal(again.json.product_key, first.json.product_key);
        const { headers } = await server.admin('POST', '/session', { token: secret }, { token: null });
        const session = await create('token', { token: null, headers: { Cookie: headers['set-cookie'][0].split(';')[0], 'X-Dfota-Console': '1',
            'Sec-Fetch-Site': 'same-origin' } });
        assert.equal(session.json.product_key, first.json.product_key);
        assert.notEqual((await create('token', { token: other.secret, expect: 201 })).json.product_key, first.json.product_key);
    });
    test('is free again after a call that failed', async () => {
        const key = newKey();
        assertProblem(await send(key, '/products', { name: '' }), 400, 'bad-name');
        assertProblem(await send(key, '/products', { name: 'again', product_key: scene.product }), 409, 'product-exists');
        await send(key, '/products', { name: 'at last', product_key: 'at-last' }, { expect: 201 });
        assert.equal((await send(key, '/products', { name: 'at last', product_key: 'at-last' }, { expect: 201 })).headers['idempotency-replayed'], 'true');
    });
    test('gets its answer after a restart, and the database has no secret of it', async () => {
        const key = newKey();
        const first = await send(key, '/tokens', { name: 'kept', scope: 'admin' }, { expect: 201 });
        await server.restart({ hard: true });
        assert.equal((await send(key, '/tokens', { name: 'kept', scope: 'admin' }, { expect: 201 })).json.secret, first.json.secret);
        for (const file of ['dfota.db', 'dfota.db-wal'])
            assert.ok(!(await readFile(join(server.dataDir, file), 'latin1')).includes(first.json.secret), file);
    });
    test('has a key of 1 to 128 visible characters, and only where something is created', async () => {
        for (const key of ['', 'a b', 'ü', 'x'.repeat(129)])
            assertProblem(await send(Buffer.from(key).toString('latin1'), '/products', { name: 'x' }), 400, 'bad-request');
        await send('~'.repeat(128), '/products', { name: 'long key' }, { expect: 201 });
        const headers = { 'Idempotency-Key': newKey() };
        for (const [method, path, body] of [['GET', '/products'], ['POST', '/session/once'], ['POST', '/session', { token: server.token }], ['POST', '/backup'],
            ['POST', '/webhooks/1/test'], ['POST', '/ledger/prune', { before: 1790000000000 }], ['DELETE', '/products/once'],
            ['PATCH', `/products/${scene.product}`, { name: 'x' }], ['PUT', scene.path('/images/3001'), firmwareImage({ seed: 90, size: 16_000, revision: 1 })]])
            assertProblem(await server.admin(method, path, body, { headers }), 400, 'bad-request');
        assertProblem(await server.admin('GET', scene.path('/images/3001')), 404, 'image-not-found');
    });
});

test('two calls with one key at the same time create one thing', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.admin('POST', '/products', { name: 'at once' },
        { headers: { 'Idempotency-Key': key } })));
    for (const answer of answers.filter(({ status }) => status !== 201))
        assertProblem(answer, 409, 'idempotency-in-progress');
    assert.equal(new Set(answers.filter(({ status }) => status === 201).map(({ json }) => json.product_key)).size, 1);
    assert.equal((await server.admin('GET', '/products')).json.items.filter(({ name }) => name === 'at once').length, 1);
});

const withoutStops = stopsBuildDir ? false : 'no build with --enable-stop-points: set DFOTA_BUILD_STOPS';

test('after kill -9 between the change and its answer, the change is there once, and the answer says that it is not known', {
    skip: withoutStops,
}, async (t) => {
    const own = await startServer(t, { build: stopsBuildDir });
    await own.stop();
    own.env = { DFOTA_STOP: 'idempotency-answer' };
    await own.start();
    const create = (name = 'once') => own.admin('POST', '/products', { name }, { headers: { 'Idempotency-Key': 'k' } });
    const lost = create().then(() => 'answered', () => 'no answer');
    await poll('the change is committed', () => own.log('stopped-at').length > 0);
    assertProblem(await create(), 409, 'idempotency-in-progress');
    assertProblem(await create('other'), 422, 'idempotency-key-reused');
    await own.kill();
    assert.equal(await lost, 'no answer');
    own.env = {};
    await own.start();
    const answer = await create();
    assertProblem(answer, 409, 'idempotency-answer-lost');
    assert.match(answer.json.detail, /was carried out/);
    assertProblem(await create('other'), 422, 'idempotency-key-reused');
    assert.deepEqual((await own.admin('GET', '/products')).json.items.map(({ name }) => name), ['once']);
});

test('a call with several transactions that was killed in between goes on with the rest', { skip: withoutStops }, async (t) => {
    const own = await startServer(t, { build: stopsBuildDir });
    await own.createProduct('many');
    await own.putImage('many', 'pump', '1', firmwareImage({ seed: 5, size: 16_000, revision: 1 }));
    await own.admin('POST', '/products/many/devices', Array.from({ length: 700 }, (_, n) => `uid:A${n}`).join('\n'), { headers: csv, expect: 200 });
    await own.stop();
    execFileSync('sqlite3', ['-bail', join(own.dataDir, 'dfota.db'), 'UPDATE device SET blocked = 1']);
    own.env = { DFOTA_STOP: 'devices-unblocked' };
    await own.start();
    const unblock = () => own.admin('POST', '/products/many/devices/unblock?firmware=pump', null, { headers: { 'Idempotency-Key': 'k' } });
    const lost = unblock().catch(() => null);
    await poll('500 are unblocked', () => own.log('stopped-at').length > 0);
    await own.kill();
    assert.equal(await lost, null);
    own.env = {};
    await own.start();
    const rest = await unblock(), again = await unblock();
    assert.deepEqual([rest.status, rest.json.unblocked, rest.json.items.length, rest.headers['idempotency-replayed']], [200, 200, 200, undefined]);
    assert.deepEqual([again.headers['idempotency-replayed'], again.body.toString()], ['true', rest.body.toString()]);
    assert.equal(execFileSync('sqlite3', [join(own.dataDir, 'dfota.db'), 'SELECT count(*) FROM device WHERE blocked']).toString().trim(), '0');
});

test('a backup has no answers: they hold secrets', async (t) => {
    const own = await startServer(t);
    const { json } = await own.admin('POST', '/tokens', { name: 'ci', scope: 'read' }, { headers: { 'Idempotency-Key': 'k' }, expect: 201 });
    const made = (await own.admin('POST', '/backup', null, { expect: 200 })).json;
    const file = join(own.dataDir, 'copy.db');
    await writeFile(file, (await own.admin('GET', `/backup/files/${made.database.sha256}`, null, { expect: 200 })).body);
    const query = (path) => execFileSync('sqlite3', [path, 'SELECT count(*), count(answer_sealed) FROM idempotency'], { encoding: 'utf8' }).trim();
    assert.equal(query(file), '1|0');
    assert.equal(query(join(own.dataDir, 'dfota.db')), '1|1', 'the server has it');
    const sealed = execFileSync('sqlite3', [join(own.dataDir, 'dfota.db'), 'SELECT hex(answer_sealed) FROM idempotency'], { encoding: 'utf8' }).trim();
    assert.ok(!(await readFile(file)).includes(Buffer.from(sealed, 'hex').subarray(0, 40)), 'also not in free pages');
    assert.ok(json.secret);
});
