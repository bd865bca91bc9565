// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Table } from '../../components/Table';
import { bytes } from '../../format';
import { useT } from '../../i18n';
import { useReasons } from '../../reason';
import { when, word } from './columns';
import type { Attempt, Device } from './model';

const lastTime = (attempt: Attempt) => attempt.ended_at ?? attempt.delivered_at ?? attempt.handed_over_at ?? attempt.sent_at ?? attempt.created_at;

export function Attempts({ device: { attempts } }: { device: Device }) {
    const t = useT();
    const reasonText = useReasons();
    if (!attempts.length)
        return null;
    return (
        <section aria-labelledby="attempts">
            <h2 id="attempts">{t('device.attempts')}</h2>
            <Table caption={t('device.attempts-caption', { count: attempts.length })} rows={attempts} rowKey={({ attempt }) => attempt} columns={[
                { title: t('devices.hop'), cell: ({ from, to, beside }) => <>{from || '–'} → {to}{beside && <span class="note">{t('device.beside')}</span>}</> },
                { title: t('devices.outcome'), cell: ({ state }) => word('outcome', state) },
                { title: t('devices.since'), cell: (attempt) => when(lastTime(attempt)) },
                { title: t('device.bytes'), cell: ({ bytes_acked: acked, size }) => (size === null ? '–' : t('device.bytes-of', { acked: bytes(acked), size: bytes(size) })), numeric: true },
                { title: t('devices.reason'), cell: (attempt) => (
                    <>
                        {reasonText(attempt)}
                        {attempt.elsewhere && <span class="note">{t('device.elsewhere', { origin: attempt.elsewhere })}</span>}
                        {attempt.evidence.map(({ transcript, words }) => <span class="note" key={`${transcript} ${words}`}>{t('device.transcript-says', { transcript, words })}</span>)}
                    </>
                ) },
            ]} />
        </section>
    );
}
