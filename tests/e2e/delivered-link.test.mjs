// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Delivery over a bad radio cell: 2 Mbit/s, and one in twenty packets of the server is lost.

import { noNetwork, slowLink } from './lib/network.mjs';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Peer, window_bytes } from './lib/peer.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

test('network links can be made if no test may be skipped', { skip: process.env.CI ? false : noNetwork }, () => {
    assert.equal(noNetwork, false);
});

test('over a slow and lossy link a package is delivered with its last byte, and a cut leaves what arrived', { skip: noNetwork }, async (t) => {
    const link = await slowLink(t);
    const server = await startServer(t, { config: { device_listen: `${link.server}:0` } });
    const scene = await Scene.build(server, { kind: 'noise', size: 300_000 });
    const { size } = await scene.makePackage();

    const cut = scene.module();
    const broken = new Peer(t, cut, 120_000, 'reset', { wrapper: link.wrapper });
    assert.equal(await broken.awaitSaid('body'), 120_000);
    const left = await scene.awaitAttempt(cut, 'interrupted');
    assert.ok(left.bytes_acked > 0 && left.bytes_acked <= 120_000 + window_bytes, `${left.bytes_acked}`);

    const module = scene.module();
    const peer = new Peer(t, module, 'all', 'hold', { wrapper: link.wrapper });
    await peer.awaitSaid('head');
    let looks = 0;
    while (!('body' in peer.said)) { // whatever the server has written by now
        const [{ state, bytes_acked }] = (await scene.record(module)).attempts;
        if (!('body' in peer.said))
            assert.ok(state === 'sending' || (state === 'delivered' && bytes_acked === size), `${state} with ${bytes_acked} of ${size}`);
        looks += state === 'sending';
    }
    assert.ok(looks > 0, 'it was seen on its way');
    assert.equal((await scene.awaitAttempt(module, 'delivered')).bytes_acked, size);
    await peer.end();
});
