// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText, useFetch } from '../../api';
import { Table } from '../../components/Table';
import { bytes, duration, number, time } from '../../format';
import { useT } from '../../i18n';

const keys = {
    max_new_devices_per_day: 'number', loop_guard_per_day: 'number', link_offers: 'number', link_offer_gap_ms: 'time', pin_idle_ms: 'time', silent_after_ms: 'time',
    max_transfers: 'limit', max_bytes_per_second: 'rate', max_device_connections: 'number', max_admin_connections: 'number', max_image_bytes: 'bytes',
    disk_reserve_bytes: 'bytes', jobs: 'number', job_wall_ms: 'time', ledger_keep_days: 'days', backup_warn_days: 'warn',
    check_ins_keep_days: 'days', attempts_kept: 'limit', unknown_files_keep_days: 'warn',
} as const;
type Name = keyof typeof keys;

function text(name: Name, value: number, t: ReturnType<typeof useT>): string {
    const kind = keys[name];
    if (['limit', 'rate'].includes(kind) && value === 0)
        return t('limits.none');
    if (kind === 'warn')
        return value === 0 ? t('limits.never') : t('limits.days', { count: value });
    if (kind === 'days')
        return value === 0 ? t('limits.for-ever') : t('limits.days', { count: value });
    if (kind === 'time')
        return duration(value);
    return kind === 'bytes' ? bytes(value) : kind === 'rate' ? t('limits.per-second', { bytes: bytes(value) }) : number(value);
}

interface Backup { made_at: number; token_name: string; result: string; size: number }

function lastBackup(last: Backup | null, t: ReturnType<typeof useT>): string {
    if (!last)
        return t('limits.backup-none');
    const values = { time: time(last.made_at), name: last.token_name, size: bytes(last.size) };
    return t(last.result === 'complete' ? 'limits.backup' : 'limits.backup-incomplete', values);
}

// What the server runs with. The file of the configuration changes them.
export function Limits() {
    const t = useT();
    const { data, error } = useFetch<{ limits: Partial<Record<Name, number>>; backup?: { last: Backup | null } }>('/status');
    if (!data)
        return error ? <p class="error" role="alert">{problemText(error)}</p> : <p class="loading" aria-busy="true" />;
    const rows = (Object.keys(keys) as Name[]).filter((name) => data.limits[name] !== undefined);
    return (
        <section aria-label={t('settings.limits')}>
            <p class="hint">{t('limits.text')}</p>
            {data.backup && <p>{lastBackup(data.backup.last, t)}</p>}
            <Table caption={t('limits.caption')} rows={rows} rowKey={(name) => name} columns={[
                { title: t('limits.what'), cell: (name) => t(`limits.key-${name}`) },
                { title: t('limits.value'), cell: (name) => <span class="nowrap">{text(name, data.limits[name]!, t)}</span> },
                { title: t('limits.key'), cell: (name) => <code>{name}</code> },
            ]} />
        </section>
    );
}
