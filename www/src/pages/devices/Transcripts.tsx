// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What an AT module printed on its serial line: paste it, and see what it says (doc/transcripts.md).

import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { get, problemText, useFetch } from '../../api';
import { Button } from '../../components/Button';
import { ChangeForm } from '../../components/May';
import { Table } from '../../components/Table';
import { toast } from '../../components/Toast';
import { time } from '../../format';
import { useT } from '../../i18n';
import { useChange } from './change';
import { when, word } from './columns';
import type { DeviceProps } from './DevicePage';
import { devicePath, type Items } from './model';

const bytesMax = 256 * 1024;

interface Try {
    from: string | null;
    to: string | null;
    at: number | null;
    download: number | null;
    write: number | null;
    error: number | null;
    end: number | null;
    outcome: string;
    cause: string;
    words: string;
    attempt: number | null;
}

interface Row {
    transcript: number;
    source: string;
    received_at: number;
    captured_at: number | null;
    seen_at: number | null;
    firmware: string | null;
    version: string | null;
    counted: boolean;
    why: string | null;
}

interface Transcript extends Row {
    found: { first_version: string | null; last_version: string | null; last_holds: boolean; tries_dropped: number; tries: Try[] };
    warnings?: string[];
}

const percent = (value: number | null) => (value === null ? '–' : `${value} %`);

function Explained({ transcript, onClose }: { transcript: Transcript; onClose: () => void }) {
    const t = useT();
    const { found, version, counted, why, seen_at: seen, warnings } = transcript;
    return (
        <div class="explained" role="region" aria-label={t('device.transcript', { n: transcript.transcript })}>
            <h3>{t('device.transcript', { n: transcript.transcript })}</h3>
            <p>
                {version ? t('device.transcript-version', { version, time: when(seen) }) : t('device.transcript-no-version')}{' '}
                <strong>{t(counted ? 'device.transcript-counted' : 'device.transcript-not-counted')}</strong>{' '}{why}
            </p>
            {version && !found.last_holds && <p class="warning">{t('device.transcript-may-differ')}</p>}
            {warnings?.map((warning) => <p class="warning" key={warning}>{warning}</p>)}
            {found.tries.length === 0
                ? <p class="hint">{t('device.no-tries')}</p>
                : <Table caption={t('device.tries', { count: found.tries.length })} rows={found.tries.map((row, i) => ({ ...row, i }))} rowKey={({ i }) => i} columns={[
                    { title: t('devices.hop'), cell: ({ from, to }) => `${from ?? '–'} → ${to ?? '–'}` },
                    { title: t('devices.outcome'), cell: ({ outcome }) => word('try', outcome) },
                    { title: t('device.cause'), cell: ({ cause, words }) => <>{word('cause', cause)}<span class="note">{words}</span></> },
                    { title: t('device.loaded'), cell: ({ download }) => percent(download), numeric: true },
                    { title: t('device.written'), cell: ({ write }) => percent(write), numeric: true },
                    { title: t('device.error'), cell: ({ error, end }) => error ?? (end === null ? '–' : `END ${end}`), numeric: true },
                    { title: t('device.when'), cell: ({ at }) => when(at) },
                ]} />}
            <div><Button onClick={onClose}>{t('action.close')}</Button></div>
        </div>
    );
}

function Paste({ product, id, again, onDone }: DeviceProps & { onDone: (transcript: Transcript) => void }) {
    const t = useT();
    const name = useId();
    const [text, setText] = useState('');
    const [captured, setCaptured] = useState('');
    const { busy, change } = useChange(again);
    const send = async (event: Event) => {
        event.preventDefault();
        const body = new TextEncoder().encode(text);
        if (body.length > bytesMax)
            return toast(t('device.transcript-too-long'), 'error');
        const query = captured ? `?captured_at=${new Date(captured).getTime()}` : '';
        const answer = await change(`${devicePath(product, id)}/transcripts${query}`, { method: 'POST', body, type: 'text/plain' });
        if (answer) {
            onDone(await answer.json() as Transcript);
            setText('');
        }
    };
    const load = async (file: File | undefined) => { if (file) setText(await file.slice(0, bytesMax + 1).text()); };
    return (
        <ChangeForm needs="operate" class="stack" onSubmit={(event) => void send(event)}>
            <label for={`${name}-text`} class="label">{t('device.paste')}</label>
            <textarea id={`${name}-text`} class="box mono" rows={6} spellcheck={false} placeholder={'AT+UPGRADE\nOK\n+UPGRADEIND: 10\n…'} value={text}
                aria-describedby={`${name}-hint`} onInput={(event) => setText(event.currentTarget.value)} />
            <p class="hint" id={`${name}-hint`}>{t('device.paste-hint')}</p>
            <div class="tool-line">
                <label class="inline">{t('device.captured')}<input class="box" type="datetime-local" step={1} value={captured} onInput={(event) => setCaptured(event.currentTarget.value)} /></label>
                <label class="inline">{t('device.file')}<input type="file" accept=".txt,.log,text/plain" onChange={(event) => void load(event.currentTarget.files?.[0])} /></label>
                <Button needs="operate" kind="primary" type="submit" busy={busy} disabled={!text.trim()}>{t('device.explain-transcript')}</Button>
            </div>
        </ChangeForm>
    );
}

export function Transcripts(props: DeviceProps & { stamp: string }) {
    const t = useT();
    const { product, id, stamp } = props;
    const path = `${devicePath(product, id)}/transcripts`;
    const { data, error, again } = useFetch<Items<Row>>(path);
    const [shown, setShown] = useState<Transcript | null>(null);
    const seen = useRef(stamp);
    useEffect(() => {
        if (seen.current !== stamp)
            again();
        seen.current = stamp;
    }, [stamp]);
    const show = (n: number) => void get<Transcript>(`${path}/${n}`).then(setShown, (reason: unknown) => toast(String(reason), 'error'));
    const rows = data?.items ?? [];
    return (
        <details class="panel">
            <summary><h2>{t('device.transcripts')}{rows.length > 0 && ` (${rows.length})`}</h2></summary>
            {shown ? <Explained transcript={shown} onClose={() => setShown(null)} /> : <Paste {...props} onDone={(transcript) => { setShown(transcript); again(); }} />}
            {error && <p class="error" role="alert">{problemText(error)}</p>}
            {rows.length > 0 && (
                <ul class="links">
                    {rows.map((row) => (
                        <li key={row.transcript}>
                            <span>
                                {t('device.transcript-row', { n: row.transcript, time: time(row.received_at), source: word('source', row.source), version: row.version ?? '–' })}{' '}
                                {t(row.counted ? 'device.transcript-counted' : 'device.transcript-not-counted')}
                            </span>
                            <Button onClick={() => show(row.transcript)}>{t('device.explain-again', { n: row.transcript })}</Button>
                        </li>
                    ))}
                </ul>
            )}
        </details>
    );
}
