// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Small parts that the pages of a firmware share.

import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

import { ApiError, problemText, type Problem } from '../../api';
import { Copy } from '../../components/Copy';
import { keep, recall } from '../../store';

// One change at a time, with its error. run() says whether it was done.
export function useCall() {
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState<Problem | null>(null);
    const run = async (change: () => Promise<unknown>): Promise<boolean> => {
        setBusy(true);
        setProblem(null);
        try {
            await change();
            return true;
        } catch (error) {
            setProblem(error instanceof ApiError ? error.problem : { status: 0, code: 'unknown', detail: String(error) });
            return false;
        } finally {
            setBusy(false);
        }
    };
    return { busy, problem, run, forget: () => setProblem(null) };
}

export function Failure({ problem }: { problem: Problem | null }) {
    return problem && <p class="error" role="alert">{problemText(problem)}</p>;
}

export function Note({ tone = 'warn', children }: { tone?: 'warn' | 'bad' | 'plain'; children: ComponentChildren }) {
    return <div class={`note-box ${tone}`}>{children}</div>;
}

export function Tag({ tone = 'plain', children }: { tone?: 'plain' | 'warn' | 'bad' | 'good'; children: ComponentChildren }) {
    return <span class={`tag ${tone}`}>{children}</span>;
}

export function Hash({ value }: { value: string }) {
    return <span class="hash"><code title={value}>{value.slice(0, 12)}…</code><Copy text={value} what="SHA-256" /></span>;
}

// Names and values; rows without a value are left out.
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
    return (
        <dl class="facts">
            {rows.filter(([, value]) => value !== null && value !== undefined && value !== false)
                .map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
    );
}

type Choice = { label: string; value: string; options: [string, string][]; onPick: (value: string) => void };

export function Select({ label, value, options, onPick }: Choice) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <select id={id} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
                {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
            </select>
        </div>
    );
}

// Who makes a change, as the ledger has it. Remembered for the next one.
export function useName(): [string, (name: string) => void] {
    const [name, setName] = useState(recall('by') ?? '');
    return [name, (text) => { setName(text); keep('by', text.trim() || null); }];
}

export function Loading() {
    return <p class="loading" aria-busy="true" />;
}
