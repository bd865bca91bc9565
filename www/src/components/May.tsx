// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from 'preact';

import { mayUse, useScope, type Scope } from '../session';

// What a token with less than this scope does not see.
export function May({ needs, children }: { needs: Scope; children: ComponentChildren }) {
    return mayUse(useScope().scope, needs) ? <>{children}</> : null;
}

type Props = JSX.IntrinsicElements['form'] & { needs: Scope; shown?: boolean };

// A form that changes something. `shown`: a token with less sees the values, and cannot change them.
export function ChangeForm({ needs, shown = false, children, ...rest }: Props) {
    const may = mayUse(useScope().scope, needs);
    if (!may && !shown)
        return null;
    return <form {...rest}>{may ? children : <fieldset disabled class="stack">{children}</fieldset>}</form>;
}
