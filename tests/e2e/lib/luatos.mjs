// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// LuatOS packages as the vendor's tool lays them out: a head of 92 bytes, common data (the script) and what changes the
// core. Written only from the description of the layout, without reading the programs.

import { createHash } from 'node:crypto';

export const EC618 = 0xEAF18C16;
export const EC7XX = 0xEAC37218;

// The CRC of zlib without its last inversion.
export function rawCrc(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit += 1)
            crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return crc >>> 0;
}

const md5 = (bytes) => createHash('md5').update(bytes).digest();

function words(...numbers) {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, i) => bytes.writeUInt32LE(number >>> 0, 4 * i));
    return bytes;
}

// A stream of LZMA (lc 3, lp 1, pb 2) that has only literals: valid, and larger than the data.
function lzma(bytes) {
    const match = new Uint16Array(4).fill(1024), literal = new Uint16Array(0x300 << 4).fill(1024), out = [];
    let low = 0, range = 0xffffffff, held = 0, count = 1;
    function shift() {
        if (low < 0xff000000 || low > 0xffffffff) {
            for (; count > 0; count -= 1) {
                out.push((held + (low > 0xffffffff ? 1 : 0)) & 0xff);
                held = 0xff;
            }
            held = Math.floor(low / 0x1000000) & 0xff;
        }
        count += 1;
        low = (low % 0x1000000) * 0x100;
    }
    function put(odds, at, bit) {
        const bound = (range >>> 11) * odds[at];
        if (bit) {
            low += bound;
            range -= bound;
            odds[at] -= odds[at] >>> 5;
        } else {
            range = bound;
            odds[at] += (2048 - odds[at]) >>> 5;
        }
        while (range < 0x1000000) {
            range *= 0x100;
            shift();
        }
    }
    bytes.forEach((byte, at) => {
        put(match, at & 3, 0);
        const table = 0x300 * (((at & 1) << 3) + ((at ? bytes[at - 1] : 0) >>> 5));
        for (let bit = 7, node = 1; bit >= 0; bit -= 1) {
            put(literal, table + node, (byte >>> bit) & 1);
            node = (node << 1) | ((byte >>> bit) & 1);
        }
    });
    for (let i = 0; i < 5; i += 1)
        shift();
    return Buffer.from(out);
}

// A sector: a head of 36 bytes, and blocks. `damaged`: a block that does not give the script.
export function sector(magic, script, address = 0x5be000, damaged = false) {
    const blocks = [];
    for (let at = 0; at < script.length; at += 0x40000) {
        const block = lzma(script.subarray(at, at + 0x40000));
        blocks.push(Buffer.from([5, 0x66, 0, 0, 4, 0]), words(block.length), block);
    }
    const packed = Buffer.concat(blocks);
    if (damaged)
        packed[packed.length - 8] ^= 1;
    return Buffer.concat([words(magic, packed.length, script.length), md5(script), words(0x40000, address), packed]);
}

// `script` and `core` are Buffers, either may be empty. `leadsTo` and `allows` are core versions in the head, 0 for none.
export function luatosPackage({ script = Buffer.alloc(0), core = Buffer.alloc(0), magic = EC7XX, address, leadsTo = 0, allows = 0, damaged = false }) {
    const common = script.length ? sector(magic, script, address, damaged) : Buffer.alloc(0);
    const fields = Buffer.concat([
        words(leadsTo, 0, 0, 0, 0), words(0), words(allows, 0, 0, 0, 0), words(common.length, core.length),
        common.length ? md5(common) : Buffer.alloc(16), Buffer.alloc(16),
    ]);
    return Buffer.concat([words(magic, rawCrc(fields)), fields, common, core]);
}

// info.json of a build for the EC618 with a script area of `area` KB.
export function info({ area = 128, script_addr = (0x304000 - { 448: 284, 128: 96, 64: 48 }[area] * 1024 - area * 1024).toString(16) } = {}) {
    const full_addr = (0x304000 - { 448: 284, 128: 96, 64: 48 }[area] * 1024).toString(16);
    return JSON.stringify({
        version: 1, chip: { type: 'ec618' }, rom: { file: 'luatos.binpkg', fs: { script: { size: area } }, 'version-core': 'v0001' },
        script: { file: 'script.bin', bitw: 32 }, download: { script_addr }, fota: { magic_num: 'eaf18c16', block_len: '40000', full_addr },
    });
}

// The files of a .soc, to be packed; without a script it is a core as it is released.
export function soc({ core, script = null, version = '1114', area = 128, pack = '' }) {
    const files = { 'info.json': info({ area }), 'luatos.binpkg': core, 'luat_conf_bsp.h': `#define LUAT_BSP_VERSION "V${version}"\n` };
    if (script !== null)
        files['script.bin'] = script;
    return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [pack + name, Buffer.from(bytes)]));
}
