// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { useT, type Key } from '../../i18n';
import { go } from '../../router';
import { useChange } from './change';
import type { DeviceProps } from './DevicePage';
import { devicePath } from './model';

type Asked = 'retire' | 'delete' | 'write-off' | 'replace';

const texts: Record<Asked, Key> = {
    retire: 'device.retire-text', delete: 'device.delete-text', 'write-off': 'device.write-off-text', replace: 'device.replace-text',
};

const titles: Record<Asked, Key> = { retire: 'devices.action.retire', delete: 'device.delete', 'write-off': 'device.write-off', replace: 'device.replace' };

// What cannot be undone, or ends a download, is asked before.
function Question({ asked, props: { product, id, again }, onClose }: { asked: Asked; props: DeviceProps; onClose: () => void }) {
    const t = useT();
    const [successor, setSuccessor] = useState('');
    const { busy, change } = useChange(() => { onClose(); again(); });
    const path = devicePath(product, id);
    const run = async () => {
        if (asked === 'replace') {
            const answer = await change(`${path}/replace`, { method: 'POST', json: { device: successor.trim() } });
            const made = await answer?.json() as { device: string; id_kind: string } | undefined;
            if (made)
                go('/devices', { product, device: `${made.id_kind}:${made.device}` });
        } else if (asked === 'delete') {
            if (await change(path, { method: 'DELETE' }, t('device.deleted')))
                go('/devices', { product });
        } else {
            await change(`${path}/${asked}`, { method: 'POST' }, t('device.done'));
        }
    };
    return (
        <Dialog title={t(titles[asked])} open onClose={onClose} actions={
            <>
                <Button onClick={onClose}>{t('device.cancel')}</Button>
                <Button needs="operate" kind="danger" busy={busy} disabled={asked === 'replace' && !successor.trim()} onClick={() => void run()}>{t(titles[asked])}</Button>
            </>}>
            <p class="wrap">{t(texts[asked], { device: id })}</p>
            {asked === 'replace' && <Field label={t('device.successor')} value={successor} spellcheck={false} onInput={(event) => setSuccessor(event.currentTarget.value)} />}
        </Dialog>
    );
}

export function DeviceActions(props: DeviceProps) {
    const t = useT();
    const { product, id, device, again } = props;
    const [asked, setAsked] = useState<Asked | null>(null);
    const { busy, change } = useChange(again);
    const path = devicePath(product, id);
    const post = (rest: string) => void change(path + rest, { method: 'POST' }, t('device.done'));
    const hold = (held_out: boolean) => void change(path, { method: 'PATCH', json: { held_out } }, t('device.done'));
    const neverUsed = device.check_ins === 0 && device.attempts.length === 0 && device.confirmed_version === null;
    const isTrying = device.attempts.some(({ state }) => ['sending', 'interrupted', 'delivered', 'handed_over'].includes(state));
    return (
        <div class="tool-line" role="group" aria-label={t('devices.bulk.action')}>
            {device.state === 'active' && <Button needs="operate" busy={busy} onClick={() => hold(!device.held_out)}>{t(device.held_out ? 'devices.action.let-in' : 'devices.action.hold-out')}</Button>}
            {device.state === 'held' && <Button needs="operate" kind="primary" busy={busy} onClick={() => post('/admit')}>{t('devices.action.admit')}</Button>}
            {device.state === 'retired'
                ? <Button needs="operate" busy={busy} onClick={() => post('/restore')}>{t('devices.action.restore')}</Button>
                : <>
                    <Button needs="operate" onClick={() => setAsked('replace')}>{t('device.replace')}</Button>
                    <Button needs="operate" onClick={() => setAsked('retire')}>{t('devices.action.retire')}</Button>
                </>}
            {isTrying && <Button needs="operate" onClick={() => setAsked('write-off')}>{t('device.write-off')}</Button>}
            {neverUsed && <Button needs="operate" kind="danger" onClick={() => setAsked('delete')}>{t('device.delete')}</Button>}
            {asked && <Question asked={asked} props={props} onClose={() => setAsked(null)} />}
        </div>
    );
}
