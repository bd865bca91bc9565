// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';

import { problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { useT } from '../../i18n';
import { eachPage } from '../../list';
import { canonical, type Row } from './row';

type Query = Record<string, string | number | null>;
type Format = 'csv' | 'jsonl';

const columns = ['seq', 'at', 'kind', 'product', 'firmware', 'device', 'attempt', 'package', 'detail', 'prev', 'hash'] as const;

// RFC 4180. A text that a spreadsheet could take for a formula gets an apostrophe.
function cell(value: unknown): string {
    const text = value === null ? '' : typeof value === 'object' ? canonical(value) : String(value);
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function lineOf(row: Row, format: Format): string {
    if (format === 'jsonl')
        return `${JSON.stringify(row)}\n`;
    return `${columns.map((name) => cell(name === 'at' ? new Date(row.at).toISOString() : row[name])).join(',')}\r\n`;
}

function save(parts: string[], format: Format): void {
    const url = URL.createObjectURL(new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/jsonl' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `ledger-${new Date().toISOString().slice(0, 10)}.${format}`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// The rows that are searched for, as a file.
export function Export({ query, total }: { query: Query; total: number | null }) {
    const t = useT();
    const [rows, setRows] = useState<number | null>(null);
    const [error, setError] = useState<string | null>(null);
    const stop = useRef<AbortController | null>(null);
    useEffect(() => () => stop.current?.abort(), []);
    const start = async (format: Format) => {
        const parts = format === 'csv' ? [`${columns.join(',')}\r\n`] : [];
        let count = 0;
        stop.current = new AbortController();
        setError(null);
        setRows(0);
        try {
            await eachPage<Row>('/ledger', { ...query, limit: 1000 }, (items) => {
                parts.push(items.map((row) => lineOf(row, format)).join(''));
                count += items.length;
                setRows(count);
            }, stop.current.signal);
            save(parts, format);
        } catch (reason) {
            if (!stop.current.signal.aborted)
                setError(problemOf(reason));
        }
        setRows(null);
    };
    return (
        <div class="export">
            <Button onClick={() => void start('csv')} disabled={rows !== null}>{t('ledger.export-csv')}</Button>
            <Button onClick={() => void start('jsonl')} disabled={rows !== null}>{t('ledger.export-json')}</Button>
            {rows !== null && (
                <>
                    <progress aria-label={t('ledger.export')} value={rows} max={total ?? undefined} />
                    <span>{t('ledger.progress', { rows, total: total ?? '…' })}</span>
                    <Button onClick={() => stop.current?.abort()}>{t('action.stop')}</Button>
                </>
            )}
            {error && <p class="error" role="alert">{error}</p>}
        </div>
    );
}
