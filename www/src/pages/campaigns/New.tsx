// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'preact/hooks';

import { get, path, problemText, useFetch } from '../../api';
import { problemOf } from '../../components/ActionDialog';
import { Select } from '../../components/Choice';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { useT } from '../../i18n';
import { go, useQuery } from '../../router';
import { emptyDraft } from './fields';
import { CampaignForm } from './Form';

interface Choice { product: string; firmware: string }

function useFirmwares(): { list: Choice[] | null; error: string | null } {
    const [list, setList] = useState<Choice[] | null>(null);
    const [error, setError] = useState<string | null>(null);
    const { data, error: problem } = useFetch<{ items: { product_key: string }[] }>('/products');
    useEffect(() => {
        if (!data)
            return;
        const stop = new AbortController();
        Promise.all(data.items.map(async ({ product_key: product }) =>
            (await get<{ items: { firmware: string }[] }>(path`/products/${product}/firmware`, stop.signal)).items.map(({ firmware }) => ({ product, firmware }))))
            .then((lists) => setList(lists.flat()), (reason: unknown) => { if (!stop.signal.aborted) setError(problemOf(reason)); });
        return () => stop.abort();
    }, [data]);
    return { list, error: error ?? (problem && problemText(problem)) };
}

export function CampaignNew() {
    const t = useT();
    const [product] = useQuery('product');
    const [firmware] = useQuery('firmware');
    const { list, error } = useFirmwares();
    if (!list)
        return error ? <p class="error" role="alert">{error}</p> : <p class="loading" aria-busy="true" />;
    if (list.length === 0)
        return <Empty title={t('campaigns.no-firmware')}><p>{t('campaigns.no-firmware-text')}</p><Link to="/firmware" class="button primary">{t('page.firmware')}</Link></Empty>;
    const chosen = list.findIndex((choice) => choice.product === product && choice.firmware === firmware);
    const { product: inProduct, firmware: of } = list[Math.max(0, chosen)]!;
    return (
        <>
            <p class="crumbs"><Link to="/campaigns">{t('campaigns.back')}</Link></p>
            <h2>{t('campaigns.new')}</h2>
            <div class="beside">
                <div class="entry-form">
                    <Select label={t('campaigns.firmware')} value={Math.max(0, chosen)} onChange={(event) => go('/campaigns', { view: 'new', ...list[Number(event.currentTarget.value)]! })}>
                        {list.map((choice, i) => <option key={`${choice.product} ${choice.firmware}`} value={i}>{choice.product} · {choice.firmware}</option>)}
                    </Select>
                    <CampaignForm key={`${inProduct}/${of}`} start={emptyDraft(inProduct, of)} saved={null} kept={null}
                        onSaved={({ campaign }) => go('/campaigns', { product: inProduct, firmware: of, campaign: String(campaign) })} />
                </div>
                <section class="card aside" aria-label={t('campaigns.effect')}><h3>{t('campaigns.effect')}</h3><p class="hint">{t('campaigns.effect-later')}</p></section>
            </div>
        </>
    );
}
