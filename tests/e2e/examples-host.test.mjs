// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// examples/host: a host in C upgrades an AT module over a serial port, with a real server. The module is lib/at-module.py.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { airm2m, run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Scene, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const dir = mkdtempSync(join(tmpdir(), 'dfota-host-'));
const host = join(dir, 'host');
let server;

const read = (name) => readFileSync(join(root, name), 'utf8');
const sources = /cc -std=c11 -o host (.*)$/m.exec(read('examples/host/posix.c'))[1];

before(async () => {
    const warnings = /^WARN_CFLAGS="(-Wall [^"$]*)"$/m.exec(read('configure.ac'))[1].split(' ');
    execFileSync('cc', ['-std=c11', '-pedantic', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover', '-Werror', ...warnings,
        '-DSECOND=60', '-DWAIT_S=2', '-DRESTART_S=20', '-o', host, ...sources.split(' ').map((name) => join(root, 'examples/host', name))]);
    server = await startServer(null, { keep: true, config: { link_offer_gap_ms: 0 } }); // a day passes between two rounds
});
after(async () => {
    await server?.dispose();
    rmSync(dir, { recursive: true, force: true });
});

let links = 0;
const linkFile = (link) => {
    const path = join(dir, `link-${links += 1}`);
    writeFileSync(path, `${link}\n`);
    return path;
};
const runHost = (port, link) => run([port, linkFile(link)], { command: host });

// Starts a module that runs the oldest image of a scene. `said` are its lines.
async function startModule(t, scene, faults = []) {
    const images = {};
    for (const [version, bytes] of scene.images) {
        images[version] = join(dir, `${scene.product}-${version}`);
        writeFileSync(images[version], bytes);
    }
    const settings = { sim: join(buildDir, 'dfota-sim'), images, version: scene.versions[0], faults };
    const child = spawn('/usr/bin/python3', [join(here, 'lib/at-module.py'), JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill());
    let text = '';
    child.stdout.on('data', (more) => { text += more; });
    await poll('the module has started', () => /restarts/.test(text));
    return { port: text.split('\n')[0], lines: () => text.split('\n').slice(1, -1) };
}

const build = (more = {}, on = server) => Scene.build(on, { firmware: airm2m, format: 'bsdiff', versions: ['1138', '1147', '1162'], ...more });

async function begin(t, { faults = [], ...more } = {}) {
    const scene = await build(more);
    const { module, link } = await scene.linkedModule();
    const device = await startModule(t, scene, faults);
    const round = () => runHost(device.port, link.url);
    return { scene, module, link, device, round, record: () => scene.record(module) };
}

const asked = (device) => device.lines().filter((line) => line.startsWith('asked: ')).map((line) => line.slice(7));

test('doc/hosts.md has the command and each end of a round', () => {
    const doc = read('doc/hosts.md'), text = read('examples/host/host.c');
    assert.ok(doc.includes(`cc -std=c11 -o host ${sources}\n`));
    const ends = [...text.matchAll(/(?:finish\(ROUND_\w+|retry\([A-Z_]+),([^;]*);/g)].flatMap(([, rest]) => [...rest.matchAll(/"([a-z][^"]*)"/g)].map(([, words]) => words));
    assert.ok(ends.length >= 10, ends.join());
    for (const words of ends)
        assert.ok(doc.includes(`\`${words}\``), words);
});

describe('a round', () => {
    test('waits while the package is being made, upgrades, and reports the version with the transcript', async (t) => {
        const { path, dir: scripts } = await writeScript(t, (d) => `while [ ! -e ${d}/go ]; do sleep 0.05; done\nexec ${join(buildDir, 'dfota')} "$@"`);
        const slow = await startServer(t, { config: { dfota_path: path } });
        const scene = await build({ versions: ['1138', '1147'] }, slow);
        const { module, link } = await scene.linkedModule();
        const device = await startModule(t, scene);
        const round = runHost(device.port, link.url);
        await poll('the module was told to wait', () => asked(device).includes('43'));
        writeFileSync(join(scripts, 'go'), '');
        const { status, out, err } = await round;
        assert.equal(status, 0, out + err);
        assert.match(out, /^runs AirM2M_780E_V1138_LTE_AT\nwaits: the package is still being made\n/);
        assert.match(out, /\nruns AirM2M_780E_V1147_LTE_AT\nend: .*1147/);
        assert.equal(asked(device).at(-1), '1147');
        const { confirmed_version: version, confirmed_by: by, attempts: [attempt] } = await scene.record(module);
        assert.deepEqual([version, by, attempt.state], ['1147', 'transcript', 'confirmed']);
        assert.ok(attempt.evidence.some(({ outcome }) => outcome === 'upgraded'), JSON.stringify(attempt.evidence));
    });

    test('follows the next link from hop to hop, and does nothing at the target', async (t) => {
        const { scene, module, device, round, record, link } = await begin(t, { faults: ['sleepy', 'late-ok'] });
        await scene.makePackage('1138', '1147');
        await scene.server.admin('PATCH', scene.path('/images/1147'), { waypoint: 'required', reason: 'a step on the way' }, { expect: 200 });
        const { status, out } = await round();
        assert.equal(status, 0, out);
        assert.deepEqual(asked(device).filter((answer) => answer !== '43'), ['1147', '1162']);
        assert.equal((await record()).confirmed_version, '1162');
        const commands = device.lines().length;
        assert.equal((await round()).status, 0);
        assert.ok(!device.lines().slice(commands).includes('command AT+UPGRADE'));
        const token = link.url.split('/').at(-2);
        const path = scene.deviceAdminPath(module, '/transcripts');
        const { items } = (await server.admin('GET', path, null, { expect: 200 })).json;
        assert.ok(items.length >= 4, 'one for each report');
        for (const { transcript } of items) {
            const { body } = await server.admin('GET', `${path}/${transcript}`, null, { headers: { Accept: 'text/plain' }, expect: 200 });
            assert.match(body.toString(), /^(?:ATE1|RDY)?[^]*AirM2M_780E_V\d+_LTE_AT/);
            assert.ok(!body.includes(token), 'the link is not in the transcript');
        }
    });
});

describe('what goes wrong', { concurrency: 3 }, () => {
    const cases = {
        'no network: nothing was downloaded, so it asks again': ['network', 0, '1162', 1],
        'a restart without a message': ['no-rdy', 0, '1162', 1],
        'a power cut in the download': ['power-cut', 1, '1138', 2],
        'the module refuses the package': ['refuses', 1, '1138', 2],
        'the module comes back with the old version': ['unchanged', 1, '1138', 2],
    };
    for (const [name, [fault, status, version, rounds]] of Object.entries(cases))
        test(name, async (t) => {
            const { scene, module, device, round, record } = await begin(t, { faults: [fault], versions: ['1138', '1162'] });
            await scene.makePackage();
            const first = await round();
            assert.equal(first.status, status, first.out + first.err);
            assert.equal((await record()).confirmed_version, version);
            if (rounds > 1) {
                if (fault !== 'power-cut')
                    await scene.awaitAttempt(module, 'not_applied');
                const next = await round(); // as tomorrow
                assert.equal(next.status, 0, next.out + next.err + device.lines().join('\n'));
                assert.equal((await record()).confirmed_version, '1162');
            }
        });

    test('a power cut of the host at any point: the next round ends well', async (t) => {
        const { scene, link, device, round, record } = await begin(t, { versions: ['1138', '1162'] });
        await scene.makePackage();
        for (const line of ['command ATI', 'command AT+UPGRADE', 'asked: 1162']) {
            const killed = new Promise((done) => {
                const child = spawn(host, [device.port, linkFile(link.url)], { stdio: 'ignore' });
                child.on('close', done);
                poll(line, () => device.lines().includes(line)).then(() => child.kill('SIGKILL'));
            });
            await killed;
        }
        const { status, out } = await round();
        assert.equal(status, 0, out);
        assert.equal((await record()).confirmed_version, '1162');
    });

    test('an unknown link fails, and a server that is away means later', async (t) => {
        const { device, link } = await begin(t);
        const unknown = await runHost(device.port, link.url.replace(/\/d\/[^/]+/, '/d/aaaaaaaaaaaaaaaaaaaaaaaaaa'));
        assert.deepEqual([unknown.status, unknown.out.split('\n').at(-2)], [1, 'end: the server does not know this link']);
        const away = await runHost(device.port, 'http://127.0.0.1:9/d/aaaaaaaaaaaaaaaaaaaaaaaaaa/1138');
        assert.deepEqual([away.status, away.out.split('\n').at(-2)], [2, 'end: the server did not take the transcript']);
        for (const bad of ['https://fota.example/d/a/1', 'http://fota.example', 'x', `http://fota.example/d/${'a'.repeat(300)}/1`])
            assert.equal((await runHost(device.port, bad)).status, 1);
        assert.equal((await runHost('/dev/null/none', link.url)).status, 2);
        assert.equal((await run([device.port, join(dir, 'none')], { command: host })).status, 1);
    });
});
