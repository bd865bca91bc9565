// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Runs the commands of doc/operating.md, doc/backup.md and doc/upgrade.md.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { sha256 } from './lib/module.mjs';
import { Scene, findBySum, listFiles } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const doc = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'doc');
const page = (await Promise.all(['operating.md', 'backup.md', 'upgrade.md'].map((name) => readFile(join(doc, name), 'utf8')))).join('\n');

// The lines to type below a heading.
function linesOf(heading) {
    const [, section] = page.split(new RegExp(`^#+ ${heading}$`, 'm'));
    assert.ok(section, `no section ${heading}`);
    // A command begins with a prompt; a backslash continues it.
    const lines = [...section.split(/^#+ /m)[0].matchAll(/^ {4}\$ ((?:.*\\\n)*.*)$/gm)].map(([, command]) => command.replaceAll(/\\\n +/g, ''));
    assert.ok(lines.length > 0);
    return lines;
}

// Like systemd with DynamicUser: a directory of another user is given to the user of the service, with everything in it.
function giveTo(server) {
    if (server.uid !== undefined && statSync(server.dataDir).uid !== server.uid)
        execFileSync('chown', ['-R', `${server.uid}:${server.uid}`, server.dataDir]);
}

// Runs them; the commands of the service manager are simulated here. Returns their output.
async function type(server, backup, lines) {
    let printed = '', script = '';
    const run = () => {
        if (script)
            printed += execFileSync('bash', ['-euc', script], {
                cwd: backup, stdio: ['ignore', 'pipe', 'inherit'], env: {
                    ...process.env, PATH: `${buildDir}:${process.env.PATH}`, DFOTA_TOKEN: server.token,
                    DFOTA_URL: `http://127.0.0.1:${server.adminAddress?.port}`,
                },
            });
        script = '';
    };
    for (const line of lines) {
        const [, action] = /^systemctl (\w+) dfotad$/.exec(line) ?? [];
        if (!action) {
            script += `${line.replaceAll('/var/lib/dfota', server.dataDir).replaceAll('/srv/backup', backup).replace('$(pidof dfotad)', server.process?.pid)}\n`;
        } else {
            run();
            if (action === 'restart') {
                server.process.kill('SIGTERM'); // it may end with an error
                await server.ended;
            }
            if (action !== 'stop')
                giveTo(server);
            if (action !== 'stop' || server.process)
                await server[action === 'restart' ? 'start' : action]();
        }
    }
    run();
    return printed;
}

// The folders that the commands make beside the data directory.
function removeBeside({ dataDir }) {
    for (const name of readdirSync(dirname(dataDir)))
        if (name.startsWith(`${basename(dataDir)}.`))
            rmSync(join(dirname(dataDir), name), { recursive: true });
}

async function furnished(t) {
    const server = await startServer(t);
    t.after(() => removeBeside(server));
    const backup = await mkdtemp(join(tmpdir(), 'dfota-backup-'));
    t.after(() => rm(backup, { recursive: true, force: true }));
    const scene = await Scene.build(server, { versions: ['1', '2'], later: ['3'] });
    const module = scene.module();
    await module.upgrade();
    assert.equal((await module.ask()).code, 27);
    return { server, scene, module, backup };
}

async function assertImages(scene, ...versions) {
    for (const version of versions) {
        const { body } = await scene.server.admin('GET', scene.path(`/images/${version}/content`), null, { expect: 200 });
        assert.equal(sha256(body), sha256(scene.images.get(version)));
    }
}

async function flipBit(file, at) {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 1;
    await handle.write(byte, 0, 1, at);
    await handle.close();
}

test('a backup of the running server is restored', async (t) => {
    const { server, scene, module, backup } = await furnished(t);
    assert.match(await type(server, backup, linesOf('Backup')), /^no fault was found$/m);
    await scene.upload('3');
    const later = scene.module();
    await later.ask();
    const images = (await listFiles(join(server.dataDir, 'blobs'))).size;
    await server.kill(); // with a write-ahead log that does not belong to the backup
    await type(server, backup, linesOf('Restore'));
    assert.equal((await listFiles(join(server.dataDir, 'blobs'))).size, images - 1, 'the file of one later image is unknown');
    await assertImages(scene, '1', '2');
    assert.equal((await scene.record(module)).confirmed_version, '2');
    assert.equal(await scene.record(later), null);
    await scene.upload('3');
    await assertImages(scene, '3');
    later.address = server.device;
    await later.upgrade();
});

// A second machine: another directory, existing or not, and another user if the test may switch users.
const machines = {
    'that has never had a server': async (second) => rm(second.dataDir, { recursive: true }),
    'with an empty directory': async () => {},
    'on which a server was started after the installation': async (second) => { await second.start(); await second.stop(); },
    'on which such a server was killed': async (second) => { await second.start(); await second.kill(); },
};
for (const [name, prepare] of Object.entries(machines)) {
    test(`a backup restored on another machine, ${name}`, async (t) => {
        const { server, scene, module, backup } = await furnished(t);
        const linked = scene.module({ version: '1' });
        const link = await scene.createLink(linked);
        await type(server, backup, linesOf('Backup'));
        await server.stop();
        const second = await startServer(t);
        t.after(() => removeBeside(second));
        await second.stop();
        await rm(second.dataDir, { recursive: true });
        await mkdir(second.dataDir);
        const { token } = server;
        if (process.getuid() === 0) {
            second.uid = 65534;
            second.wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
            giveTo(second);
        }
        await prepare(second);
        second.token = token; // the old server's: the database knows its hash
        assert.match(await type(second, backup, linesOf('Restore')), /^restored the backup .*: the database and 3 files$/m);
        const path = `/products/${scene.product}`;
        scene.server = second;
        await assertImages(scene, '1', '2');
        assert.equal((await scene.record(module)).confirmed_version, '2');
        const { json } = await second.admin('GET', `${path}/devices/${linked.id}`, null, { expect: 200 });
        assert.equal(json.device, linked.id);
        linked.address = second.device;
        linked.link = new URL(link.url).pathname;
        await scene.setTarget('2');
        assert.equal((await linked.askUntilMade()).status, 200, 'its link works');
        for (const file of ['dfota.db', 'blobs'])
            assert.equal(statSync(join(second.dataDir, file)).mode & 0o077, 0);
    });
}

// SQL that makes a database of this version one of the version before, when the last migration only adds to the schema.
function undoOfLastMigration() {
    const folder = join(doc, '..', 'storage', 'schema', 'sqlite');
    const sql = readFileSync(join(folder, readdirSync(folder).sort().at(-1)), 'utf8');
    const columns = [...sql.matchAll(/^ALTER TABLE (\w+) ADD COLUMN (\w+)/gm)].map(([, table, name]) => `ALTER TABLE ${table} DROP COLUMN ${name};`);
    const things = [...sql.matchAll(/^CREATE (?:UNIQUE )?(TABLE|INDEX|VIEW) (\w+)/gm)].reverse().map(([, kind, name]) => `DROP ${kind} ${name};`);
    return `DELETE FROM migration WHERE number = (SELECT max(number) FROM migration); ${things.join(' ')} ${columns.join(' ')}`;
}

test('an upgrade, and the way back', async (t) => {
    const { server, scene, module, backup } = await furnished(t);
    await server.stop();
    const file = join(server.dataDir, 'dfota.db');
    execFileSync('sqlite3', ['-bail', file, undoOfLastMigration()]);
    await server.start();
    await type(server, backup, linesOf('Upgrade').concat(linesOf('The way back')));
    assert.equal(server.log('database-upgraded').length, 2, 'before, and again after the way back');
    await assertImages(scene, '1', '2');
    assert.equal((await scene.record(module)).confirmed_version, '2');
});

test('a removed database is recovered from the running server', async (t) => {
    const { server, scene, module, backup } = await furnished(t);
    await rm(join(server.dataDir, 'dfota.db'));
    assert.equal((await module.ask()).code, 503);
    await type(server, backup, linesOf('The directory was changed under the server'));
    await assertImages(scene, '1', '2');
    assert.equal((await scene.record(module)).confirmed_version, '2');
    module.address = server.device;
    assert.equal((await module.ask()).code, 27);
});

test('a damaged database is recovered', async (t) => {
    const { server, scene, module, backup } = await furnished(t);
    await server.stop();
    const page_of_index = execFileSync('sqlite3', ['-readonly', join(server.dataDir, 'dfota.db'),
        "SELECT rootpage FROM sqlite_schema WHERE name = 'image_by_sha256'"]);
    await flipBit(join(server.dataDir, 'dfota.db'), (Number(page_of_index) - 1) * 4096 + 1);
    await assert.rejects(server.start(), /is damaged/);
    assert.match(await type(server, backup, linesOf('The database is damaged')), /^ok\n2$/m);
    await assertImages(scene, '1', '2');
    assert.equal((await scene.record(module)).confirmed_version, '2');
});

test('damaged images are found', async (t) => {
    const { server, scene, backup } = await furnished(t);
    const [line] = linesOf('When the disk is read-only or broken').filter((text) => text.includes('sha256sum'));
    assert.equal(await type(server, backup, [line]), '');
    const file = await findBySum(server.dataDir, sha256(scene.images.get('2')));
    await flipBit(file, 100);
    const said = await type(server, backup, [`${line.replace('--quiet', '--quiet 2>&1')} || true`]);
    assert.match(said, new RegExp(`/${sha256(scene.images.get('2'))}: FAILED`));
});
