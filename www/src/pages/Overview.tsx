// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText } from '../api';
import { Link } from '../components/Link';
import { Outdated } from '../components/Outdated';
import { Stat } from '../components/Stat';
import { bytes, duration, number } from '../format';
import { useT, type Key } from '../i18n';
import { useLiveFetch } from '../live';
import { FirstSteps } from './overview/FirstSteps';
import { NextThings } from './overview/NextThings';
import type { Answer, Devices } from './overview/answer';
import { Versions } from './overview/Versions';

interface Status { version: string; uptime_ms: number; conflicts: number; packages: { ready: number; failed: number; quarantined: number } | null } // null: the token is for one product

const outcomes = ['waiting', 'sending', 'delivered', 'silent'] as const;

// Where the devices of a count are listed: in the firmware that has the most of them.
function listOf(outcome: keyof Devices, { firmwares }: Answer): Record<string, string> {
    const [most] = firmwares.filter(({ devices }) => devices[outcome] > 0).sort((a, b) => b.devices[outcome] - a.devices[outcome]);
    if (!most)
        return {};
    const { product, firmware } = most;
    return outcome === 'blocked' ? { product, filter: `blocked=yes and firmware="${firmware}"` } : { view: 'outcomes', product, firmware, outcome };
}

function Fleet({ answer }: { answer: Answer }) {
    const t = useT();
    const { devices } = answer;
    return (
        <section aria-labelledby="fleet">
            <h2 id="fleet">{t('overview.fleet')}</h2>
            <dl class="stats fleet">
                <Stat label={t('overview.devices')} value={devices.all}><Link to="/devices">{t('overview.list')}</Link></Stat>
                {outcomes.map((outcome) => (
                    <Stat key={outcome} label={t(`overview.${outcome}` satisfies Key)} value={devices[outcome]} tone={outcome === 'silent' && devices.silent ? 'warn' : undefined}>
                        {devices[outcome] > 0 && <Link to="/devices" query={listOf(outcome, answer)}>{t('overview.list')}</Link>}
                    </Stat>
                ))}
                <Stat label={t('overview.blocked')} value={devices.blocked} tone={devices.blocked ? 'bad' : undefined}>
                    {devices.blocked > 0 && <Link to="/devices" query={listOf('blocked', answer)}>{t('overview.list')}</Link>}
                </Stat>
            </dl>
        </section>
    );
}

function Packages({ answer: { queue, firmwares }, status }: { answer: Answer; status: Status | null }) {
    const t = useT();
    const made = status?.packages;
    const waiting = queue.queued + queue.generating, first = firmwares[0];
    const matrix = first ? { product: first.product, firmware: first.firmware, tab: 'matrix' } : {};
    return (
        <section aria-labelledby="packages">
            <h2 id="packages">{t('overview.packages')}</h2>
            <dl class="stats">
                <Stat label={t('overview.queue')} value={waiting}>
                    {waiting > 0 && queue.estimate_ms !== null && t('overview.estimate', { time: duration(queue.estimate_ms) })}
                </Stat>
                {made && <>
                    <Stat label={t('overview.ready')} value={made.ready}><Link to="/firmware" query={matrix}>{t('overview.matrix')}</Link></Stat>
                    <Stat label={t('overview.failed')} value={made.failed} tone={made.failed ? 'bad' : undefined}>
                        {made.failed > 0 && t('overview.failed-note')}
                    </Stat>
                    <Stat label={t('overview.quarantined')} value={made.quarantined} tone={made.quarantined ? 'bad' : undefined}>
                        {made.quarantined > 0 && t('overview.quarantined-note')}
                    </Stat>
                </>}
            </dl>
        </section>
    );
}

function Saved({ answer: { bytes: { sent, full, saved } } }: { answer: Answer }) {
    const t = useT();
    if (!full)
        return null;
    const share = Math.round((100 * saved) / full);
    return (
        <section aria-labelledby="saved">
            <h2 id="saved">{t('overview.bytes')}</h2>
            <dl class="stats">
                <Stat label={t('overview.saved')} value={saved > 0 ? bytes(saved) : bytes(0)}>{saved > 0 && t('overview.saved-note', { share: number(share) })}</Stat>
                <Stat label={t('overview.sent')} value={bytes(sent)} />
                <Stat label={t('overview.full')} value={bytes(full)} />
            </dl>
            <p class="foot">{t('overview.saved-how')}</p>
        </section>
    );
}

export function Overview() {
    const t = useT();
    const { data: answer, error, again } = useLiveFetch<Answer>('/overview', ['campaigns', 'devices', 'images', 'packages', 'products', 'queue', 'webhooks']);
    const { data: status } = useLiveFetch<Status>('/status', ['packages', 'queue']);
    if (!answer)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const { steps } = answer;
    const isFirst = !(steps.product && steps.images && steps.link);
    return (
        <>
            <Outdated error={error} />
            {isFirst && <FirstSteps answer={answer} onChange={again} />}
            {(!isFirst || answer.next.length > 0) && <NextThings answer={answer} onChange={again} />}
            <Fleet answer={answer} />
            {answer.devices.all > 0 && <Versions answer={answer} />}
            <Packages answer={answer} status={status} />
            <Saved answer={answer} />
            {status && <p class="foot">{t('overview.server', { version: status.version, time: duration(status.uptime_ms) })}</p>}
        </>
    );
}
