// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Things that libmicrohttpd does and a server for modules must not do. Each probe runs twice: against a naive server on
// libmicrohttpd, where the fault must show (so the probe is known to see it), and against dfotad, where it must not.
// All faults were seen on libmicrohttpd 0.9.75. If a later version has corrected a fault, its naive test fails and can be removed.
//
// If the fault is a missing answer, the test waits patience_ms for the naive server; other connections that are answered
// show that this was long enough. For dfotad the answer is awaited without this limit. A process is halted while requests are sent
// to it, so that it finds all of them at once.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { atOnce, countDescriptors, openCrowd, residentBytes, settle } from './lib/crowd.mjs';
import { assertDeviceAnswer } from './lib/judge.mjs';
import { Kept } from './lib/kept.mjs';
import { poll } from './lib/module.mjs';
import { startNaive } from './lib/naive.mjs';
import { assertProblem, listFiles, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { deadline_ms } from './lib/wire.mjs';

const patience_ms = 2000;

let server;
let scene;
before(async () => {
    server = await startServer(null, { keep: true, config: { loops: 1, max_admin_connections: 1000 } });
    scene = await Scene.build(server);
    await scene.makePackage();
});
after(() => server?.dispose());

// A request as text. `authorization` and the like go into `lines`.
const text = (first, lines = [], body = '') => `${first} HTTP/1.1\r\n${['Host: h', ...lines].join('\r\n')}\r\n\r\n${body}`;
const bearer = (on = server) => `Authorization: Bearer ${on.token}\r\nConnection: close`;
const plain = text('GET /x');

// Sends a request and waits for the whole answer, or for the end. The connection may stay open: the naive server's does.
async function ask(t, address, request) {
    const [peer] = await openCrowd(t, address, 1, request);
    await poll('the answer is whole', () => peer.closed ||
        (peer.answer.headComplete && peer.answer.body.length >= Number(peer.answer.header('content-length'))), { timeout_ms: deadline_ms });
    return peer.answer;
}

// The same of dfotad, which closes.
async function askOurs(t, address, request) {
    const [peer] = await openCrowd(t, address, 1, request);
    await poll('the answer is over', () => peer.closed, { timeout_ms: deadline_ms });
    return peer.answer;
}

// A request of each listener with a body, and what makes a refusal right there.
const ours = () => ({
    device: { address: server.device, first: 'POST /api/site/turnkey_fota_result', lines: [], assert: (answer, status, options) => {
        assert.equal(assertDeviceAnswer(answer, options).status, status);
    } },
    admin: { address: server.adminAddress, first: 'POST /api/v1/products', lines: [bearer()], assert: (answer, status) => {
        assertProblem(answer, status, { 400: 'bad-request', 405: 'method-not-allowed', 414: 'uri-too-long', 431: 'headers-too-large' }[status]);
        assert.ok(answer.closed === 'fin', answer.closed);
    } },
});

describe('exactly 128·k sockets ready at once:', () => {
    // Each has sent `first` and waits; what is left comes from all of them together. Returns how many were answered.
    async function burst(t, { address, pid, count, first, rest, limit_ms }) {
        const crowd = await openCrowd(t, address, count, first);
        const [last] = await openCrowd(t, address, 1, plain);
        await settle([last], deadline_ms); // accepted after the others, so they are where they are to wait
        await atOnce(pid, () => Promise.all(crowd.map((peer) => peer.send(Buffer.from(rest)))));
        const answered = await settle(crowd, limit_ms);
        crowd.forEach((peer) => peer.hangUp());
        return answered;
    }

    test('naive: 127 and 129 are all answered, none of 128 and 256 is', async (t) => {
        for (const [count, answered, limit_ms] of [[127, 127, deadline_ms], [129, 129, deadline_ms], [128, 0, patience_ms], [256, 0, patience_ms]]) {
            // A kernel in a hurry elsewhere may deliver a packet late, and then there were not so many at once.
            for (let attempt = 1; ; attempt++) {
                const { address, pid } = await startNaive(t);
                const seen = await burst(t, { address, pid, count, first: '', rest: plain, limit_ms });
                if (attempt === 5 || seen === answered) {
                    assert.equal(seen, answered, `of ${count}`);
                    break;
                }
            }
        }
    });
    for (const count of [127, 128, 129, 256]) {
        test(`dfotad: all ${count} are answered, at the gate, in a body, suspended`, async (t) => {
            const { device, admin } = ours();
            const half = (address, first, lines) => ({ address, first: text(first, [...lines, 'Content-Length: 2']) + '{', rest: '}' });
            const whole = (address, first, lines) => ({ address, first: '', rest: text(first, lines) });
            const ways = [
                whole(server.device, `GET ${scene.module().target}`, []), half(server.device, device.first, []),
                whole(server.adminAddress, 'GET /api/v1/status', [bearer()]), half(server.adminAddress, admin.first, [bearer()]),
            ];
            for (const way of ways)
                assert.equal(await burst(t, { pid: server.process.pid, count, limit_ms: deadline_ms, ...way }), count, way.rest);
        });
    }
});

describe('a resumed connection wakes the loop:', () => {
    test('naive, with its own loop: it sleeps until something else happens', async (t) => {
        const { address, lines } = await startNaive(t, { mode: 'external' });
        const crowd = await openCrowd(t, address, 1, text('GET /work'));
        await poll('it was suspended', () => lines.includes('waiting'));
        assert.equal(await settle(crowd, patience_ms), 0);
        await ask(t, address, plain);
        assert.equal(await settle(crowd, deadline_ms), 1);
    });
    test('dfotad: an idle server reacts to the writer and the workers', async (t) => {
        for (let i = 0; i < 20; i++) {
            await scene.module().ask();
            assert.equal((await askOurs(t, server.adminAddress, text('GET /api/v1/status', [bearer()]))).status, 200);
        }
    });
});

describe('a request that arrives very slowly:', () => {
    // One byte from time to time, until this connection or another one is closed.
    async function trickle(peer, other = peer) {
        for (const until = performance.now() + deadline_ms; !peer.closed && !other.closed && performance.now() < until;) {
            await peer.send(Buffer.from('a'));
            await new Promise((next) => setTimeout(next, 100)); // the pace is what is being sent
        }
    }
    const head = (first, lines) => text(first, lines).slice(0, -2) + 'X: ';
    const body = (first, lines) => text(first, [...lines, 'Content-Length: 4000']);

    test('naive: only silence is timed, so one byte from time to time keeps the connection', async (t) => {
        const { address } = await startNaive(t, { timeout_s: 2 });
        const crowd = await openCrowd(t, address, 2, (i) => (i ? head : body)('POST /x', []));
        for (let i = 0; i < 2; i++) {
            const [silent] = await openCrowd(t, address, 1);
            await Promise.all(crowd.map((peer) => trickle(peer, silent)));
            assert.equal(silent.closed, 'fin');
            assert.deepEqual(crowd.map((peer) => peer.closed), [null, null]);
        }
    });
    test('dfotad: the whole head and the whole body each have a time limit', async (t) => {
        const short = await startServer(t, { config: { head_timeout_ms: 500, body_timeout_ms: 500 } });
        const make = [head, body];
        const device = await openCrowd(t, short.device, 2, (i) => make[i](ours().device.first, []));
        const admin = await openCrowd(t, short.adminAddress, 2, (i) => make[i]('POST /api/v1/products', [bearer(short)]));
        await Promise.all([...device, ...admin].map((peer) => trickle(peer)));
        for (const peer of [...device, ...admin]) {
            assert.equal(peer.answer.status, 408);
            assert.equal(peer.answer.code, device.includes(peer) ? 408 : 'timeout');
        }
    });
});

// Locks the database: a request that needs the writer waits, its connection suspended.
async function holdWriter(t, on) {
    const child = spawn('sqlite3', ['-bail', join(on.dataDir, 'dfota.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'close').then(([code]) => code);
    t.after(() => child.kill('SIGKILL'));
    child.stdin.write('.timeout 5000\nBEGIN IMMEDIATE;\nSELECT 1;\n');
    await Promise.race([once(child.stdout, 'data'), ended.then((code) => assert.fail(`sqlite3 ended with ${code}`))]);
    return async () => {
        child.stdin.end('ROLLBACK;\n');
        assert.equal(await ended, 0);
    };
}

// Check-ins of new devices that wait for the writer. One that needs no writer is answered after them.
async function openWaiting(t, on, its, count) {
    const crowd = await openCrowd(t, on.device, count, () => text(`GET ${its.module().target}`));
    assert.equal((await askOurs(t, on.device, text('GET /nothing'))).status, 404);
    assert.deepEqual(crowd.filter((peer) => peer.pieces.length || peer.closed), []);
    return crowd;
}

describe('requests that wait when the server must stop:', () => {
    for (const mode of ['internal', 'external']) {
        test(`naive, ${mode} loop: it aborts`, async (t) => {
            const naive = await startNaive(t, { mode });
            await openCrowd(t, naive.address, 1, text('GET /stuck'));
            await poll('it was suspended', () => naive.lines.includes('waiting'));
            naive.process.kill('SIGTERM');
            assert.deepEqual(await naive.ended, { code: null, signal: 'SIGABRT' });
        });
    }
    test('dfotad: they are answered first', async (t) => {
        const stopping = await startServer(t, { config: { loops: 1 } });
        const its = await Scene.build(stopping);
        await its.makePackage();
        const release = await holdWriter(t, stopping);
        const [change] = await openCrowd(t, stopping.adminAddress, 1,
            text(`PATCH /api/v1${its.path()}`, [bearer(stopping), 'Content-Length: 2'], '{}'));
        const crowd = await openWaiting(t, stopping, its, 200);
        stopping.process.kill('SIGTERM');
        const ended = stopping.ended;
        await poll('it is stopping', () => stopping.log('stop').length > 0);
        await release();
        assert.deepEqual(await ended, { code: 0, signal: null }, stopping.logText);
        await Promise.all([change, ...crowd].map((peer) => peer.over));
        for (const peer of crowd)
            assert.equal(assertDeviceAnswer(peer.answer).status, 200);
        assert.equal(change.answer.status, 200, change.answer.body.toString());
        assert.equal(stopping.log('connections-cut').length, 0);
    });
});

describe('a peer that hangs up while its request waits:', () => {
    test('naive: the request is kept, the timeout does not apply', async (t) => {
        const { address, pid, lines } = await startNaive(t, { timeout_s: 1 });
        const crowd = await openCrowd(t, address, 20, text('GET /stuck'));
        await poll('all are suspended', () => lines.filter((line) => line === 'waiting').length === 20);
        const kept = countDescriptors(pid);
        const [silent] = await openCrowd(t, address, 1, 'GET');
        crowd.forEach((peer, i) => peer.hangUp(i % 2 ? 'reset' : 'fin'));
        await silent.over;
        await poll('the silent one is gone', () => countDescriptors(pid) <= kept);
        assert.equal(countDescriptors(pid), kept);
    });
    test('dfotad: the number of waiting requests is limited, and those without a peer are dropped when the writer reaches them', async (t) => {
        const small = await startServer(t, { config: { loops: 1, max_device_connections: 21 } });
        const its = await Scene.build(small);
        await its.makePackage();
        await its.module().ask();
        const idle = countDescriptors(small.process.pid);
        const release = await holdWriter(t, small);
        const crowd = await openWaiting(t, small, its, 20);
        const [last] = await openCrowd(t, small.device, 1, () => text(`GET ${its.module().target}`));
        await poll('it waits too', async () => (await askOurs(t, small.device, text('GET /nothing'))).status === 503);
        crowd.forEach((peer, i) => peer.hangUp(i % 2 ? 'reset' : 'fin'));
        const one_more = await askOurs(t, small.device, text(`GET ${its.module().target}`));
        assertDeviceAnswer(one_more);
        assert.deepEqual([one_more.status, one_more.json.msg], [503, 'too many connections']);
        last.hangUp();
        await release();
        await poll('nothing is kept', () => countDescriptors(small.process.pid) <= idle);
        assert.equal((await its.module().ask()).status, 200);
    });
});

test('a kept connection whose request waits for the writer: the next request is answered after it', async (t) => {
    const own = await startServer(t, { config: { loops: 1, device_proxies: '127.0.0.1', device_keep_alive_ms: 60_000 } });
    const its = await Scene.build(own);
    const kept = new Kept(own.device);
    t.after(() => kept.hangUp());
    const current = () => text(`GET ${its.module({ version: its.versions.at(-1) }).target}`);
    const code = ({ body }) => JSON.parse(body).code;
    assert.equal(code(await kept.ask(current())), 27);
    const { length } = kept.bytes;
    const release = await holdWriter(t, own);
    for (const bytes of [current(), text('GET /nothing')]) {
        kept.send(bytes);
        // When this one is answered, the loop has seen what was sent before.
        assert.equal((await askOurs(t, own.device, text('GET /nothing', ['Connection: close']))).status, 404);
    }
    assert.deepEqual([kept.bytes.length, kept.closed], [length, null]);
    await release();
    assert.equal(code(await kept.next()), 27);
    assert.equal((await kept.next()).status, 404);
});

describe('%2F and %00 in a path:', () => {
    test('naive: the handler gets another path than requested', async (t) => {
        const { address } = await startNaive(t);
        assert.equal((await ask(t, address, text('GET /a%2Fb%00c'))).body.toString(), 'GET /a/b 0');
    });
    test('dfotad: they stay unchanged', async (t) => {
        const { target } = scene.module();
        assert.equal((await scene.module().ask()).status, 200, 'with nothing in it');
        for (const changed of ['/api%2Fsite', '/%2Fapi/site', '/api/site%00', '/api/site%2F']) {
            const answer = await askOurs(t, server.device, text(`GET ${target.replace('/api/site', changed)}`));
            assert.equal(assertDeviceAnswer(answer).status, 404, changed);
        }
        for (const changed of ['firmware_upgrade%00', 'firmware_upgrade%00&', 'firmware_upgrade%2F']) {
            const answer = await askOurs(t, server.device, text(`GET ${target.replace('firmware_upgrade', changed)}`));
            assert.ok(assertDeviceAnswer(answer).status >= 400, changed);
        }
        for (const [path, status] of [
            [`/products/${scene.product}/firmware`, 200], [`/products/${scene.product}%2Ffirmware`, 400],
            [`/products/${scene.product}%00`, 400], [`/products/${scene.product}/firmware%00`, 404], ['/status%00', 404],
        ])
            assert.equal((await askOurs(t, server.adminAddress, text(`GET /api/v1${path}`, [bearer()]))).status, status, path);
    });
});

describe('requests that two parsers could read differently:', () => {
    const kinds = {
        'two Content-Lengths': (first, lines) => text(first, [...lines, 'Content-Length: 2', 'Content-Length: 5'], '{}...'),
        'a length and chunks': (first, lines) => text(first, [...lines, 'Content-Length: 5', 'Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'),
        'two Hosts': (first, lines) => text(first, [...lines, 'Host: other', 'Content-Length: 2'], '{}'),
        'bare line feeds': (first, lines) => text(first, [...lines, 'Content-Length: 2'], '{}').replaceAll('\r\n', '\n'),
        'a blank before a colon': (first, lines) => text(first, [...lines, 'Content-Length : 2'], '{}'),
    };
    for (const [kind, make] of Object.entries(kinds)) {
        test(`naive: ${kind}: accepted`, async (t) => {
            const { address } = await startNaive(t);
            const answer = await ask(t, address, make('POST /x', []));
            const length = kind === 'a blank before a colon' ? 0 : 2; // others read a length, libmicrohttpd reads none
            assert.deepEqual([answer.status, answer.body.toString()], [200, `POST /x ${length}`]);
        });
        test(`dfotad: ${kind}: 400 and closed`, async (t) => {
            for (const { address, first, lines, assert: assertRefusal } of Object.values(ours()))
                assertRefusal(await askOurs(t, address, make(first, lines)), 400);
        });
    }
});

describe('methods and ranges:', () => {
    test('naive: any method is accepted, and Range is ignored', async (t) => {
        const { address } = await startNaive(t);
        assert.equal((await ask(t, address, text('BREW /x'))).status, 200);
        const answer = await ask(t, address, text('GET /file', ['Range: bytes=399990-']));
        assert.deepEqual([answer.status, answer.body.length], [200, 400_000]);
    });
    test('dfotad: only methods of the route table are accepted, and an interrupted download continues', async (t) => {
        for (const { address, first, lines, assert: assertRefusal } of Object.values(ours())) {
            const answer = await askOurs(t, address, text(first.replace('POST', 'BREW'), lines));
            assertRefusal(answer, 405);
            assert.match(answer.header('allow'), /\bPOST\b/);
        }
        const large = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await large.makePackage();
        const { bytes, answers } = await large.module().download({ cuts: [1000] });
        assert.deepEqual(answers.map((answer) => answer.status), [200, 206]);
        assert.deepEqual(bytes, await large.content());
    });
});

describe('requests that libmicrohttpd would answer itself:', () => {
    const kinds = {
        'a long URI': [414, 414, (first, lines) => text(`${first}?${'x'.repeat(40_000)}`, lines)],
        'long headers': [431, 431, (first, lines) => text(first, [...lines, `X: ${'x'.repeat(40_000)}`])],
        'another version of HTTP': [505, 400, (first, lines) => text(first, lines).replace('HTTP/1.1', 'HTTP/2.0')],
        'a length that is none': [400, 400, (first, lines) => text(first, [...lines, 'Content-Length: none'])],
        'chunks that are none': [400, 400, (first, lines) => text(first, [...lines, 'Transfer-Encoding: chunked'], 'none\r\n')],
    };
    for (const [kind, [naive_status, status, make]] of Object.entries(kinds)) {
        test(`naive: ${kind}: ${naive_status} in HTML`, async (t) => {
            const { address } = await startNaive(t);
            const answer = await ask(t, address, make('POST /x', []));
            assert.equal(answer.status, naive_status);
            assert.match(answer.body.toString(), /<html>/);
            const heads = answer.raw.toString('latin1').split('HTTP/1.1 ').length - 1;
            assert.equal(heads, kind === 'a length that is none' ? 2 : 1); // and its head comes twice
        });
        test(`dfotad: ${kind}: ${status} in its own form, closed`, async (t) => {
            for (const [listener, { address, first, lines, assert: assertRefusal }] of Object.entries(ours())) {
                const answer = await askOurs(t, address, make(first, lines));
                // An admin may send chunks. libmicrohttpd reads them, so it answers errors in them itself.
                if (listener === 'admin' && kind === 'chunks that are none')
                    assert.deepEqual([answer.status, answer.closed], [400, 'fin']);
                else
                    assertRefusal(answer, status, { mayReset: answer.sent.length > 30_000 });
            }
        });
    }
    const broken = {
        'a size that is none': [400, '4\r\nabcd\r\nnone\r\n'],
        'a size beyond 64 bits': [413, 'fffffffffffffffff\r\nab'],
        'a chunk longer than it says': [400, '3\r\nabcd\r\n'],
        'a trailer that is none': [400, '4\r\nabcd\r\n0\r\nnone\r\n\r\n'],
        'a trailer without an end': [431, `4\r\nabcd\r\n0\r\nX: ${'x'.repeat(300_000)}`],
    };
    for (const [kind, [status, chunks]] of Object.entries(broken)) {
        test(`dfotad: an upload with ${kind}: ${status}, closed, and nothing is left`, async (t) => {
            const files = async () => (await Promise.all(['blobs', 'incoming'].map((dir) => listFiles(join(server.dataDir, dir)))))
                .flatMap((found) => [...found]).sort().join();
            const earlier = await files();
            const path = scene.path('/images/1003');
            const request = text(`PUT /api/v1${path}`, [bearer(), 'Transfer-Encoding: chunked'], chunks);
            const answer = await askOurs(t, server.adminAddress, request);
            assert.deepEqual([answer.status, answer.closed], [status, 'fin']);
            await server.admin('GET', path, null, { expect: 404 });
            await poll('nothing is left', async () => await files() === earlier);
        });
    }
});

describe('memory of a connection that waits:', { skip: process.env.DFOTA_SANITIZED ? 'sanitizers take their own' : false }, () => {
    const handed_over_bytes = 16_384;
    // What a connection has sent, and its memory limit: measured were 0.7 KB, and 10 KB after libmicrohttpd has it; naive: 28 KB.
    const kinds = {
        'nothing': ['', 4096],
        'half a head': [text(`GET /upgrade?${'x'.repeat(300)}`).slice(0, -2), 4096],
        'half a body': [text('POST /api/site/turnkey_fota_result', ['Content-Length: 1000'], 'x'.repeat(500)), handed_over_bytes],
    };
    // The growth of the process per connection that has sent `first`.
    async function growth(t, { address, pid, first, count, awaitAll }) {
        const earlier = residentBytes(pid);
        const crowd = await openCrowd(t, address, count, first);
        await awaitAll(crowd);
        const grown = (residentBytes(pid) - earlier) / count;
        crowd.forEach((peer) => peer.hangUp());
        return grown;
    }

    test('naive: a connection keeps its whole memory pool', async (t) => {
        const { address, pid } = await startNaive(t);
        await ask(t, address, plain);
        const grown = await growth(t, { address, pid, first: plain, count: 900, awaitAll: (crowd) => settle(crowd, deadline_ms) });
        assert.ok(grown > handed_over_bytes, `${grown} bytes`);
    });
    for (const [kind, [first, bound_bytes]] of Object.entries(kinds)) {
        test(`dfotad: a connection that has sent ${kind} takes less than ${bound_bytes} bytes`, async (t) => {
            const own = await startServer(t, { config: { loops: 1 } });
            const awaitAll = () => askOurs(t, own.device, text('GET /nothing')); // accepted after all of them
            await awaitAll();
            // So many that what the server allocates meanwhile, some megabytes, does not count.
            const grown = await growth(t, { address: own.device, pid: own.process.pid, first, count: 3000, awaitAll });
            assert.ok(grown < bound_bytes, `${grown} bytes`);
        });
    }
});

describe('the limit of connections:', () => {
    test('naive: FD_SETSIZE - 4; further connections are never answered', async (t) => {
        const { address } = await startNaive(t);
        const crowd = await openCrowd(t, address, 1100, plain);
        await settle(crowd.slice(0, 1020), deadline_ms);
        assert.equal(await settle(crowd, patience_ms), 1020);
    });
    test('dfotad: as configured, whatever descriptors it was started with; the next one gets 503', async (t) => {
        const most = 400;
        const wrapper = ['prlimit', '--nofile=256:4096'];
        const wide = await startServer(t, { wrapper, config: { max_device_connections: most, head_timeout_ms: 600_000 } });
        const its = await Scene.build(wide);
        const release = await holdWriter(t, wide);
        const crowd = [];
        let refused;
        // Each loop has its own share, so one more is refused only when all are full. The writer waits for the database only some
        // seconds: on a slow machine some are answered meanwhile, and others take their places. A loop that is asked for room
        // closes the oldest connection whose head has not come, which may be the one that asks here.
        await poll('all are taken', async () => {
            const missing = most - crowd.filter((peer) => !peer.closed).length;
            crowd.push(...await openCrowd(t, wide.device, missing, () => text(`GET ${its.module().target}`)));
            refused = await askOurs(t, wide.device, text('GET /nothing'));
            return refused.status === 503;
        });
        assertDeviceAnswer(refused);
        await release();
        await Promise.all(crowd.map((peer) => peer.over));
        for (const peer of crowd)
            assert.ok([200, 400, 503].includes(assertDeviceAnswer(peer.answer).status), String(peer.answer.body));
    });
});

describe('bytes that the peer acknowledges after the answer was written:', () => {
    const closed_by_us = ['04', '05']; // FIN_WAIT1, FIN_WAIT2
    // The state of the server's side of a connection, from the kernel.
    function serverSide(peer) {
        const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
        const row = readFileSync('/proc/net/tcp', 'latin1').split('\n').map((line) => line.trim().split(/\s+/))
            .find((part) => part[1]?.endsWith(`:${hex(peer.socket.remotePort)}`) && part[2]?.endsWith(`:${hex(peer.socket.localPort)}`));
        return row?.[3] ?? null;
    }
    // A peer that does not read the answer.
    async function openDeaf(t, address, request) {
        const [peer] = await openCrowd(t, address, 1);
        peer.socket.pause();
        await peer.send(Buffer.from(request));
        return peer;
    }

    test('naive: at the end everything was sent, little has arrived, and the kernel cannot be asked later', async (t) => {
        const { address, lines } = await startNaive(t);
        await openDeaf(t, address, text('GET /file', ['Connection: close']));
        const [, ok, acked] = await poll('it has ended', () => /^ended ok=(\d) acked=(\d+)$/.exec(lines.at(-1)));
        assert.equal(ok, '1');
        assert.ok(Number(acked) < 400_000, acked);
    });
    test('dfotad: a package is delivered when it has arrived, although the socket was closed long before', async (t) => {
        const large = await Scene.build(server, { kind: 'noise', size: 400_000 });
        const made = await large.makePackage();
        for (const how of ['reads', 'hangs up']) {
            const module = large.module();
            const peer = await openDeaf(t, server.device, text(`GET ${module.target}`));
            await poll('all is written and closed', () => closed_by_us.includes(serverSide(peer)));
            assert.equal((await large.awaitAttempt(module, 'sending')).state, 'sending');
            if (how === 'reads')
                peer.socket.resume();
            else
                peer.hangUp();
            const attempt = await large.awaitAttempt(module, how === 'reads' ? 'delivered' : 'interrupted');
            assert.equal(attempt.bytes_acked === made.size, how === 'reads', `${attempt.bytes_acked} of ${made.size}`);
        }
    });
    test('dfotad: a package is not followed by a reset when more came behind the request', async (t) => {
        const module = scene.module();
        const request = `${text(`GET ${module.target}`)}\r\n`;
        const peer = spawn('python3', ['-c', `
import socket, sys
s = socket.create_connection(("${server.device.host}", ${server.device.port}))
s.sendall(bytes.fromhex("${Buffer.from(request).toString('hex')}"))
while s.recv(65536):
    pass
sys.stdin.readline()
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))`], { stdio: ['pipe', 'pipe', 'inherit'] });
        t.after(() => peer.kill('SIGKILL'));
        await scene.awaitAttempt(module, 'delivered');
        peer.stdin.end('\n');
        const [error] = await once(peer.stdout, 'data');
        assert.equal(String(error).trim(), '0');
    });
});
