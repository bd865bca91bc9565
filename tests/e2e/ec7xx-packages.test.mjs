// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Packages for EC7xx modules that dfota makes, against the second reader: all formats, scripts, refusals and damage.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { buildDir } from './lib/server.mjs';

const run = promisify(execFile);
const agree = fileURLToPath(new URL('../ec7xx/agree.py', import.meta.url));

describe('dfota and the second reader', () => {
    const cases = {
        Making: ['apply the same packages of all formats', 6],
        Refusing: ['refuse packages for another script area, chip, part or image', 6],
        Damage: ['agree on packages with a changed byte', 3],
    };
    for (const [name, [title, least]] of Object.entries(cases))
        test(title, async () => {
            const { stderr } = await run('python3', [agree, name], { env: { ...process.env, DFOTA_BUILD: buildDir } });
            const [, count] = /^Ran (\d+) tests/m.exec(stderr);
            assert.ok(Number(count) >= least && /^OK$/m.test(stderr), stderr);
        });
});
