// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Nothing that a caller of the admin API sends is ignored: each row of the tables of routes is asked with a parameter
// that it does not take, with one twice, and with a body where none is taken.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { assertProblem as assertCode } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const source = readFileSync(new URL('../../server/admin/admin.c', import.meta.url), 'utf8');
const macros = Object.fromEntries([...source.matchAll(/^#define (API|PRODUCT|FIRMWARE|DEVICE|WEBHOOK|CAMPAIGN) +(.*)$/gm)].map(([, name, value]) => [name, value]));

// C string literals and the macros above, joined.
const text = (value) => value.trim().replace(/"([^"]*)"|\b([A-Z]+)\b/g, (_, literal, name) => (name ? text(macros[name]) : literal)).replaceAll(' ', '');

const routes = [...source.replaceAll(/ *\\\n */g, ' ').matchAll(/X\("([A-Z]+)", ([^,]+), "([a-z_ ]*)", ([^()]+)\)/g)].map(([, method, path, names, rest]) => ({
    method, path: text(path).replaceAll('{}', '1'), names: names.split(' ').filter(Boolean),
    takesBody: !/(^|, )0, [a-z_]+$/.test(rest) && !rest.endsWith('admin_events_head'),
}));
const taken = ({ method, names }) => (method === 'GET' ? names : [...names, 'by']);

function assertProblem(answer, status, code, says) {
    assertCode(answer, status, code);
    assert.ok(answer.json.detail.includes(says), `${answer.json.detail}, not: ${says}`);
}

let server;
before(async () => { server = await startServer(null, { keep: true }); });
after(() => server?.dispose());

describe('a query has only what the call takes', () => {
    test('every route is in the table', () => {
        assert.ok(routes.length > 110, `${routes.length}`);
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
            assert.ok(routes.some((route) => route.method === method && route.names.length === 0), method);
    });

    test('a parameter that the call does not take is refused, with those that it takes', async () => {
        for (const route of routes) {
            const answer = await server.admin(route.method, `${route.path}?nope=1`);
            const all = taken(route).join(', ');
            assertProblem(answer, 400, 'bad-request', all ? `the parameter 'nope' is not known; this call takes the parameters ${all}`
                : "the parameter 'nope' is not known; this call takes no parameters");
        }
    });

    test('a parameter that is given twice is refused', async () => {
        for (const route of routes.filter((route) => taken(route).length)) {
            const name = taken(route).at(-1);
            assertProblem(await server.admin(route.method, `${route.path}?${name}=1&${name}=1`), 400, 'bad-request', `the parameter '${name}' is given twice`);
        }
    });

    test('only a change takes `by`', async () => {
        for (const { method, path } of routes.filter(({ method }) => method === 'GET'))
            assertProblem(await server.admin(method, `${path}?by=Ann`), 400, 'bad-request', "the parameter 'by' is not known");
    });

    test('empty pairs are no parameters, and an encoded name is another name', async () => {
        await server.admin('GET', '/products?&', null, { expect: 200 });
        await server.admin('GET', '/products?', null, { expect: 200 });
        for (const query of ['=1', '%6cang=zh', 'LANG=zh', 'nope', 'lang=zh&lang=zh', 'lang&lang', 'lang=zh&%00=1'])
            assertProblem(await server.admin('GET', `/reasons?${query}`), 400, 'bad-request', 'this call takes the parameters lang');
    });
});

test('a body is refused where none is taken', async () => {
    const without = routes.filter(({ takesBody }) => !takesBody);
    assert.ok(without.length > 70 && without.length < routes.length - 20, `${without.length}`);
    for (const { method, path } of without)
        assertProblem(await server.admin(method, path, { a: 1 }), 400, 'bad-request', 'this call takes no body');
});
