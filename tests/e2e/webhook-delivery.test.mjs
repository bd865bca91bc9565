// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Webhooks: each event arrives at least once, in order per device, whatever the receiver, the server and the clock go through.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { sql } from './lib/chain.mjs';
import { Clock, day } from './lib/clock.mjs';
import { assertRun, run, scratch } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Receiver, create, listed, of, secret, show, signatureOf, steps, upgradeTo } from './lib/receiver.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

// A server whose clock the test sets, with a receiver and a webhook.
async function begin(t, { config = {}, hook = {} } = {}) {
    const clock = new Clock();
    const server = await startServer(t, { config, wrapper: clock.wrapper });
    const receiver = await Receiver.start(t);
    const webhook = await create(server, receiver, hook);
    let ahead = 0;
    const skip = (ms) => clock.ahead(ahead += ms);
    return { server, receiver, webhook, clock, skip };
}

describe('delivery', () => {
    test('at least once and in order per device while the receiver fails, hangs and answers 500', async (t) => {
        const { server, receiver, webhook, skip } = await begin(t, { hook: { secret } });
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003', '1004'], target: null });
        const modules = [scene.module(), scene.module(), scene.module()];
        let turn = 0;
        const ways = ['cut', 500, 503, 'cut', 429, 302, 500];
        receiver.answer = (event) => {
            turn += 1;
            if (turn === 2)
                return 'hang';
            return turn < 18 ? ways[turn % ways.length] : 204;
        };
        for (const version of ['1002', '1003', '1004'])
            for (const module of modules)
                await upgradeTo(scene, module, version);
        await poll('all is delivered', async () => {
            skip(3_600_000);
            return (await show(server, webhook)).waiting === 0;
        }, { every_ms: 300 });
        const log = server.log('webhook-not-delivered').map((line) => line.error);
        assert.ok(log.some((error) => /timed out/i.test(error)), 'one hung');
        for (const module of modules) {
            const all = receiver.events.filter(of(module)), taken = receiver.taken.filter(of(module));
            const confirmed = steps(taken).filter((step) => step.startsWith('confirmed'));
            assert.deepEqual([...new Set(confirmed)], ['confirmed 1002', 'confirmed 1003', 'confirmed 1004'], steps(taken).join());
            assert.equal(new Set(taken.map((event) => event.id)).size, taken.length, 'taken once: nothing was killed');
            const ids = all.map((event) => event.id);
            assert.deepEqual(ids, [...new Set(ids)].flatMap((id) => ids.filter((other) => other === id)), 'a later one waits for the one before');
            for (const id of new Set(ids))
                assert.equal(new Set(all.filter((event) => event.id === id).map((event) => event.body)).size, 1, 'the same body each time');
        }
        assert.ok(receiver.events.length > receiver.taken.length + 5);
        for (const event of receiver.events)
            assert.equal(event.headers['x-dfota-signature'], signatureOf(secret, event), 'each try is signed with its own time');
    });

    test('nothing is lost by kill -9, and what comes twice has the same id', async (t) => {
        const { server, receiver, webhook, skip } = await begin(t);
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: null });
        const module = scene.module();
        await receiver.stop();
        await upgradeTo(scene, module, '1002');
        await poll('it waits', async () => (await listed(server, webhook, 'waiting')).some((item) => item.facts.to === '1002' && item.kind === 'confirmed'));
        await server.restart({ hard: true });
        module.address = server.device;
        await receiver.listen();
        receiver.answer = () => 'hang'; // it got the event, and the server does not learn of it
        await upgradeTo(scene, module, '1003');
        skip(3_600_000);
        await receiver.got(1);
        await server.restart({ hard: true });
        receiver.answer = () => 204;
        await poll('all is delivered', async () => {
            skip(3_600_000);
            return (await show(server, webhook)).waiting === 0;
        }, { every_ms: 300 });
        const taken = receiver.taken.filter((event) => event.kind === 'confirmed');
        assert.deepEqual(steps(taken), ['confirmed 1002', 'confirmed 1003']);
        assert.ok(receiver.events[0].id === receiver.taken[0].id && receiver.events.length > receiver.taken.length);
    });

    test('a clean end waits for the answer that is under way', async (t) => {
        const { server, receiver, webhook } = await begin(t);
        const scene = await Scene.build(server, { target: null });
        receiver.answer = () => new Promise((done) => setTimeout(() => done(204), 700));
        await upgradeTo(scene, scene.module(), '1002');
        await receiver.got(1);
        await server.restart();
        receiver.answer = () => 204;
        await poll('the outbox is empty', async () => (await show(server, webhook)).waiting === 0);
        assert.equal(receiver.events.length, receiver.taken.length);
        assert.equal(new Set(receiver.taken.map((event) => event.id)).size, receiver.taken.length, 'none came twice');
    });

    test('what is not delivered in three days is listed, sent again in order or forgotten', async (t) => {
        const { server, receiver, webhook, skip } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: null });
        const module = scene.module();
        receiver.answer = () => 500;
        for (const version of ['1002', '1003'])
            await upgradeTo(scene, module, version);
        await receiver.got(1);
        skip(2 * day);
        await receiver.got(2);
        assert.equal((await show(server, webhook)).failed, 0);
        skip(day + 60_000);
        await poll('both are given up', async () => (await show(server, webhook)).failed === 2);
        assert.equal((await server.logged('webhook-gave-up', 2)).length, 2);
        const failed = await listed(server, webhook, 'failed');
        assert.deepEqual(failed.map((item) => [item.facts.to, item.error, item.next_try_at]), [['1002', 'the receiver answered 500', null], ['1003', 'the receiver answered 500', null]]);
        await server.admin('POST', `/webhooks/${webhook.webhook}/events/${failed[0].event}/resend`, null, { expect: 200 });
        await poll('it is tried again', async () => (await listed(server, webhook, 'waiting')).some((item) => item.tries === 1));
        assertProblem(await server.admin('POST', `/webhooks/${webhook.webhook}/events/${failed[0].event}/resend`), 404, 'event-not-found');
        assert.equal((await server.admin('DELETE', `/webhooks/${webhook.webhook}/events/${failed[0].event}`, null, { expect: 200 })).json.events, 1);
        receiver.answer = () => 204;
        assert.equal((await server.admin('POST', `/webhooks/${webhook.webhook}/events/resend`, null, { expect: 200 })).json.events, 1);
        const [event] = await receiver.took(1);
        assert.deepEqual([event.json.to, event.id], ['1003', failed[1].id]);
        const { waiting, failed: left } = await poll('all is recorded', async () => { const now = await show(server, webhook); return now.waiting === 0 && now; });
        assert.deepEqual([waiting, left], [0, 0]);
    });

    test('a webhook that hangs holds up neither another one nor other devices', async (t) => {
        const { server, receiver, webhook } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const healthy = await Receiver.start(t);
        await create(server, healthy, { kinds: ['confirmed'] });
        const scene = await Scene.build(server, { target: null });
        const stuck = scene.module();
        receiver.answer = (event) => (of(stuck)(event) ? 'hang' : 204);
        const modules = [stuck, ...Array.from({ length: 6 }, () => scene.module())];
        for (const module of modules)
            await upgradeTo(scene, module, '1002');
        await receiver.took(6);
        await healthy.took(7);
        assert.ok(receiver.mostInFlight <= 4);
        await poll('only what hangs waits', async () => (await show(server, webhook)).waiting === 1);
        assert.deepEqual((await listed(server, webhook, 'waiting')).map((item) => item.tries), [0], 'nobody waited for its end');
    });

    test('a disabled webhook gets nothing; what waits goes out once it is enabled', async (t) => {
        const { server, receiver, webhook, skip } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const scene = await Scene.build(server, { versions: ['1001', '1002', '1003'], target: null });
        const module = scene.module();
        receiver.answer = () => 500;
        await upgradeTo(scene, module, '1002');
        await receiver.got(1);
        const set = (enabled) => server.admin('PATCH', `/webhooks/${webhook.webhook}`, { enabled }, { expect: 200 });
        await set(false);
        const enabled = await Receiver.start(t);
        await create(server, enabled, { kinds: ['confirmed'] });
        receiver.answer = () => 204;
        skip(60_000);
        await upgradeTo(scene, module, '1003');
        await enabled.took(1);
        assert.deepEqual([receiver.taken.length, (await show(server, webhook)).waiting], [0, 1], 'nothing was sent or added');
        await set(true);
        assert.deepEqual(steps(await receiver.took(1)), ['confirmed 1002']);
    });

    test('a clock that was set back holds nothing up', async (t) => {
        const { server, receiver, webhook, clock } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const scene = await Scene.build(server, { target: null });
        clock.ahead(400 * day);
        receiver.answer = () => 500;
        await upgradeTo(scene, scene.module(), '1002');
        await poll('a try is recorded', async () => (await listed(server, webhook, 'waiting')).some((item) => item.tries > 0));
        receiver.answer = () => 204;
        clock.ahead(0);
        await receiver.took(1);
    });

    test('a full outbox gives up its oldest event', async (t) => {
        const { server, receiver, webhook } = await begin(t, { hook: { kinds: ['confirmed'], enabled: true } });
        const scene = await Scene.build(server, { target: null });
        receiver.answer = () => 500;
        await upgradeTo(scene, scene.module(), '1002');
        await receiver.got(1);
        await server.stop();
        sql(server, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) INSERT INTO outbox
            (webhook_id, event_id, kind, order_key, since_ms, next_try_ms) SELECT ${webhook.webhook}, printf('%032x', i), 'confirmed', 'device:x' || i,
            ${Date.now()}, ${Date.now() + 3_600_000} FROM n; UPDATE webhook SET waiting = 100000`);
        await server.start();
        await upgradeTo(scene, scene.module(), '1002');
        const [line] = await server.logged('webhook-outbox-full');
        assert.equal(line.webhook, String(webhook.webhook));
        const now = await show(server, webhook);
        assert.deepEqual([now.waiting, now.failed], [100_000, 1]);
        const [oldest] = await listed(server, webhook, 'failed');
        assert.match(oldest.error, /too many/);
        const begun = performance.now();
        await server.admin('DELETE', `/webhooks/${webhook.webhook}`, null, { expect: 204 });
        assert.ok(performance.now() - begun < 5000);
        assert.equal(sql(server, 'SELECT count(*) FROM outbox').trim(), '0');
    });
});

describe('dfotactl webhook', () => {
    test('adds, lists, shows, changes, tests, and sends failed events again', async (t) => {
        const { server, receiver, webhook, skip } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const dir = await scratch(t);
        const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
        const ctl = (...args) => run(args, { env });
        const scene = await Scene.build(server, { target: null });
        await writeFile(join(dir, 'secret'), `${secret}\n`);
        await writeFile(join(dir, 'robot.json'), '{"msg_type":"text","content":{"text":"{summary}"}}\n');
        assertRun(await ctl('webhook', 'add', 'robot', receiver.url, '--product', scene.product, '--secret-file', join(dir, 'secret'), '--template-file', join(dir, 'robot.json'), '--kinds', 'confirmed,not-applied'), 0);
        const shown = JSON.parse((await ctl('webhook', 'show', 'robot', '-o', 'json')).out);
        assert.deepEqual([shown.kinds, shown.signed, shown.product, JSON.parse(shown.template).msg_type], [['confirmed', 'not-applied'], true, scene.product, 'text']);
        const list = await ctl('webhook', 'list');
        assertRun(list, 0);
        assert.match(list.out, /robot +confirmed, not-applied/);
        assertRun(await ctl('webhook', 'test', 'robot'), 0);
        assert.equal(receiver.events[0].headers['x-dfota-signature'], signatureOf(secret, receiver.events[0]));
        receiver.answer = () => 500;
        assertRun(await ctl('webhook', 'test', String(shown.webhook)), 1, { err: /answered 500/ });
        assertRun(await ctl('webhook', 'delete', '--yes', 'robot'), 0, { err: /removed/ });
        assertRun(await ctl('webhook', 'show', 'robot'), 2, { err: /no webhook robot/ });
        await upgradeTo(scene, scene.module(), '1002');
        await receiver.got(3);
        skip(4 * day);
        await poll('it is given up', async () => (await show(server, webhook)).failed === 1);
        const failed = await ctl('webhook', 'failed', webhook.name);
        assert.match(failed.out, /confirmed .*answered 500/);
        receiver.answer = () => 204;
        assertRun(await ctl('webhook', 'resend', webhook.name, 'all'), 0, { err: /1 event/ });
        await receiver.took(1, (event) => event.kind === 'confirmed');
        assertRun(await ctl('webhook', 'set', webhook.name, '--enabled', 'no', '--kinds', 'all'), 0);
        const off = await show(server, webhook);
        assert.deepEqual([off.enabled, off.kinds], [false, []]);
        assertRun(await ctl('webhook', 'set', webhook.name), 2, { err: /nothing to change/ });
    });
});
