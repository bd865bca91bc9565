// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange on a raw TCP socket, with exactly the bytes that the caller wants.
//
// The HTTP client of a module is small and unusual, so no HTTP library is used here: the request is bytes,
// the answer is kept as the bytes that arrived, with the moment of each piece and the way the connection ended.

import net from 'node:net';

// Only a hanging server reaches this deadline. No test measures speed.
export const deadline_ms = 30_000;

// Builds the bytes of one request. `range` is the N of `bytes=N-`; `host` is the text after `Host: ` or null for none.
export function buildRequest(target, {
    method = 'GET',
    host = 'fota.example',
    userAgent = null,
    range = null,
    rangeLine = null,
    connection = null,
    lines = [],
    httpVersion = 'HTTP/1.1',
    body = null,
} = {}) {
    const head = [`${method} ${target} ${httpVersion}`];
    if (host !== null)
        head.push(`Host: ${host}`);
    if (userAgent !== null)
        head.push(`User-Agent: ${userAgent}`);
    if (rangeLine !== null)
        head.push(rangeLine);
    else if (range !== null)
        head.push(`Range: bytes=${range}-`);
    if (connection !== null)
        head.push(`Connection: ${connection}`);
    head.push(...lines);
    if (body !== null)
        head.push(`Content-Length: ${Buffer.byteLength(body)}`);
    return Buffer.concat([Buffer.from(head.join('\r\n') + '\r\n\r\n', 'latin1'), Buffer.from(body ?? '')]);
}

// Cuts a request into `count` pieces of about the same length.
export function splitRequest(bytes, count) {
    const step = Math.ceil(bytes.length / count);
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * step, (i + 1) * step)).filter((s) => s.length);
}

// Sends `segments` (each a TCP segment of its own) and records everything until the server closes.
//
//   cutAfter   reset the connection after this many bytes of the body: a module that loses its radio link
//   from       the address of this side, for tests with several peers: 127.0.0.2
//   method     of the request: the answer to HEAD has no body
//
// Returns an answer, see parseAnswer(). Rejects only if there is no connection; everything else is recorded.
// `closed` is 'fin' (the server ended its side), 'reset', 'cut' (this side closed) or 'open' (still open at the deadline).
export function exchange({ address, from, segments, method = 'GET', cutAfter = Infinity, timeout_ms = deadline_ms }) {
    return new Promise((resolve, reject) => {
        const chunks = [];
        const socket = net.connect({ host: address.host, port: address.port, localAddress: from, allowHalfOpen: true, noDelay: true });
        let connected = false;
        let received = 0;
        let done = false;

        const finish = (closed) => {
            if (done)
                return;
            done = true;
            clearTimeout(timer);
            if (closed === 'fin')
                socket.end();
            else
                socket.resetAndDestroy();
            socket.on('error', () => {});
            resolve(parseAnswer({ chunks, closed, method, sent: Buffer.concat(segments) }));
        };
        const timer = setTimeout(() => finish('open'), timeout_ms);

        socket.on('connect', async () => {
            connected = true;
            for (const [i, segment] of segments.entries()) {
                if (done)
                    return;
                await new Promise((next) => socket.write(segment, () => next()));
                // Not a wait for the server: the gap between the segments is part of the test.
                if (i + 1 < segments.length)
                    await new Promise((next) => setTimeout(next, 25));
            }
        });
        socket.on('data', (bytes) => {
            if (done)
                return;
            chunks.push({ at_ms: performance.now(), bytes });
            received += bytes.length;
            if (cutAfter === Infinity)
                return;
            const headEnd = headLength(Buffer.concat(chunks.map((c) => c.bytes)));
            if (headEnd !== null && received - headEnd >= cutAfter)
                finish('cut');
        });
        socket.on('end', () => finish('fin'));
        socket.on('error', (error) => {
            if (connected)
                finish('reset');
            else if (!done) {
                done = true;
                clearTimeout(timer);
                reject(error);
            }
        });
        socket.on('close', () => finish('reset'));
    });
}

function headLength(raw) {
    const at = raw.indexOf('\r\n\r\n');
    return at < 0 ? null : at + 4;
}

// The answer as it arrived: nothing is normalised, so that the judge sees every byte.
//   raw, head (with its blank line; all of raw if it never ended), body; status and reason from the first line;
//   headers as [{line, name, value}]; chunks [{at_ms, bytes}]; closed; method; sent
//   header(name) finds a value regardless of case; json is the parsed body or undefined.
export function parseAnswer({ chunks, closed, method = 'GET', sent = Buffer.alloc(0) }) {
    const raw = Buffer.concat(chunks.map((c) => c.bytes));
    const end = headLength(raw);
    const head = end === null ? raw : raw.subarray(0, end);
    const body = end === null ? Buffer.alloc(0) : raw.subarray(end);
    const [first, ...lines] = head.toString('latin1').replace(/\r\n\r\n$/, '').split('\r\n');
    const [, version, status, reason] = /^(HTTP\/\d\.\d) (\d{3})(?: (.*))?$/.exec(first) ?? [];
    const headers = lines.map((line) => {
        const colon = line.indexOf(':');
        return { line, name: line.slice(0, Math.max(colon, 0)), value: line.slice(colon + 1).trim() };
    });
    let json;
    try {
        json = JSON.parse(body.toString('utf8'));
    } catch { /* not JSON: stays undefined */ }
    return {
        raw, head, body, headComplete: end !== null, first, version, status: status && Number(status), reason, headers,
        header: (name) => headers.find((h) => h.name.toLowerCase() === name.toLowerCase())?.value ?? null,
        json, code: json?.code, chunks, closed, method, sent,
    };
}

export function describeAnswer(answer) {
    const body = answer.body.subarray(0, 200).toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    return [
        `asked:    ${JSON.stringify(answer.sent.subarray(0, 300).toString('latin1'))}`,
        `head:     ${JSON.stringify(answer.head.subarray(0, 900).toString('latin1'))}`,
        `body:     ${answer.body.length} bytes: ${body}`,
        `pieces:   ${answer.chunks.slice(0, 8).map((c) => c.bytes.length).join(' ')}`,
        `closed:   ${answer.closed}`,
    ].join('\n');
}
