// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The list of devices. Its state is in the address: filter, state, attention, sort, after (the page), chosen (devices).

import { useEffect, useState } from 'preact/hooks';

import { ApiError, problemText, type Problem } from '../../api';
import { Button } from '../../components/Button';
import { Command, Empty } from '../../components/Empty';
import { Pager } from '../../components/Pager';
import { toast } from '../../components/Toast';
import { csvLine, saveFile } from '../../csv';
import { useT } from '../../i18n';
import { getPage, withQuery, type Page } from '../../list';
import { go, usePlace, useQuery } from '../../router';
import { useStore } from '../../store';
import { Bulk } from './Bulk';
import { columns, shownColumns, toggleColumn } from './columns';
import { DeviceTable } from './DeviceTable';
import { FilterBox } from './FilterBox';
import { devicesPath, listQuery, walk, type DeviceRow, type Selection } from './model';

const pageSize = 100;
const exportMax = 500_000;
const readsMax = 50; // requests for one page: a page of the API may have few devices, or none, and name a next one
const chosenMax = 200;

export interface ListState {
    rows: DeviceRow[];
    next: Page<DeviceRow>['next'];
    busy: boolean;
    problem: Problem | null;
}

const reading: ListState = { rows: [], next: null, busy: true, problem: null };

function useList(selection: Selection, after: string): ListState & { again: () => void } {
    const [state, setState] = useState(reading);
    const [turn, setTurn] = useState(0);
    const pathOf = (limit: number, cursor: string) => withQuery(devicesPath(selection.product), listQuery(selection, limit, cursor));
    const first = pathOf(pageSize, after);
    useEffect(() => {
        const stop = new AbortController();
        const read = async () => {
            const rows: DeviceRow[] = [];
            let cursor: string | null = after;
            for (let i = 0; i < readsMax && cursor !== null && rows.length < pageSize; i++) {
                const page: Page<DeviceRow> = await getPage<DeviceRow>(pathOf(pageSize - rows.length, cursor), stop.signal);
                rows.push(...page.items);
                cursor = page.next?.get('after') ?? null;
                setState({ rows: [...rows], next: page.next, busy: cursor !== null && rows.length < pageSize, problem: null });
            }
            setState((now) => ({ ...now, busy: false }));
        };
        setState((now) => ({ ...now, busy: true, problem: null }));
        read().catch((error: unknown) => { if (error instanceof ApiError) setState({ ...reading, busy: false, problem: error.problem }); });
        return () => stop.abort();
    }, [first, turn]);
    return { ...state, again: () => setTurn((n) => n + 1) };
}

// Counts or exports the whole selection, page by page, until it is stopped.
function useWalk(selection: Selection) {
    const t = useT();
    const [count, setCount] = useState<number | null>(null); // null: nothing runs
    const [stop, setStop] = useState<AbortController | null>(null);
    useEffect(() => () => stop?.abort(), [stop]);
    const run = async (each: (rows: DeviceRow[]) => void, done: (devices: number, all: boolean) => void) => {
        const own = new AbortController();
        let devices = 0;
        setStop(own);
        setCount(0);
        try {
            const all = await walk(selection, exportMax, own.signal, (rows) => { each(rows); devices += rows.length; setCount(devices); });
            done(devices, all);
        } catch (error) {
            if (error instanceof ApiError)
                toast(problemText(error.problem), 'error');
        }
        setCount(null);
    };
    const countAll = () => run(() => {}, (devices, all) => toast(t(all ? 'devices.counted' : 'devices.counted-more', { count: devices })));
    const exportAll = () => {
        const parts = [csvLine(columns.map(({ id }) => id))];
        return run((rows) => { parts.push(rows.map((row) => csvLine(columns.map(({ text }) => text(row)))).join('')); },
            (devices, all) => {
                saveFile(`devices-${selection.product}.csv`, parts, 'text/csv;charset=utf-8');
                toast(t(all ? 'devices.exported' : 'devices.exported-more', { count: devices }));
            });
    };
    return { count, countAll, exportAll, stop: () => stop?.abort() };
}

function ColumnChoice() {
    const t = useT();
    const shown = useStore(shownColumns);
    return (
        <details class="menu" onKeyDown={(event) => {
            if (event.key === 'Escape' && event.currentTarget.open) {
                event.currentTarget.open = false;
                event.currentTarget.querySelector('summary')?.focus();
            }
        }}>
            <summary class="button">{t('devices.columns')}</summary>
            <fieldset class="menu-body">
                <legend>{t('devices.columns')}</legend>
                {columns.map(({ id, title }) => (
                    <label key={id}>
                        <input type="checkbox" checked={shown.includes(id)} disabled={id === 'device'} onChange={() => toggleColumn(id)} />
                        {t(title)}
                    </label>
                ))}
            </fieldset>
        </details>
    );
}

function Choice({ label, value, options, onChange }: { label: string; value: string; options: [string, string][]; onChange: (value: string) => void }) {
    return (
        <label class="inline">
            {label}
            <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
                {options.map(([option, text]) => <option key={option} value={option}>{text}</option>)}
            </select>
        </label>
    );
}

const captionOf = (sort: string) => (sort === 'last_seen' ? 'devices.caption-unseen' : sort === '-last_seen' ? 'devices.caption-seen' : 'devices.caption');

function NoDevices({ selection: { product, filter, attention, state } }: { selection: Selection }) {
    const t = useT();
    if (filter || attention || state)
        return <Empty title={t('devices.nothing')}><p>{t('devices.nothing-text')}</p></Empty>;
    return (
        <Empty title={t('devices.empty')}>
            <p>{t('devices.empty-text', { product })}</p>
            <Command>{`dfotactl device import list.csv -p ${product}`}</Command>
        </Empty>
    );
}

// A new place in the history for each search and each page, so that the browser goes back.
function useSelection(product: string) {
    const { query } = usePlace();
    const selection: Selection = {
        product, filter: query.get('filter') ?? '', state: query.get('state') ?? '', attention: query.get('attention') ?? '',
        sort: query.get('sort') ?? '',
    };
    const change = (changes: Partial<Selection>) => {
        const next = { ...selection, ...changes };
        go('/devices', Object.fromEntries(Object.entries(next).filter(([, value]) => value)));
    };
    return { selection, after: query.get('after') ?? '', change };
}

function Tools({ selection, change }: Pick<ReturnType<typeof useSelection>, 'selection' | 'change'>) {
    const t = useT();
    const work = useWalk(selection);
    return (
        <div class="tool-line">
            <Choice label={t('devices.state')} value={selection.state} onChange={(state) => change({ state })}
                options={[['', t('devices.state.active')], ['held', t('devices.state.held')], ['retired', t('devices.state.retired')]]} />
            <Choice label={t('devices.attention')} value={selection.attention} onChange={(attention) => change({ attention })}
                options={[['', t('devices.attention.all')], ['notice', t('devices.attention.notice')], ['conflict', t('devices.attention.conflict')]]} />
            <ColumnChoice />
            {work.count === null
                ? <>
                    <Button onClick={() => void work.countAll()}>{t('devices.count')}</Button>
                    <Button onClick={() => void work.exportAll()}>{t('devices.export')}</Button>
                </>
                : <>
                    <span role="status">{t('devices.read', { count: work.count })}</span>
                    <Button onClick={work.stop}>{t('devices.stop')}</Button>
                </>}
        </div>
    );
}

export function List({ product }: { product: string }) {
    const t = useT();
    const { selection, after, change } = useSelection(product);
    const list = useList(selection, after);
    const [chosenText, setChosenText] = useQuery('chosen');
    const chosen = chosenText ? chosenText.split(' ') : [];
    const choose = (ids: string[]) => setChosenText(ids.slice(0, chosenMax).join(' '));
    const isFilterWrong = list.problem?.status === 400;
    return (
        <>
            <FilterBox value={selection.filter} error={isFilterWrong ? list.problem!.detail : null} onSearch={(filter) => change({ filter })} />
            <Tools selection={selection} change={change} />
            {list.problem && !isFilterWrong && <p class="error" role="alert">{problemText(list.problem)}</p>}
            {!list.problem && list.rows.length === 0 && !list.busy && list.next === null && !after
                ? <NoDevices selection={selection} />
                : !list.problem && (
                    <>
                        <Bulk selection={selection} chosen={chosen} onDone={() => { choose([]); list.again(); }} />
                        <DeviceTable product={product} rows={list.rows} chosen={chosen} onChoose={choose}
                            sort={selection.sort} onSort={(to) => change({ sort: to })} caption={t(captionOf(selection.sort), { count: list.rows.length })} busy={list.busy} />
                        <div class="tool-line">
                            <span role="status" class="hint">
                                {list.busy ? t('devices.searching') : list.next !== null ? t('devices.more') : t('devices.end', { count: list.rows.length })}
                            </span>
                            {!list.busy && <Pager page={list} cursor="after" />}
                        </div>
                    </>
                )}
        </>
    );
}
