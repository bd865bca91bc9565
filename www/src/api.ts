// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Calls to the admin API. An error is an ApiError with what the server said (RFC 9457); 401 shows the login.

import { useEffect, useRef, useState } from 'preact/hooks';

import { isKey, t } from './i18n';
import { Store } from './store';

export interface Problem {
    status: number; // 0: no answer
    code: string;
    detail: string;
}

export class ApiError extends Error {
    constructor(readonly problem: Problem) {
        super(problem.detail);
    }
}

const retryMs = 2000; // while the server does not answer

export const isOnline = new Store(true);
export const loginRequired = new Store(0); // grows with each answer 401

// In the language of the reader where the code is known; else as the server said.
export function problemText(problem: Problem): string {
    const key = `error.${problem.code}`;
    return isKey(key) ? t(key, { detail: problem.detail }) : problem.detail;
}

async function readProblem(response: Response): Promise<Problem> {
    const said = await response.json().catch(() => null) as Partial<Problem> | null;
    return { status: response.status, code: said?.code ?? 'unknown', detail: said?.detail ?? `${response.status} ${response.statusText}` };
}

export interface Call {
    method?: string;
    json?: unknown;
    body?: BodyInit;
    type?: string; // Content-Type of body
    signal?: AbortSignal;
    cache?: RequestCache;
    match?: object | null; // what read() gave: the change is refused (412) when another admin has changed it since
}

const tags = new WeakMap<object, string>();
export const tagOf = (data: object | null) => (data ? tags.get(data) : undefined);

// The JSON of an answer. Its tag is kept for `match`; W/ is the mark of a proxy that compresses.
export async function read<T>(response: Response): Promise<T> {
    const data = await response.json() as T, tag = response.headers.get('ETag');
    if (tag && typeof data === 'object' && data)
        tags.set(data, tag.replace(/^W\//, ''));
    return data;
}

export const isOutdated = (error: unknown) => error instanceof ApiError && error.problem.status === 412;

// `path` is below /api/v1.
export async function send(path: string, { method = 'GET', json, body, type, signal, cache = 'no-store', match = null }: Call = {}): Promise<Response> {
    const headers: Record<string, string> = { 'X-Dfota-Console': '1' };
    if (json !== undefined)
        headers['Content-Type'] = 'application/json';
    else if (type)
        headers['Content-Type'] = type;
    const tag = tagOf(match);
    if (tag)
        headers['If-Match'] = tag;
    let response;
    try {
        response = await fetch(`/api/v1${path}`, {
            method, headers, body: json !== undefined ? JSON.stringify(json) : body ?? null, credentials: 'same-origin', cache, signal: signal ?? null,
        });
    } catch (error) {
        if (!signal?.aborted)
            isOnline.set(false);
        throw signal?.aborted ? error : new ApiError({ status: 0, code: 'offline', detail: String(error) });
    }
    isOnline.set(true);
    if (response.ok)
        return response;
    const problem = await readProblem(response);
    if (problem.status === 401)
        loginRequired.set(loginRequired.value + 1);
    throw new ApiError(problem);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return await read<T>(await send(path, signal ? { signal } : {}));
}

// A path with its parts encoded: path`/products/${key}/firmware`.
export function path(texts: TemplateStringsArray, ...parts: (string | number)[]): string {
    return texts.reduce((all, text, i) => all + encodeURIComponent(String(parts[i - 1])) + text);
}

export interface Fetched<T> {
    data: T | null; // stays while it is fetched again
    error: Problem | null;
    again: () => void;
}

// Fetches now, and then every everyMs while the page is visible. path null: nothing is fetched.
export function useFetch<T>(path: string | null, everyMs = 0, read: (path: string, signal: AbortSignal) => Promise<T> = get): Fetched<T> {
    const [data, setData] = useState<T | null>(null);
    const [error, setError] = useState<Problem | null>(null);
    const run = useRef(() => {});
    useEffect(() => {
        setData(null);
        setError(null);
        if (path === null)
            return;
        const stop = new AbortController();
        let timer: number | undefined, busy = false, wanted = false;
        const plan = () => {
            clearTimeout(timer);
            if (everyMs && !stop.signal.aborted)
                timer = window.setTimeout(() => (document.hidden ? plan() : load()), isOnline.value ? everyMs : Math.min(everyMs, retryMs));
        };
        const load = () => {
            if (busy) {
                wanted = true; // what is on its way may be older than the wish
                return;
            }
            busy = true;
            read(path, stop.signal)
                .then((value) => { setData(value); setError(null); })
                .catch((reason: unknown) => { if (reason instanceof ApiError) setError(reason.problem); })
                .finally(() => {
                    busy = false;
                    if (wanted && !stop.signal.aborted) {
                        wanted = false;
                        load();
                    } else {
                        plan();
                    }
                });
        };
        const onVisible = () => { if (!document.hidden && everyMs) load(); };
        run.current = load;
        load();
        document.addEventListener('visibilitychange', onVisible);
        return () => {
            stop.abort();
            clearTimeout(timer);
            document.removeEventListener('visibilitychange', onVisible);
        };
    }, [path, everyMs]);
    return { data, error, again: () => run.current() };
}
