// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { ChangeForm } from '../../components/May';
import { bytes } from '../../format';
import { useT } from '../../i18n';
import { useReasons } from '../../reason';
import { wordsOf } from './actions';
import { useChange } from './change';
import { when, word } from './columns';
import type { DeviceProps } from './DevicePage';
import { devicePath } from './model';

function Fact({ title, tone, children }: { title: string; tone?: 'warn' | undefined; children: ComponentChildren }) {
    return <div class={`fact ${tone ?? ''}`}><dt>{title}</dt><dd>{children}</dd></div>;
}

function Version({ device }: DeviceProps) {
    const t = useT();
    if (!device.confirmed_version)
        return <Fact title={t('devices.column.version')}>{t('device.no-version')}</Fact>;
    return (
        <Fact title={t('devices.column.version')}>
            <strong class="version">{device.build_name ?? device.confirmed_version}</strong>
            <span class="note">
                {t('device.version-by', { grade: word('grade', device.confirmed_grade), by: word('by', device.confirmed_by), time: when(device.confirmed_at) })}
            </span>
        </Fact>
    );
}

function Claim({ product, id, device, again }: DeviceProps) {
    const t = useT();
    const { busy, change } = useChange(again);
    const { claim } = device;
    if (!claim)
        return null;
    const to = `${devicePath(product, id)}/claim`;
    return (
        <Fact title={t('device.claim')} tone="warn">
            <strong class="version">{claim.version}</strong>
            <span class="note">{t('device.claim-by', { grade: word('grade', claim.grade), by: word('by', claim.by), time: when(claim.at), origin: claim.origin ?? '–' })}</span>
            <span class="buttons">
                <Button needs="operate" busy={busy} onClick={() => void change(to, { method: 'POST', json: { version: claim.version } }, t('device.claim-accepted', { version: claim.version }))}>{t('device.claim-accept')}</Button>
                <Button needs="operate" busy={busy} onClick={() => void change(to, { method: 'DELETE' }, t('device.claim-dismissed'))}>{t('device.claim-dismiss')}</Button>
            </span>
        </Fact>
    );
}

function State({ product, device }: DeviceProps) {
    const t = useT();
    return (
        <Fact title={t('devices.state')} tone={device.state !== 'active' || device.held_out ? 'warn' : undefined}>
            {word('state', device.state)}{device.state_since !== null && ` · ${when(device.state_since)}`}
            {device.held_out && <span class="note">{t('device.held-out-since', { time: when(device.held_out_since) })}</span>}
            {device.replaced_by && <span class="note">{t('device.replaced-by')} <Link to="/devices" query={{ product, device: device.replaced_by }}>{device.replaced_by}</Link></span>}
        </Fact>
    );
}

function Guard({ product, id, device, again }: DeviceProps) {
    const t = useT();
    const { busy, change } = useChange(again);
    if (!device.blocked && !device.shared)
        return null;
    return (
        <Fact title={t('device.guard')} tone="warn">
            {device.blocked && t('device.guard-for', { origins: device.blocked_for.join(', ') })}
            {device.shared && <span class="note">{t('device.shared', { version: device.shared.versions[0] ?? '–', other: device.shared.versions[1] ?? '–' })}</span>}
            {device.blocked && device.notice && <span class="note" lang="en">{device.notice}</span>}
            <span class="buttons">
                <Button needs="operate" busy={busy} onClick={() => void change(`${devicePath(product, id)}/unblock`, { method: 'POST' }, t('device.unblocked'))}>{t('devices.action.unblock')}</Button>
            </span>
        </Fact>
    );
}

function Notices({ device }: DeviceProps) {
    const t = useT();
    const all = [...(device.notice && !device.blocked && !device.shared ? [device.notice] : []), ...device.warnings];
    return all.length ? <Fact title={t('devices.column.notice')} tone="warn">{all.map((text) => <span class="note" key={text}>{text}</span>)}</Fact> : null;
}

function Campaign({ product, device: { campaign, firmware } }: DeviceProps) {
    const t = useT();
    if (!campaign)
        return <Fact title={t('device.campaign')}>{t('device.no-campaign')}</Fact>;
    return (
        <Fact title={t('device.campaign')}>
            <Link to="/campaigns" query={{ product, firmware, campaign: String(campaign.campaign) }}>{campaign.plain ? t('device.plain-campaign') : campaign.name}</Link>
            <span class="note">
                {t('device.campaign-text', { target: campaign.target, stage: campaign.stage ?? '–', outcome: word('outcome', campaign.outcome), state: word('campaign-state', campaign.state) })}
            </span>
        </Fact>
    );
}

// Tags and note: the fields keep what was typed until it is stored.
function TagForm({ product, id, device, again }: DeviceProps) {
    const t = useT();
    const [tags, setTags] = useState<string | null>(null);
    const [note, setNote] = useState<string | null>(null);
    const [seen, setSeen] = useState<object | null>(null); // the device when the first letter was typed
    const reset = () => {
        setTags(null);
        setNote(null);
        setSeen(null);
    };
    const { busy, change } = useChange(() => { again(); }, reset);
    const save = async (event: Event) => {
        event.preventDefault();
        const json = { ...(tags !== null && { tags: wordsOf(tags) }), ...(note !== null && { note: note.trim() || null }) };
        if (await change(devicePath(product, id), { method: 'PATCH', json, match: seen }, t('device.saved')))
            reset();
    };
    return (
        <ChangeForm needs="operate" shown class="tag-form" onInput={() => setSeen(seen ?? device)} onSubmit={(event) => void save(event)}>
            <Field label={t('devices.tags')} value={tags ?? device.tags.join(' ')} spellcheck={false} autocomplete="off" onInput={(event) => setTags(event.currentTarget.value)} />
            <Field label={t('devices.note')} value={note ?? device.note ?? ''} maxLength={200} autocomplete="off" onInput={(event) => setNote(event.currentTarget.value)} />
            <Button needs="operate" type="submit" busy={busy} disabled={tags === null && note === null}>{t('device.save')}</Button>
        </ChangeForm>
    );
}

export function Facts(props: DeviceProps) {
    const t = useT();
    const reasonText = useReasons();
    const { device } = props;
    return (
        <section aria-label={t('device.facts')}>
            <dl class="facts">
                <Version {...props} />
                <Claim {...props} />
                <State {...props} />
                <Guard {...props} />
                <Notices {...props} />
                <Campaign {...props} />
                <Fact title={t('devices.column.firmware')}>{device.firmware}</Fact>
                <Fact title={t('devices.column.seen')}>
                    {device.last_seen_at === null ? t('device.never') : when(device.last_seen_at)}
                    {device.last_seen_at !== null && <span class="note">{t('device.seen-text', { count: device.check_ins, time: when(device.first_seen_at), version: device.asked_version ?? '–' })}</span>}
                </Fact>
                {device.last_answer && <Fact title={t('device.last-answer')}>{device.last_answer.code}<span class="note">{reasonText(device.last_answer)}</span></Fact>}
                <Fact title={t('device.traffic')}>{bytes(device.traffic.bytes)}<span class="note">{device.traffic.month}</span></Fact>
            </dl>
            <TagForm {...props} />
        </section>
    );
}
