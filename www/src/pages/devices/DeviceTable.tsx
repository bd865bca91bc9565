// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useT } from '../../i18n';
import { useReasons } from '../../reason';
import { useStore } from '../../store';
import { columns, shownColumns, type DeviceColumn } from './columns';
import { idOf, type DeviceRow } from './model';

// A click sorts by the column, the next one the other way round, and the third no more.
function Head({ column: { title, numeric, sort: own }, sort, onSort }: { column: DeviceColumn; sort: string; onSort: (sort: string) => void }) {
    const t = useT();
    const direction = own && sort === own ? 'ascending' : own && sort === `-${own}` ? 'descending' : undefined;
    const next = direction === undefined ? own : direction === 'ascending' ? `-${own}` : '';
    return (
        <th scope="col" class={numeric ? 'numeric' : undefined} aria-sort={own ? direction ?? 'none' : undefined}>
            {next === undefined ? t(title) : (
                <button type="button" class="sort" onClick={() => onSort(next)}>
                    {t(title)} <span aria-hidden="true">{direction === 'ascending' ? '↑' : direction === 'descending' ? '↓' : '↕'}</span>
                </button>
            )}
        </th>
    );
}

type Props = { product: string; rows: DeviceRow[]; chosen: string[]; onChoose: (ids: string[]) => void; sort: string; onSort: (sort: string) => void; caption: string; busy: boolean };

export function DeviceTable({ product, rows, chosen, onChoose, sort, onSort, caption, busy }: Props) {
    const t = useT();
    useReasons(); // the cells show reasons
    const shownIds = useStore(shownColumns);
    const shown = columns.filter(({ id }) => id === 'device' || shownIds.includes(id));
    const isChosen = new Set(chosen);
    const onPage = rows.map(idOf);
    const areAll = onPage.length > 0 && onPage.every((id) => isChosen.has(id));
    const toggle = (id: string) => onChoose(isChosen.has(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
    const toggleAll = () => onChoose(areAll ? chosen.filter((id) => !onPage.includes(id)) : [...new Set([...chosen, ...onPage])]);
    return (
        <div class="table-frame" role="region" aria-label={t('page.devices')} tabIndex={0}>
            <table class="device-table" aria-busy={busy || undefined}>
                <caption>{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col"><input type="checkbox" aria-label={t('devices.choose-page')} checked={areAll} onChange={toggleAll} /></th>
                        {shown.map((column) => <Head key={column.id} column={column} sort={sort} onSort={onSort} />)}
                    </tr>
                </thead>
                <tbody>
                    {rows.map((row) => {
                        const id = idOf(row);
                        return (
                            <tr key={id} class={isChosen.has(id) ? 'chosen' : undefined}>
                                <td><input type="checkbox" aria-label={t('devices.choose', { device: row.device })} checked={isChosen.has(id)} onChange={() => toggle(id)} /></td>
                                {shown.map((column) => (
                                    <td key={column.id} class={[column.numeric && 'numeric', column.wide && 'wide'].filter(Boolean).join(' ') || undefined}>{column.cell(row, product)}</td>
                                ))}
                            </tr>
                        );
                    })}
                </tbody>
            </table>
        </div>
    );
}
