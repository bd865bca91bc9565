// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Disks of a test's own: small ones that fill up, or that nobody may write to.
//
// A test file that imports this runs in a mount namespace of its own (namespace.mjs). What is mounted there is seen by nobody else and is gone when the file ends.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { appendFile, mkdir, rm, stat, statfs, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { enterNamespace } from './namespace.mjs';

// Why no test can mount anything here, or false.
export const noMounts = enterNamespace('MOUNTS', '--mount', '--propagation', 'private') ? false : 'no mount namespace: unshare --mount needs root';

export class Disk {
    // An empty disk of so many bytes, until the test `t` ends.
    static async make(t, { size = 8 << 20 } = {}) {
        const disk = new Disk();
        disk.path = mkdtempSync(join(tmpdir(), 'dfota-disk-'));
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'dfota-test', disk.path]);
        disk.ballast = join(disk.path, 'ballast');
        disk.dir = join(disk.path, 'data'); // the server's, which makes it
        process.on('exit', () => {
            try {
                execFileSync('umount', ['-l', disk.path], { stdio: 'ignore' });
                rmdirSync(disk.path);
            } catch { /* it was not to be seen outside anyway */ }
        });
        return disk;
    }

    async free() {
        const { bavail, bsize } = await statfs(this.path);
        return bavail * bsize;
    }

    // Somebody else writes until so many bytes are free, to the page, or fewer.
    async fill(left = 0) {
        const pages = Math.ceil(left / 4096) * 4096;
        for (let over; (over = await this.free() - pages) > 0;)
            await appendFile(this.ballast, Buffer.alloc(Math.min(over, 1 << 20))).catch((error) => {
                if (error.code !== 'ENOSPC') // the server wrote meanwhile, so there was less
                    throw error;
            });
    }

    // Somebody else makes room: so many bytes, or all that is theirs.
    async clear(bytes = Infinity) {
        const { size } = await stat(this.ballast);
        await (bytes < size ? truncate(this.ballast, size - bytes) : rm(this.ballast));
    }

    remount(option) {
        execFileSync('mount', ['-o', `remount,${option}`, this.path]);
    }

    makeData() {
        return mkdir(this.dir, { mode: 0o700 });
    }
}
