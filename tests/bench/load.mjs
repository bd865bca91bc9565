// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How fast dfotad answers beside nginx, and whether it stays so under load, on this machine.
//
//     node tests/bench/load.mjs [--seconds N] [--rounds N] [--phases] [--plots] [--all] [PART]...
//
// A part is one of the cases (cases.mjs): unchanged, kept, changed, new-devices, packages; or of
//
//     devices     1,000, 100,000 and 1,000,000 devices in the store
//     versions    5, 15 and 38 versions of a firmware
//     transfers   100, 1,000 and 10,000 slow transfers beside the check-ins
//     builds      packages made on each processor beside the check-ins
//
// By default all cases; with --all everything, in at most 12 minutes. --plots writes doc/images/load-*.svg. --phases writes a
// profile of dfotad with perf for each case: how its processor time is divided. Needs wrk, nginx, sqlite3, python3 and gnuplot
// (gnuplot-nox) as Debian has them. All traffic is on loopback. The server closes each connection, as modules expect, except in
// `kept`.

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';

import { measureBuilds } from './builds.mjs';
import { cases, measureCases } from './cases.mjs';
import { measureDevices, measureVersions } from './growth.mjs';
import { measureTransfers } from './transfers.mjs';

const { values: options, positionals: wanted } = parseArgs({
    allowPositionals: true,
    options: {
        seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '5' }, phases: { type: 'boolean' },
        plots: { type: 'boolean' }, all: { type: 'boolean' },
    },
});
options.seconds = Number(options.seconds);
options.rounds = Number(options.rounds);

const curves = { devices: measureDevices, versions: measureVersions, transfers: measureTransfers, builds: measureBuilds };
for (const name of wanted)
    assert.ok(cases[name] || curves[name], `no part ${name}`);
const isWanted = (name) => options.all || (wanted.length ? wanted.includes(name) : Boolean(cases[name]));

const names = Object.keys(cases).filter(isWanted);
if (names.length)
    await measureCases(names, options);
// These compare a server with itself: fewer rounds are enough.
const fewer = { ...options, rounds: Math.min(3, options.rounds) };
for (const [name, run] of Object.entries(curves))
    if (isWanted(name))
        await run(fewer);
