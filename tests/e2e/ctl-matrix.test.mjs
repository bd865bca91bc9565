// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl matrix and queue: what an admin sees about the pairs of images.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { FakeApi, airm2m, assertRun, at, columns, firmware, firmwarePath, program, run, status } from './lib/ctl.mjs';
import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const pair = (from, to, over) => ({
    from, to, state: 'ready', size: 43059, proven: true, released: false, effort: 'good', waiting: 0, duration_ms: 830, error: null, ...over,
});
const matrix = (over) => ({
    firmware: airm2m, format: 'bsdiff', limit: 491520, versions: ['1138', '1147', '1162', '1170'], withdrawn: [],
    pairs: [
        pair('1138', '1147'), pair('1138', '1162', { state: 'oversize', size: 563200 }), pair('1147', '1162', { size: 491520 }),
        pair('1138', '1170', { state: 'queued', size: null }), pair('1147', '1170', { state: 'failed', size: null, error: 'no' }),
        pair('1162', '1170', { size: 1, proven: false }),
    ],
    queue: { queued: 1, generating: 0, estimate_ms: 2100 }, ...over,
});

async function start(t, answer = matrix()) {
    const api = await FakeApi.start(t);
    return api.on(`GET ${firmwarePath}/matrix`, answer);
}

describe('matrix', () => {
    test('is a table of sizes in KB with marks and their meaning', async (t) => {
        const result = await (await start(t)).ctl('matrix', airm2m);
        assertRun(result, 0);
        assert.equal(result.out, [
            `${airm2m}: KB per package, rounded up; limit 480 KB (491520 bytes)`, '',
            'KB    1147  1162  1170', '1138    43  550!     …', '1147         480     x', '1162                1?', '',
            '!   over the limit', '…   still to be made: 1; takes about 2.1 s', 'x   could not be made; dfotactl package list shows why',
            '?   unproven and not released', '',
        ].join('\n'));
    });

    test('marks a withdrawn version, explains only marks that occur, and says when there are no pairs', async (t) => {
        const api = await start(t, matrix({ withdrawn: ['1147'], pairs: [pair('1138', '1147')] }));
        const { out } = await api.ctl('matrix', airm2m);
        assert.match(out, /^KB +1147\* +1162 +1170$/m);
        assert.match(out, /\n\n\* +withdrawn: [^\n]*\n$/);
        api.on(`GET ${firmwarePath}/matrix`, matrix({ versions: [], pairs: [], format: null }));
        assert.match((await api.ctl('matrix', airm2m)).out, /No package format is set.*\n\n\(fewer than two images\)\n$/s);
        api.on(`GET ${firmwarePath}/matrix`, matrix({ queue: { queued: 1, generating: 0, estimate_ms: null } }));
        assert.match((await api.ctl('matrix', airm2m)).out, /^… +still to be made: 1$/m);
    });

    test('has colours on a terminal, and none with NO_COLOR', async (t) => {
        const api = await start(t);
        const script = (env) => api.run(['-qec', `'${program}' matrix ${airm2m}`, '/dev/null'], { command: 'script', env });
        const coloured = (await script({ TERM: 'xterm' })).out;
        assert.match(coloured, /1138 {4}43 {3}\x1b\[31m550\x1b\[0m {5}…/);
        assert.match(coloured, /\x1b\[31mred\x1b\[0m over the limit/);
        for (const env of [{ TERM: 'xterm', NO_COLOR: '1' }, { TERM: 'dumb' }, {}]) {
            const { out } = await script(env);
            assert.match(out, /550!/);
            assert.doesNotMatch(out, /\x1b\[31m/);
        }
    });

    test('--csv has sizes in bytes, -o json prints the answer of the API, and both together are refused', async (t) => {
        const api = await start(t);
        assert.equal((await api.ctl('matrix', airm2m, '--csv')).out,
            'from,1147,1162,1170\n1138,43059,563200!,…\n1147,,491520,x\n1162,,,1?\n');
        assert.deepEqual(JSON.parse((await api.ctl('-o', 'json', 'matrix', airm2m)).out), matrix());
        assertRun(await api.ctl('matrix', airm2m, '--csv', '-o', 'json'), 2, { err: /cannot be used together/ });
        assertRun(await api.ctl('device', 'links', airm2m, '--csv'), 2, { err: /--csv needs an argument: FILE/ });
    });

    test('survives an answer that has the wrong form', async (t) => {
        const api = await start(t, { versions: 5 });
        assertRun(await api.ctl('matrix', airm2m), 3, { err: /not a matrix/ });
        const odd = pair('1138', '9999', { size: 'x' });
        api.on(`GET ${firmwarePath}/matrix`, matrix({ versions: ['1138', 7, null, 'x'.repeat(100)], withdrawn: [5, '8888', '1138', '1138'], pairs: [odd, {}, 5, pair('1138', '1138')] }));
        assertRun(await api.ctl('matrix', airm2m), 0);
    });
});

describe('queue', () => {
    const place = (from, to, over) => pair(from, to, { state: 'queued', size: null, duration_ms: null, effort: null, wanted: 'asked', queued_at: at, ...over });

    test('of a firmware: who waits for which package, and how long it takes', async (t) => {
        const api = await FakeApi.start(t);
        const answer = { queued: 11, generating: 1, estimate_ms: 125000, items: [place('1138', '1162', { waiting: 150 }), place('1138', '1147', { wanted: 'matrix' })] };
        api.on(`GET ${firmwarePath}/queue`, answer);
        const { out } = await api.ctl('queue', airm2m);
        assert.match(out, /^AirM2M_780E_LTE_AT +1138 +1162 +queued +150 +asked +2026/m);
        assert.match(out, /\n\n11 queued, 1 being made; all takes about 2 min 5 s\n$/);
        assert.equal(api.requests[0].query.get('limit'), '20');
        for (const line of out.split('\n'))
            assert.ok(columns(line) <= 80, line);
        const told = JSON.parse((await api.ctl('queue', airm2m, '-o', 'json')).out);
        assert.deepEqual([told.queued, told.items.length, told.items[0].waiting], [11, 2, 150]);
    });

    test('of all firmwares, with the time of the whole server', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware', { items: [firmware(), firmware({ firmware: 'lamp' })] });
        api.on(`GET ${firmwarePath}/queue`, { queued: 1, generating: 0, estimate_ms: 1, items: [place('1138', '1162')] });
        api.on('GET /products/pumps/firmware/lamp/queue', { queued: 1, generating: 0, estimate_ms: 1, items: [place('1', '2')] });
        api.on('GET /status', { ...status, packages: { queued: 2, generating: 0, ready: 0, failed: 0, estimate_ms: null } });
        const { out } = await api.ctl('queue');
        assert.match(out, /^AirM2M_780E_LTE_AT +1138 +1162 .*\nlamp +1 +2 /m);
        assert.match(out, /\n2 queued, 0 being made; the time is not known yet/);
    });
});

test('against the real server a matrix fills, and a lower limit marks what is too large', async (t) => {
    const server = await startServer(t, { config: { matrix: 'all' } });
    const versions = ['9', '10', '11', '100', '101'];
    await Scene.build(server, { versions, target: null, size: 30_000 });
    const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
    const ctl = async (...args) => {
        const result = await run(args, { env });
        assertRun(result, 0);
        return result.out;
    };
    const csv = async () => (await ctl('matrix', 'pump', '--csv')).trim().split('\n').map((line) => line.split(','));
    const cells = async () => (await csv()).slice(1).flatMap((line) => line.slice(1)).filter(Boolean);
    await poll('all ten are made', async () => (await cells()).every((cell) => /^\d+$/.test(cell)) && (await cells()).length === 10,
        { timeout_ms: 60_000 });
    const table = await csv();
    assert.deepEqual([table[0], table.slice(1).map((line) => line[0])], [['from', ...versions.slice(1)], versions.slice(0, -1)]);
    const sizes = (await cells()).map(Number).sort((a, b) => a - b);
    await ctl('firmware', 'set', 'pump', '--max-package-bytes', String(sizes[4]));
    const marked = (await cells()).filter((cell) => cell.endsWith('!'));
    assert.equal(marked.length, sizes.filter((size) => size > sizes[4]).length);
    assert.match(await ctl('matrix', 'pump'), /^! +over the limit$/m);
    assert.match(await ctl('queue'), /\(none\)\n\n0 queued, 0 being made; all takes about 0\.0 s\n$/);
});
