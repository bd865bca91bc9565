// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// ./run as a newcomer starts it: the story, then a server on its own data; Ctrl-C; and the answer to a wrong option.
// It uses build/ in the source folder, and builds it if it does not exist.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { poll } from './lib/module.mjs';

const command = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'run');

function scratch(t) {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-run-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

// Starts a command in a process group of its own, as a terminal does.
function start(t, words, cwd) {
    const child = spawn(command, words, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const run = { text: '', log: '', interrupt: () => process.kill(-child.pid, 'SIGINT') };
    child.stdout.setEncoding('utf8').on('data', (part) => { run.text += part; });
    child.stderr.setEncoding('utf8').on('data', (part) => { run.log += part; });
    run.code = new Promise((done) => child.on('close', done));
    run.alive = () => {
        try {
            return process.kill(-child.pid, 0);
        } catch {
            return false;
        }
    };
    t.after(() => run.alive() && process.kill(-child.pid, 'SIGKILL'));
    run.finds = (pattern) => poll(`${pattern} is printed`, () => {
        if (child.exitCode !== null)
            throw new Error(`run has ended:\n${run.text}\n${run.log}`);
        return pattern.exec(run.text);
    }, { timeout_ms: 240_000 });
    run.serves = () => poll('dfotad serves', () => /listening listener=device/.test(run.log) && /listening listener=admin/.test(run.log));
    return run;
}

const freePorts = ['--', '--data-dir', 'mine', '--device-listen', '127.0.0.1:0', '--admin-listen=127.0.0.1:0'];

// The server of the story: its URL that logs in, and its API.
async function storyOf(run) {
    const [, origin, code] = await run.finds(/^(http:\/\/\S+)\/console\/#code=([0-9a-f]{64})$/m);
    const [, tokenFile] = await run.finds(/^export DFOTA_TOKEN=\$\(cat (\S+)\)$/m);
    const token = readFileSync(tokenFile, 'utf8').trim();
    return {
        folder: dirname(dirname(tokenFile)),
        logIn: async () => (await fetch(`${origin}/api/v1/session`, {
            method: 'POST', body: JSON.stringify({ code }), headers: { 'Content-Type': 'application/json', Origin: origin },
        })).status,
        get: async (path) => (await fetch(`${origin}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } })).json(),
    };
}

test('run plays the story, keeps its console, and serves', async (t) => {
    const cwd = scratch(t);
    const run = start(t, freePorts, cwd);
    const story = await storyOf(run);
    assert.deepEqual([await story.logIn(), await story.logIn()], [204, 401], 'the URL logs in once');
    await run.finds(/6 of 6 devices confirmed V1162/);
    await run.serves();

    const firmware = '/products/pumps/firmware/AirM2M_780E_LTE_AT';
    const { items: devices } = await story.get(`${firmware}/campaigns/spring/devices`);
    assert.deepEqual(devices.map(({ outcome, confirmed_version, stage }) => [outcome, confirmed_version, stage]),
        [1, 2, 2, 2, 2, 2].map((stage) => ['confirmed', '1162', stage]));
    const sizes = new Map((await story.get(`${firmware}/packages`)).items.map(({ from, to, size }) => [`${from}→${to}`, size]));
    assert.ok(sizes.get('1138→1162') > 491_520 && sizes.get('1138→1147') <= 491_520 && sizes.get('1147→1162') <= 491_520, [...sizes].join());
    const { items: rows } = await story.get('/ledger?kind=version-reported&limit=100');
    const confirmed = (version) => rows.filter(({ detail }) => detail.version === version).map(({ device }) => device.replace('imei:', ''));
    const [canary] = devices.map(({ device }) => device);
    for (const version of ['1138', '1147', '1162'])
        assert.equal(new Set(confirmed(version)).size, 6, version);
    assert.equal(confirmed('1162')[0], canary, 'the canary was first');
    const place = (device, version) => rows.findIndex((row) => row.device.endsWith(device) && row.detail.version === version);
    for (const { device } of devices.slice(1))
        assert.ok(place(device, '1147') > place(canary, '1162'), 'the others begin after the canary');

    for (const told of [/told 27, /, /told 43, /, /told 200, a package of \d+ bytes/, /applied V1147→V1162/, /V1162 confirmed/])
        assert.match(run.text, told);
    for (const line of run.text.split('\n').filter((text) => !/#code=|^export /.test(text) && !text.includes(cwd)))
        assert.ok([...line].length <= 80, line);
    assert.match(readFileSync(join(cwd, 'mine', 'admin.token'), 'utf8'), /^\S{20,}\s$/, 'the data directory is relative to where it was called');
    run.interrupt();
    assert.equal(await run.code, 0, run.log);
    assert.equal(run.alive(), false, 'no process is left');
    assert.equal(existsSync(story.folder), false, 'the data of the story are removed');
});

test('run ends everything at Ctrl-C in the story', async (t) => {
    const cwd = scratch(t);
    const run = start(t, freePorts, cwd);
    const story = await storyOf(run);
    await run.finds(/told 27/);
    run.interrupt();
    assert.equal(await run.code, 130, run.log);
    assert.equal(run.alive(), false, 'no process is left');
    assert.equal(existsSync(story.folder), false);
    assert.equal(existsSync(join(cwd, 'mine')), false, 'dfotad was not started');
});

test('run --no-demo only serves', async (t) => {
    const run = start(t, ['--no-demo', ...freePorts], scratch(t));
    await run.serves();
    run.interrupt();
    assert.equal(await run.code, 0);
    assert.doesNotMatch(run.text, /dfotactl|told/);
});

test('run and check have a help text and refuse unknown options', () => {
    for (const name of [command, join(dirname(command), 'check')]) {
        const help = spawnSync(name, ['--help'], { encoding: 'utf8' });
        assert.equal(help.status, 0);
        assert.match(help.stdout, /^\.\/(run|check) \[--/);
        const wrong = spawnSync(name, ['--nonsense'], { encoding: 'utf8' });
        assert.equal(wrong.status, 2);
        assert.match(wrong.stderr, /no option --nonsense/);
        assert.match(wrong.stderr, /^\.\/(run|check) \[--/m);
    }
});
