// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText } from '../../api';
import { Link } from '../../components/Link';
import { Outdated } from '../../components/Outdated';
import { OutcomeBar } from './OutcomeBar';
import { bytes, duration, number, time } from '../../format';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { Actions } from './Actions';
import { CampaignDevices } from './Devices';
import { DraftPage } from './Draft';
import { forecastTime } from './Effect';
import { Failures, Paused } from './Failures';
import { StageList } from './StageList';
import { StateBadge } from './StateBadge';
import { campaignPath, type Campaign, type Where } from './types';
import { audience } from './words';

function Head({ where, campaign }: { where: Where; campaign: Campaign }) {
    const t = useT();
    const { name, plain, target, started_at: started, ended_at: ended, created_by: by, created_at: created } = campaign;
    return (
        <header class="campaign-head">
            <h2>{plain ? t('campaigns.plain') : name} <StateBadge campaign={campaign} /></h2>
            <p>{t('campaigns.leads', { firmware: where.firmware, target, audience: audience(campaign) })}</p>
            <p class="hint">
                {[by ? t('campaigns.created-by', { time: time(created), by }) : t('campaigns.created', { time: time(created) }), started !== null && t('campaigns.started-at', { time: time(started) }),
                    ended !== null && t('campaigns.ended-at', { time: time(ended) })].filter(Boolean).join(' · ')}
            </p>
        </header>
    );
}

export function Comparison({ campaign: { forecast, actual } }: { campaign: Campaign }) {
    const t = useT();
    const rows: [string, string, string][] = [
        [t('campaigns.compare-devices'), forecast ? number(forecast.devices) : '–', number(actual.confirmed)],
        [t('campaigns.bytes'), forecast ? bytes(forecast.bytes) : '–', bytes(actual.bytes)],
        [t('campaigns.bytes-in-vain'), '–', bytes(actual.bytes_in_vain)],
        [t('campaigns.time'), forecast ? forecastTime(forecast, t) : '–', actual.elapsed_ms === null ? '–' : duration(actual.elapsed_ms)],
    ];
    return (
        <section>
            <h3>{t('campaigns.comparison')}</h3>
            <div class="table-frame" role="region" aria-label={t('campaigns.comparison')} tabIndex={0}>
                <table>
                    <thead><tr><td /><th scope="col">{t('campaigns.forecast')}</th><th scope="col">{t('campaigns.so-far')}</th></tr></thead>
                    <tbody>{rows.map(([name, planned, real]) => <tr key={name}><th scope="row">{name}</th><td>{planned}</td><td>{real}</td></tr>)}</tbody>
                </table>
            </div>
        </section>
    );
}

export function CampaignShow({ where }: { where: Where }) {
    const t = useT();
    const { data: campaign, error, again } = useLiveFetch<Campaign>(campaignPath(where), ['campaigns', 'devices']);
    if (!campaign)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    return (
        <>
            <p class="crumbs"><Link to="/campaigns">{t('campaigns.back')}</Link></p>
            <Outdated error={error} />
            <Head where={where} campaign={campaign} />
            {campaign.state === 'draft' ? <DraftPage where={where} campaign={campaign} onChanged={again} /> : (
                <>
                    <Actions where={where} campaign={campaign} onChanged={again} />
                    <Paused where={where} campaign={campaign} />
                    <section aria-label={t('campaigns.devices')}>
                        <h3>{t('campaigns.devices')}</h3>
                        <OutcomeBar counts={campaign.counts} size={campaign.devices} />
                    </section>
                    <StageList campaign={campaign} />
                    <Failures where={where} campaign={campaign} />
                    <Comparison campaign={campaign} />
                    <CampaignDevices where={where} campaign={campaign} />
                </>
            )}
        </>
    );
}
