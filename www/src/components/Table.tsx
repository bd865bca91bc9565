// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';

export interface Column<T> {
    title: string;
    cell: (row: T) => ComponentChildren;
    numeric?: boolean;
}

type Props<T> = { caption: string; columns: Column<T>[]; rows: T[]; rowKey: (row: T) => string | number };

// A wide table scrolls in its own frame, also with the arrow keys.
export function Table<T>({ caption, columns, rows, rowKey }: Props<T>) {
    return (
        <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
            <table>
                <caption>{caption}</caption>
                <thead>
                    <tr>{columns.map(({ title, numeric }) => <th key={title} scope="col" class={numeric ? 'numeric' : undefined}>{title}</th>)}</tr>
                </thead>
                <tbody>
                    {rows.map((row) => (
                        <tr key={rowKey(row)}>
                            {columns.map(({ title, cell, numeric }) => <td key={title} class={numeric ? 'numeric' : undefined}>{cell(row)}</td>)}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
