// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Downloads of the simulator: interrupted ones, packages that a module refuses, and answers that it must not accept.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { sha256 } from './lib/module.mjs';
import {
    answer, deliver, deliverRest, delta, file, idle, images, json, makePackages, onOld, serve, sim, simJson,
} from './lib/sim.mjs';

before(makePackages);

describe('a lost connection', () => {
    const bytes = () => delta['1138-1162'];

    test('--cut-at closes the connection there once and asks for the rest', async (t) => {
        const fake = await serve(t, ({ from }, n) =>
            n === 2 ? idle : from === null ? deliver(bytes()) : deliverRest(bytes(), from));
        const { status, json: { items: [module] }, stderr } =
            await simJson(...onOld(fake), '--cut-at', 10_001, '--expect', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.from), [null, 10_001, null]);
        assert.deepEqual([module.resumes, module.bytes, module.asks, module.sha256],
            [1, bytes().length, 2, sha256(images[1162])]);
        assert.match(stderr, /cut after 10001 bytes/);
        assert.match(stderr, new RegExp(`→ 206, ${bytes().length - 10_001} bytes, resuming at 10001`));
    });

    test('a server that goes away in the middle is asked for the rest', async (t) => {
        const whole = deliver(bytes());
        const fake = await serve(t, [
            { parts: [whole.subarray(0, whole.length - 5000)] }, deliverRest(bytes(), bytes().length - 5000), idle,
        ]);
        const { status } = await sim(...onOld(fake), '--expect', '1162');
        assert.equal(status, 0);
        assert.equal(fake.requests[1].from, bytes().length - 5000);
    });

    test('after 416 for the rest it starts again', async (t) => {
        const fake = await serve(t, [
            deliver(bytes()), answer('416 Range Not Satisfiable', '{"code":416}', `Content-Range: bytes */${bytes().length}`),
            deliver(bytes()), idle,
        ]);
        const { status } = await sim(...onOld(fake), '--cut-at', 3000, '--expect', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.from), [null, 3000, null, null]);
    });

    test('after five failures in a row it ends with a network error', async (t) => {
        const fake = await serve(t, () => ({ parts: [], ending: 'reset' }));
        const { status, json: { items: [module] } } = await simJson(...onOld(fake));
        assert.deepEqual([status, module.outcome, fake.requests.length], [3, 'unreachable', 5]);
    });

    test('after a server error it asks again', async (t) => {
        const trouble = answer('503 Service Unavailable', '{"code":503,"msg":"busy"}');
        const fake = await serve(t, [trouble, { parts: [] }, answer('502 Bad Gateway', '<html>'), idle]);
        assert.equal((await sim(...onOld(fake))).status, 0);
        assert.equal(fake.requests.length, 4);
    });
});

describe('packages that a module refuses', () => {
    test('larger than the partition: read completely, then -1003; exactly its size is accepted', async (t) => {
        const { length } = delta['1138-1162'];
        const fake = await serve(t, [deliver(delta['1138-1162']), idle]);
        const { status, json: { items: [module] }, stderr } = await simJson(...onOld(fake), '--partition', length - 1);
        assert.equal(status, 1);
        assert.deepEqual([module.outcome, module.version, module.bytes, module.rejected, fake.requests.length],
            ['package-rejected', '1138', length, 1, 1]);
        assert.match(stderr, new RegExp(`100 %, ${length} bytes\nrefuses the package: -1003, ${length} bytes do not fit`));

        const roomy = await serve(t, [deliver(delta['1138-1162']), idle]);
        assert.equal((await sim(...onOld(roomy), '--partition', length)).status, 0);
    });

    test('the default partition holds 491520 bytes', async (t) => {
        for (const [size, why] of [[491_520, /-1003, (?!.*partition)/], [491_521, /-1003, 491521 bytes do not fit/]]) {
            const fake = await serve(t, [deliver(noiseImage({ seed: 1, size }))]);
            assert.match((await sim(...onOld(fake))).stdout, why);
        }
    });

    test('made for another base, damaged, or not a package: the old image stays', async (t) => {
        const damaged = Buffer.from(delta['1138-1162']);
        damaged[damaged.length >> 1] ^= 0x55;
        for (const bytes of [delta['1147-1162'], damaged, delta['1138-1162'].subarray(0, 9000), images[1162].subarray(0, 5000)]) {
            const fake = await serve(t, [deliver(bytes), idle]);
            const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--asks', 2, '--expect', '1138');
            assert.equal(status, 0);
            assert.deepEqual([module.rejected, module.packages, module.sha256], [1, 0, sha256(images[1138])]);
            assert.deepEqual(fake.requests.map((r) => r.query.get('version')), ['1138', '1138']);
        }
    });
});

describe('answers that break modules', () => {
    const text = (lines, body = '') => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
    const ok = 'HTTP/1.1 200 OK', bad = 'HTTP/1.1 400 Bad Request', close = 'Connection: close', twelve = '{"code": 27}';
    for (const [what, said, why] of [
        ['no length', text([bad, close], twelve), /no Content-Length/],
        ['a length in small letters', text([bad, 'content-length: 12', close], twelve), /another spelling/],
        ['two lengths', text([bad, 'Content-Length: 12', 'Content-Length: 12', close], twelve), /two headers/],
        ['a length that is not a number', text([bad, 'Content-Length: x', close], twelve), /not a number/],
        ['more than the length', text([bad, 'Content-Length: 11', close], twelve), /more bytes/],
        ['chunks', text([ok, 'Transfer-Encoding: chunked', close], '3\r\nabc\r\n0\r\n\r\n'), /chunks/],
        ['an empty head', text([bad]), /head is empty/],
        ['no promise to close', text([bad, 'Content-Length: 12'], twelve), /Connection: close/],
        ['an empty 200', text([ok, 'Content-Length: 0', close]), /empty file/],
        ['204', text(['HTTP/1.1 204 No Content', 'Content-Length: 0', close]), /not 200, 206 or an error/],
        ['a redirect', text(['HTTP/1.1 302 Found', 'Location: /x', 'Content-Length: 0', close]), /redirect/],
        ['a 200 with JSON', json({ code: 27 }), /JSON/],
        ['a 200 with JSON that does not say so', text([ok, 'Content-Length: 12', close], twelve), /JSON/],
        ['no reason phrase', text(['HTTP/1.1 400', 'Content-Length: 12', close], twelve), /status line/],
        ['a header without a blank', text([bad, 'Content-Length:12', close], twelve), /Key: value/],
        ['a long head', text([bad, 'Content-Length: 12', close, `X-Long: ${'x'.repeat(700)}`], twelve), /700/],
        ['a head in two segments', { parts: [idle.subarray(0, 30), idle.subarray(30)] }, /segment/],
        ['206 to no Range', answer('206 Partial Content', 'abc', 'Content-Range: bytes 0-2/3'), /206/],
        ['a connection left open', { parts: [idle], ending: 'open' }, /stays open/],
    ]) {
        test(what, async (t) => {
            const fake = await serve(t, () => said);
            const { status, stdout } = await sim(...onOld(fake));
            assert.match(stdout, /module breaks: /);
            assert.match(stdout, why);
            assert.equal(status, 1);
            assert.equal(fake.requests.length, 1);
        });
    }

    for (const [what, rest, why] of [
        ['200 for the rest', () => deliver(delta['1138-1162']), /too long/],
        ['the rest from another byte', () => deliverRest(delta['1138-1162'], 999), /another byte/],
        ['the rest of another package', () => deliverRest(delta['1138-1147'], 1000), /another size/],
        ['no range with the rest', () => answer('206 Partial Content', delta['1138-1162'].subarray(1000)), /Content-Range/],
    ]) {
        test(what, async (t) => {
            const fake = await serve(t, (_, n) => n === 0 ? deliver(delta['1138-1162']) : rest());
            const { status, stdout } = await sim(...onOld(fake), '--cut-at', 1000);
            assert.match(stdout, /module breaks: /);
            assert.match(stdout, why);
            assert.equal(status, 1);
        });
    }
});
