// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What the API says about firmwares, images, packages and paths (doc/api.md).

import type { Reason } from '../../reason';

export const formats = ['bsdiff', 'ec618-at', 'ec618-csdk', 'ec618-luatos', 'ec7xx-at', 'ec7xx-csdk', 'ec7xx-luatos', 'external'] as const;
export type Format = (typeof formats)[number];

export interface Items<T> { items: T[] }

export interface Product { product_key: string; name: string }

export const fullPackages = ['off', 'allowed', 'preferred'] as const;
export type FullPackages = (typeof fullPackages)[number];

export interface FirmwareInfo {
    firmware: string;
    format: Format | null;
    format_is_default: boolean;
    fitting_format: Format | null;
    max_package_bytes: number;
    chip: string | null;
    chip_limit: number | null;
    limit_note: string | null;
    downgrades: boolean;
    canary_confirmations: number;
    quarantine_after: number;
    quarantined: number;
    hours: string;
    max_bytes_per_month: number;
    full_packages: FullPackages;
    target: string | null;
    images: number;
    devices: number;
    created_at: number;
    notice: string | null;
}

export type Waypoint = 'allowed' | 'forbidden' | 'required';

export interface Image {
    firmware: string;
    version: string;
    variant: string | null;
    default: boolean;
    kind: 'image' | 'full';
    core: string | null;
    content: string | null;
    script: { address: number; area_bytes: number | null; kept_bytes: number | null; bytes: number | null; packed_bytes: number | null; bits: number | null } | null;
    size: number;
    sha256: string;
    file_name: string | null;
    uploaded_at: number;
    withdrawn: { at: number; reason: string } | null;
    waypoint: Waypoint;
    waypoint_reason: string | null;
    warnings: string[];
}

export type PackageState = 'queued' | 'generating' | 'ready' | 'oversize' | 'failed';
export type Effort = 'quick' | 'good' | 'best';

export interface Pair extends Reason<'quarantine'> {
    from: string;
    from_variant: string | null;
    to: string;
    to_variant: string | null;
    state: PackageState;
    size: number | null;
    counted: number | null;
    proven: boolean;
    released: boolean;
    effort: Effort | null;
    waiting: number;
    duration_ms: number | null;
    error: string | null;
}

export interface Queue { queued: number; generating: number; estimate_ms: number | null }

export interface MatrixInfo {
    format: Format | null;
    limit: number;
    versions: string[];
    builds: { name: string; version: string; variant: string | null; default: boolean; withdrawn: boolean }[];
    withdrawn: string[];
    full: string[];
    full_packages: { to: string; state: Exclude<PackageState, 'oversize'> | 'unproven' | 'quarantined'; size: number | null }[];
    pairs: Pair[];
    queue: Queue;
}

export interface PackageInfo extends Reason<'error'> {
    from: string;
    from_variant: string | null;
    to: string;
    to_variant: string | null;
    format: Format;
    state: PackageState;
    size: number | null;
    counted: number | null;
    sha256: string | null;
    limit: number;
    proven: boolean;
    crashes: number;
    queued_at: number;
    finished_at: number | null;
    duration_ms: number | null;
    origin: 'made' | 'external' | 'uploaded';
    uploaded_by: string | null;
    effort: Effort | null;
    improving: boolean;
    released: { at: number; by: string; note: string } | null;
    quarantine: Reason<'reason'> & { at: number } | null;
    note: string | null;
    log?: string | null;
}

export interface Hop {
    from: string;
    from_variant: string | null;
    to: string;
    to_variant: string | null;
    size: number | null;
    counted: number | null;
    full: boolean;
    state: PackageState | 'unknown';
}

export interface PathInfo extends Reason<'advice'> {
    from: string;
    from_variant: string | null;
    to: string;
    to_variant: string | null;
    state: 'path' | 'waiting' | 'none';
    limit: number;
    hops: Hop[];
    size: number | null;
    full: {
        state: string; size: number | null; used: boolean; more_bytes: number | null;
        deltas: { state: PathInfo['state']; hops: Hop[]; size: number | null };
    } | null;
    excluded: (Reason<'reason'> & { from: string; from_variant: string | null; to: string; to_variant: string | null })[];
    waiting: Hop[];
}

export interface Effect {
    target: string;
    devices: number;
    out: number;
    bytes: number;
    unreachable: number;
    conflict: string | null;
    forecast: {
        devices: number; bytes: number; waiting: number; unreachable: number; unknown: number; hops: number; canaries: number;
        rounds: number; duration_ms: number | null; slow_duration_ms: number | null;
    } | null;
    groups: (Reason<'reason'> & {
        version: string | null; devices: number; effect: 'upgrade' | 'waiting' | 'unreachable' | 'up_to_date' | 'above' | 'unknown' | 'out';
        path: string[] | null; hops: number | null; build_sha256: string | null; bytes_per_device: number | null;
    })[];
}
