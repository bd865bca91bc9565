// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The example configurations of nginx and HAProxy, with the real programs: what modules and admins get through them.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';

import { Authority } from './lib/certificate.mjs';
import { run as dfotactl } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

const find = (name) => { try { return execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`], { encoding: 'utf8' }).trim(); } catch { return null; } };
const packaged = (path) => readFileSync(new URL(`../../packaging/${path}`, import.meta.url), 'utf8');

const freePort = () => new Promise((done) => {
    const socket = net.createServer().listen(0, '127.0.0.1', () => { const { port } = socket.address(); socket.close(() => done(port)); });
});
const isOpen = (port) => new Promise((done) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => { socket.destroy(); done(true); }).on('error', () => done(false));
});

// The example with the addresses of this test. Each replacement must find its text.
function adapt(text, pairs) {
    return pairs.reduce((now, [from, to]) => {
        assert.ok(now.includes(from), from);
        return now.replaceAll(from, to);
    }, text);
}

const kinds = {
    nginx: {
        program: find('nginx'),
        write: (dir, server, port, pem) => {
            const body = adapt(packaged('nginx/dfota.conf'), [
                ['listen 80;', `listen 127.0.0.1:${port.plain};`], ['listen 443 ssl;', `listen 127.0.0.1:${port.tls} ssl;`],
                ['listen 8443 ssl;', `listen 127.0.0.1:${port.admin} ssl;`],
                ['127.0.0.1:8080;', `127.0.0.1:${server.device.port};`], ['server 127.0.0.1:8081;', `server 127.0.0.1:${server.adminAddress.port};`],
                ['/etc/ssl/dfota/device.pem', pem.cert], ['/etc/ssl/dfota/device.key', pem.key],
                ['/etc/ssl/dfota/admin.pem', pem.cert], ['/etc/ssl/dfota/admin.key', pem.key],
            ]);
            const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join('\n');
            // Compression as an admin may have it for his other sites.
            writeFileSync(join(dir, 'conf'), `daemon off; pid ${dir}/pid; error_log stderr;${process.getuid() === 0 ? ' user root;' : ''}
                events {} http { access_log off; gzip on; gzip_min_length 1; gzip_proxied any; gzip_types *;
                ${own}\n${body} }`);
            return ['-p', dir, '-c', join(dir, 'conf')];
        },
    },
    haproxy: {
        program: find('haproxy'),
        write: (dir, server, port, pem) => {
            writeFileSync(join(dir, 'conf'), adapt(packaged('haproxy/dfota.cfg'), [
                ['bind :80\n', `bind 127.0.0.1:${port.plain}\n`], ['bind :443 ', `bind 127.0.0.1:${port.tls} `], ['bind :8443 ', `bind 127.0.0.1:${port.admin} `],
                ['127.0.0.1:8080\n', `127.0.0.1:${server.device.port}\n`], ['127.0.0.1:8081 pool', `127.0.0.1:${server.adminAddress.port} pool`],
                ['/etc/ssl/dfota/device.pem', pem.both], ['/etc/ssl/dfota/admin.pem', pem.both],
            ]));
            return ['-db', '-f', join(dir, 'conf')];
        },
    },
};

// One request over TLS as a module sends it; the answer as exchange() gives it.
function exchangeTls(port, ca, bytes) {
    return new Promise((done, failed) => {
        const chunks = [];
        const socket = tls.connect({ host: '127.0.0.1', port, ca, maxVersion: 'TLSv1.2' }, () => socket.write(bytes));
        socket.on('data', (chunk) => chunks.push(chunk)).on('error', failed).on('end', () => done(Buffer.concat(chunks)));
    });
}

for (const [name, kind] of Object.entries(kinds))
    describe(`through ${name}`, { skip: kind.program ? false : `${name} is not installed` }, () => {
        const authority = new Authority();
        const pem = authority.issue('proxy');
        const port = {};
        let server, scene, proxy, dir;
        before(async () => {
            server = await startServer(null, { keep: true, config: {
                device_proxies: '127.0.0.1', admin_proxies: '127.0.0.1', public_device_url: 'http://fota.example.org' } });
            scene = await Scene.build(server, { kind: 'noise', size: 300_000, limit: 16_000_000 });
            await scene.makePackage();
            for (const use of ['plain', 'tls', 'admin'])
                port[use] = await freePort();
            dir = mkdtempSync(join(tmpdir(), 'dfota-proxy-'));
            proxy = spawn(kind.program, kind.write(dir, server, port, pem), { stdio: ['ignore', 'ignore', 'pipe'] });
            proxy.errors = '';
            proxy.stderr.on('data', (bytes) => { proxy.errors += bytes; });
            await poll('the proxy listens', async () => {
                assert.equal(proxy.exitCode, null, proxy.errors);
                return await isOpen(port.plain) && await isOpen(port.admin);
            });
        });
        after(async () => {
            proxy?.kill('SIGTERM');
            await server?.dispose();
            rmSync(dir, { recursive: true, force: true });
        });

        // Of the last row about a new product: its key, and the address of the client.
        const lastClient = async () => {
            const [row] = (await server.admin('GET', '/ledger?kind=product-added&sort=-seq&limit=1', null, { expect: 200 })).json.items;
            return [row.product, row.detail.by?.client];
        };
        const address = () => ({ host: '127.0.0.1', port: port.plain });
        const admin = (path, options = {}) => new Promise((done, failed) => https.request({
            host: '127.0.0.1', port: port.admin, ca: readFileSync(authority.file), agent: false, path: `/api/v1${path}`, ...options }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c)).on('end', () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
        }).on('error', failed).end(options.body));

        test('a module is upgraded, and its package is handed over', async () => {
            let module, answer, attempt;
            // HAProxy resets its connection as soon as it has the answer: rarely the last bytes stay without an acknowledgement.
            for (let tries = 0; attempt?.state !== 'handed_over'; tries += 1) {
                assert.ok(tries < (kind.program.endsWith('haproxy') ? 3 : 1), JSON.stringify(attempt));
                module = scene.module();
                module.address = address();
                answer = await module.ask(); // judged: length, close, case of the names, no chunks
                assert.equal(answer.status, 200);
                assert.match(answer.head.toString('latin1'), /\r\nCache-Control: no-transform\r\n/);
                attempt = await poll('the attempt has an end', async () => {
                    const [seen] = (await scene.record(module)).attempts;
                    return ['handed_over', 'interrupted'].includes(seen.state) && seen;
                });
            }
            assert.equal(attempt.delivered_at, null);
            await module.applyAndReboot(answer.body);
            assert.equal((await module.ask()).code, 27);
            assert.equal((await scene.record(module)).confirmed_version, '1002');
        });

        test('its connections to the admin listener are kept', async () => {
            const open = () => readFileSync('/proc/net/tcp', 'latin1').split('\n').map((line) => line.trim().split(/\s+/))
                .filter(([, from, , state]) => state === '01' && parseInt(from?.split(':')[1], 16) === server.adminAddress.port).map(([, , to]) => to);
            assert.equal((await admin('/status', { headers: { Authorization: `Bearer ${server.token}` } })).status, 200);
            const first = open();
            assert.ok(first.length >= 1);
            for (let i = 0; i < 10; i++)
                assert.equal((await admin('/nothing')).status, 401);
            assert.ok(open().some((to) => first.includes(to)));
        });

        test('a cut download is resumed; a resume that is refused has no body and no length', async () => {
            const module = scene.module();
            module.address = address();
            const begun = await module.ask({ cutAfter: 20_000 });
            const rest = await module.ask({ range: begun.body.length });
            assert.equal(rest.status, 206);
            assert.ok(Buffer.concat([begun.body, rest.body]).equals(await scene.content()));
            const stranger = scene.module();
            const refused = await exchange({ address: address(), segments: [buildRequest(stranger.target, { range: 5000 })] });
            const [head, ...body] = refused.raw.toString('latin1').split('\r\n\r\n');
            assert.match(head, /^HTTP\/1\.1 416 /);
            assert.match(head, /\r\nConnection: close(\r\n|$)/);
            assert.doesNotMatch(head, /content-length|transfer-encoding/i);
            assert.equal(body.join(''), '');
        });

        test('the same over TLS 1.2, as LuatOS modules ask', async () => {
            const module = scene.module();
            const raw = await exchangeTls(port.tls, readFileSync(authority.file), buildRequest(module.target, { host: 'fota.example.org' }));
            const end = raw.indexOf('\r\n\r\n') + 4;
            assert.match(raw.subarray(0, end).toString('latin1'), /^HTTP\/1\.1 200 OK\r\n/);
            assert.ok(raw.subarray(end).equals(await scene.content()));
        });

        test('dfotactl, the console and live events work, and the ledger has the address of the client', async () => {
            const env = { DFOTA_URL: `https://127.0.0.1:${port.admin}`, DFOTA_TOKEN: server.token };
            const made = await dfotactl(['--cacert', authority.file, 'product', 'add', 'Pumps', '--key', `by-${name}`], { env });
            assert.deepEqual([made.status, made.err], [0, '']);
            assert.deepEqual(await lastClient(), [`by-${name}`, '127.0.0.1']);

            const origin = `https://127.0.0.1:${port.admin}`;
            const login = await admin('/session', { method: 'POST', headers: { Origin: origin, 'Content-Type': 'application/json' },
                body: JSON.stringify({ token: server.token }) });
            const cookie = login.headers['set-cookie']?.[0] ?? `${login.status} ${login.body}`;
            assert.match(cookie, /^dfota_session=[0-9a-f]{64};.*; Secure$/);
            const session = { Cookie: cookie.split(';')[0], Origin: origin, 'X-Dfota-Console': '1', 'Content-Type': 'application/json' };
            assert.equal(JSON.parse((await admin('/session', { headers: session })).body).login, 'session');
            const change = await admin('/products', { method: 'POST', headers: session, body: JSON.stringify({ name: 'x', product_key: `console-${name}` }) });
            assert.equal(change.status, 201, change.body.toString());
            assert.equal((await admin('/products', { method: 'POST', headers: { ...session, Origin: 'https://evil.example' },
                body: JSON.stringify({ name: 'x', product_key: 'evil' }) })).status, 403);

            // A row arrives while the stream is open.
            await new Promise((done, failed) => {
                const request = https.get({ host: '127.0.0.1', port: port.admin, ca: readFileSync(authority.file), agent: false, path: '/api/v1/events',
                    headers: { Authorization: `Bearer ${server.token}` } }, (response) => {
                    response.setEncoding('utf8');
                    let text = '';
                    server.createProduct(`live-${name}`).catch(failed);
                    response.on('data', (more) => {
                        text += more;
                        if (text.includes(`live-${name}`)) {
                            request.destroy();
                            done();
                        }
                    }).on('end', () => failed(new Error(text)));
                }).on('error', (error) => error.code === 'ECONNRESET' || failed(error));
            });
        });

        test('a client cannot choose its own address', async () => {
            const { status } = await admin('/products', { method: 'POST', body: JSON.stringify({ name: 'x', product_key: `forged-${name}` }), localAddress: '127.0.0.5',
                headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json', 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.8' } });
            assert.equal(status, 201);
            assert.deepEqual(await lastClient(), [`forged-${name}`, '127.0.0.5']);
        });

        test('without dfotad a module gets no error page, not one byte', async () => {
            await server.stop();
            const module = scene.module();
            const answers = await Promise.all([null, 1000].map((range) =>
                exchange({ address: address(), segments: [buildRequest(module.target, { range })] })));
            assert.deepEqual(answers.map((answer) => answer.raw.toString('latin1')), ['', '']);
        });
    });
