// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The command line of dfotactl: help, usage errors, address and token of the server, exit statuses, and what it
// prints. The test plays the admin API.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
    FakeApi, airm2m, assertRun, at, columns, deltaPackage, device, firmware, firmwarePath, image, link, problem, product, program,
    run, scratch, status, token,
} from './lib/ctl.mjs';

const manual = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'man', 'dfotactl.1');

// The column where each occurrence of a word begins.
const columnOf = (line, word) => columns(line.slice(0, line.indexOf(word)));

// The names of all commands, from the program's own help.
async function commandNames() {
    const { out } = await run(['--help']);
    return [...out.matchAll(/^ {2}([a-z][a-z-]*(?: [a-z]+)?)(?= |$)/gm)].map((m) => m[1]);
}

describe('help and the command line', () => {
    test('every command has help without a server and is in the man page', async () => {
        const names = await commandNames();
        const text = (await readFile(manual, 'utf8')).replaceAll('\\-', '-');
        assert.ok(names.length >= 22, names.join());
        for (const name of names) {
            const own = await run([...name.split(' '), '--help']);
            assertRun(own, 0);
            assert.match(own.out, new RegExp(`^Usage: dfotactl \\[options\\] ${name}`));
            assert.match(text, new RegExp(`^\\.B ${name}$|^\\.BI? "?${name}[ "]`, 'm'), `${name} is not in the man page`);
            for (const [option] of own.out.matchAll(/--[a-z-]+/g))
                assert.ok(text.includes(option), `${option} is not in the man page`);
        }
        for (const variable of ['DFOTA_URL', 'DFOTA_TOKEN', 'DFOTA_PRODUCT'])
            assert.ok(text.includes(variable));
    });

    test('help fits 80 columns, and every command has a summary of one line', async () => {
        for (const words of [[], ...(await commandNames()).map((name) => name.split(' '))]) {
            const { out } = await run([...words, '--help']);
            for (const line of out.split('\n'))
                assert.ok(columns(line) <= 80, line);
        }
        const lines = (await run(['--help'])).out.split('\n\n')[1].split('\n');
        for (const [i, line] of lines.entries())
            assert.ok(/^ {2}[a-z]/.test(line) || !/\S {2,}\S/.test(lines[i - 1]), `a second line: ${line}`);
    });

    test('the group of a command lists its commands', async () => {
        const { out } = await run(['image', '--help']);
        assert.match(out, /image upload/);
        assert.doesNotMatch(out, /package/);
    });

    test('--version before the command is the version of the program', async () => {
        const result = await run(['--version']);
        assertRun(result, 0);
        assert.match(result.out, /^dfotactl \d+\.\d+\.\d+\n$/);
    });

    for (const [args, message] of [
        [[], /a command is missing/], [['frobnicate'], /there is no command frobnicate/],
        [['image', 'frobnicate'], /there is no command image frobnicate/], [['status', 'now'], /takes no arguments, and 'now' is one/],
        [['image', 'upload'], /takes these arguments: FILE…/], [['package', 'show', 'F', '1'], /takes these arguments: FIRMWARE FROM TO/],
        [['device', 'links', 'F'], /needs --csv/], [['status', '--wait'], /status does not take --wait/], [['status', '--timeout', '1', '--timeout', '2'], /--timeout is given twice/],
        [['status', '--to', 'x'], /--to is the beginning of several options/], [['device', 'list', '--notice=1'], /--notice takes no argument/],
        [['--frobnicate', 'status'], /there is no option --frobnicate/], [['status', '-x'], /there is no option -x/],
        [['status', '-o', 'xml'], /--output takes table, wide, json or csv, not 'xml'/], [['status', '--timeout', 'soon'], /--timeout takes a whole number from 1 to 2592000, not 'soon'/],
        [['status', '--timeout', '0'], /whole number/], [['status', '--url'], /--url needs an argument: URL/],
        [['status', '--url', 'ftp://127.0.0.1/'], /not an address like/], [['status', '--url', 'http://u:p@127.0.0.1/'], /must not contain a user/],
        [['status', '--token', 'a b'], /printable ASCII/], [['status', '--token', ''], /empty/],
        [['firmware', 'set', 'F'], /needs at least one of --format/], [['device', 'show', ''], /empty/],
        [['firmware', 'set', 'F', '--max-package-bytes', '-1'], /whole number/],
        [['image', 'upload', 'a', '--firmware', 'F'], /must be used together/],
        [['image', 'upload', 'a', 'b', '--firmware', 'F', '--version', '1'], /take only one file/],
        [['image', 'upload', '/nonexistent/file'], /cannot read \/nonexistent/], [['image', 'upload', '/'], /directory/],
        [['device', 'links', 'F', '--csv', '/nonexistent'], /cannot read/],
    ])
        test(`usage: ${JSON.stringify(args)}`, async (t) => {
            const api = await FakeApi.start(t);
            const result = await api.run(args);
            assertRun(result, 2, { err: /^dfotactl: [^\n]+\n$/ });
            assert.match(result.err, message);
            assert.deepEqual([result.out, api.asked], ['', []], 'nothing is printed or asked');
        });

    test('a name that is not UTF-8 is refused before it is sent', async (t) => {
        const api = await FakeApi.start(t);
        const result = await api.run(['-c', `exec "$0" product add "$(printf 'a\\377')"`, program], { command: 'sh' });
        assertRun(result, 2, { err: /not valid UTF-8/ });
        assert.deepEqual(api.asked, []);
    });

    test('options may come before and after the command; "--" ends them', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware/-f', firmware({ firmware: '-f' }));
        assertRun(await api.ctl('-o', 'json', 'firmware', 'show', '--timeout', '30', '--', '-f'), 0);
    });
});

describe('where the server is, and who asks', () => {
    test('without a token it says where to find one', async (t) => {
        const api = await FakeApi.start(t);
        assertRun(await api.run(['status'], { env: { DFOTA_TOKEN: '' } }), 2, { err: /admin\.token.*DFOTA_TOKEN/ });
    });

    test('the token comes from option, file or environment, in this order, and is not in the process list', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        await writeFile(join(dir, 'admin.token'), '  from-a-file \n');
        let child, listed = '';
        api.on('GET /status', async () => {
            listed += await readFile(`/proc/${child.pid}/cmdline`, 'latin1');
            return status;
        });
        const during = (c) => { child = c; };
        for (const [args, expected] of [
            [['--token', 'by-option', 'status'], 'by-option'], [['status', '--token=by-option'], 'by-option'],
            [['--token-file', join(dir, 'admin.token'), 'status'], 'from-a-file'], [['status'], token],
        ]) {
            assertRun(await api.run(args, { during }), 0);
            assert.equal(api.requests.at(-1).headers.authorization, `Bearer ${expected}`);
        }
        assert.match(listed, /status/);
        assert.doesNotMatch(listed, /by-option/);
        assertRun(await api.ctl('status', '--token', 'a', '--token-file', 'b'), 2, { err: /cannot be used together/ });
        assertRun(await api.ctl('status', '--token-file', join(dir, 'none')), 2, { err: /cannot read/ });
        await writeFile(join(dir, 'empty'), '');
        assertRun(await api.ctl('status', '--token-file', join(dir, 'empty')), 2, { err: /is empty: a token/ });
    });

    test('an address may end with a slash or have a prefix', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        assertRun(await api.ctl('status', '--url', `${api.url}/`), 0);
        await api.ctl('status', '--url', `${api.url}/fota`);
        assert.deepEqual(api.requests.map((r) => r.raw), ['/api/v1/status', '/fota/api/v1/status']);
    });

    test('a proxy from the environment is not used for this machine', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        assertRun(await api.run(['status'], { env: { http_proxy: 'http://127.0.0.1:9', all_proxy: 'http://127.0.0.1:9' } }), 0);
    });

    test('the product is the given one, or else the only one', async (t) => {
        const api = await FakeApi.start(t);
        const env = { DFOTA_PRODUCT: '' };
        api.on('GET /products', { items: [product({ product_key: 'only' })] });
        for (const key of ['only', 'mine', 'pumps'])
            api.on(`GET /products/${key}/firmware`, { items: [] });
        assertRun(await api.run(['firmware', 'list'], { env }), 0);
        assertRun(await api.run(['firmware', 'list', '-p', 'mine']), 0);
        assertRun(await api.run(['firmware', 'list']), 0);
        assert.deepEqual(api.asked, ['GET /products', 'GET /products/only/firmware', 'GET /products/mine/firmware',
            'GET /products/pumps/firmware']);
    });

    test('no product and several products are told apart', async (t) => {
        const api = await FakeApi.start(t);
        const env = { DFOTA_PRODUCT: '' };
        api.on('GET /products', { items: [] });
        assertRun(await api.run(['firmware', 'list'], { env }), 2, { err: /no product yet; create one: dfotactl product add/ });
        api.on('GET /products', { items: [product(), product({ product_key: 'lamps' })] });
        assertRun(await api.run(['firmware', 'list'], { env }), 2, { err: /several products.*--product \(pumps, lamps\)/ });
        api.on('GET /products', { items: [{}] });
        assertRun(await api.run(['firmware', 'list'], { env }), 3, { err: /not understood/ });
    });
});

describe('exit status', () => {
    for (const [name, answer, expected, message] of [
        ['a refusal', problem(401, 'unauthorized', 'the token is wrong'), 1, /^dfotactl: the token is wrong \(unauthorized\)\n$/],
        ['an error of the server', problem(500, 'internal', 'it broke'), 1, /^dfotactl: it broke \(internal\)\n$/],
        ['a page of a proxy', { status: 502, body: '<html>Bad Gateway</html>' }, 3, /answered 502/],
        ['an error without a word', { status: 500 }, 3, /answered 500/],
        ['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:9/' } }, 3, /answered 302/],
        ['no JSON', { body: 'hello' }, 3, /not understood/],
        ['JSON that is no object', { body: '[1]' }, 3, /not understood/],
        ['nothing', { body: '' }, 3, /not understood/],
        ['half of what was announced', { body: '{}', headers: { 'Content-Length': 100 } }, 3, /no answer/],
        ['a NUL in a string', { body: '{"version":"a\\u0000b"}' }, 3, /not understood/],
    ])
        test(`${expected}: ${name}`, async (t) => {
            const api = await FakeApi.start(t);
            api.on('GET /status', answer.headers?.['Content-Length'] ? ({ response }) => {
                response.writeHead(200, answer.headers);
                response.write(answer.body, () => response.destroy());
                return null;
            } : answer);
            const result = await api.ctl('status');
            assertRun(result, expected, { err: message });
            assert.equal(result.out, '');
        });

    test('3: no server listens', async () => {
        const server = net.createServer();
        await new Promise((done) => server.listen(0, '127.0.0.1', done));
        const { port } = server.address();
        await new Promise((done) => server.close(done));
        const result = await run(['status', '--url', `http://127.0.0.1:${port}`, '--token', token]);
        assertRun(result, 3, { err: /^dfotactl: no answer from the server: .*\n$/ });
    });

    test('3: no answer within --timeout', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', () => null);
        assertRun(await api.ctl('status', '--timeout', '1'), 3, { err: /no answer/ });
    });

    test('2: what it prints cannot be written', { skip: !existsSync('/dev/full') && 'no /dev/full' }, async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        const result = await api.run(['-c', '"$0" status > /dev/full', program], { command: 'sh' });
        assertRun(result, 2, { err: /standard output/ });
    });
});

describe('what is printed', () => {
    test('columns are aligned with Chinese names', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products', { items: [
            product({ name: '水泵' }), product({ product_key: 'lamps', name: 'Lampes de la mairie é' }),
            product({ product_key: 'x', name: '村庄的水泵和路灯' }),
        ] });
        for (const locale of ['C', 'C.UTF-8', 'zh_CN.GB18030']) {
            const result = await api.run(['product', 'list'], { env: { LC_ALL: locale } });
            assertRun(result, 0);
            const lines = result.out.trimEnd().split('\n');
            assert.equal(lines.length, 4);
            assert.match(result.out, /村庄的水泵和路灯/);
            for (const line of lines.slice(1))
                assert.equal(columnOf(line, '2026-11-22'), columnOf(lines[0], 'CREATED'), result.out);
            assert.doesNotMatch(result.out, / $/m);
        }
    });

    test('times are UTC and end with Z', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products', { items: [product()] });
        const result = await api.run(['product', 'list'], { env: { TZ: 'Asia/Shanghai' } });
        assert.match(result.out, /2026-11-22 17:57:43Z/);
    });

    test('nothing that the server sends can control the terminal', async (t) => {
        const api = await FakeApi.start(t);
        const nasty = 'a\u001b]0;owned\u0007\u009b31m\r\n\u202eevil\u2066\u007f\u2028x';
        api.on('GET /products', { items: [product({ name: nasty })] });
        api.on('GET /products/pumps/devices/1', device({
            notice: nasty, warnings: [nasty], last_answer: { code: 21, reason: nasty, at },
            attempts: [{ attempt: 1, from: nasty, to: '2', state: nasty, reason: nasty, created_at: at }],
            links: [link({ url: nasty, created_at: at, revoked_at: null })],
        }));
        api.on('GET /status', problem(500, `i\u001b[2J`, nasty));
        api.on(`POST /products/pumps/devices/1/link`, { status: 201, body: link({ at_commands: [nasty] }) });
        for (const args of [['product', 'list'], ['product', 'list', '-o', 'json'], ['device', 'show', '1'],
            ['device', 'show', '1', '-o', 'json'], ['status'], ['device', 'link', '1'], ['show\u001b[2J'], ['status', '--x\u001b[2J']]) {
            const { out, err } = await api.run(args);
            assert.doesNotMatch(out + err, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e\u2066]/, args.join(' '));
            if (args[0] === 'product' && args.length === 2)
                assert.equal(out.trimEnd().split('\n').length, 2, 'a line stays a line');
        }
        const { out } = await api.run(['product', 'list', '-o', 'json']);
        assert.deepEqual(JSON.parse(out), { items: [product({ name: nasty })] });
    });

    test('an empty list says so', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products', { items: [] });
        const result = await api.run(['product', 'list']);
        assertRun(result, 0);
        assert.match(result.out, /^KEY +NAME +CREATED\n\(none\)\n$/);
    });

    for (const [args, route, answer] of [
        [['status'], 'GET /status', status],
        [['product', 'list'], 'GET /products', { items: [product()] }],
        [['product', 'add', '水泵'], 'POST /products', product({ name: '水泵' })],
        [['image', 'list', airm2m], `GET ${firmwarePath}/images`, { items: [image(), image({ version: '1162' })] }],
        [['firmware', 'list'], 'GET /products/pumps/firmware', { items: [firmware(), firmware({ target: null })] }],
        [['firmware', 'show', airm2m], `GET ${firmwarePath}`, firmware()],
        [['firmware', 'set', airm2m, '--format', 'bsdiff'], `PATCH ${firmwarePath}`, firmware()],
        [['target', 'set', airm2m, '1162'], `PUT ${firmwarePath}/target`, firmware()],
        [['missing-bases', airm2m], `GET ${firmwarePath}/missing-bases`, { items: [{ version: '1125', devices: 3 }] }],
        [['package', 'list', airm2m], `GET ${firmwarePath}/packages`, { items: [deltaPackage()] }],
        [['package', 'show', airm2m, '1138', '1162'], `GET ${firmwarePath}/packages/1138/1162`, deltaPackage()],
        [['package', 'make', airm2m, '1138', '1162'], `POST ${firmwarePath}/packages/1138/1162`, deltaPackage()],
        [['device', 'list'], 'GET /products/pumps/devices', { items: [device()] }],
        [['device', 'show', '866597071234567'], 'GET /products/pumps/devices/866597071234567', device()],
        [['device', 'unblock', 'mac:C8C2C68E1234'], 'POST /products/pumps/devices/mac:C8C2C68E1234/unblock', device()],
        [['device', 'link', '866597071234567'], 'POST /products/pumps/devices/866597071234567/link', link()],
    ])
        test(`${args.slice(0, 2).join(' ')}: asks ${route.split(' ')[0]}; json is the server's, the table fits 80 columns`, async (t) => {
            const api = await FakeApi.start(t);
            api.on(route, answer);
            const json = await api.ctl(...args, '-o', 'json');
            assertRun(json, 0);
            assert.equal(json.out, JSON.stringify(answer, null, 2) + '\n', 'pretty, members in the order they came');
            const table = await api.ctl(...args);
            assertRun(table, 0);
            for (const line of table.out.trimEnd().split('\n')) {
                assert.ok(columns(line) <= 80, line);
                assert.doesNotMatch(line, /undefined|null| $/);
            }
            assert.deepEqual(api.asked, [route, route]);
        });

    test('status in words', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        const { out } = await api.ctl('status');
        assert.match(out, /^Server version +0\.1\.0$/m);
        assert.match(out, /^Running for +1 d 3 h$/m);
        assert.match(out, /^Packages ready +7$/m);
        assert.doesNotMatch(out, /refused/);
    });

    test('status shows where new devices are refused', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', { ...status, admission_full: [
            { product: 'pumps', network: '192.0.2.0/24', devices: 7500 }, { product: 'lamps', network: null, devices: 10000 },
        ] });
        const { out } = await api.ctl('status');
        assert.match(out, /\n\nNew devices are refused \(code 21\) until the next day \(UTC\)\nPRODUCT +NETWORK +NEW DEVICES TODAY\n/);
        assert.match(out, /\npumps +192\.0\.2\.0\/24 +7500\nlamps +all networks +10000\n$/);
    });

    test('an option may be given before and after the command; the later one counts', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        assert.match((await api.ctl('-o', 'table', 'status', '-o', 'json')).out, /^\{/);
    });
});
