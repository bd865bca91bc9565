// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Devices as the API has them, and lists of them in pages (doc/api.md, Devices).

import { path } from '../../api';
import { eachPage } from '../../list';
import type { Reason } from '../../reason';

export interface Product { product_key: string; name: string }
export interface Items<T> { items: T[] }

export interface Answer extends Reason<'reason'> { code: number; at: number }

export interface Claim { version: string; at: number; by: string; grade: string; origin: string | null }

export interface DeviceRow {
    device: string;
    id_kind: string;
    firmware: string;
    confirmed_version: string | null;
    build_name: string | null;
    confirmed_at: number | null;
    confirmed_by: string | null;
    confirmed_grade: string | null;
    claim: Claim | null;
    asked_version: string | null;
    first_seen_at: number | null;
    last_seen_at: number | null;
    check_ins: number;
    last_answer: Answer | null;
    blocked: boolean;
    notice: string | null;
    warnings: string[];
    state: 'active' | 'held' | 'retired';
    state_since: number | null;
    held_out: boolean;
    held_out_since: number | null;
    tags: string[];
    note: string | null;
}

export interface LinkRow {
    link: number;
    firmware: string;
    version: string | null;
    url: string | null;
    at_commands: string[];
    created_at: number;
    revoked_at: number | null;
}

export interface Attempt extends Reason<'reason'> {
    attempt: number;
    from: string;
    to: string;
    state: string;
    bytes_acked: number;
    size: number | null;
    proven: boolean | null;
    origin: string | null;
    elsewhere: string | null;
    beside: boolean;
    created_at: number;
    sent_at: number | null;
    delivered_at: number | null;
    handed_over_at: number | null;
    ended_at: number | null;
    evidence: { transcript: number; outcome: string; cause: string; words: string }[];
}

export interface Device extends DeviceRow {
    blocked_for: string[];
    shared: { versions: string[]; since: number } | null;
    replaced_by: string | null;
    traffic: { month: string; bytes: number };
    campaign: { campaign: number; name: string; plain: boolean; target: string; state: string; stage: number | null; outcome: string } | null;
    links: LinkRow[];
    attempts: Attempt[];
}

// "imei:866597071234567", as paths and the ledger name it.
export const idOf = ({ id_kind: kind, device }: Pick<DeviceRow, 'id_kind' | 'device'>) => `${kind}:${device}`;

export const devicePath = (product: string, id: string) => path`/products/${product}/devices/${id}`;

export interface Selection {
    product: string;
    filter: string;
    state: string;     // active, held or retired
    attention: string; // notice, conflict or ""
    sort: string;      // last_seen, -last_seen or ""
}

export const devicesPath = (product: string) => path`/products/${product}/devices`;

// Those that were not seen for the longest time first, or the other way round.
export const sorts = ['last_seen', '-last_seen'];

// What the filter selects, and has a claim.
const withClaim = (filter: string) => (filter ? `(${filter}) and claim=yes` : 'claim=yes');

export const listQuery = ({ filter, state, attention, sort }: Selection, limit: number, after = '') => ({
    limit, after, q: attention === 'conflict' ? withClaim(filter) : filter, sort: sorts.includes(sort) ? sort : '',
    ...((state === 'held' || state === 'retired') && { [state]: 'yes' }),
    ...(attention === 'notice' && { notice: '1' }),
});

const walkPage = 1000;

// Reads the pages of a selection up to `most` devices. `each` gets one page after the other. False: there are more.
export async function walk(selection: Selection, most: number, signal: AbortSignal, each: (rows: DeviceRow[]) => void): Promise<boolean> {
    let count = 0, isAll = true;
    await eachPage<DeviceRow>(devicesPath(selection.product), listQuery(selection, walkPage), (rows, _, isLast) => {
        each(rows.slice(0, most - count));
        count += rows.length;
        isAll = count < most || (count === most && isLast);
        return isAll;
    }, signal);
    return isAll;
}
