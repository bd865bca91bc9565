// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// All firmwares of all products, and the way to the first one.

import { useEffect, useState } from 'preact/hooks';

import { ApiError, get, path, send, type Problem } from '../../api';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { ChangeForm, May } from '../../components/May';
import { Table } from '../../components/Table';
import { bytes, number } from '../../format';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { useQuery } from '../../router';
import { Failure, Loading, Select, Tag, useCall } from './parts';
import type { FirmwareInfo, Items, Product } from './types';
import { Upload } from './Upload';

interface Row extends FirmwareInfo { product: string }

function useFirmwares() {
    const { data, error, again } = useLiveFetch<Items<Product>>('/products', ['devices', 'images', 'packages', 'products']);
    const [rows, setRows] = useState<Row[] | null>(null);
    const [problem, setProblem] = useState<Problem | null>(null);
    useEffect(() => {
        if (!data)
            return;
        const stop = new AbortController();
        Promise.all(data.items.map(async ({ product_key: product }) => {
            const { items } = await get<Items<FirmwareInfo>>(path`/products/${product}/firmware`, stop.signal);
            return items.map((item) => ({ ...item, product }));
        })).then((lists) => setRows(lists.flat()), (reason: unknown) => {
            if (reason instanceof ApiError)
                setProblem(reason.problem);
        });
        return () => stop.abort();
    }, [data]);
    return { products: data?.items ?? null, rows, problem: error ?? problem, again };
}

function AddProduct({ onDone }: { onDone: () => void }) {
    const t = useT();
    const { busy, problem, run } = useCall();
    const [name, setName] = useState('');
    const [key, setKey] = useState('');
    const add = async () => {
        if (await run(() => send('/products', { method: 'POST', json: { name, ...(key && { product_key: key }) } })))
            onDone();
    };
    return (
        <ChangeForm needs="admin" class="form" onSubmit={(event) => { event.preventDefault(); void add(); }}>
            <Field label={t('firmware.product-name')} value={name} required maxLength={200} onInput={(event) => setName(event.currentTarget.value)} />
            <Field label={t('firmware.product-key')} hint={t('firmware.product-key-hint')} value={key} maxLength={64} pattern="[A-Za-z0-9._\-]+"
                onInput={(event) => setKey(event.currentTarget.value)} />
            <Failure problem={problem} />
            <div><Button needs="admin" kind="primary" type="submit" busy={busy}>{t('firmware.product-add')}</Button></div>
        </ChangeForm>
    );
}

function UploadTo({ products, onStored }: { products: Product[]; onStored: () => void }) {
    const t = useT();
    const [wanted, setWanted] = useQuery('product');
    const product = products.some(({ product_key: key }) => key === wanted) ? wanted : products[0]!.product_key;
    return (
        <section aria-labelledby="upload-title">
            <h2 id="upload-title">{t('firmware.upload-title')}</h2>
            {products.length > 1 && (
                <Select label={t('column.product')} value={product} onPick={setWanted}
                    options={products.map(({ product_key: key, name }) => [key, name === key ? key : `${name} (${key})`])} />
            )}
            <Upload product={product} onStored={onStored} />
        </section>
    );
}

function Firmwares({ rows }: { rows: Row[] }) {
    const t = useT();
    const [find, setFind] = useQuery('find');
    const wanted = find.toLowerCase();
    const shown = rows.filter(({ firmware, product }) => `${product} ${firmware}`.toLowerCase().includes(wanted));
    return (
        <>
            {(rows.length > 8 || find) && (
                <Field label={t('firmware.find')} type="search" value={find} onInput={(event) => setFind(event.currentTarget.value)} />
            )}
            {shown.length === 0 && <p class="hint" role="status">{t('firmware.find-nothing')}</p>}
            {shown.length > 0 && (
                <Table caption={t('firmware.list-caption')} rows={shown} rowKey={(row) => `${row.product}/${row.firmware}`} columns={[
                    { title: t('palette.firmware'), cell: ({ product, firmware }) => (
                        <Link class="name" to="/firmware" query={{ product, firmware }}>{firmware}</Link>
                    ) },
                    { title: t('column.product'), cell: ({ product }) => <span class="name">{product}</span> },
                    { title: t('firmware.format'), cell: ({ format }) => (format ? <span class="nowrap">{format}</span> : <Tag tone="warn">{t('firmware.format-unset')}</Tag>) },
                    { title: t('firmware.target'), cell: ({ target }) => <span class="nowrap">{target ?? t('firmware.unset')}</span> },
                    { title: t('firmware.images'), cell: ({ images }) => number(images), numeric: true },
                    { title: t('page.devices'), cell: ({ devices }) => number(devices), numeric: true },
                    { title: t('firmware.limit'), cell: ({ max_package_bytes: limit }) => bytes(limit), numeric: true },
                    { title: t('overview.quarantined'), numeric: true, cell: ({ quarantined }) => (
                        quarantined ? <Tag tone="bad">{number(quarantined)}</Tag> : number(0)) },
                ]} />
            )}
        </>
    );
}

export function List() {
    const t = useT();
    const { products, rows, problem, again } = useFirmwares();
    if (!products || !rows)
        return problem ? <Failure problem={problem} /> : <Loading />;
    if (products.length === 0)
        return <Empty title={t('firmware.no-product')}><p>{t('firmware.no-product-text')}</p><AddProduct onDone={again} /></Empty>;
    return (
        <>
            {rows.length === 0 && <Empty title={t('first.title')}><p>{t('firmware.first-upload')}</p></Empty>}
            {rows.length > 0 && <Firmwares rows={rows} />}
            <May needs="upload"><UploadTo products={products} onStored={again} /></May>
        </>
    );
}
