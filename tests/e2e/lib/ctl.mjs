// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of dfotactl: the program itself, and an admin API played by the test, so that every answer is
// possible, also wrong ones.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildDir } from './server.mjs';

export const program = join(buildDir, 'dfotactl');
export const token = 'letmein-0123456789';
export const at = 1795370263000; // 2026-11-22 17:57:43Z
export const airm2m = 'AirM2M_780E_LTE_AT';

// Runs dfotactl, or another command; → {status, out, err}. `during` gets the running process.
export function run(args, { env = {}, during = null, command = program } = {}) {
    return new Promise((done, failed) => {
        const child = spawn(command, args, {
            env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', LC_ALL: 'C', ...env },
            stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000,
        });
        const out = [], err = [];
        child.stdout.on('data', (c) => out.push(c));
        child.stderr.on('data', (c) => err.push(c));
        child.on('error', failed).on('close', (status, signal) => done({
            status: signal ?? status, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8'),
        }));
        during?.(child);
    });
}

// An admin API with fixed answers: api.on('GET /products', {items: []}), or a function (request) → answer. A plain answer is the
// JSON of a 200; others are {status, headers, body}. All requests are in api.requests.
export class FakeApi {
    static async start(t) {
        const api = new FakeApi();
        api.routes = new Map();
        api.requests = [];
        api.server = http.createServer((request, response) => api.#take(request, response));
        api.server.on('checkContinue', (request, response) => api.#take(request, response));
        await new Promise((done) => api.server.listen(0, '127.0.0.1', done));
        api.url = `http://127.0.0.1:${api.server.address().port}`;
        t.after(() => new Promise((done) => {
            api.server.close(done);
            api.server.closeAllConnections();
        }));
        return api;
    }

    on(route, answer) {
        this.routes.set(route, answer);
        return this;
    }

    async #take(request, response) {
        const [path, query = ''] = request.url.split('?');
        const entry = {
            method: request.method, path: path.replace(/^\/api\/v1/, ''), raw: request.url, headers: request.headers,
            query: new URLSearchParams(query), body: Buffer.alloc(0), response, request,
        };
        entry.route = `${entry.method} ${decodeURIComponent(entry.path)}`;
        this.requests.push(entry);
        const early = this.routes.get(`early ${entry.route}`);
        if (!early) {
            if (request.headers.expect)
                response.writeContinue();
            const chunks = [];
            for await (const chunk of request)
                chunks.push(chunk);
            entry.body = Buffer.concat(chunks);
        }
        let answer = early ?? this.routes.get(entry.route) ?? problem(404, 'not-found', `no route ${entry.route}`);
        if (typeof answer === 'function')
            answer = await answer(entry, this);
        if (answer === null)
            return; // the function has answered
        const { status = 200, headers = {}, body } = 'body' in answer || 'status' in answer ? answer : { body: answer };
        const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) || typeof body === 'string'
            ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
        response.writeHead(status, { 'Content-Length': bytes.length, Connection: 'close', ...headers });
        response.end(bytes);
    }

    ctl(...args) {
        return this.run(args);
    }

    run(args, { env = {}, ...more } = {}) {
        return run(args, { env: { DFOTA_URL: this.url, DFOTA_TOKEN: token, DFOTA_PRODUCT: 'pumps', ...env }, ...more });
    }

    get asked() {
        return this.requests.map((r) => r.route);
    }
}

// An error in the form of the API.
export function problem(status, code, detail) {
    return {
        status, headers: { 'Content-Type': 'application/problem+json' },
        body: { type: 'about:blank', title: 'No', status, code, detail },
    };
}

// Objects of the API; `over` replaces members.
export const product = (over) => ({ product_key: 'pumps', name: 'Village pumps', created_at: at, ...over });
export const firmware = (over) => ({
    firmware: airm2m, format: 'bsdiff', max_package_bytes: 491520, target: '1162', images: 3, devices: 150, created_at: at,
    notice: null, ...over,
});
export const image = (over) => ({
    firmware: airm2m, version: '1138', size: 653076, sha256: 'ab'.repeat(32), file_name: null, uploaded_at: at, warnings: [],
    ...over,
});
export const deltaPackage = (over) => ({
    from: '1138', to: '1162', format: 'bsdiff', state: 'ready', size: 43059, sha256: 'cd'.repeat(32), limit: 491520,
    proven: true, crashes: 0, error: null, queued_at: at, finished_at: at, duration_ms: 830, ...over,
});
export const device = (over) => ({
    device: '866597071234567', id_kind: 'imei', firmware: airm2m, confirmed_version: '1138', confirmed_at: at,
    confirmed_by: 'check-in', confirmed_authenticated: false, asked_version: '1138', first_seen_at: at, last_seen_at: at,
    check_ins: 7, last_answer: { code: 43, reason: 'the package 1138→1162 is being generated', at }, blocked: false,
    notice: null, warnings: [], links: [], attempts: [], ...over,
});
export const link = (over) => ({
    link: 3, device: '866597071234567', id_kind: 'imei', firmware: airm2m, version: '1138',
    url: 'http://fota.example:8080/d/0a1b2c3d/1138', report_url: 'http://fota.example:8080/d/0a1b2c3d/report',
    at_commands: ['AT+UPGRADE="URL","http://fota.example:8080/d/0a1b2c3d/1138"', 'AT+UPGRADE'], warnings: [], ...over,
});
export const status = {
    version: '0.1.0', uptime_ms: 98765432, products: 1, devices: 152,
    packages: { queued: 0, generating: 1, ready: 7, failed: 0 },
};
export const firmwarePath = `/products/pumps/firmware/${airm2m}`;

// A directory for the test.
export async function scratch(t) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-ctl-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    return dir;
}

// Asserts how a run ended: this status, a matching message on standard error, and no report of a sanitizer.
export function assertRun(result, expected, { err = /^$/ } = {}) {
    assert.equal(result.status, expected, `${result.out}\n${result.err}`);
    assert.match(result.err, err);
    assert.doesNotMatch(result.err, /Sanitizer|runtime error/);
}

// Columns on a terminal: East Asian wide characters take two.
export const columns = (text) => [...text].reduce((sum, c) => sum + (/[\u1100-\u115f\u2e80-\uffdc]/.test(c) ? 2 : 1), 0);
