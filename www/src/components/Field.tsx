// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

type Props = Omit<JSX.IntrinsicElements['input'], 'label'> & { label: string; hint?: string; error?: string | null };

// An input with its name, what it is for, and what is wrong with it.
export function Field({ label, hint, error, ...rest }: Props) {
    const id = useId();
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <input {...rest} id={id} aria-describedby={described || undefined} aria-invalid={error ? 'true' : undefined} />
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
            {error && <p class="error" id={`${id}-error`} role="alert">{error}</p>}
        </div>
    );
}
