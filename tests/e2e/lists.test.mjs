// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Every list of the admin API: pages, order, selection, and the headers Link and X-Total-Count. The fields and orders
// come from server/admin/list_kinds.c, the expected items from the whole list.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { nextImei, poll } from './lib/module.mjs';
import { Scene, assertProblem as assertCode } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const source = readFileSync(new URL('../../server/admin/list_kinds.c', import.meta.url), 'utf8').replaceAll(/\n */g, ' ');
const kinds = Object.fromEntries([...source.matchAll(/(SHORT|LONG)\(([a-z_]+), "([^"]*)", (.*?\})\)/g)].map(([, length, name, order, fields]) =>
    [name, { length, order, fields: [...fields.matchAll(/\{"([a-z0-9_]+)", FILTER_([A-Z]+)\}/g)].map(([, field, kind]) => ({ field, kind })) }]));

let server, scene, lists;

function assertProblem(answer, says) {
    assertCode(answer, 400, 'bad-request');
    assert.ok(answer.json.detail.includes(says), `${answer.json.detail}, not: ${says}`);
}

const get = (path, options) => server.admin('GET', path, null, options);
const withQuery = (path, query) => `${path}${path.includes('?') ? '&' : '?'}${Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
const nextOf = ({ headers }) => /^<(http:\/\/127\.0\.0\.1:\d+\/[^>]*)>; rel="next"$/.exec(headers.link ?? '')?.[1];

// All items of a list, page by page. `between` runs after each page.
async function walk(path, between = () => {}) {
    const items = [], totals = new Set();
    for (let next = path, pages = 0; next; pages++) {
        const answer = await get(next, { expect: 200 });
        items.push(...answer.json.items);
        totals.add(answer.headers['x-total-count']);
        const url = nextOf(answer);
        assert.equal(answer.headers.link === undefined, url === undefined, answer.headers.link);
        next = url && url.slice(new URL(url).origin.length);
        assert.ok(pages < 60, `${path} does not end`);
        await between(pages);
    }
    return { items, totals: [...totals] };
}

before(async () => {
    server = await startServer(null, { keep: true, config: { loop_guard_per_day: 1000, idle_effort: 'none' } }); // no package changes by itself
    scene = await Scene.build(server, { versions: ['1001', '1002', '1010', '1100'], target: '1100' });
    const [p, f] = [`/products/${scene.product}`, scene.path()];
    for (const name of ['b-side', 'Alpha', 'zeta']) {
        await server.admin('POST', '/products', { name, product_key: `key-${name}` }, { expect: 201 });
        await server.admin('POST', '/webhooks', { name, url: `http://127.0.0.1:9/${name}`, kinds: { zeta: ['package-ready', 'confirmed'], Alpha: ['confirmed'] }[name] ?? ['not-applied', 'confirmed'], enabled: false }, { expect: 201 });
        await server.admin('POST', '/tokens', { name, scope: name === 'zeta' ? 'upload' : 'read' }, { expect: 201 });
        await server.admin('POST', `${p}/secrets`, { }, { expect: 201 });
        await server.admin('POST', `${f}/campaigns`, { name: `wave ${name}`, target: '1100' }, { expect: 201 });
    }
    for (const from of ['1001', '1002', '1010']) {
        await server.admin('POST', `${f}/packages/${from}/1100`, null, { expect: [200, 202] });
        await poll('the package is made', async () => (await scene.package(from, '1100')).state === 'ready');
    }
    const devices = [];
    for (let i = 0; i < 7; i++) {
        const device = scene.module({ version: i % 2 ? '1001' : '1002' });
        await device.ask();
        devices.push(device);
    }
    for (const version of ['7', '8', '9'])
        await scene.module({ id: nextImei(), version }).ask();
    const d = scene.deviceAdminPath(devices[0]);
    for (const text of ['one', 'two', 'three'])
        await server.admin('POST', `${d}/transcripts`, Buffer.from(`AT+UPGRADE ${text}\r\nOK\r\n`), { headers: { 'Content-Type': 'text/plain' }, expect: 201 });
    await server.admin('POST', `${f}/campaigns`, { name: 'listed', target: '1100', devices: devices.map(({ id }) => id) }, { expect: 201 });
    const [listed] = (await get(`${f}/campaigns`, { expect: 200 })).json.items;
    for (const key of ['no-key-1', 'no-key-2', 'no-key-3'])
        await scene.module({ product: key, id: nextImei() }).ask();
    const [hook] = (await get('/webhooks', { expect: 200 })).json.items;
    lists = {
        products: '/products', firmware: `${p}/firmware`, missing_bases: `${f}/missing-bases`, versions: `${f}/versions`, images: `${f}/images`,
        packages: `${f}/packages`, tokens: '/tokens', secrets: `${p}/secrets`, unknown: '/unknown', transcripts: `${d}/transcripts`, check_ins: `${d}/check-ins`,
        webhooks: '/webhooks', campaigns: '/campaigns', campaign_devices: `${f}/campaigns/${listed.campaign}/devices`, outcomes: `${f}/outcomes`, ledger: '/ledger',
        events: `/webhooks/${hook.webhook}/events?state=waiting`,
    };
    for (const name of ['missing_bases', 'transcripts', 'unknown', 'packages', 'tokens', 'secrets', 'webhooks', 'campaigns', 'campaign_devices', 'outcomes', 'images', 'products'])
        assert.ok((await get(lists[name], { expect: 200 })).json.items.length >= 3, name);
});
after(() => server?.dispose());

// What one list says of an item: its value as the server orders it; null sorts first.
function valueOf({ field, kind }, item) {
    const value = item[field] ?? null;
    if (kind === 'FLAG')
        return Number(value !== null && value !== false);
    if (kind === 'VERSION')
        return value === null ? [] : value.split('.').map(Number);
    return kind === 'TAGS' ? value.join(' ') : kind === 'TEXT' ? value ?? '' : value ?? -Infinity;
}

function compare(a, b) {
    if (!Array.isArray(a))
        return a < b ? -1 : Number(a > b);
    for (let i = 0; i < Math.min(a.length, b.length); i++)
        if (a[i] !== b[i])
            return a[i] - b[i];
    return a.length - b.length;
}

// Conditions on one value that an item has, with the items that they select.
function conditions({ field, kind }, value) {
    const quoted = `"${String(value).replaceAll('"', '?')}"`, is = (item) => item[field] === value;
    switch (kind) {
    case 'FLAG':
        return [[`${field}=yes`, (item) => valueOf({ field, kind }, item) === 1], [`${field}!=true`, (item) => valueOf({ field, kind }, item) === 0]];
    case 'TAGS':
        return [[`${field}=${value[0]}`, (item) => item[field].includes(value[0])], [`${field} not like "*-*"`, (item) => !item[field].some((tag) => tag.includes('-'))]];
    case 'TEXT':
        return [[`${field} like ${quoted}`, is], [`not ${field} in (${quoted}, "nothing")`, (item) => !is(item)],
            [`${field} like "${String(value).slice(0, 2).toUpperCase()}*"`, (item) => (item[field] ?? '').toUpperCase().startsWith(String(value).slice(0, 2).toUpperCase())]];
    default: {
        const less = (item) => (item[field] ?? null) !== null && compare(valueOf({ field, kind }, item), valueOf({ field, kind }, { [field]: value })) < 0;
        const known = (item) => (item[field] ?? null) !== null;
        return [[`${field}=${value}`, is], [`${field}<${value}`, less], [`${field}>=${value}`, (item) => known(item) && !less(item)], [`${field}!=${value} or ${field}=${value}`, () => true],
            [`${field}=${kind === 'TIME' ? 'never' : 'none'}`, (item) => !known(item)]];
    }
    }
}

// Each of these calls is the last use of a token, and the gate of a campaign counts the time.
const keyOf = (item) => item.stages ? `campaign ${item.campaign}` : JSON.stringify(item, (name, value) => (name === 'used_at' ? undefined : value));

describe('a list', () => {
    for (const [name, { length, order, fields }] of Object.entries(kinds)) {
        test(`${name}: pages give every item once`, async () => {
            const path = lists[name], answer = await get(withQuery(path, { limit: 1000 }), { expect: 200 }), all = answer.json.items;
            assert.equal(answer.headers.link, undefined);
            if (length === 'SHORT' || ['ledger', 'outcomes', 'events'].includes(name))
                assert.equal(answer.headers['x-total-count'], String(all.length));
            for (const limit of [1, 2, 3].filter((limit) => all.length / limit < 55)) {
                const walked = await walk(withQuery(path, { limit }));
                assert.deepEqual(walked.items.map(keyOf), all.map(keyOf), `limit ${limit}`);
                assert.deepEqual(walked.totals, [answer.headers['x-total-count']]);
            }
        });

        test(`${name}: each field selects`, async () => {
            const path = lists[name], all = (await get(withQuery(path, { limit: 1000 }), { expect: 200 })).json.items;
            for (const field of fields.filter(({ field }) => name !== 'tokens' || field !== 'used_at')) {
                const item = all.find((item) => (item[field.field] ?? null) !== null && item[field.field]?.length !== 0 && item[field.field] !== '');
                for (const [q, expected] of item ? conditions(field, item[field.field]) : [[`${field.field}=${{ TIME: 'never', TEXT: '""', FLAG: 'no', TAGS: 'a' }[field.kind] ?? 'none'}`, () => field.kind !== 'TAGS']]) {
                    const found = await get(withQuery(path, { q, limit: 1000 }), { expect: 200 });
                    assert.deepEqual(found.json.items.map(keyOf), all.filter(expected).map(keyOf), q);
                    if (length === 'SHORT')
                        assert.equal(found.headers['x-total-count'], String(found.json.items.length));
                }
            }
        });

        test(`${name}: is sorted by each field, up and down, also in pages`, async () => {
            const path = lists[name];
            const sorts = length === 'SHORT' ? fields : fields.filter(({ field }) => order.split(' ').includes(field));
            for (const field of sorts) {
                const up = (await get(withQuery(path, { sort: field.field, limit: 1000 }), { expect: 200 })).json.items;
                for (let i = 1; i < up.length; i++)
                    assert.ok(compare(valueOf(field, up[i - 1]), valueOf(field, up[i])) <= 0, `${field.field}: ${keyOf(up[i - 1])} ${keyOf(up[i])}`);
                if (length === 'LONG' && !order.includes(`-${field.field}`))
                    continue;
                const down = (await get(withQuery(path, { sort: `-${field.field}`, limit: 1000 }), { expect: 200 })).json.items;
                for (let i = 1; i < down.length; i++)
                    assert.ok(compare(valueOf(field, down[i - 1]), valueOf(field, down[i])) >= 0, `-${field.field}`);
                if (up.length < 50)
                    assert.deepEqual((await walk(withQuery(path, { limit: 2, sort: `-${field.field}` }))).items.map(keyOf), down.map(keyOf));
            }
        });

        test(`${name}: wrong parameters are named`, async () => {
            const path = lists[name], ask = (query) => get(withQuery(path, query));
            for (const limit of ['0', '1001', '-1', 'x', '1.5', ''])
                assertProblem(await ask({ limit }), 'limit must be a number from 1 to 1000');
            assertProblem(await ask({ after: 'nothing' }), 'after is not the cursor of a page of this list');
            assertProblem(await ask({ q: 'nope=1' }), `character 1: 'nope' is not a field; fields: ${fields[0].field}`);
            assertProblem(await ask({ q: `${fields[0].field}` }), 'an operator is missing');
            assertCode(await ask({ q: 'x'.repeat(501) }), 400, 'bad-name');
            assertProblem(await ask({ filter: 'a=b' }), "the parameter 'filter' is not known; this call takes the parameters after");
            if (order)
                assertProblem(await ask({ sort: 'nope' }), length === 'SHORT' ? `sort takes a field, with - before it for downwards: ${fields[0].field}` : `sort takes ${order.replaceAll(' ', ' or ')}`);
        });
    }
});

describe('a cursor', () => {
    test('stays right while rows are added and removed', async () => {
        const path = '/products?limit=2&sort=-product_key', start = (await get('/products')).json.items.map(({ product_key: key }) => key);
        const { items } = await walk(path, async (page) => {
            if (page === 0) { // before, and behind what was given; and the last one given goes
                for (const key of ['zzz-new', 'aaa-new'])
                    await server.admin('POST', '/products', { name: key, product_key: key }, { expect: 201 });
                await server.admin('DELETE', '/products/key-zeta', null, { expect: 204 });
            }
        });
        const keys = items.map(({ product_key: key }) => key);
        assert.deepEqual([...keys].sort(), [...start, 'aaa-new'].sort(), 'each once; what came behind the cursor too');
    });

    test('of another order is refused', async () => {
        const first = await get('/products?limit=1&sort=name');
        const next = nextOf(first), cursor = new URL(next).searchParams.get('after');
        for (const query of ['?limit=1', '?sort=-name', '?sort=created_at'])
            assertProblem(await get(withQuery(`/products${query}`, { after: cursor })), 'after is not the cursor');
        for (const wrong of ['[]', '["name created_at product_key"]', '{', '1', '[1,2,3,4]'])
            assertProblem(await get(withQuery('/products?sort=name', { after: wrong })), 'after is not the cursor');
    });

    test('leads through a long list that q narrows', async () => {
        const all = (await get('/ledger?limit=1000')).json.items;
        const kind = all[3].kind, wanted = all.filter((row) => row.kind === kind || row.seq % 5 === 0).map(({ seq }) => seq);
        const q = `kind="${kind}" or seq in (${all.filter(({ seq }) => seq % 5 === 0).slice(0, 20).map(({ seq }) => seq).join(',')})`;
        const expected = all.filter((row) => row.kind === kind || all.filter(({ seq }) => seq % 5 === 0).slice(0, 20).some(({ seq }) => seq === row.seq)).map(({ seq }) => seq);
        assert.ok(wanted.length && expected.length > 3);
        for (const sort of ['seq', '-seq']) {
            const { items } = await walk(withQuery('/ledger', { limit: 2, sort, q }));
            assert.deepEqual(items.map(({ seq }) => seq), sort === 'seq' ? expected : expected.toReversed());
        }
    });
});

describe('devices', () => {
    test('are selected by the same language, and come in pages', async () => {
        const path = `/products/${scene.product}/devices`, all = (await get(`${path}?limit=1000`)).json.items;
        const expected = all.filter(({ confirmed_version: version }) => ['1001', '1002'].includes(version));
        assert.ok(expected.length === 7 && all.length === 10, `${expected.length} of ${all.length}`);
        for (const q of ['version in (1001, 1002)', 'version>1000 and last_seen<1h', 'not version<1000', 'version>=1001 and last_seen>2026-01-01']) {
            const { items } = await walk(withQuery(path, { q, limit: 3 }));
            assert.deepEqual(items.map(({ device }) => device), expected.map(({ device }) => device), q);
        }
        for (const sort of ['last_seen', '-last_seen'])
            assert.equal(new Set((await walk(withQuery(path, { sort, limit: 3 }))).items.map(({ device }) => device)).size, all.length);
        assertProblem(await get(withQuery(path, { q: 'versin<1' })), "'versin' is not a field; fields: version, asked, tag");
        assertProblem(await get(withQuery(path, { sort: 'device' })), 'sort takes last_seen or -last_seen');
        assertProblem(await get(withQuery(path, { after: '1.2' })), 'after is not the cursor');
    });
});

describe('the header Link', () => {
    const link = async (headers, path = '/products?q=product_key!=%22a%2Bb%22&limit=1') => (await get(path, { headers })).headers.link;

    test('has the address that the client has used, and its own parameters', async () => {
        const host = `${server.adminAddress.host}:${server.adminAddress.port}`;
        assert.match(await link({}), new RegExp(`^<http://${host}/api/v1/products\\?q=product_key!=%22a%2Bb%22&limit=1&after=[A-Za-z0-9%._~-]+>; rel="next"$`));
        assert.match(await link({ Host: 'fota.example:8081' }), /^<http:\/\/fota\.example:8081\/api/);
        assert.match(await link({ Host: '[::1]:8081' }), /^<http:\/\/\[::1\]:8081\/api/);
    });

    test('has no character that would end it early', async () => {
        const value = await link({}, '/ledger?q=seq>0&limit=1');
        assert.match(value, /^<http:[^<>]*\?q=seq%3E0&limit=1&after=\d+>; rel="next"$/);
        assert.equal((await get(value.slice(1, value.indexOf('>')))).status, 200);
    });

    test('names the target of outcomes once, also after an empty one', async () => {
        const value = await link({}, `/products/${scene.product}/firmware/${scene.firmware}/outcomes?target=&limit=1`);
        assert.match(value, /\?limit=1&target=1100&after=/);
    });

    test('is a path when the Host is no name', async () => {
        for (const host of ['a>b', 'a b', 'a"', 'user@host', 'a/b'])
            assert.match(await link({ Host: host }), /^<\/api\/v1\/products\?/);
    });

    test('does not believe a stranger', async () => {
        assert.doesNotMatch(await link({ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example', Forwarded: 'for=1.2.3.4;host=evil.example;proto=https' }), /evil|https/);
    });

    test('names the address of the proxy', async (t) => {
        const behind = await startServer(t, { config: { admin_proxies: '127.0.0.1' } });
        for (const name of ['a', 'b'])
            await behind.admin('POST', '/products', { name, product_key: name }, { expect: 201 });
        for (const [headers, origin] of [
            [{ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'fota.example' }, 'https://fota.example'],
            [{ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', Host: 'fota.example:444' }, 'https://fota.example:444'],
            [{ Forwarded: 'for=192.0.2.1;proto=https;host="fota.example:8443"' }, 'https://fota.example:8443'],
            [{ 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-Host': 'a>b', Host: 'h' }, 'http://h'],
            [{ 'X-Forwarded-Proto': 'https', Host: 'h' }, 'http://h'], // no client was told
        ])
            assert.ok((await behind.admin('GET', '/products?limit=1', null, { headers })).headers.link.startsWith(`<${origin}/api/v1/products?limit=1&after=`), origin);
    });
});

test('dfotactl selects, sorts and cuts each list', async () => {
    const env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product };
    const ctl = (...args) => run([...args, '-o', 'json'], { env });
    const f = scene.firmware, [device] = (await get(`/products/${scene.product}/devices?limit=1&sort=-last_seen`)).json.items;
    const transcripts = decodeURIComponent(/devices\/([^/]+)/.exec(lists.transcripts)[1]);
    for (const [command, name, field] of [
        [['product', 'list'], 'products', 'name'], [['firmware', 'list'], 'firmware', 'firmware'], [['image', 'list', f], 'images', 'version'], [['package', 'list', f], 'packages', 'from'],
        [['missing-bases', f], 'missing_bases', 'version'], [['campaign', 'list', f], 'campaigns', null], [['campaign', 'devices', f, 'listed'], 'campaign_devices', null],
        [['token', 'list'], 'tokens', 'name'], [['secret', 'list'], 'secrets', 'secret'], [['unknown', 'list'], 'unknown', 'text'], [['webhook', 'list'], 'webhooks', 'name'],
        [['transcripts', transcripts], 'transcripts', 'transcript'], [['outcomes', f], 'outcomes', null], [['ledger', 'list'], 'ledger', 'seq'], [['webhook', 'waiting', 'zeta'], 'events', null],
    ]) {
        const whole = await ctl(...command);
        assert.equal(whole.status, 0, `${command.join(' ')}: ${whole.err}`);
        const all = JSON.parse(whole.out).items.length, two = await ctl(...command, '--limit', '2');
        assert.equal(JSON.parse(two.out).items.length, Math.min(2, all), command.join(' '));
        if (field) {
            const down = JSON.parse((await ctl(...command, `--sort=-${field}`, '--limit', '1')).out).items;
            assert.ok(!all || down.length === 1, command.join(' '));
        }
        const refused = await ctl(...command, '-q', 'nope=1');
        assert.ok(refused.status !== 0 && refused.err.includes(`'nope' is not a field; fields: ${kinds[name].fields[0].field}`), refused.err);
    }
    const found = await ctl('device', 'list', '-q', `device in (${device.device}, x)`, '--sort', 'last_seen');
    assert.deepEqual(JSON.parse(found.out).items.map((item) => item.device), [device.device]);
    const tagged = await ctl('device', 'list', '--tag', 'north', '-q', 'version=1001 or version=1002');
    assert.deepEqual(JSON.parse(tagged.out).items, [], 'both conditions hold');
    assert.equal(JSON.parse((await ctl('image', 'list', f, '--sort=-version', '--limit', '1')).out).items[0].version, '1100');
});

test('doc/api.md has the fields of each list', () => {
    const doc = readFileSync(new URL('../../doc/api.md', import.meta.url), 'utf8');
    for (const [name, { fields }] of Object.entries(kinds)) {
        const row = fields.map(({ field, kind }) => `\`${field}\`${{ TEXT: '', TIME: ' time', NUMBER: ' number', VERSION: ' version', FLAG: ' flag', TAGS: ' tags' }[kind]}`).join(', ');
        assert.ok(doc.includes(`| ${row} |`), `${name}: ${row}`);
    }
});
