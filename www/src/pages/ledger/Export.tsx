// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';

import { problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { csvLine, csvTime, saveFile, type Cell } from '../../csv';
import { useT } from '../../i18n';
import { eachPage } from '../../list';
import { canonical, type Row } from './row';

type Query = Record<string, string | number | null>;
type Format = 'csv' | 'jsonl';

const columns = ['seq', 'at', 'kind', 'product', 'firmware', 'device', 'attempt', 'package', 'detail', 'prev', 'hash'] as const;

const cell = (value: unknown): Cell => (typeof value === 'object' && value !== null ? canonical(value) : value as Cell);

function lineOf(row: Row, format: Format): string {
    if (format === 'jsonl')
        return `${JSON.stringify(row)}\n`;
    return csvLine(columns.map((name) => (name === 'at' ? csvTime(row.at) : cell(row[name]))));
}

function save(parts: string[], format: Format): void {
    saveFile(`ledger-${new Date().toISOString().slice(0, 10)}.${format}`, parts, format === 'csv' ? 'text/csv' : 'application/jsonl');
}

// The rows that are searched for, as a file.
export function Export({ query, total }: { query: Query; total: number | null }) {
    const t = useT();
    const [rows, setRows] = useState<number | null>(null);
    const [error, setError] = useState<string | null>(null);
    const stop = useRef<AbortController | null>(null);
    useEffect(() => () => stop.current?.abort(), []);
    const start = async (format: Format) => {
        const parts = format === 'csv' ? [csvLine([...columns])] : [];
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
