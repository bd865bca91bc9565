// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Campaigns as the API has them (doc/api.md).

import { path } from '../../api';

export const outcomes = ['confirmed', 'admitted', 'not_applied', 'diverged', 'silent', 'waiting', 'out'] as const;
export type Outcome = (typeof outcomes)[number];
export type Counts = Partial<Record<Outcome, number>>;
export const orders = ['given', 'hash', 'spread'] as const;
export type Order = (typeof orders)[number];
export type State = 'draft' | 'running' | 'paused' | 'finished' | 'cancelled';

export interface Gate {
    min_confirmed: number;
    confirmed_percent: number;
    max_failed: number;
    max_silent: number;
    settle_ms: number;
    approvals: number;
}

export interface Stage extends Gate {
    devices: number | null;
    percent: number | null;
    all: boolean;
    approved: number;
    accepted_failed: number; // by a resume
    accepted_silent: number;
    last_confirmed_at: number | null;
    counts: Counts;
}

export interface Forecast {
    devices: number;
    bytes: number;
    waiting: number;
    unreachable: number;
    unknown: number;
    hops: number;
    canaries: number;
    rounds: number;
    settle_ms: number;
    approvals: number;
    sampled: number;
    rhythm_known: number;
    quiet: number;
    interval_ms: number | null;
    slow_interval_ms: number | null;
    duration_ms: number | null;
    slow_duration_ms: number | null;
}

export interface Device {
    device: string;
    id_kind: string;
    outcome: Outcome;
    since: number | null;
    stage: number | null;
    confirmed_version: string | null;
    asked_version: string | null;
    last_seen_at: number | null;
}

export interface Campaign {
    campaign: number;
    name: string;
    product?: string; // in the list of all firmwares
    firmware: string;
    plain: boolean;
    target: string;
    state: State;
    audience: 'list' | 'all' | 'filter';
    filter: string | null;
    frozen: boolean | null;
    order: Order | null;
    devices: number | null;
    stage: number | null;
    counts: Counts;
    gate: string | null;
    stages: Stage[];
    paused_why: string | null;
    broken_gate: { gate: 'max_failed' | 'max_silent'; stage: number; count: number; devices: Device[] } | null;
    pause_when_done: boolean;
    finish_transfers: boolean;
    created_by: string | null;
    created_at: number;
    started_at: number | null;
    stage_started_at: number | null;
    ended_at: number | null;
    forecast: Forecast | null;
    actual: { confirmed: number; bytes: number; bytes_in_vain: number; elapsed_ms: number | null };
}

export interface Group {
    version: string | null;
    devices: number;
    effect: 'upgrade' | 'waiting' | 'unreachable' | 'up_to_date' | 'above' | 'unknown' | 'out';
    path: string[] | null;
    hops: number | null;
    build_sha256: string | null;
    bytes_per_device: number | null;
    reason: string | null;
}

export interface Effect {
    target: string;
    devices: number;
    out: number;
    bytes: number;
    unreachable: number;
    conflict: string | null;
    forecast: Forecast;
    groups: Group[];
}

export interface Where { product: string; firmware: string; campaign: string }

export const campaignPath = ({ product, firmware, campaign }: Where) => path`/products/${product}/firmware/${firmware}/campaigns/${campaign}`;
export const isLive = ({ state }: Campaign) => state === 'running' || state === 'paused';
export const failures = (counts: Counts) => (counts.not_applied ?? 0) + (counts.diverged ?? 0) + (counts.silent ?? 0);

// Up to which device of the list the stage reaches; null: not known, the audience is open.
export function reachOf(campaign: Campaign, stage: Stage): number | null {
    const taking = campaign.devices === null ? null : campaign.devices - (campaign.counts.out ?? 0);
    if (stage.all)
        return taking;
    if (stage.devices !== null)
        return taking === null ? stage.devices : Math.min(stage.devices, taking);
    return taking === null ? null : Math.ceil(taking * (stage.percent ?? 0) / 100);
}

// How many devices the stage has or will have; null: not known.
export function sizeOf(campaign: Campaign, index: number): number | null {
    const reach = reachOf(campaign, campaign.stages[index]!);
    const before = index > 0 ? reachOf(campaign, campaign.stages[index - 1]!) : 0;
    return reach === null || before === null ? null : Math.max(0, reach - before);
}
