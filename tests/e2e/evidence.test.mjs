// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Whose statement about a device's version counts: requests of a stranger change neither better evidence nor what the device
// is being sent. Peers are recognised by their address: the module is 127.0.0.1, the stranger 127.0.0.2.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { ledgerRows } from './lib/chain.mjs';
import { poll, query } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const versions = ['1138', '1147', '1162'];
const build = (options = {}) => Scene.build(server, { versions, format: 'bsdiff', ...options });
const stranger = (scene, module, options = {}) => scene.module({ id: module.id, from: '127.0.0.2', ...options });
const claimPath = (scene, module) => scene.deviceAdminPath(module, '/claim');
const trust = (scene, yes) =>
    server.admin('PATCH', `/products/${scene.product}`, { trusted_check_ins: yes }, { expect: 200 });
const rowsOf = (module, kind) => ledgerRows(server, { device: `imei:${module.id}`, kind });

// A module with a link whose host reported what it runs.
async function reported(options = {}) {
    const scene = await build(options);
    await scene.makePackage('1138', '1162');
    const { module, link } = await scene.linkedModule();
    await report(module, link, { version: '1138' });
    return { scene, module, link };
}

// A module whose download in the dialect was cut. The images are the same each time, so their package is made once.
async function interrupted() {
    const scene = await build({ kind: 'noise', size: 1_500_000, limit: 16_000_000, seed: 700 });
    await scene.makePackage('1138', '1162');
    const module = scene.module();
    const { body } = await module.ask({ cutAfter: 20_000 });
    await scene.awaitAttempt(module, 'interrupted');
    return { scene, module, bytes: body };
}

async function assertContinues(scene, module, bytes) {
    const rest = await module.ask({ range: bytes.length });
    assert.equal(rest.status, 206, String(rest.body));
    const whole = Buffer.concat([bytes, rest.body]);
    assert.ok(whole.equals(await scene.content('1138', '1162')), 'the bytes are those that were begun');
}

describe('a link that was handed out to a check-in', () => {
    async function turnkey(scene, from) {
        const module = scene.module({ from, version: '2046.1.0' });
        const asking = `/api/site/turnkey_fota?${query({
            imei: module.id, project_key: scene.product, model: 'EC618', core_id: '8', core_version: '2046', script_name: 'pump',
            script_version: '1.0' })}`;
        const { json } = await module.ask({ target: asking, judge: { kind: 'report' } });
        return { module, asking, path: new URL(json.url).pathname };
    }
    const lines = { firmware: 'pump_LuatOS-SoC_EC618', versions: ['2046.1.0', '2046.1.2', '2046.1.3'], format: 'bsdiff' };

    test('gives no right to report', async () => {
        const scene = await Scene.build(server, lines);
        await scene.makePackage();
        const { module, path } = await turnkey(scene, '127.0.0.2');
        const { json } = await report(module, { report_url: `http://x${path}/report` }, { version: '2046.1.3' });
        assert.equal(json.confirmed_version, '2046.1.3', 'as anybody could say in a check-in');
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_authenticated, record.confirmed_grade], [false, 'unauthenticated']);
        const [row] = (await rowsOf(module, 'version-reported')).slice(-1);
        assert.deepEqual([row.detail.authenticated, row.detail.grade], [false, 'unauthenticated']);
    });

    test('counts more if it was handed out to a trusted check-in, but less than a host report', async () => {
        const scene = await Scene.build(server, lines);
        await trust(scene, true);
        await scene.makePackage();
        const { module, path } = await turnkey(scene, '127.0.0.1');
        assert.equal((await scene.record(module)).confirmed_grade, 'host-report');
        await report(module, { report_url: `http://x${path}/report` }, { version: '2046.1.3' });
        const { confirmed_version, claim } = await scene.record(module);
        assert.deepEqual([confirmed_version, claim.version, claim.grade], ['2046.1.0', '2046.1.3', 'link']);
    });

    test('is not used up by downloads of a stranger', async () => {
        const scene = await Scene.build(server, lines);
        await scene.makePackage();
        const { module, path } = await turnkey(scene, '127.0.0.2');
        const made = await scene.createLink(module, {});
        await report(module, made, { version: '2046.1.0' });
        for (let i = 0; i < 3; i += 1)
            assert.equal((await module.ask({ target: path })).status, 200);
        module.from = '127.0.0.1';
        assert.equal((await module.ask({ target: path })).status, 200);
    });
});

describe('an unauthenticated check-in', () => {
    test('does not replace a host report: it is a claim, and the link still works', async () => {
        const { scene, module } = await reported();
        const other = stranger(scene, module, { version: '1162' });
        assert.equal((await other.ask()).code, 27, 'it is answered by its own words');
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by, record.confirmed_grade], ['1138', 'host-report', 'host-report']);
        const { at, ...claim } = record.claim;
        assert.deepEqual(claim, { version: '1162', by: 'check-in', grade: 'unauthenticated', origin: '127.0.0.2' });
        assert.ok(at > 0);
        await module.upgrade();
        assert.equal(module.version, '1162');
        await other.ask();
        assert.equal((await rowsOf(module, 'version-claimed')).length, 1, 'once');
    });

    test('that agrees does not raise the grade', async () => {
        const { scene, module } = await reported();
        await stranger(scene, module, { version: '1138' }).ask();
        assert.equal((await scene.record(module)).claim, null);
    });

    test('does not end the attempt of a device with better evidence, and begins its own beside it', async () => {
        const { scene, module, link } = await reported();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        for (const version of ['1162', '1147', '1138', '7'])
            await stranger(scene, module, { version }).ask();
        const { attempts } = await scene.record(module);
        const main = attempts.filter(({ beside }) => !beside);
        assert.deepEqual(main.map(({ state }) => state), ['delivered']);
        await report(module, link, { version: '1162' });
        const after = await scene.record(module);
        assert.equal(after.attempts.find(({ attempt }) => attempt === main[0].attempt).state, 'confirmed');
        assert.deepEqual([after.confirmed_version, after.claim], ['1162', null], 'newer evidence answers the claim');
    });

    test('from a newer version gets a package for that version', async () => {
        const { scene, module } = await reported();
        await scene.makePackage('1147', '1162');
        const other = stranger(scene, module, { version: '1147', image: scene.images.get('1147') });
        await other.upgrade();
        assert.equal(other.version, '1162');
        const { confirmed_version, attempts } = await scene.record(module);
        assert.equal(confirmed_version, '1138');
        assert.deepEqual(attempts.filter(({ beside }) => beside).map(({ from, to }) => [from, to]), [['1147', '1162']]);
        assert.equal((await module.ask()).status, 200, 'the link is served from what the host reported');
    });

    test('of the target does not confirm a delivery: it counts as confirmed, not by us', async () => {
        const { scene, module } = await interrupted();
        module.version = '1162';
        assert.equal((await module.ask()).code, 27);
        assert.equal((await scene.record(module)).attempts[0].state, 'confirmed_not_by_us', 'a part is no delivery');
        const never = scene.module({ version: '1162' });
        assert.equal((await never.ask()).code, 27);
        const upgraded = scene.module();
        await upgraded.upgrade();
        await upgraded.ask();
        const { json } = await server.admin('GET', scene.path('/outcomes?state=confirmed,confirmed_not_by_us'));
        assert.deepEqual(json.counts, { confirmed: 1, confirmed_not_by_us: 2 });
        assert.deepEqual(json.items.map(({ device, outcome }) => [device, outcome]),
            [[module.id, 'confirmed_not_by_us'], [never.id, 'confirmed_not_by_us'], [upgraded.id, 'confirmed']]);
    });
});

describe('another address', () => {
    for (const version of ['1138', '1147', '1162', '7'])
        test(`that asks from ${version} does not end the download of the first one`, async () => {
            const { scene, module, bytes } = await interrupted();
            await stranger(scene, module, { version }).ask({ cutAfter: 10 });
            await assertContinues(scene, module, bytes);
            await poll('the main attempt is delivered', async () =>
                (await scene.record(module)).attempts.some(({ beside, state }) => !beside && state === 'delivered'));
        });

    test('is recorded with the attempt and in the ledger', async () => {
        const { scene, module } = await interrupted();
        await stranger(scene, module).ask({ cutAfter: 10 });
        await stranger(scene, module).ask({ cutAfter: 10 });
        const attempt = (await scene.record(module)).attempts.find(({ beside }) => !beside);
        assert.deepEqual([attempt.origin, attempt.elsewhere], ['127.0.0.1', '127.0.0.2']);
        const rows = await rowsOf(module, 'asked-elsewhere');
        assert.deepEqual(rows.map(({ detail }) => [detail.begun_by, detail.origin]), [['127.0.0.1', '127.0.0.2']]);
    });

    test('may continue the download, like a module whose address has changed', async () => {
        const { scene, module, bytes } = await interrupted();
        module.from = '127.0.0.3';
        await assertContinues(scene, module, bytes);
    });

    test('is refused a resume if its bytes could be from two downloads', async () => {
        const { scene, module } = await interrupted();
        await scene.setTarget('1147');
        await scene.makePackage('1138', '1147');
        await stranger(scene, module).ask({ cutAfter: 10 });
        module.from = '127.0.0.3';
        assert.equal((await module.ask({ range: 5 })).status, 416);
    });

    test('closes the loop guard only for itself', async () => {
        const scene = await build();
        await scene.makePackage('1138', '1162');
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        const other = stranger(scene, module);
        for (let i = 0; i < 6; i += 1)
            assert.equal((await other.ask()).status, 200);
        assert.equal((await other.ask()).code, 40);
        assert.equal((await module.ask()).status, 200);
        const record = await scene.record(module);
        assert.deepEqual([record.blocked, record.blocked_for], [true, ['127.0.0.2']]);
        assert.equal((await server.admin('GET', scene.path('/outcomes'))).json.counts.blocked, undefined, 'not for the device itself');
        await server.admin('POST', scene.deviceAdminPath(module, '/unblock'), null, { expect: 200 });
        assert.equal((await other.ask()).status, 200);
    });

    test('counts together with all others if check-ins are trusted', async () => {
        const scene = await build();
        await trust(scene, true);
        await scene.makePackage('1138', '1162');
        const module = scene.module();
        for (let i = 0; i < 6; i += 1)
            assert.equal((await stranger(scene, module, { from: `127.0.0.${i + 2}` }).ask()).status, 200);
        assert.equal((await module.ask()).code, 40);
    });
});

describe('an admin', () => {
    async function claimed() {
        const { scene, module, link } = await reported();
        await stranger(scene, module, { version: '1147' }).ask();
        return { scene, module, link };
    }

    test('accepts the claim that was shown, and the device continues from there', async () => {
        const { scene, module } = await claimed();
        assertProblem(await server.admin('POST', claimPath(scene, module), { version: '1162' }), 409, 'claim-changed');
        const { json } = await server.admin('POST', `${claimPath(scene, module)}?by=Li`, { version: 'V1147' }, { expect: 200 });
        assert.deepEqual([json.confirmed_version, json.confirmed_grade, json.claim], ['1147', 'unauthenticated', null]);
        const [row] = await rowsOf(module, 'claim-accepted');
        assert.deepEqual([row.detail.version, row.detail.by.name, row.detail.origin], ['1147', 'Li', '127.0.0.2']);
        await scene.module({ id: module.id, version: '1162' }).ask();
        assert.equal((await scene.record(module)).confirmed_version, '1162');
        assertProblem(await server.admin('POST', claimPath(scene, module), { version: '1162' }), 404, 'claim-not-found');
    });

    test('dismisses a claim, and the evidence stays', async () => {
        const { scene, module } = await claimed();
        const { json } = await server.admin('DELETE', claimPath(scene, module), null, { expect: 200 });
        assert.deepEqual([json.confirmed_version, json.confirmed_grade, json.claim], ['1138', 'host-report', null]);
        assert.equal((await rowsOf(module, 'claim-dismissed')).length, 1);
        assertProblem(await server.admin('DELETE', claimPath(scene, module)), 404, 'claim-not-found');
    });

    test('reports a list of versions, and a host report does not replace it', async () => {
        const { scene, module, link } = await reported();
        await server.admin('POST', scene.path('/reports'), `${module.id},1147\n`, { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        assert.equal((await scene.record(module)).confirmed_grade, 'admin');
        await report(module, link, { version: '1162' });
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.claim.version, record.claim.by], ['1147', '1162', 'host-report']);
    });

    test('trusts the check-ins of a product, and then they count like host reports', async () => {
        const { scene, module } = await reported();
        assert.equal((await server.admin('GET', `/products/${scene.product}`)).json.trusted_check_ins, false);
        assert.equal((await trust(scene, true)).json.trusted_check_ins, true);
        await scene.module({ id: module.id, version: '1162' }).ask();
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_grade, record.claim], ['1162', 'host-report', null]);
        await trust(scene, false);
        await scene.module({ id: module.id, version: '1147' }).ask();
        assert.equal((await scene.record(module)).confirmed_version, '1162', 'what was trusted then still counts');
        const rows = (await ledgerRows(server, { product: scene.product, kind: 'product-set' }));
        assert.deepEqual(rows.map(({ detail }) => detail.trusted_check_ins), [true, false]);
        assertProblem(await server.admin('PATCH', `/products/${scene.product}`, { trusted: true }), 400, 'bad-request');
    });

    test('finds conflicts in the list, the status and dfotactl', async () => {
        const { scene, module } = await claimed();
        await scene.module({ version: '1138' }).ask();
        const { json } = await server.admin('GET', `/products/${scene.product}/devices?q=claim=yes`);
        assert.deepEqual(json.items.map(({ device }) => device), [module.id]);
        assert.ok((await server.admin('GET', '/status')).json.conflicts >= 1);
        const { adminAddress: { host, port }, token } = server;
        const ctl = (...words) => run([...words, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { DFOTA_TOKEN: token } });
        assert.match((await ctl('device', 'list', '--conflicts')).out, new RegExp(`^${module.id} +1138 +host-report +1147 +check-in +127\\.0\\.0\\.2$`, 'm'));
        const shown = (await ctl('device', 'show', module.id)).out;
        assert.match(shown, /^ +grade +host-report$/m);
        assert.match(shown, /^1147 +check-in +unauthenticated +127\.0\.0\.2 /m);
        assert.match((await ctl('explain', module.id, '--dialect', '--version', '1147')).out, /^Claims +1147$/m);
        const accepted = await ctl('device', 'accept', module.id, '1147', '--by', 'Li');
        assert.equal(accepted.status, 0, accepted.err);
        assert.match(accepted.out, /^Confirmed version +1147$/m);
        assert.equal((await ctl('device', 'dismiss', module.id)).status, 1);
        const set = await ctl('product', 'set', scene.product, '--trusted-check-ins', 'yes');
        assert.match(set.out, /^Trusted check-ins +yes$/m);
        assert.equal((await ctl('product', 'set', scene.product, '--trusted-check-ins', 'perhaps')).status, 2);
    });
});
