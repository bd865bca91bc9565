// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// TLS by dfotad itself: what modules and admins get, which versions are spoken, certificates and their reload, and peers
// that never finish.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';

import { Authority } from './lib/certificate.mjs';
import { assertRun, run } from './lib/ctl.mjs';
import { firmwareImage } from './lib/firmware.mjs';
import { assertDeviceAnswer, bareRefusal } from './lib/judge.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';
import { buildRequest, parseAnswer } from './lib/wire.mjs';

const authority = new Authority();
const good = authority.issue('good', { serial: 1 });
const ca = readFileSync(authority.file);

// A server with TLS on both listeners; server.tls has the ports.
async function begin(t, config = {}, options = {}) {
    const server = await startServer(t, { ...options, config: {
        device_tls_listen: '127.0.0.1:0', device_tls_cert: good.cert, device_tls_key: good.key,
        admin_tls_listen: '127.0.0.1:0', admin_tls_cert: good.both, ...config } });
    server.tls = Object.fromEntries((await server.logged('listening-tls', 2)).map((l) => [l.listener, Number(l.address.split(':').at(-1))]));
    return server;
}

const connect = (port, options = {}) => new Promise((done, failed) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca, allowHalfOpen: true, ...options }, () => done(socket)).on('error', failed);
});

// One exchange of a module over TLS, as exchange() of wire.mjs makes it over TCP; judged by the same rules.
async function ask(port, target, { range = null, version = 'TLSv1.2', judge = true, from } = {}) {
    const request = buildRequest(target, { range });
    const socket = await connect(port, { minVersion: version, maxVersion: version, localAddress: from });
    assert.equal(socket.getProtocol(), version);
    const chunks = [];
    const closed = await new Promise((done) => {
        socket.on('data', (bytes) => chunks.push({ at: 0, bytes })).on('end', () => done('fin')).on('error', () => done('reset'));
        socket.write(request);
    });
    socket.destroy();
    const answer = parseAnswer({ chunks, closed, method: 'GET', sent: request });
    return judge ? assertDeviceAnswer(answer) : answer;
}

describe('with one server', () => {
    let server, scene;
    before(async () => {
        server = await begin(null, {}, { keep: true });
        scene = await Scene.build(server, { kind: 'noise', size: 400_000, limit: 16_000_000 });
        await scene.makePackage();
    });
    after(() => server?.dispose());

    for (const version of ['TLSv1.2', 'TLSv1.3'])
        test(`a module gets its package over ${version}, and it is handed over, not delivered`, async () => {
            const module = scene.module();
            const answer = await ask(server.tls.device, module.target, { version });
            assert.equal(answer.status, 200);
            assert.ok(answer.body.equals(await scene.content()));
            const attempt = await scene.awaitAttempt(module, 'handed_over');
            assert.deepEqual([attempt.bytes_acked, attempt.delivered_at], [answer.body.length, null]);
        });

    test('a cut download is resumed, and a refused resume is the bare head', async () => {
        const module = scene.module();
        const socket = await connect(server.tls.device);
        socket.write(buildRequest(module.target));
        await new Promise((done) => socket.once('data', done));
        socket.destroy();
        const rest = await ask(server.tls.device, module.target, { range: 1000 });
        assert.equal(rest.status, 206);
        assert.ok(rest.body.equals((await scene.content()).subarray(1000)));
        const refused = await ask(server.tls.device, scene.module().target, { range: 1000 });
        assert.equal(refused.raw.toString('latin1'), bareRefusal);
    });

    test('the plain listener works beside it, and the address of the peer is known', async () => {
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        const other = scene.module();
        await ask(server.tls.device, other.target, { from: '127.0.0.9' });
        assert.match(JSON.stringify((await scene.record(other)).origins ?? await scene.record(other)), /127\.0\.0\.9/);
    });

    test('versions before TLS 1.2, and plain HTTP, are refused', async () => {
        for (const version of ['TLSv1', 'TLSv1.1'])
            await assert.rejects(connect(server.tls.device, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
                /alert protocol version|handshake failure|EPROTO/i);
        const plain = net.connect({ host: '127.0.0.1', port: server.tls.device }, () => plain.write('GET / HTTP/1.1\r\n\r\n'));
        const got = [];
        plain.on('data', (bytes) => got.push(bytes)).on('error', () => {});
        await new Promise((done) => plain.on('close', done));
        assert.doesNotMatch(Buffer.concat(got).toString('latin1'), /HTTP/);
        await server.logged('tls-failed', 1, ({ reason }) => /http request/i.test(reason));
    });

    test('dfotactl uploads, and the console and live events work', async () => {
        const url = `https://127.0.0.1:${server.tls.admin}`;
        const env = { DFOTA_URL: url, DFOTA_TOKEN: server.token, SSL_CERT_FILE: authority.file };
        const dir = mkdtempSync(join(tmpdir(), 'dfota-tls-'));
        const image = firmwareImage({ seed: 9, size: 3_000_000 });
        writeFileSync(join(dir, 'lamp_1103.1.1_LuatOS-SoC_EC718.bin'), image);
        assertRun(await run(['product', 'add', 'Lamps', '--key', 'lamps'], { env }), 0);
        assertRun(await run(['-p', 'lamps', 'image', 'upload', join(dir, 'lamp_1103.1.1_LuatOS-SoC_EC718.bin')], { env }), 0, { err: /.*/ });
        assertRun(await run(['-p', 'lamps', 'image', 'get', 'lamp_LuatOS-SoC_EC718', '1103.1.1', join(dir, 'got')], { env }), 0);
        assert.ok(readFileSync(join(dir, 'got')).equals(image));
        rmSync(dir, { recursive: true });
        const get = (path, headers = {}) => new Promise((done, failed) => https.get(`${url}${path}`, { ca, agent: false, headers }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c)).on('end', () => done({ response, text: Buffer.concat(chunks).toString() }));
        }).on('error', failed));
        assert.match((await get('/console/')).text, /<html/i);
        await new Promise((done, failed) => {
            const request = https.get(`${url}/api/v1/events`, { ca, agent: false, headers: { Authorization: `Bearer ${server.token}` } }, (response) => {
                let text = '';
                server.createProduct('live').catch(failed);
                response.setEncoding('utf8').on('data', (more) => {
                    text += more;
                    if (text.includes('product-added'))
                        request.destroy(), done();
                });
            }).on('error', () => {});
        });
    });

    test('a request in pieces of one byte, one record each, is answered', async () => {
        const socket = await connect(server.tls.device, { noDelay: true });
        const chunks = [];
        socket.on('data', (bytes) => chunks.push(bytes));
        for (const byte of buildRequest(scene.module().target))
            socket.write(Buffer.from([byte]));
        await new Promise((done) => socket.on('end', done));
        socket.destroy();
        assert.match(Buffer.concat(chunks).subarray(0, 20).toString('latin1'), /^HTTP\/1\.1 200 OK/);
    });

    test('64 modules at once get their packages', async () => {
        const content = await scene.content();
        const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
            ask(server.tls.device, scene.module().target, { version: i % 2 ? 'TLSv1.2' : 'TLSv1.3' })));
        assert.ok(answers.every((answer) => answer.body.equals(content)));
    });
});

describe('a certificate', () => {
    const serialAt = async (port) => {
        const socket = await connect(port);
        const { serialNumber } = socket.getPeerCertificate();
        socket.destroy();
        return Number.parseInt(serialNumber, 16);
    };

    test('is replaced by a reload, and a download that is under way goes on', async (t) => {
        const dir = mkdtempSync(join(tmpdir(), 'dfota-tls-'));
        t.after(() => rmSync(dir, { recursive: true, force: true }));
        const [cert, key] = [join(dir, 'cert'), join(dir, 'key')];
        const install = (from) => { copyFileSync(from.cert, cert); copyFileSync(from.key, key); };
        install(good);
        const server = await begin(t, { device_tls_cert: cert, device_tls_key: key });
        const scene = await Scene.build(server, { kind: 'noise', size: 3_000_000, limit: 16_000_000 });
        await scene.makePackage();
        const content = await scene.content();
        const socket = await connect(server.tls.device);
        const chunks = [];
        socket.write(buildRequest(scene.module().target));
        await new Promise((done) => socket.once('readable', done));
        assert.equal(await serialAt(server.tls.device), 1);

        install(authority.issue('second', { serial: 2 }));
        server.process.kill('SIGHUP');
        await server.logged('reloaded');
        await poll('the new certificate is shown', async () => await serialAt(server.tls.device) === 2);
        socket.on('data', (bytes) => chunks.push(bytes));
        await new Promise((done) => socket.on('end', done));
        socket.destroy();
        const raw = Buffer.concat(chunks);
        assert.ok(raw.subarray(raw.indexOf('\r\n\r\n') + 4).equals(content));

        // A key that does not fit: nothing is changed.
        copyFileSync(good.key, key);
        server.process.kill('SIGHUP');
        const [line] = await server.logged('reload-failed');
        assert.match(line.error, /device_tls_cert: the key in .* does not belong to the first certificate in /);
        assert.equal(await serialAt(server.tls.device), 2);
    });

    test('that cannot be used is a clear error at start, also with --check-config', () => {
        const empty = join(authority.dir, 'no-pem');
        writeFileSync(empty, 'hello\n');
        const locked = join(authority.dir, 'locked.key');
        execFileSync('openssl', ['ec', '-aes128', '-passout', 'pass:secret', '-in', good.key, '-out', locked], { stdio: 'pipe' });
        const other = authority.issue('another');
        const cases = [
            [[], /admin_tls_listen needs a certificate: set admin_tls_cert/],
            [['--admin-tls-cert', '/missing'], /admin_tls_cert: cannot read \/missing: No such file/],
            [['--admin-tls-cert', empty], /no-pem has no usable certificate in PEM/],
            [['--admin-tls-cert', good.cert], /good\.pem has no usable private key in PEM without a password/],
            [['--admin-tls-cert', good.cert, '--admin-tls-key', locked], /locked\.key has no usable private key in PEM without a password/],
            [['--admin-tls-cert', good.cert, '--admin-tls-key', other.key], /the key in .*another\.key does not belong to the first certificate in .*good\.pem/],
        ];
        for (const [options, expected] of cases)
            for (const action of [['--check-config'], ['--data-dir', join(authority.dir, 'data'), '--device-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0']]) {
                const { status, stdout, stderr } = spawnSync(join(buildDir, 'dfotad'), [...action, '--admin-tls-listen', '127.0.0.1:0', ...options], { encoding: 'utf8', timeout: 20_000 });
                assert.notEqual(status, 0);
                assert.match(stderr, expected, stdout);
                assert.doesNotMatch(stderr, /secret|PRIVATE/);
            }
    });

    test('that has expired or ends soon, and a key that others can read, are warnings; the status has the end', async (t) => {
        const expired = authority.issue('expired', { days: -1 }), soon = authority.issue('soon', { days: 10 });
        chmodSync(soon.key, 0o644);
        const server = await begin(t, { device_tls_cert: soon.cert, device_tls_key: soon.key, admin_tls_cert: expired.both });
        assert.equal((await server.logged('certificate-ends'))[0].listener, 'device');
        assert.equal((await server.logged('certificate-key-exposed'))[0].file, soon.key);
        assert.equal((await server.logged('certificate-expired'))[0].listener, 'admin');
        const { tls: shown } = (await server.admin('GET', '/status', null, { expect: 200 })).json;
        assert.ok(shown.admin_certificate_ends_at < Date.now());
        const { next } = (await server.admin('GET', '/overview', null, { expect: 200 })).json;
        assert.deepEqual(next.filter(({ kind }) => kind === 'certificate').map(({ name }) => name), ['device_tls_cert', 'admin_tls_cert']);
        assert.ok(Math.abs(shown.device_certificate_ends_at - Date.now() - 10 * 86_400_000) < 3_600_000);
    });
});

describe('a peer that does not finish', () => {
    const open = (port, from) => new Promise((done, failed) => {
        const socket = net.connect({ host: '127.0.0.1', port, localAddress: from }, () => done(socket)).on('error', failed);
        socket.ended = new Promise((ended) => socket.on('close', ended));
        socket.on('error', () => {}).resume();
    });

    test('its handshake, is closed after head_timeout_ms', { timeout: 60_000 }, async (t) => {
        const server = await begin(t, { head_timeout_ms: 1500 });
        const silent = await open(server.tls.device), cut = await open(server.tls.device);
        cut.write(Buffer.from('1603010200010001fc0303', 'hex')); // the first bytes of a ClientHello
        const noise = await open(server.tls.device);
        noise.write(Buffer.alloc(3000, 0xff));
        await Promise.all([silent.ended, cut.ended, noise.ended]);
        const idle = await connect(server.tls.device); // the gate closes a connection without a head
        await new Promise((done) => idle.on('end', done).resume());
        idle.destroy();
    });

    test('handshakes, many times, leaves room for others', async (t) => {
        const server = await begin(t, { max_device_connections: 40 });
        const scene = await Scene.build(server);
        await scene.makePackage();
        const crowd = await Promise.all(Array.from({ length: 100 }, () => open(server.tls.device, '127.0.0.2')));
        assert.equal((await ask(server.tls.device, scene.module().target)).status, 200);
        assert.equal((await ask(server.tls.device, scene.module().target, { from: '127.0.0.2' })).status, 200);
        await poll('the oldest are closed', () => crowd.filter((socket) => socket.closed).length >= 80);
        const open_files = execFileSync('sh', ['-c', `ls /proc/${server.process.pid}/fd | wc -l`], { encoding: 'utf8' });
        assert.ok(Number(open_files) < 150, open_files);
        crowd.forEach((socket) => socket.destroy());
    });

    test('handshakes until there are no descriptors, costs no processor time, and is survived', { timeout: 60_000 }, async (t) => {
        const server = await begin(t, {}, { wrapper: ['sh', '-c', 'ulimit -n 300; exec "$0" "$@"'] });
        const scene = await Scene.build(server);
        await scene.makePackage();
        const used = readdirSync(`/proc/${server.process.pid}/fd`).length;
        execFileSync('prlimit', ['--pid', String(server.process.pid), `--nofile=${used + 5}:300`]);
        const crowd = await Promise.all(Array.from({ length: 20 }, () => open(server.tls.device)));
        const ticks = () => readFileSync(`/proc/${server.process.pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, n) => sum + Number(n), 0);
        const before = ticks();
        await new Promise((done) => setTimeout(done, 1500));
        assert.ok(ticks() - before < 50, `${ticks() - before} ticks of 10 ms in 1.5 s`);
        crowd.forEach((socket) => socket.destroy());
        await poll('the next is answered', async () => (await ask(server.tls.device, scene.module().target).catch(() => null))?.status === 200);
    });

    test('closing, does not cut the package of a slow module', { timeout: 60_000 }, async (t) => {
        const server = await begin(t, { max_device_connections: 32 });
        const scene = await Scene.build(server, { kind: 'noise', size: 150_000, limit: 16_000_000 });
        await scene.makePackage();
        const module = scene.module();
        const slow = spawn('python3', ['-c', `import socket, ssl, sys
plain = socket.socket()
plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
plain.connect(('127.0.0.1', ${server.tls.device}))
peer = ssl.create_default_context(cafile='${authority.file}').wrap_socket(plain, server_hostname='127.0.0.1')
peer.sendall(sys.argv[1].encode())
got = len(peer.recv(1000))
print(got, flush=True)
sys.stdin.readline()
while part := peer.recv(4096): got += len(part)
print(got, flush=True)`, buildRequest(module.target).toString()]);
        let said = '';
        slow.stdout.on('data', (bytes) => { said += bytes; });
        slow.stderr.on('data', (bytes) => { said += bytes; });
        await poll('the download has begun', () => said.includes('\n'));
        await scene.awaitAttempt(module, 'handed_over'); // its last bytes are in the kernel
        const crowd = [];
        for (let i = 0; i < 40; i += 1) {
            const socket = await connect(server.tls.device);
            crowd.push(socket);
            await new Promise((done) => {
                socket.on('error', done).on('end', done).resume();
                socket.write('GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n'); // and it never closes
            });
        }
        slow.stdin.write('\n');
        await new Promise((done) => slow.on('close', done));
        const whole = (await scene.content()).length;
        assert.ok(Number(said.trim().split('\n').at(-1)) > whole, said);
        crowd.forEach((socket) => socket.destroy());
    });

    test('reading its answer, is cut after idle_timeout_ms, and nothing is left', async (t) => {
        const server = await begin(t, { idle_timeout_ms: 2000 });
        const scene = await Scene.build(server, { kind: 'noise', size: 6_000_000, limit: 16_000_000 });
        await scene.makePackage();
        assert.equal((await ask(server.tls.device, scene.module().target)).status, 200); // the package in memory keeps a descriptor
        const files = () => Number(execFileSync('sh', ['-c', `ls /proc/${server.process.pid}/fd | wc -l`], { encoding: 'utf8' }));
        const before = files();
        const module = scene.module();
        const socket = await connect(server.tls.device);
        socket.on('error', () => {});
        socket.write(buildRequest(module.target));
        await new Promise((done) => socket.once('readable', done));
        await scene.awaitAttempt(module, 'interrupted');
        await poll('all is closed', () => files() <= before);
        socket.destroy();
    });
});

test('a download goes on to its end while the server stops', async (t) => {
    const server = await begin(t);
    const scene = await Scene.build(server, { kind: 'noise', size: 3_000_000, limit: 16_000_000 });
    await scene.makePackage();
    const content = await scene.content();
    const socket = await connect(server.tls.device);
    const chunks = [];
    socket.write(buildRequest(scene.module().target));
    await new Promise((done) => socket.once('readable', done));
    const stopped = server.stop();
    await server.logged('stop');
    socket.on('data', (bytes) => chunks.push(bytes));
    await new Promise((done) => socket.on('end', done));
    socket.destroy();
    await stopped;
    const raw = Buffer.concat(chunks);
    assert.ok(raw.subarray(raw.indexOf('\r\n\r\n') + 4).equals(content));
    assert.deepEqual(server.log('connections-cut'), []);
});
