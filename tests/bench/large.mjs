// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Packages of the format bsdiff for large images and for very small changes, beside those of other tools: size, CPU time as a
// ratio to bsdiff 4.3, peak memory. Stock bspatch applies each package.
//
//     node tests/bench/large.mjs [OLD NEW]...
//
// Without files there are only the generated pairs. DFOTA_BUILD is the build folder. Needs Debian's bsdiff and time. Where
// hdiffz is on the PATH, its packages of the same format are in the table.

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const dfota = join(process.env.DFOTA_BUILD ?? 'build', 'dfota');
const exists = (name) => spawnSync(name, [], { stdio: 'ignore' }).error?.code !== 'ENOENT';

for (const name of ['bsdiff', 'bspatch', '/usr/bin/time'])
    if (!exists(name)) {
        console.error(`missing: ${name}; apt-get install bsdiff time`);
        process.exit(2);
    }

const diff = (effort) => (old, next, out) => [dfota, 'diff', '--max-image', '2147483647', '--effort', effort, old, next, out];
const tools = new Map([
    ['bsdiff 4.3', (old, next, out) => ['bsdiff', old, next, out]],
    ...['quick', 'good', 'best'].map((effort) => [`dfota ${effort}`, diff(effort)]),
]);
if (exists('hdiffz'))
    tools.set('hdiffz -BSD', (old, next, out) => ['hdiffz', '-f', '-BSD', old, next, out]);

const dir = await mkdtemp(join(tmpdir(), 'dfota-bench-'));
const path = (name) => join(dir, name);
process.on('exit', () => spawnSync('rm', ['-rf', dir]));

async function measure(command, old, next) {
    await rm(path('out'), { force: true });
    await run('/usr/bin/time', ['-q', '-o', path('time'), '-f', '%U %S %M', ...command(old, next, path('out'))], { maxBuffer: 1 << 24 });
    const [user, system, kilobytes] = (await readFile(path('time'), 'utf8')).trim().split('\n').at(-1).split(' ').map(Number);
    await run('bspatch', [old, path('again'), path('out')]);
    await run('cmp', [path('again'), next]);
    return { seconds: user + system, memory: kilobytes / 1024, size: (await stat(path('out'))).size };
}

const row = (cells) => console.log(`| ${cells.join(' | ')} |`);

async function compare(title, old, next) {
    let base = null;
    for (const [name, command] of tools) {
        const result = await measure(command, old, next);
        base ??= result;
        row([title, name, result.size, (result.size / base.size).toFixed(3), result.seconds.toFixed(2),
            base.seconds < 0.5 ? '' : (result.seconds / base.seconds).toFixed(2), result.memory.toFixed(0)]);
    }
}

// Bytes that do not compress and are the same in each run.
function noise(size, seed) {
    const bytes = Buffer.alloc(size);
    let state = seed;
    for (let i = 0; i < size; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        bytes[i] = state >>> 24;
    }
    return bytes;
}

async function compareBytes(title, old, next) {
    await writeFile(path('old'), old);
    await writeFile(path('new'), next);
    await compare(title, path('old'), path('new'));
}

row(['pair', 'tool', 'bytes', 'ratio', 'seconds', 'ratio', 'MiB']);
row(['---', '---', '---:', '---:', '---:', '---:', '---:']);
const small = noise(4096, 7);
const text = (image, words) => Buffer.concat([image.subarray(0, 1000), Buffer.from(words), image.subarray(1000 + words.length)]);
const before = text(small, 'dfota 1.2.3 2026-10-17 09:12:47 +0');
await compareBytes('4 KB, text of 34 bytes', before, text(small, 'dfota 1.2.4 2026-11-29 18:32:11 +0'));
await compareBytes('4 KB, 34 other bytes', before, text(small, noise(34, 9).toString('latin1').replace(/[^ -~]/g, '#')));
await compareBytes('4 KB, 5 bytes appended', before, Buffer.concat([before, Buffer.from('hello')]));
await compareBytes('4 KB, equal', before, before);
const files = process.argv.slice(2);
for (let i = 0; i + 1 < files.length; i += 2)
    await compare(`${basename(files[i])} → ${basename(files[i + 1])}`, files[i], files[i + 1]);
