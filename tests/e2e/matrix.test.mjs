// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The matrix: the package of every pair of images is made in the background, and shown in one table with its queue.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene, assertProblem, writeScript } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true, config: { matrix: 'all' } }); });
after(() => server?.dispose());

const matrix = async (scene) => (await scene.server.admin('GET', scene.path('/matrix'), null, { expect: 200 })).json;
const queue = async (scene, query = '') => (await scene.server.admin('GET', scene.path(`/queue${query}`), null, { expect: 200 })).json;
const hops = (table) => table.pairs.map((p) => `${p.from} ${p.to}`).sort();
const forward = (versions) => versions.flatMap((from, i) => versions.slice(i + 1).map((to) => `${from} ${to}`)).sort();

function settled(scene, count) {
    return poll(`${count} pairs are made`, async () => {
        const table = await matrix(scene);
        return table.pairs.length === count && table.queue.queued + table.queue.generating === 0 ? table : null;
    }, { timeout_ms: 120_000 });
}

// A server whose packages are never finished: the queue stays as it is.
async function startStuck(t, config = {}) {
    const worker = await writeScript(t, () => 'exec sleep 600');
    return startServer(t, { config: { matrix: 'all', jobs: 1, dfota_path: worker.path, ...config } });
}

describe('the matrix', () => {
    const versions = ['9', '10', '10.1', '11', '100', '101', '102', '1000', '1001', '1002', '1003', '20000'];

    test('of twelve images is made completely without a request, and each pair shows its state', async () => {
        const scene = await Scene.build(server, { versions, target: null, size: 8000 });
        const table = await settled(scene, 66);
        assert.deepEqual(table.versions, versions, 'number by number, not as text');
        assert.deepEqual(hops(table), forward(versions));
        const { items } = (await server.admin('GET', scene.path('/packages'))).json;
        assert.equal(items.length, 66);
        for (const pair of table.pairs) {
            const made = items.find((p) => p.from === pair.from && p.to === pair.to);
            assert.deepEqual([pair.state, pair.size, pair.proven, pair.released, pair.waiting, pair.error], ['ready', made.size, true, false, 0, null]);
            assert.deepEqual([pair.duration_ms, pair.effort], [made.duration_ms, made.effort]);
        }
        assert.deepEqual([table.firmware, table.format, table.limit, table.withdrawn], ['pump', 'bsdiff', 491520, []]);
        assert.deepEqual(table.queue, { queued: 0, generating: 0, estimate_ms: 0 });

        const { from, to } = table.pairs[7];
        await server.admin('PUT', scene.path(`/packages/${from}/${to}/quarantine`), { reason: 'two devices came back' }, { expect: 204 });
        const stopped = (await matrix(scene)).pairs.filter(({ quarantine }) => quarantine);
        assert.deepEqual(stopped.map((p) => [p.from, p.to, p.quarantine]), [[from, to, 'two devices came back']]);

        const sizes = table.pairs.map((p) => p.size).sort((a, b) => a - b);
        const limit = sizes[30];
        await scene.set({ max_package_bytes: limit });
        const lower = await matrix(scene);
        assert.equal(lower.limit, limit);
        for (const pair of lower.pairs)
            assert.equal(pair.state, pair.size > limit ? 'oversize' : 'ready');
        assert.deepEqual(lower.pairs.map((p) => p.size).sort((a, b) => a - b), sizes, 'what is too large is known still');
    });

    test('includes a later image, and excludes pairs to a withdrawn image but not from it', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], later: ['3', '4'], target: null, size: 4000 });
        await settled(scene, 1);
        await scene.upload('3');
        await settled(scene, 3);
        await server.admin('PATCH', scene.path('/images/2'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
        await scene.upload('4');
        const table = await settled(scene, 6);
        assert.deepEqual(hops(table), forward(['1', '2', '3', '4']));
        assert.deepEqual([table.versions, table.withdrawn], [['1', '2', '3', '4'], ['2']]);
        await server.admin('DELETE', scene.path('/images/3'), null, { expect: 204 });
        assert.deepEqual(hops(await settled(scene, 3)), forward(['1', '2', '4']));
    });

    test('has no pair to a withdrawn image until that is restored', async (t) => {
        const scene = await Scene.build(await startStuck(t), { versions: ['1', '2'], later: ['3', '4', '0'], target: null });
        await poll('the first is asked for', async () => (await matrix(scene)).queue.generating === 1);
        await scene.server.admin('PATCH', scene.path('/images/2'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
        await scene.upload('3');
        await poll('the third is in', async () => hops(await matrix(scene)).includes('2 3'));
        await scene.server.admin('PATCH', scene.path('/images/3'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
        assert.deepEqual(hops(await matrix(scene)), ['1 2']);
        await scene.upload('4');
        await poll('the fourth is in', async () => (await matrix(scene)).pairs.length === 4);
        assert.deepEqual(hops(await matrix(scene)), ['1 2', '1 4', '2 4', '3 4']);
        await scene.upload('0');
        await poll('the lowest is in', async () => hops(await matrix(scene)).includes('0 4'));
        assert.deepEqual(hops(await matrix(scene)), ['0 1', '0 4', '1 2', '1 4', '2 4', '3 4']);
        await scene.server.admin('PATCH', scene.path('/images/3'), { withdrawn: false }, { expect: 200 });
        await poll('the third is in again', async () => (await matrix(scene)).pairs.length === 9);
    });

    test('begins when a format is set, and the queued packages of the old format are removed', async (t) => {
        const scene = await Scene.build(await startStuck(t), { versions: ['1', '2', '3'], firmware: 'AirM2M_780E_LTE_AT', target: null });
        assert.deepEqual([(await matrix(scene)).pairs, (await matrix(scene)).format], [[], null]);
        await scene.set({ format: 'bsdiff' });
        await poll('its pairs are queued', async () => (await matrix(scene)).queue.queued === 2);
        await scene.set({ format: 'ec618-at' });
        await poll('the pairs of the other format are', async () => (await matrix(scene)).queue.queued === 3);
        const { queued, generating } = (await scene.server.admin('GET', '/status')).json.packages;
        assert.deepEqual([queued, generating], [3, 1]);
    });

    test('is filled at start, but not with matrix = needed', async (t) => {
        const here = await startStuck(t, { matrix: 'needed' });
        const scene = await Scene.build(here, { versions: ['1', '2', '3', '4'], target: null });
        await here.admin('POST', scene.path('/packages/2/3'), null, { expect: 202 });
        assert.deepEqual(hops(await matrix(scene)), ['2 3']);
        await here.restart({ config: { ...here.config, matrix: 'all' } });
        await poll('all are asked for', async () => (await matrix(scene)).pairs.length === 6);
        const first = (await queue(scene)).items[0];
        assert.deepEqual([first.from, first.to, first.wanted], ['2', '3', 'asked'], 'what was asked for stands before');
        await here.restart({ config: { ...here.config, matrix: 'needed' } });
        const left = (await queue(scene)).items;
        assert.deepEqual(left.filter((p) => p.state === 'queued' && p.wanted === 'matrix'), []);
        assert.ok(left.some((p) => p.from === '2' && p.to === '3'));
    });

    test('of 200 images is asked for while check-ins are answered', async (t) => {
        const here = await startStuck(t, { matrix: 'needed' });
        const many = Array.from({ length: 200 }, (_, i) => `${i + 1}`);
        const scene = await Scene.build(here, { versions: many, kind: 'noise', size: 64, target: null });
        await here.restart({ config: { ...here.config, matrix: 'all' } });
        let answered = 0;
        await poll('all are asked for', async () => {
            assert.equal((await scene.module({ version: '200' }).ask()).code, 27);
            answered += 1;
            const { queued, generating } = (await here.admin('GET', '/status')).json.packages;
            return queued + generating === 19900;
        }, { timeout_ms: 60_000 });
        const table = await matrix(scene);
        assert.equal(table.pairs.length, 19900);
        assert.equal(table.queue.queued, 19899);
        t.diagnostic(`${answered} check-ins meanwhile`);
    });
});

describe('the queue', () => {
    test('shows who waits for what, most devices first, and no time while nothing was measured', async (t) => {
        const scene = await Scene.build(await startStuck(t), { versions: ['1', '2', '3', '4'], target: '4' });
        for (const version of ['1', '2', '2', '3', '3', '3'])
            assert.equal((await scene.module({ version }).ask()).code, 43);
        const told = await poll('a package is being made', async () => {
            const now = await queue(scene);
            return now.generating > 0 && now;
        });
        const waiting = told.items.filter((p) => p.waiting && p.state === 'queued');
        const expected = [['3', '4', 3], ['2', '4', 2], ['1', '4', 1]].filter(([from]) => waiting.some((p) => p.from === from));
        assert.deepEqual(waiting.map((p) => [p.from, p.to, p.waiting]), expected);
        assert.equal(told.items.reduce((sum, p) => sum + p.waiting, 0), 6);
        assert.equal(told.items[0].state, 'generating');
        assert.equal(told.queued + told.generating, 6);
        assert.equal(told.estimate_ms, null);
        assert.equal((await scene.server.admin('GET', '/status')).json.packages.estimate_ms, null);
        assert.equal((await queue(scene, '?limit=2')).items.length, 2);
        for (const limit of ['0', '1001', 'x'])
            assertProblem(await scene.server.admin('GET', scene.path(`/queue?limit=${limit}`)), 400, 'bad-request');
    });

    test('estimates the time from finished packages, by the bytes of their images', async (t) => {
        const here = await startServer(t, { config: { matrix: 'needed', jobs: 1 } });
        const scene = await Scene.build(here, { versions: ['1', '2', '3'], target: null, size: 50_000 });
        const made = await scene.makePackage('1', '2');
        const worker = await writeScript(t, () => 'exec sleep 600');
        await here.restart({ config: { ...here.config, dfota_path: worker.path } });
        for (const from of ['1', '2'])
            await here.admin('POST', scene.path(`/packages/${from}/3`), null, { expect: 202 });
        const told = await queue(scene);
        assert.equal(told.estimate_ms, 2 * made.duration_ms, 'two of the same size on one job');
        assert.equal((await here.admin('GET', '/status')).json.packages.estimate_ms, told.estimate_ms);
    });
});
