// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// SIGHUP: what a reload changes, what needs a restart, and what an error does.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

// A server with its own file; reload(text) writes the file, and waits for the line of the log.
async function begin(t, text = '') {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-reload-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'dfota.conf');
    writeFileSync(file, text);
    const server = await startServer(t, { config: { config: file } });
    const reload = async (now, event = 'reloaded') => {
        const before = server.log(event).length;
        writeFileSync(file, now);
        server.process.kill('SIGHUP');
        return (await server.logged(event, before + 1)).at(-1);
    };
    return { server, file, reload };
}

const code27 = (scene, version) => scene.module({ version }).ask();

test('keys that a reload can change are changed, and the log names them', async (t) => {
    const { server, reload } = await begin(t, 'status_27 = 404\n');
    const scene = await Scene.build(server);
    assert.equal((await code27(scene, '1002')).status, 404);
    const line = await reload('status_27 = 410\nmax_image_bytes = 1000\npublic_device_url = http://fota.example\n');
    assert.deepEqual(line.changed.split(',').sort(), ['max_image_bytes', 'public_device_url', 'status_27']);
    assert.equal((await code27(scene, '1002')).status, 410);
    assert.match((await scene.createLink(scene.module())).url, /^http:\/\/fota\.example\/d\//);
    assert.equal((await server.admin('PUT', `${scene.path('/images/1003')}`, Buffer.alloc(2000, 1))).status, 413);

    assert.equal((await reload('log_level = debug\n')).changed.includes('log_level'), true);
    assert.doesNotMatch((await scene.createLink(scene.module())).url, /fota\.example/, 'the default again');
    assert.equal((await reload('log_level = debug\n')).changed, 'nothing');
    assert.deepEqual(server.log('reload-needs-restart'), []);
});

test('for other keys the log says that they need a restart, and they stay', async (t) => {
    const { server, reload } = await begin(t);
    const limits = async () => (await server.admin('GET', '/status', null, { expect: 200 })).json.limits;
    const before = await limits();
    await reload('max_device_connections = 7\npackage_cache_bytes = 1\nloop_guard_per_day = 9\n[firmware pump]\nload_address = 0x1000\n');
    const [line] = await server.logged('reload-needs-restart');
    assert.deepEqual(line.keys.split(','), ['max_device_connections', 'package_cache_bytes', '[firmware]']);
    assert.deepEqual(await limits(), { ...before, loop_guard_per_day: 9 });
    await reload('');
    assert.equal(server.log('reload-needs-restart').length, 1, 'back to the values of the start');
});

test('an error changes nothing, and is logged with its line', async (t) => {
    const { server, file, reload } = await begin(t, 'status_27 = 404\n');
    const scene = await Scene.build(server);
    const { error } = await reload('status_27 = 410\n\nstatus_3 = 999\n', 'reload-failed');
    assert.match(error, new RegExp(`^${file}:3: status_3: `));
    rmSync(file);
    server.process.kill('SIGHUP');
    await server.logged('reload-failed', 2);
    assert.equal((await code27(scene, '1002')).status, 404);
});

test('the command line wins over the file, also in a reload', async (t) => {
    const { server, file } = await begin(t);
    writeFileSync(file, 'matrix = all\nidle_effort = best\n'); // startServer() sets both
    server.process.kill('SIGHUP');
    assert.equal((await server.logged('reloaded'))[0].changed, 'nothing');
    assert.deepEqual(server.log('reload-needs-restart'), []);
});

test('--check-config lists the keys that a reload can change', () => {
    const out = execFileSync(join(buildDir, 'dfotad'), ['--check-config'], { encoding: 'utf8' });
    assert.match(out, /^the configuration is in order\n/);
    const [, list] = out.split(/restart:\n/);
    assert.match(list, /\bpublic_device_url\b/);
    assert.doesNotMatch(list, /\bdata_dir\b/);
    assert.ok(out.split('\n').every((line) => line.length <= 80));
    const man = execFileSync('cat', [new URL('../../man/dfota.conf.5', import.meta.url).pathname], { encoding: 'utf8' });
    const [, section] = /\.SH RELOAD\n([^]*?)\.SH /.exec(man);
    const named = /^\.nf\n([^]*?)\.fi$/m.exec(section)[1].trim().split(/\s+/);
    assert.deepEqual(named, list.trim().split(/\s+/));
});

test('a service manager is told when a reload begins and when it is over', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'dfota-notify-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const path = join(dir, 'socket');
    const listener = spawn('python3', ['-u', '-c', `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True: print(s.recv(4096))`, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => listener.kill());
    let said = '';
    listener.stdout.on('data', (bytes) => { said += bytes; });
    await poll('the socket is there', () => existsSync(path));
    const server = await startServer(t, { wrapper: ['env', `NOTIFY_SOCKET=${path}`] });
    await poll('it is ready', () => /READY=1/.test(said));
    const before_us = process.hrtime.bigint() / 1000n;
    server.process.kill('SIGHUP');
    await poll('it is ready again', () => said.split('READY=1').length === 3);
    const [, at_us] = /RELOADING=1\\nMONOTONIC_USEC=(\d+)'\nb'READY=1'/.exec(said);
    assert.ok(BigInt(at_us) >= before_us, `${at_us} is before the signal, ${before_us}`);
});

test('requests go on while the configuration is reloaded many times', async (t) => {
    const { server } = await begin(t);
    const scene = await Scene.build(server);
    let over = false;
    const asking = (async () => {
        while (!over)
            assert.equal((await code27(scene, '1002')).code, 27);
    })();
    for (let i = 1; i <= 20; i += 1) {
        server.process.kill('SIGHUP');
        await server.logged('reloaded', i);
    }
    over = true;
    await asking;
});
