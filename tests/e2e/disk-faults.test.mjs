// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Disk calls that fail at any place: what was acknowledged is stored, what was not leaves nothing, and the server
// goes on without a restart.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { askUntilFull, assertGoesOn, assertImages, assertSurvives, files, startFaulty } from './lib/disk.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { assertProblem } from './lib/scene.mjs';

describe('a call that fails', () => {
    test('anywhere in an upload: nothing is acknowledged, nothing is left, and the same upload works after it', async (t) => {
        const { faults, server, scene } = await startFaulty(t);
        const places = ['create */incoming/*', 'write */incoming/*', 'fsync */incoming/*', 'mkdir */blobs/??', 'rename */blobs/*',
            'fsync */blobs', 'fsync */blobs/??', 'write */dfota.db-wal', 'fsync */dfota.db-wal'];
        const uploaded = new Map();
        let version = 5000;
        for (const error of ['EIO', 'ENOSPC', 'EROFS']) {
            for (const place of places) {
                const [call, pattern] = place.split(' ');
                const path = scene.path(`/images/${version += 1}`);
                const bytes = noiseImage({ seed: version, size: 50_000 });
                const earlier = await files(server);
                faults.set(`${call} ${error} 0 1 ${pattern}`);
                const answer = await server.admin('PUT', path, bytes);
                const hit = faults.hits().length === 1;
                assert.ok(hit || call === 'mkdir', `${place} did not fail`);
                if (hit) {
                    assert.ok(answer.status >= 500, `${place} ${error}: ${answer.status}`);
                    assertProblem(answer, answer.status, { 500: 'internal', 503: 'unavailable', 507: 'no-space' }[answer.status]);
                    // The bytes go when the request is over, after its answer.
                    await poll(`nothing is left: ${place} ${error}`, async () => (await files(server)).join() === earlier.join());
                    assertProblem(await server.admin('GET', path), 404, 'image-not-found');
                }
                faults.set();
                await server.admin('PUT', path, bytes, { expect: hit ? 201 : 200 });
                uploaded.set(path, sha256(bytes));
            }
        }
        await server.restart({ hard: true });
        for (const [path, sum] of uploaded)
            assert.equal(sha256((await server.admin('GET', `${path}/content`, null, { expect: 200 })).body), sum);
        await assertImages(scene);
    });

    test('each time the folder of a blob is synced: the upload is not acknowledged', async (t) => {
        const { faults, server, scene } = await startFaulty(t);
        const bytes = noiseImage({ seed: 6001, size: 50_000 });
        faults.set('fsync EIO 0 0 */blobs/??');
        for (let i = 0; i < 3; i += 1)
            assertProblem(await server.admin('PUT', scene.path('/images/6001'), bytes), 500, 'internal');
        // Bytes that are stored already: the answer that says so must be reliable.
        assertProblem(await server.admin('PUT', scene.path('/images/6002'), scene.images.get('1001')), 500, 'internal');
        faults.set();
        await assertImages(scene);
        await server.admin('PUT', scene.path('/images/6001'), bytes, { expect: 201 });
    });

    test('when a package is published: it is made again, and not served until then', async (t) => {
        const { faults, server, scene } = await startFaulty(t, { target: null });
        faults.set('fsync EIO 0 1 */blobs/??', 'fsync EIO 0 1 */incoming/job-*');
        await scene.setTarget('1002');
        const module = scene.module();
        await module.upgrade();
        assert.equal(faults.hits().length, 2);
        assert.equal((await scene.package('1001', '1002')).crashes, 2);
        assert.equal((await server.logged('package-put-back', 2)).length, 2);
    });

    for (const call of ['write', 'fsync', 'write,fsync,truncate']) {
        for (const error of ['EIO', 'ENOSPC']) {
            test(`(${call}: ${error}) at any place of a commit: the device is told to come back, and nothing is stored`, async (t) => {
                const { faults, scene } = await startFaulty(t, { target: null });
                const told = [], known = [];
                // The next call each time, until none fails: then the whole check-in succeeds.
                for (let skip = 0; known.length < 3; skip += 1) {
                    const module = scene.module();
                    faults.set(`${call} ${error} ${skip} 2 */dfota.db-*`);
                    const answer = await module.ask();
                    const hit = faults.hits().length > 0;
                    faults.set();
                    assert.ok(answer.code === (hit ? 503 : 27), `${skip}: ${answer.status} ${answer.code}, ${faults.hits()}`);
                    (hit ? told : known).push(module);
                    assert.equal((await scene.record(module)) === null, hit);
                    assert.ok(skip < 100);
                }
                assert.ok(told.length > 0);
                await assertGoesOn(scene, { told, known });
                await assertSurvives(scene, [...told, ...known]);
            });
        }
    }

    test('at every commit, of many check-ins at once, for a while', async (t) => {
        const { faults, scene } = await startFaulty(t, { target: null });
        faults.set('fsync EIO 3 9 */dfota.db-wal', 'write EIO 40 5 */dfota.db-wal');
        const asked = await askUntilFull(scene, 10);
        faults.set();
        await assertGoesOn(scene, asked);
        await assertSurvives(scene, [...asked.told, ...asked.known]);
    });

    test('and then a kill: what could not be synced is not damage', async (t) => {
        const { faults, scene } = await startFaulty(t, { target: null });
        const known = [];
        for (let i = 0; i < 5; i += 1) {
            faults.set('fsync EIO 0 1 */dfota.db-wal');
            await Promise.all(Array.from({ length: 10 - 2 * i }, () => scene.module().ask()));
            faults.set();
            known.push(scene.module());
            assert.equal((await known.at(-1).ask()).code, 27);
        }
        await assertSurvives(scene, known);
    });

    test('whenever the log is copied into the database: check-ins go on, and nothing is lost', async (t) => {
        const { faults, server, scene } = await startFaulty(t, { target: null });
        faults.set('write,fsync,truncate EIO 0 0 */dfota.db');
        const known = [];
        while (faults.hits().length < 3) {
            const modules = Array.from({ length: 20 }, () => scene.module());
            for (const answer of await Promise.all(modules.map((m) => m.ask())))
                assert.equal(answer.code, 27);
            known.push(...modules);
            assert.ok(known.length < 20_000, 'the log is never moved');
        }
        await assertSurvives(scene, known.slice(-50));
        faults.set();
        await server.restart();
        for (const module of known.slice(-50))
            assert.equal((await scene.record(module))?.confirmed_version, '1001');
    });
});
