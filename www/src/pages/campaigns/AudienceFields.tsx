// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Check, Select, TextArea } from '../../components/Choice';
import { Field } from '../../components/Field';
import { useT } from '../../i18n';
import { ids, type Audience, type Draft } from './fields';
import { orders } from './types';

type Props = { draft: Draft; kept: string | null; set: (change: Partial<Draft>) => void }; // kept: the audience as it is saved

export function AudienceFields({ draft, kept, set }: Props) {
    const t = useT();
    const { audience } = draft;
    const kinds: Audience[] = [...(kept ? ['kept' as const] : []), 'all', 'list', 'csv', 'filter'];
    const hasOrder = ['list', 'csv'].includes(audience) || (audience === 'filter' && draft.frozen === 'frozen');
    return (
        <fieldset class="entry-form">
            <legend>{t('campaigns.audience')}</legend>
            <div class="option-list" role="radiogroup" aria-label={t('campaigns.audience')}>
                {kinds.map((kind) => (
                    <Check key={kind} type="radio" name="audience" checked={audience === kind} onChange={() => set({ audience: kind })}
                        label={kind === 'kept' ? t('campaigns.audience-kept', { audience: kept ?? '' }) : t(`campaigns.choose-${kind}`)} />
                ))}
            </div>
            {audience === 'list' && <TextArea label={t('campaigns.devices-typed', { count: ids(draft.devices).length })} hint={t('campaigns.devices-hint')} rows={5}
                spellcheck={false} value={draft.devices} onInput={(event) => set({ devices: event.currentTarget.value })} />}
            {audience === 'csv' && <Field label={t('campaigns.csv')} hint={t('campaigns.csv-hint')} type="file" accept=".csv,text/csv,text/plain"
                onChange={(event) => set({ csv: event.currentTarget.files?.[0] ?? null })} />}
            {audience === 'filter' && (
                <>
                    <Field label={t('campaigns.filter')} hint={t('campaigns.filter-hint')} value={draft.filter} spellcheck={false} required
                        onInput={(event) => set({ filter: event.currentTarget.value })} />
                    <div class="option-list" role="radiogroup" aria-label={t('campaigns.when-filtered')}>
                        {(['frozen', 'dynamic'] as const).map((kind) => (
                            <Check key={kind} type="radio" name="frozen" required checked={draft.frozen === kind} onChange={() => set({ frozen: kind })} label={t(`campaigns.${kind}`)} />
                        ))}
                    </div>
                </>
            )}
            {hasOrder && (
                <Select label={t('campaigns.order')} value={draft.order} onChange={(event) => set({ order: event.currentTarget.value as Draft['order'] })}>
                    <option value="">{t('campaigns.order-default')}</option>
                    {orders.filter((order) => audience !== 'filter' || order !== 'given').map((order) => <option key={order} value={order}>{t(`campaigns.order-${order}`)}</option>)}
                </Select>
            )}
            {hasOrder && audience !== 'csv' && <TextArea label={t('campaigns.first')} hint={t('campaigns.first-hint')} rows={2} spellcheck={false} value={draft.first}
                onInput={(event) => set({ first: event.currentTarget.value })} />}
        </fieldset>
    );
}
