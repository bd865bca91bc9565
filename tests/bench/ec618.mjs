// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Sizes of EC618 payloads compared with those of the vendor's own tool, and their CPU time.
//
//     node tests/bench/ec618.mjs [quick|good|best]... [closed]      (DFOTA_BUILD: where the programs were built)

import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { corpusImage } from '../e2e/lib/firmware.mjs';

const run = promisify(execFile);
const tool = join(process.env.DFOTA_BUILD ?? 'build', 'ec618-payload');

// old, new, bytes of the vendor's payload
const pairs = [
    ['boron-1.5.0', 'boron-1.5.2', 43059],
    ['boron-1.5.2', 'boron-2.0.1', 319572],
    ['boron-2.0.1', 'boron-2.1.0', 69185],
    ['boron-2.1.0', 'boron-2.2.0', 41748],
    ['primehub-7.22.0', 'primehub-7.27.0', 177383],
    ['primehub-7.27.0', 'primehub-7.28.0', 27913],
];

const options = process.argv.slice(2).filter((o) => o === 'closed');
const efforts = process.argv.slice(2).filter((o) => o !== 'closed');
if (efforts.length === 0)
    efforts.push('quick', 'good', 'best');

const dir = await mkdtemp(join(tmpdir(), 'dfota-bench-'));
const path = (name) => join(dir, name);
const sums = efforts.map(() => ({ log: 0, seconds: 0, bytes: 0 }));
console.log(`${'pair'.padEnd(34)} ${'vendor'.padStart(8)}${efforts.map((e) => e.padStart(10) + '   ratio      s').join('')}`);
for (const [old, next, vendor] of pairs) {
    await writeFile(path('old'), await corpusImage(old));
    await writeFile(path('new'), await corpusImage(next));
    let line = `${`${old} -> ${next}`.padEnd(34)} ${String(vendor).padStart(8)}`;
    for (const [i, effort] of efforts.entries()) {
        const { stdout } = await run(tool, ['make', path('old'), path('new'), path('payload'), effort, ...options]);
        await run(tool, ['apply', path('old'), path('payload'), path('again')]);
        const { size } = await stat(path('payload'));
        sums[i].log += Math.log(size / vendor);
        sums[i].seconds += Number(stdout);
        sums[i].bytes += (await stat(path('new'))).size;
        line += `${String(size).padStart(10)}  ${(size / vendor).toFixed(4)} ${Number(stdout).toFixed(1).padStart(6)}`;
    }
    console.log(line);
}
for (const [i, effort] of efforts.entries())
    console.log(`${effort}: geometric mean ${Math.exp(sums[i].log / pairs.length).toFixed(4)} of the vendor's sizes, `
        + `${(sums[i].seconds / (sums[i].bytes / 1e6)).toFixed(1)} s per MB`);
await rm(dir, { recursive: true });
