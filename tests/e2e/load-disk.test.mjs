// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The disk of a server at full load gets full, or read-only: nothing that was answered is lost, a refused check-in leaves nothing,
// and the same process serves everyone when the disk works again.

import { Disk, noMounts } from './lib/mounts.mjs';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startOn } from './lib/disk.mjs';
import { Faults } from './lib/faults.mjs';
import { random } from './lib/firmware.mjs';
import { Load, fsck, loadConfig } from './lib/load.mjs';
import { startServer } from './lib/server.mjs';

const seed = Number(process.env.DFOTA_LOAD_SEED ?? Math.floor(Math.random() * 2 ** 31));

// The disk does not work between `damage` and `repair`, twice, while the load goes on.
async function breakTwice(t, server, { damage, repair }) {
    t.diagnostic(`DFOTA_LOAD_SEED=${seed}`);
    const load = new Load(server, random(seed));
    await load.begin();
    const { pid } = server.process;
    load.run();
    for (let times = 0; times < 2; times += 1) {
        await load.until('answers', 30);
        load.mayFail = true;
        await damage();
        await load.until('failed', 20);
        await load.until('up to date', 3); // what changes nothing needs no disk
        await load.until('looks', 3);
        await repair();
        await load.until('downloads', 5); // what the server had opened on the broken disk is opened again
        load.mayFail = false; // for requests from now on
        await load.until('answers', 30);
        await load.until('reports', 3);
    }
    await load.stop();
    assert.equal(server.process.pid, pid);
    await load.verify({ all: true });
    await load.killQuietly();
    await fsck(server);
    await server.start();
    await load.verify({ all: true });
    t.diagnostic(`${JSON.stringify(load.counts)}, ${load.devices.length} devices`);
    assert.equal(load.counts.torn, undefined, 'no answer ends in the middle');
    assert.equal(load.counts.lost, undefined, 'each request gets an answer');
}

test('the disk gets full', { skip: noMounts }, async (t) => {
    const disk = await Disk.make(t, { size: 24 << 20 });
    const server = await startOn(t, disk, { config: loadConfig });
    await breakTwice(t, server, { damage: () => disk.fill(), repair: () => disk.clear() });
});

test('the disk gets read-only', async (t) => {
    const faults = new Faults();
    const server = await startServer(t, { config: loadConfig, wrapper: faults.wrapper });
    await breakTwice(t, server, {
        damage: () => faults.set(`write,truncate,create,open,rename,unlink,mkdir EROFS 0 0 ${server.dataDir}/*`),
        repair: () => faults.set(),
    });
});
