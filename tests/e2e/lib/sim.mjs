// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of dfota-sim: the program, images and packages in their own directory, and a server that answers
// as the test wants.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messages } from './judge.mjs';
import { buildDir } from './server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'dfota-sim-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

export const file = (name) => join(dir, name);
export const bytesOf = (name) => readFileSync(file(name));

// Runs a command to its end. Waits between two requests of a module are short.
export function run(command, words) {
    return new Promise((done, failed) => {
        execFile(command, words.map(String), { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
            if (/runtime error|Sanitizer/.test(stderr))
                failed(new Error(stderr));
            const lines = stdout.split('\n').slice(0, -1);
            done({ status: error ? error.code : 0, signal: error?.signal ?? null, stdout, stderr, lines });
        });
    });
}
export const sim = (...words) => run(join(buildDir, 'dfota-sim'), words);

export async function simJson(...words) {
    const result = await sim(...words, '-o', 'json');
    assert.equal(result.signal, null, result.stderr);
    return { ...result, json: JSON.parse(result.stdout) };
}

export async function makeImage(version, name, ...words) {
    const result = await sim('--make-image', version, ...words, file(name));
    assert.equal(result.status, 0, result.stderr);
    return bytesOf(name);
}

export async function bsdiff(oldName, newName, name) {
    const { status, stderr } = await run('bsdiff', [file(oldName), file(newName), file(name)]);
    assert.equal(status, 0, stderr);
    return bytesOf(name);
}

// Answers, exact to the byte.
const head = (status, body, ...lines) => Buffer.from(
    [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, 'Connection: close', ...lines].join('\r\n') + '\r\n\r\n', 'latin1');
export const answer = (status, body, ...lines) => Buffer.concat([head(status, Buffer.from(body), ...lines), Buffer.from(body)]);

export const refusal = (code, status = '400 Bad Request') => answer(status, JSON.stringify({ code, msg: messages.get(code) ?? 'no' })
    .replace(/[^ -~]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')), 'Content-Type: application/json');
export const wait = refusal(43);
export const idle = refusal(27);
export const deliver = (bytes) => answer('200 OK', bytes, 'Content-Type: application/octet-stream');
export const deliverRest = (bytes, from) =>
    answer('206 Partial Content', bytes.subarray(from), `Content-Range: bytes ${from}-${bytes.length - 1}/${bytes.length}`);
export const json = (value) => answer('200 OK', JSON.stringify(value), 'Content-Type: application/json');

// `script`: answers in order, one for each connection, or a function from the request to one. An answer is bytes, or
// {parts, ending} with ending 'fin', 'open' or 'reset'. `requests` are all requests, `most` is how many were open at a time.
export async function serve(t, script) {
    const requests = [];
    const sockets = new Set();
    let inHand = 0;
    const server = net.createServer(async (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket)).on('error', () => {});
        const request = await readRequest(socket);
        inHand += 1;
        fake.most = Math.max(fake.most, inHand);
        requests.push(request);
        const said = typeof script === 'function' ? await script(request, requests.length - 1) : script[requests.length - 1];
        const { parts, ending = 'fin' } = Buffer.isBuffer(said) ? { parts: [said] } : said ?? { parts: [] };
        for (const [i, part] of parts.entries()) {
            await new Promise((next) => socket.write(part, () => next()));
            if (i + 1 < parts.length) // the gap between two segments is what is being sent
                await new Promise((next) => setTimeout(next, 25));
        }
        inHand -= 1;
        if (ending === 'fin')
            socket.end();
        else if (ending === 'reset')
            socket.resetAndDestroy();
    });
    server.listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    t.after(() => {
        for (const socket of sockets)
            socket.destroy();
        server.close();
    });
    const fake = { requests, most: 0, url: `http://127.0.0.1:${server.address().port}` };
    return fake;
}

function readRequest(socket) {
    return new Promise((done) => {
        let bytes = Buffer.alloc(0);
        socket.on('data', (more) => {
            bytes = Buffer.concat([bytes, more]);
            const end = bytes.indexOf('\r\n\r\n');
            if (end < 0)
                return;
            const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
            const header = (name) => lines.find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
            if (bytes.length - end - 4 < Number(header('Content-Length') ?? 0))
                return;
            const [method, target] = first.split(' ');
            done({
                method, target, first, lines, header, body: bytes.toString('utf8', end + 4),
                query: new URLSearchParams(target.split('?')[1] ?? ''),
                from: header('Range') === null ? null : Number(/^bytes=(\d+)-$/.exec(header('Range'))[1]),
            });
        });
    });
}

// Options for one simulated module: its server and firmware; short waits; version 1138.
export const imei = '866597071234569';
export const pump = (fake) => ['--url', fake.url, '--product-key', 'pumps', '--firmware', 'pump', '--imei', imei];
export const asPump = (fake) => [...pump(fake), '--interval', '0.01'];
export const onOld = (fake) => [...asPump(fake), '--image', file('1138')];

// The images 1138, 1147 and 1162, also as files of these names, and packages between them by stock bsdiff; both are empty
// until they are made.
export const images = {}, delta = {};

export async function makePackages() {
    for (const version of ['1138', '1147', '1162'])
        images[version] = await makeImage(version, version);
    for (const [from, to] of [['1138', '1147'], ['1147', '1162'], ['1138', '1162']])
        delta[`${from}-${to}`] = await bsdiff(from, to, `${from}-${to}.patch`);
}
