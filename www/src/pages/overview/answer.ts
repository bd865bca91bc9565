// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The answer of GET /overview (doc/api.md).

export interface Action { do: string; method: string | null; path: string | null }

export interface Thing {
    kind: string;
    text: string; // in English, for a kind that the console does not know
    since: number | null;
    action: Action;
    product?: string;
    firmware?: string;
    campaign?: number;
    name?: string;
    target?: string;
    stage?: number;
    from?: string | null;
    to?: string;
    version?: string;
    confirmed?: string | null;
    device?: string;
    count?: number;
    size?: number;
    limit?: number;
    free?: number;
    reserve?: number;
    webhook?: number;
    error?: string;
    network?: string | null;
    reason?: string | null; // with reason_code and reason_params
}

export interface Devices { all: number; waiting: number; sending: number; delivered: number; silent: number; blocked: number }

export interface Answer {
    next: Thing[];
    more: boolean;
    devices: Devices;
    queue: { queued: number; generating: number; estimate_ms: number | null };
    bytes: { sent: number; full: number; saved: number };
    steps: { product: boolean; images: boolean; format: boolean; target: boolean; link: boolean };
    firmwares: { product: string; firmware: string; format: string | null; target: string | null; images: number; devices: Devices }[];
}
