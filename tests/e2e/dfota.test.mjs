// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The dfota tool against stock bsdiff and bspatch: each applies what the other makes. And its contract with the program that
// runs it: exit statuses, one line of result, and files that are either complete or absent.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, open, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { firmwareImage, noiseImage, random } from './lib/firmware.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const source = resolve(here, '..', '..');
const dfotaPath = join(resolve(process.env.DFOTA_BUILD ?? join(source, 'build')), 'dfota');

const status = { ok: 0, negative: 1, usage: 2, machine: 3, unknown: 5 };

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function run(command, args, options) {
    return new Promise((resolveRun, reject) => {
        execFile(command, args, { maxBuffer: 1 << 20, ...options }, (error, stdout, stderr) => {
            if (error && typeof error.code !== 'number')
                reject(error);
            else
                resolveRun({ code: error ? error.code : 0, stdout, stderr });
        });
    });
}

// A directory of its own for one test, and the tools run inside it.
class Bench {
    static async make(t) {
        const bench = new Bench();
        bench.dir = await mkdtemp(join(tmpdir(), 'dfota-tool-'));
        t.after(() => rm(bench.dir, { recursive: true, force: true }));
        return bench;
    }

    path(name) {
        return join(this.dir, name);
    }

    async put(files) {
        for (const [name, bytes] of Object.entries(files))
            await writeFile(this.path(name), bytes);
    }

    get(name) {
        return readFile(this.path(name));
    }

    async names() {
        return (await readdir(this.dir)).sort();
    }

    dfota(...args) {
        return run(dfotaPath, args, { cwd: this.dir });
    }

    shell(script) {
        return run('/bin/sh', ['-c', script, 'sh', dfotaPath], { cwd: this.dir });
    }

    async stock(tool, ...args) {
        const { code, stderr } = await run(tool, args, { cwd: this.dir });
        assert.equal(code, 0, `${tool}: ${stderr}`);
    }

    // It must succeed, say one line, and that line must be of `file`.
    async succeeds(file, ...args) {
        const { code, stdout, stderr } = await this.dfota(...args);
        assert.equal(code, status.ok, stderr);
        assert.equal(stderr, '');
        const bytes = await this.get(file);
        assert.equal(stdout, `sha256=${sha256(bytes)} size=${bytes.length}\n`);
        return bytes;
    }

    // It must fail with that status, one line of reason and nothing more or less in the directory than before.
    async fails(code, reason, ...args) {
        const before = await this.names();
        const result = await this.dfota(...args);
        assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr || result.stdout}`);
        assert.match(result.stderr, /^dfota: [^\n]+\n$/);
        assert.match(result.stderr, reason);
        assert.equal(result.stdout, '');
        assert.deepEqual(await this.names(), before);
    }
}

const size = 200_000;
const release = (revision, bytes = size) => firmwareImage({ seed: 77, size: bytes, revision });
const text = (words) => Buffer.from(words);

const pairs = {
    'the next release': [release(0), release(1)],
    'a later release': [release(0), release(4)],
    'the way back': [release(2), release(0)],
    'a larger image': [release(0), release(1, size * 2)],
    'a smaller image': [release(0), release(1, size / 3)],
    'equal images': [release(0), release(0)],
    'unrelated images': [noiseImage({ seed: 1, size: 50_000 }), noiseImage({ seed: 2, size: 60_000 })],
    'from an empty image': [text(''), release(0, 20_000)],
    'to an empty image': [release(0, 20_000), text('')],
    'two empty images': [text(''), text('')],
    'one byte to another': [text('a'), text('b')],
    'all erased flash': [Buffer.alloc(100_000, 0xff), Buffer.alloc(90_000, 0xff)],
    'a pattern out of step': [Buffer.alloc(100_000, 'firmware'), Buffer.alloc(100_000, 'warefirm')],
};

const efforts = ['quick', 'good', 'best'];

// Usual and extreme images: few letters, long runs, repeats, moved pieces, changed bytes.
function randomPair(seed) {
    const rand = random(seed);
    const letters = [1, 2, 5, 256][rand.below(4)];
    const fresh = (length) => Buffer.from(Array.from({ length }, () => rand.below(letters)));
    const pieces = [fresh(1 + rand.below(6000))];
    for (let i = rand.below(6); i > 0; i -= 1)
        pieces.push([fresh(rand.below(300)), Buffer.alloc(rand.below(5000), rand.below(2) * 255), pieces[0]][rand.below(3)]);
    const old = Buffer.concat(pieces);
    const cut = rand.below(old.length);
    const next = Buffer.concat([old.subarray(cut), fresh(rand.below(500)), old.subarray(0, rand.below(old.length)), old]);
    for (let i = rand.below(200); i > 0; i -= 1)
        next[rand.below(next.length)] ^= 1 + rand.below(255);
    return [old, next];
}

describe('dfota against stock bsdiff and bspatch', () => {
    for (const [name, [old, next]] of Object.entries(pairs)) {
        test(`${name}: stock bspatch applies what dfota makes, and so does dfota`, async (t) => {
            const bench = await Bench.make(t);
            await bench.put({ old, new: next });
            const made = await bench.succeeds('package', 'diff', '--expect-old', sha256(old), '--expect-new',
                sha256(next), 'old', 'new', 'package');
            assert.equal(made.toString('latin1', 0, 8), 'BSDIFF40');
            await bench.stock('bspatch', 'old', 'by-stock', 'package');
            assert.deepEqual(await bench.get('by-stock'), next);
            assert.deepEqual(await bench.succeeds('by-dfota', 'patch', 'old', 'package', 'by-dfota'), next);
            await bench.succeeds('new', 'verify', 'old', 'package', 'new');
            await bench.succeeds('new', 'verify', '--expect-new', sha256(next), 'old', 'package');
        });

        if (old.length === 0 || next.length === 0)
            continue; // stock bsdiff maps its files, which fails for empty ones

        test(`${name}: dfota applies what stock bsdiff makes`, async (t) => {
            const bench = await Bench.make(t);
            await bench.put({ old, new: next });
            await bench.stock('bsdiff', 'old', 'new', 'package');
            const again = await bench.succeeds('again', 'patch', '--expect-old', sha256(old), '--expect-new',
                sha256(next), 'old', 'package', 'again');
            assert.deepEqual(again, next);
            await bench.succeeds('new', 'verify', 'old', 'package', 'new');
        });
    }

    test('packages are as small as those of stock bsdiff, within 3 %', async (t) => {
        for (const revision of [1, 2, 5]) {
            const bench = await Bench.make(t);
            await bench.put({ old: release(0), new: release(revision) });
            const ours = await bench.succeeds('ours', 'diff', 'old', 'new', 'ours');
            await bench.stock('bsdiff', 'old', 'new', 'theirs');
            const theirs = await bench.get('theirs');
            assert.ok(ours.length <= theirs.length * 1.03, `revision ${revision}: ${ours.length} against ${theirs.length}`);
        }
    });

    test('one changed byte in zeros, for which stock bsdiff needs minutes, gives a package of a few hundred bytes', async (t) => {
        const bench = await Bench.make(t);
        const old = Buffer.alloc(4 << 20);
        const next = Buffer.from(old).fill(1, 1 << 21, (1 << 21) + 1);
        await bench.put({ old, new: next });
        const made = await bench.succeeds('package', 'diff', 'old', 'new', 'package');
        assert.ok(made.length < 300, `${made.length} bytes`);
        await bench.stock('bspatch', 'old', 'by-stock', 'package');
        assert.deepEqual(await bench.get('by-stock'), next);
    });

    test('a package without an extra stream has no bytes for it, and stock bspatch applies it', async (t) => {
        const bench = await Bench.make(t);
        const old = release(0).subarray(0, 4096);
        for (const [next, most] of [[old, 120], [Buffer.concat([old, Buffer.from('hello')]), 130]]) {
            await bench.put({ old, new: next });
            const made = await bench.succeeds('package', 'diff', 'old', 'new', 'package');
            assert.equal(made.length, 32 + Number(made.readBigInt64LE(8)) + Number(made.readBigInt64LE(16)));
            assert.ok(made.length <= most, `${made.length} bytes`);
            await bench.stock('bspatch', 'old', 'by-stock', 'package');
            assert.deepEqual(await bench.get('by-stock'), next);
        }
    });

    test('pairs of every kind at every effort: stock bspatch agrees, and no package is larger than at effort quick', async (t) => {
        const bench = await Bench.make(t);
        for (let seed = 1; seed <= 24; seed += 1) {
            const [old, next] = randomPair(seed);
            await bench.put({ old, new: next });
            let quick = Infinity;
            for (const effort of efforts) {
                const made = await bench.succeeds('package', 'diff', '--effort', effort, 'old', 'new', 'package');
                assert.ok(made.length <= quick, `seed ${seed}, ${effort}: ${made.length} after ${quick}`);
                quick = effort === 'quick' ? made.length : quick;
                await bench.stock('bspatch', 'old', 'by-stock', 'package');
                assert.deepEqual(await bench.get('by-stock'), next, `seed ${seed}, ${effort}`);
            }
        }
    });

    test('good packages are smaller than those of stock bsdiff, and quick ones as small', async (t) => {
        const bench = await Bench.make(t);
        for (const revision of [1, 4]) {
            await bench.put({ old: release(0), new: release(revision) });
            await bench.stock('bsdiff', 'old', 'new', 'theirs');
            const theirs = (await bench.get('theirs')).length;
            const quick = await bench.succeeds('ours', 'diff', '--effort', 'quick', 'old', 'new', 'ours');
            assert.ok(quick.length <= theirs * 1.01, `quick: ${quick.length} against ${theirs}`);
            const good = await bench.succeeds('ours', 'diff', 'old', 'new', 'ours');
            assert.ok(good.length <= theirs * 0.97, `good: ${good.length} against ${theirs}`);
        }
    });

    test('the same images give the same package', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ old: release(0), new: release(1) });
        const first = await bench.succeeds('first', 'diff', 'old', 'new', 'first');
        const second = await bench.succeeds('second', 'diff', '--format', 'bsdiff', 'old', 'new', 'second');
        assert.deepEqual(first, second);
    });
});

describe('an index of the old image kept in a file', () => {
    test('the index is made once, used again, and changes no package', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ old: release(0), new: release(1), later: release(2) });
        const index = ['diff', '--suffix-file', 'index', 'old'];
        for (const [next, effort] of [['new', 'quick'], ['later', 'quick'], ['new', 'good']]) {
            const plain = await bench.succeeds('package', 'diff', '--effort', effort, 'old', next, 'package');
            const made = await bench.succeeds('package', ...index, next, 'package', '--effort', effort);
            assert.deepEqual(made, plain);
        }
        const { ino, size: kept } = await stat(bench.path('index'));
        assert.ok(kept > 4 * size && kept < 4 * size + 200, `${kept} bytes`);
        await bench.succeeds('package', ...index, 'later', 'package');
        assert.equal((await stat(bench.path('index'))).ino, ino, 'it was written again');
    });

    test('an index that is damaged, cut off, hostile or of another image is made again', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ old: release(0), new: release(1), other: release(2) });
        const make = (old) => bench.succeeds('package', 'diff', '--effort', 'quick', '--suffix-file', 'index', old, 'new', 'package');
        const plain = await make('old');
        const right = await bench.get('index');
        const wrong = {
            damaged: Buffer.from(right).fill(0xff, 5000, 5004),
            'cut off': right.subarray(0, 1000),
            empty: Buffer.alloc(0),
            'too long': Buffer.concat([right, right]),
            'something else': noiseImage({ seed: 3, size: right.length }),
        };
        for (const [what, bytes] of Object.entries(wrong)) {
            await bench.put({ index: bytes });
            assert.deepEqual(await make('old'), plain, what);
            assert.deepEqual(await bench.get('index'), right, what);
        }
        await make('other');
        assert.deepEqual(await make('old'), plain);
        assert.deepEqual(await bench.get('index'), right);
    });

    test('if the index cannot be written, no file is left', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ old: release(0), new: release(1) });
        await bench.fails(status.machine, /cannot write none\/index/, 'diff', '--effort', 'quick', '--suffix-file', 'none/index',
            'old', 'new', 'package');
        await bench.fails(status.usage, /--suffix-file cannot be used with format ec618-at/, 'diff', '--format', 'ec618-at', '--suffix-file', 'index',
            'old', 'new', 'package');
    });
});

// A bench with an old image, a new image, the package between them, and a third image.
async function furnished(t) {
    const bench = await Bench.make(t);
    await bench.put({ old: release(0), new: release(1), other: release(2) });
    await bench.succeeds('package', 'diff', 'old', 'new', 'package');
    return bench;
}

describe('files that do not fit: exit status 1, and nothing written', () => {
    test('a wrong hash is refused by every command, before it does anything', async (t) => {
        const bench = await furnished(t);
        const wrong = sha256('something else');
        const cases = [
            [['--expect-old', wrong], /old has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/],
            [['--expect-new', wrong], /new(?: image)? has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/],
        ];
        for (const [option, reason] of cases) {
            await bench.fails(status.negative, reason, 'diff', ...option, 'old', 'new', 'out');
            await bench.fails(status.negative, reason, 'patch', ...option, 'old', 'package', 'out');
            await bench.fails(status.negative, reason, 'verify', ...option, 'old', 'package', 'new');
            await bench.fails(status.negative, reason, 'verify', '--expect-new', sha256(await bench.get('new')), ...option,
                'old', 'package');
        }
        const upper = sha256(await bench.get('old')).toUpperCase();
        await bench.succeeds('new', 'verify', '--expect-old', upper, 'old', 'package', 'new');
    });

    test('a package that does not give the new image is not verified', async (t) => {
        const bench = await furnished(t);
        await bench.fails(status.negative, /does not give other/, 'verify', 'old', 'package', 'other');
        await bench.fails(status.negative, /does not give new/, 'verify', 'other', 'package', 'new');
        await bench.fails(status.negative, /the new image has SHA-256/, 'patch', '--expect-new',
            sha256(await bench.get('new')), 'other', 'package', 'out');
    });

    test('a failed patch leaves an earlier file as it was', async (t) => {
        const bench = await furnished(t);
        await bench.put({ out: 'precious' });
        await bench.fails(status.negative, /SHA-256/, 'patch', '--expect-new', sha256(''), 'old', 'package', 'out');
        assert.equal(String(await bench.get('out')), 'precious');
    });

    test('damaged packages are refused with the reason', async (t) => {
        const bench = await furnished(t);
        const sound = await bench.get('package');
        const flipped = (at) => Buffer.from(sound).fill(sound[at] ^ 0x10, at, at + 1);
        const damaged = {
            'header-cut': [sound.subarray(0, 20), /not a BSDIFF40 package/],
            'cut': [sound.subarray(0, sound.length - 1), /cut off|damaged/],
            'half': [sound.subarray(0, sound.length / 2), /cut off/],
            'control-flipped': [flipped(60), /control stream is damaged/],
            'end-flipped': [flipped(sound.length - 8), /damaged|cut off/],
            'garbage-behind': [Buffer.concat([sound, text('garbage')]), /7 bytes of garbage/],
        };
        for (const [name, [bytes, reason]] of Object.entries(damaged)) {
            await bench.put({ damaged: bytes });
            await t.test(name, async () => {
                await bench.fails(status.negative, reason, 'patch', 'old', 'damaged', 'out');
                await bench.fails(status.negative, reason, 'verify', 'old', 'damaged', 'new');
            });
        }
    });

    test('an unknown format is told apart from a damaged package: exit status 5', async (t) => {
        const bench = await furnished(t);
        for (const bytes of [text(''), await bench.get('old'), text('\xec\xde and so on')]) {
            await bench.put({ other: bytes });
            await bench.fails(status.unknown, /of no known format/, 'patch', 'old', 'other', 'out');
            await bench.fails(status.unknown, /of no known format/, 'verify', 'old', 'other', 'new');
        }
    });

    test('--max-output limits only the new image, exact to the byte', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ old: release(0), new: release(1, 1000) });
        await bench.succeeds('package', 'diff', 'old', 'new', 'package');
        await bench.succeeds('out', 'patch', '--max-output', '1000', 'old', 'package', 'out');
        await bench.succeeds('new', 'verify', '--max-output', '1000', 'old', 'package', 'new');
        const reason = /would have 1000 bytes; the limit is 999/;
        await bench.fails(status.negative, reason, 'patch', '--max-output', '999', 'old', 'package', 'out2');
        await bench.fails(status.negative, /limit/, 'verify', '--max-output', '999', 'old', 'package', 'new');
    });

    test('--max-image limits both images, exact to the byte', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ small: text('12345'), large: text('123456') });
        await bench.succeeds('package', 'diff', '--max-image', '6', 'small', 'large', 'package');
        const reason = /large has 6 bytes; the limit is 5/;
        await bench.fails(status.negative, reason, 'diff', '--max-image', '5', 'small', 'large', 'out');
        await bench.fails(status.negative, reason, 'diff', '--max-image', '5', 'large', 'small', 'out');
    });

    test('images of 2 GiB or more are refused, whatever the options allow', async (t) => {
        const bench = await Bench.make(t);
        await bench.put({ huge: '', small: 'firmware' });
        await truncate(bench.path('huge'), 2 ** 31); // sparse: takes no disk
        const reason = /huge has 2147483648 bytes; the limit is 2147483647/;
        await bench.fails(status.negative, reason, 'diff', '--max-image', '2147483647', 'huge', 'small', 'out');
        await bench.fails(status.negative, reason, 'diff', '--max-image', '2147483647', 'small', 'huge', 'out');
        await bench.fails(status.negative, reason, 'patch', 'huge', 'small', 'out');
        await bench.fails(status.negative, reason, 'verify', 'small', 'huge', 'small');
        await bench.fails(status.usage, /at most 2147483647/, 'diff', '--max-image', '2147483648', 'huge', 'small', 'out');
    });
});

describe('the command line: exit status 2', () => {
    const hash = sha256('');
    const cases = [
        [[], /no command given/],
        [['frobnicate', 'a', 'b', 'c'], /unknown command frobnicate/],
        [['diff', 'a', 'b'], /usage: dfota diff/],
        [['diff', 'a', 'b', 'c', 'd'], /usage: dfota diff/],
        [['patch', 'a', 'b'], /usage: dfota patch/],
        [['verify', 'a'], /usage: dfota verify/],
        [['verify', 'a', 'b'], /NEW or --expect-new/],
        [['verify', 'a', 'b', 'c', 'd'], /usage: dfota verify/],
        [['diff', '--format', 'zip', 'a', 'b', 'c'], /unknown format zip/],
        [['diff', '--format'], /--format needs a value/],
        [['diff', '--max-output', '5', 'a', 'b', 'c'], /--max-output cannot be used here/],
        [['patch', '--format', 'bsdiff', 'a', 'b', 'c'], /--format cannot be used here/],
        [['patch', '--max-output', '', 'a', 'b', 'c'], /number of bytes/],
        [['patch', '--max-output', '-1', 'a', 'b', 'c'], /number of bytes/],
        [['patch', '--max-output', '5k', 'a', 'b', 'c'], /number of bytes/],
        [['patch', '--max-output', '99999999999999999999', 'a', 'b', 'c'], /number of bytes/],
        [['diff', '--expect-old', hash.slice(1), 'a', 'b', 'c'], /64 hex digits/],
        [['diff', '--expect-new', `${hash.slice(1)}g`, 'a', 'b', 'c'], /64 hex digits/],
        [['diff', '--frobnicate', 'a', 'b', 'c'], /unknown option --frobnicate/],
        [['--expect-old', hash, 'diff', 'a', 'b', 'c'], /cannot be used here/],
    ];
    for (const [args, reason] of cases) {
        test(`dfota ${args.join(' ')}`, async (t) => {
            await (await Bench.make(t)).fails(status.usage, reason, ...args);
        });
    }

    test('--help and --version succeed, and the manual page knows every option and command', async (t) => {
        const bench = await Bench.make(t);
        const help = await bench.dfota('--help');
        assert.equal(help.code, status.ok);
        assert.match((await bench.dfota('--version')).stdout, /^dfota \d+\.\d+\.\d+\n$/);
        assert.equal((await bench.dfota('diff', '--help')).stdout, help.stdout);
        const page = (await readFile(join(source, 'man', 'dfota.1'), 'utf8')).replaceAll('\\-', '-');
        const options = [...new Set(help.stdout.match(/--[a-z-]+/g))];
        assert.ok(options.length >= 7);
        for (const word of [...options, ...['diff', 'patch', 'verify', 'bsdiff']])
            assert.ok(page.includes(word), `${word} is not in dfota(1)`);
    });
});

describe('the machine: exit status 3, and nothing left behind', () => {
    test('a file that is missing or is not a regular file', async (t) => {
        const bench = await furnished(t);
        const missing = /cannot open missing: No such file/;
        await bench.fails(status.machine, missing, 'diff', 'missing', 'new', 'out');
        await bench.fails(status.machine, missing, 'diff', 'old', 'missing', 'out');
        await bench.fails(status.machine, missing, 'patch', 'old', 'missing', 'out');
        await bench.fails(status.machine, missing, 'verify', 'old', 'package', 'missing');
        await bench.fails(status.machine, /cannot read/, 'diff', '.', 'new', 'out');
    });

    test('a place that cannot be written', async (t) => {
        const bench = await furnished(t);
        await bench.fails(status.machine, /No such file or directory/, 'diff', 'old', 'new', 'missing/out');
        await bench.fails(status.machine, /not a regular file/, 'diff', 'old', 'new', '.');
        await symlink('new', bench.path('link'));
        await bench.fails(status.machine, /not a regular file/, 'patch', 'old', 'package', 'link');
        assert.deepEqual(await bench.get('new'), release(1));
    });

    test('a disk that becomes full half way', async (t) => {
        const bench = await furnished(t);
        await bench.put({ out: 'precious' });
        const before = await bench.names();
        const result = await bench.shell('ulimit -f 20; "$1" patch old package out');
        assert.equal(result.code, status.machine, result.stderr);
        assert.match(result.stderr, /^dfota: cannot write out: File too large\n$/);
        assert.deepEqual(await bench.names(), before);
        assert.equal(String(await bench.get('out')), 'precious');
    });

    test('a result line that cannot be written', async (t) => {
        const bench = await furnished(t);
        const result = await bench.shell('"$1" diff old new out >/dev/full');
        assert.equal(result.code, status.machine);
        assert.match(result.stderr, /standard output/);
        await bench.stock('bspatch', 'old', 'by-stock', 'out'); // the file is complete
        assert.deepEqual(await bench.get('by-stock'), release(1));
    });

    test('too little memory', async (t) => {
        const bench = await Bench.make(t);
        const limit = 'ulimit -v 60000; ';
        if ((await bench.shell(`${limit} "$1" --version`)).code !== 0)
            return t.skip('this build reserves memory that it does not use: a sanitizer');
        await bench.put({ old: noiseImage({ seed: 3, size: 20_000_000 }), new: release(1) });
        const result = await bench.shell(`${limit} "$1" diff old new out`);
        assert.equal(result.code, status.machine, result.stderr);
        assert.match(result.stderr, /^dfota: out of memory/);
        assert.deepEqual(await bench.names(), ['new', 'old']);
    });

    test('a signal while it works', async (t) => {
        const bench = await furnished(t);
        const before = await bench.names();
        assert.equal((await run('mkfifo', [bench.path('fifo')])).code, 0);
        const child = spawn(dfotaPath, ['patch', 'old', 'fifo', 'out'], { cwd: bench.dir, stdio: 'ignore' });
        const ended = new Promise((resolveEnd) => child.on('close', (code, signal) => resolveEnd(signal)));
        const writer = await open(bench.path('fifo'), 'w'); // returns once the other side reads
        t.after(() => writer.close());
        await writer.write((await bench.get('package')).subarray(0, 1000)); // the rest never comes
        child.kill('SIGTERM');
        assert.equal(await ended, 'SIGTERM');
        assert.deepEqual(await bench.names(), [...before, 'fifo'].sort());
    });
});

describe('the file that is written', () => {
    test('may be one of the input files', async (t) => {
        const bench = await furnished(t);
        await bench.succeeds('old', 'patch', 'old', 'package', 'old');
        assert.deepEqual(await bench.get('old'), release(1));
        assert.deepEqual(await bench.names(), ['new', 'old', 'other', 'package']);
    });

    test('follows the umask, also when it replaces another file', async (t) => {
        const bench = await furnished(t);
        await bench.put({ out: 'earlier' });
        await chmod(bench.path('out'), 0o600);
        const { code } = await bench.shell('umask 022; "$1" patch old package out');
        assert.equal(code, status.ok);
        assert.equal((await stat(bench.path('out'))).mode & 0o7777, 0o644);
    });

    test('is a new file: a program that has the old one open still reads it whole', async (t) => {
        const bench = await furnished(t);
        await bench.put({ out: 'earlier' });
        const reader = await open(bench.path('out'));
        t.after(() => reader.close());
        await bench.succeeds('out', 'patch', 'old', 'package', 'out');
        assert.equal(String(await reader.readFile()), 'earlier');
    });
});
