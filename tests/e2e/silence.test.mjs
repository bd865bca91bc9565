// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Attempts without a report, late reports, and wrong clocks.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ledgerRows, recompute, sql } from './lib/chain.mjs';
import { poll } from './lib/module.mjs';
import { Scene, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

// A module that has received its whole package and has not reported since.
async function delivered(t, config) {
    const server = await startServer(t, { config });
    const scene = await Scene.build(server, { versions: ['1', '2'], later: ['3'] });
    const module = scene.module();
    const { bytes } = await module.download();
    return { server, scene, module, bytes };
}

async function ended(server, module) {
    return (await ledgerRows(server, { device: module.id, kind: 'attempt-ended' })).map(({ detail }) => [detail.before, detail.event, detail.state]);
}

test('a device that does not come back is silent, and confirmed when it comes later', async (t) => {
    const { server, scene, module, bytes } = await delivered(t, { silent_after_ms: 300 });
    const silent = await scene.awaitAttempt(module, 'silent');
    assert.ok(silent.ended_at - silent.delivered_at >= 300);
    assert.deepEqual(await ended(server, module), [['delivered', 'overdue', 'silent']]);
    await module.applyAndReboot(bytes);
    assert.equal((await module.ask()).code, 27);
    const [late] = (await scene.record(module)).attempts;
    assert.deepEqual([late.state, late.attempt], ['confirmed', silent.attempt]);
    assert.ok(late.ended_at > silent.ended_at);
    const [, row] = await ledgerRows(server, { device: module.id, kind: 'attempt-ended' });
    assert.deepEqual([row.detail.before, row.detail.event, row.detail.delay_ms], ['silent', 'saw-target', late.ended_at - late.delivered_at]);
    await module.ask();
    assert.equal((await ended(server, module)).length, 2, 'once');
});

test('a device that comes back late with the old version has not applied the package, and gets it again', async (t) => {
    const { server, scene, module } = await delivered(t, { silent_after_ms: 300 });
    await scene.awaitAttempt(module, 'silent');
    assert.equal((await module.ask()).status, 200);
    const [fresh, late] = (await scene.record(module)).attempts;
    assert.deepEqual([late.state, fresh.from], ['not_applied', '1']);
    assert.ok(fresh.attempt > late.attempt);
    assert.deepEqual((await ended(server, module))[1], ['silent', 'saw-old', 'not_applied']);
});

test('a device that comes back late with a third version has diverged', async (t) => {
    const { scene, module } = await delivered(t, { silent_after_ms: 300 });
    await scene.awaitAttempt(module, 'silent');
    module.version = '7';
    assert.equal((await module.ask()).code, 27);
    assert.equal((await scene.record(module)).attempts[0].state, 'diverged');
});

test('a host\'s late report counts too', async (t) => {
    const server = await startServer(t, { config: { silent_after_ms: 300 } });
    const scene = await Scene.build(server, { versions: ['1', '2'] });
    const { module, link } = await scene.linkedModule();
    await module.download();
    await scene.awaitAttempt(module, 'silent');
    await report(module, link, { version: '2' });
    assert.equal((await scene.record(module)).attempts[0].state, 'confirmed');
});

test('a late report about an attempt with a newer one changes nothing', async (t) => {
    const { server, scene, module } = await delivered(t, { silent_after_ms: 300 });
    const silent = await scene.awaitAttempt(module, 'silent');
    await scene.upload('3');
    await scene.setTarget('3');
    await module.askUntilMade(); // the old version: not applied, and an attempt to 3 begins
    const before = (await scene.record(module)).attempts.find(({ attempt }) => attempt === silent.attempt);
    module.version = '2';
    await module.ask();
    const after = (await scene.record(module)).attempts.find(({ attempt }) => attempt === silent.attempt);
    assert.deepEqual([before.state, after.state], ['not_applied', 'not_applied']);
    assert.deepEqual((await ended(server, module)).filter(([state]) => state === 'silent').length, 1);
});

test('a device with time left does not become silent, over restarts and kills', async (t) => {
    const { server, scene, module } = await delivered(t, { silent_after_ms: 60_000 });
    await scene.awaitAttempt(module, 'delivered');
    await server.restart({ hard: true });
    await server.restart();
    assert.equal((await scene.record(module)).attempts[0].state, 'delivered');
    const since = Number(sql(server, 'SELECT since_ms FROM awaited'));
    await server.stop();
    sql(server, `UPDATE awaited SET since_ms = since_ms - 60000`); // as if so much time had been served
    sql(server, `UPDATE served SET ms = ${since} WHERE ms < ${since}`);
    await server.start();
    await scene.awaitAttempt(module, 'silent');
});

test('a wall clock behind the ledger is logged, and nothing expires until it has caught up', async (t) => {
    const { server, scene, module } = await delivered(t, { silent_after_ms: 3_600_000 });
    await scene.awaitAttempt(module, 'delivered');
    await server.stop();
    const ahead = 400 * 86_400_000;
    sql(server, `UPDATE ledger SET at_ms = at_ms + ${ahead} WHERE seq = (SELECT max(seq) FROM ledger)`); // as if it had been written then
    recompute(server, 1);
    server.config = { silent_after_ms: 1 };
    await server.start();
    const [told] = await poll('it is told', () => (server.log('clock-back').length ? server.log('clock-back') : null));
    assert.ok(Number(told.behind_ms) > ahead - 600_000 && Number(told.behind_ms) < ahead);
    assert.equal((await scene.record(module)).attempts[0].state, 'delivered', 'though its time is over');
    await server.createProduct('again'); // a new row: from here on the clock is believed
    await scene.awaitAttempt(module, 'silent');
    assert.deepEqual((await ledgerRows(server)).slice(-2).map(({ kind }) => kind), ['product-added', 'attempt-ended'], 'not before');
    assert.equal((await server.logged('clock-back', 1)).length, 1, 'once');
});

test('a jump of the wall clock makes no device silent', async (t) => {
    const { server, scene, module } = await delivered(t, { silent_after_ms: 3_600_000 });
    await scene.awaitAttempt(module, 'delivered');
    await server.stop();
    sql(server, 'UPDATE attempt SET created_ms = 0, sent_ms = 1, active_ms = 2, delivered_ms = 3'); // in 1970, by a clock that has been set since
    server.config = { silent_after_ms: 3_600_000 };
    await server.start();
    await server.restart();
    assert.equal((await scene.record(module)).attempts[0].state, 'delivered');
});

test('old rows are removed without help', async (t) => {
    const server = await startServer(t);
    await server.createProduct('one');
    await server.createProduct('two');
    await server.stop();
    sql(server, 'DELETE FROM ledger');
    const day = 86_400_000;
    sql(server, `INSERT INTO ledger VALUES (1, ${Date.now() - 9 * day}, 'product-added', 'x', '', '', 0, '', '{}', zeroblob(32), zeroblob(32)),
        (2, ${Date.now() - 2 * day}, 'product-added', 'y', '', '', 0, '', '{}', zeroblob(32), zeroblob(32))`);
    server.config = { ledger_keep_days: 5 };
    await server.start();
    const rows = await poll('the old one is gone', async () => {
        const left = await ledgerRows(server);
        return left[0].seq === 2 ? left : null;
    });
    assert.deepEqual(rows.map(({ kind }) => kind), ['product-added', 'ledger-pruned']);
    assert.deepEqual([rows[1].detail.by, rows[1].detail.last], [{ config: 'ledger_keep_days' }, 1]);
});
