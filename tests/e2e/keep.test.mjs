// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Kept connections of the admin listener: each request on them is checked like the first of a new connection, answers are
// whole and in order, and idle connections never keep anyone out. DFOTA_KEEP_ROUNDS makes the random form longer.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';

import { Authority } from './lib/certificate.mjs';
import { countDescriptors } from './lib/crowd.mjs';
import { noiseImage, random } from './lib/firmware.mjs';
import { Kept } from './lib/kept.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

const rounds = Number(process.env.DFOTA_KEEP_ROUNDS ?? 12);
const seed = Number(process.env.DFOTA_KEEP_SEED ?? Math.floor(Math.random() * 2 ** 31));

let server;
before(async () => {
    server = await startServer(null, { keep: true, config: { max_admin_connections: 200 } });
    await server.createProduct('kept');
});
after(() => server?.dispose());

const bearer = (on = server) => `Authorization: Bearer ${on.token}`;
const head = (first, lines = [bearer()]) => `${first} HTTP/1.1\r\n${['Host: h', ...lines].join('\r\n')}\r\n\r\n`;
const get = (path, lines) => head(`GET /api/v1${path}`, lines);
const rename = (name, on = server) => {
    const body = JSON.stringify({ name });
    return head('PATCH /api/v1/products/kept', [bearer(on), 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]) + body;
};

function open(t, on = server.adminAddress, connect = undefined) {
    const kept = new Kept(on, connect);
    t.after(() => kept.hangUp());
    return kept;
}

// Neither the answer nor the connection ends.
async function expectKept(kept, bytes, status, method = 'GET') {
    const answer = await kept.ask(bytes, method);
    assert.deepEqual([answer?.status, answer?.closes, kept.closed], [status, false, null], `${String(bytes).slice(0, 60)}: ${answer?.body}`);
    assert.match(answer.headers['keep-alive'], /^timeout=\d+$/);
    assert.equal(answer.headers.connection, undefined);
    return answer;
}

// The answer says that the connection ends, and it ends without a reset.
async function expectClosed(kept, bytes, status, method = 'GET') {
    const answer = await kept.ask(bytes, method);
    assert.deepEqual([answer?.status, answer?.closes], [status, true], String(answer?.body));
    assert.equal(await kept.end(), 'fin');
    return answer;
}

describe('requests on one connection', () => {
    test('every kind of answer keeps it: JSON, 401, 404, 405, 304, HEAD, 201, 204, files of the console', async (t) => {
        const kept = open(t);
        await expectKept(kept, get('/status'), 200);
        const file = await expectKept(kept, head('GET /console/', []), 200);
        const known = await expectKept(kept, head('GET /console/', [`If-None-Match: ${file.headers.etag}`]), 304);
        assert.equal(known.headers.etag, file.headers.etag);
        await expectKept(kept, get('/status', []), 401);
        await expectKept(kept, get('/status', ['Authorization: Bearer wrong']), 401);
        await expectKept(kept, get('/nothing'), 404);
        await expectKept(kept, head('DELETE /api/v1/status'), 405, 'DELETE');
        await expectKept(kept, head('HEAD /api/v1/status'), 200, 'HEAD');
        await expectKept(kept, head('HEAD /api/v1/status', []), 401, 'HEAD');
        await expectKept(kept, rename('new name'), 200, 'PATCH');
        const bad = '{"nam';
        await expectKept(kept, head('PATCH /api/v1/products/kept', [bearer(), `Content-Length: ${bad.length}`]) + bad, 400, 'PATCH');
        const image = noiseImage({ seed: 1, size: 300_000 });
        const path = `/api/v1${firmwarePath('kept', 'fw')}/images/1`;
        await expectKept(kept, Buffer.concat([Buffer.from(head(`PUT ${path}`, [bearer(), `Content-Length: ${image.length}`])), image]), 201, 'PUT');
        const content = await expectKept(kept, head(`GET ${path}/content`), 200);
        assert.ok(content.body.equals(image));
        await expectKept(kept, head(`DELETE ${path}`), 204, 'DELETE');
        for (let i = 0; i < 200; i++)
            await expectKept(kept, get('/products/kept'), 200);
    });

    test('a token is not carried over, and no header or body either', async (t) => {
        const kept = open(t);
        await expectKept(kept, get('/products/kept'), 200);
        await expectKept(kept, get('/products/kept', []), 401);
        await expectKept(kept, rename('first'), 200, 'PATCH');
        const empty = head('PATCH /api/v1/products/kept', [bearer(), 'Content-Length: 0']);
        assert.equal((await expectKept(kept, empty, 400, 'PATCH')).headers['content-type'], 'application/problem+json');
        assert.equal(JSON.parse((await expectKept(kept, get('/products/kept'), 200)).body).name, 'first');
    });

    test('each of its requests may come in pieces', async (t) => {
        const kept = open(t);
        for (let i = 0; i < 3; i++) {
            const text = rename(`piece ${i}`);
            for (const at of [0, 1, 2, 3])
                await new Promise((sent) => kept.socket.write(text.slice(at * 60, at === 3 ? undefined : at * 60 + 60), sent));
            kept.methods.push('PATCH');
            assert.equal(JSON.parse((await kept.next()).body).name, `piece ${i}`);
        }
    });

    test('the peer may ask for the end, and HTTP/1.0 ends', async (t) => {
        for (const line of ['Connection: close', 'Connection: Keep-Alive, Close', 'connection:CLOSE']) {
            const kept = open(t);
            await expectKept(kept, get('/status'), 200);
            await expectClosed(kept, get('/status', [bearer(), line]), 200);
        }
        for (const lines of [[], ['Connection: keep-alive']])
            await expectClosed(open(t), get('/status', [bearer(), ...lines]).replace('HTTP/1.1', 'HTTP/1.0'), 200);
    });

    test('a body in chunks is taken, and then the connection ends', async (t) => {
        const kept = open(t);
        await expectKept(kept, get('/status'), 200);
        const body = '{"name":"chunks"}';
        await expectClosed(kept, `${head('PATCH /api/v1/products/kept', [bearer(), 'Transfer-Encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`, 200, 'PATCH');
        await expectKept(open(t), get('/products/kept'), 200);
    });

    test('a refusal before the body ends it, and the body is never read as a request', async (t) => {
        const inner = get('/status');
        for (const [first, lines, status] of [['POST /api/v1/products', [], 401], ['POST /api/v1/nothing', [bearer()], 404],
            ['POST /api/v1/products', [bearer(), 'Transfer-Encoding: chunked', 'Content-Length: 3'], 400]]) {
            const kept = open(t);
            await expectKept(kept, get('/status'), 200);
            await expectClosed(kept, head(first, [...lines, `Content-Length: ${inner.length}`]) + inner, status, 'POST');
        }
    });

    test('a second head is checked as strictly as the first', async (t) => {
        for (const [bytes, status] of [
            ['GET /api/v1/status HTTP/1.1\nHost: h\n\n', 400], [`\r\n${get('/status')}`, 400], ['GET  / HTTP/1.1\r\nHost: h\r\n\r\n', 400],
            [head('GET /api/v1/status', [bearer(), 'Content-Length: 2', 'Content-Length: 3']), 400],
            [head('GET /api/v1/status', [bearer(), 'X : y']), 400], [get(`/status?${'x'.repeat(20_000)}`), 414],
            [get('/status', [bearer(), `X-Pad: ${'x'.repeat(20_000)}`]), 431],
        ]) {
            const kept = open(t);
            await expectKept(kept, get('/status'), 200);
            await expectClosed(kept, bytes, status);
        }
    });

    test('a stream of events takes the whole connection', async (t) => {
        const kept = open(t);
        await expectKept(kept, get('/status'), 200);
        kept.send(get('/events'));
        await poll('the stream begins', () => kept.bytes.includes('text/event-stream'));
        assert.match(kept.bytes.subarray(kept.bytes.indexOf('text/event-stream') - 200).toString(), /\r\nConnection: close\r\n/);
    });
});

describe('pipelined requests', () => {
    // Answered in order up to the one that closes; those behind it were not executed.
    async function pipeline(t, texts, methods) {
        const kept = open(t);
        kept.send(Buffer.from(texts.join('')), ...methods);
        const answers = [];
        for (let answer; (answer = await kept.next());)
            answers.push(answer);
        assert.equal(await kept.end(), 'fin');
        assert.ok(answers.length >= 1);
        assert.ok(answers.slice(0, -1).every(({ closes }) => !closes));
        assert.ok(answers.at(-1).closes, 'the last answer says that the others are not answered');
        return answers;
    }

    test('20 at once: none is lost silently', async (t) => {
        const answers = await pipeline(t, Array.from({ length: 20 }, () => get('/products/kept')), []);
        assert.ok(answers.every(({ status }) => status === 200));
    });

    test('20 changes: exactly those are made that were answered', async (t) => {
        const answers = await pipeline(t, Array.from({ length: 20 }, (_, i) => rename(`change ${i}`)), Array(20).fill('PATCH'));
        answers.forEach(({ body }, i) => assert.equal(JSON.parse(body).name, `change ${i}`));
        assert.equal((await server.admin('GET', '/products/kept')).json.name, `change ${answers.length - 1}`);
    });

    test('refusals at the gate are answered one by one', async (t) => {
        const kept = open(t);
        kept.send(Buffer.from(Array.from({ length: 50 }, (_, i) => get(`/nothing/${i}`, i % 2 ? [] : [bearer()])).join('')));
        for (let i = 0; i < 50; i++)
            assert.equal((await kept.next()).status, i % 2 ? 401 : 404);
        await expectKept(kept, get('/status'), 200);
    });
});

describe('the device listener', () => {
    const config = { device_proxies: '127.0.0.1', device_keep_alive_ms: 60_000 };
    const ask = (module) => head(`GET ${module.target}`, []);

    test('keeps a connection of a proxy, until a package is sent', async (t) => {
        const own = await startServer(t, { config });
        const scene = await Scene.build(own);
        await scene.makePackage();
        const kept = open(t, own.device);
        const current = [0, 1].map(() => scene.module({ version: scene.versions.at(-1) })), old = scene.module();
        for (const module of [...current, ...current])
            assert.match(String((await expectKept(kept, ask(module), 400)).body), /"code": 27/);
        await expectKept(kept, head('GET /nothing', []), 404);
        const { body } = await expectClosed(kept, ask(old), 200);
        assert.equal((await scene.awaitAttempt(old, 'handed_over')).bytes_acked, body.length);
        assert.equal((await scene.record(current[0])).check_ins, 2);
    });
    test('a request and the end of the peer, seen together, end the connection', async (t) => {
        const own = await startServer(t, { config: { ...config, loops: 1 } });
        const scene = await Scene.build(own);
        const module = scene.module({ version: scene.versions.at(-1) });
        for (const [bytes, status] of [[ask(module), 400], [head('GET /nothing', []), 404]]) {
            const kept = open(t, own.device);
            await expectKept(kept, ask(module), 400);
            own.process.kill('SIGSTOP');
            await new Promise((sent) => kept.socket.end(bytes, sent));
            own.process.kill('SIGCONT');
            assert.equal((await kept.next()).status, status);
            assert.equal(await kept.end(), 'fin');
        }
    });
    for (const [kind, change] of Object.entries({ 'another peer': { device_proxies: '127.0.0.2' }, 'a proxy by default': { device_keep_alive_ms: 0 } }))
        test(`closes a connection of ${kind}`, async (t) => {
            const own = await startServer(t, { config: { ...config, ...change } });
            const scene = await Scene.build(own);
            await expectClosed(open(t, own.device), ask(scene.module({ version: scene.versions.at(-1) })), 400);
            await expectClosed(open(t, own.device), head('GET /nothing', []), 404);
        });
});

describe('time and room', () => {
    test('an idle connection is closed after its time, and a head has its own', async (t) => {
        const own = await startServer(t, { config: { admin_keep_alive_ms: 1000, head_timeout_ms: 500 } });
        const begun = performance.now();
        const idle = open(t, own.adminAddress), slow = open(t, own.adminAddress), live = open(t, own.adminAddress);
        for (const kept of [idle, slow, live])
            await kept.ask(get('/status', [bearer(own)]));
        const repeat = (act) => { const timer = setInterval(act, 50); t.after(() => clearInterval(timer)); };
        repeat(() => live.send(get('/status', [bearer(own)])));
        const head_begun = performance.now();
        slow.send('GET /api');
        repeat(() => slow.closed || slow.socket.write('x'));
        assert.equal((await slow.next()).status, 408);
        assert.ok(performance.now() - head_begun >= 490);
        assert.equal(await idle.end(), 'fin');
        assert.ok(performance.now() - begun >= 990);
        assert.equal(live.closed, null, 'one that is used stays');
    });

    test('0 turns it off', async (t) => {
        const own = await startServer(t, { config: { admin_keep_alive_ms: 0 } });
        for (const [bytes, status] of [[get('/status', [bearer(own)]), 200], [get('/status', []), 401]])
            await expectClosed(open(t, own.adminAddress), bytes, status);
    });

    test('1,000 strangers with idle connections keep no one out: the longest idle is closed first', async (t) => {
        const own = await startServer(t, { config: { max_admin_connections: 40 } });
        const mine = open(t, own.adminAddress);
        await mine.ask(get('/status', [bearer(own)]));
        let strangers = [];
        for (let i = 0; i < 1000; i++) {
            const stranger = open(t, own.adminAddress);
            strangers.push(stranger);
            assert.equal((await stranger.ask(get('/status', []))).status, 401);
            if (i % 100 === 99) {
                await own.admin('GET', '/status', null, { expect: 200 });
                strangers = strangers.filter(({ closed }) => !closed);
                assert.ok(strangers.length <= 21, `${strangers.length} are open`);
            }
            if (i % 10 === 0 && !mine.closed) // one that is in use is never the longest idle
                assert.equal((await mine.ask(get('/status', [bearer(own)]))).status, 200);
        }
        assert.equal(mine.closed, null);
        await poll('descriptors are given back', () => countDescriptors(own.process.pid) < 100);
        assert.equal(own.log('connections-dropped').length, 0);
    });

    test('the stop closes idle connections, and the request that runs gets its answer', async (t) => {
        const own = await startServer(t);
        await own.createProduct('kept');
        const idle = open(t, own.adminAddress), busy = open(t, own.adminAddress);
        for (const kept of [idle, busy])
            assert.equal((await kept.ask(get('/status', [bearer(own)]))).status, 200);
        const lock = spawn('sqlite3', ['-bail', join(own.dataDir, 'dfota.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
        t.after(() => lock.kill('SIGKILL'));
        lock.stdin.write('.timeout 5000\nBEGIN IMMEDIATE;\nSELECT 1;\n');
        await once(lock.stdout, 'data');
        busy.send(rename('at the end', own), 'PATCH');
        assert.equal((await open(t, own.adminAddress).ask(get('/status', []))).status, 401); // answered after it, without the database
        const ended = own.ended;
        own.process.kill('SIGTERM');
        await own.logged('stop');
        lock.stdin.end('ROLLBACK;\n'); // the main thread may wait for the database before it stops the listeners
        assert.equal((await busy.next()).status, 200);
        assert.equal(await idle.end(), 'fin');
        assert.equal(await busy.end(), 'fin');
        assert.deepEqual(await ended, { code: 0, signal: null });
    });

    test('a reload keeps them; peers that are cut off leave nothing', async (t) => {
        const own = await startServer(t);
        await own.createProduct('kept');
        const kept = open(t, own.adminAddress);
        await kept.ask(get('/status', [bearer(own)]));
        own.process.kill('SIGHUP');
        await own.logged('reloaded');
        assert.equal((await kept.ask(get('/status', [bearer(own)]))).status, 200);
        const before = countDescriptors(own.process.pid);
        for (let i = 0; i < 40; i++) {
            const peer = open(t, own.adminAddress);
            await peer.ask(get('/status', [bearer(own)]));
            const text = rename('cut', own);
            peer.send(text.slice(0, i * 5), 'PATCH');
            await new Promise((sent) => peer.socket.write('', sent));
            peer.hangUp();
        }
        await poll('descriptors are given back', () => countDescriptors(own.process.pid) <= before);
        assert.equal((await kept.ask(get('/status', [bearer(own)]))).status, 200);
    });
});

describe('clients', () => {
    test('an agent of Node uses one connection for all of its requests', async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const ports = new Set();
        for (let i = 0; i < 30; i++) {
            const body = i % 3 === 0 ? JSON.stringify({ name: `n${i}` }) : null;
            const status = await new Promise((done, failed) => {
                const request = http.request({ ...server.adminAddress, agent, method: body ? 'PATCH' : 'GET', path: '/api/v1/products/kept',
                    headers: { Authorization: `Bearer ${server.token}`, ...body && { 'Content-Length': body.length, 'Content-Type': 'application/json' } } }, (response) => {
                    ports.add(response.socket.localPort);
                    response.resume().on('end', () => done(response.statusCode));
                });
                request.on('error', failed).end(body);
            });
            assert.equal(status, 200);
        }
        agent.destroy();
        assert.equal(ports.size, 1);
    });

    test('curl uses one connection for several URLs', () => {
        const url = `http://${server.adminAddress.host}:${server.adminAddress.port}/api/v1`;
        const out = execFileSync('curl', ['-sS', '-H', bearer(), '-w', '%{http_code} %{num_connects}\n',
            ...['/status', '/products', '/nothing', '/products/kept'].flatMap((path) => ['-o', '/dev/null', url + path])], { encoding: 'utf8' });
        assert.equal(out, '200 1\n200 0\n404 0\n200 0\n');
    });

    test('over TLS', async (t) => {
        const authority = new Authority();
        const pem = authority.issue('kept');
        const own = await startServer(t, { config: { admin_tls_listen: '127.0.0.1:0', admin_tls_cert: pem.both } });
        await own.createProduct('kept');
        const [{ address }] = await own.logged('listening-tls');
        const on = { host: '127.0.0.1', port: Number(address.split(':').at(-1)) };
        const connect = (options) => tls.connect({ ...options, ca: readFileSync(authority.file) });
        const kept = open(t, on, connect);
        for (let i = 0; i < 20; i++) {
            await expectKept(kept, get('/products/kept', [bearer(own)]), 200);
            await expectKept(kept, rename(`tls ${i}`, own), 200, 'PATCH');
            await expectKept(kept, get('/products/kept', []), 401);
        }
        await expectClosed(kept, get('/status', [bearer(own)]) + get('/status', [bearer(own)]), 200);
        const idle = open(t, on, connect);
        await idle.ask(get('/status', [bearer(own)]));
        await own.stop();
        assert.equal(await idle.end(), 'fin');
    });
});

// A random order of requests, whole or in pieces, of peers that come and go; each answer belongs to its request.
test(`a random mix, seed ${seed}`, async (t) => {
    const rand = random(seed);
    let name = (await server.admin('GET', '/products/kept')).json.name;
    const kinds = [
        (kept, i) => { kept.text = rename(name = `mix ${i}`); return ['PATCH', 200, () => name]; },
        (kept) => { kept.text = get('/products/kept'); return ['GET', 200, () => name]; },
        (kept) => { kept.text = head('HEAD /api/v1/products/kept'); return ['HEAD', 200]; },
        (kept) => { kept.text = get('/products/kept', []); return ['GET', 401]; },
        (kept) => { kept.text = get('/nothing'); return ['GET', 404]; },
        (kept) => { kept.text = head('PATCH /api/v1/products/kept', [bearer(), 'Content-Length: 3']) + '{x}'; return ['PATCH', 400]; },
        (kept) => { kept.text = get('/products/kept', [bearer(), 'Connection: close']); return ['GET', 200, () => name, true]; },
        (kept) => { kept.text = head('POST /api/v1/products', ['Content-Length: 2']) + '{}'; return ['POST', 401, null, true]; },
    ];
    for (let round = 0; round < rounds; round++) {
        const kept = open(t);
        for (let i = 0; i < 30; i++) {
            const [method, status, wanted, closes = false] = kinds[rand.below(kinds.length - (i < 20 ? 2 : 0))](kept, `${round}.${i}`);
            const at = rand.below(3) ? kept.text.length : rand.below(kept.text.length);
            await new Promise((sent) => kept.socket.write(kept.text.slice(0, at), sent));
            if (at < kept.text.length)
                await new Promise((sent) => kept.socket.write(kept.text.slice(at), sent));
            kept.methods.push(method);
            const answer = await kept.next();
            assert.deepEqual([answer?.status, answer?.closes], [status, closes], `${kept.text}: ${answer?.body}`);
            if (wanted)
                assert.equal(JSON.parse(answer.body).name, wanted(), kept.text);
            if (closes) {
                assert.equal(await kept.end(), 'fin');
                break;
            }
        }
        kept.hangUp();
    }
});
