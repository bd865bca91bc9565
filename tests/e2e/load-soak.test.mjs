// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Mixed traffic of the same modules for a long time: after a warm-up, neither the memory nor the descriptors of the server grow.
//
//   DFOTA_SOAK_SECONDS   15; the long form has 1800

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { countDescriptors, residentBytes } from './lib/crowd.mjs';
import { fsck, loadConfig } from './lib/load.mjs';
import { poll } from './lib/module.mjs';
import { Scene, adminExchange, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

const seconds = Number(process.env.DFOTA_SOAK_SECONDS ?? 15);
const rounds_least = 12;
const requests = 40 * 5 + 4 + 14 + 3; // of a round
const MiB = 1024 * 1024;
const growth_most = MiB / 2; // the sizes of two thirds differ by some pages

// One malloc arena, and free memory goes back to the kernel: then the size of the process is what it uses.
const wrapper = ['env', 'MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=65536', 'MALLOC_MMAP_THRESHOLD_=65536'];

// When the TCP memory of the machine is used up, the kernel resets connections that are being closed, after their last byte.
const judge = { mayReset: true };

// A module runs the old version, loses the connection once, downloads, reports the new version, and gets the old one again.
async function useModule(module) {
    module.version = '1001';
    const { body } = await module.ask({ cutAfter: 5000, judge });
    const answer = await module.ask({ range: body.length, judge });
    assert.ok(answer.status === 206 || answer.status === 416, `${answer.status}`);
    assert.equal((await module.ask({ judge })).status, 200);
    module.version = '1002';
    assert.equal((await module.ask({ judge })).code, 27);
    assert.equal((await module.ask({ judge })).code, 27);
    module.answers.length = 0;
}

async function useHost({ module, link }, round) {
    assert.equal((await report(module, link, { version: round % 2 ? '1001' : '1002' })).status, 200);
    module.answers.length = 0;
}

async function useAdmin(server, scene) {
    const paths = ['/status', `/products/${scene.product}/devices?limit=50`, scene.path('/packages'), '/ledger?limit=20'];
    await Promise.all([...paths, ...paths, ...paths].map(async (path) => // as many at once open each reader of the database
        assert.equal((await adminExchange(server, 'GET', path)).status, 200, path)));
    assert.ok([401, 429].includes((await adminExchange(server, 'GET', '/status', { token: 'wrong' })).status));
    assert.equal((await adminExchange(server, 'PATCH', scene.path(), { body: '{"no": 1}', lines: ['Content-Type: application/json'] })).status, 400);
}

async function useStrangers(server) {
    for (const [request, status] of [['/upgrade?project_key=nobody&imei=866597071234569&version=1', 400], ['/nothing', 404], ['/d/unknown', 400]])
        assert.equal((await exchange({ address: server.device, segments: [buildRequest(request)] })).status, status, request);
}

async function transfers(server) {
    const { body } = await exchange({ address: server.adminAddress, segments: [
        buildRequest('/metrics', { connection: 'close', lines: [`Authorization: Bearer ${server.token}`] })] });
    return Number(/^dfota_transfers_in_progress (\d+)$/m.exec(body.toString())[1]);
}

test(`${seconds} seconds of mixed traffic`, async (t) => {
    const server = await startServer(t, { config: { ...loadConfig, log_lines_per_second: 1, max_admin_connections: 200 }, wrapper });
    const scene = await Scene.build(server, { kind: 'mixed', size: 60_000 });
    await scene.makePackage();
    await server.stop(); // SQLite's caches of pages are small from now on, so that the warm-up fills them
    execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), 'PRAGMA default_cache_size = 50']);
    await server.start();
    const modules = Array.from({ length: 40 }, () => scene.module());
    const hosts = await Promise.all(Array.from({ length: 4 }, () => scene.linkedModule()));
    const { pid } = server.process;
    const samples = [];
    const until = performance.now() + seconds * 1000;
    for (let round = 0; performance.now() < until || round < rounds_least; round += 1) {
        await Promise.all([...modules.map(useModule), ...hosts.map((host) => useHost(host, round)), useAdmin(server, scene), useStrangers(server)]);
        await poll('no transfer is open', async () => (await transfers(server)) === 0);
        samples.push({ bytes: residentBytes(pid), descriptors: countDescriptors(pid) });
    }
    // The first third warms up. A peak in one round is no growth, so the smallest sizes are compared.
    const third = Math.floor(samples.length / 3);
    const least = (list, what) => Math.min(...list.map((sample) => sample[what]));
    const [bytes, descriptors] = ['bytes', 'descriptors'].map((what) => [samples.slice(third, 2 * third), samples.slice(-third)].map((list) => least(list, what)));
    t.diagnostic(`${samples.length} rounds of ${requests} requests: ${bytes.map((n) => (n / MiB).toFixed(2)).join(' to ')} MiB, ${descriptors.join(' to ')} descriptors`);
    assert.ok(bytes[1] - bytes[0] < growth_most, `the server grew by ${bytes[1] - bytes[0]} bytes`);
    assert.ok(descriptors[1] <= descriptors[0], `descriptors: ${descriptors.join(' to ')}`);
    await server.stop();
    await fsck(server);
});
