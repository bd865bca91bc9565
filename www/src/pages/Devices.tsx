// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

let loaded: ComponentType | null = null;

// The page is a file of its own, which is fetched at the first visit.
export function Devices() {
    const [View, setView] = useState<ComponentType | null>(() => loaded);
    useEffect(() => {
        void import('./devices/DevicesPage').then(({ DevicesPage }) => {
            loaded = DevicesPage;
            setView(() => DevicesPage);
        });
    }, []);
    return View ? <View /> : <p class="loading" aria-busy="true" />;
}
