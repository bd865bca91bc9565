// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The columns of the list of devices. The browser keeps the choice.

import type { ComponentChildren } from 'preact';

import { Link } from '../../components/Link';
import { csvTime } from '../../csv';
import { number, time } from '../../format';
import { isKey, t, type Key } from '../../i18n';
import { reasonText } from '../../reason';
import { keep, recall, Store } from '../../store';
import { idOf, type DeviceRow } from './model';

// A word of the API in the language of the reader; else as it came.
export function word(group: string, value: string | null): string {
    const key = `devices.${group}.${value}`;
    return value === null ? '–' : isKey(key) ? t(key) : value;
}

export const when = (ms: number | null) => (ms === null ? '–' : time(ms));

export interface DeviceColumn {
    id: string;
    title: Key;
    cell: (row: DeviceRow, product: string) => ComponentChildren;
    text: (row: DeviceRow) => string | number | boolean | null; // in a CSV file
    numeric?: boolean;
    sort?: string;  // the server sorts by it
    wide?: boolean; // a text that may be long
}

function Tags({ tags }: { tags: string[] }) {
    return <span class="tags">{tags.map((tag) => <span class="tag" key={tag}>{tag}</span>)}</span>;
}

export const columns: DeviceColumn[] = [
    { id: 'device', title: 'devices.column.device', text: idOf, wide: true,
        cell: (row, product) => <Link to="/devices" query={{ product, device: idOf(row) }}>{row.device}</Link> },
    { id: 'firmware', title: 'devices.column.firmware', cell: (row) => row.firmware, text: (row) => row.firmware, wide: true },
    { id: 'version', title: 'devices.column.version', cell: (row) => row.build_name ?? row.confirmed_version ?? '–', text: (row) => row.build_name ?? row.confirmed_version },
    { id: 'grade', title: 'devices.column.grade', cell: (row) => word('grade', row.confirmed_grade), text: (row) => row.confirmed_grade },
    { id: 'confirmed', title: 'devices.column.confirmed', cell: (row) => when(row.confirmed_at), text: (row) => csvTime(row.confirmed_at) },
    { id: 'claim', title: 'devices.column.claim', cell: (row) => row.claim?.version ?? '', text: (row) => row.claim?.version ?? null },
    { id: 'asked', title: 'devices.column.asked', cell: (row) => row.asked_version ?? '–', text: (row) => row.asked_version },
    { id: 'seen', title: 'devices.column.seen', sort: 'last_seen', cell: (row) => when(row.last_seen_at), text: (row) => csvTime(row.last_seen_at) },
    { id: 'first-seen', title: 'devices.column.first-seen', cell: (row) => when(row.first_seen_at), text: (row) => csvTime(row.first_seen_at) },
    { id: 'check-ins', title: 'devices.column.check-ins', cell: (row) => number(row.check_ins), text: (row) => row.check_ins, numeric: true },
    { id: 'code', title: 'devices.column.code', cell: (row) => row.last_answer?.code ?? '–', text: (row) => row.last_answer?.code ?? null, numeric: true },
    { id: 'reason', title: 'devices.column.reason', cell: (row) => reasonText(row.last_answer), text: (row) => row.last_answer?.reason ?? null, wide: true },
    { id: 'tags', title: 'devices.column.tags', cell: (row) => <Tags tags={row.tags} />, text: (row) => row.tags.join(' ') },
    { id: 'note', title: 'devices.column.note', cell: (row) => row.note ?? '', text: (row) => row.note, wide: true },
    { id: 'notice', title: 'devices.column.notice', text: (row) => row.notice, wide: true,
        cell: (row) => [row.held_out && t('devices.held-out'), row.blocked && t('devices.blocked'), row.notice].filter(Boolean).join(' · ') },
    { id: 'held-out', title: 'devices.column.held-out', cell: (row) => when(row.held_out_since), text: (row) => row.held_out },
];

const standard = ['device', 'version', 'grade', 'seen', 'code', 'tags', 'notice'];

function remembered(): string[] {
    const known = (recall('device-columns') ?? '').split(' ').filter((id) => columns.some((column) => column.id === id));
    return known.length ? known : standard;
}

export const shownColumns = new Store<string[]>(remembered());

// The device itself is always shown.
export function toggleColumn(id: string): void {
    const now = shownColumns.value;
    const next = now.includes(id) ? now.filter((other) => other !== id) : [...now, id];
    shownColumns.set(next);
    keep('device-columns', next.join(' '));
}
