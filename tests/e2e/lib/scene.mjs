// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The base of most tests: a product with one firmware and its images on a running server, and modules that run them.
// Every scene has its own product and images, so tests can share a server. (Packages belong to bytes, not to names:
// with the images of another scene its packages would already exist.)

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { firmwareImage, noiseImage } from './firmware.mjs';
import { Module, poll, sha256 } from './module.mjs';
import { buildDir, firmwarePath } from './server.mjs';
import { buildRequest, exchange } from './wire.mjs';

const cache = new Map();

const makers = {
    firmware: (size, seed, n) => firmwareImage({ seed, size, revision: n }),
    noise: (size, seed, n) => noiseImage({ seed: seed * 100 + n, size }),
    mixed: (size, seed, n) => Buffer.concat([makers.firmware(16_000, seed, n), makers.noise(size - 16_000, seed, n)]),
};

// The n-th image of a line. 'firmware': the images are similar, packages are small. 'noise': nothing in common, a
// package is as large as an image, too large for the kernel's buffers from about 1 MB on. (Two packages to one image have
// the same bytes then.) 'mixed': a small similar part, and the rest is noise.
function lineImage(kind, size, seed, n) {
    const key = [kind, size, seed, n].join();
    if (!cache.has(key))
        cache.set(key, makers[kind](size, seed, n));
    return cache.get(key);
}

let scenes = 0;
let seeds = 0;

export class Scene {
    // versions   oldest first; each gets an image. `later` versions have images that are not uploaded yet.
    // target     default: the last of `versions`; null for none
    // format     set by PATCH when given
    // canary     true: a package goes to one device first, as with every firmware in real use
    static async build(server, {
        product = `product-${scenes += 1}`, firmware = 'pump', versions = ['1001', '1002'], later = [], kind = 'firmware',
        size = 16_000, seed = (seeds += 1), target = versions.at(-1), format = null, limit = null, canary = false,
    } = {}) {
        const scene = new Scene();
        const images = new Map([...versions, ...later].map((v, n) => [v, lineImage(kind, size, seed, n)]));
        const known = new Map([...images].map(([version, bytes]) => [sha256(bytes), version]));
        Object.assign(scene, { server, product, firmware, versions, images, known });
        await server.createProduct(product);
        for (const version of versions)
            await scene.upload(version);
        if (format !== null || limit !== null)
            await scene.set({ ...(format && { format }), ...(limit && { max_package_bytes: limit }) });
        if (!canary && versions.length > 0) {
            const { format: now } = await server.firmware(product, firmware);
            await scene.set({ quarantine_after: 1000, ...(now === 'bsdiff' && { canary_confirmations: 0 }) });
        }
        if (target !== null)
            await scene.setTarget(target);
        return scene;
    }

    // The admin path of this firmware, with `rest` after it.
    path(rest = '') {
        return firmwarePath(this.product, this.firmware) + rest;
    }

    upload(version) {
        return this.server.putImage(this.product, this.firmware, version, this.images.get(version));
    }

    set(changes) {
        return this.server.setFirmware(this.product, this.firmware, changes);
    }

    setTarget(version) {
        return this.server.setTarget(this.product, this.firmware, version);
    }

    package(from = this.versions[0], to = this.versions.at(-1)) {
        return this.server.package(this.product, this.firmware, from, to);
    }

    async makePackage(from = this.versions[0], to = this.versions.at(-1)) {
        const made = await this.server.makePackage(this.product, this.firmware, from, to);
        assert.equal(made.state, 'ready', JSON.stringify(made));
        return made;
    }

    // As small as possible: a package a little over the limit gets more effort until it fits or all efforts are done.
    async settlePackage(from = this.versions[0], to = this.versions.at(-1)) {
        let made = await this.makePackage(from, to);
        do {
            await this.set({ max_package_bytes: made.size - 1 });
            made = await poll('more effort is over', async () => {
                const now = await this.package(from, to);
                return !now.improving && now;
            });
        } while (made.size < made.limit);
        return made;
    }

    async content(from = this.versions[0], to = this.versions.at(-1)) {
        return (await this.server.admin('GET', this.path(`/packages/${from}/${to}/content`), null, { expect: 200 })).body;
    }

    // A module that runs one of the images, or, with another version, an image that the server does not have.
    module({ version = this.versions[0], ...options } = {}) {
        return new Module({
            address: this.server.device, product: this.product, firmware: this.firmware, version,
            image: this.images.get(version) ?? null, known: this.known, limit_bytes: Infinity, ...options,
        });
    }

    // The record of a module on the server, or null.
    record(module) {
        return this.server.deviceRecord(this.product, `${module.idKind}:${module.id}`);
    }

    // Waits until the newest attempt of the module is in a state. Returns that attempt.
    awaitAttempt(module, state) {
        let seen = null;
        return poll(`the attempt is ${state}`, async () => {
            seen = (await this.record(module))?.attempts[0];
            return seen?.state === state ? seen : null;
        }, { timeout_ms: 20_000 }).catch((error) => {
            throw new Error(`${error.message}; it is ${JSON.stringify(seen)}`);
        });
    }

    deviceAdminPath(module, rest = '') {
        return `/products/${this.product}/devices/${module.idKind}:${module.id}${rest}`;
    }

    async createLink(module, body = { version: module.version }) {
        return (await this.server.admin('POST', this.deviceAdminPath(module, '/link'), body, { expect: 201 })).json;
    }

    // A module that asks with its own link, and the answer to the creation of the link: {module, link}.
    async linkedModule(options = {}, body = undefined) {
        const module = this.module(options);
        const link = await this.createLink(module, body);
        module.link = new URL(link.url).pathname;
        return { module, link };
    }
}

// The POST of the host of a linked module: an object, or a text as it is. The answer is checked by the rules for hosts.
export function report(module, link, body) {
    return module.ask({
        method: 'POST', target: new URL(link.report_url).pathname, body: typeof body === 'string' ? body : JSON.stringify(body),
        judge: { kind: 'report' },
    });
}

// One admin call on a raw socket, for requests that an HTTP library would not send or answers that it would not show.
export function adminExchange(server, method, path, { lines = [], body = null, token = server.token, more = [] } = {}) {
    const bearer = token === null ? [] : [`Authorization: Bearer ${token}`];
    return exchange({
        address: server.adminAddress, method,
        segments: [buildRequest(`/api/v1${path}`, { method, connection: 'close', lines: [...bearer, ...lines], body }), ...more],
    });
}

// Every admin error has this shape.
export function assertProblem(answer, status, code) {
    const { json } = answer;
    assert.equal(answer.status, status, `${answer.status} ${answer.body}`);
    const type = typeof answer.header === 'function' ? answer.header('content-type') : answer.headers['content-type'];
    assert.match(type, /^application\/problem\+json\b/);
    assert.equal(json.status, status);
    assert.equal(json.code, code, String(answer.body));
    assert.equal(json.type, 'about:blank');
    for (const key of ['title', 'detail'])
        assert.ok(typeof json[key] === 'string' && json[key].length > 0, `no ${key}: ${answer.body}`);
}

// Every file below a directory: relative path → size.
export async function listFiles(dir) {
    const found = new Map();
    for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) {
            for (const [below, size] of await listFiles(path))
                found.set(join(entry.name, below), size);
        } else {
            const info = await stat(path).catch(() => null);
            if (info)
                found.set(entry.name, info.size);
        }
    }
    return found;
}

// The file below a directory that holds bytes of this SHA-256.
export async function findBySum(dir, sum) {
    for (const [name] of await listFiles(dir)) {
        const bytes = await readFile(join(dir, name)).catch(() => null);
        if (bytes && sha256(bytes) === sum)
            return join(dir, name);
    }
    throw new Error(`no file with SHA-256 ${sum} in ${dir}`);
}

// A shell script to run in place of `dfota`, in its own directory, removed after the test. The inspection of uploaded
// files is still done by dfota.
export async function writeScript(t, makeText) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-script-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const path = join(dir, 'worker');
    await writeFile(path, `#!/bin/sh\n[ "$1" = inspect ] && exec ${join(buildDir, 'dfota')} "$@"\n${makeText(dir)}\n`);
    await chmod(path, 0o755);
    return { dir, path };
}
