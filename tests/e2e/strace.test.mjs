// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// System calls, seen with strace from outside: the head of an answer leaves in one send, and a check-in that changes state is on
// the disk before its answer leaves.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { nextImei, poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { isSend, readTrace, traceDir, tracer, whyNoTrace } from './lib/trace.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

const dir = traceDir();
const reason = whyNoTrace(dir);

test('strace works if no test may be skipped', { skip: reason && !process.env.CI ? reason : false }, () => {
    assert.equal(reason, false);
});

describe('seen by strace:', { skip: reason }, () => {
    const file = join(dir, 'trace');
    let server, scene;
    before(async () => {
        server = await startServer(null, { keep: true, wrapper: tracer(file) });
        scene = await Scene.build(server);
    });
    after(() => server?.dispose());

    // Asks once, with an odd header to recognise the request by. Returns {answer, trace, request, sends}: the receive of
    // the request, and all that was sent on its socket from then on.
    let marks = 0;
    async function traced(target, options = {}) {
        const mark = `X-Mark: ${process.pid}-${marks += 1}-end`;
        const answer = await exchange({
            address: server.device, method: options.method,
            segments: [buildRequest(target, { ...options, lines: [mark] })],
        });
        return poll(`the trace shows ${mark}`, () => {
            const trace = readTrace(readFileSync(file, 'utf8'));
            const request = trace.find((c) => /^(read|recv)/.test(c.name) && c.text.includes(mark));
            const sends = request ? trace.filter((c) => isSend(c) && c.path === request.path && c.begun > request.begun) : [];
            return sends.length > 0 && { answer, trace, request, sends };
        });
    }

    // The head is one buffer, or several of one call, and that call took all of it.
    function assertOneSend({ answer, sends }, name) {
        assert.ok(answer.headComplete, name);
        const starting = sends.filter((c) => c.text.includes('"HTTP/1.1 '));
        assert.equal(starting.length, 1, `${name}: ${starting.length} sends begin an answer`);
        assert.equal(starting[0], sends[0], `${name}: something was sent before the head`);
        assert.ok(starting[0].result >= answer.head.length,
            `${name}: the first send took ${starting[0].result} bytes of a head of ${answer.head.length}`);
        assert.ok(starting[0].text.includes('\\r\\n\\r\\n'), `${name}: the head's end is not in its first send`);
    }

    test('the head of every kind of answer leaves in one send', async () => {
        const first = await traced(scene.module().target);
        assert.equal(first.answer.code, 43);
        assertOneSend(first, 'code 43');
        const { size } = await scene.makePackage();
        const kinds = {
            'a delivery': [scene.module().target, {}, 200],
            'a delivery from byte 0': [scene.module().target, { range: 0 }, 206],
            'a HEAD': [scene.module().target, { method: 'HEAD' }, 200],
            'code 27': [scene.module({ version: '1002' }).target, {}, 400],
            'a range of nothing': [scene.module().target, { range: size - 1 }, 416],
            'no such path': ['/nothing', {}, 404],
            'another method': [scene.module().target, { method: 'DELETE' }, 405],
            'bytes that are no name': ['/api/site/firmware_upgrade?imei=1&project_key=%ff', {}, 400],
        };
        for (const [name, [target, options, status]] of Object.entries(kinds)) {
            const seen = await traced(target, options);
            assert.equal(seen.answer.status, status, name);
            assertOneSend(seen, name);
        }
    });

    // Between the arrival of the request and the first byte of the answer the log of the database was written and
    // flushed, in this order.
    function assertDurableFirst({ trace, request, sends }, name) {
        const within = trace.filter((c) => c.begun > request.begun && c.ended < sends[0].begun && c.result >= 0);
        const written = within.find((c) => /^(pwrite|write)/.test(c.name) && c.path.endsWith('-wal'));
        assert.ok(written, `${name}: no write to the database log before the answer`);
        const flushed = within.find((c) => /^f(data)?sync$/.test(c.name) && c.path.endsWith('-wal') && c.begun > written.ended);
        assert.ok(flushed, `${name}: the database log was not flushed before the answer`);
    }

    test('a check-in that changes state is durable before its answer leaves', async () => {
        const fresh = await Scene.build(server);
        const module = fresh.module();
        const waiting = await traced(module.target);
        assert.equal(waiting.answer.code, 43);
        assertDurableFirst(waiting, 'a new device that is told to wait');

        await fresh.makePackage();
        const begun = await traced(module.target);
        assert.equal(begun.answer.status, 200);
        assertDurableFirst(begun, 'a delivery that begins');

        await fresh.awaitAttempt(module, 'delivered');
        module.version = '1002';
        const confirmed = await traced(module.target);
        assert.equal(confirmed.answer.code, 27);
        assertDurableFirst(confirmed, 'a check-in that confirms');

        const missing = await traced(fresh.module({ version: '77' }).target);
        assert.equal(missing.answer.code, 44);
        assertDurableFirst(missing, 'a new device on a missing base');
    });

    test('a report of a host is durable before its answer leaves', async () => {
        const linked = scene.module({ id: nextImei() });
        const { report_url } = await scene.createLink(linked);
        const body = '{"version":"1001"}';
        const seen = await traced(new URL(report_url).pathname, { method: 'POST', body });
        assert.equal(seen.answer.status, 200, String(seen.answer.body));
        assertDurableFirst(seen, 'a report');
        assertOneSend(seen, 'a report');
    });

    test('a large package is sent from one file in memory, by all requests', async () => {
        const large = await Scene.build(server, { kind: 'noise', size: 300_000, limit: 1_000_000 });
        const { size } = await large.makePackage();
        const files = new Set();
        for (const options of [{}, {}, { range: 0 }]) {
            const { answer, trace, request } = await traced(large.module().target, options);
            const parts = trace.filter((c) => c.name === 'sendfile' && c.path === request.path && c.begun > request.begun && c.result > 0);
            assert.equal(parts.reduce((sum, c) => sum + c.result, 0), answer.body.length, JSON.stringify(options));
            assert.ok(answer.body.length >= size - 1, `${answer.body.length} of ${size}`);
            parts.forEach((c) => files.add(/, (\d+<[^>]*>)/.exec(c.text)[1]));
        }
        assert.equal(files.size, 1, [...files].join());
        assert.match([...files][0], /memfd:package/);
    });

    test('a check-in writes to no temporary file', async () => {
        const fresh = await Scene.build(server);
        await fresh.makePackage();
        const { trace, request } = await traced(fresh.module().target);
        const paths = new Set(trace.filter((c) => c.begun > request.begun && c.name === 'pwrite64').map((c) => c.path));
        assert.ok([...paths].some((path) => path.endsWith('-wal')));
        assert.deepEqual([...paths].filter((path) => path.includes('etilqs')), []);
    });

    test('a HEAD writes nothing to the database', async () => {
        const fresh = await Scene.build(server);
        const { trace, request, sends } = await traced(fresh.module().target, { method: 'HEAD' });
        const written = trace.filter((c) => c.begun > request.begun && c.begun < sends[0].begun && /write/.test(c.name) && c.path?.endsWith('-wal'));
        assert.deepEqual(written.map((c) => c.text.slice(0, 80)), []);
    });
});

test('a trace is read across interleaved threads', () => {
    const calls = readTrace([
        '11 recvfrom(5<socket:[7]>, "GET /", 100, 0, NULL, NULL) = 5',
        '12 pwrite64(9</x/db-wal>, "a = 1\\r\\n", 4, 0 <unfinished ...>',
        '11 sendto(6<socket:[8]>, "HTTP/1.1 200 OK", 15, 0, NULL, 0) = 15',
        '12 <... pwrite64 resumed>) = 4',
        '12 fdatasync(9</x/db-wal>) = -1 EIO (Input/output error)',
    ].join('\n'));
    assert.deepEqual(calls.map((c) => [c.name, c.path, c.result, c.begun, c.ended]), [
        ['recvfrom', 'socket:[7]', 5, 0, 0], ['pwrite64', '/x/db-wal', 4, 1, 3], ['sendto', 'socket:[8]', 15, 2, 2],
        ['fdatasync', '/x/db-wal', -1, 4, 4],
    ]);
});
