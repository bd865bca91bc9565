// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl's commands for campaigns: what they send, what they print, and a whole campaign on a real server.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { FakeApi, assertRun, at, run, scratch } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const path = '/products/pumps/firmware/Pump/campaigns';
const stage = {
    devices: 5, percent: null, all: false, min_confirmed: 4, confirmed_percent: 0, max_failed: 0, max_silent: 1, settle_ms: 86_400_000, approvals: 1,
    approved: 0, last_confirmed_at: null, counts: { admitted: 1, confirmed: 3, not_applied: 0, diverged: 0, silent: 0 },
};
const campaign = {
    campaign: 3, name: 'spring', firmware: 'Pump', plain: false, target: '1162', state: 'running', audience: 'list', devices: 150, stage: 1,
    counts: { waiting: 146, admitted: 1, confirmed: 3, not_applied: 0, diverged: 0, silent: 0 }, gate: 'stage 1: 3 of 4 devices have confirmed',
    stages: [stage, { ...stage, devices: null, percent: 10 }, { ...stage, devices: null, all: true }], paused_why: null, pause_when_done: false,
    finish_transfers: true, created_by: 'Ann', created_at: at, started_at: at, stage_started_at: at, ended_at: null,
    broken_gate: null,
};

const forecast = {
    devices: 147, bytes: 6458850, waiting: 0, unreachable: 3, unknown: 0, hops: 2, canaries: 2, rounds: 5, settle_ms: 0, approvals: 1, sampled: 150,
    rhythm_known: 140, quiet: 2, interval_ms: 86_400_000, slow_interval_ms: 172_800_000, duration_ms: 432_000_000, slow_duration_ms: 864_000_000,
};

describe('campaigns', () => {
    test('create sends the stages, then the list', async (t) => {
        const api = await FakeApi.start(t);
        const file = join(await scratch(t), 'list.csv');
        await writeFile(file, '866597071234567,first\n');
        api.on(`POST ${path}`, { status: 201, body: campaign }).on(`PUT ${path}/spring/devices`, { campaign: 3, devices: 1, new_devices: 1 })
            .on(`GET ${path}/spring`, campaign);
        const made = await api.ctl('campaign', 'create', 'Pump', 'spring', '1162', '--stage', '5,min=4,fail=0,silent=1,settle=1d,approve=1', '--stage', '10%',
            '--stage', 'all', '--devices', file, '--finish-transfers', 'no', '--by', 'Ann');
        assertRun(made, 0, { err: /1 devices, 1 of them are new/ });
        const [post, put] = api.requests.filter(({ method }) => method !== 'GET');
        assert.deepEqual(JSON.parse(post.body), {
            name: 'spring', target: '1162', pause_when_done: false, finish_transfers: false,
            stages: [{ devices: 5, min_confirmed: 4, max_failed: 0, max_silent: 1, settle_ms: 86_400_000, approvals: 1 }, { percent: 10 }, { all: true }],
        });
        assert.deepEqual([post.query.get('by'), String(put.body)], ['Ann', '866597071234567,first\n']);
        assert.match(made.out, /^ +waits for +stage 1: 3 of 4 devices have confirmed$/m);
        assert.match(made.out, /^ +2 +10 % /m);
    });

    test('a draft whose list is refused is deleted', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 201, body: campaign }).on(`DELETE ${path}/spring`, { status: 204 });
        assertRun(await api.ctl('campaign', 'create', 'Pump', 'spring', '1162', '--devices', '/nowhere'), 2, { err: /cannot read \/nowhere/ });
        assert.ok(api.requests.some(({ method }) => method === 'DELETE'));
    });

    for (const wrong of ['', 'five', '5,min', '5,min=x', '5,least=4', '5,settle=1y', '5,settle=1', '10%%'])
        test(`a stage is not '${wrong}'`, async (t) => {
            const api = await FakeApi.start(t);
            assertRun(await api.ctl('campaign', 'create', 'Pump', 'spring', '1162', '--stage', wrong), 2, { err: /--stage takes 5, 10% or all/ });
        });

    test('a broken gate is shown with its newest devices', async (t) => {
        const api = await FakeApi.start(t);
        const device = { device: '866597071234567', id_kind: 'imei', outcome: 'silent', since: at, stage: 1, confirmed_version: '1138', asked_version: '1138', last_seen_at: at };
        const broken = { gate: 'max_silent', stage: 1, count: 25, devices: [device] };
        api.on(`GET ${path}/spring`, { ...campaign, state: 'paused', paused_why: 'x', broken_gate: broken });
        const shown = await api.ctl('campaign', 'show', 'Pump', 'spring');
        assertRun(shown, 0, { out: /^The gate of stage 1 broke: max_silent\. Its devices, the newest first \(1 of 25\)$/m });
        assert.match(shown.out, /^ *866597071234567 +silent .* 1138 /m);
        assert.deepEqual(JSON.parse((await api.ctl('campaign', 'show', 'Pump', 'spring', '-o', 'json')).out).broken_gate, broken);
        api.on(`GET ${path}/spring`, campaign);
        assert.doesNotMatch((await api.ctl('campaign', 'show', 'Pump', 'spring')).out, /broke/);
    });

    test('a dry run prints the effect', async (t) => {
        const api = await FakeApi.start(t);
        const effect = {
            dry_run: true, target: '1162', devices: 150, bytes: 6458850, unreachable: 3, conflict: 'campaign a and campaign b have devices in common', forecast,
            groups: [{ version: '1138', devices: 147, effect: 'upgrade', path: ['1138', '1147', '1162'], hops: 2, bytes_per_device: 43938, reason: null },
                { version: null, devices: 3, effect: 'unreachable', path: null, bytes_per_device: null, reason: 'no path' }],
        };
        api.on(`POST ${path}/spring/start`, effect).on('PUT /products/pumps/firmware/Pump/target', effect);
        for (const words of [['campaign', 'start', 'Pump', 'spring'], ['target', 'set', 'Pump', '1162']]) {
            const shown = await api.ctl(...words, '--dry-run');
            assertRun(shown, 0, { err: /nothing was changed/ });
            assert.match(shown.out, /^Target 1162: 150 devices, 6458850 bytes; 3 devices cannot be reached\nconflict: campaign a/);
            assert.match(shown.out, /^1138 +147 +upgrade +1138→1147→1162 +2 +43938$/m);
            assert.match(shown.out, /^Rounds +5\n +for canaries +2\n.*\n.*\nTime +5 d 0 h\n +one question in +1 d 0 h$/m);
            assert.match(shown.out, /admins approve is not counted/);
            assert.equal(api.requests.at(-1).query.get('dry_run'), '1');
        }
        api.on(`POST ${path}/spring/start`, { ...effect, forecast: { ...forecast, rhythm_known: 0, interval_ms: null, duration_ms: null } });
        assert.match((await api.ctl('campaign', 'start', 'Pump', 'spring', '--dry-run')).out, /not known: no device has asked twice/);
    });

    test('the forecast beside what came of it', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${path}/spring`, { ...campaign, forecast, actual: { confirmed: 3, bytes: 131814, bytes_in_vain: 7, elapsed_ms: 86_400_000 } });
        const { out } = await api.ctl('campaign', 'show', 'Pump', 'spring');
        assert.match(out, /FORECAST +ACTUAL\nDevices confirmed +147 +3\nUnreachable +3 +-\nBytes +6458850 +131814\n +in vain +- +7\nTime +/);
    });

    test('a whole campaign', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const file = join(await scratch(t), 'list.csv');
        const modules = [scene.module(), scene.module()];
        await writeFile(file, modules.map(({ id }) => `${id}\n`).join(''));
        const env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product };
        const ctl = async (...words) => {
            const done = await run(words, { env });
            assert.equal(done.status, 0, done.err);
            return done.out;
        };
        await ctl('campaign', 'create', 'pump', 'spring', '2', '--stage', '1,approve=1', '--stage', 'all', '--devices', file);
        await ctl('campaign', 'start', 'pump', 'spring');
        await modules[0].upgrade();
        await modules[0].ask();
        assert.match(await ctl('campaign', 'show', 'pump', 'spring'), /waits for +stage 1: 0 of 1 admins have approved/);
        const late = await run(['campaign', 'approve', 'pump', 'spring', '2'], { env });
        assertRun(late, 1, { err: /the current stage is stage 1, not stage 2/ });
        await ctl('campaign', 'approve', 'pump', 'spring', '1');
        await ctl('campaign', 'pause', 'pump', 'spring', '--reason', 'rain');
        assert.match(await ctl('campaign', 'list', 'pump'), /spring +2 +paused +2 .*\n.*! rain/);
        await ctl('campaign', 'resume', 'pump', 'spring');
        await modules[1].upgrade();
        await modules[1].ask();
        assert.equal((await ctl('campaign', 'devices', 'pump', 'spring', '--outcome', 'confirmed')).trim().split('\n').length, 3);
        assert.match(await ctl('campaign', 'show', 'pump', 'spring'), /^State +finished$/m);
        await ctl('campaign', 'copy', 'pump', 'spring', 'again');
        await ctl('campaign', 'delete', '--yes', 'pump', 'again');
    });
});
