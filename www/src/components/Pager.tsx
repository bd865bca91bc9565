// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { Page } from '../list';
import { useT } from '../i18n';
import { usePlace } from '../router';
import { Link } from './Link';

type Props = { page: Pick<Page<unknown>, 'next'>; cursor: string }; // cursor: the parameter that names a page, in the address and in the API

// The first and the next page, as addresses. The page before is the browser's Back.
export function Pager({ page, cursor }: Props) {
    const t = useT();
    const { path, query } = usePlace();
    const to = (value: string | null) => {
        const all = Object.fromEntries(query);
        delete all[cursor];
        return value ? { ...all, [cursor]: value } : all;
    };
    const next = page.next?.get(cursor) ?? null;
    if (!next && !query.get(cursor))
        return null;
    return (
        <p class="pager">
            {query.get(cursor) && <Link to={path} query={to(null)} class="button plain">{t('pager.first')}</Link>}
            {next && <Link to={path} query={to(next)} class="button plain" onClick={() => scrollTo(0, 0)}>{t('pager.next')}</Link>}
        </p>
    );
}
