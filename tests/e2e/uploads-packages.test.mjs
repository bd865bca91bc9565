// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Packages that were made elsewhere: what is accepted for a pair of images, what is sent, and what is sent only after an
// admin has released it.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';

import { ledgerRows } from './lib/chain.mjs';
import { binpkg, firmwareImage, noiseImage } from './lib/firmware.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { Scene, assertProblem, listFiles, writeScript } from './lib/scene.mjs';
import { buildDir, startServer, stopsBuildDir } from './lib/server.mjs';

const run = promisify(execFile);
const max_image_bytes = 4_000_000;

let server, dir;
before(async () => {
    server = await startServer(null, { keep: true, config: { max_image_bytes } });
    dir = await mkdtemp(join(tmpdir(), 'dfota-uploads-'));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

// A package between two images by Debian's bsdiff, or by dfota in any format.
async function delta(old, next, format = null) {
    const [a, b, out] = ['old', 'new', 'out'].map((n) => join(dir, n));
    await writeFile(a, old);
    await writeFile(b, next);
    if (format)
        await run(join(buildDir, 'dfota'), ['diff', '--format', format, '--effort', 'quick', a, b, out]);
    else
        await run('bsdiff', [a, b, out]);
    return readFile(out);
}

const path = (scene, rest = '', from = scene.versions[0], to = scene.versions.at(-1)) => scene.path(`/packages/${from}/${to}${rest}`);
const put = (scene, bytes, { by = 'Ann', on = scene.server } = {}) => on.admin('PUT', `${path(scene)}?by=${encodeURIComponent(by)}`, bytes);
const stock = (scene) => delta(scene.images.get(scene.versions[0]), scene.images.get(scene.versions.at(-1)));
const unknown = (seed, size = 5000) => Buffer.concat([Buffer.from([0xfa, 0xce]), noiseImage({ seed, size })]);
const blobs = async (on = server) => [...(await listFiles(on.dataDir)).keys()].filter((name) => /blobs|incoming/.test(name)).sort();

// A firmware whose packages nothing here can apply, with one uploaded.
async function unprovenScene({ on = server, bytes = unknown(1), ...options } = {}) {
    const scene = await Scene.build(on, { format: 'external', ...options });
    const answer = await put(scene, bytes, { on });
    assert.equal(answer.status, 201, String(answer.body));
    return { scene, bytes, uploaded: answer.json };
}

async function release(scene, bytes, { by = 'Jan', note = 'tried on a bench', expect = 200 } = {}) {
    return scene.server.admin('POST', path(scene, '/release'), { sha256: sha256(bytes), by, note }, { expect });
}

describe('a package by Debian\'s bsdiff', () => {
    test('is proven, and devices upgrade with it', async () => {
        const scene = await Scene.build(server);
        const bytes = await stock(scene);
        const { status, json } = await put(scene, bytes);
        assert.equal(status, 201);
        assert.deepEqual([json.state, json.origin, json.uploaded_by, json.proven, json.released, json.effort, json.size, json.sha256],
            ['ready', 'uploaded', 'Ann', true, null, null, bytes.length, sha256(bytes)]);
        const [line] = await server.logged('package-uploaded', 1, (l) => l.sha256 === sha256(bytes));
        assert.deepEqual([line.by, line.proven, line.from, line.to], ['Ann', 'yes', '1001', '1002']);
        const module = scene.module();
        await module.upgrade();
        assert.equal((await module.ask()).code, 27);
        const [attempt] = (await scene.record(module)).attempts;
        assert.deepEqual([attempt.state, attempt.proven, attempt.released_by, attempt.sha256], ['confirmed', true, null, sha256(bytes)]);
        assert.equal((await scene.makePackage()).sha256, sha256(bytes), 'asking for it makes no other');
    });

    test('replaces the package made here and its file; a transfer of that one starts again', async () => {
        const scene = await Scene.build(server, { kind: 'noise', size: 1_500_000, limit: 16_000_000 });
        const made = await scene.makePackage();
        const module = scene.module();
        const begun = await module.ask({ cutAfter: 20_000 });
        await scene.awaitAttempt(module, 'interrupted');
        const bytes = await stock(scene);
        assert.notEqual(sha256(bytes), made.sha256);
        await put(scene, bytes);
        assert.equal((await module.ask({ range: begun.body.length })).status, 416);
        assert.ok((await module.ask()).body.equals(bytes));
        assert.ok(!(await blobs()).some((name) => name.endsWith(made.sha256)), 'the file of the other is gone');
    });

    test('uploaded again with the same bytes changes nothing, not even the uploader', async () => {
        const scene = await Scene.build(server);
        const bytes = await stock(scene);
        const first = await put(scene, bytes);
        const again = await put(scene, bytes, { by: 'Bo' });
        assert.equal(again.status, 200);
        assert.deepEqual(again.json, first.json);
    });

    test('that is larger than the limit is stored but not sent', async () => {
        const scene = await Scene.build(server, { limit: 100 });
        const { status, json } = await put(scene, await stock(scene));
        assert.deepEqual([status, json.state, json.proven], [201, 'oversize', true]);
        assert.equal((await scene.module().ask()).code, 21);
        await scene.set({ max_package_bytes: 100_000 });
        assert.equal((await scene.module().ask()).status, 200);
    });
});

describe('refused as a package, with the reason:', () => {
    const image = (revision) => firmwareImage({ seed: 90, size: 20_000, revision });
    const refused = async (scene, bytes, sentence, code = 'not-a-package') => {
        const earlier = await blobs();
        const answer = await put(scene, bytes);
        assertProblem(answer, 422, code);
        assert.match(answer.json.detail, sentence);
        assert.doesNotMatch(answer.json.detail, /incoming|blobs|\/tmp/, 'and knows no paths of the server');
        // The bytes go when the request is over, after its answer.
        await poll('nothing stays', async () => isDeepStrictEqual(await blobs(), earlier));
        assertProblem(await server.admin('GET', path(scene)), 404, 'package-not-found');
    };

    test('a package for another old image', async () => {
        const scene = await Scene.build(server);
        const bytes = await delta(image(3), scene.images.get('1002'));
        await refused(scene, bytes, /does not lead from 1001 to 1002/);
    });
    test('a package for another new image', async () => {
        const scene = await Scene.build(server);
        await refused(scene, await delta(scene.images.get('1001'), image(1)), /does not lead from 1001 to 1002: .*version 1002/);
    });
    test('a package that is cut off, in its header or later', async () => {
        const scene = await Scene.build(server);
        const bytes = await stock(scene);
        await refused(scene, bytes.subarray(0, 20), /a bsdiff package, but it is damaged: it is cut off/);
        await refused(scene, bytes.subarray(0, -1), /does not lead from 1001 to 1002/);
    });
    test('a package of another format', async () => {
        const scene = await Scene.build(server);
        const bytes = await delta(scene.images.get('1001'), scene.images.get('1002'), 'ec618-at');
        await refused(scene, bytes, /head of AT firmware.* in the format ec618-at, but firmware pump has the format bsdiff/);
    });
    test('an unknown file, for a known format', async () => {
        await refused(await Scene.build(server), unknown(2), /not a delta package of the format bsdiff/);
    });
    for (const format of ['bsdiff', 'external'])
        test(`an image, a page, an archive, for the format ${format}`, async () => {
            const scene = await Scene.build(server, { format });
            await refused(scene, binpkg({ ap: image(0), cp: image(1) }), /this is a \.binpkg.*, not a delta package/);
            await refused(scene, Buffer.from('<html>404</html>'), /an HTML page/);
            await refused(scene, Buffer.from('PK\x03\x04zip'), /a ZIP archive/);
        });
    test('a known format that does not fit the pair, for the format external', async () => {
        const scene = await Scene.build(server, { format: 'external' });
        await refused(scene, await delta(image(3), image(4)), /does not lead/);
        await refused(scene, flip(await delta(image(3), image(4), 'ec618-csdk')), /it is damaged: the archive is damaged/);
    });
    test('an empty body, a package without a name, or one for a missing pair', async () => {
        const scene = await Scene.build(server, { later: ['1003'] });
        const bytes = await stock(scene);
        await refused(scene, Buffer.alloc(0), /the body is empty/, 'invalid');
        for (const query of ['', '?by=', `?by=${'x'.repeat(101)}`, '?by=%00'])
            assert.ok([400, 422].includes((await server.admin('PUT', path(scene) + query, bytes)).status), query);
        assertProblem(await server.admin('PUT', `${path(scene, '', '1001', '1003')}?by=Ann`, bytes), 404, 'image-not-found');
        assertProblem(await server.admin('PUT', `${path(scene, '', '1002', '1001')}?by=Ann`, bytes), 422, 'not-an-upgrade');
        await scene.set({ format: null });
        assertProblem(await server.admin('PUT', `${path(scene)}?by=Ann`, bytes), 409, 'format-not-set');
    });
    test('a package larger than max_image_bytes', async () => {
        const scene = await Scene.build(server);
        assertProblem(await put(scene, noiseImage({ seed: 3, size: max_image_bytes + 4 })), 413, 'too-large');
    });
});

function flip(bytes) {
    bytes[bytes.length - 1] ^= 1;
    return bytes;
}

test('a format that dfota knows is proven under the format external too', async () => {
    const scene = await Scene.build(server, { format: 'external' });
    const bytes = await delta(scene.images.get('1001'), scene.images.get('1002'), 'ec618-csdk');
    const { json } = await put(scene, bytes);
    assert.deepEqual([json.state, json.proven, json.format], ['ready', true, 'external']);
});

test('a package for another chip than that of the format is refused', async () => {
    const [old, next] = [1, 2].map((revision) => binpkg({ ap: firmwareImage({ seed: 91, size: 30_000, revision }), cp: Buffer.from('cp') }));
    const scene = await Scene.build(server, { format: 'ec618-luatos' });
    for (const [version, bytes] of [['2001', old], ['2002', next]])
        await server.putImage(scene.product, scene.firmware, version, bytes);
    const bytes = await delta(old, next, 'ec618-luatos');
    const at = `${path(scene, '', '2001', '2002')}?by=Ann`;
    const proven = await server.admin('PUT', at, bytes, { expect: 201 });
    assert.equal(proven.json.proven, true);
    // The same for another chip, with its magic and the checksum of its head.
    bytes.writeUInt32LE(0xeac37218, 0);
    const refused = await server.admin('PUT', at, bytes);
    assertProblem(refused, 422, 'not-a-package');
    assert.match(refused.json.detail, /LuatOS for EC7xx: .* in the format ec7xx-csdk, but firmware \S+ has the format ec618-luatos/);
});

describe('an unproven package', () => {
    test('to a lower version is released the same way, if downgrades are allowed', async () => {
        const scene = await Scene.build(server, { format: 'external', target: '1001' });
        await scene.set({ downgrades: true });
        const bytes = unknown(77);
        const down = path(scene, '', '1002', '1001');
        await server.admin('PUT', `${down}?by=Ann`, bytes, { expect: 201 });
        const module = scene.module({ version: '1002' });
        assert.equal((await module.ask()).code, 21);
        await server.admin('POST', `${down}/release`, { sha256: sha256(bytes), by: 'Jan', note: 'tried' }, { expect: 200 });
        assert.ok((await module.ask()).body.equals(bytes));
        const { json } = await server.admin('GET', scene.path('/packages'), null, { expect: 200 });
        assert.deepEqual(json.items.map((row) => [row.from, row.to, row.released?.by]), [['1002', '1001', 'Jan']]);
    });

    test('is not sent until an admin has released it, and then every attempt records the release', async () => {
        const { scene, bytes, uploaded } = await unprovenScene();
        assert.deepEqual([uploaded.state, uploaded.proven, uploaded.released], ['ready', false, null]);
        assert.match(uploaded.note, /of no known format/);
        const module = scene.module();
        assert.equal((await module.ask()).code, 21);
        assert.match((await scene.record(module)).last_answer.reason, /unproven, because this server could not apply it: an admin must release it first/);

        const { json } = await release(scene, bytes, { note: '试过 on a bench' });
        assert.deepEqual([json.proven, json.released.by, json.released.note], [false, 'Jan', '试过 on a bench']);
        const [line] = await server.logged('package-released', 1, (l) => l.sha256 === sha256(bytes));
        assert.deepEqual([line.level, line.by, line.note], ['warn', 'Jan', '试过 on a bench']);

        const answer = await module.ask();
        assert.ok(answer.status === 200 && answer.body.equals(bytes));
        const [attempt] = (await scene.record(module)).attempts;
        assert.deepEqual([attempt.proven, attempt.released_by], [false, 'Jan']);
        assert.match(attempt.reason, /is sent \(unproven, released by Jan\)$/);
        assert.match((await scene.record(module)).last_answer.reason, /released by Jan/);

        await server.admin('DELETE', path(scene, '/release'), null, { expect: 204 });
        assert.equal((await scene.package()).released, null);
        assert.equal((await scene.module().ask()).code, 21);
        assert.equal((await server.logged('package-release-ended', 1)).length, 1);
        await server.admin('DELETE', path(scene, '/release'), null, { expect: 204 });
        assert.equal((await server.logged('package-release-ended', 1)).length, 1);
    });

    test('is released for one product only, and so is what was uploaded', async (t) => {
        const own = await startServer(t);
        const [ours, theirs] = [await Scene.build(own, { format: 'external', seed: 901 }), await Scene.build(own, { format: 'external', seed: 901 })];
        const bytes = unknown(41), other = unknown(42);
        await put(ours, bytes);
        assertProblem(await own.admin('GET', path(theirs)), 404, 'package-not-found');
        await own.admin('PUT', `${path(theirs)}?by=Ann`, bytes, { expect: 201 });
        const body = { sha256: sha256(bytes), by: 'Jan', note: 'tried here' };
        await own.admin('POST', path(ours, '/release'), body, { expect: 200 });
        const [first, second] = [ours.module(), theirs.module()];
        assert.ok((await first.ask()).body.equals(bytes));
        assert.equal((await second.ask()).code, 21);
        assert.equal((await theirs.package()).released, null);
        assertProblem(await own.admin('GET', path(theirs, '/content')), 409, 'package-not-ready');
        await own.admin('PUT', `${path(theirs)}?by=Ann`, other, { expect: 201 });
        assert.equal((await ours.package()).sha256, sha256(bytes));
        await ours.awaitAttempt(first, 'delivered');
        first.version = ours.versions.at(-1);
        await first.ask(); // it confirms, so the next device gets the package
        assert.ok((await ours.module().ask()).body.equals(bytes), 'what another product brings changes nothing');
    });

    test('whose release is taken back during a transfer ends at the next Range', async () => {
        const { scene, bytes } = await unprovenScene({ bytes: unknown(4, 1_500_000), limit: 16_000_000 });
        await release(scene, bytes);
        const module = scene.module();
        const begun = await module.ask({ cutAfter: 20_000 });
        await scene.awaitAttempt(module, 'interrupted');
        const piece = await module.ask({ range: begun.body.length, cutAfter: 20_000 });
        assert.equal(piece.status, 206);
        await scene.awaitAttempt(module, 'interrupted');
        assert.match((await scene.record(module)).attempts[0].reason, /is continued .*\(unproven, released by Jan\)$/);
        await server.admin('DELETE', path(scene, '/release'), null, { expect: 204 });
        assert.equal((await module.ask({ range: begun.body.length })).status, 416);
        assert.equal((await module.ask()).code, 21);
    });

    test('is released only with its own SHA-256, a name and a reason, and only if it is unproven', async () => {
        const { scene, bytes } = await unprovenScene({ bytes: unknown(5) });
        const body = { sha256: sha256(bytes), by: 'Jan', note: 'why' };
        const at = path(scene, '/release');
        assertProblem(await server.admin('POST', at, { ...body, sha256: sha256('another') }), 409, 'package-changed');
        for (const over of [{ sha256: 'ab' }, { by: '' }, { by: 'x'.repeat(101) }, { by: 'a\nb' }, { note: '' }, { note: 'x'.repeat(400) }])
            assertProblem(await server.admin('POST', at, { ...body, ...over }), 422, 'invalid');
        assertProblem(await server.admin('POST', at, { ...body, more: 1 }), 400, 'bad-request');
        for (const key of Object.keys(body))
            assertProblem(await server.admin('POST', at, { ...body, [key]: undefined }), 422, 'invalid');
        assert.equal((await scene.package()).released, null);

        const proven = await Scene.build(server);
        assertProblem(await server.admin('POST', path(proven, '/release'), body), 404, 'package-not-found');
        const uploaded = await put(proven, await stock(proven));
        assertProblem(await server.admin('POST', path(proven, '/release'), { ...body, sha256: uploaded.json.sha256 }), 409, 'not-unproven');
    });

    test('loses its release when its bytes change, and keeps it with the same bytes', async () => {
        const { scene, bytes } = await unprovenScene({ bytes: unknown(6) });
        await release(scene, bytes);
        assert.equal((await put(scene, bytes)).json.released.by, 'Jan');
        assert.equal((await put(scene, unknown(7))).json.released, null);
        assert.equal((await scene.module().ask()).code, 21);
        assertProblem(await server.admin('POST', path(scene, '/release'), { sha256: sha256(bytes), by: 'Jan', note: 'old' }), 409, 'package-changed');
    });

    test('and its release survive a restart, also after a kill', async (t) => {
        const own = await startServer(t);
        const { scene, bytes } = await unprovenScene({ on: own, bytes: unknown(8) });
        await release(scene, bytes);
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
        await scene.awaitAttempt(module, 'delivered');
        module.version = scene.versions.at(-1);
        await module.ask(); // it confirms, so the next devices get the package
        const before = [await scene.package(), (await scene.record(module)).attempts];
        for (const hard of [false, true]) {
            await own.restart({ hard });
            assert.deepEqual([await scene.package(), (await scene.record(module)).attempts], before);
            const again = scene.module();
            again.address = own.device;
            assert.ok((await again.ask()).body.equals(bytes));
        }
    });
});

describe('forgetting', () => {
    test('leaves the pair as never requested, and the package is made here on the next request', async () => {
        const scene = await Scene.build(server);
        const bytes = await stock(scene);
        await put(scene, bytes);
        await server.admin('DELETE', path(scene), null, { expect: 204 });
        assertProblem(await server.admin('GET', path(scene)), 404, 'package-not-found');
        assert.ok(!(await blobs()).some((name) => name.endsWith(sha256(bytes))));
        assert.equal((await server.logged('package-forgotten', 1, (l) => l.sha256 === sha256(bytes))).length, 1);
        const made = await scene.makePackage();
        assert.deepEqual([made.origin, made.uploaded_by], ['made', null]);
    });

    test('works only for uploaded packages', async () => {
        const scene = await Scene.build(server);
        assertProblem(await server.admin('DELETE', path(scene)), 404, 'package-not-found');
        await scene.makePackage();
        assertProblem(await server.admin('DELETE', path(scene)), 409, 'not-uploaded');
    });
});

test('the ledger has all uploads and releases, with names', async (t) => {
    const own = await startServer(t);
    const { scene, bytes } = await unprovenScene({ on: own, bytes: unknown(10) });
    await release(scene, bytes);
    await own.admin('DELETE', `${path(scene, '/release')}?by=Jan`, null, { expect: 204 });
    await own.admin('DELETE', `${path(scene)}?by=Bo`, null, { expect: 204 });
    const rows = (await ledgerRows(own)).filter(({ kind }) => /^package-|^release-/.test(kind));
    assert.deepEqual(rows.map(({ kind, detail }) => [kind, detail.by.name]),
        [['package-uploaded', 'Ann'], ['package-released', 'Jan'], ['release-taken-back', 'Jan'], ['package-forgotten', 'Bo']]);
    for (const row of rows)
        assert.deepEqual([row.package, row.firmware, row.detail.from, row.detail.to, row.detail.format], [sha256(bytes), 'pump', '1001', '1002', 'external']);
    assert.deepEqual([rows[0].detail.proven, rows[0].detail.size, rows[1].detail.note], [false, bytes.length, 'tried on a bench']);
});

test('a package whose file is damaged is not sent, and is failed until it is uploaded again', async (t) => {
    const own = await startServer(t);
    const scene = await Scene.build(own);
    const bytes = await stock(scene);
    const { json } = await put(scene, bytes);
    await writeFile(join(own.dataDir, 'blobs', json.sha256.slice(0, 2), json.sha256), flip(Buffer.from(bytes)));
    assertProblem(await own.admin('GET', path(scene, '/content')), 500, 'corrupt');
    const failed = await scene.package();
    assert.deepEqual([failed.state, failed.uploaded_by], ['failed', 'Ann']);
    assert.match(failed.error, /upload it again/);
    assert.equal((await scene.module().ask()).code, 21);
    assert.equal((await put(scene, bytes)).status, 201);
    await scene.module().upgrade();
});

describe('beside a job', () => {
    // A job that is stopped while it makes the package, and continues when told.
    async function held(t, end = 'exec DFOTA "$@"') {
        const script = await writeScript(t, (at) => `[ "$1" = verify ] && exec DFOTA "$@"\nread -r line < ${at}/hold\n${end}`.replaceAll('DFOTA', join(buildDir, 'dfota')));
        execFileSync('mkfifo', [join(script.dir, 'hold')]);
        const own = await startServer(t, { config: { dfota_path: script.path, jobs: 1 } });
        const scene = await Scene.build(own);
        await own.admin('POST', path(scene), null, { expect: 202 });
        await poll('it is being made', async () => (await scene.package()).state === 'generating');
        return { own, scene, goOn: () => writeFile(join(script.dir, 'hold'), '\n') };
    }

    test('that ends later: the uploaded package stays, and the package of the job leaves nothing', async (t) => {
        const { own, scene, goOn } = await held(t);
        const bytes = await stock(scene);
        await put(scene, bytes);
        const before = await scene.package();
        assert.deepEqual([before.state, before.sha256], ['ready', sha256(bytes)]);
        await goOn();
        await poll('the job has ended', () => own.log('package-outdated').length === 1);
        assert.deepEqual(await scene.package(), before);
        await poll('its file is gone', async () => (await blobs(own)).filter((name) => /^blobs/.test(name)).length === 3);
    });

    for (const [name, end] of [['fails', 'exit 1'], ['crashes', 'kill -SEGV $$']])
        test(`that ${name} later: the uploaded package stays`, async (t) => {
            const { own, scene, goOn } = await held(t, end);
            await put(scene, await stock(scene));
            const before = await scene.package();
            assert.deepEqual([before.state, before.origin], ['ready', 'uploaded']);
            await goOn();
            await poll('the job has ended', () => own.log('package-outdated').length === 1);
            assert.deepEqual(await scene.package(), before);
            assert.deepEqual([own.log('package-put-back'), own.log('package-failed')], [[], []]);
        });

    test('that continues after the pair was forgotten: nothing comes back', async (t) => {
        const { own, scene, goOn } = await held(t);
        await put(scene, await stock(scene));
        await own.admin('DELETE', path(scene), null, { expect: 204 });
        await goOn();
        await poll('the job has ended', () => own.log('package-outdated').length === 1);
        assertProblem(await own.admin('GET', path(scene)), 404, 'package-not-found');
        await poll('its file is gone', async () => (await blobs(own)).filter((n) => /^blobs/.test(n)).length === 2);
    });
});

test('a kill between the file and its commit leaves nothing incomplete', { skip: !stopsBuildDir && 'no build with stop points' }, async (t) => {
    const own = await startServer(t, { build: stopsBuildDir });
    const scene = await Scene.build(own, { format: 'external' });
    const bytes = unknown(9);
    const file = join(own.dataDir, 'blobs', sha256(bytes).slice(0, 2), sha256(bytes));
    own.env = { DFOTA_STOP: 'upload-renamed' };
    await own.restart();
    const answered = put(scene, bytes).catch(() => null);
    await poll('it is held', () => own.log('stopped-at').length === 1);
    assert.ok(existsSync(file));
    await own.kill();
    assert.equal(await answered, null);
    own.env = {};
    await own.start();
    assertProblem(await own.admin('GET', path(scene)), 404, 'package-not-found');
    assert.ok(!existsSync(file));
    assert.equal((await put(scene, bytes)).status, 201);
    await own.restart({ hard: true });
    assert.equal((await scene.package()).sha256, sha256(bytes));
});

test('an upload that is cut off leaves nothing', async () => {
    const scene = await Scene.build(server);
    const earlier = await blobs();
    const { adminAddress: { host, port }, token } = server;
    const { connect } = await import('node:net');
    const socket = connect(port, host).on('error', () => {});
    socket.write(`PUT /api/v1${path(scene)}?by=Ann HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\nContent-Length: 150000\r\n\r\n`);
    socket.write(noiseImage({ seed: 4, size: 140_000 }));
    await poll('a part of it is on the disk', async () => (await blobs()).length > earlier.length);
    socket.resetAndDestroy();
    await poll('nothing of it is left', async () => (await blobs()).join() === earlier.join());
    assertProblem(await server.admin('GET', path(scene)), 404, 'package-not-found');
});
