// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The wall clock of a server, set by a test: a library that is loaded before all others (shim-clock.c).
//
//   const clock = new Clock();
//   const server = await startServer(t, { wrapper: clock.wrapper });
//   clock.ahead(30 * day);    from now on the clock is ahead by this; 0: it is right again

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const day = 86_400_000;

const dir = mkdtempSync(join(tmpdir(), 'dfota-clock-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const library = join(dir, 'clock.so');

function compile() {
    const source = join(dirname(fileURLToPath(import.meta.url)), 'shim-clock.c');
    execFileSync(process.env.CC ?? 'gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl'],
        { stdio: 'pipe' });
}

let count = 0;

export class Clock {
    constructor() {
        if (!existsSync(library))
            compile();
        this.file = join(dir, `offset-${count += 1}`);
        this.wrapper = ['env', `LD_PRELOAD=${library}`, `DFOTA_CLOCK=${this.file}`];
        this.ahead(0);
    }

    ahead(ms) {
        writeFileSync(`${this.file}.new`, String(ms));
        renameSync(`${this.file}.new`, this.file);
    }
}
