// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A tour of wrong uses of dfotactl, and the sentence that each gets. tests/fixtures/ctl-wrong.txt is made to be read:
// "$ COMMAND" and below it what the program prints on standard error, then its exit status. Each sentence says what to do.
// DFOTA_WRITE=1 writes the file again with what the program says now.

import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { program, run, scratch, token } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const fixture = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'ctl-wrong.txt');

let server;
before(async () => { server = await startServer(null, { keep: true, config: { public_device_url: 'http://fota.example' } }); });
after(() => server?.dispose());

// [{command, text, status}] of the file.
function parse(text) {
    return text.split(/^\$ /m).slice(1).map((part) => {
        const [command, ...rest] = part.trimEnd().split('\n');
        const status = Number(rest.pop().match(/^\[(\d)\]$/)[1]);
        return { command, status, text: rest.join('\n') };
    });
}

const print = ({ command, status, text }) => `$ ${command}\n${text}\n[${status}]\n`;

// The files that the commands name.
async function makeFiles(dir) {
    await mkdir(join(dir, '.config', 'dfota'), { recursive: true });
    const write = (name, text, mode = 0o600) => writeFile(join(dir, name), text).then(() => chmod(join(dir, name), mode));
    await write('bad.csv', 'imei,version\n86659707,1001\n');
    await write('empty.csv', '');
    await write('unknown.csv', '866597079999996\n');
    await write('open.token', 'x\n', 0o644);
    await write('empty.token', '');
    await write('image.bin', 'no image');
    await write('head.json', '{}');
    await write('.config/dfota/config.ini', [
        '[good]', 'url = http://127.0.0.1:1', '[open]', 'url = http://127.0.0.1:1', `token_file = ${join(dir, 'open.token')}`, '[far]', 'url = https://fota.example',
        'token_file = ~/far.token', '',
    ].join('\n'));
    for (const [name, text] of [['key', '[a]\nurll = x\n'], ['line', '[a]\nurl\n'], ['twice', '[a]\nurl = http://a\nurl = http://b\n'],
        ['token', '[a]\ntoken = x\n'], ['path', '[a]\ntoken_file = my.token\n'], ['language', '[a]\nlanguage = de\n']]) {
        await mkdir(join(dir, name, 'dfota'), { recursive: true });
        await write(join(name, 'dfota', 'config.ini'), text);
    }
    await mkdir(join(dir, 'writable', 'dfota'), { recursive: true });
    await write(join('writable', 'dfota', 'config.ini'), '[a]\n', 0o666);
}

test('each wrong use gets its sentence', async (t) => {
    const dir = await scratch(t);
    await makeFiles(dir);
    const scene = await Scene.build(server, { product: 'pumps', firmware: 'pump', versions: ['1001', '1002'], format: 'bsdiff' });
    const { module } = await scene.linkedModule({ imei: '866597071234567' }).catch(() => scene.linkedModule());
    const url = `http://${server.adminAddress.host}:${server.adminAddress.port}`;
    const clean = (text) => text.replaceAll(dir, '~').replaceAll(url, 'http://127.0.0.1:8081').replaceAll(module.id, 'DEVICE')
        .replaceAll(token, 'TOKEN').replace(/ after \d+ ms/, '').trimEnd();
    const cases = parse(await readFile(fixture, 'utf8'));
    assert.ok(cases.length >= 60, `${cases.length} uses`);
    const seen = [], printed = [];
    for (const { command } of cases) {
        const result = await run(['-c', command.replace(/(^|[|&;] *|[A-Z_]+=\S* )dfotactl/, '$1"$DFOTACTL"')], {
            command: 'sh', env: { HOME: dir, DFOTACTL: program, DEVICE: module.id, DFOTA_URL: url, DFOTA_TOKEN: server.token },
        });
        seen.push({ command, status: result.status, text: clean(result.err) });
        if (result.out !== '')
            printed.push(command);
    }
    if (process.env.DFOTA_WRITE)
        await writeFile(fixture, `${(await readFile(fixture, 'utf8')).split(/^\$ /m)[0]}${seen.map(print).join('\n')}`);
    assert.deepEqual(printed, [], 'these print on standard output');
    for (const [i, one] of seen.entries()) {
        assert.notEqual(one.status, 0, one.command);
        assert.doesNotMatch(one.text, /Sanitizer|runtime error/);
        assert.equal(print(one), print(process.env.DFOTA_WRITE ? one : cases[i]));
    }
});
