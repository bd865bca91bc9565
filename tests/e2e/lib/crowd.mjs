// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Many connections at once, each a raw socket, and the visible state of the process that serves them.

import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';

import { poll } from './module.mjs';
import { beforeDispose } from './server.mjs';
import { parseAnswer } from './wire.mjs';

// One connection. `bytes` is what was received; `closed` is null while it is open, then 'fin' or 'reset'.
export class Peer {
    constructor(address) {
        this.pieces = [];
        this.closed = null;
        this.socket = net.connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true });
        this.connected = once(this.socket, 'connect');
        this.over = new Promise((done) => { this.end = done; });
        const close = (how) => { this.closed ??= how; this.end(); };
        this.socket.on('data', (bytes) => { this.pieces.push({ at_ms: performance.now(), bytes }); });
        this.socket.on('end', () => { close('fin'); this.socket.end(); });
        this.socket.on('error', () => close('reset'));
        this.socket.on('close', () => close('reset'));
    }

    // Resolves when the kernel has it.
    send(bytes) {
        return bytes.length === 0 ? null : new Promise((next) => this.socket.write(bytes, () => next()));
    }

    get bytes() {
        return Buffer.concat(this.pieces.map((piece) => piece.bytes));
    }

    get answer() {
        return parseAnswer({ chunks: this.pieces, closed: this.closed ?? 'open' });
    }

    hangUp(how = 'reset') {
        if (how === 'reset')
            this.socket.resetAndDestroy();
        else
            this.socket.destroy();
    }
}

// `count` connections, one after the other, each of which has sent `first` (or first(i)).
export async function openCrowd(t, address, count, first = '') {
    const crowd = [];
    t.after(() => crowd.forEach((peer) => peer.hangUp()));
    beforeDispose(address, () => crowd.forEach((peer) => peer.hangUp('close')));
    for (let i = 0; i < count; i++) {
        const peer = new Peer(address);
        crowd.push(peer);
        await peer.connected;
        await peer.send(Buffer.from(typeof first === 'function' ? first(i) : first));
    }
    return crowd;
}

// Waits until each has an answer begun or is closed, at most limit_ms. Returns how many have an answer begun.
export async function settle(crowd, limit_ms) {
    await poll('all are answered', () => crowd.every((peer) => peer.pieces.length > 0 || peer.closed), { timeout_ms: limit_ms })
        .catch(() => {});
    return crowd.filter((peer) => peer.pieces.length > 0).length;
}

// The process is halted while `send` runs, so that it finds everything at once.
export async function atOnce(pid, send) {
    process.kill(pid, 'SIGSTOP');
    try {
        await poll('the process stands still', () => readdirSync(`/proc/${pid}/task`)
            .every((task) => /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1'))));
        await send();
    } finally {
        process.kill(pid, 'SIGCONT');
    }
}

export function countDescriptors(pid) {
    return readdirSync(`/proc/${pid}/fd`).length;
}

// Without the pages of programs and libraries, which the kernel maps and drops when it likes.
export function residentBytes(pid) {
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024;
}
