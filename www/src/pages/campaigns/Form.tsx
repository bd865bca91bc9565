// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { get, isOutdated, path, read, send, useFetch } from '../../api';
import { problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Check, Select } from '../../components/Choice';
import { Field } from '../../components/Field';
import { ChangeForm } from '../../components/May';
import { useT } from '../../i18n';
import { withQuery } from '../../list';
import { keep, recall } from '../../store';
import { AudienceFields } from './AudienceFields';
import { bodyOf, draftOf, type Draft } from './fields';
import { Stages } from './Stages';
import { campaignPath, type Campaign } from './types';

interface Image { version: string; withdrawn: object | null }

type Props = { start: Draft; saved: Campaign | null; kept: string | null; onEdit?: () => void; onReloaded?: () => void; onSaved: (campaign: Campaign) => void };

async function save(draft: Draft, saved: Campaign | null, by: string): Promise<Campaign> {
    const list = path`/products/${draft.product}/firmware/${draft.firmware}/campaigns`;
    const target = saved ? campaignPath({ ...draft, campaign: String(saved.campaign) }) : list;
    const call = { method: saved ? 'PATCH' : 'POST', json: bodyOf(draft, !saved), match: saved };
    const campaign = await read<Campaign>(await send(withQuery(target, { by }), call));
    if (draft.audience !== 'csv' || !draft.csv)
        return campaign;
    const place = campaignPath({ ...draft, campaign: String(campaign.campaign) });
    try {
        await send(withQuery(`${place}/devices`, { by }), { method: 'PUT', body: draft.csv, type: 'text/csv', match: campaign });
    } catch (error) {
        if (!saved)
            await send(place, { method: 'DELETE' });
        throw error;
    }
    return await get(place);
}

// Writes a draft. The list of a saved draft is not shown again: it stays, or is replaced.
export function CampaignForm({ start, saved: first, kept, onEdit, onReloaded, onSaved }: Props) {
    const t = useT();
    const [draft, setDraft] = useState(start);
    const [saved, setSaved] = useState(first); // what the form began with
    const [by, setBy] = useState(recall('by') ?? '');
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<string | null>(null);
    const { data: images } = useFetch<{ items: Image[] }>(path`/products/${draft.product}/firmware/${draft.firmware}/images`);
    const set = (change: Partial<Draft>) => {
        setDraft((now) => ({ ...now, ...change }));
        onEdit?.();
    };
    const reload = async ({ campaign }: Campaign) => {
        const fresh = await get<Campaign>(campaignPath({ ...draft, campaign: String(campaign) }));
        setSaved(fresh);
        setDraft(draftOf(draft.product, fresh));
        onReloaded?.();
    };
    const submit = async (event: SubmitEvent) => {
        event.preventDefault();
        if (draft.audience === 'csv' && !draft.csv) {
            setError(t('campaigns.csv-missing'));
            return;
        }
        setBusy(true);
        setError(null);
        keep('by', by || null);
        try {
            const campaign = await save(draft, saved, by);
            set({ audience: 'kept', devices: '', csv: null, first: '' });
            setSaved(saved && campaign);
            onSaved(campaign);
        } catch (reason) {
            setError(problemOf(reason));
            if (saved && isOutdated(reason))
                await reload(saved).catch((fault: unknown) => setError(problemOf(fault)));
        }
        setBusy(false);
    };
    return (
        <ChangeForm needs="operate" shown class="entry-form campaign-form card" aria-label={t('campaigns.form')} onSubmit={(event) => void submit(event)}>
            <Field label={t('campaigns.name')} hint={t('campaigns.name-hint')} value={draft.name} maxLength={64} required onInput={(event) => set({ name: event.currentTarget.value })} />
            <Select label={t('campaigns.target')} value={draft.target} required onChange={(event) => set({ target: event.currentTarget.value })}>
                <option value="">{t('campaigns.choose-version')}</option>
                {[...images?.items ?? []].reverse().filter(({ withdrawn }) => !withdrawn).map(({ version }) => <option key={version} value={version}>{version}</option>)}
            </Select>
            <AudienceFields draft={draft} kept={kept} set={set} />
            <Stages stages={draft.stages} onChange={(stages) => set({ stages })} />
            <fieldset class="entry-form">
                <legend>{t('campaigns.rules')}</legend>
                <Check checked={draft.pause_when_done} onChange={(event) => set({ pause_when_done: event.currentTarget.checked })} label={t('campaigns.pause-when-done')} />
                <Check checked={draft.finish_transfers} onChange={(event) => set({ finish_transfers: event.currentTarget.checked })} label={t('campaigns.finish-transfers')} />
            </fieldset>
            <Field label={t('action.by')} hint={t('action.by-hint')} value={by} maxLength={100} autocomplete="name" onInput={(event) => setBy(event.currentTarget.value)} />
            {error && <p class="error" role="alert">{error}</p>}
            <p><Button needs="operate" type="submit" kind={saved ? 'plain' : 'primary'} busy={busy}>{t(saved ? 'campaigns.save' : 'campaigns.save-draft')}</Button></p>
        </ChangeForm>
    );
}
