// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A connection that is kept: one raw socket with many requests. Each byte that comes belongs to one answer.

import assert from 'node:assert/strict';
import net from 'node:net';

import { deadline_ms } from './wire.mjs';

// The answers at the begin of `bytes`, and what is left. `methods` are those of the requests, in order.
export function parseAnswers(bytes, methods) {
    const answers = [];
    for (let rest = bytes; ;) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0)
            return { answers, rest };
        const [first, ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
        const match = /^HTTP\/1\.1 (\d{3}) /.exec(first);
        assert.ok(match, `no answer begins with ${JSON.stringify(first)}`);
        const status = Number(match[1]);
        const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
        const bodiless = methods[answers.length] === 'HEAD' || status === 204 || status === 304 || status < 200;
        const length = bodiless ? 0 : Number(headers['content-length']);
        assert.ok(Number.isInteger(length), `an answer without a length: ${first}`);
        if (rest.length < end + 4 + length)
            return { answers, rest };
        const body = rest.subarray(end + 4, end + 4 + length);
        rest = rest.subarray(end + 4 + length);
        if (status >= 200)
            answers.push({ status, headers, body, closes: headers.connection === 'close' });
    }
}

export class Kept {
    constructor(address, connect = net.connect) {
        Object.assign(this, { bytes: Buffer.alloc(0), methods: [], taken: 0, closed: null, waits: new Set() });
        this.socket = connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true });
        const wake = () => this.waits.forEach((look) => look());
        this.socket.on('data', (bytes) => { this.bytes = Buffer.concat([this.bytes, bytes]); wake(); });
        this.socket.on('end', () => { this.closed ??= 'fin'; this.socket.end(); wake(); });
        this.socket.on('error', () => { this.closed ??= 'reset'; wake(); });
        this.socket.on('close', () => { this.closed ??= 'reset'; wake(); });
    }

    send(bytes, ...methods) {
        this.methods.push(...methods);
        this.socket.write(bytes);
    }

    #until(what, look) {
        return new Promise((done, failed) => {
            const timer = setTimeout(() => finish(new Error(`${what}: not in time`)), deadline_ms);
            const finish = (error, value) => { clearTimeout(timer); this.waits.delete(check); error ? failed(error) : done(value); };
            const check = () => {
                try {
                    const value = look();
                    if (value !== undefined)
                        finish(null, value);
                } catch (error) {
                    finish(error);
                }
            };
            this.waits.add(check);
            check();
        });
    }

    // The next answer; null: the connection was closed before it.
    next() {
        return this.#until('the next answer', () => {
            const { answers } = parseAnswers(this.bytes, this.methods);
            if (answers.length > this.taken)
                return answers[this.taken++];
            return this.closed ? null : undefined;
        });
    }

    // Waits until the server has closed; returns 'fin' or 'reset'. No byte may be left over.
    async end() {
        const how = await this.#until('the end', () => this.closed ?? undefined);
        const { answers, rest } = parseAnswers(this.bytes, this.methods);
        assert.equal(rest.length, 0, `behind the last answer: ${rest.subarray(0, 200)}`);
        assert.equal(answers.length, this.taken, 'an answer that was not read');
        return how;
    }

    async ask(bytes, method = 'GET') {
        this.send(bytes, method);
        return this.next();
    }

    hangUp() {
        this.closed ? this.socket.destroy() : this.socket.resetAndDestroy();
    }
}
