// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The settings of a firmware. Only what was changed is sent.

import { useState } from 'preact/hooks';

import { get, isOutdated, read, send } from '../../api';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { ChangeForm } from '../../components/May';
import { toast } from '../../components/Toast';
import { useT } from '../../i18n';
import type { Tab } from './One';
import { Failure, Select, Tag, useCall } from './parts';
import { formats, fullPackages, type FirmwareInfo, type Format, type FullPackages } from './types';

type Values = Pick<FirmwareInfo, 'format' | 'max_package_bytes' | 'downgrades' | 'canary_confirmations' | 'quarantine_after' | 'hours' | 'max_bytes_per_month' | 'full_packages'>;

function changesOf(now: Values, wanted: Values): Partial<Values> {
    return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => now[key as keyof Values] !== value));
}

function FormatChoice({ info, value, onPick }: { info: FirmwareInfo; value: Format | null; onPick: (format: Format | null) => void }) {
    const t = useT();
    return (
        <fieldset class="choices">
            <legend>{t('firmware.format')}</legend>
            {[...formats, null].map((format) => (
                <label key={format}>
                    <input type="radio" name="format" checked={value === format} onChange={() => onPick(format)} />
                    <span>
                        <strong>{format ?? t('firmware.format-none')}</strong>{' '}
                        {format && format === info.fitting_format && <Tag tone="good">{t('firmware.format-fits')}</Tag>}
                        <span class="hint">{t(`firmware.format-${format ?? 'none'}-text`)}</span>
                    </span>
                </label>
            ))}
        </fieldset>
    );
}

export function Settings({ at, info, again }: Tab) {
    const t = useT();
    const [now, setNow] = useState<FirmwareInfo>(info); // what the form began with
    const [wanted, setWanted] = useState<Values>(info);
    const { busy, problem, run } = useCall();
    const changes = changesOf(now, wanted);
    // The keys of `info` that are no settings are the same in both.
    const set = (fields: Partial<Values>) => setWanted({ ...wanted, ...fields });
    const save = async () => {
        const show = (saved: FirmwareInfo) => {
            setNow(saved);
            setWanted(saved);
        };
        const done = await run(async () => {
            try {
                show(await read(await send(at, { method: 'PATCH', json: changes, match: now })));
            } catch (error) {
                if (isOutdated(error))
                    show(await get(at));
                throw error;
            }
        });
        if (!done)
            return;
        toast(t('firmware.saved'));
        again();
    };
    const amount = (key: 'max_package_bytes' | 'canary_confirmations' | 'quarantine_after' | 'max_bytes_per_month', min: number, max: number) => (
        <Field label={t(`firmware.set-${key}`)} hint={t(`firmware.set-${key}-hint`)} type="number" inputMode="numeric" min={min} max={max} step={1} required
            value={wanted[key]} onInput={(event) => set({ [key]: event.currentTarget.valueAsNumber })} />
    );
    return (
        <ChangeForm needs="admin" shown class="form settings" onSubmit={(event) => { event.preventDefault(); void save(); }}>
            <FormatChoice info={info} value={wanted.format} onPick={(format) => set({ format })} />
            {amount('max_package_bytes', 1, 1073741824)}
            <label class="check">
                <input type="checkbox" checked={wanted.downgrades} onChange={(event) => set({ downgrades: event.currentTarget.checked })} />
                <span><strong>{t('firmware.set-downgrades')}</strong><span class="hint">{t('firmware.set-downgrades-hint')}</span></span>
            </label>
            {(wanted.format === 'ec618-csdk' || wanted.full_packages !== 'off') && (
                <div>
                    <Select label={t('firmware.set-full_packages')} value={wanted.full_packages}
                        options={fullPackages.map((one): [string, string] => [one, t(`firmware.full_packages-${one}`)])}
                        onPick={(one) => set({ full_packages: one as FullPackages })} />
                    <p class="hint">{t('firmware.set-full_packages-hint')}</p>
                </div>
            )}
            {amount('canary_confirmations', 0, 1000)}
            {amount('quarantine_after', 1, 1000)}
            <Field label={t('firmware.set-hours')} hint={t('firmware.set-hours-hint')} value={wanted.hours} required
                pattern="always|\d\d:\d\d-\d\d:\d\d[+\-]\d\d:\d\d" onInput={(event) => set({ hours: event.currentTarget.value.trim() })} />
            {amount('max_bytes_per_month', 0, 1e12)}
            <Failure problem={problem} />
            <div class="row">
                <Button needs="admin" kind="primary" type="submit" busy={busy} disabled={Object.keys(changes).length === 0}>{t('action.save')}</Button>
                {Object.keys(changes).length > 0 && <Button onClick={() => setWanted(now)}>{t('firmware.set-undo')}</Button>}
            </div>
        </ChangeForm>
    );
}
