// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

import { useT } from '../i18n';
import { Button } from './Button';

type Props = { title: string; open: boolean; onClose: () => void; busy?: boolean; children: ComponentChildren; actions?: ComponentChildren };

// The browser keeps the focus inside, closes with Escape, and gives the focus back. `busy`: only its own buttons close it.
export function Dialog({ title, open, onClose, busy = false, children, actions }: Props) {
    const t = useT();
    const id = useId();
    const element = useRef<HTMLDialogElement>(null);
    const pressed = useRef<EventTarget | null>(null); // a selection of text that ends outside must not close the dialog
    useLayoutEffect(() => {
        const dialog = element.current;
        if (open && dialog && !dialog.open)
            dialog.showModal();
        else if (!open && dialog?.open)
            dialog.close();
    }, [open]);
    // Also a dialog that goes away while it is open gives the focus back.
    useLayoutEffect(() => () => {
        element.current?.addEventListener('close', (event) => event.stopImmediatePropagation(), { capture: true, once: true });
        element.current?.close();
    }, []);
    return (
        <dialog ref={element} class="dialog" aria-labelledby={id} onClose={onClose} onCancel={(event) => { if (busy) event.preventDefault(); }}
            onPointerDown={(event) => { pressed.current = event.target; }}
            onClick={(event) => { if (event.target === element.current && pressed.current === element.current && !busy) onClose(); }}>
            {open && (
                <div class="dialog-body">
                    <header>
                        <h2 id={id}>{title}</h2>
                        <Button icon="close" label={t('action.close')} disabled={busy} onClick={onClose} />
                    </header>
                    {children}
                    {actions && <footer>{actions}</footer>}
                </div>
            )}
        </dialog>
    );
}
