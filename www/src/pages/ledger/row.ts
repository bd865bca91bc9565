// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Rows of the ledger (doc/ledger.md), and the hash of a row.

export interface Row {
    seq: number;
    at: number;
    kind: string;
    product: string | null;
    firmware: string | null;
    device: string | null;
    attempt: number | null;
    package: string | null;
    detail: Record<string, unknown> | string; // a text when the stored text is not canonical
    prev: string;
    hash: string;
}

export interface Head { seq: number; hash: string; at: number | null }

// Names sorted by their bytes, no blanks.
export function canonical(value: unknown): string {
    if (Array.isArray(value))
        return `[${value.map(canonical).join(',')}]`;
    if (value === null || typeof value !== 'object')
        return JSON.stringify(value);
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
}

const encoder = new TextEncoder();
const netstring = (text: string) => `${encoder.encode(text).length}:${text},`;

export async function hashOf(row: Row): Promise<string> {
    const detail = typeof row.detail === 'string' ? row.detail : canonical(row.detail);
    const fields = ['dfota ledger 1', row.seq, row.at, row.kind, row.product ?? '', row.firmware ?? '', row.device ?? '', row.attempt ?? 0, row.package ?? '', detail, row.prev];
    const digest = await crypto.subtle.digest('SHA-256', encoder.encode(fields.map((field) => netstring(String(field))).join('')));
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
