// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What the form of a campaign has, and the body of the call that it makes.

import type { Campaign, Order, Stage } from './types';

export type Audience = 'kept' | 'all' | 'list' | 'csv' | 'filter';

// As it is typed; an empty text is "not given".
export interface StageRow {
    kind: 'devices' | 'percent' | 'all';
    size: string;
    min_confirmed: string;
    confirmed_percent: string;
    max_failed: string;
    max_silent: string;
    settle_hours: string;
    approvals: string;
}

export interface Draft {
    product: string;
    firmware: string;
    name: string;
    target: string;
    audience: Audience;
    devices: string;
    csv: File | null;
    filter: string;
    frozen: '' | 'frozen' | 'dynamic';
    order: '' | Order;
    first: string;
    stages: StageRow[];
    pause_when_done: boolean;
    finish_transfers: boolean;
}

const row = (kind: StageRow['kind'], size: string, settle_hours: string): StageRow =>
    ({ kind, size, settle_hours, min_confirmed: '', confirmed_percent: '', max_failed: '0', max_silent: '0', approvals: '0' });

export const newStage = (): StageRow => row('devices', '10', '24');
const hourMs = 3_600_000;

export function emptyDraft(product: string, firmware: string): Draft {
    return {
        product, firmware, name: '', target: '', audience: 'all', devices: '', csv: null, filter: '', frozen: '', order: '', first: '',
        stages: [row('devices', '1', '1'), row('devices', '5', '24'), row('percent', '10', '24'), row('all', '', '')],
        pause_when_done: false, finish_transfers: true,
    };
}

function rowOf(stage: Stage): StageRow {
    return {
        kind: stage.all ? 'all' : stage.devices !== null ? 'devices' : 'percent', size: String(stage.devices ?? stage.percent ?? ''),
        min_confirmed: stage.min_confirmed ? String(stage.min_confirmed) : '', confirmed_percent: stage.confirmed_percent ? String(stage.confirmed_percent) : '',
        max_failed: String(stage.max_failed), max_silent: String(stage.max_silent),
        settle_hours: stage.settle_ms ? String(stage.settle_ms / hourMs) : '', approvals: String(stage.approvals),
    };
}

export function draftOf(product: string, campaign: Campaign): Draft {
    const kept = { name: campaign.name, target: campaign.target, pause_when_done: campaign.pause_when_done, finish_transfers: campaign.finish_transfers };
    return { ...emptyDraft(product, campaign.firmware), ...kept, audience: 'kept', stages: campaign.stages.map(rowOf) };
}

export const ids = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

function stageBody(stage: StageRow, isLast: boolean): object {
    const size = stage.kind === 'all' ? { all: true } : { [stage.kind]: Number(stage.size) };
    const gate = Object.fromEntries((['min_confirmed', 'confirmed_percent', 'max_failed', 'max_silent'] as const)
        .filter((name) => stage[name] !== '').map((name) => [name, Number(stage[name])]));
    const settle = !isLast && stage.settle_hours ? { settle_ms: Math.round(Number(stage.settle_hours) * hourMs) } : {};
    return { ...size, ...gate, ...settle, ...(Number(stage.approvals) && !isLast ? { approvals: Number(stage.approvals) } : {}) };
}

// A CSV file is sent by a second call. Until then a new draft selects no device, and a saved one what it selected: a list
// that is refused changes nothing. An order can only be given with an audience, so with an order both select no device.
const nothing = 'version=none and not (version=none)';

function audienceBody(draft: Draft, isNew: boolean): object {
    const first = ids(draft.first);
    const order = draft.order ? { order: draft.order } : {};
    const firsts = first.length ? { first } : {};
    if (draft.audience === 'list')
        return { devices: ids(draft.devices), ...firsts, ...order };
    if (draft.audience === 'csv' && !isNew && !draft.order)
        return {};
    if (draft.audience === 'csv')
        return { filter: nothing, frozen: true, ...(draft.order === 'given' ? {} : order) };
    if (draft.audience === 'filter')
        return { filter: draft.filter, ...(draft.frozen ? { frozen: draft.frozen === 'frozen' } : {}), ...(draft.frozen === 'frozen' ? { ...firsts, ...order } : {}) };
    return draft.audience === 'all' && !isNew ? { devices: null } : {};
}

export function bodyOf(draft: Draft, isNew: boolean): object {
    return {
        name: draft.name.trim(), target: draft.target, pause_when_done: draft.pause_when_done, finish_transfers: draft.finish_transfers,
        stages: draft.stages.map((stage, i) => stageBody(stage, i === draft.stages.length - 1)), ...audienceBody(draft, isNew),
    };
}
