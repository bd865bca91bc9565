// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The memory of dfotad while it sends packages slowly to many modules, and check-ins beside them.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Scene } from '../e2e/lib/scene.mjs';
import { Requests, copyDevices, measure, memory, middle, printTable, startLoadServer, whole } from './lib.mjs';
import { curves } from './plot.mjs';

const rate = 2000; // bytes per second that a module reads
const known = 1000;
const spare = 300; // connections for check-ins

// Modules in a process of their own. Returns the function that ends them.
async function startModules(requests, first, count) {
    const { host, port } = requests.scene.server.device;
    const words = [fileURLToPath(new URL('slow.py', import.meta.url)), host, port, requests.path('1001'), 866_200_000_000_000 + first, count, rate];
    const modules = spawn('python3', words.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((done) => modules.on('close', done));
    for await (const line of createInterface({ input: modules.stdout }))
        if (line.startsWith('open'))
            return () => { modules.stdin.end(); return ended; };
    throw new Error('the slow modules ended');
}

// The memory of all sockets in the kernel, in MB.
const kernelMemory = () => Number(/^TCP: .* mem (\d+)$/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))[1]) * 4096 / 1e6;

async function measureBeside(server, checkIns, downloads, count, options) {
    const unused = kernelMemory();
    const stop = count ? await startModules(downloads, count * 100, count) : async () => {};
    const results = [];
    for (let n = 0; n < options.rounds; n += 1)
        results.push(await measure([server.process.pid], { ...checkIns.known('1002', known), seconds: options.seconds }));
    const row = { at: count, memory: memory(server.process.pid), kernel: Math.max(0, kernelMemory() - unused), ...middle(results) };
    await stop();
    return row;
}

// Where the hard limit of descriptors is low, fewer fit.
function mostTransfers(server, wanted) {
    const [lowered] = server.log('descriptors-few');
    return lowered ? Math.min(wanted, Number(lowered.max_device_connections) - spare) : wanted;
}

export async function measureTransfers(options) {
    const rows = [];
    const server = await startLoadServer({ max_device_connections: 10_000 + spare });
    try {
        const current = await Scene.build(server, { versions: ['1001', '1002'] });
        const old = await Scene.build(server, { versions: ['1001', '1002'], kind: 'noise', size: 300_000, limit: 1_000_000 });
        await old.makePackage();
        const requests = new Requests(current);
        await requests.ask('1002', 0);
        await copyDevices(current, known);
        for (const count of [0, 100, 1000, mostTransfers(server, 10_000)])
            rows.push(await measureBeside(server, requests, new Requests(old), count, options));
    } finally {
        await server.dispose();
    }
    printTable([
        ['slow transfers', (row) => whole(row.at)], ['memory of dfotad, MB', (row) => whole(row.memory)],
        ['KB for each', (row) => (row.at ? ((row.memory - rows[0].memory) * 1024 / row.at).toFixed(1) : '')],
        ['sockets in the kernel, MB', (row) => whole(row.kernel)], ['check-ins, 1/s', (row) => whole(row.rate)],
        ['p50, ms', (row) => row.p50.toFixed(1)], ['p99, ms', (row) => row.p99.toFixed(1)],
    ], rows);
    const line = (field) => rows.map((row) => [row.at, row[field]]);
    if (options.plots)
        curves('load-transfers', { x: 'slow transfers at the same time', linear: true, panels: [
            { y: 'MB', lines: { 'resident memory of dfotad': line('memory') } },
            { y: 'ms', lines: { 'p99 of a check-in': line('p99') } },
        ] });
}
