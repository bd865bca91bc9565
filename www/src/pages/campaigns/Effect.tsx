// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText, send, useFetch } from '../../api';
import { Table } from '../../components/Table';
import { bytes, duration, number } from '../../format';
import { useT } from '../../i18n';
import { useLive } from '../../live';
import { useReasons } from '../../reason';
import { campaignPath, type Effect, type Forecast, type Group, type Where } from './types';

const dryRun = async (path: string, signal?: AbortSignal) => await (await send(path, { method: 'POST', ...(signal ? { signal } : {}) })).json() as Effect;

const dryRunPath = (where: Where) => `${campaignPath(where)}/start?dry_run=1`;

// Whether the start would still do what was shown.
export async function isStill(where: Where, { devices, out, unreachable, bytes: size }: Effect): Promise<boolean> {
    const now = await dryRun(dryRunPath(where));
    return now.devices === devices && now.out === out && now.unreachable === unreachable && now.bytes === size;
}

// What the start would do now.
export function useEffectOf(where: Where) {
    const fetched = useFetch<Effect>(dryRunPath(where), 0, dryRun);
    useLive(['campaigns', 'images', 'packages'], fetched.again);
    return fetched;
}

export function forecastTime({ duration_ms: typical, slow_duration_ms: slow }: Forecast, t: ReturnType<typeof useT>): string {
    if (typical === null)
        return t('campaigns.time-unknown');
    return slow === null || slow === typical ? duration(typical) : t('campaigns.time-range', { typical: duration(typical), slow: duration(slow) });
}

function Facts({ effect: { forecast, devices, bytes: size, unreachable, out } }: { effect: Effect }) {
    const t = useT();
    const rows: [string, string][] = [
        [t('campaigns.devices'), number(devices)],
        [t('campaigns.with-path'), number(forecast.devices)],
        [t('campaigns.unreachable'), number(unreachable)],
        ...(out ? [[t('campaigns.outcome-out'), number(out)] as [string, string]] : []),
        ...(forecast.waiting ? [[t('campaigns.effect-waiting'), number(forecast.waiting)] as [string, string]] : []),
        ...(forecast.unknown ? [[t('campaigns.effect-unknown'), number(forecast.unknown)] as [string, string]] : []),
        [t('campaigns.bytes'), bytes(size)],
        [t('campaigns.hops'), number(forecast.hops)],
        [t('campaigns.rounds'), number(forecast.rounds)],
        [t('campaigns.time'), forecastTime(forecast, t)],
    ];
    return <dl class="fact-list">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Groups({ groups }: { groups: Group[] }) {
    const t = useT();
    const reasonText = useReasons();
    return (
        <Table caption={t('campaigns.groups')} rows={groups} rowKey={({ version, build_sha256: build, effect, path }) => `${version} ${build} ${effect} ${path?.join()}`} columns={[
            { title: t('campaigns.version'), cell: ({ version }) => version ?? '–' },
            { title: t('campaigns.devices'), cell: ({ devices }) => number(devices), numeric: true },
            { title: t('campaigns.what-happens'), cell: (group) => <>{t(`campaigns.effect-${group.effect}`)}{group.reason && <span class="sub">{reasonText(group)}</span>}</> },
            { title: t('campaigns.path'), cell: ({ path }) => path?.join(' → ') ?? '–' },
            { title: t('campaigns.bytes-each'), cell: ({ bytes_per_device: each }) => (each === null ? '–' : bytes(each)), numeric: true },
        ]} />
    );
}

export function EffectPanel({ effect, error }: { effect: Effect | null; error: Parameters<typeof problemText>[0] | null }) {
    const t = useT();
    return (
        <section class="card aside" aria-label={t('campaigns.effect')}>
            <h3>{t('campaigns.effect')}</h3>
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {!effect && !error && <p aria-busy="true" class="hint">{t('campaigns.effect-busy')}</p>}
            {effect && (
                <>
                    {effect.conflict && <p class="alert bad" role="alert"><b>{t('campaigns.conflict')}</b> {effect.conflict}</p>}
                    <Facts effect={effect} />
                    {effect.forecast.duration_ms === null && <p class="hint">{t('campaigns.time-hint')}</p>}
                    {effect.forecast.quiet > 0 && <p class="hint">{t('campaigns.quiet', { count: effect.forecast.quiet, sampled: effect.forecast.sampled })}</p>}
                    <Groups groups={effect.groups} />
                </>
            )}
        </section>
    );
}
