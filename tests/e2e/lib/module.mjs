// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A cellular module as the server meets it: it holds the image it runs, asks in one of the forms that real client
// code uses, downloads the package, applies it with stock bspatch, reboots, and asks again with the new version.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { assertDeviceAnswer } from './judge.mjs';
import { buildRequest, exchange } from './wire.mjs';

const run = promisify(execFile);

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Appends the check digit to 14 digits.
export function imeiWithCheckDigit(digits) {
    let sum = 0;
    for (const [i, c] of [...digits].entries()) {
        const doubled = Number(c) * (i % 2 ? 2 : 1);
        sum += doubled > 9 ? doubled - 9 : doubled;
    }
    return digits + ((10 - (sum % 10)) % 10);
}

let imeis = 0;

// A new valid IMEI each time, within one test process.
export function nextImei() {
    imeis += 1;
    return imeiWithCheckDigit('866597' + String(process.pid % 1000).padStart(3, '0') + String(imeis).padStart(5, '0'));
}

const site = '/api/site/firmware_upgrade?';

// One form of request: its target is built from what the module knows about itself, `{product, firmware, version, idKind, id}`,
// with `firmware` and `version` as the server names them.
export const forms = {
    'LuatOS libfota of 2023': (m) => site + query({
        project_key: m.product, imei: m.id, device_key: '', firmware_name: m.firmware, version: m.version,
    }),
    'LuatOS libfota of 2023 with a model': (m) => site + query({
        project_key: m.product, imei: m.id, device_key: '', firmware_name: m.firmware, version: m.version, model: 'Air780E',
    }),
    'LuatOS libfota since 2024-12-27': (m) => site + query({
        project_key: m.product, firmware_name: m.firmware, version: m.version, [m.idKind]: m.id,
    }),
    'LuatOS libfota2': (m) => site + query({
        [m.idKind]: m.id, project_key: m.product, firmware_name: m.firmware, version: m.version,
    }),
    'Air724UG': (m) => site + query({
        project_key: m.product, imei: m.id, firmware_name: m.firmware, core_version: m.version, dfota: 1, version: '1.0.0',
    }),
    'Air724UG that needs an OSS URL': (m) => site + query({
        project_key: m.product, imei: m.id, firmware_name: m.firmware, core_version: m.version, dfota: 1,
        version: '1.0.0', need_oss_url: 1,
    }),
    'EC618 CSDK': (m) => site + query({
        project_key: m.product, imei: m.id, device_key: '', firmware_name: `${m.version}_${m.firmware}`, version: m.version,
    }),
    'AT firmware in KEY mode': (m) => site + query({
        project_key: m.product, imei: m.id, firmware_name: m.firmware, core_version: m.version, dfota: 1, version: '0.0.0',
    }),
    'libfota2 at /upgrade': (m) => '/upgrade?' + query({
        [m.idKind]: m.id, project_key: m.product, firmware_name: m.firmware, version: m.version,
    }),
    'libfota2 glued to /upgrade': (m) => '/upgrade' + query({
        [m.idKind]: m.id, project_key: m.product, firmware_name: m.firmware, version: m.version,
    }),
    'libfota glued to the vendor\'s path': (m) => '/api/site/firmware_upgrade' + query({
        project_key: m.product, imei: m.id, device_key: '', firmware_name: m.firmware, version: m.version,
    }),
};

// The client that always sends a Range, also from 0.
const alwaysRanges = new Set(['Air724UG', 'Air724UG that needs an OSS URL']);

// Parameters in the given order; values are percent-encoded where a URL needs it.
export function query(parameters) {
    return Object.entries(parameters).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
}

// Applies a BSDIFF40 package with stock bspatch.
export async function bspatch(oldImage, patch) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-module-'));
    try {
        await writeFile(join(dir, 'old'), oldImage);
        await writeFile(join(dir, 'patch'), patch);
        await run('bspatch', [join(dir, 'old'), join(dir, 'new'), join(dir, 'patch')]);
        return await readFile(join(dir, 'new'));
    } finally {
        await rm(dir, { recursive: true, force: true });
    }
}

export class Module {
    // address      {host, port} of the device listener
    // product, firmware, version, image   what it runs; `known` maps the SHA-256 of every image it may boot to a version
    // idKind, id   'imei', 'mac' or 'uid'
    // from         its own address, if several peers ask
    // form         a key of `forms`, or null with `link`, the path of its own URL
    constructor({
        address, product, firmware, version, image = null, known = new Map(), idKind = 'imei', id = nextImei(),
        form = 'LuatOS libfota2', link = null, limit_bytes = 491520, from,
    }) {
        Object.assign(this, { address, product, firmware, version, image, known, idKind, id, form, link, limit_bytes, from });
        this.answers = [];
        this.prefix = ''; // "/t/SECRET": the module asks under a secret
    }

    // The request target of the module now.
    get target() {
        return this.prefix + (this.link ?? forms[this.form](this));
    }

    // One request with any options of buildRequest() and exchange(); the answer is always judged.
    async ask({ method = 'GET', cutAfter, segments = null, target = this.target, judge = {}, ...request } = {}) {
        if (request.range === undefined && request.rangeLine === undefined && this.link === null && alwaysRanges.has(this.form))
            request.range = 0;
        const answer = await exchange({
            address: this.address,
            from: this.from,
            method,
            cutAfter,
            segments: segments ?? [buildRequest(target, { method, host: `${this.address.host}:${this.address.port}`, ...request })],
        });
        this.answers.push(answer);
        return assertDeviceAnswer(answer, judge);
    }

    // Asks until the answer is no longer 43. Returns that answer.
    async askUntilMade(options = {}) {
        return poll('the package is made', async () => {
            const answer = await this.ask(options);
            return answer.code === 43 ? null : answer;
        });
    }

    // Downloads the package; hangs up after each of `cuts` bytes and resumes with what it has.
    // Returns {bytes, answers}.
    async download({ cuts = [] } = {}) {
        const answers = [];
        let bytes = Buffer.alloc(0);
        for (const cutAfter of [...cuts, Infinity]) {
            const answer = bytes.length === 0
                ? await this.askUntilMade({ cutAfter })
                : await this.ask({ cutAfter, range: bytes.length });
            answers.push(answer);
            const wanted = bytes.length === 0 ? [200, 206] : [206];
            assert.ok(wanted.includes(answer.status), `a download from ${bytes.length} got ${answer.status} ${answer.body}`);
            if (bytes.length > 0)
                assert.match(answer.header('content-range'), new RegExp(`^bytes ${bytes.length}-`));
            bytes = Buffer.concat([bytes, answer.body]);
        }
        return { bytes, answers };
    }

    // The boot loader: refuses what a module refuses; on success the module runs the new image with its version.
    async applyAndReboot(packageBytes) {
        assert.ok(packageBytes.length <= this.limit_bytes, `a package of ${packageBytes.length} bytes does not fit`);
        const image = await bspatch(this.image, packageBytes);
        const version = this.known.get(sha256(image));
        assert.ok(version, 'the new image is none that anybody built');
        this.image = image;
        this.version = version;
    }

    // One whole hop.
    async upgrade(options) {
        const { bytes, answers } = await this.download(options);
        await this.applyAndReboot(bytes);
        return { bytes, answers };
    }
}

// Awaits a condition: calls `attempt` until it returns something that is neither null nor false.
export async function poll(what, attempt, { timeout_ms = 60_000, every_ms = 30 } = {}) {
    const until = performance.now() + timeout_ms;
    for (;;) {
        const result = await attempt();
        if (result !== null && result !== false && result !== undefined)
            return result;
        assert.ok(performance.now() < until, `waited in vain until ${what}`);
        await new Promise((next) => setTimeout(next, every_ms));
    }
}
