// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Full packages of CSDK for an EC618, as dfota makes them. Two programs that know only the layout judge them: the second reader
// tests/ec618/container.py, and the simulated module tests/ec618/full.py.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';

const source = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const dfota = join(resolve(process.env.DFOTA_BUILD ?? join(source, 'build')), 'dfota');
const python = (name) => ['python3', join(source, 'tests', 'ec618', name)];

const AP_MOST = 1984 * 1024;
const ap = firmwareImage({ seed: 618, size: 300_000 });
const cp = firmwareImage({ seed: 619, size: 100_000 });
const image = binpkg({ ap, cp });
let dir, made;

function run(command, ...args) {
    return new Promise((resolveRun) => {
        execFile(command, args, { cwd: dir, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
            resolveRun({ code: error ? error.code : 0, stdout, stderr }));
    });
}

async function works(command, ...args) {
    const { code, stdout, stderr } = await run(command, ...args);
    assert.equal(code, 0, stderr);
    return stdout;
}

async function refused(pattern, command, ...args) {
    const { code, stderr } = await run(command, ...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, pattern);
}

const write = (name, bytes) => writeFile(join(dir, name), bytes);

before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dfota-full-'));
    await write('new', image);
    await works(dfota, 'full', 'new', 'full');
    made = await readFile(join(dir, 'full'));
});
after(() => rm(dir, { recursive: true, force: true }));

test('the same image gives the same package, and the package gives the image', async () => {
    await works(dfota, 'full', 'new', 'again');
    assert.ok(made.equals(await readFile(join(dir, 'again'))));
    const sum = createHash('sha256').update(image).digest('hex');
    assert.equal(await works(dfota, 'verify', '--full', '--expect-new', sum, 'full', 'new'), `sha256=${sum} size=${image.length}\n`);
});

test('the second reader finds the layout', async () => {
    const { sectors, sdk_md5, sdk, ...head } = JSON.parse(await works(...python('container.py'), 'list', 'full'));
    assert.deepEqual(head, {
        kind: 'luatos', chip: 'EC618', full: true, main_version: [0, 0, 0, 0, 0xffffffff], app_version: 0x113a695d, std_version: [0, 0, 0, 0, 0],
    });
    assert.deepEqual([sdk, sdk_md5], ['0 bytes', '0'.repeat(32)]);
    assert.deepEqual(sectors.map((sector) => [sector.start_address, sector.size, sector.block]),
        [[0x24000, ap.length, 0x40000], [0x80000000, cp.length, 0x40000]]);
});

test('a simulated module runs the image, also when the power is cut at any block', async () => {
    assert.equal(await works(...python('full.py'), 'full', 'new'), '3\n', 'two blocks of AP, one of CP');
});

test('inspect knows every byte', async () => {
    assert.match(await works(dfota, 'inspect', 'full'), /full package[^]*0x80000000, in the flash of CP[^]*Every byte has a known meaning/);
    const { kind, role, format, wrong } = JSON.parse(await works(dfota, 'inspect', '--brief', 'full'));
    assert.deepEqual({ kind, role, format, wrong }, { kind: 'csdk-full', role: 'package', format: 'ec618-csdk', wrong: null });
});

test('a full package is never applied as a delta', async () => {
    await refused(/a full package of CSDK, not a package between two images/, dfota, 'patch', 'new', 'full', 'none');
    await refused(/a full package of CSDK/, dfota, 'verify', 'new', 'full', 'new');
    await refused(/not applied to an old image/, ...python('container.py'), 'check', 'new', 'full', 'new');
});

test('damage and other images are refused', async () => {
    for (const at of [4, 30, 100, 120, 92 + 36 + 12, made.length >> 1, made.length - 1]) {
        const bytes = Buffer.from(made);
        bytes[at] ^= 1;
        await write('bad', bytes);
        assert.equal((await run(dfota, 'verify', '--full', 'bad', 'new')).code, 1, `dfota, byte ${at}`);
        assert.equal((await run(...python('full.py'), 'bad', 'new')).code, 1, `the module, byte ${at}`);
    }
    await write('bad', made.subarray(0, made.length - 1));
    await refused(/cut off/, dfota, 'verify', '--full', 'bad', 'new');
    await write('other', binpkg({ ap, cp: firmwareImage({ seed: 620, size: 100_000 }) }));
    await refused(/does not contain the CP of the image/, dfota, 'verify', '--full', 'full', 'other');
    await refused(/not a full package/, dfota, 'verify', '--full', 'new', 'new');
});

test('what a module has no room for is not made', async () => {
    const grown = (bytes) => Buffer.concat([ap, Buffer.alloc(bytes - ap.length, 0xff)]);
    await write('largest', binpkg({ ap: grown(AP_MOST), cp }));
    await works(dfota, 'full', 'largest', 'out');
    await works(...python('full.py'), 'out', 'largest');
    await write('larger', binpkg({ ap: grown(AP_MOST + 1), cp }));
    await refused(/AP has 2031617 bytes, and a module that takes full packages has room for 2031616/, dfota, 'full', 'larger', 'none');
    await write('dense', binpkg({ ap: noiseImage({ seed: 1, size: 1_600_000 }), cp }));
    await refused(/the full package has 1\d{6} bytes, and a module has room for 1507328/, dfota, 'full', 'dense', 'none');
});

test('only the firmware of a CSDK application has a full package', async () => {
    await write('raw', ap);
    await refused(/a raw image does not contain the CP/, dfota, 'full', 'raw', 'none');
    const entryOfAp = 52 + 364 + 'the bootloader'.length;
    const moved = Buffer.from(image);
    moved.writeUInt32LE(0x825000, entryOfAp + 64);
    await write('moved', moved);
    await refused(/AP is for the address 25000, not 24000/, dfota, 'full', 'moved', 'none');
    const scripted = Buffer.from(image);
    scripted.fill(0, entryOfAp + 364 + ap.length + 336, entryOfAp + 364 + ap.length + 352).write('SCRIPT', entryOfAp + 364 + ap.length + 336);
    await write('scripted', scripted);
    await refused(/entry 3 of the .binpkg is neither bootloader, AP nor CP/, dfota, 'full', 'scripted', 'none');
});

test('wrong use is named', async () => {
    for (const args of [['full', 'new', 'new'], ['--any-size', 'full', 'new']]) {
        const { code, stderr } = await run(dfota, 'verify', '--full', ...args);
        assert.equal(code, 2);
        assert.match(stderr, /verify --full takes a full package and its image/);
    }
});
