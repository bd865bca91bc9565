// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How the processor time of dfotad is divided while it answers requests: by thread, by step, and the most expensive functions.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { dir, wrk } from './lib.mjs';

// The steps of a request, by the functions that do them. A sample belongs to the innermost of these functions on its stack.
const steps = {
    'accept and close': ['gate_accept', 'accept4', '__x64_sys_accept4', '__x64_sys_close', '__x64_sys_shutdown', 'tcp_close'],
    'read and parse': ['gate_read', 'MHD_run', 'exchange_begin', 'head_parse', 'router_route', 'checkin_start'],
    lookup: ['lookup_load'], decide: ['checkin_decide'], record: ['checkin_task_record', 'checkin_counters_flush'],
    commit: ['db_commit', 'sqlite3_wal_checkpoint_v2'], log: ['log_line', 'log_stranger', 'facts_log'],
    answer: ['request_answer', 'reply_send', 'MHD_queue_response', 'transfer_send'],
};

export async function profile(name, server, load, { connections, kept }, seconds) {
    const data = join(dir, `${name}.perf`);
    const perf = spawn('perf', ['record', '-q', '-F', '499', '--call-graph', 'dwarf,16384', '-p', String(server.process.pid), '-o', data], { stdio: 'ignore' });
    await wrk({ ...load, connections, kept, seconds });
    perf.kill('SIGINT');
    await once(perf, 'close');
    const script = execFileSync('perf', ['script', '-i', data, '-F', 'comm,ip,sym'], { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] });
    const counts = { thread: new Map(), step: new Map(), symbol: new Map() };
    const add = (kind, key) => counts[kind].set(key, (counts[kind].get(key) ?? 0) + 1);
    const stepOf = new Map(Object.entries(steps).flatMap(([step, functions]) => functions.map((f) => [f, step])));
    let total = 0;
    for (const sample of script.split('\n\n')) {
        const [comm, ...stack] = sample.trim().split('\n').map((line) => line.trim());
        const symbols = stack.map((line) => line.split(' ').slice(1).join(' '));
        if (symbols.length === 0)
            continue;
        total += 1;
        add('thread', comm);
        add('symbol', symbols[0]);
        add('step', stepOf.get(symbols.find((symbol) => stepOf.has(symbol))) ?? 'other');
    }
    const lines = (kind, most) => [...counts[kind]].toSorted((a, b) => b[1] - a[1]).slice(0, most)
        .map(([key, n]) => `    ${(100 * n / total).toFixed(1).padStart(5)} %  ${key}`);
    return ['by thread', ...lines('thread', 8), 'by step', ...lines('step', 12), 'by function', ...lines('symbol', 25)].join('\n');
}
