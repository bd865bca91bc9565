// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Campaigns in the words of the reader.

import { t } from '../../i18n';
import type { Campaign, Stage } from './types';

export function stageSize(stage: Pick<Stage, 'devices' | 'percent' | 'all'>): string {
    if (stage.all)
        return t('campaigns.stage-all');
    return stage.devices !== null ? t('campaigns.stage-devices', { count: stage.devices }) : t('campaigns.stage-percent', { count: stage.percent ?? 0 });
}

export function audience(campaign: Campaign): string {
    if (campaign.audience === 'all')
        return t('campaigns.audience-all');
    if (campaign.filter)
        return t(campaign.frozen ? 'campaigns.audience-frozen' : 'campaigns.audience-dynamic', { filter: campaign.filter });
    return t('campaigns.audience-list', { count: campaign.devices ?? 0 });
}

// Why a campaign is paused: a gate in the language of the reader, a reason of an admin as it was written.
export function pausedWhy({ broken_gate: gate, paused_why: why, stages }: Campaign): string {
    if (!gate)
        return why ?? t('campaigns.paused-by-admin');
    const stage = stages[gate.stage - 1];
    return t(`campaigns.broke-${gate.gate}`, { stage: gate.stage, count: gate.count, allowed: stage ? stage[gate.gate] : 0 });
}
