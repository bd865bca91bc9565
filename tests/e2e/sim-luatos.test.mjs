// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfota-sim in the role of each update library of LuatOS: a script, a core, and both, from two .soc; and what the module
// does when an answer is wrong, with a proxy that changes the answers of the server.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { binpkg, noiseImage } from './lib/firmware.mjs';
import { EC618, luatosPackage, soc } from './lib/luatos.mjs';
import { nextImei } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { answer, deliver, file, idle, imei, json, serve, sim } from './lib/sim.mjs';

const skip = spawnSync('7z').error ? '7z is not installed' : false;
const kind = 8; // of the core's build
const unique = '3fa8ff000917c562b37f2c'; // and one byte more; with bytes that are no text, and control characters

const ap = noiseImage({ seed: 31, size: 200_000 });
const core = (seed) => {
    const bytes = Buffer.from(ap);
    noiseImage({ seed, size: 200 }).copy(bytes, 1000 * seed);
    return binpkg({ ap: bytes, cp: noiseImage({ seed: 39, size: 20_000 }) });
};

// Each step changes the script, the core, or both: the version of the module, its core, its script.
const steps = [['1114.001.000.001', 11, 1], ['1114.001.000.002', 11, 2], ['1115.001.000.002', 12, 2], ['1116.001.000.003', 13, 3]];
const release = (version) => version.replace('.000.', '.').replace(/\.0+/g, '.');
const socFile = (version) => file(`${version}.soc`);
const know = steps.flatMap(([version]) => ['--know', `${version}=${socFile(version)}`]);

// The last script is so large that the kernel does not take the whole package after a cut.
const scriptOf = (n) => Buffer.concat([Buffer.from(`print(${n}) -- a script`.repeat(20)), n === 3 ? noiseImage({ seed: 41, size: 60_000 }) : Buffer.alloc(0)]);

async function pack(version, rom, script, number = kind) {
    const files = soc({ core: rom, script: scriptOf(script), version: version.split('.')[0] });
    files['luat_conf_bsp.h'] = `${files['luat_conf_bsp.h']}#define LUAT_CONF_FIRMWARE_TYPE_NUM ${number}\n`;
    const folder = await mkdtemp(file('pack-'));
    for (const [name, bytes] of Object.entries(files))
        await writeFile(join(folder, name), bytes);
    execFileSync('7z', ['a', '-t7z', join(folder, 'out'), ...Object.keys(files)], { cwd: folder, stdio: 'pipe' });
    const bytes = await readFile(join(folder, 'out.7z'));
    writeFileSync(socFile(version), bytes);
    return bytes;
}

let server;
before(async () => {
    server = await startServer(null, { keep: true });
    if (!skip)
        for (const [version, seed, script] of steps)
            await pack(version, core(seed), script);
});
after(() => server?.dispose());

const urlOf = ({ host, port }) => `http://${host}:${port}`;

// The firmware with all releases, and the last of `versions` as its target.
async function releases(firmware, target = steps.at(-1)[0]) {
    const scene = await Scene.build(server, { firmware, versions: [], target: null });
    for (const [version] of steps)
        await server.admin('PUT', scene.path(`/images/${release(version)}`), await readFile(socFile(version)), { expect: 201 });
    await scene.set({ format: 'ec618-luatos', quarantine_after: 1000 });
    await scene.setTarget(release(target));
    return scene;
}

const run = (client, url, scene, from, ...words) => sim('--client', client, '--url', url, '--product-key', scene.product, '--firmware', scene.firmware,
    '--image', socFile(from), ...know, '--interval', '0.05', ...words);

const firmwareOf = (client) => client.startsWith('libfota3') ? 'pump_LuatOS-SoC_Air780E' : 'pump_LuatOS-SoC_EC618';
const clients = ['libfota', 'libfota2', 'libfota3-first', 'libfota3-v1', 'libfota3'];

describe('a module with', { skip }, () => {
    for (const client of clients) {
        test(`${client} gets a script, a core, and both in one file, and confirms each`, async () => {
            const scene = await releases(firmwareOf(client));
            for (let i = 1; i < steps.length; i += 1) {
                const [from, to] = [steps[i - 1][0], steps[i][0]];
                await scene.setTarget(release(to));
                const { status, stdout, stderr } = await run(client, urlOf(server.device), scene, from, '--model', 'Air780E', '--expect', to);
                assert.equal(status, 0, stdout + stderr);
                assert.match(stdout, new RegExp(`restarts into ${to}`));
                const { json: device } = await server.admin('GET', `/products/${scene.product}/devices/imei:${imei}`, null, { expect: 200 });
                assert.deepEqual([device.confirmed_version, device.attempts[0].state], [release(to), 'confirmed']);
                const result = { libfota3: 1, 'libfota3-v1': 0, 'libfota3-first': 0 }[client];
                assert.equal(device.attempts[0].result?.code, result);
                assert.ok(result === undefined || device.attempts[0].result.meaning);
            }
        });
    }

    test('libfota3 gets the core_id of the new core, from the name of its .soc', async () => {
        const scene = await releases('pump_LuatOS-SoC_Air780E');
        const to = '1117.001.000.004', known = ['--know', `${to}=${socFile(to)}`];
        const bytes = await pack(to, core(14), 4, 116);
        const { json: image } = await server.admin('POST', `/products/${scene.product}/images?filename=pump_1.0.4_LuatOS-SoC_V1117_Air780E_116.soc`, bytes, { expect: 201 });
        assert.deepEqual([image.firmware, image.version], [scene.firmware, release(to)]);
        await scene.setTarget(release(to));
        const { status, stdout } = await run('libfota3', urlOf(server.device), scene, steps[0][0], '--model', 'Air780E', ...known, '--expect', to);
        assert.match(stdout, /reports 1\n/);
        assert.equal(status, 0, stdout);
    });

    test('power lost in the download starts the old system, and asks again', async () => {
        const scene = await releases('pump_LuatOS-SoC_EC618');
        const [from, to] = [steps[0][0], steps[3][0]];
        const { status, stdout } = await run('libfota2', urlOf(server.device), scene, from, '--model', 'Air780E', '--cut-at', 100, '--expect', to);
        assert.equal(status, 0, stdout);
        assert.match(stdout, /loses power after \d+ bytes\n.*the old system starts/);
    });
});

describe('a full package of 2 MB', () => {
    const files = [1, 2].map((n) => luatosPackage({ script: noiseImage({ seed: 50 + n, size: 1_900_000 }) }));
    before(() => files.forEach((bytes, n) => writeFileSync(file(`full-${n}`), bytes)));
    for (const model of ['Air1601', 'Air1602', 'Air1780']) {
        test(`reaches ${model} with each library, which sends its unique id in hex or in bytes`, async () => {
            const firmware = `pump_LuatOS-SoC_${model}`;
            const scene = await Scene.build(server, { firmware, versions: [], target: null });
            await server.putImage(scene.product, firmware, '2046.1.2', files[1]);
            await scene.set({ max_package_bytes: 2_097_152 });
            await scene.setTarget('2046.1.2');
            for (const [client, id, kindOfId] of [['libfota', `${unique}01`, 'mac'], ['libfota2', `${unique}02`, 'mac'], ['libfota3', `${unique}25`, 'uid']]) {
                if (client === 'libfota' && model === 'Air1780')
                    continue; // it sends a version without the core
                const { status, stdout, stderr } = await sim('--client', client, '--url', urlOf(server.device), '--product-key', scene.product, '--firmware', firmware,
                    '--imei', id, '--image', file('full-0'), '--know', `2046.001.000.001=${file('full-0')}`, '--know', `2046.001.000.002=${file('full-1')}`,
                    '--interval', '0.05', '--expect', '2046.001.000.002');
                assert.equal(status, 0, stdout + stderr);
                const { json: device } = await server.admin('GET', `/products/${scene.product}/devices/${kindOfId}:${id.toUpperCase()}`, null, { expect: 200 });
                assert.deepEqual([device.confirmed_version, device.attempts[0].state], ['2046.1.2', 'confirmed']);
            }
        });
    }
});

describe('the request', { skip }, () => {
    const from = steps[0][0];
    const ask = async (t, client, model, ...words) => {
        const fake = await serve(t, [client.startsWith('libfota3') ? json({ code: 27, msg: '' }) : idle]);
        const { status, stderr, stdout } = await sim('--client', client, '--url', fake.url, '--product-key', 'p k', '--firmware', 'pump_LuatOS-SoC_EC618',
            '--image', socFile(from), ...know, '--model', model, ...words);
        return { status, stderr, stdout, target: fake.requests[0]?.target };
    };
    const site = '/api/site/';
    for (const [client, model, target] of [
        ['libfota', 'Air780E', 'firmware_upgrade?project_key=p k&firmware_name=pump_LuatOS-SoC_EC618&version=1114.001.001&imei=1'],
        ['libfota2', 'Air780E', 'firmware_upgrade?imei=1&project_key=p k&firmware_name=pump_LuatOS-SoC_EC618&version=1114.001.001'],
        ['libfota3', 'Air780E', `turnkey_fota?imei=1&project_key=p%20k&model=Air780E&core_id=${kind}&core_version=1114&script_name=pump&script_version=001.000.001`],
        ['libfota3-first', 'Air780E', `turnkey_fota?imei=1&project_key=p%20k&core_name=LuatOS-SoC_Air780E&core_id=${kind}&core_version=1114&script_name=pump&script_version=001.000.001`],
    ])
        test(`of ${client} has its parameters in its order`, async (t) => {
            const said = await ask(t, client, model, '--imei', '1');
            assert.equal(said.status, 0, said.stderr);
            // The target is cut at the blank that libfota and libfota2 do not escape.
            assert.equal(said.target, `${site}${target}`.split(' ')[0]);
        });

    test('of libfota2 on a model that is not in its table has the word nil as its id, and the server names the reason', async () => {
        const scene = await Scene.build(server, { firmware: 'pump_LuatOS-SoC_EC618' });
        const images = ['--image', file('whole'), '--know', `1114.001.000.001=${file('whole')}`];
        writeFileSync(file('whole'), 'any file');
        const { status, stdout } = await sim('--client', 'libfota2', '--url', urlOf(server.device), '--product-key', scene.product, '--firmware', scene.firmware, ...images, '--model', 'Air105');
        assert.equal(status, 1);
        assert.match(stdout, /result 4: .* 3 no usable id/);
        const none = await sim('--client', 'libfota3', '--url', urlOf(server.device), '--product-key', scene.product, '--firmware', scene.firmware, ...images, '--model', 'Air105');
        assert.match(none.stderr, /libfota3 sends no request from Air105/);
    });

    test('of libfota2 with ### before the URL is exactly that URL', async (t) => {
        const fake = await serve(t, [idle]);
        await sim('--client', 'libfota2', '--url', `###${fake.url}/d/abc/1114`, '--product-key', 'p', '--firmware', 'pump_LuatOS-SoC_EC618', '--model', 'Air780E', '--image', socFile(from), ...know);
        assert.equal(fake.requests[0].target, '/d/abc/1114');
    });

    test('of libfota without a product key is not sent: result 5', async (t) => {
        const fake = await serve(t, [idle]);
        const { stdout } = await sim('--client', 'libfota', '--url', fake.url, '--product-key', '', '--firmware', 'pump_LuatOS-SoC_EC618', '--model', 'Air780E', '--image', socFile(from), ...know);
        assert.match(stdout, /result 5/);
        assert.equal(fake.requests.length, 0);
    });
});

// Sends the request on to the server, and gives back the answer: {status, head, body}.
function forward(request) {
    return new Promise((done, failed) => {
        const chunks = [];
        const socket = net.connect(server.device.port, server.device.host, () =>
            socket.end(Buffer.from(`${request.first}\r\n${request.lines.join('\r\n')}\r\n\r\n${request.body}`, 'latin1')));
        socket.on('data', (bytes) => chunks.push(bytes)).on('error', failed).on('end', () => {
            const all = Buffer.concat(chunks), at = all.indexOf('\r\n\r\n') + 4;
            done({ all, status: Number(all.toString('latin1', 9, 12)), body: all.subarray(at) });
        });
    });
}

describe('a wrong answer of the server: a module with', { skip }, () => {
    const [from, to] = [steps[0][0], steps[3][0]];
    // One firmware for each kind of library, on which one device has confirmed the release.
    const scenes = new Map();
    async function sceneFor(client) {
        const firmware = firmwareOf(client);
        if (!scenes.has(firmware)) {
            scenes.set(firmware, await releases(firmware, to));
            assert.equal((await run(client, urlOf(server.device), scenes.get(firmware), from, '--model', 'Air780E', '--expect', to)).status, 0);
        }
        return scenes.get(firmware);
    }

    // `offer` changes the JSON of libfota3, `file` the answer with the package.
    async function through(t, client, { offer = (told) => told, file: change = ({ all }) => all }) {
        const scene = await sceneFor(client), id = nextImei();
        const fake = await serve(t, async (request) => {
            const got = await forward(request);
            if (got.status >= 300)
                return got.all;
            if (!request.target.startsWith('/api/site/turnkey_fota'))
                return change(got);
            const told = JSON.parse(got.body);
            if (!told.url)
                return got.all;
            return json(offer({ ...told, url: told.url.replace(urlOf(server.device), fake.url) }));
        });
        const ended = await run(client, fake.url, scene, from, '--model', 'Air780E', '--imei', id, '--speed', 100);
        const { json: device } = await server.admin('GET', `/products/${scene.product}/devices/imei:${id}`, null, { expect: 200 });
        return { ...ended, device, sent: fake.requests };
    }
    const partly = ({ body }) => answer('206 Partial Content', body, `Content-Range: bytes 0-${body.length - 1}/${body.length}`);

    for (const [name, offer, why] of [
        ['core_id as text', (told) => ({ ...told, core_id: String(told.core_id) }), /good update as failed: core_id is not a JSON number/],
        ['core_id of another build', (told) => ({ ...told, core_id: 116 }), /good update as failed: core_id is another number/],
        ['no script_version', ({ script_version: _, ...told }) => told, /good update as failed: script_version is missing/],
        ['script_version without its zeros', (told) => ({ ...told, script_version: '1.0.3' }), /good update as failed: script_version is not the text/],
        ['no core_version', ({ core_version: _, ...told }) => told, /good update as failed: core_version/],
    ]) {
        test(`libfota3 reports a good update as failed: ${name}`, async (t) => {
            const { status, stdout, device } = await through(t, 'libfota3', { offer });
            assert.equal(status, 1, stdout);
            assert.match(stdout, /reports 2\n/);
            assert.match(stdout, why);
            assert.equal(device.attempts[0].result.code, 2);
            assert.ok(['sending', 'delivered'].includes(device.attempts[0].state), 'a reported 2 proves nothing');
        });
    }

    test('libfota3 and no size stops with an error', async (t) => {
        assert.match((await through(t, 'libfota3', { offer: ({ size: _, ...told }) => told })).stdout, /module breaks: size is not a number/);
    });

    test('libfota3 and another sha256 reports 3; the first edition reports it for every sha256', async (t) => {
        const wrong = (told) => ({ ...told, sha256: 'A'.repeat(64) });
        for (const client of ['libfota3', 'libfota3-first']) {
            const { stdout, device } = await through(t, client, { offer: wrong });
            assert.match(stdout, /SHA-256 is another\n.*reports 3/s);
            assert.equal(device.attempts[0].result.code, 3);
            assert.ok(device.attempts[0].result.meaning);
        }
    });

    test('libfota3 refuses 206, libfota2 takes it as 200', async (t) => {
        assert.match((await through(t, 'libfota3', { file: partly })).stdout, /module breaks: 206 to a plain GET/);
        assert.match((await through(t, 'libfota2', { file: partly })).stdout, /restarts into 1116/);
    });

    test('libfota2 and bytes after the package reports 4', async (t) => {
        const { status, stdout } = await through(t, 'libfota2', { file: ({ body }) => deliver(Buffer.concat([body, Buffer.from('\n')])) });
        assert.equal(status, 1);
        assert.match(stdout, /result 4: 1 bytes follow the package: .*the next start applies/);
    });

    test('libfota2 and a wrong part reports 4, and the module keeps what it runs', async (t) => {
        for (const [at, why] of [[0, /magic number/], [8, /checksum of the head/], [100, /MD5 of the common data/], [-1, /hash of the change of the core/]]) {
            const { stdout } = await through(t, 'libfota2', { file: ({ body }) => {
                const bytes = Buffer.from(body);
                bytes[(at + bytes.length) % bytes.length] ^= 1;
                return deliver(bytes);
            } });
            assert.match(stdout, why);
            assert.match(stdout, /result 4/);
            assert.match(stdout, new RegExp(`ends at ${from}: package-rejected`));
        }
    });

    test('libfota2 and a body that is too short reports 4; the server\'s silence ends with the timeout', async (t) => {
        const cut = ({ all }) => ({ parts: [all.subarray(0, all.length - 10)] });
        assert.match((await through(t, 'libfota2', { file: cut })).stdout, /result 4: connection closed in the middle/);
        const silent = ({ all }) => ({ parts: [all.subarray(0, all.length - 10)], ending: 'open' });
        assert.match((await through(t, 'libfota', { file: silent })).stdout, /result 4: .*the time is over|result 4: no more bytes/);
    });

    test('a script whose blocks do not give its MD5 makes the module restart for ever', async (t) => {
        const bad = (options, change = () => {}) => {
            const bytes = Buffer.from(luatosPackage({ script: Buffer.from('print(3)'.repeat(50)), magic: EC618, ...options }));
            change(bytes);
            return () => deliver(bytes);
        };
        const scripts = { core: Buffer.alloc(0), address: 0x2cc000 };
        const lost = async (file) => (await through(t, 'libfota2', { file })).stdout;
        assert.match(await lost(bad({ ...scripts, damaged: true })), /module breaks: it restarts for ever/);
        assert.match(await lost(bad({ ...scripts, address: 0x24d000 })), /module breaks: the script is written to 24d000, over other flash/);
    });
});
