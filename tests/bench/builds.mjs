// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Check-ins while no package is made, and while a package is made on each processor: by turns, in the same run.

import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

import { poll } from '../e2e/lib/module.mjs';
import { firmwareImage } from '../e2e/lib/firmware.mjs';
import { Scene } from '../e2e/lib/scene.mjs';
import { Requests, copyDevices, measure, median, middle, printTable, startLoadServer, whole } from './lib.mjs';
import { bars } from './plot.mjs';

const devices = 20_000;

// The processes that make packages.
const builders = (pid) => {
    try {
        return execFileSync('pgrep', ['-P', String(pid), '-x', 'dfota'], { encoding: 'utf8' }).trim().split('\n').map(Number);
    } catch {
        return [];
    }
};

// Images that keep every processor busy for minutes: all pairs, and then each again with the effort best.
async function uploadWork(server) {
    const busy = await Scene.build(server, { versions: [], target: null });
    for (let n = 0; n < 8; n += 1)
        await server.putImage(busy.product, busy.firmware, String(1001 + n), firmwareImage({ seed: 7, size: 3_000_000, revision: n }));
}

// Stops the processes that make packages, or lets them go on.
async function pause(server, paused) {
    const count = availableParallelism();
    await poll('a package is made on each processor', () => builders(server.process.pid).length >= count, { timeout_ms: 60_000 });
    for (const pid of builders(server.process.pid))
        process.kill(pid, paused ? 'SIGSTOP' : 'SIGCONT');
}

export async function measureBuilds(options) {
    const server = await startLoadServer({ matrix: 'all', idle_effort: 'best', background_share: 100, job_wall_ms: 3_600_000 });
    try {
        const current = await Scene.build(server, { versions: ['1001', '1002'], size: 8000 });
        const requests = new Requests(current);
        await requests.ask('1002', 0);
        await copyDevices(current, devices);
        await uploadWork(server);
        const kinds = { 'a request of 200 bytes': 0, 'a request of 4 KB': 4000 };
        const rows = [];
        for (const [text, bytes] of Object.entries(kinds)) {
            const results = { idle: [], busy: [] };
            for (let n = 0; n < options.rounds; n += 1)
                for (const state of n % 2 ? ['busy', 'idle'] : ['idle', 'busy']) {
                    await pause(server, state === 'idle');
                    results[state].push(await measure([server.process.pid], { ...requests.known('1002', devices, bytes), seconds: options.seconds }));
                }
            await pause(server, false);
            const ratio = median(results.busy.map((result, n) => result.p99 / results.idle[n].p99));
            rows.push({ text, idle: middle(results.idle), busy: middle(results.busy), ratio });
        }
        printTable([
            ['a known device, told 27', (row) => row.text],
            ...['idle', 'busy'].flatMap((state) => ['rate', 'p50', 'p99'].map((field) => [
                `${state === 'idle' ? 'no packages made' : 'packages made'}: ${field === 'rate' ? '1/s' : `${field}, ms`}`,
                (row) => (field === 'rate' ? whole(row[state].rate) : row[state][field].toFixed(1))])),
            ['p99, ratio', (row) => row.ratio.toFixed(2)], ['goal', () => 'at most 2'],
        ], rows);
        if (options.plots)
            bars('load-builds', { y: 'ms', series: ['no packages made', 'packages made on each core'],
                groups: rows.flatMap((row) => ['p50', 'p99'].map((field) => [`${field}, ${row.text}`, row.idle[field], row.busy[field]])) });
    } finally {
        for (const pid of builders(server.process?.pid ?? 0))
            process.kill(pid, 'SIGCONT');
        await server.dispose();
    }
}
