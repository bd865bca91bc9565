// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { useT } from '../i18n';
import { Button } from './Button';
import { toast } from './Toast';

// Over plain HTTP from another machine a browser has no navigator.clipboard. The old command still works there.
export async function copyText(text: string): Promise<boolean> {
    if (navigator.clipboard)
        return navigator.clipboard.writeText(text).then(() => true, () => false);
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
}

// A button that copies `text`; `what` names it.
export function Copy({ text, what }: { text: string; what: string }) {
    const t = useT();
    const run = async () => {
        const done = await copyText(text);
        toast(done ? t('copy.done', { what }) : t('copy.failed', { text }), done ? 'info' : 'error');
    };
    return <Button icon="copy" label={t('copy.label', { what })} onClick={() => void run()} />;
}

// A text to type or to copy.
export function CopyLine({ text, label }: { text: string; label: string }) {
    const t = useT();
    const [said, setSaid] = useState('');
    const copy = async () => setSaid(t(await copyText(text) ? 'copy.copied' : 'copy.denied'));
    return (
        <div class="copy-line">
            <code class="command" tabIndex={0} role="group" aria-label={label}>{text}</code>
            <Button onClick={() => void copy()}>{t('copy.button')} <span class="unseen">{label}</span></Button>
            <span class="hint" role="status">{said}</span>
        </div>
    );
}
