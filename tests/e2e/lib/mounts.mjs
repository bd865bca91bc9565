// Disks of a test's own: small ones that fill up, or that nobody may write to.
//
// A test file that imports this runs in a mount namespace of its own: the import starts the same file once more, in
// such a namespace, and ends with it. What is mounted there is seen by nobody else and is gone when the file ends.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { appendFile, mkdir, rm, stat, statfs, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const inside = 'DFOTA_TEST_MOUNTS';
const unshare = ['unshare', '--mount', '--propagation', 'private', 'setpriv', '--pdeathsig', 'KILL'];

if (!process.env[inside]) {
    const { status } = spawnSync(unshare[0], [...unshare.slice(1), 'true'], { stdio: 'ignore' });
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const [command, ...rest] = status === 0 ? [...unshare, ...words] : words;
    const ended = spawnSync(command, rest, {
        stdio: 'inherit', env: { ...process.env, [inside]: status === 0 ? 'private' : 'none' },
    });
    process.exit(ended.status ?? 1);
}

// Why no test can mount anything here, or false.
export const noMounts = process.env[inside] === 'private' ? false : 'no mount namespace: unshare --mount needs root';

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
