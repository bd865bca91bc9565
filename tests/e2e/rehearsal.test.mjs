// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfota-sim --campaign: a campaign with a scratch server of its own, and modules that apply, refuse, lose the connection or
// restart. The server and the modules must agree.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';

import { file, makeImage, sim } from './lib/sim.mjs';

const versions = ['1138', '1147', '1162'];
const sum = (stages, outcome) => stages.reduce((total, { counts }) => total + counts[outcome], 0);

// A folder of its own: other tests use dfota-sim at the same time.
const scratch = file('scratch');

before(async () => {
    mkdirSync(scratch);
    process.env.TMPDIR = scratch;
    for (const version of versions)
        await makeImage(version, version);
});

const known = () => versions.flatMap((version) => ['--know', `${version}=${file(version)}`]);

async function rehearse(...words) {
    const { status, stdout, stderr } = await sim('--campaign', '1162', ...known(), '--speed', 864000, ...words, '-o', 'json');
    assert.ok(stdout, stderr);
    const json = JSON.parse(stdout);
    assert.deepEqual([json.agree, json.differences, json.faults], [true, [], 0], stdout);
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(scratch), [], 'the scratch server is removed');
    return json;
}

describe('a rehearsal', () => {
    test('goes through two hops in three stages, as the forecast said', async () => {
        const { campaign, fates, hops, rounds, forecast, bytes, events } = await rehearse('--from', '1138=30', '--from', '1147=10', '--waypoint', '1147',
            '--stage', '2', '--stage', '25%,settle=1d,approve=1', '--stage', 'all');
        assert.deepEqual([campaign.state, campaign.counts.confirmed, campaign.devices, fates.at_target], ['finished', 40, 40, 40]);
        assert.deepEqual(campaign.stages.map(({ counts }) => counts.confirmed), [2, 8, 30]);
        assert.deepEqual(hops.map(({ from, to, downloads, applied }) => [from, to, downloads, applied]).sort(),
            [['1138', '1147', 30, 30], ['1147', '1162', 40, 40]]);
        assert.deepEqual([forecast.devices, forecast.hops, forecast.bytes, campaign.actual.bytes, campaign.actual.bytes_in_vain], [40, 2, bytes, bytes, 0]);
        assert.deepEqual([forecast.rounds, forecast.approvals], [11, 1]);
        assert.ok(rounds >= 6 && rounds <= 30, String(rounds));
        for (const wanted of [/stage 2 of 3 begins/, /the rehearsal approves stage 2/, /stage 3 of 3 begins/, /the campaign is finished/])
            assert.ok(events.some((line) => wanted.test(line)), String(wanted));
    });

    test('pauses at its gate when some modules apply nothing', async () => {
        const { campaign, fates } = await rehearse('--from', '1138=50', '--refuse', 20, '--seed', 3, '--stage', '10,min=5', '--stage', 'all');
        assert.equal(campaign.state, 'paused');
        assert.match(campaign.paused_why, /^stage [12]: devices that did not apply a package: \d+, allowed are 0$/);
        assert.deepEqual([sum(campaign.stages, 'not_applied'), campaign.counts.confirmed, campaign.counts.waiting],
            [fates.refused, fates.at_target, fates.untouched]);
        assert.ok(fates.refused >= 1 && campaign.actual.bytes_in_vain > 0);
    });

    test('shows that one device had the package when all modules refuse it', async () => {
        const { campaign, hops, fates } = await rehearse('--from', '1138=50', '--refuse', 100, '--waypoint', '1147', '--stage', '5,fail=1000', '--stage', 'all,fail=1000');
        assert.equal(hops.length, 1);
        assert.deepEqual([hops[0].downloads, hops[0].refused, fates.refused, fates.untouched, campaign.counts.waiting], [1, 1, 1, 49, 49]);
        assert.match(hops[0].out_of_service, /on trial/);
    });

    test('agrees when connections are lost and modules restart', async () => {
        const { campaign, bytes, forecast } = await rehearse('--from', '1138=40', '--loss', 40, '--resets', 10, '--stage', '5,fail=1000', '--stage', 'all,fail=1000',
            '--set', 'quarantine_after=1000', '--set', 'canary_confirmations=0');
        assert.equal(campaign.counts.confirmed + campaign.counts.not_applied + campaign.counts.admitted + campaign.counts.waiting, 40);
        assert.ok(bytes > forecast.bytes / 2);
    });

    test('prints a report in words', async () => {
        const { status, stdout } = await sim('--campaign', '1162', ...known(), '--from', '1138=3', '--speed', 864000);
        assert.equal(status, 0, stdout);
        for (const line of [/^Rehearsal of a campaign to 1162 with 3 modules\.$/m, /^Stage 1 \(all\): 3 confirmed$/m, /^Hop 1138 to 1162: canary \d{15}; 3 downloads/m,
            /^The campaign is finished$/m, /^The server says: 3 confirmed$/m, /^The server and the modules agree\.$/m])
            assert.match(stdout, line);
    });

    for (const [words, why] of [
        [['--from', '1138=3', '--url', 'http://127.0.0.1:1'], /no other server/],
        [[], /needs --from/],
        [['--from', '1138'], /VERSION=COUNT/],
        [['--from', '1150=3'], /--know 1150=FILE/],
        [['--from', '1138=3', '--stage', '5,least=4'], /--stage takes 5, 10% or all/],
        [['--from', '1138=3', '--set', 'colour=blue'], /colour/],
        [['--from', '1138=3', '--loss', '80', '--resets', '20'], /at most 90/],
    ])
        test(`refuses ${words.join(' ') || 'no modules'}`, async () => {
            const { status, stderr } = await sim('--campaign', '1162', ...known(), ...words);
            assert.equal(status, 2);
            assert.match(stderr, why);
        });

    test('needs --campaign for its options, and a server that starts', async () => {
        assert.match((await sim('--url', 'http://127.0.0.1:1', '--refuse', 5)).stderr, /need --campaign/);
        const { status, stderr } = await sim('--campaign', '1162', ...known(), '--from', '1138=1', '--server', '/nowhere/dfotad');
        assert.equal(status, 3);
        assert.match(stderr, /did not start: \/nowhere\/dfotad: No such file/);
    });
});
