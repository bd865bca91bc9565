// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Light, dark, or as the system is.

import { keep, recall, Store } from './store';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const remembered = recall('theme') as Theme | null;
export const theme = new Store<Theme>(remembered && themes.includes(remembered) ? remembered : 'auto');

function apply(): void {
    if (theme.value === 'auto')
        delete document.documentElement.dataset.theme;
    else
        document.documentElement.dataset.theme = theme.value;
}

export function setTheme(value: Theme): void {
    theme.set(value);
    keep('theme', value === 'auto' ? null : value);
    apply();
}

apply();
