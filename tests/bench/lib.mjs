// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What the parts of load.mjs share: a server under test, the requests of devices, wrk, and tables.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startServer } from '../e2e/lib/server.mjs';

export const dir = mkdtempSync(join(tmpdir(), 'dfota-load-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

// Microseconds of processor time of these processes until now.
export const spent = (pids) => pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * tick;
}, 0);

// The resident memory of a process, in MB.
export const memory = (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// The middle of each number of several results.
export const middle = (results) => Object.fromEntries(Object.keys(results[0]).map((key) => [key, median(results.map((one) => one[key]))]));

// A table as in doc/performance.md. `columns`: [heading, (row) => text], numbers to the right.
export function printTable(columns, rows) {
    const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
    console.log();
    line(columns.map(([heading]) => heading));
    line(columns.map((_, n) => (n ? '---:' : '---')));
    for (const row of rows)
        line(columns.map(([, text]) => text(row)));
}

export const whole = (number) => Math.round(number).toLocaleString('en-US');

// No limit of the server is reached.
export const startLoadServer = (config = {}) => startServer(null, { keep: true, config: {
    max_device_connections: 4000, max_new_devices_per_day: 100_000_000, loop_guard_per_day: 100_000, ...config,
} });

// One run of wrk. The times are those of complete answers, in ms.
export function wrk({ url, script = '', connections = 64, seconds, kept = false }) {
    const lua = join(dir, 'script.lua');
    writeFileSync(lua, `${script}
${kept ? '' : 'wrk.headers["Connection"] = "close"'}
function done(summary, latency)
    io.write(string.format("\\nRESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(50),
        latency:percentile(99)))
end`);
    return new Promise((done, fail) => {
        const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}`, '-s', lua, url]);
        let out = '';
        child.stdout.on('data', (data) => { out += data; });
        child.on('close', () => {
            const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(out);
            if (!found)
                return fail(new Error(out));
            const [requests, micros, refused, broken, p50, p99] = found.slice(1).map(Number);
            return done({ requests, rate: requests / (micros / 1e6), refused, broken, p50: p50 / 1000, p99: p99 / 1000 });
        });
    });
}

// The same, with the processor time of one request.
export async function measure(pids, load) {
    const before = spent(pids);
    const result = await wrk(load);
    return { ...result, micros: (spent(pids) - before) / result.requests };
}

let fresh = 10_000_000; // no device before this number is new

// The requests of the devices of a scene, for wrk. Known devices have the numbers from 0 on.
export class Requests {
    constructor(scene) {
        this.scene = scene;
        this.changed = 0; // requests that have changed a device
    }

    path(version, n = '') {
        const { product, firmware } = this.scene;
        const id = n === '' ? '' : 866_000_000_000_000 + n;
        return `/api/site/firmware_upgrade?project_key=${product}&firmware_name=${firmware}&version=${version}&imei=${id}`;
    }

    url(path = '/') {
        const { host, port } = this.scene.server.device;
        return `http://${host}:${port}${path}`;
    }

    // wrk makes one request after the other from n, with `path` and `device` as Lua.
    #script(first, path, device) {
        return { url: this.url(), script: `local n = ${first}
function request()
    n = n + 1
    return wrk.format("GET", ${path} .. string.format("%.0f", 866000000000000 + ${device}))
end` };
    }

    // A device that is known and runs `version`. `head_bytes`: the length of its request.
    known(version, devices, head_bytes = 0) {
        const load = this.#script(0, `"${this.path(version)}"`, `(n * 7919) % ${devices}`);
        if (head_bytes)
            load.script += `\nwrk.headers["X-Padding"] = string.rep("x", ${head_bytes - 300})`;
        return load;
    }

    // A new device each time.
    fresh(version) {
        return this.#script(fresh += 10_000_000, `"${this.path(version)}"`, 'n');
    }

    // Each known device reports the other of two versions each time. Call changes() with what was done.
    changing([one, other], devices) {
        return this.#script(this.changed, `(math.floor(n / ${devices}) % 2 == 0 and "${this.path(one)}" or "${this.path(other)}")`, `n % ${devices}`);
    }

    // One check-in of the device with this number.
    async ask(version, n) {
        const answer = await fetch(this.url(this.path(version, n)));
        return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
    }
}

const sqlite = (file, sql) => execFileSync('sqlite3', [file], { input: sql, encoding: 'utf8' });

// Fills the store until the devices have the numbers from 0 to count - 1, each a copy of device 0, which has asked. The
// server is started again.
export async function copyDevices({ server, product }, count) {
    await server.stop();
    const file = join(server.dataDir, 'dfota.db');
    const copies = (table, own) => {
        const names = sqlite(file, `SELECT name FROM pragma_table_info('${table}')`).trim().split('\n');
        const key = own.id ? 'id' : 'device_id';
        return `INSERT INTO ${table} (${names.join()}) SELECT ${names.map((name) => own[name] ?? `t.${name}`).join()}
            FROM start, number, ${table} t WHERE t.${key} = model;`;
    };
    sqlite(file, `PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN;
        CREATE TEMP TABLE start AS SELECT d.id AS model, (SELECT max(id) FROM device) AS last, (SELECT count(*) FROM device e
                WHERE e.product_id = d.product_id AND e.id_kind = 'imei' AND e.device < '866000010000000') AS have
            FROM device d JOIN product p ON p.id = d.product_id
            WHERE p.product_key = '${product}' AND d.id_kind = 'imei' AND d.device = '866000000000000';
        CREATE TEMP TABLE number AS WITH RECURSIVE n(i) AS (SELECT have FROM start UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
            SELECT i FROM n WHERE i < ${count};
        ${copies('device', { id: 'last + 1 + i - have', device: "printf('%d', 866000000000000 + i)" })}
        ${copies('device_said', { device_id: 'last + 1 + i - have' })}
        ${copies('fleet_member', { device_id: 'last + 1 + i - have' })}
        ${copies('check_in_day', { device_id: 'last + 1 + i - have' })}
        UPDATE fleet_group SET devices = devices + (SELECT count(*) FROM number)
            WHERE id IN (SELECT group_id FROM fleet_member WHERE device_id = (SELECT model FROM start));
        COMMIT; PRAGMA wal_checkpoint(TRUNCATE);`);
    await server.start();
}
