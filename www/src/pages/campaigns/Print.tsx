// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'preact/hooks';

import { problemText, useFetch } from '../../api';
import { Button } from '../../components/Button';
import { problemOf } from '../../components/ActionDialog';
import { Link } from '../../components/Link';
import { OutcomeBar } from './OutcomeBar';
import { number, time } from '../../format';
import { useT } from '../../i18n';
import { eachPage, getPage, withQuery, type Page } from '../../list';
import type { Row } from '../ledger/row';
import { sentence, who } from '../ledger/words';
import { useReasons } from '../../reason';
import { useQuery } from '../../router';
import { Comparison } from './Show';
import { DeviceTable } from './Devices';
import { StageList } from './StageList';
import { StateBadge } from './StateBadge';
import { campaignPath, type Campaign, type Device, type Where } from './types';
import { audience } from './words';

const kinds = ['added', 'set', 'started', 'stage-began', 'approved', 'paused', 'resumed', 'retargeted', 'finished', 'cancelled'].map((name) => `campaign-${name}`);
const partSize = 2000, perCall = 1000;

// What was done with the campaign, from the ledger.
function useHistory(where: Where, campaign: Campaign | null): { rows: Row[] | null; error: string | null } {
    const [rows, setRows] = useState<Row[] | null>(null);
    const [error, setError] = useState<string | null>(null);
    const id = campaign?.campaign;
    useEffect(() => {
        if (!campaign)
            return;
        const stop = new AbortController();
        const mine = ({ firmware, detail }: Row) => firmware === where.firmware && typeof detail === 'object' && detail.campaign === campaign.name;
        const found: Row[] = [];
        Promise.all(kinds.map((kind) => eachPage<Row>('/ledger', { kind, product: where.product, since: campaign.created_at, limit: 1000 },
            (items) => { found.push(...items.filter(mine)); }, stop.signal)))
            .then(() => setRows(found.sort((a, b) => a.seq - b.seq)), (reason: unknown) => { if (!stop.signal.aborted) setError(problemOf(reason)); });
        return () => stop.abort();
    }, [id]);
    return { rows, error };
}

interface Part { devices: Device[]; next: string | null }

// One part of the devices: a page for paper, not for a screen.
function usePart(where: Where, after: string): { part: Part | null; error: string | null } {
    const [part, setPart] = useState<Part | null>(null);
    const [error, setError] = useState<string | null>(null);
    useEffect(() => {
        const stop = new AbortController();
        setPart(null);
        const load = async () => {
            const devices: Device[] = [];
            let next: string | null = after;
            do {
                const page: Page<Device> = await getPage<Device>(withQuery(`${campaignPath(where)}/devices`, { limit: perCall, after: next }), stop.signal);
                devices.push(...page.items);
                next = page.next?.get('after') ?? null;
            } while (next && devices.length < partSize);
            setPart({ devices, next });
        };
        load().catch((reason: unknown) => { if (!stop.signal.aborted) setError(problemOf(reason)); });
        return () => stop.abort();
    }, [after]);
    return { part, error };
}

function History({ rows }: { rows: Row[] }) {
    const t = useT();
    const reasonText = useReasons();
    return (
        <section>
            <h3>{t('print.history')}</h3>
            <div class="table-frame" role="region" aria-label={t('print.history')} tabIndex={0}>
                <table>
                    <thead><tr><th scope="col">{t('ledger.at')}</th><th scope="col">{t('ledger.by')}</th><th scope="col">{t('ledger.what')}</th><th scope="col" class="numeric">{t('ledger.row')}</th></tr></thead>
                    <tbody>{rows.map((row) => <tr key={row.seq}><td class="nowrap">{time(row.at)}</td><td>{who(row) ?? t('print.server')}</td><td>{sentence(row, reasonText)}</td><td class="numeric">{number(row.seq)}</td></tr>)}</tbody>
                </table>
            </div>
        </section>
    );
}

function Signature() {
    const t = useT();
    return <p class="signature"><span>{t('print.date')}</span><span>{t('print.name')}</span><span>{t('print.signature')}</span></p>;
}

// For paper: what was done, when, by whom, and what each device confirmed.
export function CampaignPrint({ where }: { where: Where }) {
    const t = useT();
    const [after] = useQuery('after');
    const { data: campaign, error } = useFetch<Campaign>(campaignPath(where));
    const { rows, error: historyError } = useHistory(where, campaign);
    const { part, error: partError } = usePart(where, after);
    const problem = (error && problemText(error)) ?? historyError ?? partError;
    if (!campaign)
        return problem ? <p class="error" role="alert">{problem}</p> : <p class="loading" aria-busy="true" />;
    return (
        <article class="paper">
            <p class="toolbar screen-only">
                <Link to="/campaigns" query={{ ...where }} class="button plain">{t('print.back')}</Link>
                <Button kind="primary" disabled={!part || !rows} onClick={() => print()}>{t('campaigns.print')}</Button>
                {after && <Link to="/campaigns" query={{ ...where, view: 'print' }} class="button plain">{t('pager.first')}</Link>}
                {part?.next && <Link to="/campaigns" query={{ ...where, view: 'print', after: part.next }} class="button plain">{t('print.next-part')}</Link>}
            </p>
            {problem && <p class="error" role="alert">{problem}</p>}
            <h2>{t('print.title', { name: campaign.name, firmware: where.firmware, target: campaign.target })} <StateBadge campaign={campaign} /></h2>
            <p>{t('campaigns.leads', { firmware: where.firmware, target: campaign.target, audience: audience(campaign) })}</p>
            <p>{t('print.at', { time: time(Date.now()) })}</p>
            {!after && (
                <>
                    <OutcomeBar counts={campaign.counts} size={campaign.devices} />
                    {rows ? <History rows={rows} /> : <p aria-busy="true" class="hint">{t('print.loading')}</p>}
                    <StageList campaign={campaign} />
                    <Comparison campaign={campaign} />
                </>
            )}
            {part ? <DeviceTable product={where.product} caption={t('print.devices', { count: part.devices.length })} devices={part.devices} /> : <p aria-busy="true" class="hint">{t('print.loading')}</p>}
            {part?.next ? <p>{t('print.more')}</p> : <Signature />}
        </article>
    );
}
