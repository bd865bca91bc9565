// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Runs a test file in its own namespace: the file is started again inside, and this process ends with it.

import { spawnSync } from 'node:child_process';

// `flags` of unshare(1). True: this is the process inside. False: the namespace cannot be made (it needs root).
export function enterNamespace(name, ...flags) {
    const inside = `DFOTA_TEST_${name}`;
    if (process.env[inside])
        return process.env[inside] === 'private';
    const unshare = ['unshare', ...flags, 'setpriv', '--pdeathsig', 'KILL'];
    const { status } = spawnSync(unshare[0], [...unshare.slice(1), 'true'], { stdio: 'ignore' });
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const [command, ...rest] = status === 0 ? [...unshare, ...words] : words;
    const ended = spawnSync(command, rest, {
        stdio: 'inherit', env: { ...process.env, [inside]: status === 0 ? 'private' : 'none' },
    });
    process.exit(ended.status ?? 1);
}
