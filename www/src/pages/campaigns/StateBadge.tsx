// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useT } from '../../i18n';
import type { Campaign } from './types';

const tones = { draft: 'quiet', running: 'live', paused: 'warn', finished: 'good', cancelled: 'quiet' } as const;

export function StateBadge({ campaign: { state, broken_gate: broken } }: { campaign: Campaign }) {
    const t = useT();
    return <span class={`badge ${broken ? 'bad' : tones[state]}`}>{t(broken ? 'campaigns.state-broken' : `campaigns.state-${state}`)}</span>;
}
