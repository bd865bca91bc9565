// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The data directory: only one server uses it, other users cannot read it, nothing is acknowledged after it was removed, and
// no server starts empty beside the files of another one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, cp, link, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import { assertImages, assertRefuses } from './lib/disk.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { Scene, listFiles } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const scratch = async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-dir-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    return dir;
};

// A stopped server with images, a package and a device; `work` is done on its directory, which comes back afterwards.
async function stopped(t) {
    const server = await startServer(t);
    const scene = await Scene.build(server);
    await scene.module().upgrade();
    await server.stop();
    return { server, scene };
}

// Another data directory for the same server object; nothing there is removed by the test's end but by scratch().
async function assertRefusedIn(server, dir, ...words) {
    const there = server.dataDir;
    server.dataDir = dir;
    try {
        const before = [...(await listFiles(dir)).keys()].filter((name) => name !== 'lock').sort();
        await assertRefuses(server, /there is no database/, ...words);
        assert.deepEqual([...(await listFiles(dir)).keys()].filter((name) => name !== 'lock').sort(), before, 'it changed nothing');
    } finally {
        server.dataDir = there;
    }
}

describe('a directory without a database is refused when it holds', () => {
    const layouts = {
        'blobs': (from, to) => cp(join(from, 'blobs'), join(to, 'blobs'), { recursive: true }),
        'blobs beside an empty database': async (from, to) => {
            await cp(join(from, 'blobs'), join(to, 'blobs'), { recursive: true });
            await writeFile(join(to, 'dfota.db'), '');
        },
        'the folders of blobs without blobs/': (from, to) => cp(join(from, 'blobs'), to, { recursive: true }),
        'all of it in a directory below': (from, to) => cp(from, join(to, 'dfota'), { recursive: true }),
        'all of it three directories below': (from, to) => cp(from, join(to, 'var', 'lib', 'dfota'), { recursive: true }),
        'blobs twice': (from, to) => cp(join(from, 'blobs'), join(to, 'blobs', 'blobs'), { recursive: true }),
        'a link to blobs elsewhere': (from, to) => symlink(join(from, 'blobs'), join(to, 'blobs')),
        'a link to a disk that is not there': (from, to) => symlink('/nonexistent/blobs', join(to, 'blobs')),
        'a database that is a link to nothing': (from, to) => symlink('/nonexistent/dfota.db', join(to, 'dfota.db')),
        'only a write-ahead log': (from, to) => writeFile(join(to, 'dfota.db-wal'), 'x'),
        'a database of another name': (from, to) => cp(join(from, 'dfota.db'), join(to, 'saved.db')),
        'a database that was put aside': (from, to) => cp(join(from, 'dfota.db'), join(to, 'dfota.db.old')),
        'a token': (from, to) => cp(join(from, 'admin.token'), join(to, 'admin.token')),
        'the head of a ledger': (from, to) => writeFile(join(to, 'ledger-head.json'), '{}'),
        'indexes of images': async (from, to) => {
            await mkdir(join(to, 'suffix'));
            await writeFile(join(to, 'suffix', 'ab'.repeat(32)), 'x');
        },
    };
    for (const [name, lay] of Object.entries(layouts)) {
        test(name, async (t) => {
            const { server } = await stopped(t);
            const to = await scratch(t);
            await lay(server.dataDir, to);
            if (/link to (a disk|nothing)|that is a link/.test(name)) {
                const there = server.dataDir;
                server.dataDir = to;
                await assertRefuses(server, /symbolic link to nothing: mount the disk/);
                server.dataDir = there;
            } else {
                await assertRefusedIn(server, to, /below/.test(name) ? /one level up/ : /is there: restore the database/);
            }
        });
    }

    test('but not if it has only what an interrupted first start leaves, or nothing of a server', async (t) => {
        const { server } = await stopped(t);
        const there = server.dataDir, { token } = server;
        server.dataDir = await scratch(t);
        await mkdir(join(server.dataDir, 'lost+found'));
        await mkdir(join(server.dataDir, 'blobs', 'ab'), { recursive: true });
        await writeFile(join(server.dataDir, 'dfota.db'), '');
        await writeFile(join(server.dataDir, 'lock'), '');
        await writeFile(join(server.dataDir, 'dfota.conf'), 'jobs = 1\n');
        server.token = null;
        await server.start();
        await server.stop();
        Object.assign(server, { dataDir: there, token });
    });
});

describe('under a running server', () => {
    const harms = {
        'the database is removed': (dir) => rm(join(dir, 'dfota.db')),
        'the database is replaced': async (dir) => {
            await cp(join(dir, 'dfota.db'), join(dir, 'new'));
            await rename(join(dir, 'new'), join(dir, 'dfota.db'));
        },
        'the database is renamed': (dir) => rename(join(dir, 'dfota.db'), join(dir, 'dfota.db.old')),
        'the log of the database is removed': (dir) => rm(join(dir, 'dfota.db-wal')),
        'the index of the log is removed': (dir) => rm(join(dir, 'dfota.db-shm')),
        'the blobs are removed': (dir) => rm(join(dir, 'blobs'), { recursive: true }),
        'the blobs are replaced': async (dir) => {
            await rename(join(dir, 'blobs'), join(dir, 'blobs.old'));
            await cp(join(dir, 'blobs.old'), join(dir, 'blobs'), { recursive: true });
        },
        'the directory is renamed': (dir) => rename(dir, `${dir}.away`),
        'the directory is replaced': async (dir) => {
            await rename(dir, `${dir}.away`);
            // A job of the matrix may end meanwhile, and remove its folder.
            await cp(`${dir}.away`, dir, { recursive: true, filter: (source) => !source.includes('/incoming/') });
        },
    };
    for (const [name, harm] of Object.entries(harms)) {
        test(`${name}: noticed within seconds, and nothing more is acknowledged`, async (t) => {
            const server = await startServer(t);
            t.after(() => rm(`${server.dataDir}.away`, { recursive: true, force: true }));
            const scene = await Scene.build(server);
            await scene.module().ask();
            await harm(server.dataDir);
            // The very next ones.
            assert.equal((await scene.module().ask()).code, 503);
            assert.equal((await server.admin('POST', '/products', { name: 'x', product_key: 'x' })).status, 503);
            assert.notEqual((await server.admin('PUT', scene.path('/images/1003'), noiseImage({ seed: 1, size: 5000 }))).status, 201);
            assert.equal((await server.admin('GET', '/products')).status, 503);
            await poll('it says so', () => server.log('data-lost').length > 0);
            assert.match(server.log('data-lost')[0].error, /was removed, renamed or replaced while the server was running/);
            assert.equal(server.log('data-lost')[0].level, 'error');
            server.process.kill('SIGTERM');
            assert.deepEqual(await server.ended, { code: 1, signal: null });
            assert.match(server.logLines.at(-1), /^dfotad: .* was removed, renamed or replaced/);
        });
    }

    test('it is noticed also without any request', async (t) => {
        const server = await startServer(t);
        await rm(join(server.dataDir, 'dfota.db'));
        await poll('it says so', () => server.log('data-lost').length > 0);
        server.process.kill('SIGTERM');
        assert.equal((await server.ended).code, 1);
    });

    test('the directory comes back: nothing that was acknowledged is lost', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.upgrade();
        await rename(server.dataDir, `${server.dataDir}.away`);
        assert.equal((await module.ask()).code, 503);
        await rename(`${server.dataDir}.away`, server.dataDir);
        assert.equal((await module.ask()).code, 503, 'until it is started again');
        server.process.kill('SIGTERM');
        assert.equal((await server.ended).code, 1);
        await server.start();
        module.address = server.device;
        await assertImages(scene);
        assert.equal((await module.ask()).code, 27);
    });

    test('a second server in place of a renamed directory is not harmed when the first server ends', async (t) => {
        const first = await startServer(t);
        const second = await startServer(t);
        await Scene.build(first);
        await second.stop();
        const there = second.dataDir;
        await rename(first.dataDir, `${first.dataDir}.away`);
        await rename(there, first.dataDir);
        second.dataDir = first.dataDir;
        await second.start();
        const scene = await Scene.build(second);
        first.process.kill('SIGTERM');
        assert.equal((await first.ended).code, 1);
        await second.restart({ hard: true });
        await assertImages(scene);
        await second.stop();
        await rename(first.dataDir, there);
        await rename(`${first.dataDir}.away`, first.dataDir);
        second.dataDir = there;
    });
});

describe('a second server is refused', () => {
    const ways = {
        'when the file lock was deleted': async (t, dir) => { await rm(join(dir, 'lock')); return dir; },
        'when the file lock was replaced': async (t, dir) => { await rm(join(dir, 'lock')); await writeFile(join(dir, 'lock'), ''); return dir; },
        'through a symbolic link': async (t, dir) => {
            const name = join(await scratch(t), 'link');
            await symlink(dir, name);
            await rm(join(dir, 'lock'));
            return name;
        },
        'by another path': async (t, dir) => { await rm(join(dir, 'lock')); return join(dirname(dir), '.', basename(dir), '..', basename(dir)); },
        'on a linked database': async (t, dir) => { const other = await scratch(t); await link(join(dir, 'dfota.db'), join(other, 'dfota.db')); return other; },
        'on a symbolic link to the database': async (t, dir) => { const other = await scratch(t); await symlink(join(dir, 'dfota.db'), join(other, 'dfota.db')); return other; },
    };
    for (const [name, find] of Object.entries(ways)) {
        test(name, async (t) => {
            const first = await startServer(t);
            const second = await startServer(t);
            await second.stop();
            const there = second.dataDir;
            second.dataDir = await find(t, first.dataDir);
            await assertRefuses(second, /another dfotad works on the data directory/);
            second.dataDir = there;
            const scene = await Scene.build(first);
            assert.equal((await scene.module().ask()).code, 43);
        });
    }
});

describe('other users cannot read it', () => {
    const wide = async (dir) => {
        const names = (await readdir(dir)).filter((name) => name !== 'dfota.conf');
        return Promise.all(names.map(async (name) => [name, (await stat(join(dir, name))).mode & 0o777]));
    };
    for (const umask of ['000', '022', '077']) {
        test(`with the umask ${umask}`, async (t) => {
            const server = await startServer(t, { wrapper: ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'] });
            const scene = await Scene.build(server);
            await scene.module().upgrade();
            for (const [name, mode] of await wide(server.dataDir))
                assert.equal(mode & 0o077, 0, `${name} has the mode ${mode.toString(8)}`);
            assert.equal((await stat(join(server.dataDir, 'dfota.db'))).mode & 0o777, 0o600);
            assert.equal((await stat(join(server.dataDir, 'dfota.db-wal'))).mode & 0o777, 0o600);
        });
    }

    test('files that were readable before are not after a start', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        await server.kill(); // with a log
        execFileSync('cp', [join(server.dataDir, 'dfota.db'), join(server.dataDir, 'dfota.db.old')]);
        for (const name of ['dfota.db', 'dfota.db-wal', 'dfota.db-shm', 'dfota.db.old', 'admin.token', 'lock'])
            await chmod(join(server.dataDir, name), 0o666);
        for (const name of ['blobs', 'incoming'])
            await chmod(join(server.dataDir, name), 0o777);
        await server.start();
        for (const [name, mode] of await wide(server.dataDir))
            assert.equal(mode & 0o077, 0, `${name} has the mode ${mode.toString(8)}`);
        await assertImages(scene);
    });
});
