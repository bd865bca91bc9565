// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// kill -9 at full load, at any moment: after the next start each fact that a client was told is in the records, and the records
// say no more than the clients saw.
//
//   DFOTA_LOAD_KILLS   kills, 6
//   DFOTA_LOAD_SEED    repeats a run as far as the clients decide; every run prints its own

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Faults } from './lib/faults.mjs';
import { random } from './lib/firmware.mjs';
import { Load, fsck, loadConfig } from './lib/load.mjs';
import { startServer } from './lib/server.mjs';

const kills = Number(process.env.DFOTA_LOAD_KILLS ?? 6);
const seed = Number(process.env.DFOTA_LOAD_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`${kills} kills at full load lose nothing that was answered`, async (t) => {
    t.diagnostic(`DFOTA_LOAD_SEED=${seed}`);
    const faults = new Faults(); // slow commits: an answer that comes before its commit would come long before
    faults.set('write SLOW 0 0 */dfota.db-wal');
    const server = await startServer(t, { config: loadConfig, wrapper: faults.wrapper });
    const load = new Load(server, random(seed));
    await load.begin();
    while (load.kills < kills) {
        await load.killAfter(20 + load.rand.below(200));
        await fsck(server);
        await server.start();
        await load.verify();
    }
    await load.verify({ all: true });
    await server.stop();
    await fsck(server);
    t.diagnostic(`${JSON.stringify(load.counts)}, ${load.devices.length} devices`);
    for (const what of ['answers', 'downloads', 'parts', 'reports', 'refusals', 'looks', 'lost'])
        assert.ok(load.counts[what] > 0, `the load had no ${what}`);
});
