// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// GET /events: rows of the ledger as they are committed, resumed by id; hints; limits; the end of a stream.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { noiseImage } from './lib/firmware.mjs';
import { poll } from './lib/module.mjs';
import { startServer } from './lib/server.mjs';
import { takeTimes } from './lib/times.mjs';

// A stream on a plain socket.
class Stream {
    constructor(server, { path = '/api/v1/events', headers = {}, token = server.token } = {}) {
        Object.assign(this, { text: '', events: [], isOver: false, lastId: null });
        const lines = [`GET ${path} HTTP/1.1`, 'Host: dfota', 'Connection: close', ...(token ? [`Authorization: Bearer ${token}`] : []), ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)];
        this.socket = net.connect(server.adminAddress.port, server.adminAddress.host, () => this.socket.write(`${lines.join('\r\n')}\r\n\r\n`));
        this.socket.on('data', (bytes) => this.take(bytes.toString('utf8')));
        this.socket.on('error', () => {}).on('close', () => { this.isOver = true; });
    }

    take(text) {
        this.text += text;
        if (this.head === undefined) {
            const end = this.text.indexOf('\r\n\r\n');
            if (end < 0)
                return;
            this.head = this.text.slice(0, end);
            this.status = Number(this.head.split(' ')[1]);
            this.text = this.text.slice(end + 4);
        }
        const blocks = this.text.split('\n\n');
        this.text = blocks.pop();
        for (const block of blocks) {
            const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
            this.lastId = fields.id ?? this.lastId;
            if (fields.data)
                this.events.push({ id: fields.id === undefined ? null : Number(fields.id), event: fields.event, data: JSON.parse(fields.data) });
        }
    }

    get rows() {
        return this.events.filter(({ event }) => event !== 'changed');
    }

    get ids() {
        return this.rows.map(({ id }) => id);
    }

    // The id that the stream sets first has come: later rows come too.
    async open() {
        await poll('the stream is open', () => this.lastId !== null);
        return this;
    }

    close() {
        this.socket.destroy();
    }
}

function open(t, server, options) {
    const stream = new Stream(server, options);
    t.after(() => stream.close());
    return stream;
}

const head = async (server) => (await server.admin('GET', '/ledger/head', null, { expect: 200 })).json.seq;
const addProduct = (server, key) => server.admin('POST', '/products', { name: key, product_key: key }, { expect: 201 });
const counting = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

// Many rows at once: one for each line.
async function addRows(server, count, from = 0) {
    const lines = Array.from({ length: count }, (_, i) => `8665970${String(from + i).padStart(8, '0')},1`).join('\n');
    await server.admin('POST', '/products/p/firmware/f/reports', `${lines}\n`, { headers: { 'Content-Type': 'text/csv' }, expect: 200 });
}

async function withFirmware(server) {
    await addProduct(server, 'p');
    await server.putImage('p', 'f', '1', noiseImage({ seed: 71, size: 20_000 }));
}

test('a row comes as GET /ledger shows it, and hints come without an id', async (t) => {
    const server = await startServer(t);
    const stream = await open(t, server).open();
    assert.match(stream.head, /content-type: text\/event-stream/i);
    assert.match(stream.head, /cache-control: no-store/i);
    assert.doesNotMatch(stream.head, /content-length/i);
    await withFirmware(server);
    await poll('the rows', () => stream.rows.length >= 2);
    const { json } = await server.admin('GET', '/ledger', null, { expect: 200 });
    assert.deepEqual(stream.rows.map(({ data }) => takeTimes(data)), json.items);
    assert.deepEqual(stream.rows.map(({ event }) => event), json.items.map(({ kind }) => kind));
    await poll('a hint', () => stream.events.some(({ event, data }) => event === 'changed' && data.what.includes('images')));
    await server.admin('POST', '/webhooks', { name: 'chat', url: 'http://127.0.0.1:9/' }, { expect: 201 });
    await poll('a hint of webhooks', () => stream.events.some(({ event, data }) => event === 'changed' && data.what.includes('webhooks')));
    assert.ok(stream.events.filter(({ event }) => event === 'changed').every(({ id }) => id === null));
});

test('without an id a stream begins with the next row; with one it continues', async (t) => {
    const server = await startServer(t);
    await addProduct(server, 'a');
    await addProduct(server, 'b');
    const seq = await head(server);
    const now = await open(t, server).open();
    const all = await open(t, server, { path: '/api/v1/events?after=0' }).open();
    const both = await open(t, server, { path: '/api/v1/events?after=0', headers: { 'Last-Event-ID': String(seq - 1) } }).open();
    const ofB = await open(t, server, { path: '/api/v1/events?after=0&product=b' }).open();
    await addProduct(server, 'c');
    await poll('all have the last row', () => [now, all, both].every(({ ids }) => ids.at(-1) === seq + 1));
    assert.deepEqual(now.ids, [seq + 1]);
    assert.deepEqual(all.ids, counting(1, seq + 1));
    assert.deepEqual(both.ids, [seq, seq + 1]);
    assert.deepEqual(ofB.ids, [seq]);
});

test('an id that cannot be is refused; one beyond the ledger begins with the next row', async (t) => {
    const server = await startServer(t);
    for (const options of [{ headers: { 'Last-Event-ID': 'x' } }, { path: '/api/v1/events?after=-1' }]) {
        const stream = open(t, server, options);
        await poll('an answer', () => stream.isOver);
        assert.equal(stream.status, 400);
    }
    const ahead = await open(t, server, { headers: { 'Last-Event-ID': '999999' } }).open();
    await poll('a hint about everything', () => ahead.events.some(({ event }) => event === 'changed'));
    await addProduct(server, 'a');
    await poll('the next row', () => ahead.ids.length === 1);
});

test('a stranger gets no stream, and HEAD has an end', async (t) => {
    const server = await startServer(t);
    const stream = open(t, server, { token: 'wrong' });
    await poll('an answer', () => stream.isOver);
    assert.equal(stream.status, 401);
    const answer = await server.admin('HEAD', '/events', null, { expect: 200 });
    assert.equal(answer.headers['content-type'], 'text/event-stream');
    await server.admin('POST', '/events', null, { expect: 405 });
});

test('a stream that continues after kill -9 has no gap and no double', async (t) => {
    const server = await startServer(t);
    await withFirmware(server);
    const first = await open(t, server, { path: '/api/v1/events?after=0' }).open();
    const write = async () => { // until the server is gone
        for (let n = 0; ; n += 1)
            await addProduct(server, `x${n}`);
    };
    const writing = write().catch(() => {});
    await poll('some rows', () => first.ids.length > 20);
    await server.kill();
    await writing;
    await poll('the stream is over', () => first.isOver);
    await server.start();
    await addRows(server, 200, 5000);
    const seq = await head(server);
    const second = await open(t, server, { headers: { 'Last-Event-ID': first.lastId } }).open();
    await poll('the rest', () => second.ids.at(-1) === seq);
    assert.deepEqual([...first.ids, ...second.ids], counting(1, seq));
});

test('rows that come while a stream catches up come once, in order', async (t) => {
    const server = await startServer(t);
    await withFirmware(server);
    await addRows(server, 2000);
    const stream = open(t, server, { path: '/api/v1/events?after=0' });
    await addRows(server, 500, 5000);
    const seq = await head(server);
    await poll('all rows', () => stream.ids.at(-1) === seq);
    assert.deepEqual(stream.ids, counting(1, seq));
});

test('there are 32 streams; the next one is told so, and gets the place of one that ends', async (t) => {
    const server = await startServer(t);
    const streams = Array.from({ length: 32 }, () => open(t, server));
    await Promise.all(streams.map((stream) => stream.open()));
    const late = open(t, server);
    await poll('an answer', () => late.isOver);
    assert.equal(late.status, 503);
    assert.match(late.text, /"code":"unavailable".*32 streams/);
    await addProduct(server, 'a');
    await poll('every stream has the row', () => streams.every(({ ids }) => ids.length === 1));
    streams[7].close();
    await poll('a place is free', async () => {
        const again = open(t, server);
        await poll('an answer', () => again.status !== undefined);
        return again.status === 200;
    });
});

test('a reader that does not read is cut, and the others go on', async (t) => {
    const server = await startServer(t);
    await withFirmware(server);
    const stuck = await open(t, server).open(), other = await open(t, server).open();
    stuck.socket.pause();
    for (let from = 0; from < 8000; from += 2000)
        await addRows(server, 2000, from);
    await server.logged('events-cut');
    assert.match(server.log('events-cut')[0].reason, /too slowly/);
    const seq = await head(server);
    await poll('the other one has all', () => other.ids.at(-1) === seq);
    stuck.socket.resume();
    await poll('it is over', () => stuck.isOver);
    const again = await open(t, server, { headers: { 'Last-Event-ID': stuck.lastId } }).open();
    await poll('it has caught up', () => again.ids.at(-1) === seq);
    assert.deepEqual([...stuck.ids, ...again.ids], other.ids);
});

test('logging out ends the stream of the session', async (t) => {
    const server = await startServer(t);
    const { headers } = await server.admin('POST', '/session', { token: server.token }, { token: null, expect: 204 });
    const cookie = headers['set-cookie'][0].split(';')[0];
    const stream = await open(t, server, { token: null, headers: { Cookie: cookie } }).open();
    const other = await open(t, server).open();
    await server.admin('DELETE', '/session', null, { token: null, headers: { Cookie: cookie, 'X-Dfota-Console': '1' }, expect: 204 });
    await poll('the stream is over', () => stream.isOver);
    await addProduct(server, 'a');
    await poll('the stream of the token goes on', () => other.ids.length === 1);
});

test('the end of the server ends streams at once', async (t) => {
    const server = await startServer(t);
    const streams = Array.from({ length: 5 }, () => open(t, server));
    await Promise.all(streams.map((stream) => stream.open()));
    const begun = Date.now();
    await server.stop();
    assert.ok(Date.now() - begun < 4000, `${Date.now() - begun} ms`);
    await poll('all are over', () => streams.every(({ isOver }) => isOver));
    assert.equal(server.log('connections-cut').length, 0);
});
