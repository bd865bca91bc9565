// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// ./run as a newcomer starts it: the demo, then a server on its own data; and the answer to a wrong option.
// It uses build/ in the source folder, and builds it if it does not exist.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const command = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'run');

function scratch(t) {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-run-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

// Runs until both listeners of the last server are open, ends it, gives all it printed and its exit code.
async function runUntilServing(t, words, cwd) {
    const child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let text = '', log = '';
    child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
    child.stderr.setEncoding('utf8').on('data', (part) => {
        log += part;
        if (/listening listener=device/.test(log) && /listening listener=admin/.test(log))
            child.kill('SIGTERM');
    });
    const code = await new Promise((done) => child.on('close', done));
    return { text, log, code };
}

test('run shows the main task on scratch data, then serves', async (t) => {
    const cwd = scratch(t);
    const { text, log, code } = await runUntilServing(
        t, ['--', '--data-dir', 'mine', '--device-listen', '127.0.0.1:0', '--admin-listen=127.0.0.1:0'], cwd);
    assert.equal(code, 0, log);
    const story = [
        /\$ dfota-sim --make-image 1138/, /\$ dfotactl image upload/, /\$ dfotactl target set Pump 1162/, /asks from 1138/,
        /43 please wait/, /applied: sha256/, /reboots into 1162/, /27 up to date/, /\$ dfotactl device show/,
        /Confirmed version +1162/, /confirmed/, /its data are removed/, /admin token +in mine\/admin\.token/,
    ];
    let rest = text;
    for (const step of story) {
        const found = step.exec(rest);
        assert.ok(found, `${step} does not follow in:\n${text}`);
        rest = rest.slice(found.index + found[0].length);
    }
    const [, played] = /listener=admin address=(\S+)/.exec(text);
    assert.ok(!log.includes(played), 'the demo has its own server');
    assert.ok(existsSync(join(cwd, 'mine', 'admin.token')), 'the data directory is relative to where it was called');
    assert.match(readFileSync(join(cwd, 'mine', 'admin.token'), 'utf8'), /^\S{20,}\s$/);
});

test('run --no-demo only serves', async (t) => {
    const cwd = scratch(t);
    const { text, code } = await runUntilServing(
        t, ['--no-demo', '--', '--data-dir', 'mine', '--device-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'], cwd);
    assert.equal(code, 0);
    assert.doesNotMatch(text, /dfota-sim/);
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
