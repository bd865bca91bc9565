// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Devices by confirmed version, day by day: a chart, and the same as a table.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { path, problemText } from '../../api';
import { Table, type Column } from '../../components/Table';
import { number } from '../../format';
import { language, useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { useQuery } from '../../router';
import { useStore } from '../../store';
import { theme } from '../../theme';
import type { Answer } from './answer';

interface Day { day: number; devices: Record<string, number> }

const shownVersions = 5; // the others are one band
const spans = ['30', '90', '365'] as const;
const others = '*';

export interface Band { version: string; label: string; values: number[] }

// The versions with the most devices now and before, the rest together.
function bandsOf(days: Day[], label: (version: string) => string): Band[] {
    const weight = new Map<string, number>();
    for (const { devices } of days)
        for (const [version, count] of Object.entries(devices))
            weight.set(version, Math.max(weight.get(version) ?? 0, count));
    weight.delete(others);
    const chosen = [...weight].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).slice(0, shownVersions).map(([version]) => version)
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const bands = chosen.map((version) => ({ version, label: label(version), values: days.map(({ devices }) => devices[version] ?? 0) }));
    const rest = days.map(({ devices }) => Object.entries(devices).reduce((sum, [version, count]) => sum + (chosen.includes(version) ? 0 : count), 0));
    return rest.some(Boolean) ? [...bands, { version: others, label: label(others), values: rest }] : bands;
}

function Chart({ days, bands, name }: { days: Day[]; bands: Band[]; name: string }) {
    const frame = useRef<HTMLDivElement>(null);
    const now = useStore(theme);
    const [system, noteSystem] = useState(false);
    useEffect(() => {
        const dark = matchMedia('(prefers-color-scheme: dark)');
        const onChange = () => noteSystem(dark.matches);
        dark.addEventListener('change', onChange);
        return () => dark.removeEventListener('change', onChange);
    }, []);
    const words = useStore(language);
    useEffect(() => {
        const element = frame.current;
        if (!element)
            return;
        let stop = () => {}, isOver = false;
        void import('./chart').then(({ drawVersions }) => {
            if (!isOver)
                stop = drawVersions(element, days.map(({ day }) => day), bands);
        }, () => {}); // without the server there is no chart; the table has its numbers
        return () => {
            isOver = true;
            stop();
        };
    }, [days, bands, now, system, words]);
    return <div class="chart" ref={frame} role="img" aria-label={name} />;
}

export function Versions({ answer: { firmwares } }: { answer: Answer }) {
    const t = useT();
    const [chosen, choose] = useQuery('chart');
    const [span, setSpan] = useQuery('days');
    const withDevices = firmwares.filter(({ devices }) => devices.all > 0);
    const names = withDevices.map(({ product, firmware }) => `${product}/${firmware}`);
    const at = Math.max(0, names.indexOf(chosen));
    const { product, firmware } = withDevices[at] ?? { product: '', firmware: '' };
    const days = spans.find((one) => one === span) ?? '90';
    const { data, error } = useLiveFetch<{ items: Day[] }>(firmware ? `${path`/products/${product}/firmware/${firmware}/versions`}?days=${days}` : null, ['devices']);
    const bands = useMemo(() => bandsOf(data?.items ?? [], (version) => (version === others ? t('versions.others') : version ? `V${version}` : t('versions.none'))), [data, t]);
    const tag = document.documentElement.lang;
    const columns: Column<{ day: number; at: number }>[] = [
        { title: t('versions.day'), cell: ({ day }) => new Date(day).toLocaleDateString(tag, { timeZone: 'UTC', dateStyle: 'medium' }) },
        ...bands.map(({ label, values }) => ({ title: label, cell: ({ at: row }: { at: number }) => number(values[row] ?? 0), numeric: true })),
    ];
    const rows = (data?.items ?? []).map(({ day }, index) => ({ day, at: index })).reverse();
    return (
        <section aria-labelledby="versions">
            <h2 id="versions">{t('versions.title')}</h2>
            <div class="chart-tools">
                <label>{t('versions.firmware')} <select value={names[at]} onChange={(event) => choose(event.currentTarget.value)}>
                    {names.map((name) => <option key={name} value={name}>{name.replace('/', ' · ')}</option>)}
                </select></label>
                <label>{t('versions.span')} <select value={days} onChange={(event) => setSpan(event.currentTarget.value)}>
                    {spans.map((one) => <option key={one} value={one}>{t('versions.days', { count: Number(one) })}</option>)}
                </select></label>
            </div>
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {data && <>
                <div class="chart-card">
                    <Chart days={data.items} bands={bands} name={t('versions.chart', { firmware })} />
                    <ul class="chart-legend">{bands.map(({ version, label }, i) => <li key={version}><span class={`swatch swatch-${i}`} />{label}</li>)}</ul>
                </div>
                <details>
                    <summary>{t('versions.table')}</summary>
                    <Table caption={t('versions.caption')} rows={rows} rowKey={({ day }) => day} columns={columns} />
                </details>
            </>}
        </section>
    );
}
