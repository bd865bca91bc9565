// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Link } from '../components/Link';
import { useT } from '../i18n';
import { useQuery } from '../router';
import '../styles/work.css';
import { Inbox } from './settings/Inbox';
import { Limits } from './settings/Limits';
import { Products } from './settings/Products';
import { Tokens } from './settings/Tokens';
import { Webhooks } from './settings/Webhooks';

const sections = { inbox: Inbox, webhooks: Webhooks, products: Products, limits: Limits, tokens: Tokens } as const;
type Section = keyof typeof sections;

export function Settings() {
    const t = useT();
    const [chosen] = useQuery('section');
    const current: Section = chosen in sections ? chosen as Section : 'inbox';
    const View = sections[current];
    return (
        <>
            <div class="section-tabs" role="group" aria-label={t('settings.sections')}>
                {(Object.keys(sections) as Section[]).map((section) => (
                    <Link key={section} to="/settings" query={{ section }} aria-current={section === current ? 'true' : undefined}>{t(`settings.${section}`)}</Link>
                ))}
            </div>
            <View />
        </>
    );
}
