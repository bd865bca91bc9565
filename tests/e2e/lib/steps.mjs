// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What the database of a server does, counted by a library that is loaded before all others (shim-steps.c).
//
//   const steps = new Steps();
//   const server = await startServer(t, { wrapper: steps.wrapper });
//   steps.read()    {statements, steps, scanned} since the start of the server

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dir = mkdtempSync(join(tmpdir(), 'dfota-steps-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const library = join(dir, 'steps.so');

function compile() {
    const source = join(dirname(fileURLToPath(import.meta.url)), 'shim-steps.c');
    execFileSync(process.env.CC ?? 'gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl'],
        { stdio: 'pipe' });
}

let count = 0;

export class Steps {
    constructor() {
        if (!existsSync(library))
            compile();
        this.file = join(dir, `steps-${count += 1}`);
        writeFileSync(this.file, Buffer.alloc(24));
        this.wrapper = ['env', `LD_PRELOAD=${library}`, `DFOTA_STEPS=${this.file}`];
    }

    read() {
        const bytes = readFileSync(this.file);
        const [statements, steps, scanned] = [0, 8, 16].map((at) => Number(bytes.readBigUInt64LE(at)));
        return { statements, steps, scanned };
    }
}
