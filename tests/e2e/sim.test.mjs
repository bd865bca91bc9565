// The simulator against a server that says what the test wants: a script of answers on a raw socket. What it must do
// with real packages, made by stock bsdiff and by dfota, and what it must not put up with.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { messages } from './lib/judge.mjs';
import { imeiWithCheckDigit } from './lib/module.mjs';
import { buildDir } from './lib/server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'dfota-sim-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const file = (name) => join(dir, name);
const bytesOf = (name) => readFileSync(file(name));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Runs a command to its end. A module that waits between two asks does so briefly.
function run(command, words) {
    return new Promise((done, failed) => {
        execFile(command, words.map(String), { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
            if (/runtime error|Sanitizer/.test(stderr))
                failed(new Error(stderr));
            const lines = stdout.split('\n').slice(0, -1);
            done({ status: error ? error.code : 0, signal: error?.signal ?? null, stdout, stderr, lines });
        });
    });
}
const sim = (...words) => run(join(buildDir, 'dfota-sim'), words);

async function simJson(...words) {
    const result = await sim(...words, '-o', 'json');
    assert.equal(result.signal, null, result.stderr);
    return { ...result, json: JSON.parse(result.stdout) };
}

async function makeImage(version, name, ...words) {
    const result = await sim('--make-image', version, ...words, file(name));
    assert.equal(result.status, 0, result.stderr);
    return bytesOf(name);
}

async function bsdiff(oldName, newName, name) {
    const { status, stderr } = await run('bsdiff', [file(oldName), file(newName), file(name)]);
    assert.equal(status, 0, stderr);
    return bytesOf(name);
}

// ---- A server that does as it is told -------------------------------------------------------------------------------

const head = (status, body, ...lines) => Buffer.from(
    [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, 'Connection: close', ...lines].join('\r\n') + '\r\n\r\n', 'latin1');
const answer = (status, body, ...lines) => Buffer.concat([head(status, Buffer.from(body), ...lines), Buffer.from(body)]);

const refusal = (code, status = '400 Bad Request') => answer(status, JSON.stringify({ code, msg: messages.get(code) ?? 'no' })
    .replace(/[^ -~]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')), 'Content-Type: application/json');
const wait = refusal(43);
const idle = refusal(27);
const deliver = (bytes) => answer('200 OK', bytes, 'Content-Type: application/octet-stream');
const deliverRest = (bytes, from) =>
    answer('206 Partial Content', bytes.subarray(from), `Content-Range: bytes ${from}-${bytes.length - 1}/${bytes.length}`);
const json = (value) => answer('200 OK', JSON.stringify(value), 'Content-Type: application/json');

// `script`: answers in order, one for each connection, or a function from the request to one. An answer is bytes, or
// {parts, ending} with ending 'fin', 'open' or 'reset'. `requests` are all that came, `most` how many were open at a time.
async function serve(t, script) {
    const requests = [];
    const sockets = new Set();
    let inHand = 0;
    const server = net.createServer(async (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket)).on('error', () => {});
        const request = await readRequest(socket);
        inHand += 1;
        fake.most = Math.max(fake.most, inHand);
        requests.push(request);
        const said = typeof script === 'function' ? await script(request, requests.length - 1) : script[requests.length - 1];
        const { parts, ending = 'fin' } = Buffer.isBuffer(said) ? { parts: [said] } : said ?? { parts: [] };
        for (const [i, part] of parts.entries()) {
            await new Promise((next) => socket.write(part, () => next()));
            if (i + 1 < parts.length) // the gap between two segments is what is being sent
                await new Promise((next) => setTimeout(next, 25));
        }
        inHand -= 1;
        if (ending === 'fin')
            socket.end();
        else if (ending === 'reset')
            socket.resetAndDestroy();
    });
    server.listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    t.after(() => {
        for (const socket of sockets)
            socket.destroy();
        server.close();
    });
    const fake = { requests, most: 0, url: `http://127.0.0.1:${server.address().port}` };
    return fake;
}

function readRequest(socket) {
    return new Promise((done) => {
        let bytes = Buffer.alloc(0);
        socket.on('data', (more) => {
            bytes = Buffer.concat([bytes, more]);
            const end = bytes.indexOf('\r\n\r\n');
            if (end < 0)
                return;
            const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
            const header = (name) => lines.find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
            if (bytes.length - end - 4 < Number(header('Content-Length') ?? 0))
                return;
            const [method, target] = first.split(' ');
            done({
                method, target, first, lines, header, body: bytes.toString('utf8', end + 4),
                query: new URLSearchParams(target.split('?')[1] ?? ''),
                from: header('Range') === null ? null : Number(/^bytes=(\d+)-$/.exec(header('Range'))[1]),
            });
        });
    });
}

const imei = '866597071234569';
const pump = (fake) => ['--url', fake.url, '--product-key', 'pumps', '--firmware', 'pump', '--imei', imei];
const asPump = (fake) => [...pump(fake), '--interval', '0.01'];
const onOld = (fake) => [...asPump(fake), '--image', file('1138')];

let images, delta;
before(async () => {
    images = {
        1138: await makeImage(1138, '1138'), 1147: await makeImage(1147, '1147'), 1162: await makeImage(1162, '1162'),
    };
    delta = {
        '1138-1147': await bsdiff('1138', '1147', 'a.patch'),
        '1147-1162': await bsdiff('1147', '1162', 'b.patch'),
        '1138-1162': await bsdiff('1138', '1162', 'c.patch'),
    };
});

// ---- Images ---------------------------------------------------------------------------------------------------------

describe('generated images', () => {
    test('the same version, size and seed give the same bytes; any other gives others', async () => {
        assert.deepEqual(await makeImage('V1138', 'again'), images[1138]);
        assert.equal(images[1138].length, 614400);
        assert.notDeepEqual(await makeImage(1138, 'seed2', '--seed', 2), images[1138]);
        for (const size of [4096, 4097, 99999, 2_000_000])
            assert.equal((await makeImage('1.5.2', 'sized', '--size', size)).length, size);
    });

    test('a delta between near versions is small, between strangers it is not', async () => {
        await makeImage(1139, '1139');
        await makeImage('1.5.0', '1.5.0');
        await makeImage('1.5.2', '1.5.2');
        await makeImage('9000', '9000');
        await makeImage(1138, 'stranger', '--seed', 77);
        const size = async (a, b) => (await bsdiff(a, b, 'size.patch')).length;
        assert.ok(await size('1138', '1139') < 50_000);
        assert.ok(await size('1.5.0', '1.5.2') < 50_000);
        assert.ok(await size('1138', '1162') < 100_000);
        assert.ok(await size('1138', '1139') < await size('1138', '1162'));
        assert.ok(await size('1138', '9000') > 100_000);
        assert.ok(await size('1138', 'stranger') > 200_000);
    });

    test('an altered one no longer says what it is', async (t) => {
        const fake = await serve(t, [idle]);
        const altered = Buffer.from(images[1138]);
        altered[300_000] ^= 1;
        writeFileSync(file('altered'), altered);
        const { status, stderr } = await sim(...asPump(fake), '--image', file('altered'));
        assert.equal(status, 2);
        assert.match(stderr, /which version/);
        assert.equal(fake.requests.length, 0);
    });
});

// ---- A life ---------------------------------------------------------------------------------------------------------

describe('one module', () => {
    test('asks, waits, gets its delta, applies it, reboots, asks again, and tells each step', async (t) => {
        const fake = await serve(t, [wait, wait, deliver(delta['1138-1162']), idle]);
        const { status, lines } = await sim(...onOld(fake), '--expect', '1162');
        assert.deepEqual(lines, [
            `${imei} asks from 1138`, '→ 43 please wait',
            `${imei} asks from 1138`, '→ 43 please wait',
            `${imei} asks from 1138`, `→ 200, ${delta['1138-1162'].length} bytes`,
            `100 %, ${delta['1138-1162'].length} bytes`,
            `applied: sha256 ${sha256(images[1162])}, 614400 bytes`, 'reboots into 1162',
            `${imei} asks from 1162`, '→ 27 up to date',
            `${imei} ends at 1162: idle, 27 up to date`,
        ]);
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.query.get('version')), ['1138', '1138', '1138', '1162']);
        assert.ok(fake.requests.every((r) => r.method === 'GET' && r.header('Host') === fake.url.slice(7) && r.from === null));
    });

    test('goes on over a waypoint, with packages of dfota', async (t) => {
        const made = await run(join(buildDir, 'dfota'), ['diff', file('1147'), file('1162'), file('own.patch')]);
        assert.equal(made.status, 0, made.stderr);
        const fake = await serve(t, [deliver(delta['1138-1147']), deliver(bytesOf('own.patch')), idle]);
        const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual([module.outcome, module.version, module.sha256, module.packages],
            ['reached', '1162', sha256(images[1162]), 2]);
    });

    test('--until VERSION ends once the server was told by an ask, and a further offer is left alone', async (t) => {
        const fake = await serve(t, [deliver(delta['1138-1147']), deliver(delta['1147-1162'])]);
        const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--until', 'V1147');
        assert.deepEqual([status, module.outcome, module.version, module.asks], [0, 'reached', '1147', 2]);
    });

    test('images of others are known by --know, and their versions are sent as they are written', async (t) => {
        const [a, b] = [noiseImage({ seed: 5, size: 40_000 }), noiseImage({ seed: 5, size: 41_000 })];
        writeFileSync(file('a'), a);
        writeFileSync(file('b'), b);
        const fake = await serve(t, [deliver(await bsdiff('a', 'b', 'ab')), idle]);
        const { status, json: { items: [module] } } = await simJson(...asPump(fake), '--version', '2046.001.000',
            '--know', `2046.001.000=${file('a')}`, '--know', `2046.002.000=${file('b')}`, '--expect', '2046.2.0');
        assert.equal(status, 0);
        assert.equal(module.sha256, sha256(b));
        assert.deepEqual(fake.requests.map((r) => r.query.get('version')), ['2046.001.000', '2046.002.000']);
    });

    test('an image whose version nobody told ends it', async (t) => {
        const fake = await serve(t, [deliver(await bsdiff('a', 'b', 'ab')), idle]);
        const { status, json: { items: [module] } } = await simJson(...asPump(fake), '--version', '7', '--image', file('a'));
        assert.deepEqual([status, module.outcome, module.sha256], [1, 'unknown-image', sha256(bytesOf('b'))]);
    });
});

describe('how each client asks', () => {
    const path = '/api/site/firmware_upgrade';
    for (const [dialect, target, range] of [
        ['luatos', `${path}?project_key=pumps&firmware_name=p%C3%BCmp&version=1138&imei=${imei}`, null],
        ['luatos-2024', `${path}?project_key=pumps&imei=${imei}&device_key=&firmware_name=p%C3%BCmp&version=1138`, null],
        ['fota2', `${path}?imei=${imei}&project_key=pumps&firmware_name=p%C3%BCmp&version=1138`, null],
        ['air724', `${path}?project_key=pumps&imei=${imei}&firmware_name=p%C3%BCmp&core_version=1138&dfota=1&version=1.0.0`, 0],
        ['csdk', `${path}?project_key=pumps&imei=${imei}&device_key=&firmware_name=1138_p%C3%BCmp&version=1138`, null],
        ['at', `${path}?project_key=pumps&imei=${imei}&firmware_name=p%C3%BCmp&core_version=1138&dfota=1&version=0.0.0`, null],
    ]) {
        test(dialect, async (t) => {
            const fake = await serve(t, [idle]);
            const { status } = await sim('--url', fake.url, '--product-key', 'pumps', '--firmware', 'pümp', '--imei', imei,
                '--image', file('1138'), '--dialect', dialect);
            assert.equal(status, 0);
            assert.equal(fake.requests[0].first, `GET ${target} HTTP/1.1`);
            assert.equal(fake.requests[0].from, range);
        });
    }

    test('a URL with a path gets the query glued to it', async (t) => {
        const fake = await serve(t, [idle]);
        await sim(...onOld({ url: `${fake.url}/upgrade` }), '--dialect', 'fota2');
        assert.match(fake.requests[0].target, /^\/upgradeimei=\d{15}&project_key=pumps&/);
    });

    test('a module that always sends a Range takes 206 from the first byte', async (t) => {
        const fake = await serve(t, [deliverRest(delta['1138-1162'], 0), idle]);
        const { status } = await sim(...pump(fake), '--image', file('1138'), '--dialect', 'air724', '--expect', '1162');
        assert.equal(status, 0);
    });
});

// ---- Cuts -----------------------------------------------------------------------------------------------------------

describe('a lost connection', () => {
    const bytes = () => delta['1138-1162'];

    test('--cut-at hangs up there once and asks for the rest', async (t) => {
        const fake = await serve(t, ({ from }, n) =>
            n === 2 ? idle : from === null ? deliver(bytes()) : deliverRest(bytes(), from));
        const { status, json: { items: [module] }, stderr } =
            await simJson(...onOld(fake), '--cut-at', 10_001, '--expect', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.from), [null, 10_001, null]);
        assert.deepEqual([module.resumes, module.bytes, module.asks, module.sha256],
            [1, bytes().length, 2, sha256(images[1162])]);
        assert.match(stderr, /cut after 10001 bytes/);
        assert.match(stderr, new RegExp(`→ 206, ${bytes().length - 10_001} bytes, resuming at 10001`));
    });

    test('a server that goes away in the middle is asked for the rest', async (t) => {
        const whole = deliver(bytes());
        const fake = await serve(t, [
            { parts: [whole.subarray(0, whole.length - 5000)] }, deliverRest(bytes(), bytes().length - 5000), idle,
        ]);
        const { status } = await sim(...onOld(fake), '--expect', '1162');
        assert.equal(status, 0);
        assert.equal(fake.requests[1].from, bytes().length - 5000);
    });

    test('416 for the rest makes it begin anew', async (t) => {
        const fake = await serve(t, [
            deliver(bytes()), answer('416 Range Not Satisfiable', '{"code":416}', `Content-Range: bytes */${bytes().length}`),
            deliver(bytes()), idle,
        ]);
        const { status } = await sim(...onOld(fake), '--cut-at', 3000, '--expect', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.from), [null, 3000, null, null]);
    });

    test('five failures in a row are the end, and the network is to blame', async (t) => {
        const fake = await serve(t, () => ({ parts: [], ending: 'reset' }));
        const { status, json: { items: [module] } } = await simJson(...onOld(fake));
        assert.deepEqual([status, module.outcome, fake.requests.length], [3, 'unreachable', 5]);
    });

    test('a server in trouble is asked again', async (t) => {
        const trouble = answer('503 Service Unavailable', '{"code":503,"msg":"busy"}');
        const fake = await serve(t, [trouble, { parts: [] }, answer('502 Bad Gateway', '<html>'), idle]);
        assert.equal((await sim(...onOld(fake))).status, 0);
        assert.equal(fake.requests.length, 4);
    });
});

// ---- What a module refuses ------------------------------------------------------------------------------------------

describe('packages that a module refuses', () => {
    test('over the partition: read whole, then -1003; exactly its size passes', async (t) => {
        const { length } = delta['1138-1162'];
        const fake = await serve(t, [deliver(delta['1138-1162']), idle]);
        const { status, json: { items: [module] }, stderr } = await simJson(...onOld(fake), '--partition', length - 1);
        assert.equal(status, 1);
        assert.deepEqual([module.outcome, module.version, module.bytes, module.rejected, fake.requests.length],
            ['package-rejected', '1138', length, 1, 1]);
        assert.match(stderr, new RegExp(`100 %, ${length} bytes\nrefuses the package: -1003, ${length} bytes do not fit`));

        const roomy = await serve(t, [deliver(delta['1138-1162']), idle]);
        assert.equal((await sim(...onOld(roomy), '--partition', length)).status, 0);
    });

    test('the default partition holds 491520 bytes', async (t) => {
        for (const [size, why] of [[491_520, /-1003, (?!.*partition)/], [491_521, /-1003, 491521 bytes do not fit/]]) {
            const fake = await serve(t, [deliver(noiseImage({ seed: 1, size }))]);
            assert.match((await sim(...onOld(fake))).stdout, why);
        }
    });

    test('made for another base, damaged, or no package at all: the old image stays', async (t) => {
        const damaged = Buffer.from(delta['1138-1162']);
        damaged[damaged.length >> 1] ^= 0x55;
        for (const bytes of [delta['1147-1162'], damaged, delta['1138-1162'].subarray(0, 9000), images[1162].subarray(0, 5000)]) {
            const fake = await serve(t, [deliver(bytes), idle]);
            const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--asks', 2, '--expect', '1138');
            assert.equal(status, 0);
            assert.deepEqual([module.rejected, module.packages, module.sha256], [1, 0, sha256(images[1138])]);
            assert.deepEqual(fake.requests.map((r) => r.query.get('version')), ['1138', '1138']);
        }
    });
});

describe('answers that break modules', () => {
    const text = (lines, body = '') => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
    const ok = 'HTTP/1.1 200 OK', bad = 'HTTP/1.1 400 Bad Request', close = 'Connection: close', twelve = '{"code": 27}';
    for (const [what, said, why] of [
        ['no length', text([bad, close], twelve), /no Content-Length/],
        ['a length in small letters', text([bad, 'content-length: 12', close], twelve), /other letters/],
        ['two lengths', text([bad, 'Content-Length: 12', 'Content-Length: 12', close], twelve), /two/],
        ['too long a length', text([bad, 'Content-Length: x', close], twelve), /no number/],
        ['more than the length', text([bad, 'Content-Length: 11', close], twelve), /more bytes/],
        ['chunks', text([ok, 'Transfer-Encoding: chunked', close], '3\r\nabc\r\n0\r\n\r\n'), /chunks/],
        ['an empty head', text([bad]), /empty head/],
        ['no promise to close', text([bad, 'Content-Length: 12'], twelve), /Connection: close/],
        ['an empty 200', text([ok, 'Content-Length: 0', close]), /empty file/],
        ['204', text(['HTTP/1.1 204 No Content', 'Content-Length: 0', close]), /neither/],
        ['a redirect', text(['HTTP/1.1 302 Found', 'Location: /x', 'Content-Length: 0', close]), /redirect/],
        ['a 200 with JSON', json({ code: 27 }), /JSON/],
        ['a 200 with JSON that does not say so', text([ok, 'Content-Length: 12', close], twelve), /JSON/],
        ['no reason phrase', text(['HTTP/1.1 400', 'Content-Length: 12', close], twelve), /status line/],
        ['a header without a blank', text([bad, 'Content-Length:12', close], twelve), /Key: value/],
        ['a long head', text([bad, 'Content-Length: 12', close, `X-Long: ${'x'.repeat(700)}`], twelve), /700/],
        ['a head in two segments', { parts: [idle.subarray(0, 30), idle.subarray(30)] }, /segment/],
        ['206 to no Range', answer('206 Partial Content', 'abc', 'Content-Range: bytes 0-2/3'), /206/],
        ['a connection left open', { parts: [idle], ending: 'open' }, /stays open/],
    ]) {
        test(what, async (t) => {
            const fake = await serve(t, () => said);
            const { status, stdout } = await sim(...onOld(fake));
            assert.match(stdout, /module breaks: /);
            assert.match(stdout, why);
            assert.equal(status, 1);
            assert.equal(fake.requests.length, 1);
        });
    }

    for (const [what, rest, why] of [
        ['200 for the rest', () => deliver(delta['1138-1162']), /too long/],
        ['the rest from another byte', () => deliverRest(delta['1138-1162'], 999), /another byte/],
        ['the rest of another package', () => deliverRest(delta['1138-1147'], 1000), /another size/],
        ['no range with the rest', () => answer('206 Partial Content', delta['1138-1162'].subarray(1000)), /Content-Range/],
    ]) {
        test(what, async (t) => {
            const fake = await serve(t, (_, n) => n === 0 ? deliver(delta['1138-1162']) : rest());
            const { status, stdout } = await sim(...onOld(fake), '--cut-at', 1000);
            assert.match(stdout, /module breaks: /);
            assert.match(stdout, why);
            assert.equal(status, 1);
        });
    }
});

// ---- When it ends ---------------------------------------------------------------------------------------------------

describe('refusals', () => {
    for (const code of [3, 17, 21, 25, 26, 40, 44, 404]) {
        test(`${code} is final`, async (t) => {
            const fake = await serve(t, () => refusal(code));
            const { status, json: { items: [module] } } = await simJson(...onOld(fake));
            assert.deepEqual([status, module.outcome, module.last_code, module.asks], [1, 'refused', code, 1]);
        });
    }

    test('a code counts whatever its status', async (t) => {
        const fake = await serve(t, [refusal(43, '503 Service Unavailable'), refusal(27, '404 Not Found')]);
        assert.equal((await sim(...onOld(fake))).status, 0);
    });

    test('--asks N asks N times, whatever comes', async (t) => {
        const fake = await serve(t, [wait, refusal(21), idle, idle]);
        const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--asks', 4);
        assert.deepEqual([status, module.outcome, module.asks, module.waits, fake.requests.length], [0, 'asked', 4, 1, 4]);
    });

    test('--until with --asks: it waits for a target that is set later, and no longer than said', async (t) => {
        const late = await serve(t, [idle, idle, deliver(delta['1138-1162']), idle]);
        assert.equal((await sim(...onOld(late), '--until', '1162', '--asks', 9)).status, 0);
        const never = await serve(t, () => idle);
        assert.equal((await sim(...onOld(never), '--until', '1162', '--asks', 3)).status, 1);
        assert.equal(never.requests.length, 3);
    });

    test('idle at another version than wanted is a failure', async (t) => {
        for (const words of [['--until', '1162'], ['--expect', '1162']])
            assert.equal((await sim(...onOld(await serve(t, [idle])), ...words)).status, 1);
        assert.equal((await sim(...onOld(await serve(t, [refusal(21)])), '--expect', '1138')).status, 0);
    });
});

// ---- Links ----------------------------------------------------------------------------------------------------------

describe('links', () => {
    const linked = ['--image', '1138', '--interval', '0.01'].map((w) => w === '1138' ? file('1138') : w);

    test('without a host the same link is asked again, whatever runs, and a repeated package is refused', async (t) => {
        const fake = await serve(t, [wait, deliver(delta['1138-1162']), deliver(delta['1138-1162']), idle]);
        const { status, json: { items: [module] } } = await simJson('--link', `${fake.url}/d/tok/1138`, ...linked, '--asks', 4);
        assert.equal(status, 0);
        assert.deepEqual([module.version, module.packages, module.rejected, module.reports], ['1162', 1, 1, 0]);
        assert.deepEqual(fake.requests.map((r) => r.first), Array(4).fill('GET /d/tok/1138 HTTP/1.1'));
    });

    test('without a host it has reached its version by booting it', async (t) => {
        const fake = await serve(t, [deliver(delta['1138-1162'])]);
        assert.equal((await sim('--link', `${fake.url}/d/tok/1138`, ...linked, '--until', '1162')).status, 0);
        assert.equal(fake.requests.length, 1);
    });

    test('a host reports the full name after each reboot and follows the next link', async (t) => {
        let fake;
        const says = (version) => JSON.stringify({ version });
        fake = await serve(t, ({ first, body }) => {
            switch (`${first.slice(0, -9)} ${body}`) {
            case 'GET /d/tok/1138 ':
                return deliver(delta['1138-1147']);
            case `POST /d/tok/report ${says('AirM2M_780E_V1147_LTE_AT')}`:
                return json({
                    confirmed_version: '1147', target: '1162',
                    next: { version: '1162', url: `${fake.url}/d/tok/1147`, at_commands: [], ready: true },
                });
            case 'GET /d/tok/1147 ':
                return deliver(delta['1147-1162']);
            case `POST /d/tok/report ${says('AirM2M_780E_V1162_LTE_AT')}`:
                return json({ confirmed_version: '1162', target: '1162', next: null });
            default:
                return refusal(404);
            }
        });
        const { status, lines } = await sim('--link', `${fake.url}/d/tok/1138`, ...linked, '--report', '--imei', imei,
            '--firmware', 'AirM2M_780E_LTE_AT', '--expect', '1162');
        assert.equal(status, 0, lines.join('\n'));
        assert.equal(fake.requests.length, 4);
        assert.ok(lines.includes(`${imei} reports AirM2M_780E_V1147_LTE_AT`));
        assert.ok(lines.includes('→ confirmed 1147'));
        assert.match(lines.at(-1), /ends at 1162: idle/);
    });

    test('a report in vain is repeated, a refused one is final', async (t) => {
        const again = await serve(t, [deliver(delta['1138-1162']), { parts: [] }, refusal(503, '503 Service Unavailable'),
            json({ confirmed_version: '1162', target: '1162', next: null })]);
        const words = (fake) =>
            ['--link', `${fake.url}/d/tok/1138`, ...linked, '--report', '--firmware', 'pump', '--until', '1162'];
        assert.equal((await sim(...words(again))).status, 0);
        assert.equal(again.requests.at(-1).body, '{"version":"pump_V1162"}');

        const refused = await serve(t, [deliver(delta['1138-1162']), refusal(422, '422 Unprocessable Content')]);
        const { json: { items: [module] } } = await simJson(...words(refused));
        assert.deepEqual([module.outcome, module.reports], ['refused', 0]);
    });

    test('a file of links as the server prints it: a module for each, on the image of its version', async (t) => {
        const fake = await serve(t, ({ target }) => {
            const [, , token, version] = target.split('/');
            return version === 'report' ? json({ confirmed_version: '1162', target: '1162', next: null })
                : token.startsWith('a') ? deliver(delta['1138-1162']) : deliver(delta['1147-1162']);
        });
        const rows = ['imei,version,url,report_url'];
        for (let i = 0; i < 10; i += 1)
            for (const [token, version] of [['a', 1138], ['b', 1147]])
                rows.push([
                    imeiWithCheckDigit(`866597071${version}${i}`), version, `${fake.url}/d/${token}${i}/${version}`,
                    `${fake.url}/d/${token}${i}/report`,
                ].join(','));
        writeFileSync(file('links.csv'), rows.join('\r\n') + '\r\n');
        const { status, json: summary } = await simJson('--links', file('links.csv'), '--report', '--firmware', 'pump', ...linked,
            '--know', `1147=${file('1147')}`, '--know', `1162=${file('1162')}`, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual([summary.modules, summary.as_wanted, summary.outcomes, summary.reports, summary.packages],
            [20, 20, { reached: 20 }, 20, 20]);
        assert.equal(new Set(summary.items.map((i) => i.module)).size, 20);
        assert.equal(fake.requests.filter((r) => r.method === 'POST').length, 20);
    });

    test('a file of bare URLs', async (t) => {
        const fake = await serve(t, () => deliver(delta['1138-1162']));
        writeFileSync(file('urls'), `${fake.url}/d/x/1138\n\n${fake.url}/d/y/1138`);
        const { status, lines } = await sim('--links', file('urls'), ...linked, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual(fake.requests.map((r) => r.target).sort(), ['/d/x/1138', '/d/y/1138']);
        assert.ok(lines.includes('module 2 reboots into 1162'));
    });
});

// ---- Many -----------------------------------------------------------------------------------------------------------

describe('many modules', () => {
    test('live side by side, no more exchanges at a time than said; each has its own valid IMEI', async (t) => {
        const asked = new Map();
        let release;
        const full = new Promise((next) => { release = next; });
        const fake = await serve(t, async ({ query }, n) => {
            if (n === 4) // five are here; a sixth that should not come gets the time to
                setTimeout(release, 100);
            await full;
            const id = query.get('imei');
            asked.set(id, (asked.get(id) ?? 0) + 1);
            return query.get('version') === '1162' ? idle : asked.get(id) < 3 ? wait : deliver(delta['1138-1162']);
        });
        const { status, json: summary, stderr } =
            await simJson(...onOld(fake), '--count', 60, '--parallel', 5, '--until', '1162');
        assert.equal(status, 0);
        assert.deepEqual([summary.as_wanted, summary.asks, summary.waits, summary.packages, summary.bytes],
            [60, 240, 120, 60, 60 * delta['1138-1162'].length]);
        assert.equal(fake.most, 5);
        assert.equal(asked.size, 60);
        for (const id of asked.keys())
            assert.equal(imeiWithCheckDigit(id.slice(0, 14)), id);
        for (const line of stderr.split('\n').slice(0, -1))
            assert.match(line, /^\d{15} ./);
    });

    test('the summary counts outcomes, and one that did not make it decides', async (t) => {
        const fake = await serve(t, ({ query }) => query.get('imei') === imei ? refusal(21)
            : query.get('version') === '1162' ? idle : deliver(delta['1138-1162']));
        const { status, stdout } = await sim(...onOld(fake), '--count', 3, '--until', '1162', '--quiet');
        assert.equal(status, 1);
        assert.equal(stdout, '3 modules: 2 reached, 1 refused; 5 asks, 2 packages applied, '
            + `${2 * delta['1138-1162'].length} bytes; 2 as wanted\n`);
    });
});

// ---- The command line -----------------------------------------------------------------------------------------------

describe('the command line', () => {
    const local = 'http://127.0.0.1:9';
    for (const [what, words, status] of [
        ['nothing', [], 2],
        ['an unknown option', ['--speed', '9'], 2],
        ['an option without its value', ['--url'], 2],
        ['an option twice', ['--link', `${local}/a`, '--link', `${local}/b`], 2],
        ['both a server and a link', ['--url', local, '--link', `${local}/a`, '--product-key', 'k', '--firmware', 'f'], 2],
        ['no firmware', ['--url', local, '--product-key', 'k'], 2],
        ['no image', ['--url', local, '--product-key', 'k', '--firmware', 'f', '--version', '1'], 2],
        ['a host without a link', ['--url', local, '--product-key', 'k', '--firmware', 'f', '--report'], 2],
        ['an unknown dialect', ['--url', local, '--product-key', 'k', '--firmware', 'f', '--dialect', 'morse'], 2],
        ['https', ['--link', 'https://127.0.0.1/a', '--version', '1'], 2],
        ['a bad version', ['--link', `${local}/a`, '--version', '1.x'], 2],
        ['a bad number', ['--link', `${local}/a`, '--asks', '0'], 2],
        ['an image that is not there', ['--link', `${local}/a`, '--image', '/nonexistent/image'], 3],
        ['a file of links that is not there', ['--links', '/nonexistent/links'], 3],
        ['a generated image too small', ['--make-image', '1', '--size', '100', '/nonexistent/image'], 2],
        ['a generated image nowhere', ['--make-image', '1', '/nonexistent/image'], 3],
        ['a generated image without a file', ['--make-image', '1'], 2],
    ]) {
        test(`${what}: exit ${status}`, async () => {
            const result = await sim(...words);
            assert.equal(result.status, status, result.stderr);
            assert.match(result.stderr, /^dfota-sim: [^\n]+\n$/);
            assert.equal(result.stdout, '');
        });
    }

    test('--help names every option of the manual', async () => {
        const { status, stdout } = await sim('--help');
        assert.equal(status, 0);
        const manual = readFileSync(new URL('../../man/dfota-sim.1', import.meta.url), 'latin1').replaceAll('\\-', '-');
        const options = [...stdout.matchAll(/^ {2}(?:-\w,|   ) --([a-z-]+)/gm)].map((m) => m[1]);
        assert.ok(options.length > 20);
        for (const option of options)
            assert.ok(manual.includes(`--${option}`), `--${option} is not in the manual`);
    });
});
