// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A server at full load, and what its clients saw: modules begin, cut, resume and finish downloads and report, hosts report over
// links, an admin reads lists, strangers are refused. All at once, until the test ends the load or the server.
//
//   const load = new Load(server, random(seed));
//   await load.begin();
//   load.run();
//   await load.until('answers', 300);    300 more answers have come
//   await load.stop();
//   await load.verify();                 the record of each module against what this module saw

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { run } from './ctl.mjs';
import { Download } from './download.mjs';
import { noiseImage } from './firmware.mjs';
import { Ledger } from './ledger.mjs';
import { bspatch, forms, sha256 } from './module.mjs';
import { buildDir } from './server.mjs';
import { buildRequest, exchange } from './wire.mjs';

const clients = 32; // at a time
const active_most = 40; // modules in the middle of an upgrade

// What a server needs for more load than a day has.
export const loadConfig = { jobs: 2, disk_reserve_bytes: 0, max_new_devices_per_day: 1_000_000, loop_guard_per_day: 1_000_000 };

// The server's own check of its data, while it does not run.
export async function fsck(server) {
    const { status, out, err } = await run(['--data-dir', server.dataDir, '--fsck'], { command: join(buildDir, 'dfotad') });
    assert.equal(status, 0, out + err);
}

export class Load extends Ledger {
    constructor(server, rand) {
        super(server, rand);
        this.mayFail = false; // a request may be answered with 503 now
        this.ending = false; // the server gets SIGTERM: modules read everything
        this.active = [];
        this.done = [];
        this.hosts = [];
        this.touched = new Set(); // devices since the last verify()
        this.held = []; // {device, download}: downloads that have stopped reading
        this.counts = {};
        this.waiters = [];
    }

    // Images, a package of 200 KB, which does not fit into the window of a peer, and hosts with a link each.
    async begin() {
        await super.begin({ max_package_bytes: 16_000_000 });
        [this.old] = this.versions();
        this.new = await this.upload(noiseImage({ seed: this.rand.next(), size: 200_000 }));
        await this.setTarget(this.new);
        await this.queue(this.old, this.new);
        await this.check();
        const path = this.path(`/packages/${this.old}/${this.new}/content`);
        this.content = (await this.server.admin('GET', path, null, { expect: 200 })).body;
        assert.equal(sha256(await bspatch(this.images.get(this.old).bytes, this.content)), this.images.get(this.new).sum);
        for (let i = 0; i < 8; i += 1) {
            const { module } = this.newDevice(this.old);
            this.devices.pop(); // its record is checked in another way
            const made = await this.server.admin('POST', `/products/${module.product}/devices/imei:${module.id}/link`, { version: this.old }, { expect: 201 });
            this.hosts.push({ module, target: new URL(made.json.report_url).pathname, told: null, open: [] });
        }
    }

    // ---- Counts ----

    count(what) {
        this.counts[what] = (this.counts[what] ?? 0) + 1;
        for (const waiter of this.waiters.filter((w) => w.what === what && this.counts[what] >= w.at)) {
            this.waiters.splice(this.waiters.indexOf(waiter), 1);
            waiter.act();
        }
    }

    // Resolves when this was counted so many times more. `act` is called in that moment. Fails when the load has failed.
    async until(what, more, act = () => {}) {
        let timer;
        const reached = new Promise((done, fail) => {
            this.waiters.push({ what, at: (this.counts[what] ?? 0) + more, act: () => { act(); done(); } });
            timer = setTimeout(() => fail(new Error(`waited in vain for ${more} ${what}: ${JSON.stringify(this.counts)}`)), 60_000);
        });
        await Promise.race([reached, this.working]).finally(() => clearTimeout(timer));
    }

    // ---- The load ----

    // Clients ask, so many at a time, until stop(), or until the server has ended.
    run() {
        const { process: child } = this.server;
        this.stopping = false;
        const worker = async () => {
            while (!this.stopping && child.exitCode === null && child.signalCode === null) {
                const { lost, failed } = this.counts;
                await this.turn();
                if (this.counts.lost !== lost || this.counts.failed !== failed)
                    await new Promise((next) => setTimeout(next, 30)); // a module does not ask again at once
            }
        };
        this.working = Promise.all(Array.from({ length: clients }, worker));
        this.working.catch(() => { this.stopping = true; });
        return this.working;
    }

    async stop() {
        this.stopping = true;
        await this.working;
        this.release();
    }

    async turn() {
        const kind = this.rand.below(16);
        if (kind === 0)
            await this.look();
        else if (kind === 1)
            await this.refuse();
        else if (kind <= 3)
            await this.report();
        else if (kind === 4)
            await this.ask(this.newDevice('7'), [44]);
        else if (kind === 5)
            await this.ask(this.done.length > 0 ? this.borrow(this.done) : this.newDevice(this.new), [27]);
        else
            await this.upgrade();
    }

    // Takes one of the list, so that no other client asks in its name meanwhile. ask() gives the device back.
    borrow(list) {
        return list.splice(this.rand.below(list.length), 1)[0];
    }

    // The next step of a module on its way to the new version.
    async upgrade() {
        const device = this.active.length < active_most / 2 || this.rand.below(3) === 0 && this.active.length < active_most
            ? this.newDevice(this.old) : this.borrow(this.active);
        if (device.whole) {
            device.module.version = this.new;
            await this.ask(device, [27]);
            return;
        }
        const range = device.begins ? null : device.read ?? null;
        const isCut = this.rand.below(6) === 0;
        const pauseAfter = isCut ? 1 + this.rand.below(this.content.length - (range ?? 0)) : Infinity;
        const download = await this.ask(device, range === null ? [200] : [206, 416], { range, pauseAfter, keep: isCut });
        device.begins = download.code === 416;
        if (download.isWhole || download.code === null)
            return;
        const cut = { device, download };
        if (this.ending)
            await this.readOn(cut);
        else if (this.held.length < 4)
            this.held.push(cut);
        else
            this.hangUp(cut);
    }

    // What the program has read, and what its kernel had. A download that has stopped reading is measured when it ends.
    take(device, download) {
        if (download.first === null)
            return;
        device.read = download.first + download.count - download.headLength;
        if (download.socket.destroyed || download.isWhole)
            device.had.set(this.old, Math.max(this.had(device, this.old), device.read));
    }

    // Ends a download that has stopped reading. While the server sends, the kernel may receive more, up to the whole package. To measure
    // that needs a server that has ended.
    hangUp({ device, download }, { measure = false } = {}) {
        if (measure)
            super.take(device, download);
        else
            device.had.set(this.old, this.content.length);
        download.socket.resetAndDestroy();
        this.active.push(device);
        this.count('cuts');
    }

    // One check-in, as in Ledger, and: every byte that came is one of the package; with 503 the server says that it has stored nothing.
    async ask(device, codes, { keep = false, ...options } = {}) {
        const { module } = device;
        const { version } = module;
        let { mayFail } = this;
        this.touched.add(device);
        device.open.push({ version, codes });
        device.reported.add(version);
        const download = new Download(this.server.device, forms[device.form](module), options);
        await download.settled;
        mayFail ||= this.mayFail;
        this.take(device, download);
        const { code } = download;
        assert.ok([...codes, null, ...(mayFail ? [503] : [])].includes(code), `device ${module.id} on ${version}: ${code}, not ${codes}`);
        if (code === 503) {
            device.open.pop();
        } else if (code !== null && !(code === 416 && mayFail)) { // a refused resume does not say why
            device.answered = { version, code };
            device.open = [];
        }
        this.see(device, download);
        const list = new Map([[this.old, this.active], [this.new, this.done]]).get(version);
        if (list && (!keep || download.isWhole || code === null))
            list.push(device);
        return download;
    }

    // Counts what came, and compares its bytes.
    see(device, download) {
        const { code, first, isWhole } = download;
        this.count(code === null ? 'lost' : code === 503 ? 'failed' : 'answers');
        if (!isWhole && !download.isPaused && download.count > 0)
            this.count('torn');
        if (code === 27)
            this.count('up to date');
        if (first === null)
            return;
        const body = Buffer.concat(download.chunks.map(({ bytes }) => bytes)).subarray(download.headLength);
        assert.ok(body.equals(this.content.subarray(first, first + body.length)), 'other bytes than those of the package');
        device.whole = isWhole && first + body.length === this.content.length;
        this.count(isWhole ? 'downloads' : 'parts');
    }

    // Reports of hosts, each of another version than before.
    async report() {
        if (this.hosts.length === 0)
            return;
        const host = this.borrow(this.hosts);
        const version = host.told === this.old ? this.new : this.old;
        host.open.push(version);
        const request = buildRequest(host.target, { method: 'POST', body: JSON.stringify({ version }) });
        const status = await this.exchange('reports', this.server.device, request, 200);
        if (status === 200)
            Object.assign(host, { told: version, open: [] });
        else if (status === 503)
            host.open.pop();
        this.hosts.push(host);
    }

    async refuse() {
        const request = buildRequest('/upgrade?project_key=nobody&imei=866597071234569&version=1');
        await this.exchange('refusals', this.server.device, request, 400);
    }

    // An admin reads. This needs no disk.
    async look() {
        const path = ['/status', '/products/crash/devices?limit=20', this.path('/packages'), '/nothing'][this.rand.below(4)];
        const request = buildRequest(`/api/v1${path}`, { connection: 'close', lines: [`Authorization: Bearer ${this.server.token}`] });
        await this.exchange('looks', this.server.adminAddress, request, path === '/nothing' ? 404 : 200);
    }

    // A whole answer with the right status, or nothing at all. A missing connection is no answer either. Returns the status.
    async exchange(what, address, request, right) {
        let { mayFail } = this;
        const answer = await exchange({ address, segments: [request] }).catch(() => ({ raw: '' }));
        mayFail ||= this.mayFail;
        const { status, raw } = answer;
        assert.ok(raw.length === 0 || answer.body.length === Number(answer.header('content-length')), `a part of an answer: ${raw}`);
        const isRefused = status === 503 && mayFail && address === this.server.device;
        assert.ok(status === right || status === undefined || isRefused, `${what}: ${status}, not ${right}: ${raw}`);
        this.count(status === undefined ? 'lost' : isRefused ? 'failed' : what);
        return status;
    }

    // ---- The end of a server ----

    // Ends the server in the moment of a certain answer, and everything that was in progress.
    async killAfter(answers) {
        const work = this.run();
        await this.until('answers', answers, () => this.server.process.kill('SIGKILL'));
        await this.kill(work);
        this.release({ measure: true });
    }

    // Ends the downloads that have stopped reading.
    release(options) {
        this.held.splice(0).forEach((cut) => this.hangUp(cut, options));
    }

    // SIGTERM in the moment of a certain answer. Modules that had stopped reading read on, and must get the whole package.
    async endAfter(answers) {
        const { server } = this;
        const stops = server.log('stop').length, work = this.run();
        await this.until('parts', 2);
        await this.until('answers', answers, () => { this.ending = true; server.process.kill('SIGTERM'); });
        const { ended } = server;
        await server.logged('stop', stops + 1);
        await Promise.all(this.held.splice(0).map((cut) => this.readOn(cut)));
        assert.deepEqual(await ended, { code: 0, signal: null });
        await work;
        this.ending = false;
    }

    async readOn({ device, download }) {
        await download.readOn();
        this.take(device, download);
        assert.ok(download.isWhole, `a module got ${device.read} bytes, and the connection was closed`);
        device.whole = true;
        this.active.push(device);
    }

    // ---- Checks ----

    // Everything that was acknowledged since the last time is in the records, and they say no more.
    async verify({ all = false } = {}) {
        await this.check();
        const waiting = [...(all ? this.devices : this.touched)];
        this.touched.clear();
        await Promise.all(Array.from({ length: 4 }, async () => {
            while (waiting.length > 0)
                await this.checkDevice(waiting.pop());
        }));
        for (const host of this.hosts) {
            const record = await this.server.deviceRecord(host.module.product, `imei:${host.module.id}`);
            const right = [...host.open, host.told];
            assert.ok(right.includes(record.confirmed_version), `a host reported ${right}, and the record has ${record.confirmed_version}`);
        }
    }

    async checkDevice(device) {
        await super.checkDevice(device);
        if (device.answered === null || device.answered.version === '7')
            return;
        const record = await this.record(device);
        const [newest] = record.attempts;
        if ([200, 206].includes(device.answered.code))
            assert.equal(newest?.to, this.new, `${device.module.id} got bytes, and has no attempt`);
        if (device.whole && device.answered.version === this.new && device.open.length === 0)
            assert.match(newest.state, /^confirmed/, JSON.stringify(record));
    }
}
