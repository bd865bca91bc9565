// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { OutcomeBar } from './OutcomeBar';
import { duration, time } from '../../format';
import { useT } from '../../i18n';
import { sizeOf, type Campaign, type Stage } from './types';
import { stageSize } from './words';

interface Condition { text: string; met: boolean; broken?: boolean }

// The failures that a resume has accepted are allowed too.
function limit(name: 'failed' | 'silent', count: number, most: number, accepted: number, t: ReturnType<typeof useT>): Condition {
    const isBroken = count > Math.max(most, accepted);
    const more = accepted > most ? ` ${t('campaigns.gate-accepted', { count: accepted })}` : '';
    return { text: t(`campaigns.gate-${name}`, { count, allowed: most }) + more, met: !isBroken, broken: isBroken };
}

function conditions(campaign: Campaign, index: number, now: number, t: ReturnType<typeof useT>): Condition[] {
    const stage = campaign.stages[index]!;
    const { counts, settle_ms: settle, last_confirmed_at: last } = stage;
    const size = sizeOf(campaign, index);
    const confirmed = counts.confirmed ?? 0, failed = (counts.not_applied ?? 0) + (counts.diverged ?? 0), silent = counts.silent ?? 0;
    const share = stage.confirmed_percent;
    const wanted = size === null ? 1 : share === 100 ? Math.max(size - failed - silent, Math.min(size, 1)) : Math.ceil(size * share / 100);
    const list: Condition[] = [];
    if (stage.min_confirmed)
        list.push({ text: t('campaigns.gate-min', { count: confirmed, least: stage.min_confirmed }), met: confirmed >= stage.min_confirmed });
    if (share)
        list.push({ text: t(share === 100 ? 'campaigns.gate-all' : 'campaigns.gate-percent', { count: confirmed, percent: share }), met: confirmed >= wanted });
    if (settle)
        list.push({ text: last === null ? t('campaigns.gate-settle', { time: duration(settle) }) : t('campaigns.gate-settle-until', { time: duration(settle), until: time(last + settle) }), met: last !== null && now >= last + settle });
    if (stage.approvals)
        list.push({ text: t('campaigns.gate-approvals', { count: stage.approved, needed: stage.approvals }), met: stage.approved >= stage.approvals });
    list.push(limit('failed', failed, stage.max_failed, stage.accepted_failed, t), limit('silent', silent, stage.max_silent, stage.accepted_silent, t));
    return list;
}

function place(campaign: Campaign, index: number): 'done' | 'now' | 'later' {
    const current = (campaign.stage ?? 1) - 1;
    if (campaign.state === 'finished' || index < current)
        return 'done';
    return index === current ? 'now' : 'later';
}

function StageItem({ campaign, stage, index }: { campaign: Campaign; stage: Stage; index: number }) {
    const t = useT();
    const where = place(campaign, index);
    return (
        <li class={`stage ${where}`} aria-current={where === 'now' ? 'step' : undefined}>
            <h4>{t(index > 0 && !stage.all ? 'campaigns.stage-title-more' : 'campaigns.stage-title', { stage: index + 1, size: stageSize(stage) })} <span class={`badge ${where === 'now' ? 'live' : where === 'done' ? 'good' : 'quiet'}`}>{t(`campaigns.stage-${where}`)}</span></h4>
            <OutcomeBar counts={stage.counts} size={sizeOf(campaign, index)} />
            {!campaign.plain && (
                <details open={where === 'now'}>
                    <summary>{t('campaigns.gate-title')}</summary>
                    <ul class="gate">
                        {conditions(campaign, index, Date.now(), t).map(({ text, met, broken }) => (
                            <li key={text} class={broken ? 'broken' : met ? 'met' : 'open'}><span class="mark">{t(broken ? 'campaigns.gate-broken' : met ? 'campaigns.gate-holds' : 'campaigns.gate-waits')}</span> {text}</li>
                        ))}
                    </ul>
                </details>
            )}
        </li>
    );
}

export function StageList({ campaign }: { campaign: Campaign }) {
    const t = useT();
    return (
        <section aria-label={t('campaigns.stages')}>
            <h3>{t('campaigns.stages')}</h3>
            <ol class="stage-list">{campaign.stages.map((stage, i) => <StageItem key={i} campaign={campaign} stage={stage} index={i} />)}</ol>
        </section>
    );
}
