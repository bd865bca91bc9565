// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Uploads at the same time: a refused upload must not remove the file of an accepted one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { assertProblem, listFiles } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

const size = 40_000;
const image = (seed) => noiseImage({ seed, size });

test('equal bytes at once, refused as one version and accepted as another: the accepted ones stay complete', async (t) => {
    const server = await startServer(t);
    const at = (version) => `${firmwarePath('together', 'pump')}/images/${version}`;
    await server.createProduct('together');
    await server.admin('PUT', at(1), image(1), { expect: 201 });
    for (let version = 2; version < 40; version += 1) {
        const bytes = image(version);
        const [refused, , again] = await Promise.all([
            server.admin('PUT', at(1), bytes), server.admin('PUT', at(version), bytes, { expect: 201 }), server.admin('PUT', at(1), bytes),
        ]);
        assertProblem(refused, 409, 'image-conflict');
        assertProblem(again, 409, 'image-conflict');
        const { body } = await server.admin('GET', `${at(version)}/content`, null, { expect: 200 });
        assert.ok(body.equals(bytes), `version ${version}`);
    }
});

test('a refused upload leaves no file behind, unless an image has the same bytes', async (t) => {
    const server = await startServer(t);
    const at = (version) => `${firmwarePath('refused', 'pump')}/images/${version}`;
    const images = async () => [...(await listFiles(server.dataDir)).values()].filter((bytes) => bytes === size).length;
    await server.createProduct('refused');
    await server.admin('PUT', at(1), image(1), { expect: 201 });
    await server.admin('PUT', at(2), image(2), { expect: 201 });
    for (const bytes of [image(3), image(2)]) {
        assertProblem(await server.admin('PUT', at(1), bytes), 409, 'image-conflict');
        assert.equal(await images(), 2);
    }
    assert.ok((await server.admin('GET', `${at(2)}/content`, null, { expect: 200 })).body.equals(image(2)));
});
