// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The words for each kind of row of the ledger that is about a device (doc/ledger.md).

import { bytes, number } from '../../format';
import { isKey, t, type Values } from '../../i18n';
import { reasonText } from '../../reason';
import { word } from './columns';

export interface LedgerRow {
    seq: number;
    at: number;
    kind: string;
    attempt: number | null;
    package: string | null;
    detail: Record<string, unknown> | string;
}

export interface Entry {
    key: string;
    at: number;
    kind: string;
    text: string;
    reason: string | null; // why
    by: string | null;     // the admin, or the address of the call
    attempt: number | null;
    tone: 'good' | 'bad' | 'plain';
}

const text = (value: unknown) => (value === undefined || value === null || value === '' ? '–' : typeof value === 'number' ? number(value) : String(value));

function valuesOf(detail: Record<string, unknown>): Values {
    const values: Values = { link: '–', origin: '–', before: '–', from: '–', to: '–', version: '–', meaning: '', tags: '–', note: '–', successor: '–', confirmed: '–', total: 0 };
    for (const [name, value] of Object.entries(detail))
        values[name] = ['bytes_acked', 'size'].includes(name) ? bytes(Number(value)) : text(value);
    values.from = word('source', String(values.from));
    values.grade = word('grade', String(detail.grade ?? ''));
    values.by = word('by', String(detail.evidence ?? ''));
    values.state = word('outcome', String(detail.state ?? ''));
    values.over = word('over', String(detail.over ?? ''));
    values.held = t(detail.held_out ? 'devices.held-out' : 'device.not-held-out');
    return values;
}

function byOf(by: unknown): string | null {
    if (typeof by !== 'object' || by === null)
        return null;
    const { name, peer, token } = by as Record<string, string | undefined>;
    return [name, peer, token && `token ${token}`].filter(Boolean).join(' · ');
}

const good = ['confirmed', 'confirmed_not_by_us'], bad = ['not_applied', 'diverged', 'silent'];

function toneOf({ kind }: LedgerRow, detail: Record<string, unknown>): Entry['tone'] {
    if (kind === 'attempt-ended')
        return good.includes(String(detail.state)) ? 'good' : bad.includes(String(detail.state)) ? 'bad' : 'plain';
    if (kind === 'package-quarantined' || detail.guard)
        return 'bad';
    return kind === 'version-reported' ? 'good' : 'plain';
}

export function entryOf(row: LedgerRow): Entry {
    const detail = typeof row.detail === 'string' ? {} : row.detail;
    const variant = row.kind === 'check-in' && detail.offset !== undefined ? 'check-in-resumed' : row.kind === 'transcript-received' && !detail.counted ? 'transcript-not-counted' : row.kind;
    const key = `device.event.${variant}`;
    const reasons = [reasonText(detail), detail.guard, detail.why].filter((reason) => typeof reason === 'string' && reason !== '');
    return {
        key: String(row.seq), at: row.at, kind: row.kind, text: isKey(key) ? t(key, valuesOf(detail)) : `${row.kind} ${JSON.stringify(row.detail)}`,
        reason: reasons.length ? reasons.join(' · ') : null, by: byOf(detail.by), attempt: row.attempt, tone: toneOf(row, detail),
    };
}

export interface Day { day: number; first_at: number; last_at: number; count: number }

export const entryOfDay = ({ day, first_at: first, last_at: last, count }: Day): Entry => ({
    key: `day-${day}`, at: last, kind: 'check-ins', text: t('device.event.check-ins', { count, from: new Date(first).toLocaleTimeString(document.documentElement.lang), to: new Date(last).toLocaleTimeString(document.documentElement.lang) }),
    reason: null, by: null, attempt: null, tone: 'plain',
});
