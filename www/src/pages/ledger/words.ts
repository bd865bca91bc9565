// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A row of the ledger as a sentence.

import { bytes, number } from '../../format';
import { isKey, t, type Values } from '../../i18n';
import type { useReasons } from '../../reason';
import type { Row } from './row';

type ReasonText = ReturnType<typeof useReasons>;

interface By { name?: string; peer?: string; token?: string; token_name?: string; config?: string }

// The caller; null: no person, or none that is known.
export function who({ detail }: Row): string | null {
    const by = typeof detail === 'object' ? detail.by as By | undefined : undefined;
    if (!by)
        return null;
    return by.name ?? by.config ?? t('ledger.someone', { token: by.token_name ?? by.token ?? '?' });
}

function text(value: unknown): string | number {
    if (typeof value === 'number')
        return value;
    if (Array.isArray(value))
        return value.join(', ');
    return value === null || value === undefined || value === '' ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const wordGroups = { evidence: 'by', grade: 'grade', state: 'outcome' }; // facts whose values have words: messages devices.GROUP.VALUE

// Every fact of the row has a value: one that is missing is a dash.
function valuesOf(row: Row, reasonText: ReasonText): Values {
    const detail = typeof row.detail === 'object' ? row.detail : {};
    const { size, ...facts } = { ...detail, product: row.product, firmware: row.firmware, device: row.device, attempt: row.attempt, package: row.package?.slice(0, 12) } as Record<string, unknown>;
    const values: Values = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, text(value)]));
    for (const name of ['stage', 'devices', 'count', 'reports', 'attempt'])
        if (typeof facts[name] === 'number')
            values[name] = facts[name] as number;
    for (const name of ['reason', 'admits'])
        if (facts[name])
            values[name] = reasonText(detail, name);
    for (const [name, group] of Object.entries(wordGroups)) {
        const key = `devices.${group}.${String(facts[name])}`;
        if (isKey(key))
            values[name] = t(key);
    }
    if (typeof size === 'number')
        values.size = bytes(size);
    for (const name of ['bytes_acked', 'limit'])
        if (typeof facts[name] === 'number')
            values[name] = row.kind === 'admission-full' ? number(facts[name] as number) : bytes(facts[name] as number);
    return new Proxy(values, { get: (all, name: string) => all[name] ?? '–' });
}

export function sentence(row: Row, reasonText: ReasonText): string {
    const key = `ledger.row.${row.kind}`;
    const values = valuesOf(row, reasonText);
    const gate = row.kind === 'campaign-paused' && typeof row.detail === 'object' && row.detail.gate;
    if (gate)
        return t(gate === 'max_silent' ? 'ledger.row.campaign-paused-silent' : 'ledger.row.campaign-paused-failed', values);
    return isKey(key) ? t(key, values) : row.kind;
}
