// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { path, send, useFetch } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Select } from '../../components/Choice';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { toast } from '../../components/Toast';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { go } from '../../router';
import { campaignPath, failures, isLive, type Campaign, type Where } from './types';

export type Action = 'pause' | 'resume' | 'cancel' | 'approve' | 'retarget' | 'copy';
type Props = { where: Where; campaign: Campaign; onChanged: () => void };

export function actionsOf(campaign: Campaign): Action[] {
    const stage = campaign.stage === null ? undefined : campaign.stages[campaign.stage - 1];
    if (!isLive(campaign))
        return campaign.plain ? [] : ['copy'];
    const flow: Action = campaign.state === 'running' ? 'pause' : 'resume';
    const approve: Action[] = stage && stage.approved < stage.approvals ? ['approve'] : [];
    return [...approve, flow, ...(campaign.plain ? [] : ['retarget', 'copy'] as Action[]), 'cancel'];
}

function Versions({ where, label, value, none }: { where: Where; label: string; value: string; none?: string }) {
    const { data } = useFetch<{ items: { version: string; withdrawn: object | null }[] }>(path`/products/${where.product}/firmware/${where.firmware}/images`);
    if (!data)
        return <p aria-busy="true" />;
    const versions = data.items.filter(({ withdrawn }) => !withdrawn).map(({ version }) => version).reverse();
    return (
        <Select label={label} name="target" required={!none}>
            {none && <option value="">{none}</option>}
            {versions.map((version) => <option key={version} value={version} selected={version === value}>{version}</option>)}
        </Select>
    );
}

function Content({ action, stage, where, campaign }: { action: Action; stage: number; where: Where; campaign: Campaign }) {
    const t = useT();
    const { name, target, counts, devices } = campaign;
    if (action === 'pause')
        return <><p>{t('campaigns.pause-text')}</p><Field label={t('campaigns.reason')} name="reason" maxLength={159} hint={t('campaigns.reason-hint')} /></>;
    if (action === 'resume')
        return <p>{t(failures(counts) ? 'campaigns.resume-text' : 'campaigns.resume-plain', { count: failures(counts) })}</p>;
    if (action === 'cancel')
        return <p>{t('campaigns.cancel-text', { count: counts.confirmed ?? 0, admitted: counts.admitted ?? 0, target })}</p>;
    if (action === 'approve')
        return <p>{t('campaigns.approve-text', { stage, name })}</p>;
    if (action === 'retarget')
        return <><p>{t('campaigns.retarget-text', { count: devices ?? 0 })}</p><Versions where={where} label={t('campaigns.new-target')} value={target} /></>;
    return (
        <>
            <p>{t('campaigns.copy-text')}</p>
            <Field label={t('campaigns.copy-name')} name="name" maxLength={64} required />
            <Versions where={where} label={t('campaigns.target')} value="" none={t('campaigns.same-target', { target })} />
        </>
    );
}

export function Actions({ where, campaign, onChanged }: Props) {
    const t = useT();
    const [open, setOpen] = useState<Action | null>(null);
    const [stage, setStage] = useState(1); // when the dialog was opened: another one may begin meanwhile
    const run = async (form: FormData, by: string) => {
        const text = (name: string) => String(form.get(name) ?? '').trim();
        const bodies = {
            pause: text('reason') ? { reason: text('reason') } : undefined, retarget: { target: text('target') },
            copy: { name: text('name'), ...(text('target') ? { target: text('target') } : {}) }, resume: undefined, cancel: undefined, approve: undefined,
        };
        const json = bodies[open!];
        const answer = await send(withQuery(`${campaignPath(where)}/${open}`, { ...(open === 'approve' ? { stage } : {}), by }), { method: 'POST', ...(json ? { json } : {}) });
        const made = await answer.json() as Campaign;
        toast(t(`campaigns.did-${open!}`, { name: campaign.name }));
        if (open === 'copy')
            go('/campaigns', { product: where.product, firmware: where.firmware, campaign: String(made.campaign) });
        onChanged();
    };
    return (
        <div class="toolbar">
            {actionsOf(campaign).map((action, i) => (
                <Button needs="operate" key={action} kind={action === 'cancel' ? 'danger' : i === 0 && action !== 'pause' && action !== 'copy' ? 'primary' : 'plain'} onClick={() => { setStage(campaign.stage ?? 1); setOpen(action); }}>{t(`campaigns.${action}`)}</Button>
            ))}
            <Link to="/campaigns" query={{ ...where, view: 'print' }} class="button plain">{t('campaigns.print')}</Link>
            <ActionDialog title={open ? t(`campaigns.${open}-title`, { name: campaign.name }) : ''} open={open !== null} onClose={() => setOpen(null)} submit={open ? t(`campaigns.${open}`) : ''}
                kind={open === 'cancel' ? 'danger' : 'primary'} named needsName={open === 'approve'} run={run}>
                {open && <Content action={open} stage={stage} where={where} campaign={campaign} />}
            </ActionDialog>
        </div>
    );
}
