// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';

import { number } from '../format';

type Props = { label: string; value: number | string; tone?: 'warn' | 'bad' | undefined; children?: ComponentChildren };

// A number with its name. The tone is also told by the text below.
export function Stat({ label, value, tone, children }: Props) {
    return (
        <div class={`stat ${tone ?? ''}`}>
            <dt>{label}</dt>
            <dd>
                <span class="value">{typeof value === 'number' ? number(value) : value}</span>
                {children && <span class="note">{children}</span>}
            </dd>
        </div>
    );
}
