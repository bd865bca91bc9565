// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A package that no device has confirmed goes to one device. When that device fails, no other device ever gets it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true, config: { pin_idle_ms: 86_400_000 } }); });
after(() => server?.dispose());

const ask = async (module, options = {}) => {
    const answer = await module.ask(options);
    return answer.code ?? answer.status;
};

const reason = async (scene, module) => (await scene.record(module)).last_answer.reason;

async function fetchWhole(scene, module) {
    assert.equal(await ask(module), 200);
    await scene.awaitAttempt(module, 'delivered');
}

async function comeBack(scene, module, version) {
    const kept = module.version;
    module.version = version;
    const code = await ask(module);
    module.version = kept;
    return code;
}

describe('a package that no device has confirmed', () => {
    test('goes to one device, and to the others once that device has confirmed it', async () => {
        const scene = await Scene.build(server, { canary: true });
        await scene.makePackage();
        const [first, second, third] = [scene.module(), scene.module(), scene.module()];
        await fetchWhole(scene, first);
        for (const other of [second, third]) {
            assert.equal(await ask(other), 27);
            assert.equal(await reason(scene, other), `no device has confirmed the package 1001→1002 yet, and imei:${first.id} tries it first`);
            assert.deepEqual((await scene.record(other)).attempts, [], 'the device waits without an attempt');
        }
        assert.equal(await comeBack(scene, first, '1002'), 27);
        assert.equal((await scene.record(first)).attempts[0].state, 'confirmed');
        await Promise.all([fetchWhole(scene, second), fetchWhole(scene, third)]);
    });

    test('goes to two devices one after the other, where two confirmations are asked for', async () => {
        const scene = await Scene.build(server, { canary: true });
        await scene.set({ canary_confirmations: 2 });
        await scene.makePackage();
        const [first, second, third] = [scene.module(), scene.module(), scene.module()];
        await fetchWhole(scene, first);
        await comeBack(scene, first, '1002');
        await fetchWhole(scene, second);
        assert.equal(await ask(third), 27);
        await comeBack(scene, second, '1002');
        assert.equal(await ask(third), 200);
    });

    test('goes to nobody after the first device came back with the old version', async () => {
        const scene = await Scene.build(server, { canary: true });
        const made = await scene.makePackage();
        const first = scene.module();
        await fetchWhole(scene, first);
        assert.equal(await ask(first), 21, 'it reports the old version');
        assert.equal((await scene.record(first)).attempts[0].state, 'not_applied');
        const [line] = await server.logged('package-quarantined', 1);
        assert.match(line.reason ?? line, /1 device came back with 1001/);
        for (const other of [scene.module(), scene.module()])
            assert.equal(await ask(other), 21);
        const shown = await scene.package();
        assert.match(shown.quarantine.reason, /^1 device came back with 1001/);
        assert.equal(shown.sha256, made.sha256);
        const status = (await server.admin('GET', '/status', null, { expect: 200 })).json;
        assert.ok(status.packages.quarantined >= 1);
        const rows = (await server.admin('GET', `/ledger?kind=package-quarantined&product=${scene.product}`, null, { expect: 200 })).json.items;
        assert.equal(rows.length, 1);
        assert.equal(rows[0].package, made.sha256);
        await server.admin('DELETE', scene.path('/packages/1001/1002/quarantine'), null, { expect: 204 });
        assert.equal((await scene.package()).quarantine, null);
        assert.equal(await ask(scene.module()), 200, 'an admin has put it back');
    });

    test('goes to nobody after the first device was silent, and came back with the old version late', async (t) => {
        const hasty = await startServer(t, { config: { silent_after_ms: 300 } });
        const scene = await Scene.build(hasty, { canary: true });
        await scene.makePackage();
        const first = scene.module();
        assert.equal(await ask(first), 200);
        await scene.awaitAttempt(first, 'silent');
        assert.equal(await ask(first), 21, 'it reports the old version');
        assert.equal(await ask(scene.module()), 21);
        assert.match((await scene.package()).quarantine.reason, /^1 device came back with 1001/);
    });

    test('leads planning around the hop, when there is another path', async () => {
        const scene = await Scene.build(server, { canary: true, versions: ['1', '2', '3'] });
        for (const [from, to] of [['1', '3'], ['1', '2'], ['2', '3']])
            await scene.makePackage(from, to);
        const first = scene.module();
        await fetchWhole(scene, first);
        await ask(first);
        await poll('the path goes over 2', async () => /1→2/.test(await reason(scene, first)) || (await ask(first), false));
        const path = (await server.admin('GET', scene.path('/paths?from=1&to=3'), null, { expect: 200 })).json;
        assert.deepEqual(path.hops.map((hop) => hop.to), ['2', '3']);
    });

    test('stays with a silent device, until an admin gives up on that device', async () => {
        const scene = await Scene.build(server, { canary: true });
        await scene.makePackage();
        const [first, second] = [scene.module(), scene.module()];
        await fetchWhole(scene, first);
        assert.equal(await ask(second), 27);
        await server.restart();
        second.address = server.device;
        assert.equal(await ask(second), 27, 'after a restart, too');
        await server.admin('POST', scene.deviceAdminPath(first, '/write-off?by=Li'), null, { expect: 200 });
        assert.equal(await ask(second), 200);
        assert.equal((await server.admin('GET', `/ledger?kind=device-written-off&product=${scene.product}`, null, { expect: 200 })).json.items.length, 1);
    });

    test('is tried again by a device that an admin gave up on, when that device begins anew', async () => {
        const scene = await Scene.build(server, { canary: true, kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const [first, second] = [scene.module(), scene.module()];
        await first.ask({ cutAfter: 1000 });
        await scene.awaitAttempt(first, 'interrupted');
        await server.admin('POST', scene.deviceAdminPath(first, '/write-off?by=Li'), null, { expect: 200 });
        await fetchWhole(scene, first);
        assert.equal(await ask(second), 27);
    });

    test('goes to another device once an admin has retired the silent one', async () => {
        const scene = await Scene.build(server, { canary: true });
        await scene.makePackage();
        const [first, second] = [scene.module(), scene.module()];
        await fetchWhole(scene, first);
        assert.equal(await ask(second), 27);
        await server.admin('POST', scene.deviceAdminPath(first, '/retire'), null, { expect: 200 });
        assert.equal(await ask(second), 200);
    });

    test('is free again when the first device fetched a part and nothing more for pin_idle_ms', async (t) => {
        const hasty = await startServer(t, { config: { pin_idle_ms: 1 } });
        const scene = await Scene.build(hasty, { canary: true, kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const [first, second] = [scene.module(), scene.module()];
        await first.ask({ cutAfter: 1000 });
        await scene.awaitAttempt(first, 'interrupted');
        await poll('the place is free', async () => await ask(second, { cutAfter: 1000 }) === 200);
    });
});

test('a firmware with a package out of service, and a product with a webhook, can be deleted', async () => {
    const scene = await Scene.build(server, { target: null });
    await scene.makePackage();
    await server.admin('PUT', scene.path('/packages/1001/1002/quarantine'), { reason: 'bad' }, { expect: 204 });
    await server.admin('POST', '/webhooks', { name: scene.product, url: 'http://127.0.0.1:1/', product: scene.product }, { expect: 201 });
    for (const version of scene.versions)
        await server.admin('DELETE', scene.path(`/images/${version}`), null, { expect: 204 });
    await server.admin('DELETE', scene.path(), null, { expect: 204 });
    await server.admin('DELETE', `/products/${scene.product}`, null, { expect: 204 });
    const { items } = (await server.admin('GET', '/webhooks', null, { expect: 200 })).json;
    assert.deepEqual(items.filter((hook) => hook.name === scene.product), []);
});

describe('after the canary', () => {
    test('a second device that fails puts the package out of service, and a download cannot be continued', async () => {
        const scene = await Scene.build(server, { canary: true, kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        await scene.makePackage();
        const [first, second, third, late] = [1, 2, 3, 4].map(() => scene.module());
        await fetchWhole(scene, first);
        await comeBack(scene, first, '1002');
        await late.ask({ cutAfter: 100_000 });
        await scene.awaitAttempt(late, 'interrupted');
        for (const device of [second, third])
            await fetchWhole(scene, device);
        await ask(second);
        assert.equal((await scene.package()).quarantine, null, 'one of them is not enough');
        await ask(third);
        assert.match((await scene.package()).quarantine.reason, /^2 devices came back with 1001/);
        assert.equal((await late.ask({ range: 100_000 })).status, 416);
    });
});

describe('the settings', () => {
    test('are refused where they are wrong, and the canary cannot be switched off for modules', async () => {
        const scene = await Scene.build(server, { canary: true });
        const patch = (changes) => server.admin('PATCH', scene.path(), changes);
        for (const wrong of [{ canary_confirmations: -1 }, { canary_confirmations: 1001 }, { canary_confirmations: 'one' }, { quarantine_after: 0 }])
            assertProblem(await patch(wrong), 422, 'invalid');
        assert.equal((await patch({ canary_confirmations: 0 })).status, 200);
        await server.logged('canary-set', 1);
        assertProblem(await patch({ format: 'ec618-at', canary_confirmations: 0 }), 422, 'invalid');
        assert.equal((await patch({ format: 'ec618-at' })).json.canary_confirmations, 1, 'it comes back with the format');
        assertProblem(await patch({ canary_confirmations: 0 }), 422, 'invalid');
        assert.deepEqual([(await server.firmware(scene.product, scene.firmware)).canary_confirmations], [1]);
    });

    test('an admin takes a package out of service by hand', async () => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        assertProblem(await server.admin('PUT', scene.path('/packages/1001/1002/quarantine'), { reason: '' }), 422, 'invalid');
        await server.admin('PUT', scene.path('/packages/1001/1002/quarantine'), { reason: 'the cells of village 7 fail' }, { expect: 204 });
        const module = scene.module();
        assert.equal(await ask(module), 21);
        assert.match(await reason(scene, module), /out of service: the cells of village 7 fail/);
    });
});
