// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// All pairs of images as a heat map. It follows the queue: a cell that is being generated turns into a number.

import { useId, useMemo, useState } from 'preact/hooks';

import { problemText } from '../../api';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { duration, number } from '../../format';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { useReasons } from '../../reason';
import { useQuery } from '../../router';
import { buildOf, namedMatrix } from './build';
import { kinds, rowsOf, shareOf, textOf, type Cell } from './cells';
import { Grid } from './Grid';
import type { Tab } from './One';
import { Loading, Note } from './parts';
import type { MatrixInfo, Queue } from './types';

const kib = 1024;

function Legend({ cells }: { cells: Cell[] }) {
    const t = useT();
    const counts = new Map<string, number>();
    for (const { kind } of cells)
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return (
        <ul class="legend" aria-label={t('firmware.legend')}>
            {kinds.map((kind) => (
                <li key={kind}>
                    <span class={`swatch c-${kind}`} aria-hidden="true">{textOf(kind, null)}</span>
                    {t(`firmware.cell-${kind}`)} <span class="hint">{number(counts.get(kind) ?? 0)}</span>
                </li>
            ))}
        </ul>
    );
}

function CellFacts({ cell, limit }: { cell: Cell; limit: number }) {
    const t = useT();
    const reasonText = useReasons();
    const { pair } = cell;
    const facts = [
        t(`firmware.cell-${cell.kind}`),
        pair?.size && `${t('firmware.bytes', { count: pair.size })} (${shareOf(pair.counted ?? pair.size, limit)})`,
        pair?.size && pair.counted !== pair.size && t('firmware.counted', { count: pair.counted ?? 0 }),
        pair?.size && (pair.proven ? t('firmware.proven') : pair.released ? t('firmware.released') : t('firmware.unproven')),
        pair?.effort && t('firmware.effort-is', { effort: t(`firmware.effort-${pair.effort}`) }),
        pair?.duration_ms && t('firmware.took', { time: duration(pair.duration_ms) }),
        pair && pair.waiting > 0 && t('firmware.waiting', { count: pair.waiting }),
        pair && reasonText(pair, 'quarantine'),
        pair?.state === 'failed' && pair.error,
    ].filter(Boolean);
    return <p><strong>{cell.from} → {cell.to}</strong> · {facts.join(' · ')}</p>;
}

function Picked({ product, firmware, cell }: { product: string; firmware: string; cell: Cell }) {
    const t = useT();
    const query = { product, firmware, from: cell.from, to: cell.to };
    return (
        <p class="row">
            <Link to="/firmware" query={{ ...query, tab: 'path' }}>{t('firmware.open-path')}</Link>
            <Link to="/firmware" query={{ ...query, tab: 'package' }}>{t('firmware.open-package')}</Link>
            {cell.pair && cell.pair.waiting > 0 && (
                <Link to="/devices" query={{ product, filter: `firmware="${firmware}" and version=${buildOf(cell.from).version}` }}>{t('firmware.show-devices')}</Link>
            )}
        </p>
    );
}

function QueueLine({ queue }: { queue: Queue }) {
    const t = useT();
    const left = queue.queued + queue.generating;
    return (
        <p class="hint" role="status">
            {left === 0 ? t('firmware.queue-empty') : t('firmware.queue', { queued: queue.queued, generating: queue.generating })}
            {left > 0 && queue.estimate_ms !== null && ` · ${t('overview.estimate', { time: duration(queue.estimate_ms) })}`}
        </p>
    );
}

// Full packages of CSDK lead from any version.
function FullPackages({ info }: { info: MatrixInfo }) {
    const t = useT();
    if (info.full_packages.length === 0)
        return null;
    return (
        <section aria-labelledby="full-packages">
            <h3 id="full-packages">{t('firmware.full-packages')}</h3>
            <ul class="hops">
                {info.full_packages.map(({ to, state, size }, at) => (
                    <li key={at}>{t('firmware.any')} → {to} {size !== null && t('firmware.bytes', { count: size })} {t(`firmware.state-${state}`)}</li>
                ))}
            </ul>
        </section>
    );
}

export function Matrix(tab: Tab) {
    const t = useT();
    const id = useId();
    const { product, info } = tab;
    const { data: answer, error } = useLiveFetch<MatrixInfo>(`${tab.at}/matrix`, ['devices', 'images', 'packages', 'queue']);
    const data = useMemo(() => answer && namedMatrix(answer), [answer]);
    const [looked, setLooked] = useState<{ from: string; to: string } | null>(null);
    const [from, setFrom] = useQuery('from');
    const [to, setTo] = useQuery('to');
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <Loading />;
    const fullText = data.full.length > 0 && <p class="hint">{t('firmware.matrix-full', { count: data.full.length })} {data.full.join(', ')}</p>;
    if (data.versions.length < 2)
        return <Empty title={t('firmware.matrix-empty')}><p>{t('firmware.matrix-empty-text')}</p>{fullText}</Empty>;
    const cells = rowsOf(data).flat();
    const find = (pair: { from: string; to: string } | null) => (pair && cells.find((cell) => cell.from === pair.from && cell.to === pair.to)) ?? null;
    const picked = find({ from, to });
    const shown = find(looked) ?? picked;
    const spot = picked && { row: data.versions.indexOf(from), column: data.versions.indexOf(to) - 1 };
    return (
        <>
            <p id={id} class="hint">{t('firmware.matrix-text', { limit: number(Math.floor(data.limit / kib)), bytes: number(data.limit) })}</p>
            {!data.format && <Note>{t('firmware.format-unset-note')}</Note>}
            <Legend cells={cells} />
            <div class="cell-facts">
                {shown ? <CellFacts cell={shown} limit={data.limit} /> : <p class="hint">{t('firmware.matrix-hint')}</p>}
            </div>
            <Grid info={data} target={info.target} picked={spot} label={t('firmware.matrix-label', { firmware: info.firmware })} describedBy={id}
                onLook={setLooked} onPick={(cell) => { setFrom(cell.from); setTo(cell.to); }} />
            {picked && (
                <section class="picked" aria-label={t('firmware.picked')}>
                    <CellFacts cell={picked} limit={data.limit} />
                    <Picked product={product} firmware={info.firmware} cell={picked} />
                </section>
            )}
            <QueueLine queue={data.queue} />
            {fullText}
            <FullPackages info={data} />
        </>
    );
}
