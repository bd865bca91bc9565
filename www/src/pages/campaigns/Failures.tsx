// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Link } from '../../components/Link';
import { number } from '../../format';
import { useT } from '../../i18n';
import { usePage, withQuery } from '../../list';
import { useReasons } from '../../reason';
import { DeviceLink, DeviceTable } from './Devices';
import { campaignPath, failures, type Campaign, type Device, type Outcome, type Where } from './types';

function Cause({ where, outcome, count }: { where: Where; outcome: Outcome; count: number }) {
    const t = useT();
    const { data: page } = usePage<Device>(withQuery(`${campaignPath(where)}/devices`, { limit: 10, outcome }), ['campaigns', 'devices']);
    return (
        <li>
            <p><b>{t(`campaigns.outcome-${outcome}`)}: {number(count)}</b> <span class="hint">{t(`campaigns.cause-${outcome as 'not_applied'}`)}</span></p>
            <p class="chips">
                {page?.items.map((device) => <DeviceLink key={device.device} product={where.product} device={device} />)}
                {count > 10 && <Link to="/campaigns" query={{ ...where, outcome }}>{t('campaigns.all-of', { count })}</Link>}
            </p>
        </li>
    );
}

// Which devices failed, and what that means.
export function Failures({ where, campaign }: { where: Where; campaign: Campaign }) {
    const t = useT();
    const { counts } = campaign;
    if (!failures(counts))
        return null;
    return (
        <section aria-label={t('campaigns.failures')}>
            <h3>{t('campaigns.failures')}</h3>
            <ul class="causes">
                {(['not_applied', 'diverged', 'silent'] as const).filter((outcome) => counts[outcome])
                    .map((outcome) => <Cause key={outcome} where={where} outcome={outcome} count={counts[outcome]!} />)}
            </ul>
        </section>
    );
}

// Why nothing goes on, and what to do.
export function Paused({ where, campaign }: { where: Where; campaign: Campaign }) {
    const t = useT();
    const reasonText = useReasons();
    const broken = campaign.broken_gate;
    if (campaign.state !== 'paused')
        return null;
    return (
        <section class={`alert ${broken ? 'bad' : 'warn'}`} aria-label={t('campaigns.state-paused')}>
            <h3>{t(broken ? 'campaigns.broken' : 'campaigns.state-paused')}</h3>
            <p>{reasonText(campaign, 'paused_why')}</p>
            {broken && (
                <>
                    <p>{t('campaigns.broken-next')}</p>
                    <DeviceTable product={where.product} caption={t('campaigns.broken-devices', { count: broken.count, shown: broken.devices.length })} devices={broken.devices} />
                </>
            )}
        </section>
    );
}
