// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a server has acknowledged so far, for a test that kills it, and the check that all of it is still true.
//
// An answer that arrived is a promise. A request without an answer is `open`: after the next start it may have
// happened or not, but not by half. Every round adds to the same data directory.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { hashOfRow, ledgerRows } from './chain.mjs';
import { firmwareImage } from './firmware.mjs';
import { Download } from './download.mjs';
import { bspatch, forms, nextImei, poll, sha256 } from './module.mjs';
import { listFiles } from './scene.mjs';
import { firmwarePath } from './server.mjs';

const product = 'crash';
const firmware = 'pump';
const packageCrashes = 3; // crashes during a job until its package is failed

export class Ledger {
    constructor(server, rand) {
        Object.assign(this, { server, rand });
        this.images = new Map(); // version → {bytes, sum, open}
        this.packages = new Map(); // 'from/to' → {from, to, open, kills, sum}
        this.devices = [];
        this.target = null;
        this.openTargets = [];
        this.targetings = 0; // how often the target was set, or a request for it was sent
        this.kills = 0;
        this.chain = null; // {seq, hash} of its last row at the last check
        this.noted = new Map(); // version → SHA-256, from the ledger
        this.base = firmwareImage({ seed: 1 + rand.below(1000), size: 8_000 + rand.below(24_000) });
    }

    // A product with three images and one package that is made.
    async begin(limits = {}) {
        await this.server.createProduct(product);
        for (let i = 0; i < 3; i += 1)
            await this.upload();
        await this.server.setFirmware(product, firmware, { format: 'bsdiff', canary_confirmations: 0, quarantine_after: 1000, ...limits });
        await this.setTarget(this.newest());
        await this.queue(this.versions()[0], this.newest());
        await this.check();
    }

    pick(list) {
        return list[this.rand.below(list.length)];
    }

    path(rest = '') {
        return firmwarePath(product, firmware) + rest;
    }

    versions() {
        return [...this.images].filter(([, image]) => !image.open).map(([version]) => version);
    }

    newest() {
        return this.versions().at(-1);
    }

    // ---- Images ----

    // The bytes of a release: it differs from the one before in a few places, and some releases are longer.
    revise() {
        const bytes = Buffer.concat([this.base, Buffer.alloc(this.rand.below(2) * this.rand.below(3000), 0x5a)]);
        for (let i = 0; i < 12; i += 1)
            bytes.writeUInt32LE(this.rand.next(), 4 * this.rand.below(bytes.length >> 2));
        return bytes;
    }

    // A version that was not uploaded yet, with its bytes.
    draft(bytes = this.revise()) {
        const version = String(1001 + this.images.size);
        this.images.set(version, { bytes, sum: sha256(bytes), open: true });
        return version;
    }

    // Sends an image in one of the two ways; true when the server says it has it.
    async send(version) {
        const image = this.images.get(version);
        const [method, path] = this.pick([
            ['PUT', this.path(`/images/${version}`)],
            ['POST', `/products/${product}/images?filename=${firmware}_V${version}.bin`],
        ]);
        const answer = await this.server.admin(method, path, image.bytes).catch(() => null);
        if (answer === null)
            return false;
        assert.ok([200, 201].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.body}`);
        assert.equal(answer.json.sha256, image.sum);
        image.open = false;
        return true;
    }

    async upload(bytes = this.revise()) {
        const version = this.draft(bytes);
        return await this.send(version) ? version : null;
    }

    async setTarget(version) {
        this.openTargets.push(version);
        this.targetings += 1;
        const answer = await this.server.admin('PUT', this.path('/target'), { version }).catch(() => null);
        if (answer === null)
            return false;
        assert.equal(answer.status, 200, `${answer.body}`);
        this.target = version;
        this.openTargets = this.openTargets.filter((other) => other !== version);
        return true;
    }

    // ---- Packages ----

    expectPackage(from, to, open) {
        const key = `${from}/${to}`;
        if (!this.packages.has(key))
            this.packages.set(key, { from, to, open: true, kills: 0, sum: null });
        this.packages.get(key).open &&= open;
        return this.packages.get(key);
    }

    async queue(from, to) {
        const entry = this.expectPackage(from, to, true);
        const answer = await this.server.admin('POST', this.path(`/packages/${from}/${to}`)).catch(() => null);
        if (answer === null)
            return null;
        assert.ok([200, 202].includes(answer.status), `${answer.status} ${answer.body}`);
        entry.open = false;
        return entry;
    }

    package({ from, to }) {
        return this.server.package(product, firmware, from, to);
    }

    // ---- Devices ----

    newDevice(version) {
        const module = { product, firmware, version, idKind: 'imei', id: nextImei() };
        const device = { module, form: this.pick(['LuatOS libfota2', 'LuatOS libfota of 2023', 'libfota2 glued to /upgrade']),
            answered: null, open: [], reported: new Set(), had: new Map() };
        this.devices.push(device);
        return device;
    }

    record(device) {
        return this.server.deviceRecord(product, `imei:${device.module.id}`);
    }

    // The number of bytes of a package from its version that have reached its kernel.
    had(device, version = device.module.version) {
        return device.had.get(version) ?? 0;
    }

    // One check-in of a device with its version; `codes` is what may come. Reads all of the answer, or stops reading once
    // `pauseAfter` bytes of the body are there. Returns the download; its `code` is null when no answer came.
    async ask(device, codes, { range = null, pauseAfter = Infinity } = {}) {
        const { version } = device.module;
        const { target, targetings } = this;
        const isClear = this.openTargets.length === 0;
        device.open.push({ version, codes });
        device.reported.add(version);
        const download = new Download(this.server.device, forms[device.form](device.module), { range, pauseAfter });
        await download.settled;
        this.take(device, download);
        if (download.code === null)
            return download;
        assert.ok(codes.includes(download.code), `device ${device.module.id} on ${version}: ${download.code}, not ${codes}`);
        device.answered = { version, code: download.code };
        device.open = [];
        if (download.code === 43 && isClear && this.targetings === targetings) // else it may be about another target
            this.expectPackage(version, target, false);
        return download;
    }

    // The bytes of a package that the peer's kernel had, as far as known now.
    take(device, download) {
        if (download.first === null)
            return;
        const { version } = device.module;
        device.had.set(version, Math.max(this.had(device), download.first + download.received()));
    }

    // ---- Crashes ----

    // The server, started so that it stops at a point (null: nowhere).
    async start(stop = null, config = {}) {
        this.server.env = stop ? { DFOTA_STOP: stop } : {};
        this.server.config = { ...this.server.config, dfota_path: '', ...config };
        this.lifeFrom = this.server.logLines.length;
        await this.server.start();
    }

    hasStopped() {
        return this.server.logLines.slice(this.lifeFrom).some((line) => line.includes('event=stopped-at'));
    }

    awaitStop() {
        return poll('the server stands at its stop point', () => this.hasStopped(), { every_ms: 4 });
    }

    // `work`: requests in progress; an answer that is on its way is a promise too.
    async kill(work = null) {
        await this.killQuietly(work);
        this.kills += 1;
    }

    async killQuietly(work = null) {
        await this.server.kill();
        await work;
        for (const entry of this.packages.values())
            entry.kills += entry.sum === null ? 1 : 0;
    }

    // Ends a server without checks, by stop or kill; such kills do not count for a phase.
    async end() {
        if (this.rand.below(4) === 0)
            await this.server.stop();
        else
            await this.killQuietly();
    }

    // ---- Checks ----

    // Checks everything. `sample`: of files that were found complete before, only some are read again (the lists are always compared).
    // `making`: packages that are not made during this run; then the files are not compared.
    async check({ sample = true, making = null } = {}) {
        await this.checkTarget();
        await this.checkChain();
        await this.checkImages(sample);
        await this.checkPackages(sample, making);
        if (!making)
            this.checkFiles();
        const devices = sample ? [...this.devices.slice(-12), ...this.some(this.devices.slice(0, -12), 4)] : this.devices;
        for (const device of devices)
            await this.checkDevice(device);
    }

    some(list, count) {
        return list.length <= count ? list : Array.from({ length: count }, () => this.pick(list));
    }

    // The ledger of the server is a complete chain that continues from the last check, and every image that was
    // acknowledged is in it exactly once.
    async checkChain() {
        const rows = await ledgerRows(this.server, { after: Math.max(0, (this.chain?.seq ?? 0) - 1) });
        let { seq, hash } = this.chain ? rows.shift() : { seq: 0, hash: '0'.repeat(64) };
        assert.deepEqual([seq, hash], [this.chain?.seq ?? 0, this.chain?.hash ?? hash], 'its last row is another now');
        for (const row of rows) {
            assert.deepEqual([row.seq, row.prev], [seq + 1, hash]);
            ({ seq, hash } = row);
            assert.equal(hashOfRow(row), hash, JSON.stringify(row));
            if (row.kind === 'image-uploaded') {
                assert.ok(!this.noted.has(row.detail.version), `${row.detail.version} stands there twice`);
                this.noted.set(row.detail.version, row.detail.sha256);
            }
        }
        this.chain = { seq, hash };
        for (const [version, image] of this.images)
            assert.ok(image.open || this.noted.get(version) === image.sum, `image ${version} stands in the ledger as ${this.noted.get(version)}`);
    }

    async checkTarget() {
        const { target } = (await this.server.admin('GET', this.path(), null, { expect: 200 })).json;
        assert.ok([this.target, ...this.openTargets].includes(target), `the target is ${target}, not ${this.target}`);
        [this.target, this.openTargets] = [target, []];
    }

    async checkImages(sample) {
        const { items } = (await this.server.admin('GET', this.path('/images'), null, { expect: 200 })).json;
        const listed = new Map(items.map((item) => [item.version, item]));
        for (const [version, image] of this.images) {
            if (image.open && !listed.has(version))
                continue;
            const item = listed.get(version);
            assert.ok(item, `image ${version} was acknowledged and is gone`);
            assert.deepEqual([item.sha256, item.size], [image.sum, image.bytes.length], `image ${version}`);
            listed.delete(version);
            if (!image.checked || !sample || this.rand.below(this.images.size) < 4)
                await this.checkImage(version, image);
        }
        assert.deepEqual([...listed.keys()], [], 'images that nobody sent');
    }

    async checkImage(version, image) {
        const { body } = await this.server.admin('GET', this.path(`/images/${version}/content`), null, { expect: 200 });
        assert.equal(sha256(body), image.sum, `the bytes of image ${version}`);
        Object.assign(image, { open: false, checked: true });
    }

    async checkPackages(sample, making) {
        // A device whose answer did not arrive may have asked for a package.
        const { items } = (await this.server.admin('GET', this.path('/packages'), null, { expect: 200 })).json;
        for (const { from, to } of items) {
            if (Number(from) < Number(to) && !this.packages.has(`${from}/${to}`)) // equal bytes may have two versions
                this.expectPackage(from, to, true).kills = 1;
        }
        for (const [key, entry] of this.packages) {
            if (making?.includes(entry) || (entry.sum && sample && this.rand.below(this.packages.size) >= 4))
                continue;
            const made = await this.madePackage(entry);
            if (made === null) {
                this.packages.delete(key);
                continue;
            }
            entry.open = false;
            const { body } = await this.server.admin('GET', this.path(`/packages/${key}/content`), null, { expect: 200 });
            assert.equal(sha256(body), made.sha256, `the bytes of package ${key}`);
            if (entry.sum === null) {
                const [from, to] = [entry.from, entry.to].map((version) => this.images.get(version));
                assert.equal(sha256(await bspatch(from.bytes, body)), to.sum, `package ${key} does not lead to its image`);
            }
            assert.equal(entry.sum ?? made.sha256, made.sha256, `package ${key} became another`);
            entry.sum = made.sha256;
        }
    }

    // Waits until a package that was asked for is made. Three crashes make it failed, by design: then it is asked for
    // again. Null if it was not asked for.
    async madePackage(entry) {
        const made = await poll(`package ${entry.from}/${entry.to} is made`, async () => {
            const now = await this.package(entry);
            return now === null || !['queued', 'generating'].includes(now.state) ? { now } : null;
        }, { every_ms: 5 });
        if (made.now === null) {
            assert.ok(entry.open, `package ${entry.from}/${entry.to} was asked for and is gone`);
            return null;
        }
        const { state, crashes, error } = made.now;
        assert.ok(crashes <= entry.kills, `${crashes} crashes after ${entry.kills} kills`);
        if (state !== 'failed')
            return made.now;
        assert.equal(crashes, packageCrashes, error);
        entry.kills = 0;
        await this.queue(entry.from, entry.to);
        return this.madePackage(entry);
    }

    // Only the bytes of images and packages, and no upload in progress.
    checkFiles() {
        assert.deepEqual(readdirSync(join(this.server.dataDir, 'incoming')), []);
        assert.deepEqual(this.strangers(), [], 'files in blobs/ that are nobody\'s');
    }

    // The SHA-256s of files in blobs/ that belong to no image and no package that is made.
    strangers() {
        const known = new Set([...this.images.values()].filter((image) => !image.open).map((image) => image.sum));
        for (const { sum } of this.packages.values())
            known.add(sum);
        const folders = readdirSync(join(this.server.dataDir, 'blobs'));
        return folders.flatMap((folder) => readdirSync(join(this.server.dataDir, 'blobs', folder)).filter((name) => {
            assert.equal(folder, name.slice(0, 2));
            return !known.has(name);
        }));
    }

    blobFile(sum) {
        return join(this.server.dataDir, 'blobs', sum.slice(0, 2), sum);
    }

    async checkDevice(device) {
        const record = await this.record(device);
        const name = `device ${device.module.id}: ${JSON.stringify(record)}`;
        const all = [...device.open, ...(device.answered ? [{ version: device.answered.version, codes: [device.answered.code] }] : [])];
        if (record === null) {
            assert.equal(device.answered, null, `${name} was answered and is not known`);
            return;
        }
        assert.ok(all.some(({ version, codes }) => version === record.confirmed_version && codes.includes(record.last_answer.code)),
            `${name}: neither of ${JSON.stringify(all)}`);
        for (const attempt of record.attempts)
            this.checkAttempt(device, attempt, name);
    }

    // The record claims no more than what happened.
    checkAttempt(device, attempt, name) {
        const received = this.had(device, attempt.from);
        assert.ok(attempt.bytes_acked <= received, `${name}: ${attempt.bytes_acked} bytes acknowledged, the module has ${received}`);
        if (attempt.delivered_at !== null || ['delivered', 'silent', 'not_applied'].includes(attempt.state))
            assert.ok(attempt.size !== null && received >= attempt.size, `${name}: delivered, the module has ${received}`);
        if (attempt.state === 'confirmed')
            assert.ok(device.reported.has(attempt.to), `${name}: nobody reported ${attempt.to}`);
    }
}

// Files in progress and their sizes.
export async function incoming(server) {
    return [...await listFiles(join(server.dataDir, 'incoming'))];
}

export const fileHasSum = (path, sum) => {
    try {
        return sha256(readFileSync(path)) === sum;
    } catch {
        return false;
    }
};
