// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// SIGTERM at full load: each request is answered completely or not at all, the server ends by itself before its limit, and what was
// answered is stored.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { random } from './lib/firmware.mjs';
import { Load, fsck, loadConfig } from './lib/load.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const stops = process.env.DFOTA_SANITIZED ? 2 : 4;
const seed = Number(process.env.DFOTA_LOAD_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`${stops} stops at full load`, async (t) => {
    t.diagnostic(`DFOTA_LOAD_SEED=${seed}`);
    const server = await startServer(t, { config: loadConfig });
    const load = new Load(server, random(seed));
    await load.begin();
    for (let times = 0; times < stops; times += 1) {
        await load.endAfter(20 + load.rand.below(150));
        assert.equal(load.counts.torn, undefined, 'an answer ends in the middle');
        await fsck(server);
        await server.start();
        await load.verify();
    }
    await load.verify({ all: true });
    assert.equal(server.log('connections-cut').length, 0, 'all clients read, so the server waits for no limit');
    t.diagnostic(`${JSON.stringify(load.counts)}, ${load.devices.length} devices`);
});

// Connections of a listener whose bytes the server has read.
function readRequests({ port }) {
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').map((line) => line.trim().split(/\s+/));
    return lines.filter(([, from, , state, queues]) => from === local && state === '01' && queues.endsWith(':00000000')).length;
}

test('a request that waits for the database when the server stops is answered', async (t) => {
    const server = await startServer(t, { config: loadConfig });
    const scene = await Scene.build(server);
    await scene.makePackage();
    const lock = spawn('sqlite3', [join(server.dataDir, 'dfota.db'), '-cmd', 'PRAGMA busy_timeout = 5000'], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => lock.kill());
    lock.stdin.write('BEGIN IMMEDIATE;\nSELECT 42;\n');
    for (let said = ''; !said.includes('42');)
        said += (await once(lock.stdout, 'data'))[0];
    const modules = Array.from({ length: 40 }, () => scene.module());
    const answers = Promise.all(modules.map((module) => module.ask()));
    await poll('the server has read all of them', () => readRequests(server.device) === modules.length);
    const { ended } = server;
    server.process.kill('SIGTERM');
    await server.logged('stop');
    lock.stdin.end('ROLLBACK;\n');
    const got = await answers; // each is whole, or ask() would have failed
    assert.ok(got.every(({ status }) => status === 200 || status === 503), got.map(({ status }) => status).join());
    assert.deepEqual(await ended, { code: 0, signal: null });
    await fsck(server);
    await server.start();
    for (const [i, { status }] of got.entries()) // 503: on a slow machine the lock was held for longer than the server waits
        assert.equal((await scene.record(modules[i]))?.attempts[0].state, status === 200 ? 'delivered' : undefined);
});
