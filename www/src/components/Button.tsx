// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from 'preact';

import { Icon, type IconName } from './Icon';

type Props = Omit<JSX.IntrinsicElements['button'], 'icon' | 'label'> & {
    kind?: 'primary' | 'plain' | 'danger';
    busy?: boolean;
    icon?: IconName;
    label?: string; // for a button that shows only an icon
    children?: ComponentChildren;
};

export function Button({ kind = 'plain', busy = false, icon, label, children, disabled, ...rest }: Props) {
    return (
        <button type="button" {...rest} class={`button ${kind} ${label ? 'bare' : ''}`} aria-label={label ?? rest['aria-label']} title={label}
            aria-busy={busy || undefined} disabled={disabled || busy}>
            {icon && <Icon name={icon} />}
            {children}
        </button>
    );
}
