// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// /metrics, /healthz, /readyz; the rules of alerts and the dashboard, with Debian's prometheus.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { fleet, start } from './lib/campaigns.mjs';
import { run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { assertProblem, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const packaging = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packaging');
const noPrometheus = spawnSync('promtool', ['--version']).status === 0 ? false : 'prometheus is not installed';

function get(server, path, { token = server.token } = {}) {
    return new Promise((done, failed) => http.get({ ...server.adminAddress, path, agent: false,
        headers: token ? { Authorization: `Bearer ${token}` } : {} }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => { body += text; }).on('end', () => done({
            status: response.statusCode, headers: response.headers, body,
            json: /json/.test(response.headers['content-type']) ? JSON.parse(body) : null,
        }));
    }).on('error', failed));
}

// All samples: `name{labels}` → number.
async function scrape(server) {
    const { status, body } = await get(server, '/metrics');
    assert.equal(status, 200, body);
    return new Map(body.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
        const [, name, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? assert.fail(line);
        return [name, Number(value)];
    }));
}

// Awaits what the database has: its numbers are up to five seconds old.
const settled = (server, wanted) => poll(JSON.stringify(wanted), async () => {
    const now = await scrape(server);
    return Object.entries(wanted).every(([name, value]) => now.get(name) === value) && now;
}, { timeout_ms: 15_000, every_ms: 200 });

test('numbers are those of what happened', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const before = await scrape(server);
    const grown = (after, name) => after.get(name) - before.get(name);
    const module = scene.module(), other = scene.module();
    assert.equal((await other.askUntilMade()).status, 200);
    const { bytes } = await module.upgrade();
    assert.equal((await module.ask()).code, 27);
    const waits = [...other.answers, ...module.answers].filter(({ code }) => code === 43).length;

    const after = await settled(server, { 'dfota_device_attempts{state="confirmed"}': 1 });
    assert.equal(grown(after, 'dfota_checkins_total{code="200"}'), 2);
    assert.equal(grown(after, 'dfota_checkins_total{code="27"}'), 1);
    assert.equal(grown(after, 'dfota_checkins_total{code="43"}'), waits);
    assert.equal(grown(after, 'dfota_checkins_total{code="other"}'), 0);
    assert.equal(grown(after, 'dfota_http_responses_total{listener="device",class="2xx"}'), 2);
    assert.equal(grown(after, 'dfota_http_responses_total{listener="device",class="4xx"}'), waits + 1);
    assert.equal(grown(after, 'dfota_checkin_duration_seconds_count'), waits + 3);
    assert.equal(after.get('dfota_checkin_duration_seconds_bucket{le="+Inf"}'), after.get('dfota_checkin_duration_seconds_count'));
    assert.ok(after.get('dfota_checkin_duration_seconds_sum') > 0);
    assert.equal(grown(after, 'dfota_http_request_duration_seconds_count{listener="device"}'), waits + 3);
    const sent = await poll('all bytes are told', async () => {
        const now = grown(await scrape(server), 'dfota_package_sent_bytes_total');
        return now >= 2 * bytes.length && now;
    });
    assert.ok(sent < 3 * bytes.length, `${sent} of ${bytes.length}`);
    assert.equal(grown(after, 'dfota_package_builds_total{result="ready"}'), 1);
    assert.equal(after.get('dfota_package_build_duration_seconds_count'), 1);
    assert.equal(after.get('dfota_packages{state="ready"}'), 1);
    assert.equal(after.get('dfota_devices'), 2);
    assert.equal(after.get(`dfota_devices_confirmed{product="${scene.product}",firmware="${scene.firmware}",version="2"}`), 1);
    assert.ok(grown(after, 'dfota_writer_tasks_total') >= 3);
    assert.equal(after.get('dfota_commit_failures_total'), 0);
    const disk = await statfs(server.dataDir);
    assert.ok(Math.abs(after.get('dfota_disk_free_bytes') - disk.bavail * disk.bsize) < 1e9);
    assert.equal(after.get('dfota_last_backup_timestamp_seconds'), 0);
    assert.ok(after.get('dfota_database_numbers_age_seconds') <= 5);

    // Ids, tokens and addresses are no labels.
    const { body } = await get(server, '/metrics');
    for (const secret of [module.id, other.id, server.token, '127.0.0.1'])
        assert.ok(!body.includes(secret), secret);
});

test('refused logins and a backup are counted; the token needs all products', async (t) => {
    const server = await startServer(t);
    await server.createProduct('pumps');
    const before = await scrape(server);
    assertProblem(await get(server, '/metrics', { token: null }), 401, 'unauthorized');
    assertProblem(await get(server, '/metrics', { token: 'wrong' }), 401, 'unauthorized');
    const { json: limited } = await server.admin('POST', '/tokens', { name: 'pumps', scope: 'read', product: 'pumps' }, { expect: 201 });
    assertProblem(await get(server, '/metrics', { token: limited.secret }), 403, 'forbidden');
    const { json: reader } = await server.admin('POST', '/tokens', { name: 'prometheus', scope: 'read' }, { expect: 201 });
    assert.equal((await get(server, '/metrics', { token: reader.secret })).status, 200);
    const after = await scrape(server);
    const grown = (name) => after.get(name) - before.get(name);
    assert.equal(grown('dfota_logins_refused_total{reason="credentials"}'), 1); // a request without a token tries none
    assert.equal(grown('dfota_http_responses_total{listener="admin",class="4xx"}'), 3);

    const dir = await mkdtemp(join(tmpdir(), 'dfota-backup-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const url = `http://${server.adminAddress.host}:${server.adminAddress.port}`;
    const made = await run(['--url', url, 'backup', dir], { env: { DFOTA_TOKEN: server.token } });
    assert.equal(made.status, 0, made.err);
    await poll('the backup is told', async () => {
        const at = (await scrape(server)).get('dfota_last_backup_timestamp_seconds');
        return Math.abs(at - Date.now() / 1000) < 60;
    }, { timeout_ms: 15_000, every_ms: 200 });
});

test('healthz and readyz need no token', async (t) => {
    const server = await startServer(t);
    for (const [path, text] of [['/healthz', 'ok\n'], ['/readyz', 'ready\n']]) {
        const { status, body, headers } = await get(server, path, { token: null });
        assert.deepEqual([status, body, headers['cache-control']], [200, text, 'no-store']);
    }
    // A flood of questions is one test of the database in five seconds.
    const tasks = async () => (await scrape(server)).get('dfota_writer_tasks_total');
    const before = await tasks();
    for (let i = 0; i < 100; i++)
        await get(server, '/readyz', { token: null });
    const more = await tasks() - before;
    assert.ok(more < 20, `${more} changes`);
});

test('a server that has lost its data is alive and not ready, and says so to Prometheus', async (t) => {
    const server = await startServer(t);
    const moved = `${server.dataDir}.moved`;
    await rename(server.dataDir, moved);
    try {
        const { body } = await poll('it is not ready', async () => {
            const answer = await get(server, '/readyz', { token: null });
            return answer.status === 503 && answer;
        }, { timeout_ms: 15_000, every_ms: 100 });
        assert.match(body, /^not ready: the database cannot be (opened|written)\n$/);
        assert.equal((await get(server, '/healthz', { token: null })).status, 200);
        const now = await settled(server, { dfota_database_readable: 0 });
        assert.ok(now.get('dfota_uptime_seconds') >= 0);
        assert.equal(now.get('dfota_devices'), undefined);
    } finally {
        await rename(moved, server.dataDir);
        await server.kill();
    }
});

test('a server that stops is not ready', async (t) => {
    const server = await startServer(t);
    // Its body keeps the server from the end until the server has answered it.
    const slow = net.connect({ ...server.adminAddress });
    slow.on('error', () => {});
    slow.write(`POST /api/v1/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\nContent-Length: 10\r\n\r\n`);
    const socket = net.connect({ ...server.adminAddress });
    let text = '';
    socket.setEncoding('utf8').on('data', (more) => { text += more; }).on('error', () => {});
    const closed = new Promise((done) => socket.on('close', done));
    socket.write('GET /readyz HTTP/1.1\r\n');
    await scrape(server);
    server.process.kill('SIGTERM');
    await server.logged('stop');
    socket.write('Host: x\r\n\r\n');
    await closed;
    slow.destroy();
    if (text) // a connection without a complete head may be closed instead
        assert.match(text, /^HTTP\/1\.1 503 [^]*not ready: the server is starting or stopping\n$/);
    await server.ended;
});

test('promtool accepts the metrics and the rules', { skip: noPrometheus }, async (t) => {
    const server = await startServer(t);
    const { body } = await get(server, '/metrics');
    execFileSync('promtool', ['check', 'metrics'], { input: body });
    for (const words of [['check', 'rules', 'dfota.rules.yml'], ['test', 'rules', 'dfota.rules.test.yml']])
        execFileSync('promtool', words, { cwd: join(packaging, 'prometheus') });
});

test('rules, dashboard and document name the metrics that there are', async (t) => {
    const server = await startServer(t);
    const { body } = await get(server, '/metrics');
    const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name, type }));
    types.push({ name: 'dfota_devices_confirmed', type: 'gauge' }); // there is none without a device
    const names = new Set(types.flatMap(({ name, type }) => type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]));
    const rules = await readFile(join(packaging, 'prometheus', 'dfota.rules.yml'), 'utf8');
    const board = JSON.parse(await readFile(join(packaging, 'grafana', 'dfota.json'), 'utf8'));
    const document = await readFile(join(packaging, '..', 'doc', 'monitoring.md'), 'utf8');
    const expressions = [...[...rules.matchAll(/^ +expr: (.*)$/gm)].map(([, text]) => text),
        ...board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
    assert.ok(expressions.length > 40);
    for (const name of [...expressions, document].flatMap((text) => text.match(/\bdfota_\w+/g) ?? []))
        assert.ok(names.has(name), `there is no ${name}`);
    for (const { name } of types)
        assert.ok(document.includes(`\`${name}\``), `the document does not have ${name}`);
    for (const [, name] of rules.matchAll(/- alert: (\S+)/g))
        assert.ok(document.includes(`\`${name}\``), `the document does not have ${name}`);
});

async function freePort() {
    const probe = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => probe.once('listening', done));
    const { port } = probe.address();
    await new Promise((done) => probe.close(done));
    return port;
}

// Debian's program, with the rules of the package. `for` is shortened: the tests of promtool have it as it is.
async function startPrometheus(t, server, token) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-prometheus-'));
    const rules = await readFile(join(packaging, 'prometheus', 'dfota.rules.yml'), 'utf8');
    const example = await readFile(join(packaging, 'prometheus', 'prometheus.yml'), 'utf8');
    await writeFile(join(dir, 'dfota.rules.yml'), rules.replaceAll(/for: \w+$/gm, 'for: 1s'));
    await writeFile(join(dir, 'token'), token, { mode: 0o600 });
    await writeFile(join(dir, 'prometheus.yml'), `global: {evaluation_interval: 1s}\n${example.replace('30s', '1s')
        .replace('/etc/prometheus/dfota.token', join(dir, 'token')).replace('127.0.0.1:8081', `127.0.0.1:${server.adminAddress.port}`)}`);
    const port = await freePort();
    const child = spawn('prometheus', [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`,
        `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'], { stdio: 'ignore' });
    const ended = new Promise((done) => child.on('close', done));
    t.after(async () => {
        child.kill('SIGKILL');
        await ended;
        await rm(dir, { recursive: true, force: true });
    });
    return async (name) => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${name}`).catch(() => null);
        return answer?.ok ? (await answer.json()).data : null;
    };
}

test('a real Prometheus raises the alerts of a broken gate and a low disk', { skip: noPrometheus }, async (t) => {
    const disk = await statfs(tmpdir());
    const server = await startServer(t, { config: { disk_reserve_bytes: Math.floor(disk.bavail * disk.bsize * 0.7) } });
    const { json: token } = await server.admin('POST', '/tokens', { name: 'prometheus', scope: 'read' }, { expect: 201 });
    const ask = await startPrometheus(t, server, token.secret);
    const firing = async (name) => (await ask('alerts'))?.alerts.find(({ state, labels }) => state === 'firing' && labels.alertname === name);
    const alert = (name) => poll(`${name} fires`, () => firing(name), { timeout_ms: 30_000, every_ms: 200 })
        .catch(async (error) => assert.fail(`${error.message}: ${JSON.stringify(await ask('query?query=dfota_campaigns_waiting'))}`));
    const low = await alert('DfotaDiskLow');
    assert.equal(low.labels.severity, 'warning');
    assert.match(low.annotations.action, /Free space/);
    assert.equal(await firing('DfotaCampaignGateBroken'), undefined);

    const { scene, modules: [module], ids } = await fleet(server, 1);
    await start(scene, { devices: ids, stages: [{ devices: 1, max_failed: 0 }] });
    await module.download();
    await scene.awaitAttempt(module, 'delivered');
    await module.ask(); // it came back with the old version
    const broken = await alert('DfotaCampaignGateBroken');
    assert.deepEqual([broken.labels.severity, broken.labels.reason, broken.labels.job], ['critical', 'gate_broken', 'dfota']);
    assert.match(broken.annotations.summary, /^A gate has paused a campaign/);
});
