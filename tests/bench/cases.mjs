// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Requests per second of dfotad beside nginx, by turns: each round gives a ratio, and the table has the medians. An answer with
// code 27 has a status of 400; all other answers than the expected ones count as failed.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { poll } from '../e2e/lib/module.mjs';
import { Scene } from '../e2e/lib/scene.mjs';
import { Requests, copyDevices, dir, measure, median, printTable, startLoadServer, whole } from './lib.mjs';
import { bars } from './plot.mjs';
import { profile } from './profile.mjs';

const devices = 20_000; // known

export const cases = {
    unchanged: { text: 'a known device, told 27', goal: 0.9, path: '/constant' },
    kept: { text: 'the same, over kept connections of a proxy', goal: 0.45, path: '/constant', kept: true },
    changed: { text: 'a known device, a change stored', goal: 0.8, path: '/constant' },
    'new-devices': { text: 'a new device each time, stored', goal: 0.8, path: '/constant' },
    packages: { text: 'a package of 300 KB, attempt stored', goal: 1.2, connections: 16, path: '/package.bin' },
};

const freePort = async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
};

// nginx with one worker for each processor: a constant answer, and a file. One server closes each connection, as modules
// expect, and one keeps them.
async function startNginx(packageBytes) {
    const ports = [await freePort(), await freePort()];
    writeFileSync(join(dir, 'package.bin'), packageBytes);
    const serve = (port, timeout) => `server {
        listen 127.0.0.1:${port} reuseport; keepalive_timeout ${timeout}; keepalive_requests 1000000000;
        location = /constant { default_type application/json; return 200 '{"code":27,"msg":"already up to date"}'; }
    }`;
    writeFileSync(join(dir, 'nginx.conf'), `
        daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log; user root; worker_processes auto; worker_rlimit_nofile 20000;
        events { worker_connections 8000; }
        http { access_log ${dir}/access.log; sendfile on; tcp_nopush on; root ${dir}; ${serve(ports[0], 0)} ${serve(ports[1], 75)} }`);
    const nginx = spawn('nginx', ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'nginx.log')], { stdio: 'ignore' });
    await poll('nginx answers', async () => (await fetch(`http://127.0.0.1:${ports[0]}/constant`).catch(() => null))?.ok);
    const pids = execFileSync('pgrep', ['-P', String(nginx.pid)], { encoding: 'utf8' }).trim().split('\n');
    return { pids, url: (path, kept) => `http://127.0.0.1:${ports[kept ? 1 : 0]}${path}`, stop: () => nginx.kill() };
}

// A scene for each kind of request, and one load of it.
async function prepare(server) {
    const current = await Scene.build(server, { versions: ['1001', '1002'] });
    const old = await Scene.build(server, { versions: ['1001', '1002'], kind: 'noise', size: 300_000, limit: 1_000_000 });
    const aimless = await Scene.build(server, { versions: ['1001', '1002'], target: null });
    await old.makePackage();
    const requests = new Requests(current), packages = new Requests(old), changing = new Requests(aimless);
    for (const [one, version] of [[requests, '1002'], [changing, '1002']])
        await one.ask(version, 0);
    await copyDevices(current, devices);
    await copyDevices(aimless, devices);
    return {
        image: (await packages.ask('1001', 9_000_000)).body,
        unchanged: () => requests.known('1002', devices),
        kept: () => requests.known('1002', devices),
        changed: () => changing.changing(['1001', '1002'], devices),
        'new-devices': () => requests.fresh('1002'),
        packages: () => packages.fresh('1001'),
        changing,
    };
}

async function compare(name, server, nginx, made, { seconds, rounds }) {
    const { connections = 64, path, kept } = cases[name];
    const results = { dfota: [], nginx: [] };
    for (let n = 0; n < rounds; n += 1) {
        for (const who of n % 2 ? ['nginx', 'dfota'] : ['dfota', 'nginx']) {
            const pids = who === 'nginx' ? nginx.pids : [server.process.pid];
            const load = who === 'nginx' ? { url: nginx.url(path, kept) } : made[name]();
            const result = await measure(pids, { ...load, connections, kept, seconds });
            if (name === 'changed' && who === 'dfota')
                made.changing.changed += result.requests;
            results[who].push(result);
        }
    }
    const of = (who, field) => median(results[who].map((result) => result[field]));
    const sum = (field) => results.dfota.reduce((total, result) => total + result[field], 0);
    return {
        name, ...cases[name], ratio: median(results.dfota.map((result, n) => result.rate / results.nginx[n].rate)),
        dfota: of('dfota', 'rate'), nginx: of('nginx', 'rate'), micros: of('dfota', 'micros'), nginxMicros: of('nginx', 'micros'),
        p50: of('dfota', 'p50'), p99: of('dfota', 'p99'),
        failed: sum('broken') + (name === 'packages' ? sum('refused') : sum('requests') - sum('refused')),
    };
}

export async function measureCases(names, options) {
    const server = await startLoadServer({ max_transfers: 4000, device_proxies: '127.0.0.1', device_keep_alive_ms: 75_000 });
    let nginx;
    try {
        const made = await prepare(server);
        nginx = await startNginx(made.image);
        const rows = [], profiles = [];
        for (const name of names) {
            rows.push(await compare(name, server, nginx, made, options));
            if (options.phases)
                profiles.push(`${name}\n${await profile(name, server, made[name](), cases[name], options.seconds)}`);
        }
        printTable([
            ['requests', (row) => row.text], ['dfota, 1/s', (row) => whole(row.dfota)], ['nginx, 1/s', (row) => whole(row.nginx)],
            ['ratio', (row) => row.ratio.toFixed(2)], ['goal', (row) => row.goal], ['µs of processor time', (row) => whole(row.micros)],
            ['nginx, µs', (row) => whole(row.nginxMicros)], ['p50, ms', (row) => row.p50.toFixed(1)], ['p99, ms', (row) => row.p99.toFixed(1)],
            ['failed', (row) => row.failed],
        ], rows);
        profiles.forEach((text) => console.log(text));
        if (options.plots)
            bars('load-requests', { y: 'requests per second', series: ['dfotad', 'nginx'],
                groups: rows.map((row) => [row.text, row.dfota, row.nginx]) });
    } finally {
        nginx?.stop();
        await server.dispose();
    }
}
