// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { ApiError, isOutdated, path, problemText, send, tagOf, useFetch } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Check, Select } from '../../components/Choice';
import { Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { Table } from '../../components/Table';
import { toast } from '../../components/Toast';
import { time } from '../../format';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { useLiveFetch } from '../../live';

const policies = ['admitted', 'held', 'refused'] as const;

interface Product {
    product_key: string;
    name: string | null;
    created_at: number;
    trusted_check_ins: boolean;
    unknown_devices: (typeof policies)[number];
}

type Open = { what: 'add' | 'change' | 'delete'; product: Product | null };

function changesOf(form: FormData, product: Product): object {
    const name = String(form.get('name')).trim(), policy = String(form.get('unknown_devices')), trusted = form.get('trusted') !== null;
    return {
        ...(name !== product.name ? { name } : {}), ...(policy !== product.unknown_devices ? { unknown_devices: policy } : {}),
        ...(trusted !== product.trusted_check_ins ? { trusted_check_ins: trusted } : {}),
    };
}

async function act({ what, product }: Open, form: FormData, by: string): Promise<void> {
    const at = product ? path`/products/${product.product_key}` : '/products';
    const key = String(form.get('key') ?? '').trim();
    if (what === 'add')
        await send(withQuery(at, { by }), { method: 'POST', json: { name: String(form.get('name')).trim(), ...(key ? { product_key: key } : {}) } });
    else if (what === 'delete')
        await send(withQuery(at, { by }), { method: 'DELETE' });
    else if (product && Object.keys(changesOf(form, product)).length)
        await send(withQuery(at, { by }), { method: 'PATCH', json: changesOf(form, product), match: product });
}

function Fields({ product }: { product: Product | null }) {
    const t = useT();
    return (
        <>
            <Field label={t('products.name')} name="name" required maxLength={200} defaultValue={product?.name ?? ''} />
            {!product && <Field label={t('products.key')} hint={t('products.key-hint')} name="key" pattern="[A-Za-z0-9._\-]{1,64}" maxLength={64} spellcheck={false} />}
            {product && (
                <>
                    <Select label={t('products.unknown-devices')} hint={t('products.unknown-hint')} name="unknown_devices">
                        {policies.map((policy) => <option key={policy} value={policy} selected={policy === product.unknown_devices}>{t(`products.${policy}`)}</option>)}
                    </Select>
                    <Check name="trusted" defaultChecked={product.trusted_check_ins} label={t('products.trust')} />
                    <p class="hint">{t('products.trust-hint')}</p>
                </>
            )}
        </>
    );
}

export function Products() {
    const t = useT();
    const [open, setOpen] = useState<Open | null>(null);
    const { data, error, again } = useLiveFetch<{ items: Product[] }>('/products', ['products']);
    const isChange = open?.what === 'change' && open.product;
    const { data: fresh, error: unread, again: reread } = useFetch<Product>(isChange ? path`/products/${isChange.product_key}` : null); // with its tag
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const add = <Button needs="admin" kind="primary" onClick={() => setOpen({ what: 'add', product: null })}>{t('products.add')}</Button>;
    const what = open?.what ?? 'add';
    return (
        <section aria-label={t('settings.products')}>
            {data.items.length === 0 ? <Empty title={t('products.none')}><p>{t('products.none-text')}</p>{add}</Empty> : (
                <>
                    <p class="toolbar">{add}</p>
                    <Table caption={t('products.caption')} rows={data.items} rowKey={({ product_key: key }) => key} columns={[
                        { title: t('products.name'), cell: ({ name }) => <span class="long">{name}</span> },
                        { title: t('products.key'), cell: ({ product_key: key }) => <code class="long">{key}</code> },
                        { title: t('products.unknown-devices'), cell: ({ unknown_devices: policy }) => t(`products.${policy}`) },
                        { title: t('products.trusted'), cell: ({ trusted_check_ins: trusted }) => t(trusted ? 'action.yes' : 'action.no') },
                        { title: t('products.created'), cell: ({ created_at: at }) => <span class="nowrap">{time(at)}</span> },
                        { title: t('webhooks.do'), cell: (product) => (
                            <span class="row-actions">
                                <Button needs="admin" onClick={() => setOpen({ what: 'change', product })} aria-label={t('products.change', { name: product.name ?? product.product_key })}>{t('action.change')}</Button>
                                <Button needs="admin" kind="danger" onClick={() => setOpen({ what: 'delete', product })} aria-label={t('products.delete', { name: product.name ?? product.product_key })}>{t('action.delete')}</Button>
                            </span>
                        ) },
                    ]} />
                </>
            )}
            <ActionDialog title={what === 'add' ? t('products.add') : t(`products.${what}`, { name: open?.product?.name ?? '' })} open={open !== null} onClose={() => setOpen(null)} named
                submit={t(what === 'delete' ? 'action.delete' : 'action.save')} kind={what === 'delete' ? 'danger' : 'primary'}
                run={async (form, by) => {
                    if (isChange && !fresh)
                        throw new ApiError(unread ?? { status: 0, code: 'offline', detail: '' });
                    await act(isChange ? { what: 'change', product: fresh } : open!, form, by).catch((error: unknown) => {
                        if (isOutdated(error))
                            reread();
                        throw error;
                    });
                    toast(t('settings.saved'));
                    again();
                }}>
                {open && (what === 'delete' ? <p>{t('products.delete-text')}</p>
                    : isChange && !fresh ? <p class="loading" aria-busy="true" /> : <Fields key={tagOf(fresh)} product={isChange ? fresh : null} />)}
            </ActionDialog>
        </section>
    );
}
