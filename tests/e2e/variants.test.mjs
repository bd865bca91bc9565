// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Several builds of one version, told apart by their variant.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';
import { EC618, luatosPackage, soc } from './lib/luatos.mjs';
import { poll, query, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const no7z = spawnSync('7z').error ? '7z is not installed' : false;

function packSoc(files) {
    const folder = mkdtempSync(join(tmpdir(), 'dfota-variants-'));
    for (const [name, bytes] of Object.entries(files))
        writeFileSync(join(folder, name), bytes);
    execFileSync('7z', ['a', '-t7z', 'out', ...Object.keys(files)], { cwd: folder, stdio: 'pipe' });
    const bytes = readFileSync(join(folder, 'out.7z'));
    rmSync(folder, { recursive: true });
    return bytes;
}

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const size = 16_000;
let seeds = 9000;
const other = () => noiseImage({ seed: (seeds += 1), size });
const put = (scene, version, variant, bytes, expect = 201) => server.admin('PUT', scene.path(`/images/${version}?variant=${variant}`), bytes, { expect });
const get = (scene, rest, expect = 200) => server.admin('GET', scene.path(rest), null, { expect });
const makeDefault = (scene, version, variant, value = true) =>
    server.admin('PATCH', scene.path(`/images/${version}?variant=${variant}`), { default: value }, { expect: 200 });

describe('the builds of a version', () => {
    test('are stored beside each other, and each is named by its variant', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const bytes = other();
        const answer = await put(scene, '1', 'full', bytes);
        assert.equal(answer.json.variant, 'full');
        assert.equal(answer.json.default, false);
        assert.match(answer.headers.get?.('location') ?? answer.headers.location, /\/images\/1\?variant=full$/);
        const items = (await get(scene, '/images')).json.items;
        assert.deepEqual(items.map((image) => [image.version, image.variant]), [['1', null], ['1', 'full'], ['2', null]]);
        assert.equal((await get(scene, '/images/1?variant=full')).json.sha256, sha256(bytes));
        assert.ok((await get(scene, '/images/1/content?variant=full')).body.equals(bytes));
        assert.ok((await get(scene, '/images/1/content?variant=')).body.equals(scene.images.get('1')));
        await put(scene, '1', 'full', bytes, 200);
    });

    test('need a name when several are stored: the error lists them', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        const answer = await server.admin('GET', scene.path('/images/1'));
        assertProblem(answer, 409, 'several-builds');
        assert.match(answer.json.detail, /version 1 has several builds \(variants '' \(none\), full\)/);
        const missing = await server.admin('GET', scene.path('/images/1?variant=tts'));
        assertProblem(missing, 404, 'image-not-found');
        assert.match(missing.json.detail, /no variant 'tts'; there is '' \(none\), full/);
        assertProblem(await server.admin('GET', scene.path('/images/1?variant=TTS')), 400, 'bad-request');
        assertProblem(await server.admin('PUT', scene.path('/images/1?variant=a/b'), other()), 400, 'bad-request');
    });

    test('one may be the default, and another one takes that over', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await makeDefault(scene, '1', 'full');
        assert.equal((await get(scene, '/images/1')).json.variant, 'full');
        await makeDefault(scene, '1', '');
        assert.equal((await get(scene, '/images/1')).json.variant, null);
        assert.equal((await get(scene, '/images/1?variant=full')).json.default, false);
        await makeDefault(scene, '1', '', false);
        assertProblem(await server.admin('GET', scene.path('/images/1')), 409, 'several-builds');
    });

    test('a refused upload says how to store another build', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const answer = await server.admin('PUT', scene.path('/images/1'), other());
        assertProblem(answer, 409, 'image-conflict');
        assert.match(answer.json.detail, /another build of the version, give it a variant, for example variant=full/);
        await put(scene, '1', 'full', other());
        const again = await server.admin('PUT', scene.path('/images/1?variant=full'), other());
        assertProblem(again, 409, 'image-conflict');
        assert.match(again.json.detail, /^version 1 \(full\) exists already/);
    });

    test('one is deleted, and the last one needs no name', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await server.admin('DELETE', scene.path('/images/1?variant='), null, { expect: 204 });
        assert.equal((await get(scene, '/images/1')).json.variant, 'full');
    });
});

describe('a device of a version with several builds', () => {
    test('gets the package from its own build, when the package to it came from here', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'], target: '2' });
        const second = firmwareImage({ seed: 4711, size });
        await put(scene, '2', 'full', second);
        const modules = [];
        for (const [variant, bytes] of [['', scene.images.get('2')], ['full', second]]) {
            await makeDefault(scene, '2', variant);
            scene.known.set(sha256(bytes), '2');
            const module = scene.module();
            await module.upgrade();
            assert.equal((await module.ask()).code, 27);
            assert.equal((await scene.record(module)).build_sha256, sha256(bytes));
            assert.ok(module.image.equals(bytes), 'the default');
            modules.push(module);
        }
        await makeDefault(scene, '2', 'full', false);
        await scene.setTarget('3');
        for (const module of modules) {
            await module.upgrade(); // a patch of the other build gives an image that nobody knows
            assert.equal(module.version, '3');
        }
        const stranger = scene.module({ version: '2' });
        assert.equal((await stranger.ask()).code, 44);
    });

    test('gets the package from the build that an admin names', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const second = firmwareImage({ seed: 4712, size });
        await put(scene, '1', 'full', second);
        const module = Object.assign(scene.module(), { image: second });
        const set = (variant, expect = 200) => server.admin('PATCH', `/api/v1/products/${scene.product}/devices/imei:${module.id}`, { variant }, { expect });
        assert.equal((await module.ask()).code, 44);
        assertProblem(await set('tts', 422), 422, 'invalid');
        assert.equal((await set('full')).json.build_sha256, sha256(second));
        await module.upgrade();
        assert.equal(module.version, '2');
        const other = scene.module();
        assert.equal((await other.ask()).code, 44, 'only of this device');
        assert.equal((await set(null)).json.build_sha256, null);
    });

    test('gets no package while its build is not known', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await scene.makePackage();
        const module = scene.module();
        await put(scene, '1', 'full', other());
        assert.equal((await module.ask()).code, 44);
        const { reason, reason_code: code } = (await scene.record(module)).last_answer;
        assert.match(reason, /^1 has several builds \('' \(none\), full\), and which one the device runs is not known/);
        if (code !== undefined)
            assert.equal(code, 'several-builds');
    });

    test('gets the package of the default', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', other());
        await makeDefault(scene, '1', '');
        await scene.makePackage();
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
        const explain = (await server.admin('GET', `/api/v1/products/${scene.product}/explain?device=imei:${module.id}`, null, { expect: 200 })).json;
        assert.deepEqual([explain.build.variant, explain.build.known], [null, false], 'the default is assumed');
        await module.upgrade();
        assert.equal(module.version, '2');
    });

    test('goes on with a package that it has begun', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const module = scene.module();
        assert.equal((await module.ask({ cutAfter: 20_000 })).status, 200);
        await scene.awaitAttempt(module, 'interrupted');
        await put(scene, '1002', 'full', other());
        assert.equal((await module.ask({ range: 10_000 })).status, 206);
    });
});

test('a package is named by both builds', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await put(scene, '1', 'full', scene.images.get('1').subarray(0, size - 100));
    assertProblem(await server.admin('POST', scene.path('/packages/1/2')), 409, 'several-builds');
    for (const variant of ['full', ''])
        await server.admin('POST', scene.path(`/packages/1/2?from_variant=${variant}`), null, { expect: [200, 202] });
    assertProblem(await server.admin('GET', scene.path('/packages/1/2?from_variant=full&to_variant=x')), 404, 'image-not-found');
});

test('a version with several builds may be the target: a device without a certain build is told why', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await put(scene, '2', 'full', other());
    await scene.setTarget('2');
    const path = (await get(scene, '/paths?from=1&to=2')).json;
    assert.equal(path.state, 'none');
    assert.match(JSON.stringify(path.excluded), /2 has several builds, and which one is meant is not known/);
    await put(scene, '1', 'full', other());
    assert.equal((await get(scene, '/paths?from=1&from_variant=full&to=2')).json.state, 'none');
});

const deltaFrom = async (scene, variant, to = '2') =>
    (await get(scene, `/packages/${scene.versions[0]}/${to}/content?from_variant=${variant}`)).body;
const makeFrom = (scene, from, to, variant) => poll('the package is made', async () => {
    const { json } = await server.admin('POST', scene.path(`/packages/${from}/${to}?from_variant=${variant}`), null, { expect: [200, 202] });
    return json.state === 'ready';
}, { timeout_ms: 20_000 });
const explain = async (scene, module, more = '') =>
    (await server.admin('GET', `/api/v1/products/${scene.product}/explain?device=${module.idKind}:${module.id}${more}`, null, { expect: 200 })).json;

describe('what an image says of itself', () => {
    const upload = (scene, name, more = '', bytes = other()) => server.admin('POST', `/api/v1/products/${scene.product}/images?filename=${name}${more}`, bytes);

    test('is the core_id, from the name of the .soc or from the upload, and never two of them', async () => {
        const scene = await Scene.build(server, { versions: ['1'], target: null });
        const named = await upload(scene, 'pump_1.0.4_LuatOS-SoC_V1117_Air780E_116.soc');
        assert.equal(named.status, 201, JSON.stringify(named.json));
        assert.deepEqual([named.json.core_id, named.json.chip], [116, null]);
        assert.equal((await get(scene, '/images')).json.items[0].core_id, null);
        const given = await server.admin('PUT', scene.path('/images/3?core_id=0'), other(), { expect: 201 });
        assert.equal(given.json.core_id, 0, '0 is a number, not nothing');
        const filtered = (await get(scene, '/images?q=core_id%3D0')).json.items;
        assert.deepEqual(filtered.map((image) => image.version), ['3']);
        const both = await upload(scene, 'pump_1.0.5_LuatOS-SoC_V1117_Air780E_116.soc', '&core_id=8');
        assertProblem(both, 422, 'invalid');
        assert.match(both.json.detail, /the name of the file says core_id 116, and the upload says core_id=8/);
        assert.equal((await upload(scene, 'pump_1.0.5_LuatOS-SoC_V1117_Air780E_116.soc', '&core_id=116')).status, 201);
    });

    test('is added to an image by the same bytes again, and not changed', async () => {
        const scene = await Scene.build(server, { versions: ['1'], target: null });
        const again = (core) => server.admin('PUT', scene.path(`/images/1?core_id=${core}`), scene.images.get('1'));
        assert.equal((await again(8)).json.core_id, 8);
        assert.equal((await get(scene, '/images/1')).json.core_id, 8);
        const conflict = await again(9);
        assertProblem(conflict, 409, 'image-conflict');
        assert.match(conflict.json.detail, /stored with core_id 8, and this upload says 9/);
    });
});

describe('a report that names the build', () => {
    test('of a host makes the device one of that build', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const second = firmwareImage({ seed: 4713, size });
        await put(scene, '1', 'full', second);
        const { module, link } = await scene.linkedModule({}, { version: '1' });
        for (const [told, why] of [[{ variant: 'tts' }, /version 1 has no variant 'tts'; there is '' \(none\), full/], [{ sha256: '0'.repeat(64) }, /no image of version 1 has the sha256 0/],
            [{ variant: 'full', sha256: sha256(second) }, /not by both/], [{ sha256: 'x' }, /64 hex digits/], [{ variant: 'A B' }, /1 to 32 characters/]]) {
            const refused = await report(module, link, { version: '1', ...told });
            assert.equal(refused.status, 422, String(refused.body));
            assert.match(refused.json.msg, why);
            const { confirmed_version: version, build_sha256: build } = await scene.record(module);
            assert.deepEqual([version, build], [null, null], 'nothing of it is stored');
        }
        for (const [told, build] of [[{ variant: 'full' }, second], [{ variant: '' }, scene.images.get('1')], [{ sha256: sha256(second) }, second], [{}, second]]) {
            const answer = await report(module, link, { version: '1', ...told });
            assert.equal(answer.status, 200, String(answer.body));
            assert.equal((await scene.record(module)).build_sha256, sha256(build), JSON.stringify(told));
        }
        await makeFrom(scene, '1', '2', 'full');
        const { body } = await module.ask();
        assert.ok(body.equals(await deltaFrom(scene, 'full')));
        assert.equal((await explain(scene, module)).build.by, 'known');
    });

    test('in a list does so for each line, and a wrong one refuses all', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const bytes = other();
        await put(scene, '1', 'full', bytes);
        const [first, second, third] = [scene.module(), scene.module(), scene.module()];
        const list = (...lines) => server.admin('POST', scene.path('/reports'), lines.join('\n'), { headers: { 'Content-Type': 'text/csv' } });
        const wrong = await list(`${first.id},1,,full`, `${second.id},1,,tts`);
        assertProblem(wrong, 422, 'invalid');
        assert.match(wrong.json.detail, /version 1 has no variant 'tts'/);
        assert.equal(await scene.record(first), null);
        assertProblem(await list(`${first.id},1,,A/B`), 422, 'invalid');
        assert.equal((await list(`${first.id},1,,full`, `${second.id},1,,${sha256(scene.images.get('1'))}`, `${third.id},1`)).json.counted, 3);
        const builds = await Promise.all([first, second, third].map(async (module) => (await scene.record(module)).build_sha256));
        assert.deepEqual(builds, [sha256(bytes), sha256(scene.images.get('1')), null]);
    });
});

describe('the core_id of libfota3', () => {
    const versions = ['2046.1.1', '2046.1.2'];
    async function twoCores({ ids = [8, 116] } = {}) {
        const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_Air8101', versions: [], target: null, format: null });
        const builds = [1, 2].map((n) => firmwareImage({ seed: (seeds += 1), size, revision: n }));
        const name = (id) => id === null ? '' : `&core_id=${id}`;
        await server.admin('PUT', scene.path(`/images/${versions[0]}?variant=a${name(ids[0])}`), builds[0], { expect: 201 });
        await server.admin('PUT', scene.path(`/images/${versions[0]}?variant=b${name(ids[1])}`), builds[1], { expect: 201 });
        await server.admin('PUT', scene.path(`/images/${versions[1]}`), firmwareImage({ seed: seeds, size, revision: 3 }), { expect: 201 });
        await scene.set({ format: 'bsdiff', quarantine_after: 1000, canary_confirmations: 0 });
        await scene.setTarget(versions[1]);
        for (const variant of ['a', 'b'])
            await makeFrom(scene, ...versions, variant);
        return Object.assign(scene, { versions });
    }
    const ask = async (module, coreId) => {
        const said = query({ imei: module.id, project_key: module.product, model: 'Air8101', core_id: coreId, core_version: '2046', script_name: 'pump', script_version: '001.999.001' });
        const { json } = await module.ask({ target: `/api/site/turnkey_fota?${said}`, judge: { kind: 'report' } });
        return json;
    };
    const reason = async (scene, module) => (await scene.record(module)).last_answer.reason;

    test('chooses the only build that has it, for the offer and for its download, and is no fact about the device', async () => {
        const scene = await twoCores();
        for (const [coreId, variant] of [['8', 'a'], ['116', 'b']]) {
            const module = scene.module({ version: versions[0], image: null });
            const offer = await ask(module, coreId);
            const package_ = await deltaFrom(scene, variant, versions[1]);
            assert.deepEqual([offer.code, offer.sha256], [0, sha256(package_)]);
            const got = await module.ask({ target: new URL(offer.url).pathname });
            assert.ok(got.body.equals(package_), variant);
            assert.equal((await scene.record(module)).build_sha256, null);
            const { build } = await explain(scene, module, `&core_id=${coreId}`);
            assert.deepEqual([build.variant, build.known, build.by], [variant, false, 'core-id']);
        }
    });

    test('that no build has gets no delta, also beside a default; a 0 says nothing', async () => {
        const scene = await twoCores();
        await makeDefault(scene, versions[0], 'a');
        const module = scene.module({ version: versions[0], image: null });
        assert.equal((await ask(module, '9')).code, 44);
        assert.match(await reason(scene, module), /the device says that its core has core_id 9, and no build of 2046\.1\.1 has this core_id/);
        assert.equal((await ask(module, '0')).sha256, sha256(await deltaFrom(scene, 'a', versions[1])), 'the default');
    });

    test('chooses nothing while a build has none, or two have the same', async () => {
        for (const ids of [[8, null], [8, 8]]) {
            const scene = await twoCores({ ids });
            const module = scene.module({ version: versions[0], image: null });
            assert.equal((await ask(module, '8')).code, 44);
            assert.match(await reason(scene, module), /has several builds \(a, b\)/);
        }
    });

    test('does not replace what an admin said: the two are named', async () => {
        const scene = await twoCores();
        const module = scene.module({ version: versions[0], image: null });
        await ask(module, '116');
        await server.admin('PATCH', scene.deviceAdminPath(module), { variant: 'a' }, { expect: 200 });
        assert.equal((await ask(module, '116')).code, 44);
        assert.match(await reason(scene, module), /has core_id 116, but it is recorded as running build a of 2046\.1\.1, whose core_id is 8/);
        assert.notEqual((await scene.record(module)).build_sha256, null);
        assert.equal((await ask(module, '8')).code, 0);
        await server.admin('PATCH', scene.deviceAdminPath(module), { variant: null }, { expect: 200 });
        assert.equal((await ask(module, '116')).code, 0);
    });
});

describe('a package that is the same for all builds goes to a device whose build is not known', () => {
    const cp = firmwareImage({ seed: 719, size: 20_000 });
    const release = (revision) => binpkg({ ap: firmwareImage({ seed: 718, size: 60_000, revision }), cp });

    test('a full package of CSDK', async () => {
        const scene = await Scene.build(server, { versions: [], target: null });
        for (const [version, variant, revision] of [['1', 'a', 0], ['1', 'b', 1], ['2', '', 2]])
            await put(scene, version, variant, release(revision));
        await scene.set({ format: 'ec618-csdk', quarantine_after: 1000 });
        await scene.setTarget('2');
        const module = scene.module({ version: '1', image: null });
        assert.equal((await module.ask()).code, 44, 'no delta');
        await scene.set({ full_packages: 'allowed' });
        const sent = await poll('the package is made', async () => {
            const answer = await module.ask();
            return answer.status === 200 && answer;
        }, { timeout_ms: 20_000 });
        assert.ok(sent.body.length > 20_000);
        const [attempt] = (await scene.record(module)).attempts;
        assert.equal(attempt.format, 'full');
    });

    test('a script file that each build takes, and not one that one of them does not take', { skip: no7z }, async () => {
        const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_EC618', versions: [], target: null });
        const core = (seed) => binpkg({ ap: firmwareImage({ seed, size: 60_000 }), cp });
        await put(scene, '1114.1.1', 'a', packSoc(soc({ core: core(721) })));
        const second = await put(scene, '1114.1.1', 'b', packSoc(soc({ core: core(722) })));
        assert.equal(second.json.chip, 'ec618');
        const { address } = second.json.script;
        await put(scene, '1114.1.2', '', luatosPackage({ magic: EC618, address, script: noiseImage({ seed: 723, size: 4000 }) }));
        await scene.set({ quarantine_after: 1000, format: 'ec618-luatos' });
        await scene.setTarget('1114.1.2');
        const module = scene.module({ version: '1114.1.1', image: null });
        assert.equal((await module.ask()).status, 200);
        await put(scene, '1114.1.1', 'c', packSoc(soc({ core: core(724), area: 448 })));
        const next = scene.module({ version: '1114.1.1', image: null });
        assert.notEqual((await next.ask()).status, 200);
        assert.equal((await scene.record(next)).last_answer.reason_code, 'several-builds', 'and not that another device tries the package');
    });

    describe('a script file', { skip: no7z }, () => {
        const versions = ['1114.1.1', '1114.1.2'];
        const core = () => binpkg({ ap: firmwareImage({ seed: (seeds += 1), size: 60_000 }), cp });
        async function twoPlaces() {
            const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_EC618', versions: [], target: null });
            const a = await server.admin('PUT', scene.path(`/images/${versions[0]}?variant=a&core_id=8`), packSoc(soc({ core: core() })), { expect: 201 });
            await server.admin('PUT', scene.path(`/images/${versions[0]}?variant=b&core_id=116`), packSoc(soc({ core: core(), area: 448 })), { expect: 201 });
            const { address } = a.json.script;
            await put(scene, versions[1], '', luatosPackage({ magic: EC618, address, script: noiseImage({ seed: 723, size: 4000 }) }));
            await scene.set({ quarantine_after: 1000, format: 'ec618-luatos' });
            await scene.setTarget(versions[1]);
            return scene;
        }
        async function runs(scene, variant) {
            const { module, link } = await scene.linkedModule({}, { version: versions[0] });
            assert.equal((await report(module, link, { version: versions[0], variant })).status, 200);
            return module;
        }
        const reasonOf = async (scene, module) => (await scene.record(module)).last_answer.reason_code;

        test('goes to the device that runs the build which takes it', async () => {
            const scene = await twoPlaces();
            assert.notEqual((await (await runs(scene, 'b')).ask()).status, 200);
            assert.equal((await (await runs(scene, 'a')).ask()).status, 200);
        });

        test('that a .soc brings without another core goes only to the device that is known to run the build', async () => {
            const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_EC618', versions: [], target: null });
            const same = core();
            const add = (version, variant, id, area) => server.admin('PUT', scene.path(`/images/${version}?variant=${variant}${id}`), packSoc(soc({ core: same, script: `print("${version} ${variant}")`, area })), { expect: 201 });
            await add(versions[0], 'a', '&core_id=8', 128);
            await add(versions[0], 'b', '&core_id=116', 448);
            await add(versions[1], 'a', '', 128);
            await scene.set({ quarantine_after: 1000, format: 'ec618-luatos' });
            await scene.setTarget(versions[1]);
            await makeDefault(scene, versions[0], 'a');
            const known = await runs(scene, 'a');
            await known.askUntilMade();
            await scene.awaitAttempt(known, 'delivered');
            const { counted } = (await get(scene, '/packages')).json.items[0];
            assert.equal(counted, 0, 'the package has only a script');
            const other = scene.module({ version: versions[0], image: null });
            for (const coreId of ['8', '0']) {
                const { json } = await other.ask({ target: `/api/site/turnkey_fota?${query({ imei: other.id, project_key: other.product, model: 'EC618', core_id: coreId, core_version: '1114', script_name: 'pump', script_version: '001.999.001' })}`, judge: { kind: 'report' } });
                assert.notEqual(json.code, 0);
                assert.equal(await reasonOf(scene, other), 'several-builds', `core_id ${coreId}`);
            }
            assert.notEqual((await other.ask()).status, 200, 'the default is not certain either');
            assert.equal(await reasonOf(scene, other), 'several-builds');
        });

        test('does not go to a device whose build was deleted', async () => {
            const scene = await twoPlaces();
            const module = await runs(scene, 'b');
            await server.admin('POST', `${scene.deviceAdminPath(module)}/retire`, null, { expect: 200 });
            await server.admin('DELETE', scene.path(`/images/${versions[0]}?variant=b`), null, { expect: 204 });
            await server.admin('POST', `${scene.deviceAdminPath(module)}/restore`, null, { expect: 200 });
            assert.notEqual((await module.ask()).status, 200);
            assert.equal(await reasonOf(scene, module), 'build-missing');
        });

        test('does not go to a device that says another core_id', async () => {
            const scene = await twoPlaces();
            await server.admin('DELETE', scene.path(`/images/${versions[0]}?variant=b`), null, { expect: 204 });
            const module = scene.module({ version: versions[0], image: null });
            const ask = (coreId) => module.ask({ target: `/api/site/turnkey_fota?${query({ imei: module.id, project_key: module.product, model: 'EC618', core_id: coreId, core_version: '1114', script_name: 'pump', script_version: '001.999.001' })}`, judge: { kind: 'report' } });
            const { json } = await ask('116');
            assert.notEqual(json.code, 0);
            assert.equal(await reasonOf(scene, module), 'core-id-unknown');
            assert.equal((await ask('8')).json.code, 0);
        });
    });
});

describe('a device that did not apply the delta of one build', () => {
    const cp = firmwareImage({ seed: 729, size: 20_000 });
    async function builds(variants) {
        const scene = await Scene.build(server, { versions: [], target: null });
        const release = () => binpkg({ ap: firmwareImage({ seed: 730, size: 60_000, revision: (seeds += 1) % 100 }), cp });
        for (const variant of variants)
            await put(scene, '1', variant, release());
        await put(scene, '2', '', release());
        await scene.set({ format: 'ec618-csdk', quarantine_after: 1000 });
        await scene.setTarget('2');
        await makeDefault(scene, '1', 'a');
        for (const variant of variants)
            await makeFrom(scene, '1', '2', variant);
        return Object.assign(scene, { versions: ['1'] });
    }
    // It takes a package, says whether that is the delta from `variant`, and does not apply it.
    async function fail(scene, module, variant) {
        const { status, body } = await module.ask();
        assert.equal(status, 200);
        assert.ok(body.equals(await deltaFrom(scene, variant)), `from ${variant}`);
        await scene.awaitAttempt(module, 'delivered');
    }

    // The package from the default is good: another device confirms it.
    async function confirmFirst(scene) {
        const module = scene.module({ version: '1', image: null });
        await fail(scene, module, 'a');
        module.version = '2';
        assert.equal((await module.ask()).code, 27);
    }

    test('gets the next one from the only other build; after both the failures say nothing', async () => {
        const scene = await builds(['a', 'b']);
        const module = scene.module({ version: '1', image: null });
        await confirmFirst(scene);
        await fail(scene, module, 'a');
        await fail(scene, module, 'b');
        const [, ended] = (await scene.record(module)).attempts;
        assert.deepEqual([ended.state, ended.reason_code], ['not_applied', 'build-not-applied']);
        assert.match(ended.reason, /still runs 1\. It may run another build than a, .* \(stored: a, b\)\. The module checks the base itself, so its old firmware is intact/);
        const { build } = await explain(scene, module);
        assert.deepEqual([build.variant, build.by], ['a', 'default'], 'the next report rules out b, too');
    });

    test('is told by explain which one is left', async () => {
        const scene = await builds(['a', 'b']);
        const module = scene.module({ version: '1', image: null });
        await fail(scene, module, 'a');
        const { build } = await explain(scene, module);
        assert.deepEqual([build.variant, build.known, build.by], ['b', false, 'elimination']);
        assert.equal((await scene.record(module)).build_sha256, null, 'it is no fact');
    });

    test('gets none, also not the default, while two others are left', async () => {
        const scene = await builds(['a', 'b', 'c']);
        const module = scene.module({ version: '1', image: null });
        await fail(scene, module, 'a');
        assert.equal((await module.ask()).code, 44);
        assert.equal((await scene.record(module)).last_answer.reason_code, 'several-builds');
    });

    test('gets it again where the updater does not check the base', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        await put(scene, '1', 'full', firmwareImage({ seed: 4719, size }));
        await makeDefault(scene, '1', '');
        await scene.set({ quarantine_after: 1000 });
        for (const variant of ['', 'full'])
            await makeFrom(scene, '1', '2', variant);
        const module = scene.module();
        await fail(scene, module, '');
        await fail(scene, module, '');
    });
});
