// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of the documents are run, page by page, with a real dfotad, dfotactl and dfota-sim, and what they print is what the
// page shows. DFOTA_WRITE=1 writes the real output into the pages where it differs, DFOTA_WRITE=all everywhere. DFOTA_PAGE=doc/backup.md runs one page.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { Clock } from './lib/clock.mjs';
import { enterNamespace } from './lib/namespace.mjs';
import { agrees, linkKeys, readPage, rewrite, root, unprompted } from './lib/pages.mjs';
import { buildDir } from './lib/server.mjs';

const isRoot = process.getuid() === 0;
const noRoom = enterNamespace('PAGES', ...(isRoot ? [] : ['--user', '--map-root-user']), '--mount', '--net', '--propagation', 'private')
    ? false : 'no namespaces: unshare needs root, or user namespaces';

const chinese = /zh-CN|\/zh\//; // another language has the same commands, see docs.test.mjs
const paths = ['README.md', ...readdirSync(join(root, 'doc')).filter((name) => name.endsWith('.md')).map((name) => `doc/${name}`).sort(),
    ...readdirSync(join(root, 'man')).filter((name) => /\.\d$/.test(name)).map((name) => `man/${name}`).sort()].filter((path) => !chinese.test(path));
const pages = paths.map(readPage);

const sh = (text) => execFileSync('sh', ['-ec', text], { stdio: 'pipe' });
const base = mkdtempSync(join(tmpdir(), 'dfota-pages-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

// Pages have ports, names, /etc, /srv and /var/lib of their own.
const makeRoom = () => sh(`
    ip link set lo up
    mkdir ${base}/etc && cp -a /etc/. ${base}/etc/ 2>/dev/null || true
    mount --bind ${base}/etc /etc
    echo '127.0.0.1 localhost fota.example' > /etc/hosts
    touch /etc/.dfota-pages`);
const cleanRoom = () => sh(`
    test -e /etc/.dfota-pages # else these are the folders of the machine
    rm -rf /etc/dfota /etc/prometheus /etc/fail2ban
    mkdir /etc/dfota && touch /etc/dfota/dfota.conf
    while ss -Hltn | grep -q ':80'; do sleep 0.02; done # the processes of the page before are gone
    for place in /srv /var/lib; do
        umount -l $place 2>/dev/null || true
        mount -t tmpfs -o size=512m page $place
    done
    mkdir /srv/backup`);

class Shell {
    constructor(dir, scene) {
        const clock = new Clock();
        const [, preload] = /LD_PRELOAD=(.*)/.exec(clock.wrapper[1]);
        const env = {
            PATH: `${buildDir}:${process.env.PATH}`, HOME: dir, TZ: 'UTC', LC_ALL: 'C.UTF-8', LD_PRELOAD: preload, DFOTA_CLOCK: clock.file,
            DFOTA_CLOCK_BOOT: '1', SOURCE: root,
        };
        this.child = spawn('bash', ['--norc'], { cwd: dir, env, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
        this.file = join(dir, '.command');
        this.text = '';
        this.child.stdout.setEncoding('utf8').on('data', (part) => { this.text += part; this.heard?.(); });
        this.child.on('exit', () => this.heard?.());
        this.child.stdin.write(`exec 2>&1; . ${root}/tests/e2e/lib/pages.sh\n`);
        this.scene = scene;
        this.keys = new Map(); // of links: on the page → here
    }

    // → {status, lines}
    async run(command) {
        const real = [...this.keys].reduce((text, [shown, key]) => text.replaceAll(shown, key), command);
        writeFileSync(this.file, `${real}\n`);
        this.child.stdin.write(`. ${this.file} </dev/null; printf '\\001%s\\001' $?\n`);
        for (let end; !(end = /\u0001(\d+)\u0001/.exec(this.text));) {
            assert.ok(this.child.exitCode === null && this.child.signalCode === null, `the shell has ended: ${this.text}`);
            await new Promise((heard) => { this.heard = heard; });
        }
        const [before, status, after] = this.text.split('\u0001');
        this.text = after;
        return { status: Number(status), lines: before.split('\n').slice(0, before.endsWith('\n') || before === '' ? -1 : undefined) };
    }

    async hidden(command) {
        const { status, lines } = await this.run(`set -e; ${command}\nset +e`);
        await this.run('set +e');
        assert.equal(status, 0, `${command}\n${lines.join('\n')}`);
        for (const [, name, key] of lines.join('\n').matchAll(/^key (\S+) (\S+)$/gm)) // what a name on the page is here
            this.keys.set(name, key);
    }

    async begin() {
        if (this.scene !== 'none')
            await this.hidden('start_server');
        if (this.scene === 'images')
            await this.hidden('make_scene');
    }

    end() {
        try {
            process.kill(-this.child.pid, 'SIGKILL');
        } catch { /* it has ended */ }
    }
}

async function runBlock(shell, page, block, write) {
    if (block.first)
        await shell.hidden(block.first);
    for (const step of block.steps) {
        const { status, lines } = await shell.run(step.command);
        const place = `${page.path}:${block.at}: ${step.command}`;
        const leftOut = block.silent !== null && step.shown.length === 0;
        const right = leftOut || agrees(step.shown, lines);
        const [shown, real] = [linkKeys(step.shown), linkKeys(lines)];
        real.forEach((key, i) => shell.keys.set(shown[i] ?? key, key));
        if ((write && !right) || (write === 'all' && !leftOut && !step.shown.join().includes('…')))
            step.real = lines.map((line) => real.reduce((text, key, i) => text.replaceAll(key, shown[i] ?? key), line.trimEnd()));
        assert.ok(block.statuses.includes(status), `${place}\nstatus ${status}\n${lines.join('\n')}`);
        if (!write && !right)
            assert.deepEqual(lines, step.shown, place);
    }
}

const wanted = pages.filter(({ path, blocks }) => (process.env.DFOTA_PAGE ?? path) === path && blocks.some(({ skip, steps }) => skip === null && steps.length > 0));

describe('the commands of the documents', { skip: noRoom }, () => {
    before(makeRoom);
    for (const page of wanted)
        test(page.path, async (t) => {
            const dir = mkdtempSync(join(base, 'page-'));
            cleanRoom();
            const shell = new Shell(dir, page.scene);
            t.after(() => shell.end());
            const write = process.env.DFOTA_WRITE ?? '';
            try {
                await shell.begin();
                for (const block of page.blocks.filter(({ skip, steps }) => skip === null && steps.length > 0))
                    await runBlock(shell, page, block, write);
            } finally {
                if (write && page.path.endsWith('.md') && rewrite(page) !== page.text)
                    writeFileSync(join(root, page.path), rewrite(page));
            }
        });
});

test('a page is read and written without a change', () => {
    for (const page of paths.filter((path) => path.endsWith('.md')).map(readPage))
        assert.equal(rewrite(page), page.text, page.path);
});

test('each command of a page has a prompt, or the reason why it is not run', () => {
    assert.deepEqual(pages.flatMap(unprompted), []);
});

test('few commands are not run, and each of these has a reason', (t) => {
    const reasons = (field) => pages.flatMap(({ path, blocks }) => blocks.filter((block) => block[field] !== null).map((block) => [`${path}:${block.at}`, block[field]]));
    const [skipped, silent] = [reasons('skip'), reasons('silent')];
    const run = pages.flatMap(({ blocks }) => blocks).filter(({ skip, steps }) => skip === null).flatMap(({ steps }) => steps);
    t.diagnostic(`${run.length} commands are run; ${skipped.length} blocks are not run, ${silent.length} without their output`);
    assert.ok(skipped.length <= 37, `${skipped.length} blocks are not run`);
    assert.ok(run.length > 150);
    for (const [place, reason] of skipped) {
        assert.ok(reason.length > 15, place);
        for (const [file] of reason.matchAll(/tests\/[\w/.-]*\w/g))
            assert.ok(existsSync(join(root, file)), `${place}: ${file}`);
    }
});

test('output is compared with what varies masked', () => {
    assert.ok(agrees(['Device  8665', '…', 'at 2026-11-29 18:27:22Z'], ['Device  8665', 'x', 'y', 'at 2027-01-01 00:00:00Z']));
    assert.ok(agrees([], []) && agrees(['made in 3.1 s'], ['made in 12 s']));
    for (const [shown, real] of [[['a 1'], ['a 2']], [[], ['a']], [['a'], []], [['a', '…'], ['b']], [['866597071234569'], ['866597071234577']]])
        assert.ok(!agrees(shown, real), `${shown} ${real}`);
});
