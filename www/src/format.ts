// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Numbers, times and sizes for readers.

import { language } from './i18n';

const tag = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB');

export function number(value: number): string {
    return value.toLocaleString(tag());
}

// The two largest units: "3 d 4 h".
export function duration(ms: number): string {
    const units: [number, string, string][] = [[86_400_000, 'd', '天'], [3_600_000, 'h', '小时'], [60_000, 'min', '分'], [1000, 's', '秒']];
    const parts: string[] = [];
    let left = Math.max(0, ms);
    for (const [size, en, zh] of units) {
        const count = Math.floor(left / size);
        left -= count * size;
        if (count > 0 || (parts.length === 0 && size === 1000))
            parts.push(`${number(count)} ${language.value === 'zh' ? zh : en}`);
        else if (parts.length > 0)
            break;
        if (parts.length === 2)
            break;
    }
    return parts.join(' ');
}

// KB are 1024 bytes, as in the data sheets of modules: a partition of 491520 bytes has 480 KB.
export function bytes(value: number): string {
    const kilo = 1024, mega = kilo * kilo;
    if (value < 10 * kilo)
        return `${number(value)} B`;
    return value < 10 * mega ? `${number(Math.round(value / kilo))} KB` : `${number(Math.round((10 * value) / mega) / 10)} MB`;
}

export function time(ms: number): string {
    return new Date(ms).toLocaleString(tag(), { dateStyle: 'medium', timeStyle: 'short' });
}
