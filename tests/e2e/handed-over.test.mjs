// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Behind the admin's own proxy the TCP peer is the proxy. It takes a whole package at once, whatever the module has received.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { Peer } from './lib/peer.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server, scene, size;
before(async () => {
    server = await startServer(null, { keep: true, config: { device_proxies: '::1 127.0.0.1' } });
    scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
    size = (await scene.makePackage()).size;
});
after(() => server?.dispose());

// Forwards the request and reads the whole answer of the server at once.
function startProxy(t) {
    const proxy = net.createServer({ allowHalfOpen: true }, (inner) => {
        const outer = net.connect({ ...server.device, allowHalfOpen: true });
        inner.on('data', (bytes) => outer.write(bytes)).on('error', () => {});
        outer.on('data', (bytes) => inner.write(bytes)).on('end', () => inner.end()).on('error', () => inner.destroy());
        inner.on('end', () => outer.end());
    });
    t.after(() => proxy.close());
    return new Promise((next) => proxy.listen(0, '127.0.0.1', () => next({ host: '127.0.0.1', port: proxy.address().port })));
}

test('a package is handed over, never delivered; a module that was cut behind the proxy goes on', async (t) => {
    const module = scene.module();
    module.address = await startProxy(t);
    const begun = await module.ask({ cutAfter: 20_000 });
    assert.equal(begun.status, 200);
    const handed = await scene.awaitAttempt(module, 'handed_over');
    assert.deepEqual([handed.bytes_acked, handed.delivered_at], [size, null]);
    assert.ok(handed.handed_over_at >= handed.sent_at);

    const rest = await module.ask({ range: begun.body.length });
    assert.equal(rest.status, 206, `${rest.body.subarray(0, 100)}`);
    const whole = Buffer.concat([begun.body, rest.body]);
    assert.ok(whole.equals(await scene.content()));
    await scene.awaitAttempt(module, 'handed_over');

    await module.applyAndReboot(whole);
    assert.equal((await module.ask()).code, 27);
    const { confirmed_version, attempts } = await scene.record(module);
    assert.deepEqual([confirmed_version, attempts.length, attempts[0].state, attempts[0].delivered_at], ['1002', 1, 'confirmed', null]);
});

test('a module that asks again with the old version from the first byte has not applied it', async (t) => {
    const module = scene.module();
    module.address = await startProxy(t);
    await module.ask();
    await scene.awaitAttempt(module, 'handed_over');
    assert.equal((await module.ask()).status, 200);
    const { attempts } = await scene.record(module);
    assert.deepEqual([attempts.length, attempts[1].state], [2, 'not_applied']);
});

test('a module that starts again after a restart during its resume has nothing delivered yet', async (t) => {
    const own = await startServer(t, { config: { device_proxies: '127.0.0.1' } });
    const long = await Scene.build(own, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
    await long.makePackage();
    const module = long.module();
    await module.ask();
    await long.awaitAttempt(module, 'handed_over');

    const resume = new Peer(t, module, 0, 'stop', { rangeLine: 'Range: bytes=1000-' });
    assert.equal(await resume.awaitSaid('head'), 206);
    await own.restart({ hard: true });
    await resume.end();
    module.address = own.device;
    const anew = new Peer(t, module, 0, 'stop');
    assert.equal(await anew.awaitSaid('head'), 200);
    const { state, delivered_at, handed_over_at } = (await long.record(module)).attempts[0];
    assert.deepEqual([state, delivered_at, handed_over_at], ['sending', null, null]);
    await anew.end();
});

test('over a link too: it counts as an offer', async (t) => {
    const { module } = await scene.linkedModule();
    module.address = await startProxy(t);
    await module.ask();
    await scene.awaitAttempt(module, 'handed_over');
    assert.equal((await module.ask()).code, 27, 'not again before a day has passed');
});

test('another peer is not treated as a proxy', async (t) => {
    const own = await startServer(t, { config: { device_proxies: '192.0.2.1 127.0.0.11' } });
    const small = await Scene.build(own);
    const module = small.module();
    await module.upgrade();
    await small.awaitAttempt(module, 'delivered');
});
