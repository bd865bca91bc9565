// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What an admin does with devices: tags, notes, retired, replaced, deleted, imported, admitted; lists of them; and firmwares and
// products that are renamed and deleted.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { sql } from './lib/chain.mjs';
import { run, scratch } from './lib/ctl.mjs';
import { firmwareImage } from './lib/firmware.mjs';
import { nextImei } from './lib/module.mjs';
import { Scene, assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const post = (scene, module, action, body = null, expect = 200) =>
    server.admin('POST', scene.deviceAdminPath(module, `/${action}`), body, { expect });
const patch = (scene, module, body, expect = 200) => server.admin('PATCH', scene.deviceAdminPath(module), body, { expect });
const importList = (scene, text) =>
    server.admin('POST', `/products/${scene.product}/devices`, text, { headers: { 'Content-Type': 'text/csv' } });
const setProduct = (scene, body) => server.admin('PATCH', `/products/${scene.product}`, body, { expect: 200 });

// All pages of a list.
async function list(scene, query = '') {
    const found = [];
    let path = `/products/${scene.product}/devices?${query}`;
    for (let pages = 0; path; pages += 1) {
        assert.ok(pages < 1000);
        const answer = await server.admin('GET', path, null, { expect: 200 });
        found.push(...answer.json.items);
        path = answer.headers.link?.match(/^<(.*)>; rel="next"$/)?.[1];
    }
    return found;
}
const ids = async (scene, query) => (await list(scene, query)).map((d) => d.device);

async function ledger(product, kind) {
    return (await server.admin('GET', `/ledger?product=${product}&kind=${kind}`, null, { expect: 200 })).json.items;
}

describe('tags and a note', () => {
    test('are set, added, removed, and kept', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.ask();
        assert.deepEqual([(await scene.record(module)).tags, (await scene.record(module)).note], [[], null]);
        const set = (await patch(scene, module, { tags: ['south', 'pump:2', 'south'], note: 'behind the 村泵' })).json;
        assert.deepEqual([set.tags, set.note], [['pump:2', 'south'], 'behind the 村泵']);
        const more = (await patch(scene, module, { add_tags: ['north'], remove_tags: ['south', 'never'] })).json;
        assert.deepEqual([more.tags, more.note], [['north', 'pump:2'], 'behind the 村泵']);
        await module.ask();
        assert.deepEqual((await scene.record(module)).tags, ['north', 'pump:2'], 'a check-in changes nothing');
        assert.deepEqual((await patch(scene, module, { note: null, tags: [] })).json.note, null);
        const rows = await ledger(scene.product, 'device-set');
        assert.deepEqual(rows.map((r) => r.detail.tags), ['pump:2 south', 'north pump:2', '']);
        await patch(scene, module, { tags: [] });
        assert.equal((await ledger(scene.product, 'device-set')).length, 3, 'no change, no row');
    });

    test('are checked', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await module.ask();
        const many = Array.from({ length: 17 }, (_, i) => `t${i}`);
        for (const body of [{ tags: ['a b'] }, { tags: ['=1'] }, { tags: 'north' }, { tags: [1] }, { tags: many }, { add_tags: [''] },
            { note: 'x'.repeat(201) }, { note: 'two\nlines' }, { note: 7 }])
            assertProblem(await patch(scene, module, body, 422), 422, 'invalid');
        await patch(scene, module, { tags: many.slice(1), note: 'x'.repeat(200) });
        assertProblem(await server.admin('PATCH', `/products/${scene.product}/devices/${nextImei()}`, { note: 'x' }), 404, 'device-not-found');
    });
});

describe('a retired device', () => {
    test('gets no package, is in no list and no count, and can be put back', async () => {
        const scene = await Scene.build(server);
        const module = scene.module(), other = scene.module();
        await scene.makePackage();
        await module.download();
        await scene.awaitAttempt(module, 'delivered');
        await other.ask();
        const retired = (await post(scene, module, 'retire')).json;
        assert.deepEqual([retired.state, retired.state_since > 1.6e12, retired.attempts[0].state], ['retired', true, 'silent']);
        const answer = await module.ask();
        assert.equal(answer.code, 27);
        const record = await scene.record(module);
        assert.equal(record.last_answer.reason, 'this device is retired');
        assert.equal(record.confirmed_version, '1001', 'its reports are kept');
        assert.deepEqual(await ids(scene), [other.id]);
        assert.deepEqual(await ids(scene, 'retired=yes'), [module.id]);
        assert.equal((await server.admin('GET', scene.path(), null, { expect: 200 })).json.devices, 1);
        const outcomes = (await server.admin('GET', scene.path('/outcomes'), null, { expect: 200 })).json;
        assert.deepEqual(outcomes.items.map((d) => d.device), [other.id]);
        await post(scene, module, 'retire');
        assert.equal((await ledger(scene.product, 'device-retired')).length, 1);
        assert.equal((await post(scene, module, 'restore')).json.state, 'active');
        assert.equal((await module.ask()).status, 200);
        assert.equal((await ids(scene)).length, 2);
    });

    test('cannot continue a download, also not over a link', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 300_000, limit: 16_000_000 });
        const { module } = await scene.linkedModule();
        const answer = await module.askUntilMade({ cutAfter: 1000 });
        assert.equal(answer.status, 200);
        await scene.awaitAttempt(module, 'interrupted');
        await post(scene, module, 'retire');
        assert.equal((await scene.record(module)).attempts[0].state, 'abandoned');
        const resumed = await module.ask({ range: 1000 });
        assert.notEqual(resumed.status, 206);
        assert.equal((await scene.record(module)).last_answer.reason, 'this device is retired');
        const link = await scene.createLink(module);
        assert.match(link.warnings.join(), /retired/);
    });

    test('keeps no image', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2', '3'] });
        const module = scene.module();
        await module.askUntilMade();
        assertProblem(await server.admin('DELETE', scene.path('/images/1')), 409, 'image-in-use');
        await post(scene, module, 'retire');
        await server.admin('DELETE', scene.path('/images/1'), null, { expect: 204 });
    });
});

describe('a replaced device', () => {
    test('hands its tags, its note and its place to the new one', async () => {
        const scene = await Scene.build(server);
        const old = scene.module(), made = scene.module();
        await old.ask();
        await patch(scene, old, { tags: ['north'], note: 'on the roof' });
        const answer = (await post(scene, old, 'replace', { device: made.id }, 201)).json;
        assert.deepEqual([answer.device, answer.replaces], [made.id, old.id]);
        made.link = new URL(answer.link.url).pathname;
        const record = await scene.record(made);
        assert.deepEqual([record.state, record.tags, record.note, record.links.length], ['active', ['north'], 'on the roof', 1]);
        const gone = await scene.record(old);
        assert.deepEqual([gone.state, gone.replaced_by], ['retired', `imei:${made.id}`]);
        assert.equal((await old.ask()).code, 27);
        assert.deepEqual(await ids(scene), [made.id]);
        const [row] = await ledger(scene.product, 'device-replaced');
        assert.deepEqual([row.device, row.detail.successor], [`imei:${old.id}`, `imei:${made.id}`]);
        assertProblem(await post(scene, old, 'replace', { device: nextImei() }, 409), 409, 'device-retired');
        assertProblem(await post(scene, made, 'replace', { device: old.id }, 409), 409, 'device-retired');
        assertProblem(await post(scene, made, 'replace', { device: made.id }, 422), 422, 'invalid');
        assertProblem(await post(scene, made, 'replace', { device: '000' }, 422), 422, 'bad-device');
        assertProblem(await server.admin('DELETE', scene.deviceAdminPath(made)), 409, 'device-in-use');
        assert.equal((await post(scene, old, 'restore')).json.replaced_by, null);
    });

    test('the new one may have checked in before', async () => {
        const scene = await Scene.build(server);
        await setProduct(scene, { unknown_devices: 'held' });
        const old = scene.module(), made = scene.module();
        await importList(scene, `${old.id}\n`);
        await patch(scene, old, { tags: ['north'] });
        assert.equal((await made.ask()).code, 27);
        await patch(scene, made, { tags: ['new'] });
        await post(scene, old, 'replace', { device: made.id });
        assert.deepEqual([(await scene.record(made)).state, (await scene.record(made)).tags], ['active', ['new', 'north']]);
    });
});

describe('a device is deleted', () => {
    test('when it never did anything, with its links', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        await scene.createLink(module);
        await server.admin('DELETE', scene.deviceAdminPath(module), null, { expect: 204 });
        assert.equal(await scene.record(module), null);
        assert.equal((await ledger(scene.product, 'device-deleted'))[0].device, `imei:${module.id}`);
        assertProblem(await server.admin('DELETE', scene.deviceAdminPath(module)), 404, 'device-not-found');
    });

    test('not after a check-in or a report', async () => {
        const scene = await Scene.build(server);
        const module = scene.module(), reported = scene.module();
        await module.ask();
        await server.admin('POST', scene.path('/reports'), `${reported.id},1001\n`, { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        for (const [m, why] of [[module, /checked in/], [reported, /was reported/]]) {
            const answer = await server.admin('DELETE', scene.deviceAdminPath(m));
            assertProblem(answer, 409, 'device-in-use');
            assert.match(answer.json.detail, why);
        }
    });
});

describe('an import', () => {
    test('adds and changes devices, in UTF-8 and GBK', async () => {
        const scene = await Scene.build(server);
        const [a, b] = [nextImei(), nextImei()];
        const first = await importList(scene, `\ufeffNote,device,tags\r\n"says ""hello"", 村泵",${a},"north, lab"\r\n,${b},\r\n`);
        const { items: made, ...counts } = first.json;
        assert.deepEqual(made.map(({ line, result }) => [line, result]), [[2, 'added'], [3, 'added']]);
        assert.deepEqual([first.status, counts], [200, { devices: 2, added: 2, changed: 0, admitted: 0, firmware_kept: 0 }]);
        const found = await list(scene);
        assert.deepEqual(found.map((d) => [d.device, d.tags, d.note]), [[a, ['lab', 'north'], 'says "hello", 村泵'], [b, [], null]]);
        const gbk = Buffer.concat([Buffer.from(`device,note\n${b},`), Buffer.from('b4e5b1c3', 'hex'), Buffer.from(`\n${a},\n`)]);
        const { items: lines, ...later } = (await importList(scene, gbk)).json;
        assert.deepEqual(lines.map(({ result }) => result), ['changed', 'unchanged']);
        assert.deepEqual(later, { devices: 2, added: 0, changed: 1, admitted: 0, firmware_kept: 0 });
        assert.deepEqual((await list(scene)).map((d) => d.note), ['says "hello", 村泵', '村泵']);
        const rows = await ledger(scene.product, 'devices-imported');
        assert.deepEqual([rows.length, rows[0].detail.added, rows[0].detail.sha256.length], [2, 2, 64]);
    });

    test('is all or none, and names the line', async () => {
        const scene = await Scene.build(server);
        const good = nextImei();
        for (const [text, line] of [
            [`device,tags\n${good},a\n${nextImei()},"x=y"\n`, /line 3: 'x=y' is not a tag/],
            [`device,firmware\n${good},pump\n\n${nextImei()},nothing\n`, /line 4: the product has no firmware nothing/],
            [`${good}\n123\n`, /line 2: /], [`${good}\n"12`, /line 2: a quoted field has no end/],
            [`device,note\n${good},a "b" c\n`, /line 2: a double quote/],
            [Buffer.concat([Buffer.from(`${good}\n`), Buffer.from([0xff, 0xff])]), /line 2: the list is neither UTF-8 nor GBK/],
            ['device\n', /no devices/],
        ]) {
            const answer = await importList(scene, text);
            assert.equal(answer.status, 422, answer.body);
            assert.match(answer.json.detail, line);
        }
        assert.deepEqual(await list(scene), []);
        const tooMany = Array.from({ length: 20_001 }, (_, i) => `uid:A${i}`).join('\n');
        assertProblem(await importList(scene, tooMany), 413, 'too-large');
        assertProblem(await server.admin('POST', `/products/${scene.product}/devices`, { a: 1 }), 415, 'unsupported-type');
    });

    test('the firmware is that of the list for a new device; a reported one stays', async () => {
        const scene = await Scene.build(server);
        await server.putImage(scene.product, 'second', '1', firmwareImage({ seed: 99, size: 8000, revision: 1 }));
        const module = scene.module(), fresh = nextImei();
        await module.ask();
        assert.match((await importList(scene, `${fresh}\n`)).json.detail, /line 1: name the firmware: the product has 2/);
        const answer = (await importList(scene, `device,firmware\n${fresh},second\n${module.id},second\n`)).json;
        assert.deepEqual([answer.added, answer.firmware_kept], [1, 1]);
        assert.deepEqual((await list(scene)).map((d) => d.firmware), ['pump', 'second']);
        await importList(scene, `device,firmware\n${fresh},pump\n`);
        assert.deepEqual(await ids(scene, 'firmware=second'), []);
    });
});

describe('devices that are not known', () => {
    test('are held until an admin admits them', async () => {
        const scene = await Scene.build(server);
        await scene.makePackage();
        assert.equal((await setProduct(scene, { unknown_devices: 'held' })).json.unknown_devices, 'held');
        const module = scene.module(), imported = scene.module(), waiting = scene.module();
        for (const m of [module, imported, waiting]) {
            assert.equal((await m.ask()).code, 27);
            assert.equal((await m.ask()).code, 27, 'again');
        }
        assert.deepEqual(await ids(scene), []);
        const held = await list(scene, 'held=yes');
        assert.deepEqual(held.map((d) => [d.device, d.state, d.confirmed_version]), [module, imported, waiting].map((m) => [m.id, 'held', '1001']));
        assert.equal(held[0].last_answer.reason, 'an admin must admit this device first');
        assert.equal((await post(scene, module, 'admit')).json.state, 'active');
        assert.equal((await importList(scene, `${imported.id}\n`)).json.admitted, 1);
        assert.equal((await module.ask()).status, 200);
        assert.equal((await imported.ask()).status, 200);
        assert.deepEqual(await ids(scene, 'held=yes'), [waiting.id]);
        assert.deepEqual((await ledger(scene.product, 'device-admitted')).map((r) => r.device), [`imei:${module.id}`]);
        await setProduct(scene, { unknown_devices: 'admitted' });
        assert.equal((await waiting.ask()).code, 27, 'held is held');
        assert.equal((await scene.module().ask()).status, 200);
    });

    test('are refused, and nothing is stored', async () => {
        const scene = await Scene.build(server);
        const known = scene.module(), unknown = scene.module();
        await known.ask();
        await setProduct(scene, { unknown_devices: 'refused' });
        assert.equal((await unknown.ask()).code, 21);
        assert.equal(await scene.record(unknown), null);
        assert.notEqual((await known.ask()).code, 21, 'a known device goes on');
        await importList(scene, `${unknown.id}\n`);
        assert.notEqual((await unknown.ask()).code, 21);
        const { json } = await server.admin('PATCH', `/products/${scene.product}`, { unknown_devices: 'maybe' }, { expect: 422 });
        assert.match(json.detail, /admitted, held or refused/);
        assert.deepEqual((await ledger(scene.product, 'product-set')).map((r) => r.detail.unknown_devices), ['refused']);
    });
});

describe('firmwares and products', () => {
    test('a firmware is renamed when no device sends its name', async () => {
        const scene = await Scene.build(server);
        const module = scene.module();
        const rename = (body, expect = 200) => server.admin('PATCH', scene.path(), body, { expect });
        await rename({ name: 'valve' });
        scene.firmware = 'valve';
        module.firmware = 'valve';
        assert.equal((await module.ask()).code, 43);
        const refused = await rename({ name: 'pump' }, 409);
        assertProblem(refused, 409, 'firmware-in-use');
        assert.match(refused.json.detail, /1 devices/);
        await server.putImage(scene.product, 'other', '1', firmwareImage({ seed: 99, size: 8000, revision: 1 }));
        assertProblem(await rename({ name: 'other', force: true }, 409), 409, 'firmware-exists');
        assertProblem(await rename({ name: 'a/b' }, 400), 400, 'bad-name');
        await rename({ name: 'pump', force: true });
        assert.equal((await module.ask()).code, 26);
        module.firmware = scene.firmware = 'pump';
        await module.askUntilMade();
        const rows = await ledger(scene.product, 'firmware-renamed');
        assert.deepEqual(rows.map((r) => [r.firmware, r.detail.name, r.detail.devices]), [['pump', 'valve', 0], ['valve', 'pump', 1]]);
    });

    test('are deleted when they have no images and no devices', async () => {
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        const module = scene.module();
        await scene.createLink(module);
        const product = `/products/${scene.product}`;
        const left = await server.admin('DELETE', scene.path());
        assertProblem(left, 409, 'firmware-in-use');
        assert.match(left.json.detail, /2 images and 1 devices/);
        assertProblem(await server.admin('DELETE', product), 409, 'product-in-use');
        await server.admin('DELETE', scene.deviceAdminPath(module), null, { expect: 204 });
        assertProblem(await server.admin('DELETE', product), 409, 'product-in-use');
        for (const version of ['1', '2'])
            await server.admin('DELETE', scene.path(`/images/${version}`), null, { expect: 204 });
        await server.admin('DELETE', scene.path(), null, { expect: 204 });
        assertProblem(await server.admin('DELETE', scene.path()), 404, 'firmware-not-found');
        await scene.upload('1');
        await server.admin('DELETE', scene.path('/images/1'), null, { expect: 204 });
        await server.admin('DELETE', product, null, { expect: 204 });
        assertProblem(await server.admin('GET', product), 404, 'product-not-found');
        assert.deepEqual([(await ledger(scene.product, 'firmware-deleted')).length, (await ledger(scene.product, 'product-deleted')).length], [2, 1]);
        await server.createProduct(scene.product);
        await scene.upload('1');
    });

    test('a product is renamed', async () => {
        const scene = await Scene.build(server);
        assert.equal((await setProduct(scene, { name: 'Mountain pumps' })).json.name, 'Mountain pumps');
        assertProblem(await server.admin('PATCH', `/products/${scene.product}`, { name: '' }), 400, 'bad-name');
        assert.equal((await setProduct(scene, { trusted_check_ins: true })).json.name, 'Mountain pumps');
    });
});

describe('the list of devices', () => {
    let scene, old, fresh, never;
    before(async () => {
        scene = await Scene.build(server);
        old = scene.module();
        fresh = scene.module({ version: '1002' });
        never = scene.module();
        await old.ask();
        await fresh.ask();
        await importList(scene, `device,tags\n${old.id},north lab\n${fresh.id},north\n${never.id},south\n`);
    });

    test('is selected by tag, version, time and filter', async () => {
        for (const [query, wanted] of [
            ['', [old, fresh, never]], ['q=tag=north', [old, fresh]], ['q=tag=nort', []], ['q=version=1001', [old]], ['q=version=V01002', [fresh]],
            ['q=version=none', [never]], ['q=tag=north and version=1002', [fresh]], ['q=last_seen<1700000000000', []],
            ['q=last_seen<4000000000000 or last_seen=never', [old, fresh, never]], ['firmware=pump&q=tag=south', [never]], ['firmware=other', []],
            ['q=version<1002 and tag=north', [old]], ['q=last_seen<1h or tag=south', [old, fresh, never]],
            ['q=last_seen=never', [never]], ['q=not tag=lab', [fresh, never]], ['q=code=27', [fresh]],
            [`q=device=${old.id}`, [old]], [`device=${old.id}`, [old]], [`device=imei:${old.id}&q=tag=nort`, [old]], ['device=none', []], ['device=x', []], ['q=firmware=pump and check_ins>0', [old, fresh]], ['q=', [old, fresh, never]],
        ])
            assert.deepEqual(await ids(scene, query.replaceAll(' ', '%20').replaceAll('<', '%3C').replaceAll('>', '%3E')),
                wanted.map((m) => m.id), query);
    });

    test('refuses what it does not understand', async () => {
        for (const [query, why] of [
            ['q=versin=1', /character 1: 'versin' is not a field; fields: version/], ['q=tag=a%20and', /character 10/],
            ['sort=tag', /last_seen or -last_seen/], ['sort=last_seen&after=7', /cursor/], ['after=1.7', /cursor/], ['sort=last_seen&after=x.1', /cursor/],
            ['retired=maybe', /yes or no/], ['retired=yes&held=yes', /not both/], ['q=version=x', /numbers/], ['q=last_seen<12', /milliseconds/],
        ]) {
            const answer = await server.admin('GET', `/products/${scene.product}/devices?${query}`);
            assertProblem(answer, 400, 'bad-request');
            assert.match(answer.json.detail, why);
        }
    });

    test('is sorted by the time when a device was last seen, in pages', async () => {
        const times = [null, 5_000, 5_000, null, 5_000, 9_000, 1_000, 9_000];
        const sorted = await Scene.build(server);
        const modules = times.map(() => sorted.module());
        await importList(sorted, `device,tags\n${modules.map((m, i) => `${m.id},${i % 2 ? 'odd' : 'even'}`).join('\n')}\n`);
        await server.stop();
        for (const [i, ms] of times.entries())
            sql(server, `UPDATE device SET last_seen_ms = ${ms === null ? 'NULL' : 1_700_000_000_000 + ms} WHERE device = '${modules[i].id}'`);
        await server.start();
        const order = [0, 3, 6, 1, 2, 4, 5, 7];
        for (const limit of [1, 2, 3, 100]) {
            assert.deepEqual(await ids(sorted, `sort=last_seen&limit=${limit}`), order.map((i) => modules[i].id));
            assert.deepEqual(await ids(sorted, `sort=-last_seen&limit=${limit}`), [...order].reverse().map((i) => modules[i].id));
            assert.deepEqual(await ids(sorted, `sort=-last_seen&q=tag%3Dodd&firmware=pump&limit=${limit}`), [7, 5, 1, 3].map((i) => modules[i].id));
        }
        assert.deepEqual(await ids(sorted, 'sort=last_seen&firmware=other'), []);
    });

    test('has pages, and a narrow filter reads a bounded number of rows at a time', async () => {
        const wide = await Scene.build(server);
        const rows = (from, count) => Array.from({ length: count }, (_, i) => `uid:W${from + i},${from + i === 20_499 ? 'rare' : 'common'}`);
        for (const from of [0, 15_000])
            assert.equal((await importList(wide, `device,tags\n${rows(from, 15_000).join('\n')}\n`)).status, 200);
        const first = await server.admin('GET', `/products/${wide.product}/devices?q=tag%3Drare&limit=10`, null, { expect: 200 });
        assert.equal(first.json.items.length, 0);
        assert.match(first.headers.link, /q=tag%3Drare/);
        assert.deepEqual(await ids(wide, 'q=tag%3Drare&limit=10'), ['W20499']);
        assert.deepEqual(await ids(wide, 'q=tag%3Drare'), ['W20499']);
        const { json: { items: [far] } } = await server.admin('GET', `/products/${wide.product}/devices?device=W29999`, null, { expect: 200 });
        assert.equal(far.device, 'W29999', 'one page is enough');
        const page = await server.admin('GET', `/products/${wide.product}/devices?limit=1000`, null, { expect: 200 });
        assert.equal(page.json.items.length, 1000);
        assert.equal((await ids(wide, 'limit=1000')).length, 30_000);
        const some = await ids(scene, 'limit=2');
        assert.deepEqual(some, [old.id, fresh.id, never.id]);
        const exact = await server.admin('GET', `/products/${scene.product}/devices?limit=3`, null, { expect: 200 });
        assert.equal(exact.headers.link, undefined, 'no empty page follows');
    });
});

describe('dfotactl', () => {
    test('does all of it', async (t) => {
        const scene = await Scene.build(server);
        const dir = await scratch(t);
        const [a, b, c, d] = [nextImei(), nextImei(), nextImei(), nextImei()];
        const env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product };
        const ctl = async (args, status = 0) => {
            const result = await run(args, { env });
            assert.equal(result.status, status, `${args.join(' ')}: ${result.out}${result.err}`);
            return result.out + result.err;
        };
        const file = join(dir, 'list.csv');
        await writeFile(file, `device,tags\n${a},north\n${b},\n${c},\n`);
        assert.match(await ctl(['device', 'import', file, '--by', 'Ann']), /^Added +3$/m);
        assert.equal((await ledger(scene.product, 'devices-imported'))[0].detail.by.name, 'Ann');
        assert.match(await ctl(['device', 'tag', b, 'south', 'lab']), /^Tags +lab south$/m);
        assert.match(await ctl(['device', 'tag', b, 'lab', '--remove']), /^Tags +south$/m);
        assert.match(await ctl(['device', 'note', b, 'on the roof']), /^Note +on the roof$/m);
        const listed = await ctl(['device', 'list', '--filter', 'tag=south or tag=north']);
        assert.ok(listed.includes(a) && listed.includes(b) && !listed.includes(c), listed);
        assert.ok((await ctl(['device', 'list', '--tag', 'south', '--csv'])).includes(',active,south,on the roof'));
        assert.match(await ctl(['device', 'list', '--filter', 'tag<a'], 1), /character 4/);
        assert.match(await ctl(['device', 'replace', '--yes', b, d]), new RegExp(`^Replaces +${b}$`, 'm'));
        assert.match(await ctl(['device', 'show', b]), new RegExp(`^State +retired$[^]*^ +replaced by +imei:${d}$`, 'm'));
        assert.ok((await ctl(['device', 'list', '--retired'])).includes(b));
        await ctl(['device', 'retire', a, d]);
        await ctl(['device', 'restore', a, d]);
        await ctl(['device', 'delete', '--yes', c]);
        assert.match(await ctl(['device', 'delete', '--yes', d], 1), /replaced another one/);
        assert.match(await ctl(['product', 'set', scene.product, '--unknown-devices', 'held']), /^Unknown devices +held$/m);
        const module = scene.module();
        assert.equal((await module.ask()).code, 27);
        assert.ok((await ctl(['device', 'list', '--held'])).includes(module.id));
        await ctl(['device', 'admit', module.id]);
        assert.match(await ctl(['product', 'set', scene.product], 2), /needs --trusted/);
        assert.match(await ctl(['firmware', 'rename', 'pump', 'valve'], 1), /firmware-in-use/);
        assert.match(await ctl(['firmware', 'rename', 'pump', 'valve', '--force']), /^Firmware +valve$/m);
        assert.match(await ctl(['firmware', 'delete', '--yes', 'valve'], 1), /2 images and 4 devices/);
        assert.match(await ctl(['product', 'delete', '--yes', scene.product], 1), /product-in-use/);
    });
});
