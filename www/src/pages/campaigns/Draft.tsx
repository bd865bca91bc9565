// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { ApiError, send } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { toast } from '../../components/Toast';
import { bytes } from '../../format';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { go } from '../../router';
import { EffectPanel, forecastTime, isStill, useEffectOf } from './Effect';
import { draftOf } from './fields';
import { CampaignForm } from './Form';
import { campaignPath, type Campaign, type Where } from './types';
import { audience, stageSize } from './words';

type Props = { where: Where; campaign: Campaign; onChanged: () => void };

// A draft: the form, beside it what the start would do, and the start.
export function DraftPage({ where, campaign, onChanged }: Props) {
    const t = useT();
    const [open, setOpen] = useState<'start' | 'delete' | null>(null);
    const [isEdited, setEdited] = useState(false); // the form has what is not saved
    const { data: effect, error, again } = useEffectOf(where);
    const close = () => setOpen(null);
    const at = campaignPath(where);
    return (
        <>
            <p class="toolbar">
                <Button needs="operate" kind="primary" disabled={isEdited || !effect || effect.conflict !== null} onClick={() => { again(); setOpen('start'); }}>{t('campaigns.start')}</Button>
                <Button needs="operate" kind="danger" onClick={() => setOpen('delete')}>{t('campaigns.delete')}</Button>
                {isEdited && <span class="hint" role="status">{t('campaigns.save-first')}</span>}
            </p>
            <div class="beside">
                <CampaignForm start={draftOf(where.product, campaign)} saved={campaign} kept={audience(campaign)} onEdit={() => setEdited(true)}
                    onReloaded={() => { setEdited(false); again(); onChanged(); }}
                    onSaved={() => { setEdited(false); again(); onChanged(); toast(t('campaigns.saved')); }} />
                <EffectPanel effect={effect} error={error} />
            </div>
            <ActionDialog title={t('campaigns.start-title', { name: campaign.name })} open={open === 'start'} onClose={close} submit={t('campaigns.start')} named
                run={async (_, by) => {
                    if (effect && !await isStill(where, effect)) {
                        again();
                        throw new ApiError({ status: 0, code: 'effect-changed', detail: '' });
                    }
                    await send(withQuery(`${at}/start`, { by }), { method: 'POST' });
                    toast(t('campaigns.did-start', { name: campaign.name }));
                    onChanged();
                }}>
                {effect && (
                    <>
                        <p>{t('campaigns.start-text', { count: effect.devices, target: campaign.target, reachable: effect.forecast.devices, unreachable: effect.unreachable, bytes: bytes(effect.bytes) })}</p>
                        <p>{t('campaigns.start-stage', { size: stageSize(campaign.stages[0]!), stages: campaign.stages.length })}</p>
                        <p>{t('campaigns.start-time', { time: forecastTime(effect.forecast, t) })}</p>
                    </>
                )}
            </ActionDialog>
            <ActionDialog title={t('campaigns.delete-title', { name: campaign.name })} open={open === 'delete'} onClose={close} submit={t('campaigns.delete')} kind="danger" named
                run={async (_, by) => { await send(withQuery(at, { by }), { method: 'DELETE' }); toast(t('campaigns.did-delete', { name: campaign.name })); go('/campaigns'); }}>
                <p>{t('campaigns.delete-text')}</p>
            </ActionDialog>
        </>
    );
}
