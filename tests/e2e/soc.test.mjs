// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Releases of LuatOS as they are downloaded: .soc and other archives, packages with core and script, and what is refused.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { binpkg, noiseImage } from './lib/firmware.mjs';
import { EC618, info, luatosPackage, soc } from './lib/luatos.mjs';
import { Module, poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, listFiles } from './lib/scene.mjs';
import { firmwarePath, startServer } from './lib/server.mjs';

const reader = join(dirname(fileURLToPath(import.meta.url)), '..', 'ec618', 'container.py');
const no7z = spawnSync('7z').error ? '7z is not installed' : false;
const firmware = 'pump_LuatOS-SoC_EC618';
const ap = noiseImage({ seed: 1, size: 300_000 });
const core = (seed) => {
    const bytes = Buffer.from(ap);
    noiseImage({ seed, size: 200 }).copy(bytes, 1000 * seed);
    return binpkg({ ap: bytes, cp: noiseImage({ seed: 9, size: 20_000 }) });
};

// A module that runs a release and takes packages as its bootloader does: the second reader decides.
class ReleaseModule extends Module {
    constructor(options) {
        super(options);
        Object.assign(this, { dir: options.dir, releases: options.releases });
    }
    async applyAndReboot(bytes, version) {
        const [old, made, next] = ['old', 'package', 'new'].map((name) => join(this.dir, `${this.id}-${name}`));
        await writeFile(old, this.releases.get(this.version));
        await writeFile(made, bytes);
        await writeFile(next, this.releases.get(version));
        execFileSync('python3', [reader, 'check', old, made, next], { stdio: 'pipe' });
        this.version = version;
    }
}

describe('an uploaded archive', () => {
    let server, dir;
    const put = (version, bytes, options) => server.admin('PUT', `${firmwarePath('p', firmware)}/images/${version}`, bytes, options);
    const image = async (version) => (await server.admin('GET', `${firmwarePath('p', firmware)}/images/${version}`, null, { expect: 200 })).json;
    // Packs files with a program from outside: 7z, or the zipfile of Python.
    async function pack(kind, files) {
        const folder = await mkdtemp(join(dir, 'pack-'));
        for (const [name, bytes] of Object.entries(files)) {
            await mkdir(dirname(join(folder, name)), { recursive: true });
            await writeFile(join(folder, name), bytes);
        }
        const out = join(folder, 'out');
        execFileSync('7z', ['a', `-t${kind}`, '-mx=9', out, ...Object.keys(files)], { cwd: folder, stdio: 'pipe' });
        return readFile(`${out}${kind === 'zip' ? '.zip' : '.7z'}`);
    }
    before(async () => {
        server = await startServer(null, { keep: true });
        dir = await mkdtemp(join(tmpdir(), 'dfota-soc-'));
        await server.createProduct('p');
    });
    after(async () => {
        await server?.dispose();
        await rm(dir, { recursive: true, force: true });
    });

    test('that is a .soc is kept as core, script and facts, the same from 7z and ZIP', { skip: no7z }, async () => {
        const files = soc({ core: core(1), script: 'print(1)', pack: 'pack/' });
        files['pack/luatos.elf'] = Buffer.alloc(2_000_000);
        const seven = await pack('7z', files), zip = await pack('zip', files);
        const { json } = await put('1114.1.1', seven, { expect: 201 });
        assert.match(json.content, /^a \.soc, a release of LuatOS for ec618: core 1114, a script of 8 bytes$/);
        assert.deepEqual(json.archive, { sha256: sha256(seven), size: seven.length, firmware: null, left_out: 'luatos.elf' });
        assert.ok(json.size < core(1).length + 2000, 'the rest is left out');
        const again = await put('1114.1.1', zip, { expect: 200 });
        assert.deepEqual([again.json.sha256, again.json.archive.sha256], [json.sha256, sha256(zip)]);
        assert.equal((await image('1114.1.1')).sha256, json.sha256);
        assert.deepEqual(json.warnings, []);
    });

    test('with one firmware inside is that firmware', { skip: no7z }, async () => {
        const bytes = core(2);
        const { json } = await put('1114.1.2', await pack('zip', { 'readme.txt': 'read me', 'firmware/core.binpkg': bytes }), { expect: 201 });
        assert.deepEqual([json.sha256, json.archive.firmware, json.archive.left_out], [sha256(bytes), 'core.binpkg', 'readme.txt']);
        for (const kind of ['zip', '7z']) {
            const named = await put('1114.1.2', await pack(kind, { '说明.txt': '读我', '固件/底层.binpkg': bytes, '__MACOSX/._底层.binpkg': 'x' }), { expect: 200 });
            assert.deepEqual([named.json.archive.firmware, named.json.archive.left_out], ['底层.binpkg', '说明.txt']);
        }
    });

    test('gets firmware and version from the name of the archive, but not from the name of a core alone', { skip: no7z }, async () => {
        await server.createProduct('named');
        const post = async (name, files) => server.admin('POST', `/products/named/images?filename=${name}`, await pack('zip', files));
        const { json } = await post('AirM2M_780E_V1138_LTE_AT.zip', { 'AirM2M_780E_V1138_LTE_AT.dfota.bin': core(1) });
        assert.deepEqual([json.firmware, json.version], ['AirM2M_780E_LTE_AT', '1138']);
        const refused = await post('LuatOS-SoC_V1114_EC618_FULL.soc', soc({ core: core(1) }));
        assertProblem(refused, 422, 'bad-version');
        assert.match(refused.json.detail, /is of a core alone, and devices report PROJECT_LuatOS-SoC_BSP and CORE\.X\.Z/);
    });

    test('for another chip than that of the firmware: a warning', { skip: no7z }, async () => {
        const other = { ...soc({ core: core(1), script: 'print(1)' }), 'info.json': info().replace('"ec618"', '"ec7xx"') };
        const { warnings, chip } = (await put('1114.5.1', await pack('7z', other), { expect: 201 })).json;
        assert.equal(chip, 'ec7xx');
        assert.match(warnings.join(), /this image is for the chip ec7xx, and the firmware is for an EC618: no package can be made from it/);
    });

    test('as old and new release: a module gets core and script in one file, and only one of them when the other stays', { skip: no7z }, async () => {
        const scene = await Scene.build(server, { product: 'q', firmware, versions: [], target: null });
        const steps = [['1114.1.1', core(1), 'print(1)'], ['1114.1.2', core(1), 'print(2)'], ['1115.1.2', core(2), 'print(2)'], ['1116.1.3', core(3), 'print(3)']];
        const releases = new Map();
        for (const [version, rom, script] of steps) {
            const bytes = await pack('7z', soc({ core: rom, script: `${script} -- and a longer line`, version: version.slice(0, 4) }));
            const answer = await server.admin('PUT', scene.path(`/images/${version}`), bytes, { expect: 201 });
            assert.deepEqual(answer.json.warnings, []);
            releases.set(version, (await server.admin('GET', scene.path(`/images/${version}/content`), null, { expect: 200 })).body);
        }
        await server.admin('PATCH', scene.path(), { format: 'ec618-luatos' }, { expect: 200 });
        for (const [form, from, to, parts] of [['LuatOS libfota2', 0, 1, [true, false]], ['LuatOS libfota since 2024-12-27', 1, 2, [false, true]], ['LuatOS libfota of 2023', 2, 3, [true, true]]]) {
            const module = new ReleaseModule({ address: server.device, product: scene.product, firmware, version: steps[from][0], known: new Map(), form, dir, releases });
            await scene.setTarget(steps[to][0]);
            const { status, body } = await module.askUntilMade();
            assert.equal(status, 200);
            assert.deepEqual([body.readUInt32LE(52) > 0, body.readUInt32LE(56) > 0], parts, form);
            await scene.awaitAttempt(module, 'delivered');
            await module.applyAndReboot(body, steps[to][0]);
            assert.equal((await module.ask()).code, 27);
            const { confirmed_version: confirmed, attempts } = await scene.record(module);
            assert.deepEqual([confirmed, attempts[0].state, attempts[0].proven], [steps[to][0], 'confirmed', true]);
        }
    });

    test('a script does not count against the limit: the change of the core does', { skip: no7z }, async () => {
        const scene = await Scene.build(server, { product: 'limits', firmware, versions: [], target: null });
        for (const [version, rom, script] of [['1114.1.1', core(1), 'print(1)'], ['1115.1.2', core(2), noiseImage({ seed: 12, size: 30_000 })]])
            await server.admin('PUT', scene.path(`/images/${version}`), await pack('7z', soc({ core: rom, script, version: version.slice(0, 4) })), { expect: 201 });
        await server.admin('PATCH', scene.path(), { format: 'ec618-luatos' }, { expect: 200 });
        await scene.setTarget('1115.1.2');
        const made = await scene.makePackage('1114.1.1', '1115.1.2');
        const bytes = (await server.admin('GET', scene.path('/packages/1114.1.1/1115.1.2/content'), null, { expect: 200 })).body;
        assert.equal(made.counted, bytes.readUInt32LE(56), 'the .par');
        assert.ok(made.size > made.counted + 30_000, 'the script is in the file');
        const ask = (number) => new ReleaseModule({ address: server.device, product: scene.product, firmware, version: '1114.1.1', known: new Map(), dir, releases: new Map() }).ask(number);
        await scene.set({ max_package_bytes: made.counted - 1 });
        const refused = await ask();
        assert.notEqual(refused.status, 200);
        const shown = (await server.admin('GET', scene.path('/packages/1114.1.1/1115.1.2'), null, { expect: 200 })).json;
        assert.deepEqual([shown.state, shown.error, shown.error_code], ['oversize', `the change of the core has ${made.counted} bytes, the limit is ${made.counted - 1}`, 'hop-core-oversize']);
        const [pair] = (await server.admin('GET', scene.path('/matrix'), null, { expect: 200 })).json.pairs;
        assert.deepEqual([pair.state, pair.size, pair.counted], ['oversize', made.size, made.counted]);
        await scene.set({ max_package_bytes: made.counted });
        const { status, body } = await ask();
        assert.deepEqual([status, body.length], [200, made.size]);
        // The same file, uploaded, counts the same.
        const up = await server.admin('PUT', scene.path('/packages/1114.1.1/1115.1.2?by=Ann'), bytes, { expect: 201 });
        assert.deepEqual([up.json.proven, up.json.size, up.json.counted, up.json.state], [true, made.size, made.counted, 'ready']);
    });

    test('as releases with different script areas: no package leads from one to the other, and the reason says so', { skip: no7z }, async () => {
        const scene = await Scene.build(server, { product: 'r', firmware, versions: [], target: null });
        for (const [version, area] of [['1114.1.1', 448], ['1114.1.2', 128]])
            await server.admin('PUT', scene.path(`/images/${version}`), await pack('7z', soc({ core: core(1), script: `print(${area})`, area })), { expect: 201 });
        await server.admin('PATCH', scene.path(), { format: 'ec618-luatos' }, { expect: 200 });
        await scene.setTarget('1114.1.2');
        const module = new ReleaseModule({ address: server.device, product: scene.product, firmware, version: '1114.1.1', known: new Map(), dir, releases: new Map() });
        const answer = await module.askUntilMade();
        assert.equal(answer.code, 21, String(answer.body));
        const { json: explained } = await server.admin('GET', `/products/${scene.product}/explain?device=imei:${module.id}`, null, { expect: 200 });
        assert.match(JSON.stringify(explained), /the scripts of the two releases have different places in flash/);
        await server.admin('GET', scene.path('/packages/1114.1.1/1114.1.2'), null, { expect: 404 }); // was never asked for
    });

    test('and a script file: it goes only to devices whose script is in that place', { skip: no7z }, async () => {
        const scene = await Scene.build(server, { product: 's', firmware, versions: [], target: null });
        for (const [version, area] of [['1114.1.1', 448], ['1115.1.1', 128], ['1116.1.1', 448], ['1116.1.2', 128]])
            await server.admin('PUT', scene.path(`/images/${version}`), await pack('7z', soc({ core: core(1), script: `print(${area})`, area, version: version.slice(0, 4) })), { expect: 201 });
        await server.admin('PATCH', scene.path(), { format: 'ec618-luatos' }, { expect: 200 });
        const ask = async (version, target) => {
            const { json } = await server.admin('PUT', scene.path(`/images/${target}`), luatosPackage({ script: noiseImage({ seed: 5, size: 3000 }), magic: EC618, address: 0x2cc000 }), { expect: [200, 201] });
            assert.deepEqual(json.script, { address: 0x2cc000, area_bytes: null, kept_bytes: null, bytes: 3000, packed_bytes: json.script.packed_bytes, bits: null });
            await scene.setTarget(target);
            const module = new Module({ address: server.device, product: scene.product, firmware, version, known: new Map(), form: 'LuatOS libfota2' });
            const answer = await module.ask();
            const { reason } = (await scene.record(module)).last_answer;
            if (answer.status === 200) { // it confirms, so the next device gets the file
                await scene.awaitAttempt(module, 'delivered');
                module.version = target;
                await module.ask();
            }
            return { answer, reason };
        };
        const refused = await ask('1114.1.1', '1114.2.1');
        assert.equal(refused.answer.code, 21, refused.reason);
        assert.match(refused.reason, /its script goes to 2cc000 in flash, and the device has its script at 24d000/);
        assert.equal((await ask('1115.1.1', '1115.2.1')).answer.status, 200);
        // A script file says where its script goes, but not how large the areas are: those of the releases of its core count.
        const large = luatosPackage({ script: noiseImage({ seed: 6, size: 130_000 }), magic: EC618, address: 0x2cc000 });
        await server.admin('PUT', scene.path('/images/1115.3.1'), large, { expect: 201 });
        await scene.setTarget('1115.3.1');
        const runs = new Module({ address: server.device, product: scene.product, firmware, version: '1115.2.1', known: new Map(), form: 'LuatOS libfota2' });
        assert.equal((await runs.ask()).code, 21);
        assert.match((await scene.record(runs)).last_answer.reason, /its packed script has \d+ bytes, and the device keeps at most 98304/);
        assert.equal((await ask('1114.1.7', '1114.2.1')).answer.code, 44, 'the image of the base is not here, and a build of its core has another place');
        assert.equal((await ask('1115.1.7', '1115.2.1')).answer.status, 200, 'all builds of its core have this place');
        assert.equal((await ask('1116.1.7', '1116.2.1')).answer.code, 44, 'one of two builds of its core has another place');
        assert.equal((await ask('1117.1.7', '1117.2.1')).answer.status, 200, 'no build of its core is known');
    });

    test('that contradicts its version is refused', { skip: no7z }, async () => {
        const bytes = await pack('7z', soc({ core: core(1), script: 'print(1)' }));
        const refused = await put('1115.1.1', bytes);
        assertProblem(refused, 422, 'not-an-image');
        assert.match(refused.json.detail, /has core 1114, but version 1115\.1\.1 names core 1115/);
        const bad = { ...soc({ core: core(1), script: 'print(1)' }), 'info.json': info({ script_addr: '002cd000' }) };
        assert.match((await put('1114.9.9', await pack('7z', bad))).json.detail, /contradicts itself/);
    });

    test('that is a bomb, has a link, a path outside, too many entries or two firmwares is refused, and nothing is kept', { skip: no7z }, async () => {
        const kept = async () => [...(await listFiles(join(server.dataDir, 'blobs'))).keys(), ...(await listFiles(join(server.dataDir, 'incoming'))).keys()].sort();
        const before = await kept();
        const python = (code) => {
            const out = join(dir, `made-${Math.random()}.zip`);
            execFileSync('python3', ['-c', `import zipfile, sys, stat\nz = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\n${code}\nz.close()`, out]);
            return readFile(out);
        };
        const linked = join(dir, 'linked');
        await mkdir(linked);
        await symlink('/etc/passwd', join(linked, 'core.binpkg'));
        execFileSync('7z', ['a', '-snl', '-t7z', join(dir, 'linked.7z'), 'core.binpkg'], { cwd: linked, stdio: 'pipe' });
        const cases = [
            [await python("z.writestr('a.bin', bytes(70_000_000))"), /has 70000000 bytes; the limit|times its size/],
            [await python("[z.writestr('%d.txt' % i, bytes(9_000_000)) for i in range(40)]"), /unpacks to more than/],
            [await python("z.writestr('/etc/cron.d/x.bin', 'x')"), /outside of its own folder/],
            [await python("z.writestr('../../x.bin', 'x')"), /outside of its own folder/],
            [await python("i = zipfile.ZipInfo('x.bin'); i.external_attr = (stat.S_IFLNK | 0o777) << 16; z.writestr(i, '/etc/passwd')"), /a link/],
            [await readFile(join(dir, 'linked.7z')), /a link/],
            [await python("[z.writestr('%d.txt' % i, 'x') for i in range(1000)]"), /more than 100 entries/],
            [await python("z.writestr('a.bin', 'x'); z.writestr('b.binpkg', 'y')"), /several firmware files, such as a\.bin and b\.binpkg/],
            [await python("z.writestr('a.txt', 'x')"), /no firmware file/],
            [await python("z.writestr('a\\x1b[31m.bin', 'x')"), /a control character/],
            [await python("z.writestr('info.json', '{}')"), /no usable chip\.type/],
            [Buffer.concat([Buffer.from('377abcaf271c0004', 'hex'), noiseImage({ seed: 2, size: 900 })]), /cannot be read/],
            [(await pack('7z', soc({ core: core(1), script: 'print(1)' }))).subarray(0, 5000), /cannot be read/],
        ];
        for (const [bytes, text] of cases) {
            const refused = await put('1114.7.7', bytes);
            assertProblem(refused, 422, 'not-an-image');
            assert.match(refused.json.detail, text);
        }
        assertProblem(await server.admin('GET', `${firmwarePath('p', firmware)}/images/1114.7.7`), 404, 'image-not-found');
        // The bytes go when the request is over, after its answer.
        await poll('nothing is kept', async () => isDeepStrictEqual(await kept(), before));
    });
});
