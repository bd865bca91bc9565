// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// log_format: text, JSON, and the priorities of syslog for the journal.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { buildDir } from './lib/server.mjs';

// Starts dfotad, ends it when both listeners are open, and returns the lines of its log. `stream`: what JOURNAL_STREAM is; ""
// means the stream that the log goes to.
async function linesOf(t, words, { stream = null } = {}) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-log-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const set = stream === null ? 'unset JOURNAL_STREAM' : `export JOURNAL_STREAM=${stream || '$(stat -L -c %d:%i /proc/$$/fd/2)'}`;
    const command = [join(buildDir, 'dfotad'), `--data-dir=${dir}`, '--device-listen=127.0.0.1:0', '--admin-listen=127.0.0.1:0', ...words];
    const child = spawn('sh', ['-c', `${set}; exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more) => {
        text += more;
        if (text.split('listening').length > 2)
            child.kill('SIGTERM');
    });
    await new Promise((done) => child.on('close', done));
    return text.trimEnd().split('\n');
}

test('text, also when JOURNAL_STREAM is of another stream', async (t) => {
    for (const options of [{}, { stream: '1:1' }])
        for (const line of await linesOf(t, [], options))
            assert.match(line, /^level=\w+ event=[a-z-]+/);
});

test('json: each line is an object of texts', async (t) => {
    const lines = (await linesOf(t, ['--log-format=json'])).map((line) => JSON.parse(line));
    assert.ok(lines.every(({ level, event }) => level && event));
    assert.ok(lines.every((line) => Object.values(line).every((value) => typeof value === 'string')));
    assert.deepEqual(lines.filter(({ event }) => event === 'listening').map(({ listener }) => listener), ['device', 'admin']);
    assert.ok(lines.some(({ event }) => event === 'stopped'));
});

test('journal: the priority of syslog comes first; by itself only when the log goes to the journal', async (t) => {
    for (const [words, options] of [[['--log-format=journal'], {}], [[], { stream: '' }]]) {
        const lines = await linesOf(t, words, options);
        assert.ok(lines.length > 3);
        const priority = { debug: '7', info: '6', warn: '4', error: '3' };
        for (const line of lines) {
            const [, number, level] = /^<(\d)>level=(\w+) event=/.exec(line) ?? assert.fail(line);
            assert.equal(number, priority[level]);
        }
        assert.ok(lines.some((line) => line.startsWith('<4>')), 'the warning of the local address');
    }
});

test('what the server says at its end has the form, too', async (t) => {
    const none = '/dev/null/none';
    const [json] = await linesOf(t, ['--log-format=json', `--data-dir=${none}`]).then((lines) => lines.slice(-1));
    const { level, event, error } = JSON.parse(json);
    assert.deepEqual([level, event], ['error', 'failed']);
    assert.match(error, /^dfotad: /);
    assert.match((await linesOf(t, ['--log-format=journal', `--data-dir=${none}`])).at(-1), /^<3>dfotad: /);
    assert.match((await linesOf(t, [`--data-dir=${none}`])).at(-1), /^dfotad: /);
    assert.match((await linesOf(t, ['--log-format=xml'])).at(-1), /'xml' is not auto, text, json or journal/);
});
