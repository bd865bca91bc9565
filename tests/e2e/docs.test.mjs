// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The documents agree with the code: routes, log events and keys.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { documentedKinds } from './lib/chain.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const sources = readdirSync(join(root, 'server'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.c'))
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8'));

// Calls of log_line() with their arguments as C text.
const calls = sources.flatMap((text) => [...text.matchAll(/\blog_line\(((?:[^()"]|"(?:[^"\\]|\\.)*"|\((?:[^()]|\([^()]*\))*\))*)\)/g)])
    .map((match) => match[1]);
const strings = (text) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]);

describe('doc/log.md', () => {
    const doc = read('doc/log.md');
    test('names every event', () => {
        assert.ok(calls.length > 30, `${calls.length} calls of log_line`);
        const events = new Set(calls.flatMap((call) => strings(call).filter((s, i) => i === 0 || /^[a-z]+(-[a-z]+)+$/.test(s))));
        for (const event of events)
            assert.ok(doc.includes(`\`${event}\``), event);
    });
    test('names every key', () => {
        const keys = new Set(calls.flatMap((call) => [...call.matchAll(/,\s*"([a-z_0-9]+)",/g)].map((match) => match[1])));
        assert.ok(keys.size > 20, `${keys.size} keys`);
        for (const key of keys)
            assert.ok(doc.includes(`\`${key}\``), key);
    });
});

describe('doc/api.md', () => {
    const doc = read('doc/api.md').replace(/\{[a-z_]+\}/g, '{}');
    const admin = read('server/admin/admin.c');
    const prefixes = Object.fromEntries([...admin.matchAll(/#define ([A-Z]+) +([A-Z]*) ?"([^"]*)"/g)].map(([, name, base, path]) => [name, [base, path]]));
    const expand = (name) => (name === 'API' || !name ? '' : expand(prefixes[name][0]) + prefixes[name][1]);
    const routes = [...admin.matchAll(/X\("([A-Z]+)", ([A-Z]+)(?: "([^"]*)")?,/g)].map(([, method, base, path]) => [method, expand(base) + (path ?? '')]);
    // The document has the whole path, or … for its beginning.
    const stands = (method, path) => path.split('/').some((_, i, parts) => {
        const written = i === 0 ? path : `…/${parts.slice(i).join('/')}`;
        const at = doc.indexOf(`${method} ${written}`);
        return parts.length > i && at >= 0 && !/[/{a-z]/.test(doc[at + method.length + 1 + written.length]);
    });
    test('names every route of the admin API', () => {
        assert.ok(routes.length > 24, `${routes.length} routes`);
        for (const [method, path] of routes)
            assert.ok(stands(method, path), `${method} ${path}`);
    });
});

test('doc/at-codes.md names each error of the module and each code of the server', () => {
    const doc = read('doc/at-codes.md'), causes = read('upgrade/transcript_cause.c');
    const invalid = /#define INVALID \((-\d+)\)/.exec(causes)[1];
    const errors = [invalid, ...[...causes.matchAll(/\{(-1\d{3}), CAUSE/g)].map(([, error]) => error)];
    const codes = [...causes.matchAll(/\{(\d+), "[^"]*\(code \d+\)/g)].map(([, code]) => code);
    assert.deepEqual([errors.length, codes.length], [7, 9]);
    for (const number of [...errors, ...codes])
        assert.match(doc, new RegExp(`^\\| ${number} `, 'm'), number);
});

describe('doc/architecture.md', () => {
    test('gives a reason for each direct npm dependency, and for no other', () => {
        const { dependencies, devDependencies } = JSON.parse(read('www/package.json'));
        const [, table] = /\| package \| reason \|\n\|[-|]*\n((?:\|.*\n)+)/.exec(read('doc/architecture.md'));
        const named = [...table.matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name);
        assert.deepEqual(named.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort());
        assert.ok(named.length <= 12);
    });
});

describe('doc/transcripts.md', () => {
    test('explains every cause', () => {
        const doc = read('doc/transcripts.md');
        const causes = [...read('upgrade/transcript.h').matchAll(/X\((?:CAUSE|OUTCOME)_[A-Z_]+, "([a-z-]+)"\)/g)].map((match) => match[1]);
        assert.ok(causes.length > 20, causes.join());
        for (const cause of causes)
            assert.ok(doc.includes(`\`${cause}\``), cause);
    });
});

describe('doc/ledger.md', () => {
    const header = read('storage/ledger.h').split('#define LEDGER_KINDS')[1].split('enum ledger_kind')[0].replace(/\\\n/g, ' ').replace(/"\s+"/g, '');
    const kinds = [...header.matchAll(/X\(LEDGER_[A-Z_]+,\s*("[a-z-]+"|CHAIN_CHECKPOINT),\s*"([^"]*)",\s*"([^"]*)"\)/g)]
        .map(([, name, refers, detail]) => ({ name: name === 'CHAIN_CHECKPOINT' ? 'ledger-pruned' : name.slice(1, -1), refers, detail }));
    test('has a row for every kind, with what it refers to and what its detail holds', () => {
        assert.ok(kinds.length > 20, `${kinds.length} kinds`);
        assert.equal(kinds.length, header.match(/X\(LEDGER_/g).length);
        const documented = documentedKinds();
        assert.deepEqual([...documented.keys()], kinds.map(({ name }) => name));
        for (const { name, refers, detail } of kinds) {
            assert.deepEqual(documented.get(name), { refers: refers.split(' ').filter(Boolean), detail: detail.split(' ') }, name);
            assert.deepEqual(detail.split(' '), detail.split(' ').sort(), `${name}: in order`);
        }
    });
    test('its example has the right hash', () => {
        const [, bytes, hash] = /^ {4}(14:dfota ledger 1,.*,)\n[^]*?^ {4}([0-9a-f]{64})$/m.exec(read('doc/ledger.md'));
        assert.equal(createHash('sha256').update(bytes).digest('hex'), hash);
    });
});

describe('doc/decisions.md', () => {
    const code = read('upgrade/attempt.c');
    const doc = read('doc/decisions.md');
    const states = Object.fromEntries([...read('upgrade/attempt.h').matchAll(/X\((ATTEMPT_[A-Z_]+),[\s\\]*"([a-z_]+)"\)/g)].map(([, id, name]) => [id, name]));
    const moves = [...code.matchAll(/\{(ATTEMPT_[A-Z_]+), EVENT_([A-Z_]+), (ATTEMPT_[A-Z_]+)\}/g)]
        .map(([, from, event, to]) => ({ from: states[from], event, to: states[to] }));
    const columns = { SEND: 'sent', CUT: 'cut', ALL_ACKED: 'all acknowledged', HANDED_OVER: 'all, in part by our proxy', SAW_TARGET: 'reports target',
        SAW_OLD: 'reports old', SAW_OTHER: 'reports a third', OVERDUE: 'overdue', SUPERSEDE: 'superseded' };
    const cells = (line) => line.split('|').slice(1, -1).map((cell) => cell.trim());

    test('has the table of attempts as the code has it', () => {
        assert.ok(moves.length > 25);
        const [, heading, rows] = /^(\| \| sent \|.*)\n\|[-|]*\n((?:\|.*\n)+)/m.exec(doc);
        const names = cells(heading).slice(1);
        const table = cells(rows.split('\n')[0]) && rows.trim().split('\n').map(cells);
        for (const { event } of moves)
            assert.ok(names.includes(columns[event]), event);
        for (const [first, ...row] of table) {
            const from = first.replaceAll('`', '');
            const expected = names.map((name) => {
                const move = moves.find((m) => m.from === from && columns[m.event] === name);
                return !move ? '–' : move.to === from ? '·' : move.to;
            });
            assert.deepEqual(row, expected, from);
        }
        assert.deepEqual(table.map(([first]) => first.replaceAll('`', '')).sort(), [...new Set(moves.map(({ from }) => from))].sort());
    });
    test('has the same as a diagram', () => {
        const pairs = new Map();
        for (const { from, event, to } of moves.filter((move) => move.from !== move.to))
            pairs.set(`${from} --> ${to}`, [...(pairs.get(`${from} --> ${to}`) ?? []), columns[event]]);
        const drawn = ['stateDiagram-v2', '    [*] --> waiting', ...[...pairs].map(([pair, events]) => `    ${pair}: ${events.join(', ')}`)].join('\n');
        assert.equal(/```mermaid\n([^`]*)\n```/.exec(doc)[1], drawn);
    });
});
