// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One action for many devices: those that are chosen, or all that the filter selects. The devices are collected first, so
// that the number is said before, and exactly these are changed.

import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { ApiError, get, problemText } from '../../api';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { csvLine, saveFile } from '../../csv';
import { useT } from '../../i18n';
import { actionOf, actions, perform, type ActionName, type Before } from './actions';
import { devicePath, walk, type DeviceRow, type Selection } from './model';

const devicesMax = 20_000;
const atOnce = 4;

interface Failure { device: string; why: string }

interface Work {
    total: number;
    done: Before[]; // changed
    failed: Failure[];
    links: string[];
    isOver: boolean;
}

// Runs `each` for all, a few at a time, until the signal ends it.
async function forAll<T>(items: T[], signal: AbortSignal, each: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
        while (next < items.length && !signal.aborted)
            await each(items[next++]!);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
}

const strip = ({ id_kind, device, tags, note, state, held_out }: DeviceRow): Before => ({ id_kind, device, tags, note, state, held_out });

interface Collected { devices: Before[]; isAll: boolean; busy: boolean; why: string | null }

function useCollected(selection: Selection, chosen: string[], scope: 'chosen' | 'filter'): Collected {
    const [state, setState] = useState<Collected>({ devices: [], isAll: true, busy: true, why: null });
    const key = JSON.stringify([scope, scope === 'chosen' ? chosen : selection]);
    useEffect(() => {
        const stop = new AbortController();
        const devices: Before[] = [];
        const add = (rows: DeviceRow[]) => {
            devices.push(...rows.map(strip));
            if (!stop.signal.aborted)
                setState({ devices: [...devices], isAll: true, busy: true, why: null });
        };
        const read = async () => {
            if (scope === 'filter')
                return await walk(selection, devicesMax, stop.signal, add);
            await forAll(chosen, stop.signal, async (id) => add([await get<DeviceRow>(devicePath(selection.product, id), stop.signal)]));
            return true;
        };
        add([]);
        read().then((isAll) => { if (!stop.signal.aborted) setState({ devices, isAll, busy: false, why: null }); })
            .catch((error: unknown) => {
                stop.abort(); // the other calls: a device that comes later must not hide the error
                if (error instanceof ApiError)
                    setState({ devices: [], isAll: true, busy: false, why: problemText(error.problem) });
            });
        return () => stop.abort();
    }, [key]);
    return state;
}

function useWork(product: string, action: ActionName, text: string) {
    const [work, setWork] = useState<Work | null>(null);
    const stop = useRef<AbortController | null>(null);
    useEffect(() => () => stop.current?.abort(), []);
    const run = async (devices: Before[], isUndo: boolean) => {
        const own = stop.current = new AbortController();
        const now: Work = { total: devices.length, done: [], failed: [], links: [], isOver: false };
        const { step, undo } = actionOf(action);
        setWork({ ...now });
        await forAll(devices, own.signal, async (before) => {
            try {
                const call = isUndo ? undo?.(text, before) : step(text, before);
                const answer = call ? await perform(product, before, call) : null;
                if (action === 'link' && answer) {
                    const { device, version, url } = await answer.json() as { device: string; version: string | null; url: string };
                    now.links.push(csvLine([device, version, url]));
                }
                now.done.push(before);
            } catch (error) {
                now.failed.push({ device: before.device, why: error instanceof ApiError ? problemText(error.problem) : String(error) });
            }
            setWork({ ...now });
        });
        setWork({ ...now, isOver: true });
    };
    return { work, run, stop: () => stop.current?.abort() };
}

function Progress({ work, onStop }: { work: Work; onStop: () => void }) {
    const t = useT();
    const passed = work.done.length + work.failed.length;
    return (
        <>
            <p role="status">{work.isOver ? t('devices.bulk.done', { count: work.done.length }) : t('devices.bulk.progress', { done: passed, count: work.total })}</p>
            {!work.isOver && <progress max={work.total} value={passed} aria-label={t('devices.bulk.progress-label')} />}
            {!work.isOver && <Button onClick={onStop}>{t('devices.stop')}</Button>}
            {work.isOver && passed < work.total && <p>{t('devices.bulk.stopped', { count: work.total - passed })}</p>}
            {work.failed.length > 0 && (
                <div role="region" class="failures" aria-label={t('devices.bulk.failed', { count: work.failed.length })} tabIndex={0}>
                    <p class="error">{t('devices.bulk.failed', { count: work.failed.length })}</p>
                    <ul>{work.failed.slice(0, 200).map(({ device, why }) => <li key={device}><code>{device}</code> {why}</li>)}</ul>
                </div>
            )}
        </>
    );
}

function Scope({ scope, chosen, onChange }: { scope: string; chosen: number; onChange: (scope: 'chosen' | 'filter') => void }) {
    const t = useT();
    const name = useId();
    if (!chosen)
        return null;
    return (
        <fieldset class="choice">
            <legend>{t('devices.bulk.scope')}</legend>
            <label><input type="radio" name={name} checked={scope === 'chosen'} onChange={() => onChange('chosen')} />{t('devices.bulk.chosen', { count: chosen })}</label>
            <label><input type="radio" name={name} checked={scope === 'filter'} onChange={() => onChange('filter')} />{t('devices.bulk.filter')}</label>
        </fieldset>
    );
}

function Count({ collected: { devices, isAll, busy, why } }: { collected: Collected }) {
    const t = useT();
    if (why)
        return <p class="error" role="alert">{why}</p>;
    const text = busy ? 'devices.bulk.counting' : isAll ? 'devices.bulk.count' : 'devices.bulk.at-least';
    return <p role="status" class="bulk-count">{t(text, { count: devices.length })}</p>;
}

interface Plan { scope: 'chosen' | 'filter'; name: ActionName; text: string }

function Form({ plan, chosen, filter, collected, onChange }: { plan: Plan; chosen: number; filter: string; collected: Collected; onChange: (plan: Plan) => void }) {
    const t = useT();
    const action = actionOf(plan.name);
    return (
        <>
            <Scope scope={plan.scope} chosen={chosen} onChange={(scope) => onChange({ ...plan, scope })} />
            <label class="field">
                <span class="label">{t('devices.bulk.action')}</span>
                <select value={plan.name} onChange={(event) => onChange({ ...plan, name: event.currentTarget.value as ActionName, text: '' })}>
                    {(Object.keys(actions) as ActionName[]).map((name) => <option key={name} value={name}>{t(actionOf(name).title)}</option>)}
                </select>
            </label>
            {action.needs && <Field label={t(action.needs)} value={plan.text} onInput={(event) => onChange({ ...plan, text: event.currentTarget.value })} />}
            {!action.undo && <p class="hint">{t('devices.bulk.no-undo')}</p>}
            {plan.scope === 'filter' && <p class="hint wrap">{filter ? t('devices.bulk.of-filter', { filter }) : t('devices.bulk.no-filter')}</p>}
            <Count collected={collected} />
        </>
    );
}

const linkHead = csvLine(['device', 'version', 'url']);

function BulkDialog({ selection, chosen, onClose }: { selection: Selection; chosen: string[]; onClose: (changed: boolean) => void }) {
    const t = useT();
    const [plan, setPlan] = useState<Plan>({ scope: chosen.length ? 'chosen' : 'filter', name: 'add-tags', text: '' });
    const [undone, setUndone] = useState(false);
    const collected = useCollected(selection, chosen, plan.scope);
    const { work, run, stop } = useWork(selection.product, plan.name, plan.text);
    const action = actionOf(plan.name), title = t(action.title), count = collected.devices.length;
    const isComplete = !action.needs || action.mayBeEmpty || plan.text.trim() !== '';
    const close = () => { stop(); onClose(work !== null); };
    const undo = () => { setUndone(true); void run(work!.done, true); };
    const footer = work
        ? <>
            {work.isOver && work.links.length > 0 && <Button onClick={() => saveFile('links.csv', [linkHead, ...work.links], 'text/csv;charset=utf-8')}>{t('devices.bulk.save-links')}</Button>}
            {work.isOver && action.undo && !undone && work.done.length > 0 && <Button onClick={undo}>{t('devices.undo')}</Button>}
            <Button kind="primary" disabled={!work.isOver} onClick={close}>{t('action.close')}</Button>
        </>
        : <Button kind={action.isDanger ? 'danger' : 'primary'} disabled={collected.busy || count === 0 || !isComplete} onClick={() => void run(collected.devices, false)}>
            {t('devices.bulk.run', { action: title, count })}
        </Button>;
    return (
        <Dialog title={t('devices.bulk.title')} open onClose={close} busy={work !== null && !work.isOver} actions={footer}>
            {work
                ? <><p><strong>{undone ? t('devices.bulk.undone', { action: title }) : title}</strong></p><Progress work={work} onStop={stop} /></>
                : <Form plan={plan} chosen={chosen.length} filter={selection.filter} collected={collected} onChange={setPlan} />}
        </Dialog>
    );
}

type Props = { selection: Selection; chosen: string[]; onDone: () => void };

export function Bulk({ selection, chosen, onDone }: Props) {
    const t = useT();
    const [open, setOpen] = useState(false);
    return (
        <div class="tool-line">
            <Button needs="operate" onClick={() => setOpen(true)}>{chosen.length ? t('devices.bulk.open-chosen', { count: chosen.length }) : t('devices.bulk.open')}</Button>
            {open && <BulkDialog selection={selection} chosen={chosen} onClose={(changed) => { setOpen(false); if (changed) onDone(); }} />}
        </div>
    );
}
