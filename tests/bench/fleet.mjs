// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How long each list of the admin API takes for a large fleet.
//
//     node tests/bench/fleet.mjs [devices]      (DFOTA_BUILD: where the programs were built; by default a million devices)
//
// The data directory is filled with SQL in the schema of an older server, so that the same rows can be measured with any
// build since then. dfotad applies the other migrations at its start. Each call is made five times; the table has the
// fastest. Needs sqlite3(1), and 2 GB in the folder for temporary files.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Server, buildDir } from '../e2e/lib/server.mjs';

const schema = fileURLToPath(new URL('../../storage/schema/sqlite', import.meta.url));
const older = 17; // the schema that the rows are written in
const devices = Number(process.argv[2] ?? 1_000_000);
const now = Date.now();
const states = ['waiting', 'sending', 'interrupted', 'delivered', 'handed_over', 'confirmed', 'confirmed_not_by_us',
    'not_applied', 'diverged', 'silent', 'abandoned'];

const numbers = (n) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n})`;

// Of each hundred devices: 1 has a claim, 2 a notice, 1 is blocked, 1 runs a version without an image, 5 never asked.
function fill(file) {
    const migrations = readdirSync(schema).filter((name) => name.endsWith('.sql')).sort().slice(0, older);
    const state = `CASE i % 11 ${states.map((s, n) => `WHEN ${n} THEN '${s}'`).join(' ')} END`;
    const sql = [
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN;',
        'CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT;',
        ...migrations.map((name, at) => `${readFileSync(join(schema, name), 'utf8')}
            INSERT INTO migration VALUES (${at + 1}, '${name.replace('.sql', '')}', 1);`),
        `INSERT INTO product (id, product_key, name, created_ms) VALUES (1, 'pumps', 'Pumps', 1), (2, 'lamps', 'Lamps', 1);
        INSERT INTO firmware (id, product_id, name, format, max_package_bytes, created_ms) VALUES
            (1, 1, 'pump', 'bsdiff', 491520, 1), (2, 1, 'valve', 'bsdiff', 491520, 1), (3, 2, 'lamp', 'bsdiff', 491520, 1);
        INSERT INTO image (id, firmware_id, version, sha256, size_bytes, uploaded_ms)
            ${numbers(20)} SELECT i, 1, '' || i, randomblob(32), 500000, 1 FROM n;
        UPDATE firmware SET target_image_id = 20 WHERE id = 1;
        INSERT INTO device (id, product_id, id_kind, device, firmware_id, confirmed_version, confirmed_ms, confirmed_by,
                confirmed_grade, asked_version, first_seen_ms, last_seen_ms, check_ins, last_code, last_reason, last_answer_ms,
                blocked, notice, claim_version, claim_firmware_id, claim_ms, claim_by, claim_grade)
            ${numbers(devices)} SELECT i, 1 + (i % 50 = 0), 'imei', printf('86%013d', i), CASE WHEN i % 50 = 0 THEN 3 WHEN i % 10 = 1 THEN 2 ELSE 1 END,
                CASE WHEN i % 20 = 7 THEN NULL WHEN i % 11 = 5 THEN '20' ELSE '' || (10 + i % 9) END,
                CASE WHEN i % 20 <> 7 THEN ${now} - i % 5000000 END, CASE WHEN i % 20 <> 7 THEN 'check-in' END,
                CASE WHEN i % 20 <> 7 THEN 'unauthenticated' END,
                CASE WHEN i % 20 = 7 THEN NULL WHEN i % 100 = 9 THEN '7.' || (i % 300) ELSE '' || (10 + i % 9) END,
                ${now} - 9000000, ${now} - i % 1000000, 20, 27, 'the reason of the last answer', ${now} - i % 1000000,
                i % 100 = 3, CASE WHEN i % 50 = 3 THEN 'a notice' END, CASE WHEN i % 100 = 4 THEN '12' END,
                CASE WHEN i % 100 = 4 THEN 1 END, CASE WHEN i % 100 = 4 THEN 1 END, CASE WHEN i % 100 = 4 THEN 'check-in' END,
                CASE WHEN i % 100 = 4 THEN 'unauthenticated' END FROM n;
        INSERT INTO guard_closed (device_id, origin) SELECT id, '' FROM device WHERE blocked;
        INSERT INTO attempt (device_id, firmware_id, from_version, to_version, target_version, state, reason, bytes_acked, size_bytes,
                fetches, created_ms, sent_ms, delivered_ms, ended_ms, origin)
            ${numbers(devices)} SELECT i, 1, '' || (10 + i % 9), '20', '20', ${state.replace("'sending'", "'interrupted'")}, 'a reason', i % 90000, 90000, 1, ${now} - i,
                ${now} - i, CASE WHEN i % 11 > 2 THEN ${now} - i END, CASE WHEN i % 11 > 4 THEN ${now} - i END, '192.0.2.1'
            FROM n WHERE i % 50 <> 0 AND i % 10 <> 1 AND i % 3 <> 2;
        INSERT INTO link (device_id, firmware_id, token_mac, created_ms)
            ${numbers(devices)} SELECT i, 1, printf('%032d', i), 1 FROM n WHERE i % 10 = 5;
        INSERT INTO check_in_day (device_id, day, first_ms, last_ms, count)
            ${numbers(devices)} SELECT i, ${Math.floor(now / 86400000)}, ${now}, ${now}, 24 FROM n;
        INSERT INTO ledger (seq, at_ms, kind, product, firmware, device, attempt, package, detail, prev, hash)
            ${numbers(3 * devices)} SELECT i, ${now} - (${3 * devices} - i) * 200,
                CASE WHEN i % 100000 = 1 THEN 'target-set' WHEN i % 3 = 0 THEN 'attempt-ended' ELSE 'check-in' END,
                CASE WHEN i % 50 = 0 THEN 'lamps' ELSE 'pumps' END, 'pump', printf('imei:86%013d', i % ${devices} + 1), 0, '', '{}',
                zeroblob(32), zeroblob(32) FROM n;
        COMMIT;`,
    ];
    execFileSync('sqlite3', [file], { input: sql.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
}

const product = '/products/pumps';
const firmware = `${product}/firmware/pump`;
const half = now - Math.floor(3 * devices * 100);
const calls = [
    '/status', product, '/products', `${product}/firmware`, firmware,
    `${product}/devices`, `${product}/devices?after=${Math.floor(devices * 0.9)}`, `${product}/devices?firmware=valve`, `${product}/devices?notice=1`, `${product}/devices?q=claim=yes`,
    `${product}/devices?firmware=pump&notice=1&q=claim=yes`, '/products/lamps/devices',
    `${firmware}/outcomes`, `${firmware}/outcomes?limit=1000`, `${firmware}/outcomes?after=${Math.floor(devices * 0.9)}`,
    ...['not_applied,diverged,silent', 'not_begun', 'blocked', 'unreachable', 'confirmed', 'delivered&q=since>1h'].map((s) => `${firmware}/outcomes?state=${s}`),
    '/ledger', '/ledger?product=lamps', '/ledger?kind=target-set', '/ledger?kind=check-in', '/ledger?product=lamps&kind=target-set',
    `/ledger?since=${half}`, `/ledger?until=${half}`, `/ledger?since=${half}&until=${half + 60000}&kind=check-in`,
    `/ledger?device=imei:${'86' + String(5).padStart(13, '0')}`, '/ledger/head',
    '/unknown', `${firmware}/missing-bases`, `${firmware}/matrix`, `${firmware}/queue`, `${firmware}/packages`, `${firmware}/images`, `${firmware}/paths`,
    ...['', '/transcripts', '/check-ins'].map((part) => `${product}/devices/imei:${'86' + String(5).padStart(13, '0')}${part}`),
];

const dir = mkdtempSync(join(tmpdir(), 'dfota-bench-'));
try {
    let began = Date.now();
    fill(join(dir, 'dfota.db'));
    console.log(`${devices} devices, filled in ${Math.round((Date.now() - began) / 1000)} s, ${Math.round(statSync(join(dir, 'dfota.db')).size / 1e6)} MB`);
    const server = new Server(dir, { matrix: 'needed' }, [], buildDir);
    server.patience = { timeout_ms: 600_000 };
    began = Date.now();
    await server.start();
    console.log(`started, with migrations, in ${((Date.now() - began) / 1000).toFixed(1)} s, ${Math.round(statSync(join(dir, 'dfota.db')).size / 1e6)} MB`);
    for (const call of calls) {
        let fastest = Infinity, answer;
        for (let i = 0; i < 5; i++) {
            const at = performance.now();
            answer = await server.admin('GET', call);
            fastest = Math.min(fastest, performance.now() - at);
        }
        const { status, headers, json } = answer;
        console.log(`${fastest.toFixed(1).padStart(9)} ms  ${String(status).padStart(3)}  ${String(json?.items?.length ?? '').padStart(5)} items  ${String(headers['x-total-count'] ?? '').padStart(8)}  ${call}`);
    }
    await server.stop();
} finally {
    rmSync(dir, { recursive: true, force: true });
}
