// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A full disk: what cannot be stored is not acknowledged, nothing is counted that did not happen, and the
// server continues without help when there is room. A limit on file size simulates the full disk.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

// SIGXFSZ is ignored, so that a write fails as on a full disk.
const patient = ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'];

function setFull(server, full) {
    execFileSync('prlimit', [`--fsize=${full ? 1 : 'unlimited'}:`, '--pid', String(server.process.pid)]);
}

async function refused(answer) {
    const { status, code, json } = await answer;
    assert.deepEqual({ status, code, msg: json.msg }, { status: 503, code: 503, msg: 'the server cannot answer now: try again later' });
}

test('a full disk', async (t) => {
    const server = await startServer(t, { wrapper: patient });
    const scene = await Scene.build(server);
    await scene.makePackage();
    const upToDate = scene.module({ version: '1002' });
    const { module: linked, link } = await scene.linkedModule();
    const [lost, found] = [scene.module(), scene.module()];
    assert.equal((await upToDate.ask()).code, 27);

    setFull(server, true);
    assert.equal((await upToDate.ask()).code, 27, 'what changes nothing is answered');
    for (let i = 0; i < 5; i++)
        await refused(lost.ask());
    await refused(linked.ask());
    await refused(report(linked, link, { version: '1002' }));
    assert.ok((await server.logged('report-failed'))[0].error, 'the log says why');
    assert.ok([503, 507].includes((await server.admin('POST', '/products', { name: 'p', product_key: 'none' })).status));

    setFull(server, false);
    assert.equal((await found.ask()).status, 200);
    assert.equal((await scene.record(found)).check_ins, 1, 'what was refused is nobody\'s check-in');
    assert.equal(await scene.record(lost), null);
    assert.equal((await scene.record(upToDate)).check_ins, 2);
    assert.equal((await scene.record(linked)).confirmed_version, null);
    await server.admin('GET', '/products/none', null, { expect: 404 });
    assert.equal((await lost.ask()).status, 200);
    assert.equal((await report(linked, link, { version: '1002' })).json.confirmed_version, '1002');
    await poll('the download is on record', async () => (await scene.record(lost)).attempts[0].state === 'delivered');
});
