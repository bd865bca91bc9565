// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of dfotactl for products, firmware, images and packages, against an admin API played by the test.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import {
    FakeApi, airm2m, assertRun, deltaPackage, firmware, firmwarePath, image, problem, product, program, scratch,
} from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { sha256 } from './lib/module.mjs';

describe('products and firmware', () => {
    test('product add sends name and key', async (t) => {
        const api = await FakeApi.start(t);
        api.on('POST /products', { status: 201, body: product() });
        assertRun(await api.ctl('product', 'add', 'Village pumps'), 0);
        assertRun(await api.ctl('product', 'add', '水泵', '--key', 'pumps'), 0);
        assert.deepEqual(api.requests.map((r) => JSON.parse(r.body)), [{ name: 'Village pumps' }, { name: '水泵', product_key: 'pumps' }]);
        assert.equal(api.requests[0].headers['content-type'], 'application/json');
    });

    test('firmware set sends only the given options, "none" as null', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PATCH ${firmwarePath}`, firmware());
        await api.ctl('firmware', 'set', airm2m, '--format', 'bsdiff');
        await api.ctl('firmware', 'set', airm2m, '--format', 'none', '--max-package-bytes', '217088');
        await api.ctl('firmware', 'set', airm2m, '--max-package-bytes', '1');
        assert.deepEqual(api.requests.map((r) => JSON.parse(r.body)),
            [{ format: 'bsdiff' }, { format: null, max_package_bytes: 217088 }, { max_package_bytes: 1 }]);
    });

    test('a firmware without a format says which command sets one', async (t) => {
        const api = await FakeApi.start(t);
        const bare = firmware({ format: null, notice: 'no package format is set', fitting_format: 'ec618-at' });
        api.on(`GET ${firmwarePath}`, bare).on('GET /products/pumps/firmware', { items: [bare] });
        api.on(`PUT ${firmwarePath}/target`, bare);
        for (const args of [['firmware', 'show', airm2m], ['firmware', 'list'], ['target', 'set', airm2m, '1162']]) {
            const result = await api.ctl(...args);
            assertRun(result, 0, { err: new RegExp(`dfotactl firmware set ${airm2m} --format ec618-at\n$`) });
            assert.match(result.out, /^(notice: | +! )no package format is set$/m);
        }
        assertRun(await api.ctl('firmware', 'show', airm2m, '-o', 'json'), 0);
        const odd = "O'Hara 水泵";
        api.on(`GET /products/pumps/firmware/${odd}`, firmware({ firmware: odd, format: null }));
        const { err } = await api.ctl('firmware', 'show', odd);
        assert.match(err, /firmware set 'O'\\''Hara 水泵' --format/, 'as a shell takes it');
    });

    test('names are percent-encoded, whatever they contain', async (t) => {
        const api = await FakeApi.start(t);
        for (const name of ['水泵 1', '..', 'a%2Fb', 'x;y=z']) {
            api.on(`GET /products/pumps/firmware/${name}`, firmware({ firmware: name }));
            assertRun(await api.ctl('firmware', 'show', name), 0);
        }
        await api.ctl('firmware', 'show', 'a/b?c#d');
        assert.equal(api.requests.at(-1).raw, '/api/v1/products/pumps/firmware/a%2Fb%3Fc%23d');
    });

    test('target clear answers with a sentence', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`DELETE ${firmwarePath}/target`, { status: 204 });
        assertRun(await api.ctl('target', 'clear', airm2m), 0, { err: /has no target now/ });
    });
});

describe('images', () => {
    test('upload by file name: after asking, the file is streamed with its length', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const bytes = noiseImage({ seed: 1, size: 3_000_000 });
        const file = join(dir, '水泵_1138.1.2_LuatOS-SoC_EC618 &+%.bin');
        await writeFile(file, bytes);
        api.on('POST /products/pumps/images', { status: 201, body: image({ warnings: ['version 1147 has the same bytes: was a file renamed?'] }) });
        api.on(`GET ${firmwarePath}`, firmware());
        const result = await api.ctl('image', 'upload', file);
        assertRun(result, 0);
        const [request] = api.requests;
        assert.equal(request.query.get('filename'), '水泵_1138.1.2_LuatOS-SoC_EC618 &+%.bin');
        assert.equal(request.headers['content-length'], String(bytes.length));
        assert.equal(request.headers.expect, '100-continue');
        assert.equal(request.headers['content-type'], 'application/octet-stream');
        assert.ok(request.body.equals(bytes));
        assert.match(result.out, /1138 +653076 +abababababab +2026/);
        assert.match(result.out, /^ +warning: version 1147 has the same bytes: was a file renamed\?$/m);
    });

    test('upload from a pipe with firmware and version: length and digest are sent', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PUT ${firmwarePath}/images/1138`, { status: 201, body: image() }).on(`GET ${firmwarePath}`, firmware());
        const script = 'printf something | "$0" image upload /dev/stdin --firmware "$1" --version 1138';
        assertRun(await api.run(['-c', script, program, airm2m], { command: 'sh' }), 0);
        assert.equal(api.requests[0].headers['content-length'], '9');
        assert.equal(api.requests[0].headers['repr-digest'], `sha-256=:${createHash('sha256').update('something').digest('base64')}:`);
        assert.equal(String(api.requests[0].body), 'something');
    });

    test('an empty file is sent, and the server refuses it', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        await writeFile(join(dir, 'F_V1.bin'), '');
        api.on('POST /products/pumps/images', problem(422, 'invalid', 'the image is empty'));
        assertRun(await api.ctl('image', 'upload', join(dir, 'F_V1.bin')), 1, { err: /F_V1\.bin: the image is empty \(invalid\)/ });
        assert.equal(api.requests[0].headers['content-length'], '0');
    });

    test('after a refusal before the body, the body is not sent', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const file = join(dir, 'F_V1.bin');
        await writeFile(file, Buffer.alloc(20_000_000));
        let received = 0;
        api.on('early POST /products/pumps/images', ({ request }) => {
            request.on('data', (c) => { received += c.length; });
            return problem(413, 'too-large', 'at most 1000 bytes');
        });
        assertRun(await api.ctl('image', 'upload', file), 1, { err: /at most 1000 bytes \(too-large\)\n$/ });
        assert.equal(received, 0);
    });

    test('a refused file does not stop the others; any other failure does', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const files = ['a_V1.bin', 'b_V2.bin', 'c_V3.bin'].map((name) => join(dir, name));
        for (const file of files)
            await writeFile(file, file);
        api.on('POST /products/pumps/images', ({ query }) => query.get('filename') === 'b_V2.bin'
            ? problem(409, 'image-conflict', 'version 2 exists already') : { status: 201, body: image({ file_name: query.get('filename') }) });
        api.on(`GET ${firmwarePath}`, firmware({ format: null, fitting_format: 'ec618-at' }));
        const result = await api.ctl('image', 'upload', ...files);
        assertRun(result, 1, { err: /b_V2\.bin: version 2 exists already \(image-conflict\)\n(.*\n)*dfotactl: 2 of 3 files are uploaded\n$/ });
        assert.match(result.err, /firmware set AirM2M_780E_LTE_AT --format ec618-at/);
        assert.equal(result.out.trimEnd().split('\n').length, 3);
        const json = await api.ctl('image', 'upload', files[0], files[2], '-o', 'json');
        assertRun(json, 0);
        assert.equal(json.out, ['a_V1.bin', 'c_V3.bin'].map((n) => JSON.stringify(image({ file_name: n }), null, 2) + '\n').join(''));
        const missing = await api.ctl('image', 'upload', files[0], join(dir, 'none_V1.bin'), files[2]);
        assertRun(missing, 2, { err: /cannot read .*none_V1\.bin: No such/ });
        assert.equal(api.requests.filter((r) => r.query.get('filename') === 'c_V3.bin').length, 2);
    });

    test('progress is shown only on a terminal, and is removed at the end', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const file = join(dir, 'F_V1.bin');
        await writeFile(file, Buffer.alloc(1_000_000));
        api.on('POST /products/pumps/images', { status: 201, body: image() }).on(`GET ${firmwarePath}`, firmware());
        assert.equal((await api.ctl('image', 'upload', file)).err, '');
        const result = await api.run(['-qec', `'${program}' image upload '${file}'`, '/dev/null'], { command: 'script' });
        assert.equal(result.status, 0);
        assert.match(result.out, /\r\u001b\[K[^\n]*F_V1\.bin {2}\[[#.]{20}\] +\d+ % of 977 KB/);
        assert.match(result.out, /KB\r\u001b\[K[^\n]*FIRMWARE/);
    });

    test('image list without a firmware lists all', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware', { items: [firmware(), firmware({ firmware: 'other' })] });
        api.on(`GET ${firmwarePath}/images`, { items: [image()] });
        api.on('GET /products/pumps/firmware/other/images', { items: [image({ firmware: 'other', version: '2.1', kind: 'full', core: '2' })] });
        const table = await api.ctl('image', 'list');
        assertRun(table, 0);
        assert.match(table.out, /AirM2M_780E_LTE_AT +1138.*\nother +2\.1 [^\n]*\n.*full package, for core: 2$/ms);
        const json = await api.ctl('image', 'list', '-o', 'json');
        assert.deepEqual(JSON.parse(json.out), { items: [image(), image({ firmware: 'other', version: '2.1', kind: 'full', core: '2' })] });
    });
});

describe('downloads', () => {
    const bytes = noiseImage({ seed: 2, size: 700_000 });
    const content = { headers: { 'Content-Type': 'application/octet-stream' }, body: bytes };

    for (const [name, base, about, args] of [
        ['image get', `${firmwarePath}/images/1138`, image, ['image', 'get', airm2m, '1138']],
        ['package get', `${firmwarePath}/packages/1138/1162`, deltaPackage, ['package', 'get', airm2m, '1138', '1162']],
    ]) {
        const good = about({ size: bytes.length, sha256: sha256(bytes) });

        test(`${name} writes the bytes, also over an old file`, async (t) => {
            const api = await FakeApi.start(t);
            const dir = await scratch(t);
            api.on(`GET ${base}`, good).on(`GET ${base}/content`, content);
            for (let i = 0; i < 2; i++) {
                assertRun(await api.ctl(...args, join(dir, 'out')), 0);
                assert.ok((await readFile(join(dir, 'out'))).equals(bytes));
                await writeFile(join(dir, 'out'), 'old');
            }
            assert.deepEqual(await readdir(dir), ['out']);
        });

        test(`${name} continues a transfer that breaks`, async (t) => {
            const api = await FakeApi.start(t);
            const dir = await scratch(t);
            const step = 100_000;
            const seen = [];
            api.on(`GET ${base}`, good).on(`GET ${base}/content`, ({ headers, response }) => {
                const first = Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')[1]);
                seen.push([headers.range ?? null, headers['if-range'] ?? null]);
                response.writeHead(first ? 206 : 200, { 'Content-Length': bytes.length - first });
                if (first + step >= bytes.length)
                    response.end(bytes.subarray(first));
                else
                    response.write(bytes.subarray(first, first + step), () => response.destroy());
                return null;
            });
            assertRun(await api.ctl(...args, join(dir, 'out')), 0);
            assert.ok((await readFile(join(dir, 'out'))).equals(bytes));
            assert.deepEqual(await readdir(dir), ['out']);
            assert.ok(seen.length > 1 && seen.length <= 10, String(seen.length));
            assert.deepEqual(seen[0], [null, null]);
            assert.ok(seen.slice(1).every(([range, tag]) => /^bytes=[1-9]\d*-$/.test(range) && tag === `"${sha256(bytes)}"`), JSON.stringify(seen));
        });

        for (const [what, said, answer, expected, message] of [
            ['other bytes', good, { ...content, body: Buffer.from(bytes).fill(0, 1000, 1100) }, 3, /SHA-256/],
            ['fewer bytes', good, { ...content, body: bytes.subarray(1) }, 3, /received 699999 bytes, expected 700000/],
            ['half of the bytes', good, ({ response }) => {
                response.writeHead(200, { 'Content-Length': bytes.length });
                response.write(bytes.subarray(0, 1000), () => response.destroy());
                return null;
            }, 3, /the connection broke, and the server did not continue the file/],
            ['no byte', good, ({ response }) => {
                response.writeHead(200, { 'Content-Length': bytes.length });
                response.flushHeaders();
                setImmediate(() => response.destroy());
                return null;
            }, 3, /no answer|end/],
            ['a refusal', good, problem(409, 'package-oversize', 'it is too large'), 1, /too large \(package-oversize\)/],
            ['no SHA-256', { ...good, sha256: null }, content, 3, /does not tell the SHA-256/],
        ])
            test(`${name}: ${what}: no file is left, and an old file stays`, async (t) => {
                const api = await FakeApi.start(t);
                const dir = await scratch(t);
                api.on(`GET ${base}`, said).on(`GET ${base}/content`, answer);
                assertRun(await api.ctl(...args, join(dir, 'out')), expected, { err: message });
                assert.deepEqual(await readdir(dir), []);
                await writeFile(join(dir, 'out'), 'old');
                await api.ctl(...args, join(dir, 'out'));
                assert.equal(await readFile(join(dir, 'out'), 'utf8'), 'old');
                assert.deepEqual(await readdir(dir), ['out']);
            });

        test(`${name}: a target that is not a regular file is not replaced`, async (t) => {
            const api = await FakeApi.start(t);
            const dir = await scratch(t);
            api.on(`GET ${base}`, good).on(`GET ${base}/content`, content);
            assertRun(await api.ctl(...args, '/dev/null'), 2, { err: /not a regular file/ });
            assertRun(await api.ctl(...args, dir), 2, { err: /not a regular file/ });
            assertRun(await api.ctl(...args, join(dir, 'none', 'out')), 2, { err: /cannot write/ });
        });
    }
});

describe('settings of an image', () => {
    const path = `${firmwarePath}/images/1138`;
    test('withdraw, restore, waypoint and delete send the given options', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PATCH ${path}`, image({ withdrawn: { at: 1, reason: 'bad' } })).on(`DELETE ${path}`, { status: 204 }).on(`GET ${firmwarePath}`, firmware());
        assertRun(await api.ctl('image', 'withdraw', airm2m, '1138', '--reason', '掉卡'), 0);
        assertRun(await api.ctl('image', 'restore', airm2m, '1138'), 0);
        assertRun(await api.ctl('image', 'waypoint', airm2m, '1138', 'required', '--reason', 'why'), 0);
        assertRun(await api.ctl('image', 'waypoint', airm2m, '1138', 'allowed'), 0);
        assertRun(await api.ctl('image', 'delete', '--yes', airm2m, '1138'), 0, { err: /version 1138 of .* is deleted/ });
        assert.deepEqual(api.requests.filter((r) => r.route === `PATCH ${path}`).map((r) => JSON.parse(r.body)),
            [{ withdrawn: true, reason: '掉卡' }, { withdrawn: false }, { waypoint: 'required', reason: 'why' }, { waypoint: 'allowed' }]);
        assert.equal(api.asked.at(-1), `DELETE ${path}`);
        assertRun(await api.ctl('image', 'withdraw', airm2m, '1138'), 2, { err: /needs --reason/ });
    });

    test('withdrawing the target prints that there is no target any more', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PATCH ${path}`, () => {
            api.on(`GET ${firmwarePath}`, firmware({ target: null }));
            return image();
        }).on(`GET ${firmwarePath}`, firmware());
        assertRun(await api.ctl('image', 'withdraw', airm2m, '1138', '--reason', 'x'), 0, { err: /it was the target: .* has no target now/ });
    });

    test('the reason is shown under the image in the list', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${firmwarePath}/images`, { items: [
            image({ withdrawn: { at: 1, reason: 'bad\u001b[31m' } }), image({ waypoint: 'forbidden' }), image({ waypoint: 'required', waypoint_reason: 'settings' }),
        ] });
        const { out } = await api.ctl('image', 'list', airm2m);
        assert.match(out, /^ +warning: withdrawn: bad\\x1b\[31m$/m);
        assert.match(out, /^ +warning: no path stops at this version$/m);
        assert.match(out, /^ +warning: every path past this version stops at it: settings$/m);
        assert.deepEqual(JSON.parse((await api.ctl('image', 'list', airm2m, '-o', 'json')).out).items[1].warnings, []);
    });

    test('firmware set --downgrades is yes or no', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PATCH ${firmwarePath}`, firmware({ downgrades: true }));
        assertRun(await api.ctl('firmware', 'set', airm2m, '--downgrades', 'yes'), 0);
        assertRun(await api.ctl('firmware', 'set', airm2m, '--downgrades', 'no', '--format', 'none'), 0);
        assertRun(await api.ctl('firmware', 'set', airm2m, '--downgrades', 'maybe'), 2, { err: /--downgrades takes yes or no, not 'maybe'/ });
        assert.deepEqual(api.requests.map((r) => JSON.parse(r.body)), [{ downgrades: true }, { downgrades: false, format: null }]);
    });
});

describe('packages and waiting', () => {
    const path = `${firmwarePath}/packages/1138/1162`;

    // A package that goes through these states, one per GET; the last one stays.
    const through = (...states) => {
        let i = 0;
        return () => ({ ...deltaPackage({ size: null, sha256: null, finished_at: null }), ...states[Math.min(i++, states.length - 1)] });
    };
    const asked = { state: 'queued' };
    const generating = { state: 'generating' };
    const ready = deltaPackage();

    test('make without --wait returns at once', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) });
        const result = await api.ctl('package', 'make', airm2m, '1138', '1162');
        assertRun(result, 0);
        assert.match(result.out, /^State +queued$/m);
        assert.equal(api.requests[0].headers['content-length'], '0');
        assert.equal(api.requests.length, 1);
    });

    for (const [last, expected, message] of [
        [ready, 0, /^$/],
        [deltaPackage({ state: 'failed', error: 'the worker was killed three times' }), 4, /1138→1162 is failed: the worker was killed/],
        [deltaPackage({ state: 'oversize', size: 500000, error: '500000 bytes are over the limit' }), 4, /is oversize: 500000 bytes/],
    ])
        test(`--wait ends with ${expected} when the package is ${last.state}`, async (t) => {
            for (const command of ['make', 'show']) {
                const api = await FakeApi.start(t);
                api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) });
                api.on(`GET ${path}`, through(asked, generating, last));
                const result = await api.ctl('package', command, airm2m, '1138', '1162', '--wait', '-o', 'json');
                assertRun(result, expected, { err: message });
                assert.deepEqual(JSON.parse(result.out), last);
                assert.equal(api.requests.filter((r) => r.method === 'GET').length, 3);
            }
        });

    test('--wait gives up after --timeout, and pauses between its questions', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) }).on(`GET ${path}`, deltaPackage(generating));
        const result = await api.ctl('package', 'make', airm2m, '1138', '1162', '--wait', '--timeout', '2');
        assertRun(result, 4, { err: /time has passed, and the package 1138→1162 is still generating/ });
        assert.match(result.out, /^State +generating$/m);
        assert.ok(api.requests.length >= 2 && api.requests.length <= 12, `${api.requests.length} requests`);
    });

    test('--wait ends when the server is gone', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) });
        api.on(`GET ${path}`, ({ request }) => { request.socket.destroy(); return null; });
        assertRun(await api.ctl('package', 'make', airm2m, '1138', '1162', '--wait'), 3, { err: /no answer/ });
    });

    test('a missing format is refused, and the text says what to do', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, problem(409, 'format-not-set', 'the firmware has no package format'));
        api.on(`GET ${firmwarePath}`, firmware({ format: null, fitting_format: 'ec618-at' }));
        const result = await api.ctl('package', 'make', airm2m, '1138', '1162', '--wait');
        assertRun(result, 1, { err: /no package format \(format-not-set\)\n$/ });
        assert.match(result.err, /dfotactl firmware set AirM2M_780E_LTE_AT --format ec618-at/);
    });

    test('get --wait waits, then downloads', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const bytes = Buffer.from('BSDIFF40');
        api.on(`GET ${path}`, through(generating, deltaPackage({ size: 8, sha256: sha256(bytes) })));
        api.on(`GET ${path}/content`, { headers: {}, body: bytes });
        assertRun(await api.ctl('package', 'get', airm2m, '1138', '1162', join(dir, 'p'), '--wait'), 0);
        assert.equal(await readFile(join(dir, 'p'), 'utf8'), 'BSDIFF40');
    });

    test('--wait goes on for a package a little over the limit while a smaller one may follow', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${path}`, through(deltaPackage({ state: 'oversize', improving: true }), deltaPackage({ improving: true, effort: 'good' })));
        const { status, out } = await api.ctl('package', 'show', airm2m, '1138', '1162', '--wait');
        assert.equal(status, 0);
        assert.match(out, /^Effort +good$/m);
        assert.match(out, /^Improving +yes$/m);
    });

    test('the log shows the output of an external command line by line, without control characters', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${path}`, through(deltaPackage({ log: 'packing ...\n\u001b[31mdone\n' }), deltaPackage({ log: null })));
        const said = await api.ctl('package', 'log', airm2m, '1138', '1162');
        assert.deepEqual([said.status, said.out], [0, 'packing ...\n\\x1b[31mdone\n']);
        const nothing = await api.ctl('package', 'log', airm2m, '1138', '1162');
        assert.deepEqual([nothing.status, nothing.out], [0, '']);
    });

    test('the list shows why a package cannot be served', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${firmwarePath}/packages`, { items: [deltaPackage(), deltaPackage({ from: '1125', state: 'oversize', error: 'larger than the limit' })] });
        const { out } = await api.ctl('package', 'list', airm2m);
        assert.match(out, /oversize.*\n +! larger than the limit$/m);
    });
});
