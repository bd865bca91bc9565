// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Two admins at work: entity tags, If-Match and If-None-Match; JSON merge patches; unknown fields of a body.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { fleet as unseenFleet, takes } from './lib/campaigns.mjs';
import { assertProblem, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;

before(async (t) => { server = await startServer(t); });

// The server knows the devices.
async function fleet(...args) {
    const made = await unseenFleet(...args);
    for (const module of made.modules)
        await module.ask();
    return made;
}

const get = (path, headers = {}) => server.admin('GET', path, null, { headers });
const tagOf = async (path) => (await get(path)).headers.etag;
const csv = (ids) => `${ids.join('\n')}\n`;
const change = (method, path, body, tag) => server.admin(method, path, body,
    { headers: { ...(typeof body === 'string' && { 'Content-Type': 'text/csv' }), ...(tag && { 'If-Match': tag }) } });
const stateOf = (tag) => /^"([0-9a-f]{20})-[0-9a-f]{20}"$/.exec(tag)[1];
const addWebhook = async (more = {}) => {
    const { json } = await server.admin('POST', '/webhooks', { name: `hook ${Math.random()}`, url: 'http://127.0.0.1:9/x', enabled: false, ...more }, { expect: 201 });
    return `/webhooks/${json.webhook}`;
};

describe('two admins who change the same', () => {
    // Two changes of the resource at `path`, of which the second was decided before the first.
    async function collide(path, first, second, { gone = false } = {}) {
        const seen = await tagOf(path);
        assert.equal(stateOf(await tagOf(path)), stateOf(seen));
        const done = await change(...first, seen);
        assert.ok(done.status === 200, `${first} ${done.status} ${done.body}`);
        if (done.headers.etag)
            assert.equal(stateOf(done.headers.etag), stateOf(await tagOf(path)), 'the answer to a change has the new tag');
        const late = await change(...second, seen);
        assertProblem(late, 412, 'precondition-failed');
        assert.match(late.json.detail, /was changed since it was read: read it again/);
        assert.notEqual(stateOf(await tagOf(path)), stateOf(seen));
        const again = await change(...second, await tagOf(path));
        assert.ok([200, 204].includes(again.status), `${second} ${again.status} ${again.body}`);
        assert.equal((await get(path)).status, gone ? 404 : 200);
    }

    test('a product', async () => {
        const { product } = await Scene.build(server, { versions: [], target: null });
        const path = `/products/${product}`;
        await collide(path, ['PATCH', path, { unknown_devices: 'held' }], ['PATCH', path, { name: 'Pumps' }]);
        await collide(path, ['PATCH', path, { name: 'Wells' }], ['DELETE', path, null], { gone: true });
    });

    test('a firmware, its target, and its name', async () => {
        const scene = await Scene.build(server, { target: null });
        const path = scene.path(), target = scene.path('/target');
        await collide(path, ['PATCH', path, { quarantine_after: 3 }], ['PUT', target, { version: '1002' }]);
        await collide(path, ['PATCH', path, { hours: '22:00-06:00+08:00' }], ['DELETE', target, null]);
        await collide(path, ['PUT', target, { version: '1001' }], ['PATCH', path, { downgrades: true }]);
        const renamed = await change('PATCH', path, { name: 'pump2', force: true }, await tagOf(path));
        assert.equal(renamed.headers.etag, await tagOf(`/products/${scene.product}/firmware/pump2`));
        const empty = await Scene.build(server, { target: null, versions: ['1'] });
        await server.admin('DELETE', empty.path('/images/1'), null, { expect: 204 });
        await collide(empty.path(), ['PATCH', empty.path(), { downgrades: true }], ['DELETE', empty.path(), null], { gone: true });
    });

    test('an image', async () => {
        const scene = await Scene.build(server, { target: null });
        const path = scene.path('/images/1001');
        await collide(path, ['PATCH', path, { withdrawn: true, reason: 'no' }], ['PATCH', path, { withdrawn: null }]);
        await collide(path, ['PUT', `${path}/about`, { purpose: 'feature' }], ['PUT', `${path}/sbom`, { a: 1 }]);
        await collide(path, ['DELETE', `${path}/sbom`, null], ['PATCH', path, { waypoint: 'forbidden' }]);
        await collide(path, ['PATCH', path, { waypoint: null }], ['DELETE', path, null], { gone: true });
    });

    test('a campaign, from its draft to its end', async () => {
        const { scene, ids } = await fleet(server, 3);
        const add = async (name, more = {}) => {
            const { json } = await server.admin('POST', scene.path('/campaigns'), { name, target: scene.versions.at(-1), ...more }, { expect: 201 });
            return scene.path(`/campaigns/${json.campaign}`);
        };
        const path = await add('a', { devices: ids, stages: [{ devices: 1, approvals: 2 }, { all: true }] });
        await collide(path, ['PATCH', path, { pause_when_done: true }], ['PATCH', path, { name: 'b' }]);
        await collide(path, ['PATCH', path, { devices: ids.toReversed() }], ['PUT', `${path}/devices`, csv(ids)]);
        await collide(path, ['PATCH', path, { stages: [{ devices: 2, approvals: 2 }, { all: true }] }], ['POST', `${path}/start`, null]);
        await collide(path, ['POST', `${path}/approve?stage=1&by=Ann`, null], ['POST', `${path}/pause`, null]);
        await collide(path, ['POST', `${path}/resume`, null], ['POST', `${path}/retarget`, { target: scene.versions[0] }]);
        await collide(path, ['PATCH', path, { finish_transfers: false }], ['POST', `${path}/cancel`, null]);
        const draft = await add('c');
        await collide(draft, ['PATCH', draft, { target: scene.versions[0] }], ['DELETE', draft, null], { gone: true });
    });

    test('at the same moment: exactly one of many', async () => {
        const { product } = await Scene.build(server, { versions: [], target: null });
        const path = `/products/${product}`;
        for (let round = 0; round < 3; round += 1) {
            const seen = await tagOf(path);
            const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => change('PATCH', path, { name: `${round} ${i}` }, seen)));
            assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(11).fill(412)]);
        }
    });

    test('a dry run has the precondition too', async () => {
        const { scene } = await fleet(server, 1);
        const { json } = await server.admin('POST', scene.path('/campaigns'), { name: 'x', target: scene.versions.at(-1) }, { expect: 201 });
        const path = scene.path(`/campaigns/${json.campaign}`), seen = await tagOf(path);
        assert.equal((await change('POST', `${path}/start?dry_run=1`, null, seen)).status, 200);
        await change('PATCH', path, { pause_when_done: true });
        assertProblem(await change('POST', `${path}/start?dry_run=1`, null, seen), 412, 'precondition-failed');
        assertProblem(await change('PUT', scene.path('/target?dry_run=1'), { version: scene.versions[0] }, seen), 412, 'precondition-failed');
    });

    test('a device', async () => {
        const { scene, modules: [module, spare] } = await fleet(server, 2);
        const path = scene.deviceAdminPath(module);
        await collide(path, ['PATCH', path, { note: 'roof' }], ['PATCH', path, { add_tags: ['north'] }]);
        await collide(path, ['POST', `${path}/retire`, null], ['POST', `${path}/restore`, null]);
        for (const rest of ['/unblock', '/write-off', '/admit'])
            await collide(path, ['PATCH', path, { note: rest }], ['POST', path + rest, null]);
        await collide(path, ['PATCH', path, { held_out: true }], ['PATCH', path, { held_out: false }]);
        await collide(path, ['PATCH', path, { tags: null }], ['POST', `${path}/replace`, { device: `${spare.idKind}:${spare.id}` }]);
        const fresh = `/products/${scene.product}/devices/uid:fresh${scene.product.length}`;
        await server.admin('POST', `/products/${scene.product}/devices`, `device,firmware\n${fresh.split('/').at(-1)},${scene.firmware}\n`,
            { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        await collide(fresh, ['PATCH', fresh, { note: 'new' }], ['DELETE', fresh, null], { gone: true });
    });

    test('a webhook, also when only its secret was changed', async () => {
        const path = await addWebhook();
        await collide(path, ['PATCH', path, { secret: 'x'.repeat(20) }], ['PATCH', path, { enabled: true }]);
        await collide(path, ['PATCH', path, { secret: null, kinds: ['confirmed'] }], ['DELETE', path, null], { gone: true });
    });

    test('a token; the answer with its secret has no tag', async () => {
        const { json, headers } = await server.admin('POST', '/tokens', { name: 'two admins', scope: 'read' }, { expect: 201 });
        assert.equal(headers.etag, undefined);
        const path = `/tokens/${json.token}`;
        await collide(path, ['POST', `${path}/rotate`, null], ['POST', `${path}/rotate`, { overlap_ms: 0 }]);
        await collide(path, ['POST', `${path}/rotate`, null], ['DELETE', path, null]);
    });
});

describe('what devices do', () => {
    test('a check-in and a download change the answer, and not what an admin has read', async () => {
        const { scene, modules: [module] } = await fleet(server, 1);
        const paths = [`/products/${scene.product}`, scene.path(), scene.path('/images/1'), scene.deviceAdminPath(module)];
        const seen = await Promise.all(paths.map(tagOf));
        await module.ask();
        const now = await Promise.all(paths.map(tagOf));
        assert.notEqual(now[3], seen[3]);
        assert.deepEqual(now.map(stateOf), seen.map(stateOf));
        assert.equal((await change('PATCH', paths[3], { note: 'seen' }, seen[3])).status, 200);
        assert.equal((await change('PATCH', paths[1], { quarantine_after: 5 }, seen[1])).status, 200);
    });

    test('a campaign keeps its state while devices come, and changes it when a stage begins', async () => {
        const { scene, modules, ids } = await fleet(server, 2);
        const body = { name: 'stages', target: scene.versions.at(-1), devices: ids, stages: [{ devices: 1 }, { all: true }] };
        const { json } = await server.admin('POST', scene.path('/campaigns'), body, { expect: 201 });
        const path = scene.path(`/campaigns/${json.campaign}`);
        await change('POST', `${path}/start`, null);
        const seen = await tagOf(path);
        await modules[0].ask();
        const asked = await tagOf(path);
        assert.deepEqual([stateOf(asked), asked === seen], [stateOf(seen), false]);
        await takes(modules[0]);
        assert.equal((await get(path)).json.stage, 2);
        assertProblem(await change('POST', `${path}/retarget`, { target: scene.versions[0] }, seen), 412, 'precondition-failed');
    });

    test('the tag is the same after a restart', async () => {
        const path = await addWebhook({ secret: 's'.repeat(16) });
        const seen = await tagOf(path);
        await server.restart();
        assert.equal(await tagOf(path), seen);
    });
});

test('If-Match takes a list of tags and *; weak and malformed ones are refused', async () => {
    const { product } = await Scene.build(server, { versions: [], target: null });
    const path = `/products/${product}`, tag = await tagOf(path), state = stateOf(tag), { name } = (await get(path)).json;
    const set = (value) => change('PATCH', path, { name: 'Pumps' }, value);
    for (const good of [tag, '*', `"x", ${tag}`, `W/"y" ,"x"\t,${tag}`, `"${state}"`, `"${state}-0"`, ` ${tag} ,`])
        assert.equal((await set(good)).status, 200, good), await change('PATCH', path, { name });
    await set();
    const here = await tagOf(path);
    const weak = await set(`W/${here}, W/"x"`);
    assertProblem(weak, 412, 'precondition-failed');
    assert.match(weak.json.detail, /weak tags/);
    for (const other of ['"x"', '"x", "y"', '""', `"${'0'.repeat(20)}-${'0'.repeat(20)}"`])
        assertProblem(await set(other), 412, 'precondition-failed');
    for (const malformed of [stateOf(here), '"x', ',', 'w/"x"', '"x", y'])
        assertProblem(await set(malformed), 400, 'bad-request');
    assertProblem(await change('PATCH', '/products/nobody', { name: 'x' }, '*'), 404, 'product-not-found');
    for (const [method, call] of [['POST', '/products'], ['GET', path], ['GET', '/products'], ['POST', `${path}/secrets`], ['DELETE', '/unknown']])
        assertProblem(await change(method, call, method === 'POST' ? { name: 'x' } : null, tag), 400, 'bad-request');
    assertProblem(await server.admin('PATCH', path, { name: 'x' }, { headers: { 'If-None-Match': '*' } }), 400, 'bad-request');
});

test('a GET whose tag is known is 304 without a body, also as HEAD', async () => {
    const scene = await Scene.build(server);
    for (const path of [`/products/${scene.product}`, scene.path(), scene.path('/images'), scene.path('/images/1001'), '/products', '/reasons', '/signing-key', scene.path('/matrix')]) {
        const { headers: { etag, 'cache-control': cache }, body } = await get(path);
        assert.match(etag, /^"([0-9a-f]{20}-)?[0-9a-f]{20}"$/);
        assert.match(cache, /no-cache/);
        const length = `${body.length}`;
        for (const known of [etag, `W/${etag}`, '*', `"x", W/"y" , ${etag}`]) {
            const same = await get(path, { 'If-None-Match': known });
            assert.deepEqual([same.status, same.body.length, same.headers.etag], [304, 0, etag], `${path} ${known}`);
        }
        for (const unknown of ['"x"', etag.slice(1, -1), `"${etag.slice(2)}`]) {
            const other = await get(path, { 'If-None-Match': unknown });
            assert.deepEqual([other.status, other.body.equals(body)], [200, true], `${path} ${unknown}`);
        }
        const head = await server.admin('HEAD', path);
        assert.deepEqual([head.status, head.headers.etag, head.headers['content-length']], [200, etag, length]);
        assert.equal((await server.admin('HEAD', path, null, { headers: { 'If-None-Match': etag } })).status, 304);
    }
    const before = await tagOf(scene.path());
    await scene.set({ quarantine_after: 7 });
    assert.equal((await get(scene.path(), { 'If-None-Match': before })).status, 200);
    assert.equal((await get(`/products/${scene.product}/secrets`)).headers.etag, undefined, 'no tag of secrets');
});

describe('PATCH is a JSON merge patch', () => {
    const raw = (path, text, type) => server.admin('PATCH', path, Buffer.from(text), { headers: type ? { 'Content-Type': type } : {} });
    const places = async () => {
        const { scene, modules: [module] } = await fleet(server, 1);
        const { json } = await server.admin('POST', scene.path('/campaigns'), { name: 'patched', target: scene.versions.at(-1) }, { expect: 201 });
        return { scene, product: `/products/${scene.product}`, firmware: scene.path(), campaign: scene.path(`/campaigns/${json.campaign}`),
            image: scene.path('/images/1'), device: scene.deviceAdminPath(module), webhook: await addWebhook() };
    };

    test('both types are taken, others are 415 with Accept-Patch; {} changes nothing', async () => {
        const { scene, ...paths } = await places();
        for (const path of Object.values(paths)) {
            const seen = await get(path);
            const seq = (await get('/ledger/head')).json.seq;
            for (const type of ['application/merge-patch+json', 'application/json', 'Application/JSON; charset=utf-8']) {
                const same = await raw(path, '{}', type);
                assert.deepEqual([same.status, same.json, same.headers.etag], [200, seen.json, seen.headers.etag], path);
            }
            assert.equal((await get('/ledger/head')).json.seq, seq, path);
            for (const type of ['text/plain', 'application/json-patch+json', 'application/x-www-form-urlencoded']) {
                const refused = await raw(path, '{}', type);
                assertProblem(refused, 415, 'unsupported-type');
                assert.equal(refused.headers['accept-patch'], 'application/merge-patch+json');
            }
            assertProblem(await raw(path, '[]', 'application/json'), 422, 'invalid');
            for (const body of ['', '1', '"x"', 'null'])
                assertProblem(await raw(path, body, 'application/json'), 400, 'bad-json');
            assertProblem(await raw(path, '{"bogus":null}', 'application/json'), 400, 'bad-request');
        }
    });

    test('null sets a field to its default, or is refused with a sentence', async () => {
        const { scene, ...paths } = await places();
        const cases = {
            product: [{ trusted_check_ins: true, unknown_devices: 'held', device_secret: 'required' },
                { trusted_check_ins: false, unknown_devices: 'admitted', device_secret: 'optional' }, ['name']],
            firmware: [{ max_package_bytes: 9000, downgrades: true, canary_confirmations: 3, quarantine_after: 9, hours: '22:00-06:00+08:00', max_bytes_per_month: 5 },
                { max_package_bytes: 491520, downgrades: false, canary_confirmations: 1, quarantine_after: 2, hours: 'always', max_bytes_per_month: 0 }, ['name']],
            campaign: [{ filter: 'tag=north', frozen: true, order: 'spread', pause_when_done: true, finish_transfers: false, stages: [{ devices: 1 }, { all: true }] },
                { filter: null, frozen: null, order: null, pause_when_done: false, finish_transfers: true }, ['name', 'target']],
            image: [{ waypoint: 'required', reason: 'stop here' }, { waypoint: 'allowed' }, []],
            device: [{ tags: ['north'], note: 'roof', held_out: true }, { tags: [], note: null, held_out: false }, []],
            webhook: [{ kinds: ['confirmed'], secret: 's'.repeat(16), template: '{"a":1}', enabled: false }, { kinds: [], template: null, enabled: true }, ['name', 'url']],
        };
        for (const [name, [set, reset, needed]] of Object.entries(cases)) {
            await server.admin('PATCH', paths[name], set, { expect: 200 });
            const nulls = Object.fromEntries(Object.keys(set).filter((key) => key !== 'reason').map((key) => [key, null]));
            const { json } = await server.admin('PATCH', paths[name], nulls, { expect: 200 });
            for (const [key, value] of Object.entries(reset))
                assert.deepEqual(json[key], value, `${name} ${key}`);
            for (const key of needed) {
                const refused = await server.admin('PATCH', paths[name], { [key]: null });
                assertProblem(refused, 422, 'invalid');
                assert.match(refused.json.detail, new RegExp(`^${key} cannot be null`));
            }
        }
        assert.equal((await get(paths.webhook)).json.signed, false);
        assert.equal((await get(paths.campaign)).json.stages.length, 1);
        await server.admin('PATCH', paths.firmware, { format: null }, { expect: 200 });
        assert.equal((await get(paths.firmware)).json.format, null);
        await server.admin('PATCH', paths.campaign, { filter: 'tag=north', frozen: false }, { expect: 200 });
        assertProblem(await server.admin('PATCH', paths.campaign, { frozen: null }), 422, 'invalid');
        await server.admin('PATCH', paths.campaign, { devices: [decodeURIComponent(paths.device.split('/').at(-1))], order: 'hash' }, { expect: 200 });
        assertProblem(await server.admin('PATCH', paths.campaign, { order: null }), 422, 'invalid');
        const all = await server.admin('PATCH', paths.campaign, { devices: null, first: null, order: null }, { expect: 200 });
        assert.deepEqual([all.json.audience, all.json.order], ['all', null]);
        await server.admin('PATCH', paths.image, { withdrawn: true, reason: 'no' }, { expect: 200 });
        assert.equal((await server.admin('PATCH', paths.image, { withdrawn: null, reason: null }, { expect: 200 })).json.withdrawn, null);
    });
});

test('an unknown field of any body is 400 with its name, and the names that the call takes', async () => {
    const { scene, modules: [module] } = await fleet(server, 1);
    const product = `/products/${scene.product}`, device = scene.deviceAdminPath(module), pair = scene.path('/packages/1/2');
    const { json: { campaign: number } } = await server.admin('POST', scene.path('/campaigns'), { name: 'f', target: '2' }, { expect: 201 });
    const campaign = scene.path(`/campaigns/${number}`), webhook = await addWebhook();
    const calls = [
        ['POST', '/products'], ['PATCH', product], ['PATCH', scene.path()], ['PUT', scene.path('/target')],
        ['POST', scene.path('/campaigns')], ['PATCH', campaign], ['POST', `${campaign}/pause`], ['POST', `${campaign}/retarget`],
        ['POST', `${campaign}/copy`], ['PATCH', scene.path('/images/1')], ['PUT', scene.path('/images/1/about')],
        ['POST', `${pair}/release`], ['PUT', `${pair}/quarantine`], ['PATCH', device], ['POST', `${device}/replace`],
        ['POST', `${device}/claim`], ['POST', `${device}/link`], ['POST', `${product}/secrets`], ['POST', `${device}/secrets`],
        ['POST', `${product}/secrets/1/rotate`], ['POST', '/webhooks'], ['PATCH', webhook], ['POST', '/backup/result'],
        ['POST', '/ledger/prune'], ['POST', '/tokens'], ['POST', '/tokens/1/rotate'], ['POST', '/session'],
    ];
    for (const [method, path] of calls) {
        const answer = await server.admin(method, path, { versoin: '1' });
        assertProblem(answer, 400, 'bad-request');
        assert.match(answer.json.detail, /^the body has an unknown field: versoin; it takes: \w/, `${method} ${path}`);
    }
    const stage = await server.admin('PATCH', campaign, { stages: [{ devices: 1, max_fialed: 2 }, { all: true }] });
    assertProblem(stage, 400, 'bad-request');
    assert.match(stage.json.detail, /^a stage has an unknown field: max_fialed; it takes: devices percent/);
});
