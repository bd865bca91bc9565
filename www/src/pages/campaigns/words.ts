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
