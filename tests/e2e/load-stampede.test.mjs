// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// All modules ask at once after an outage, and ask again until they have an answer, as modules do: each gets the package and reports
// the new version, each has one attempt, and the memory of the server has a bound.
//
//   DFOTA_STAMPEDE   modules; the long form has 10000

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { residentBytes } from './lib/crowd.mjs';
import { fsck, loadConfig } from './lib/load.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const count = Number(process.env.DFOTA_STAMPEDE ?? (process.env.DFOTA_SANITIZED ? 400 : 1500));
const MiB = 1024 * 1024;
// The server has at most 4,096 connections of modules. More modules do not take more memory.
const memory_most = 64 * MiB + Math.min(count, 4096) * 48 * 1024;

// A module asks until the answer is the one that it needs. It waits a little longer after each failure.
async function askUntil(module, wanted, counts) {
    for (let tries = 0; !counts.over; tries += 1) {
        const answer = await module.ask({ judge: { mayReset: true } }).catch((error) => {
            // No connection; one that the server has closed because it has too many; or one that the kernel has reset, such as when the
            // TCP memory of the machine is used up.
            if (error.code !== 'ECONNREFUSED' && error.code !== 'ECONNRESET' && !/not one byte came|^closed: +reset$/m.test(error.message))
                throw error;
            return { refused: true };
        });
        module.answers.length = 0;
        if (wanted(answer))
            return answer;
        assert.ok(answer.refused || [43, 503].includes(answer.code), `${answer.status} ${answer.code}`);
        counts.again += 1;
        await new Promise((next) => setTimeout(next, 100 + Math.random() * Math.min(tries, 20) * 100));
    }
    throw new Error('the test has ended');
}

test(`${count} modules at once after an outage`, async (t) => {
    const server = await startServer(t, { config: loadConfig });
    const scene = await Scene.build(server, { kind: 'mixed', size: 40_000 });
    await scene.makePackage();
    const content = await scene.content();
    const { host, port } = server.device;
    await server.kill();
    const modules = Array.from({ length: count }, () => scene.module());
    const counts = { again: 0, most: 0, over: false };
    t.after(() => { counts.over = true; });
    const all = Promise.all(modules.map((module) => askUntil(module, ({ status }) => status === 200, counts)));
    await poll('modules ask while there is no server', () => counts.again >= count);
    server.config = { ...server.config, device_listen: `${host}:${port}` }; // where the modules ask
    await server.start();
    const earlier = residentBytes(server.process.pid);
    const watch = setInterval(() => { counts.most = Math.max(counts.most, residentBytes(server.process.pid)); }, 50);
    t.after(() => clearInterval(watch));
    for (const { body } of await all)
        assert.ok(body.equals(content), 'a whole package of the right bytes');
    await poll('the last bytes are stored', async () => states(server)['sending'] === undefined);
    for (const module of modules)
        module.version = '1002';
    await Promise.all(modules.map((module) => askUntil(module, ({ code }) => code === 27, counts)));
    clearInterval(watch);
    t.diagnostic(`${counts.again} times again, ${(earlier / MiB).toFixed(1)} MiB before, at most ${(counts.most / MiB).toFixed(1)} MiB`);
    if (!process.env.DFOTA_SANITIZED)
        assert.ok(counts.most < memory_most, `${counts.most} bytes`);
    await server.stop();
    await fsck(server);
    assert.deepEqual(states(server), { confirmed: count });
    assert.equal(sql(server, 'SELECT count(DISTINCT device_id) FROM attempt WHERE bytes_acked = size_bytes'), String(count));
});

const sql = (server, text) => execFileSync('sqlite3', ['-readonly', join(server.dataDir, 'dfota.db'), text], { encoding: 'utf8' }).trim();

// How many attempts are in each state.
function states(server) {
    const lines = sql(server, 'SELECT state, count(*) FROM attempt GROUP BY state').split('\n');
    return Object.fromEntries(lines.filter(Boolean).map((line) => line.split('|')).map(([state, n]) => [state, Number(n)]));
}
