// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What was acknowledged stays true after a restart, a power cut, a child that dies and damage on the disk.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, findBySum, listFiles, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const dfota = join(buildDir, 'dfota');

// A child that waits at a pipe until it is opened for writing, and then does its work. `release` lets those go
// on that wait now, and all that come later.
async function heldWorker(t) {
    const script = await writeScript(t, (dir) => `echo $$ >> ${dir}/pids\n[ -p ${dir}/hold ] && read -r line < ${dir}/hold\nexec ${dfota} "$@"`);
    const hold = join(script.dir, 'hold');
    execFileSync('mkfifo', [hold]);
    const pids = () => {
        try {
            return readFileSync(join(script.dir, 'pids'), 'utf8').trim().split('\n').map(Number);
        } catch {
            return [];
        }
    };
    const lives = (pid) => {
        try {
            // A zombie has ended.
            return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        } catch {
            return false;
        }
    };
    t.after(() => pids().filter(lives).forEach((pid) => process.kill(pid, 'SIGKILL')));
    return {
        path: script.path,
        living: () => pids().filter(lives),
        async release() {
            // Opened for reading too, so that opening does not wait for a reader.
            const pipe = await open(hold, 'r+');
            await rm(hold);
            await pipe.write('\n'.repeat(100));
            await poll('nobody waits any more', () => pids().filter(lives).every((pid) => {
                try {
                    return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(script.path);
                } catch {
                    return true;
                }
            }));
            await pipe.close();
        },
    };
}

async function awaitState(scene, state) {
    return poll(`the package is ${state}`, async () => {
        const made = await scene.package();
        return made?.state === state ? made : null;
    });
}

describe('a restart', () => {
    test('loses nothing, and a module does not notice it', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 5_000_000 });
        await scene.makePackage();
        const [whole, cut, linked] = [scene.module(), scene.module(), scene.module()];
        await whole.ask();
        await scene.awaitAttempt(whole, 'delivered');
        const { body } = await cut.ask({ cutAfter: 1000 });
        await scene.awaitAttempt(cut, 'interrupted');
        linked.link = new URL((await scene.createLink(linked)).url).pathname;
        await scene.module({ version: '7' }).ask();

        const paths = ['/products', `/products/${scene.product}/firmware`, scene.path('/images'), scene.path('/packages'), scene.path('/missing-bases'),
            ...[whole, cut].map((m) => scene.deviceAdminPath(m))];
        const everything = async () => {
            const all = await Promise.all(paths.map(async (path) => (await server.admin('GET', path, null, { expect: 200 })).json));
            return JSON.parse(JSON.stringify(all), (key, value) => (['url', 'report_url'].includes(key) ? undefined : value));
        };
        const earlier = await everything();
        await server.restart();
        assert.deepEqual(await everything(), earlier);

        for (const module of [whole, cut, linked])
            module.address = server.device;
        const rest = await cut.ask({ range: body.length });
        assert.equal(rest.status, 206);
        assert.ok(Buffer.concat([body, rest.body]).equals(await scene.content()), 'a pin survives');
        assert.equal((await linked.ask()).status, 200, 'a link survives');
        whole.version = '1002';
        assert.equal((await whole.ask()).code, 27);
        assert.equal((await scene.record(whole)).attempts[0].state, 'confirmed');
    });

    test('ends cleanly at SIGTERM while a job runs, and ends its child too', async (t) => {
        const worker = await heldWorker(t);
        const server = await startServer(t, { config: { dfota_path: worker.path } });
        const scene = await Scene.build(server);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        await awaitState(scene, 'generating');
        await poll('the worker runs', () => worker.living().length > 0);
        assertProblem(await server.admin('GET', scene.path('/packages/1001/1002/content')), 409, 'package-not-ready');
        await server.stop();
        assert.deepEqual(worker.living(), []);

        await worker.release();
        await server.start();
        const made = await awaitState(scene, 'ready');
        assert.equal(made.crashes, 0, 'an orderly end is no crash');
        module.address = server.device;
        assert.equal((await module.ask()).status, 200);
    });

    test('ends although the process that inspects an upload is stopped; the image is not stored', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1001', '1002'], later: ['1003'] });
        const stops = await writeScript(t, () => '');
        await writeFile(stops.path, `#!/bin/sh\n[ "$1" = inspect ] && { : > ${stops.dir}/looks; kill -STOP $$; }\nexec ${dfota} "$@"\n`);
        await server.restart({ config: { ...server.config, dfota_path: stops.path } });
        const sent = scene.upload('1003').then(() => 'kept', () => 'not kept');
        await poll('it is looked into', () => existsSync(join(stops.dir, 'looks')));
        await server.stop();
        assert.equal(await sent, 'not kept');
        await server.start();
        await server.admin('GET', scene.path('/images/1003'), null, { expect: 404 });
    });

    test('ends cleanly while a module downloads', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 5_000_000 });
        await scene.makePackage();
        const modules = Array.from({ length: 10 }, () => scene.module());
        const asked = modules.map((m) => m.ask({ cutAfter: 10 }));
        await Promise.all(asked);
        await server.stop();
        await server.start();
        for (const module of modules)
            assert.ok(['interrupted', 'delivered'].includes((await scene.record(module)).attempts[0].state));
    });
});

describe('a power cut', () => {
    test('loses nothing that was answered', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        await scene.makePackage();
        const [told, confirmed] = [scene.module(), scene.module()];
        await confirmed.upgrade();
        assert.equal((await confirmed.ask()).code, 27);
        const linked = scene.module();
        const link = await scene.createLink(linked);
        assert.equal((await told.ask()).status, 200);
        await server.restart({ hard: true });
        const record = await scene.record(confirmed);
        assert.deepEqual([record.confirmed_version, record.attempts[0].state], ['1002', 'confirmed']);
        const { attempts } = await scene.record(told);
        assert.equal(attempts.length, 1);
        assert.ok(['sending', 'interrupted', 'delivered'].includes(attempts[0].state), attempts[0].state);
        linked.address = server.device;
        assert.equal((await linked.ask({ target: new URL(link.url).pathname })).status, 200);
    });

    test('during generation: the package is made after the start', async (t) => {
        const worker = await heldWorker(t);
        const server = await startServer(t, { config: { dfota_path: worker.path, jobs: 1 } });
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: '1003' });
        const modules = ['1001', '1002'].map((version) => scene.module({ version }));
        for (const module of modules)
            assert.equal((await module.ask()).code, 43);
        await poll('one is generating, the other queued', async () => {
            const states = [await scene.package('1001', '1003'), await scene.package('1002', '1003')].map((p) => p.state);
            return states.sort().join() === 'generating,queued';
        });
        await server.kill();
        await worker.release();
        await server.start();
        for (const module of modules) {
            module.address = server.device;
            await module.upgrade();
            assert.equal(module.version, '1003');
        }
    });

    test('three times during the same job: the package fails with the reason', async (t) => {
        const worker = await heldWorker(t);
        const server = await startServer(t, { config: { dfota_path: worker.path } });
        const scene = await Scene.build(server);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        for (let i = 0; i < 3; i += 1) {
            await awaitState(scene, 'generating');
            await server.restart({ hard: true });
        }
        const failed = await awaitState(scene, 'failed');
        assert.equal(failed.crashes, 3);
        assert.ok(failed.error.length > 0);
        module.address = server.device;
        assert.equal((await module.ask()).code, 21);
    });
});

describe('a child that', () => {
    const ends = {
        'is killed each time': () => 'kill -KILL $$',
        'crashes each time': () => 'kill -SEGV $$',
        'says no': () => 'exit 1',
        'claims success and made nothing': () => 'exit 0',
    };
    for (const [name, text] of Object.entries(ends)) {
        test(`${name} makes the package failed: code 21, until an admin asks for it again`, async (t) => {
            const script = await writeScript(t, (dir) => `[ -e ${dir}/good ] && exec ${dfota} "$@"\necho call >> ${dir}/calls\n${text()}`);
            const server = await startServer(t, { config: { dfota_path: script.path } });
            const scene = await Scene.build(server);
            const module = scene.module();
            const answer = await module.askUntilMade();
            assert.equal(answer.code, 21, `${answer.status}`);
            const failed = await scene.package();
            assert.equal(failed.state, 'failed');
            assert.ok(failed.error.length > 0);
            assert.equal(failed.sha256, null);
            const calls = (await readFile(join(script.dir, 'calls'), 'utf8')).trim().split('\n').length;
            assert.ok(calls <= 3, `${calls} calls`);
            if (/each time/.test(name))
                assert.deepEqual([failed.crashes, calls], [3, 3]);
            assert.match((await scene.record(module)).last_answer.reason, /could not be made: ./);
            assert.equal((await module.ask()).code, 21, 'a module does not start it again');
            await server.restart();
            assert.equal((await scene.package()).state, 'failed');
            module.address = server.device;

            await writeFile(join(script.dir, 'good'), '');
            const again = await server.admin('POST', scene.path('/packages/1001/1002'), null, { expect: 202 });
            assert.ok(['queued', 'generating', 'ready'].includes(again.json.state));
            await module.upgrade();
            assert.equal(module.version, '1002');
        });
    }

    test('never ends is killed', async (t) => {
        const script = await writeScript(t, (dir) => `echo $$ >> ${dir}/pids\nwhile :; do :; done`);
        const server = await startServer(t, { config: { dfota_path: script.path, job_wall_ms: 1000 } });
        const scene = await Scene.build(server);
        const answer = await scene.module().askUntilMade();
        assert.equal(answer.code, 21);
        assert.ok((await scene.package()).error.length > 0);
        for (const pid of (await readFile(join(script.dir, 'pids'), 'utf8')).trim().split('\n'))
            assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
    });
});

async function flipBit(file) {
    const handle = await open(file, 'r+');
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, size >> 1);
    byte[0] ^= 4;
    await handle.write(byte, 0, 1, size >> 1);
    await handle.close();
}

describe('a package on the disk that', () => {
    const harms = {
        'has a flipped bit': flipBit,
        'is cut short': (file) => truncate(file, 100),
        'is gone': (file) => rm(file),
    };
    for (const [name, harm] of Object.entries(harms)) {
        for (const when of ['before it was ever sent', 'while the server was down']) {
            test(`${name}, ${when}, is never sent and is made again`, async (t) => {
                const server = await startServer(t);
                const scene = await Scene.build(server);
                const made = await scene.makePackage();
                const down = when === 'while the server was down';
                if (down) {
                    await scene.module().upgrade();
                    await server.stop();
                }
                await harm(await findBySum(server.dataDir, made.sha256));
                if (down)
                    await server.start();
                const module = scene.module();
                const first = await module.ask();
                assert.notEqual(first.status, 200, 'the damaged file was sent');
                assert.equal(first.code, 43, 'it ends soon: the package is made again');
                await poll('the log says so', () => server.logLines.some((line) => /level=error/.test(line) && /corrupt|damaged|sha256|package/i.test(line)));
                await module.upgrade();
                assert.equal(module.version, '1002');
            });
        }
    }

    test('has a flipped bit is not given to the admin either', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const made = await scene.makePackage();
        await flipBit(await findBySum(server.dataDir, made.sha256));
        const answer = await server.admin('GET', scene.path('/packages/1001/1002/content'));
        assert.ok(answer.status !== 200 || sha256(answer.body) === made.sha256, `${answer.status}`);
    });
});

test('an image on the disk with a flipped bit: no package is made from it, and it cannot be downloaded', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server);
    await flipBit(await findBySum(server.dataDir, sha256(scene.images.get('1001'))));
    const module = scene.module();
    const answer = await module.askUntilMade();
    assert.equal(answer.code, 21, `${answer.status}`);
    assert.equal((await scene.package()).state, 'failed');
    assertProblem(await server.admin('GET', scene.path('/images/1001/content')), 500, 'corrupt');
});

describe('a damaged database', () => {
    async function databaseFile(dir) {
        for (const name of (await listFiles(dir)).keys()) {
            if ((await readFile(join(dir, name))).subarray(0, 15).toString('latin1') === 'SQLite format 3')
                return join(dir, name);
        }
        throw new Error('no database');
    }
    const harms = {
        'no database at all': (file) => writeFile(file, 'this is something else entirely, and long enough to be read'.repeat(100)),
        'a broken first page': async (file) => {
            const bytes = await readFile(file);
            bytes.fill(0xa5, 100, 4096);
            await writeFile(file, bytes);
        },
        'half of it': async (file) => truncate(file, ((await readFile(file)).length >> 13) << 12),
    };
    for (const [name, harm] of Object.entries(harms)) {
        test(`(${name}) prevents the start, and the server says why`, async (t) => {
            const server = await startServer(t);
            const scene = await Scene.build(server, { versions: ['1', '2', '3', '4'] });
            for (let i = 0; i < 50; i += 1)
                await scene.module().ask();
            await server.stop();
            const file = await databaseFile(server.dataDir);
            await harm(file);
            const damaged = sha256(await readFile(file));
            const logged = server.logLines.length;
            await assert.rejects(server.start(), /ended before it listened/);
            const { code, signal } = await server.ended;
            assert.ok(code > 0 && signal === null, `code ${code}, signal ${signal}`);
            const said = server.logLines.slice(logged).join('\n');
            assert.match(said, /database/);
            assert.match(said, /malformed|not a database|corrupt|damaged/);
            assert.equal(sha256(await readFile(file)), damaged, 'it stays as it is, for whoever repairs it');
        });
    }
});
