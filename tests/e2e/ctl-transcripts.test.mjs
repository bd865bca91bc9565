// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of dfotactl for transcripts and for reports in bulk.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { assertRun, columns, program, run, scratch } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const at = { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147', '1162'], format: 'bsdiff' };
const fixture = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'transcript-1138-1147.txt');

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const ctl = (scene, ...args) => run(['--url', `http://${server.adminAddress.host}:${server.adminAddress.port}`, '--token', server.token,
    '--product', scene.product, ...args]);

const assertNarrow = (text) => {
    for (const line of text.split('\n'))
        assert.ok(columns(line) <= 80, line);
};

describe('transcripts', () => {
    test('report sends a transcript and shows what was found in it', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const result = await ctl(scene, 'report', module.id, fixture);
        assertRun(result, 0);
        assertNarrow(result.out);
        for (const pattern of [/^Last version +1147$/m, /^ +seen +2024-08-22 22:52:50Z$/m, /^Counted +yes$/m,
            /^1138 +1138 +100 +- +-1003 +- +failed +-\n +error -1003 after 100 %: the module refused the package: it is too large, or\n +made for another base/m,
            /^1138 +1147 +100 +100 +- +0 +upgraded +-$/m])
            assert.match(result.out, pattern);
        const list = await ctl(scene, 'transcripts', module.id);
        assertRun(list, 0);
        assertNarrow(list.out);
        const number = list.out.match(/^ *(\d+) +admin +\d{4}-.* +1147 +yes +- +2125$/m);
        assert.ok(number, list.out);
        const one = await ctl(scene, 'transcripts', module.id, number[1]);
        assertRun(one, 0);
        assert.equal(one.out, result.out);
        const json = JSON.parse((await ctl(scene, '-o', 'json', 'transcripts', module.id, number[1])).out);
        assert.equal(json.text, await readFile(fixture, 'latin1'));
        assertRun(await ctl(scene, 'transcripts', module.id, '999'), 1, { err: /has no transcript 999/ });
    });

    test('report reads standard input and accepts a time in two forms', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const send = (when, text) => new Promise((done) => {
            const child = spawn(program, ['--url', `http://${server.adminAddress.host}:${server.adminAddress.port}`, '--token', server.token, '--product',
                scene.product, '-o', 'json', 'report', module.id, '-', '--captured-at', when]);
            let out = '';
            child.stdout.on('data', (c) => { out += c; });
            child.on('close', (status) => done({ status, out }));
            child.stdin.end(text);
        });
        for (const [i, when] of ['2024-08-22T22:52:50Z', '2024-08-22 22:52:50Z', '1724367170000'].entries()) {
            const { status, out } = await send(when, `ATI\r\nAirM2M_780E_V1147_LTE_AT\r\nOK${'\r\n'.repeat(i + 1)}`);
            assert.equal(status, 0, out);
            assert.equal(JSON.parse(out).captured_at, 1724367170000);
        }
        for (const [when, err] of [['yesterday', /takes a time like/], ['2024-08-22', /takes a time like/],
            ['2024-08-22T22:52:50', /needs an offset from UTC/], ['2024-08-22T22:52:50Zx', /wrong offset from UTC/]])
            assertRun(await ctl(scene, 'report', module.id, fixture, '--captured-at', when), 2, { err });
        assertRun(await ctl(scene, 'report', module.id, '/nowhere'), 2, { err: /cannot read \/nowhere/ });
    });

    test('device show prints with each attempt what transcripts say about it', async (t) => {
        const scene = await Scene.build(server, { ...at, versions: ['1138', '1147'] });
        const { module } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        const dir = await scratch(t);
        const file = join(dir, 'log.txt');
        await writeFile(file, '\nATI\nAirM2M_780E_V1138_LTE_AT\nOK\nAT+UPGRADE\nOK\n+UPGRADEIND: 100\n+UPGRADEIND: -1003\n');
        assertRun(await ctl(scene, 'report', module.id, file, '--captured-at', String(Date.now())), 0);
        const { out } = await ctl(scene, 'device', 'show', module.id);
        assertNarrow(out);
        assert.match(out, /^What transcripts say about the attempts\n[^\n]*\n *\d+ +\d+ +failed +refused-package\n +error -1003 after 100 %/m);
    });
});

describe('reports import', () => {
    test('sends a list and prints which lines did not count', async (t) => {
        const scene = await Scene.build(server, at);
        const [one, two] = [scene.module(), scene.module()];
        const file = join(await scratch(t), 'list.csv');
        await writeFile(file, `imei,version\n${one.id},1162\n${two.id},1147\n`);
        const first = await ctl(scene, 'reports', 'import', file);
        assertRun(first, 0);
        assert.match(first.out, new RegExp(`^Reports  2\nCounted  2\n\nLINE .*\n +2  ${one.id} +1162 +counted\n +3  ${two.id} +1147 +counted\n$`));
        await writeFile(file, `${one.id},1138,1724367170000\n`);
        const second = await ctl(scene, 'reports', 'import', file, '--firmware', at.firmware);
        assertRun(second, 0);
        assertNarrow(second.out);
        assert.match(second.out, new RegExp(`^Counted  0\n\nLINE .*\n +1  ${one.id} +1138 +not-counted\n +the confirmed version was seen later$`, 'm'));
        assert.equal((await scene.record(one)).confirmed_version, '1162');
        await writeFile(file, `${one.id},x\n`);
        assertRun(await ctl(scene, 'reports', 'import', file), 1, { err: /line 1: / });
        await server.putImage(scene.product, 'second', '1', scene.images.get('1138').subarray(1));
        assertRun(await ctl(scene, 'reports', 'import', file), 2, { err: /several firmwares; choose one with --firmware/ });
    });
});
