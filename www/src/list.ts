// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Lists that the server gives in pages. The header Link names the next one.

import { send, useFetch, type Fetched } from './api';
import { useLive, type What } from './live';

export interface Page<T> {
    items: T[];
    next: URLSearchParams | null; // the query of the next page
    total: number | null;
}

// More: what the answer has besides the items.
export async function getPage<T, More = unknown>(path: string, signal?: AbortSignal): Promise<Page<T> & More> {
    const response = await send(path, signal ? { signal } : {});
    const answer = await response.json() as { items: T[] } & More;
    const next = /<[^>?]*\?([^>]*)>; rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
    const total = response.headers.get('X-Total-Count');
    return { ...answer, next: next === undefined ? null : new URLSearchParams(next), total: total === null ? null : Number(total) };
}

// Follows the server: the page is fetched again when something of `what` has changed.
export function usePage<T>(path: string | null, what: readonly What[]): Fetched<Page<T>> {
    const fetched = useFetch<Page<T>>(path, 0, getPage);
    useLive(what, fetched.again);
    return fetched;
}

// The server takes %20 for a blank, and not +.
const encode = (query: URLSearchParams) => query.toString().replaceAll('+', '%20');

export const nextPath = (path: string, next: URLSearchParams) => `${path}?${encode(next)}`;

// A path with the parameters that are not empty.
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
    const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
    return given.length ? `${path}?${encode(new URLSearchParams(given.map(([name, value]) => [name, String(value)])))}` : path;
}

// All pages, one after the other. `take` gets each of them; false: no further one.
export async function eachPage<T>(path: string, query: Record<string, string | number | null | undefined>, take: (items: T[], total: number | null, isLast: boolean) => unknown,
    signal: AbortSignal): Promise<void> {
    let next: string | null = withQuery(path, query);
    while (next !== null) {
        const page: Page<T> = await getPage<T>(next, signal);
        if (await take(page.items, page.total, page.next === null) === false)
            return;
        next = page.next && nextPath(path, page.next);
    }
}
