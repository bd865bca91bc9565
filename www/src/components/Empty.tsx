// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';

type Props = { title: string; children?: ComponentChildren };

// What a page shows before there is anything: what will be here, and the first step.
export function Empty({ title, children }: Props) {
    return (
        <section class="empty">
            <h2>{title}</h2>
            {children}
        </section>
    );
}

// A command to type, which can be selected with one click.
export function Command({ children }: { children: string }) {
    return <code class="command" tabIndex={0}>{children}</code>;
}
