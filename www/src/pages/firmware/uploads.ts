// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Files on their way to the server, one after the other. They go on when the page changes. The digest lets the server see
// that a file came whole; browsers compute it only over TLS and on the own machine.

import { ApiError, isOnline, loginRequired, path, send, type Problem } from '../../api';
import { Store } from '../../store';
import type { Image } from './types';

export interface Stored extends Image { firmware_created?: boolean; notice?: string }

export interface Name { firmware: string; version: string }

export interface Sending {
    id: number;
    product: string;
    file: File;
    name: Name | null; // null: the server reads it out of the name of the file
    raw: boolean;
    state: 'waiting' | 'reading' | 'sending' | 'checking' | 'stored' | 'failed' | 'cancelled';
    sent: number; // bytes
    problem: Problem | null;
    image: Stored | null;
    stop: AbortController;
}

export const uploads = new Store<Sending[]>([]);
const hashedBytes = 512 * 1024 * 1024; // WebCrypto needs the whole file in memory
const over: Sending['state'][] = ['stored', 'failed', 'cancelled'];
let last = 0;
let isRunning = false;

export const isOver = ({ state }: Sending) => over.includes(state);

function change(id: number, fields: Partial<Sending>): void {
    uploads.set(uploads.value.map((one) => (one.id === id ? { ...one, ...fields } : one)));
}

export async function digestOf(file: File): Promise<string | null> {
    if (!globalThis.crypto?.subtle || file.size > hashedBytes)
        return null;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}

interface Post { method: string; path: string; file: File; digest: string | null; signal: AbortSignal; onSent: (bytes: number) => void }

function problemOf(request: XMLHttpRequest): Problem {
    const said = request.response as Partial<Problem> | null;
    return { status: request.status, code: said?.code ?? 'unknown', detail: said?.detail ?? `${request.status} ${request.statusText}` };
}

// fetch() does not tell how far an upload is.
export function transmit<T>({ method, path: where, file, digest, signal, onSent }: Post): Promise<T> {
    return new Promise((done, failed) => {
        const request = new XMLHttpRequest();
        request.open(method, `/api/v1${where}`);
        request.responseType = 'json';
        request.setRequestHeader('X-Dfota-Console', '1');
        request.setRequestHeader('Content-Type', 'application/octet-stream');
        if (digest)
            request.setRequestHeader('Repr-Digest', digest);
        request.upload.onprogress = ({ loaded }) => onSent(loaded);
        request.onload = () => {
            isOnline.set(true);
            if (request.status === 401)
                loginRequired.set(loginRequired.value + 1);
            if (request.status < 300)
                done(request.response as T);
            else
                failed(new ApiError(problemOf(request)));
        };
        request.onerror = () => failed(new ApiError({ status: 0, code: 'offline', detail: 'the connection was closed' }));
        request.onabort = () => failed(new DOMException('cancelled', 'AbortError'));
        signal.addEventListener('abort', () => request.abort());
        request.send(file);
    });
}

// The server checks names before the first byte, and then closes the connection, which the browser may show as a lost one.
// The same call without bytes has the same answer.
export async function whyRefused(method: string, where: string): Promise<Problem | null> {
    try {
        await send(where, { method, body: '', type: 'application/octet-stream' });
    } catch (error) {
        if (error instanceof ApiError && error.problem.code !== 'invalid')
            return error.problem;
    }
    return null;
}

function callOf({ product, file, name, raw }: Sending): { method: string; path: string } {
    const query = new URLSearchParams({ ...(!name && { filename: file.name }), ...(raw && { format: 'raw' }) }).toString();
    const where = name ? path`/products/${product}/firmware/${name.firmware}/images/${name.version}` : path`/products/${product}/images`;
    return { method: name ? 'PUT' : 'POST', path: query ? `${where}?${query}` : where };
}

async function run(one: Sending): Promise<void> {
    const { id, file, stop } = one;
    const call = callOf(one);
    try {
        change(id, { state: 'reading' });
        const digest = await digestOf(file);
        stop.signal.throwIfAborted();
        change(id, { state: 'sending' });
        const onSent = (sent: number) => change(id, { sent: Math.min(sent, file.size), state: sent >= file.size ? 'checking' : 'sending' });
        const image = await transmit<Stored>({ ...call, file, digest, signal: stop.signal, onSent });
        change(id, { state: 'stored', sent: file.size, image });
    } catch (error) {
        if (stop.signal.aborted)
            return change(id, { state: 'cancelled' });
        let problem: Problem = error instanceof ApiError ? error.problem : { status: 0, code: 'unknown', detail: String(error) };
        if (problem.code === 'offline')
            problem = await whyRefused(call.method, call.path) ?? problem;
        change(id, { state: 'failed', problem });
    }
}

async function runAll(): Promise<void> {
    if (isRunning)
        return;
    isRunning = true;
    for (let next; (next = uploads.value.find(({ state }) => state === 'waiting'));)
        await run(next);
    isRunning = false;
}

export function upload(product: string, files: Iterable<File>): void {
    const added = [...files].map((file): Sending => ({
        id: ++last, product, file, name: null, raw: false, state: 'waiting', sent: 0, problem: null, image: null, stop: new AbortController(),
    }));
    uploads.set([...uploads.value, ...added]);
    void runAll();
}

export function uploadAgain(id: number, fields: { name?: Name; raw?: boolean }): void {
    change(id, { ...fields, state: 'waiting', sent: 0, problem: null, stop: new AbortController() });
    void runAll();
}

export function cancel({ id, state, stop }: Sending): void {
    stop.abort();
    if (state === 'waiting')
        change(id, { state: 'cancelled' });
}

export function clear(product: string): void {
    uploads.set(uploads.value.filter((one) => one.product !== product || !isOver(one)));
}
