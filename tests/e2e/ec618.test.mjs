// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// EC618 payloads against a second reader: tests/ec618/decoder.py is written only from the description of the layout, and must
// rebuild the new image from every payload of dfota.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { corpusImage, firmwareImage, noiseImage } from './lib/firmware.mjs';

const run = promisify(execFile);
const tool = join(process.env.DFOTA_BUILD, 'ec618-payload');
const decoder = fileURLToPath(new URL('../ec618/decoder.py', import.meta.url));
let dir;

before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dfota-ec618-'));
});
after(() => rm(dir, { recursive: true, force: true }));

// Makes a payload and lets both readers rebuild the new image, the reader of dfota also with a power cut at each operation on the
// flash in turn, and returns it.
async function checkPair(old, next, ...options) {
    const path = (name) => join(dir, name);
    await writeFile(path('old'), old);
    await writeFile(path('new'), next);
    await run(tool, ['make', path('old'), path('new'), path('payload'), ...options]);
    await run('python3', [decoder, 'check', path('old'), path('payload'), path('new')]);
    await run(tool, ['apply', path('old'), path('payload'), path('again')]);
    assert.ok(next.equals(await readFile(path('again'))));
    const { stdout } = await run(tool, ['outages', path('old'), path('payload'), path('new')]);
    assert.ok(Number(stdout) >= Math.floor(next.length / 32768), `power was cut at ${stdout} operations`);
    return readFile(path('payload'));
}

const orderOf = (payload) => payload.toString('latin1', 12, 16);

test('both readers rebuild generated firmware, in both directions and at every effort', async () => {
    const old = firmwareImage({ seed: 61, size: 150000 });
    const next = firmwareImage({ seed: 61, size: 152345, revision: 1 });
    for (const order of ['NorO', 'RvsO'])
        for (const effort of ['quick', 'good', 'best'])
            assert.equal(orderOf(await checkPair(old, next, effort, order)), order);
    await checkPair(old, next, 'quick', 'RvsO', 'closed');
});

test('both readers rebuild images that have nothing in common, are empty or are equal', async () => {
    const noise = noiseImage({ seed: 62, size: 70001 });
    await checkPair(noise, noiseImage({ seed: 63, size: 65536 }), 'quick');
    await checkPair(Buffer.alloc(0), noise, 'quick');
    await checkPair(noise, noise.subarray(0, 1), 'quick');
    await checkPair(Buffer.alloc(100000, 0xff), Buffer.alloc(140000, 0xff), 'quick');
    assert.equal((await checkPair(noise, noise, 'quick')).length, 16 + 3 * 24);
});

test('the second reader refuses payloads that are cut off, damaged, or have a block that is too large', async () => {
    const old = firmwareImage({ seed: 64, size: 40000 });
    const payload = await checkPair(old, firmwareImage({ seed: 64, size: 40000, revision: 1 }), 'quick');
    const bad = join(dir, 'bad');
    const refuses = async (bytes, why) => {
        await writeFile(bad, bytes);
        for (const command of [['python3', decoder], [tool]]) {
            const [program, ...first] = command;
            await assert.rejects(run(program, [...first, 'apply', join(dir, 'old'), bad, join(dir, 'none')]),
                (error) => error.code === 1 && (!why || why.test(error.stderr)));
        }
    };
    await refuses(payload.subarray(0, payload.length - 1));
    await refuses(Buffer.concat([payload, Buffer.alloc(1)]));
    const damaged = Buffer.from(payload);
    damaged[payload.length >> 1] ^= 0x20;
    await refuses(damaged);
    // Stock bzip2 makes one block of it, which is far too large for the module.
    const script = 'import bz2,struct,sys;s=bz2.compress(struct.pack("<III",0,32768,0)+bytes((i*7+(i>>8))&255 for i in '
        + 'range(32768)),1);p=b"BSDIFF40"+struct.pack("<III",0,20+len(s),32768)+s;'
        + 'sys.stdout.buffer.write(b"BPHD"+struct.pack("<II",1,40000)+b"NorO"+struct.pack("<I",len(p))+p)';
    const { stdout } = await run('python3', ['-c', script], { encoding: 'buffer' });
    await refuses(stdout, /8192/);
});

// Near and far, up and down.
const corpusPairs = [
    ['boron-1.5.0', 'boron-1.5.2'], ['boron-1.5.2', 'boron-2.0.1'], ['boron-2.1.0', 'boron-2.2.0'],
    ['primehub-4.17.0', 'primehub-7.28.0'], ['primehub-7.22.0', 'primehub-7.27.0'], ['primehub-7.28.0', 'primehub-7.27.0'],
];

test('both readers rebuild real firmware', async () => {
    for (const [old, next] of corpusPairs)
        await checkPair(await corpusImage(old), await corpusImage(next), 'quick');
});

test('packages of every format lead from one real image to the next', async () => {
    const dfota = join(process.env.DFOTA_BUILD, 'dfota'), path = (name) => join(dir, name);
    const { stdout } = await run(dfota, ['--help']);
    const formats = [...stdout.matchAll(/^ {2}(\S+) +for /gm)].map(([, name]) => name).filter((name) => !name.startsWith('ec7xx-'));
    assert.ok(formats.length >= 4, formats.join());
    for (const [old, next] of corpusPairs) {
        await writeFile(path('old'), await corpusImage(old));
        await writeFile(path('new'), await corpusImage(next));
        for (const format of formats) {
            await run(dfota, ['diff', '--format', format, '--effort', 'quick', path('old'), path('new'), path('package')]);
            await run(dfota, ['patch', path('old'), path('package'), path('again')]);
            assert.ok((await readFile(path('again'))).equals(await corpusImage(next)), `${format}: ${old} to ${next}`);
        }
    }
});
