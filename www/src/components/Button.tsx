// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from 'preact';

import { mayUse, useScope, type Scope } from '../session';
import { Icon, type IconName } from './Icon';

type Props = Omit<JSX.IntrinsicElements['button'], 'icon' | 'label'> & {
    kind?: 'primary' | 'plain' | 'danger';
    busy?: boolean;
    needs?: Scope; // hidden when the token has less
    icon?: IconName;
    label?: string; // for a button that shows only an icon
    children?: ComponentChildren;
};

export function Button({ kind = 'plain', busy = false, icon, label, needs, children, disabled, ...rest }: Props) {
    const { scope } = useScope();
    if (needs && !mayUse(scope, needs))
        return null;
    return (
        <button type="button" {...rest} class={`button ${kind} ${label ? 'bare' : ''}`} aria-label={label ?? rest['aria-label']} title={label}
            aria-busy={busy || undefined} disabled={disabled || busy}>
            {icon && <Icon name={icon} />}
            {children}
        </button>
    );
}
