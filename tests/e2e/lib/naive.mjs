// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The naive server of tests/naive: on a free port, until the test ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { poll } from './module.mjs';
import { buildDir } from './server.mjs';

const living = new Set();
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')));

// mode: 'internal' or 'external'; timeout_s: libmicrohttpd's for a connection.
// Returns {address, pid, process, lines, ended}; `ended` becomes {code, signal}.
export async function startNaive(t, { mode = 'internal', timeout_s = 60 } = {}) {
    const program = join(buildDir, 'naive-server');
    assert.ok(existsSync(program), `no naive-server in ${buildDir}: make check builds it`);
    const child = spawn(program, [mode, String(timeout_s)], { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = [];
    living.add(child);
    const ended = new Promise((done) => child.on('close', (code, signal) => { living.delete(child); done({ code, signal }); }));
    t.after(() => { child.kill('SIGKILL'); return ended; });
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    const [, port] = await poll('the naive server listens', () => /^listening (\d+)$/.exec(lines[0] ?? ''));
    return { address: { host: '127.0.0.1', port: Number(port) }, pid: child.pid, process: child, lines, ended };
}
