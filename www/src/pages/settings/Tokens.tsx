// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { get, path, problemText, send, useFetch } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Select } from '../../components/Choice';
import { CopyLine } from '../../components/Copy';
import { Dialog } from '../../components/Dialog';
import { Command, Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { Table } from '../../components/Table';
import { time } from '../../format';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { mayUse, scopes, useScope, type Scope } from '../../session';

const dayMs = 86_400_000;
const overlaps = { none: 0, hour: 3_600_000, day: dayMs, week: 7 * dayMs } as const;
const lifetimes = [0, 30, 90, 365] as const; // days; 0: never

interface Token {
    token: number;
    name: string;
    scope: Scope;
    product: string | null;
    state: 'valid' | 'expired' | 'revoked';
    created_at: number;
    expires_at: number | null;
    used_at: number | null;
    used_from: string | null;
    old_secret_until: number | null;
    revoked_at: number | null;
    secret?: string; // in the answer that makes it, and never again
}

type Open = { what: 'add' | 'rotate' | 'revoke'; token: Token | null };

async function act({ what, token }: Open, form: FormData, by: string): Promise<Token | null> {
    const post = async (at: string, json: object) => await (await send(withQuery(at, { by }), { method: 'POST', json })).json() as Token;
    if (what === 'add') {
        const days = Number(form.get('days')), product = String(form.get('product') ?? '');
        return post('/tokens', {
            name: String(form.get('name')).trim(), scope: form.get('scope'), ...(product ? { product } : {}), ...(days ? { expires_at: Date.now() + days * dayMs } : {}),
        });
    }
    const at = path`/tokens/${token!.token}`;
    if (what === 'rotate')
        return post(`${at}/rotate`, { overlap_ms: Number(form.get('overlap')), ...(token!.state === 'expired' ? { expires_at: null } : {}) });
    await send(withQuery(at, { by }), { method: 'DELETE' });
    return null;
}

function NewFields() {
    const t = useT();
    const { data: products } = useFetch<{ items: { product_key: string }[] }>('/products');
    return (
        <>
            <Field label={t('tokens.name')} hint={t('tokens.name-hint')} name="name" required maxLength={64} />
            <Select label={t('tokens.scope')} hint={t('tokens.scope-hint')} name="scope">
                {scopes.map((scope) => <option key={scope} value={scope}>{t(`tokens.scope-${scope}`)}</option>)}
            </Select>
            <Select label={t('column.product')} name="product">
                <option value="">{t('webhooks.all-products')}</option>
                {products?.items.map(({ product_key: key }) => <option key={key} value={key}>{key}</option>)}
            </Select>
            <Select label={t('tokens.expires')} name="days">
                {lifetimes.map((days) => <option key={days} value={days}>{days ? t('limits.days', { count: days }) : t('tokens.never')}</option>)}
            </Select>
        </>
    );
}

function RotateFields({ token }: { token: Token }) {
    const t = useT();
    return (
        <>
            <p>{t('tokens.rotate-text')}</p>
            <Select label={t('tokens.overlap')} name="overlap">
                {(Object.keys(overlaps) as (keyof typeof overlaps)[]).map((name) => (
                    <option key={name} value={overlaps[name]} selected={name === 'day'}>{t(`tokens.overlap-${name}`)}</option>
                ))}
            </Select>
            {token.state === 'expired' && <p class="hint">{t('tokens.rotate-expired')}</p>}
        </>
    );
}

function State({ token }: { token: Token }) {
    const t = useT();
    const { state, expires_at: expires, old_secret_until: old, revoked_at: revoked } = token;
    return (
        <>
            <span class={`badge ${state === 'valid' ? 'good' : 'quiet'}`}>{t(`tokens.${state}`)}</span>
            {revoked !== null && <span class="hint nowrap">{time(revoked)}</span>}
            {revoked === null && expires !== null && <span class="hint nowrap">{t('tokens.until', { at: time(expires) })}</span>}
            {revoked === null && old !== null && <span class="hint nowrap">{t('tokens.old-until', { at: time(old) })}</span>}
        </>
    );
}

function List({ tokens, onOpen }: { tokens: Token[]; onOpen: (open: Open) => void }) {
    const t = useT();
    return (
        <Table caption={t('tokens.caption')} rows={tokens} rowKey={({ token }) => token} columns={[
            { title: t('tokens.name'), cell: ({ name }) => <span class="long">{name}</span> },
            { title: t('tokens.scope'), cell: ({ scope }) => t(`tokens.scope-${scope}`) },
            { title: t('column.product'), cell: ({ product }) => product ?? t('webhooks.all-products') },
            { title: t('tokens.state'), cell: (token) => <State token={token} /> },
            { title: t('tokens.used'), cell: ({ used_at: at, used_from: from }) => (at === null ? t('tokens.unused') : <span class="nowrap">{time(at)} <code>{from}</code></span>) },
            { title: t('tokens.created'), cell: ({ created_at: at }) => <span class="nowrap">{time(at)}</span> },
            { title: t('webhooks.do'), cell: (token) => token.state !== 'revoked' && (
                <span class="row-actions">
                    <Button onClick={() => onOpen({ what: 'rotate', token })} aria-label={t('tokens.rotate-title', { name: token.name })}>{t('tokens.rotate')}</Button>
                    <Button kind="danger" onClick={() => onOpen({ what: 'revoke', token })} aria-label={t('tokens.revoke-title', { name: token.name })}>{t('tokens.revoke')}</Button>
                </span>
            ) },
        ]} />
    );
}

function Made({ token, onClose }: { token: Token | null; onClose: () => void }) {
    const t = useT();
    return (
        <Dialog title={t('tokens.made', { name: token?.name ?? '' })} open={token !== null} onClose={onClose} busy
            actions={<Button kind="primary" onClick={onClose}>{t('tokens.kept')}</Button>}>
            <p>{t('tokens.made-text')}</p>
            <CopyLine text={token?.secret ?? ''} label={t('tokens.secret')} />
        </Dialog>
    );
}

function Manager() {
    const t = useT();
    const [open, setOpen] = useState<Open | null>(null);
    const [made, setMade] = useState<Token | null>(null);
    const { data, error, again } = useFetch<{ items: Token[] }>('/tokens', 30_000, get);
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const what = open?.what ?? 'add', name = open?.token?.name ?? '';
    return (
        <section aria-label={t('settings.tokens')}>
            <p class="hint">{t('tokens.text')}</p>
            <p class="toolbar"><Button kind="primary" onClick={() => setOpen({ what: 'add', token: null })}>{t('tokens.add')}</Button></p>
            <List tokens={data.items} onOpen={setOpen} />
            <ActionDialog title={what === 'add' ? t('tokens.add') : t(`tokens.${what}-title`, { name })} open={open !== null} onClose={() => setOpen(null)} named
                submit={t(what === 'add' ? 'action.save' : `tokens.${what}`)} kind={what === 'revoke' ? 'danger' : 'primary'}
                run={async (form, by) => { setMade(await act(open!, form, by)); again(); }}>
                {open && (what === 'add' ? <NewFields /> : what === 'rotate' ? <RotateFields token={open.token!} /> : <p>{t('tokens.revoke-text')}</p>)}
            </ActionDialog>
            <Made token={made} onClose={() => setMade(null)} />
        </section>
    );
}

export function Tokens() {
    const t = useT();
    const { scope, product } = useScope();
    return (
        <>
            {mayUse(scope, 'admin') && !product ? <Manager /> : <Empty title={t('settings.tokens')}><p>{t('tokens.admin-only')}</p></Empty>}
            <section class="empty"><p>{t('tokens.once')}</p><Command>dfotactl console</Command></section>
        </>
    );
}
