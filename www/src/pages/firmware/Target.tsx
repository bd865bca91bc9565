// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The target: changed only after its effect was shown.

import { useState } from 'preact/hooks';

import { send } from '../../api';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Table } from '../../components/Table';
import { bytes, duration, number } from '../../format';
import { useT } from '../../i18n';
import { useReasons } from '../../reason';
import type { Tab } from './One';
import { Facts, Failure, Note, Select, Tag, useCall } from './parts';
import type { Effect } from './types';

const tones = { upgrade: 'good', waiting: 'plain', unreachable: 'bad', up_to_date: 'plain', above: 'plain', unknown: 'warn', out: 'plain' } as const;

function Shown({ effect }: { effect: Effect }) {
    const t = useT();
    const reasonText = useReasons();
    const { forecast } = effect;
    return (
        <div class="stack">
            {effect.conflict && <Note tone="bad">{effect.conflict}</Note>}
            <Facts rows={[
                [t('page.devices'), number(effect.devices)],
                [t('firmware.effect-bytes'), bytes(effect.bytes)],
                [t('firmware.effect-unreachable'), number(effect.unreachable)],
                [t('firmware.effect-out'), effect.out > 0 && number(effect.out)],
                [t('firmware.forecast-rounds'), forecast && forecast.rounds > 0 && number(forecast.rounds)],
                [t('firmware.forecast-time'), forecast && (forecast.duration_ms !== null ? duration(forecast.duration_ms) : t('firmware.forecast-unknown'))],
                [t('firmware.forecast-slow'), forecast && forecast.slow_duration_ms !== null && duration(forecast.slow_duration_ms)],
            ]} />
            {effect.groups.length === 0 && <p class="hint">{t('firmware.effect-none')}</p>}
            {effect.groups.length > 0 && (
                <Table caption={t('firmware.effect-caption')} rows={effect.groups} rowKey={({ version, build_sha256: build, effect: what }) => `${version} ${build} ${what}`} columns={[
                    { title: t('firmware.version'), cell: ({ version }) => version ?? '?' },
                    { title: t('page.devices'), cell: ({ devices }) => number(devices), numeric: true },
                    { title: t('firmware.effect'), cell: ({ effect: what }) => <Tag tone={tones[what]}>{t(`firmware.effect-${what}`)}</Tag> },
                    { title: t('firmware.tab-path'), cell: (group) => group.path?.join(' → ') ?? <span class="name">{reasonText(group)}</span> },
                    { title: t('firmware.effect-each'), cell: ({ bytes_per_device: each }) => (each === null ? '' : bytes(each)), numeric: true },
                ]} />
            )}
        </div>
    );
}

function Change({ at, info, images, again, onClose }: Tab & { onClose: () => void }) {
    const t = useT();
    const possible = images.filter(({ withdrawn }) => !withdrawn).map(({ version }) => version).reverse();
    const [version, setVersion] = useState(possible.find((one) => one !== info.target) ?? possible[0] ?? '');
    const [effect, setEffect] = useState<Effect | null>(null);
    const { busy, problem, run, forget } = useCall();
    const show = () => run(async () => {
        setEffect(await (await send(`${at}/target?dry_run=1`, { method: 'PUT', json: { version } })).json() as Effect);
    });
    const set = async () => {
        if (await run(() => send(`${at}/target`, { method: 'PUT', json: { version } }))) {
            again();
            onClose();
        }
    };
    const drop = async () => {
        if (await run(() => send(`${at}/target`, { method: 'DELETE' }))) {
            again();
            onClose();
        }
    };
    if (possible.length === 0)
        return <p>{t('firmware.target-no-image')}</p>;
    return (
        <div class="stack">
            <p class="hint">{t('firmware.target-hint')}</p>
            <Select label={t('firmware.version')} value={version} options={possible.map((one) => [one, one === info.target ? t('firmware.target-now', { version: one }) : one])}
                onPick={(one) => { setVersion(one); setEffect(null); forget(); }} />
            {effect && <Shown effect={effect} />}
            <Failure problem={problem} />
            <footer class="row">
                <Button kind={effect ? 'plain' : 'primary'} busy={busy} onClick={() => void show()}>{t('firmware.target-show')}</Button>
                {effect && <Button needs="operate" kind="primary" busy={busy} onClick={() => void set()}>{t('firmware.target-set', { version })}</Button>}
                {info.target && <Button needs="operate" kind="danger" busy={busy} onClick={() => void drop()}>{t('firmware.target-clear')}</Button>}
            </footer>
        </div>
    );
}

export function Target({ open, onClose, ...tab }: Tab & { open: boolean; onClose: () => void }) {
    const t = useT();
    return (
        <Dialog title={t('firmware.target-title', { firmware: tab.info.firmware })} open={open} onClose={onClose}>
            <Change {...tab} onClose={onClose} />
        </Dialog>
    );
}
