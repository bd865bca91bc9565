// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The order of writes and fsyncs: a kill does not show a missing fsync, because the kernel lives on; a
// power cut would. Bytes before their name, the directory before the row, the row before the answer. (Check-ins: see
// strace.test.mjs.)

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { poll, sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { Server, buildDir } from './lib/server.mjs';
import { file_calls, isSend, readTrace, traceDir, tracer, whyNoTrace } from './lib/trace.mjs';

const dir = traceDir();
const reason = whyNoTrace(dir);

const isWrite = (call) => /^p?write(v|64)?$/.test(call.name);
const isSync = (call) => /^f(data)?sync$/.test(call.name);
const isWal = (call) => call.path?.endsWith('/dfota.db-wal');
const ok = (call) => call.result >= 0;
const says = (call, text) => call.text.replaceAll('\\"', '"').includes(text);

// Finds the steps in order, each begun after the one before had ended. Returns the calls.
function inOrder(trace, steps) {
    const found = [];
    let ended = -1;
    for (const [what, matches] of steps) {
        const call = trace.find((c) => c.begun > ended && ok(c) && matches(c));
        assert.ok(call, `${what}: not after ${found.length ? found.at(-1).text.slice(0, 160) : 'the beginning'}`);
        found.push(call);
        ended = call.ended;
    }
    return found;
}

const child_file = /\/incoming\/job-\w+\/package(\.\w+)?$/; // under a draft's name first

const commit = [
    ['the log of the database is written', (c) => isWal(c) && isWrite(c)],
    ['the log of the database is flushed', (c) => isWal(c) && isSync(c)],
];

describe('on the disk, as strace sees it:', { skip: reason }, () => {
    const file = join(dir, 'trace');
    const parent = mkdtempSync(join(tmpdir(), 'dfota-e2e-'));
    const server = new Server(join(parent, 'data'), {}, tracer(file, file_calls), buildDir);
    let scene;
    before(async () => {
        await server.start();
        scene = await Scene.build(server, { target: null, versions: ['1001', '1002'], later: ['1003', '1004'], format: 'bsdiff' });
    });
    after(async () => {
        await server.dispose();
        rmSync(parent, { recursive: true, force: true });
    });

    const read = () => readTrace(readFileSync(file, 'utf8'));

    // What happened while `act` ran, up to the end of the answer that contains `said`.
    async function traced(act, said) {
        const from = readFileSync(file, 'utf8').split('\n').length;
        await act();
        return poll(`the trace shows ${said}`, () => {
            const trace = read().filter((c) => c.begun >= from);
            return trace.some((c) => isSend(c) && says(c, said)) && trace;
        });
    }
    const answered = (said) => [`the answer (${said})`, (c) => isSend(c) && says(c, said)];

    // From the bytes in `draft` to the file of that name in blobs/ and the row that speaks of it.
    function assertPublished(trace, draft, bytes, last) {
        const { dataDir } = server;
        const sum = sha256(bytes);
        const path = join(dataDir, 'blobs', sum.slice(0, 2), sum);
        const written = trace.filter((c) => draft.test(c.path) && isWrite(c) && ok(c));
        assert.ok(written.reduce((all, c) => all + c.result, 0) >= bytes.length, 'all of it was written there');
        const made = trace.find((c) => c.name === 'mkdir' && c.path === dirname(path) && ok(c));
        const [, , folder] = inOrder(trace, [
            ['the bytes are flushed', (c) => draft.test(c.path) && isSync(c) && c.begun > written.at(-1).ended],
            ['the file gets its name', (c) => /^rename/.test(c.name) && draft.test(c.path) && c.to === path],
            ['its directory is flushed', (c) => isSync(c) && c.path === dirname(path)],
            ...commit,
            ...last,
        ]);
        const early = trace.find((c) => isWal(c) && isWrite(c) && c.begun > written[0].begun && c.begun < folder.ended);
        assert.equal(early, undefined, 'the database speaks of it too early');
        if (made)
            inOrder(trace.filter((c) => c.begun > made.ended && c.ended < folder.begun),
                [['the directory of a new directory is flushed', (c) => isSync(c) && c.path === join(dataDir, 'blobs')]]);
    }

    test('an image', async () => {
        for (const version of ['1003', '1004']) {
            const bytes = scene.images.get(version);
            const trace = await traced(() => scene.upload(version), sha256(bytes));
            assertPublished(trace, /\/incoming\/upload-/, bytes, [answered(sha256(bytes))]);
        }
    });

    test('an image whose bytes are stored already: the directory is synced before the row all the same', async () => {
        const bytes = scene.images.get('1001');
        const sum = sha256(bytes);
        const trace = await traced(() => server.putImage(scene.product, scene.firmware, '1005', bytes), sum);
        assert.ok(!trace.some((c) => /^rename/.test(c.name)), 'the file stays');
        inOrder(trace, [
            ['the directory is flushed', (c) => isSync(c) && c.path === join(server.dataDir, 'blobs', sum.slice(0, 2))],
            ...commit, answered(sum),
        ]);
    });

    test('a package', async () => {
        const trace = await traced(() => scene.makePackage('1001', '1002'), '"state":"ready"');
        assertPublished(trace, child_file, await scene.content('1001', '1002'), [answered('"state":"ready"')]);
        inOrder(trace, [
            ['the claim is written', (c) => isWal(c) && isWrite(c)],
            ['the claim is flushed', (c) => isWal(c) && isSync(c)],
            ['the child makes its file', (c) => c.name === 'openat' && child_file.test(c.path) && /O_CREAT/.test(c.text)],
            ...commit,
            answered('"state":"ready"'),
        ]);
    });

    test('what an admin changes is durable before the answer', async () => {
        const calls = [
            ['POST', '/products', { name: 'another', product_key: 'another' }, '"product_key":"another"'],
            ['PATCH', scene.path(), { max_package_bytes: 491519 }, '491519'],
            ['PUT', scene.path('/target'), { version: '1004' }, '"target":"1004"'],
            ['POST', scene.path('/packages/1001/1004'), null, 'HTTP/1.1 202'],
            ['POST', `/products/${scene.product}/devices/imei:866597071234568/link`, { version: '1001' }, '"report_url"'],
            ['DELETE', `/products/${scene.product}/devices/imei:866597071234568/links`, null, 'HTTP/1.1 204'],
        ];
        for (const [method, path, body, said] of calls) {
            const trace = await traced(() => server.admin(method, path, body, { expect: [200, 201, 202, 204] }), said);
            const request = ['the request', (c) => /^(read|recv)/.test(c.name) && c.text.includes(`"${method} /api/v1${path}`)];
            inOrder(trace, [request, ...commit, answered(said)]);
        }
    });

    test('the first start: the directory, then the token, then the database with its hash', () => {
        const { dataDir } = server;
        const trace = read();
        inOrder(trace, [
            ['the data directory is made', (c) => c.name === 'mkdir' && c.path === dataDir],
            ['the directory above it is flushed', (c) => isSync(c) && c.path === parent],
        ]);
        inOrder(trace, [
            ['the token is written', (c) => isWrite(c) && /\/admin\.token/.test(c.path)],
            ['the token is flushed', (c) => isSync(c) && /\/admin\.token/.test(c.path)],
            ['the token gets its name', (c) => /^rename/.test(c.name) && c.to === join(dataDir, 'admin.token')],
            ['the data directory is flushed', (c) => isSync(c) && c.path === dataDir],
            ...commit,
        ]);
        assert.ok(existsSync(join(dataDir, 'admin.token')));
    });
});
