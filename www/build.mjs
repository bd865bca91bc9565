// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// node build.mjs OUT.c: builds the console and writes its files, plain and compressed, as C (server/console/file.h).
// The same sources give the same bytes.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

import config from './vite.config.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

const types = {
    css: 'text/css; charset=utf-8', html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8',
    svg: 'image/svg+xml', txt: 'text/plain; charset=utf-8',
};

// The licences of the packages that are in the files ask for their text to go with every copy.
function notices(chunks) {
    const names = new Set(chunks.flatMap((chunk) => Object.keys(chunk.modules ?? {}))
        .map((id) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]).filter(Boolean));
    const texts = [...names].sort().map((name) => {
        const folder = join(here, 'node_modules', name);
        const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (!file)
            throw new Error(`${name} has no licence text`);
        return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
    const head = 'The console of dfota is under the Apache License 2.0. It contains these packages:\n';
    return [head, ...texts].join(`\n${'-'.repeat(72)}\n\n`);
}

// A string literal. Octal escapes always have three digits; '?' is escaped because of trigraphs.
function literal(bytes) {
    const lines = [];
    for (let start = 0; start < bytes.length; start += 80) {
        let line = '';
        for (const byte of bytes.subarray(start, start + 80)) {
            const char = String.fromCharCode(byte);
            line += byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
        }
        lines.push(`    "${line}"`);
    }
    return lines.join('\n');
}

const etag = (bytes) => `"\\"${createHash('sha256').update(bytes).digest('hex')}\\""`;
const gzip = (bytes) => execFileSync('gzip', ['-9nc'], { input: bytes, maxBuffer: 1 << 26 });

const { output } = await build({ ...config, configFile: false, logLevel: 'warn', build: { ...config.build, write: false } });
const files = output.map((item) => [item.fileName, Buffer.from(item.type === 'chunk' ? item.code : item.source)]);
files.push(['licences.txt', Buffer.from(notices(output))]);
files.sort(([a], [b]) => (a < b ? -1 : 1));

const data = [], rows = [];
for (const [path, bytes] of files) {
    const number = rows.length;
    const packed = gzip(bytes);
    const bodies = [['plain', bytes], ...(packed.length < bytes.length ? [['gzip', packed]] : [])];
    const type = types[path.split('.').pop()];
    if (!type)
        throw new Error(`${path}: the type is missing in build.mjs`);
    for (const [kind, body] of bodies)
        data.push(`/* ${path} */\nstatic const char ${kind}_${number}[] =\n${literal(body)};\n`);
    const fields = bodies.map(([kind, body]) => `.${kind} = {${kind}_${number}, ${body.length}, ${etag(body)}}`);
    rows.push(`    {.path = "${path}", .type = "${type}", .is_hashed = ${path.startsWith('assets/')},\n     ${fields.join(',\n     ')}},`);
}
writeFileSync(process.argv[2], `/* Made by www/build.mjs; do not edit. */
#include "server/console/file.h"

${data.join('\n')}
const struct console_file console_files[] = {
${rows.join('\n')}
};
const size_t console_file_count = ${rows.length};
`);
