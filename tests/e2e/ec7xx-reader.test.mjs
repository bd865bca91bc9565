// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The second reader of EC7xx images and packages, on files that tests/ec7xx/generate.py makes: right ones, and ones with a fault.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

test('the second reader rebuilds generated images and refuses every fault', async () => {
    const { stderr } = await run('python3', [fileURLToPath(new URL('../ec7xx/selftest.py', import.meta.url))]);
    const [, count] = /^Ran (\d+) tests/m.exec(stderr);
    assert.ok(Number(count) >= 25 && /^OK$/m.test(stderr), stderr);
});
