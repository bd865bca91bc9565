// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One suffix array is used for every delta from an old image. A damaged one is made again and never causes a wrong package.

import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { flipBit } from './lib/disk.mjs';
import { sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

test('all packages from one image share a suffix array, whatever happens to its file', async (t) => {
    const server = await startServer(t, { config: { jobs: 1, idle_effort: 'none' } });
    const scene = await Scene.build(server, { versions: ['1', '2', '3', '4', '5'] });
    const shelf = join(server.dataDir, 'suffix'), file = join(shelf, sha256(scene.images.get('1')));
    await scene.makePackage('1', '2');
    assert.deepEqual(await readdir(shelf), [sha256(scene.images.get('1'))]);

    await flipBit(file, 200);
    await scene.makePackage('1', '3');
    await writeFile(file, 'nothing of use');
    await scene.makePackage('1', '4');
    await rm(shelf, { recursive: true });
    await mkdir(shelf);
    await scene.makePackage('1', '5');

    const module = scene.module({ version: '1' });
    await module.upgrade();
    assert.equal(module.version, '5');
});
