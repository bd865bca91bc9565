// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Links: AT firmware asks one URL every day, for ever, and the URL contains the old version.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { bspatch, poll } from './lib/module.mjs';
import { Scene, assertProblem, report } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const stale_notice = /stale link or refused package: report the version or set a new link/;
const at = { firmware: 'AirM2M_780E_LTE_AT', versions: ['1138', '1147', '1162'], format: 'bsdiff' };

// Here every request comes on a new day.
let server;
before(async () => { server = await startServer(null, { keep: true, config: { link_offer_gap_ms: 0 } }); });
after(() => server?.dispose());

// A report that must be accepted.
async function reportVersion(module, link, version) {
    const answer = await report(module, link, { version });
    assert.equal(answer.status, 200, String(answer.body));
    return answer.json;
}

test('twenty modules with links: some report, some do not, some have an outdated link', async () => {
    const scene = await Scene.build(server, at);
    const fleet = [];
    for (let i = 0; i < 20; i += 1) {
        const kind = ['reporting', 'silent', 'stale'][i % 3];
        // An outdated link names 1138, but the module already runs 1147.
        const { module, link } = await scene.linkedModule({ version: kind === 'stale' ? '1147' : '1138' }, { version: '1138' });
        fleet.push({ kind, module, link, fetched: 0, codes: [] });
    }
    for (let day = 0; day < 6; day += 1) {
        await Promise.all(fleet.map(async (one) => {
            const answer = await one.module.askUntilMade();
            one.codes.push(answer.code ?? answer.status);
            if (answer.status !== 200)
                return;
            one.fetched += 1;
            await scene.awaitAttempt(one.module, 'delivered');
            if (one.module.version === '1138') {
                await one.module.applyAndReboot(answer.body);
            } else {
                // The module compares the base that the package was made from; bspatch has no such check.
                const made = await bspatch(one.module.image, answer.body).catch(() => Buffer.alloc(0));
                assert.ok(one.kind === 'stale' ? !made.equals(scene.images.get('1162')) : one.module.version === '1162');
            }
            if (one.kind === 'reporting')
                await reportVersion(one.module, one.link, `AirM2M_780E_V${one.module.version}_LTE_AT`);
        }));
    }
    for (const { kind, module, fetched, codes } of fleet) {
        const record = await scene.record(module);
        const states = record.attempts.map((a) => a.state);
        assert.ok(fetched >= 1 && fetched <= 3, `${kind}: fetched ${fetched} times`);
        assert.equal(codes.at(-1), 27);
        if (kind === 'reporting') {
            assert.equal(fetched, 1);
            assert.deepEqual([record.confirmed_version, record.confirmed_by, record.notice], ['1162', 'host-report', null]);
            assert.equal(states[0], 'confirmed');
        } else {
            assert.equal(fetched, 3, `${kind}: ${codes}`);
            assert.equal(record.confirmed_version, null);
            assert.ok(!states.includes('confirmed') && !states.includes('not_applied'), `${kind}: ${states}`);
            assert.match(record.notice, stale_notice);
        }
    }
    const noticed = (await server.admin('GET', `/products/${scene.product}/devices?notice=1`, null, { expect: 200 })).json.items;
    assert.equal(noticed.length, fleet.filter((f) => f.kind !== 'reporting').length);
});

describe('a link', () => {
    test('is a short path, with the commands to type', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const { pathname, search, host } = new URL(link.url);
        assert.equal(host, `${server.device.host}:${server.device.port}`);
        assert.match(pathname, /^\/d\/[0-9A-Za-z_-]+\/1138$/);
        assert.ok(pathname.length <= 60 && search === '' && !pathname.includes(':'), pathname);
        assert.deepEqual(link.at_commands, [`AT+UPGRADE="URL","${link.url}"`, 'AT+UPGRADE']);
        assert.equal(new URL(link.report_url).pathname, pathname.replace(/1138$/, 'report'));
        assert.deepEqual([link.device, link.id_kind, link.firmware, link.version], [module.id, 'imei', scene.firmware, '1138']);
        assert.notEqual((await scene.linkedModule()).link.url, link.url);
        const long = await Scene.build(server, { versions: ['123456789.123456789.123456789', '123456789.123456789.123456790'] });
        assert.ok((await long.linkedModule()).module.link.length <= 60);
    });

    test('begins with public_device_url if that is set', async (t) => {
        const other = await startServer(t, { config: { public_device_url: 'http://fota.example:8080' } });
        const scene = await Scene.build(other, at);
        const link = await scene.createLink(scene.module());
        assert.ok(link.url.startsWith('http://fota.example:8080/d/'), link.url);
        assert.ok(link.report_url.startsWith('http://fota.example:8080/d/'), link.report_url);
    });

    for (const device_listen of ['0.0.0.0:0', '[::]:0', '[::ffff:0.0.0.0]:0']) {
        test(`is never handed out on ${device_listen}`, async (t) => {
            const other = await startServer(t, { config: { device_listen } });
            other.device.host = '127.0.0.1';
            const scene = await Scene.build(other, at);
            const module = scene.module();
            const csv = `${scene.module().id}\n`;
            for (const answer of [
                await other.admin('POST', scene.deviceAdminPath(module, '/link'), { version: '1138' }),
                await other.admin('POST', scene.path('/links?version=1138'), csv, { headers: { 'Content-Type': 'text/csv' } }),
                await other.admin('POST', scene.path('/links?version=1138'), csv, { headers: { 'Content-Type': 'text/csv', Accept: 'text/csv' } }),
            ]) {
                assertProblem(answer, 409, 'invalid');
                assert.match(answer.json.detail, /public_device_url/);
            }
            assert.equal(await scene.record(module), null);
            assert.equal(other.log('no-public-device-url').length, 1);
        });
    }

    // The address of links: what a host gets, what an admin gets, and what is logged at the start.
    const addresses = {
        'http://fota.example:8080': { warning: null, event: null },
        'http://127.0.0.1:8080': { warning: /loopback/, event: 'local-device-url' },
        'http://localhost': { warning: /loopback/, event: 'local-device-url' },
        'http://[::1]:8080': { warning: /loopback/, event: 'local-device-url' },
        'http://[::ffff:127.0.0.1]:8080': { warning: /loopback/, event: 'local-device-url' },
        'https://fota.example': { warning: /AT firmware/, event: 'https-device-url' },
        '': { warning: /loopback/, event: 'local-device-url' }, // the listener's, 127.0.0.1
    };
    for (const [public_device_url, { warning, event }] of Object.entries(addresses)) {
        test(`on ${public_device_url || 'the address of its listener'} is the same everywhere`, async (t) => {
            const other = await startServer(t, { config: { public_device_url } });
            const scene = await Scene.build(other, at);
            const { module, link } = await scene.linkedModule();
            const bulk = await other.admin('POST', scene.path('/links?version=1138'), `${scene.module().id}\n`,
                { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
            const { json } = await report(module, link, { version: '1138' });
            for (const told of [link, bulk.json.items[0], json.next]) {
                assert.ok(told.url.startsWith(`${public_device_url || 'http://127.0.0.1:'}`), told.url);
                assert.equal(told.warnings.length, warning ? 1 : 0, `${told.warnings}`);
                if (warning)
                    assert.match(told.warnings[0], warning);
                assert.equal(told.at_commands.length, public_device_url.startsWith('https:') ? 0 : 2);
            }
            const said = ['local-device-url', 'https-device-url', 'no-public-device-url'].filter((name) => other.log(name).length > 0);
            assert.deepEqual(said, event ? [event] : []);
        });
    }

    test('asks for its package at once, so that the module does not wait', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        await poll('the package is made', async () => (await scene.package())?.state === 'ready');
        assert.equal((await module.ask()).status, 200);
    });

    test('confirms nothing by its version', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        module.link = new URL((await scene.createLink(module, { version: '1162' })).url).pathname;
        assert.equal((await module.ask()).code, 27);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.attempts[0].state], [null, 'delivered']);
    });

    test('never makes a delivery not_applied, and never changes a confirmed version', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await reportVersion(module, link, '1138');
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        await module.ask();
        const { attempts, confirmed_version } = await scene.record(module);
        assert.equal(confirmed_version, '1138');
        assert.ok(attempts.every((a) => ['delivered', 'sending', 'silent'].includes(a.state)), JSON.stringify(attempts));
    });

    test('with a version below the confirmed one is answered from the confirmed one', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        await reportVersion(module, link, '1147');
        const { body } = await module.askUntilMade();
        assert.deepEqual(body, await scene.content('1147', '1162'));
        await reportVersion(module, link, '1162');
        assert.equal((await module.ask()).code, 27);
        assert.equal((await scene.record(module)).confirmed_version, '1162');
    });

    test('without a version uses the last reported one', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule({}, { firmware: scene.firmware });
        assert.match(module.link, /^\/d\/[0-9A-Za-z_-]+$/);
        assert.equal((await module.ask()).code, 44);
        await reportVersion(module, link, '1147');
        assert.deepEqual((await module.askUntilMade()).body, await scene.content('1147', '1162'));
    });

    test('with another version typed into it selects that base', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const typed = async (version) => (await module.askUntilMade({ target: module.link.replace('1138', version) }));
        assert.deepEqual((await typed('1147')).body, await scene.content('1147', '1162'));
        assert.equal((await typed('7')).code, 44);
        assert.equal((await scene.record(module)).confirmed_version, null);
    });

    test('is continued after a cut, and this is not a second download', async () => {
        const scene = await Scene.build(server, { ...at, kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        const { module } = await scene.linkedModule();
        await module.upgrade({ cuts: [50_000, 50_000, 50_000, 50_000] });
        assert.equal(module.version, '1162');
        await scene.awaitAttempt(module, 'delivered'); // the server asks its kernel now and then only
        const [attempt, ...others] = (await scene.record(module)).attempts;
        assert.deepEqual(others, []);
        assert.equal(attempt.bytes_acked, attempt.size);
        assert.equal(typeof attempt.link, 'number');
    });

    test('gives the same decision for HEAD and records nothing', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        await scene.makePackage();
        const earlier = await scene.record(module);
        for (let i = 0; i < 5; i += 1)
            assert.equal((await module.ask({ method: 'HEAD' })).status, 200);
        assert.deepEqual(await scene.record(module), earlier);
        assert.equal((await module.ask()).status, 200);
    });

    test('offers its package again only after a day: until then code 27', async (t) => {
        const daily = await startServer(t);
        const scene = await Scene.build(daily, at);
        const { module } = await scene.linkedModule();
        await module.askUntilMade();
        await scene.awaitAttempt(module, 'delivered');
        for (let i = 0; i < 3; i += 1)
            assert.equal((await module.ask()).code, 27);
        const { attempts, notice } = await scene.record(module);
        assert.equal(attempts.length, 1);
        assert.equal(attempts[0].fetches, 1);
        assert.doesNotMatch(notice ?? '', stale_notice);
    });

    test('with three useless offers works again when a new target is set', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await module.askUntilMade()).status, 200);
            await scene.awaitAttempt(module, 'delivered');
        }
        assert.equal((await module.ask()).code, 27);
        assert.match((await scene.record(module)).notice, stale_notice);
        module.link = new URL((await scene.createLink(module, { version: '1147' })).url).pathname;
        assert.deepEqual((await module.askUntilMade()).body, await scene.content('1147', '1162'));
        assert.equal((await scene.record(module)).notice, null);
    });

    test('can be revoked: code 21 for ever, and other links still work', async () => {
        const scene = await Scene.build(server, at);
        const { module, link } = await scene.linkedModule();
        const second = await scene.createLink(module);
        await server.admin('DELETE', scene.deviceAdminPath(module, `/links/${link.link}`), null, { expect: 204 });
        assert.equal((await module.ask()).code, 21);
        assert.equal((await report(module, link, { version: '1162' })).status >= 400, true);
        assert.equal((await scene.record(module)).confirmed_version, null);
        module.link = new URL(second.url).pathname;
        assert.equal((await module.askUntilMade()).status, 200);
        await server.admin('DELETE', scene.deviceAdminPath(module, '/links'), null, { expect: 204 });
        assert.equal((await module.ask()).code, 21);
        const { links } = await scene.record(module);
        assert.equal(links.length, 2);
        assert.ok(links.every((l) => l.revoked_at > 1.6e12));
        assertProblem(await server.admin('DELETE', scene.deviceAdminPath(module, '/links/999999')), 404, 'link-not-found');
    });

    test('that does not exist is code 3', async () => {
        const scene = await Scene.build(server, at);
        const { module } = await scene.linkedModule();
        const token = module.link.split('/')[2];
        for (const target of [`/d/${token.slice(0, -1)}/1138`, `/d/${token}0/1138`, '/d/x', `/d/${token.split('').reverse().join('')}x/1138`])
            assert.equal((await module.ask({ target })).code, 3, target);
    });
});
