// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Short messages about what was done. Errors stay until they are closed.

import { useT } from '../i18n';
import { Store, useStore } from '../store';
import { Button } from './Button';

interface Message { id: number; kind: 'info' | 'error'; text: string }

const messages = new Store<Message[]>([]);
let last = 0;

function remove(id: number): void {
    messages.set(messages.value.filter((message) => message.id !== id));
}

export function toast(text: string, kind: Message['kind'] = 'info'): void {
    const id = ++last;
    messages.set([...messages.value.slice(-3), { id, kind, text }]);
    if (kind === 'info')
        window.setTimeout(() => remove(id), 6000);
}

export function Toasts() {
    const t = useT();
    return (
        <div class="toasts" role="status" aria-live="polite">
            {useStore(messages).map(({ id, kind, text }) => (
                <div key={id} class={`toast ${kind}`}>
                    <p>{text}</p>
                    <Button icon="close" label={t('action.close')} onClick={() => remove(id)} />
                </div>
            ))}
        </div>
    );
}
