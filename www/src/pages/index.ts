// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The pages, in the order of the navigation. A new page is one line here, its texts in messages/, and its file.

import type { ComponentType } from 'preact';

import type { IconName } from '../components/Icon';
import type { Key } from '../i18n';
import { lazy } from '../lazy';
import { Overview } from './Overview';

export interface Page {
    path: string;
    title: Key;
    icon: IconName;
    view: ComponentType;
}

export const pages: Page[] = [
    { path: '/', title: 'page.overview', icon: 'overview', view: Overview },
    { path: '/firmware', title: 'page.firmware', icon: 'firmware', view: lazy(() => import('./firmware/View').then(({ View }) => View)) },
    { path: '/devices', title: 'page.devices', icon: 'devices', view: lazy(() => import('./devices/DevicesPage').then(({ DevicesPage }) => DevicesPage)) },
    { path: '/campaigns', title: 'page.campaigns', icon: 'campaigns', view: lazy(() => import('./Campaigns').then(({ Campaigns }) => Campaigns)) },
    { path: '/ledger', title: 'page.ledger', icon: 'ledger', view: lazy(() => import('./Ledger').then(({ Ledger }) => Ledger)) },
    { path: '/settings', title: 'page.settings', icon: 'settings', view: lazy(() => import('./Settings').then(({ Settings }) => Settings)) },
];
