// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
export const eventKinds = ['package-ready', 'confirmed', 'not-applied', 'package-oversize', 'package-quarantined', 'stage-done', 'campaign-paused', 'campaign-finished', 'needs-person'] as const;
export type EventKind = (typeof eventKinds)[number] | 'test';

export interface Webhook {
    webhook: number;
    name: string;
    url: string;
    product: string | null;
    kinds: EventKind[];
    signed: boolean;
    template: string | null;
    enabled: boolean;
    waiting: number;
    failed: number;
    lost: number;
    created_at: number;
    created_by: string | null;
}

export interface Event {
    event: number;
    id: string;
    kind: EventKind;
    order: string;
    since: number;
    tries: number;
    next_try_at: number | null;
    gave_up_at: number | null;
    error: string | null;
    facts: Record<string, unknown>;
}
