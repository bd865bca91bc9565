// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The whole chain of hashes, computed again in the browser.

import { eachPage } from '../../list';
import { hashOf, type Head, type Row } from './row';

// Browsers have WebCrypto only on pages that came over HTTPS or from the own machine.
export const canVerify = typeof crypto !== 'undefined' && crypto.subtle !== undefined;

export type Fault =
    | { what: 'changed' | 'order' | 'link' | 'head' | 'beginning' | 'checkpoint'; seq: number }
    | { what: 'end' | 'removed'; seq: number };

export interface Verified { rows: number; first: number; last: number; hash: string; fault: Fault | null; compared: boolean }

const zeros = '0'.repeat(64);
const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

class Chain {
    rows = 0;
    firstRow: Row | null = null;
    last: Row | null = null;
    removed = { seq: 0, hash: zeros }; // the last row that a checkpoint removed
    fault: Fault | null = null;
    compared = false;

    constructor(readonly against: Head | null) {}

    async take(items: Row[]): Promise<void> {
        const hashes = await Promise.all(items.map(hashOf));
        for (const [i, row] of items.entries()) {
            this.fault ??= this.check(row, hashes[i]!);
            if (this.fault)
                return;
            this.firstRow ??= row;
            this.last = row;
            this.rows += 1;
        }
    }

    private check(row: Row, hash: string): Fault | null {
        const { last, against } = this;
        if (last && row.seq !== last.seq + 1)
            return { what: 'order', seq: row.seq };
        if (last && row.prev !== last.hash)
            return { what: 'link', seq: row.seq };
        if (hash !== row.hash)
            return { what: 'changed', seq: row.seq };
        if (against?.seq === row.seq) {
            this.compared = true;
            if (against.hash !== row.hash)
                return { what: 'head', seq: row.seq };
        }
        if (row.kind !== 'ledger-pruned')
            return null;
        const { last: seq, hash: removed } = typeof row.detail === 'object' ? row.detail : {};
        if (typeof seq !== 'number' || !isHash(removed))
            return { what: 'checkpoint', seq: row.seq };
        this.removed = { seq, hash: removed };
        return null;
    }

    end(): Fault | null {
        const { firstRow, against, removed } = this;
        if (this.fault)
            return this.fault;
        if (firstRow && (removed.seq !== firstRow.seq - 1 || removed.hash !== firstRow.prev))
            return { what: 'beginning', seq: firstRow.seq };
        if (!against?.seq || this.compared)
            return null;
        if (against.seq > (this.last?.seq ?? 0))
            return { what: 'end', seq: against.seq };
        if (against.seq !== removed.seq)
            return { what: 'removed', seq: against.seq };
        this.compared = true;
        return against.hash === removed.hash ? null : { what: 'head', seq: against.seq };
    }
}

export async function verify(against: Head | null, onProgress: (rows: number, total: number | null) => void, signal: AbortSignal): Promise<Verified> {
    const chain = new Chain(against);
    const stop = new AbortController();
    signal.addEventListener('abort', () => stop.abort());
    try {
        await eachPage<Row>('/ledger', { limit: 1000 }, async (items, total) => {
            await chain.take(items);
            onProgress(chain.rows, total);
            if (chain.fault)
                stop.abort();
        }, stop.signal);
    } catch (error) {
        if (!chain.fault)
            throw error;
    }
    const fault = chain.end();
    return { rows: chain.rows, first: chain.firstRow?.seq ?? 0, last: chain.last?.seq ?? 0, hash: chain.last?.hash ?? zeros, fault, compared: chain.compared };
}

// A head as 'dfotactl ledger head -o json' and this page give it.
export function readHead(text: string): Head | null {
    try {
        const { seq, hash, at = null } = JSON.parse(text) as Head;
        return Number.isInteger(seq) && isHash(hash) ? { seq, hash, at } : null;
    } catch {
        return null;
    }
}
