// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Disks for one test: small ones that fill up, or read-only ones.
//
// A test file that imports this runs in its own mount namespace (namespace.mjs). Other processes do not see its mounts, and they are gone when the file ends.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { appendFile, mkdir, rm, stat, statfs, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { enterNamespace } from './namespace.mjs';

// The reason why tests cannot mount anything, or false.
export const noMounts = enterNamespace('MOUNTS', '--mount', '--propagation', 'private') ? false : 'no mount namespace: unshare --mount needs root';

export class Disk {
    // An empty disk of this size in bytes, until the test `t` ends.
    static async make(t, { size = 8 << 20 } = {}) {
        const disk = new Disk();
        disk.path = mkdtempSync(join(tmpdir(), 'dfota-disk-'));
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'dfota-test', disk.path]);
        disk.ballast = join(disk.path, 'ballast');
        disk.dir = join(disk.path, 'data'); // the data directory, which the server creates
        process.on('exit', () => {
            try {
                execFileSync('umount', ['-l', disk.path], { stdio: 'ignore' });
                rmdirSync(disk.path);
            } catch { /* not visible outside of the namespace anyway */ }
        });
        return disk;
    }

    async free() {
        const { bavail, bsize } = await statfs(this.path);
        return bavail * bsize;
    }

    // Another program writes until this many bytes are free, rounded to pages, or fewer.
    async fill(left = 0) {
        const pages = Math.ceil(left / 4096) * 4096;
        for (let over; (over = await this.free() - pages) > 0;)
            await appendFile(this.ballast, Buffer.alloc(Math.min(over, 1 << 20))).catch((error) => {
                if (error.code !== 'ENOSPC') // the server wrote meanwhile, so less was free
                    throw error;
            });
    }

    // The other program frees this many bytes, or all of its bytes.
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
