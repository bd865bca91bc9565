// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How the cost of a check-in grows with the devices in the store, and with the versions of a firmware.

import { poll } from '../e2e/lib/module.mjs';
import { Scene } from '../e2e/lib/scene.mjs';
import { Requests, copyDevices, measure, memory, middle, printTable, startLoadServer, whole } from './lib.mjs';
import { curves } from './plot.mjs';

const kinds = { known: 'a known device, told 27', fresh: 'a new device, told 27', first: 'a new device, gets a package', changed: 'a known device, a change stored' };

// For each kind of request: the middle of some rounds, the kinds by turns.
async function measureKinds(server, loads, { seconds, rounds }) {
    const results = Object.fromEntries(Object.keys(loads).map((kind) => [kind, []]));
    for (let n = 0; n < rounds; n += 1)
        for (const [kind, load] of Object.entries(loads)) {
            const { url, script, done } = load();
            results[kind].push(await measure([server.process.pid], { url, script, seconds }));
            done?.(results[kind].at(-1));
        }
    return Object.fromEntries(Object.entries(results).map(([kind, list]) => [kind, middle(list)]));
}

function report(heading, rows, name, x, { plots }) {
    const shown = Object.keys(kinds).filter((kind) => rows[0].kinds[kind]);
    printTable([
        [heading, ({ at }) => whole(at)],
        ...shown.flatMap((kind) => [
            [`${kinds[kind]}: 1/s`, (row) => whole(row.kinds[kind].rate)], ['µs of processor time', (row) => whole(row.kinds[kind].micros)],
            ['p99, ms', (row) => row.kinds[kind].p99.toFixed(1)],
        ]),
        ['memory, MB', (row) => whole(row.memory)],
    ], rows);
    const lines = (field) => Object.fromEntries(shown.map((kind) => [kinds[kind], rows.map((row) => [row.at, row.kinds[kind][field]])]));
    if (plots)
        curves(name, { x, panels: [{ y: 'µs of processor time', lines: lines('micros') }, { y: 'p99, ms', lines: lines('p99') }] });
}

export async function measureDevices(options) {
    const server = await startLoadServer();
    server.patience = { timeout_ms: 300_000 };
    try {
        const current = await Scene.build(server, { versions: ['1001', '1002'] });
        const requests = new Requests(current);
        await requests.ask('1002', 0);
        const rows = [];
        for (const at of [1000, 100_000, 1_000_000]) {
            await copyDevices(current, at);
            const loads = { known: () => requests.known('1002', at), fresh: () => requests.fresh('1002') };
            rows.push({ at, kinds: await measureKinds(server, loads, options), memory: memory(server.process.pid) });
        }
        report('devices', rows, 'load-devices', 'devices in the store', options);
    } finally {
        await server.dispose();
    }
}

// Every package of a firmware is made before.
async function awaitMatrix(scene, versions) {
    const pairs = versions * (versions - 1) / 2;
    await poll(`${pairs} packages`, async () => {
        const { packages } = (await scene.server.admin('GET', '/status', null, { expect: 200 })).json;
        return packages.ready >= pairs && packages;
    }, { timeout_ms: 300_000, every_ms: 500 });
}

export async function measureVersions(options) {
    const rows = [];
    for (const at of [5, 15, 38]) {
        const server = await startLoadServer({ matrix: 'all', background_share: 100 });
        try {
            const versions = Array.from({ length: at }, (_, n) => String(1001 + n));
            const scene = await Scene.build(server, { versions, size: 8000 });
            const requests = new Requests(scene);
            await requests.ask(versions.at(-1), 0);
            await copyDevices(scene, 1000);
            await awaitMatrix(scene, at);
            const loads = {
                known: () => requests.known(versions.at(-1), 1000), fresh: () => requests.fresh(versions.at(-1)),
                first: () => requests.fresh(versions[0]),
            };
            rows.push({ at, kinds: await measureKinds(server, loads, options), memory: memory(server.process.pid) });
        } finally {
            await server.dispose();
        }
    }
    report('versions', rows, 'load-versions', 'versions of the firmware', options);
}
