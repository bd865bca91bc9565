// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The package formats of modules with an EC618, as dfota makes them. A second reader, written in another
// language from the layout description only, checks them: tests/ec618/container.py with decoder.py.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';

const source = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const dfota = join(resolve(process.env.DFOTA_BUILD ?? join(source, 'build')), 'dfota');
const reader = join(source, 'tests', 'ec618', 'container.py');

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const release = (revision, size) => firmwareImage({ seed: 618, size, revision });

function hasPython() {
    try {
        execFileSync('python3', ['-c', 'import lzma, bz2']);
        return true;
    } catch {
        return false;
    }
}

const withoutPython = hasPython() ? false : 'python3 is not installed';

function run(dir, command, ...args) {
    return new Promise((resolveRun, reject) => {
        execFile(command, args, { cwd: dir, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
            if (error && typeof error.code !== 'number')
                reject(error);
            else
                resolveRun({ code: error ? error.code : 0, stdout, stderr });
        });
    });
}

// A directory for one test with these files.
async function bench(t, files) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-ec618-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    for (const [name, bytes] of Object.entries(files))
        await writeFile(join(dir, name), bytes);
    return dir;
}

const ap = [release(0, 100_000), release(1, 100_000)];
const cp = [release(2, 40_000), release(3, 33_000)];

const pairs = {
    'two raw images': [ap[0], ap[1]],
    'a larger raw image': [ap[0], release(1, 170_000)],
    'a smaller raw image': [ap[0], release(1, 30_000)],
    'equal raw images': [ap[0], ap[0]],
    'unrelated raw images': [noiseImage({ seed: 1, size: 40_000 }), noiseImage({ seed: 2, size: 70_000 })],
    'erased flash': [Buffer.alloc(70_000, 0xff), Buffer.alloc(66_000, 0xff)],
    'whole blocks': [release(0, 65_536), release(1, 65_536)],
    'one byte': [Buffer.from([1]), Buffer.from([2])],
    'AP and CP of a .binpkg': [binpkg({ ap: ap[0], cp: cp[0] }), binpkg({ ap: ap[1], cp: cp[1] })],
    'AP alone': [binpkg({ ap: ap[0], cp: cp[0] }), binpkg({ ap: ap[1], cp: cp[0] })],
    'CP alone': [binpkg({ ap: ap[0], cp: cp[0] }), binpkg({ ap: ap[0], cp: cp[1] })],
};

describe('the second reader accepts what dfota makes', { skip: withoutPython }, () => {
    for (const format of ['ec618-at', 'ec618-csdk', 'ec618-luatos']) {
        for (const [name, [old, next]] of Object.entries(pairs)) {
            test(`${format}: ${name}`, async (t) => {
                const dir = await bench(t, { old, new: next });
                const made = await run(dir, dfota, 'diff', '--format', format, '--effort', 'quick', 'old', 'new', 'package');
                assert.equal(made.code, 0, made.stderr);
                assert.equal(made.stderr, '');
                for (const args of [['check', 'old', 'package', 'new'], ['apply', 'old', 'package', 'theirs']]) {
                    const judged = await run(dir, 'python3', reader, ...args);
                    assert.equal(judged.code, 0, judged.stderr);
                }
                const verified = await run(dir, dfota, 'verify', 'old', 'package', 'new');
                assert.equal(verified.stdout, `sha256=${sha256(next)} size=${next.length}\n`);
                const patched = await run(dir, dfota, 'patch', '--expect-new', sha256(next), 'old', 'package', 'ours');
                assert.equal(patched.code, 0, patched.stderr);
                assert.deepEqual(await readFile(join(dir, 'ours')), await readFile(join(dir, 'theirs')));

                const told = await run(dir, dfota, 'inspect', 'package');
                assert.equal(told.code, 0, told.stderr);
                const listed = JSON.parse((await run(dir, 'python3', reader, 'list', 'package')).stdout);
                for (const part of listed.par.packages)
                    for (const word of [part.base_sha256, part.new_sha256, part.name, `${part.segments} segments`])
                        assert.ok(told.stdout.includes(word), `${word} is not told`);
                assert.match(told.stdout, new RegExp(`\\(${listed.par.packages.length > 1 ? 'CP' : 'AP|CP'}\\)`));
            });
        }
    }
});

// Corrects the hash after bytes were changed.
function seal(par) {
    const seen = Buffer.from(par).fill(0, 12, 44).fill(0xff, 44, 84);
    createHash('sha256').update(seen).digest().copy(par, 12);
    return par;
}

describe('both readers refuse what a device would refuse', { skip: withoutPython }, () => {
    const changes = { // of an archive of AP and CP: byte, bits that change; `cp` counts from the second package's head
        'nothing': [0, 0],
        'one package': [3, 0x01],
        'three packages': [3, 0x03],
        'a method': [3, 0x10],
        'bit 6 of byte 3': [3, 0x40],
        'the segment size': [7, 0xc0],
        'the progress': [44, 0x01],
        'the index of AP': [84, 0x01],
        'the order of AP': [84, 0x10],
        'the part of AP': [86, 0x80],
        'the head of AP': [85, 0x08],
        'the segments of AP': [87, 0x01],
        'the new size of AP': [100, 0x01],
        'the base size of AP': [104, 0x01],
        'the new hash of AP': [144, 0x01],
        'the index of CP': ['cp', 0x01],
        'the order of CP': ['cp', 0x10],
        'CP for AP': ['cp', 0x20],
    };
    for (const [name, [at, bits]] of Object.entries(changes)) {
        test(name, async (t) => {
            const [old, next] = pairs['AP and CP of a .binpkg'];
            const dir = await bench(t, { old, new: next });
            await run(dir, dfota, 'diff', '--format', 'ec618-csdk', '--effort', 'quick', 'old', 'new', 'package');
            const par = await readFile(join(dir, 'package'));
            par[at === 'cp' ? 84 + par.readUInt32LE(88) : at] ^= bits;
            await writeFile(join(dir, 'package'), seal(par));
            const expected = bits === 0 ? 0 : 1;
            for (const [command, ...args] of [[dfota, 'verify', 'old', 'package', 'new'], [dfota, 'patch', 'old', 'package', 'out'],
                [dfota, 'inspect', 'package'], ['python3', reader, 'check', 'old', 'package', 'new']]) {
                if (args[0] === 'inspect' && name === 'the new hash of AP')
                    continue; // only the result shows it
                const { code, stdout, stderr } = await run(dir, command, ...args);
                assert.equal(code, expected, `${command} ${args}: ${stdout.slice(0, 200)} ${stderr}`);
            }
        });
    }

    test('an archive too long for a module, unless an option allows it', async (t) => {
        const images = [1, 2].map((seed) => noiseImage({ seed, size: 500_000 }));
        const dir = await bench(t, { old: images[0], new: images[1] });
        const made = await run(dir, dfota, 'diff', '--format', 'ec618-at', '--effort', 'quick', 'old', 'new', 'package');
        assert.equal(made.code, 0, made.stderr);
        for (const args of [['verify', 'old', 'package', 'new'], ['patch', 'old', 'package', 'out']]) {
            const refused = await run(dir, dfota, ...args);
            assert.equal(refused.code, 1);
            assert.match(refused.stderr, /^dfota: the archive has \d+ bytes; a module accepts at most 491520\n$/);
            assert.equal((await run(dir, dfota, args[0], '--any-size', ...args.slice(1))).code, 0);
        }
        assert.equal((await run(dir, 'python3', reader, 'check', 'old', 'package', 'new')).code, 1);
    });

    test('images larger than their flash zones are refused before any work', async (t) => {
        const dir = await bench(t, { old: ap[0], new: Buffer.alloc(3_014_657, 1) });
        const made = await run(dir, dfota, 'diff', '--format', 'ec618-at', 'old', 'new', 'package');
        assert.equal(made.code, 1);
        assert.match(made.stderr, /the new AP has 3014657 bytes; its zone in the module's flash has 3014656/);
    });
});

describe('a .binpkg that differs in parts that a package cannot change', () => {
    const old = binpkg({ ap: ap[0], cp: cp[0] });
    const next = binpkg({ head: 1, bootloader: 'another', ap: ap[1], cp: cp[1] });

    test('gets a package, verified by its parts, with a note about the other differences', async (t) => {
        const dir = await bench(t, { old, new: next });
        const made = await run(dir, dfota, 'diff', '--format', 'ec618-at', '--effort', 'quick', 'old', 'new', 'package');
        assert.equal(made.code, 0, made.stderr);
        assert.match(made.stderr, /^dfota: note: [^\n]*the file's head, [^\n]*entry 1\n$/);
        const verified = await run(dir, dfota, 'verify', 'old', 'package', 'new');
        assert.equal(verified.code, 0, verified.stderr);
        assert.match(verified.stderr, /^dfota: note: /);
        const byHash = await run(dir, dfota, 'verify', '--expect-new', sha256(next), 'old', 'package');
        assert.equal(byHash.code, 1);
        const patched = await run(dir, dfota, 'patch', 'old', 'package', 'out');
        assert.equal(patched.code, 0, patched.stderr);
        assert.deepEqual(await readFile(join(dir, 'out')), binpkg({ ap: ap[1], cp: cp[1] }));
    });

    test('is refused if only those parts differ', async (t) => {
        const dir = await bench(t, { old, new: binpkg({ head: 1, ap: ap[0], cp: cp[0] }) });
        const made = await run(dir, dfota, 'diff', '--format', 'ec618-at', 'old', 'new', 'package');
        assert.equal(made.code, 1);
        assert.match(made.stderr, /the same AP and CP/);
    });
});

describe('the command line', () => {
    const small = { old: Buffer.from([1, 2, 3]), new: Buffer.from([1, 2, 4]) };
    const diff = ['diff', '--effort', 'quick'];

    test('the load address reaches the package', async (t) => {
        const dir = await bench(t, small);
        const made = await run(dir, dfota, ...diff, '--format', 'ec618-csdk', '--load-address', '0x30000',
            '--closed-last-part', 'old', 'new', 'package');
        assert.equal(made.code, 0, made.stderr);
        const package_ = await readFile(join(dir, 'package'));
        assert.equal(package_.readUInt32LE(84 + 12), 0x30000);
        assert.equal((await run(dir, dfota, 'verify', 'old', 'package', 'new')).code, 0);
    });

    const wrong = [
        [['--load-address', '0x30000'], /cannot be used with format bsdiff/],
        [['--closed-last-part'], /cannot be used with format bsdiff/],
        [['--format', 'ec618-at', '--load-address', '-1'], /--load-address needs a number/],
        [['--format', 'ec618-at', '--load-address', '0x100000000'], /--load-address needs a number/],
        [['--format', 'ec618-at', '--load-address', '24k'], /--load-address needs a number/],
        [['--format', 'ec618-at', '--header', 'head-3=41'], /unknown option --header/],
        [['--format', 'ec618-at', '--effort', 'much'], /--effort is quick, good or best/],
    ];
    for (const [args, reason] of wrong) {
        test(`${args.join(' ')} is a usage error`, async (t) => {
            const dir = await bench(t, small);
            const made = await run(dir, dfota, 'diff', ...args, 'old', 'new', 'package');
            assert.equal(made.code, 2, made.stdout);
            assert.match(made.stderr, reason);
        });
    }

    test('inspect recognises files by content and says what is wrong with them', async (t) => {
        const dir = await bench(t, { ...small, zip: 'PK\x03\x04', 'image.bin': '<!doctype html>' });
        assert.match((await run(dir, dfota, 'inspect', 'zip')).stdout, /^kind=zip [^\n]*\nThis is a ZIP archive/);
        assert.match((await run(dir, dfota, 'inspect', 'image.bin')).stdout, /^kind=html /);
        assert.equal((await run(dir, dfota, 'inspect', 'missing')).code, 3);
        await run(dir, dfota, ...diff, '--format', 'ec618-at', 'old', 'new', 'package');
        const whole = await readFile(join(dir, 'package'));
        await writeFile(join(dir, 'cut'), whole.subarray(0, 150));
        const cut = await run(dir, dfota, 'inspect', 'cut');
        assert.equal(cut.code, 1);
        assert.match(cut.stdout, /magic +ecdf/);
        assert.match(cut.stderr, /^dfota: the head of AT firmware states \d+ bytes, and 140 follow\n$/);
    });
});
