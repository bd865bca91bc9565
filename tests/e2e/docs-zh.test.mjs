// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// README.zh-CN.md and doc/zh/ agree with the English pages: the same headings, commands, tables and links, and one Chinese
// term for one thing. DFOTA_WRITE=1 writes the code blocks of the English pages into the Chinese ones.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const translated = readdirSync(join(root, 'doc', 'zh')).filter((name) => name.endsWith('.md'));
const pairs = [['README.md', 'README.zh-CN.md'], ...translated.map((name) => [`doc/${name}`, `doc/zh/${name}`])];
const english = (path) => path.replace(/^README\.zh-CN\.md$/, 'README.md').replace(/^doc\/zh\//, 'doc/').replace(/^doc\/images\/zh\//, 'doc/images/');

// What a reader does not see.
const seen = (text) => text.replace(/^<!--[^]*?-->\n/gm, '');
// The code blocks: lines with four blanks before them, and blank lines between.
const block = /(?<=\n\n)( {4}.*\n(?:\n*(?= {4}))?)+/g;
const blocks = (text) => [...seen(text).matchAll(block)].map(([lines]) => lines.trimEnd());
const prose = (text) => seen(text).replace(block, '');
// A comment after a command, and a line that is one, may be in another language.
const commands = (lines) => lines.split('\n').map((line) => line.replace(/(^ {4}| +)# .*$/, ''));
const headings = (text) => [...prose(text).matchAll(/^(#+) (.*)$/gm)];
const slug = (heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
// → {path, fragment, target} of each link to a file, in their order
const links = (text, page) => [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ target, path: target.startsWith('#') ? page : normalize(join(dirname(page), target.split('#')[0])), fragment: target.split('#')[1] }));
const cells = (line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
const tables = (text) => [...prose(text).matchAll(/(?:^\|.*\n)+/gm)].map(([table]) => table.trim().split('\n').map(cells));
// What a cell has in every language: code, numbers.
const fixed = (cell) => (cell.replace('README.zh-CN.md', 'README.md').match(/`[^`]+`|-?\d+/g) ?? []).sort().join(' ');

for (const [from, to] of process.env.DFOTA_WRITE === '1' ? pairs : []) {
    const wanted = blocks(read(from));
    let at = 0;
    writeFileSync(join(root, to), read(to).replace(block, (own) => {
        const theirs = wanted[at++] ?? own.trimEnd();
        return commands(own.trimEnd()).join('\n') === commands(theirs).join('\n') ? own : `${theirs}\n`;
    }));
}

for (const [from, to] of pairs)
    describe(to, () => {
        const [original, page] = [read(from), read(to)];
        test('has the headings of the English page', () => {
            assert.deepEqual(headings(page).map(([, level]) => level), headings(original).map(([, level]) => level));
            for (const [, , heading] of headings(page).slice(1))
                assert.match(heading, /\p{Script=Han}|make install/u);
        });
        test('has the commands of the English page, byte for byte', () => {
            assert.deepEqual(blocks(page).map(commands), blocks(original).map(commands));
        });
        test('has the questions and list items of the English page', () => {
            const items = (text) => prose(text).match(/^(\*\*\d+\.|\d+\.|-)(?= )/gm);
            assert.deepEqual(items(page), items(original));
        });
        test('has the tables of the English page, row by row', () => {
            const rows = (text) => tables(text).map((table) => table.map((row) => fixed(row[0])));
            assert.deepEqual(rows(page), rows(original));
        });
        test('has the links of the English page, to Chinese pages where there are some', () => {
            const others = (text, own) => links(text, own).map(({ path }) => path).filter((path) => english(path) !== from).sort();
            assert.deepEqual(others(page, to).map(english).sort(), others(original, from));
            for (const path of others(page, to))
                assert.ok(!pairs.some(([known]) => known === path), `${path} has a Chinese page`);
        });
        test('has no link to a file or a heading that does not exist', () => {
            for (const [text, own] of [[original, from], [page, to]]) {
                for (const { target, path, fragment } of links(text, own)) {
                    assert.ok(existsSync(join(root, path)), `${own}: ${target}`);
                    if (fragment)
                        assert.ok(headings(read(path)).some(([, , heading]) => slug(heading) === fragment), `${own}: ${target}`);
                }
                for (const [, name, section] of text.matchAll(/`([a-z.-]+)\((\d)\)`/g))
                    assert.ok(existsSync(join(root, `man/${name}.${section}`)), `${own}: ${name}(${section})`);
            }
        });
        test('is linked from the English page, and back', () => {
            assert.ok(links(original, from).some(({ path }) => path === to), from);
            assert.ok(links(page, to).some(({ path }) => path === from), to);
        });
    });

test('the pictures are small', () => {
    const pictures = new Set(pairs.flatMap((pair) => pair.flatMap((page) => links(read(page), page).map(({ path }) => path))).filter((path) => path.endsWith('.png')));
    assert.ok(pictures.size > 4, `${pictures.size} pictures`);
    for (const picture of pictures) {
        const bytes = readFileSync(join(root, picture));
        assert.ok(bytes.length < 60_000 && bytes.readUInt32BE(16) <= 800, picture);
    }
});

test('each Chinese page and picture is in the archive, and is installed', () => {
    const makefile = read('Makefile.am').replace(/\\\n/g, ' ');
    const listed = (name) => [...makefile.matchAll(new RegExp(`^${name} \\+?= (.*)$`, 'gm'))].flatMap(([, files]) => files.trim().split(/\s+/));
    assert.deepEqual(listed('dist_doczh_DATA'), translated.map((name) => `doc/zh/${name}`).sort());
    for (const picture of readdirSync(join(root, 'doc', 'images', 'zh')))
        assert.ok(listed('EXTRA_DIST').includes(`doc/images/zh/${picture}`), picture);
});

describe('doc/zh/glossary.md', () => {
    test('has a Chinese term for each term of the English glossary', () => {
        const terms = (path, column) => tables(read(path)).map((table) => table.slice(2).map((row) => row[column]));
        assert.deepEqual(terms('doc/zh/glossary.md', 1), terms('doc/glossary.md', 0));
        const chinese = terms('doc/zh/glossary.md', 0).flat().flatMap((cell) => cell.split('、'));
        assert.equal(new Set(chinese).size, chinese.length, 'one term for one thing');
    });

    // Another word for the same thing, and the term of the glossary.
    const words = {
        映像: '镜像', 升级活动: '升级任务', 答复: '应答', 限额: '上限', 金丝雀: '试点', 模块: '模组', 未经验证: '未验证', 隔离: '停用', 里程碑: '途经版本',
        差分升级包: '差分包', 升级差分包: '差分包', 全量包: '整包', 检入: '签到', 路由表: '路径', 静默: '无响应', 声称: '声明', 撤销链接: '吊销链接', 口令: '令牌',
    };
    const reasons = [...read('upgrade/reason_table.h').matchAll(/"[^"]*\p{Script=Han}[^"]*"/gu)].map(([text]) => text).join('\n');
    for (const [place, text] of [['www/src/messages/zh.json', read('www/src/messages/zh.json')], ['upgrade/reason_table.h', reasons], ...pairs.map(([, page]) => [page, read(page)])])
        test(`its terms are used in ${place}`, () => {
            for (const [other, term] of Object.entries(words))
                assert.ok(!text.includes(other), `${other}: the term is ${term}`);
        });
});
