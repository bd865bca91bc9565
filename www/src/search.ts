// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What the command palette finds on the server. A new kind of thing is one more source.

import { get, path } from './api';
import { href } from './router';

export interface Hit {
    kind: 'page' | 'action' | 'firmware' | 'device';
    label: string;
    hint?: string;
    href?: string;
    run?: () => void;
}

type Source = (text: string, products: string[], signal: AbortSignal) => Promise<Hit[]>;

interface List<T> { items: T[] }

const firmwares: Source = async (text, products, signal) => {
    const lists = await Promise.all(products.map(async (product) => {
        const { items } = await get<List<{ firmware: string; target: string | null }>>(path`/products/${product}/firmware`, signal);
        return items.filter(({ firmware }) => firmware.toLowerCase().includes(text.toLowerCase()))
            .map(({ firmware, target }): Hit => ({ kind: 'firmware', label: firmware, hint: target ? `${product} → ${target}` : product, href: href('/firmware', { product, firmware }) }));
    }));
    return lists.flat().slice(0, 8);
};

// A whole id, as the API takes it (doc/api.md, Names).
const devices: Source = async (text, products, signal) => {
    if (!/^[\w:.-]{4,80}$/.test(text))
        return [];
    const lists = await Promise.all(products.map(async (product) => {
        const { items } = await get<List<{ device: string; id_kind: string; firmware: string | null }>>(
            `${path`/products/${product}/devices`}?device=${encodeURIComponent(text)}`, signal).catch(() => ({ items: [] }));
        return items.map(({ device, id_kind: kind, firmware }): Hit => ({ kind: 'device', label: device, hint: firmware ?? product, href: href('/devices', { product, device: `${kind}:${device}` }) }));
    }));
    return lists.flat().slice(0, 8);
};

const sources = [firmwares, devices];

export async function search(text: string, signal: AbortSignal): Promise<Hit[]> {
    const { items } = await get<List<{ product_key: string }>>('/products', signal);
    const products = items.map(({ product_key: key }) => key).slice(0, 20);
    const found = await Promise.all(sources.map((source) => source(text, products, signal)));
    return found.flat();
}
