// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A fleet with faults, an admin and a server that is killed, each driven by one seed. Every answer is judged by what the
// modules did before it, and after every step the server shows the campaign as the model has it (campaign-model.mjs).

import assert from 'node:assert/strict';

import { CampaignModel, outcomes } from './campaign-model.mjs';
import { poll, sha256 } from './module.mjs';
import { Scene } from './scene.mjs';

const hour = 3_600_000, day = 24 * hour;
const guard = 6; // loop_guard_per_day
const soon = 1, late = 400 * day; // silent_after_ms

// Random stages that the server accepts.
function makeStages(rand, count) {
    const gate = () => ({
        ...(rand.below(3) === 0 ? { min_confirmed: rand.below(3) } : {}),
        ...(rand.below(3) === 0 ? { confirmed_percent: 20 * rand.below(6) } : {}),
        ...(rand.below(2) ? { max_failed: rand.below(4) } : {}),
        ...(rand.below(2) ? { max_silent: rand.below(4) } : {}),
        ...(rand.below(4) === 0 ? { settle_ms: hour } : {}),
        ...(rand.below(5) === 0 ? { approvals: 1 + rand.below(2) } : {}),
    });
    const first = 1 + rand.below(Math.max(1, count / 2 - 1));
    const list = [{ devices: first, ...gate() }];
    if (rand.below(3))
        list.push({ percent: 30 + rand.below(50), ...gate() });
    if (rand.below(8))
        list.push({ all: true, ...gate() });
    return list;
}

export class CampaignFleet {
    constructor(server, clock, rand, log) {
        Object.assign(this, { server, clock, rand, log });
        this.ahead_ms = 0;
        this.kills = 0;
        this.quarantined = new Set(); // hops out of service
        this.confirmed = new Map(); // hop → modules that reported its version after its package was delivered
        this.failed = new Map(); // hop → modules that came back with the old version
    }

    now() {
        return Date.now() + this.ahead_ms;
    }

    pick(list) {
        return list[this.rand.below(list.length)];
    }

    chance(percent) {
        return this.rand.below(100) < percent;
    }

    async begin() {
        const { server, rand } = this;
        const count = 4 + rand.below(9);
        this.canary = this.chance(60) ? 1 + rand.below(2) : 0;
        this.quarantineAfter = this.canary && this.chance(30) ? 1000 : 2 + rand.below(3);
        this.scene = await Scene.build(server, { versions: ['1', '2', '3', '4'], kind: 'mixed', size: 200_000, limit: 16_000_000, target: null, canary: true });
        await this.scene.set({ format: 'bsdiff', canary_confirmations: this.canary, quarantine_after: this.quarantineAfter });
        await server.admin('PATCH', this.scene.path('/images/2'), { waypoint: 'required', reason: 'a new file system' }, { expect: 200 });
        this.packages = await Promise.all([['1', '2'], ['2', '3'], ['2', '4'], ['3', '4']].map(async ([from, to]) => {
            await this.scene.makePackage(from, to);
            return { from, to, bytes: await this.scene.content(from, to) };
        }));
        assert.equal(new Set(this.packages.map(({ bytes }) => sha256(bytes))).size, this.packages.length);
        this.modules = Array.from({ length: count }, () => Object.assign(this.scene.module(), {
            begun: [], // when downloads from the start were answered
            open: null, // the attempt: {from, to, target, state, bytes, lost}
            silent: null, // the last attempt, if it is called silent
            reported: null, wasAdmitted: false, completed: [],
        }));
        this.stages = makeStages(rand, count);
        this.finishTransfers = this.chance(70);
        await server.admin('POST', this.scene.path('/campaigns'), {
            name: 'spring', target: '3', devices: this.modules.map((m) => `imei:${m.id}`), stages: this.stages, finish_transfers: this.finishTransfers,
        }, { expect: 201 });
        await this.act('start');
        this.model = new CampaignModel(count, this.stages, '3', this.now());
        this.log(`${count} modules, canary ${this.canary}, quarantine after ${this.quarantineAfter}, ${JSON.stringify(this.stages)}`);
        await this.check();
    }

    path(rest = '') {
        return this.scene.path(`/campaigns/spring${rest}`);
    }

    act(verb, body = null) {
        return this.server.admin('POST', this.path(`/${verb}`), body, { expect: 200 });
    }

    record(module) {
        return this.scene.record(module);
    }

    // ---- The comparison ----

    async view() {
        const shown = (await this.server.admin('GET', this.path(), null, { expect: 200 })).json;
        const rows = (await this.server.admin('GET', this.path('/devices?limit=1000'), null, { expect: 200 })).json.items;
        assert.deepEqual(rows.map((row) => row.device), this.modules.map((m) => m.id), 'each device once');
        for (const name of outcomes)
            assert.equal(shown.counts[name], rows.filter(({ outcome }) => outcome === name).length, `the count of ${name}`);
        return {
            state: shown.state, stage: shown.stage, target: shown.target, counts: shown.counts,
            stages: shown.stages.map(({ counts }) => counts),
            devices: rows.map(({ outcome, stage }) => `${outcome} ${stage ?? '-'}`),
        };
    }

    async check() {
        assert.deepEqual(sorted(await this.view()), sorted(this.model.view));
    }

    // Some of the models is right. Returns it.
    async choose(models) {
        const seen = JSON.stringify(sorted(await this.view()));
        const right = models.find((model) => JSON.stringify(sorted(model.view)) === seen);
        assert.ok(right, `the server shows ${seen}, and could be\n${models.map((m) => JSON.stringify(sorted(m.view))).join('\n')}`);
        return right;
    }

    // ---- What a report does ----

    // The attempt of a module ends, and its place in the campaign with it. Returns the state of the attempt.
    outcomeOf(attempt, version) {
        if (version === attempt.to)
            return 'confirmed';
        if (version === attempt.from)
            return attempt.state === 'delivered' || attempt.state === 'silent' ? 'not_applied' : null;
        return attempt.state === 'waiting' ? null : 'diverged';
    }

    // What a check-in with the version of module i does to a model, besides its answer.
    report(model, i, now_ms) {
        const { version, open, silent } = this.modules[i];
        const attempt = open ?? silent;
        const outcome = attempt && this.outcomeOf(attempt, version);
        if (outcome && attempt.target === model.target && model.devices[i].stage !== null)
            model.end(i, outcome === 'confirmed' && attempt.to !== model.target ? 'admitted' : outcome, now_ms);
        if (version === model.target)
            model.move(i, 'confirmed', now_ms);
        return { attempt, outcome };
    }

    // The same for the module, once the report is known to be stored.
    settleReport(i, { attempt, outcome }, now_ms) {
        const module = this.modules[i];
        module.reported = module.version;
        if (!attempt || (!outcome && !(attempt.state === 'waiting' && module.version !== attempt.from)))
            return;
        const hop = `${attempt.from}→${attempt.to}`;
        if (completes({ attempt, outcome })) {
            add(this.confirmed, hop, i);
            module.completed.push(now_ms);
        }
        if (outcome === 'not_applied') {
            add(this.failed, hop, i);
            if (size(this.confirmed, hop) < this.canary || size(this.failed, hop) >= this.quarantineAfter)
                this.quarantined.add(hop);
        }
        if (outcome && module.stuck?.hop === hop)
            module.stuck = null;
        module.open = module.silent = null;
    }

    // ---- The judgement of an answer ----

    // The modules that hold a package on trial, besides one.
    holders(hop, but) {
        return this.modules.filter((module, i) => {
            const attempt = module.open ?? module.silent;
            return i !== but && attempt && `${attempt.from}→${attempt.to}` === hop && attempt.state !== 'waiting' && !attempt.writtenOff && !attempt.dropped;
        });
    }

    // `told`: what this request reports. A hop that it completes counts already.
    judge(i, answer, { told, range }) {
        const module = this.modules[i], { model } = this;
        const code = answer.code ?? answer.status;
        const unfinished = this.finishTransfers && !told.outcome && module.open?.state === 'interrupted' && module.open.target === model.target;
        if (code === 206) {
            assert.ok(range && module.wasAdmitted, 'a continued download of a module that a stage admitted');
            assert.ok(model.state !== 'paused' || this.finishTransfers, 'a paused campaign without unfinished transfers');
            return;
        }
        if (code !== 200 && code !== 43)
            return;
        assert.ok(model.isLive, `a ${model.state} campaign leads no device`);
        assert.ok(model.state === 'running' || unfinished, 'a paused campaign begins nothing');
        assert.ok(model.admits(i), `no stage has admitted module ${i}`);
        if (code !== 200)
            return;
        const hop = `${module.version}→${this.hopOf(module, answer).to}`;
        assert.ok(!this.quarantined.has(hop), `the package ${hop} is out of service`);
        const others = this.holders(hop, i);
        assert.ok(size(this.confirmed, hop) >= this.canary || others.length === 0, `${hop} is on trial, and ${others.map((m) => m.id)} have it`);
        const lately = (times) => times.filter((at) => at > this.now() - day).length;
        const completed = lately(module.completed) + (completes(told) ? 1 : 0);
        assert.ok(lately(module.begun) < guard + completed, `module ${i} began ${module.begun.length} downloads`);
    }

    // The package that an answer from the start begins with. Planning goes around a package that is out of service.
    hopOf({ version }, { body }) {
        const found = this.packages.find(({ from, bytes }) => from === version && bytes.subarray(0, body.length).equals(body));
        assert.ok(found, `the answer is a package of V${version}`);
        return found;
    }

    // ---- A module's turn ----

    // What a module does before it asks again. Returns false when it does not ask.
    reboot(i, { well = false } = {}) {
        const module = this.modules[i], attempt = module.open ?? module.silent;
        if (well && module.version === '1.5')
            Object.assign(module, { version: '1', image: this.scene.images.get('1') });
        if (!attempt?.bytes || attempt.lost)
            return true;
        const dice = well ? 99 : this.rand.below(100);
        if (dice < 20)
            return false;
        if (dice < 35)
            attempt.lost = true; // refused: it reports the old version
        else if (dice < 42 && module.version === '1')
            module.version = '1.5';
        else
            Object.assign(module, { version: attempt.to, image: this.scene.images.get(attempt.to) });
        return true;
    }

    // One check-in; `kill`: the server is killed meanwhile.
    async turn(i, { well = false, kill = false } = {}) {
        const module = this.modules[i];
        if (!this.reboot(i, { well }))
            return this.log(`module ${i} does not ask`);
        const part = module.open?.state === 'interrupted' && module.version === module.open.from ? module.open.had : 0;
        const range = part > 0 && (well || this.chance(60)) ? part : null;
        const cutAfter = !well && this.chance(30) ? 1000 + this.rand.below(50_000) : undefined;
        const asking = module.ask({ ...(range ? { range } : {}), ...(cutAfter ? { cutAfter } : {}), judge: { unfinished: kill } })
            .catch((error) => { if (kill) return null; throw error; });
        if (kill)
            await this.kill(this.rand.below(12));
        const answer = await asking;
        module.answers.length = 0;
        const code = answer && (answer.code ?? answer.status);
        this.log(`module ${i} asks with ${module.version}${range ? ` from ${range}` : ''}${kill ? ', and the server is killed' : ''}: ${code ?? 'no answer'}`);
        if (kill && !(answer?.headComplete))
            return this.settleUnknown(i);
        const now_ms = this.now();
        const told = this.report(this.model, i, now_ms);
        this.judge(i, answer, { told, range });
        this.settleReport(i, told, now_ms);
        await this.settleAnswer(i, answer, range, now_ms);
        await this.check();
    }

    // The module knows its answer: it has bytes, or waits for them.
    async settleAnswer(i, answer, range, now_ms) {
        const module = this.modules[i], code = answer.code ?? answer.status;
        if (code === 200 || code === 43) {
            this.model.admit(i, now_ms);
            module.wasAdmitted = true;
            module.silent = null;
        }
        if (code === 200) {
            module.begun.push(now_ms);
            module.open = { from: module.version, to: this.hopOf(module, answer).to, target: this.model.target };
        }
        if (code === 200 || code === 206)
            await this.settleTransfer(module, answer, range ?? 0);
        else if (code === 43)
            module.open = { from: module.version, to: (await this.record(module)).attempts[0].to, target: this.model.target, state: 'waiting' };
        else if (code === 416)
            module.open.had = 0; // a refused resume: the module starts over
        else if (module.open?.state === 'interrupted' && !range)
            module.open.dropped = true, module.open.had = 0;
    }

    // The record says what the server knows of a transfer once it is over.
    async settleTransfer(module, answer, from) {
        const { state, size: whole } = await poll('the transfer is over', async () => {
            const [last] = (await this.record(module)).attempts;
            return last.state !== 'sending' && last;
        }, { every_ms: 5 });
        assert.ok(['interrupted', 'delivered'].includes(state), state);
        const had = from + answer.body.length;
        Object.assign(module.open, { state, had, bytes: had === whole, dropped: false, lost: state === 'delivered' && had < whole });
    }

    // The server was killed before the answer came: nothing happened, or all that the request does.
    async settleUnknown(i) {
        const module = this.modules[i], now_ms = this.now();
        const before = this.model, reported = before.clone();
        const told = this.report(reported, i, now_ms);
        const admitted = reported.clone();
        const [last] = (await this.record(module))?.attempts ?? [];
        if (admitted.isLive && admitted.admits(i) && last && ['waiting', 'sending', 'interrupted'].includes(last.state))
            admitted.admit(i, now_ms);
        this.model = await this.choose([before, reported, admitted]);
        const record = await this.record(module);
        if (record?.confirmed_version === module.version)
            this.settleReport(i, told, now_ms);
        await this.recover(i);
    }

    // After a kill, the record says which attempt is open.
    async recover(i) {
        const module = this.modules[i];
        const [last] = (await this.record(module))?.attempts ?? [];
        if (last && last.fetches > module.begun.length)
            module.begun.push(this.now());
        if (!last || !['waiting', 'interrupted', 'delivered', 'silent'].includes(last.state)) {
            module.open = module.silent = null;
            return;
        }
        const known = module.open ?? module.silent;
        const same = known && known.from === last.from && known.to === last.to && known.state === last.state;
        const attempt = same ? known : { from: last.from, to: last.to, target: last.target, had: 0, bytes: false, lost: true };
        attempt.state = last.state;
        module[last.state === 'silent' ? 'silent' : 'open'] = attempt;
        module.wasAdmitted = module.wasAdmitted || this.model.devices[i].stage !== null;
    }

    // ---- The server ----

    async kill(after_ms) {
        await new Promise((next) => setTimeout(next, after_ms)); // a random moment of the request
        this.kills += 1;
        await this.server.kill();
        await this.start();
    }

    async start() {
        await this.server.start();
        for (const module of this.modules)
            module.address = this.server.device;
    }

    // At its start the server looks at the gates.
    async restart({ hard = this.chance(50), config = {} } = {}) {
        await (hard ? this.server.kill() : this.server.stop());
        this.server.config = { ...this.server.config, ...config };
        await this.start();
        this.model.evaluate(this.now());
        await poll('the server has looked', () => this.check().then(() => true, () => false), { timeout_ms: 3000 }).catch(() => this.check());
    }

    // All that have a package and do not report become silent.
    async silence() {
        const now_ms = this.now();
        this.modules.forEach((module, i) => {
            if (module.open?.state !== 'delivered')
                return;
            module.silent = Object.assign(module.open, { state: 'silent' });
            module.open = null;
            if (module.silent.target === this.model.target && this.model.devices[i].stage !== null)
                this.model.end(i, 'silent', now_ms);
        });
        await this.restart({ config: { silent_after_ms: soon } });
        await poll('they are silent', async () => {
            for (const module of this.modules)
                if (module.silent && (await this.record(module)).attempts[0].state !== 'silent')
                    return false;
            return true;
        });
        await this.restart({ hard: false, config: { silent_after_ms: late } });
    }

    async hourPasses() {
        this.ahead_ms += hour + 60_000;
        this.clock.ahead(this.ahead_ms);
        await this.restart();
    }

    // ---- The admin ----

    async resume() {
        await this.act('resume');
        this.model.resume(this.now());
        await this.check();
    }

    async approve(name) {
        if (!this.model.isLive || this.model.approved[this.model.stage].has(name))
            return;
        const call = `approve?stage=${this.model.stage + 1}&by=${name}`;
        if (!this.model.needsApproval) {
            assert.equal((await this.server.admin('POST', this.path(`/${call}`))).json.code, 'campaign-state');
            return;
        }
        await this.act(call);
        this.model.approve(name, this.now());
        await this.check();
    }

    async pause() {
        await this.act('pause', { reason: 'rain' });
        this.model.state = 'paused';
        await this.check();
    }

    async retarget() {
        await this.act('retarget', { target: '4' });
        this.model.begin('4', this.now(), (i) => this.modules[i].reported === '4');
        await this.check();
    }

    async cancel() {
        await this.act('cancel');
        this.model.state = 'cancelled';
        await this.check();
    }

    async writeOff(i) {
        const module = this.modules[i], attempt = module.open ?? module.silent;
        await this.server.admin('POST', this.scene.deviceAdminPath(module, '/write-off?by=Li'), null, { expect: [200, 404, 409] });
        if (attempt)
            attempt.writtenOff = true;
        await this.check();
    }

    async unblock(i) {
        await this.server.admin('POST', this.scene.deviceAdminPath(this.modules[i], '/unblock'), null, { expect: 200 });
        this.modules[i].begun = [];
        this.modules[i].completed = [];
        await this.check();
    }

    async restore() {
        for (const hop of this.quarantined)
            await this.server.admin('DELETE', this.scene.path(`/packages/${hop.replace('→', '/')}/quarantine`), null, { expect: 204 });
        this.quarantined.clear();
    }

    // One random step.
    async step() {
        const dice = this.rand.below(100), i = this.rand.below(this.modules.length), { model } = this;
        if (dice < 66)
            return this.turn(i, { kill: this.chance(6) });
        const steps = [
            [73, 'silence', true, () => this.silence()], [77, 'an hour passes', true, () => this.hourPasses()], [81, 'restart', true, () => this.restart()],
            [84, 'pause', model.state === 'running', () => this.pause()], [92, 'resume', model.state === 'paused', () => this.resume()],
            [95, 'approve', true, () => this.approve(this.pick(['Ann', 'Bob']))], [97, 'write-off', this.modules[i].reported !== null, () => this.writeOff(i)],
            [99, 'retarget', model.isLive && model.target === '3', () => this.retarget()], [100, 'cancel', model.isLive && this.chance(25), () => this.cancel()],
        ];
        const [, name, fits, run] = steps.find(([below]) => dice < below);
        if (!fits)
            return;
        this.log(name);
        await run();
    }

    // From now on all is well: every module comes to an outcome, and the campaign to its end.
    async end() {
        for (let round = 0; this.model.isLive; round += 1) {
            assert.ok(round < 60, `the campaign does not end: ${JSON.stringify(this.model.view)}`);
            this.log(`round ${round} of the end`);
            if (this.model.state === 'paused')
                await this.resume();
            await this.restore();
            for (const i of this.modules.keys()) {
                if (!this.model.isLive)
                    break;
                await this.turn(i, { well: true });
                if ((await this.record(this.modules[i])).blocked)
                    await this.unblock(i);
            }
            for (const name of ['Ann', 'Bob'])
                await this.approve(name);
            if (this.model.state === 'running' && this.model.stages[this.model.stage].settle_ms > 0)
                await this.hourPasses();
            // The last stage may be smaller than the list: an admin ends such a campaign.
            if (this.model.state === 'running' && this.model.devices.every(({ outcome }, i) => !['waiting', 'admitted'].includes(outcome) || !this.model.canReach(i)))
                await this.cancel();
        }
        const before = this.modules.map((m) => m.begun.length);
        for (const i of this.modules.keys())
            await this.turn(i, { well: true });
        assert.deepEqual(this.modules.map((m) => m.begun.length), before, 'the end of a campaign begins nothing');
        assert.equal(Object.values(this.model.counts).reduce((a, b) => a + b), this.modules.length);
    }
}

function add(map, key, value) {
    if (!map.has(key))
        map.set(key, new Set());
    map.get(key).add(value);
}

// True: the report completes a hop whose package was delivered.
const completes = ({ attempt, outcome }) => outcome === 'confirmed' && ['delivered', 'silent'].includes(attempt.state);

const size = (map, key) => map.get(key)?.size ?? 0;

function sorted(view) {
    const order = (counts) => Object.fromEntries(outcomes.filter((name) => name in counts).map((name) => [name, counts[name]]));
    return { ...view, counts: order(view.counts), stages: view.stages.map(order) };
}

export { late };
