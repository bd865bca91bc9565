// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The main task on real firmware: two images, a target, and each module gets a delta for the version that it runs.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { corpus, corpusImage } from './lib/firmware.mjs';
import { Module, bspatch, nextImei, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

// A scene of real images: the named ones of the corpus, oldest first.
async function realScene(names, { firmware = 'boron-system-part1', product } = {}) {
    const scene = new Scene();
    const images = new Map();
    for (const name of names)
        images.set(corpus.get(name).version, await corpusImage(name));
    const known = new Map([...images].map(([version, bytes]) => [sha256(bytes), version]));
    Object.assign(scene, { server, product, firmware, images, known, versions: [...images.keys()] });
    await server.createProduct(product);
    for (const version of scene.versions) {
        const image = await scene.upload(version);
        assert.deepEqual([image.size, image.sha256], [images.get(version).length, sha256(images.get(version))]);
    }
    await scene.set({ canary_confirmations: 0 });
    await scene.setTarget(scene.versions.at(-1));
    return scene;
}

describe('on real firmware', () => {
    test('a module asks, waits, gets its delta, applies it with stock bspatch, and confirms', async () => {
        const scene = await realScene(['boron-1.5.0', 'boron-1.5.2'], { product: 'main' });
        const module = scene.module({ version: '1.5.0' });
        assert.equal((await module.ask()).code, 43);

        const answer = await module.askUntilMade();
        assert.equal(answer.status, 200);
        assert.ok(answer.body.length < 40_000, `a delta of ${answer.body.length} bytes is no delta`);
        const image = await bspatch(scene.images.get('1.5.0'), answer.body);
        assert.ok(image.equals(scene.images.get('1.5.2')));

        const made = await scene.package('1.5.0', '1.5.2');
        assert.deepEqual([made.state, made.format, made.proven, made.size, made.sha256, made.limit, made.error],
            ['ready', 'bsdiff', true, answer.body.length, sha256(answer.body), 491520, null]);
        assert.equal((await scene.awaitAttempt(module, 'delivered')).bytes_acked, made.size);
        assert.equal((await scene.record(module)).confirmed_version, '1.5.0');

        await module.applyAndReboot(answer.body);
        assert.equal((await module.ask()).code, 27);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by, record.attempts[0].state], ['1.5.2', 'check-in', 'confirmed']);
    });

    test('above a lowered limit a package is refused, with the reason recorded; exactly at the limit it is sent', async () => {
        const scene = await realScene(['primehub-7.27.0', 'primehub-7.28.0'], { product: 'limits', firmware: 'primehub' });
        const { size } = await scene.settlePackage('7.27.0', '7.28.0');
        const module = scene.module({ version: '7.27.0' });
        const path = scene.path('/packages/7.27.0/7.28.0');

        await scene.set({ max_package_bytes: size - 1 });
        assert.equal((await module.ask()).code, 21);
        assert.match((await scene.record(module)).last_answer.reason, new RegExp(`${size}|limit|oversize`));
        const over = await scene.package('7.27.0', '7.28.0');
        assert.deepEqual([over.state, over.size, over.limit], ['oversize', size, size - 1]);
        assert.equal(typeof over.error, 'string');
        const refusal = await server.admin('GET', `${path}/content`);
        assertProblem(refusal, 409, 'package-oversize');
        assert.equal(refusal.json.detail, over.error);
        const linked = scene.module({ version: '7.27.0' });
        const { url } = await scene.createLink(linked);
        linked.link = new URL(url).pathname;
        assert.equal((await linked.ask()).code, 21);
        for (const asked of [module, linked])
            assert.deepEqual((await scene.record(asked)).attempts.filter((a) => a.bytes_acked > 0), []);

        await scene.set({ max_package_bytes: size });
        assert.equal((await scene.package('7.27.0', '7.28.0')).state, 'ready');
        assert.equal((await module.ask()).status, 200);
    });

    test('modules on several versions each get the delta for their version, also through cuts', async () => {
        const scene = await realScene(['primehub-7.22.0', 'primehub-7.27.0', 'primehub-7.28.0'], { product: 'mixed', firmware: 'primehub' });
        const modules = Array.from({ length: 12 }, (_, i) => scene.module({ version: ['7.22.0', '7.27.0'][i % 2] }));
        await Promise.all(modules.map((m) => m.upgrade()));
        for (const module of modules) {
            assert.equal(module.version, '7.28.0');
            assert.equal((await module.ask()).code, 27);
        }
        const { json } = await server.admin('GET', scene.path('/packages'), null, { expect: 200 });
        assert.deepEqual(json.items.map((p) => [p.from, p.to, p.state]).sort(), [['7.22.0', '7.28.0', 'ready'], ['7.27.0', '7.28.0', 'ready']]);
    });
});

describe('a package', () => {
    test('is made once, however many devices ask at once', async (t) => {
        const script = await writeScript(t, (dir) => `echo "$@" >> ${dir}/calls; exec ${join(buildDir, 'dfota')} "$@"`);
        const other = await startServer(t, { config: { dfota_path: script.path } });
        const scene = await Scene.build(other);
        const path = scene.path('/packages/1001/1002');
        const modules = Array.from({ length: 30 }, () => scene.module());
        await Promise.all([
            ...modules.map((m) => m.askUntilMade()),
            ...modules.map(() => other.admin('POST', path, null, { expect: [200, 202] })),
        ]);
        await other.admin('POST', path, null, { expect: 200 });
        // Making and proving may be two calls; neither may come twice.
        const calls = (await readFile(join(script.dir, 'calls'), 'utf8')).trim().split('\n');
        const verbs = calls.map((line) => line.split(' ')[0]);
        assert.deepEqual([...new Set(verbs)], verbs, calls.join('\n'));
    });

    test('is compared with the default limit, and then with the limit that is set', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 488_000 });
        const made = await scene.makePackage();
        assert.equal(made.limit, 491_520);
        assert.equal(made.state, made.size > 491_520 ? 'oversize' : 'ready');
        assert.equal((await scene.set({ max_package_bytes: made.size })).max_package_bytes, made.size);
        assert.equal((await scene.module().ask()).status, 200);
    });
});

describe('AT firmware', () => {
    test('has no format until an admin sets one: code 21, and every answer says what to set', async () => {
        await server.createProduct('pumps');
        const images = new Map();
        for (const [version, name] of [['1138', 'boron-2.0.1'], ['1162', 'boron-2.1.0']]) {
            images.set(version, await corpusImage(name));
            const { json } = await server.admin('POST', `/products/pumps/images?filename=AirM2M_780E_V${version}_LTE_AT.dfota.bin`,
                images.get(version), { expect: 201 });
            assert.deepEqual([json.firmware, json.version, json.file_name], ['AirM2M_780E_LTE_AT', version, `AirM2M_780E_V${version}_LTE_AT.dfota.bin`]);
        }
        const path = '/products/pumps/firmware/AirM2M_780E_LTE_AT';
        const unset = await server.setTarget('pumps', 'AirM2M_780E_LTE_AT', '1162');
        assert.equal(unset.format, null);
        assert.match(unset.notice, /format/);
        const module = new Module({
            address: server.device, product: 'pumps', firmware: 'AirM2M_780E_LTE_AT', version: '1138', image: images.get('1138'),
            known: new Map([[sha256(images.get('1162')), '1162']]), id: nextImei(), form: 'AT firmware in KEY mode',
        });
        assert.equal((await module.ask()).code, 21);
        assertProblem(await server.admin('GET', `${path}/packages/1138/1162`), 409, 'format-not-set');
        assertProblem(await server.admin('POST', `${path}/packages/1138/1162`), 409, 'format-not-set');
        assert.ok(server.logLines.some((line) => line.includes('AirM2M_780E_LTE_AT') && /format/.test(line)), server.logText);

        const set = await server.setFirmware('pumps', 'AirM2M_780E_LTE_AT', { format: 'bsdiff' });
        assert.deepEqual([set.format, set.notice, set.max_package_bytes], ['bsdiff', null, 491_520]);
        await module.upgrade();
        assert.equal(module.version, '1162');

        assert.equal((await server.setFirmware('pumps', 'AirM2M_780E_LTE_AT', { format: null })).format, null);
        module.version = '1138';
        assert.equal((await module.ask()).code, 21, 'what is made already is not sent without a format either');
    });
});
