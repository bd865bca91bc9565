// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A file to the server, with its progress. The digest lets the server see that the file came whole; browsers compute it only
// over TLS and on the own machine.
//
//   const image = await sendFile<Image>({ method: 'PUT', path, file, onSent: (bytes) => … });

import { ApiError, isOnline, loginRequired, send, type Problem } from './api';

export interface Upload {
    method: 'POST' | 'PUT';
    path: string; // below /api/v1
    file: File;
    signal?: AbortSignal;
    onSent: (bytes: number) => void; // first with 0, when the digest is computed
}

const hashedBytes = 512 * 1024 * 1024; // WebCrypto needs the whole file in memory

async function digestOf(file: File): Promise<string | null> {
    if (!globalThis.crypto?.subtle || file.size > hashedBytes)
        return null;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}

function problemOf(request: XMLHttpRequest): Problem {
    const said = request.response as Partial<Problem> | null;
    return { status: request.status, code: said?.code ?? 'unknown', detail: said?.detail ?? `${request.status} ${request.statusText}` };
}

// fetch() does not tell how far an upload is.
function transmit<T>({ method, path, file, signal, onSent }: Upload, digest: string | null): Promise<T> {
    return new Promise((done, failed) => {
        const request = new XMLHttpRequest();
        request.open(method, `/api/v1${path}`);
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
        signal?.addEventListener('abort', () => request.abort());
        request.send(file);
    });
}

// The server checks names before the first byte, and then closes the connection, which the browser may show as a lost one.
// The same call without bytes has the same answer.
async function whyRefused(method: string, path: string): Promise<Problem | null> {
    try {
        await send(path, { method, body: '', type: 'application/octet-stream' });
    } catch (error) {
        if (error instanceof ApiError && error.problem.code !== 'invalid')
            return error.problem;
    }
    return null;
}

// An ApiError says why the server refused the file; an AbortError, that the signal ended the upload.
export async function sendFile<T>(upload: Upload): Promise<T> {
    const { method, path, file, signal, onSent } = upload;
    const digest = await digestOf(file);
    signal?.throwIfAborted();
    onSent(0);
    try {
        return await transmit<T>(upload, digest);
    } catch (error) {
        const why = error instanceof ApiError && error.problem.code === 'offline' ? await whyRefused(method, path) : null;
        throw why ? new ApiError(why) : error;
    }
}
