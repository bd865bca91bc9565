// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The evidence of a campaign: what is in the file, dfotactl evidence verify, and judges from outside.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { act, fleet, path, start, takes } from './lib/campaigns.mjs';
import { run } from './lib/ctl.mjs';
import { sha256 } from './lib/module.mjs';
import { assertProblem } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const python = join(dirname(fileURLToPath(import.meta.url)), '..', 'ledger', 'verify-evidence.py');
const noPython = spawnSync('python3', ['--version']).status === 0 && spawnSync('openssl', ['version']).status === 0 ? false : 'python3 or openssl is not installed';
const verify = (file, ...more) => run(['evidence', 'verify', file, ...more], { env: { DFOTA_URL: 'http://127.0.0.1:1' } }); // no server
const payloadOf = (file) => JSON.parse(Buffer.from(JSON.parse(readFileSync(file, 'utf8')).payload, 'base64'));

describe('the evidence of a campaign', () => {
    let server, scene, modules, campaign, dir, made = 0;
    const ctl = (...args) => run(['--url', `http://${server.adminAddress.host}:${server.adminAddress.port}`, '--product', scene.product, ...args], { env: { DFOTA_TOKEN: server.token } });
    const fresh = () => join(dir, `evidence-${made += 1}.json`);
    async function get(...more) {
        const file = fresh();
        const { status, err } = await ctl('evidence', 'get', scene.firmware, 'spring', file, ...more);
        assert.equal(status, 0, err);
        return file;
    }
    // The same envelope with another payload, signed with the key of the server, or with another one.
    function forge(file, change, key = createPrivateKey(readFileSync(join(server.dataDir, 'signing.key')))) {
        const envelope = JSON.parse(readFileSync(file, 'utf8'));
        const payload = JSON.parse(Buffer.from(envelope.payload, 'base64'));
        change(payload);
        const bytes = Buffer.from(JSON.stringify(payload));
        const forged = fresh();
        writeFileSync(forged, JSON.stringify({
            ...envelope, key: createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'),
            payload: bytes.toString('base64'), signature: sign(null, Buffer.concat([Buffer.from('dfota evidence 1\n'), bytes]), key).toString('base64'),
        }));
        return forged;
    }

    before(async () => {
        server = await startServer(null, { keep: true });
        dir = await mkdtemp(join(tmpdir(), 'dfota-evidence-'));
        let ids;
        ({ scene, modules, ids } = await fleet(server, 3));
        ({ campaign } = await start(scene, { devices: ids, stages: [{ devices: 1, approvals: 1 }, { all: true, max_failed: 5 }] }));
        assert.ok(await takes(modules[0]));
        await act(scene, campaign, 'approve?stage=1&by=Ann');
        assert.ok(await takes(modules[1]));
        await modules[2].download();
        await scene.awaitAttempt(modules[2], 'delivered');
        await modules[2].ask(); // the old version again
        await server.createProduct('another', 'Another');
    });
    after(async () => {
        await server?.dispose();
        await rm(dir, { recursive: true, force: true });
    });

    test('with another approver, or another target of an attempt, is not what the ledger tells', async () => {
        const file = await get();
        assert.match((await verify(file)).out, /1 of 1 approvals/);
        assert.match((await verify(forge(file, (payload) => { payload.approvals[0].by = 'Mallory'; }))).out, /0 of 1 approvals/);
        for (const key of ['from', 'to']) {
            const { status, err } = await verify(forge(file, (payload) => { payload.devices[0].attempts[0][key] = '9999'; }));
            assert.equal(status, 1);
            assert.match(err, /the ledger tells another end of attempt/);
        }
    });

    test('has what happened, and dfotactl verifies it without a server', async () => {
        const file = await get();
        const payload = payloadOf(file);
        assert.deepEqual(payload.of, { product: scene.product, firmware: scene.firmware });
        assert.deepEqual(payload.campaign.counts.confirmed, 2);
        assert.deepEqual(payload.approvals.map(({ stage, by }) => [stage, by]), [[1, 'Ann']]);
        assert.deepEqual(payload.devices.map(({ device, outcome }) => [device, outcome]).sort(),
            modules.map((module, i) => [`imei:${module.id}`, ['confirmed', 'confirmed', 'not_applied'][i]]).sort());
        const first = payload.devices.find(({ device }) => device === `imei:${modules[0].id}`);
        assert.deepEqual([first.stage, first.confirmed.version, first.confirmed.evidence], [1, '2', 'check-in']);
        assert.equal(first.confirmed.grade, (await scene.record(modules[0])).confirmed_grade);
        const bytes = await scene.content();
        assert.deepEqual(payload.packages.map(({ from, to, size, sha256: hash, stored }) => [from, to, size, hash, stored.proven]), [['1', '2', bytes.length, sha256(bytes), true]]);
        assert.equal(first.attempts[0].package, sha256(bytes));
        for (const image of payload.images)
            assert.equal(image.sha256, sha256(scene.images.get(image.version)));
        assert.deepEqual(payload.images.map(({ version }) => version).sort(), ['1', '2']);
        const kinds = payload.ledger.rows.map(({ kind }) => kind);
        for (const kind of ['image-uploaded', 'package-made', 'campaign-added', 'campaign-started', 'campaign-approved', 'attempt-ended'])
            assert.ok(kinds.includes(kind), kind);
        assert.ok(payload.ledger.rows.every(({ product }) => ['', scene.product].includes(product)));

        const { status, out, err } = await verify(file);
        assert.equal(status, 0, err);
        assert.match(out, /The file is as it was signed\.\n/);
        assert.match(out, /1 of 1 approvals, 1 of 1 packages and the ends of 3 of 3 attempts/);
        assert.match(out, /Not verified:\n- Who signed\.[^]*- Whether rows between the pieces are missing/);
    });

    test('with all rows proves that no row is missing', async () => {
        const file = await get('--all-rows');
        const key = (await ctl('signing-key', '-o', 'json')).out;
        const { status, out } = await verify(file, '--key', JSON.parse(key).key);
        assert.equal(status, 0);
        assert.match(out, /as it was signed with the given key/);
        assert.match(out.replace(/\s+/g, ' '), /Rows \d+ to \d+ follow each other up to the head/);
        assert.doesNotMatch(out, /Who signed|pieces/);
        const { ledger } = payloadOf(file);
        assert.ok(ledger.rows.some(({ kind }) => kind === 'product-added'), 'another product\'s row');
        const gap = forge(file, ({ ledger: { rows } }) => rows.splice(3, 1));
        assert.equal((await verify(gap)).status, 1);
        const { json: limited } = await server.admin('POST', '/tokens', { name: 'one', scope: 'read', product: scene.product }, { expect: 201 });
        assertProblem(await server.admin('GET', path(scene, campaign, '/evidence?rows=all'), null, { token: limited.secret }), 403, 'forbidden');
        await server.admin('GET', path(scene, campaign, '/evidence'), null, { token: limited.secret, expect: 200 });
        assertProblem(await server.admin('GET', path(scene, campaign, '/evidence?rows=some')), 400, 'bad-request');
    });

    test('a changed byte is found in every section', async () => {
        const file = await get();
        const text = readFileSync(file, 'utf8');
        const envelope = JSON.parse(text);
        const payload = Buffer.from(envelope.payload, 'base64');
        for (const section of ['evidence', 'made_at', 'of', 'campaign', 'approvals', 'devices', 'packages', 'images', 'ledger', 'head']) {
            const at = payload.indexOf(`"${section}":`) + section.length + 4;
            const changed = Buffer.from(payload);
            changed[at] ^= 1;
            const bad = fresh();
            writeFileSync(bad, JSON.stringify({ ...envelope, payload: changed.toString('base64') }));
            const { status, err } = await verify(bad);
            assert.deepEqual([section, status], [section, 1]);
            assert.match(err, /the signature is wrong: the file was changed after it was signed/);
        }
        // Bytes of the file itself, also the bits of base64 that stand for nothing.
        const places = ['dfota_evidence', 'Ed25519', '"key":"', '"signature":"', '"payload":"'].map((word) => text.indexOf(word) + word.length + 2);
        for (const at of [...places, text.lastIndexOf('"') - 1, text.lastIndexOf('"') - 3, text.indexOf('==') - 1]) {
            const bad = fresh();
            const bytes = Buffer.from(text);
            bytes[at] ^= 1;
            writeFileSync(bad, bytes);
            assert.equal((await verify(bad)).status, 1, `byte ${at}: ${text.slice(at - 20, at + 5)}`);
        }
        const short = fresh();
        writeFileSync(short, text.slice(0, -20));
        assert.equal((await verify(short)).status, 1);
        assert.equal((await verify(join(dir, 'none'))).status, 2);
    });

    test('what is signed anew with lies in it is found by the chain, the sections or the key', async () => {
        const file = await get();
        const row = (payload, kind) => payload.ledger.rows.find((one) => one.kind === kind);
        const lies = [
            [(payload) => { row(payload, 'campaign-approved').detail = row(payload, 'campaign-approved').detail.replace('Ann', 'Bob'); }, /row \d+ was changed/],
            [(payload) => { row(payload, 'attempt-ended').at += 1; }, /row \d+ was changed/],
            [(payload) => { payload.ledger.rows.reverse(); }, /not in order/],
            [(payload) => { payload.ledger.head.seq = 1; }, /do not fit its head/],
            [(payload) => { payload.devices.find(({ outcome }) => outcome === 'not_applied').attempts[0].state = 'confirmed'; }, /another end of attempt/],
            [(payload) => { payload.packages[0].size += 1; }, /another size of the package/],
        ];
        for (const [change, expected] of lies) {
            const { status, err } = await verify(forge(file, change));
            assert.equal(status, 1);
            assert.match(err, expected);
        }
        // An approval that no row tells is not claimed to be verified.
        const { out } = await verify(forge(file, (payload) => { payload.approvals.push({ stage: 2, by: 'Eve', at: 1 }); }));
        assert.match(out, /1 of 2 approvals/);
        // Another key.
        const other = createPrivateKey(execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519']));
        const foreign = forge(file, () => {}, other);
        assert.equal((await verify(foreign)).status, 0);
        const pem = join(dir, 'server.pem');
        writeFileSync(pem, createPublicKey(createPrivateKey(readFileSync(join(server.dataDir, 'signing.key')))).export({ format: 'pem', type: 'spki' }));
        const { status, err } = await verify(foreign, '--key', pem);
        assert.equal(status, 1);
        assert.match(err, /signed with another key/);
        assert.equal((await verify(file, '--key', pem)).status, 0);
        assert.equal((await verify(file, '--key', file)).status, 2);
    });

    test('judges from outside agree', { skip: noPython }, async () => {
        const file = await get('--all-rows');
        const pem = join(dir, 'key.pem');
        writeFileSync(pem, JSON.parse((await ctl('signing-key', '-o', 'json')).out).pem);
        const judge = (...args) => spawnSync('python3', [python, ...args], { encoding: 'utf8' });
        assert.match(judge(file, pem).stdout, /^good: \d+ rows, 1 pieces, whole$/m);
        assert.match(judge(await get()).stdout, /^good: \d+ rows, \d+ pieces, parts$/m);
        assert.notEqual(judge(forge(file, (payload) => { payload.ledger.rows[2].at += 1; }), pem).status, 0);
        const text = readFileSync(file, 'utf8');
        const bad = fresh();
        writeFileSync(bad, text.replace(/"payload":"..../, '"payload":"AAAA'));
        assert.notEqual(judge(bad, pem).status, 0);
    });

    test('a package is signed: a host can check it before it flashes', { skip: noPython }, async () => {
        const { body, headers } = await server.admin('GET', scene.path('/packages/1/2/content'), null, { expect: 200 });
        const { body: signature } = await server.admin('GET', scene.path('/packages/1/2/content.sig'), null, { expect: 200 });
        assert.equal(headers['x-dfota-signature'], signature.toString('base64'));
        const [key, message, sig] = ['package.pem', 'package.message', 'package.sig'].map((name) => join(dir, name));
        writeFileSync(key, JSON.parse((await ctl('signing-key', '-o', 'json')).out).pem);
        writeFileSync(sig, signature);
        const judge = (bytes) => {
            writeFileSync(message, `dfota package 1\n${sha256(bytes)}\n`);
            return spawnSync('openssl', ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-rawin', '-in', message, '-sigfile', sig]).status;
        };
        assert.equal(judge(body), 0);
        body[0] ^= 1;
        assert.notEqual(judge(body), 0);
        assertProblem(await server.admin('GET', scene.path('/packages/1/9/content.sig')), 404, 'image-not-found');
    });

    test('the key is private, stays the same, and can be replaced', async (t) => {
        const own = await startServer(t);
        const key = async () => (await own.admin('GET', '/signing-key', null, { expect: 200 })).json;
        const file = join(own.dataDir, 'signing.key');
        assert.equal(statSync(file).mode & 0o777, 0o600);
        const first = await key();
        assert.deepEqual(first, await key());
        assert.equal(first.sha256, sha256(Buffer.from(first.key, 'base64')));
        assert.equal(createPublicKey(first.pem).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'), first.key);
        await own.restart();
        assert.deepEqual(await key(), first);
        await own.stop();
        await rm(file);
        await own.start();
        assert.notEqual((await key()).key, first.key);
        assert.equal((await own.logged('signing-key-made', 2))[1].sha256, (await key()).sha256);
        await own.stop();
        writeFileSync(file, 'no key');
        await assert.rejects(own.start(), /is not an Ed25519 key/);
        await rm(file);
        await own.start();
    });

    test('a backup carries the key', async (t) => {
        const folder = await mkdtemp(join(tmpdir(), 'dfota-backup-'));
        t.after(() => rm(folder, { recursive: true, force: true }));
        const { status, err, out } = await ctl('backup', folder, '-o', 'json');
        assert.equal(status, 0, err);
        const saved = readFileSync(join(folder, JSON.parse(out).name, 'signing.key'));
        assert.ok(saved.equals(readFileSync(join(server.dataDir, 'signing.key'))));
        const target = join(folder, 'restored');
        execFileSync(join(process.env.DFOTA_BUILD ?? 'build', 'dfotad'), [`--data-dir=${target}`, `--restore=${folder}`]);
        assert.ok(readFileSync(join(target, 'signing.key')).equals(saved));
        assert.equal(statSync(join(target, 'signing.key')).mode & 0o777, 0o600);
    });
});
