// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText } from '../../api';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { OutcomeBar } from './OutcomeBar';
import { May } from '../../components/May';
import { Pager } from '../../components/Pager';
import { Table } from '../../components/Table';
import { time } from '../../format';
import { useT } from '../../i18n';
import { usePage, withQuery } from '../../list';
import { useReasons } from '../../reason';
import { useQuery } from '../../router';
import { StateBadge } from './StateBadge';
import type { Campaign } from './types';

function None() {
    const t = useT();
    return (
        <Empty title={t('campaigns.none')}>
            <p>{t('campaigns.none-text')}</p>
            <May needs="operate"><Link to="/campaigns" query={{ view: 'new' }} class="button primary">{t('campaigns.new')}</Link></May>
        </Empty>
    );
}

function Name({ campaign: { product = '', firmware, campaign, name, plain } }: { campaign: Campaign }) {
    const t = useT();
    return (
        <>
            <Link to="/campaigns" query={{ product, firmware, campaign: String(campaign) }}>{plain ? t('campaigns.plain') : name}</Link>
            <span class="sub">{product} · {firmware}</span>
        </>
    );
}

export function CampaignList() {
    const t = useT();
    const reasonText = useReasons();
    const [after] = useQuery('after');
    const { data: page, error } = usePage<Campaign>(withQuery('/campaigns', { limit: 50, after }), ['campaigns', 'devices']);
    if (!page)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    if (page.items.length === 0 && !after)
        return <None />;
    return (
        <>
            <May needs="operate"><p class="toolbar"><Link to="/campaigns" query={{ view: 'new' }} class="button primary">{t('campaigns.new')}</Link></p></May>
            <Table caption={t('campaigns.caption')} rows={page.items} rowKey={({ campaign }) => campaign} columns={[
                { title: t('campaigns.name'), cell: (campaign) => <Name campaign={campaign} /> },
                { title: t('campaigns.state'), cell: (campaign) => <StateBadge campaign={campaign} /> },
                { title: t('campaigns.target'), cell: ({ target }) => target },
                { title: t('campaigns.stage'), cell: ({ stage, stages }) => (stage === null ? '–' : <span class="nowrap">{t('campaigns.stage-of', { stage, stages: stages.length })}</span>) },
                { title: t('campaigns.devices'), cell: ({ counts, state }) => (state === 'draft' ? '–' : <OutcomeBar counts={counts} compact />) },
                { title: t('campaigns.started'), cell: ({ started_at: at }) => (at === null ? '–' : <span class="nowrap">{time(at)}</span>) },
                { title: t('campaigns.why-paused'), cell: (campaign) => reasonText(campaign, 'paused_why') || '–' },
            ]} />
            <Pager page={page} cursor="after" />
        </>
    );
}
