// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { Button } from '../../components/Button';
import { useT } from '../../i18n';

// Over plain HTTP from another machine a browser has no navigator.clipboard. The old command still works there.
async function copyText(text: string): Promise<boolean> {
    if (navigator.clipboard)
        return await navigator.clipboard.writeText(text).then(() => true, () => false);
    const area = document.createElement('textarea');
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
}

// A text to type or to copy.
export function Copy({ text, label }: { text: string; label: string }) {
    const t = useT();
    const [said, setSaid] = useState('');
    const copy = async () => setSaid(t(await copyText(text) ? 'device.copied' : 'device.not-copied'));
    return (
        <div class="copy">
            <code class="command" tabIndex={0} role="group" aria-label={label}>{text}</code>
            <Button onClick={() => void copy()}>{t('device.copy')} <span class="hidden-text">{label}</span></Button>
            <span class="hint" role="status">{said}</span>
        </div>
    );
}
