// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Packages made by a command of the configuration. The replacement tool (lib/fotatoolkit.sh) behaves like the vendor's tool,
// and, if told so, like a bad tool.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { poll, sha256 } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { buildDir, startServer } from './lib/server.mjs';

const tool = join(dirname(fileURLToPath(import.meta.url)), 'lib', 'fotatoolkit.sh');
const modes = ['good', 'known', 'wrong', 'oversize', 'huge', 'hang', 'daemon', 'nothing', 'empty', 'link', 'outside', 'signal', 'old',
    'flood', 'deep', 'place', 'words', 'crash', 'fails'];

let dir, server;
before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dfota-external-'));
    await writeFile(join(dir, 'precious'), 'precious');
    const sections = modes.map((mode) => `[firmware ${mode}]\nexternal_command = ${tool} -d ${dir}/${mode}.json BINPKG {out} {old} {new}\n`);
    await writeFile(join(dir, 'conf'), `${sections.join('')}
[firmware verified]
external_command = ${tool} -d ${dir}/good.json BINPKG {out} {old} {new}
external_verify = ${tool} --verify {old} {package} {new}
[firmware both verify]
external_command = ${tool} -d ${dir}/known.json BINPKG {out} {old} {new}
external_verify = ${tool} --verify {old} {package} {new}
[firmware missing]
external_command = /nowhere/at/all {old} {new} {out}
[firmware named]
external_command = ${tool} -d ${dir}/words.json "for {firmware}, $HOME; \`true\`" {out} {old} {new}
[firmware shared-1]
external_command = ${tool} -d ${dir}/good.json BINPKG {out} {old} {new}
[firmware shared-2]
external_command = ${tool} -d ${dir}/good.json BINPKG {out} {old} {new}
`);
    server = await startServer(null, { keep: true, config: { config: join(dir, 'conf'), job_wall_ms: 20000, max_image_bytes: 100000 } });
    for (const mode of modes)
        await writeFile(join(dir, `${mode}.json`), JSON.stringify({
            mode, dfota: join(buildDir, 'dfota'), target: mode === 'signal' ? String(server.process.pid) : join(dir, 'precious'),
        }, null, 1));
});
after(async () => {
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
});

async function build(firmware, options = {}) {
    return Scene.build(server, { firmware, format: 'external', ...options });
}

async function make(scene) {
    return server.makePackage(scene.product, scene.firmware, scene.versions[0], scene.versions.at(-1));
}

const isThere = (pid) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe('what an external command makes', () => {
    test('is unproven if dfota cannot apply it, and is not served', async () => {
        const scene = await build('good');
        const made = await make(scene);
        assert.deepEqual([made.format, made.origin, made.proven, made.effort], ['external', 'external', false, null]);
        assert.match(made.note, /not applied/);
        assert.match(made.log, /^FotaToolkit stand-in: \/.*old -> \/.*new$/);
        const module = scene.module();
        assert.equal((await module.ask()).code, 21);
        assert.match((await scene.record(module)).last_answer.reason, /unproven/);
        await server.admin('GET', scene.path('/packages/1001/1002/content'), null, { expect: 409 });
    });

    test('is proven if dfota knows the format', async () => {
        const scene = await build('known');
        const made = await make(scene);
        assert.deepEqual([made.state, made.proven, made.origin], ['ready', true, 'external'], JSON.stringify(made));
        assert.equal((await scene.module().ask()).status, 200);
    });

    test('fails if dfota knows the format and the package is wrong', async () => {
        const made = await make(await build('wrong'));
        assert.equal(made.state, 'failed');
        assert.match(made.error, /exit status 1: dfota: .*does not give/);
    });

    test('is proven by external_verify, and the note says so', async () => {
        const scene = await build('verified');
        const made = await make(scene);
        assert.deepEqual([made.state, made.proven], ['ready', true], JSON.stringify(made));
        assert.match(made.note, /proven only by \/.*fotatoolkit\.sh/);
        assert.match(made.log, /stand-in[^]*the package gives the new image/);
        const module = scene.module();
        assert.equal((await module.ask()).status, 200);
    });

    test('fails if external_verify refuses it, whatever dfota says', async () => {
        const made = await make(await build('both verify'));
        assert.equal(made.state, 'failed');
        assert.match(made.error, /^external_verify: exit status 1: no package of this tool$/);
    });

    test('is oversize above the limit, although the command succeeded', async () => {
        const scene = await build('oversize');
        const made = await make(scene);
        assert.equal(made.state, 'oversize');
        assert.ok(made.size > 600000);
        assert.equal((await scene.module().ask()).code, 21);
    });

    test('belongs to its configuration: an equal one shares it, another one makes its own', async () => {
        const [one, two] = [await build('shared-1', { seed: 4711 }), await build('shared-2', { seed: 4711 })];
        const other = await build('named', { seed: 4711 });
        const made = await make(one);
        assert.equal((await two.package()).sha256, made.sha256, 'nobody had to ask');
        assert.equal(await other.package(), null);
    });
});

describe('a command', () => {
    test('has its own empty folder, with HOME and TMPDIR in it', async () => {
        const { log } = await make(await build('place'));
        const [, workdir] = /^(\/.*\/work)$/m.exec(log);
        assert.equal(log.split('\n').slice(1).join('\n'), `HOME=${workdir}/home
LANG=C.UTF-8
PATH=/usr/local/bin:/usr/bin:/bin
PWD=${workdir}
TMPDIR=${workdir}/tmp
home
tmp
${workdir}/home:

${workdir}/tmp:
${workdir}
400`);
        assert.ok(workdir.startsWith(join(server.dataDir, 'incoming')), workdir);
        assert.ok(!existsSync(workdir), 'it is gone with all that was in it');
    });

    test('is run without a shell: only quotes group words', async () => {
        const { log } = await make(await build('named'));
        assert.match(log, /^\[for named, \$HOME; `true`\]$/m);
    });

    test('cannot damage the stored images, because it has copies', async () => {
        const scene = await build('old');
        const made = await make(scene);
        assert.equal(made.state, 'ready', JSON.stringify(made));
        for (const [version, bytes] of scene.images) {
            const { body } = await server.admin('GET', scene.path(`/images/${version}/content`), null, { expect: 200 });
            assert.equal(sha256(body), sha256(bytes));
        }
    });

    test('cannot write outside of its folder', async (t) => {
        if (server.log('external-unconfined').length > 0)
            return t.skip('no Landlock here');
        const made = await make(await build('outside'));
        assert.match(made.log, /precious: Permission denied/);
        assert.equal(await readFile(join(dir, 'precious'), 'utf8'), 'precious');
    });

    test('cannot end the server', async (t) => {
        const [major, minor] = release().split('.').map(Number);
        if (server.log('external-unconfined').length > 0 || major * 100 + minor < 612)
            return t.skip('no Landlock here that keeps signals in');
        const made = await make(await build('signal'));
        assert.equal(made.state, 'ready', JSON.stringify(made));
        assert.doesNotMatch(made.log, /^killed$/m);
    });

    test('leaves nothing in incoming/, however it hides it', async () => {
        assert.equal((await make(await build('deep'))).state, 'ready');
        await poll('incoming/ is empty', () => readdirSync(join(server.dataDir, 'incoming')).length === 0);
    });

    test('leaves no process, not even a daemon', async () => {
        const made = await make(await build('daemon'));
        assert.equal(made.state, 'ready', JSON.stringify(made));
        const [, pid] = /^daemon (\d+)$/m.exec(made.log);
        assert.ok(!isThere(pid), `process ${pid} is left`);
    });

    test('with very much output: the beginning and the end are kept, as clean text', async () => {
        const { log } = await make(await build('flood'));
        assert.match(log, /\nthe first line\nsome progress/);
        assert.match(log, /\n\(\d+ bytes are left out here\)\n/);
        assert.match(log, /\n\? \[31m \n固\nthe last line$/);
        assert.ok(Buffer.byteLength(log) < 16384);
    });

    for (const [mode, reason] of [
        ['nothing', /^external_command ended with exit status 0 but wrote nothing to {out}$/],
        ['empty', /^external_command ended with exit status 0 but wrote an empty file$/],
        ['link', /^external_command ended with exit status 0 but {out} is not a regular file$/],
        ['huge', /^external_command wrote \d+ bytes or more$/],
        ['crash', /^external_command: killed by SIGSEGV/],
        ['fails', /^external_command: exit status 3: error: the packet is 530112 bytes, the partition holds 491520$/],
        ['missing', /^external_command: cannot run \/nowhere\/at\/all/],
    ])
        test(`fails, and says why: ${mode}`, async () => {
            const scene = await build(mode);
            const made = await make(scene);
            assert.equal(made.state, 'failed', JSON.stringify(made));
            assert.match(made.error, reason);
            assert.equal((await scene.module().ask()).code, 21);
        });

    test('that is not configured: the error says what to add', async () => {
        const made = await make(await build('none'));
        assert.equal(made.state, 'failed');
        assert.match(made.error, /no external_command is set for this firmware/);
    });
});

test('a command that hangs is ended with all its processes, at its time limit and with the server', async (t) => {
    const own = await startServer(t, { config: { config: join(dir, 'conf'), job_wall_ms: 700, max_image_bytes: 100000, jobs: 1 } });
    const pids = (log) => [...log.matchAll(/^(?:daemon|grandchild) (\d+)$/mg)].map(([, pid]) => pid);
    const scene = await Scene.build(own, { firmware: 'hang', format: 'external' });
    const made = await own.makePackage(scene.product, 'hang', '1001', '1002');
    assert.equal(made.state, 'failed');
    assert.match(made.error, /^external_command: took longer than 700 ms/);
    assert.equal(pids(made.log).length, 2, made.log);
    for (const pid of pids(made.log))
        assert.ok(!isThere(pid), `process ${pid} is left`);

    await own.restart({ config: { ...own.config, job_wall_ms: 600000 } });
    const sleepers = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && runsHere(pid, own.dataDir));
    for (const hard of [false, true]) {
        await own.admin('POST', scene.path('/packages/1001/1002'), null, { expect: 202 });
        await poll('the command runs', () => sleepers().length >= 3);
        await (hard ? own.kill() : own.stop());
        await poll('nothing of it is left', () => sleepers().length === 0);
        await own.start();
    }
});

// A process whose working directory is in that data directory.
function runsHere(pid, dataDir) {
    try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${dataDir}/incoming`) && isThere(pid);
    } catch {
        return false; // it has ended
    }
}

test('a package whose configuration was removed is not made with another one', async (t) => {
    const config = join(dir, 'changing');
    await writeFile(config, `[firmware changing]\nexternal_command = ${tool} -d ${dir}/hang.json X {out} {old} {new}\n`);
    const own = await startServer(t, { config: { config, jobs: 1 } });
    const scene = await Scene.build(own, { firmware: 'changing', format: 'external' });
    await own.admin('POST', scene.path('/packages/1001/1002'), null, { expect: 202 });
    await poll('it is being made', async () => (await scene.package()).state === 'generating');
    await own.stop();
    await writeFile(config, `[firmware changing]\nexternal_command = ${tool} -d ${dir}/good.json X {out} {old} {new}\n`);
    await own.start();
    await poll('the old one has failed', () => own.log('package-failed').length > 0);
    assert.match((await own.logged('package-failed'))[0].reason, /configuration .* changed after this package was queued/);
    assert.equal(await scene.package(), null);
    assert.equal((await own.makePackage(scene.product, 'changing', '1001', '1002')).origin, 'external');
});
