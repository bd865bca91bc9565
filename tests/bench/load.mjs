// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Requests per second and processor time of dfotad beside nginx, on this machine and in one run.
//
//     node tests/bench/load.mjs [--seconds N] [--rounds N] [--phases] [CASE]...
//
// Needs wrk and nginx, as Debian has them. All traffic is on loopback. Each case is measured in rounds of a few seconds, dfotad and
// nginx by turns, and each round gives a ratio; the table has the medians. Every request has a connection of its own, as modules do.
// --phases writes a profile of dfotad with perf: how its processor time is divided.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { noiseImage } from '../e2e/lib/firmware.mjs';
import { poll } from '../e2e/lib/module.mjs';
import { Scene } from '../e2e/lib/scene.mjs';
import { startServer } from '../e2e/lib/server.mjs';

const { values: options, positionals: wanted } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '5' }, phases: { type: 'boolean' } },
});
const seconds = Number(options.seconds), rounds = Number(options.rounds);
const dir = mkdtempSync(join(tmpdir(), 'dfota-load-'));
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

// Microseconds of processor time of these processes until now.
const spent = (pids) => pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * tick;
}, 0);

const freePort = async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
};

// nginx with one worker for each processor: a constant answer, a file of 300 KB, and both listening as modules expect.
async function startNginx(package300) {
    const port = await freePort();
    writeFileSync(join(dir, 'package.bin'), package300);
    writeFileSync(join(dir, 'nginx.conf'), `
        daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log; user root; worker_processes auto; worker_rlimit_nofile 20000;
        events { worker_connections 8000; }
        http {
            access_log ${dir}/access.log; sendfile on; tcp_nopush on; keepalive_timeout 0; root ${dir};
            server {
                listen 127.0.0.1:${port} reuseport;
                location = /constant { default_type application/json; return 200 '{"code":27,"msg":"already up to date"}'; }
            }
        }`);
    const nginx = spawn('nginx', ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'nginx.log')], { stdio: 'ignore' });
    await poll('nginx answers', async () => (await fetch(`http://127.0.0.1:${port}/constant`).catch(() => null))?.ok);
    const pids = execFileSync('pgrep', ['-P', String(nginx.pid)], { encoding: 'utf8' }).trim().split('\n');
    return { pids, url: (path) => `http://127.0.0.1:${port}${path}`, stop: () => nginx.kill() };
}

// One run of wrk: requests per second, and answers that are not wanted.
function wrk(url, { connections, script }) {
    const lua = join(dir, 'script.lua');
    writeFileSync(lua, `${script ?? ''}
wrk.headers["Connection"] = "close"
function done(summary, latency)
    io.write(string.format("\\nRESULT %d %d %d %d %d\\n", summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(99)))
end`);
    return new Promise((done, fail) => {
        const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}`, '-s', lua, url]);
        let out = '';
        child.stdout.on('data', (data) => { out += data; });
        child.on('close', () => {
            const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(out);
            if (!found)
                return fail(new Error(out));
            const [requests, micros, refused, broken, p99] = found.slice(1).map(Number);
            return done({ requests, rate: requests / (micros / 1e6), refused, broken, p99 });
        });
    });
}

const cases = {
    unchanged: { text: 'a known device, told 27', limit: 0.9, connections: 64, path: '/constant' },
    'new-devices': { text: 'a new device each time, stored', limit: 0.8, connections: 64, path: '/constant' },
    packages: { text: 'a package of 300 KB, attempt stored', limit: 1.2, connections: 16, path: '/package.bin' },
};

// The path of a request of a device, with the id last.
const query = (scene, version, id = '') =>
    `/api/site/firmware_upgrade?project_key=${scene.product}&firmware_name=${scene.firmware}&version=${version}&imei=${id}`;

const imei = (n) => String(866_000_000_000_000 + n);

async function prepare(server) {
    const image = noiseImage({ seed: 1, size: 300_000 });
    const old = await Scene.build(server, { versions: ['1001', '1002'], kind: 'noise', size: 300_000, limit: 1_000_000 });
    const current = await Scene.build(server, { versions: ['1001', '1002'] });
    await old.makePackage();
    const known = 2000;
    let fresh = 1_000_000;
    const url = (path) => `http://${server.device.host}:${server.device.port}${path}`;
    for (let n = 0; n < known; n += 1)
        await fetch(url(query(current, '1002', imei(n)))).then((answer) => answer.arrayBuffer());
    const counting = (path, first, count) => `local n = ${first}
function request()
    n = n + 1
    return wrk.format("GET", "${path}" .. string.format("%.0f", 866000000000000 + n % ${count}))
end`;
    return {
        image: Buffer.from(await (await fetch(url(query(old, '1001', imei(9_000_000))))).arrayBuffer()),
        unchanged: () => ({ url: url('/'), script: counting(query(current, '1002'), 0, known) }),
        'new-devices': () => ({ url: url('/'), script: counting(query(current, '1002'), fresh += 10_000_000, 1e12) }),
        packages: () => ({ url: url('/'), script: counting(query(old, '1001'), fresh += 10_000_000, 1e12) }),
        size: image.length,
    };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function measure(name, server, nginx, made) {
    const { connections, path } = cases[name];
    const rows = [];
    for (let n = 0; n < rounds; n += 1) {
        const row = {};
        for (const who of n % 2 ? ['nginx', 'dfota'] : ['dfota', 'nginx']) {
            const pids = who === 'nginx' ? nginx.pids : [server.process.pid];
            const load = who === 'nginx' ? { url: nginx.url(path) } : made[name]();
            const before = spent(pids);
            const result = await wrk(load.url, { connections, script: load.script });
            row[who] = { ...result, micros: (spent(pids) - before) / result.requests };
        }
        rows.push(row);
    }
    const of = (who, field) => median(rows.map((row) => row[who][field]));
    return {
        name, text: cases[name].text, limit: cases[name].limit, ratio: median(rows.map((row) => row.dfota.rate / row.nginx.rate)),
        dfota: of('dfota', 'rate'), nginx: of('nginx', 'rate'), micros: of('dfota', 'micros'), nginxMicros: of('nginx', 'micros'),
        p99: of('dfota', 'p99') / 1000, broken: rows.reduce((sum, row) => sum + row.dfota.broken, 0),
        refused: rows.reduce((sum, row) => sum + row.dfota.refused, 0),
    };
}

// How the processor time of dfotad is divided in a case, by the functions of its own that the time is spent in or below.
async function profile(name, server, made) {
    const data = join(dir, `${name}.perf`);
    const perf = spawn('perf', ['record', '-q', '-F', '997', '-g', '-p', String(server.process.pid), '-o', data], { stdio: 'ignore' });
    const load = made[name]();
    await wrk(load.url, { connections: cases[name].connections, script: load.script });
    perf.kill('SIGINT');
    await once(perf, 'close');
    return execFileSync('perf', ['report', '-i', data, '--no-children', '--stdio', '-g', 'none', '--percent-limit', '0.7', '--sort', 'symbol'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter((line) => /^ +\d/.test(line)).join('\n');
}

const server = await startServer(null, { keep: true, config: {
    max_device_connections: 4000, max_transfers: 4000, max_new_devices_per_day: 0, loop_guard_per_day: 1000, log_level: 'info',
} });
try {
    const made = await prepare(server);
    const nginx = await startNginx(made.image);
    const names = wanted.length ? wanted : Object.keys(cases);
    console.log('| requests | dfota, 1/s | nginx, 1/s | ratio | goal | µs each | nginx, µs | p99, ms | refused | broken |\n|---|---|---|---|---|---|---|---|---|---|');
    for (const name of names) {
        const row = await measure(name, server, nginx, made);
        console.log(`| ${row.text} | ${row.dfota.toFixed(0)} | ${row.nginx.toFixed(0)} | ${row.ratio.toFixed(2)} | ${row.limit} | ${
            row.micros.toFixed(0)} | ${row.nginxMicros.toFixed(0)} | ${row.p99.toFixed(1)} | ${row.refused} | ${row.broken} |`);
        if (options.phases)
            console.log(await profile(name, server, made));
    }
    nginx.stop();
} finally {
    await server.dispose();
    rmSync(dir, { recursive: true, force: true });
}
