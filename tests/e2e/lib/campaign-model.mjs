// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a campaign must be, told by what its modules did and what the admins said: a second implementation of
// doc/campaigns.md. A list of modules, in order.

export const outcomes = ['waiting', 'admitted', 'confirmed', 'not_applied', 'diverged', 'silent'];
const failures = new Set(['not_applied', 'diverged']);

export class CampaignModel {
    // stages: as the API takes them
    constructor(count, stages, target, now_ms) {
        this.stages = stages.map((stage) => ({ confirmed_percent: stage.min_confirmed === undefined ? 100 : 0, min_confirmed: 0,
            max_failed: 0, max_silent: 0, settle_ms: 0, approvals: 0, ...stage }));
        this.count = count;
        this.state = 'running';
        this.begin(target, now_ms, () => false);
    }

    // The first stage, and all devices waiting, but those that run the target already.
    begin(target, now_ms, runs) {
        this.target = target;
        this.stage = 0;
        this.devices = Array.from({ length: this.count }, (_, i) => ({ outcome: runs(i) ? 'confirmed' : 'waiting', stage: null }));
        this.approved = this.stages.map(() => new Set());
        this.last_confirmed_ms = this.stages.map(() => 0);
        this.fold(now_ms);
        this.evaluate(now_ms);
    }

    clone() {
        return Object.assign(Object.create(CampaignModel.prototype), structuredClone({ ...this }));
    }

    reach(stage = this.stage) {
        const { devices, percent } = this.stages[stage];
        return devices !== undefined ? Math.min(devices, this.count) : percent !== undefined ? Math.ceil(this.count * percent / 100) : this.count;
    }

    admits(i) {
        return this.devices[i].stage !== null || i < this.reach();
    }

    canReach(i) {
        return i < this.reach(this.stages.length - 1);
    }

    in(stage, outcome) {
        return this.devices.filter((device) => device.stage === stage && (outcome === undefined || device.outcome === outcome)).length;
    }

    get counts() {
        return Object.fromEntries(outcomes.map((name) => [name, this.devices.filter((device) => device.outcome === name).length]));
    }

    // A module came to run the target before a stage admitted it: it counts in the stage that reaches it.
    fold(now_ms) {
        this.devices.forEach((device, i) => {
            if (device.stage !== null || device.outcome !== 'confirmed' || i >= this.reach())
                return;
            device.stage = this.stage;
            this.last_confirmed_ms[this.stage] = now_ms;
        });
    }

    isBroken(stage) {
        const failed = [...failures].reduce((sum, outcome) => sum + this.in(stage, outcome), 0);
        return failed > this.stages[stage].max_failed || this.in(stage, 'silent') > this.stages[stage].max_silent;
    }

    holds(now_ms) {
        const gate = this.stages[this.stage];
        const admitted = this.devices.filter((device) => device.stage !== null).length;
        const devices = this.in(this.stage) + Math.max(0, this.reach() - admitted);
        let share = Math.ceil(devices * gate.confirmed_percent / 100);
        if (gate.confirmed_percent === 100) // a device that failed is not waited for
            share = Math.max(Math.min(devices, 1), devices - ['not_applied', 'diverged', 'silent'].reduce((sum, outcome) => sum + this.in(this.stage, outcome), 0));
        const wanted = Math.min(devices, Math.max(gate.min_confirmed, share));
        return this.in(this.stage, 'confirmed') >= wanted && now_ms - this.last_confirmed_ms[this.stage] >= gate.settle_ms
            && this.approved[this.stage].size >= gate.approvals;
    }

    evaluate(now_ms) {
        while (this.state === 'running') {
            if (this.stages.some((_, stage) => stage <= this.stage && this.isBroken(stage))) {
                this.state = 'paused';
            } else if (this.stage + 1 === this.stages.length) {
                if (this.counts.waiting + this.counts.admitted === 0)
                    this.state = 'finished';
                return;
            } else if (this.holds(now_ms)) {
                this.stage += 1;
                this.fold(now_ms);
            } else {
                return;
            }
        }
    }

    get isLive() {
        return this.state === 'running' || this.state === 'paused';
    }

    // The end of an attempt also counts when the campaign has finished meanwhile.
    end(i, outcome, now_ms) {
        this.move(i, outcome, now_ms, this.isLive || this.state === 'finished');
    }

    // A module's outcome. Only a confirmation counts of one that no stage has admitted.
    move(i, outcome, now_ms, counts = this.isLive) {
        const device = this.devices[i];
        if (!counts || device.outcome === outcome || (device.stage === null && outcome !== 'confirmed'))
            return;
        device.outcome = outcome;
        if (device.stage === null)
            device.stage = i < this.reach() ? this.stage : null;
        if (outcome === 'confirmed' && device.stage !== null)
            this.last_confirmed_ms[device.stage] = now_ms;
        this.evaluate(now_ms);
    }

    // A module gets an attempt or bytes.
    admit(i, now_ms) {
        const device = this.devices[i];
        if (device.stage === null) {
            device.stage = this.stage;
            device.outcome = 'admitted';
        } else if (device.outcome === 'silent') {
            this.move(i, 'admitted', now_ms);
        }
    }

    resume(now_ms) {
        for (let stage = 0; stage <= this.stage; stage += 1) {
            const gate = this.stages[stage];
            gate.max_failed = Math.max(gate.max_failed, this.in(stage, 'not_applied') + this.in(stage, 'diverged'));
            gate.max_silent = Math.max(gate.max_silent, this.in(stage, 'silent'));
        }
        this.state = 'running';
        this.evaluate(now_ms);
    }

    approve(name, now_ms) {
        this.approved[this.stage].add(name);
        this.evaluate(now_ms);
    }

    // As the API shows it, for a comparison.
    get view() {
        return {
            state: this.state, stage: this.stage + 1, target: this.target, counts: this.counts,
            stages: this.stages.map((_, stage) => Object.fromEntries(outcomes.slice(1).map((name) => [name, this.in(stage, name)]))),
            devices: this.devices.map(({ outcome, stage }) => `${outcome} ${stage === null ? '-' : stage + 1}`),
        };
    }
}
