// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText, useFetch } from '../api';
import { Command, Empty } from '../components/Empty';
import { Stat } from '../components/Stat';
import { Table } from '../components/Table';
import { duration, number } from '../format';
import { useT } from '../i18n';

interface Status {
    version: string;
    uptime_ms: number;
    products: number;
    devices: number;
    conflicts: number;
    packages: { queued: number; generating: number; ready: number; failed: number; quarantined: number; estimate_ms: number | null };
    admission_full: { product: string; network: string | null; devices: number }[];
}

const refreshMs = 10_000;

// The first visit: from nothing to the first link.
function FirstSteps() {
    const t = useT();
    const steps = [
        [t('first.product'), 'dfotactl product add "Village pumps"'],
        [t('first.images'), 'dfotactl image upload FILE…'],
        [t('first.format'), 'dfotactl firmware set FIRMWARE --format FORMAT'],
        [t('first.target'), 'dfotactl target set FIRMWARE VERSION'],
        [t('first.link'), 'dfotactl device link IMEI --version VERSION'],
    ] as const;
    return (
        <Empty title={t('first.title')}>
            <p>{t('first.text')}</p>
            <ol class="steps">
                {steps.map(([text, command]) => <li key={command}><span>{text}</span><Command>{command}</Command></li>)}
            </ol>
        </Empty>
    );
}

function Full({ rows }: { rows: Status['admission_full'] }) {
    const t = useT();
    return (
        <section>
            <h2>{t('full.title')}</h2>
            <Table caption={t('full.caption')} rows={rows} rowKey={({ product, network }) => `${product} ${network}`} columns={[
                { title: t('column.product'), cell: ({ product }) => product },
                { title: t('column.network'), cell: ({ network }) => network ?? t('full.all') },
                { title: t('column.new-devices'), cell: ({ devices }) => number(devices), numeric: true },
            ]} />
        </section>
    );
}

function Numbers({ status: { version, uptime_ms: uptime, products, devices, conflicts, packages } }: { status: Status }) {
    const t = useT();
    const waiting = packages.queued + packages.generating;
    return (
        <>
            <section aria-labelledby="fleet">
                <h2 id="fleet">{t('overview.fleet')}</h2>
                <dl class="stats">
                    <Stat label={t('overview.devices')} value={devices} />
                    <Stat label={t('overview.products')} value={products} />
                    <Stat label={t('overview.claims')} value={conflicts} tone={conflicts ? 'warn' : undefined}>{conflicts > 0 && t('overview.claims-note')}</Stat>
                </dl>
            </section>
            <section aria-labelledby="packages">
                <h2 id="packages">{t('overview.packages')}</h2>
                <dl class="stats">
                    <Stat label={t('overview.ready')} value={packages.ready} />
                    <Stat label={t('overview.queue')} value={waiting}>
                        {waiting > 0 && packages.estimate_ms !== null && t('overview.estimate', { time: duration(packages.estimate_ms) })}
                    </Stat>
                    <Stat label={t('overview.failed')} value={packages.failed} tone={packages.failed ? 'bad' : undefined}>
                        {packages.failed > 0 && t('overview.failed-note')}
                    </Stat>
                    <Stat label={t('overview.quarantined')} value={packages.quarantined} tone={packages.quarantined ? 'bad' : undefined}>
                        {packages.quarantined > 0 && t('overview.quarantined-note')}
                    </Stat>
                </dl>
            </section>
            <p class="foot">{t('overview.server', { version, time: duration(uptime) })}</p>
        </>
    );
}

export function Overview() {
    const { data: status, error } = useFetch<Status>('/status', refreshMs);
    if (!status)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    return (
        <>
            {status.products === 0 && <FirstSteps />}
            {status.admission_full.length > 0 && <Full rows={status.admission_full} />}
            <Numbers status={status} />
        </>
    );
}
