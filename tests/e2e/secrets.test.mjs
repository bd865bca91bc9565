// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// No secret is in the log, the ledger, the database and its log, an answer that refuses, or a command line. The key of the sealed ones.

import assert from 'node:assert/strict';
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Receiver, create, listed } from './lib/receiver.mjs';
import { Scene, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const keyOf = (server) => join(server.dataDir, 'secret.key');

async function commandLines() {
    const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name))
        .map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')));
    return all.join('\n');
}

test('a whole flow leaves no secret where it does not belong', async (t) => {
    const server = await startServer(t);
    const receiver = await Receiver.start(t);
    const hook = 'the-secret-of-the-webhook', robot = 'the-path-of-a-chat-robot';
    const secrets = new Map([['the key', (await readFile(keyOf(server), 'utf8')).trim()], ['the first token', server.token], ['a secret of a webhook', hook],
        ['a URL of a webhook', robot]]);
    const refused = [];
    let lines = '';
    const call = async (...args) => {
        const answer = await server.admin(...args);
        if (answer.status >= 400)
            refused.push(answer.body.toString());
        return answer;
    };

    await create(server, receiver, { secret: hook });
    const dead = await call('POST', '/webhooks', { name: 'dead', url: `http://127.0.0.1:9/${robot}`, secret: hook });
    await call('POST', '/webhooks', { name: 'dead', url: `http://127.0.0.1:9/${robot}`, secret: hook });
    await call('PATCH', `/webhooks/${dead.json.webhook}`, { secret: 'short' });
    await call('POST', `/webhooks/${dead.json.webhook}/test`);
    const token = (await call('POST', '/tokens', { name: 'reader', scope: 'read' })).json;
    const turned = (await call('POST', `/tokens/${token.token}/rotate`, { overlap_ms: 60_000 })).json;
    secrets.set('a token', token.secret).set('a token after its rotation', turned.secret);
    await call('POST', '/products', { name: 'x' }, { token: turned.secret });
    const { headers } = await call('POST', '/session', { token: token.secret }, { token: null });
    secrets.set('a session', /=([0-9a-f]{64})/.exec(headers['set-cookie'][0])[1]);
    secrets.set('a one-time code', (await call('POST', '/session/once', null)).json.code);

    const scene = await Scene.build(server);
    const { module, link } = await scene.linkedModule(); // waits for its package: the event package-ready has its URL
    secrets.set('a link', /\/d\/([a-z2-7]{26})/.exec(link.url)[1]);
    await module.ask();
    await scene.makePackage();
    await receiver.got(1, ({ kind }) => kind === 'package-ready');
    await module.upgrade();
    await report(module, link, { version: '1002' });
    await call('POST', scene.deviceAdminPath(module, '/transcripts'), `AT+UPGRADE="URL","${link.url}"\r\nOK\r\n`, { headers: { 'Content-Type': 'text/plain' } });
    await call('DELETE', scene.deviceAdminPath(module, `/links/${link.link}`));
    await module.ask({ target: new URL(link.url).pathname, judge: { kind: 'any' } }).catch(() => null);
    await report(module, link, { version: '1002' }).catch(() => null);
    const own = (await call('POST', scene.deviceAdminPath(module, '/secrets'))).json;
    const shared = (await call('POST', `/products/${scene.product}/secrets`, { value: 'the-secret-of-the-product' })).json;
    const later = (await call('POST', `/products/${scene.product}/secrets/${shared.secret}/rotate`)).json;
    secrets.set('the secret of a device', own.value).set('the secret of a product', shared.value).set('a secret after its rotation', later.value);
    await call('POST', `/products/${scene.product}/secrets`, { value: shared.value });
    const other = await Scene.build(server);
    for (const { path } of [own, shared, later])
        for (const asking of [module, other.module()]) {
            await asking.ask({ target: path + asking.target, judge: { kind: 'any' } });
            await asking.ask({ target: `${path}/no/such/path`, judge: { kind: 'any' } });
            await asking.ask({ target: `${path}/api/site/firmware_upgrade?imei=%00&device_key=${own.value}`, judge: { kind: 'any' } });
        }
    await call('GET', `/products/${scene.product}/explain?device=${module.id}`);
    await run(['token', 'list'], { env: { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token },
        during: async () => { lines += await commandLines(); } });
    lines += await commandLines();
    await poll('an event waits in the outbox', async () => (await listed(server, dead.json, 'waiting')).length > 0);

    const ledger = (await call('GET', '/ledger?limit=1000')).body.toString();
    assert.ok(refused.length > 2);
    const look = async (when) => {
        const places = { 'the log': server.logText, 'the ledger': ledger, 'an answer that refuses': refused.join('\n'), 'a command line': lines };
        for (const name of ['dfota.db', 'dfota.db-wal'])
            places[name] = await readFile(join(server.dataDir, name), 'latin1').catch(() => '');
        assert.ok(places['dfota.db'].length + places['dfota.db-wal'].length > 100_000);
        for (const [what, secret] of secrets)
            for (const [place, text] of Object.entries(places))
                assert.ok(!text.includes(secret), `${when}: ${place} has ${what}`);
    };
    await look('while the server runs');
    await server.restart();
    await look('after a restart');
    // What is sealed still works.
    const { json: record } = await server.admin('GET', scene.deviceAdminPath(module), null, { expect: 200 });
    assert.equal(new URL(record.links[0].url).pathname, new URL(link.url).pathname);
});

describe('the key of the sealed secrets', () => {
    test('is made by the first start, for the owner only, and stays', async (t) => {
        const server = await startServer(t);
        const before = await readFile(keyOf(server), 'utf8');
        assert.match(before, /^[0-9a-f]{64}\n$/);
        assert.equal((await stat(keyOf(server))).mode & 0o777, 0o600);
        await server.restart();
        assert.equal(await readFile(keyOf(server), 'utf8'), before);
    });
    test('a missing or wrong one is refused at the start, and nothing is changed', async (t) => {
        const server = await startServer(t);
        const scene = await Scene.build(server);
        const { module } = await scene.linkedModule();
        await server.stop();
        const kept = `${keyOf(server)}.kept`;
        await rename(keyOf(server), kept);
        await assert.rejects(server.start(), /the file secret\.key beside the database is missing/);
        await assert.rejects(stat(keyOf(server)), /ENOENT/);
        await writeFile(keyOf(server), `${'7e'.repeat(32)}\n`);
        await assert.rejects(server.start(), /secret\.key does not belong to this database/);
        await rm(keyOf(server));
        await rename(kept, keyOf(server));
        await server.start();
        module.address = server.device;
        await module.upgrade();
    });
});
