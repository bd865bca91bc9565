// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { ApiError, isOutdated, path, send, tagOf, useFetch } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Check, Select, TextArea } from '../../components/Choice';
import { Field } from '../../components/Field';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { eventKinds, type Webhook } from './webhook';

type Props = { webhook: Webhook | null; open: boolean; onClose: () => void; onSaved: () => void };

function bodyOf(form: FormData, webhook: Webhook | null): object {
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const secret = text('secret'), template = text('template');
    const kinds = form.getAll('kinds').map(String);
    const body = { name: text('name'), url: text('url'), kinds, enabled: form.get('enabled') !== null };
    if (!webhook)
        return { ...body, ...(text('product') ? { product: text('product') } : {}), ...(secret ? { secret } : {}), ...(template ? { template } : {}) };
    const noSecret = form.get('no-secret') !== null ? { secret: null } : {};
    return { ...body, ...(secret ? { secret } : noSecret), ...(template !== (webhook.template ?? '') ? { template: template || null } : {}) };
}

function Fields({ webhook }: { webhook: Webhook | null }) {
    const t = useT();
    const { data: products } = useFetch<{ items: { product_key: string; name: string }[] }>(webhook ? null : '/products');
    return (
        <>
            <Field label={t('webhooks.name')} name="name" required maxLength={100} defaultValue={webhook?.name ?? ''} />
            <Field label={t('webhooks.url')} name="url" type="url" required defaultValue={webhook?.url ?? ''} placeholder="https://…" spellcheck={false} />
            {!webhook && (
                <Select label={t('column.product')} name="product">
                    <option value="">{t('webhooks.all-products')}</option>
                    {products?.items.map(({ product_key: key, name }) => <option key={key} value={key}>{name} ({key})</option>)}
                </Select>
            )}
            <fieldset class="entry-form">
                <legend>{t('webhooks.kinds')}</legend>
                <p class="hint">{t('webhooks.kinds-hint')}</p>
                <div class="option-list two">{eventKinds.map((kind) => <Check key={kind} name="kinds" value={kind} defaultChecked={webhook?.kinds.includes(kind) ?? false} label={t(`webhooks.event-${kind}`)} />)}</div>
            </fieldset>
            <Field label={t('webhooks.secret')} name="secret" type="password" minLength={16} maxLength={200} autocomplete="new-password"
                hint={t(webhook?.signed ? 'webhooks.secret-kept' : 'webhooks.secret-hint')} />
            {webhook?.signed && <Check name="no-secret" label={t('webhooks.no-secret')} />}
            <TextArea label={t('webhooks.template')} name="template" rows={3} spellcheck={false} hint={t('webhooks.template-hint')} defaultValue={webhook?.template ?? ''} />
            <Check name="enabled" defaultChecked={webhook?.enabled ?? true} label={t('webhooks.enabled')} />
        </>
    );
}

export function WebhookDialog({ webhook, open, onClose, onSaved }: Props) {
    const t = useT();
    const { data: fresh, error, again } = useFetch<Webhook>(open && webhook ? path`/webhooks/${webhook.webhook}` : null); // with its tag
    return (
        <ActionDialog title={t(webhook ? 'webhooks.change' : 'webhooks.add')} open={open} onClose={onClose} submit={t('action.save')} named
            run={async (form, by) => {
                if (webhook && !fresh)
                    throw new ApiError(error ?? { status: 0, code: 'offline', detail: '' });
                const at = webhook ? path`/webhooks/${webhook.webhook}` : '/webhooks';
                await send(withQuery(at, { by }), { method: webhook ? 'PATCH' : 'POST', json: bodyOf(form, fresh), match: fresh }).catch((reason: unknown) => {
                    if (isOutdated(reason))
                        again();
                    throw reason;
                });
                onSaved();
            }}>
            {webhook && !fresh ? <p class="loading" aria-busy="true" /> : <Fields key={tagOf(fresh)} webhook={fresh} />}
        </ActionDialog>
    );
}
