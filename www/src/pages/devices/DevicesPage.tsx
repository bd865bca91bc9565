// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useLayoutEffect, useRef } from 'preact/hooks';

import { problemText, useFetch } from '../../api';
import { Command, Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { useT, type Key } from '../../i18n';
import { go, usePlace, useQuery } from '../../router';
import '../../styles/devices.css';
import { DevicePage } from './DevicePage';
import { List } from './List';
import type { Items, Product } from './model';
import { Outcomes } from './Outcomes';

const views = [['', 'devices.view.list'], ['outcomes', 'devices.view.outcomes']] as const satisfies readonly (readonly [string, Key])[];

function Views({ product, current }: { product: string; current: string }) {
    const t = useT();
    return (
        <ul class="tabs" aria-label={t('devices.views')}>
            {views.map(([view, title]) => (
                <li key={view}>
                    <Link to="/devices" query={view ? { product, view } : { product }} aria-current={view === current ? 'page' : undefined}>{t(title)}</Link>
                </li>
            ))}
        </ul>
    );
}

function Head({ products, product, view }: { products: Product[]; product: string; view: string }) {
    const t = useT();
    return (
        <div class="devices-head">
            <Views product={product} current={view} />
            <label class="inline">
                {t('devices.product')}
                <select value={product} onChange={(event) => go('/devices', view ? { product: event.currentTarget.value, view } : { product: event.currentTarget.value })}>
                    {products.map(({ product_key: key, name }) => <option key={key} value={key}>{name === key ? key : `${name} (${key})`}</option>)}
                </select>
            </label>
            <Link to="/settings" query={{ product }}>{t('devices.refused')}</Link>
        </div>
    );
}

// Another device or another view is like another page: it begins at its top, with the focus at its title.
function useTop(what: string): void {
    const isFirst = useRef(true);
    useLayoutEffect(() => {
        if (!isFirst.current) {
            document.querySelector('h1')?.focus({ preventScroll: true });
            scrollTo(0, 0);
        }
        isFirst.current = false;
    }, [what]);
}

export function DevicesPage() {
    const t = useT();
    const { data, error } = useFetch<Items<Product>>('/products');
    const { query } = usePlace();
    const [view] = useQuery('view');
    const device = query.get('device');
    useTop(`${view} ${device}`);
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const product = query.get('product') || data.items[0]?.product_key;
    if (!product)
        return <Empty title={t('devices.no-product')}><p>{t('first.product')}</p><Command>dfotactl product add "Village pumps"</Command></Empty>;
    if (device)
        return <div class="devices-page"><DevicePage key={`${product} ${device}`} product={product} id={device} /></div>;
    return (
        <div class="devices-page">
            <Head products={data.items} product={product} view={view} />
            {view === 'outcomes' ? <Outcomes key={product} product={product} /> : <List key={product} product={product} />}
        </div>
    );
}
