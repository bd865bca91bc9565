// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Texts in the language of the reader. messages/en.json and messages/zh.json have the same keys.
//
//   t('status.queued', { count: 3 })     "{count} {count|package|packages}" becomes "3 packages"

import { useCallback } from 'preact/hooks';

import en from './messages/en.json';
import zh from './messages/zh.json';
import { keep, recall, Store, useStore } from './store';

export type Key = keyof typeof en;
export type Values = Record<string, string | number>;
export const languages = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof languages;

const texts: Record<Language, Record<Key, string>> = { en, zh };

function preferred(): Language {
    const remembered = recall('language');
    if (remembered === 'en' || remembered === 'zh')
        return remembered;
    const first = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag));
    return first && /^zh/i.test(first) ? 'zh' : 'en';
}

export const language = new Store<Language>(preferred());

function apply(): void {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
}

export function setLanguage(value: Language): void {
    language.set(value);
    keep('language', value);
    apply();
}

export function isKey(key: string): key is Key {
    return Object.hasOwn(en, key);
}

export function t(key: Key, values: Values = {}): string {
    return texts[language.value][key].replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (all, name: string, one?: string, many?: string) => {
        const value = values[name];
        if (value === undefined)
            return all;
        if (one !== undefined)
            return (Number(value) === 1 ? one : many) ?? '';
        return typeof value === 'number' ? value.toLocaleString(document.documentElement.lang) : value;
    });
}

// For components: they are drawn again when the language changes.
export function useT(): typeof t {
    const now = useStore(language);
    return useCallback((key: Key, values?: Values) => t(key, values), [now]); // another function for another language
}

apply();
