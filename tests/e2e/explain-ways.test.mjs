// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// explain uses the way in which the device asks, and says how its next request is answered: compared with that request in
// many states, over a link, in the dialect and over turnkey_fota.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { poll, query } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true, config: { loop_guard_per_day: 2, link_offers: 2, link_offer_gap_ms: 0 } }); });
after(() => server?.dispose());

const explain = async (scene, module, more = '') =>
    (await scene.server.admin('GET', `/products/${scene.product}/explain?device=${module.idKind}:${module.id}${more}`, null, { expect: 200 })).json;

// Explains, then asks: the answers are equal, and so are the reasons.
async function same(scene, module, over, state, options = {}) {
    const told = await explain(scene, module, options.range ? `&range=${options.range}` : '');
    const { target = module.target } = options;
    const answer = await module.ask({ ...options, target, ...(over === 'turnkey' && { judge: { kind: 'report' } }) });
    const code = over === 'turnkey' ? answer.json.code || 200 : answer.code ?? answer.status;
    assert.deepEqual([told.over, told.code === 206 ? answer.status : told.code], [over, code === 206 ? 206 : code], `${state}: ${JSON.stringify(told)}`);
    const reason = (await scene.record(module)).last_answer.reason;
    assert.equal(told.reason, reason, state);
    return told;
}

describe('over a link', () => {
    test('as in its URL, with offers used up, reported, revoked, blocked', async () => {
        const scene = await Scene.build(server, { versions: ['1001', '1002'] });
        await scene.makePackage();
        const { module, link } = await scene.linkedModule();
        assert.equal((await explain(scene, module)).link, link.link);
        for (let i = 0; i < 2; i++) {
            assert.equal((await same(scene, module, 'link', `offer ${i}`)).code, 200);
            await scene.awaitAttempt(module, 'delivered');
        }
        const told = await same(scene, module, 'link', 'all offers used up');
        assert.equal(told.code, 27);
        assert.match(told.reason, /delivered 2 times/);
        await report(module, link, { version: '1001' });
        assert.equal((await same(scene, module, 'link', 'the loop guard blocks it')).code, 40);
        await same(scene, module, 'link', 'it has closed');
        await server.admin('POST', scene.deviceAdminPath(module, '/unblock'), null, { expect: 200 });
        await scene.setTarget('1001');
        await same(scene, module, 'link', 'another target');
        await server.admin('DELETE', scene.deviceAdminPath(module, '/links'), null, { expect: 204 });
        const revoked = await same(scene, module, 'link', 'revoked');
        assert.match(revoked.reason, /revoked/);
    });

    test('with another version typed than the link was made with, and with a newer link', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'] });
        await scene.makePackage('2', '3');
        const { module, link } = await scene.linkedModule();
        assert.equal((await explain(scene, module)).from, '1');
        module.link = module.link.replace(/1$/, '2');
        assert.ok(module.link.endsWith('/2'));
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await explain(scene, module)).from, '2', 'as it asked last');
        await same(scene, module, 'link', 'typed otherwise');
        const newer = await scene.createLink(module, { version: '1' });
        assert.deepEqual([(await explain(scene, module)).link, (await explain(scene, module)).from], [newer.link, '1']);
        assert.equal((await explain(scene, module, `&link=${link.link}`)).from, '2');
        assert.equal((await explain(scene, module, '&over=dialect')).over, 'dialect');
        assertProblem(await server.admin('GET', `/products/${scene.product}/explain?device=${module.id}&over=smoke`), 400, 'bad-request');
        assertProblem(await server.admin('GET', `/products/${scene.product}/explain?device=${module.id}&over=dialect&link=1`), 400, 'bad-request');
    });

    test('with a notice, a withdrawn target, no format, and within the gap between two offers', async (t) => {
        const patient = await startServer(t, { config: { link_offer_gap_ms: 86_400_000 } });
        const scene = await Scene.build(patient, { versions: ['1', '2'], firmware: 'pump' });
        await scene.makePackage();
        const { module } = await scene.linkedModule();
        await same(scene, module, 'link', 'first');
        await scene.awaitAttempt(module, 'delivered');
        assert.match((await same(scene, module, 'link', 'in the gap')).reason, /offers it again from/);
        await scene.set({ max_package_bytes: 10 });
        await same(scene, module, 'link', 'oversize');
        await scene.set({ format: null });
        await same(scene, module, 'link', 'no format');
        await patient.clearTarget(scene.product, scene.firmware);
        await same(scene, module, 'link', 'no target');
    });
});

test('in the dialect: also without a version, with another firmware name, and in the middle of a download', async () => {
    const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000, versions: ['1', '2'] });
    await scene.makePackage();
    const module = scene.module();
    await module.ask({ cutAfter: 100_000 });
    await scene.awaitAttempt(module, 'interrupted');
    assert.equal((await same(scene, module, 'dialect', 'continued', { range: 100_000, cutAfter: 1000 })).code, 206);
    const nameless = scene.module();
    await nameless.ask();
    const target = nameless.target.replace(/&version=.*/, '');
    await nameless.ask({ target });
    assert.match((await same(scene, nameless, 'dialect', 'no version', { target })).reason, /contains no valid version/);
    const strange = scene.module();
    await strange.ask();
    strange.firmware = 'nobody';
    await strange.ask();
    assert.equal((await same(scene, strange, 'dialect', 'unknown firmware')).code, 26);
    strange.firmware = scene.firmware;
    await strange.ask();
    await same(scene, strange, 'dialect', 'known again');
});

test('in the dialect with a core and a script, for every form of target', async () => {
    const firmware = 'pump';
    const scene = await Scene.build(server, { firmware, versions: ['4030', '4030.1.0.0', '4030.1.0.1', '4035'], format: 'bsdiff', target: '4030.1.0.1' });
    const module = scene.module({ version: '4030' });
    const target = `/api/site/firmware_upgrade?${query({
        project_key: scene.product, imei: module.id, firmware_name: firmware, core_version: '4030', dfota: '1', version: '1.0.0',
    })}`;
    await scene.makePackage('4030.1.0.0', '4030.1.0.1');
    await scene.makePackage('4030', '4035');
    await module.ask({ target });
    await scene.awaitAttempt(module, 'delivered');
    assert.equal((await same(scene, module, 'dialect', 'script', { target })).from, '4030.1.0.0');
    await scene.awaitAttempt(module, 'delivered');
    await scene.setTarget('4035');
    assert.equal((await same(scene, module, 'dialect', 'core alone', { target })).from, '4030');
});

test('a device that asks in the dialect and has a link, and the other way round', async () => {
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    await scene.makePackage();
    const module = scene.module();
    await module.ask();
    const link = await scene.createLink(module);
    assert.equal((await explain(scene, module)).over, 'dialect', 'the link was never used');
    module.link = new URL(link.url).pathname;
    await module.ask();
    await scene.awaitAttempt(module, 'delivered');
    await same(scene, module, 'link', 'it asks over the link now');
    module.link = null;
    await module.ask();
    await same(scene, module, 'dialect', 'it speaks the dialect again');
});

test('over turnkey_fota, also during the download over its link', async () => {
    const firmware = 'pump_LuatOS-SoC_Air8101';
    const scene = await Scene.build(server, { firmware, versions: ['2046.1.1', '2046.1.2'], format: 'bsdiff' });
    const module = scene.module({ version: '2046.1.1' });
    const target = `/api/site/turnkey_fota?${query({
        imei: module.id, project_key: scene.product, model: 'Air8101', core_id: '8', core_version: '2046', script_name: 'pump', script_version: '001.000.001',
    })}`;
    const options = { target };
    await scene.makePackage();
    await module.ask({ target, judge: { kind: 'report' } });
    await same(scene, module, 'turnkey', 'offered', options);
    const { json } = await module.ask({ target, judge: { kind: 'report' } });
    await module.ask({ target: new URL(json.url).pathname });
    await scene.awaitAttempt(module, 'delivered');
    await same(scene, module, 'turnkey', 'delivered', options);
    await scene.setTarget('2046.1.1');
    assert.equal((await same(scene, module, 'turnkey', 'up to date', options)).code, 27);
});

// Generation goes on by itself: here one tool that does not end holds the only worker, so both states last.
test('while a package is generated and while another waits for its turn', async (t) => {
    const firmware = 'pump_LuatOS-SoC_Air8101';
    const dir = await mkdtemp(join(tmpdir(), 'dfota-held-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, 'conf'), `[firmware ${firmware}]\nexternal_command = /bin/sh -c "exec sleep 600" {old} {new} {out}\n`);
    const busy = await startServer(t, { config: { config: join(dir, 'conf'), jobs: 1, matrix: 'needed' } });
    const scene = await Scene.build(busy, { firmware, versions: ['2046.1.1', '2046.1.2', '2046.1.3'], format: 'external' });
    const running = scene.module({ version: '2046.1.1' });
    await running.ask();
    await poll('a worker generates the first', async () => /is being generated$/.test((await explain(scene, running)).reason));
    await same(scene, running, 'dialect', 'being generated');
    const { module: linked } = await scene.linkedModule({ version: '2046.1.2' });
    await linked.ask();
    assert.match((await same(scene, linked, 'link', 'queued')).reason, /is queued to be generated$/);
    const turnkey = scene.module({ version: '2046.1.1' });
    const target = `/api/site/turnkey_fota?${query({
        imei: turnkey.id, project_key: scene.product, model: 'Air8101', core_id: '8', core_version: '2046', script_name: 'pump', script_version: '001.000.001',
    })}`;
    await turnkey.ask({ target, judge: { kind: 'report' } });
    assert.match((await same(scene, turnkey, 'turnkey', 'being generated', { target })).reason, /is being generated$/);
});
