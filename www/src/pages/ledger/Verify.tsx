// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';

import { problemOf } from '../../components/ActionDialog';
import { Button } from '../../components/Button';
import { TextArea } from '../../components/Choice';
import { Command } from '../../components/Empty';
import { number } from '../../format';
import { useT } from '../../i18n';
import { canVerify, readHead, verify, type Verified } from './chain';

interface Progress { rows: number; total: number | null }

export function Verify() {
    const t = useT();
    const [text, setText] = useState('');
    const [progress, setProgress] = useState<Progress | null>(null);
    const [done, setDone] = useState<Verified | null>(null);
    const [error, setError] = useState<string | null>(null);
    const stop = useRef<AbortController | null>(null);
    useEffect(() => () => stop.current?.abort(), []);
    const start = async () => {
        const against = text.trim() ? readHead(text) : null;
        setDone(null);
        setError(text.trim() && !against ? t('ledger.head-wrong') : null);
        if (text.trim() && !against)
            return;
        stop.current = new AbortController();
        setProgress({ rows: 0, total: null });
        try {
            setDone(await verify(against, (rows, total) => setProgress({ rows, total }), stop.current.signal));
        } catch (reason) {
            if (!stop.current.signal.aborted)
                setError(problemOf(reason));
        }
        setProgress(null);
    };
    if (!canVerify)
        return <><p>{t('ledger.no-crypto')}</p><Command>dfotactl ledger verify</Command></>;
    return (
        <div class="entry-form">
            <p class="hint">{t('ledger.verify-text')}</p>
            <TextArea label={t('ledger.against')} hint={t('ledger.against-hint')} rows={2} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
            <p class="toolbar">
                <Button kind="primary" busy={progress !== null} onClick={() => void start()}>{t('ledger.verify')}</Button>
                {progress && <Button onClick={() => stop.current?.abort()}>{t('action.stop')}</Button>}
            </p>
            {progress && <p><progress aria-label={t('ledger.verify')} value={progress.rows} max={progress.total ?? undefined} /> {t('ledger.progress', { rows: progress.rows, total: progress.total ?? '…' })}</p>}
            <div role="status">
                {done && !done.fault && (
                    <p class="alert good">{t(done.compared ? 'ledger.right-head' : 'ledger.right', { count: done.rows, first: number(done.first), last: number(done.last) })} <code class="hash-text">{done.hash}</code></p>
                )}
                {done?.fault && <p class="alert bad">{t(`ledger.fault-${done.fault.what}`, { seq: done.fault.seq })}</p>}
                {error && <p class="error">{error}</p>}
            </div>
        </div>
    );
}
