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

// The sector of the script: a head of 36 bytes, and blocks that are not compressed.
function sector(magic, script) {
    const blocks = [];
    for (let at = 0; at < script.length; at += 0x40000) {
        const block = script.subarray(at, at + 0x40000);
        blocks.push(Buffer.from([0]), words(block.length), block);
    }
    const packed = Buffer.concat(blocks);
    return Buffer.concat([words(magic, packed.length, script.length), md5(script), words(0x40000, 0x5be000), packed]);
}

// `script` and `core` are Buffers, either may be empty. `leadsTo` and `allows` are core versions in the head, 0 for none.
export function luatosPackage({ script = Buffer.alloc(0), core = Buffer.alloc(0), magic = EC7XX, leadsTo = 0, allows = 0 }) {
    const common = script.length ? sector(magic, script) : Buffer.alloc(0);
    const fields = Buffer.concat([
        words(leadsTo, 0, 0, 0, 0), words(0), words(allows, 0, 0, 0, 0), words(common.length, core.length),
        common.length ? md5(common) : Buffer.alloc(16), Buffer.alloc(16),
    ]);
    return Buffer.concat([words(magic, rawCrc(fields)), fields, common, core]);
}
