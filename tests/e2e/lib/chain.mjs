// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The ledger from outside: its rows, the second verifier (tests/ledger/verify.py), and changes with sqlite3.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './ctl.mjs';
import { buildDir } from './server.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const other = join(root, 'tests', 'ledger', 'verify.py');

export const withoutPython = spawnSync('python3', ['-c', 'import sqlite3']).status === 0 ? false : 'python3 is not installed';

// The rows of a query, all pages together.
export async function ledgerRows(server, filter = {}) {
    const rows = [];
    for (let path = `/ledger?${new URLSearchParams({ limit: 1000, ...filter }).toString().replaceAll('+', '%20')}`; path;) {
        const { json, headers } = await server.admin('GET', path, null, { expect: 200 });
        rows.push(...json.items);
        path = /<([^>]+)>; rel="next"/.exec(headers.link ?? '')?.[1];
    }
    return rows;
}

// doc/ledger.md: kind → {refers, detail}.
export function documentedKinds() {
    const doc = readFileSync(join(root, 'doc', 'ledger.md'), 'utf8').split('## Kinds')[1].split('###')[0];
    const words = (cell) => [...cell.matchAll(/`?([a-z_0-9]+)`?/g)].map(([, word]) => word);
    return new Map([...doc.matchAll(/^\| `([a-z-]+)` \| ([^|]*) \| ([^|]*) \|/gm)]
        .map(([, kind, refers, detail]) => [kind, { refers: words(refers), detail: words(detail) }]));
}

export const sql = (server, statements) => execFileSync('sqlite3', [join(server.dataDir, 'dfota.db'), statements], { encoding: 'utf8' });

// Runs the second verifier on rows from the API, or on the database: {status, out, err}.
export async function verifyOtherwise(how, path, head = null) {
    return run([other, how, path, ...(head ? [head] : [])], { command: 'python3' });
}

// dfotad without a server.
export const verifyOffline = (dataDir, head = null) =>
    run(['--data-dir', dataDir, `--verify-ledger${head ? `=${head}` : ''}`], { command: join(buildDir, 'dfotad') });

export function ctlOf(server, ...args) {
    return run(args, { env: { DFOTA_URL: `http://127.0.0.1:${server.adminAddress.port}`, DFOTA_TOKEN: server.token } });
}

const hashed = ['seq', 'at_ms', 'kind', 'product', 'firmware', 'device', 'attempt', 'package', 'detail'];

const hashOf = (fields) => createHash('sha256').update(fields.map((text) => `${Buffer.byteLength(text)}:${text},`).join('')).digest('hex');

// The hash that a row of the API should have. (Its detail comes with its names in order, and so JSON has them again.)
export function hashOfRow(row) {
    const { seq, at, kind, product, firmware, device, attempt, package: sum, detail, prev } = row;
    return hashOf(['dfota ledger 1', ...[seq, at, kind, product ?? '', firmware ?? '', device ?? '', attempt ?? 0, sum ?? ''].map(String),
        JSON.stringify(detail), prev]);
}

// A forger who knows the rules computes every hash from row `from` on again. The server must be stopped.
export function recompute(server, from) {
    const rows = JSON.parse(execFileSync('sqlite3', ['-json', join(server.dataDir, 'dfota.db'),
        `SELECT ${hashed.join()}, lower(hex(prev)) AS prev, lower(hex(hash)) AS hash FROM ledger ORDER BY seq`], { encoding: 'utf8' }));
    const updates = [];
    for (const [i, row] of rows.entries()) {
        if (row.seq < from)
            continue;
        row.prev = i > 0 ? rows[i - 1].hash : row.prev;
        row.hash = hashOf(['dfota ledger 1', ...hashed.map((name) => String(row[name])), row.prev]);
        updates.push(`UPDATE ledger SET prev = x'${row.prev}', hash = x'${row.hash}' WHERE seq = ${row.seq};`);
    }
    sql(server, `BEGIN; ${updates.join('\n')} COMMIT;`);
}

export async function exportHead(server, path) {
    const { body } = await server.admin('GET', '/ledger/head', null, { expect: 200 });
    await writeFile(path, body);
    return path;
}
