// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { path, problemText, send } from '../../api';
import { ActionDialog, problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { toast } from '../../components/Toast';
import { time } from '../../format';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { useLiveFetch } from '../../live';
import { useQuery } from '../../router';
import { mayUse, useScope } from '../../session';
import { sendFile } from '../../upload';

interface Unknown {
    unknown: number;
    product: string | null;
    kind: 'product' | 'firmware' | 'version' | 'id';
    firmware: string | null;
    text: string;
    code: number;
    count: number;
    devices: number;
    devices_or_more: boolean;
    device: string | null;
    first_at: number;
    last_at: number;
    do: string;
}

const isVersion = (text: string) => /^v?\d+(\.\d+)*$/i.test(text);

function Drop({ row, onDone }: { row: Unknown; onDone: () => void }) {
    const t = useT();
    const may = mayUse(useScope().scope, 'upload');
    const [share, setShare] = useState<number | null>(null);
    const [over, setOver] = useState(false);
    const [error, setError] = useState<string | null>(null);
    const upload = async (file: File | undefined) => {
        if (!file || share !== null)
            return;
        setShare(0);
        setError(null);
        try {
            const { version, warnings } = await sendFile<{ version: string; warnings: string[] }>({
                method: 'PUT', path: path`/products/${row.product!}/firmware/${row.firmware!}/images/${row.text}`, file, onSent: (bytes) => setShare(bytes / Math.max(file.size, 1)),
            });
            toast(t('inbox.uploaded', { version }));
            for (const warning of warnings)
                toast(warning, 'error');
            await send(path`/unknown/${row.unknown}`, { method: 'DELETE' });
            onDone();
        } catch (reason) {
            setError(problemOf(reason));
        }
        setShare(null);
    };
    return may && (
        <div class={`drop-zone ${over ? 'over' : ''}`} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
            onDrop={(event) => { event.preventDefault(); setOver(false); void upload(event.dataTransfer?.files[0]); }}>
            <label>{t('inbox.drop', { version: row.text, firmware: row.firmware ?? '' })}
                <input type="file" disabled={share !== null} onChange={(event) => void upload(event.currentTarget.files?.[0])} /></label>
            {share !== null && <progress aria-label={t('inbox.uploading')} value={share} max={1} />}
            {error && <p class="error" role="alert">{error}</p>}
        </div>
    );
}

function Text({ row }: { row: Unknown }) {
    const t = useT();
    const devices = t(row.devices_or_more ? 'inbox.devices-or-more' : 'inbox.devices', { count: row.devices });
    const values = { devices, text: row.text, firmware: row.firmware ?? '–', product: row.product ?? '–', count: row.devices };
    const key = row.code === 400 ? 'unreadable' : !row.text ? `${row.kind}-missing` as const : row.kind === 'version' && !isVersion(row.text) ? 'version-wrong' : row.kind;
    return <><h2>{t(`inbox.${key}`, values)}</h2><p>{t(`inbox.${key}-do`, values)}</p></>;
}

function Entry({ row, onChanged }: { row: Unknown; onChanged: () => void }) {
    const t = useT();
    const [adding, setAdding] = useState(false);
    const forget = () => send(path`/unknown/${row.unknown}`, { method: 'DELETE' }).then(onChanged, (error: unknown) => toast(problemOf(error), 'error'));
    const canUpload = row.kind === 'version' && row.code === 44 && row.product && row.firmware && isVersion(row.text);
    const canAdd = row.kind === 'product' && row.code === 25 && /^[A-Za-z0-9._-]{1,64}$/.test(row.text);
    return (
        <li class="card inbox-row">
            <Text row={row} />
            {canUpload && <Drop row={row} onDone={onChanged} />}
            <p class="hint">
                {t('inbox.facts', { code: row.code, count: row.count, last: time(row.last_at) })}
                {row.device && row.product && <> · <Link to="/devices" query={{ product: row.product, device: row.device }}>{row.device}</Link></>}
            </p>
            <p class="hint" lang="en">{t('inbox.server-says', { text: row.do })}</p>
            <p class="toolbar">
                {canAdd && <Button needs="admin" onClick={() => setAdding(true)}>{t('inbox.add-product')}</Button>}
                <Button needs="operate" onClick={() => void forget()}>{t('inbox.forget')}</Button>
            </p>
            <ActionDialog title={t('inbox.add-product')} open={adding} onClose={() => setAdding(false)} submit={t('inbox.add-product')}
                run={async (form) => {
                    await send('/products', { method: 'POST', json: { name: String(form.get('name')), product_key: row.text } });
                    await send(path`/unknown/${row.unknown}`, { method: 'DELETE' });
                    onChanged();
                }}>
                <p>{t('inbox.add-product-text', { text: row.text })}</p>
                <Field label={t('products.name')} name="name" maxLength={200} required />
            </ActionDialog>
        </li>
    );
}

// What devices sent and the server refused: the missing images first.
export function Inbox() {
    const t = useT();
    const [product] = useQuery('product'); // the link of the devices of one product
    const { data, error, again } = useLiveFetch<{ items: Unknown[] }>(withQuery('/unknown', { product }), ['unknown']);
    const [asking, setAsking] = useState(false);
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    if (data.items.length === 0 && !product)
        return <Empty title={t('inbox.empty')}><p>{t('inbox.empty-text')}</p></Empty>;
    const rows = [...data.items].sort((a, b) => Number(b.code === 44) - Number(a.code === 44) || b.devices - a.devices);
    return (
        <section aria-label={t('settings.inbox')}>
            <p class="hint">{product ? t('inbox.of-product', { product }) : t('inbox.text')} {product && <Link to="/settings" query={{ section: 'inbox' }}>{t('inbox.all')}</Link>}</p>
            {rows.length === 0 && <p>{t('inbox.empty')}</p>}
            <ul class="inbox">{rows.slice(0, 100).map((row) => <Entry key={row.unknown} row={row} onChanged={again} />)}</ul>
            {rows.length > 100 && <p class="hint">{t('inbox.more', { count: rows.length - 100 })}</p>}
            {!product && <p><Button needs="operate" kind="danger" onClick={() => setAsking(true)}>{t('inbox.forget-all')}</Button></p>}
            <ActionDialog title={t('inbox.forget-all')} open={asking} onClose={() => setAsking(false)} submit={t('inbox.forget-all')} kind="danger"
                run={async () => { await send('/unknown', { method: 'DELETE' }); again(); }}>
                <p>{t('inbox.forget-all-text', { count: rows.length })}</p>
            </ActionDialog>
        </section>
    );
}
