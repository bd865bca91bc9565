// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText } from '../../api';
import { Select } from '../../components/Choice';
import { Link } from '../../components/Link';
import { Pager } from '../../components/Pager';
import { Table } from '../../components/Table';
import { number, time } from '../../format';
import { useT } from '../../i18n';
import { usePage, withQuery } from '../../list';
import { go, usePlace, useQuery } from '../../router';
import { campaignPath, outcomes, type Campaign, type Device, type Where } from './types';

export function DeviceLink({ product, device: { device, id_kind: kind } }: { product: string; device: Device }) {
    return <Link to="/devices" query={{ product, device: `${kind}:${device}` }}>{device}</Link>;
}

export function DeviceTable({ product, caption, devices }: { product: string; caption: string; devices: Device[] }) {
    const t = useT();
    return (
        <Table caption={caption} rows={devices} rowKey={({ id_kind: kind, device }) => `${kind}:${device}`} columns={[
            { title: t('campaigns.device'), cell: (device) => <DeviceLink product={product} device={device} /> },
            { title: t('campaigns.outcome'), cell: ({ outcome }) => t(`campaigns.outcome-${outcome}`) },
            { title: t('campaigns.since'), cell: ({ since }) => (since ? <span class="nowrap">{time(since)}</span> : '–') },
            { title: t('campaigns.stage'), cell: ({ stage }) => (stage === null ? '–' : number(stage)), numeric: true },
            { title: t('campaigns.confirmed-version'), cell: ({ confirmed_version: version }) => version ?? '–' },
            { title: t('campaigns.last-seen'), cell: ({ last_seen_at: at }) => (at ? <span class="nowrap">{time(at)}</span> : '–') },
        ]} />
    );
}

// By outcome, in the order of the list.
export function CampaignDevices({ where, campaign }: { where: Where; campaign: Campaign }) {
    const t = useT();
    const { query } = usePlace();
    const [outcome] = useQuery('outcome');
    const [after] = useQuery('after');
    const { data: page, error } = usePage<Device>(withQuery(`${campaignPath(where)}/devices`, { limit: 50, outcome, after }), ['campaigns', 'devices']);
    const choose = (value: string) => {
        const rest = Object.fromEntries(query);
        delete rest.after;
        delete rest.outcome;
        go('/campaigns', value ? { ...rest, outcome: value } : rest);
    };
    return (
        <section aria-label={t('campaigns.devices-by-outcome')}>
            <h3>{t('campaigns.devices-by-outcome')}</h3>
            <div class="filters">
                <Select label={t('campaigns.outcome')} value={outcome} onChange={(event) => choose(event.currentTarget.value)}>
                    <option value="">{t('campaigns.any-outcome')}</option>
                    {outcomes.map((name) => <option key={name} value={name}>{t(`campaigns.outcome-${name}`)}{campaign.counts[name] === undefined ? '' : ` (${number(campaign.counts[name]!)})`}</option>)}
                </Select>
            </div>
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {page && page.items.length > 0 && <DeviceTable product={where.product} caption={t('campaigns.devices-caption')} devices={page.items} />}
            {page && page.items.length === 0 && <p class="hint">{t(campaign.audience === 'list' ? 'campaigns.no-devices' : 'campaigns.no-devices-yet')}</p>}
            {page && <Pager page={page} cursor="after" />}
        </section>
    );
}
