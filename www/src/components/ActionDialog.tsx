// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

import { ApiError, problemText } from '../api';
import { useT } from '../i18n';
import { keep, recall } from '../store';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { Field } from './Field';

type Props = {
    title: string;
    open: boolean;
    onClose: () => void;
    submit: string;
    kind?: 'primary' | 'danger';
    named?: boolean; // asks for the name that goes into the ledger
    needsName?: boolean;
    run: (form: FormData, by: string) => Promise<void>; // an ApiError is shown, and the dialog stays
    children?: ComponentChildren;
};

export const problemOf = (error: unknown) => (error instanceof ApiError ? problemText(error.problem) : String(error));

// What shall be done, in words, with its numbers; what is needed for it; and one button.
export function ActionDialog({ title, open, onClose, submit, kind = 'primary', named, needsName, run, children }: Props) {
    const t = useT();
    const id = useId();
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<string | null>(null);
    const close = () => { setError(null); onClose(); };
    const onSubmit = async (event: SubmitEvent) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget as HTMLFormElement);
        const by = String(form.get('by') ?? '').trim();
        if (by)
            keep('by', by);
        setBusy(true);
        setError(null);
        try {
            await run(form, by);
            close();
        } catch (reason) {
            setError(problemOf(reason));
        }
        setBusy(false);
    };
    return (
        <Dialog title={title} open={open} onClose={close} actions={<>
            <Button onClick={close}>{t('action.cancel')}</Button>
            <Button kind={kind} type="submit" form={id} busy={busy}>{submit}</Button>
        </>}>
            <form id={id} class="entry-form" onSubmit={(event) => void onSubmit(event)}>
                {children}
                {(named || needsName) && <Field label={t('action.by')} hint={t('action.by-hint')} name="by" maxLength={100} defaultValue={recall('by') ?? ''}
                    autocomplete="name" required={needsName} />}
                {error && <p class="error" role="alert">{error}</p>}
            </form>
        </Dialog>
    );
}
