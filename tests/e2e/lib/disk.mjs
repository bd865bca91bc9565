// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of full, read-only, failing or damaged disks: servers on such disks, and what must hold
// while the disk does not work and afterwards.

import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';

import { Faults } from './faults.mjs';
import { poll, sha256 } from './module.mjs';
import { Scene, listFiles } from './scene.mjs';
import { Server, buildDir, startServer } from './server.mjs';

// A server with its data on a disk; `reserve` is the space that it must keep free.
export async function startOn(t, disk, { reserve = 0, config = {}, wrapper = [] } = {}) {
    const server = serverOn(t, disk, { reserve, config, wrapper });
    await server.start();
    return server;
}

export function serverOn(t, disk, { reserve = 0, config = {}, wrapper = [] } = {}) {
    const server = new Server(disk.dir, { disk_reserve_bytes: reserve, ...config }, wrapper, buildDir);
    t.after(() => server.dispose());
    return server;
}

// A scene on a server whose disk calls fail as the test says.
export async function startFaulty(t, options = {}) {
    const faults = new Faults();
    const server = await startServer(t, { wrapper: faults.wrapper });
    return { faults, server, scene: await Scene.build(server, options) };
}

// Everything except the database: names of blobs and of files in progress.
export async function files(server) {
    const all = await listFiles(server.dataDir);
    return [...all.keys()].filter((name) => /^(blobs|incoming)/.test(name)).sort();
}

// Asserts that every image of the scene is stored and complete.
export async function assertImages(scene, versions = scene.versions) {
    for (const version of versions) {
        const { body } = await scene.server.admin('GET', scene.path(`/images/${version}/content`), null, { expect: 200 });
        assert.equal(sha256(body), sha256(scene.images.get(version)));
    }
}

export async function awaitPackage(scene, state) {
    return poll(`the package is ${state}`, async () => {
        const made = await scene.package();
        return made?.state === state ? made : null;
    });
}

// New modules ask, many at once, until `wanted` of them were told to come back: {told, known}.
export async function askUntilFull(scene, wanted) {
    const told = [], known = [];
    while (told.length < wanted) {
        const modules = Array.from({ length: 10 }, () => scene.module());
        for (const [i, { status, code }] of (await Promise.all(modules.map((m) => m.ask()))).entries()) {
            assert.ok(code === 27 || (status === 503 && code === 503), `${status} ${code}`);
            (code === 27 ? known : told).push(modules[i]);
        }
        assert.ok(known.length < 5000, 'the disk does not get full');
    }
    return { told, known };
}

// The disk works again, without a restart of the server.
export async function assertGoesOn(scene, { told, known }) {
    for (const module of told)
        assert.equal(await scene.record(module), null, 'nothing is recorded of a check-in that failed');
    for (const module of known)
        assert.equal((await scene.record(module)).check_ins, 1);
    for (const module of [...told, ...known])
        assert.equal((await module.ask()).code, 27);
    for (const module of told)
        assert.equal((await scene.record(module)).check_ins, 1, 'what failed counts for nobody');
    for (const module of known)
        assert.equal((await scene.record(module)).check_ins, 2);
}

// What was answered is still true after a power cut.
export async function assertSurvives(scene, modules) {
    await scene.server.restart({ hard: true });
    for (const module of modules)
        assert.equal((await scene.record(module))?.confirmed_version, '1001');
}

// Asserts that the server does not start; returns its output.
export async function assertRefuses(server, ...words) {
    const logged = server.logLines.length;
    await assert.rejects(server.start(), /ended before it listened/);
    const { code, signal } = await server.ended;
    assert.deepEqual({ code, signal }, { code: 1, signal: null });
    const said = server.logLines.slice(logged).join('\n');
    for (const word of words)
        assert.match(said, word);
    return said;
}

// Flips one bit of a file.
export async function flipBit(file, at) {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 1 << at % 8;
    await handle.write(byte, 0, 1, at);
    await handle.close();
}
