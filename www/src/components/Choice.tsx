// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

type SelectProps = Omit<JSX.IntrinsicElements['select'], 'label'> & { label: string; hint?: string; children: ComponentChildren };

export function Select({ label, hint, children, ...rest }: SelectProps) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <select {...rest} id={id} aria-describedby={hint ? `${id}-hint` : undefined}>{children}</select>
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
        </div>
    );
}

type TextProps = Omit<JSX.IntrinsicElements['textarea'], 'label'> & { label: string; hint?: string };

export function TextArea({ label, hint, ...rest }: TextProps) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <textarea {...rest} id={id} aria-describedby={hint ? `${id}-hint` : undefined} />
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
        </div>
    );
}

type CheckProps = Omit<JSX.IntrinsicElements['input'], 'label' | 'type'> & { label: ComponentChildren; type?: 'checkbox' | 'radio' };

export function Check({ label, type = 'checkbox', ...rest }: CheckProps) {
    return <label class="option"><input {...rest} type={type} /><span>{label}</span></label>;
}
