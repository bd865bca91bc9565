// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A page whose code is loaded when it is first shown.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { useT } from './i18n';

export function lazy(load: () => Promise<ComponentType>): ComponentType {
    let View: ComponentType | null = null;
    return function Lazy() {
        const t = useT();
        const [, draw] = useState(0);
        const [failed, setFailed] = useState(false);
        useEffect(() => {
            if (!View)
                load().then((view) => { View = view; draw(1); }, () => setFailed(true));
        }, []);
        if (View)
            return <View />;
        return failed ? <p class="error" role="alert">{t('error.page')}</p> : <p class="loading" aria-busy="true" />;
    };
}
