// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { path, problemText, send } from '../../api';
import { problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Table } from '../../components/Table';
import { toast } from '../../components/Toast';
import { number, time } from '../../format';
import { useT } from '../../i18n';
import { usePage, withQuery } from '../../list';
import type { Event, Webhook } from './webhook';

const perPage = 20;

function Events({ webhook, state, onChanged }: { webhook: Webhook; state: 'failed' | 'waiting'; onChanged: () => void }) {
    const t = useT();
    const at = path`/webhooks/${webhook.webhook}/events`;
    const [after, setAfter] = useState<string | null>(null);
    const { data: page, error, again } = usePage<Event>(withQuery(at, { state, limit: perPage, after }), ['webhooks']);
    const act = (to: string, method: 'POST' | 'DELETE') => send(to, { method }).then(() => { again(); onChanged(); }, (reason: unknown) => toast(problemOf(reason), 'error'));
    if (!page)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p aria-busy="true" />;
    if (page.items.length === 0)
        return null;
    const next = page.next?.get('after') ?? null;
    return (
        <>
            <Table caption={t(state === 'failed' ? 'webhooks.failed-caption' : 'webhooks.waiting-caption', { count: page.total ?? page.items.length })} rows={page.items} rowKey={({ event }) => event} columns={[
                { title: t('webhooks.event'), cell: ({ kind, facts }) => <>{t(`webhooks.event-${kind}`)}<span class="sub">{String(facts.device ?? facts.name ?? '')}</span></> },
                { title: t('webhooks.since'), cell: ({ since }) => <span class="nowrap">{time(since)}</span> },
                { title: t('webhooks.tries'), cell: ({ tries }) => number(tries), numeric: true },
                { title: t('webhooks.error'), cell: ({ error: why, next_try_at: at_ms }) => <>{why ?? '–'}{at_ms && <span class="sub">{t('webhooks.next-try', { time: time(at_ms) })}</span>}</> },
                { title: t('webhooks.do'), cell: ({ event }) => (
                    <span class="row-actions">
                        {state === 'failed' && <Button needs="admin" onClick={() => void act(`${at}/${event}/resend`, 'POST')}>{t('webhooks.resend')}</Button>}
                        <Button needs="admin" onClick={() => void act(`${at}/${event}`, 'DELETE')}>{t('webhooks.forget')}</Button>
                    </span>
                ) },
            ]} />
            <p class="toolbar">
                {state === 'failed' && <Button needs="admin" onClick={() => void act(`${at}/resend`, 'POST')}>{t('webhooks.resend-all')}</Button>}
                {state === 'failed' && <Button needs="admin" kind="danger" onClick={() => void act(at, 'DELETE')}>{t('webhooks.forget-all')}</Button>}
                {after && <Button onClick={() => setAfter(null)}>{t('pager.first')}</Button>}
                {next && <Button onClick={() => setAfter(next)}>{t('pager.next')}</Button>}
            </p>
        </>
    );
}

// What could not be delivered, and what waits.
export function Undelivered({ webhook, onChanged }: { webhook: Webhook; onChanged: () => void }) {
    const t = useT();
    const [open, setOpen] = useState(webhook.failed > 0);
    return (
        <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary>{t('webhooks.undelivered', { failed: webhook.failed, waiting: webhook.waiting })}</summary>
            {open && (['failed', 'waiting'] as const).map((state) => <Events key={state} webhook={webhook} state={state} onChanged={onChanged} />)}
        </details>
    );
}
