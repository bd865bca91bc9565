// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of dfotactl for packages that were made elsewhere: against an admin API played by the test, and once against a
// server.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { FakeApi, airm2m, assertRun, at, columns, deltaPackage, firmwarePath, problem, program, run, scratch } from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const path = `${firmwarePath}/packages/1138/1162`;
const args = [airm2m, '1138', '1162'];
const unproven = (over) => deltaPackage({
    format: 'external', origin: 'uploaded', uploaded_by: 'Ann', effort: null, proven: false, released: null,
    note: 'the package is of no known format', ...over,
});
const released = unproven({ released: { at, by: 'Jan', note: 'tried on a bench for two weeks, with twelve modules of three hardware revisions, cold and warm' } });

describe('package upload', () => {
    test('sends the bytes and the name, and says what to do if the package is unproven', async (t) => {
        const api = await FakeApi.start(t);
        const file = join(await scratch(t), 'package');
        const bytes = noiseImage({ seed: 1, size: 5000 });
        await writeFile(file, bytes);
        api.on(`PUT ${path}`, { status: 201, body: unproven() });
        const result = await api.ctl('package', 'upload', ...args, file, '--by', '安 Ann');
        assertRun(result, 0, { err: /no device gets it before an admin releases it/ });
        const [{ body, query, headers }] = api.requests;
        assert.ok(body.equals(bytes));
        assert.deepEqual([query.get('by'), headers['content-type']], ['安 Ann', 'application/octet-stream']);
        assert.match(result.out, /^Uploaded by +Ann$/m);
        api.on(`PUT ${path}`, unproven({ proven: true, format: 'bsdiff', note: null }));
        assertRun(await api.ctl('package', 'upload', ...args, file, '--by', 'Ann'), 0);
    });

    test('ends with the right status for each failure', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        assertRun(await api.ctl('package', 'upload', ...args, join(dir, 'none'), '--by', 'Ann'), 2, { err: /cannot read/ });
        assertRun(await api.ctl('package', 'upload', ...args, dir, '--by', 'Ann'), 2, { err: /is a directory/ });
        await writeFile(join(dir, 'zip'), 'PK');
        assertRun(await api.ctl('package', 'upload', ...args, join(dir, 'zip')), 2, { err: /needs --by/ });
        assert.deepEqual(api.requests, []);
        api.on(`PUT ${path}`, problem(422, 'not-a-package', 'this is a ZIP archive: unpack it, not a delta package'));
        assertRun(await api.ctl('package', 'upload', ...args, join(dir, 'zip'), '--by', 'Ann'), 1, { err: /ZIP archive.*\(not-a-package\)/ });
    });
});

describe('package release', () => {
    const start = async (t, package_ = unproven()) => {
        const api = await FakeApi.start(t);
        return api.on(`GET ${path}`, package_).on(`POST ${path}/release`, released);
    };
    const type = (api, text) => run(['-c', `printf '%s' "$TEXT" | "$PROGRAM" package release ${args.join(' ')} --note 'on a bench' --by Jan`], {
        command: '/bin/sh', env: { TEXT: text, PROGRAM: program, DFOTA_URL: api.url, DFOTA_TOKEN: 'x', DFOTA_PRODUCT: 'pumps' },
    });

    test('shows the package and asks for the beginning of its SHA-256', async (t) => {
        const api = await start(t);
        const sum = unproven().sha256;
        for (const text of ['', '\n', 'yes\n', sum.slice(0, 7), `${sum.slice(0, 11)}f`, `${sum}00`]) {
            const result = await type(api, text);
            assertRun(result, 2, { err: /nothing is released/ });
            assert.match(result.err, /^Origin +uploaded$/m);
            assert.match(result.err, new RegExp(`^SHA-256 +${sum}$`, 'm'));
            assert.match(result.err, /^Size +43059$/m);
        }
        assert.ok(!api.asked.some((route) => route.startsWith('POST')));
        for (const text of [sum.slice(0, 8), `${sum.toUpperCase()}\n`])
            assert.equal((await type(api, text)).status, 0);
        const { body } = api.requests.at(-1);
        assert.deepEqual(JSON.parse(body), { sha256: sum, by: 'Jan', note: 'on a bench' });
    });

    test('asks nothing with --yes, and uses the user name without --by', async (t) => {
        const api = await start(t);
        assertRun(await api.ctl('package', 'release', ...args, '--note', 'on a bench', '--yes'), 0);
        const { by, note, sha256: sum } = JSON.parse(api.requests.at(-1).body);
        assert.ok(by.length > 0);
        assert.deepEqual([note, sum], ['on a bench', unproven().sha256]);
        assertRun(await api.ctl('package', 'release', ...args, '--yes'), 2, { err: /needs --note/ });
        api.on(`POST ${path}/release`, problem(409, 'package-changed', 'it has another SHA-256'));
        assertRun(await api.ctl('package', 'release', ...args, '--note', 'x', '--yes'), 1, { err: /another SHA-256 \(package-changed\)/ });
    });

    test('can be taken back, and an uploaded package can be forgotten', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`DELETE ${path}/release`, { status: 204 }).on(`DELETE ${path}`, { status: 204 });
        assertRun(await api.ctl('package', 'unrelease', ...args, '--by', 'Jan'), 0, { err: /1138→1162 of .* is no longer released/ });
        assertRun(await api.ctl('package', 'forget', '--yes', ...args, '--by', 'Bo'), 0, { err: /is removed/ });
        assert.deepEqual(api.requests.map(({ query }) => query.get('by')), ['Jan', 'Bo']);
    });
});

test('a package is shown with the names of those who uploaded and released it, in 80 columns', async (t) => {
    const api = await FakeApi.start(t);
    api.on(`GET ${path}`, released);
    const { out } = await api.ctl('package', 'show', ...args);
    for (const pattern of [/^Origin +uploaded$/m, /^Uploaded by +Ann$/m, /^Proven +no$/m, /^Released +2026-11-22 17:57:43Z$/m, /^ +by +Jan$/m, /^ +because +tried on a bench/m])
        assert.match(out, pattern);
    for (const line of out.split('\n'))
        assert.ok(columns(line) <= 80, line);
});

test('all commands work against a server', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { format: 'external' });
    const file = join(await scratch(t), 'package');
    const bytes = Buffer.concat([Buffer.from([0xfa]), noiseImage({ seed: 2, size: 3000 })]);
    await writeFile(file, bytes);
    const ctl = (...words) => run(words, {
        env: { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: scene.product },
    });
    const pair = [scene.firmware, '1001', '1002'];
    assertRun(await ctl('package', 'upload', ...pair, file, '--by', 'Ann'), 0, { err: /releases it/ });
    assert.equal((await scene.module().ask()).code, 21);
    assertRun(await ctl('package', 'release', ...pair, '--note', 'on a bench', '--by', 'Jan', '--yes'), 0);
    assert.equal(sha256((await scene.module().ask()).body), sha256(bytes));
    assert.match((await ctl('package', 'show', ...pair)).out, /^ +because +on a bench$/m);
    assertRun(await ctl('package', 'unrelease', ...pair), 0, { err: /no longer released/ });
    assert.equal((await scene.module().ask()).code, 21);
    assertRun(await ctl('package', 'forget', '--yes', ...pair), 0, { err: /is removed/ });
    assertRun(await ctl('package', 'show', ...pair), 1, { err: /package-not-found/ });
});
