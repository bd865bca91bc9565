// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Why did this device get that answer? The decision is made again, rule by rule, and nothing is recorded.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true, config: { loop_guard_per_day: 1 } }); });
after(() => server?.dispose());

const explain = (scene, module, more = '') =>
    server.admin('GET', `/products/${scene.product}/explain?device=${module.idKind}:${module.id}${more}`);

test('explain gives the answer that the device would get, and changes nothing', async () => {
    const scene = await Scene.build(server);
    await scene.makePackage();
    const module = scene.module();
    await scene.setTarget('1001');
    assert.equal((await module.ask()).code, 27);
    await scene.setTarget('1002');
    const earlier = await scene.record(module);
    const told = (await explain(scene, module)).json;
    assert.deepEqual([told.code, told.over, told.from, told.target], [200, 'dialect', '1001', '1002']);
    assert.match(told.reason, /1001→1002 .* is sent/);
    assert.equal(told.rules.at(-1).outcome, 'answered');
    assert.ok(told.rules.slice(0, -1).every(({ outcome }) => outcome === 'passed') && told.rules.length > 10, JSON.stringify(told.rules));
    assert.deepEqual([told.last_answer.code, told.last_answer.reason], [27, earlier.last_answer.reason]);
    assert.deepEqual(await scene.record(module), earlier);

    await module.ask();
    await scene.awaitAttempt(module, 'delivered');
    const guarded = (await explain(scene, module)).json;
    assert.equal(guarded.code, 40);
    assert.match(guarded.rules.at(-1).asks, /loop guard/);
    assert.equal((await scene.record(module)).blocked, false, 'the guard has not closed by being asked');
});

test('explain from another version, in the middle of a package, and over a link', async () => {
    const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'] });
    const { module, link } = await scene.linkedModule();
    assert.equal((await explain(scene, module, '&version=999')).json.code, 44);
    assert.equal((await explain(scene, module, '&version=1003')).json.code, 27);
    assert.equal((await explain(scene, module, '&version=1001&range=5')).json.code, 416);
    const over = (await explain(scene, module, `&link=${link.link}`)).json;
    assert.deepEqual([over.over, over.from], ['link', '1001']);
    assert.ok([43, 200].includes(over.code));
    assertProblem(await explain(scene, module, '&link=999'), 404, 'link-not-found');
    assertProblem(await explain(scene, { idKind: 'imei', id: '866597071234569' }), 404, 'device-not-found');
    assertProblem(await server.admin('GET', `/products/${scene.product}/explain`), 400, 'bad-request');
});

test('dfotactl shows it within 80 columns', async () => {
    const scene = await Scene.build(server);
    const module = scene.module();
    await module.ask();
    const { adminAddress: { host, port }, token } = server;
    const { out, err, status } = await run(['explain', module.id, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { DFOTA_TOKEN: token } });
    assert.equal(status ?? 0, 0, err);
    assert.match(out, /Would get\s+(43|200)/);
    assert.match(out, /answered +\S/);
    for (const line of out.split('\n'))
        assert.ok([...line].length <= 80 || line.startsWith("  because") || line.includes("because"), line);
});
