// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Calls about many devices say what happened with each, and name every wrong line of a list. dfotactl sends a call again
// when the connection broke, and the server carries it out once.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { columns, run, scratch } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server, scene;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server);
});
after(() => server?.dispose());

const imei = (n) => `86659707${String(1000000 + n)}`;
const post = (path, text) => server.admin('POST', path, text, { headers: { 'Content-Type': 'text/csv' } });
const devices = () => `/products/${scene.product}/devices`;
const ctl = (args, port = server.adminAddress.port) => run(['--product', scene.product, ...args],
    { env: { DFOTA_URL: `http://127.0.0.1:${port}`, DFOTA_TOKEN: server.token } });

describe('a list', () => {
    test('is answered with an item for each line', async () => {
        await post(devices(), `${imei(1)}\n`);
        const imported = (await post(devices(), `device,tags\n${imei(1)},hall\n${imei(2)},\n\n${imei(1)},hall\n`)).json;
        assert.deepEqual(imported.items.map(({ line, device, result }) => [line, device, result]),
            [[2, imei(1), 'changed'], [3, imei(2), 'added'], [5, imei(1), 'unchanged']]);
        const reported = (await post(scene.path('/reports'), `${imei(1)},1002,1795370263000\n${imei(1)},1001,1795370262000\n`)).json;
        assert.deepEqual(reported.items.map(({ line, version, result, why }) => [line, version, result, why !== null]),
            [[1, '1002', 'counted', false], [2, '1001', 'not-counted', true]]);
        const linked = () => post(scene.path('/links?existing=keep&version=1001'), `${imei(3)}\n`);
        assert.deepEqual([(await linked()).json.items[0].existed, (await linked()).json.items[0].existed], [false, true]);
    });
    test('is refused with all its wrong lines, and none is taken', async () => {
        const count = (await server.admin('GET', devices())).json.items.length;
        for (const [path, text, lines] of [
            [devices(), `device,tags,firmware\n12,a,\n${imei(20)},x=y,\n${imei(21)},,nothing\n${imei(22)},,\n`, [2, 3]],
            [devices(), `device,firmware\n${imei(21)},nothing\n${imei(22)},\n${imei(23)},none\n`, [2, 4]],
            [scene.path('/links'), `12,1001\n${imei(24)},abc\n${imei(25)},1001\n`, [1, 2]],
            [scene.path('/reports'), `12,1001\n${imei(26)},1001\n${imei(27)},1001,12\n`, [1, 3]],
        ]) {
            const { status, json } = await post(path, text);
            assert.ok(status === 422, JSON.stringify(json));
            assert.deepEqual(json.lines.map(({ line }) => line), lines);
            assert.equal(json.wrong_lines, lines.length);
            assert.match(json.detail, new RegExp(`^${lines.length} lines are wrong, so none was taken\\. line ${lines[0]}: `));
            assert.equal(json.code, json.lines[0].code);
        }
        const many = (await post(devices(), '12\n'.repeat(250))).json;
        assert.deepEqual([many.lines.length, many.wrong_lines], [100, 250]);
        const one = (await post(devices(), `${imei(20)}\n12\n`)).json;
        assert.match(one.detail, /^line 2: /);
        assert.equal((await server.admin('GET', devices())).json.items.length, count);
    });
    test('is shown by dfotactl in 80 columns, as CSV and as JSON', async (t) => {
        const dir = await scratch(t), file = join(dir, 'list.csv');
        await writeFile(file, `device,tags\n${imei(30)},hall\n${imei(31)},\n`);
        const shown = await ctl(['device', 'import', file]);
        assert.equal(shown.status, 0, shown.err);
        assert.match(shown.out, new RegExp(`^ *2 +${imei(30)} +added`, 'm'));
        assert.ok(shown.out.split('\n').every((line) => columns(line) <= 80), shown.out);
        assert.match((await ctl(['-o', 'csv', 'device', 'import', file])).out, new RegExp(`^2,${imei(30)},imei,unchanged`, 'm'));
        assert.equal(JSON.parse((await ctl(['-o', 'json', 'device', 'import', file])).out).items.length, 2);
        await writeFile(file, `${imei(30)}\n12\n13\n`);
        const refused = await ctl(['device', 'import', file]);
        assert.match(refused.err, /2 lines are wrong, so none was taken; line 2: .*; line 3: /s);
    });
});

// Passes connections on to the server, and ends the first `cut` of them when the answer comes.
async function cutting(t, cut) {
    let seen = 0;
    const proxy = net.createServer((client) => {
        const toServer = net.connect(server.adminAddress.port, '127.0.0.1');
        const cuts = (seen += 1) <= cut;
        client.pipe(toServer);
        client.on('error', () => {});
        toServer.on('error', () => {});
        if (cuts)
            toServer.once('data', () => client.destroy());
        else
            toServer.pipe(client);
    });
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
    t.after(() => proxy.close());
    return { port: proxy.address().port, seen: () => seen };
}

test('dfotactl sends a call again when its answer was lost, and the server carries it out once', async (t) => {
    const proxy = await cutting(t, 2);
    const made = await ctl(['token', 'add', 'lost', '--scope', 'read'], proxy.port);
    assert.equal(made.status, 0, made.err);
    assert.equal(proxy.seen(), 3);
    assert.equal((await server.admin('GET', '/tokens')).json.items.filter(({ name }) => name === 'lost').length, 1);
});
