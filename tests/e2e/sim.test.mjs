// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The simulator: the life of a module, its images, the requests of each client, its end, and many modules at once, against a
// server that says what the test wants.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { imeiWithCheckDigit, sha256 } from './lib/module.mjs';
import { buildDir } from './lib/server.mjs';
import {
    asPump, bsdiff, bytesOf, deliver, deliverRest, delta, file, idle, images, imei, makeImage, makePackages, onOld,
    pump, refusal, run, serve, sim, simJson, wait,
} from './lib/sim.mjs';

before(makePackages);

describe('generated images', () => {
    test('the same version, size and seed give the same bytes; any other gives others', async () => {
        assert.deepEqual(await makeImage('V1138', 'again'), images[1138]);
        assert.equal(images[1138].length, 614400);
        assert.notDeepEqual(await makeImage(1138, 'seed2', '--seed', 2), images[1138]);
        for (const size of [4096, 4097, 99999, 2_000_000])
            assert.equal((await makeImage('1.5.2', 'sized', '--size', size)).length, size);
    });

    test('a delta between near versions is small, between unrelated images it is not', async () => {
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

    test('a .binpkg is a sound release; the size of a delta follows the distance of the versions', async () => {
        for (const version of ['1138', '1147', '1162'])
            await makeImage(version, `${version}.binpkg`, '--size', 60_000);
        assert.deepEqual(await makeImage('1138', 'again.binpkg', '--size', 60_000), bytesOf('1138.binpkg'));
        assert.match((await run(join(buildDir, 'dfota'), ['inspect', '--brief', file('1138.binpkg')])).stdout, /"kind":"binpkg".*"wrong":null/);
        const size = async (a, b) => {
            const { status, stderr } = await run(join(buildDir, 'dfota'),
                ['diff', '--format', 'ec618-at', '--effort', 'quick', file(`${a}.binpkg`), file(`${b}.binpkg`), file('release.par')]);
            assert.equal(status, 0, stderr);
            return bytesOf('release.par').length;
        };
        const [first, second, direct] = [await size('1138', '1147'), await size('1147', '1162'), await size('1138', '1162')];
        assert.ok(first < second && second * 1.4 < direct, [first, second, direct].join());
        assert.equal((await sim('--make-image', '1', '--size', '4096', file('small.binpkg'))).status, 0);
    });

    test('a changed image does not name its version any more', async (t) => {
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

describe('one module', () => {
    test('asks, waits, gets its delta, applies it, reboots, asks again, and prints each step', async (t) => {
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

    test('--until VERSION ends after the next check-in, and ignores a further offer', async (t) => {
        const fake = await serve(t, [deliver(delta['1138-1147']), deliver(delta['1147-1162'])]);
        const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--until', 'V1147');
        assert.deepEqual([status, module.outcome, module.version, module.asks], [0, 'reached', '1147', 2]);
    });

    test('--know names the versions of other images, and they are sent as written', async (t) => {
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

    test('an image of unknown version ends it', async (t) => {
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

    test('a URL with a path gets the query directly after it', async (t) => {
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

describe('refusals', () => {
    for (const code of [3, 17, 21, 25, 26, 40, 44, 404]) {
        test(`${code} is final`, async (t) => {
            const fake = await serve(t, () => refusal(code));
            const { status, json: { items: [module] } } = await simJson(...onOld(fake));
            assert.deepEqual([status, module.outcome, module.last_code, module.asks], [1, 'refused', code, 1]);
        });
    }

    test('a code counts whatever the HTTP status is', async (t) => {
        const fake = await serve(t, [refusal(43, '503 Service Unavailable'), refusal(27, '404 Not Found')]);
        assert.equal((await sim(...onOld(fake))).status, 0);
    });

    test('--asks N asks N times, whatever the answers are', async (t) => {
        const fake = await serve(t, [wait, refusal(21), idle, idle]);
        const { status, json: { items: [module] } } = await simJson(...onOld(fake), '--asks', 4);
        assert.deepEqual([status, module.outcome, module.asks, module.waits, fake.requests.length], [0, 'asked', 4, 1, 4]);
    });

    test('--until with --asks waits for a target that is set later, and not longer than given', async (t) => {
        const late = await serve(t, [idle, idle, deliver(delta['1138-1162']), idle]);
        assert.equal((await sim(...onOld(late), '--until', '1162', '--asks', 9)).status, 0);
        const never = await serve(t, () => idle);
        assert.equal((await sim(...onOld(never), '--until', '1162', '--asks', 3)).status, 1);
        assert.equal(never.requests.length, 3);
    });

    test('staying at another version than wanted is a failure', async (t) => {
        for (const words of [['--until', '1162'], ['--expect', '1162']])
            assert.equal((await sim(...onOld(await serve(t, [idle])), ...words)).status, 1);
        assert.equal((await sim(...onOld(await serve(t, [refusal(21)])), '--expect', '1138')).status, 0);
    });
});

describe('many modules', () => {
    test('run at the same time with limited exchanges at once, each with its own valid IMEI', async (t) => {
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

    test('the summary counts outcomes, and one failure decides the exit status', async (t) => {
        const fake = await serve(t, ({ query }) => query.get('imei') === imei ? refusal(21)
            : query.get('version') === '1162' ? idle : deliver(delta['1138-1162']));
        const { status, stdout } = await sim(...onOld(fake), '--count', 3, '--until', '1162', '--quiet');
        assert.equal(status, 1);
        assert.equal(stdout, '3 modules: 2 reached, 1 refused; 5 asks, 2 packages applied, '
            + `${2 * delta['1138-1162'].length} bytes; 2 as wanted\n`);
    });
});

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

    test('--help names every option of the man page', async () => {
        const { status, stdout } = await sim('--help');
        assert.equal(status, 0);
        const manual = readFileSync(new URL('../../man/dfota-sim.1', import.meta.url), 'latin1').replaceAll('\\-', '-');
        const options = [...stdout.matchAll(/^ {2}(?:-\w,|   ) --([a-z-]+)/gm)].map((m) => m[1]);
        assert.ok(options.length > 20);
        for (const option of options)
            assert.ok(manual.includes(`--${option}`), `--${option} is not in the manual`);
    });
});
