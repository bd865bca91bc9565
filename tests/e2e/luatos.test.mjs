// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// LuatOS: full packages are served unchanged to every device with their core, to clients that ask like libfota and libfota2.

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { noiseImage } from './lib/firmware.mjs';
import { EC618, luatosPackage } from './lib/luatos.mjs';
import { Module, poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, findBySum, listFiles } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const firmware = 'pump_LuatOS-SoC_EC618'; // starts without a package format
let seeds = 0;
const script = (size = 60_000) => noiseImage({ seed: 7000 + (seeds += 1), size });

// A product with scripts of core 2034, the last of them the target: {scene, file}.
async function scripts({ on = server, versions = ['2034.1.2'], files = versions.map(() => luatosPackage({ script: script() })), ...options } = {}) {
    const scene = await Scene.build(on, { firmware, versions: [], target: null, ...options });
    scene.versions = versions;
    versions.forEach((version, i) => scene.images.set(version, files[i]));
    for (const version of versions)
        await scene.upload(version);
    await scene.setTarget(versions.at(-1));
    return { scene, file: files.at(-1) };
}

// A module that writes a full package to its flash and then runs the announced version.
class ScriptModule extends Module {
    async applyAndReboot(bytes) {
        const version = this.known.get(sha256(bytes));
        assert.ok(version, 'this is no package that anybody built');
        this.version = version;
    }
}

function device(scene, version, options = {}) {
    const known = new Map([...scene.images].map(([name, bytes]) => [sha256(bytes), name]));
    return new ScriptModule({ address: scene.server.device, product: scene.product, firmware: scene.firmware, version, known, ...options });
}

async function expectCode(module, code, options = {}) {
    const answer = await module.ask(options);
    assert.equal(answer.code, code, `${answer.status} ${answer.body.subarray(0, 200)}`);
    return answer;
}

describe('a full package', () => {
    test('is recognised by its content', async () => {
        const scene = await Scene.build(server, { firmware, versions: [], target: null });
        const [first, second] = [luatosPackage({ script: script() }), luatosPackage({ script: script(), magic: EC618 })];
        const image = await server.putImage(scene.product, firmware, '2034.001.002', first);
        assert.deepEqual([image.kind, image.core, image.version, image.sha256], ['full', '2034', '2034.1.2', sha256(first)]);
        assert.match(image.content, /LuatOS for EC7xx: a script of \d+ bytes/);
        const path = `/products/${scene.product}/images?filename=pump_2036.001.003_LuatOS-SoC_EC618.bin`;
        const posted = (await server.admin('POST', path, second, { expect: 201 })).json;
        assert.deepEqual([posted.firmware, posted.version, posted.kind, posted.core], [firmware, '2036.1.3', 'full', '2036']);
        const plain = await server.putImage(scene.product, firmware, '2037.1.1', script());
        assert.deepEqual([plain.kind, plain.core], ['image', null]);
        const listed = (await server.admin('GET', scene.path('/images'), null, { expect: 200 })).json.items;
        assert.deepEqual(listed.map((i) => [i.version, i.kind]), [['2034.1.2', 'full'], ['2036.1.3', 'full'], ['2037.1.1', 'image']]);
    });

    for (const form of ['LuatOS libfota of 2023', 'LuatOS libfota of 2023 with a model', 'LuatOS libfota since 2024-12-27', 'LuatOS libfota2']) {
        test(`goes unchanged to a device that asks like ${form}`, async () => {
            const { scene, file } = await scripts();
            const module = device(scene, '2034.001.001', { form });
            const { bytes } = await module.download();
            assert.ok(bytes.equals(file));
            const sent = await scene.awaitAttempt(module, 'delivered');
            assert.deepEqual([sent.from, sent.to, sent.format, sent.proven, sent.sha256], ['2034.1.1', '2034.1.2', 'full', false, sha256(file)]);
            assert.match(sent.reason, /this server did not apply it/);
            await module.applyAndReboot(bytes);
            await expectCode(module, 27);
            const record = await scene.record(module);
            assert.deepEqual([record.confirmed_version, record.attempts.length, record.attempts[0].state], ['2034.1.2', 1, 'confirmed']);
        });
    }

    test('goes to every version of its core, also to devices that skip versions', async () => {
        const { scene, file } = await scripts({ versions: ['2034.1.2', '2034.1.3', '2034.2.1'] });
        for (const version of ['2034.1.1', '2034.1.2', '2034.1.3', '2034.0.9']) {
            const module = device(scene, version);
            assert.ok((await module.download()).bytes.equals(file), version);
            await scene.awaitAttempt(module, 'delivered');
            await device(scene, '2034.2.1', { id: module.id }).ask(); // it confirms, so the next device gets the package
            assert.equal((await scene.record(module)).attempts[0].state, 'confirmed', version);
        }
    });

    test('is out of service for every version after the first device came back with the old one', async () => {
        const { scene } = await scripts({ canary: true });
        const [first, other] = [device(scene, '2034.1.1'), device(scene, '2034.0.9')];
        await first.download();
        await scene.awaitAttempt(first, 'delivered');
        await expectCode(first, 21);
        await expectCode(other, 21);
        assert.match((await scene.record(other)).last_answer.reason, /2034\.1\.2.*out of service: 1 device came back with 2034\.1\.1/);
        const effect = (await server.admin('PUT', scene.path('/target?dry_run=1'), { version: '2034.1.2' }, { expect: 200 })).json;
        assert.deepEqual(effect.groups.map((group) => group.effect), ['unreachable', 'unreachable'], 'planning knows too');
        await server.admin('DELETE', scene.path('/images/2034.1.2/quarantine'), null, { expect: 204 });
        assert.equal((await other.ask()).status, 200);
    });

    test('goes over a link too', async () => {
        const { scene, file } = await scripts();
        const module = device(scene, '2034.1.1');
        const link = await scene.createLink(module, { version: '2034.1.1' });
        assert.equal(link.warnings.filter((warning) => !warning.includes('loopback')).length, 0);
        module.link = new URL(link.url).pathname;
        assert.ok((await module.download()).bytes.equals(file));
        await scene.awaitAttempt(module, 'delivered');
    });

    test('is refused to a device of another core', async () => {
        const { scene } = await scripts();
        const module = device(scene, '2030.1.1');
        await expectCode(module, 44);
        assert.match((await scene.record(module)).last_answer.reason, /2034\.1\.2 is a full package for core 2034/);
        await expectCode(device(scene, '2033'), 44);
        await expectCode(device(scene, '2034.1.2'), 27);
        await expectCode(device(scene, '2034.1.3'), 27);
        await device(scene, '2034.1.1').download();
        const missing = (await server.admin('GET', scene.path('/missing-bases'), null, { expect: 200 })).json.items;
        assert.deepEqual(missing.map((m) => m.version).sort(), ['2030.1.1', '2033']);
    });

    test('is the second hop of a device with another core, after an image', async () => {
        const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_Air8101', versions: ['2030.1.1', '2034.1.1'], target: null });
        await server.setFirmware(scene.product, scene.firmware, { format: 'bsdiff' });
        const file = luatosPackage({ script: script() });
        await server.putImage(scene.product, scene.firmware, '2034.1.2', file);
        await scene.setTarget('2034.1.2');
        const module = scene.module();
        await module.upgrade();
        assert.equal(module.version, '2034.1.1');
        assert.ok((await module.download()).bytes.equals(file));
        await scene.awaitAttempt(module, 'delivered');
        const { attempts } = await scene.record(module);
        assert.deepEqual(attempts.map((a) => [a.from, a.to, a.target, a.format, a.proven, a.state]), [
            ['2034.1.1', '2034.1.2', '2034.1.2', 'full', false, 'delivered'],
            ['2030.1.1', '2034.1.1', '2034.1.2', 'bsdiff', true, 'confirmed'],
        ]);
        await expectCode(scene.module({ version: '2029.1.1' }), 44);
    });

    test('needs a core that its head names, if it changes the core', async () => {
        const core = script(6011);
        const file = luatosPackage({ script: script(), core, leadsTo: 2034, allows: 2030 });
        const { scene } = await scripts({ files: [file] });
        const image = (await server.admin('GET', scene.path('/images/2034.1.2'), null, { expect: 200 })).json;
        assert.deepEqual([image.kind, image.core], ['full', '2030']);
        assert.ok((await device(scene, '2030.1.9').download()).bytes.equals(file));
        await expectCode(device(scene, '2034.1.1'), 44);
        const unnamed = await server.admin('PUT', scene.path('/images/2034.1.3'), luatosPackage({ script: script(), core }));
        assertProblem(unnamed, 422, 'not-an-image');
        assert.match(unnamed.json.detail, /does not name the core/);
    });

    test('is refused if it is damaged, and nothing is stored', async () => {
        const scene = await Scene.build(server, { firmware, versions: [], target: null });
        const good = luatosPackage({ script: script() });
        const changed = (at) => Buffer.concat([good.subarray(0, at), Buffer.from([good[at] ^ 1]), good.subarray(at + 1)]);
        const before = await listFiles(server.dataDir);
        for (const [bytes, why] of [
            [changed(5), /checksum/], [changed(9), /checksum/], [changed(60), /checksum/], [changed(92), /MD5/],
            [changed(good.length - 1), /MD5/], [good.subarray(0, -1), /cut off/], [good.subarray(0, 50), /92-byte/],
            [Buffer.concat([good, Buffer.from('x')]), /follow after/],
        ]) {
            const answer = await server.admin('PUT', scene.path('/images/2034.1.2'), bytes);
            assertProblem(answer, 422, 'not-an-image');
            assert.match(answer.json.detail, why);
        }
        for (const version of ['1138', 'V7'])
            assertProblem(await server.admin('PUT', scene.path(`/images/${version}`), good), 422, 'not-an-image');
        assert.equal((await server.admin('GET', scene.path(''))).status, 404);
        const names = (files) => [...files.keys()].filter((name) => /blobs|incoming/.test(name)).sort();
        // The bytes go when the request is over, after its answer.
        await poll('nothing is stored', async () => isDeepStrictEqual(names(await listFiles(server.dataDir)), names(before)));
        await server.putImage(scene.product, firmware, '2034.1.2', good);
    });

    test('is never the old or new image of a delta', async () => {
        const { scene } = await scripts();
        await scene.set({ format: 'bsdiff' });
        await server.putImage(scene.product, firmware, '2034.1.1', script());
        await server.putImage(scene.product, firmware, '2034.1.4', script());
        for (const hop of ['2034.1.1/2034.1.2', '2034.1.2/2034.1.4']) {
            const answer = await server.admin('POST', scene.path(`/packages/${hop}`));
            assertProblem(answer, 422, 'invalid');
            assert.match(answer.json.detail, /2034\.1\.2 is a full package/);
        }
        await scene.setTarget('2034.1.4');
        const module = device(scene, '2034.1.2');
        await expectCode(module, 44);
        assert.match((await scene.record(module)).last_answer.reason, /full package/);
        await expectCode(device(scene, '2034.1.1'), 43);
    });

    test('follows the limit of now', async () => {
        const { scene, file } = await scripts();
        await scene.set({ max_package_bytes: file.length - 1 });
        const module = device(scene, '2034.1.1');
        await expectCode(module, 21);
        assert.match((await scene.record(module)).last_answer.reason, /oversize/);
        await scene.set({ max_package_bytes: file.length });
        assert.ok((await module.download()).bytes.equals(file));
    });

    test('is answered the same for HEAD, and nothing is recorded', async () => {
        const { scene, file } = await scripts();
        const module = device(scene, '2034.1.1');
        const answer = await module.ask({ method: 'HEAD' });
        assert.equal(answer.status, 200);
        assert.equal(answer.header('content-length'), String(file.length));
        assert.equal(await scene.record(module), null);
    });
});

test('a withdrawn one goes to no device, also not as a resume', async () => {
    const { scene, file } = await scripts({ files: [luatosPackage({ script: script(400_000) })] });
    const module = device(scene, '2034.1.1');
    await module.ask({ cutAfter: 1000 });
    await scene.awaitAttempt(module, 'interrupted');
    await server.admin('PATCH', scene.path('/images/2034.1.2'), { withdrawn: true, reason: 'bad' }, { expect: 200 });
    assert.equal((await module.ask({ range: 1000 })).status, 416);
    await expectCode(module, 27);
    await server.admin('PATCH', scene.path('/images/2034.1.2'), { withdrawn: false }, { expect: 200 });
    await scene.setTarget('2034.1.2');
    assert.ok((await module.download()).bytes.equals(file));
});

describe('a resume', () => {
    test('continues the same bytes, over a restart and a newer target', async (t) => {
        const own = await startServer(t);
        const { scene, file } = await scripts({ on: own, files: [luatosPackage({ script: script(400_000) })] });
        const module = device(scene, '2034.1.1');
        const first = await module.ask({ cutAfter: 100_000 });
        await scene.awaitAttempt(module, 'interrupted');
        await own.restart({ hard: true });
        module.address = own.device;
        await own.putImage(scene.product, firmware, '2034.1.3', luatosPackage({ script: script() }));
        await scene.setTarget('2034.1.3');
        const rest = await module.ask({ range: first.body.length });
        assert.equal(rest.status, 206);
        assert.equal(rest.header('content-range'), `bytes ${first.body.length}-${file.length - 1}/${file.length}`);
        assert.ok(Buffer.concat([first.body, rest.body]).equals(file));
        const sent = await scene.awaitAttempt(module, 'delivered');
        assert.deepEqual([sent.to, sent.fetches], ['2034.1.2', 1]);
        assert.equal((await module.ask({ range: file.length })).status, 416);
    });

    test('past the end, or without a begun download, is 416', async () => {
        const { scene, file } = await scripts({ files: [luatosPackage({ script: script(400_000) })] });
        const module = device(scene, '2034.1.1');
        assert.equal((await module.ask({ range: 1000 })).status, 416);
        await module.ask({ cutAfter: 1000 });
        await scene.awaitAttempt(module, 'interrupted');
        assert.equal((await module.ask({ range: file.length })).status, 416);
        assert.equal((await module.ask({ range: file.length - 10 })).status, 206);
    });
});

test('a file that is damaged on the disk is not sent until the same bytes are uploaded again', async (t) => {
    const own = await startServer(t);
    const { scene, file } = await scripts({ on: own });
    const path = await findBySum(own.dataDir, sha256(file));
    await chmod(path, 0o600);
    await writeFile(path, Buffer.concat([file.subarray(0, -1), Buffer.from([file.at(-1) ^ 1])]));
    const module = device(scene, '2034.1.1');
    assert.equal((await module.ask()).status, 503);
    assert.match((await own.logged('blob-corrupt'))[0].then, /upload/);
    await own.putImage(scene.product, firmware, '2034.1.2', file);
    assert.ok((await module.download()).bytes.equals(file));
});

test('the bytes are stored once, however often they are uploaded', async () => {
    const { scene, file } = await scripts();
    const again = await server.admin('PUT', `${firmwarePath(scene.product, firmware)}/images/2034.1.2`, file, { expect: 200 });
    assert.equal(again.json.kind, 'full');
    const other = await server.admin('PUT', scene.path('/images/2034.1.2'), luatosPackage({ script: script() }));
    assertProblem(other, 409, 'image-conflict');
});
