// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// tests/suites.sh decides what each suite of ./check runs. No test may be missing because a pattern does not match its name,
// or because a list was not updated.
import test, { describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../..', import.meta.url));
const build = process.env.DFOTA_BUILD ?? join(source, 'build');

const shell = (text, ...args) =>
    execFileSync('bash', ['-euc', `. tests/suites.sh; ${text}`, 'bash', ...args], { cwd: source, encoding: 'utf8' })
        .split(/\s+/).filter(Boolean);
const names = (folder, pattern) =>
    readdirSync(join(source, folder), { recursive: true }).map((file) => pattern.exec(basename(file))?.[1]).filter(Boolean).sort();
const list = (name) => shell(`echo $${name}`);
const sorted = (paths) => paths.map((path) => basename(path)).sort();

describe('the programs of a suite', () => {
    const unit = names('tests/unit', /^(test-.*)\.c$/), fuzz = names('tests/fuzz', /^(fuzz-.*)\.c$/);

    test('every unit test runs, without and with sanitizers', () => {
        assert.ok(unit.includes('test-ec618-rules'));
        assert.deepEqual(sorted(shell('unit_programs "$1"', build)), unit);
    });
    test('every fuzz target runs, has a corpus, and is explained', () => {
        const manual = readFileSync(join(source, 'doc/testing.md'), 'utf8');
        assert.deepEqual(sorted(shell('fuzz_programs "$1"', build)), fuzz);
        for (const target of fuzz) {
            const name = target.slice('fuzz-'.length);
            assert.ok(existsSync(join(source, 'tests/fuzz/corpus', name)), `${name} has no corpus`);
            assert.ok(manual.includes(`\n| \`${name}\` |`), `${name} is not in doc/testing.md`);
        }
    });
    test('every unit test runs with ThreadSanitizer, except those listed as without threads', () => {
        const left = list('unthreaded_unit').map((name) => `test-${name}`);
        assert.deepEqual(left.filter((name) => !unit.includes(name)), []);
        assert.deepEqual(sorted(shell('threads_programs "$1"', build)), unit.filter((name) => !left.includes(name)));
    });
    test('the targets of the tools exist', () => {
        assert.deepEqual(list('tools_fuzz').filter((name) => !fuzz.includes(`fuzz-${name}`)), []);
    });
    test('a source without a program is found, whatever its name is', (t) => {
        const dir = mkdtempSync(join(tmpdir(), 'dfota-suites-'));
        t.after(() => rmSync(dir, { recursive: true }));
        for (const name of ['test-a1', 'test-b_2', 'test-c.3', 'fuzz-d4']) writeFileSync(join(dir, `${name}.c`), '');
        writeFileSync(join(dir, 'Makefile'), 'check_PROGRAMS = test-a1 tests/unit/test-b_2 fuzz-d4\n');
        assert.deepEqual(shell('unit_programs "$1"', dir), ['test-a1', 'tests/unit/test-b_2']);
        assert.deepEqual(shell('missing_programs test "$1" "$1"', dir), [join(dir, 'test-c.3.c')]);
        assert.deepEqual(shell('missing_programs fuzz "$1" "$1"', dir), []);
    });
});

describe('the files of a suite', () => {
    const all = names('tests/e2e', /^(.*)\.test\.mjs$/);
    const unsanitized = list('unsanitized_e2e'), unthreaded = list('unthreaded_e2e');

    test('every file runs, and those that begin first exist', () => {
        assert.deepEqual(shell('list_e2e').sort(), all);
        assert.deepEqual(list('long_e2e').filter((name) => !all.includes(name)), []);
    });
    test('every file runs with sanitizers, except those in the list', () => {
        assert.deepEqual(unsanitized.filter((name) => !all.includes(name)), []);
        assert.deepEqual(shell('sanitized_e2e_names').sort(), all.filter((name) => !unsanitized.includes(name)));
    });
    test('every file runs with ThreadSanitizer, except those in the list', () => {
        assert.deepEqual(unthreaded.filter((name) => !all.includes(name)), []);
        assert.deepEqual(shell('threads_e2e_names').sort(), all.filter((name) => ['effort', 'restart', 'traps'].includes(name) ||
            (!unsanitized.includes(name) && !unthreaded.includes(name))));
    });
});

test('./check runs these lists', () => {
    const check = readFileSync(join(source, 'check'), 'utf8');
    for (const words of ['queue_programs unit build unit_programs', 'queue_programs corpora build/asan fuzz_programs',
        'queue_programs sanitized build/asan unit_programs', 'queue_programs threads build/tsan threads_programs',
        'fuzz_programs build/asan', 'build "" $(list_e2e)', 'build/asan 1 $(sanitized_e2e_names)', 'build/tsan 1 $(threads_e2e_names)']) {
        assert.ok(check.includes(words), words);
    }
});
