// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A download of a module on a raw socket. It can stop reading half way, like a module with slow flash, and it knows how
// much its kernel has received: bytes that the program has not read yet count too, because the kernel has acknowledged them.

import { readFileSync } from 'node:fs';
import net from 'node:net';

import { assertDeviceAnswer } from './judge.mjs';
import { buildRequest, deadline_ms, parseAnswer } from './wire.mjs';

export class Download {
    // settled   resolves once the answer is whole, the server is gone, or the reading has stopped at `pauseAfter`
    // code      200, 206, 416, or the dialect's code; null while there is no whole head
    // first     where in the package the body begins; null: the body is not a package
    constructor(address, target, { range = null, pauseAfter = Infinity } = {}) {
        Object.assign(this, { address, pauseAfter, code: null, first: null, isWhole: false, isPaused: false });
        this.chunks = [];
        this.count = 0;
        this.sent = buildRequest(target, { range });
        this.kernelHad = 0; // when the socket was dropped
        this.socket = net.connect({ host: address.host, port: address.port, noDelay: true });
        this.settled = new Promise((done) => this.run(done));
    }

    run(done) {
        const timer = setTimeout(() => this.socket.destroy(), deadline_ms);
        const settle = () => {
            clearTimeout(timer);
            done();
        };
        this.socket.on('connect', () => this.socket.write(this.sent));
        this.socket.on('data', (bytes) => {
            this.chunks.push({ at_ms: performance.now(), bytes });
            this.count += bytes.length;
            if (this.headLength === undefined)
                this.readHead();
            if (this.headLength === undefined)
                return;
            this.readBody();
            if (this.count - this.headLength < this.pauseAfter)
                return;
            this.socket.pause();
            this.isPaused = true;
            settle();
        });
        this.socket.on('error', () => {});
        this.socket.on('close', settle);
    }

    readHead() {
        const answer = this.parse();
        if (!answer.headComplete)
            return;
        this.headLength = answer.head.length;
        this.length = Number(answer.header('content-length') ?? 0);
        if (answer.status === 416) // a refused resume: a head alone
            this.code = 416;
        if (answer.status !== 200 && answer.status !== 206)
            return;
        this.code = answer.status;
        this.first = Number(/^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1] ?? 0);
    }

    readBody() {
        if (this.count - this.headLength !== this.length)
            return;
        const answer = assertDeviceAnswer(this.parse());
        this.isWhole = true;
        this.code ??= answer.code;
    }

    parse() {
        return parseAnswer({ chunks: this.chunks, closed: 'fin', sent: this.sent });
    }

    // Bytes of the body that the kernel of this side has received.
    received() {
        return this.headLength === undefined ? 0 : Math.max(0, this.socket.bytesRead + this.unread() - this.headLength);
    }

    // Bytes that wait in the kernel, from /proc.
    unread() {
        const { localPort } = this.socket;
        if (this.socket.destroyed || localPort === undefined)
            return this.kernelHad;
        const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
        for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
            const [, local, remote, , queues] = line.trim().split(/\s+/);
            if (local?.endsWith(`:${hex(localPort)}`) && remote.endsWith(`:${hex(this.address.port)}`))
                this.kernelHad = parseInt(queues.split(':')[1], 16);
        }
        return this.kernelHad;
    }

    // Reads the rest. Resolves when the answer is whole or the connection is closed.
    async readOn() {
        this.pauseAfter = Infinity;
        this.isPaused = false;
        const over = new Promise((done) => this.socket.once('close', done));
        this.socket.resume();
        if (!this.socket.destroyed)
            await over;
    }

    drop() {
        this.unread();
        this.socket.resetAndDestroy();
    }
}
