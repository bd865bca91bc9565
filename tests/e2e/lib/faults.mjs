// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Calls of a running server that fail as a test says: a library that is loaded before all others (shim-faults.c).
//
//   const faults = new Faults(t);
//   const server = await startServer(t, { wrapper: faults.wrapper });
//   faults.set('fsync EIO 0 1 */dfota.db-wal');    the first fsync of it fails
//   faults.set('write SLOW 0 0 */dfota.db-wal');    each write of it takes a millisecond more
//   faults.hits()                                   → ['fsync EIO /tmp/…/dfota.db-wal']
//   faults.set()                                    no call fails any more

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dir = mkdtempSync(join(tmpdir(), 'dfota-faults-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const library = join(dir, 'faults.so');

function compile() {
    const source = join(dirname(fileURLToPath(import.meta.url)), 'shim-faults.c');
    execFileSync(process.env.CC ?? 'gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl'],
        { stdio: 'pipe' });
}

let count = 0;

export class Faults {
    constructor() {
        if (!existsSync(library))
            compile();
        this.control = join(dir, `rules-${count += 1}`);
        this.edition = 0;
        this.wrapper = ['env', `LD_PRELOAD=${library}`, `DFOTA_FAULTS=${this.control}`];
        this.set();
    }

    // Sets these rules and starts their counts again.
    set(...rules) {
        rmSync(`${this.control}.hit`, { force: true });
        writeFileSync(`${this.control}.new`, [this.edition += 1, ...rules, ''].join('\n'));
        renameSync(`${this.control}.new`, this.control);
    }

    // The calls that have failed since the rules were set.
    hits() {
        return existsSync(`${this.control}.hit`) ? readFileSync(`${this.control}.hit`, 'utf8').trim().split('\n') : [];
    }
}
