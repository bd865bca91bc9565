// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The links of a device: the URL, the AT commands to type, both as a QR code.

import { useState } from 'preact/hooks';

import { path as encoded, useFetch } from '../../api';
import { Button } from '../../components/Button';
import { CopyLine } from '../../components/Copy';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { ChangeForm } from '../../components/May';
import { time } from '../../format';
import { useT } from '../../i18n';
import { useChange } from './change';
import type { DeviceProps } from './DevicePage';
import { devicePath, type Items, type LinkRow } from './model';
import { Qr } from './Qr';

// What is shown of a link: its texts, and one of them as a QR code.
function LinkDialog({ link, warnings, onClose }: { link: LinkRow; warnings: string[]; onClose: () => void }) {
    const t = useT();
    const [shown, setShown] = useState<'at' | 'url'>(link.at_commands.length ? 'at' : 'url');
    const url = link.url ?? '';
    const text = shown === 'at' ? link.at_commands.join('\r\n') : url;
    const label = t(shown === 'at' ? 'device.qr-at' : 'device.qr-url');
    return (
        <Dialog title={t('device.link-title', { link: link.link, version: link.version ?? '–' })} open onClose={onClose}>
            {warnings.map((warning) => <p class="warning" key={warning}>{warning}</p>)}
            {link.at_commands.length > 0 && <h3>{t('device.at-commands')}</h3>}
            {link.at_commands.map((command, i) => <CopyLine key={command} text={command} label={t('device.at-command', { n: i + 1 })} />)}
            {link.at_commands.length > 0 && <p class="hint">{t('device.at-hint')}</p>}
            <h3>{t('device.url')}</h3>
            <CopyLine text={url} label={t('device.url')} />
            {link.at_commands.length > 0 && (
                <div class="buttons" role="group" aria-label={t('device.qr')}>
                    <Button aria-pressed={shown === 'at'} onClick={() => setShown('at')}>{t('device.qr-at')}</Button>
                    <Button aria-pressed={shown === 'url'} onClick={() => setShown('url')}>{t('device.qr-url')}</Button>
                </div>
            )}
            <Qr text={text} label={label} />
            <p class="hint">{t('device.link-secret')}</p>
        </Dialog>
    );
}

function MakeDialog({ product, id, device, again, onMade, onClose }: DeviceProps & { onMade: (link: LinkRow, warnings: string[]) => void; onClose: () => void }) {
    const t = useT();
    const [version, setVersion] = useState(device.confirmed_version ?? device.asked_version ?? '');
    const { busy, change } = useChange(again);
    const images = useFetch<Items<{ version: string }>>(encoded`/products/${product}/firmware/${device.firmware}/images`);
    const make = async (event: Event) => {
        event.preventDefault();
        const json = { firmware: device.firmware, ...(version.trim() && { version: version.trim() }) };
        const answer = await change(`${devicePath(product, id)}/link`, { method: 'POST', json });
        if (!answer)
            return;
        const made = await answer.json() as LinkRow & { warnings: string[] };
        onMade({ ...made, created_at: Date.now(), revoked_at: null }, made.warnings);
    };
    return (
        <Dialog title={t('device.make-link')} open onClose={onClose}>
            <ChangeForm needs="operate" class="stack" onSubmit={(event) => void make(event)}>
                <Field label={t('devices.link-version')} hint={t('device.link-version-hint')} value={version} list="link-versions" autocomplete="off" spellcheck={false}
                    onInput={(event) => setVersion(event.currentTarget.value)} />
                <datalist id="link-versions">{images.data?.items.map((image) => <option key={image.version} value={image.version} />)}</datalist>
                <div class="buttons"><Button needs="operate" kind="primary" type="submit" busy={busy}>{t('device.make-link')}</Button></div>
            </ChangeForm>
        </Dialog>
    );
}

export function Links(props: DeviceProps) {
    const t = useT();
    const { product, id, device, again } = props;
    const [making, setMaking] = useState(false);
    const [shown, setShown] = useState<{ link: LinkRow; warnings: string[] } | null>(null);
    const { busy, change } = useChange(again);
    const links = device.links.filter(({ revoked_at }) => revoked_at === null);
    const revoked = device.links.length - links.length;
    const revoke = (rest: string) => void change(`${devicePath(product, id)}/links${rest}`, { method: 'DELETE' }, t('device.revoked'));
    return (
        <section aria-labelledby="links">
            <h2 id="links">{t('device.links')}</h2>
            {links.length > 0 && (
                <ul class="links">
                    {links.map((link) => (
                        <li key={link.link}>
                            <span>{t('device.link-row', { link: link.link, version: link.version ?? '–', time: time(link.created_at) })}</span>
                            <span class="buttons">
                                <Button needs="operate" disabled={!link.url} onClick={() => setShown({ link, warnings: [] })}>{t('device.show-link')}</Button>
                                <Button needs="operate" busy={busy} onClick={() => revoke(`/${link.link}`)}>{t('device.revoke')}</Button>
                            </span>
                        </li>
                    ))}
                </ul>
            )}
            {revoked > 0 && <p class="hint">{t('device.links-revoked', { count: revoked })}</p>}
            {device.links.length === 0 && <p class="hint">{t('device.no-links')}</p>}
            <div class="tool-line">
                <Button needs="operate" onClick={() => setMaking(true)}>{t('device.make-link')}</Button>
                {links.length > 1 && <Button needs="operate" busy={busy} onClick={() => revoke('')}>{t('device.revoke-all')}</Button>}
            </div>
            {making && <MakeDialog {...props} onClose={() => setMaking(false)} onMade={(link, warnings) => { setMaking(false); setShown({ link, warnings }); }} />}
            {shown && <LinkDialog {...shown} onClose={() => setShown(null)} />}
        </section>
    );
}
