// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The simulated module in the role of clients that send another id than an IMEI, or a core with a script: each upgrades.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { buildDir, startServer } from './lib/server.mjs';

const run = promisify(execFile);
const tool = (name, ...args) => run(join(buildDir, name), args);

let server, dir;
before(async () => {
    server = await startServer(null, { keep: true });
    dir = await mkdtemp(join(tmpdir(), 'dfota-clients-'));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

describe('a simulated module upgrades', () => {
    const clients = {
        'a unique id of 24 digits': { dialect: 'fota2-mac', id: '3fa85f6457174562b3fc2c96', device: 'mac:3FA85F6457174562B3FC2C96' },
        'a unique id of 32 digits': { dialect: 'fota2-mac', id: '3fa85f6457174562b3fc2c963f66afa6', device: 'mac:3FA85F6457174562B3FC2C963F66AFA6' },
        'a uid in bytes': { dialect: 'uid-bytes', id: '3fa8ff64d717c562b3fc2c96', device: 'uid:3FA8FF64D717C562B3FC2C96' },
        'a text in imei': { dialect: 'fota2', id: 'C81234567830', device: 'imei:C81234567830' },
        'an IMEI with its software version': { dialect: 'fota2', id: '8665970712345601', device: 'imei:866597071234569' },
        'Air724UG: core and script': { dialect: 'air724', id: '866597071234569', device: 'imei:866597071234569', versions: ['4030.1.0.0', '4030.1.0.1'] },
        'Air724UG: core alone': { dialect: 'air724', id: '866597071234569', device: 'imei:866597071234569', versions: ['4030', '4035'] },
    };
    let products = 0;
    for (const [name, { dialect, id, device, versions = ['1138', '1147'] }] of Object.entries(clients)) {
        test(name, async () => {
            const product = `p${products += 1}`, [from, to] = versions;
            await server.createProduct(product);
            for (const version of versions) {
                await tool('dfota-sim', '--make-image', version, join(dir, version));
                await server.putImage(product, 'pump', version, await readFile(join(dir, version)));
            }
            await server.setTarget(product, 'pump', to);
            await server.makePackage(product, 'pump', from, to);
            const { stdout } = await tool('dfota-sim', '--url', `http://${server.device.host}:${server.device.port}`, '--product-key', product,
                '--firmware', 'pump', '--image', join(dir, from), '--imei', id, '--dialect', dialect, '--until', 'idle', '--expect', to);
            assert.match(stdout, new RegExp(`reboots into ${to}`));
            const { json } = await server.admin('GET', `/products/${product}/devices/${device}`);
            assert.deepEqual([json.confirmed_version, json.attempts[0].state], [to, 'confirmed']);
        });
    }
});
