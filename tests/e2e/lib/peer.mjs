// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The TCP peer of a download whose kernel acknowledges little more than it reads: peer.py in a process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildRequest } from './wire.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'peer.py');
export const window_bytes = 32 * 1024; // what its kernel may hold unread

// Sends one request and reads `wanted` bytes of the answer; see peer.py. Ends with the test.
export class Peer {
    constructor(t, module, wanted, then, { wrapper = [], ...request } = {}) {
        const { host, port } = module.address;
        const bytes = buildRequest(module.target, { host: `${host}:${port}`, ...request });
        const [command, ...words] = [...wrapper, 'python3', script, host, port, bytes.toString('hex'), wanted, then];
        this.child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
        this.ended = new Promise((done) => this.child.on('close', done));
        t.after(() => this.child.kill());
        this.said = {};
        let text = '';
        this.waits = [];
        this.child.stdout.on('data', (more) => {
            text += more;
            for (const [, key, value] of text.matchAll(/^(\w+) (\d+)$/gm))
                this.said[key] = Number(value);
            this.waits.forEach((look) => look());
        });
    }

    // The number that it prints after `key`.
    async awaitSaid(key) {
        await Promise.race([
            new Promise((done) => this.waits.push(() => key in this.said && done())),
            this.ended,
        ]);
        assert.ok(key in this.said, `the peer ended without ${key}: ${JSON.stringify(this.said)}`);
        return this.said[key];
    }

    end() {
        this.child.stdin.end();
        return this.ended;
    }
}
