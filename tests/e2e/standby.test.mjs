// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Warm standby (doc/backup.md): a second machine makes the backups. The first machine is destroyed, and the second one takes over from
// the last backup. What is lost is what happened since that backup, and no device is sent backwards.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { Server, buildDir, startServer } from './lib/server.mjs';

// The second machine: a folder of its own, which gets the backups.
function machine(t) {
    const base = mkdtempSync(join(tmpdir(), 'dfota-standby-'));
    process.on('exit', () => rmSync(base, { recursive: true, force: true }));
    const second = new Server(join(base, 'data'), {}, [], buildDir);
    second.backups = join(base, 'backups');
    t.after(() => second.dispose());
    return second;
}

async function pull(first, second) {
    const { status, out, err } = await run(['backup', '--keep', '3', second.backups, '-o', 'json'],
        { env: { DFOTA_URL: `http://127.0.0.1:${first.adminAddress.port}`, DFOTA_TOKEN: first.token } });
    assert.equal(status, 0, err);
    return JSON.parse(out);
}

async function takeOver(first, second) {
    await first.kill();
    await rm(first.dataDir, { recursive: true });
    const { status, err } = await run(['--data-dir', second.dataDir, `--restore=${second.backups}`], { command: join(buildDir, 'dfotad') });
    assert.equal(status, 0, err);
    second.token = first.token;
    await second.start();
}

const checkIns = async (scene, module) => (await scene.record(module)).check_ins;
const ledgerEnd = async (server) => (await server.admin('GET', '/ledger/head', null, { expect: 200 })).json.seq;

test('the second machine takes over, and loses what happened since the last backup', async (t) => {
    const first = await startServer(t), second = machine(t);
    const scene = await Scene.build(first, { versions: ['1001', '1002'], later: ['1003'] });
    await scene.makePackage();
    const early = scene.module(), late = scene.module(), ahead = scene.module(), open = scene.module();
    const { module: linked } = await scene.linkedModule();
    const settled = (module) => poll('the download is recorded', async () => (await scene.record(module)).attempts[0].state !== 'sending');

    // Regular backups. Each contains what was answered before it.
    for (const module of [early, late, ahead, open])
        await module.ask({ range: 0 }).catch(() => {});
    await pull(first, second);
    await early.upgrade();
    assert.equal((await early.ask()).code, 27);
    await pull(first, second);
    for (let n = 0; n < 5; n += 1)
        await early.ask();
    const last = await pull(first, second);
    const before = { early: await checkIns(scene, early), late: await checkIns(scene, late), attempts: (await scene.record(late)).attempts.length };
    assert.equal((await readdir(second.backups)).filter((name) => /^\d{8}T/.test(name)).length, 3);

    // Since then: check-ins, an upgrade, a new version with its target and an upgrade to it, a new device, a download.
    for (let n = 0; n < 7; n += 1)
        await early.ask();
    await late.upgrade();
    await late.ask();
    await settled(late);
    await scene.upload('1003');
    await scene.makePackage('1001', '1003');
    await scene.setTarget('1003');
    await ahead.upgrade();
    await ahead.ask();
    assert.equal(ahead.version, '1003');
    await settled(ahead);
    const unknown = scene.module();
    await unknown.ask();
    const { bytes } = await open.download().then((got) => ({ bytes: got.bytes.length }));
    await settled(open);
    const lostRows = await ledgerEnd(first) - last.ledger.seq;
    assert.ok(lostRows > 10 && bytes > 0);

    await takeOver(first, second);
    for (const module of [early, late, ahead, open, linked, unknown])
        module.address = second.device;
    scene.server = second;

    // What is lost, in numbers: all that came after the backup, and nothing else.
    assert.equal(await checkIns(scene, early), before.early);
    assert.equal((await scene.record(late)).attempts.length, before.attempts);
    assert.equal(await checkIns(scene, late), before.late);
    assert.equal(await scene.record(unknown), null);
    const chain = (await second.admin('GET', `/ledger?after=${last.ledger.seq - 1}&limit=1`, null, { expect: 200 })).json.items;
    assert.equal(chain[0].hash, last.ledger.hash);
    assert.equal((await second.firmware(scene.product, scene.firmware)).target, '1002', 'the later target was an order, and is lost');

    // The next check-in tells the version. It is recorded, nothing is sent twice, and nothing leads backwards.
    const { code } = await late.ask();
    assert.deepEqual([code, (await scene.record(late)).confirmed_version], [27, '1002']);
    for (let n = 0; n < 2; n += 1) {
        const answer = await ahead.ask();
        assert.deepEqual([answer.status, answer.code], [400, 27], 'a version above the target gets nothing');
    }
    assert.equal((await scene.record(ahead)).confirmed_version, '1003');
    assert.equal((await linked.askUntilMade()).status, 200, 'its link works');
    await unknown.upgrade();
    assert.equal(unknown.version, '1002');

    // The admin repeats the order, and all is as it was.
    await scene.upload('1003');
    await scene.makePackage('1001', '1003');
    await scene.setTarget('1003');
    assert.equal((await ahead.ask()).code, 27);
    const verified = await run(['--data-dir', second.dataDir, '--verify-ledger'], { command: join(buildDir, 'dfotad') });
    assert.equal(verified.status, 0, verified.out + verified.err);
    // The second machine is a server like any other: it can be backed up, and knows that the last backup was the one before its own.
    const own = await pull(second, Object.assign({}, second, { backups: `${second.backups}-own` }));
    assert.equal(own.missing, 0);
});
