// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Pages under /console/ with the History API. The state of a page (filters, a chosen row) is in the query of its address, so
// that the address can be sent to a colleague. A path has no dot: the server takes a dot for a file.

import { Store, useStore } from './store';

export const base = '/console';

export interface Place {
    path: string; // below the base: "/devices"
    query: URLSearchParams;
}

function read(): Place {
    const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
    return { path: path.replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search) };
}

export const place = new Store<Place>(read());
addEventListener('popstate', () => place.set(read()));

export function href(path: string, query?: Record<string, string>): string {
    const search = new URLSearchParams(query).toString();
    return base + path + (search ? `?${search}` : '');
}

export function go(path: string, query?: Record<string, string>): void {
    history.pushState(null, '', href(path, query));
    place.set(read());
}

export const usePlace = () => useStore(place);

// One value in the query of the page: as useState(), but in the address. An empty value is left out.
export function useQuery(name: string): [string, (value: string) => void] {
    const { query } = usePlace();
    const set = (value: string) => {
        const next = new URLSearchParams(location.search);
        if (value)
            next.set(name, value);
        else
            next.delete(name);
        const search = next.toString();
        history.replaceState(null, '', location.pathname + (search ? `?${search}` : ''));
        place.set(read());
    };
    return [query.get(name) ?? '', set];
}
