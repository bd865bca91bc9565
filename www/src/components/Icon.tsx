// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Line icons, 20 by 20. They never carry a meaning alone, so they are hidden from screen readers.

const shapes = {
    overview: 'M3 11h5V3H3zM3 17h5v-3H3zM12 17h5V9h-5zM12 6h5V3h-5z',
    firmware: 'M6 6h8v8H6zM8 6V3M12 6V3M8 17v-3M12 17v-3M6 8H3M6 12H3M17 8h-3M17 12h-3',
    devices: 'M4 16V9M8 16V6M12 16v-4M16 16V3',
    campaigns: 'M3 5h4v10H3zM7 8h5v7H7zM12 11h5v4h-5z',
    ledger: 'M5 3h10v14H5zM8 7h4M8 10h4M8 13h2',
    settings: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4',
    search: 'M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3zM13.5 13.5 17 17',
    menu: 'M3 6h14M3 10h14M3 14h14',
    close: 'M5 5l10 10M15 5 5 15',
    sun: 'M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5l1.3 1.3M14.2 14.2l1.3 1.3M15.5 4.5l-1.3 1.3M5.8 14.2l-1.3 1.3',
    moon: 'M16 12.5A7 7 0 0 1 7.5 4a7 7 0 1 0 8.5 8.5z',
    auto: 'M10 3a7 7 0 1 0 0 14zM10 3v14a7 7 0 0 0 0-14',
    out: 'M8 3H4v14h4M9 10h8M14 7l3 3-3 3',
    info: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 9v5M10 6v.5',
    copy: 'M7 7h9v10H7zM13 7V3H4v10h3',
    language: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c-5 5-5 9 0 14M10 3c5 5 5 9 0 14',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
    return (
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <path d={shapes[name]} />
        </svg>
    );
}
