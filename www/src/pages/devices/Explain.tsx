// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The decision for the next request of the device, rule by rule.

import { useEffect, useRef, useState } from 'preact/hooks';

import { path, problemText, useFetch } from '../../api';
import { useT } from '../../i18n';
import { useReasons, type Reason } from '../../reason';
import { word } from './columns';

interface Rule extends Reason<'asks'> { outcome: 'passed' | 'answered' }

interface Explained extends Reason<'reason'> {
    over: string;
    link: number | null;
    firmware: string;
    from: string | null;
    build: { variant: string | null } | null;
    target: string | null;
    code: number;
    rules: Rule[];
}

function Rules({ product, id, stamp }: { product: string; id: string; stamp: string }) {
    const t = useT();
    const reasonText = useReasons();
    const { data, error, again } = useFetch<Explained>(`${path`/products/${product}/explain`}?device=${encodeURIComponent(id)}`);
    const seen = useRef(stamp);
    useEffect(() => {
        if (seen.current !== stamp)
            again();
        seen.current = stamp;
    }, [stamp]);
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="hint" aria-busy="true">{t('devices.searching')}</p>;
    return (
        <>
            <p><strong>{t('device.explain-code', { code: data.code })}</strong> {reasonText(data)}</p>
            <p class="hint">{t('device.explain-way', { way: word('over', data.over), firmware: data.firmware, from: data.from ? `${data.from}${data.build?.variant ? ` (${data.build.variant})` : ''}` : '–', target: data.target ?? '–' })}</p>
            <ol class="rules">
                {data.rules.map((rule) => (
                    <li key={rule.asks} class={rule.outcome}>
                        <span>{reasonText(rule, 'asks')}</span> <span class="mark">{t(rule.outcome === 'answered' ? 'device.rule-answered' : 'device.rule-passed')}</span>
                    </li>
                ))}
            </ol>
        </>
    );
}

export function Explain(props: { product: string; id: string; stamp: string }) {
    const t = useT();
    const [open, setOpen] = useState(false);
    return (
        <details class="panel" onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary><h2>{t('device.explain')}</h2></summary>
            {open && <Rules {...props} />}
        </details>
    );
}
