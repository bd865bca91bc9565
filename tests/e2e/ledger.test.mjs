// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The ledger: it records what happened, and every later change of it is found.

import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { ctlOf, documentedKinds, exportHead, ledgerRows, recompute, sql, verifyOffline, verifyOtherwise, withoutPython } from './lib/chain.mjs';
import { assertRun, columns, run, scratch } from './lib/ctl.mjs';
import { Download } from './lib/download.mjs';
import { nextImei, poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const kinds = documentedKinds();
const tokenId = (server) => sha256(Buffer.from(server.token)).slice(0, 8);

// A server with ledger rows of nearly every kind.
async function lively(t, config = {}) {
    const server = await startServer(t, { config });
    const scene = await Scene.build(server, { product: 'pumps', versions: ['1', '2'], later: ['3'] });
    const module = scene.module();
    await module.upgrade();
    assert.equal((await module.ask()).code, 27);
    const { module: linked, link } = await scene.linkedModule();
    await linked.upgrade();
    await scene.awaitAttempt(linked, 'delivered');
    await report(linked, link, { version: '2' });
    await scene.awaitAttempt(linked, 'confirmed');
    return { server, scene, module, linked, dir: await scratch(t) };
}

function assertDocumented(row) {
    const kind = kinds.get(row.kind);
    assert.ok(kind, `${row.kind} is not in doc/ledger.md`);
    for (const name of ['product', 'firmware', 'device', 'attempt', 'package'])
        assert.ok(row[name] === null || kind.refers.includes(name), `${row.kind} refers to a ${name}: ${JSON.stringify(row)}`);
    for (const name of Object.keys(row.detail))
        assert.ok(kind.detail.includes(name), `${row.kind} has a ${name}: ${JSON.stringify(row)}`);
}

// Both verifiers find the change, over the API and in the file.
async function assertFound({ server, dir }, pattern, head = null) {
    if (!server.process)
        await server.start();
    assertRun(await ctlOf(server, 'ledger', 'verify', ...(head ? ['--against', head] : [])), 1, { err: pattern });
    await server.stop();
    assertRun(await verifyOffline(server.dataDir, head), 1, { err: pattern });
    if (!withoutPython)
        assert.equal((await verifyOtherwise('database', join(server.dataDir, 'dfota.db'), head)).status, 1, `${dir}`);
}

async function assertWhole({ server, dir }, head = null) {
    const whole = await ctlOf(server, 'ledger', 'verify', ...(head ? ['--against', head] : []));
    assertRun(whole, 0);
    const offline = await verifyOffline(server.dataDir, head);
    assertRun(offline, 0);
    const [, count, seq, hash] = /^the ledger is intact: (\d+) rows, the last is row (\d+) with hash ([0-9a-f]{64})$/m.exec(offline.out);
    assert.ok(whole.out.includes(`${count} rows`) && whole.out.includes(hash), whole.out);
    if (withoutPython)
        return;
    const rows = join(dir, 'rows.json');
    await writeFile(rows, JSON.stringify({ items: await ledgerRows(server) }));
    for (const other of [await verifyOtherwise('rows', rows, head), await verifyOtherwise('database', join(server.dataDir, 'dfota.db'), head)]) {
        assertRun(other, 0);
        assert.equal(other.out, `${count} ${hash}\n`);
    }
    assert.ok(Number(seq) >= Number(count));
}

describe('the rows', () => {
    test('tell what happened, in order, as documented, and both verifiers accept them', async (t) => {
        const { server, scene, module, linked, dir } = await lively(t);
        const rows = await ledgerRows(server);
        rows.forEach(assertDocumented);
        assert.deepEqual(rows.map(({ seq }) => seq), rows.map((_, i) => i + 1));
        for (const kind of ['product-added', 'image-uploaded', 'target-set', 'link-made'])
            assert.deepEqual(rows.find((row) => row.kind === kind).detail.by.token, tokenId(server));
        assert.ok(rows.filter(({ detail }) => detail.by).every(({ detail }) => /^127\.0\.0\.1:\d+$/.test(detail.by.peer)));

        const device = `imei:${module.id}`;
        const told = (await ledgerRows(server, { device })).filter(({ kind, detail }) => kind !== 'check-in' || detail.code !== 43);
        assert.deepEqual(told.map(({ kind, detail }) => [kind, detail.code ?? detail.state ?? detail.version ?? detail.size]), [
            ['version-reported', '1'],
            ['check-in', 200],
            ['bytes-delivered', (await scene.package()).size],
            ['version-reported', '2'],
            ['attempt-ended', 'confirmed'],
            ['check-in', 27],
        ]);
        const [attempt] = (await scene.record(module)).attempts;
        const delivered = told.find(({ kind }) => kind === 'bytes-delivered');
        assert.deepEqual([delivered.attempt, delivered.package, delivered.at, delivered.detail.bytes_acked, delivered.product, delivered.firmware],
            [attempt.attempt, attempt.sha256, attempt.delivered_at, attempt.size, scene.product, scene.firmware]);
        const host = (await ledgerRows(server, { device: `imei:${linked.id}`, kind: 'version-reported' })).at(-1);
        assert.deepEqual(host.detail, { authenticated: true, evidence: 'host-report', grade: 'host-report', version: '2' });
        await assertWhole({ server, dir });
    });

    test('come newest first, in pages, with the same selections', async (t) => {
        const { server, module } = await lively(t);
        for (const filter of [{}, { device: `imei:${module.id}` }, { kind: 'check-in' }, { product: 'pumps', since: 1_600_000_000_000 }]) {
            const seqs = async (more) => (await ledgerRows(server, { ...filter, limit: 2, ...more })).map(({ seq }) => seq);
            const oldest = await seqs({ sort: 'seq' });
            assert.ok(oldest.length > 2);
            assert.deepEqual(await seqs({ sort: '-seq' }), [...oldest].reverse());
            const q = `seq>${oldest[0]} and seq<${oldest.at(-1)}`;
            assert.deepEqual(await seqs({ sort: '-seq', q }), oldest.slice(1, -1).reverse());
            assert.deepEqual(await seqs({ q }), oldest.slice(1, -1));
            assert.deepEqual(await seqs({ sort: '-seq', after: oldest.at(-1) }), oldest.slice(0, -1).reverse());
        }
        assertProblem(await server.admin('GET', '/ledger?sort=random'), 400, 'bad-request');
    });

    test('tell how much of an interrupted transfer had arrived, and where it continued', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'], kind: 'noise', size: 3_000_000, limit: 100_000_000 });
        await scene.makePackage();
        const module = scene.module();
        const { body } = await module.ask({ cutAfter: 50_000 });
        const { bytes_acked, size } = await scene.awaitAttempt(module, 'interrupted');
        const rows = await poll('it is noted', async () => {
            const noted = await ledgerRows(server, { device: module.id, kind: 'bytes-interrupted' });
            return noted.length ? noted : null;
        });
        rows.forEach(assertDocumented);
        assert.deepEqual(rows.map(({ detail }) => detail), [{ bytes_acked, from: '1', size, to: '2' }]);
        assert.ok(bytes_acked >= body.length && bytes_acked < size);
        await module.ask({ range: body.length });
        await scene.awaitAttempt(module, 'delivered');
        const codes = (await ledgerRows(server, { device: module.id, kind: 'check-in' })).map(({ detail }) => [detail.code, detail.offset]);
        assert.deepEqual(codes, [[200, undefined], [206, body.length]]);
    });

    test('tell what a killed server was sending', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'], kind: 'noise', size: 5_000_000, limit: 100_000_000 });
        await scene.makePackage();
        const module = scene.module();
        const download = new Download(server.device, module.target, { pauseAfter: 100_000 });
        await download.settled;
        await poll('something is acknowledged', async () => (await scene.record(module)).attempts[0].bytes_acked > 0);
        await server.kill();
        download.drop();
        await server.start();
        const [row, ...more] = await ledgerRows(server, { device: module.id, kind: 'bytes-interrupted' });
        const [{ bytes_acked, size, state }] = (await scene.record(module)).attempts;
        assert.deepEqual([state, more, row.detail], ['interrupted', [], { bytes_acked, from: '1', size, to: '2', why: 'the server ended' }]);
        assertRun(await ctlOf(server, 'ledger', 'verify'), 0);
    });

    test('tell of a package that was made, and of packages that are not served', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'], limit: 10 });
        const module = scene.module();
        await poll('it is over the limit', async () => (await module.ask()).code === 21);
        const made = await scene.package();
        const rows = (await ledgerRows(server)).filter(({ kind }) => kind.startsWith('package-'));
        rows.forEach(assertDocumented);
        assert.deepEqual(rows.map(({ kind, package: sum }) => [kind, sum]), [['package-made', made.sha256], ['package-refused', made.sha256]]);
        const [{ detail }, refused] = rows;
        assert.deepEqual([detail.from_sha256, detail.to_sha256, detail.size], [sha256(scene.images.get('1')), sha256(scene.images.get('2')), made.size]);
        assert.deepEqual([refused.product, refused.firmware, refused.detail.why, refused.detail.limit, refused.detail.from, refused.detail.to],
            [scene.product, scene.firmware, 'oversize', 10, '1', '2']);
        for (let i = 0; i < 3; i += 1)
            await module.ask();
        const codes = (await ledgerRows(server, { device: module.id, kind: 'check-in' })).map((row) => row.detail.code);
        assert.equal(codes.filter((code) => code === 21).length, 1, 'the same answer again is counted only');
    });

    test('tell of a package that cannot be made', async (t) => {
        const server = await startServer(t, { config: { dfota_path: '/bin/false' } });
        const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
        await server.makePackage(scene.product, scene.firmware, '1', '2');
        const [row] = await ledgerRows(server, { kind: 'package-refused' });
        assertDocumented(row);
        assert.equal(row.detail.why, 'failed');
        assert.ok(row.detail.reason.length > 0);
    });

    test('name the admin as given in the call', async (t) => {
        const server = await startServer(t);
        await server.admin('POST', '/products?by=Li%20Wei', { name: 'Pumps', product_key: 'pumps' }, { expect: 201 });
        const [row] = await ledgerRows(server);
        assert.deepEqual([row.kind, row.product, row.detail.by.name, row.detail.name], ['product-added', 'pumps', 'Li Wei', 'Pumps']);
    });

    test('name the user of dfotactl, within 80 columns', async (t) => {
        const server = await startServer(t);
        const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_BY: '李伟 & Co' };
        assertRun(await run(['product', 'add', 'Pumps', '--key', 'pumps'], { env }), 0);
        assert.equal((await ledgerRows(server))[0].detail.by.name, '李伟 & Co');
        const listed = await run(['ledger', 'list'], { env });
        assertRun(listed, 0);
        assert.match(listed.out, /product-added.*\n  product: pumps; by: 李伟 & Co, token [0-9a-f]{8} from\n? +127/);
        assert.ok(listed.out.split('\n').every((line) => columns(line) <= 80), listed.out);
        assertRun(await run(['ledger', 'list', '--since', 'yesterday'], { env }), 2, { err: /--since takes a time/ });
        assertRun(await run(['ledger', 'list', '--since', '2100-01-01'], { env }), 0);
    });

    test('do not contain refused calls', async (t) => {
        const server = await startServer(t);
        await server.createProduct('pumps');
        assertProblem(await server.admin('POST', '/products', { name: 'x', product_key: 'pumps' }), 409, 'product-exists');
        assertProblem(await server.admin('PUT', '/products/pumps/firmware/f/target', { version: '1' }), 404, 'firmware-not-found');
        assert.equal((await ledgerRows(server)).length, 1);
    });

    test('of check-ins that change nothing are only counts per day', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server, { versions: ['1', '2'] });
        const module = scene.module({ version: '2' });
        for (let i = 0; i < 5; i += 1)
            await module.ask();
        const noted = await ledgerRows(server, { device: `imei:${module.id}`, kind: 'check-in' });
        assert.equal(noted.length, 1);
        const { items } = (await server.admin('GET', scene.deviceAdminPath(module, '/check-ins'), null, { expect: 200 })).json;
        const { check_ins, first_seen_at, last_seen_at } = await scene.record(module);
        const counted = items.reduce((sum, { count }) => sum + count, 0); // midnight may be in between
        assert.equal(counted, 4);
        assert.equal(check_ins, noted.length + counted);
        assert.ok(items.every(({ day, first_at, last_at }) => day % 86_400_000 === 0 && first_seen_at <= first_at && last_at <= last_seen_at));
    });

    test('are listed page by page, with filters', async (t) => {
        const { server, module } = await lively(t);
        const all = await ledgerRows(server);
        assert.deepEqual(await ledgerRows(server, { limit: 3 }), all);
        const pick = async (filter) => (await ledgerRows(server, filter)).map(({ seq }) => seq);
        const seqs = (test) => all.filter(test).map(({ seq }) => seq);
        assert.deepEqual(await pick({ kind: 'check-in', limit: 1 }), seqs(({ kind }) => kind === 'check-in'));
        assert.deepEqual(await pick({ device: module.id, limit: 2 }), seqs(({ device }) => device === `imei:${module.id}`));
        const { at } = all[4];
        assert.deepEqual(await pick({ since: at, limit: 2 }), seqs((row) => row.at >= at));
        assert.deepEqual(await pick({ until: at, limit: 2 }), seqs((row) => row.at < at));
        assert.deepEqual(await pick({ product: 'others' }), []);
        assert.deepEqual(await pick({ after: all.at(-2).seq }), [all.at(-1).seq]);
        for (const query of ['limit=0', 'limit=1001', 'after=x', 'kind=gossip', 'since=yesterday'])
            assertProblem(await server.admin('GET', `/ledger?${query}`), 400, 'bad-request');
        assertProblem(await server.admin('GET', '/ledger?device=imei:1'), 422, 'bad-device');
    });
});

describe('a change with sqlite3 is found:', () => {
    for (const [name, statement, pattern] of [
        ['a flipped byte', "UPDATE ledger SET detail = replace(detail, '\"code\":27', '\"code\":26') WHERE detail LIKE '%\"code\":27%'", /row \d+ was changed/],
        ['a byte that is no UTF-8', "UPDATE ledger SET firmware = CAST(x'70ff6d70' AS TEXT) WHERE seq = 2", /row 2 was changed/],
        ['a hash', 'UPDATE ledger SET hash = zeroblob(32) WHERE seq = 3', /row 3 was changed/],
        ['a deleted row', 'DELETE FROM ledger WHERE seq = 4', /row 4 is missing/],
        ['the first row', 'DELETE FROM ledger WHERE seq = 1', /rows 1 to 1 are missing, and no checkpoint/],
        ['two rows, swapped', 'UPDATE ledger SET seq = -seq WHERE seq IN (3, 4); UPDATE ledger SET seq = 7 + seq WHERE seq < 0', /row 3 was changed/],
        ['a detail that is no JSON', "UPDATE ledger SET detail = '{' WHERE seq = 3", /row 3 was changed/],
        ['a detail that means the same', "UPDATE ledger SET detail = replace(detail, ':', ': ') WHERE seq = 3", /row 3 was changed/],
    ])
        test(name, async (t) => {
            const all = await lively(t);
            await assertWhole(all);
            await all.server.stop();
            sql(all.server, `PRAGMA ignore_check_constraints = 1; ${statement}`);
            await assertFound(all, pattern);
        });

    test('a row that was changed with its hash', async (t) => {
        const all = await lively(t);
        await all.server.stop();
        const rest = sql(all.server, "SELECT 'UPDATE ledger SET prev = x''' || hex(prev) || ''', hash = x''' || hex(hash) || ''' WHERE seq = ' || seq || ';' FROM ledger WHERE seq > 3");
        sql(all.server, 'UPDATE ledger SET at_ms = at_ms + 1 WHERE seq = 3');
        recompute(all.server, 3);
        assertRun(await verifyOffline(all.server.dataDir), 0); // this row and all later ones were forged
        sql(all.server, rest); // the later rows as they were
        await assertFound(all, /row 4 does not follow row 3/);
    });

    test('against a head: an end that was cut off', async (t) => {
        const all = await lively(t);
        const head = await exportHead(all.server, join(all.dir, 'head'));
        await assertWhole(all, head);
        await all.server.stop();
        sql(all.server, 'DELETE FROM ledger WHERE seq > (SELECT max(seq) - 2 FROM ledger)');
        assertRun(await verifyOffline(all.server.dataDir), 0); // without a head it is not found
        await assertFound(all, /the end is missing/, head);
    });

    test('against a head: a chain computed anew', async (t) => {
        const all = await lively(t);
        const head = await exportHead(all.server, join(all.dir, 'head'));
        await all.server.stop();
        sql(all.server, "UPDATE ledger SET device = 'imei:866597071234567' WHERE seq = (SELECT min(seq) FROM ledger WHERE kind = 'check-in')");
        recompute(all.server, 1);
        assertRun(await verifyOffline(all.server.dataDir), 0);
        await assertFound(all, /computed again/, head);
    });
});

describe('without the server', () => {
    test('the ledger of a running server and of a backup can be checked, and their heads are equal', async (t) => {
        const { server, dir } = await lively(t);
        const head = await exportHead(server, join(dir, 'head'));
        assertRun(await verifyOffline(server.dataDir, head), 0);
        sql(server, `.backup ${join(dir, 'dfota.db')}`);
        const before = (await ledgerRows(server)).length;
        await server.createProduct(`later-${nextImei()}`);
        const backup = await verifyOffline(dir, head);
        assertRun(backup, 0);
        assert.match(backup.out, new RegExp(`: ${before} rows`));
        assertRun(await verifyOffline(join(dir, 'nowhere')), 1, { err: /unable to open/ });
        await writeFile(join(dir, 'bad'), '{"seq":1}');
        assertRun(await verifyOffline(dir, join(dir, 'bad')), 1, { err: /is not the head of a ledger/ });
        await cp(join(dir, 'dfota.db'), join(dir, 'copy')); // complete without a log
    });
});

describe('pruned', () => {
    test('the remaining rows verify, and say who pruned', async (t) => {
        const { server, scene, module, dir } = await lively(t);
        const head = await exportHead(server, join(dir, 'old-head'));
        const all = await ledgerRows(server);
        await poll('the clock moves on', () => Date.now() > all.at(-1).at);
        const { body } = await server.admin('POST', '/ledger/prune', { before: all[6].at, by: 'Li Wei' }, { expect: 200 });
        const pruned = JSON.parse(body);
        const gone = all.findIndex(({ at }) => at >= all[6].at);
        assert.deepEqual([pruned.removed, pruned.first, pruned.last], [gone, 1, gone]);
        const left = await ledgerRows(server);
        assert.deepEqual(left.slice(0, -1), all.slice(gone));
        const { kind, detail } = left.at(-1);
        assert.deepEqual([kind, detail.by.name, detail.by.token, detail.hash, detail.count], ['ledger-pruned', 'Li Wei', tokenId(server), all[gone - 1].hash, gone]);
        assertDocumented(left.at(-1));
        await assertWhole({ server, dir }, head);

        const again = await ctlOf(server, 'ledger', 'prune', '--yes', '--before', String(Date.now() + 1000), '-o', 'json');
        assertRun(again, 0);
        assert.equal((await ledgerRows(server)).length, 2, 'the newest row stays, and the checkpoint comes');
        await assertWhole({ server, dir }, head); // its row is the last one that was removed
        const older = join(dir, 'older-head');
        await writeFile(older, JSON.stringify({ seq: all[2].seq, hash: all[2].hash }));
        assertRun(await ctlOf(server, 'ledger', 'verify', '--against', older), 1, { err: /use a later head/ });
        await assertWhole({ server, dir }, await exportHead(server, join(dir, 'new-head')));
        assertProblem(await server.admin('POST', '/ledger/prune', { before: 0 }), 422, 'invalid');

        await module.ask();
        assert.equal((await scene.record(module)).confirmed_version, '2');
        await server.stop();
        sql(server, 'DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)'); // the checkpoint
        await assertFound({ server, dir }, /the ledger begins with row \d+, but its checkpoint removed the rows up to \d+/);
    });
});
