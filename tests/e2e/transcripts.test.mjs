// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Transcripts that a host captured: how they are read, when they count, and what they never undo.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run, scratch } from './lib/ctl.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const at = { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147', '1162'], format: 'bsdiff' };
const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures');
const story = (name) => readFileSync(join(fixtures, `transcript-${name}.txt`), 'latin1');

// What a module writes, line by line.
const lines = (...list) => `\r\n${list.join('\r\n\r\n')}\r\n`;
const ati = (version) => lines('ATI', `AirM2M_780E_V${version}_LTE_AT`, 'OK');
const download = (to = 100) => lines('AT+UPGRADE', 'OK', ...[10, 50, 100].filter((n) => n <= to).map((n) => `+UPGRADEIND: ${n}`));
const written = (error = 0) => lines("^boot.rom'v'!\\n", '+QIND: "FOTA","START"', '+QIND: "FOTA","UPDATING",50', `+QIND: "FOTA","END",${error}`, 'RDY');
const refused = lines('+UPGRADEIND: -1003');

// "+NITZ" of a moment, in a zone of `quarters` of an hour.
const nitz = (ms, quarters = 32) => {
    const local = new Date(ms + quarters * 900_000).toISOString();
    return lines(`+NITZ: ${local.slice(0, 10).replaceAll('-', '/')},${local.slice(11, 19)}${quarters < 0 ? '' : '+'}${quarters},0`);
};

const post = (module, link, body) => module.ask({
    method: 'POST', target: new URL(link.report_url).pathname, lines: ['Content-Type: text/plain'], body: Buffer.from(body, 'latin1'),
    judge: { kind: 'report' },
});

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

async function delivered() {
    const scene = await Scene.build(server, { ...at, versions: ['1138', '1147'] });
    const { module, link } = await scene.linkedModule();
    await module.askUntilMade();
    await scene.awaitAttempt(module, 'delivered');
    return { scene, module, link };
}

describe('a transcript of the host', () => {
    test('that shows the new version confirms it, and the attempt', async () => {
        const { scene, module, link } = await delivered();
        const { status, json } = await post(module, link, ati('1138') + download() + written() + nitz(Date.now()) + ati('1147'));
        assert.equal(status, 200);
        assert.deepEqual([json.confirmed_version, json.transcript.counted, json.transcript.why, json.transcript.tries], ['1147', true, null, 1]);
        assert.deepEqual([json.transcript.last_try.outcome, json.transcript.last_try.cause], ['upgraded', 'none']);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by, record.confirmed_authenticated], ['1147', 'transcript', true]);
        assert.equal(record.attempts[0].state, 'confirmed');
    });

    test('of the example is read completely, but is old: it does not replace newer evidence', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const first = await post(module, link, story('1147-1162'));
        assert.deepEqual([first.json.confirmed_version, first.json.transcript.counted], ['1162', true], 'nothing was known before');
        assert.equal((await scene.record(module)).confirmed_at, Date.UTC(2024, 7, 22, 23, 13, 35), 'when the network said');
        const second = await post(module, link, story('1138-1147'));
        assert.deepEqual([second.json.confirmed_version, second.json.transcript.counted, second.json.transcript.tries], ['1162', false, 3]);
        assert.match(second.json.transcript.why, /seen later/);
    });

    test('of only a delivery confirms nothing', async () => {
        for (const text of [download(), download() + written(), download() + lines('RDY'), ati('1138') + download(), ati('1138') + download() + written(),
            ati('1138') + download() + written() + lines('AirM2M_780E_V1147_LTE_AT').trimEnd(), lines('+UPGRADEVER: 1147') + download()]) {
            const { scene, module, link } = await delivered();
            const { json } = await post(module, link, text);
            assert.deepEqual([json.confirmed_version, json.transcript.counted], [null, false], text);
            assert.equal((await scene.record(module)).attempts[0].state, 'delivered', text);
        }
    });

    test('that shows the package refused ends the attempt as not applied, and says why', async () => {
        const { scene, module, link } = await delivered();
        const { json } = await post(module, link, ati('1138') + download() + refused + ati('1138'));
        assert.deepEqual([json.confirmed_version, json.transcript.last_try.cause], ['1138', 'refused-package']);
        const [attempt] = (await scene.record(module)).attempts;
        assert.equal(attempt.state, 'not_applied');
    });

    test('with the old version from before the delivery does not end the attempt', async () => {
        for (const text of [ati('1138'), nitz(Date.now() - 3600_000) + ati('1138') + download() + refused + ati('1138')]) {
            const { scene, module, link } = await delivered();
            await post(module, link, text);
            assert.equal((await scene.record(module)).attempts[0].state, 'delivered', text);
        }
    });

    test('with a third version ends the attempt as diverged', async () => {
        const { scene, module, link } = await delivered();
        await post(module, link, ati('1138') + download() + written() + nitz(Date.now()) + ati('1141'));
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.attempts[0].state], ['1141', 'diverged']);
    });

    test('never replaces later evidence', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await report(module, link, { version: '1147' });
        const before = await scene.record(module);
        for (const text of [ati('1138'), nitz(Date.now() - 3600_000) + ati('1138'), nitz(Date.now() - 3600_000, -20) + ati('1147'),
            nitz(Date.now() - 48 * 3600_000) + ati('1162'), lines('ATI', 'AirM2M_780EX_V1162_LTE_AT', 'OK')]) {
            const { json } = await post(module, link, text);
            assert.equal(json.transcript.counted, false, text);
            assert.ok(json.transcript.why, text);
            const { confirmed_version, confirmed_at, confirmed_by } = await scene.record(module);
            assert.deepEqual([confirmed_version, confirmed_at, confirmed_by], [before.confirmed_version, before.confirmed_at, before.confirmed_by], text);
        }
        const later = await post(module, link, nitz(Date.now()) + ati('1162'));
        assert.deepEqual([later.json.confirmed_version, later.json.transcript.counted], ['1162', true]);
    });

    test('older than the last check-in of a device in the dialect does not count', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const dialect = scene.module({ id: module.id });
        await dialect.ask();
        await new Promise((next) => setTimeout(next, 20));
        const middle = Date.now();
        await new Promise((next) => setTimeout(next, 20));
        await dialect.ask();
        await scene.record(module); // its check-ins are counted now
        const path = scene.deviceAdminPath(module, `/transcripts?captured_at=${middle}`);
        const { json } = await server.admin('POST', path, Buffer.from(ati('1147')), { headers: { 'Content-Type': 'text/plain' } });
        assert.equal(json.counted, false, JSON.stringify(json));
        assert.equal((await scene.record(module)).confirmed_version, '1138');
        assert.ok(link);
    });

    test('sent twice is stored once, and changes nothing the second time', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const first = await post(module, link, ati('1147'));
        await report(module, link, { version: '1162' });
        const second = await post(module, link, ati('1147'));
        assert.equal(second.json.transcript.transcript, first.json.transcript.transcript);
        assert.equal(second.json.confirmed_version, '1162');
    });

    test('is recognised by its content or its content type; JSON stays JSON', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const untyped = await report(module, link, ati('1138'));
        assert.equal(untyped.json.transcript.counted, true);
        const nothing = await post(module, link, 'nothing of this means anything\n');
        assert.deepEqual([nothing.status, nothing.json.transcript.tries, nothing.json.transcript.counted], [200, 0, false]);
        const json = await post(module, link, '{"version":"1147"}');
        assert.deepEqual([json.json.confirmed_version, json.json.transcript], ['1147', undefined]);
        assert.equal((await post(module, link, '{"version":')).status, 400);
        assert.equal((await post(module, link, '')).status, 400);
        assert.equal((await report(module, link, 'nothing of this means anything')).status, 400);
    });

    test('has at most 256 KiB', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const version = ati('1147');
        const most = '\xff'.repeat(256 * 1024 - version.length) + version;
        assert.equal((await post(module, link, most)).json.confirmed_version, '1147');
        const answer = await module.ask({
            method: 'POST', target: new URL(link.report_url).pathname, lines: ['Content-Type: text/plain'], body: Buffer.from(`${most}\n`, 'latin1'),
            judge: { kind: 'report', mayReset: true },
        });
        assert.equal(answer.status, 413);
    });
});

describe('a simulated host that sends transcripts', () => {
    test('upgrades its module, and each attempt is confirmed by a transcript', async (t) => {
        const scene = await Scene.build(server, { ...at, versions: ['1138', '1147'] });
        const { module, link } = await scene.linkedModule();
        await scene.makePackage();
        const dir = await scratch(t);
        const [from, to] = scene.versions.map((v) => join(dir, v));
        await writeFile(from, scene.images.get('1138'));
        await writeFile(to, scene.images.get('1147'));
        const result = await run(['--link', link.url, '--image', from, '--version', '1138', '--know', `1138=${from}`, '--know', `1147=${to}`, '--imei', module.id,
            '--firmware', at.firmware, '--report', '--transcript', '--expect', '1147', '--interval', '0.05'], { command: join(buildDir, 'dfota-sim') });
        assert.equal(result.status, 0, result.out + result.err);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by], ['1147', 'transcript']);
        const [{ state, evidence }] = record.attempts;
        assert.deepEqual([state, evidence.map((e) => e.outcome)], ['confirmed', ['upgraded']]);
    });
});

describe('a transcript that an admin adds', () => {
    const add = (scene, module, text, { query = '', type = 'text/plain', expect = 201 } = {}) => server.admin(
        'POST', scene.deviceAdminPath(module, `/transcripts${query}`), Buffer.from(text, 'latin1'), { headers: { 'Content-Type': type }, expect });

    test('is read completely, and can be downloaded unchanged', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const text = story('1138-1147');
        const { json } = await add(scene, module, text);
        assert.deepEqual([json.source, json.version, json.firmware, json.counted, json.size], ['admin', '1147', at.firmware, true, text.length]);
        assert.equal(json.seen_at, Date.UTC(2024, 7, 22, 22, 52, 50));
        assert.deepEqual(json.found.tries.map((t) => [t.from, t.to, t.outcome, t.cause, t.download, t.error, t.end]), [
            ['1138', '1138', 'failed', 'refused-package', 100, -1003, null],
            ['1138', null, 'failed', 'server-wait', null, -1003, null],
            ['1138', '1147', 'upgraded', 'none', 100, null, 0],
        ]);
        assert.equal(json.text, text);
        const again = await add(scene, module, text, { expect: 200 });
        assert.equal(again.json.transcript, json.transcript);
        const { json: { items } } = await server.admin('GET', scene.deviceAdminPath(module, '/transcripts'), null, { expect: 200 });
        assert.deepEqual(items.map((t) => [t.transcript, t.found, t.text]), [[json.transcript, undefined, undefined]]);
        const path = scene.deviceAdminPath(module, `/transcripts/${json.transcript}`);
        assert.deepEqual((await server.admin('GET', path, null, { expect: 200 })).json, json);
        const raw = await server.admin('GET', path, null, { headers: { Accept: 'text/plain' }, expect: 200 });
        assert.equal(raw.body.toString('latin1'), text);
    });

    test('need not be UTF-8', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const text = `\xff\x00\xc3\x28\xe4\xb8\xad${ati('1138')}`;
        const { json } = await add(scene, module, text);
        assert.equal(json.text, `\ufffd\u0000\ufffd(中${ati('1138')}`);
        const path = scene.deviceAdminPath(module, `/transcripts/${json.transcript}`);
        assert.equal((await server.admin('GET', path, null, { headers: { Accept: 'text/plain' } })).body.toString('latin1'), text);
    });

    test('is shown with the attempts that it is about', async () => {
        const { scene, module } = await delivered();
        await add(scene, module, nitz(Date.now() + 1000) + ati('1138') + download() + refused + ati('1138'));
        const [attempt] = (await scene.record(module)).attempts;
        assert.equal(attempt.state, 'not_applied');
        assert.equal(attempt.evidence.length, 1);
        assert.deepEqual([attempt.evidence[0].outcome, attempt.evidence[0].cause], ['failed', 'refused-package']);
        assert.match(attempt.evidence[0].words, /too large, or made for another base/);
    });

    test('that is a growing log adds only what is new about an attempt', async () => {
        const { scene, module } = await delivered();
        const log = nitz(Date.now()) + ati('1138') + lines('AT+UPGRADE', 'OK') + refused + lines('AT+UPGRADE', 'OK') + refused;
        await add(scene, module, log);
        await add(scene, module, log + download() + refused);
        const [{ evidence }] = (await scene.record(module)).attempts;
        assert.deepEqual(evidence.map((e) => e.cause), ['server-wait', 'server-wait', 'refused-package']);
    });

    test('belongs to the attempt of its versions', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await server.setTarget(scene.product, scene.firmware, '1147');
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        await report(module, link, { version: '1147' });
        await server.setTarget(scene.product, scene.firmware, '1162');
        const next = (await report(module, link, { version: '1147' })).json.next;
        module.link = new URL(next.url).pathname;
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        const [second, first] = (await scene.record(module)).attempts;
        assert.deepEqual([first.to, second.to], ['1147', '1162']);
        const hop = await add(scene, module, nitz(first.created_at) + ati('1138') + download() + written() + ati('1147'));
        assert.deepEqual([hop.json.attempt, hop.json.counted], [first.attempt, false]);
        assert.equal((await scene.record(module)).attempts[0].state, 'delivered', 'the newer one is still open');
        const both = await add(scene, module, nitz(Date.now()) + ati('1147') + download() + refused + ati('1147') + download() + written(5) + ati('1147'));
        assert.deepEqual(both.json.found.tries.map((t) => [t.cause, t.attempt]), [['refused-package', second.attempt], ['updater-error', second.attempt]]);
        const record = await scene.record(module);
        assert.deepEqual(record.attempts.map((a) => a.evidence.map((e) => e.cause)), [['refused-package', 'updater-error'], ['none']]);
    });

    test('belongs to no attempt that had not begun, or was long over', async () => {
        const { scene, module, link } = await delivered();
        const failing = ati('1138') + download() + refused;
        const [{ created_at }] = (await scene.record(module)).attempts;
        const early = await add(scene, module, failing, { query: `?captured_at=${created_at - 1}` });
        assert.equal(early.json.attempt, null);
        await report(module, link, { version: '1138' });
        assert.equal((await scene.record(module)).attempts[0].state, 'delivered', 'the transcript was an admin\'s: a host decides nothing');
        await add(scene, module, `${ati('1138')}\n`, { query: `?captured_at=${Date.now()}` });
        const [attempt] = (await scene.record(module)).attempts;
        assert.equal(attempt.state, 'not_applied');
        const late = await add(scene, module, nitz(Date.now() + 15 * 3600_000) + failing);
        assert.equal(late.json.attempt, null);
        const fitting = await add(scene, module, nitz(Date.now()) + failing);
        assert.equal(fitting.json.attempt, attempt.attempt);
        const undated = await add(scene, module, `${failing}\n`);
        assert.equal(undated.json.attempt, null, 'whose try could this have been?');
        const upgraded = await add(scene, module, ati('1138') + download() + written() + ati('1147'));
        assert.deepEqual([upgraded.json.attempt, upgraded.json.counted], [attempt.attempt, false], 'both versions fit');
    });

    test('with the old version, seen while bytes were on their way, does not end the attempt', async () => {
        const { scene, module } = await delivered();
        const [{ sent_at, delivered_at }] = (await scene.record(module)).attempts;
        const { json } = await add(scene, module, ati('1138'), { query: `?captured_at=${Math.min(sent_at, delivered_at - 1)}` });
        assert.equal(json.counted, true);
        assert.equal((await scene.record(module)).attempts[0].state, 'delivered');
        await add(scene, module, `${ati('1138')}\n`, { query: `?captured_at=${Math.max(Date.now(), delivered_at)}` });
        assert.equal((await scene.record(module)).attempts[0].state, 'not_applied');
    });

    test('without a time does not replace what is confirmed; with a later time it does', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await report(module, link, { version: '1138' });
        const undated = await add(scene, module, ati('1147'));
        assert.equal(undated.json.counted, false);
        assert.match(undated.json.why, /it is not known whether/);
        const early = await add(scene, module, `${ati('1147')}\n`, { query: `?captured_at=${Date.now() - 60_000}` });
        assert.equal(early.json.counted, false);
        await add(scene, module, `${ati('1147')}\n`, { query: `?captured_at=${Date.now()}`, expect: 200 });
        assert.equal((await scene.record(module)).confirmed_version, '1138', 'a time is given once');
        const late = await add(scene, module, ati('1147'), { query: `?captured_at=${Date.now()}` });
        assert.equal(late.json.counted, true);
        const { json: { items } } = await server.admin('GET', scene.deviceAdminPath(module, '/transcripts'));
        assert.equal(items.length, 2, 'it took the place of the undated one');
        assert.equal((await scene.record(module)).confirmed_version, '1147');
    });

    test('is refused if it is not text, empty, too long, without a device, or from the future', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        assertProblem(await add(scene, module, ati('1138'), { type: 'application/json', expect: null }), 415, 'unsupported-type');
        assertProblem(await add(scene, module, '', { expect: null }), 422, 'invalid');
        assertProblem(await add(scene, module, '\n'.repeat(256 * 1024 + 1), { expect: null }), 413, 'too-large');
        assertProblem(await add(scene, scene.module(), ati('1138'), { expect: null }), 404, 'device-not-found');
        for (const [value, status, code] of [['x', 400, 'bad-request'], ['0', 400, 'bad-request'], [Date.now() + 3600_000, 422, 'invalid']])
            assertProblem(await add(scene, module, ati('1138'), { query: `?captured_at=${value}`, expect: null }), status, code);
        for (const id of ['0', 'x', '99999'])
            assertProblem(await server.admin('GET', scene.deviceAdminPath(module, `/transcripts/${id}`)), 404, 'not-found');
        assert.deepEqual((await server.admin('GET', scene.deviceAdminPath(module, '/transcripts'))).json.items, []);
    });
});

// The last package of the device was delivered: does the text end the attempt?
describe('a transcript after a delivery', () => {
    const add = (scene, module, text, query = '') => server.admin(
        'POST', scene.deviceAdminPath(module, `/transcripts${query}`), Buffer.from(text, 'latin1'), { headers: { 'Content-Type': 'text/plain' }, expect: 201 });
    const upgrade = ati('1138') + download() + written() + ati('1147');
    const whole = (ms) => ms - ms % 1000;
    let scene;
    before(async () => {
        scene = await Scene.build(server, { ...at, versions: ['1138', '1147'] });
        await scene.makePackage();
    });

    // The module asks over a link, so that the server knows of no version, or also in the dialect.
    async function deliveredTo({ dialect = false } = {}) {
        const { module, link } = dialect ? { module: scene.module() } : await scene.linkedModule();
        await module.ask();
        const attempt = await scene.awaitAttempt(module, 'delivered');
        return { module, link, attempt };
    }

    // [what the admin sends, with which time, the end of the attempt, the confirmed version over a link, in the dialect]
    const cases = [
        ['the upgrade without a time', upgrade, () => null, 'confirmed', '1147', '1147'],
        ['the upgrade in the second of the delivery', upgrade, (a) => whole(a.delivered_at), 'confirmed', '1147', '1147'],
        ['the upgrade with a later failure', upgrade + lines('AT+UPGRADE', 'OK') + refused + ati('1147'), () => null, 'confirmed', '1147', '1147'],
        ['the upgrade an hour before', upgrade, (a) => a.delivered_at - 3600_000, 'delivered', '1147', '1138'],
        ['the upgrade with a network time of last year', nitz(Date.now() - 366 * 86400_000) + upgrade, () => null, 'delivered', '1147', '1138'],
        ['another upgrade', ati('1141') + download() + written() + ati('1147'), () => null, 'delivered', '1147', '1138'],
        ['an upgrade with an error', ati('1138') + download() + written(5) + ati('1147'), () => null, 'delivered', '1147', '1138'],
        ['an upgrade whose download is not shown', ati('1138') + written() + ati('1147'), () => null, 'delivered', '1147', '1138'],
        ['the end of an upgrade', download() + written() + ati('1147'), () => null, 'delivered', '1147', '1138'],
        ['an upgrade and a second package', upgrade + download() + written(), () => null, 'delivered', null, '1138'],
        ['only the new version', ati('1147'), () => null, 'delivered', '1147', '1138'],
        ['only the new version, in the second of the delivery', ati('1147'), (a) => whole(a.delivered_at), 'confirmed', '1147', '1147'],
        ['only the new version, later', ati('1147'), () => Date.now(), 'confirmed', '1147', '1147'],
        ['only the new version, an hour before', ati('1147'), (a) => a.delivered_at - 3600_000, 'delivered', '1147', '1138'],
        ['only the old version, without a time', ati('1138'), () => null, 'delivered', '1138', '1138'],
        ['only the old version, in the second of the delivery', ati('1138'), (a) => whole(a.delivered_at - 1), 'delivered', '1138', '1138'],
        ['only the old version, later', ati('1138'), () => Date.now(), 'not_applied', '1138', '1138'],
    ];
    for (const [name, text, when, state, linked, asking] of cases) {
        test(`of an admin with ${name}: ${state}`, async () => {
            for (const [dialect, version] of [[false, linked], [true, asking]]) {
                const { module, attempt } = await deliveredTo({ dialect });
                const captured = when(attempt);
                const { json } = await add(scene, module, text, captured ? `?captured_at=${captured}` : '');
                const record = await scene.record(module);
                assert.deepEqual([record.attempts[0].state, record.confirmed_version], [state, version], `dialect ${dialect} ${JSON.stringify(json.why)}`);
                const open = json.counted && state === 'delivered';
                assert.equal(json.warnings.some((w) => /the attempt stays open/.test(w)), open, JSON.stringify(json.warnings));
            }
        });
    }

    test('ends the trial of the package: the next module gets it', async () => {
        const trial = await Scene.build(server, { ...at, versions: ['1138', '1147'], canary: true });
        await trial.makePackage();
        const [first, second] = [(await trial.linkedModule()).module, trial.module()];
        await first.ask();
        await trial.awaitAttempt(first, 'delivered');
        assert.equal((await second.ask()).code, 27);
        await add(trial, first, upgrade);
        assert.equal((await second.ask()).status, 200);
    });

    test('of the host right after the download counts, before the last acknowledgement is stored', async () => {
        const { module, link } = await scene.linkedModule();
        await module.ask();
        const { json } = await post(module, link, upgrade);
        assert.equal(json.transcript.counted, true);
        const { state, delivered_at } = await scene.awaitAttempt(module, 'confirmed');
        assert.ok(state === 'confirmed' && delivered_at);
    });

    test('without a time is no proof when an earlier attempt had the same versions', async () => {
        const { module, link } = await deliveredTo();
        await add(scene, module, upgrade);
        await report(module, link, { version: '1138' });
        await server.admin('POST', scene.path('/reports'), Buffer.from(`${module.id},1138\n`), { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        const again = await add(scene, module, `${upgrade}\n`);
        assert.equal(again.json.counted, false);
        assert.equal((await scene.record(module)).attempts[0].state, 'delivered');
        await add(scene, module, `${upgrade}\n\n`, `?captured_at=${Date.now()}`);
        assert.equal((await scene.record(module)).attempts[0].state, 'confirmed');
    });
});

describe('reports in bulk', () => {
    const send = (scene, text, expect = 200, type = 'text/csv') => server.admin('POST', scene.path('/reports'), Buffer.from(text),
        { headers: { 'Content-Type': type }, expect });

    test('confirm each device of the list, known or new', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        const other = scene.module();
        const { json } = await send(scene, `imei,version,at\r\n${module.id},1162\r\n"${other.id}",AirM2M_780E_V1138_LTE_AT,${Date.now() - 5000}\r\n`);
        assert.deepEqual([json.reports, json.counted, json.not_counted], [2, 2, []]);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.confirmed_by, record.attempts[0].state], ['1162', 'list', 'confirmed']);
        assert.equal((await scene.record(other)).confirmed_version, '1138');
    });

    test('do not replace later evidence, and say so', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const { module: second } = await scene.linkedModule();
        const long_ago = Date.now() - 60_000;
        await report(module, link, { version: '1162' });
        const { json } = await send(scene, `${module.id},1138,${long_ago}\n${second.id},1147,${long_ago}\n`);
        assert.deepEqual([json.reports, json.counted, json.not_counted.map((r) => [r.device, r.version])], [2, 1, [[module.id, '1138']]]);
        assert.match(json.not_counted[0].why, /seen later/);
        assert.equal((await scene.record(module)).confirmed_version, '1162');
        assert.equal((await scene.record(second)).confirmed_at, long_ago);
    });

    test('are accepted all or none', async () => {
        const scene = await Scene.build(server, at);
        const [good, bad] = [scene.module(), scene.module()];
        for (const [line, status, code] of [['1234,1147', 422, 'bad-device'], [`${bad.id}`, 422, 'bad-version'], [`${bad.id},x`, 422, 'bad-version'],
            [`${bad.id},AirM2M_780ET_V1138_LTE_AT`, 422, 'wrong-firmware'], [`${bad.id},1147,x`, 422, 'invalid'], [`${bad.id},1147,1,2`, 422, 'invalid'],
            [`${bad.id},1147,${Date.now() + 3600_000}`, 422, 'invalid']]) {
            const answer = await send(scene, `${good.id},1147\n${line}\n`, null);
            assertProblem(answer, status, code);
            assert.match(answer.json.detail, /^line 2: /);
        }
        assertProblem(await send(scene, `${good.id},1147\n`.repeat(20_001), null), 413, 'too-large');
        assertProblem(await send(scene, `${good.id},1147\n`, null, 'text/plain'), 415, 'unsupported-type');
        assert.equal(await scene.record(good), null);
    });
});
