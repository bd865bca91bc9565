// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// libfota3: it asks where to download, gets the answer in JSON, downloads over its own URL, and sends the result.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { luatosPackage } from './lib/luatos.mjs';
import { messages } from './lib/judge.mjs';
import { Module, query, sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const firmware = 'pump_LuatOS-SoC_Air8101';
let seeds = 0;
const script = (size = 60_000) => noiseImage({ seed: 7500 + (seeds += 1), size });

async function scripts({ on = server, version = '2046.1.2', size = 60_000, ...options } = {}) {
    const scene = await Scene.build(on, { firmware, versions: [], target: null, ...options });
    const file = luatosPackage({ script: script(size) });
    await on.putImage(scene.product, firmware, version, file);
    await scene.setTarget(version);
    return { scene, file };
}

// A device as in the source of the library; `edition` 1 is that of 2026-05. `script` is its VERSION.
class Turnkey extends Module {
    constructor({ script: own = '001.999.001', core = '2046', coreId = '8', edition = 2, ...options }) {
        super({ firmware, version: null, ...options });
        Object.assign(this, { script: own, core, coreId, edition });
    }

    get asking() {
        const core = this.edition === 1 ? { core_name: 'LuatOS-SoC_Air8101' } : { model: 'Air8101' };
        return `/api/site/turnkey_fota?${query({
            [this.idKind]: this.id, project_key: this.product, ...core, core_id: this.coreId, core_version: this.core,
            script_name: 'pump', script_version: this.script,
        })}`;
    }

    // Every answer is a 200 with JSON.
    async check(options = {}) {
        const answer = await this.ask({ target: this.asking, judge: { kind: 'report' }, ...options });
        assert.equal(answer.status, 200, String(answer.body));
        if (options.method !== 'HEAD')
            assert.match(answer.body.toString('latin1'), /^\{"code": ?\d+,[ -~]*\}$/);
        return answer;
    }

    async refused(code) {
        const { json } = await this.check();
        assert.deepEqual(json, { code, msg: messages.get(code) });
    }

    fetch(url, options = {}) {
        assert.doesNotMatch(new URL(url).pathname + new URL(url).search, /[:?]/);
        return this.ask({ target: new URL(url).pathname, ...options });
    }

    // The first edition sends only a query, later ones the same query and JSON.
    post(fota_sn, result_code, { body = this.edition === 1 ? null : JSON.stringify({ fota_sn, result_code }) } = {}) {
        return this.ask({
            method: 'POST', target: `/api/site/turnkey_fota_result?${query({ fota_sn, result_code })}`, body,
            judge: { kind: 'report' },
        });
    }
}

const device = (scene, options = {}) => new Turnkey({ address: scene.server.device, product: scene.product, ...options });

// Another device takes the package and confirms it: after that a device that fails does not put it out of service.
async function confirmFirst(scene) {
    const module = device(scene);
    await module.fetch((await module.check()).json.url);
    await scene.awaitAttempt(module, 'delivered');
    module.script = '001.999.002';
    await module.refused(27);
}

describe('a device', () => {
    for (const edition of [1, 2]) {
        test(`of edition ${edition} asks, downloads, sends the result, and is confirmed by its next version`, async () => {
            const { scene, file } = await scripts();
            const module = device(scene, { edition });
            const { json } = await module.check();
            const { url, fota_sn, ...told } = json;
            assert.deepEqual(told, {
                code: 0, core_version: '2046', script_version: '001.999.002', size: file.length,
                // The first edition compares the hash of the file's name, and only where it is told one.
                sha256: edition === 1 ? '' : sha256(file), msg: '', core_id: 8,
            });
            assert.match(fota_sn, /^[a-z2-7]{26}$/);
            let [attempt] = (await scene.record(module)).attempts;
            assert.deepEqual([attempt.state, attempt.from, attempt.to, attempt.fetches, attempt.result], ['waiting', '2046.1.1', '2046.1.2', 0, null]);

            const got = await module.fetch(url);
            assert.equal(got.status, 200);
            assert.ok(got.body.equals(file));
            await scene.awaitAttempt(module, 'delivered');
            const ok = edition === 1 ? 0 : 1;
            assert.deepEqual((await module.post(fota_sn, ok)).json, { code: 0, msg: '' });
            [attempt] = (await scene.record(module)).attempts;
            assert.equal(attempt.state, 'delivered', 'its own word confirms nothing');
            assert.equal(attempt.result.code, ok);
            assert.match(attempt.result.meaning, edition === 1 ? /the restart that applies it follows/ : /reports the announced version/);

            module.script = told.script_version;
            await module.refused(27);
            const record = await scene.record(module);
            assert.deepEqual([record.confirmed_version, record.attempts.length, record.attempts[0].state], ['2046.1.2', 1, 'confirmed']);
            assert.equal(record.attempts[0].result.code, ok);
        });
    }

    test('is known by IMEI, MAC or UID', async () => {
        const { scene } = await scripts();
        for (const options of [{}, { idKind: 'mac', id: 'C8C2C68E1235' }, { idKind: 'uid', id: '30393438373236' }]) {
            const module = device(scene, options);
            assert.equal((await module.check()).json.code, 0);
            assert.equal((await scene.record(module)).device, module.id);
        }
    });

    test('keeps its URL and number while nothing changes, and gets a new number for a new attempt', async () => {
        const { scene } = await scripts();
        await confirmFirst(scene);
        const module = device(scene);
        const [first, again] = [(await module.check()).json, (await module.check()).json];
        assert.deepEqual(again, first);
        const other = (await device(scene).check()).json;
        assert.notEqual(other.url, first.url);
        assert.notEqual(other.fota_sn, first.fota_sn);
        await module.fetch(first.url);
        await scene.awaitAttempt(module, 'delivered');
        const failed = await module.post(first.fota_sn, 2);
        assert.equal(failed.json.code, 0);
        const { fota_sn, url } = (await module.check()).json; // it came back with the old version
        assert.equal(url, first.url);
        assert.notEqual(fota_sn, first.fota_sn);
        const { attempts } = await scene.record(module);
        assert.deepEqual(attempts.map((a) => [a.state, a.result?.code]), [['waiting', undefined], ['not_applied', 2]]);
        assert.match(attempts[1].result.meaning, /does not run the announced version/);
    });

    test('gets a new URL after an admin has revoked the old one', async () => {
        const { scene, file } = await scripts();
        const module = device(scene);
        const { url } = (await module.check()).json;
        await server.admin('DELETE', scene.deviceAdminPath(module, '/links'), null, { expect: 204 });
        assert.equal((await module.fetch(url)).code, 21);
        const next = (await module.check()).json.url;
        assert.notEqual(next, url);
        assert.ok((await module.fetch(next)).body.equals(file));
    });

    test('resumes, also over a restart, and HEAD gives the same answer and records nothing', async (t) => {
        const own = await startServer(t);
        const { scene, file } = await scripts({ on: own, size: 400_000 });
        const module = device(scene);
        const head = await module.check({ method: 'HEAD' });
        assert.equal(await scene.record(module), null);
        const { body, json } = await module.check();
        assert.equal(head.header('content-length'), String(body.length));
        const first = await module.fetch(json.url, { cutAfter: 100_000 });
        await scene.awaitAttempt(module, 'interrupted');
        await own.restart({ hard: true });
        module.address = own.device;
        const rest = await module.fetch(json.url, { range: first.body.length });
        assert.equal(rest.status, 206);
        assert.ok(Buffer.concat([first.body, rest.body]).equals(file));
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.fetch(json.url, { range: file.length })).status, 416);
        assert.equal((await module.post(json.fota_sn, 1)).json.code, 0);
        assert.equal((await scene.record(module)).attempts[0].result.code, 1);
    });

    test('is offered a delta too, when it is made', async () => {
        const scene = await Scene.build(server, { format: 'bsdiff', firmware, versions: ['2046.1.1', '2046.1.2'] });
        const module = device(scene);
        await module.refused(43);
        const made = await scene.makePackage();
        const { json } = await module.check();
        assert.deepEqual([json.code, json.size, json.sha256], [0, made.size, made.sha256]);
        assert.equal(sha256((await module.fetch(json.url)).body), made.sha256);
        assert.equal((await scene.record(module)).attempts.length, 1);
    });

    test('gets core_id as a number, 0 where it sends none', async () => {
        const { scene } = await scripts();
        for (const [coreId, said] of [['116', 116], ['', 0], ['V8', 0]])
            assert.strictEqual((await device(scene, { coreId }).check()).json.core_id, said);
    });

    test('may send any bytes in its query but a blank, CR and LF, and none of them in the path', async () => {
        const { scene } = await scripts();
        const module = device(scene, { idKind: 'uid', id: '00010917' });
        const target = module.asking.replace('uid=00010917', 'uid=\x00\x01\t\x17');
        const { json } = await module.check({ target });
        assert.equal(json.code, 0);
        assert.equal((await scene.record(module)).device, module.id);
        for (const wrong of [target.replace('/api', '/\x01'), target.replace('\t', '\r')])
            assert.equal((await module.ask({ target: wrong })).status, 400);
    });

    test('may have releases named with all numbers of its script', async () => {
        const { scene } = await scripts({ version: '2046.1.999.2' });
        const module = device(scene);
        assert.equal((await module.check()).json.script_version, '001.999.002');
        module.script = '001.999.002';
        await module.refused(27);
        assert.equal((await scene.record(module)).confirmed_version, '2046.1.999.2');
    });
});

describe('a refusal is a 200 with its code', () => {
    test('for every kind of refusal', async () => {
        const { scene } = await scripts();
        await device(scene, { product: 'nobody' }).refused(25);
        await device(scene, { idKind: 'imei', id: '12' }).refused(3);
        await device(scene, { core: '2040' }).refused(44);
        await device(scene, { script: 'newest' }).refused(44);
        await device(scene, { script: '001.999.002' }).refused(27);
        const other = device(scene);
        Object.defineProperty(other, 'asking', { get: () => `/api/site/turnkey_fota?${query({ imei: other.id, project_key: scene.product, script_name: 'none' })}` });
        await other.refused(26);
        await scene.set({ max_package_bytes: 1000 });
        await device(scene).refused(21);
    });

    test('also if the server has no address for links', async (t) => {
        const own = await startServer(t, { config: { device_listen: '0.0.0.0:0' } });
        own.device.host = '127.0.0.1';
        const { scene } = await scripts({ on: own });
        const module = device(scene);
        await module.refused(21);
        assert.match((await scene.record(module)).last_answer.reason, /public_device_url/);
    });

    test('and the loop guard counts downloads, not requests', async () => {
        const { scene } = await scripts();
        await confirmFirst(scene);
        const module = device(scene);
        for (let i = 0; i < 10; i += 1)
            assert.equal((await module.check()).json.code, 0);
        for (let i = 0; i < 6; i += 1) {
            const { url } = (await module.check()).json;
            assert.equal((await module.fetch(url)).status, 200);
            await scene.awaitAttempt(module, 'delivered');
        }
        await module.refused(40);
    });
});

test('a result without a matching attempt is refused and changes nothing', async () => {
    const { scene } = await scripts();
    const module = device(scene);
    const { fota_sn } = (await module.check()).json;
    const bodies = ['{', '[]', '{}', '{"fota_sn":1,"result_code":0}', `{"fota_sn":"${fota_sn}"}`, `{"fota_sn":"${fota_sn}","result_code":"0"}`];
    for (const body of bodies)
        assert.ok([400, 422].includes((await module.post(fota_sn, 0, { body })).status), body);
    for (const sn of ['', 'a'.repeat(26), 'a'.repeat(200)])
        assert.ok([400, 404, 422].includes((await module.post(sn, 0)).status), sn);
    for (const code of ['', 'x', '-1', '99999999999'])
        assert.ok([400, 422].includes((await module.post(fota_sn, code, { body: null })).status), code);
    assert.equal((await scene.record(module)).attempts[0].result, null);
    assert.equal((await module.post(fota_sn, 7)).json.code, 0);
    assert.deepEqual((({ code, meaning }) => ({ code, meaning }))((await scene.record(module)).attempts[0].result), { code: 7, meaning: null });
});
