// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One package: its facts, and what an admin can do with it.

import { useState } from 'preact/hooks';

import { ApiError, problemText, send, useFetch } from '../../api';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { ChangeForm } from '../../components/May';
import { toast } from '../../components/Toast';
import { duration, time } from '../../format';
import { useT } from '../../i18n';
import { useLive } from '../../live';
import { useReasons } from '../../reason';
import { useQuery } from '../../router';
import { sendFile } from '../../upload';
import { nameOf, packagePath, type PackagePath } from './build';
import { shareOf } from './cells';
import type { Tab } from './One';
import { Facts, Failure, Hash, Loading, Note, Tag, useCall, useName } from './parts';
import { Ends } from './Path';
import type { PackageInfo } from './types';
import { DropZone } from './Upload';

const typedDigits = 8; // of the SHA-256 that an admin types to release a package

type Part = { where: PackagePath; made: PackageInfo; again: () => void };

const endsOf = (made: PackageInfo) => ({
    from: nameOf({ version: made.from, variant: made.from_variant }), to: nameOf({ version: made.to, variant: made.to_variant }),
});

function FactsOf({ made }: { made: PackageInfo }) {
    const t = useT();
    return (
        <Facts rows={[
            [t('firmware.state'), (
                <span class="tags">
                    <Tag tone={made.state === 'ready' ? 'good' : made.state === 'queued' || made.state === 'generating' ? 'plain' : 'bad'}>{t(`firmware.state-${made.state}`)}</Tag>
                    {made.improving && <Tag>{t('firmware.improving')}</Tag>}
                </span>
            )],
            [t('firmware.format'), made.format],
            [t('firmware.size'), made.size !== null && `${t('firmware.bytes', { count: made.size })} (${shareOf(made.counted ?? made.size, made.limit)})`],
            [t('firmware.counted-label'), made.counted !== made.size && made.counted !== null && t('firmware.bytes', { count: made.counted })],
            [t('firmware.limit'), t('firmware.bytes', { count: made.limit })],
            ['SHA-256', made.sha256 && <Hash value={made.sha256} />],
            [t('firmware.proof'), made.size !== null && (made.proven ? t('firmware.proven-text') : t('firmware.unproven-text'))],
            [t('firmware.origin'), made.uploaded_by ? t('firmware.origin-by', { name: made.uploaded_by }) : t(`firmware.origin-${made.origin}`)],
            [t('firmware.effort'), made.effort && t(`firmware.effort-${made.effort}`)],
            [t('firmware.queued-at'), time(made.queued_at)],
            [t('firmware.finished-at'), made.finished_at !== null && time(made.finished_at)],
            [t('firmware.duration'), made.duration_ms !== null && duration(made.duration_ms)],
            [t('firmware.crashes'), made.crashes > 0 && String(made.crashes)],
            [t('firmware.note'), made.note && <span class="name">{made.note}</span>],
        ]} />
    );
}

function Release({ where, made, again }: Part) {
    const t = useT();
    const [open, setOpen] = useState(false);
    const [typed, setTyped] = useState('');
    const [by, setBy] = useName();
    const [note, setNote] = useState('');
    const { busy, problem, run } = useCall();
    const digits = typed.trim().toLowerCase();
    const isRight = digits.length >= typedDigits && (made.sha256 ?? '').startsWith(digits);
    const release = async () => {
        if (!isRight || !await run(() => send(where('/release'), { method: 'POST', json: { sha256: made.sha256, by, note } })))
            return;
        setOpen(false);
        again();
    };
    return (
        <>
            <Button needs="operate" onClick={() => setOpen(true)}>{t('firmware.release')}</Button>
            <Dialog title={t('firmware.release-title', endsOf(made))} open={open} onClose={() => setOpen(false)}>
                <ChangeForm needs="operate" class="form" onSubmit={(event) => { event.preventDefault(); void release(); }}>
                    <p>{t('firmware.release-text')}</p>
                    <p><code class="break">{made.sha256}</code></p>
                    <Field label={t('firmware.release-digits', { count: typedDigits })} value={typed} required autocomplete="off" spellcheck={false}
                        error={digits.length >= typedDigits && !isRight ? t('firmware.release-wrong') : null} onInput={(event) => setTyped(event.currentTarget.value)} />
                    <Field label={t('firmware.your-name')} value={by} required maxLength={100} onInput={(event) => setBy(event.currentTarget.value)} />
                    <Field label={t('firmware.release-note')} value={note} required maxLength={300} onInput={(event) => setNote(event.currentTarget.value)} />
                    <Failure problem={problem} />
                    <div><Button needs="operate" kind="danger" type="submit" busy={busy} disabled={!isRight}>{t('firmware.release')}</Button></div>
                </ChangeForm>
            </Dialog>
        </>
    );
}

function Quarantine({ where, made, again }: Part) {
    const t = useT();
    const [open, setOpen] = useState(false);
    const [reason, setReason] = useState('');
    const { busy, problem, run } = useCall();
    const stop = async () => {
        if (!await run(() => send(where('/quarantine'), { method: 'PUT', json: { reason } })))
            return;
        setOpen(false);
        again();
    };
    return (
        <>
            <Button needs="operate" kind="danger" onClick={() => setOpen(true)}>{t('firmware.quarantine')}</Button>
            <Dialog title={t('firmware.quarantine-title', endsOf(made))} open={open} onClose={() => setOpen(false)}>
                <ChangeForm needs="operate" class="form" onSubmit={(event) => { event.preventDefault(); void stop(); }}>
                    <p>{t('firmware.quarantine-text')}</p>
                    <Field label={t('firmware.reason')} value={reason} required maxLength={199} onInput={(event) => setReason(event.currentTarget.value)} />
                    <Failure problem={problem} />
                    <div><Button needs="operate" kind="danger" type="submit" busy={busy}>{t('firmware.quarantine')}</Button></div>
                </ChangeForm>
            </Dialog>
        </>
    );
}

function Actions({ where, made, again }: Part) {
    const t = useT();
    const reasonText = useReasons();
    const { busy, problem, run } = useCall();
    const change = async (method: string, part: string) => {
        if (await run(() => send(where(part), { method })))
            again();
    };
    const isMade = made.size !== null;
    return (
        <>
            {made.quarantine && (
                <Note tone="bad">
                    <p>{t('firmware.quarantined-since', { time: time(made.quarantine.at), reason: reasonText(made.quarantine) })}</p>
                    <Button needs="operate" busy={busy} onClick={() => void change('DELETE', '/quarantine')}>{t('firmware.lift')}</Button>
                </Note>
            )}
            {made.released && (
                <Note>
                    <p>{t('firmware.released-since', { time: time(made.released.at), name: made.released.by, note: made.released.note })}</p>
                    <Button needs="operate" busy={busy} onClick={() => void change('DELETE', '/release')}>{t('firmware.unrelease')}</Button>
                </Note>
            )}
            {made.error && <Note tone="bad"><p class="name">{reasonText(made, 'error')}</p></Note>}
            <Failure problem={problem} />
            <div class="row">
                {made.state === 'ready' && <a class="button plain" href={`/api/v1${where('/content')}`} download>{t('firmware.download')}</a>}
                {made.state === 'failed' && <Button needs="upload" busy={busy} onClick={() => void change('POST', '')}>{t('firmware.make-again')}</Button>}
                {isMade && !made.proven && !made.released && <Release where={where} made={made} again={again} />}
                {!made.quarantine && <Quarantine where={where} made={made} again={again} />}
                {made.origin === 'uploaded' && <Button needs="operate" kind="danger" busy={busy} onClick={() => void change('DELETE', '')}>{t('firmware.forget')}</Button>}
            </div>
            {made.log && (
                <section aria-labelledby="package-log">
                    <h3 id="package-log">{t('firmware.log')}</h3>
                    <pre class="log" tabIndex={0}>{made.log}</pre>
                </section>
            )}
        </>
    );
}

// A package of another tool.
// `allowsRaw`: the format of the firmware takes any file, when the admin says so.
function UploadPackage({ where, allowsRaw, again }: { where: PackagePath; allowsRaw: boolean; again: () => void }) {
    const t = useT();
    const [by, setBy] = useName();
    const [raw, setRaw] = useState<File | null>(null); // refused, and may be sent as it is
    const [sent, setSent] = useState<{ file: File; bytes: number } | null>(null);
    const { busy, problem, run } = useCall();
    const put = async (file: File, asRaw: boolean) => {
        setRaw(null);
        const path = where('', { by: by || null, format: asRaw ? 'raw' : null });
        const done = await run(async () => {
            try {
                await sendFile<PackageInfo>({ method: 'PUT', path, file, onSent: (bytes) => setSent({ file, bytes }) });
            } catch (error) {
                if (allowsRaw && !asRaw && error instanceof ApiError && error.problem.code === 'not-a-package')
                    setRaw(file);
                throw error;
            } finally {
                setSent(null);
            }
        });
        if (done)
            toast(t('firmware.package-stored', { name: file.name }));
        again();
    };
    return (
        <section aria-labelledby="package-upload">
            <h3 id="package-upload">{t('firmware.package-upload')}</h3>
            <p class="hint">{t('firmware.package-upload-hint')}</p>
            <Field label={t('firmware.your-name')} value={by} maxLength={100} onInput={(event) => setBy(event.currentTarget.value)} />
            <DropZone text={t('firmware.package-drop')} button={t('firmware.choose-file')} onFiles={([file]) => { if (file && !busy) void put(file, false); }} />
            {sent && <progress max={Math.max(sent.file.size, 1)} value={sent.bytes} aria-label={sent.file.name} />}
            <Failure problem={problem} />
            {raw && <div><Button needs="upload" onClick={() => void put(raw, true)}>{t('firmware.package-raw')}</Button></div>}
        </section>
    );
}

function NotMade({ where, again }: { where: PackagePath; again: () => void }) {
    const t = useT();
    const { busy, problem, run } = useCall();
    const ask = async () => {
        await run(() => send(where(), { method: 'POST' }));
        again();
    };
    return (
        <Empty title={t('firmware.package-none')}>
            <p>{t('firmware.package-none-text')}</p>
            <Button needs="upload" kind="primary" busy={busy} onClick={() => void ask()}>{t('firmware.package-request')}</Button>
            <Failure problem={problem} />
        </Empty>
    );
}

export function Package({ at, info, images }: Tab) {
    const t = useT();
    const [from] = useQuery('from');
    const [to] = useQuery('to');
    const isChosen = Boolean(from && to && from !== to);
    const where = packagePath(at, images, from, to);
    const { data: made, error, again } = useFetch<PackageInfo>(isChosen ? where() : null);
    const isThere = Boolean(made && !error);
    useLive(isThere ? ['images', 'packages', 'queue'] : ['images', 'packages'], again);
    const isMissing = error?.code === 'package-not-found';
    return (
        <>
            <Ends images={images} ends="package" />
            {!isChosen && <Empty title={t('firmware.package-empty')}><p>{t('firmware.package-empty-text')}</p></Empty>}
            {isChosen && !made && !error && <Loading />}
            {error && !isMissing && <p class="error" role="alert">{problemText(error)}</p>}
            {isMissing && <NotMade where={where} again={again} />}
            {made && !error && <FactsOf made={made} />}
            {made && !error && <Actions where={where} made={made} again={again} />}
            {isChosen && (made || isMissing) && <UploadPackage where={where} allowsRaw={info.format === 'external'} again={again} />}
        </>
    );
}
