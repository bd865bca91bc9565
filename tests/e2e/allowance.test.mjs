// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// When a download may begin: hours of the day, bytes of a device in a month, transfers at the same time, and the rate of the
// server. A device that is told to wait begins nothing, and gets its package later.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { program, run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest } from './lib/wire.mjs';

const ask = async (module, options = {}) => {
    const answer = await module.ask(options);
    return answer.code ?? answer.status;
};
const last = async (scene, module) => (await scene.record(module)).last_answer;
const explain = async (scene, module) => (await scene.server.admin(
    'GET', `/products/${scene.product}/explain?device=${module.idKind}:${module.id}`, null, { expect: 200 })).json;
const status = async (server) => (await server.admin('GET', '/status', null, { expect: 200 })).json.transfers;
const rows = async (scene, module) => (await scene.server.admin(
    'GET', `/ledger?kind=check-in&product=${scene.product}&device=${module.id}`, null, { expect: 200 })).json.items;

// A package that is too large for the buffers of the kernel: a client that does not read keeps the transfer running.
const large = { kind: 'noise', size: 2_000_000, limit: 4_000_000, format: 'bsdiff' };
async function prepared(server, options = {}) {
    const scene = await Scene.build(server, options);
    await scene.makePackage();
    return scene;
}

// Begins a download and reads no further than its head. finish() reads the rest and returns the body; drop() hangs up.
async function hold(module, range = null) {
    const socket = net.connect({ host: module.address.host, port: module.address.port, highWaterMark: 1024 });
    const chunks = [];
    const body = () => {
        const all = Buffer.concat(chunks);
        return all.subarray(all.indexOf('\r\n\r\n') + 4);
    };
    socket.on('error', () => {});
    socket.write(buildRequest(module.target, { range }));
    await new Promise((begun) => socket.once('data', (bytes) => {
        socket.pause();
        chunks.push(bytes);
        begun();
    }));
    socket.on('data', (bytes) => chunks.push(bytes));
    socket.pause();
    assert.match(chunks[0].toString('latin1'), range === null ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 206 /);
    return {
        drop: () => { socket.resetAndDestroy(); return body(); },
        finish: () => new Promise((done) => {
            socket.on('end', () => { socket.end(); done(body()); });
            socket.resume();
        }),
    };
}

// A range of hours around now, as minutes from now on: [60, 120] begins in an hour.
function hours(from, to, offset = 8 * 60) {
    const clock = (ms) => new Date(ms + offset * 60_000).toISOString().slice(11, 16);
    const now = Date.now(), sign = offset < 0 ? '-' : '+', size = Math.abs(offset);
    const two = (n) => String(n).padStart(2, '0');
    return `${clock(now + from * 60_000)}-${clock(now + to * 60_000)}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

describe('hours of the day', () => {
    let server;
    before(async () => { server = await startServer(null, { keep: true }); });
    after(() => server?.dispose());

    test('outside of the hours a device gets 27, with the reason on record, and the package later', async () => {
        const scene = await prepared(server);
        const module = scene.module();
        await scene.set({ hours: hours(120, 180) });
        assert.equal(await ask(module), 27);
        const why = /^at this hour no download of this firmware begins: the device waits until \d{4}-\d\d-\d\d \d\d:\d\d\+08:00$/;
        assert.match((await last(scene, module)).reason, why);
        const record = await scene.record(module);
        assert.deepEqual(record.attempts, [], 'the device waits without an attempt');
        assert.match((await rows(scene, module)).at(-1).detail.reason, why);
        const told = await explain(scene, module);
        assert.equal(told.code, 27);
        assert.match(told.reason, why);
        assert.equal(told.rules.at(-1).asks, 'may a download begin now: hours, bytes of the month, transfers that run?');
        assert.equal(await ask(module), 27);
        assert.equal((await rows(scene, module)).length, 1, 'the same answer is not recorded again');
        const outcome = (await server.admin('GET', scene.path('/outcomes'), null, { expect: 200 })).json.items[0];
        assert.equal(outcome.outcome, 'not_begun');
        await scene.set({ hours: hours(-60, 60, -210) });
        assert.equal(await ask(module), 200);
        await scene.awaitAttempt(module, 'delivered');
    });

    test('shortly before the hours a device gets 43', async () => {
        const scene = await prepared(server);
        const module = scene.module();
        await scene.set({ hours: hours(2, 180, 330) });
        assert.equal(await ask(module), 43);
        assert.match((await last(scene, module)).reason, /waits until .*\+05:30$/);
    });

    test('a download that has begun is continued outside of the hours, by Range and from its start', async () => {
        const scene = await prepared(server, large);
        const module = scene.module();
        const part = (await hold(module)).drop();
        await scene.awaitAttempt(module, 'interrupted');
        await scene.set({ hours: hours(120, 180) });
        const rest = await module.ask({ range: part.length });
        assert.equal(rest.status, 206);
        assert.deepEqual(Buffer.concat([part, rest.body]), await scene.content());
        await scene.awaitAttempt(module, 'delivered');
        assert.equal(await ask(module), 27, 'after the whole package a new download would begin');

        const restarts = scene.module();
        await scene.set({ hours: 'always' });
        (await hold(restarts)).drop();
        await scene.awaitAttempt(restarts, 'interrupted');
        await scene.set({ hours: hours(120, 180) });
        assert.equal(await ask(restarts), 200);
    });

    test('a link and libfota3 are told the same', async () => {
        const scene = await prepared(server);
        await scene.set({ hours: hours(120, 180) });
        const { module } = await scene.linkedModule();
        assert.equal(await ask(module), 27);
        assert.match((await last(scene, module)).reason, /^at this hour/);
        const other = scene.module();
        const target = `/api/site/turnkey_fota?imei=${other.id}&project_key=${scene.product}&model=pump&core_version=1001`
            + '&script_name=pump&script_version=1001';
        const answer = await other.ask({ target, judge: { kind: 'report' } });
        assert.equal(answer.status, 200);
        assert.notEqual(answer.json?.code ?? JSON.parse(answer.body).code, 0, 'it gets no URL');
    });

    test('a device that waits takes no place in a stage and no place of a canary', async () => {
        const scene = await Scene.build(server, { target: null, canary: true });
        await scene.makePackage();
        const [first, second] = [scene.module(), scene.module()];
        const made = (await server.admin('POST', scene.path('/campaigns'), {
            name: 'spring', target: '1002', stages: [{ devices: 1, min_confirmed: 1 }, { all: true }],
        }, { expect: 201 })).json;
        await server.admin('POST', scene.path(`/campaigns/${made.campaign}/start`), null, { expect: 200 });
        await scene.set({ hours: hours(120, 180) });
        assert.equal(await ask(first), 27);
        assert.match((await last(scene, first)).reason, /^at this hour/);
        await scene.set({ hours: 'always' });
        assert.equal(await ask(second), 200, 'the place is free');
        await scene.awaitAttempt(second, 'delivered');
        assert.equal(await ask(first), 27);
        assert.match((await last(scene, first)).reason, /^the campaign spring has not reached this device/);
    });

    test('hours are a range with an offset, or always', async () => {
        const scene = await Scene.build(server);
        for (const bad of ['22:00-06:00', '22:00-06:00+8', '22:00-22:00+08:00', '25:00-06:00+08:00', ''])
            assertProblem(await server.admin('PATCH', scene.path(), { hours: bad }), 422, 'invalid');
        for (const bad of [-1, 1.5, '5', 1_000_000_000_001])
            assertProblem(await server.admin('PATCH', scene.path(), { max_bytes_per_month: bad }), 422, 'invalid');
        await scene.set({ hours: '22:00-06:00+08:00', max_bytes_per_month: 5_000_000 });
        const shown = await server.firmware(scene.product, scene.firmware);
        assert.deepEqual([shown.hours, shown.max_bytes_per_month], ['22:00-06:00+08:00', 5_000_000]);
        const row = (await server.admin('GET', `/ledger?kind=firmware-set&product=${scene.product}`, null, { expect: 200 })).json.items
            .find(({ detail }) => detail.hours === '22:00-06:00+08:00');
        assert.equal(row.detail.max_bytes_per_month, 5_000_000);
    });
});

describe('bytes of a device in a month', () => {
    test('are counted over kills, and when they are used up the device gets 27 until the next month', async (t) => {
        const server = await startServer(t);
        const scene = await prepared(server);
        const { size } = await scene.package();
        const [module, other] = [scene.module(), scene.module()];
        await scene.set({ max_bytes_per_month: 2 * size - 1 });
        assert.equal(await ask(module), 200);
        await scene.awaitAttempt(module, 'delivered');
        const sent = (await scene.record(module)).traffic;
        assert.match(sent.month, /^\d{4}-\d\d$/);
        assert.ok(sent.bytes >= size, `${sent.bytes} of ${size}`);
        await server.restart({ hard: true });
        for (const each of [module, other])
            each.address = server.device;
        assert.deepEqual((await scene.record(module)).traffic, sent);
        assert.equal(await ask(module), 27);
        assert.match((await last(scene, module)).reason, new RegExp(`^the device was sent ${sent.bytes} bytes in ${sent.month}, `
            + `the package has ${size}, and max_bytes_per_month is ${2 * size - 1}: it waits until \\d{4}-\\d\\d-01 00:00\\+00:00$`));
        assert.equal((await explain(scene, module)).code, 27);
        assert.equal(await ask(other), 200, 'each device has its own bytes');
        await scene.set({ max_bytes_per_month: size - 1 });
        assert.equal(await ask(module), 21, 'such a package never fits');
        await scene.set({ max_bytes_per_month: 0 });
        assert.equal(await ask(module), 200);
    });

    test('are what was sent, not what was acknowledged as a whole', async (t) => {
        const server = await startServer(t);
        const scene = await prepared(server, large);
        const module = scene.module();
        const part = (await hold(module)).drop();
        await scene.awaitAttempt(module, 'interrupted');
        const { bytes } = (await scene.record(module)).traffic;
        assert.ok(bytes > 0 && bytes >= part.length && bytes < 2_000_000, String(bytes));
    });
});

describe('transfers at the same time', () => {
    let server, scene;
    before(async () => {
        server = await startServer(null, { keep: true, config: { max_transfers: 1 } });
        scene = await prepared(server, large);
    });
    after(() => server?.dispose());

    const idle = () => poll('no transfer runs', async () => (await status(server)).running === 0);

    test('the next device gets 43, those behind it 27, and all get the package later', async () => {
        await idle();
        const [first, second, third] = [scene.module(), scene.module(), scene.module()];
        const running = await hold(first);
        assert.deepEqual([(await status(server)).running, (await status(server)).limit], [1, 1]);
        assert.equal(await ask(second), 43);
        assert.equal((await last(scene, second)).reason,
            'as many transfers run as max_transfers allows (1): the device waits for the end of one');
        assert.equal(await ask(third), 27);
        assert.equal((await last(scene, third)).reason,
            'as many transfers run as max_transfers allows (1): the wait is long, and the device must ask again later');
        assert.equal(await ask(second), 43, 'it keeps its place');
        assert.deepEqual((await scene.record(second)).attempts, []);
        assert.equal((await rows(scene, second)).length, 1, 'the same answer is not recorded again');
        const { module: linked } = await scene.linkedModule();
        assert.equal(await ask(linked), 27);
        const bytes = await running.finish();
        assert.deepEqual(bytes, await scene.content());
        for (const module of [second, third, linked]) {
            await idle();
            assert.equal(await ask(module), 200);
            await scene.awaitAttempt(module, 'delivered');
        }
    });

    test('a download that has begun is continued beside another', async () => {
        await idle();
        const [first, second] = [scene.module(), scene.module()];
        const part = (await hold(first)).drop();
        await scene.awaitAttempt(first, 'interrupted');
        await idle();
        const running = await hold(second);
        assert.equal(await ask(first, { range: part.length }), 206);
        running.drop();
    });

    test('a device does not wait for its own transfer', async () => {
        await idle();
        const module = scene.module();
        const dead = await hold(module);
        assert.equal(await ask(module), 200);
        await scene.awaitAttempt(module, 'delivered');
        dead.drop();
    });
});

describe('the rate of the server', () => {
    test('is shared: two modules get the whole package', async (t) => {
        const server = await startServer(t, { config: { max_bytes_per_second: 400_000 } });
        const scene = await prepared(server, { kind: 'noise', size: 150_000 });
        const content = await scene.content();
        assert.ok(content.length > 100_000);
        const modules = [scene.module(), scene.module()];
        const answers = await Promise.all(modules.map((module) => module.ask()));
        for (const answer of answers)
            assert.deepEqual(answer.body, content);
        for (const module of modules)
            await scene.awaitAttempt(module, 'delivered');
        const ranged = await scene.module().ask({ range: 0 });
        assert.equal(ranged.status, 206);
        assert.deepEqual(ranged.body, content);
        const told = await status(server);
        assert.deepEqual([told.limit, told.max_bytes_per_second], [24, 400_000]);
    });

    test('limits the number of transfers, so that none is too slow for its module', async (t) => {
        const server = await startServer(t, { config: { max_bytes_per_second: 16_384 } });
        const scene = await prepared(server, { kind: 'noise', size: 150_000 });
        const [first, second] = [scene.module(), scene.module()];
        const running = await hold(first);
        assert.equal(await ask(second), 43);
        assert.equal((await last(scene, second)).reason,
            'as many transfers run as max_bytes_per_second allows (1): the device waits for the end of one');
        running.drop();
        await poll('the place is free', async () => (await status(server)).running === 0);
        const other = await hold(second);
        other.drop();
    });
});

describe('dfotactl', () => {
    test('sets and shows the limits of a firmware, and the transfers of the server', async (t) => {
        const server = await startServer(t, { config: { max_transfers: 4, max_bytes_per_second: 100_000 } });
        const scene = await prepared(server);
        const ctl = async (...words) => {
            const url = `http://${server.adminAddress.host}:${server.adminAddress.port}`;
            const done = await run([...words, '--url', url, '--product', scene.product], { env: { DFOTA_TOKEN: server.token }, command: program });
            assert.equal(done.status, 0, done.err);
            return done.out;
        };
        const set = await ctl('firmware', 'set', scene.firmware, '--hours', '22:00-06:00+08:00', '--max-bytes-per-month', '5000000');
        for (const line of [/^Hours +22:00-06:00\+08:00$/m, /^Bytes per month +5000000$/m])
            assert.match(set, line);
        assert.match(await ctl('firmware', 'set', scene.firmware, '--hours', 'always', '--max-bytes-per-month', 'none'), /^Hours +always$/m);
        assert.equal((await server.firmware(scene.product, scene.firmware)).max_bytes_per_month, 0);
        assert.match(await ctl('status'), /^Transfers running +0\n +limit +4\n +bytes per second +0\n +limit +100000$/m);
        const module = scene.module();
        await ask(module);
        await scene.awaitAttempt(module, 'delivered');
        assert.match(await ctl('device', 'show', module.id), /^Sent in +\d{4}-\d\d\n +bytes +[1-9]\d*$/m);
    });
});
