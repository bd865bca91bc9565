// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Rules for every answer to a module, which prevent failures in the field: one test per rule, over every kind of answer.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { bareRefusal, deviceViolations, messages } from './lib/judge.mjs';
import { forms, nextImei, sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, deadline_ms, describeAnswer, exchange, splitRequest } from './lib/wire.mjs';

let server, scene, package_, bytes;
const answers = new Map();

const send = (segments, method = 'GET') => exchange({ address: server.device, segments: [segments].flat(), method });
const get = (target, options = {}) => send(buildRequest(target, options), options.method);

// The request target of a module that upgrades, each time for a new device.
const fresh = (changes = {}) => forms['LuatOS libfota2'](scene.module({ id: nextImei(), ...changes }));

before(async () => {
    server = await startServer(null, { keep: true, config: { loop_guard_per_day: 1 } });
    scene = await Scene.build(server, { versions: ['1001', '1002'], kind: 'noise', size: 1_500_000, limit: 16_000_000 });
    package_ = await scene.makePackage();
    bytes = await scene.content();
    const other = await Scene.build(server, { firmware: 'valve' });
    const closed = await Scene.build(server, { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1162'] });
    const linked = scene.module();
    const { url, report_url } = await scene.createLink(linked);
    const dead = scene.module();
    const revoked = await scene.createLink(dead);
    await server.admin('DELETE', scene.deviceAdminPath(dead, '/links'), null, { expect: 204 });
    const path = (text) => new URL(text).pathname;

    const resumed = scene.module();
    const cut = await exchange({ address: server.device, segments: [buildRequest(resumed.target)], cutAfter: 1000 });
    const looping = scene.module();
    await get(looping.target);

    const kinds = {
        'a delivery': () => get(fresh()),
        'a delivery from byte 0': () => get(fresh(), { range: 0 }),
        'a delivery by link': () => get(path(url)),
        'a continued delivery': () => get(resumed.target, { range: cut.body.length }),
        'code 3': () => get(`/api/site/firmware_upgrade?project_key=${scene.product}`),
        'code 3 of a link': () => get('/d/0123456789abcdef/1001'),
        'code 17': () => get(fresh({ firmware: other.firmware })),
        'code 21': () => get(forms['AT firmware in KEY mode'](closed.module())),
        'code 21 of a link': () => get(path(revoked.url)),
        'code 25': () => get(fresh({ product: 'nobody' })),
        'code 26': () => get(fresh({ firmware: 'nothing' })),
        'code 27': () => get(fresh({ version: '1002' })),
        'code 40': () => get(looping.target),
        'code 43': () => get(forms['LuatOS libfota2'](other.module())),
        'code 44': () => get(fresh({ version: '7' })),
        '400': () => get('/api/site/firmware_upgrade?project_key=%ff&imei=1'),
        '404': () => get('/nothing/here'),
        '405': () => get(fresh(), { method: 'POST', body: 'a=b' }),
        '416': () => get(fresh(), { range: 77 }),
        'HEAD of a delivery': () => get(fresh(), { method: 'HEAD' }),
        'HEAD of a refusal': () => get(fresh({ version: '1002' }), { method: 'HEAD' }),
        'HEAD of nothing': () => get('/nothing/here', { method: 'HEAD' }),
        'a report that is no JSON': () => get(path(report_url), { method: 'POST', body: '{' }),
        'a report of another firmware': () => get(path(report_url), { method: 'POST', body: '{"version":"AirM2M_780E_V1147_LTE_AT"}' }),
        'a report to nowhere': () => get('/d/0123456789abcdef/report', { method: 'POST', body: '{"version":"1"}' }),
    };
    for (const [name, ask] of Object.entries(kinds))
        answers.set(name, await ask());
});
after(() => server?.dispose());

// All faults of one rule, over every kind of answer.
function assertRule(rule, also = () => {}) {
    assert.ok(answers.size > 20);
    for (const [name, answer] of answers) {
        const faults = deviceViolations(answer).filter((f) => f.startsWith(rule));
        assert.deepEqual(faults, [], `${name}\n${describeAnswer(answer)}`);
        also(answer, name);
    }
}

describe('every answer', () => {
    test('is the one that was requested', () => {
        const statuses = { 'a delivery': 200, 'a delivery from byte 0': 206, 'a delivery by link': 200, 'a continued delivery': 206,
            '416': 416, 'HEAD of a delivery': 200, 'HEAD of a refusal': 400, 'HEAD of nothing': 404 };
        for (const [name, answer] of answers) {
            const wanted = statuses[name] ?? Number(/^(?:code )?(\d+)/.exec(name)?.[1] ?? 0);
            if (wanted)
                assert.equal(answer.method === 'HEAD' || statuses[name] ? answer.status : answer.code, wanted, `${name}\n${describeAnswer(answer)}`);
        }
    });
    test('rule 1: has its exact length, in canonical case with one blank, and is not chunked', () => assertRule('rule 1', (answer, name) => {
        if (name === '416') {
            assert.equal(answer.raw.toString('latin1'), bareRefusal);
            return;
        }
        assert.match(answer.head.toString('latin1'), /\r\nContent-Length: \d+\r\n/);
        assert.equal(answer.header('transfer-encoding'), null);
    }));
    test('rule 2: says Connection: close, and closes', () => assertRule('rule 2', (answer, name) => {
        assert.match(answer.head.toString('latin1'), /\r\nConnection: close\r\n/);
        assert.equal(answer.closed, 'fin', name);
    }));
    test('rule 3: has at least one header', () => assertRule('rule 3', (answer) => assert.ok(answer.headers.length > 0)));
    test('rule 4: carries firmware if and only if it is 200 or 206', () => assertRule('rule 4', (answer, name) => {
        const delivers = /delivery/.test(name);
        assert.equal(answer.status === 200 || answer.status === 206, delivers, name);
        if (delivers && answer.method !== 'HEAD')
            assert.ok(bytes.subarray(bytes.length - answer.body.length).equals(answer.body), `${name}: other bytes`);
    }));
    test('rule 5: is no redirect', () => assertRule('rule 5', (answer) => assert.equal(answer.header('location'), null)));
    test('rule 6: says of a range what it carries', () => assertRule('rule 6', (answer, name) => {
        if (name === 'a continued delivery')
            assert.equal(answer.header('content-range'), `bytes ${bytes.length - answer.body.length}-${bytes.length - 1}/${bytes.length}`);
    }));
    test('rule 7: has its head in one segment, of at most 700 bytes, with a reason phrase and no empty header', () => {
        assertRule('rule 7', (answer, name) => {
            assert.match(answer.first, /^HTTP\/1\.1 [2-5]\d\d [A-Z][A-Za-z ]+$/, name);
            assert.ok(answer.head.length <= 700);
            assert.ok(answer.chunks[0].bytes.length >= answer.head.length, `${name}: the head came in pieces`);
        });
    });
    test('that refuses is small JSON: the code first, then its message, and nothing after it', () => assertRule('refusal', (answer, name) => {
        if (answer.status < 300 || name === '416' || answer.method === 'HEAD')
            return;
        assert.match(answer.body.toString('latin1'), /^\{"code": ?\d+, ?"msg": ?"[ -~]+"\}$/);
        assert.ok(answer.body.length <= 200);
        if (messages.has(answer.code))
            assert.equal(answer.json.msg, messages.get(answer.code));
    }));
});

describe('rule 2, more cases:', () => {
    test('a client that asks for keep-alive is closed too', async () => {
        for (const target of [fresh(), fresh({ version: '1002' }), '/nothing']) {
            const answer = await get(target, { connection: 'keep-alive', lines: ['Keep-Alive: timeout=60'] });
            assert.deepEqual(deviceViolations(answer), []);
        }
    });
    test('a second request on the same connection is not answered', async () => {
        const two = Buffer.concat([buildRequest(fresh({ version: '1002' })), buildRequest(fresh({ version: '1002' }))]);
        const answer = await send(two);
        assert.deepEqual(deviceViolations(answer, { mayReset: true }), []);
        assert.equal(answer.code, 27);
    });
});

test('rule 8: devices are served over plain HTTP', async () => {
    assert.match((await get(fresh())).first, /^HTTP\/1\.1 200 OK$/);
});

test('rule 9: a package of the largest size arrives whole within one timeout', async () => {
    const before_ms = performance.now();
    const answer = await get(fresh());
    assert.ok(answer.body.length > 480 * 1024 && answer.body.equals(bytes));
    // The module's own timeout, sixty times what a loopback needs.
    assert.ok(performance.now() - before_ms < deadline_ms);
});

describe('rule 10: an unusual request is served like any other:', () => {
    const line = (text) => (target) => Buffer.from(`GET ${target} HTTP/1.1\r\n${text}\r\n\r\n`, 'latin1');
    const odd = {
        'a Host with a port': (target) => buildRequest(target, { host: '127.0.0.1:8080' }),
        'a Host without a port': (target) => buildRequest(target, { host: '127.0.0.1' }),
        'a Host with a name nobody knows': (target) => buildRequest(target, { host: 'iot.openluat.com' }),
        'HTTP/1.0 without a Host': (target) => buildRequest(target, { host: null, httpVersion: 'HTTP/1.0' }),
        'no User-Agent': (target) => buildRequest(target, { userAgent: null }),
        'a User-Agent': (target) => buildRequest(target, { userAgent: 'Mozilla/4.0' }),
        'Range:bytes=0- without a blank': (target) => buildRequest(target, { rangeLine: 'Range:bytes=0-' }),
        'Range: bytes=0-': (target) => buildRequest(target, { rangeLine: 'Range: bytes=0-' }),
        'Connection: short': (target) => buildRequest(target, { connection: 'short' }),
        'Connection: keep-alive': (target) => buildRequest(target, { connection: 'keep-alive' }),
        'a GET with Content-Length: 0': (target) => buildRequest(target, { lines: ['Content-Length: 0'] }),
        'four segments': (target) => splitRequest(buildRequest(target, { userAgent: 'Mozilla/4.0' }), 4),
        'four segments that part the line ends': (target) => {
            const whole = buildRequest(target, { userAgent: 'x', connection: 'short' });
            const cuts = [0, whole.indexOf('\r\n') + 1, whole.indexOf('User-Agent') + 4, whole.length - 1, whole.length];
            return cuts.slice(1).map((end, i) => whole.subarray(cuts[i], end));
        },
        'headers in lower case': line('host: 127.0.0.1\r\nrange: bytes=0-\r\nconnection: short'),
        'headers in upper case without blanks': line('HOST:127.0.0.1\r\nRANGE:bytes=0-\r\nCONTENT-LENGTH:0'),
        'all of it at once': (target) => splitRequest(
            line('Range:bytes=0-\r\nHost:127.0.0.1:8080\r\nConnection: short\r\nContent-Length: 0')(target), 4),
    };
    for (const [name, build] of Object.entries(odd)) {
        test(name, async () => {
            const segments = [build(fresh())].flat();
            const answer = await send(segments);
            assert.deepEqual(deviceViolations(answer), [], describeAnswer(answer));
            assert.equal(answer.status, /range/i.test(Buffer.concat(segments).toString('latin1')) ? 206 : 200);
            assert.equal(sha256(answer.body), package_.sha256);
        });
    }
});

test('rule 11: a link has no colon and no question mark in its path, and fits', async () => {
    const { url } = await scene.createLink(scene.module());
    const { pathname, search, hostname } = new URL(url);
    assert.equal(search, '');
    assert.ok(!pathname.includes(':') && pathname.length <= 60 && hostname.length <= 127, url);
});

describe('bad input is refused, the connection closed, and nothing recorded:', () => {
    const withLines = (...lines) => (target) => Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const bad = {
        'a URL of 20,000 bytes': [414, (target) => buildRequest(`${target}&pad=${'x'.repeat(20_000)}`)],
        'a URL of 200,000 bytes': [414, (target) => buildRequest(`${target}&pad=${'x'.repeat(200_000)}`)],
        'a header of 20,000 bytes': [431, withLines('Host: h', `X-Pad: ${'x'.repeat(20_000)}`)],
        'two thousand headers': [431, withLines('Host: h', ...Array.from({ length: 2000 }, (_, i) => `X-${i}: pad`))],
        'two different lengths': [400, withLines('Host: h', 'Content-Length: 0', 'Content-Length: 5')],
        'two equal lengths': [400, withLines('Host: h', 'Content-Length: 0', 'Content-Length: 0')],
        'a length that is none': [400, withLines('Host: h', 'Content-Length: 1x')],
        'a negative length': [400, withLines('Host: h', 'Content-Length: -1')],
        'a length and chunks': [400, withLines('Host: h', 'Content-Length: 5', 'Transfer-Encoding: chunked')],
        'chunks': [400, withLines('Host: h', 'Transfer-Encoding: chunked', '', '0')],
        'chunks that are none': [400, withLines('Host: h', 'Transfer-Encoding: chunked', '', 'zz')],
        'two Hosts': [400, withLines('Host: h', 'Host: other')],
        'a bare line feed': [400, (target) => Buffer.from(`GET ${target} HTTP/1.1\nHost: h\n\n`)],
        'a bare line feed between headers': [400, withLines('Host: h\nX-Hidden: 1')],
        'a blank before the colon': [400, withLines('Host: h', 'X : 1')],
        'a blank before the colon of the length': [400, withLines('Host: h', 'Content-Length : 5')],
        'no Host in HTTP/1.1': [400, withLines('X-A: b')],
        'a name that is not UTF-8': [400, (target) => buildRequest(target.replace('firmware_name=', 'firmware_name=%ff%fe'))],
        'an id that is not percent-encoded': [400, (target) => buildRequest(target.replace(/imei=\d+/, 'imei=&uid=%c3%zz'))],
        'a NUL in a name': [400, (target) => buildRequest(target.replace('firmware_name=', 'firmware_name=%00'))],
    };
    for (const [name, [status, build]] of Object.entries(bad)) {
        test(`${name}: ${status}`, async () => {
            const module = scene.module();
            const answer = await send(build(module.target));
            assert.deepEqual(deviceViolations(answer, { mayReset: true }), [], describeAnswer(answer));
            assert.notEqual(answer.closed, 'open');
            assert.deepEqual([answer.status, answer.code], [status, status], describeAnswer(answer));
            assert.equal(await scene.record(module), null);
        });
    }

    test('a NUL does not end the path', async () => {
        const answer = await get(fresh().replace('/firmware_upgrade?', '/firmware_upgrade%00x?'));
        assert.deepEqual(deviceViolations(answer), []);
        assert.ok([400, 404].includes(answer.status), describeAnswer(answer));
    });

    test('a broken percent sign', async () => {
        for (const end of ['%', '%4', '%zz']) {
            const answer = await get(`/api/site/firmware_upgrade?imei=${nextImei()}&project_key=${end}`);
            assert.deepEqual(deviceViolations(answer), []);
            assert.ok([25, 400].includes(answer.code), describeAnswer(answer));
        }
    });

    test('bytes that are not text are escaped in the log', async () => {
        const control = '%1b%5b31m%0a%0dlevel=error%20event=forged%20';
        for (const value of ['%ff%fe', control, '\xff\xfe'])
            await get(`/api/site/firmware_upgrade?imei=${nextImei()}&project_key=${scene.product}&firmware_name=${value}&version=${value}`);
        await get(`/%ff%1b/\xff`);
        assert.equal(server.log('forged').length, 0);
        for (const logged of server.logLines)
            assert.doesNotMatch(logged, /[\x00-\x1f\x7f\x80-\x9f\ufffd]/);
    });

    test('a query as long as the longest real one is accepted', async () => {
        const answer = await get(`${fresh()}&pad=${'x'.repeat(1000)}`);
        assert.equal(answer.status, 200);
    });
});
