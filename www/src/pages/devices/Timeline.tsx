// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What happened to the device, newest first: the rows of the ledger, and the check-ins that changed nothing, by day.

import { useEffect, useState } from 'preact/hooks';

import { ApiError, get, problemText, type Problem } from '../../api';
import { Button } from '../../components/Button';
import { time } from '../../format';
import { language, useT } from '../../i18n';
import { useReasons } from '../../reason';
import { useStore } from '../../store';
import { getPage, nextPath, withQuery, type Page } from '../../list';
import { devicePath, type Items } from './model';
import { entryOf, entryOfDay, type Day, type Entry, type LedgerRow } from './entries';

const pageSize = 50;

interface State { rows: LedgerRow[]; days: Day[]; next: Page<LedgerRow>['next']; busy: boolean; problem: Problem | null }

const start: State = { rows: [], days: [], next: null, busy: true, problem: null };

// New rows are put before those that are shown; older pages are added on demand.
function useHistory(product: string, id: string, stamp: string) {
    const [state, setState] = useState(start);
    const fail = (error: unknown) => { if (error instanceof ApiError) setState((now) => ({ ...now, busy: false, problem: error.problem })); };
    useEffect(() => {
        const stop = new AbortController();
        const first = withQuery('/ledger', { sort: '-seq', limit: pageSize, product, device: id });
        const read = async () => {
            const [page, days] = await Promise.all([getPage<LedgerRow>(first, stop.signal), get<Items<Day>>(`${devicePath(product, id)}/check-ins`, stop.signal)]);
            setState((now) => {
                const oldest = page.items.at(-1)?.seq ?? 0;
                const joins = now.rows.some(({ seq }) => seq >= oldest);
                const older = joins ? now.rows.filter(({ seq }) => seq < oldest) : [];
                return { rows: [...page.items, ...older], days: days.items, next: older.length ? now.next : page.next, busy: false, problem: null };
            });
        };
        read().catch(fail);
        return () => stop.abort();
    }, [product, id, stamp]);
    const older = () => {
        if (!state.next)
            return;
        setState((now) => ({ ...now, busy: true }));
        getPage<LedgerRow>(nextPath('/ledger', state.next)).then((page) => setState((now) => ({ ...now, rows: [...now.rows, ...page.items], next: page.next, busy: false })), fail);
    };
    return { ...state, older };
}

function entriesOf({ rows, days, next }: State): Entry[] {
    const oldest = next === null ? 0 : rows.at(-1)?.at ?? 0;
    return [...rows.map(entryOf), ...days.filter(({ last_at: last }) => last >= oldest).map(entryOfDay)].sort((a, b) => b.at - a.at || Number(b.key) - Number(a.key));
}

export function Timeline({ product, id, stamp }: { product: string; id: string; stamp: string }) {
    const t = useT();
    useStore(language);
    useReasons(); // the entries show reasons
    const history = useHistory(product, id, stamp);
    const entries = entriesOf(history);
    return (
        <section aria-labelledby="timeline">
            <h2 id="timeline">{t('device.timeline')}</h2>
            {history.problem && <p class="error" role="alert">{problemText(history.problem)}</p>}
            {entries.length === 0 && !history.busy && <p class="hint">{t('device.timeline-empty')}</p>}
            <ol class="timeline">
                {entries.map(({ key, at, kind, text, reason, by, attempt, tone }) => (
                    <li key={key} class={tone} data-kind={kind}>
                        <time dateTime={new Date(at).toISOString()}>{time(at)}</time>
                        <div>
                            <p>{text}{attempt !== null && <span class="hint"> {t('device.attempt-n', { attempt })}</span>}</p>
                            {reason && <p class="reason">{reason}</p>}
                            {by && <p class="hint">{by}</p>}
                        </div>
                    </li>
                ))}
            </ol>
            {history.next !== null && <div><Button busy={history.busy} onClick={history.older}>{t('device.older')}</Button></div>}
        </section>
    );
}
