// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Reasons of the server in the language of the reader. A reason is a code with parameters; the server has the texts.
//
//   const reasonText = useReasons();
//   reasonText(device.last_answer)            its reason
//   reasonText(campaign, 'paused_why')        another field

import { useCallback, useEffect } from 'preact/hooks';

import { send } from './api';
import { language } from './i18n';
import { Store, useStore } from './store';

export type ReasonParam = string | { code: string; params: ReasonParam[] };

// A field `name` of an answer, with its code and its parameters.
export type Reason<Name extends string> = Record<Name, string | null> & Record<`${Name}_code`, string | null> & Record<`${Name}_params`, ReasonParam[] | null>;

type Texts = Record<string, string>;

const chinese = new Store<Texts | null>(null); // null: not fetched yet
let isFetching = false;

// The browser keeps the texts, and asks whether they are still the same.
async function fetchTexts(): Promise<void> {
    if (isFetching || chinese.value)
        return;
    isFetching = true;
    try {
        chinese.set(await (await send('/reasons?lang=zh', { cache: 'no-cache' })).json() as Texts);
    } catch { /* reasons are in English until the next page asks again */
    } finally {
        isFetching = false;
    }
}

function word(texts: Texts, code: string, params: ReasonParam[]): string | null {
    const text = Object.hasOwn(texts, code) ? texts[code] : undefined;
    if (text === undefined)
        return null;
    let isKnown = true;
    const words = text.replace(/\{(\d)\}/g, (_, digit: string) => {
        const param = params[Number(digit)];
        const inner = typeof param === 'object' ? word(texts, param.code, param.params) : param;
        isKnown &&= typeof inner === 'string';
        return inner ?? '';
    });
    return isKnown ? words : null;
}

function isParams(value: unknown): value is ReasonParam[] {
    return Array.isArray(value);
}

// The reason in item[name], "" if there is none. In English, and where the code is not known, as the server said it.
export function reasonText(item: object | null | undefined, name = 'reason'): string {
    const fields = (item ?? {}) as Record<string, unknown>;
    const said = fields[name], code = fields[`${name}_code`], params = fields[`${name}_params`];
    const plain = typeof said === 'string' ? said : '';
    if (language.value !== 'zh' || !chinese.value || typeof code !== 'string' || !isParams(params))
        return plain;
    return word(chinese.value, code, params) ?? plain;
}

// For components: they are drawn again when the language changes, and when the texts have come.
export function useReasons(): typeof reasonText {
    const now = useStore(language), texts = useStore(chinese);
    useEffect(() => {
        if (now === 'zh')
            void fetchTexts();
    }, [now]);
    return useCallback((item: object | null | undefined, name?: string) => reasonText(item, name), [now, texts]);
}
