// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The style sheets of the console. Those of the pages stay loaded when another page is shown, so a class has one meaning only.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../www/src/', import.meta.url));
const shared = ['tokens', 'base', 'components', 'shell']; // main.tsx loads them
const sheets = Object.fromEntries(readdirSync(join(root, 'styles')).filter((name) => name.endsWith('.css'))
    .map((name) => [name.slice(0, -'.css'.length), readFileSync(join(root, 'styles', name), 'utf8').replace(/\/\*.*?\*\//gs, '')]));
const own = Object.keys(sheets).filter((name) => !shared.includes(name));

// The selectors that are in no other rule, also those in @media.
function selectors(css) {
    const found = [];
    const inside = []; // of the rules that are open: whether it is @media or the like
    let text = '';
    for (const c of css) {
        if (c === '{') {
            if (!text.trim().startsWith('@') && !inside.includes(false))
                found.push(...text.replace(/:(is|not|has|where)\([^)]*\)/g, '').split(',').map((one) => one.trim()));
            inside.push(/^\s*@(media|supports)/.test(text));
            text = '';
        } else if (c === '}') {
            inside.pop();
            text = '';
        } else {
            text = c === ';' ? '' : text + c;
        }
    }
    return found;
}

// "td" and ".cell" of "td.cell .name"
const first = (selector) => /^[^\s>+~]*/.exec(selector)[0];
const classesOf = (text) => [...text.matchAll(/\.(-?[a-zA-Z_][\w-]*)/g)].map((match) => match[1]);
// main and the themes say where, not what.
const roots = (name) => new Set(selectors(sheets[name]).map((one) => one.replace(/^(html|main|:root\S*)\s+(?=\S)/, '')).flatMap((one) => classesOf(first(one)).slice(0, 1)));

function sources(path) {
    const files = readdirSync(join(root, path), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.tsx'));
    return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

const usedIn = (file) => new Set([...readFileSync(file, 'utf8').matchAll(/class=(?:"([^"]*)"|\{`([^`]*)`\})/g)].flatMap(([, plain, made]) =>
    (plain ?? made.replace(/\$\{[^}]*\}/g, ' ')).split(/\s+/).filter(Boolean)));

describe('the style sheets', () => {
    test('define each class once', () => {
        const owners = new Map();
        for (const name of Object.keys(sheets))
            for (const one of roots(name))
                owners.set(one, [...owners.get(one) ?? [], name]);
        assert.deepEqual([...owners].filter(([, names]) => names.length > 1), []);
    });

    test('of pages define no elements, which other pages have too', () => {
        const elements = own.flatMap((name) => selectors(sheets[name]).filter((one) => !classesOf(first(one.replace(/^(html|main)\s+/, ''))).length));
        assert.deepEqual(elements, []);
    });

    test('are used by the pages that load them only', () => {
        const mine = { firmware: 'firmware', devices: 'devices', campaigns: 'work', ledger: 'work', settings: 'work' };
        const wrong = [...sources('pages'), ...sources('components')].flatMap((file) => {
            const [, page = ''] = /pages\/(\w+)/.exec(file) ?? [];
            const others = own.filter((name) => name !== mine[page.toLowerCase()]);
            const used = usedIn(file);
            return others.flatMap((name) => [...roots(name)].filter((one) => used.has(one)).map((one) => `${file.slice(root.length)}: ${one} of ${name}.css`));
        });
        assert.deepEqual(wrong, []);
    });
});
