// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Texts for readers: advice that helps, in the words of the reader, and no text that is cut or dropped silently.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { run, scratch } from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { luatosPackage } from './lib/luatos.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const ctl = (scene, words, env = {}) => run([...words, '--url', `http://${server.adminAddress.host}:${server.adminAddress.port}`, ...(scene ? ['-p', scene.product] : [])],
    { env: { DFOTA_TOKEN: server.token, ...env } });
const flat = (text) => text.replace(/\s+/g, ' ');

describe('with full packages', () => {
    const firmware = 'pump_LuatOS-SoC_Air8101';
    let scene;
    before(async () => {
        scene = await Scene.build(server, { firmware, versions: [], target: null });
        await server.putImage(scene.product, firmware, '2046.1.2', luatosPackage({ script: noiseImage({ seed: 9901, size: 30_000 }) }));
        await scene.setTarget('2046.1.2');
    });

    test('the matrix does not count images that no device needs', async () => {
        const { json } = await server.admin('GET', scene.path('/matrix'), null, { expect: 200 });
        assert.deepEqual([json.versions, json.full], [[], ['2046.1.2']]);
        const { out } = await ctl(scene, ['matrix', firmware]);
        assert.match(out, /1 version is a full package/);
        assert.doesNotMatch(out, /fewer than two/);
    });

    test('path and code 44 do not advise an image if another core is the obstacle', async () => {
        const { json } = await server.admin('GET', scene.path('/paths?from=2049.1.1&to=2046.1.2'), null, { expect: 200 });
        assert.equal(json.state, 'none');
        assert.match(json.advice, /full package that changes the core of 2049\.1\.1/);
        assert.doesNotMatch(json.advice, /image of .* upload it|upload one$/);
        const module = scene.module({ version: '2049.1.1' });
        await scene.set({ downgrades: true });
        await module.ask();
        assert.match((await scene.record(module)).last_answer.reason, /full package for core 2046, but 2049\.1\.1 has another core/);
    });
});

test('a package that exists is shown as being made smaller, not as missing', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const made = await scene.makePackage();
    await scene.set({ max_package_bytes: made.size - 1 });
    const { json } = await server.admin('GET', scene.path('/paths?from=1&to=2'), null, { expect: 200 });
    if (json.state === 'waiting') { // otherwise all efforts are already done
        assert.equal(json.waiting[0].state, 'oversize');
        const { out } = await ctl(scene, ['path', '1', '2']);
        assert.match(out, /being made smaller:\n +1→2 +\d+ bytes, the limit is/);
    }
});

test('a package to a lower version is refused with the real reason', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const ask = (from, to) => server.admin('POST', scene.path(`/packages/${from}/${to}`));
    assert.match((await ask('2', '1')).json.detail, /1 is not above 2, and downgrades are not allowed for this firmware/);
    assert.match((await ask('2', '2')).json.detail, /both versions are 2/);
    await scene.set({ downgrades: true });
    assert.ok([200, 202].includes((await ask('2', '1')).status));
    const same = await ask('2', '2');
    assertProblem(same, 422, 'not-an-upgrade');
    assert.doesNotMatch(same.json.detail, /down/);
});

test('dfotactl names its options, not the fields of the API', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const long = 'x'.repeat(2000);
    await scene.set({ format: null });
    for (const words of [
        ['package', 'make', scene.firmware, '1', '2'], ['firmware', 'set', scene.firmware, '--format', 'zip'],
        ['firmware', 'set', scene.firmware, '--max-package-bytes', '99999999999'], ['outcomes', scene.firmware, '--state', 'lost'],
        ['outcomes', scene.firmware, '--older-than', 'soon'], ['ledger', 'prune', '--before', '2190-01-01'],
        ['ledger', 'prune', '--yes', '--before', '2020-01-01', '--by', long], ['image', 'withdraw', scene.firmware, '1', '--reason', long],
        ['report', '866597071234569', '/dev/null', '--captured-at', '2190-01-01T00:00:00Z'],
    ]) {
        const { err, status } = await ctl(scene, words);
        assert.ok([1, 2].includes(status), `${words.slice(0, 3)}: ${status} ${err}`);
        assert.doesNotMatch(flat(err).replace(/not_begun|on_the_way|handed_over|not_applied/g, ''), /[a-z]_[a-z]|PATCH|POST|PUT|\/api|[{}?&]|null|JSON|(?:^|dfotactl: )(by|note|reason|state|before|since) /, words.join(' ').slice(0, 80));
    }
    const named = await ctl(scene, ['target', 'clear', scene.firmware], { DFOTA_BY: 'y'.repeat(101) });
    assert.equal(named.status, 2);
    assert.match(flat(named.err), /DFOTA_BY take at most 100 bytes/);
});

test('the name of who makes a change is stored as given, or refused', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const by = (text) => `by=${encodeURIComponent(text)}`;
    for (const bad of ['x'.repeat(101), '李'.repeat(34), 'a\nb']) {
        for (const [method, path, body] of [['POST', '/products?', { name: 'p' }], ['DELETE', scene.path('/target?'), null], ['PATCH', scene.path('?'), { downgrades: true }],
            ['PUT', scene.path('/images/3?'), 'x'], ['POST', `/products/${scene.product}/images?filename=pump_1.0.0_x.bin&`, 'x'], ['PUT', scene.path('/packages/1/2?'), 'x']]) {
            const answer = await server.admin(method, path + by(bad), body);
            assertProblem(answer, 400, 'bad-request');
            assert.match(answer.json.detail, /at most 100 bytes/, `${method} ${path}`);
        }
        const pruned = await server.admin('POST', '/ledger/prune', { before: 1577836800000, by: bad });
        assertProblem(pruned, 422, 'invalid');
    }
    await server.admin('DELETE', scene.path(`/target?${by('x'.repeat(100))}`), null, { expect: 204 });
    const { json } = await server.admin('GET', '/ledger?limit=1000');
    assert.equal(json.items.at(-1).detail.by.name, 'x'.repeat(100));
});

test('the command in the error about a form works', async (t) => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const dir = await scratch(t);
    const file = join(dir, 'pump_3.0.0_x.bin');
    await writeFile(file, noiseImage({ seed: 9905, size: 20_000 }));
    const url = `http://${server.adminAddress.host}:${server.adminAddress.port}/api/v1`;
    for (const [path, method] of [[`/products/${scene.product}/images?filename=pump_V3000_x.bin`, 'POST'], [scene.path('/images/4'), 'PUT']]) {
        const refused = await server.admin(method, path, 'x', { headers: { 'Content-Type': 'multipart/form-data; boundary=x' } });
        assert.equal(refused.status, 415);
        const hint = /\(curl (.*), not --data or -F\)/.exec(refused.json.detail)[1].replace('FILE', file).split(' ');
        const { stdout } = await promisify(execFile)('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', ...hint, '-H', `Authorization: Bearer ${server.token}`, url + path]);
        assert.notEqual(stdout, '405', path);
    }
});
