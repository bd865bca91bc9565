// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { Button } from '../../components/Button';
import { useT } from '../../i18n';

// As in doc/devices.md.
const fields = ['version', 'asked', 'tag', 'firmware', 'device', 'note', 'grade', 'last_seen', 'first_seen', 'confirmed', 'code', 'check_ins', 'blocked', 'claim', 'held_out'];
const yesNo = ['yes', 'no'];
const values: Record<string, string[]> = {
    version: ['none'], asked: ['none'], grade: ['unauthenticated', 'product-secret', 'link', 'host-report', 'admin', 'device-secret'],
    blocked: yesNo, claim: yesNo, held_out: yesNo, last_seen: ['7d', 'never'], first_seen: ['7d', 'never'], confirmed: ['7d', 'never'],
};
const operators: Record<string, string[]> = { last_seen: ['>', '<'], first_seen: ['>', '<'], confirmed: ['>', '<'], version: ['=', '<', '>'], asked: ['=', '<', '>'], code: ['='], check_ins: ['>', '<'] };
const examples = ['version<1147 and tag=north', 'last_seen>7d', 'blocked=yes or claim=yes', 'version=none', 'version in (1138, 1147)', 'note like "*pump*"', 'not (tag=lab or tag=spare)'];

// What the text may go on with: each entry is the whole text, as a datalist needs it.
export function suggestions(text: string): string[] {
    const [, before = '', last = ''] = /^(.*?[\s(]|)([^\s(]*)$/s.exec(text) ?? [];
    const condition = /^(\w+)(=|!=|<=|>=|<|>)/.exec(last);
    if (condition)
        return (values[condition[1]!] ?? []).map((value) => before + condition[0] + value);
    if (!last && /[^\s(]\s+$/.test(before) && !/\b(and|or|not)\s+$/.test(before))
        return ['and ', 'or '].map((join) => before + join);
    return fields.filter((field) => field.startsWith(last)).flatMap((field) => (operators[field] ?? ['=']).map((operator) => before + field + operator));
}

type Props = { value: string; error: string | null; onSearch: (filter: string) => void };

export function FilterBox({ value, error, onSearch }: Props) {
    const t = useT();
    const id = useId();
    const [text, setText] = useState(value);
    const input = useRef<HTMLInputElement>(null);
    useEffect(() => setText(value), [value]);
    return (
        <form class="filter" role="search" onSubmit={(event) => { event.preventDefault(); onSearch(text.trim()); }}>
            <label for={id}>{t('devices.filter')}</label>
            <div class="filter-line">
                <input ref={input} id={id} class="box" type="search" maxLength={500} autocomplete="off" autocapitalize="off" spellcheck={false} list={`${id}-list`}
                    placeholder={examples[0]} value={text} aria-invalid={error ? 'true' : undefined} aria-describedby={`${id}-hint${error ? ` ${id}-error` : ''}`}
                    onInput={(event) => setText(event.currentTarget.value)} />
                <Button kind="primary" type="submit">{t('devices.search')}</Button>
            </div>
            <datalist id={`${id}-list`}>{(text ? suggestions(text) : examples).map((entry) => <option key={entry} value={entry} />)}</datalist>
            {error && <p class="error" role="alert" id={`${id}-error`}>{error}</p>}
            <p class="hint" id={`${id}-hint`}>
                {t('devices.filter-hint')}{' '}
                <span class="examples">
                    {examples.slice(0, 4).map((example) => (
                        <button type="button" class="example" key={example} onClick={() => { setText(example); onSearch(example); input.current?.focus(); }}>{example}</button>
                    ))}
                </span>
            </p>
        </form>
    );
}
