// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useT } from '../i18n';
import { Button } from './Button';
import { toast } from './Toast';

// navigator.clipboard is missing on plain HTTP to another host.
async function copy(text: string): Promise<boolean> {
    if (navigator.clipboard)
        return navigator.clipboard.writeText(text).then(() => true, () => false);
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
}

// A button that copies `text`; `what` names it.
export function Copy({ text, what }: { text: string; what: string }) {
    const t = useT();
    const run = async () => {
        const done = await copy(text);
        toast(done ? t('copy.done', { what }) : t('copy.failed', { text }), done ? 'info' : 'error');
    };
    return <Button icon="copy" label={t('copy.label', { what })} onClick={() => void run()} />;
}
