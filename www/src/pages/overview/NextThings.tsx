// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What waits for a person, each thing with its one action.

import { useState } from 'preact/hooks';

import { send } from '../../api';
import { ActionDialog } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { Link } from '../../components/Link';
import { bytes, number, time } from '../../format';
import { isKey, useT, type Key } from '../../i18n';
import { useReasons } from '../../reason';
import type { Answer, Thing } from './answer';

// Where a person does what the action asks for.
function placeOf({ action, product = '', firmware = '', campaign, device, version, from, to, webhook }: Thing): [string, Record<string, string>] {
    switch (action.do) {
    case 'approve': case 'decide': return ['/campaigns', { product, firmware, campaign: String(campaign) }];
    case 'name-build': return ['/firmware', { product, firmware }];
    case 'upload-image': return ['/firmware', { product, firmware, upload: version ?? '' }];
    case 'set-format': return ['/firmware', { product, firmware, tab: 'settings' }];
    case 'find-path': return ['/firmware', { product, firmware, tab: 'path', from: from ?? '', to: to ?? '' }];
    case 'settle-claim': case 'make-link': case 'look-at-secret': return ['/devices', { product, device: device ?? '' }];
    case 'unblock': return ['/devices', { product, filter: `blocked=yes and firmware="${firmware}"` }];
    case 'admit': return ['/devices', { product, state: 'held' }];
    case 'fix-webhook': return ['/settings', { section: 'webhooks', webhook: String(webhook) }];
    default: return ['/settings', { section: 'limits' }];
    }
}

function useWords(thing: Thing): { text: string; action: string } {
    const t = useT();
    const reasonText = useReasons();
    const { kind, free = 0, reserve = 0, size = 0, limit = 0, device = '' } = thing;
    const key = kind === 'out-of-service' && !thing.from ? 'next.out-of-service-full' : `next.${kind}`, action = `next.do.${thing.action.do}`;
    const values = {
        product: thing.product ?? '', firmware: thing.firmware ?? '', name: thing.name ?? '', target: thing.target ?? '', stage: thing.stage ?? 0, from: thing.from ?? '',
        to: thing.to ?? '', version: thing.version ?? '', confirmed: thing.confirmed ?? '', device: device.replace(/^\w+:/, ''), count: thing.count ?? 0,
        free: bytes(free), reserve: bytes(reserve), size: number(size), limit: number(limit), error: thing.error ?? '', network: thing.network ? ` (${thing.network})` : '',
        reason: reasonText(thing),
    };
    return { text: isKey(key) ? t(key, values) : thing.text, action: isKey(action) ? t(action) : t('next.do.decide') };
}

// A call that changes something is made after a question. The server asks who approves.
function Ask({ thing: { action: { do: action, method, path } }, text, label, onDone }: { thing: Thing; text: string; label: string; onDone: () => void }) {
    const t = useT();
    const [open, setOpen] = useState(false);
    const run = async (_: FormData, by: string) => {
        const mark = path?.includes('?') ? '&' : '?';
        await send(`${path}${by ? `${mark}by=${encodeURIComponent(by)}` : ''}`, { method: method ?? 'POST' });
        onDone();
    };
    return (
        <>
            <Button needs="operate" kind="primary" onClick={() => setOpen(true)}>{label}</Button>
            <ActionDialog title={label} open={open} onClose={() => setOpen(false)} submit={label} named needsName={action === 'approve'} run={run}>
                <p>{text}</p>
                <p>{t(`next.ask.${action}` as Key)}</p>
            </ActionDialog>
        </>
    );
}

function Item({ thing, onDone }: { thing: Thing; onDone: () => void }) {
    const t = useT();
    const { text, action } = useWords(thing);
    const [to, query] = placeOf(thing);
    const where = [thing.product, thing.firmware].filter(Boolean).join(' · ');
    return (
        <li class="next-thing">
            <div>
                <p class="next-text">{text}</p>
                <p class="hint">{[where, thing.since && t('next.since', { time: time(thing.since) })].filter(Boolean).join(' · ')}</p>
            </div>
            {thing.action.method && isKey(`next.ask.${thing.action.do}`)
                ? <Ask thing={thing} text={text} label={action} onDone={onDone} />
                : <Link class="button" to={to} query={query}>{action}</Link>}
        </li>
    );
}

export function NextThings({ answer: { next, more }, onChange }: { answer: Answer; onChange: () => void }) {
    const t = useT();
    return (
        <section aria-labelledby="next">
            <h2 id="next">{t('next.title')}</h2>
            {next.length === 0
                ? <p class="next-none">{t('next.none')}</p>
                : <ul class="next">{next.map((thing) => <Item key={JSON.stringify([thing.kind, thing.text, thing.product, thing.firmware])} thing={thing} onDone={onChange} />)}</ul>}
            {more && <p class="hint">{t('next.more')}</p>}
        </section>
    );
}
