// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What changes on the server, as it changes: one stream of events (GET /events) for the whole console. A page asks for its
// data again when an event concerns it. Without a stream (refused, or lost) it asks every slowMs.
//
//   const { data } = useLiveFetch<Status>('/status', ['devices', 'packages']);

import { useEffect, useRef } from 'preact/hooks';

import { isOnline, loginRequired, useFetch, type Fetched } from './api';
import { Store } from './store';

export type What = 'campaigns' | 'devices' | 'images' | 'ledger' | 'packages' | 'products' | 'queue' | 'unknown' | 'webhooks';

const slowMs = 15_000;
const settleMs = 400;     // events that come together are one change
const betweenMs = 2_000;  // a page asks at most this often
const againMs = 1_000;    // after a stream was lost
const refusedMs = 30_000; // after the server had no place for another stream
const silentMs = 60_000;  // the server sends something every 25 s: a stream without it is lost
const hiddenMs = 10_000;  // a hidden page gives its place away

// Which pages a kind of ledger row concerns, besides the ledger.
const kinds: [RegExp, What[]][] = [
    [/^product-/, ['products']],
    [/^(image|firmware)-/, ['images', 'packages']],
    [/^target-/, ['images', 'campaigns', 'devices']],
    [/^campaign-/, ['campaigns', 'devices']],
    [/^(package-|release-|quarantine-)/, ['packages']],
    [/^webhook-/, ['webhooks']],
    [/^(attempt-ended|version-reported|claim-|device|transcript-|reports-)/, ['devices', 'campaigns']],
    [/^(check-in|version-claimed|bytes-|asked-|result-|event-unfit|facts-|link|admission-)/, ['devices']],
];

export const isStreaming = new Store(false);
const followers = new Set<(what: Set<What> | null) => void>();

function tell(what: Set<What> | null): void { // null: anything may have changed
    for (const follower of [...followers])
        follower(what);
}

function concerns(event: string, data: string): Set<What> {
    if (event === 'changed')
        return new Set((JSON.parse(data) as { what: What[] }).what);
    return new Set<What>(['ledger', ...kinds.filter(([pattern]) => pattern.test(event)).flatMap(([, what]) => what)]);
}

let lastId = '';

// One block of lines, up to a blank line.
function takeBlock(block: string): void {
    let event = '', data = '';
    for (const line of block.split('\n')) {
        if (line.startsWith('id: '))
            lastId = line.slice(4);
        else if (line.startsWith('event: '))
            event = line.slice(7);
        else if (line.startsWith('data: '))
            data = line.slice(6);
    }
    if (event)
        tell(concerns(event, data));
}

async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader(), decoder = new TextDecoder();
    let rest = '', timer: number | undefined;
    const next = () => {
        clearTimeout(timer);
        timer = window.setTimeout(() => void reader.cancel(), silentMs);
        return reader.read();
    };
    try {
        for (let part = await next(); !part.done; part = await next()) {
            const blocks = (rest + decoder.decode(part.value, { stream: true })).split('\n\n');
            rest = blocks.pop() ?? '';
            blocks.forEach(takeBlock);
        }
    } finally {
        clearTimeout(timer);
    }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
        const timer = window.setTimeout(done, ms);
        signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
    });
}

// Answers how long to wait before the next try; null: no further one.
async function stream(signal: AbortSignal): Promise<number | null> {
    const response = await fetch('/api/v1/events', {
        headers: lastId ? { 'Last-Event-ID': lastId } : {}, credentials: 'same-origin', cache: 'no-store', signal,
    });
    isOnline.set(true);
    if (response.status === 401) {
        loginRequired.set(loginRequired.value + 1);
        return null;
    }
    if (!response.ok || !response.body)
        return refusedMs;
    isStreaming.set(true);
    tell(null); // what has happened before
    await read(response.body);
    return againMs;
}

async function follow(signal: AbortSignal): Promise<void> {
    lastId = '';
    while (!signal.aborted) {
        let waitMs: number | null = againMs;
        try {
            waitMs = await stream(signal);
        } catch {
            if (!signal.aborted && !isStreaming.value)
                isOnline.set(false);
        }
        isStreaming.set(false);
        if (waitMs === null)
            return;
        await pause(waitMs, signal);
    }
}

// Follows the server while somebody is logged in. Returns what ends it.
export function startLive(): () => void {
    let stop = new AbortController(), timer: number | undefined;
    const begin = () => {
        stop = new AbortController();
        void follow(stop.signal);
    };
    const onVisibility = () => {
        clearTimeout(timer);
        if (document.hidden)
            timer = window.setTimeout(() => stop.abort(), hiddenMs);
        else if (stop.signal.aborted)
            begin();
    };
    begin();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
        document.removeEventListener('visibilitychange', onVisibility);
        clearTimeout(timer);
        stop.abort();
    };
}

// Runs `run` when something of `what` has changed, and every slowMs while there is no stream.
export function useLive(what: readonly What[], run: () => void): void {
    const latest = useRef(run);
    latest.current = run;
    const wanted = what.join();
    useEffect(() => {
        let timer: number | undefined, ran = 0;
        const plan = (ms: number) => { timer ??= window.setTimeout(now, ms); };
        const now = () => {
            timer = undefined;
            if (document.hidden) {
                document.addEventListener('visibilitychange', now, { once: true });
                return;
            }
            ran = Date.now();
            latest.current();
        };
        const follower = (changed: Set<What> | null) => {
            if (!changed || wanted.split(',').some((one) => changed.has(one as What)))
                plan(Math.max(settleMs, ran + betweenMs - Date.now()));
        };
        const slow = window.setInterval(() => { if (!isStreaming.value && !document.hidden) plan(0); }, slowMs);
        followers.add(follower);
        return () => {
            followers.delete(follower);
            document.removeEventListener('visibilitychange', now);
            clearTimeout(timer);
            clearInterval(slow);
        };
    }, [wanted]);
}

export function useLiveFetch<T>(path: string | null, what: readonly What[]): Fetched<T> {
    const fetched = useFetch<T>(path);
    useLive(what, fetched.again);
    return fetched;
}
