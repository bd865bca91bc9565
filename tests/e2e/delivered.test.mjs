// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A package is delivered when the peer's TCP has acknowledged the last byte, and not before, whatever the server has
// written by then. The peers here have small receive buffers, so that their kernels acknowledge little more than they read.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { random } from './lib/firmware.mjs';
import { Peer, window_bytes } from './lib/peer.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

const kernel_bytes = 512 * 1024; // what the server's kernel may hold for one transfer

let server, scene, total;
before(async () => {
    server = await startServer(null, { keep: true, config: { transfer_stall_ms: 2000 } });
    scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
    total = (await scene.makePackage()).size;
});
after(() => server?.dispose());

// Bytes that the server's kernel holds for its device connections.
function heldBytes() {
    const port = server.device.port.toString(16).toUpperCase().padStart(4, '0');
    return readFileSync('/proc/net/tcp', 'latin1').split('\n').map((line) => line.trim().split(/\s+/))
        .filter((row) => row[1]?.endsWith(`:${port}`)).reduce((sum, row) => sum + parseInt(row[4].split(':')[0], 16), 0);
}

const within = (acked, read) =>
    assert.ok(acked >= read - 1 && acked <= read + window_bytes && acked < total, `${acked} acknowledged, ${read} read of ${total}`);

describe('a peer that', () => {
    test('reads the head and stops: its attempt is sending, then interrupted, and uses limited memory', async (t) => {
        const module = scene.module();
        const peer = new Peer(t, module, 0, 'stop');
        assert.equal(await peer.awaitSaid('head'), 200);
        const sending = await scene.awaitAttempt(module, 'sending');
        assert.equal(sending.delivered_at, null);
        assert.ok(heldBytes() <= kernel_bytes, `${heldBytes()} bytes in the kernel`);
        const cut = await scene.awaitAttempt(module, 'interrupted');
        within(cut.bytes_acked, 0);
        assert.equal(cut.delivered_at, null);
        await peer.end();
    });

    for (const part of [0.1, 0.99]) {
        for (const then of ['reset', 'fin']) {
            test(`ends with a ${then} at ${part * 100} %: its attempt is interrupted there`, async (t) => {
                const module = scene.module();
                const read = Math.floor(total * part);
                const peer = new Peer(t, module, read, then);
                assert.equal(await peer.awaitSaid('body'), read);
                await peer.ended;
                within((await scene.awaitAttempt(module, 'interrupted')).bytes_acked, read);
            });
        }
    }

    test('resets one window before the end: its attempt is interrupted there', async (t) => {
        const module = scene.module();
        const read = total - window_bytes - 1000;
        const peer = new Peer(t, module, read, 'reset');
        assert.equal(await peer.awaitSaid('body'), read);
        within((await scene.awaitAttempt(module, 'interrupted')).bytes_acked, read);
    });

    for (const then of ['reset', 'fin', 'hold']) {
        test(`reads everything, then does "${then}": its attempt is delivered`, async (t) => {
            const module = scene.module();
            const peer = new Peer(t, module, 'all', then);
            assert.equal(await peer.awaitSaid('body'), total);
            const attempt = await scene.awaitAttempt(module, 'delivered');
            assert.equal(attempt.bytes_acked, total);
            assert.ok(attempt.delivered_at >= attempt.sent_at);
            assert.equal((await scene.record(module)).confirmed_version, '1001', 'a delivery confirms nothing');
            await peer.end();
        });
    }

    test('fetches forty ranges out of order: its attempt is delivered with the last one, not before', async () => {
        const module = scene.module();
        const rand = random(4711), step = Math.ceil(total / 40);
        const bytes = await scene.content(), have = Buffer.alloc(total);
        const fetch = async (first) => {
            const last = Math.min(first + step, total) - 1;
            const rangeLine = `Range: bytes=${first}-${last}`;
            const answer = await exchange({ address: module.address, segments: [buildRequest(module.target, { rangeLine })] });
            assert.equal(answer.status, 206);
            assert.equal(answer.header('content-range'), `bytes ${first}-${last}/${total}`);
            answer.body.copy(have, first);
        };
        const rest = Array.from({ length: 39 }, (_, i) => (i + 1) * step).filter((first) => first < total);
        for (let i = rest.length - 1; i > 0; i -= 1) {
            const j = rand.below(i + 1);
            [rest[i], rest[j]] = [rest[j], rest[i]];
        }
        await fetch(0);
        for (const [n, first] of rest.entries()) {
            const { state } = (await scene.record(module)).attempts[0];
            assert.ok(['sending', 'interrupted'].includes(state), `${state} after ${n + 1} of ${rest.length + 1}`);
            await fetch(first);
        }
        assert.ok(have.equals(bytes));
        const attempt = await scene.awaitAttempt(module, 'delivered');
        assert.deepEqual([attempt.bytes_acked, (await scene.record(module)).attempts.length], [total, 1]);
    });
});

// A modem's TCP may still receive the rest for an application that closed long ago and starts again.
test('after a new request from the first byte, acknowledgements of the old connection do not count', async (t) => {
    const module = scene.module();
    const before = net.connect(module.address);
    t.after(() => before.destroy());
    before.write(buildRequest(module.target));
    let left = total - (await once(before, 'data'))[0].length;
    before.pause();

    const peer = new Peer(t, module, 0, 'stop');
    assert.equal(await peer.awaitSaid('head'), 200);
    before.on('data', (bytes) => { left -= bytes.length; }).resume();
    const cut = await scene.awaitAttempt(module, 'interrupted');
    assert.ok(left <= 0, `${left} bytes were not read`);
    within(cut.bytes_acked, 0);
    assert.equal(cut.delivered_at, null);
    assert.equal(cut.fetches, 2);
    await peer.end();
});

test('a download across a restart is delivered if both servers together saw all bytes', async (t) => {
    const own = await startServer(t);
    const long = await Scene.build(own, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
    const { size } = await long.makePackage();
    const module = long.module();
    const peer = new Peer(t, module, 400_000, 'hold');
    assert.equal(await peer.awaitSaid('body'), 400_000);
    await own.restart({ hard: true });
    module.address = own.device;
    await peer.end();
    const cut = (await long.record(module)).attempts[0];
    assert.equal(cut.state, 'interrupted');
    assert.ok(cut.bytes_acked <= 400_000 + window_bytes, `${cut.bytes_acked}`);

    // The module continues where its own flash is, not where the server thinks.
    const answer = await module.ask({ range: 400_000 });
    assert.equal(answer.status, 206);
    const { state, bytes_acked } = await long.awaitAttempt(module, cut.bytes_acked >= 400_000 ? 'delivered' : 'interrupted');
    assert.equal(state === 'delivered', bytes_acked === size);
});
