// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The commands of a page, and their output. doc/testing.md describes how a page marks them.
//
//   const page = readPage('doc/waypoints.md');
//   page.blocks     [{first, skip, silent, statuses, steps: [{lines, command, shown}]}], shown: the lines of output on the page
//   rewrite(page)   the text of the page with the field `real` of the steps as output, where it is set

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const programs = /^(dfota\w*|dfota-sim|curl|openssl|jq|apt|systemctl|systemd-\w+|journalctl|ssh|scp|rsync|podman|minisign|cp|ls|rm|mv|install|make|export|\.\/\w+|packaging\/\S+)(?= |$)/;

// Comments before a block: what a reader does not see.
function readComment(text, block) {
    const [, kind, rest] = /^\s*(not run|no output|first|status|scene):?\s+([^]*?)\s*$/.exec(text) ?? [];
    if (kind === 'not run')
        block.skip = rest.replace(/\s+/g, ' ');
    else if (kind === 'no output')
        block.silent = rest.replace(/\s+/g, ' ');
    else if (kind === 'first')
        block.first = `${block.first}${rest}\n`;
    else if (kind === 'status')
        block.statuses.push(Number(rest));
    else if (kind === 'scene')
        block.scene = rest;
    return kind;
}

const emptyBlock = () => ({ first: '', skip: null, silent: null, statuses: [0], steps: [], lines: [], scene: null });

// The lines after a prompt that belong to the command: after a backslash, and up to the end of a here-document.
function commandLines(lines, start) {
    let end = start + 1;
    const here = /<<-?\s*'?(\w+)'?/.exec(lines[start]);
    while (end < lines.length && lines[end - 1].endsWith('\\'))
        end += 1;
    if (here)
        while (end < lines.length && lines[end++] !== here[1]);
    return lines.slice(start, end);
}

function readSteps(lines) {
    const steps = [];
    for (let at = 0; at < lines.length;) {
        if (lines[at].startsWith('$ ')) {
            const own = commandLines(lines, at);
            steps.push({ lines: own, command: own.join('\n').slice(2), shown: [], real: null });
            at += own.length;
        } else {
            steps.at(-1)?.shown.push(lines[at]);
            at += 1;
        }
    }
    for (const { shown } of steps)
        while (shown.at(-1) === '')
            shown.pop();
    return steps;
}

// A code block: lines with four blanks before them, and blank lines between two of them.
function readMarkdown(text) {
    const lines = text.split('\n');
    const parts = []; // {text} or {block}
    let block = emptyBlock();
    for (let at = 0; at < lines.length;) {
        const start = at;
        if (/^ *<!--/.test(lines[at])) {
            while (!lines[at++].includes('-->'));
            readComment(lines.slice(start, at).join('\n').replace(/^ *<!--|-->[^]*$/g, ''), block);
            parts.push({ text: lines.slice(start, at) });
        } else if (lines[at].startsWith('    ') && (start === 0 || lines[start - 1] === '')) {
            while (at < lines.length && (lines[at].startsWith('    ') || (lines[at] === '' && lines[at + 1]?.startsWith('    '))))
                at += 1;
            block.lines = lines.slice(start, at).map((line) => line.slice(4));
            block.steps = readSteps(block.lines);
            block.at = start + 1;
            parts.push({ block });
            block = emptyBlock();
        } else {
            parts.push({ text: [lines[at]] });
            at += 1;
        }
    }
    return parts;
}

const plain = (line) => line.replace(/\\-/g, '-').replace(/\\e/g, '\\').replace(/\\&/g, '').replace(/\\\(aq/g, "'").replace(/\\\(dq/g, '"');

// EXAMPLES of a manual page: every line between .nf and .fi is a command, which prints what it prints.
function readManual(text) {
    const parts = [];
    let block = emptyBlock();
    const section = /^\.SH EXAMPLES\n([^]*?)(?=^\.SH )/m.exec(text)?.[1] ?? '';
    const before = text.slice(0, text.indexOf(section)).split('\n').length;
    const lines = section.split('\n');
    for (let at = 0; at < lines.length; at += 1) {
        if (lines[at].startsWith('.\\" ')) {
            readComment(lines[at].slice(4), block);
        } else if (lines[at] === '.nf') {
            const end = lines.indexOf('.fi', at);
            block.lines = lines.slice(at + 1, end).filter((line) => !line.startsWith('.')).map(plain);
            block.at = before + at;
            while (block.lines.length > block.steps.reduce((sum, step) => sum + step.lines.length, 0)) {
                const own = commandLines(block.lines, block.steps.reduce((sum, step) => sum + step.lines.length, 0));
                block.steps.push({ lines: own, command: own.join('\n'), shown: ['…'], real: null });
            }
            parts.push({ block });
            block = emptyBlock();
            at = end;
        }
    }
    return parts;
}

export function readPage(path) {
    const text = readFileSync(join(root, path), 'utf8');
    const parts = path.endsWith('.md') ? readMarkdown(text) : readManual(text);
    const blocks = parts.flatMap(({ block }) => (block ? [block] : []));
    return { path, text, parts, blocks, scene: blocks.find(({ scene }) => scene)?.scene ?? 'empty' };
}

// Lines in code blocks that look like commands and have no prompt, so that no test runs them.
export const unprompted = (page) => page.blocks.filter(({ skip, steps }) => skip === null && steps.length === 0)
    .flatMap(({ lines, at }) => lines.flatMap((line, i) => (programs.test(line.trim()) ? [`${page.path}:${at + i}: ${line}`] : [])));

export function rewrite(page) {
    return page.parts.map(({ text, block }) => {
        if (!block)
            return text.join('\n');
        if (!block.steps.some(({ real }) => real !== null))
            return block.lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n');
        const lines = block.steps.flatMap(({ lines: own, shown, real }, i) => [...own, ...(real ?? shown),
            ...(i + 1 < block.steps.length && (real ?? shown).length > 0 ? [''] : [])]);
        return lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n');
    }).join('\n');
}

// What differs from run to run.
const masks = [
    [/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>'],
    [/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?Z/g, '<time>'], // a time
    [/\b\d{8}T\d{6}(\.\d+)?Z/g, '<time>'], // the name of a backup
    [/\b[12]\d{12}\b/g, '<time>'], // milliseconds
    [/\b(?=[0-9a-f]*[a-f])[0-9a-f]{12,128}\b/g, '<hex>'], // hashes, tokens
    [/\/d\/[a-z2-7]{26}\b/g, '/d/<link>'], // the key of a link
    [/\b\d+(\.\d+)? (s|ms|min)\b/g, '<duration>'],
    [/[A-Za-z0-9+/]{40,}={0,2}/g, '<base64>'], // keys, signatures
    [/((Database bytes|Bytes fetched|Last ledger row|ledger rows|\brow) +)\d+/g, '$1<number>'],
    [/\b\d+(?= rows of the ledger)/g, '<number>'],
    [/\bin \d+ pieces/g, 'in <number> pieces'],
    [/(ends of )\d+ of \d+/g, '$1<number>'],
];

export const masked = (line) => masks.reduce((text, [pattern, name]) => text.replace(pattern, name), line.trimEnd());

// The keys of links, in the order in which they appear.
export const linkKeys = (lines) => [...new Set(lines.join('\n').match(/(?<=\/d\/)[a-z2-7]{26}\b/g) ?? [])];

// Is this output what the page shows? A line … is any lines, and … in a line is any text.
export function agrees(shown, real) {
    const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const pattern = shown.map((line) => (line.trim() === '…' ? '(?:[^\\n]*\\n)*' : `${masked(line).split('…').map(literal).join('[^\\n]*')}\\n`));
    return new RegExp(`^${pattern.join('')}$`).test(real.map((line) => `${masked(line)}\n`).join(''));
}
