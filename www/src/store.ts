// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A value that components follow.

import { useLayoutEffect, useState } from 'preact/hooks';

export class Store<T> {
    #listeners = new Set<() => void>();
    constructor(private current: T) {}

    get value(): T {
        return this.current;
    }

    set(value: T): void {
        if (Object.is(value, this.current))
            return;
        this.current = value;
        for (const listener of [...this.#listeners])
            listener();
    }

    follow(listener: () => void): () => void {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
    }
}

export function useStore<T>(store: Store<T>): T {
    const [, draw] = useState(0);
    // Not useEffect(): a value that is set before the effect runs would not be drawn.
    useLayoutEffect(() => store.follow(() => draw((n) => n + 1)), [store]);
    return store.value;
}

// What the browser keeps. A browser that keeps nothing is no error.
export function recall(name: string): string | null {
    try {
        return localStorage.getItem(`dfota.${name}`);
    } catch {
        return null;
    }
}

export function keep(name: string, value: string | null): void {
    try {
        if (value === null)
            localStorage.removeItem(`dfota.${name}`);
        else
            localStorage.setItem(`dfota.${name}`, value);
    } catch { /* kept for this visit only */ }
}
