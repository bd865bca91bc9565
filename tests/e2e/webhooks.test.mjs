// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Webhooks: what each event tells, what an admin may set, what chat robots get. How events are delivered is in
// webhook-delivery.test.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { scratch } from './lib/ctl.mjs';
import { nextImei, poll } from './lib/module.mjs';
import { Receiver, create, listed, of, secret, show, signatureOf, steps, upgradeTo } from './lib/receiver.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

async function begin(t, { config = {}, hook = {} } = {}) {
    const server = await startServer(t, { config });
    const receiver = await Receiver.start(t);
    const webhook = await create(server, receiver, hook);
    return { server, receiver, webhook };
}

const named = (scene, module) => ({ product: scene.product, firmware: scene.firmware, device: `imei:${module.id}` });

describe('events', () => {
    test('package-ready has the URL of the link, and it works; confirmed follows', async (t) => {
        const { server, receiver } = await begin(t, { hook: { secret } });
        const scene = await Scene.build(server);
        const { module, link } = await scene.linkedModule();
        assert.equal((await module.ask()).code, 43);
        const [ready] = await receiver.took(1);
        assert.equal(ready.kind, 'package-ready');
        const made = await scene.package();
        const { summary, attempt, at, ...facts } = ready.json;
        assert.deepEqual(facts, { id: ready.id, event: 'package-ready', ...named(scene, module), from: '1001', to: '1002', size: made.size, url: link.url });
        assert.ok(Math.abs(at - Date.now()) < 60_000 && attempt > 0);
        assert.equal(summary, `The package of pump from 1001 to 1002 (${made.size} bytes) is ready for device imei:${module.id} of product ${scene.product}.`);
        module.link = new URL(ready.json.url).pathname;
        await module.upgrade();
        await scene.awaitAttempt(module, 'delivered');
        await report(module, link, { version: '1002' });
        const [, confirmed] = await receiver.took(2);
        assert.deepEqual([confirmed.kind, confirmed.json.state, confirmed.json.from, confirmed.json.to, confirmed.json.attempt],
            ['confirmed', 'confirmed', '1001', '1002', attempt]);
        for (const event of receiver.events) {
            assert.equal(event.method, 'POST');
            assert.equal(event.headers['content-type'], 'application/json');
            assert.match(event.id, /^[0-9a-f]{32}$/);
            assert.equal(event.headers['x-dfota-signature'], signatureOf(secret, event));
        }
        assert.equal(new Set(receiver.events.map((event) => event.id)).size, 2);
    });

    test('package-ready comes once, without a URL where there is no link, and not to who did not wait', async (t) => {
        const { server, receiver, webhook } = await begin(t);
        const scene = await Scene.build(server);
        const modules = [scene.module(), scene.module()];
        for (const module of modules)
            assert.equal((await module.ask()).code, 43);
        const late = scene.module();
        await scene.makePackage();
        const events = await receiver.took(2);
        assert.deepEqual(new Set(events.map((event) => event.json.device)), new Set(modules.map((module) => `imei:${module.id}`)));
        assert.ok(events.every((event) => !('url' in event.json)));
        await late.upgrade();
        await scene.awaitAttempt(late, 'delivered');
        await late.ask();
        await receiver.took(1, of(late));
        await server.restart({ hard: true });
        await poll('the outbox is empty', async () => (await show(server, webhook)).waiting === 0);
        modules[0].address = server.device;
        await upgradeTo(scene, modules[0], '1002');
        await receiver.took(2, of(modules[0]));
        const once = new Map(receiver.events.map((event) => [event.id, event]));
        assert.equal(once.size, 4, JSON.stringify(steps([...once.values()])));
    });

    test('package-ready where an admin raises the limit, and not before', async (t) => {
        const { server, receiver } = await begin(t, { hook: { kinds: ['package-ready'] } });
        const tight = await Scene.build(server, { kind: 'noise', limit: 4096 });
        const waiting = tight.module();
        assert.equal((await waiting.ask()).code, 43);
        await poll('it is too large', async () => (await tight.package()).state === 'oversize');
        const scene = await Scene.build(server);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        await receiver.took(1, of(module));
        assert.equal(receiver.events.length, 1);
        await tight.set({ max_package_bytes: 100_000 });
        await receiver.took(1, of(waiting));
    });

    test('not-applied: the old version after a delivery, and a third one', async (t) => {
        const { server, receiver } = await begin(t, { hook: { kinds: ['not-applied', 'confirmed'] } });
        const scene = await Scene.build(server, { versions: ['1001', '1002'] });
        await scene.makePackage();
        for (const [version, state] of [['1001', 'not_applied'], ['1000', 'diverged']]) {
            const module = scene.module();
            await module.download();
            await scene.awaitAttempt(module, 'delivered');
            module.version = version;
            await module.ask();
            const [event] = await receiver.took(1, of(module));
            assert.deepEqual([event.kind, event.json.state, event.json.to], ['not-applied', state, '1002']);
        }
    });

    test('package-oversize once nothing smaller can come; needs-person for each reason', async (t) => {
        const { server, receiver } = await begin(t, { config: { loop_guard_per_day: 1, link_offers: 1, link_offer_gap_ms: 0 }, hook: { kinds: ['package-oversize', 'needs-person'] } });
        const scene = await Scene.build(server, { kind: 'noise', limit: 4096 });
        await scene.module().ask();
        const [oversize] = await receiver.took(1);
        const { size } = await scene.package();
        assert.deepEqual([oversize.kind, oversize.json.from, oversize.json.to, oversize.json.size, oversize.json.limit], ['package-oversize', '1001', '1002', size, 4096]);

        const why = async (module, reason, notice) => {
            const [event] = await receiver.took(1, of(module));
            assert.deepEqual([event.kind, event.json.why], ['needs-person', reason]);
            assert.match(event.json.notice, notice);
            assert.ok(event.json.summary.includes(event.json.notice));
        };
        const good = await Scene.build(server);
        await good.makePackage();
        const looping = good.module();
        for (let i = 0; i < 2; i++) {
            await looping.ask();
            await good.awaitAttempt(looping, i ? 'not_applied' : 'delivered');
        }
        await why(looping, 'loop-guard', /loop guard/);
        await looping.ask();

        const { module: linked } = await good.linkedModule();
        await linked.ask();
        await good.awaitAttempt(linked, 'delivered');
        await linked.ask();
        await why(linked, 'stale-link', /stale link/);
        await linked.ask();

        const imei = nextImei();
        const idle = await Scene.build(server, { target: null });
        for (let i = 0; i < 8; i++)
            await idle.module({ id: imei, version: i % 2 ? '1002' : '1001' }).ask();
        await why({ id: imei }, 'shared-id', /two modules/);
        for (const module of [looping, linked])
            assert.equal(receiver.events.filter(of(module)).length, 1, 'told once');
    });
});

describe('a webhook', () => {
    test('gets the kinds and the product that it asked for', async (t) => {
        const { server, receiver } = await begin(t, { hook: { kinds: ['confirmed'] } });
        const [mine, other] = [await Scene.build(server), await Scene.build(server)];
        const second = await Receiver.start(t);
        const hook = await create(server, second, { product: mine.product });
        assert.deepEqual([hook.product, hook.kinds, hook.signed], [mine.product, [], false]);
        for (const scene of [other, mine])
            await upgradeTo(scene, scene.module(), '1002');
        await receiver.took(2);
        await second.took(1, (event) => event.kind === 'confirmed');
        assert.deepEqual(receiver.events.map((event) => event.kind), ['confirmed', 'confirmed']);
        assert.ok(second.events.every((event) => event.json.product === mine.product && !event.headers['x-dfota-signature']));
        const [one] = receiver.events.filter((event) => event.json.product === mine.product);
        assert.ok(second.events.some((event) => event.id === one.id && event.body === one.body), 'one event has one id');
    });

    test('refuses what it could not use, and never shows its secret', async (t) => {
        const { server, receiver, webhook } = await begin(t, { hook: { secret } });
        const body = { name: 'other', url: receiver.url };
        for (const [change, words] of [
            [{ url: 'ftp://x' }, /http/], [{ url: 'http://' }, /http/], [{ url: 'http://a:b@x/' }, /user/], [{ url: 'http://x y/' }, /blanks/],
            [{ secret: 'short' }, /16/], [{ secret: 5 }, /secret/], [{ kinds: ['confirmd'] }, /confirmd/], [{ kinds: 'confirmed' }, /list/],
            [{ template: '{"x":"{sumary}"}' }, /\{sumary\}/], [{ template: '{"x":{summary}}' }, /JSON/], [{ template: { x: 1 } }, /text/],
            [{ name: '' }, /name/],
        ]) {
            const answer = await server.admin('POST', '/webhooks', { ...body, ...change });
            assertProblem(answer, 422, 'invalid');
            assert.match(answer.json.detail, words, JSON.stringify(change));
            assertProblem(await server.admin('PATCH', `/webhooks/${webhook.webhook}`, change), 422, 'invalid');
        }
        assertProblem(await server.admin('POST', '/webhooks', { ...body, name: webhook.name }), 409, 'webhook-exists');
        assertProblem(await server.admin('POST', '/webhooks', { ...body, product: 'none' }), 404, 'product-not-found');
        for (const path of ['/webhooks/99', '/webhooks/x', '/webhooks/99/events'])
            assertProblem(await server.admin('GET', path), 404, 'webhook-not-found');
        assertProblem(await server.admin('DELETE', `/webhooks/${webhook.webhook}/events/5`), 404, 'event-not-found');
        const ledger = await server.admin('GET', '/ledger?limit=1000');
        for (const text of [String((await server.admin('GET', '/webhooks')).body), String(ledger.body), server.logText])
            assert.ok(!text.includes(secret));
        assert.deepEqual(ledger.json.items.map(({ kind, detail }) => [kind, detail.host, detail.signed]), [['webhook-added', new URL(receiver.url).origin, true]]);
        for (let i = 1; i < 16; i++)
            await server.admin('POST', '/webhooks', { ...body, name: `n${i}` }, { expect: 201 });
        assertProblem(await server.admin('POST', '/webhooks', { ...body, name: 'n16' }), 422, 'invalid');
        const set = await server.admin('PATCH', `/webhooks/${webhook.webhook}`, { secret: null, enabled: false, kinds: ['test'], name: 'new' }, { expect: 200 });
        assert.deepEqual([set.json.signed, set.json.enabled, set.json.kinds, set.json.name, set.json.url], [false, false, ['test'], 'new', receiver.url]);
        await server.admin('DELETE', `/webhooks/${webhook.webhook}`, null, { expect: 204 });
        assertProblem(await server.admin('GET', `/webhooks/${webhook.webhook}`), 404, 'webhook-not-found');
    });

    test('is tested at once, and the answer is told', async (t) => {
        const { server, receiver, webhook } = await begin(t, { hook: { secret } });
        const trial = async () => (await server.admin('POST', `/webhooks/${webhook.webhook}/test`, null, { expect: 200 })).json;
        assert.deepEqual({ ...await trial(), took_ms: 0 }, { delivered: true, status: 204, error: null, took_ms: 0 });
        const [event] = receiver.events;
        assert.deepEqual([event.kind, event.json.event, event.json.name], ['test', 'test', webhook.name]);
        assert.equal(event.headers['x-dfota-signature'], signatureOf(secret, event));
        receiver.answer = () => ({ status: 503, body: 'not \u0007today 现在' });
        const refused = await trial();
        assert.deepEqual([refused.delivered, refused.status, refused.error], [false, 503, 'the receiver answered 503: not  today 现在']);
        receiver.answer = () => ({ status: 302, headers: { location: `http://127.0.0.1:${receiver.port}/other` } });
        assert.match((await trial()).error, /redirect is not followed/);
        assert.ok(receiver.events.every(({ path }) => path === '/hook'));
        receiver.answer = () => ({ status: 200, body: 'x'.repeat(5_000_000) });
        assert.equal((await trial()).delivered, true, 'a long answer is not read to its end');
        await receiver.stop();
        const gone = await trial();
        assert.deepEqual([gone.delivered, gone.status], [false, null]);
        assert.match(gone.error, /connect/i);
        await receiver.listen();
        assert.deepEqual(await listed(server, webhook, 'failed'), []);
    });

    test('speaks to chat robots by its template, and reads what they answer', async (t) => {
        const { server, receiver, webhook } = await begin(t, { hook: { kinds: ['confirmed'], template: '{"msgtype":"text","text":{"content":"dfota: {summary}"},"n":[{attempt},{size}],"d":"{device}{why}"}' } });
        const scene = await Scene.build(server, { firmware: 'pump "1"' });
        const module = scene.module();
        receiver.answer = () => ({ status: 200, body: JSON.stringify({ errcode: 310000, errmsg: '关键词不匹配' }) });
        await upgradeTo(scene, module, '1002');
        const [event] = await receiver.got(1);
        assert.deepEqual(event.json.text, { content: `dfota: Device imei:${module.id} of product ${scene.product} runs 1002 of pump "1" now, before 1001.` });
        assert.deepEqual([event.json.n[1], event.json.d], [0, `imei:${module.id}`]);
        const row = await poll('its refusal is recorded', async () => (await listed(server, webhook, 'waiting')).find((item) => item.tries === 1));
        assert.equal(row.error, 'the robot answered errcode 310000: 关键词不匹配');
        receiver.answer = () => ({ status: 200, body: '{"errcode":0,"errmsg":"ok"}' });
        await poll('it is delivered', async () => (await show(server, webhook)).waiting === 0);
    });
});

describe('doc/webhooks.md', () => {
    const doc = readFileSync(join(root, 'doc', 'webhooks.md'), 'utf8');

    test('has a row for each kind, with its facts', () => {
        const header = readFileSync(join(root, 'storage', 'webhook.h'), 'utf8').split('#define WEBHOOK_KINDS')[1].split('enum webhook_kind')[0];
        const kinds = [...header.matchAll(/X\(WEBHOOK_[A-Z_]+,\s*"([a-z-]+)",[\s\\]*"([a-z_ ]+)"\)/g)].map(([, name, facts]) => [name, facts.split(' ')]);
        assert.ok(kinds.length >= 10);
        const table = doc.split('| kind |')[1].split('\n\n')[0];
        const rows = [...table.matchAll(/^\| `([a-z-]+)` \| ([^|]*) \|/gm)].map(([, name, facts]) => [name, [...facts.matchAll(/`([a-z_]+)`/g)].map(([, fact]) => fact)]);
        assert.deepEqual(rows, kinds);
    });

    test('its receiver takes a good signature and refuses a bad or an old one', async (t) => {
        const [, code] = /```js\n([^]*?)```/.exec(doc);
        const dir = await scratch(t);
        await writeFile(join(dir, 'receiver.mjs'), code);
        const child = spawn(process.execPath, [join(dir, 'receiver.mjs')], { env: { ...process.env, PORT: '0', SECRET: secret }, stdio: ['ignore', 'pipe', 'inherit'] });
        t.after(() => child.kill());
        let out = '';
        child.stdout.on('data', (chunk) => { out += chunk; });
        const port = await poll('it listens', () => /listening on (\d+)/.exec(out)?.[1]);
        const server = await startServer(t);
        const url = `http://127.0.0.1:${port}/`;
        for (const [key, delivered] of [[secret, true], [`${secret}!`, false]]) {
            const { json } = await server.admin('POST', '/webhooks', { name: key, url, secret: key }, { expect: 201 });
            const result = await server.admin('POST', `/webhooks/${json.webhook}/test`, null, { expect: 200 });
            assert.equal(result.json.delivered, delivered, JSON.stringify(result.json));
        }
        await poll('it has printed the event', () => /test .*This is a test of the webhook/.test(out));
    });
});
