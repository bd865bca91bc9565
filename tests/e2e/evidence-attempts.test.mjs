// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What each evidence about a device does to its attempt, in each state of the attempt. The attempt leads from 1138 to 1147.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Scene, report, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const versions = ['1138', '1147'];
const hour = 3600_000;

// How the attempt of a new device comes to its state.
const asks = async (scene) => {
    const module = scene.module();
    await module.ask();
    return module;
};
const states = {
    waiting: asks,
    interrupted: async (scene) => {
        const module = scene.module();
        await module.ask({ cutAfter: 20_000 });
        return module;
    },
    delivered: asks,
    handed_over: asks,
    silent: asks,
};
const configs = { handed_over: { device_proxies: '127.0.0.1' }, silent: { silent_after_ms: 200 } };

const list = (scene, module, version, at = '') => scene.server.admin('POST', scene.path('/reports'), Buffer.from(`${module.id},${version}${at && `,${at}`}\n`),
    { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
const says = async (module, version) => {
    module.version = version;
    await module.ask({ cutAfter: 100 });
};
const accept = (scene, module, version) => scene.server.admin('POST', scene.deviceAdminPath(module, '/claim'), { version }, { expect: 200 });
// An admin confirmed the old version before, so that other versions of the device are claims.
const claim = async (scene, module, version) => {
    await list(scene, module, '1138', (await scene.record(module)).confirmed_at + 1);
    await says(module, version);
};

// [evidence, what is done, the attempt afterwards for each state above, the confirmed version]. `·`: as before.
const by = 'confirmed_not_by_us', ok = 'confirmed', old = 'not_applied', third = 'diverged', gone = 'abandoned';
const table = [
    ['a list with the new version', (s, m) => list(s, m, '1147'), [by, by, ok, ok, ok], '1147'],
    ['a list with the new version, an hour ago', (s, m) => list(s, m, '1147', Date.now() - hour), ['·', '·', '·', '·', '·'], '1138'],
    ['a list with the old version', (s, m) => list(s, m, '1138'), ['·', '·', old, old, old], '1138'],
    ['a list with a third version', (s, m) => list(s, m, '1141'), [gone, third, third, third, third], '1141'],
    ['a report of the host with the new version', async (s, m) => report(m, await s.createLink(m), { version: '1147' }), [by, by, ok, ok, ok], '1147'],
    ['a check-in with the new version', (s, m) => says(m, '1147'), [by, by, ok, ok, ok], '1147'],
    ['a check-in with a third version', (s, m) => says(m, '1141'), [gone, third, third, third, third], '1141'],
    ['a claim of the new version', (s, m) => claim(s, m, '1147'), ['·', '·', '·', '·', '·'], '1138'],
    ['an accepted claim of the new version', async (s, m) => { await claim(s, m, '1147'); await accept(s, m, '1147'); }, [by, by, ok, ok, ok], '1147'],
    ['a device that is written off', (s, m) => s.server.admin('POST', s.deviceAdminPath(m, '/write-off')), ['·', '·', '·', '·', '·'], '1138'],
    ['a device that is replaced', (s, m) => s.server.admin('POST', s.deviceAdminPath(m, '/replace'), { device: s.module().id }), [gone, gone, 'silent', 'silent', 'silent'], '1138'],
];

function check(scene, state, column) {
    return Promise.all(table.map(async ([name, act, ends, version]) => {
        const module = await states[state](scene);
        const attempt = await scene.awaitAttempt(module, state);
        await act(scene, module);
        const record = await scene.record(module);
        const now = record.attempts.find((a) => a.attempt === attempt.attempt);
        assert.deepEqual([now.state, record.confirmed_version], [ends[column] === '·' ? state : ends[column], version], `${state}: ${name}`);
    }));
}

describe('evidence, and the attempt of the device', () => {
    for (const [column, state] of Object.keys(states).entries()) {
        test(`that is ${state}`, async (t) => {
            const worker = await writeScript(t, (dir) => `while [ -e ${dir}/hold ]; do sleep 0.05; done\nexec ${join(buildDir, 'dfota')} "$@"`);
            const server = await startServer(t, { config: { ...configs[state], dfota_path: worker.path } });
            const scene = await Scene.build(server, { versions, ...(state === 'interrupted' && { kind: 'noise', size: 1_500_000, limit: 16_000_000 }) });
            if (state === 'waiting')
                writeFileSync(join(worker.dir, 'hold'), '');
            else
                await scene.makePackage();
            t.after(() => rmSync(join(worker.dir, 'hold'), { force: true }));
            await check(scene, state, column);
        });
    }
});

test('an accepted claim that was made before the package was sent does not end the attempt', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { versions: [...versions, '1162'], format: 'bsdiff' });
    await scene.makePackage('1138', '1162');
    const { module, link } = await scene.linkedModule();
    await list(scene, module, '1138');
    const other = scene.module({ id: module.id, version: '1138' });
    await scene.setTarget('1138');
    other.version = '1147';
    await other.ask(); // the claim
    await scene.setTarget('1162');
    await module.ask();
    await scene.awaitAttempt(module, 'delivered');
    await accept(scene, module, '1147');
    const record = await scene.record(module);
    assert.deepEqual([record.confirmed_version, record.attempts[0].state], ['1147', 'delivered'], 'and not diverged');
    await report(module, link, { version: '1162' });
    assert.equal((await scene.record(module)).attempts[0].state, 'confirmed');
});

test('the uptime is stored at a clean stop: restarts do not make the server wait longer for a report', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { versions });
    await scene.makePackage();
    const module = await asks(scene);
    await scene.awaitAttempt(module, 'delivered');
    const uptime = () => Number(execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), 'SELECT ms FROM served'], { encoding: 'utf8' }));
    for (let n = 0, before = 0; n < 2; n += 1) {
        const begun = performance.now();
        await new Promise((next) => setTimeout(next, 300));
        const least = performance.now() - begun;
        await server.stop();
        const now = uptime();
        assert.ok(now >= before + Math.floor(least), `${now} after ${before}`);
        before = now;
        await server.start();
    }
});
