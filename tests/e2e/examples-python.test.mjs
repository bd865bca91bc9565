// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// examples/poll.py and examples/mqtt-bridge.py, with a real server and a real broker (mosquitto).

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { act, fleet, path, start, takes } from './lib/campaigns.mjs';
import { FakeApi, run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { secret, signatureOf } from './lib/receiver.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../../examples');
const python = '/usr/bin/python3'; // has Debian's python3-paho-mqtt
const dir = mkdtempSync(join(tmpdir(), 'dfota-examples-'));
const file = (name, text) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
};
let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(async () => {
    await server?.dispose();
    rmSync(dir, { recursive: true, force: true });
});

describe('poll.py', () => {
    const ask = (words, { url = null, env = {}, ...more } = {}) => run([join(examples, 'poll.py'), ...words], {
        command: python, ...more,
        env: {
            DFOTA_URL: url ?? `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN_FILE: file('token', `${server.token}\n`),
            DFOTA_EVERY: '0.05', DFOTA_LIMIT: '30', ...env,
        },
    });

    test('next: nothing, and what waits for a person', async () => {
        const quiet = await Scene.build(server);
        assert.deepEqual(await ask(['next', quiet.product]), { status: 0, out: '', err: '' });
        const scene = await Scene.build(server);
        await scene.module({ version: '1000' }).ask();
        const { status, out } = await ask(['next', scene.product]);
        assert.equal(status, 1);
        assert.match(out, new RegExp(`^unknown-base\t${scene.product}/pump\t.*V1000.*upload it\n$`));
        assert.equal((await ask(['next'])).status, 1);
    });

    test('stage: waits until it is done', async () => {
        const { scene, modules, ids } = await fleet(server, 2);
        const { campaign } = await start(scene, { devices: ids, stages: [{ devices: 1 }, { all: true }] });
        const words = ['stage', scene.product, scene.firmware, String(campaign)];
        let status = null;
        const first = ask([...words, '1']).then((result) => { status = result.status; return result; });
        await takes(modules[0]);
        const { out } = await first;
        assert.equal(status, 0, out);
        assert.match(out, /^stage 2, running: .*confirmed 1/m);
        const late = await ask(words, { env: { DFOTA_LIMIT: '0.2' } });
        assert.equal(late.status, 3, late.out);
        const last = ask(words);
        await takes(modules[1]);
        assert.equal((await last).status, 0);
    });

    test('stage: paused and cancelled campaigns need a person', async () => {
        const { scene, ids } = await fleet(server, 1);
        const { campaign } = await start(scene, { devices: ids });
        const words = ['stage', scene.product, scene.firmware, 'spring'];
        await act(scene, campaign, 'pause', { reason: 'Ann looks at it' });
        const paused = await ask(words);
        assert.equal(paused.status, 1);
        assert.match(paused.out, /^stage 1, paused: .*Ann looks at it\n$/);
        await act(scene, campaign, 'cancel');
        assert.equal((await ask(words)).status, 1);
        assert.equal((await server.admin('GET', path(scene, campaign))).json.state, 'cancelled');
    });

    test('wrong calls end at once, with a sentence and without the token', async () => {
        const { scene, ids } = await fleet(server, 1);
        await start(scene, { devices: ids });
        const stage = ['stage', scene.product, scene.firmware];
        const cases = [
            [[], {}, /^Asks dfotad/], [['nest'], {}, /^Asks dfotad/], [[...stage, 'spring', '0'], {}, /^Asks dfotad/],
            [[...stage, 'winter'], {}, /no campaign|winter/], [[...stage, 'spring', '2'], {}, /has 1 stages/],
            [['next'], { env: { DFOTA_TOKEN_FILE: file('wrong', 'wrong-token-000000') } }, /token/],
            [['next'], { env: { DFOTA_TOKEN_FILE: join(dir, 'none') } }, /none: /],
            [['next'], { env: { DFOTA_TOKEN_FILE: file('two', 'a\nb') } }, /wrong/],
            [[...stage, 'spring'], { env: { DFOTA_EVERY: 'often' } }, /DFOTA_EVERY must be a number/],
            [['next'], { url: 'http://127.0.0.1:9' }, /refused/], [['next'], { url: 'nonsense' }, /unknown url type|DFOTA_URL/],
        ];
        for (const [words, options, message] of cases) {
            const { status, out, err } = await ask(words, options);
            assert.deepEqual([status, out], [2, ''], `${words} ${err}`);
            assert.match(err, message);
            assert.doesNotMatch(err, /Traceback/);
            assert.ok(!err.includes(server.token));
        }
    });

    test('stage waits for a server that is away; the token does not follow a redirect', async (t) => {
        const api = await FakeApi.start(t);
        const done = { state: 'finished', stage: 1, stages: [{}], counts: { confirmed: 1 }, paused_why: null, gate: null };
        let asked = 0;
        api.on('GET /products/p/firmware/f/campaigns/c', () => (asked += 1) < 3 ? { status: 503, body: { detail: 'not now' } } : done);
        const { status, out } = await ask(['stage', 'p', 'f', 'c'], { url: api.url });
        assert.deepEqual([status, out], [0, 'no answer: not now\nstage 1, finished: confirmed 1\n']);
        const other = await FakeApi.start(t);
        api.on('GET /overview', { status: 302, headers: { Location: `${other.url}/api/v1/overview` }, body: '' });
        assert.equal((await ask(['next'], { url: api.url })).status, 2);
        assert.deepEqual(other.requests, []);
    });
});

const freePort = () => new Promise((done) => {
    const socket = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = socket.address();
        socket.close(() => done(port));
    });
});

// A program that ends with the test; `text()` is what it has printed.
async function startProgram(t, command, words, env, ready) {
    const child = spawn(command, words, { env: { PATH: process.env.PATH, ...env } });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    for (const stream of [child.stdout, child.stderr])
        stream.on('data', (more) => { text += more; });
    await poll(`${command} has started`, () => ready.test(text) || (child.exitCode !== null && assert.fail(text)));
    return { child, text: () => text };
}

describe('mqtt-bridge.py', () => {
    const password = 'a password of the broker';
    let port, config;
    before(async () => {
        port = await freePort();
        const passwords = join(dir, 'passwords');
        execFileSync('mosquitto_passwd', ['-b', '-c', passwords, 'bridge', password], { stdio: 'ignore' });
        chmodSync(dir, 0o755);
        config = file('mosquitto.conf', `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\nlog_dest stderr\nuser root\n`);
    });
    const startBroker = (t) => startProgram(t, '/usr/sbin/mosquitto', ['-c', config], {}, /running/);
    const listen = async (t) => {
        const words = ['-h', '127.0.0.1', '-p', port, '-u', 'bridge', '-P', password, '-q', 1, '-v', '-t', 'devices/+/firmware', '-d'];
        const { text } = await startProgram(t, 'stdbuf', ['-oL', 'mosquitto_sub', ...words.map(String)], {}, /Subscribed/);
        return () => text().split('\n').filter((line) => line.startsWith('devices/'));
    };
    const startBridge = async (t) => {
        const env = {
            DFOTA_SECRET_FILE: file('secret', `${secret}\n`), LISTEN: '127.0.0.1:0', MQTT_PORT: String(port), MQTT_USERNAME: 'bridge',
            MQTT_PASSWORD_FILE: file('password', `${password}\n`),
        };
        const bridge = await startProgram(t, python, [join(examples, 'mqtt-bridge.py')], env, /^listening on \d+\n/);
        bridge.url = `http://127.0.0.1:${/on (\d+)/.exec(bridge.text())[1]}/`;
        return bridge;
    };
    const post = (url, body, headers) => new Promise((done, failed) => {
        http.request(url, { method: 'POST', headers, agent: false }, (response) => response.resume().on('end', () => done(response.statusCode)))
            .on('error', failed).end(body);
    });
    const signed = (body, timestamp = Date.now()) => ({
        'X-Dfota-Timestamp': String(timestamp),
        'X-Dfota-Signature': signatureOf(secret, { headers: { 'x-dfota-timestamp': String(timestamp) }, body }),
    });

    test('wakes a device whose package is ready, also when the broker was away', async (t) => {
        const bridge = await startBridge(t);
        const { webhook } = (await server.admin('POST', '/webhooks', { name: 'bridge', url: bridge.url, secret }, { expect: 201 })).json;
        const scene = await Scene.build(server);
        const { module, link } = await scene.linkedModule();
        assert.equal((await module.ask()).code, 43);
        await server.logged('webhook-not-delivered', 1);
        await startBroker(t);
        const woken = await listen(t);
        await poll('the device is woken', () => woken().length > 0);
        const [, topic, text] = /^devices\/(\S+)\/firmware (.*)$/.exec(woken()[0]);
        const { id, ...facts } = JSON.parse(text);
        assert.match(id, /^[0-9a-f]{32}$/);
        assert.deepEqual([topic, facts], [module.id, {
            event: 'package-ready', product: scene.product, firmware: 'pump', from: '1001', to: '1002', size: (await scene.package()).size,
        }]);
        assert.ok(![...woken(), bridge.text()].join().includes(link.url.split('/').at(-2)), 'the link stays secret');
        await server.admin('DELETE', `/webhooks/${webhook}`, null, { expect: 204 });
    });

    test('takes only what dfotad signed, and each event once', async (t) => {
        await startBroker(t);
        const bridge = await startBridge(t);
        const woken = await listen(t);
        const event = (id, device) => JSON.stringify({ id, event: 'package-ready', device, to: '2' });
        const body = event('a', 'imei:866597071234567');
        const old = Date.now() - 6 * 60_000;
        for (const [headers, sent = body] of [
            [{}], [{ ...signed(body), 'X-Dfota-Signature': 'sha256=\u00e9' }], [signed(body), `${body} `], [signed(body, old)],
            [{ ...signed(body), 'X-Dfota-Timestamp': '9'.repeat(30) }], [{ ...signed(body), 'X-Dfota-Timestamp': String(old) }],
        ])
            assert.equal(await post(bridge.url, sent, headers), 403);
        assert.equal(await post(bridge.url, 'x'.repeat(70_000), {}).catch(() => 413), 413);
        await poll('the bridge reaches the broker', async () => await post(bridge.url, body, signed(body)) === 204);
        assert.equal(await post(bridge.url, body, signed(body)), 204);
        const other = JSON.stringify({ id: 'b', event: 'stage-done', name: 'x' });
        assert.equal(await post(bridge.url, other, signed(other)), 204);
        const odd = event('c', 'uid:+/#');
        assert.equal(await post(bridge.url, odd, signed(odd)), 204);
        await poll('both have come', () => woken().length === 2);
        assert.match(woken()[0], /^devices\/866597071234567\/firmware /);
        assert.match(woken()[1], /^devices\/%2B%2F%23\/firmware /);
        assert.doesNotMatch(bridge.text(), /Traceback/);
    });
});
