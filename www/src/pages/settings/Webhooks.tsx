// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';

import { path, problemText, send } from '../../api';
import { ActionDialog, problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Empty';
import { toast } from '../../components/Toast';
import { number } from '../../format';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { useLiveFetch } from '../../live';
import { useQuery } from '../../router';
import { Undelivered } from './Undelivered';
import { WebhookDialog } from './WebhookDialog';
import type { Webhook } from './webhook';

interface Tested { delivered: boolean; status: number | null; error: string | null; took_ms: number }

function TestButton({ webhook }: { webhook: Webhook }) {
    const t = useT();
    const [busy, setBusy] = useState(false);
    const [said, setSaid] = useState<{ good: boolean; text: string } | null>(null);
    const test = async () => {
        setBusy(true);
        setSaid(null);
        try {
            const result = await (await send(path`/webhooks/${webhook.webhook}/test`, { method: 'POST' })).json() as Tested;
            setSaid({ good: result.delivered, text: result.delivered ? t('webhooks.test-good', { took: result.took_ms }) : t('webhooks.test-bad', { error: result.error ?? String(result.status) }) });
        } catch (error) {
            setSaid({ good: false, text: problemOf(error) });
        }
        setBusy(false);
    };
    return (
        <>
            <Button needs="admin" busy={busy} onClick={() => void test()}>{t('webhooks.test')}</Button>
            <span role="status" class={`test-result ${said?.good ? 'good' : 'bad'}`}>{said?.text}</span>
        </>
    );
}

function Item({ webhook, onChanged }: { webhook: Webhook; onChanged: () => void }) {
    const t = useT();
    const [open, setOpen] = useState<'change' | 'delete' | null>(null);
    const heading = useRef<HTMLHeadingElement>(null);
    const [chosen] = useQuery('webhook'); // a link to this one
    const isChosen = chosen === String(webhook.webhook);
    useEffect(() => { if (isChosen) heading.current?.focus(); }, [isChosen]);
    const at = path`/webhooks/${webhook.webhook}`;
    const toggle = () => send(at, { method: 'PATCH', json: { enabled: !webhook.enabled } }).then(onChanged, (error: unknown) => toast(problemOf(error), 'error'));
    return (
        <li class="card webhook">
            <h2 ref={heading} tabIndex={-1}>{webhook.name} <span class={`badge ${webhook.enabled ? 'good' : 'quiet'}`}>{t(webhook.enabled ? 'webhooks.enabled' : 'webhooks.disabled')}</span></h2>
            <p class="long"><code>{webhook.url}</code></p>
            <dl class="fact-list">
                <div><dt>{t('webhooks.kinds')}</dt><dd>{webhook.kinds.length ? webhook.kinds.map((kind) => t(`webhooks.event-${kind}`)).join(', ') : t('webhooks.all-kinds')}</dd></div>
                <div><dt>{t('column.product')}</dt><dd>{webhook.product ?? t('webhooks.all-products')}</dd></div>
                <div><dt>{t('webhooks.signed')}</dt><dd>{t(webhook.signed ? 'action.yes' : 'action.no')}</dd></div>
                <div><dt>{t('webhooks.waiting')}</dt><dd>{number(webhook.waiting)}</dd></div>
                <div><dt>{t('webhooks.failed')}</dt><dd>{number(webhook.failed)}</dd></div>
                {webhook.lost > 0 && <div><dt>{t('webhooks.lost')}</dt><dd>{number(webhook.lost)}</dd></div>}
            </dl>
            <p class="toolbar">
                <TestButton webhook={webhook} />
                <Button needs="admin" onClick={() => setOpen('change')}>{t('action.change')}</Button>
                <Button needs="admin" onClick={() => void toggle()}>{t(webhook.enabled ? 'webhooks.disable' : 'webhooks.enable')}</Button>
                <Button needs="admin" kind="danger" onClick={() => setOpen('delete')}>{t('action.delete')}</Button>
            </p>
            {(webhook.failed > 0 || webhook.waiting > 0) && <Undelivered webhook={webhook} onChanged={onChanged} />}
            <WebhookDialog webhook={webhook} open={open === 'change'} onClose={() => setOpen(null)} onSaved={onChanged} />
            <ActionDialog title={t('webhooks.delete-title', { name: webhook.name })} open={open === 'delete'} onClose={() => setOpen(null)} submit={t('action.delete')} kind="danger" named
                run={async (_, by) => { await send(withQuery(at, { by }), { method: 'DELETE' }); onChanged(); }}>
                <p>{t('webhooks.delete-text', { count: webhook.waiting + webhook.failed })}</p>
            </ActionDialog>
        </li>
    );
}

export function Webhooks() {
    const t = useT();
    const [adding, setAdding] = useState(false);
    const { data, error, again } = useLiveFetch<{ items: Webhook[] }>('/webhooks', ['webhooks']);
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const add = <Button needs="admin" kind="primary" onClick={() => setAdding(true)}>{t('webhooks.add')}</Button>;
    return (
        <section aria-label={t('settings.webhooks')}>
            {data.items.length === 0 ? <Empty title={t('webhooks.none')}><p>{t('webhooks.none-text')}</p>{add}</Empty>
                : <><p class="toolbar">{add}</p><ul class="webhooks">{data.items.map((webhook) => <Item key={webhook.webhook} webhook={webhook} onChanged={again} />)}</ul></>}
            <WebhookDialog webhook={null} open={adding} onClose={() => setAdding(false)} onSaved={again} />
        </section>
    );
}
