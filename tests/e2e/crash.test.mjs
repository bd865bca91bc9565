// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The server is killed with SIGKILL at named places, many times on one data directory. What it answered must still be true after the next start.
//
//   DFOTA_CRASH_ROUNDS   kills of each phase, 20
//   DFOTA_CRASH_SEED     repeats a run; every run prints its own

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { noiseImage, random } from './lib/firmware.mjs';
import { Ledger, fileHasSum, incoming } from './lib/ledger.mjs';
import { poll, sha256 } from './lib/module.mjs';
import { assertProblem, writeScript } from './lib/scene.mjs';
import { buildDir, startServer, stopsBuildDir } from './lib/server.mjs';

const rounds = Number(process.env.DFOTA_CRASH_ROUNDS ?? 20);
const seed = Number(process.env.DFOTA_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const without_stops = stopsBuildDir ? false : 'no build with --enable-stop-points: set DFOTA_BUILD_STOPS';

// ---- Uploads ----

// Begins an upload and sends a part of the body.
function sendPart(ledger, version, bytes, count) {
    const { server, rand } = ledger;
    const socket = net.connect(server.adminAddress.port, server.adminAddress.host);
    const chunked = rand.below(2) === 0;
    const head = [`PUT /api/v1${ledger.path(`/images/${version}`)} HTTP/1.1`, 'Host: admin', `Authorization: Bearer ${server.token}`,
        chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes.length}`].join('\r\n');
    socket.on('error', () => {});
    socket.write(`${head}\r\n\r\n${chunked ? `${bytes.length.toString(16)}\r\n` : ''}`);
    socket.write(bytes.subarray(0, count));
    return socket;
}

async function killWhileUploadsStream(ledger) {
    const { server, rand } = ledger;
    await ledger.start();
    for (let i = rand.below(2); i > 0; i -= 1)
        await ledger.upload();
    const sent = Array.from({ length: 1 + rand.below(3) }, () => {
        const known = ledger.images.get(ledger.pick(ledger.versions()));
        const bytes = rand.below(4) === 0 ? known.bytes : ledger.revise();
        const version = ledger.draft(bytes);
        return { version, socket: sendPart(ledger, version, bytes, 1 + rand.below(bytes.length - 1)) };
    });
    await poll('all uploads have begun', async () => (await incoming(server)).filter(([, size]) => size > 0).length === sent.length,
        { every_ms: 4 });
    await ledger.kill();
    sent.forEach(({ socket }) => socket.destroy());
    await ledger.start();
    for (const { version } of sent)
        assertProblem(await server.admin('GET', ledger.path(`/images/${version}`)), 404, 'image-not-found');
    await ledger.check();
    if (rand.below(2))
        assert.ok(await ledger.send(sent[0].version), 'an upload that was cut off can be sent again');
}

// Between the file's final name and the commit.
async function killBeforeCommit(ledger) {
    const { server, rand } = ledger;
    const nth = 1 + rand.below(3);
    await ledger.start(`upload-renamed:${nth}`);
    for (let i = 1; i < nth; i += 1)
        await ledger.upload();
    const twin = ledger.images.get(ledger.pick(ledger.versions()));
    const version = ledger.draft(rand.below(3) === 0 ? twin.bytes : ledger.revise());
    const { sum } = ledger.images.get(version);
    const shared = sum === twin.sum;
    const answered = ledger.send(version);
    await ledger.awaitStop();
    assert.ok(fileHasSum(ledger.blobFile(sum), sum), 'at this point the file is there, whole and under its name');
    assertProblem(await server.admin('GET', ledger.path(`/images/${version}`)), 404, 'image-not-found');
    await ledger.kill();
    assert.equal(await answered, false);
    await ledger.start();
    assertProblem(await server.admin('GET', ledger.path(`/images/${version}`)), 404, 'image-not-found');
    assert.equal(fileHasSum(ledger.blobFile(sum), sum), shared, 'the file is nobody\'s, unless another image has the same bytes');
    await ledger.check();
    if (rand.below(2))
        assert.ok(await ledger.send(version), 'the image can be sent again');
}

// ---- Packages ----

// Asks for one or two packages that do not exist yet, as an admin or as a device.
async function askForPackages(ledger) {
    const { rand } = ledger;
    const from = ledger.pick(ledger.versions());
    const wanted = [];
    for (let i = 1 + rand.below(2); i > 0; i -= 1) {
        const to = await ledger.upload();
        if (rand.below(2)) {
            wanted.push(await ledger.queue(from, to));
        } else {
            await ledger.setTarget(to);
            await ledger.ask(ledger.newDevice(from), [43, 200]);
            wanted.push(ledger.expectPackage(from, to, false));
        }
    }
    return wanted;
}

// The same package may be killed up to three times in a row; the third makes it failed, by design, and then the check
// asks for it again. `start` begins a life in which packages get stuck; `isStuck` tells whether so many are.
async function killWhileMaking(ledger, start, isStuck, look) {
    const { server } = ledger;
    let wanted = null;
    for (let times = 1 + ledger.rand.below(3); times > 0; times -= 1) {
        await start();
        if (wanted)
            await ledger.check({ making: wanted });
        else
            wanted = await askForPackages(ledger);
        const states = await poll('it is stuck, and what is not stuck is made', async () => {
            const now = await Promise.all(wanted.map((entry) => ledger.package(entry)));
            const [generating, queued] = ['generating', 'queued'].map((state) => now.filter((made) => made.state === state).length);
            return queued === 0 && isStuck(generating) ? now : null;
        }, { every_ms: 4 });
        const stuck = wanted[states.findIndex(({ state }) => state === 'generating')];
        assert.ok(stuck, `one is being made: ${JSON.stringify(states)}`);
        const path = ledger.path(`/packages/${stuck.from}/${stuck.to}`);
        assertProblem(await server.admin('GET', `${path}/content`), 409, 'package-not-ready');
        await look(wanted);
        await ledger.kill();
        for (const [i, { state }] of states.entries())
            wanted[i].kills -= state === 'ready' ? 1 : 0; // it was made before the kill
    }
    await ledger.start();
    await ledger.check();
}

function killAt(point, look) {
    return (ledger) => killWhileMaking(ledger, () => ledger.start(point), (generating) => generating === 1 && ledger.hasStopped(),
        (wanted) => look(ledger, wanted));
}

const packagesInProgress = async ({ server }) => (await incoming(server)).filter(([name]) => /^job-.*\/package$/.test(name));

// What the disk shows at these points; a second package may be at any point then.
async function nothingIsMade(ledger, wanted) {
    if (wanted.length === 1) {
        assert.deepEqual(await packagesInProgress(ledger), []);
        assert.deepEqual(ledger.strangers(), []);
    }
}

async function fileIsInProgress(ledger, wanted) {
    assert.ok((await packagesInProgress(ledger)).some(([, size]) => size > 0), 'the file is there, not under its name');
    if (wanted.length === 1)
        assert.deepEqual(ledger.strangers(), []);
}

function fileHasItsName(ledger) {
    const files = ledger.strangers();
    assert.ok(files.length > 0, 'the file has its name');
    for (const sum of files)
        assert.ok(fileHasSum(ledger.blobFile(sum), sum), 'and is whole');
}

// A child that blocks: at once, after half of the file, or when it must prove the package.
async function killWhileChildRuns(ledger, t) {
    const dfota = join(buildDir, 'dfota');
    const mode = ledger.pick(['at once', 'half written', 'proving']);
    const script = await writeScript(t, (dir) => [
        `for last; do :; done`,
        mode === 'proving' ? `[ "$1" = diff ] && exec ${dfota} "$@"` : '',
        mode === 'half written' ? 'head -c 1000 /dev/zero > "$last"' : '',
        `echo $$ >> ${dir}/pids`,
        `read -r line < ${dir}/hold`,
    ].join('\n'));
    execFileSync('mkfifo', [join(script.dir, 'hold')]);
    const pids = () => {
        try {
            return readFileSync(join(script.dir, 'pids'), 'utf8').split('\n').filter(Boolean);
        } catch {
            return [];
        }
    };
    const lives = (pid) => {
        try {
            return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        } catch {
            return false;
        }
    };
    await killWhileMaking(ledger, () => ledger.start(null, { dfota_path: script.path }),
        (generating) => generating > 0 && pids().filter(lives).length === generating, () => {});
    await poll('no child lives longer than its server', () => !pids().some(lives), { every_ms: 4 });
}

// ---- Check-ins ----

// The next check-in: {device, codes}, chosen by what the devices have done so far.
function nextCheckIn(ledger) {
    const { rand } = ledger;
    const base = ledger.versions()[0];
    const downloaded = ledger.devices.filter((d) => d.answered?.code === 200 && d.module.version === base && d.open.length === 0);
    const kind = rand.below(6);
    if (kind === 0)
        return { device: ledger.newDevice('7'), codes: [44] };
    if (kind === 1)
        return { device: ledger.newDevice(ledger.target), codes: [27] };
    if (kind === 2) // its package may be there by now
        return { device: ledger.newDevice(ledger.pick(ledger.versions().filter((v) => Number(v) < Number(ledger.target)))), codes: [43, 200] };
    if (kind >= 4 && downloaded.length > 0) {
        const device = ledger.pick(downloaded);
        device.module.version = ledger.target;
        return { device, codes: [27] };
    }
    return { device: ledger.newDevice(base), codes: [200] };
}

// What a check-in changes durably; counts may be stored later.
function gist(record) {
    return record && { code: record.last_answer.code, confirmed: record.confirmed_version, asked: record.asked_version,
        attempts: record.attempts.map(({ from, to }) => `${from}/${to}`) };
}

// Check-ins until one gets stuck in the writer, which has not run it yet, or has committed it and not answered.
function killAtCheckIn(point, isCommitted) {
    return async (ledger) => {
        const { rand } = ledger;
        await ledger.start();
        if (rand.below(3) === 0)
            await ledger.upload();
        await ledger.end();
        await ledger.start(`${point}:${1 + rand.below(8)}`);
        let asked, before;
        do {
            const { device, codes } = nextCheckIn(ledger);
            before = gist(await ledger.record(device));
            asked = { device, codes, answer: ledger.ask(device, codes) };
            await Promise.race([asked.answer, ledger.awaitStop()]);
        } while (!ledger.hasStopped());
        await ledger.kill();
        const { code } = await asked.answer;
        if (code !== null) // it came while the one of before was still being written down
            assert.fail(`the answer ${code} came, though the server stands at ${point}`);
        await ledger.start();
        const after = gist(await ledger.record(asked.device));
        if (isCommitted) {
            assert.ok(after, 'its commit is durable');
            assert.ok(asked.codes.includes(after.code), JSON.stringify(after));
            assert.equal(after.confirmed, asked.device.module.version);
        } else {
            assert.deepEqual(after, before, 'it was never run');
        }
        await ledger.check();
        await ledger.ask(asked.device, asked.codes[0] === 43 ? [43, 200] : asked.codes);
    };
}

// ---- Transfers ----

// A client that has stopped reading receives only a part; its kernel may still acknowledge some megabytes.
const noise_bytes = 9_000_000;
const had_at_most = 2_000_000;

// A large package, and modules that stop reading at some point. One of them may continue from there.
async function killHalfWay(ledger) {
    const { rand } = ledger;
    await ledger.start();
    const resuming = ledger.devices.filter((d) => ledger.had(d) > 0 && ledger.had(d) < had_at_most && d.whole !== true).slice(-2);
    const devices = [...resuming.slice(0, rand.below(3)), ...Array.from({ length: 1 + rand.below(2) }, () => ledger.newDevice(ledger.versions()[0]))];
    const downloads = [];
    for (const device of devices) {
        const range = ledger.had(device) || null;
        const pauseAfter = 1 + rand.below(range === null ? 1_000_000 : 100_000);
        downloads.push(await ledger.ask(device, [range === null ? 200 : 206], { range, pauseAfter }));
    }
    for (const device of devices) {
        await poll('something is acknowledged', async () => (await ledger.record(device)).attempts[0].bytes_acked > 0, { every_ms: 20 });
    }
    await ledger.kill();
    devices.forEach((device, i) => {
        ledger.take(device, downloads[i]);
        downloads[i].drop();
    });
    await ledger.start();
    await ledger.check();
    for (const device of devices) {
        const [{ state, bytes_acked, delivered_at }] = (await ledger.record(device)).attempts;
        assert.deepEqual([state, delivered_at], ['interrupted', null]);
        assert.ok(bytes_acked > 0, 'what was stored of it is not lost');
    }
}

async function prepareNoise(ledger) {
    const { rand } = ledger;
    const version = await ledger.upload(noiseImage({ seed: rand.next(), size: noise_bytes }));
    await ledger.setTarget(version);
    await ledger.queue(ledger.versions()[0], version);
    await ledger.check();
}

// ---- At any moment ----

// Everything at the same time, until the server is killed.
async function killAnywhere(ledger) {
    const { server, rand } = ledger;
    await ledger.start();
    const { process: child } = server;
    const alone = (chore) => { // two of them at once would have no known order to check
        let busy = false;
        return async () => {
            if (busy)
                return;
            busy = true;
            try {
                await chore();
            } finally {
                busy = false;
            }
        };
    };
    const chores = [
        () => ledger.upload(),
        alone(() => ledger.setTarget(ledger.pick(ledger.versions().slice(-4)))),
        () => ledger.queue(ledger.versions()[rand.below(2)], ledger.newest()),
        () => ledger.ask(ledger.newDevice(ledger.pick(ledger.versions())), [27, 43, 200]),
        () => ledger.ask(ledger.newDevice('7'), [44]),
        alone(() => ledger.devices.length > 0 && ledger.ask(ledger.pick(ledger.devices), [27, 43, 44, 200])),
    ];
    const worker = async () => {
        while (child.exitCode === null && child.signalCode === null) {
            try {
                await ledger.pick(chores)();
            } catch (error) {
                if (error.code !== 'ECONNREFUSED' && error.code !== 'ECONNRESET')
                    throw error;
            }
        }
    };
    const work = Promise.all([worker(), worker(), worker()]);
    await Promise.race([work, new Promise((next) => setTimeout(next, rand.below(150)))]);
    await ledger.kill(work);
    await ledger.start();
    await ledger.check();
}

const phases = [
    ['while an upload streams', killWhileUploadsStream, {}],
    ['after an upload got its name, before its commit', killBeforeCommit, { stops: true }],
    ['once a job is claimed', killAt('job-claimed', nothingIsMade), { stops: true }],
    ['while a child runs', killWhileChildRuns, {}],
    ['once a package is written', killAt('package-written', fileIsInProgress), { stops: true }],
    ['once a package is published', killAt('package-published', fileHasItsName), { stops: true }],
    ['while a check-in waits for the writer', killAtCheckIn('check-in-enqueued', false), { stops: true }],
    ['after the commit of a check-in, before its answer', killAtCheckIn('check-in-committed', true), { stops: true }],
    ['half way of a transfer', killHalfWay, { prepare: prepareNoise, limits: { max_package_bytes: 100_000_000 } }],
    ['at any moment of a busy server', killAnywhere, {}],
];

describe(`kill -9, ${rounds} times each, seed ${seed}:`, { concurrency: 3 }, () => {
    for (const [n, [name, round, { stops = false, prepare = null, limits = {} }]] of phases.entries()) {
        test(name, { skip: stops && without_stops }, async (t) => {
            t.diagnostic(`DFOTA_CRASH_SEED=${seed} repeats it`);
            const server = await startServer(t, { build: stops ? stopsBuildDir : buildDir, config: { jobs: 2, disk_reserve_bytes: 0 } });
            const ledger = new Ledger(server, random(seed + n));
            await ledger.begin(limits);
            await prepare?.(ledger);
            while (ledger.kills < rounds) {
                await ledger.end();
                await round(ledger, t).catch(async (error) => {
                    if (server.process)
                        await server.kill(); // it may be stopped at a point and would not end by itself
                    error.message = `seed ${seed}, after ${ledger.kills} kills: ${error.message}`;
                    throw error;
                });
            }
            await ledger.check({ sample: false });
            t.diagnostic(`${ledger.kills} kills, ${ledger.images.size} images, ${ledger.packages.size} packages, ${ledger.devices.length} devices`);
        });
    }
});
