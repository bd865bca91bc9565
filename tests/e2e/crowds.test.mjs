// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How many sockets and how much memory a client without any right can occupy, and whether others are kept out. The figures in
// doc/reliability.md are those that this file prints; it counts bytes and connections, not time.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { countDescriptors, openCrowd, residentBytes, settle } from './lib/crowd.mjs';
import { assertDeviceAnswer } from './lib/judge.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, deadline_ms, exchange } from './lib/wire.mjs';

const slowModules = fileURLToPath(new URL('../bench/slow.py', import.meta.url));
const MiB = 1024 * 1024;
const text = (first, lines = [], body = '') => `${first} HTTP/1.1\r\n${['Host: h', ...lines].join('\r\n')}\r\n\r\n${body}`;
const ask = (address, request) => exchange({ address, segments: [Buffer.from(request, 'latin1')] });
const status = (server) => ask(server.adminAddress, text('GET /api/v1/status', [`Authorization: Bearer ${server.token}`, 'Connection: close']));

describe('silent sockets:', () => {
    test('4,300 silent sockets do not block a module, and 4,300 with half a head do not either', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        await scene.makePackage();
        for (const first of ['', 'GET /upgra']) {
            const crowd = await openCrowd(t, server.device, 4300, first);
            for (let i = 0; i < 10; i++)
                assert.equal((await scene.module().ask()).status, 200);
            assert.ok(crowd.filter((peer) => peer.closed).length >= 100, 'the oldest have gone');
            crowd.forEach((peer) => peer.hangUp());
        }
        const told = server.log('connections-dropped');
        assert.ok(told.length >= 1 && told.length <= 4, `${told.length} lines in the log`);
        assert.ok(told.every((line) => Number(line.count) >= 1 && line.listener === 'device'));
    });
    test('200 of them do not block the admin', async (t) => {
        const server = await startServer(t);
        for (const first of ['', 'GET /api/v1/st', text('POST /api/v1/products', ['Content-Length: 100'])]) {
            const crowd = await openCrowd(t, server.adminAddress, 200, first);
            for (let i = 0; i < 10; i++)
                assert.equal((await status(server)).status, 200);
            crowd.forEach((peer) => peer.hangUp());
        }
    });
    test('a slow body does not keep its place either', async (t) => {
        const server = await startServer(t, { config: { max_device_connections: 40 } });
        const scene = await Scene.build(server);
        await scene.makePackage();
        await openCrowd(t, server.device, 100, text('POST /api/site/turnkey_fota_result', ['Content-Length: 4000'], '{'));
        for (let i = 0; i < 10; i++)
            assert.equal((await scene.module().ask()).status, 200);
    });
});

describe('bodies:', { skip: process.env.DFOTA_SANITIZED ? 'sanitizers take their own' : false }, () => {
    const body = Buffer.alloc(256 * 1024, 'AT\r\nOK\r\n');
    const post = (path) => text(`POST ${path}`, [`Content-Length: ${body.length}`, 'Content-Type: text/plain']);

    test('4,000 sockets that post 256 KB to unknown links are refused by their heads', async (t) => {
        const server = await startServer(t);
        await ask(server.device, text('GET /nothing'));
        const earlier = residentBytes(server.process.pid);
        const crowd = await openCrowd(t, server.device, 4000, (i) => post(`/d/unknown${i}/report`));
        assert.equal(await settle(crowd, deadline_ms), 4000);
        const grown = residentBytes(server.process.pid) - earlier;
        t.diagnostic(`4,000 posts of 256 KB to unknown links: ${(grown / MiB).toFixed(1)} MiB`);
        assert.ok(grown < 32 * MiB, `${grown} bytes`); // 8 KiB for each connection that is open at once, and no body
        for (const peer of crowd)
            assert.equal(peer.answer.status, 404);
    });
    test('bodies to a known link share one memory budget', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        await scene.makePackage();
        const path = new URL((await scene.createLink(scene.module())).report_url).pathname;
        const earlier = residentBytes(server.process.pid);
        const crowd = await openCrowd(t, server.device, 500, post(path));
        await poll('the rest is refused', () => crowd.filter((peer) => peer.closed).length >= 500 - 64);
        const waiting = crowd.filter((peer) => !peer.closed);
        assert.ok(crowd.filter((peer) => peer.closed).every((peer) => peer.answer.status === 503 &&
            /too many bodies/.test(peer.answer.json.msg) && assertDeviceAnswer(peer.answer)));
        await Promise.all(waiting.map((peer) => peer.send(body.subarray(0, body.length - 1))));
        const grown = residentBytes(server.process.pid) - earlier;
        t.diagnostic(`500 posts of 256 KB to a known link, ${waiting.length} taken: ${(grown / MiB).toFixed(1)} MiB`);
        assert.ok(waiting.length > 0 && grown < 32 * MiB, `${waiting.length}, ${grown} bytes`);
        assert.equal((await scene.module().ask()).status, 200, 'modules go on');
        await Promise.all(waiting.map((peer) => peer.send(body.subarray(0, 1))));
        await Promise.all(waiting.map((peer) => peer.over));
        assert.ok(waiting.every((peer) => peer.answer.status === 200 || peer.answer.status === 422),
            [...new Set(waiting.map((peer) => peer.answer.status))].join());
        assert.equal((await server.logged('bodies-refused')).length, 1, 'once a minute');
    });
});

describe('descriptors:', () => {
    test('at a hard limit of 1,024 the connection limits are lowered at start, and admin and modules are served', async (t) => {
        const server = await startServer(t, { wrapper: ['prlimit', '--nofile=1024:1024'] });
        const [line] = server.log('descriptors-few');
        assert.equal(line.limit, '1024');
        const most = Number(line.max_device_connections);
        assert.ok(most >= 200 && most < 400, line.raw);
        const scene = await Scene.build(server);
        await scene.makePackage();
        await openCrowd(t, server.device, 1500);
        await openCrowd(t, server.adminAddress, 200);
        assert.equal((await scene.module().ask()).status, 200);
        assert.equal((await status(server)).status, 200);
        assert.ok(countDescriptors(server.process.pid) < 900, 'some are left');
        assert.equal(server.log('accept-failed').length, 0);
    });
    test('if none is left to accept with, this is logged once and the oldest connection is closed', async (t) => {
        const server = await startServer(t, { config: { loops: 1 } });
        const scene = await Scene.build(server);
        await scene.makePackage();
        execFileSync('prlimit', ['--pid', String(server.process.pid), '--nofile=100:100']);
        await openCrowd(t, server.device, 120);
        await poll('it is told', () => server.log('accept-failed').length > 0);
        assert.match(server.log('accept-failed')[0].error, /open files/);
        assert.equal((await ask(server.device, text('GET /nothing'))).status, 404);
        assert.equal(server.log('accept-failed').length, 1);
    });
    for (const [what, size] of [['that is being sent', 600_000], ['that waits in the kernel for a slow module', 150_000]])
        test(`a package ${what} takes one, and counts against the limit`, async (t) => {
            const most = 20;
            const server = await startServer(t, { config: { loops: 1, max_device_connections: most, max_admin_connections: most / 2 } });
            const scene = await Scene.build(server, { kind: 'noise', size, limit: 16_000_000 });
            await scene.makePackage();
            assert.equal((await scene.module().ask()).status, 200);
            await poll('its transfer is over', () => server.log('transfer-over').length === 1);
            const earlier = countDescriptors(server.process.pid);
            const { product, firmware, versions } = scene;
            const path = `/api/site/firmware_upgrade?project_key=${product}&firmware_name=${firmware}&version=${versions[0]}&imei=`;
            const { host, port } = server.device;
            const slow = spawn('python3', [slowModules, host, port, path, 866_000_000_001_000, most, 0].map(String),
                { stdio: ['pipe', 'pipe', 'inherit'] });
            const ended = once(slow, 'close');
            t.after(() => slow.kill());
            assert.deepEqual(await once(createInterface({ input: slow.stdout }), 'line'), [`open ${most}`]);
            const next = scene.module();
            let served = 1;
            await poll('all places are taken', async () => {
                const answer = await next.ask();
                served += answer.status === 200 ? 1 : 0;
                return answer.status === 503;
            });
            assert.equal((await status(server)).status, 200, 'the admin has places of its own');
            const taken = countDescriptors(server.process.pid) - earlier;
            assert.ok(taken < 1.5 * most, `${taken} descriptors for ${most} packages`);
            assert.equal((await server.logged('transfer-over', served)).length, served, 'the slow ones are not over');
            slow.stdin.end();
            await ended;
            await poll('there is room', async () => (await next.ask()).status === 200);
        });
    test('a package that is acknowledged takes no place: quick modules, one after the other', async (t) => {
        const server = await startServer(t, { config: { loops: 1, max_device_connections: 4 } });
        const scene = await Scene.build(server);
        await scene.makePackage();
        for (let i = 0; i < 40; i++)
            assert.equal((await scene.module().ask()).status, 200);
    });
});

describe('a peer that reads too slowly', () => {
    test('is cut off, and this is logged', async (t) => {
        const server = await startServer(t, { config: { idle_timeout_ms: 400, transfer_stall_ms: 400, least_rate: 1_000_000, loops: 1 } });
        const scene = await Scene.build(server, { kind: 'noise', size: 8_000_000, limit: 16_000_000 });
        await scene.makePackage();
        const [peer] = await openCrowd(t, server.device, 1);
        peer.socket.pause();
        await peer.send(buildRequest(scene.module().target));
        await poll('it is cut off', () => server.log('transfer-over').length > 0);
        assert.equal(server.log('transfer-over')[0].state, 'interrupted');
    });
});

describe('an unusual request target is understood:', () => {
    let server, scene;
    before(async () => {
        server = await startServer(null, { keep: true });
        scene = await Scene.build(server);
        await scene.makePackage();
    });
    after(() => server?.dispose());

    const forms = {
        'absolute': (target) => `http://fota.example:8080${target}`,
        'absolute, in capitals': (target) => `HTTP://FOTA.EXAMPLE${target}`,
        'absolute, https': (target) => `https://fota.example${target}`,
        'a slash before ?': (target) => target.replace('?', '/?'),
        'both': (target) => `http://h${target.replace('?', '/?')}`,
    };
    for (const [name, change] of Object.entries(forms)) {
        test(`${name}: the dialect`, async () => {
            for (const form of ['LuatOS libfota2', 'libfota2 at /upgrade', 'Air724UG']) {
                const module = scene.module({ form });
                assert.ok([200, 206].includes((await module.ask({ target: change(module.target) })).status), form);
            }
        });
        test(`${name}: the query directly after the path`, async () => {
            const module = scene.module({ form: 'libfota2 glued to /upgrade' });
            assert.equal((await module.ask({ target: change(module.target) })).status, 200);
            assert.equal((await module.ask({ target: change(module.target).replace('/upgrade', '/upgrade/') })).status, 200);
        });
        test(`${name}: libfota3 and its result`, async () => {
            const target = change(`/api/site/turnkey_fota?project_key=nobody`);
            assert.deepEqual((await ask(server.device, text(`GET ${target}`))).json.code, 25);
            const result = change('/api/site/turnkey_fota_result?fota_sn=none&result_code=0');
            assert.match((await ask(server.device, text(`POST ${result}`, ['Content-Length: 0']))).json.msg, /fota_sn/);
        });
    }
    test('links', async () => {
        let made;
        for (const change of [(path) => `${path}/`, (path) => `${path}/?x=1`, (path) => `http://h${path}`, (path) => `http://h${path}/`]) {
            made = await scene.createLink(scene.module()); // each offers once a day
            const target = change(new URL(made.url).pathname);
            assert.equal((await scene.module().ask({ target })).status, 200, target);
        }
        const report = `http://h${new URL(made.report_url).pathname}/`;
        assert.equal((await ask(server.device, text(`POST ${report}`, ['Content-Length: 18'], '{"version":"1001"}'))).status, 200);
    });
    test('an absolute URL, for the admin API', async () => {
        const lines = [`Authorization: Bearer ${server.token}`, 'Connection: close'];
        assert.equal((await ask(server.adminAddress, text('GET http://localhost:8081/api/v1/status', lines))).status, 200);
        assert.equal((await ask(server.adminAddress, text('GET http://localhost:8081/nothing', lines))).status, 404);
        assert.equal((await ask(server.adminAddress, text('GET http://localhost:8081', lines))).status, 302); // to the console
    });
});

describe('when the server stops', () => {
    test('bytes that the kernel still holds for a peer get the same ten seconds', async (t) => {
        const server = await startServer(t, { config: { loops: 1 } });
        const scene = await Scene.build(server, { kind: 'noise', size: 200_000 });
        await scene.makePackage();
        const module = scene.module();
        const [peer] = await openCrowd(t, server.device, 1);
        peer.socket.pause();
        await peer.send(buildRequest(module.target));
        await poll('it is being sent', async () => (await scene.record(module))?.attempts[0]?.state === 'sending');
        const ended = server.ended;
        server.process.kill('SIGTERM');
        await poll('it stops', () => server.log('stop').length > 0);
        await new Promise((next) => setTimeout(next, 2000)); // how long the peer does not read is what is being sent
        peer.socket.resume();
        assert.deepEqual(await ended, { code: 0, signal: null });
        await server.start();
        assert.equal((await scene.record(module)).attempts[0].state, 'delivered');
        assert.equal(server.log('connections-cut').length, 0);
    });
});
