// dfotactl against an admin API that this file plays, so that every answer can be had: also those that a good server does
// not give. The last part is the same command line against the real dfotad.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { firmwareImage, noiseImage } from './lib/firmware.mjs';
import { bspatch, imeiWithCheckDigit, nextImei } from './lib/module.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const program = join(buildDir, 'dfotactl');
const manual = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'man', 'dfotactl.1');
const token = 'letmein-0123456789';
const at = 1795370263000; // 2026-11-22 17:57:43Z
const airm2m = 'AirM2M_780E_LTE_AT';
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Runs dfotactl, or another command; → {status, out, err}. `during` gets the running process.
function run(args, { env = {}, during = null, command = program } = {}) {
    return new Promise((done, failed) => {
        const child = spawn(command, args, {
            env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', LC_ALL: 'C', ...env },
            stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000,
        });
        const out = [], err = [];
        child.stdout.on('data', (c) => out.push(c));
        child.stderr.on('data', (c) => err.push(c));
        child.on('error', failed).on('close', (status, signal) => done({
            status: signal ?? status, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8'),
        }));
        during?.(child);
    });
}

// An admin API of answers: api.on('GET /products', {items: []}), or a function (request) → answer. A plain answer is the
// JSON of a 200; others are {status, headers, body}. What was asked is kept in api.requests.
class FakeApi {
    static async start(t) {
        const api = new FakeApi();
        api.routes = new Map();
        api.requests = [];
        api.server = http.createServer((request, response) => api.#take(request, response));
        api.server.on('checkContinue', (request, response) => api.#take(request, response));
        await new Promise((done) => api.server.listen(0, '127.0.0.1', done));
        api.url = `http://127.0.0.1:${api.server.address().port}`;
        t.after(() => new Promise((done) => {
            api.server.close(done);
            api.server.closeAllConnections();
        }));
        return api;
    }

    on(route, answer) {
        this.routes.set(route, answer);
        return this;
    }

    async #take(request, response) {
        const [path, query = ''] = request.url.split('?');
        const entry = {
            method: request.method, path: path.replace(/^\/api\/v1/, ''), raw: request.url, headers: request.headers,
            query: new URLSearchParams(query), body: Buffer.alloc(0), response, request,
        };
        entry.route = `${entry.method} ${decodeURIComponent(entry.path)}`;
        this.requests.push(entry);
        const early = this.routes.get(`early ${entry.route}`);
        if (!early) {
            if (request.headers.expect)
                response.writeContinue();
            const chunks = [];
            for await (const chunk of request)
                chunks.push(chunk);
            entry.body = Buffer.concat(chunks);
        }
        let answer = early ?? this.routes.get(entry.route) ?? problem(404, 'not-found', `no route ${entry.route}`);
        if (typeof answer === 'function')
            answer = await answer(entry, this);
        if (answer === null)
            return; // it answered by itself
        const { status = 200, headers = {}, body } = 'body' in answer || 'status' in answer ? answer : { body: answer };
        const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) || typeof body === 'string'
            ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
        response.writeHead(status, { 'Content-Length': bytes.length, Connection: 'close', ...headers });
        response.end(bytes);
    }

    ctl(...args) {
        return this.run(args);
    }

    run(args, { env = {}, ...more } = {}) {
        return run(args, { env: { DFOTA_URL: this.url, DFOTA_TOKEN: token, DFOTA_PRODUCT: 'pumps', ...env }, ...more });
    }

    get asked() {
        return this.requests.map((r) => r.route);
    }
}

function problem(status, code, detail) {
    return {
        status, headers: { 'Content-Type': 'application/problem+json' },
        body: { type: 'about:blank', title: 'No', status, code, detail },
    };
}

const product = (over) => ({ product_key: 'pumps', name: 'Village pumps', created_at: at, ...over });
const firmware = (over) => ({
    firmware: airm2m, format: 'bsdiff', max_package_bytes: 491520, target: '1162', images: 3, devices: 150, created_at: at,
    notice: null, ...over,
});
const image = (over) => ({
    firmware: airm2m, version: '1138', size: 653076, sha256: 'ab'.repeat(32), file_name: null, uploaded_at: at, warnings: [],
    ...over,
});
const deltaPackage = (over) => ({
    from: '1138', to: '1162', format: 'bsdiff', state: 'ready', size: 43059, sha256: 'cd'.repeat(32), limit: 491520,
    proven: true, crashes: 0, error: null, queued_at: at, finished_at: at, duration_ms: 830, ...over,
});
const device = (over) => ({
    device: '866597071234567', id_kind: 'imei', firmware: airm2m, confirmed_version: '1138', confirmed_at: at,
    confirmed_by: 'check-in', confirmed_authenticated: false, asked_version: '1138', first_seen_at: at, last_seen_at: at,
    check_ins: 7, last_answer: { code: 43, reason: 'the package 1138→1162 is being generated', at }, blocked: false,
    notice: null, warnings: [], links: [], attempts: [], ...over,
});
const link = (over) => ({
    link: 3, device: '866597071234567', id_kind: 'imei', firmware: airm2m, version: '1138',
    url: 'http://fota.example:8080/d/0a1b2c3d/1138', report_url: 'http://fota.example:8080/d/0a1b2c3d/report',
    at_commands: ['AT+UPGRADE="URL","http://fota.example:8080/d/0a1b2c3d/1138"', 'AT+UPGRADE'], warnings: [], ...over,
});
const status = {
    version: '0.1.0', uptime_ms: 98765432, products: 1, devices: 152,
    packages: { queued: 0, generating: 1, ready: 7, failed: 0 },
};
const firmwarePath = `/products/pumps/firmware/${airm2m}`;

// Columns on a terminal: East Asian wide characters take two.
const columns = (text) => [...text].reduce((sum, c) => sum + (/[\u1100-\u115f\u2e80-\uffdc]/.test(c) ? 2 : 1), 0);

// Where in columns each occurrence of a word begins.
const columnOf = (line, word) => columns(line.slice(0, line.indexOf(word)));

async function scratch(t) {
    const dir = await mkdtemp(join(tmpdir(), 'dfota-ctl-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    return dir;
}

function assertRun(result, expected, { err = /^$/ } = {}) {
    assert.equal(result.status, expected, `${result.out}\n${result.err}`);
    assert.match(result.err, err);
    assert.doesNotMatch(result.err, /Sanitizer|runtime error/);
}

// The names of all commands, from the program's own help.
async function commandNames() {
    const { out } = await run(['--help']);
    return [...out.matchAll(/^ {2}([a-z][a-z-]*(?: [a-z]+)?)(?= |$)/gm)].map((m) => m[1]);
}

describe('help and the command line', () => {
    test('every command explains itself without a server, and the man page has it', async () => {
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

    test('help fits 80 columns', async () => {
        const { out } = await run(['--help']);
        for (const line of out.split('\n'))
            assert.ok(columns(line) <= 80, line);
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
        [[], /which command/], [['frobnicate'], /no command/], [['image'], /which command of image/],
        [['image', 'frobnicate'], /image frobnicate is no command/], [['status', 'now'], /takes no arguments/],
        [['image', 'upload'], /takes FILE…/], [['package', 'show', 'F', '1'], /takes FIRMWARE FROM TO/],
        [['device', 'links', 'F'], /needs --csv/], [['status', '--wait'], /status does not take --wait/],
        [['--frobnicate', 'status'], /--frobnicate/], [['status', '-x'], /-x is no option/],
        [['status', '-o', 'xml'], /table or json/], [['status', '--timeout', 'soon'], /whole number/],
        [['status', '--timeout', '0'], /whole number/], [['status', '--url'], /--url needs an argument/],
        [['status', '--url', 'ftp://127.0.0.1/'], /no address like/], [['status', '--url', 'http://u:p@127.0.0.1/'], /no user/],
        [['status', '--token', 'a b'], /no token has/], [['status', '--token', ''], /empty/],
        [['firmware', 'set', 'F'], /set what\?.*--format bsdiff/], [['device', 'show', ''], /empty/],
        [['firmware', 'set', 'F', '--max-package-bytes', '-1'], /whole number/],
        [['image', 'upload', 'a', '--firmware', 'F'], /belong together/],
        [['image', 'upload', 'a', 'b', '--firmware', 'F', '--version', '1'], /one file/],
        [['image', 'upload', '/nonexistent/file'], /cannot read it/], [['image', 'upload', '/'], /directory/],
        [['device', 'links', 'F', '--csv', '/nonexistent'], /cannot read/],
    ])
        test(`usage: ${JSON.stringify(args)}`, async (t) => {
            const api = await FakeApi.start(t);
            const result = await api.run(args);
            assertRun(result, 2, { err: /^dfotactl: [^\n]+\n$/ });
            assert.match(result.err, message);
            assert.deepEqual([result.out, api.asked], ['', []], 'nothing is printed or asked');
        });

    test('a name that is no UTF-8 is refused before it is sent', async (t) => {
        const api = await FakeApi.start(t);
        const result = await api.run(['-c', `exec "$0" product add "$(printf 'a\\377')"`, program], { command: 'sh' });
        assertRun(result, 2, { err: /no UTF-8/ });
        assert.deepEqual(api.asked, []);
    });

    test('options may stand before and behind the command; "--" ends them', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware/-f', firmware({ firmware: '-f' }));
        assertRun(await api.ctl('-o', 'json', 'firmware', 'show', '--timeout', '30', '--', '-f'), 0);
    });
});

describe('where the server is, and who asks', () => {
    test('without a token it says where one is', async (t) => {
        const api = await FakeApi.start(t);
        assertRun(await api.run(['status'], { env: { DFOTA_TOKEN: '' } }), 2, { err: /admin\.token.*DFOTA_TOKEN/ });
    });

    test('the token comes from option, file or environment, in this order, and is in no process list', async (t) => {
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
        assertRun(await api.ctl('status', '--token', 'a', '--token-file', 'b'), 2, { err: /exclude/ });
        assertRun(await api.ctl('status', '--token-file', join(dir, 'none')), 2, { err: /cannot read/ });
        await writeFile(join(dir, 'empty'), '');
        assertRun(await api.ctl('status', '--token-file', join(dir, 'empty')), 2, { err: /no token stands/ });
    });

    test('an address may end with a slash or have a prefix', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        assertRun(await api.ctl('status', '--url', `${api.url}/`), 0);
        await api.ctl('status', '--url', `${api.url}/fota`);
        assert.deepEqual(api.requests.map((r) => r.raw), ['/api/v1/status', '/fota/api/v1/status']);
    });

    test('a proxy of the environment is not asked for this machine', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /status', status);
        assertRun(await api.run(['status'], { env: { http_proxy: 'http://127.0.0.1:9', all_proxy: 'http://127.0.0.1:9' } }), 0);
    });

    test('the product is the given one, else the only one', async (t) => {
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
        assertRun(await api.run(['firmware', 'list'], { env }), 2, { err: /no product yet: dfotactl product add/ });
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

    test('3: nobody listens', async () => {
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
    test('columns stand below each other with Chinese names', async (t) => {
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

    test('nothing the server sends can steer the terminal', async (t) => {
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
    });
});

describe('products and firmware', () => {
    test('product add sends name and key', async (t) => {
        const api = await FakeApi.start(t);
        api.on('POST /products', { status: 201, body: product() });
        assertRun(await api.ctl('product', 'add', 'Village pumps'), 0);
        assertRun(await api.ctl('product', 'add', '水泵', '--key', 'pumps'), 0);
        assert.deepEqual(api.requests.map((r) => JSON.parse(r.body)), [{ name: 'Village pumps' }, { name: '水泵', product_key: 'pumps' }]);
        assert.equal(api.requests[0].headers['content-type'], 'application/json');
    });

    test('firmware set sends what was given, "none" as null', async (t) => {
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
        const bare = firmware({ format: null, notice: 'no package format is set' });
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

    test('names are percent-encoded, whatever stands in them', async (t) => {
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
        assertRun(await api.ctl('target', 'clear', airm2m), 0, { err: /has no target any more/ });
    });
});

describe('images', () => {
    test('upload by file name, streamed with its length after asking', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const bytes = noiseImage({ seed: 1, size: 3_000_000 });
        const file = join(dir, '水泵_1138.1.2_LuatOS-SoC_EC618 &+%.bin');
        await writeFile(file, bytes);
        api.on('POST /products/pumps/images', { status: 201, body: image({ warnings: ['the same bytes are here as version 1147'] }) });
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
        assert.match(result.out, /^ +warning: the same bytes are here as version 1147$/m);
    });

    test('upload with firmware and version, chunked where the length is not known', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`PUT ${firmwarePath}/images/1138`, { status: 201, body: image() }).on(`GET ${firmwarePath}`, firmware());
        const script = 'printf something | "$0" image upload /dev/stdin --firmware "$1" --version 1138';
        assertRun(await api.run(['-c', script, program, airm2m], { command: 'sh' }), 0);
        assert.equal(api.requests[0].headers['transfer-encoding'], 'chunked');
        assert.equal(String(api.requests[0].body), 'something');
    });

    test('an empty file is the server\'s to refuse', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        await writeFile(join(dir, 'F_V1.bin'), '');
        api.on('POST /products/pumps/images', problem(422, 'invalid', 'the image is empty'));
        assertRun(await api.ctl('image', 'upload', join(dir, 'F_V1.bin')), 1, { err: /F_V1\.bin: the image is empty \(invalid\)/ });
        assert.equal(api.requests[0].headers['content-length'], '0');
    });

    test('a refusal before the body saves sending it', async (t) => {
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

    test('a refused file does not keep the others; one that fails otherwise ends it', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const files = ['a_V1.bin', 'b_V2.bin', 'c_V3.bin'].map((name) => join(dir, name));
        for (const file of files)
            await writeFile(file, file);
        api.on('POST /products/pumps/images', ({ query }) => query.get('filename') === 'b_V2.bin'
            ? problem(409, 'image-conflict', 'version 2 exists already') : { status: 201, body: image({ file_name: query.get('filename') }) });
        api.on(`GET ${firmwarePath}`, firmware({ format: null }));
        const result = await api.ctl('image', 'upload', ...files);
        assertRun(result, 1, { err: /b_V2\.bin: version 2 exists already \(image-conflict\)\n(.*\n)*dfotactl: 2 of 3 files are uploaded\n$/ });
        assert.match(result.err, /firmware set AirM2M_780E_LTE_AT --format ec618-at/);
        assert.equal(result.out.trimEnd().split('\n').length, 3);
        const json = await api.ctl('image', 'upload', files[0], files[2], '-o', 'json');
        assertRun(json, 0);
        assert.equal(json.out, ['a_V1.bin', 'c_V3.bin'].map((n) => JSON.stringify(image({ file_name: n }), null, 2) + '\n').join(''));
        const missing = await api.ctl('image', 'upload', files[0], join(dir, 'none_V1.bin'), files[2]);
        assertRun(missing, 2, { err: /none_V1\.bin: cannot read it/ });
        assert.equal(api.requests.filter((r) => r.query.get('filename') === 'c_V3.bin').length, 2);
    });

    test('progress goes to a terminal only, and is wiped', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        const file = join(dir, 'F_V1.bin');
        await writeFile(file, Buffer.alloc(1_000_000));
        api.on('POST /products/pumps/images', { status: 201, body: image() }).on(`GET ${firmwarePath}`, firmware());
        assert.equal((await api.ctl('image', 'upload', file)).err, '');
        const result = await api.run(['-qec', `'${program}' image upload '${file}'`, '/dev/null'], { command: 'script' });
        assert.equal(result.status, 0);
        assert.match(result.out, /\r\u001b\[K[^\n]*F_V1\.bin {2}.*KB/);
        assert.match(result.out, /KB\r\u001b\[K[^\n]*FIRMWARE/);
    });

    test('image list without a firmware lists all', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware', { items: [firmware(), firmware({ firmware: 'other' })] });
        api.on(`GET ${firmwarePath}/images`, { items: [image()] });
        api.on('GET /products/pumps/firmware/other/images', { items: [image({ firmware: 'other', version: '2' })] });
        const table = await api.ctl('image', 'list');
        assertRun(table, 0);
        assert.match(table.out, /AirM2M_780E_LTE_AT +1138.*\nother +2 /);
        const json = await api.ctl('image', 'list', '-o', 'json');
        assert.deepEqual(JSON.parse(json.out), { items: [image(), image({ firmware: 'other', version: '2' })] });
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

        test(`${name} writes the bytes, over an old file too`, async (t) => {
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

        for (const [what, said, answer, expected, message] of [
            ['other bytes', good, { ...content, body: Buffer.from(bytes).fill(0, 1000, 1100) }, 3, /SHA-256/],
            ['fewer bytes', good, { ...content, body: bytes.subarray(1) }, 3, /699999 bytes came where 700000/],
            ['half of the bytes', good, ({ response }) => {
                response.writeHead(200, { 'Content-Length': bytes.length });
                response.write(bytes.subarray(0, 1000), () => response.destroy());
                return null;
            }, 3, /no answer|end/],
            ['a refusal', good, problem(409, 'package-oversize', 'it is too large'), 1, /too large \(package-oversize\)/],
            ['no SHA-256', { ...good, sha256: null }, content, 3, /does not name/],
        ])
            test(`${name}: ${what}: nothing is left, and an old file stays`, async (t) => {
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

        test(`${name}: what is no file is not replaced`, async (t) => {
            const api = await FakeApi.start(t);
            const dir = await scratch(t);
            api.on(`GET ${base}`, good).on(`GET ${base}/content`, content);
            assertRun(await api.ctl(...args, '/dev/null'), 2, { err: /no regular file/ });
            assertRun(await api.ctl(...args, dir), 2, { err: /no regular file/ });
            assertRun(await api.ctl(...args, join(dir, 'none', 'out')), 2, { err: /cannot write/ });
        });
    }
});

describe('packages and waiting', () => {
    const path = `${firmwarePath}/packages/1138/1162`;

    // A package that goes through these states, one for each GET; the last one stays.
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

    test('--wait gives up after --timeout, and does not ask all the time', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) }).on(`GET ${path}`, deltaPackage(generating));
        const result = await api.ctl('package', 'make', airm2m, '1138', '1162', '--wait', '--timeout', '2');
        assertRun(result, 4, { err: /time is over and the package 1138→1162 is still generating/ });
        assert.match(result.out, /^State +generating$/m);
        assert.ok(api.requests.length >= 2 && api.requests.length <= 12, `${api.requests.length} requests`);
    });

    test('--wait ends when the server goes', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, { status: 202, body: deltaPackage(asked) });
        api.on(`GET ${path}`, ({ request }) => { request.socket.destroy(); return null; });
        assertRun(await api.ctl('package', 'make', airm2m, '1138', '1162', '--wait'), 3, { err: /no answer/ });
    });

    test('a missing format is refused, with what to do', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${path}`, problem(409, 'format-not-set', 'the firmware has no package format'));
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

    test('the list shows why a package cannot be served', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${firmwarePath}/packages`, { items: [deltaPackage(), deltaPackage({ from: '1125', state: 'oversize', error: 'larger than the limit' })] });
        const { out } = await api.ctl('package', 'list', airm2m);
        assert.match(out, /oversize.*\n +! larger than the limit$/m);
    });
});

describe('devices and links', () => {
    const devicePath = '/products/pumps/devices/866597071234567';

    test('device list follows all pages, on this server only', async (t) => {
        const api = await FakeApi.start(t);
        const bare = (n) => device({ device: `86659707123456${n}`, links: undefined, attempts: undefined });
        api.on('GET /products/pumps/devices', ({ query }) => {
            const n = Number(query.get('after') ?? 0);
            const rest = `/api/v1/products/pumps/devices?after=${n + 1}`;
            const next = n === 0 ? `<${rest}>; rel="next"` : n === 1 ? `<http://127.0.0.1:9${rest}>; rel="next"` : null;
            return { body: { items: [bare(n)] }, headers: next ? { Link: next } : {} };
        });
        const table = await api.ctl('device', 'list', '--firmware', airm2m, '--notice');
        assertRun(table, 0);
        assert.deepEqual(['firmware', 'notice'].map((k) => api.requests[0].query.get(k)), [airm2m, '1']);
        assert.equal(api.requests.length, 3);
        assert.match(table.out, /4560 .*\n.*4561 .*\n.*4562 /);
        assert.deepEqual(JSON.parse((await api.ctl('device', 'list', '-o', 'json')).out).items.map((d) => d.device),
            [0, 1, 2].map((n) => bare(n).device));
    });

    test('a list that never ends is not followed for ever', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/devices', ({ raw }) => ({ body: { items: [device()] }, headers: { Link: `<${raw}>; rel="next"` } }));
        assertRun(await api.ctl('device', 'list'), 3, { err: /no end/ });
    });

    test('device show is a report of all that is known', async (t) => {
        const api = await FakeApi.start(t);
        const notice = 'stale link or refused package: report the version or set a new link';
        api.on(`GET ${devicePath}`, device({
            notice, warnings: ['the IMEI fails its check digit'],
            links: [{ link: 3, token: 'x', firmware: airm2m, version: '1138', url: link().url, created_at: at, revoked_at: null }],
            attempts: [
                { attempt: 13, from: '1138', to: '1162', target: '1162', state: 'delivered', reason: 'nobody reported yet', bytes_acked: 43059,
                    size: 43059, created_at: at },
                { attempt: 12, from: '1138', to: '1162', target: '1162', state: 'not_applied', reason: 'came back with 1138',
                    bytes_acked: 43059, size: 43059, created_at: at },
            ],
        }));
        const { out } = await api.ctl('device', 'show', '866597071234567');
        for (const pattern of [/^Confirmed version +1138$/m, /^ +by +check-in$/m, /^ +authenticated +no$/m, /^Last answer +43$/m,
            /^ +because +the package 1138→1162 is being generated$/m, new RegExp(`^notice: ${notice}$`, 'm'),
            /^warning: the IMEI fails its check digit$/m, /^ +3 +1138 +2026-11-22 17:57:43Z +-\n +http:\/\/fota\.example/m,
            /^13 +1138 +1162 +1162 +delivered +43059 +43059 +2026-11-22 17:57:43Z\n +nobody reported yet\n12 .*not_applied/m])
            assert.match(out, pattern);
        for (const line of out.split('\n'))
            assert.ok(columns(line) <= 80, line);
    });

    test('a device that was never heard of confirms nothing', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`GET ${devicePath}`, device({ confirmed_version: null, confirmed_at: null, confirmed_by: null, last_answer: null }));
        const { out } = await api.ctl('device', 'show', '866597071234567');
        assert.match(out, /^Confirmed version +-$/m);
        assert.match(out, /^Last answer +-$/m);
        assert.match(out, /\(none\)\n$/);
    });

    test('device link prints what to type, unbroken', async (t) => {
        const api = await FakeApi.start(t);
        const url = `http://fota.${'long.'.repeat(20)}example:8080/d/0a1b2c3d/1138`;
        api.on(`POST ${devicePath}/link`, { status: 201, body: link({ url, at_commands: [`AT+UPGRADE="URL","${url}"`, 'AT+UPGRADE'], warnings: ['odd IMEI'] }) });
        const result = await api.ctl('device', 'link', '866597071234567', '--version', 'V1138', '--firmware', airm2m);
        assertRun(result, 0);
        assert.deepEqual(JSON.parse(api.requests[0].body), { version: 'V1138', firmware: airm2m });
        assert.ok(result.out.includes(`\n  AT+UPGRADE="URL","${url}"\n  AT+UPGRADE\n`), result.out);
        assert.match(result.out, /^warning: odd IMEI$/m);
        await api.ctl('device', 'link', '866597071234567');
        assert.deepEqual(JSON.parse(api.requests[1].body), {});
    });

    for (const [name, over, routes, expected, message] of [
        ['the package that it needs', {}, { packages: [deltaPackage({ state: 'queued' }), deltaPackage()] }, 0, /1138→1162 is ready/],
        ['a package from the reported version', { version: null }, { packages: [deltaPackage()] }, 0, /is ready/],
        ['a package that fails', {}, { packages: [deltaPackage({ state: 'failed', error: 'no' })] }, 4, /is failed: no/],
        ['a format that is not set', {}, { packages: [problem(409, 'format-not-set', 'no format')] }, 4, /firmware set .*\n.*no format/],
        ['nothing, at the target', {}, { packages: [problem(422, 'not-an-upgrade', 'no')] }, 0, /nothing to wait for/],
        ['nothing, without a target', {}, { packages: [], target: null }, 0, /no target is set: nothing/],
    ])
        test(`device link --wait waits for ${name}`, async (t) => {
            const api = await FakeApi.start(t);
            api.on(`POST ${devicePath}/link`, { status: 201, body: link(over) });
            api.on(`GET ${devicePath}`, device()).on(`GET ${firmwarePath}`, firmware('target' in routes ? { target: routes.target } : {}));
            const states = [...routes.packages];
            api.on(`GET ${firmwarePath}/packages/1138/1162`, () => states.length > 1 ? states.shift() : states[0]);
            const result = await api.ctl('device', 'link', '866597071234567', '--wait');
            assertRun(result, expected, { err: message });
            assert.match(result.out, /AT\+UPGRADE\n$/);
        });

    test('device links sends the CSV and lists the links', async (t) => {
        const api = await FakeApi.start(t);
        const dir = await scratch(t);
        await writeFile(join(dir, 'imeis.csv'), 'imei\n866597071234567\n866597071234575,1125\n');
        const answer = { items: [link(), link({ device: '866597071234575', version: '1125', warnings: ['odd'] })] };
        api.on(`POST ${firmwarePath}/links`, answer);
        const result = await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv'), '--version', '1138');
        assertRun(result, 0);
        const [request] = api.requests;
        assert.deepEqual([request.query.get('version'), request.headers['content-type'], String(request.body).length], ['1138', 'text/csv', 42]);
        assert.match(result.out, /866597071234575 +1125 +http:.*\n +warning: odd$/m);
        const json = await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv'), '-o', 'json');
        assert.deepEqual(JSON.parse(json.out), answer);
        api.on(`POST ${firmwarePath}/links`, problem(422, 'bad-device', 'line 2: no IMEI'));
        assertRun(await api.ctl('device', 'links', airm2m, '--csv', join(dir, 'imeis.csv')), 1, { err: /line 2: no IMEI \(bad-device\)/ });
    });

    test('device revoke takes back one link or all', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`DELETE ${devicePath}/links`, { status: 204 }).on(`DELETE ${devicePath}/links/3`, { status: 204 });
        assertRun(await api.ctl('device', 'revoke', '866597071234567'), 0, { err: /all links of 866597071234567 are revoked/ });
        assertRun(await api.ctl('device', 'revoke', '866597071234567', '--link', '3'), 0, { err: /link 3 of/ });
        assertRun(await api.ctl('device', 'revoke', '866597071234567', '--link', ''), 2, { err: /empty/ });
    });

    test('device unblock asks once and shows the device', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`POST ${devicePath}/unblock`, device());
        const result = await api.ctl('device', 'unblock', '866597071234567');
        assertRun(result, 0);
        assert.match(result.out, /^Blocked +no$/m);
    });
});

describe('against the real server', { skip: !existsSync(join(buildDir, 'dfotad')) && `no dfotad in ${buildDir}` }, () => {
    const lamp = 'lamp_LuatOS-SoC_EC718';

    // A server with its own ctl(); `version` of the images counts the revisions.
    async function begin(t, config = {}) {
        const server = await startServer(t, { config });
        const dir = await scratch(t);
        const env = { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
        const ctl = (...args) => run(args, { env });
        const images = [0, 1].map((revision) => firmwareImage({ seed: 7, size: 200_000, revision }));
        const files = ['lamp_1103.1.1_LuatOS-SoC_EC718.bin', 'lamp_1103.1.2_LuatOS-SoC_EC718.bin'].map((n) => join(dir, n));
        for (const [i, file] of files.entries())
            await writeFile(file, images[i]);
        return { server, dir, ctl, images, files };
    }

    async function json(ctl, ...args) {
        const result = await ctl(...args, '-o', 'json');
        assertRun(result, 0);
        return JSON.parse(result.out);
    }

    test('from nothing to a package that bspatch applies', async (t) => {
        const { dir, ctl, images, files } = await begin(t);
        assertRun(await ctl('firmware', 'list'), 2, { err: /product add/ });
        assertRun(await ctl('product', 'add', '村庄的灯', '--key', 'lamps'), 0);
        assertRun(await ctl('product', 'add', 'again', '--key', 'lamps'), 1, { err: /\(product-exists\)\n$/ });
        assertRun(await ctl('image', 'upload', ...files), 0, { err: /firmware set .*|^$/ });
        assert.deepEqual((await json(ctl, 'image', 'list')).items.map((i) => [i.firmware, i.version, i.size, i.sha256]),
            images.map((bytes, i) => [lamp, `1103.1.${i + 1}`, bytes.length, sha256(bytes)]));
        assertRun(await ctl('image', 'upload', files[0], '--firmware', lamp, '--version', '1103.1.2'), 1, { err: /\(image-conflict\)/ });
        assertRun(await ctl('image', 'get', lamp, '1103.1.1', join(dir, 'got')), 0);
        assert.ok((await readFile(join(dir, 'got'))).equals(images[0]));
        const set = await json(ctl, 'firmware', 'set', lamp, '--format', 'bsdiff', '--max-package-bytes', '300000');
        assert.deepEqual([set.format, set.max_package_bytes], ['bsdiff', 300000]);
        assert.equal((await json(ctl, 'target', 'set', lamp, '1103.1.2')).target, '1103.1.2');
        assertRun(await ctl('target', 'set', lamp, '9999'), 1, { err: /\(image-not-found\)/ });
        const made = await json(ctl, 'package', 'make', lamp, '1103.1.1', '1103.1.2', '--wait');
        assert.deepEqual([made.state, made.proven], ['ready', true]);
        assertRun(await ctl('package', 'get', lamp, '1103.1.1', '1103.1.2', join(dir, 'package')), 0);
        assert.ok((await bspatch(images[0], await readFile(join(dir, 'package')))).equals(images[1]));
        assert.equal((await json(ctl, 'package', 'list', lamp)).items.length, 1);
        assertRun(await ctl('package', 'show', lamp, '1103.1.2', '1103.1.1'), 1, { err: /\(not-an-upgrade\)/ });
        assert.deepEqual((await json(ctl, 'missing-bases', lamp)).items, []);
        const shown = await json(ctl, 'status');
        assert.deepEqual([shown.products, shown.packages.ready], [1, 1]);
        assertRun(await ctl('firmware', 'set', lamp, '--max-package-bytes', '10'), 0);
        assertRun(await ctl('package', 'make', lamp, '1103.1.1', '1103.1.2', '--wait'), 4, { err: /is oversize/ });
        assertRun(await ctl('package', 'get', lamp, '1103.1.1', '1103.1.2', join(dir, 'none')), 1, { err: /\(package-oversize\)/ });
        assertRun(await ctl('target', 'clear', lamp), 0, { err: /no target/ });
        assert.equal((await json(ctl, 'firmware', 'show', lamp)).target, null);
        assertRun(await ctl('firmware', 'set', lamp, '--format', 'none'), 0, { err: /firmware set .* --format ec618-at/ });
        assertRun(await ctl('package', 'make', lamp, '1103.1.1', '1103.1.2'), 1, { err: /\(format-not-set\)/ });
    });

    test('links, devices, and why one got its answer', async (t) => {
        const { dir, ctl, files } = await begin(t, { public_device_url: 'http://fota.example:8080' });
        await ctl('product', 'add', 'lamps', '--key', 'lamps');
        await ctl('image', 'upload', ...files);
        assertRun(await ctl('firmware', 'set', lamp, '--format', 'bsdiff'), 0);
        assertRun(await ctl('target', 'set', lamp, '1103.1.2'), 0);
        const imei = nextImei();
        const made = await ctl('device', 'link', imei, '--version', '1103.1.1', '--wait');
        assertRun(made, 0, { err: /is ready/ });
        assert.match(made.out, /^ {2}AT\+UPGRADE="URL","http:\/\/fota\.example:8080\/d\/[^"]+"\n {2}AT\+UPGRADE\n/m);
        await writeFile(join(dir, 'imeis.csv'), `imei\n${[1, 2, 3].map(nextImei).join('\n')}\n`);
        const links = (await json(ctl, 'device', 'links', lamp, '--csv', join(dir, 'imeis.csv'), '--version', '1103.1.1')).items;
        assert.equal(new Set(links.map((l) => l.url)).size, 3);
        const listed = await ctl('device', 'list');
        assertRun(listed, 0);
        assert.match(listed.out, new RegExp(`^${imei} +${lamp} +- `, 'm'), 'a link confirms nothing');
        assert.equal((await json(ctl, 'device', 'list', '--firmware', lamp)).items.length, 4);
        const shown = await ctl('device', 'show', `imei:${imei}`);
        assertRun(shown, 0);
        assert.match(shown.out, /^Confirmed version +-$/m);
        assert.match(shown.out, /^Links\n/m);
        assertRun(await ctl('device', 'unblock', imei), 0);
        assertRun(await ctl('device', 'revoke', imei, '--link', '9999999'), 1, { err: /\(link-not-found\)/ });
        assertRun(await ctl('device', 'revoke', imei), 0, { err: /are revoked/ });
        assert.ok((await json(ctl, 'device', 'show', imei)).links.every((l) => l.revoked_at !== null));
        assertRun(await ctl('device', 'show', 'imei:000000000000000'), 1, { err: /\(device-not-found\)/ });
    });

    test('more devices than one page holds', async (t) => {
        const { dir, ctl, files } = await begin(t, { public_device_url: 'http://fota.example:8080' });
        await ctl('product', 'add', 'lamps', '--key', 'lamps');
        await ctl('image', 'upload', ...files);
        const imeis = Array.from({ length: 1050 }, (_, i) => imeiWithCheckDigit(`8665970${String(i).padStart(7, '0')}`));
        await writeFile(join(dir, 'imeis.csv'), imeis.join('\n'));
        assertRun(await ctl('device', 'links', lamp, '--csv', join(dir, 'imeis.csv'), '--version', '1103.1.1'), 0);
        assert.deepEqual((await json(ctl, 'device', 'list')).items.map((d) => d.device).sort(), imeis.sort());
    });

    test('a wrong token is refused', async (t) => {
        const { ctl } = await begin(t);
        assertRun(await ctl('status', '--token', 'wrong'), 1, { err: /\(unauthorized\)\n$/ });
    });
});
