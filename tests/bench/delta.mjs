// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Deltas between real firmware images compared with those of other tools: sizes, CPU time and peak memory, as ratios to
// bsdiff 4.3; a whole matrix of packages; and EC618 payloads compared with the vendor's.
//
//     tests/bench/delta [pairs] [matrix] [cliff] [ec618]      all of them if none is named
//
// DFOTA_BUILD is the build folder; use the compiler optimisation of an installed build. The
// images are downloaded with npm, once per machine, and checked. Needs Debian's bsdiff, xdelta3, zstd and time.

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { corpus, corpusImage } from '../e2e/lib/firmware.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const dfota = join(process.env.DFOTA_BUILD ?? 'build', 'dfota');

const diff = (...options) => (old, next, out) => [dfota, 'diff', ...options, old, next, out];

// Name → command line. The others are compared with the first.
const tools = new Map([
    ['bsdiff 4.3', (old, next, out) => ['bsdiff', old, next, out]],
    ['dfota quick', diff('--effort', 'quick')],
    ['dfota good', diff('--effort', 'good')],
    ['dfota best', diff('--effort', 'best')],
    ['xdelta3 -9', (old, next, out) => ['xdelta3', '-9', '-f', '-e', '-s', old, next, out]],
    ['zstd -19', (old, next, out) => ['zstd', '-q', '-f', '-19', '--patch-from', old, next, '-o', out]],
]);

const missing = ['bsdiff', 'bspatch', 'xdelta3', 'zstd', '/usr/bin/time'].filter((name) => {
    const { error } = spawnSync(name, [], { stdio: 'ignore' });
    return error?.code === 'ENOENT';
});
if (missing.length > 0) {
    console.error(`missing: ${missing.join(' ')}; apt-get install bsdiff xdelta3 zstd time`);
    process.exit(2);
}

const dir = await mkdtemp(join(tmpdir(), 'dfota-bench-'));
const path = (name) => join(dir, name);
process.on('exit', () => spawnSync('rm', ['-rf', dir]));

// CPU time in seconds, peak memory in bytes and the size of the package.
async function measure(command, out) {
    await rm(out, { force: true });
    await run('/usr/bin/time', ['-q', '-o', path('time'), '-f', '%U %S %M', ...command], { maxBuffer: 1 << 24 });
    const { stdout } = await run('cat', [path('time')]);
    const [user, system, kilobytes] = stdout.trim().split('\n').at(-1).split(' ').map(Number);
    return { seconds: user + system, memory: kilobytes * 1024, size: (await stat(out)).size };
}

async function checkWithStock(old, next, out) {
    await run('bspatch', [old, path('again'), out]);
    await run('cmp', [path('again'), next]);
}

const names = [...corpus.keys()];
const family = (name) => name.split('-')[0];
for (const name of names)
    await writeFile(path(name), await corpusImage(name));

const pairs = names.flatMap((old, i) => names.slice(i + 1).map((next) => [old, next]));
const forward = pairs.filter(([old, next]) => family(old) === family(next));

const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);

async function benchPairs() {
    const results = new Map([...tools.keys()].map((name) => [name, []]));
    row(['pair', ...tools.keys()]);
    row(['---', ...[...tools.keys()].map(() => '---:')]);
    for (const [old, next] of forward) {
        const cells = [];
        for (const [name, command] of tools) {
            const result = await measure(command(path(old), path(next), path('out')), path('out'));
            result.input = (await stat(path(old))).size + (await stat(path(next))).size;
            results.get(name).push(result);
            if (name.startsWith('dfota'))
                await checkWithStock(path(old), path(next), path('out'));
            cells.push(cells.length === 0 ? result.size : (result.size / cells[0]).toFixed(3));
        }
        row([`${old} → ${next.split('-')[1]}`, ...cells]);
    }
    const [base] = results.values();
    const line = (title, of) => row([title, ...[...results.values()].map(of)]);
    const ratio = (of) => (list) => mean(list.map((result, i) => of(result) / of(base[i]))).toFixed(3);
    line('**size, geometric mean**', ratio((r) => r.size));
    line('largest ratio of a pair', (list) => Math.max(...list.map((r, i) => r.size / base[i].size)).toFixed(3));
    line('**time, all pairs**', (list) => (sum(list.map((r) => r.seconds)) / sum(base.map((r) => r.seconds))).toFixed(2));
    line('seconds', (list) => sum(list.map((r) => r.seconds)).toFixed(2));
    line('**memory, geometric mean**', ratio((r) => r.memory));
    line('most bytes per byte of both images', (list) => Math.max(...list.map((r) => r.memory / r.input)).toFixed(1));
}

// Every pair of all images, one process each, like the server when images arrive.
async function benchMatrix() {
    const ways = new Map([
        ['bsdiff 4.3', tools.get('bsdiff 4.3')],
        ['dfota quick', tools.get('dfota quick')],
        ['dfota quick, --suffix-file', (old, next, out) => diff('--effort', 'quick', '--suffix-file', `${old}.index`)(old, next, out)],
    ]);
    row([`${pairs.length} packages between ${names.length} images`, 'seconds', 'ratio', 'bytes', 'ratio']);
    row(['---', '---:', '---:', '---:', '---:']);
    let base = null;
    for (const [name, command] of ways) {
        const results = [];
        for (const [old, next] of pairs)
            results.push(await measure(command(path(old), path(next), path('out')), path('out')));
        const all = { seconds: sum(results.map((r) => r.seconds)), size: sum(results.map((r) => r.size)) };
        base ??= all;
        row([name, all.seconds.toFixed(2), (all.seconds / base.seconds).toFixed(3), all.size, (all.size / base.size).toFixed(4)]);
    }
}

// Images for which a simple tool needs extremely long. bsdiff itself is left out: it needs minutes for the first.
async function benchCliff() {
    const size = 4 << 20;
    const zeros = Buffer.alloc(size);
    const real = await corpusImage('boron-2.2.0');
    const repeated = Buffer.alloc(size, real.subarray(0, 4096));
    const cases = {
        'zeros, one byte changed': [zeros, Buffer.from(zeros).fill(1, size / 2, size / 2 + 1)],
        'zeros to 0xFF': [zeros, Buffer.alloc(size, 0xff)],
        'one block again and again, out of step': [repeated, Buffer.concat([repeated.subarray(100), real.subarray(0, 100)])],
        'an image against itself, a byte later': [real, Buffer.concat([Buffer.from([0]), real])],
    };
    row(['4 MiB, seconds (bytes)', 'dfota quick', 'dfota good']);
    row(['---', '---:', '---:']);
    for (const [name, [old, next]] of Object.entries(cases)) {
        await writeFile(path('old'), old);
        await writeFile(path('new'), next);
        const cells = [];
        for (const effort of ['quick', 'good']) {
            const { seconds, size: made } = await measure(diff('--effort', effort)(path('old'), path('new'), path('out')), path('out'));
            await checkWithStock(path('old'), path('new'), path('out'));
            cells.push(`${seconds.toFixed(2)} (${made})`);
        }
        row([name, ...cells]);
    }
}

async function benchEc618() {
    const { stdout } = await run(process.execPath, [join(here, 'ec618.mjs')], { maxBuffer: 1 << 24 });
    console.log(stdout.trimEnd());
}

const benches = { pairs: benchPairs, matrix: benchMatrix, cliff: benchCliff, ec618: benchEc618 };
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !benches[name]);
if (unknown) {
    console.error(`there is no ${unknown}; there are ${Object.keys(benches).join(' ')}`);
    process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) {
    await benches[name]();
    console.log('');
}
