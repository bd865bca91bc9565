// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How far the devices of a firmware are on the way to its target: counts, and the devices of one outcome.

import { useEffect, useState } from 'preact/hooks';

import { ApiError, path, problemText, useFetch, type Problem } from '../../api';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { Table } from '../../components/Table';
import { bytes, number } from '../../format';
import { useT } from '../../i18n';
import { getPage, nextPath, withQuery, type Page } from '../../list';
import { useReasons, type Reason } from '../../reason';
import { usePlace, useQuery } from '../../router';
import { when, word } from './columns';
import { idOf, type Items } from './model';

interface Outcome extends Reason<'reason'> {
    device: string;
    id_kind: string;
    outcome: string;
    since: number | null;
    confirmed_version: string | null;
    from: string | null;
    to: string | null;
    bytes_acked: number;
}

interface Answer {
    target: string;
    counts: Record<string, number>;
    bytes_acked: number;
    bytes_in_vain: number;
}

const troubled = ['blocked', 'diverged', 'not_applied', 'silent', 'unreachable'];

interface State { answer: Answer | null; rows: Outcome[]; next: Page<Outcome>['next']; busy: boolean; problem: Problem | null }

const start: State = { answer: null, rows: [], next: null, busy: true, problem: null };

function useOutcomes(at: string | null, state: string) {
    const [list, setList] = useState(start);
    const read = async (from: string, before: Outcome[], signal?: AbortSignal) => {
        setList((now) => ({ ...now, busy: true }));
        try {
            const page = await getPage<Outcome, Answer>(from, signal);
            setList({ answer: page, rows: [...before, ...page.items], next: page.next, busy: false, problem: null });
        } catch (error) {
            if (error instanceof ApiError)
                setList({ ...start, busy: false, problem: error.problem });
        }
    };
    useEffect(() => {
        const stop = new AbortController();
        if (at !== null)
            void read(withQuery(at, { limit: 100, state }), [], stop.signal);
        return () => stop.abort();
    }, [at, state]);
    return { ...list, more: () => { if (at !== null && list.next) void read(nextPath(at, list.next), list.rows); } };
}

function Counts({ answer, query, chosen }: { answer: Answer; query: Record<string, string>; chosen: string }) {
    const all = Object.entries(answer.counts).filter(([, count]) => count > 0);
    return (
        <ul class="outcomes">
            {all.map(([outcome, count]) => (
                <li key={outcome} class={troubled.includes(outcome) ? 'warn' : undefined}>
                    <Link to="/devices" query={outcome === chosen ? query : { ...query, outcome }} aria-current={outcome === chosen ? 'true' : undefined}>
                        <span class="value">{number(count)}</span> {word('outcome', outcome)}
                    </Link>
                </li>
            ))}
        </ul>
    );
}

export function Outcomes({ product }: { product: string }) {
    const t = useT();
    const reasonText = useReasons();
    const { query } = usePlace();
    const [, setFirmware] = useQuery('firmware');
    const outcome = query.get('outcome') ?? '';
    const firmwares = useFetch<Items<{ firmware: string; target: string | null }>>(path`/products/${product}/firmware`);
    const list = firmwares.data?.items ?? [];
    const firmware = query.get('firmware') || (list.find(({ target }) => target) ?? list[0])?.firmware;
    const { answer, rows, next, busy, problem, more } = useOutcomes(firmware === undefined ? null : path`/products/${product}/firmware/${firmware}/outcomes`, outcome);
    if (firmwares.data && firmware === undefined)
        return <Empty title={t('devices.outcomes-none')}><p>{t('first.images')}</p></Empty>;
    const base = { product, view: 'outcomes', ...(firmware !== undefined && { firmware }) };
    return (
        <>
            <div class="tool-line">
                <label class="inline">
                    {t('devices.column.firmware')}
                    <select value={firmware} onChange={(event) => setFirmware(event.currentTarget.value)}>
                        {list.map(({ firmware: name }) => <option key={name}>{name}</option>)}
                    </select>
                </label>
                {answer && <span>{t('devices.outcomes-target', { target: answer.target, sent: bytes(answer.bytes_acked), vain: bytes(answer.bytes_in_vain) })}</span>}
            </div>
            {problem && (problem.status === 422
                ? <Empty title={t('devices.outcomes-none')}><p>{problem.detail}</p></Empty>
                : <p class="error" role="alert">{problemText(problem)}</p>)}
            {answer && <Counts answer={answer} query={base} chosen={outcome} />}
            {answer && (
                <Table caption={outcome ? word('outcome', outcome) : t('devices.outcomes-all')} rows={rows} rowKey={idOf} columns={[
                    { title: t('devices.column.device'), cell: (row) => <Link to="/devices" query={{ product, device: idOf(row) }}>{row.device}</Link> },
                    { title: t('devices.outcome'), cell: (row) => word('outcome', row.outcome) },
                    { title: t('devices.since'), cell: (row) => when(row.since) },
                    { title: t('devices.column.version'), cell: (row) => row.confirmed_version ?? '–' },
                    { title: t('devices.hop'), cell: (row) => (row.from ? `${row.from} → ${row.to}` : '') },
                    { title: t('devices.reason'), cell: (row) => reasonText(row) },
                ]} />
            )}
            {busy ? <p class="hint" role="status">{t('devices.searching')}</p> : next !== null && <div><Button onClick={more}>{t('devices.next-page')}</Button></div>}
        </>
    );
}
