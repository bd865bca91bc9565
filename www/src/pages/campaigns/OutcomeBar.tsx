// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { Counts } from './types';
import { outcomes } from './types';
import { number } from '../../format';
import { useT } from '../../i18n';

// Devices by outcome. The numbers below say the same as the bar, so readers need neither colours nor a mouse.
export function OutcomeBar({ counts, size = null, compact = false }: { counts: Counts; size?: number | null; compact?: boolean }) {
    const t = useT();
    const shown = outcomes.filter((outcome) => outcome !== 'out' && counts[outcome]);
    const sum = shown.reduce((all, outcome) => all + counts[outcome]!, 0);
    const rest = size === null ? 0 : Math.max(0, size - sum);
    const listed = outcomes.filter((outcome) => counts[outcome] || (!compact && ['confirmed', 'admitted'].includes(outcome)));
    return (
        <div class="outcome-view">
            <div class="outcome-bar" aria-hidden="true">
                {shown.map((outcome) => <span key={outcome} class={`part ${outcome}`} style={{ flexGrow: counts[outcome]! }} />)}
                {(rest > 0 || sum === 0) && <span class="part rest" style={{ flexGrow: rest || 1 }} />}
            </div>
            <ul>
                {listed.map((outcome) => <li key={outcome} class={outcome}>{t(`campaigns.outcome-${outcome}`)} <b>{number(counts[outcome] ?? 0)}</b></li>)}
                {size !== null && <li class="of">{t('campaigns.of-size', { count: size })}</li>}
                {compact && listed.length === 0 && <li class="of">–</li>}
            </ul>
        </div>
    );
}
