// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl as a person uses it: the Tab key in bash and zsh in a terminal of tmux, questions, progress, and the deletion of
// what was changed meanwhile.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

import { FakeApi, airm2m, assertRun, columns, device, firmwarePath, problem, program, run, scratch } from './lib/ctl.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const completions = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packaging', 'completion');
const call = promisify(execFile);

let server, scene, module, env;
before(async () => {
    server = await startServer(null, { keep: true, config: { public_device_url: 'http://fota.example' } });
    scene = await Scene.build(server, { product: 'pumps', firmware: 'pump', versions: ['1001', '1002'], format: 'bsdiff' });
    ({ module } = await scene.linkedModule());
    env = { DFOTA_URL: `http://${server.adminAddress.host}:${server.adminAddress.port}`, DFOTA_TOKEN: server.token, DFOTA_PRODUCT: 'pumps' };
});
after(() => server?.dispose());

const ctl = (...args) => run(args, { env });
const ok = async (...args) => {
    const result = await ctl(...args);
    assertRun(result, 0, { err: /(?:)/ });
    return result.out;
};

// A shell in a terminal of 100 columns; keys are sent as a person types them.
class Terminal {
    static async start(t, shell) {
        const terminal = new Terminal();
        t.after(() => terminal.tmux?.('kill-server')); // before the folder with its socket is removed
        const dir = await scratch(t);
        await symlink(program, join(dir, 'dfotactl'));
        terminal.tmux = (...args) => call('tmux', ['-S', join(dir, 'socket'), '-f', '/dev/null', ...args]).then(({ stdout }) => stdout);
        const variables = { HOME: dir, LC_ALL: 'C.UTF-8', TERM: 'screen', ...env, PATH: `${dir}:${process.env.PATH}`, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '' };
        const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
        await terminal.tmux('new-session', '-d', '-x', '100', '-y', '40', 'env', '-i', ...words, ...shell);
        return terminal;
    }

    type(...keys) {
        return this.tmux('send-keys', ...keys);
    }

    // What the terminal shows once it matches.
    async shows(pattern) {
        let text;
        for (const end = Date.now() + 10_000; Date.now() < end;) {
            text = await this.tmux('capture-pane', '-p');
            if (pattern.test(text))
                return text;
            await new Promise((done) => setTimeout(done, 20));
        }
        assert.match(text, pattern);
    }

    // Types the beginning of a line and Tab; the line must become as the pattern says. Then it is erased.
    async completes(typed, pattern, tabs = ['Tab']) {
        await this.type('-l', typed);
        await this.shows(new RegExp(`${typed.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
        await this.type(...tabs);
        await this.shows(pattern);
        await this.type('C-u');
        await this.type('C-l');
        await this.shows(/^%?>? *\n/);
    }
}

const shells = {
    bash: { words: ['bash', '--norc', '--noprofile', '-i'], setup: `PS1='> '; . ${completions}/dfotactl; clear` },
    zsh: { words: ['zsh', '-f', '-i'], setup: `PS1='> '; fpath=(${completions} $fpath); autoload -U compinit; compinit -u; clear` },
};

describe('the Tab key', () => {
    for (const [name, shell] of Object.entries(shells))
        test(name, async (t) => {
            await ok('secret', 'add', module.id);
            await ok('campaign', 'create', 'pump', `${name} spring`, '1002');
            await ok('token', 'add', `robot-${name}`, '--scope', 'read');
            await ok('webhook', 'add', `hook-${name}`, 'http://127.0.0.1:9/x');
            const secret = JSON.parse(await ok('secret', 'list', '-o', 'json')).items.find((one) => one.state === 'valid');
            const terminal = await Terminal.start(t, shell.words);
            await terminal.type('-l', shell.setup);
            await terminal.type('Enter');
            await terminal.shows(/^> *\n/);
            await terminal.completes('dfotactl imag', /dfotactl image\s/);
            await terminal.completes('dfotactl firmware show p', /show pump\s/);
            await terminal.completes('dfotactl image show pump 100', /1001 +1002/, ['Tab', 'Tab']);
            await terminal.completes(`dfotactl device show ${module.id.slice(0, 12)}`, new RegExp(`${module.id}\\s`));
            await terminal.completes(`dfotactl secret revoke ${String(secret.secret).slice(0, -1)}`, new RegExp(`revoke ${secret.secret}\\s`));
            await terminal.completes(`dfotactl campaign show pump ${name[0]}`, new RegExp(`${name}\\\\ spring`));
            await terminal.completes(`dfotactl token revoke robot-${name[0]}`, new RegExp(`robot-${name}\\s`));
            await terminal.completes(`dfotactl webhook show hook-${name[0]}`, new RegExp(`hook-${name}\\s`));
            await terminal.completes('dfotactl device list --fil', /--filter\s/);
            await ok('secret', 'revoke', String(secret.secret), '--yes');
            // a name with a blank, in quotes or with a backslash, also before the word that is completed
            await terminal.completes(`dfotactl campaign show pump '${name} s`, new RegExp(`'${name} spring'`));
            await terminal.completes(`dfotactl campaign show pump ${name}\\ s`, new RegExp(`${name}\\\\ spring\\s`));
            await terminal.completes(`dfotactl campaign approve 'pump' ${name}\\ s`, new RegExp(`${name}\\\\ spring\\s`));
        });

    test('devices are asked for by their beginning, so that there may be any number', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/devices', { items: [device({ device: '866597071234567' })] });
        const asked = async (typed) => {
            await api.ctl('--complete', 'device', 'show', typed);
            return api.requests.at(-1).query.get('q');
        };
        assert.equal(await asked('8665'), 'device like "8665*"');
        assert.equal(await asked(''), null);
        assert.equal(await asked('8"*'), null);
    });

    test('an ended secret or token is not offered, and no name is offered as the token of --token', async (t) => {
        const api = await FakeApi.start(t);
        api.on('GET /products/pumps/secrets', { items: [{ secret: 7, revoked_at: null }, { secret: 8, revoked_at: 5 }] });
        api.on('GET /tokens', { items: [{ token: 1, name: 'ci', revoked_at: null }, { token: 2, name: 'old', revoked_at: 5 }] });
        assert.equal((await api.ctl('--complete', 'secret', 'rotate', '')).out, '7\n');
        assert.equal((await api.ctl('--complete', 'token', 'rotate', '')).out, 'ci\n');
        assert.equal((await api.ctl('--complete', 'status', '--token', '')).out, '');
    });
});

// Runs a shell command on a terminal of its own; → {status, out}. `answer`: (what it showed so far) → what to type, or null.
const onTerminal = (command, answer, variables = env) => new Promise((done) => {
    const child = spawn('script', ['-qec', command, '/dev/null'], {
        env: { PATH: process.env.PATH, TERM: 'xterm', LC_ALL: 'C', ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', ...variables }, timeout: 30_000,
    });
    let out = '', typed = false;
    child.stdout.on('data', async (bytes) => {
        out += bytes;
        if (typed || !out.includes('[y/N]'))
            return;
        typed = true;
        child.stdin.write(`${await answer?.(out) ?? ''}\n`);
    });
    child.on('close', (status) => done({ status, out: out.replaceAll('\r\n', '\n') }));
});

describe('what was shown is what is deleted', () => {
    const meanwhile = async (command, change) => {
        const { status, out } = await onTerminal(`${program} ${command}`, async () => {
            await change();
            return 'y';
        });
        assert.equal(status, 1, out);
        assert.match(out.replaceAll('\n', ' '), /was changed meanwhile: look at it again, and decide again; nothing was changed \(precondition-failed\)/);
    };

    test('a change between the question and the answer stops the command', async () => {
        await ok('image', 'waypoint', 'pump', '1001', 'allowed');
        await meanwhile('image delete pump 1001', () => ok('image', 'waypoint', 'pump', '1001', 'forbidden'));
        await ok('image', 'waypoint', 'pump', '1001', 'allowed');
        await ok('campaign', 'create', 'pump', 'draft', '1002');
        await meanwhile('campaign delete pump draft', () => ok('campaign', 'create', 'pump', 'other', '1002').then(() =>
            server.admin('PATCH', `/products/pumps/firmware/pump/campaigns/draft`, { target: '1001' })));
        await ok('webhook', 'add', 'mine', 'http://127.0.0.1:9/x');
        await meanwhile('webhook delete mine', () => ok('webhook', 'set', 'mine', '--enabled', 'no'));
        await ok('token', 'add', 'mine', '--scope', 'read');
        await meanwhile('token revoke mine', () => ok('token', 'rotate', 'mine'));
        await ok('product', 'add', 'Wells', '--key', 'wells');
        await meanwhile('product delete wells', () => ok('product', 'set', 'wells', '--name', 'Other wells'));
    });

    test('without a change it is deleted', async () => {
        const { status, out } = await onTerminal(`${program} webhook delete mine`, () => 'y');
        assert.equal(status, 0, out);
        assertRun(await ctl('webhook', 'show', 'mine'), 2, { err: /no webhook mine/ });
        await ok('webhook', 'add', 'quiet', 'http://127.0.0.1:9/x');
        assert.equal((await onTerminal(`${program} webhook forget quiet all`, () => 'y')).status, 0);
    });

    test('with --yes nothing is read before, and nothing is compared', async (t) => {
        const api = await FakeApi.start(t);
        api.on(`DELETE ${firmwarePath}`, { status: 204 });
        assertRun(await api.ctl('firmware', 'delete', airm2m, '--yes'), 0, { err: /is deleted/ });
        assert.deepEqual(api.requests.map((r) => [r.route, r.headers['if-match']]), [[`DELETE ${firmwarePath}`, undefined]]);
    });
});

describe('what can be stopped is asked on a terminal only', () => {
    test('target set and campaign start show their effect in numbers', async () => {
        const target = async () => JSON.parse(await ok('firmware', 'show', 'pump', '-o', 'json')).target;
        await ok('target', 'set', 'pump', '1002');
        const no = await onTerminal(`${program} target set pump 1001`, () => 'n');
        assert.equal(no.status, 2);
        assert.match(no.out.replaceAll('\n', ' '), /Devices that this leads to 1001: \d+, with \d+ bytes of packages\. Devices that cannot be reached: \d+\. Continue\? \[y\/N\].*nothing was changed/);
        assert.doesNotMatch(no.out, /cannot be undone/);
        assert.equal(await target(), '1002');
        assert.equal((await onTerminal(`${program} target set pump 1001`, () => 'y')).status, 0);
        assert.equal(await target(), '1001');
        assert.equal((await onTerminal(`${program} target set pump 1002 --yes`)).status, 0);
        assert.doesNotMatch((await onTerminal(`${program} target set pump 1001 --dry-run`)).out, /\[y\/N\]/);
        await ok('target', 'set', 'pump', '1001');
        await ok('target', 'clear', 'pump');
        await ok('campaign', 'create', 'pump', 'asked', '1002');
        const started = await onTerminal(`${program} campaign start pump asked`, () => 'y');
        assert.equal(started.status, 0, started.out);
        assert.match(started.out, /Devices that this leads to 1002: \d+/);
    });
});

describe('revoke by CSV', () => {
    test('each line is answered, and a refusal does not end it', async (t) => {
        const dir = await scratch(t), file = join(dir, 'list.csv');
        const { module: other } = await scene.linkedModule();
        await writeFile(file, `\uFEFFIMEI,version\r\n"${other.id}",1001\r\n\r\n866597071234500\r\n${other.id}\r\n${module.id}\r\n`);
        const result = await ctl('device', 'revoke', '--csv', file, '--yes');
        assertRun(result, 1, { err: /links are revoked: 2; devices that had none: 1\n.*lines that failed: 1 of 4\n/ });
        assert.deepEqual(result.out.trimEnd().split('\n').map((l) => l.trim().split(/ +/)), [['LINE', 'DEVICE', 'RESULT', 'LINKS'],
            ['2', other.id, 'revoked', '1'], ['4', '866597071234500', 'unknown', '-'], ['5', other.id, 'had-none', '0'], ['6', module.id, 'revoked', '1']]);
        const csv = await ctl('device', 'revoke', '--csv', file, '--yes', '-o', 'csv');
        assert.equal(csv.status, 1);
        assert.match(csv.out, /^line,device,result,links,code,error\r\n2,\d+,had-none,0,,\r\n4,866597071234500,unknown,,device-not-found,/);
        const json = await run(['-c', `"$0" device revoke --csv - --yes -o json < ${file}`, program], { command: 'sh', env });
        assert.deepEqual(JSON.parse(json.out).items.map((i) => i.result), ['had-none', 'unknown', 'had-none', 'had-none']);
        assert.equal(JSON.parse(json.err).error.detail, 'lines that failed: 1 of 4');
        const asked = await onTerminal(`${program} device revoke --csv ${file}`, () => 'n');
        assert.match(asked.out.replaceAll('\n', ' '), /: 4 devices\./);
        await writeFile(file, 'imei\n');
        assertRun(await ctl('device', 'revoke', '--csv', file, '--yes'), 2, { err: /names no device/ });
    });

    test('what other lines would meet too ends it: no answer, a wrong token', async (t) => {
        const dir = await scratch(t), file = join(dir, 'list.csv'), one = '/products/pumps/devices/866597071234567';
        await writeFile(file, '866597071234567\n866597071234575\n');
        const api = await FakeApi.start(t);
        api.on(`GET ${one}`, device({ links: [{ link: 1, revoked_at: null }] })).on(`DELETE ${one}/links`, problem(403, 'forbidden', 'the token may not do this'));
        assertRun(await api.ctl('device', 'revoke', '--csv', file, '--yes'), 1, { err: /the token may not do this. The lines from 866597071234567 on were not handled/ });
        assert.equal(api.requests.length, 2);
        api.on(`DELETE ${one}/links`, problem(409, 'device-retired', 'the device is retired'));
        const table = await api.ctl('device', 'revoke', '--csv', file, '--yes');
        assert.match(table.out, /866597071234567 +refused +-\n +the device is retired\n/);
        for (const line of table.out.split('\n'))
            assert.ok(columns(line) <= 80, line);
    });
});

describe('progress', () => {
    test('transfers and waits show it on a terminal, and remove it; elsewhere there is none', async (t) => {
        const dir = await scratch(t);
        await mkdir(join(dir, 'in'));
        await ok('image', 'get', 'pump', '1001', join(dir, 'in', 'pump_V1003.bin'));
        for (const [command, pattern] of [
            [`image get pump 1001 ${join(dir, 'out.bin')}`, /\d+ KB/], [`image upload ${join(dir, 'in', 'pump_V1003.bin')}`, /\[[#.]{20}\] +\d+ % of \d+ KB/],
            ['package make pump 1001 1003 --wait', /(queued|generating|ready)/]]) {
            const { status, out } = await onTerminal(`${program} ${command} --yes`.replace(' --yes', ''));
            assert.equal(status, 0, out);
            assert.match(out, pattern, command);
            const last = out.slice(out.lastIndexOf('\x1b[K'));
            assert.doesNotMatch(last, /\r[^\n]/, command);
        }
        const piped = await ctl('image', 'get', 'pump', '1002', join(dir, 'two.bin'));
        assert.deepEqual([piped.status, piped.err.includes('\r'), piped.err.includes('KB')], [0, false, false]);
        assertRun(await ctl('package', 'make', 'pump', '1002', '1003', '--wait'), 0);
    });
});

describe('standard input', () => {
    test('a secret is read from it', async () => {
        const secret = 'secret-0123456789abcdef';
        const { out, err, status } = await run(['-c', `echo ${secret} | "$0" secret add ${module.id} --secret-file -`, program], { command: 'sh', env });
        assert.deepEqual([status, out.trim()], [0, secret], err);
    });

    test('so are an SBOM, evidence and a public key', async (t) => {
        const piped = (text, ...words) => run(['-c', `printf '%s' "$1" | "$0" ${words.join(' ')}`, program, text], { command: 'sh', env });
        assertRun(await piped('{"bomFormat":"CycloneDX"}', 'image', 'about', 'pump', '1002', '--sbom', '-'), 0);
        const file = join(await scratch(t), 'evidence.json');
        await writeFile(file, '{}');
        for (const words of [['-'], ['-', '--key', '-']])
            assertRun(await piped('{}', 'evidence', 'verify', ...words), 1, { err: /-: the file is damaged, or it is no evidence/ });
        assertRun(await piped('{}', 'evidence', 'verify', `${file}.none`), 2, { err: /cannot read .*none: No such file/ });
    });
});
