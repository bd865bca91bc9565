// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Empty } from '../components/Empty';
import { Link } from '../components/Link';
import { useT } from '../i18n';

export function NotFound() {
    const t = useT();
    return <Empty title={t('not-found.text')}><Link to="/">{t('page.overview')}</Link></Empty>;
}
