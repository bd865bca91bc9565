// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Files that the browser stores, and lines of CSV (RFC 4180). A program for tables must not take a text from a device for a formula, so such a text begins with an apostrophe.
export type Cell = string | number | boolean | null;

function cell(value: Cell): string {
    const text = value === null ? '' : typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (cells: Cell[]) => `${cells.map(cell).join(',')}\r\n`;
export const csvTime = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export function saveFile(name: string, parts: BlobPart[], type: string): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
