// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The texts beside the times of the admin API, read by a second implementation of their rule.

import assert from 'node:assert/strict';

const first_ms = Date.UTC(2000);
const end_ms = Date.UTC(2200);

// The key of the text beside this time; null: the key is no time.
export function textKey(key) {
    if (key === 'at' || key.endsWith('_at'))
        return `${key.slice(0, -2)}time`;
    return /^(now|day)$|(^|_)(since|until)$/.test(key) ? `${key}_time` : null;
}

// These answers are files that are hashed or signed as they are.
export function hasTexts(path, type) {
    return type === 'application/json' && !/\/(evidence|sbom)(\?|$)|\/backup(\?|$)/.test(path);
}

// Checks that each time has its text, and that no number without one looks like a time. Returns the value without the texts.
// `seen`: a Map that counts the keys.
export function takeTimes(value, seen = new Map(), where = '') {
    if (Array.isArray(value))
        return value.map((one, i) => takeTimes(one, seen, `${where}[${i}]`));
    if (value === null || typeof value !== 'object')
        return value;
    const rest = { ...value };
    for (const [key, one] of Object.entries(value)) {
        if (['detail', 'facts'].includes(key) || !(key in rest))
            continue;
        const text = textKey(key);
        if (text !== null && (one === null || Number.isInteger(one))) {
            assert.equal(value[text], one === null ? null : new Date(one).toISOString(), `${where}.${text}`);
            delete rest[text];
            seen.set(key, (seen.get(key) ?? 0) + 1);
        } else {
            assert.ok(!(Number.isInteger(one) && one >= first_ms && one < end_ms) || /bytes|^free$|^reserve$/.test(key), `${where}.${key} ${one} looks like a time without a text`);
            rest[key] = takeTimes(one, seen, `${where}.${key}`);
        }
    }
    return rest;
}
