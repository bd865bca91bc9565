// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A receiver of webhooks that does what a test says.
//
//   const receiver = await Receiver.start(t);
//   receiver.answer = (event) => 500;       a status, {status, headers, body}, 'hang' or 'cut'; default 204
//   receiver.events                          every request, also those that were not answered well
//   receiver.taken                           those that were answered 2xx

import { createHmac } from 'node:crypto';
import http from 'node:http';

import { poll } from './module.mjs';

export class Receiver {
    static async start(t) {
        const receiver = new Receiver();
        Object.assign(receiver, { events: [], taken: [], answer: () => 204, port: 0, inFlight: 0, mostInFlight: 0 });
        await receiver.listen();
        t.after(() => receiver.stop());
        return receiver;
    }

    get url() {
        return `http://127.0.0.1:${this.port}/hook`;
    }

    async listen() {
        this.server = http.createServer((request, response) => this.#take(request, response));
        await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
        this.port = this.server.address().port;
    }

    // Later connections are refused until listen().
    async stop() {
        const closed = new Promise((done) => this.server.close(done));
        this.server.closeAllConnections();
        await closed;
    }

    async #take(request, response) {
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        response.on('close', () => { this.inFlight -= 1; });
        const chunks = [];
        for await (const chunk of request)
            chunks.push(chunk);
        const body = Buffer.concat(chunks).toString('utf8');
        const event = {
            headers: request.headers, body, json: JSON.parse(body), kind: request.headers['x-dfota-event'], id: request.headers['x-dfota-id'],
            path: request.url, method: request.method,
        };
        this.events.push(event);
        const answer = await this.answer(event);
        if (answer === 'hang')
            return;
        if (answer === 'cut') {
            request.socket.destroy();
            return;
        }
        const { status = 200, headers = {}, body: said = '' } = typeof answer === 'number' ? { status: answer } : answer;
        if (status >= 200 && status < 300)
            this.taken.push(event);
        response.writeHead(status, headers).end(said);
    }

    // Waits until so many events have been taken, and returns them.
    async took(count, matches = () => true) {
        const taken = () => this.taken.filter(matches);
        await poll(`${count} events are taken`, () => taken().length >= count);
        return taken();
    }

    async got(count, matches = () => true) {
        const events = () => this.events.filter(matches);
        await poll(`${count} events have come`, () => events().length >= count);
        return events();
    }
}

// What the header has to be.
export const signatureOf = (secret, { headers, body }) =>
    `sha256=${createHmac('sha256', secret).update(`${headers['x-dfota-timestamp']}.${body}`).digest('hex')}`;

// What tests do with webhooks.

export const secret = 'a secret of some length';

export const create = async (server, receiver, more = {}) =>
    (await server.admin('POST', '/webhooks', { name: `hook ${receiver.port}`, url: receiver.url, ...more }, { expect: 201 })).json;
export const show = async (server, { webhook }) => (await server.admin('GET', `/webhooks/${webhook}`, null, { expect: 200 })).json;
export const listed = async (server, { webhook }, state) =>
    (await server.admin('GET', `/webhooks/${webhook}/events?state=${state}`, null, { expect: 200 })).json.items;

// One hop of a module; it leaves a `confirmed`.
export async function upgradeTo(scene, module, version) {
    await scene.setTarget(version);
    await module.upgrade();
    await scene.awaitAttempt(module, 'delivered');
    await module.ask();
}

export const of = (module) => (event) => event.json.device === `imei:${module.id}`;
export const steps = (events) => events.map(({ kind, json }) => `${kind} ${json.to}`);
