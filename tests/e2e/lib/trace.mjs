// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The system calls of a program, seen with strace from outside.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A directory for traces, removed when the process ends.
export function traceDir() {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-strace-'));
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

// The tracer runs as a grandchild (-D), so that signals and exit status are those of the server itself. A leak checker
// cannot work in a traced process; the other test files let it.
const calls = 'read,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,sendfile,fsync,fdatasync';
export const file_calls = 'openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate';
export const tracer = (file, more = null) => [
    'env', `ASAN_OPTIONS=${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0`, 'strace', '-D', '-f', '-y', '-s', '2000',
    '-e', `trace=${more ? `${calls},${more}` : calls}`, '-e', 'signal=none', '-o', file,
];

// False if strace works, else the reason.
export function whyNoTrace(dir) {
    try {
        const [command, ...words] = tracer(join(dir, 'probe'));
        execFileSync(command, [...words, 'echo', 'probe'], { stdio: 'pipe' });
        return /write\(1/.test(readFileSync(join(dir, 'probe'), 'utf8')) ? false : 'strace sees nothing';
    } catch (error) {
        return `strace cannot trace here: ${error.message.split('\n')[0]}`;
    }
}

// The calls in the order in which they began: {name, path, to, text, result, begun, ended}. `path` is what the call works on,
// `to` the second name of a rename. `begun` and `ended` are line numbers, which order calls of different threads.
export function readTrace(text) {
    const found = [];
    const open = new Map();
    for (const [at, line] of text.split('\n').entries()) {
        const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
        if (thread === undefined)
            continue;
        const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
        const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
        if (unfinished) {
            open.set(thread, { begun: at, text: unfinished[1] });
            continue;
        }
        const call = resumed ? open.get(thread) : { begun: at, text: '' };
        if (!call)
            continue;
        open.delete(thread);
        const whole = call.text + (resumed ? resumed[1] : rest);
        const [, name, path] = /^(\w+)\(\d+<([^>]*)>/.exec(whole) ?? [];
        const [, named, first, to] = /^(\w+)\((?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)"(?:, (?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)")?/.exec(whole) ?? [];
        const result = / = (-?\d+)(?:<[^>]*>)?(?: [^"]*)?$/.exec(whole)?.[1];
        if ((name || named) && result !== undefined)
            found.push({ name: name ?? named, path: path ?? first, to, text: whole, result: Number(result), begun: call.begun, ended: at });
    }
    return found.sort((a, b) => a.begun - b.begun);
}

export const isSend = (call) => ['write', 'writev', 'sendto', 'sendmsg'].includes(call.name);
