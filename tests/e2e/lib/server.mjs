// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A real dfotad from a build directory, on free ports and a fresh data directory, and its admin API.
//
//   const server = await startServer(t, { config: { max_image_bytes: 1000 } });
//   server.device, server.adminAddress    {host, port}
//   await server.admin('PUT', path, body)  → {status, headers, body, json}
//
// Everything is cleaned up when the test `t` ends: the process and the data directory. Its log is searched for
// reports of sanitizers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { checkAnswer } from './contract.mjs';
import { poll } from './module.mjs';
import { hasTexts, takeTimes } from './times.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export const buildDir = resolve(process.env.DFOTA_BUILD ?? join(here, '..', '..', '..', 'build'));

// A build that was configured with --enable-stop-points; null: there is none.
export const stopsBuildDir = [process.env.DFOTA_BUILD_STOPS, buildDir].filter(Boolean).map((dir) => resolve(dir))
    .find((dir) => existsSync(join(dir, 'dfotad')) && readFileSync(join(dir, 'dfotad')).includes('DFOTA_STOP')) ?? null;

// Sanitizers reserve more address space than jobs are allowed: with DFOTA_SANITIZED set in the environment there is no limit.
const sanitized = process.env.DFOTA_SANITIZED ? { job_memory_bytes: 0 } : {};

const living = new Set();
process.on('exit', () => {
    for (const server of living) {
        server.process?.kill('SIGKILL');
        rmSync(server.dataDir, { recursive: true, force: true });
    }
});

// What is done when a test is over, before its server is stopped: with a peer that does not read, a server takes ten seconds to stop.
const endings = new Map(); // of the port
export const beforeDispose = ({ port }, end) => endings.set(port, [...endings.get(port) ?? [], end]);

// Splits one log line into its keys: {level, event, …, raw}. Values with spaces are quoted.
export function parseLogLine(raw) {
    const fields = { raw };
    for (const [, key, quoted, plain] of raw.matchAll(/([a-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g))
        fields[key] = quoted ?? plain;
    return fields;
}

// Options:
//   config    {key: value}: config keys, given on the command line
//   wrapper   words to put before the command, such as a tracer
//   keep      does not end with the test; the caller calls dispose()
//   build     another build directory, such as stopsBuildDir
export async function startServer(t, { config = {}, wrapper = [], keep = false, build = buildDir } = {}) {
    assert.ok(existsSync(join(build, 'dfotad')), `no dfotad in ${build}: build it, or set DFOTA_BUILD`);
    const server = new Server(await mkdtemp(join(tmpdir(), 'dfota-e2e-')), config, wrapper, build);
    living.add(server);
    if (!keep)
        t.after(() => server.dispose());
    await server.start();
    return server;
}

export class Server {
    constructor(dataDir, config, wrapper, build) {
        Object.assign(this, { dataDir, config, wrapper, build });
        this.process = null;
        this.ends = 0; // how often a test has ended the process
        this.env = {}; // additional environment, from the next start on
        this.patience = {}; // for a start, as for poll()
        this.logLines = [];
        this.token = null;
        this.times = new Map(); // how often each key of a time was in an answer
    }

    // Starts the process and waits until both listeners are open.
    async start() {
        assert.equal(this.process, null);
        // Only packages that a test asks for are made, with the first effort: tests depend on the time of a job, on no earlier
        // request, and on the bytes.
        const options = {
            device_listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0', matrix: 'needed', idle_effort: 'none', ...sanitized, ...this.config,
        };
        const [command, ...words] = [
            ...this.wrapper, join(this.build, 'dfotad'), '--data-dir', this.dataDir,
            ...Object.entries(options).flatMap(([key, value]) => [`--${key.replaceAll('_', '-')}`, String(value)]),
        ];
        const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...this.env } });
        const firstLine = this.logLines.length;
        this.process = child;
        // 'close' and not 'exit': then the whole log has been read.
        this.ended = new Promise((done) => child.on('close', (code, signal) => done({ code, signal })));
        this.ended.then(() => { if (this.process === child) this.process = null; });
        await new Promise((started, failed) => child.once('spawn', started).once('error', failed));
        let rest = Buffer.alloc(0);
        child.stderr.on('data', (bytes) => {
            rest = Buffer.concat([rest, bytes]);
            for (let end; (end = rest.indexOf('\n')) >= 0; rest = rest.subarray(end + 1))
                this.logLines.push(rest.subarray(0, end).toString('utf8'));
        });
        await poll('both listeners are open', () => {
            assert.ok(this.process, `dfotad ended before it listened:\n${this.logText}`);
            const events = this.logLines.slice(firstLine).map(parseLogLine).filter((l) => l.event === 'listening');
            for (const { listener, address } of events) {
                const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address);
                this[listener === 'device' ? 'device' : 'adminAddress'] = { host, port: Number(port) };
            }
            return events.length >= 2;
        }, this.patience);
        this.token ??= (await readFile(join(this.dataDir, 'admin.token'), 'utf8')).trim();
    }

    get logText() {
        return this.logLines.join('\n');
    }

    // The log's events of one name, as objects.
    log(event) {
        return this.logLines.map(parseLogLine).filter((line) => line.event === event);
    }

    // Waits until there are `count` of them: a line is written a moment after its event.
    async logged(event, count = 1, matches = () => true) {
        const lines = () => this.log(event).filter(matches);
        await poll(`${count} lines of ${event}`, () => lines().length >= count);
        return lines();
    }

    // Ends the server like an init system, and requires a clean end.
    async stop() {
        this.ends += 1;
        this.process.kill('SIGTERM');
        const { code, signal } = await this.ended;
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, `dfotad did not end cleanly:\n${this.logText}`);
    }

    // Ends the server like a power cut.
    async kill() {
        this.ends += 1;
        this.process.kill('SIGKILL');
        await this.ended;
    }

    // Starts again on the same data.
    async restart({ hard = false, config = this.config } = {}) {
        await (hard ? this.kill() : this.stop());
        this.config = config;
        await this.start();
    }

    async dispose() {
        for (const address of [this.device, this.adminAddress]) {
            endings.get(address?.port)?.forEach((end) => end());
            endings.delete(address?.port);
        }
        try {
            if (this.process)
                await this.stop();
            assert.doesNotMatch(this.logText, /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:/);
        } finally {
            this.process?.kill('SIGKILL');
            living.delete(this);
            rmSync(this.dataDir, { recursive: true, force: true });
        }
    }

    // One call of the admin API. `path` stands after /api/v1 unless it begins with it, or is a whole URL of this
    // server. A body that is no Buffer, string or stream is sent as JSON. `json` of the answer is without the texts beside
    // its times, which are checked. `expect` is the status that must come (or a list of them). Every answer must be one
    // that doc/openapi.yaml allows, unless `contract` is false.
    async admin(method, path, body = null, { headers = {}, token = this.token, expect = null, contract = true } = {}) {
        path = path.replace(/^http:\/\/[^/]+/, '');
        const isBytes = Buffer.isBuffer(body) || typeof body === 'string';
        const isStream = typeof body?.pipe === 'function';
        const payload = body === null || isStream ? null : isBytes ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
        const given = { ...headers };
        if (token !== null)
            given.Authorization ??= `Bearer ${token}`;
        if (payload) {
            given['Content-Length'] ??= payload.length;
            if (!isBytes)
                given['Content-Type'] ??= 'application/json';
        }
        const answer = await new Promise((done, failed) => {
            const request = http.request({
                host: this.adminAddress.host, port: this.adminAddress.port, method, agent: false, headers: given,
                path: path.startsWith('/api/v1') ? path : `/api/v1${path}`,
            }, (response) => {
                const chunks = [];
                response.on('data', (c) => chunks.push(c)).on('error', failed).on('end', () => {
                    const bytes = Buffer.concat(chunks);
                    let json;
                    try {
                        json = /json/.test(response.headers['content-type']) ? JSON.parse(bytes.toString('utf8')) : undefined;
                    } catch { /* not JSON */ }
                    done({ status: response.statusCode, headers: response.headers, body: bytes, json });
                });
            });
            request.on('error', failed);
            if (isStream)
                body.pipe(request);
            else
                request.end(payload);
        });
        if (expect !== null)
            assert.ok([expect].flat().includes(answer.status), `${method} ${path}: ${answer.status} ${answer.body}`);
        if (contract && !process.env.DFOTA_SANITIZED) { // to save time, not again with sanitizers
            const sent = payload && !isBytes ? body : undefined;
            checkAnswer(buildDir, { ...answer, method, path: path.startsWith('/api/v1') ? path : `/api/v1${path}`, sent });
        }
        if (answer.json !== undefined && hasTexts(path, answer.headers['content-type']))
            answer.json = takeTimes(answer.json, this.times, path.split('?')[0]);
        return answer;
    }

    // The calls that nearly every test makes. They fail unless the server accepts them.

    async createProduct(key, name = key) {
        return (await this.admin('POST', '/products', { name, product_key: key }, { expect: 201 })).json;
    }

    async putImage(product, firmware, version, bytes) {
        const path = `${firmwarePath(product, firmware)}/images/${encodeURIComponent(version)}`;
        return (await this.admin('PUT', path, bytes, { expect: [200, 201] })).json;
    }

    async setFirmware(product, firmware, changes) {
        return (await this.admin('PATCH', firmwarePath(product, firmware), changes, { expect: 200 })).json;
    }

    async firmware(product, firmware) {
        return (await this.admin('GET', firmwarePath(product, firmware), null, { expect: 200 })).json;
    }

    async setTarget(product, firmware, version) {
        return (await this.admin('PUT', `${firmwarePath(product, firmware)}/target`, { version }, { expect: 200 })).json;
    }

    async clearTarget(product, firmware) {
        await this.admin('DELETE', `${firmwarePath(product, firmware)}/target`, null, { expect: 204 });
    }

    // The package, or null if it was never asked for.
    async package(product, firmware, from, to) {
        const answer = await this.admin('GET', `${firmwarePath(product, firmware)}/packages/${from}/${to}`, null,
            { expect: [200, 404] });
        return answer.status === 404 ? null : answer.json;
    }

    // Asks for a package and waits until it is made. Returns it.
    async makePackage(product, firmware, from, to) {
        await this.admin('POST', `${firmwarePath(product, firmware)}/packages/${from}/${to}`, null, { expect: [200, 202] });
        return poll(`package ${from} to ${to} is made`, async () => {
            const made = await this.package(product, firmware, from, to);
            return ['queued', 'generating'].includes(made.state) ? null : made;
        });
    }

    // The device with its attempts, or null if it is not known.
    async deviceRecord(product, device) {
        const answer = await this.admin('GET', `/products/${product}/devices/${encodeURIComponent(device)}`, null,
            { expect: [200, 404] });
        return answer.status === 404 ? null : answer.json;
    }
}

export function firmwarePath(product, firmware) {
    return `/products/${encodeURIComponent(product)}/firmware/${encodeURIComponent(firmware)}`;
}
