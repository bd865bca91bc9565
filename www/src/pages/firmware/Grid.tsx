// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The matrix as a table. One cell is in the order of Tab; the arrow keys move between the cells.

import { Component } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { language, useT } from '../../i18n';
import { buildOf } from './build';
import { rowsOf, sentenceOf, type Cell } from './cells';
import type { MatrixInfo } from './types';

export interface Spot { row: number; column: number }

interface RowProps { version: string; row: number; cells: Cell[]; signature: string; current: number; picked: number; isWithdrawn: boolean }

// Of thousands of cells few change at a time, so a row is drawn only when it differs. An image before it moves the row.
class Row extends Component<RowProps> {
    override shouldComponentUpdate(next: RowProps): boolean {
        const { row, signature, current, picked } = this.props;
        return row !== next.row || signature !== next.signature || current !== next.current || picked !== next.picked;
    }

    override render({ version, row, cells, current, picked, isWithdrawn }: RowProps) {
        return (
            <tr>
                <th scope="row" class={isWithdrawn ? 'withdrawn' : undefined}>{version}</th>
                {Array.from({ length: row }, (_, i) => <td key={i} class="none" />)}
                {cells.map((cell, i) => {
                    const column = row + i;
                    return (
                        <td key={column} class={`cell c-${cell.kind}`} data-spot={`${row} ${column}`} tabIndex={column === current ? 0 : -1}
                            aria-label={sentenceOf(cell)} aria-selected={column === picked}>{cell.text}</td>
                    );
                })}
            </tr>
        );
    }
}

// The cell that a key leads to. Column c is version c + 1, so a row begins at its own number.
function move(key: string, { row, column }: Spot, count: number, isControl: boolean): Spot | null {
    const last = count - 2; // the last row and the last column
    const page = 10;
    switch (key) {
        case 'ArrowLeft': return { row, column: Math.max(row, column - 1) };
        case 'ArrowRight': return { row, column: Math.min(last, column + 1) };
        case 'ArrowUp': return { row: Math.max(0, row - 1), column };
        case 'ArrowDown': return { row: Math.min(column, row + 1), column };
        case 'PageUp': return { row: Math.max(0, row - page), column };
        case 'PageDown': return { row: Math.min(column, row + page), column };
        case 'Home': return isControl ? { row: 0, column: 0 } : { row, column: row };
        case 'End': return isControl ? { row: last, column: last } : { row, column: last };
        default: return null;
    }
}

function spotOf(target: EventTarget | null): Spot | null {
    const text = target instanceof Element ? target.closest<HTMLElement>('[data-spot]')?.dataset.spot : undefined;
    const [row, column] = (text ?? '').split(' ').map(Number);
    return text && row !== undefined && column !== undefined ? { row, column } : null;
}

interface Props {
    info: MatrixInfo;
    target: string | null;
    picked: Spot | null;
    label: string;
    describedBy: string;
    onLook: (cell: Cell | null) => void; // the pointer or the focus is on it
    onPick: (cell: Cell) => void;
}

export function Grid({ info, target, picked, label, describedBy, onLook, onPick }: Props) {
    const t = useT();
    const { versions } = info;
    const table = useRef<HTMLTableElement>(null);
    const [current, setCurrent] = useState<Spot>(picked ?? { row: 0, column: 0 });
    const rows = useMemo(() => rowsOf(info), [info]);
    const signatures = useMemo(() => rows.map((cells, row) => [
        language.value, info.withdrawn.includes(versions[row]!), ...cells.map(({ to, kind, text, pair }) => `${to} ${kind} ${text} ${pair?.size ?? ''}`),
    ].join()), [rows, t]);
    const isWide = versions.some((version) => version.length > 5);
    const cellAt = (spot: Spot | null) => (spot && rows[spot.row]?.[spot.column - spot.row]) ?? null;

    useEffect(() => { // images can be deleted
        if (current.row > versions.length - 2 || current.column > versions.length - 2)
            setCurrent({ row: 0, column: 0 });
    }, [versions.length]);

    const focus = (spot: Spot) => {
        setCurrent(spot);
        table.current?.querySelector<HTMLElement>(`[data-spot="${spot.row} ${spot.column}"]`)?.focus();
    };
    const pick = (target: EventTarget | null) => {
        const cell = cellAt(spotOf(target));
        if (cell && cell.kind !== 'same')
            onPick(cell);
    };
    const onKey = (event: KeyboardEvent) => {
        const at = spotOf(event.target);
        if (!at || event.altKey || event.metaKey)
            return;
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            return pick(event.target);
        }
        const next = move(event.key, at, versions.length, event.ctrlKey);
        if (next) {
            event.preventDefault();
            focus(next);
        }
    };
    return (
        <div class="matrix-frame" role="region" aria-label={label} tabIndex={0}>
            <table ref={table} role="grid" class={`matrix ${isWide ? 'wide' : ''}`} aria-label={label} aria-describedby={describedBy} onKeyDown={onKey}
                onClick={(event) => { const spot = spotOf(event.target); if (spot) { focus(spot); pick(event.target); } }}
                onFocusIn={(event) => { const spot = spotOf(event.target); if (spot) setCurrent(spot); onLook(cellAt(spot)); }}
                onMouseOver={(event) => onLook(cellAt(spotOf(event.target)))}
                onMouseLeave={() => onLook(cellAt(spotOf(document.activeElement)))}>
                <thead>
                    <tr>
                        <th scope="col" class="corner">{t('firmware.from-to')}</th>
                        {versions.slice(1).map((version) => (
                            <th key={version} scope="col" class={`${info.withdrawn.includes(version) ? 'withdrawn' : ''} ${buildOf(version).version === target ? 'target' : ''}`}>
                                <span>{version}</span>
                                {buildOf(version).version === target && <span class="unseen">{t('firmware.target')}</span>}
                                {info.withdrawn.includes(version) && <span class="unseen">{t('firmware.withdrawn')}</span>}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {rows.map((cells, row) => (
                        <Row key={versions[row]} version={versions[row]!} row={row} cells={cells} signature={signatures[row]!}
                            current={current.row === row ? current.column : -1} picked={picked?.row === row ? picked.column : -1}
                            isWithdrawn={info.withdrawn.includes(versions[row]!)} />
                    ))}
                </tbody>
            </table>
        </div>
    );
}
