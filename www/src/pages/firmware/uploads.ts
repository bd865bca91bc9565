// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Images on their way to the server, one after the other. They go on when the page changes.

import { ApiError, path, type Problem } from '../../api';
import { withQuery } from '../../list';
import { Store } from '../../store';
import { sendFile, type Upload } from '../../upload';
import type { Image } from './types';

export interface Stored extends Image { firmware_created?: boolean; notice?: string }

export interface Name { firmware: string; version: string }

export interface Sending {
    id: number;
    product: string;
    file: File;
    name: Name | null; // null: the server reads it out of the name of the file
    raw: boolean;
    variant: string | null; // null: none is given
    state: 'waiting' | 'reading' | 'sending' | 'checking' | 'stored' | 'failed' | 'cancelled';
    sent: number; // bytes
    problem: Problem | null;
    image: Stored | null;
    stop: AbortController;
}

export const uploads = new Store<Sending[]>([]);
const over: Sending['state'][] = ['stored', 'failed', 'cancelled'];
let last = 0;
let isRunning = false;

export const isOver = ({ state }: Sending) => over.includes(state);

function change(id: number, fields: Partial<Sending>): void {
    uploads.set(uploads.value.map((one) => (one.id === id ? { ...one, ...fields } : one)));
}

function callOf({ product, file, name, raw, variant }: Sending): Pick<Upload, 'method' | 'path'> {
    const where = name ? path`/products/${product}/firmware/${name.firmware}/images/${name.version}` : path`/products/${product}/images`;
    return { method: name ? 'PUT' : 'POST', path: withQuery(where, { filename: name ? null : file.name, format: raw ? 'raw' : null, variant }) };
}

async function run(one: Sending): Promise<void> {
    const { id, file, stop } = one;
    const onSent = (sent: number) => change(id, { sent: Math.min(sent, file.size), state: sent >= file.size && sent > 0 ? 'checking' : 'sending' });
    try {
        change(id, { state: 'reading' });
        const image = await sendFile<Stored>({ ...callOf(one), file, signal: stop.signal, onSent });
        change(id, { state: 'stored', sent: file.size, image });
    } catch (error) {
        if (stop.signal.aborted)
            return change(id, { state: 'cancelled' });
        change(id, { state: 'failed', problem: error instanceof ApiError ? error.problem : { status: 0, code: 'unknown', detail: String(error) } });
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
        id: ++last, product, file, name: null, raw: false, variant: null, state: 'waiting', sent: 0, problem: null, image: null, stop: new AbortController(),
    }));
    uploads.set([...uploads.value, ...added]);
    void runAll();
}

export function uploadAgain(id: number, fields: { name?: Name; raw?: boolean; variant?: string }): void {
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
