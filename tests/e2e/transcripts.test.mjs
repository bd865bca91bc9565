// What a host captured of its module: what the server makes of it, when it counts, and what it never takes back.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

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

    test('of the story is read whole, and is old: it confirms nothing that is newer', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const first = await post(module, link, story('1147-1162'));
        assert.deepEqual([first.json.confirmed_version, first.json.transcript.counted], ['1162', true], 'nothing was known before');
        assert.equal((await scene.record(module)).confirmed_at, Date.UTC(2024, 7, 22, 23, 13, 35), 'when the network said');
        const second = await post(module, link, story('1138-1147'));
        assert.deepEqual([second.json.confirmed_version, second.json.transcript.counted, second.json.transcript.tries], ['1162', false, 3]);
        assert.match(second.json.transcript.why, /seen later/);
    });

    test('of a delivery alone confirms nothing', async () => {
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

    test('with a third version diverges', async () => {
        const { scene, module, link } = await delivered();
        await post(module, link, ati('1138') + download() + written() + nitz(Date.now()) + ati('1141'));
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.attempts[0].state], ['1141', 'diverged']);
    });

    test('never takes back what was seen later', async () => {
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

    test('of a device that still asks in the dialect is older than its last check-in', async () => {
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

    test('sent twice is one, and changes nothing the second time', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const first = await post(module, link, ati('1147'));
        await report(module, link, { version: '1162' });
        const second = await post(module, link, ati('1147'));
        assert.equal(second.json.transcript.transcript, first.json.transcript.transcript);
        assert.equal(second.json.confirmed_version, '1162');
    });

    test('is known by what it says, or by its content type; JSON stays JSON', async () => {
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
