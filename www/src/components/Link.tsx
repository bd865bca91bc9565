// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';

import { go, href } from '../router';

type Props = Omit<JSX.IntrinsicElements['a'], 'href'> & { to: string; query?: Record<string, string> };

// A link to a page of the console. With a modifier key the browser opens a tab as usual.
export function Link({ to, query, onClick, ...rest }: Props) {
    return (
        <a {...rest} href={href(to, query)} onClick={(event) => {
            onClick?.(event);
            if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
                return;
            event.preventDefault();
            go(to, query);
        }} />
    );
}
