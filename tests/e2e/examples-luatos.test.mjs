// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// examples/luatos.lua: a LuatOS module upgrades itself, with a real server. Its libraries are lib/luatos-stub.lua.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run } from './lib/ctl.mjs';
import { Scene, writeScript } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

// A module with its flash. run() is the time from one start to the next: {status, out, asks}, asks in minutes.
async function begin(t, { faults = [], on = server, ...more } = {}) {
    const scene = await Scene.build(on, { firmware: 'pump_LuatOS-SoC_Air780E', format: 'bsdiff', versions: ['2046.001.001', '2046.001.002'], ...more });
    const module = scene.module();
    const flash = mkdtempSync(join(tmpdir(), 'dfota-luatos-'));
    t.after(() => rmSync(flash, { recursive: true, force: true }));
    const start = async (hours = 25, url = `http://${on.device.host}:${on.device.port}/api/site/firmware_upgrade`) => {
        const [core, x, z] = module.version.split('.');
        const { status, out, err } = await run([join(here, 'lib/luatos-stub.lua'), flash, hours, ...faults], {
            command: 'lua5.4',
            env: {
                EXAMPLE: join(here, '../../examples/luatos.lua'), URL: url, PROJECT_KEY: scene.product, PROJECT: 'pump',
                VERSION: `${x}.000.${z}`, CORE: core, IMEI: module.id,
            },
        });
        assert.equal(err, '');
        return { status, out, asks: [...out.matchAll(/^ask\t(\d+)$/gm)].map(([, minute]) => Number(minute)) };
    };
    // What its bootloader does with the stored package; one that it cannot apply leaves the old version.
    const boot = () => module.applyAndReboot(readFileSync(join(flash, 'package'))).catch(() => {});
    return { scene, module, start, boot, record: () => scene.record(module) };
}

test('upgrades, and the next start proves it', async (t) => {
    const { scene, module, start, boot, record } = await begin(t);
    await scene.makePackage();
    const first = await start();
    assert.equal(first.status, 0, first.out);
    assert.match(first.out, /the package is stored\n.*restarts\nrestart\t2$/m, 'not before may_restart allows it');
    await boot();
    assert.equal(module.version, '2046.001.002');
    const second = await start();
    assert.equal(second.status, 3);
    assert.match(second.out, /upgraded from\t001\.000\.001\tto\t001\.000\.002/);
    const { confirmed_version: version, attempts: [attempt] } = await record();
    assert.deepEqual([version, attempt.state], ['2046.1.2', 'confirmed']);
    const [begin0, ...rest] = second.asks.map((minute) => minute - second.asks[0]);
    assert.deepEqual([begin0, ...rest.slice(0, 4)], [0, 10, 40, 400, 760], 'three times soon, then every six hours');
    assert.ok(second.asks.length <= 7, `${second.asks.length} questions in 25 hours`);
});

test('waits while the package is being made', async (t) => {
    const { path, dir } = await writeScript(t, (d) => `while [ ! -e ${d}/go ]; do sleep 0.05; done\nexec ${join(buildDir, 'dfota')} "$@"`);
    const slow = await startServer(t, { config: { dfota_path: path } });
    const { start, scene } = await begin(t, { on: slow });
    const waiting = await start(0.3);
    assert.equal(waiting.status, 3);
    assert.match(waiting.out, /"code": ?43/);
    writeFileSync(join(dir, 'go'), '');
    await scene.makePackage();
    assert.equal((await start()).status, 0);
});

describe('what goes wrong', () => {
    for (const [fault, asks] of Object.entries({ silent: 2, throws: 1, offline: 1 }))
        test(fault, async (t) => {
            const { scene, module, start, boot } = await begin(t, { faults: [fault] });
            await scene.makePackage();
            const round = await start();
            assert.equal(round.status, 0, round.out);
            assert.equal(round.asks.length, asks, round.out);
            await boot();
            assert.equal(module.version, '2046.001.002');
        });

    test('a part of the package with result 0: the old version runs, and it asks again', async (t) => {
        const { scene, module, start, boot } = await begin(t, { faults: ['cut'] });
        await scene.makePackage();
        for (const version of ['2046.001.001', '2046.001.002']) {
            assert.equal((await start()).status, 0);
            await boot();
            assert.equal(module.version, version);
        }
    });

    test('a late second callback is no answer to the next question', async (t) => {
        const { start } = await begin(t, { faults: ['twice'], target: null });
        const { out, asks } = await start();
        assert.equal(out.match(/not ready yet/g).length, asks.length, out);
        assert.doesNotMatch(out, /no answer/);
    });

    test('packages that never help: three restarts, then one a day', async (t) => {
        const { scene, start } = await begin(t, {});
        await scene.makePackage();
        for (let i = 0; i < 3; i += 1)
            assert.ok((await start()).asks[0] < 5);
        const fourth = await start(48);
        assert.match(fourth.out, /asks again in a day/);
        assert.equal(fourth.asks[0], 24 * 60);
    });

    test('no server: it asks every ten minutes, and stays', async (t) => {
        const { start } = await begin(t);
        const { status, asks } = await start(1, 'http://127.0.0.1:9/');
        assert.equal(status, 3);
        assert.ok(asks.length >= 5 && asks.length <= 7);
    });
});
