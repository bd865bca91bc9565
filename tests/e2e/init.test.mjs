// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotad --init: makes the configuration, the data directory and the tokens, and replaces nothing. tests/builds/installed.sh
// tests the modes, tests/builds/debian.sh --system the owners.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { buildDir, startServer } from './lib/server.mjs';

let folder, config, data, tokenFile;

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfota-init-'));
    config = join(folder, 'etc', 'dfota.conf');
    tokenFile = join(folder, 'etc', 'backup.token');
    data = join(folder, 'data');
    await mkdir(data, { mode: 0o700 });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const dfotad = (...args) => run(args, { command: join(buildDir, 'dfotad') });
const init = (...args) => dfotad('--init', '--config', config, ...args);
const read = (path) => readFile(path, 'utf8');

async function files() {
    const all = {};
    for (const path of [config, tokenFile, join(data, 'admin.token'), join(data, 'dfota.db')])
        all[path] = (await readFile(path)).toString('hex');
    return all;
}

describe('an empty machine', () => {
    test('gets all files; a second run changes nothing and says what is there', async () => {
        const first = await init('--data-dir', data, '--admin-listen', '127.0.0.1:0');
        assert.deepEqual([first.status, first.err], [0, '']);
        const made = await files();
        assert.match(await read(config), new RegExp(`^data_dir = ${data}\nadmin_listen = 127.0.0.1:0\n`));
        for (const path of [tokenFile, join(data, 'admin.token')]) {
            const secret = (await read(path)).trim();
            assert.match(secret, /^[0-9a-f]{64}$/);
            assert.ok(!first.out.includes(secret));
            assert.equal((await stat(path)).mode & 0o777, 0o600);
        }
        const second = await init();
        assert.deepEqual([second.status, second.err], [0, '']);
        assert.equal(second.out, `${config}: is there, kept\n${data}: has a database, kept\n${tokenFile}: is there, kept\n`);
        assert.deepEqual(await files(), made);
        assert.deepEqual((await readdir(join(folder, 'etc'))).sort(), ['backup.token', 'dfota.conf']);
    });
    test('options are not lost when the file is there', async () => {
        await mkdir(join(folder, 'etc'));
        await writeFile(config, `data_dir = ${data}\n`);
        const { status, err } = await init('--jobs', '1');
        assert.equal(status, 1);
        assert.match(err, /is there already: write the options into it by hand/);
        assert.equal(await read(config), `data_dir = ${data}\n`);
        assert.deepEqual(await readdir(data), []);
    });
    test('a wrong file or option makes nothing', async () => {
        assert.equal((await init('--data-dir', data, '--jobs', 'many')).status, 2);
        await mkdir(join(folder, 'etc'));
        await writeFile(config, 'no_such_key = 1\n');
        assert.equal((await init()).status, 2);
        assert.deepEqual(await readdir(join(folder, 'etc')), ['dfota.conf']);
        assert.deepEqual(await readdir(data), []);
    });
    test('a link in the place of a file is not followed', async () => {
        const target = join(folder, 'target');
        await mkdir(join(folder, 'etc'));
        await symlink(target, tokenFile);
        const { status } = await init('--data-dir', data);
        assert.equal(status, 1);
        await assert.rejects(stat(target));
    });
});

describe('a machine with data', () => {
    let server;
    const withServer = () => init('--data-dir', server.dataDir);
    beforeEach(async () => {
        server = await startServer(null, { keep: true });
    });
    afterEach(() => server.dispose());

    test('a running server is left alone', async () => {
        const { status, err } = await withServer();
        assert.equal(status, 1);
        assert.match(err, /a server uses .*: stop it first/);
        await assert.rejects(stat(tokenFile));
    });
    test('the token of the backup timer is added, and works', async () => {
        const old = server.token;
        await server.stop();
        const made = await withServer();
        assert.deepEqual([made.status, made.err], [0, '']);
        await server.start();
        const token = (await read(tokenFile)).trim();
        const { json } = await server.admin('GET', '/tokens', null, { token, expect: 200 });
        assert.deepEqual(json.items.map(({ name, scope }) => [name, scope]), [['admin', 'admin'], ['backup', 'admin']]);
        const ledger = await server.admin('GET', '/ledger?kind=token-added', null, { token: old });
        assert.deepEqual(ledger.json.items.map(({ detail }) => [detail.name, detail.by.name]), [['backup', 'dfotad --init']]);
        await server.admin('DELETE', `/tokens/${json.items[1].token}`, null, { token: old, expect: 204 });
        await server.stop();
        const revoked = await init();
        assert.equal(revoked.status, 1);
        assert.match(revoked.err, /backup\.token is not a token of this server: remove it, and run dfotad --init again/);
        await rm(tokenFile);
        assert.equal((await init()).status, 0);
    });
});
