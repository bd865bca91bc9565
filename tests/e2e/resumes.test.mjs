// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The refusal of a resume. Clients of two versions resume without help and take the refusal for the rest of the firmware: they
// append its body at their own offset into a buffer of Content-Length bytes. The client here does what they do.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { openCrowd } from './lib/crowd.mjs';
import { bareRefusal } from './lib/judge.mjs';
import { forms, nextImei } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

// A client that has `have` bytes and asks for the rest. Throws if the real one would corrupt its memory or read NULL; returns
// 'failed' if it ends cleanly.
export function oldClient(answer, have) {
    const length = answer.header('content-length');
    const chunked = answer.header('transfer-encoding') !== null;
    assert.ok(answer.headers.length > 0, 'it reads an empty head');
    if (length === null && !chunked) {
        assert.equal(answer.body.length, 0, 'it reads until the end and calls that a success');
        return 'failed';
    }
    assert.notEqual(length, '0', 'it reads NULL');
    assert.ok(!chunked, 'it reads chunks as firmware');
    assert.ok(have + answer.body.length <= Number(length), 'it writes behind its buffer');
    return 'goes on';
}

test('the test client detects what harms the real one', () => {
    const answer = (head, body = '') => ({
        headers: head, body: Buffer.from(body), header: (name) => head.find(([key]) => key === name)?.[1] ?? null,
    });
    assert.throws(() => oldClient(answer([['content-length', '2']], '{}'), 1000), /behind its buffer/);
    assert.throws(() => oldClient(answer([['content-length', '0']]), 1000), /NULL/);
    assert.throws(() => oldClient(answer([['transfer-encoding', 'chunked']]), 1000), /chunks/);
    assert.throws(() => oldClient(answer([]), 1000), /empty head/);
    assert.equal(oldClient(answer([['connection', 'close']]), 1000), 'failed');
});

const have = 1000;
const range = `Range: bytes=${have}-`;
const head = (first, lines = [], version = 'HTTP/1.1') => `${first} ${version}\r\n${['Host: h', range, ...lines].join('\r\n')}\r\n\r\n`;

function assertHarmless(answer) {
    assert.equal(oldClient(answer, have), 'failed');
    assert.equal(answer.raw.toString('latin1'), bareRefusal);
    assert.equal(answer.closed, 'fin');
}

describe('a resume is refused without a body and without a length:', () => {
    let server, scene, other, revoked, link;
    before(async () => {
        server = await startServer(null, { keep: true, config: { loops: 1, loop_guard_per_day: 1, head_timeout_ms: 1000 } });
        scene = await Scene.build(server);
        await scene.makePackage();
        other = await Scene.build(server); // nothing made: code 43
        const module = scene.module();
        link = new URL((await scene.createLink(module)).url).pathname;
        const dead = scene.module();
        revoked = new URL((await scene.createLink(dead)).url).pathname;
        await server.admin('DELETE', scene.deviceAdminPath(dead, '/links'), null, { expect: 204 });
    });
    after(() => server?.dispose());

    const ask = (text, on = server.device) => exchange({ address: on, segments: [Buffer.from(text, 'latin1')] });
    const of = (its, options) => its.module(options).target;
    const blocked = async () => {
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.ask()).code, 40);
        return module.target;
    };
    const site = '/api/site/firmware_upgrade';
    const kinds = {
        'nothing pinned (416)': () => head(`GET ${of(scene)}`),
        'past the end': () => head(`GET ${of(scene)}`).replace(range, 'Range: bytes=99999999999999999999-'),
        'no device (3)': () => head(`GET ${site}?project_key=${scene.product}`),
        'nothing is allowed (21), a revoked link': () => head(`GET ${revoked}`),
        'no project (25)': () => head(`GET ${site}?project_key=nobody&imei=${nextImei()}`),
        'no firmware (26)': () => head(`GET ${forms['LuatOS libfota2']({ product: scene.product, firmware: 'nothing', version: '1', idKind: 'imei', id: nextImei() })}`),
        'up to date (27)': () => head(`GET ${of(scene, { version: '1002' })}`),
        'blocked (40)': async () => head(`GET ${await blocked()}`),
        'not made yet (43)': () => head(`GET ${of(other)}`),
        'no base (44)': () => head(`GET ${of(scene, { version: '7' })}`),
        'a link': () => head(`GET ${link}`),
        'a link with a version': () => head(`GET ${link}/1001`),
        'an unknown link': () => head('GET /d/0123456789abcdef/1001'),
        'turnkey': () => head('GET /api/site/turnkey_fota?project_key=nobody'),
        'a malformed query (400)': () => head(`GET ${site}?project_key=%ff&imei=1`),
        'no such path (404)': () => head('GET /nothing/here'),
        'another method (405)': () => head(`POST ${of(scene)}`, ['Content-Length: 3']) + 'a=b',
        'HEAD': () => head(`HEAD ${of(scene, { version: '1002' })}`),
        'no Host (400)': () => head(`GET ${of(scene)}`).replace('Host: h\r\n', ''),
        'HTTP/2.0 (400)': () => head(`GET ${of(scene)}`, [], 'HTTP/2.0'),
        'bare LF (400)': () => head(`GET ${of(scene)}`).replaceAll('\r\n', '\n'),
        'a blank behind a length (400)': () => head(`GET ${of(scene)}`, ['Content-Length: 0 ']),
        'chunks (400)': () => head(`GET ${of(scene)}`, ['Transfer-Encoding: chunked']) + '0\r\n\r\n',
        'Expect (400)': () => head(`GET ${of(scene)}`, ['Expect: 100-continue']),
        'a head that takes too long (408)': () => head(`GET ${of(scene)}`).slice(0, -2),
        'a body (413)': () => head(`GET ${of(scene)}`, ['Content-Length: 5000']),
        'a long target (414)': () => head(`GET ${of(scene)}&x=${'x'.repeat(6000)}`),
        'long headers (431)': () => head(`GET ${of(scene)}`, [`X: ${'x'.repeat(6000)}`]),
        'many headers (431)': () => head(`GET ${of(scene)}`, Array.from({ length: 200 }, () => 'X: x')),
    };
    for (const [name, make] of Object.entries(kinds))
        test(name, async () => assertHarmless(await ask(await make())));

    test('the limit of connections (503)', async (t) => {
        const small = await startServer(t, { config: { loops: 1, max_device_connections: 2 } });
        const its = await Scene.build(small, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await its.makePackage();
        const busy = await openCrowd(t, small.device, 2, () => buildRequest(its.module().target));
        await Promise.all(busy.map((peer) => { peer.socket.pause(); return peer.connected; }));
        for (const { status } of [await ask(`GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n`, small.device)])
            assert.equal(status, 503);
        assertHarmless(await ask(head('GET /nothing'), small.device));
    });
});
