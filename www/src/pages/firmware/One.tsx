// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One firmware: what it is now, and its tabs. The tab and all that is chosen in it is in the address.

import type { ComponentType } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { path, problemText } from '../../api';
import { Link } from '../../components/Link';
import { May } from '../../components/May';
import { Outdated } from '../../components/Outdated';
import { Stat } from '../../components/Stat';
import { bytes } from '../../format';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { useQuery } from '../../router';
import { Images } from './Images';
import { Matrix } from './Matrix';
import { Package } from './Package';
import { Loading, Note } from './parts';
import { Path } from './Path';
import { Settings } from './Settings';
import { Target } from './Target';
import type { FirmwareInfo, Image, Items } from './types';

export interface Tab {
    product: string;
    at: string; // path of the firmware in the API
    info: FirmwareInfo;
    images: Image[];
    again: () => void;
}

const tabs = { images: Images, matrix: Matrix, path: Path, package: Package, settings: Settings } satisfies Record<string, ComponentType<Tab>>;
type TabName = keyof typeof tabs;
const names = Object.keys(tabs) as TabName[];

function Tabs({ product, firmware, current }: { product: string; firmware: string; current: TabName }) {
    const t = useT();
    const [from] = useQuery('from');
    const [to] = useQuery('to');
    return (
        <div role="group" aria-label={t('firmware.tabs')} class="tabs">
            {names.map((tab) => (
                <Link key={tab} to="/firmware" aria-current={tab === current ? 'page' : undefined}
                    query={{ product, firmware, tab, ...(from && { from }), ...(to && { to }) }}>{t(`firmware.tab-${tab}`)}</Link>
            ))}
        </div>
    );
}

// `hasList`: the list was shown before, so the link that had the focus is gone.
export function One({ product, firmware, hasList }: { product: string; firmware: string; hasList: boolean }) {
    const t = useT();
    const at = path`/products/${product}/firmware/${firmware}`;
    const { data: info, error, again } = useLiveFetch<FirmwareInfo>(at, ['devices', 'images', 'packages']);
    const { data: images, again: imagesAgain } = useLiveFetch<Items<Image>>(`${at}/images`, ['images']);
    const [chosen] = useQuery('tab');
    const current = names.find((name) => name === chosen) ?? 'images';
    const [isTargeting, setTargeting] = useState(false);
    const heading = useRef<HTMLHeadingElement>(null);
    useLayoutEffect(() => {
        if (info && hasList && document.activeElement === document.body)
            heading.current?.focus({ preventScroll: true });
    }, [Boolean(info)]);
    const back = <p class="firmware-crumbs"><Link to="/firmware">{t('firmware.all')}</Link> › <span class="name">{product}</span></p>;
    if (!info || !images)
        return error ? <>{back}<p class="error" role="alert">{problemText(error)}</p></> : <Loading />;
    const View: ComponentType<Tab> = tabs[current];
    const tab: Tab = { product, at, info, images: images.items, again: () => { again(); imagesAgain(); } };
    return (
        <>
            <header class="one-head">
                {back}
                <h2 class="name" ref={heading} tabIndex={-1}>{info.firmware}</h2>
            </header>
            <Outdated error={error} />
            {info.notice && <Note><p>{info.notice}</p></Note>}
            <dl class="stats">
                <Stat label={t('firmware.target')} value={info.target ?? t('firmware.unset')}>
                    <May needs="operate"><button type="button" class="link" onClick={() => setTargeting(true)}>{t('firmware.target-change')}</button></May>
                </Stat>
                <Stat label={t('firmware.format')} value={info.format ?? t('firmware.unset')} tone={info.format ? undefined : 'warn'}>
                    {info.format ? info.format_is_default && t('firmware.format-default') : t('firmware.format-unset-note')}
                </Stat>
                <Stat label={t('firmware.limit')} value={bytes(info.max_package_bytes)} tone={info.limit_note && !info.chip ? 'warn' : undefined}>
                    {info.limit_note && (info.chip
                        ? t('firmware.limit-of-chip', { chip: info.chip.toUpperCase(), limit: info.chip_limit ?? 0 })
                        : t('firmware.limit-chip-unknown'))}
                </Stat>
                <Stat label={t('page.devices')} value={info.devices} />
                {info.quarantined > 0 && <Stat label={t('overview.quarantined')} value={info.quarantined} tone="bad">{t('overview.quarantined-note')}</Stat>}
            </dl>
            <Tabs product={product} firmware={firmware} current={current} />
            <View key={current} {...tab} />
            <Target {...tab} open={isTargeting} onClose={() => setTargeting(false)} />
        </>
    );
}
