// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What dfotactl offers besides its commands: forms of output, profiles, questions, completion in bash and zsh, doctor and why.
// Against a real server, except where the test plays a wrong proxy.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FakeApi, assertRun, firmware, program, run, scratch, status } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const completions = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packaging', 'completion');

let server, scene, module, env;
before(async () => {
    server = await startServer(null, { keep: true, config: { public_device_url: 'http://fota.example' } });
    scene = await Scene.build(server, { product: 'pumps', firmware: 'pump', versions: ['1001', '1002'], format: 'bsdiff' });
    ({ module } = await scene.linkedModule());
    await scene.makePackage(); // the link requests it; no answer changes between two calls
    env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token };
});
after(() => server?.dispose());

const ctl = (args, more = {}) => run(args, { env: { ...env, ...more } });
const ok = async (args, more) => {
    const result = await ctl(args, more);
    assertRun(result, 0, { err: /(?:)/ });
    return result.out;
};

// Runs a shell command on a terminal of its own (script of util-linux), with this input; → what the terminal shows.
const onTerminal = (command, input, more = {}) => new Promise((done) => {
    const child = execFile('script', ['-qec', command, '/dev/null'], { env: { PATH: process.env.PATH, TERM: 'xterm', LC_ALL: 'C', ...env, ...more }, timeout: 20_000 },
        (error, out) => done({ status: error?.code ?? 0, out: out.replaceAll('\r\n', '\n') }));
    child.stdin.end(input);
});

describe('help, aliases', () => {
    test('help COMMAND, a group alone, ls and rm', async () => {
        assert.equal(await ok(['help', 'image', 'list']), await ok(['image', 'list', '--help']));
        assert.equal(await ok(['image']), await ok(['help', 'image']));
        assert.equal(await ok(['version']), await ok(['--version']));
        assert.equal(await ok(['image', 'ls']), await ok(['image', 'list']));
        assertRun(await ctl(['token', 'rm', 'nobody', '--yes']), 2, { err: /no token nobody/ });
    });
});

describe('output', () => {
    test('wide and csv have the other fields; --columns chooses', async () => {
        const table = await ok(['firmware', 'list']), wide = await ok(['firmware', 'list', '-o', 'wide']);
        assert.doesNotMatch(table, /CREATED AT/);
        assert.match(wide, /^FIRMWARE .*CREATED AT/);
        const [head, row] = (await ok(['firmware', 'list', '-o', 'csv'])).split('\r\n');
        assert.match(head, /^firmware,format,.*created_at/);
        assert.match(row, /^pump,bsdiff,/);
        assert.equal(await ok(['firmware', 'list', '--columns', 'target,firmware']), 'TARGET  FIRMWARE\n1002    pump\n');
        assert.equal(await ok(['device', 'show', module.id, '--columns', 'device,campaign.name', '-o', 'csv']),
            `device,campaign.name\r\n${module.id},target\r\n`);
        for (const form of [['-o', 'csv'], ['--csv']]) {
            assert.match(await ok(['ledger', 'list', ...form, '--columns', 'seq,kind']), /^seq,kind\r\n1,product-added\r\n/);
            assert.match(await ok(['ledger', 'list', ...form]), /^seq,at,kind,/);
        }
        assert.equal(await ok(['matrix', 'pump', '-o', 'csv']), await ok(['matrix', 'pump', '--csv']));
        assertRun(await ctl(['matrix', 'pump', '--columns', 'x']), 2, { err: /does not take --columns/ });
        assert.equal(await ok(['firmware', 'show', 'pump', '--columns', 'images', '-o', 'csv']), 'images\r\n2\r\n');
    });

    test('colours are on a terminal only, and not with NO_COLOR', async () => {
        assert.doesNotMatch(await ok(['firmware', 'list']), /\x1b/);
        assert.match((await onTerminal(`${program} firmware list`, '')).out, /\x1b\[1mFIRMWARE/);
        assert.doesNotMatch((await onTerminal(`${program} firmware list`, '', { NO_COLOR: '1' })).out, /\x1b\[/);
    });

    test('--watch repeats until the time has passed', async () => {
        const out = await ok(['firmware', 'list', '--watch', '--timeout', '3']);
        assert.ok(out.match(/^pump /gm).length >= 2, out);
        assertRun(await ctl(['target', 'clear', 'pump', '--watch']), 2, { err: /does not take --watch/ });
    });
});

describe('questions', () => {
    test('without a terminal and without --yes nothing is asked of the server', async (t) => {
        const api = await FakeApi.start(t);
        for (const words of [['image', 'delete', 'f', '1'], ['campaign', 'cancel', 'f', 'c'], ['ledger', 'prune', '--before', '2020-01-01']])
            assertRun(await api.ctl(...words), 2, { err: /cannot be undone.*--yes/ });
        assert.deepEqual(api.asked, []);
    });

    test('on a terminal the question has the effect in numbers; only yes continues', async () => {
        const no = await onTerminal(`${program} device revoke ${module.id}`, '\n');
        assert.equal(no.status, 2);
        assert.match(no.out.replaceAll('\n', ' '), /This revokes the links of \d+: 1\. .*Continue\? \[y\/N\] .*nothing was changed/);
        const links = async () => JSON.parse(await ok(['-o', 'json', 'device', 'show', module.id])).links;
        assert.equal((await links())[0].revoked_at, null);
        const image = await onTerminal(`${program} image delete pump 1001`, 'n\n');
        assert.match(image.out, /version 1001 of pump \(16000 bytes\) and its packages: \d/);
        await ok(['device', 'link', module.id, '--version', '1001']);
        const yes = await onTerminal(`${program} device revoke ${module.id} --by Ann`, 'y\n');
        assert.equal(yes.status, 0, yes.out);
        assert.ok((await links()).every((l) => l.revoked_at));
        assert.match(await ok(['ledger', 'list', '--kind', 'links-revoked', '-o', 'json']), /"name": "Ann"/);
    });
});

describe('who', () => {
    test('every changing command takes --by or DFOTA_BY, and sends the name once', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/firmware/f', firmware());
        for (const words of [['product', 'add', 'x'], ['image', 'withdraw', 'f', '1', '--reason', 'x'], ['firmware', 'set', 'f', '--downgrades', 'no'], ['target', 'set', 'f', '1'],
            ['target', 'clear', 'f'], ['device', 'link', 'imei:1'], ['device', 'tag', 'd', 'x'], ['campaign', 'pause', 'f', 'c'], ['campaign', 'cancel', 'f', 'c', '--yes'],
            ['unknown', 'forget', 'all'], ['device', 'revoke', 'd', '--yes'], ['secret', 'add'], ['secret', 'revoke', '1', '--yes'], ['token', 'add', 'x', '--scope', 'read'],
            ['device', 'retire', 'd'], ['image', 'delete', 'f', '1', '--yes'], ['package', 'make', 'f', '1', '2'], ['package', 'forget', 'f', '1', '2', '--yes'], ['ledger', 'prune', '--before', '2020-01-01', '--yes']])
            for (const [more, by] of [[['--by', 'Ann'], 'Ann'], [[], 'Bo']]) {
                api.requests.length = 0;
                await api.run([...words, ...more], { env: { DFOTA_BY: 'Bo' } });
                const changes = api.requests.filter((r) => r.method !== 'GET');
                assert.ok(changes.length > 0, words.join(' '));
                for (const change of changes)
                    assert.deepEqual(change.query.getAll('by'), [by], words.join(' '));
            }
        assertRun(await api.ctl('status', '--by', 'Ann'), 2, { err: /does not take --by/ });
    });
});

describe('names', () => {
    test('a device and a version may be written in each way, in every command', async () => {
        for (const name of [module.id, `imei:${module.id}`])
            for (const words of [['device', 'show'], ['explain'], ['why'], ['transcripts'], ['device', 'unblock']])
                await ok([...words, name]);
        for (const version of ['1001', 'V1001']) {
            await ok(['package', 'make', 'pump', version, 'V1002', '--wait']);
            await ok(['path', version, '1002']);
            await ok(['outcomes', 'pump', version]);
            await ok(['image', 'waypoint', 'pump', version, 'allowed']);
            await ok(['device', 'link', module.id, '--version', version]);
            await ok(['campaign', 'create', 'pump', `to ${version}`, version]);
            await ok(['campaign', 'rm', 'pump', `to ${version}`, '--yes']);
        }
        await ok(['ledger', 'list', '--device', `imei:${module.id}`]);
    });
});

describe('links of a list', () => {
    test('the same list again makes no link; CSV for the factory; revoke by CSV', async (t) => {
        const dir = await scratch(t);
        const imeis = ['866597071234500', '866597071234518'];
        await writeFile(join(dir, 'imeis.csv'), `imei\n${imeis.join(',1001\n')},1001\n`);
        const words = ['device', 'links', 'pump', '--csv', join(dir, 'imeis.csv')];
        const first = await ctl([...words, '-o', 'csv']);
        assertRun(first, 0, { err: /2 links are new; 0 existed already/ });
        const lines = first.out.split('\r\n');
        assert.match(lines[0], /^device,version,existed,url,.*at_command_1,at_command_2/);
        assert.match(lines[1], new RegExp(`^${imeis[0]},1001,no,http://fota.example/d/.*"AT\\+UPGRADE=""URL"",""http://`));
        const again = await ctl([...words, '-o', 'csv']);
        assertRun(again, 0, { err: /0 links are new; 2 existed already/ });
        assert.equal(again.out, first.out.replaceAll(',no,', ',yes,'));
        const sent = await run(['-c', `"$0" device links pump --csv - -o json < ${join(dir, 'imeis.csv')}`, program], { command: 'sh', env });
        assert.deepEqual(JSON.parse(sent.out).items.map((l) => l.existed), [true, true]);
        assertRun(await ctl(['device', 'revoke', '--csv', join(dir, 'imeis.csv'), '--yes']), 0, { err: /links are revoked: 2; devices that had none: 0/ });
        assertRun(await ctl(words), 0, { err: /2 links are new/ });
        await writeFile(join(dir, 'imeis.csv'), `${imeis.join(',1002\n')},1002\n`);
        assertRun(await ctl(words), 0, { err: /2 links are new; 0 existed/ });
    });
});

describe('profiles', () => {
    const files = async (t, text, mode = 0o600) => {
        const home = await scratch(t), file = join(home, '.config', 'dfota', 'config.ini');
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        await chmod(file, mode);
        await writeFile(join(home, 'my.token'), `${server.token}\n`, { mode: 0o600 });
        return home;
    };

    test('a profile has URL, token, product and name; the environment and options come before', async (t) => {
        const home = await files(t, `profile = mine\n[mine]\nurl = ${env.DFOTA_URL}\ntoken_file = ~/my.token\nproduct = pumps\nby = Li\n[other]\nurl = http://127.0.0.1:1\n`);
        const go = (args, more = {}) => run(args, { env: { HOME: home, ...more } });
        assertRun(await go(['firmware', 'show', 'pump']), 0);
        assertRun(await go(['device', 'note', module.id, 'x']), 0);
        assert.match(await ok(['ledger', 'list', '--device', module.id, '-o', 'json']), /"name": "Li"/);
        assertRun(await go(['status', '--profile', 'other'], { DFOTA_TOKEN: 'x' }), 3, { err: /127\.0\.0\.1:1/ });
        assertRun(await go(['status'], { DFOTA_PROFILE: 'other', DFOTA_TOKEN: 'x' }), 3, { err: /127\.0\.0\.1:1/ });
        assertRun(await go(['status'], { DFOTA_PROFILE: 'none' }), 2, { err: /no profile none/ });
        // --profile comes before the environment: a variable of another server must not win
        assertRun(await go(['status', '--profile', 'mine'], { DFOTA_URL: 'http://127.0.0.1:1', DFOTA_TOKEN: 'wrong' }), 0);
    });

    test('the token of a profile goes only to its own server', async (t) => {
        const api = await FakeApi.start(t);
        const home = await files(t, '[default]\nurl = http://fota.example\ntoken_file = ~/my.token\n');
        assertRun(await run(['status', '--url', api.url], { env: { HOME: home } }), 2, { err: /only for its own url/ });
        assert.deepEqual(api.asked, []);
    });

    test('the language is that of the profile', async (t) => {
        const home = await files(t, `[default]\nurl = ${env.DFOTA_URL}\ntoken_file = ~/my.token\nlanguage = zh\n`);
        assert.match((await run(['explain', module.id], { env: { HOME: home, LC_ALL: 'C.UTF-8' } })).out, /[\u4e00-\u9fff]/);
    });
});

describe('completion', () => {
    const complete = async (words, more = env) => (await run(['--complete', ...words], { env: more })).out.split('\n').filter(Boolean).map((l) => l.split('\t')[0]);

    test('commands and options come from the table, names from the server', async () => {
        assert.deepEqual(await complete(['im']), ['image']);
        assert.deepEqual(await complete(['help', 'devi']), ['device']);
        assert.deepEqual(await complete(['image', 're']), ['restore']);
        assert.deepEqual(await complete(['firmware', 'show', '']), ['pump']);
        assert.deepEqual(await complete(['package', 'show', 'pump', '10']), ['1001', '1002']);
        assert.deepEqual(await complete(['path', '1001', '']), ['1001', '1002']);
        assert.deepEqual(await complete(['device', 'show', module.id.slice(0, 6)]).then((l) => l.includes(module.id)), true);
        assert.deepEqual(await complete(['-p', 'pu']), ['pumps']);
        assert.deepEqual(await complete(['status', '-o', '']), ['table', 'wide', 'json', 'csv']);
        assert.deepEqual(await complete(['image', 'delete', '--ye']), ['--yes']);
        assert.deepEqual(await complete(['image', 'upload', '']), [':file']);
        assert.deepEqual(await complete(['image', 'waypoint', 'pump', '1001', 'f']), ['forbidden']);
    });

    test('a token on the command line is not in the process list', async (t) => {
        const api = await FakeApi.start(t);
        let child, listed;
        api.on('GET /products/pumps/firmware', async () => {
            listed = await readFile(`/proc/${child.pid}/cmdline`, 'latin1');
            return { items: [] };
        });
        for (const token of [['--token', 'secret-token'], ['--token=secret-token']]) {
            await api.run(['--complete', ...token, 'firmware', 'show', ''], { during: (c) => { child = c; } });
            assert.equal(api.requests.at(-1).headers.authorization, 'Bearer secret-token');
            assert.match(listed, /firmware/);
            assert.doesNotMatch(listed, /secret/);
        }
    });

    test('without an answer there are no names, no message, and no long wait', async (t) => {
        const silent = http.createServer(() => {});
        await new Promise((done) => silent.listen(0, '127.0.0.1', done));
        t.after(() => { silent.close(); silent.closeAllConnections(); });
        for (const more of [{}, { DFOTA_TOKEN: 'x', DFOTA_URL: 'http://127.0.0.1:1' }, { DFOTA_TOKEN: 'x', DFOTA_URL: `http://127.0.0.1:${silent.address().port}` }]) {
            const begun = Date.now();
            const result = await run(['--complete', 'firmware', 'show', ''], { env: more });
            assert.deepEqual([result.status, result.out, result.err], [0, '', '']);
            assert.ok(Date.now() - begun < 5000);
        }
    });

    // Real shells, with the files that make install installs.
    const inShell = (t, command, args) => scratch(t).then(async (dir) => {
        await symlink(program, join(dir, 'dfotactl'));
        return new Promise((done, failed) => execFile(command, args, { env: { HOME: dir, TERM: 'xterm', ...env, PATH: `${dir}:${process.env.PATH}` }, timeout: 30_000 },
            (error, out, err) => (error ? failed(new Error(`${error.message}\n${err}`)) : done(out))));
    });

    test('bash', async (t) => {
        const ask = (...words) => `COMP_WORDS=(dfotactl ${words.map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; _dfotactl; echo "\${COMPREPLY[*]}";`;
        const out = await inShell(t, 'bash', ['-c', `. ${completions}/dfotactl; ${ask('imag')} ${ask('package', 'show', 'pump', '10')} ${ask('status', '-o', '=', 'j')} complete -p dfotactl`]);
        assert.equal(out, 'image\n1001 1002\njson\ncomplete -F _dfotactl dfotactl\n');
    });

    test('zsh', async (t) => {
        await access('/usr/bin/zsh');
        // zpty gives zsh a terminal, and tabs are typed as a person does
        const out = await inShell(t, 'zsh', ['-fc', `zmodload zsh/zpty; zpty z zsh -f -i; zpty -w z "PS1=; fpath=(${completions} \\$fpath); autoload -U compinit; compinit -u; print -r ready"
zpty -r z line '*ready*ready*'; zpty -wn z $'dfotactl firmware show p\\t'; zpty -r z line '*pump*'; print -r -- "$line"; zpty -wn z $'\\C-udfotactl imag\\t'; zpty -r z line '*image*'; print -r -- "$line"`]);
        assert.match(out, /show pump/);
        assert.match(out, /image/);
    });
});

describe('why and doctor', () => {
    test('why says three sentences', async () => {
        const out = await ok(['why', module.id]);
        assert.match(out.replaceAll('\n', ' '), /^The device \d+ has not confirmed a version and shall run 1002 by the campaign target\. A request over its link from version 1001 would get (code \d+|a package) now: .+\. It has never asked this server\. $/);
        assert.deepEqual(Object.keys(JSON.parse(await ok(['why', module.id, '-o', 'json']))), ['state', 'next', 'last']);
    });

    test('why calls a package a package', async () => {
        const { module: other } = await scene.linkedModule();
        await ok(['package', 'make', 'pump', '1001', '1002', '--wait']);
        assert.match((await ok(['why', other.id])).replaceAll('\n', ' '), /would get a package now: the package 1001→1002 of \d+ bytes is sent\./);
    });

    // A server whose links lead to `answer`, which plays the proxy in front of it.
    async function doctor(t, answer, over = {}, next = []) {
        const api = await FakeApi.start(t);
        const proxy = http.createServer(answer);
        await new Promise((done) => proxy.listen(0, '127.0.0.2', done));
        t.after(() => { proxy.close(); proxy.closeAllConnections(); });
        api.on('GET /status', { ...status, now: Date.now(), device_url: `http://127.0.0.2:${proxy.address().port}`, backup: { last: null, failed: null, due: false }, ...over });
        api.on('GET /overview', { next });
        const result = await api.ctl('doctor', '-o', 'json');
        const rows = JSON.parse(result.out).items;
        return { result, rows, faults: rows.filter((r) => r.result === 'fault').map((r) => `${r.check}: ${r.text}`) };
    }
    const body = '{"code":21,"msg":"x"}';
    const good = { 'Content-Length': body.length, Connection: 'close', 'Cache-Control': 'no-store, no-transform' };
    // a loopback address in links is a fault of its own, which is not what these tests are about
    const others = (faults) => faults.filter((f) => !f.startsWith('address:'));

    test('a proxy that breaks a rule for modules is named', async (t) => {
        const cases = [
            [(q, s) => { s.writeHead(200, good).end(body); }, []],
            [(q, s) => { s.writeHead(301, { Location: 'https://x/', 'Content-Length': 0 }).end(); }, [/redirects \(301\)/]],
            [(q, s) => { s.writeHead(200, { Connection: 'close', 'Cache-Control': 'no-transform', 'Transfer-Encoding': 'chunked' }).end(body); }, [/chunked/]],
            [(q, s) => { s.writeHead(200, { ...good, Connection: 'keep-alive' }).end(body); }, [/Connection: close/]],
            [(q, s) => { s.writeHead(200, { ...good, 'Content-Encoding': 'gzip' }).end(body); }, [/compressed/]],
            [(q, s) => { s.writeHead(200, { ...good, 'Cache-Control': 'no-store' }).end(body); }, [], /no-transform is missing/],
            [(q, s) => { s.writeHead(200, { ...good, 'Content-Length': 5 }).end('hello'); }, [/something else/]],
        ];
        for (const [answer, expected, note] of cases) {
            const { faults, rows } = await doctor(t, answer), found = others(faults);
            if (note)
                assert.ok(rows.some((r) => r.result === 'note' && note.test(r.text)));
            assert.equal(found.length, expected.length, found.join());
            for (const [i, pattern] of expected.entries())
                assert.match(found[i], pattern);
        }
    });

    test('clock, address, backup, disk, format and bases; the exit status', async (t) => {
        const answer = (q, s) => { s.writeHead(200, good).end(body); };
        const { result, faults, rows } = await doctor(t, answer, { now: Date.now() - 600_000, device_url: null, backup: { last: null, failed: { made_at: 1 }, due: true } }, [
            { kind: 'disk-low', text: 'little is free' }, { kind: 'format-not-set', firmware: 'pump', text: 'no format' },
            { kind: 'unknown-base', firmware: 'pump', text: 'there is no image of V1126' }, { kind: 'held', text: 'devices are held: 2' }]);
        assert.equal(result.status, 4);
        assert.match(result.err, /"code":"not-ready","detail":"6 faults found"/);
        for (const [i, pattern] of [/^clock: .*differ by (599|600) s/, /^address: links cannot be made/, /^backup: the last backup failed/, /^disk: little/, /^format: pump: no format/, /^bases: pump: there is no image/].entries())
            assert.match(faults[i], pattern);
        assert.ok(rows.every((r) => r.result !== 'fault' || r.do), 'each fault has something to do');
        assert.ok(rows.some((r) => r.result === 'note' && /held/.test(r.text)));
    });

    test('without a backup there is a warning, and what to do', async (t) => {
        const answer = (q, s) => { s.writeHead(200, good).end(body); };
        const none = { last: null, failed: null, due: false }, last = { made_at: Date.now(), result: 'complete' };
        const backup = async (over, next) => (await doctor(t, answer, over, next)).rows.filter((r) => r.check === 'backup');
        for (const [over, result, text, todo] of [
            [{ backup: none, limits: { backup_warn_days: 7 } }, 'note', /^there is no backup yet: .*After 7 days/, /dfotactl backup DIR/],
            [{ backup: none, limits: { backup_warn_days: 0 } }, 'note', /backup_warn_days = 0/, /another way/],
            [{ backup: { last, failed: null, due: false } }, 'ok', /^the last backup is of \d{4}-/, /^null$/]]) {
            const rows = await backup(over);
            assert.deepEqual(rows.map((r) => r.result), [result]);
            assert.match(rows[0].text, text);
            assert.match(String(rows[0].do), todo);
        }
        const due = await backup({ backup: { last, failed: null, due: true } }, [{ kind: 'backup-due', text: 'no complete backup for 9 days' }]);
        assert.deepEqual(due.map((r) => [r.result, r.text]), [['fault', 'no complete backup for 9 days']]);
    });

    test('a real server answers by its own rules', async (t) => {
        const own = await startServer(t);
        const url = `http://${own.adminAddress.host}:${own.adminAddress.port}`;
        const result = await run(['doctor'], { env: { DFOTA_URL: url, DFOTA_TOKEN: own.token } });
        assertRun(result, 4, { err: /1 fault found/ });
        assert.match(result.out, /^fault +address +links begin with http:\/\/127/m);
        assert.match(result.out, /^ok +proxy +http:\/\/127\.0\.0\.1:\d+ answers by the rules for\n? +modules|answers by the rules/m);
        assert.match(result.out, /^ok +clock/m);
        assert.match(result.out, /^note +backup +there is no backup yet/m);
        assert.match(result.out, /^note +products +there is no product yet/m);
        assert.doesNotMatch(result.out, / of -|null|\?$/m);
    });
});
