// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { problemText, useFetch } from '../api';
import { Button } from '../components/Button';
import { Select } from '../components/Choice';
import { copyText } from '../components/Copy';
import { Empty } from '../components/Empty';
import { Field } from '../components/Field';
import { Link } from '../components/Link';
import { Pager } from '../components/Pager';
import { toast } from '../components/Toast';
import { number, time } from '../format';
import { useT } from '../i18n';
import { Export } from './ledger/Export';
import { kinds } from './ledger/kinds';
import type { Head, Row } from './ledger/row';
import { Verify } from './ledger/Verify';
import { sentence, who } from './ledger/words';
import { usePage, withQuery } from '../list';
import { useLiveFetch } from '../live';
import { useReasons } from '../reason';
import { go, usePlace } from '../router';
import { useScope } from '../session';
import '../styles/work.css';

const perPage = 50;
const names = ['kind', 'product', 'device', 'since', 'until'] as const;

// A day of the reader, as the server wants it.
function midnight(day: string, plus = 0): number | null {
    const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
    return /^\d{4}-\d\d-\d\d$/.test(day) ? new Date(year, month - 1, date + plus).getTime() : null;
}

function HeadOf({ head }: { head: Head | null }) {
    const t = useT();
    if (!head)
        return null;
    const copy = async () => {
        const done = await copyText(JSON.stringify(head));
        toast(t(done ? 'ledger.copied' : 'copy.denied'), done ? 'info' : 'error');
    };
    return (
        <div class="ledger-head">
            <p>{t('ledger.head', { seq: head.seq })} <code class="hash-text">{head.hash}</code></p>
            <div><Button onClick={() => void copy()}>{t('ledger.copy-head')}</Button></div>
            <p class="hint">{t('ledger.head-hint')}</p>
        </div>
    );
}

function Search() {
    const t = useT();
    const { query } = usePlace();
    const { data: products } = useFetch<{ items: { product_key: string; name: string }[] }>('/products');
    const submit = (event: SubmitEvent) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget as HTMLFormElement);
        go('/ledger', Object.fromEntries(names.map((name) => [name, String(form.get(name) ?? '').trim()]).filter(([, value]) => value)));
    };
    const value = (name: string) => query.get(name) ?? '';
    return (
        <form class="filters" role="search" key={names.map(value).join()} onSubmit={submit}>
            <Select label={t('ledger.kind')} name="kind">
                <option value="">{t('ledger.any')}</option>
                {kinds.map((kind) => <option key={kind} value={kind} selected={kind === value('kind')}>{kind}</option>)}
            </Select>
            <Select label={t('column.product')} name="product">
                <option value="">{t('ledger.any')}</option>
                {products?.items.map(({ product_key: key }) => <option key={key} value={key} selected={key === value('product')}>{key}</option>)}
            </Select>
            <Field label={t('ledger.device')} name="device" defaultValue={value('device')} spellcheck={false} placeholder="866597071234567" />
            <Field label={t('ledger.since')} name="since" type="date" defaultValue={value('since')} />
            <Field label={t('ledger.until')} name="until" type="date" defaultValue={value('until')} />
            <div class="field submit"><Button kind="primary" type="submit">{t('ledger.search')}</Button></div>
        </form>
    );
}

function Item({ row }: { row: Row }) {
    const t = useT();
    const reasonText = useReasons();
    const [open, setOpen] = useState(false);
    return (
        <li class="ledger-row">
            <p class="meta"><span class="seq">{number(row.seq)}</span> <time dateTime={new Date(row.at).toISOString()}>{time(row.at)}</time> <code>{row.kind}</code></p>
            <p>{sentence(row, reasonText)}</p>
            <p class="sub">
                {[who(row) && t('ledger.by-whom', { by: who(row)! }), row.product, row.firmware].filter(Boolean).join(' · ')}
                {row.device && row.product && <> <Link to="/devices" query={{ product: row.product, device: row.device }}>{row.device}</Link></>}
            </p>
            <details onToggle={(event) => setOpen(event.currentTarget.open)}>
                <summary>{t('ledger.json')}</summary>
                {open && <pre tabIndex={0} aria-label={t('ledger.json')}>{JSON.stringify(row, null, 2)}</pre>}
            </details>
        </li>
    );
}

export function Ledger() {
    const t = useT();
    const { query } = usePlace();
    const [kind, product, device, since, until] = names.map((name) => query.get(name) ?? '') as [string, string, string, string, string];
    const selected = { kind, product, device, since: midnight(since), until: midnight(until, 1) };
    const { data: page, error } = usePage<Row>(withQuery('/ledger', { ...selected, limit: perPage, after: query.get('after') }), ['ledger']);
    const isWhole = useScope().product === null; // the chain of a part cannot be verified
    const { data: head } = useLiveFetch<Head>(isWhole ? '/ledger/head' : null, ['ledger']);
    const isFiltered = Object.values(selected).some(Boolean);
    return (
        <>
            {isWhole && <details class="card tools-box"><summary>{t('ledger.verify-title')}</summary><HeadOf head={head} /><Verify /></details>}
            <Search />
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {!page && !error && <p class="loading" aria-busy="true" />}
            {page && page.items.length === 0 && !page.next && (
                <Empty title={t('ledger.none')}><p>{t(isFiltered ? 'ledger.none-found' : 'ledger.none-yet')}</p>{isFiltered && <Link to="/ledger">{t('ledger.show-all')}</Link>}</Empty>
            )}
            {page && (page.items.length > 0 || page.next) && (
                <>
                    <div class="toolbar">
                        <p role="status">{t('ledger.count', { count: page.total ?? 0 })}</p>
                        {!isFiltered && head && head.seq > perPage && <Link to="/ledger" query={{ after: String(head.seq - perPage) }} class="button plain">{t('ledger.newest')}</Link>}
                        <Export query={selected} total={page.total} />
                    </div>
                    <ol class="ledger-list" aria-label={t('page.ledger')}>{page.items.map((row) => <Item key={row.seq} row={row} />)}</ol>
                    <Pager page={page} cursor="after" />
                </>
            )}
        </>
    );
}
