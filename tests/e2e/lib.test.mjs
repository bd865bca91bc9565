// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Tests of the judge: a fake server breaks each rule in turn, and the judge must name only that rule.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { corpus, firmwareImage, noiseImage, readZip } from './lib/firmware.mjs';
import { deviceViolations, messages } from './lib/judge.mjs';
import { Module, bspatch, forms, imeiWithCheckDigit } from './lib/module.mjs';
import { parseLogLine } from './lib/server.mjs';
import { buildRequest, exchange, splitRequest } from './lib/wire.mjs';

const escape = (text) => text.replace(/[^ -~]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
const refusalBody = (code, msg = messages.get(code)) => `{"code":${code},"msg":"${escape(msg)}"}`;

// The answers that a good server gives; each case below spoils one of them.
function refusal({ status = '400 Bad Request', body = refusalBody(43), headers } = {}) {
    return {
        status,
        headers: headers ?? ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close'],
        body,
    };
}
function delivery({ body = Buffer.from('BSDIFF40 and so on'), ...rest } = {}) {
    return refusal({
        status: '200 OK', body,
        headers: ['Content-Type: application/octet-stream', `Content-Length: ${body.length}`, 'Connection: close'], ...rest,
    });
}
function partial({ range = 'bytes 4-9/10', body = '456789', length = body.length } = {}) {
    return {
        status: '206 Partial Content', body,
        headers: [`Content-Range: ${range}`, `Content-Length: ${length}`, 'Connection: close'],
    };
}
const withHeader = (answer, ...lines) => ({ ...answer, headers: [...answer.headers, ...lines] });
const withoutHeader = (answer, name) => ({ ...answer, headers: answer.headers.filter((l) => !l.startsWith(name)) });
const swapped = (answer, from, to) => ({ ...answer, headers: answer.headers.map((l) => l.replace(from, to)) });

// Serves one prepared answer per connection; `parts` are sent one by one, `ending` is 'fin', 'reset' or 'open'.
const held = new Set();
async function askFake({ status, headers, body, firstLine = `HTTP/1.1 ${status}`, parts, ending = 'fin' }, options = {}) {
    const bytes = Buffer.concat([
        Buffer.from([firstLine, ...headers].join('\r\n') + '\r\n\r\n', 'latin1'), Buffer.from(body, 'latin1'),
    ]);
    const fake = net.createServer((socket) => {
        held.add(socket);
        socket.on('error', () => {});
        socket.once('data', async () => {
            for (const part of parts ? parts(bytes) : [bytes]) {
                await new Promise((next) => socket.write(part, next));
                await new Promise((next) => setTimeout(next, 25));
            }
            if (ending === 'fin')
                socket.end();
            else if (ending === 'reset')
                socket.resetAndDestroy();
        });
    });
    await new Promise((next) => fake.listen(0, '127.0.0.1', next));
    try {
        return await exchange({
            address: { host: '127.0.0.1', port: fake.address().port }, segments: [buildRequest('/', options)],
            timeout_ms: 1500, ...options,
        });
    } finally {
        fake.close();
    }
}
after(() => held.forEach((socket) => socket.destroy()));

describe('the judge accepts', () => {
    const good = {
        'a refusal': refusal(),
        'a refusal with a blank after the colon': refusal({ body: `{"code": 27, "msg": "${escape(messages.get(27))}"}` }),
        'a refusal that is no code of the dialect': refusal({ status: '404 Not Found', body: refusalBody(404, 'no such path') }),
        'a delivery': delivery(),
        'a continued delivery': partial(),
        'a refused range': withHeader(refusal({ status: '416 Range Not Satisfiable', body: refusalBody(416, 'range') }),
            'Content-Range: bytes */100'),
        'a body that comes in pieces': { ...delivery(), parts: (b) => [b.subarray(0, -4), b.subarray(-4)] },
    };
    for (const [name, answer] of Object.entries(good)) {
        test(name, async () => assert.deepEqual(deviceViolations(await askFake(answer)), []));
    }
    for (const code of messages.keys()) {
        test(`code ${code} with its message`, async () => {
            assert.deepEqual(deviceViolations(await askFake(refusal({ body: refusalBody(code) }))), []);
        });
    }
    test('the answer to HEAD, without a body', async () => {
        const answer = await askFake({ ...delivery(), body: '' }, { method: 'HEAD' });
        assert.deepEqual(deviceViolations(answer), []);
    });
    test('a delivery that the module itself cut short', async () => {
        const answer = await askFake({ ...delivery({ body: Buffer.alloc(5000, 1) }) }, { cutAfter: 100 });
        assert.equal(answer.closed, 'cut');
        assert.deepEqual(deviceViolations(answer), []);
    });
    test('JSON in a 200 for a reporting host only', async () => {
        const answer = await askFake(swapped(delivery({ body: '{"next":null}' }), 'octet-stream', 'json'));
        assert.deepEqual(deviceViolations(answer, { kind: 'report' }), []);
        assert.notDeepEqual(deviceViolations(answer), []);
    });
});

describe('the judge refuses', () => {
    const bad = {
        'a missing length': ['rule 1', withoutHeader(refusal(), 'Content-Length')],
        'a chunked body': ['rule 1', withHeader(refusal(), 'Transfer-Encoding: chunked')],
        'two lengths': ['rule 1', withHeader(delivery(), 'Content-Length: 18')],
        'a length in lower case': ['rule 1', swapped(refusal(), 'Content-Length', 'content-length')],
        'a length in upper case': ['rule 1', swapped(refusal(), 'Content-Length', 'CONTENT-LENGTH')],
        'a length after two blanks': ['rule 1', swapped(refusal(), 'Length: ', 'Length:  ')],
        'a length without a blank': ['rule 1', swapped(refusal(), 'Length: ', 'Length:')],
        'a length with a leading zero': ['rule 1', swapped(refusal(), 'Length: ', 'Length: 0')],
        'a body shorter than its length': ['rule 1', swapped(delivery(), 'Length: 18', 'Length: 19')],
        'a body longer than its length': ['rule 1', swapped(delivery(), 'Length: 18', 'Length: 17')],
        'a newline after the body': ['rule 1', { ...refusal(), body: refusalBody(43) + '\n' }],
        'keep-alive': ['rule 2', swapped(refusal(), 'Connection: close', 'Connection: keep-alive')],
        'no word on the connection': ['rule 2', withoutHeader(refusal(), 'Connection')],
        'Close with a capital': ['rule 2', swapped(refusal(), 'Connection: close', 'Connection: Close')],
        'a Keep-Alive header': ['rule 2', withHeader(refusal(), 'Keep-Alive: timeout=5')],
        'a connection left open': ['rule 2', { ...refusal(), ending: 'open' }],
        'a connection that is reset': ['rule 2', { ...delivery(), ending: 'reset' }],
        'a head without headers': ['rule 3', { ...refusal(), headers: [] }],
        'JSON with a 200': ['rule 4', refusal({ status: '200 OK' })],
        'JSON with a 200 of an honest type': ['rule 4', delivery({ body: refusalBody(27) })],
        'HTML with a 200': ['rule 4', delivery({ body: '<html></html>' })],
        'an empty 200': ['rule 4', delivery({ body: '' })],
        'a 204': ['rule 4', refusal({ status: '204 No Content' })],
        'a 201': ['rule 4', refusal({ status: '201 Created' })],
        'a redirect': ['rule 5', withHeader(refusal({ status: '302 Found' }), 'Location: /elsewhere')],
        'a permanent redirect': ['rule 5', refusal({ status: '308 Permanent Redirect' })],
        'a Location on a refusal': ['rule 5', withHeader(refusal(), 'Location: /elsewhere')],
        'a 206 without its range': ['rule 6', { ...partial(), headers: ['Content-Length: 6', 'Connection: close'] }],
        'a 206 that ends early': ['rule 6', partial({ range: 'bytes 4-8/10', body: '45678' })],
        'a 206 whose length is the whole one': ['rule 6', partial({ length: 10 })],
        'a 206 of another unit': ['rule 6', partial({ range: 'items 4-9/10' })],
        'a 200 with a range': ['rule 6', withHeader(delivery(), 'Content-Range: bytes 0-17/18')],
        'a refusal with a range': ['rule 6', withHeader(refusal(), 'Content-Range: bytes 0-17/18')],
        'a 416 with a full range': ['rule 6', withHeader(refusal({ status: '416 Range Not Satisfiable' }),
            'Content-Range: bytes 0-17/18')],
        'a range in lower case': ['rule 7', swapped(partial(), 'Content-Range', 'content-range')],
        'a long head': ['rule 7', withHeader(refusal(), `X-Long: ${'x'.repeat(700)}`)],
        'a head in two segments': ['rule 7', { ...refusal(), parts: (b) => [b.subarray(0, 30), b.subarray(30)] }],
        'an empty header': ['rule 7', withHeader(refusal(), 'X-Empty: ')],
        'a header without a blank': ['rule 7', withHeader(refusal(), 'X-Tight:1')],
        'a header with two blanks': ['rule 7', withHeader(refusal(), 'X-Wide:  1')],
        'a header without a colon': ['rule 7', withHeader(refusal(), 'nothing')],
        'a header with a blank before the colon': ['rule 7', withHeader(refusal(), 'X-Odd : 1')],
        'no reason phrase': ['rule 7', { ...refusal(), firstLine: 'HTTP/1.1 400' }],
        'an empty reason phrase': ['rule 7', { ...refusal(), firstLine: 'HTTP/1.1 400 ' }],
        'an old version': ['rule 7', { ...refusal(), firstLine: 'HTTP/1.0 400 Bad Request' }],
        'a bare newline in the head': ['rule 7', { ...refusal(), firstLine: 'HTTP/1.1 400 Bad Request\nX-Bare: 1' }],
        'a long refusal': ['refusal', refusal({ body: refusalBody(400, 'x'.repeat(200)) })],
        'raw UTF-8': ['refusal', refusal({ body: Buffer.from('{"code":43,"msg":"请等待"}').toString('latin1') })],
        'a newline within the length': ['refusal', refusal({ body: refusalBody(43) + '\n' })],
        'a code that is text': ['refusal', refusal({ body: '{"code":"43","msg":"x"}' })],
        'a code that is not first': ['refusal', refusal({ body: '{"msg":"x","code":43}' })],
        'a code that is no integer': ['refusal', refusal({ body: '{"code":4.3,"msg":"x"}' })],
        'a negative code': ['refusal', refusal({ body: '{"code":-1,"msg":"x"}' })],
        'no message': ['refusal', refusal({ body: '{"code":43}' })],
        'the message of another code': ['refusal', refusal({ body: refusalBody(43, messages.get(27)) })],
        'broken JSON': ['refusal', refusal({ body: '{"code":43,"msg":"x}' })],
        'HTML': ['refusal', refusal({ body: '<html><body>Not found</body></html>' })],
        'an empty refusal': ['refusal', refusal({ body: '' })],
    };
    // Some faults always cause a second one.
    const mayAlso = {
        'a length after two blanks': ['rule 7'],
        'a length without a blank': ['rule 7'],
        'a newline after the body': ['refusal'],
        'a head without headers': ['rule 1', 'rule 2'],
        'a 206 whose length is the whole one': ['rule 1'],
        'a bare newline in the head': ['rule 4'],
    };
    for (const [name, [rule, answer]] of Object.entries(bad)) {
        test(name, async () => {
            const faults = deviceViolations(await askFake(answer));
            const named = new Set(faults.map((f) => f.split(':')[0]));
            assert.ok(named.has(rule), `no fault of ${rule}: ${faults.join('; ') || 'none at all'}`);
            const others = [...named].filter((n) => n !== rule && !(mayAlso[name] ?? []).includes(n));
            assert.deepEqual(others, [], faults.join('; '));
        });
    }
    test('silence', async () => {
        const answer = await askFake({ ...refusal(), parts: () => [] });
        assert.match(deviceViolations(answer).join(), /not one byte/);
    });
    test('a body after HEAD', async () => {
        assert.match(deviceViolations(await askFake(delivery(), { method: 'HEAD' })).join(), /^rule 1/);
    });
});

describe('the module', () => {
    test('sends exactly the given bytes', () => {
        const text = buildRequest('/a?b=c', {
            host: 'h:1', userAgent: 'u', rangeLine: 'Range:bytes=7-', connection: 'short', lines: ['Content-Length: 0'],
        }).toString();
        assert.equal(text, 'GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nUser-Agent: u\r\nRange:bytes=7-\r\nConnection: short\r\n' +
            'Content-Length: 0\r\n\r\n');
        assert.equal(buildRequest('/', { host: null, range: 0 }).toString(), 'GET / HTTP/1.1\r\nRange: bytes=0-\r\n\r\n');
    });

    test('splits a request without loss', () => {
        const whole = buildRequest('/api/site/firmware_upgrade?imei=1');
        for (const count of [1, 2, 4, 7, whole.length]) {
            const parts = splitRequest(whole, count);
            assert.equal(parts.length, count);
            assert.deepEqual(Buffer.concat(parts), whole);
        }
    });

    test('computes IMEI check digits', () => {
        assert.equal(imeiWithCheckDigit('49015420323751'), '490154203237518');
    });

    test('asks like the real clients', () => {
        const module = { product: 'K', firmware: 'PROJECT_LuatOS-SoC_EC618', version: '1103.1.2', idKind: 'mac', id: 'C8C2C68E1234' };
        assert.equal(forms['LuatOS libfota since 2024-12-27'](module), '/api/site/firmware_upgrade?project_key=K&' +
            'firmware_name=PROJECT_LuatOS-SoC_EC618&version=1103.1.2&mac=C8C2C68E1234');
        assert.equal(forms['libfota2 glued to /upgrade'](module), '/upgrademac=C8C2C68E1234&project_key=K&' +
            'firmware_name=PROJECT_LuatOS-SoC_EC618&version=1103.1.2');
        const at = { product: 'K', firmware: 'AirM2M_780E_LTE_AT', version: '1138', idKind: 'imei', id: '866597071234567' };
        assert.equal(forms['AT firmware in KEY mode'](at), '/api/site/firmware_upgrade?project_key=K&imei=866597071234567&' +
            'firmware_name=AirM2M_780E_LTE_AT&core_version=1138&dfota=1&version=0.0.0');
    });

    test('refuses a package that is too large for it, and one for another base', async () => {
        const module = new Module({ image: Buffer.alloc(100), limit_bytes: 10 });
        await assert.rejects(module.applyAndReboot(Buffer.alloc(11)), /does not fit/);
        await assert.rejects(bspatch(Buffer.alloc(10), Buffer.from('no package')));
    });
});

describe('the images', () => {
    test('have the wanted size, are the same every time, and differ by revision', () => {
        for (const size of [1000, 60_000]) {
            const images = [0, 1, 2].map((revision) => firmwareImage({ seed: 5, size, revision }));
            for (const [i, image] of images.entries()) {
                assert.equal(image.length, size);
                assert.ok(image.equals(firmwareImage({ seed: 5, size, revision: i })));
            }
            assert.ok(!images[0].equals(images[1]) && !images[1].equals(images[2]));
        }
        assert.equal(noiseImage({ seed: 1, size: 1001 }).length, 1001);
    });

    test('of the corpus are twelve', () => assert.equal(corpus.size, 12));

    test('come out of a zip archive', () => {
        const packed = deflateRawSync(Buffer.from('hello'));
        const name = Buffer.from('a.bin');
        const local = Buffer.alloc(30);
        local.write('PK\x03\x04', 'latin1');
        local.writeUInt16LE(name.length, 26);
        const central = Buffer.alloc(46);
        central.write('PK\x01\x02', 'latin1');
        central.writeUInt16LE(8, 10);
        central.writeUInt32LE(packed.length, 20);
        central.writeUInt16LE(name.length, 28);
        const end = Buffer.alloc(22);
        end.write('PK\x05\x06', 'latin1');
        end.writeUInt16LE(1, 10);
        end.writeUInt32LE(30 + name.length + packed.length, 16);
        const archive = Buffer.concat([local, name, packed, central, name, end]);
        assert.equal(readZip(archive, 'a.bin').toString(), 'hello');
        assert.throws(() => readZip(archive, 'b.bin'), /no b.bin/);
    });
});

test('a log line is read key by key', () => {
    assert.deepEqual(parseLogLine('level=info event=listening address=127.0.0.1:1 reason="a \\"b\\" c"'), {
        raw: 'level=info event=listening address=127.0.0.1:1 reason="a \\"b\\" c"',
        level: 'info', event: 'listening', address: '127.0.0.1:1', reason: 'a \\"b\\" c',
    });
});
