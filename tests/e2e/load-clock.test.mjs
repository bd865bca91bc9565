// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The wall clock of a server at full load jumps by days, forwards and backwards: no answer changes, no duration is negative, no
// time is shown that is in the future, and no device becomes silent.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Clock, day } from './lib/clock.mjs';
import { random } from './lib/firmware.mjs';
import { Load, fsck, loadConfig } from './lib/load.mjs';
import { startServer } from './lib/server.mjs';

const seed = Number(process.env.DFOTA_LOAD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const jumps = [3 * day, -5 * day, 400 * day, 400 * day - 3_600_000, -30 * day, 0];

const noneIsNegative = (metrics) => assert.doesNotMatch(metrics, /^[^#\n]* -\d/m);

test('jumps of the clock at full load', async (t) => {
    t.diagnostic(`DFOTA_LOAD_SEED=${seed}`);
    const clock = new Clock();
    const server = await startServer(t, { config: loadConfig, wrapper: clock.wrapper });
    const load = new Load(server, random(seed));
    await load.begin();
    load.run();
    for (const jump of jumps) {
        const made = load.upload().then((version) => load.queue(load.old, version)); // a package is made across the jump
        await load.until('answers', 15);
        clock.ahead(jump);
        await made;
        await load.until('answers', 25);
        await load.until('reports', 3);
    }
    await load.stop();
    assert.equal(load.counts.lost ?? load.counts.torn, undefined);
    await load.verify({ all: true });
    for (const device of load.devices) {
        const record = await load.record(device);
        assert.ok(record.first_seen_at <= Date.now() && record.last_seen_at <= Date.now(), JSON.stringify(record));
        for (const attempt of record.attempts) {
            assert.notEqual(attempt.state, 'silent', JSON.stringify(record));
            for (const [name, value] of Object.entries(attempt))
                assert.ok(!/_at$/.test(name) || value <= Date.now(), `${name}: ${JSON.stringify(attempt)}`);
        }
    }
    const { items } = (await server.admin('GET', load.path('/packages'), null, { expect: 200 })).json;
    assert.ok(items.length >= jumps.length);
    for (const { from, to, duration_ms } of items)
        assert.ok(duration_ms === null || duration_ms >= 0, `package ${from}/${to} took ${duration_ms} ms`);
    const { port } = server.adminAddress;
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: `Bearer ${server.token}` } });
    noneIsNegative(await metrics.text());
    await server.stop();
    await fsck(server);
    await server.start();
    await load.verify({ all: true });
    t.diagnostic(`${JSON.stringify(load.counts)}, ${load.devices.length} devices`);
});
