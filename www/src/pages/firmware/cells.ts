// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What a cell of the matrix says: its kind, a short text, and a sentence.

import { number } from '../../format';
import { t } from '../../i18n';
import { buildOf } from './build';
import type { MatrixInfo, Pair } from './types';

export const kinds = ['fits', 'near', 'over', 'unproven', 'queued', 'generating', 'failed', 'out', 'unknown'] as const;
export type Kind = (typeof kinds)[number] | 'same'; // same: two builds of one version

export interface Cell {
    from: string;
    to: string;
    kind: Kind;
    text: string;
    pair: Pair | undefined;
}

const kib = 1024; // as dfotactl matrix: a limit of whole KB can be compared
const nearPart = 0.9; // of the limit

export function kindOf(pair: Pair | undefined, limit: number): Kind {
    if (!pair)
        return 'unknown';
    if (pair.quarantine)
        return 'out';
    if (pair.state === 'queued' || pair.state === 'generating' || pair.state === 'failed')
        return pair.state;
    if (pair.state === 'oversize')
        return 'over';
    if (!pair.proven && !pair.released)
        return 'unproven';
    return (pair.size ?? 0) >= limit * nearPart ? 'near' : 'fits';
}

// Rounded up: a size over a limit of whole KB is over it in KB too.
const kb = (size: number | null) => (size === null ? '' : String(Math.ceil(size / kib)));

export function textOf(kind: Kind, size: number | null): string {
    switch (kind) {
        case 'same': return '';
        case 'unknown': return '–';
        case 'queued': return '·';
        case 'generating': return '…';
        case 'failed': return '×';
        case 'out': return `⊘${kb(size)}`;
        case 'unproven': return `${kb(size)}?`;
        case 'over': return `${kb(size)}!`;
        default: return kb(size);
    }
}

// A row for each version but the last, a column for each but the first; the cells of a row begin beside the diagonal.
export function rowsOf({ versions, pairs, limit }: MatrixInfo): Cell[][] {
    const known = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
    return versions.slice(0, -1).map((from, row) => versions.slice(row + 1).map((to) => {
        const pair = known.get(`${from} ${to}`);
        const kind = buildOf(from).version === buildOf(to).version ? 'same' : kindOf(pair, limit);
        return { from, to, kind, pair, text: textOf(kind, pair?.size ?? null) };
    }));
}

// Has the text of the cell in it: who speaks to the computer says what is seen.
export function sentenceOf({ from, to, kind, pair }: Cell): string {
    const size = pair?.size ? `${kb(pair.size)} KB, ` : '';
    return `${from} → ${to}: ${size}${t(`firmware.cell-${kind}`)}`;
}

export function shareOf(size: number, limit: number): string {
    return t('firmware.share', { percent: number(Math.ceil((size / limit) * 100)) });
}
