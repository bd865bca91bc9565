// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Interrupted downloads: what a module gets that asks for the rest, and what is recorded.
//
// The packages here have no structure and 1.5 MB, more than the kernel's buffers take before the module reads. The cuts
// come early: a kernel lets the window grow with what is read, and what it has acknowledged is delivered.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import { bareRefusal } from './lib/judge.mjs';
import { forms } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';
import { buildRequest, exchange } from './lib/wire.mjs';

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

const big = { kind: 'noise', size: 1_500_000, limit: 16_000_000, versions: ['1001', '1002'] };

// All scenes have the same images, unless `seed` is given. Packages belong to bytes, so they are made once, and not for each test.
async function bigScene(options = {}, on = server) {
    const scene = await Scene.build(on, { ...big, seed: 700, ...options });
    const made = await scene.makePackage(scene.versions[0], options.target ?? scene.versions.at(-1));
    return { scene, made, total: made.size, bytes: await scene.content(made.from, made.to) };
}

// Begins a download and hangs up; waits until that is on record. Returns what arrived.
async function begin(scene, module, cutAfter = 20_000) {
    const { status, body } = await module.ask({ cutAfter });
    assert.equal(status, 200);
    await scene.awaitAttempt(module, 'interrupted');
    return body;
}

async function expect416(module, options) {
    const answer = await module.ask(options);
    assert.equal(answer.status, 416, `${answer.status} ${answer.body.subarray(0, 100)}`);
    assert.equal(answer.raw.toString('latin1'), bareRefusal);
    return answer;
}

describe('a module that was cut off', () => {
    test('continues where it stopped, and has the whole package', async () => {
        const { scene, bytes, total } = await bigScene();
        const module = scene.module();
        let have = await begin(scene, module);
        for (const cutAfter of [1, 20_000, Infinity]) {
            const answer = await module.ask({ range: have.length, cutAfter });
            assert.equal(answer.status, 206);
            assert.equal(answer.header('content-range'), `bytes ${have.length}-${total - 1}/${total}`);
            assert.equal(answer.header('content-length'), String(total - have.length));
            have = Buffer.concat([have, answer.body]);
        }
        assert.ok(have.equals(bytes));
        await scene.awaitAttempt(module, 'delivered');
        await module.applyAndReboot(have);
        assert.equal((await module.ask()).code, 27);
    });

    test('may ask again for bytes that it already has', async () => {
        const { scene, bytes } = await bigScene();
        const module = scene.module();
        const have = await begin(scene, module);
        const answer = await module.ask({ range: have.length - 1000 });
        assert.ok(answer.body.equals(bytes.subarray(have.length - 1000)));
    });

    test('may ask for only the last byte', async () => {
        const { scene, bytes, total } = await bigScene();
        const module = scene.module();
        await begin(scene, module);
        const answer = await module.ask({ range: total - 1 });
        assert.deepEqual([answer.status, answer.body], [206, bytes.subarray(total - 1)]);
    });

    test('gets 416 past the end', async () => {
        const { scene, total } = await bigScene();
        const module = scene.module();
        await begin(scene, module);
        for (const range of [total, total + 1, 2 ** 32 + 5, '18446744073709551617', '9'.repeat(40)]) {
            await expect416(module, { range });
        }
    });

    test('continues the same bytes after a newer image and target', async () => {
        const { scene, bytes } = await bigScene({ later: ['1003'] });
        const module = scene.module();
        const have = await begin(scene, module);
        await scene.upload('1003');
        await scene.setTarget('1003');
        await scene.makePackage('1001', '1003');
        const answer = await module.ask({ range: have.length });
        assert.equal(answer.status, 206);
        assert.ok(Buffer.concat([have, answer.body]).equals(bytes));

        await scene.awaitAttempt(module, 'delivered');
        await module.applyAndReboot(bytes);
        assert.equal(module.version, '1002');
        await module.upgrade();
        assert.equal(module.version, '1003');
    });

    test('continues the same bytes after the target was removed', async () => {
        const { scene, bytes } = await bigScene();
        const module = scene.module();
        const have = await begin(scene, module);
        await server.clearTarget(scene.product, scene.firmware);
        const answer = await module.ask({ range: have.length });
        assert.ok(Buffer.concat([have, answer.body]).equals(bytes));
    });

    test('gets 416 after the limit was lowered below its package, and code 21 when it starts again', async () => {
        const { scene, total } = await bigScene();
        const module = scene.module();
        const have = await begin(scene, module);
        await scene.set({ max_package_bytes: Math.floor(total / 2) });
        await expect416(module, { range: have.length });
        assert.equal((await module.ask()).code, 21);
        await expect416(module, { range: have.length });
    });

    test('gets 416 after the pin has been idle too long', async (t) => {
        const hasty = await startServer(t, { config: { pin_idle_ms: 1 } });
        const { scene } = await bigScene({}, hasty);
        const module = scene.module();
        const have = await begin(scene, module);
        await new Promise((next) => setTimeout(next, 5));
        await expect416(module, { range: have.length });
    });
});

describe('the pin ends', () => {
    for (const [name, range] of [['a request without Range', null], ['a request from byte 0', 0]]) {
        test(`at ${name}, which is a new decision`, async () => {
            const { scene } = await bigScene({ later: ['1003'] });
            const module = scene.module();
            const have = await begin(scene, module);
            await scene.upload('1003');
            await scene.setTarget('1003');
            await scene.makePackage('1001', '1003');
            const newer = await scene.content('1001', '1003');

            const answer = await module.ask({ range, cutAfter: 1000 });
            assert.equal(answer.status, range === null ? 200 : 206);
            assert.equal(answer.header('content-length'), String(newer.length));
            const rest = await module.ask({ range: have.length });
            assert.ok(rest.body.equals(newer.subarray(have.length)), 'what follows are the bytes of the new decision');
        });
    }

    test('even when that new decision is to wait', async () => {
        const { scene } = await bigScene({ later: ['1003'], seed: 701 }); // the package to 1003 is not there yet
        const module = scene.module();
        const have = await begin(scene, module);
        await scene.upload('1003');
        await scene.setTarget('1003');
        assert.equal((await module.ask()).code, 43);
        await expect416(module, { range: have.length });
    });

    const refusals = {
        'nothing to do': [27, (scene) => server.clearTarget(scene.product, scene.firmware), (scene) => scene.setTarget('1002')],
        'not allowed': [21, (scene, total) => scene.set({ max_package_bytes: Math.floor(total / 2) }), (scene, total) => scene.set({ max_package_bytes: total })],
    };
    for (const [name, [code, close, open]] of Object.entries(refusals)) {
        for (const range of [null, 0]) {
            test(`even when that new decision is ${name}${range === 0 ? ', asked for from byte 0' : ''}`, async () => {
                const { scene, total } = await bigScene();
                const module = scene.module();
                const have = await begin(scene, module);
                await close(scene, total);
                assert.equal((await module.ask({ range })).code, code);
                await open(scene, total);
                await expect416(module, { range: have.length });
            });
        }
    }

    test('when everything is delivered', async () => {
        const { scene } = await bigScene();
        const module = scene.module();
        const have = await begin(scene, module);
        await module.ask({ range: have.length });
        await scene.awaitAttempt(module, 'delivered');
        await expect416(module, { range: have.length });
    });

    test('but not at a HEAD', async () => {
        const { scene, bytes } = await bigScene();
        const module = scene.module();
        const have = await begin(scene, module);
        for (const range of [null, 0, 500])
            await module.ask({ method: 'HEAD', range });
        const answer = await module.ask({ range: have.length });
        assert.ok(answer.body.equals(bytes.subarray(have.length)));
    });
});

describe('with nothing pinned a range gets 416 and never 200:', () => {
    test('an unknown device', async () => {
        const { scene } = await bigScene();
        await expect416(scene.module(), { range: 5 });
    });
    test('a device that was only told to wait', async () => {
        const scene = await Scene.build(server, big);
        const module = scene.module();
        assert.equal((await module.ask()).code, 43);
        await scene.makePackage();
        await expect416(module, { range: 5 });
        assert.equal((await scene.record(module)).attempts[0].state, 'waiting');
    });
    test('the resume of another device, of another base, of another product', async () => {
        const { scene } = await bigScene({ versions: ['1000', '1001', '1002'] });
        const other = (await bigScene()).scene;
        await scene.makePackage('1001', '1002');
        const module = scene.module();
        const have = await begin(scene, module);
        await expect416(scene.module(), { range: have.length });
        await expect416(scene.module({ id: module.id, version: '1001' }), { range: have.length });
        await expect416(other.module({ id: module.id }), { range: have.length });
    });
    test('a resume by a device at the target', async () => {
        const { scene } = await bigScene();
        const answer = await scene.module({ version: '1002' }).ask({ range: 5 });
        assert.equal(answer.status, 416);
    });
});

describe('a range that is not bytes=N- or bytes=N-M gets 416, pinned or not:', () => {
    let scene, pinned;
    before(async () => {
        ({ scene } = await bigScene());
        pinned = scene.module();
        await begin(scene, pinned);
    });
    test('bytes=0-1,5-', async () => { // from byte 0: no resume, so with its words
        for (const module of [pinned, scene.module()])
            assert.equal((await module.ask({ rangeLine: 'Range: bytes=0-1,5-' })).code, 416);
    });
    const odd = ['bytes=-5', 'bytes=a-', 'items=5-', 'bytes=', 'bytes=5', 'bytes=--5', 'bytes=5-x',
        'bytes=+5-', 'bytes=0x5-', '5-', 'bytes 5-'];
    for (const value of odd) {
        test(value, async () => {
            await expect416(pinned, { rangeLine: `Range: ${value}` });
            await expect416(scene.module(), { rangeLine: `Range: ${value}` });
        });
    }
    test('but bytes=N-M of the pinned package gives these bytes', async () => {
        const answer = await exchange({ address: server.device, segments: [buildRequest(pinned.target, { rangeLine: 'Range: bytes=5-10' })] });
        assert.equal(answer.status, 206);
        assert.equal(answer.header('content-range'), `bytes 5-10/${(await scene.content()).length}`);
        assert.deepEqual(answer.body, (await scene.content()).subarray(5, 11));
    });
    test('two Range headers', async () => {
        const answer = await pinned.ask({ rangeLine: 'Range: bytes=5-', lines: ['Range: bytes=9-'] });
        assert.ok(answer.status >= 400, `${answer.status}`);
    });
});

describe('on record', () => {
    test('a download is sending while it runs, interrupted when it breaks, delivered when acknowledged, then confirmed', async () => {
        const { scene, total, made } = await bigScene();
        const module = scene.module();
        const slow = net.connect({ ...server.device, noDelay: true }).on('error', () => {});
        slow.write(buildRequest(module.target));
        const arrived = await new Promise((next) => slow.once('data', (bytes) => { slow.pause(); next(bytes.length); }));
        assert.ok(arrived < total);
        await scene.awaitAttempt(module, 'sending');
        slow.resetAndDestroy();
        const broken = await scene.awaitAttempt(module, 'interrupted');
        assert.ok(broken.bytes_acked > 0 && broken.bytes_acked < total, `${broken.bytes_acked} of ${total}`);
        assert.deepEqual([broken.from, broken.to, broken.target, broken.size, broken.sha256], ['1001', '1002', '1002', total, made.sha256]);
        assert.equal((await scene.record(module)).confirmed_version, '1001');

        await module.ask({ range: 1000 });
        const delivered = await scene.awaitAttempt(module, 'delivered');
        assert.equal(delivered.bytes_acked, total);
        assert.ok(delivered.delivered_at >= delivered.sent_at && delivered.sent_at >= delivered.created_at);
        assert.equal((await scene.record(module)).confirmed_version, '1001', 'a delivery confirms nothing');

        module.version = '1002';
        assert.equal((await module.ask()).code, 27);
        const record = await scene.record(module);
        assert.deepEqual([record.confirmed_version, record.attempts.length, record.attempts[0].state], ['1002', 1, 'confirmed']);
        assert.ok(record.attempts[0].ended_at >= delivered.delivered_at);
    });

    test('a module that comes back with the old version did not apply it, and gets it again', async () => {
        const { scene } = await bigScene();
        const module = scene.module();
        await module.ask();
        await scene.awaitAttempt(module, 'delivered');
        assert.equal((await module.ask()).status, 200);
        const { attempts, confirmed_version } = await scene.record(module);
        assert.equal(confirmed_version, '1001');
        assert.equal(attempts.length, 2);
        assert.equal(attempts[1].state, 'not_applied');
    });

    test('a check-in right after a complete download finds it delivered', async () => {
        const { scene } = await bigScene({ size: 4000 });
        for (let i = 0; i < 20; i += 1) {
            const module = scene.module();
            await module.upgrade();
            assert.equal((await module.ask()).code, 27);
            assert.equal((await scene.record(module)).attempts[0].state, 'confirmed');
        }
    });

    test('a module that comes back with a third version diverged', async () => {
        const { scene } = await bigScene({ versions: ['1000', '1001', '1002'] });
        for (const version of ['1001', '555']) {
            const module = scene.module();
            await module.ask();
            await scene.awaitAttempt(module, 'delivered');
            module.version = version;
            await module.ask();
            const record = await scene.record(module);
            assert.equal(record.confirmed_version, version);
            assert.equal(record.attempts.at(-1).state, 'diverged');
        }
    });

    test('a resume is not a new attempt and does not count in the loop guard', async (t) => {
        const guarded = await startServer(t, { config: { loop_guard_per_day: 1 } });
        const { scene, total } = await bigScene({}, guarded);
        const module = scene.module();
        await begin(scene, module);
        for (const range of [1, 50, 4000])
            assert.equal((await module.ask({ range, cutAfter: 10 })).status, 206);
        assert.equal((await module.ask({ range: 100 })).status, 206);
        const attempt = await scene.awaitAttempt(module, 'delivered');
        assert.equal(attempt.bytes_acked, total);
        const record = await scene.record(module);
        assert.equal(record.attempts.length, 1);
        assert.equal(record.blocked, false);
        assert.equal((await module.ask()).code, 40, 'a second beginning does count');
    });

    test('a refused range leaves the attempt as it is', async () => {
        const { scene, total } = await bigScene();
        const module = scene.module();
        await begin(scene, module);
        const earlier = (await scene.record(module)).attempts;
        await expect416(module, { range: total });
        await expect416(module, { rangeLine: 'Range: bytes=-1' });
        assert.deepEqual((await scene.record(module)).attempts, earlier);
    });
});

test('the Air724UG form, which always sends a range, upgrades through cuts', async () => {
    const { scene } = await bigScene({ firmware: 'PROJECT_RDA8910_TTS', versions: ['4030', '4035'], format: 'bsdiff' });
    const module = scene.module({ form: 'Air724UG' });
    assert.match(forms['Air724UG'](module), /core_version=4030/);
    const { answers } = await module.upgrade({ cuts: [20_000, 40_000] });
    assert.deepEqual(answers.map((a) => a.status), [206, 206, 206]);
    assert.equal(module.version, '4035');
});
