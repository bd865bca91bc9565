// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The path of a device from one version to another: drawn, as a list, and what was ruled out.

import { useEffect, useState } from 'preact/hooks';

import { problemText, send } from '../../api';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { Table } from '../../components/Table';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { useReasons } from '../../reason';
import { useQuery } from '../../router';
import { nameOf, namedPath, pathPath } from './build';
import { Drawing } from './Drawing';
import type { Tab } from './One';
import { Failure, Loading, Note, Select, Tag, useCall } from './parts';
import type { Hop, PathInfo } from './types';

const isUnderWay = ({ state }: Hop) => state === 'queued' || state === 'generating' || state === 'oversize';

// Requests packages until the path is settled: what is made decides what is requested next.
function useRequest(where: string, found: PathInfo | null, again: () => void) {
    const [asked, setAsked] = useState(false);
    const call = useCall();
    const ask = async () => {
        setAsked(await call.run(() => send(where, { method: 'POST' })));
        again();
    };
    useEffect(() => setAsked(false), [where]);
    useEffect(() => {
        if (!asked || !found || call.busy)
            return;
        if (found.state !== 'waiting')
            setAsked(false);
        else if (!found.waiting.some(isUnderWay))
            void ask();
    }, [found]);
    return { ...call, asked, ask: () => void ask() };
}

function HopLine({ hop, tab }: { hop: Hop; tab: Tab }) {
    const t = useT();
    return (
        <li>
            <Link to="/firmware" query={{ product: tab.product, firmware: tab.info.firmware, tab: 'package', from: hop.from, to: hop.to }}>{hop.from} → {hop.to}</Link>{' '}
            {hop.size !== null && t('firmware.bytes', { count: hop.size })}{' '}
            {hop.full && <Tag tone="warn">{t('firmware.full-tag')}</Tag>}{' '}
            {hop.state !== 'ready' && <Tag tone={hop.state === 'failed' ? 'bad' : 'warn'}>{t(`firmware.state-${hop.state}`)}</Tag>}
        </li>
    );
}

// The full package of CSDK beside the path of deltas, and what the difference costs.
function BothWays({ found: { full } }: { found: PathInfo }) {
    const t = useT();
    if (!full)
        return null;
    const { size, more_bytes: more, deltas } = full;
    return (
        <p>
            {size === null ? t('firmware.full-unknown') : t('firmware.full-size', { count: size })}{' '}
            {more !== null && t(more < 0 ? 'firmware.full-fewer' : 'firmware.full-more', { count: Math.abs(more) })}{' '}
            {full.used && deltas.hops.length > 0 && t('firmware.full-deltas', { count: deltas.hops.length, bytes: deltas.size ?? 0 })}
        </p>
    );
}

function Found({ found, tab, where, again }: { found: PathInfo; tab: Tab; where: string; again: () => void }) {
    const t = useT();
    const reasonText = useReasons();
    const { busy, problem, asked, ask } = useRequest(where, found, again);
    const { hops, excluded, waiting } = found;
    return (
        <>
            <p role="status"><strong>{found.state === 'path' ? t('firmware.path-found', { count: hops.length, bytes: found.size ?? 0 })
                : t(`firmware.path-${found.state}`)}</strong></p>
            {found.advice && <Note>{reasonText(found, 'advice')}</Note>}
            <BothWays found={found} />
            <Drawing found={found} />
            {hops.length > 0 && <ol class="hops">{hops.map((hop) => <HopLine key={hop.to} hop={hop} tab={tab} />)}</ol>}
            {found.state === 'waiting' && (
                <section aria-labelledby="path-waiting">
                    <h3 id="path-waiting">{t('firmware.path-waits-for')}</h3>
                    <ul class="hops">{waiting.map((hop) => <HopLine key={`${hop.from} ${hop.to}`} hop={hop} tab={tab} />)}</ul>
                    <div class="row">
                        <Button needs="upload" kind="primary" busy={busy || asked} onClick={ask}>{t('firmware.path-request')}</Button>
                        {asked && <span class="hint" role="status">{t('firmware.path-requested')}</span>}
                    </div>
                    <Failure problem={problem} />
                </section>
            )}
            {excluded.length > 0 && (
                <section aria-labelledby="path-excluded">
                    <h3 id="path-excluded">{t('firmware.path-excluded')}</h3>
                    <Table caption={t('firmware.path-excluded-caption')} rows={excluded} rowKey={({ from, to }) => `${from} ${to}`} columns={[
                        { title: t('firmware.from'), cell: ({ from }) => from },
                        { title: t('firmware.to'), cell: ({ to }) => to },
                        { title: t('firmware.why'), cell: (pair) => <span class="name">{reasonText(pair)}</span> },
                    ]} />
                </section>
            )}
        </>
    );
}

// The two versions of the address, for the tabs that need them.
export function Ends({ images, ends }: { images: Tab['images']; ends: 'path' | 'package' }) {
    const t = useT();
    const [from, setFrom] = useQuery('from');
    const [to, setTo] = useQuery('to');
    const names = images.filter(({ kind }) => ends === 'path' || kind === 'image').map(nameOf);
    const options = (now: string): [string, string][] => [['', t('firmware.choose')],
        ...[...names, ...(now && !names.includes(now) ? [now] : [])].map((one): [string, string] => [one, one])];
    return (
        <div class="row ends">
            <Select label={t('firmware.from')} value={from} options={options(from)} onPick={setFrom} />
            <Select label={t('firmware.to')} value={to} options={options(to)} onPick={setTo} />
            {from && to && <Button onClick={() => { setFrom(to); setTo(from); }}>{t('firmware.swap')}</Button>}
        </div>
    );
}

export function Path(tab: Tab) {
    const t = useT();
    const [from] = useQuery('from');
    const [to] = useQuery('to');
    const where = pathPath(tab.at, tab.images, from, to);
    const { data, error, again } = useLiveFetch<PathInfo>(from && to && from !== to ? where : null, ['images', 'packages', 'queue']);
    return (
        <>
            <Ends images={tab.images} ends="path" />
            {!(from && to) && <Empty title={t('firmware.path-empty')}><p>{t('firmware.path-empty-text')}</p></Empty>}
            {from && to && from === to && <p role="alert" class="error">{t('firmware.ends-equal')}</p>}
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {from && to && from !== to && !error && !data && <Loading />}
            {data && !error && <Found key={where} found={namedPath(data)} tab={tab} where={where} again={again} />}
        </>
    );
}
