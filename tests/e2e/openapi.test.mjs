// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// doc/openapi.yaml: it is a valid description, it has every call, dfotad serves it, and server.admin() of lib/server.mjs
// refuses an answer that it does not allow.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Contract, load, modules, noContract, readDocument, text } from './lib/contract.mjs';
import { buildDir, Server, startServer } from './lib/server.mjs';
import { textKey } from './lib/times.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (name) => readFileSync(join(root, name), 'utf8');

// The calls of the table in server/admin/admin.c: {method, path, scope, parameters}. `parameters` is null where the table does
// not name those of the query.
function readRoutes() {
    const source = read('server/admin/admin.c').replaceAll('\\\n', ' ');
    const base = Object.fromEntries([...source.matchAll(/#define ([A-Z]+) +([A-Z]*) ?"([^"]*)"/g)].map(([, name, outer, path]) => [name, [outer, path]]));
    const expand = (name) => (name ? expand(base[name][0]) + base[name][1] : '');
    const rows = [...source.matchAll(/\bX\("([A-Z]+)", ([A-Z]+)(?: "([^"]*)")?,((?:[^()]|\([^()]*\))*)\)/g)].map(([, method, name, path, rest]) => ({
        method, path: expand(name) + (path ?? ''), scope: /\b(READ|UPLOAD|OPERATE|ADMIN)\b/.exec(rest)?.[1].toLowerCase() ?? 'none',
        parameters: /^\s*"([^"]*)"/.exec(rest)?.[1].split(' ').filter(Boolean) ?? null,
    }));
    const others = [...source.matchAll(/\{"([A-Z]+)", (API )?"([^"]*)", ([^}]*)\}/g)].map(([, method, api, path, rest]) => ({
        method, path: (api ? '/api/v1' : '') + path, scope: /ROUTE_ACCESS\(([A-Z]+)\)/.exec(rest)?.[1].toLowerCase() ?? 'none', parameters: null,
    })).filter(({ path }) => path !== '/' && !path.startsWith('/console'));
    assert.ok(rows.length > 100 && others.length >= 4, `${rows.length} and ${others.length} routes`);
    return [...rows, ...others];
}

const withoutNames = (path) => path.replace(/\{[a-z]+\}/g, '{}');

// Every value of the key `name` in a tree.
function* findAll(tree, name) {
    for (const [key, value] of Object.entries(tree ?? {})) {
        if (key === name)
            yield value;
        if (value && typeof value === 'object')
            yield* findAll(value, name);
    }
}

describe('doc/openapi.yaml', { skip: noContract }, () => {
    let contract, document, calls;

    before(() => {
        document = readDocument(buildDir);
        contract = new Contract(document);
        calls = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).filter(([, { operationId }]) => operationId)
            .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })));
    });

    test('is valid OpenAPI 3.1', async () => {
        const { Validator } = await import(pathToFileURL(modules.resolve('@seriousme/openapi-schema-validator')));
        const validator = new Validator();
        const { valid, errors } = await validator.validate(structuredClone(document));
        assert.ok(valid, JSON.stringify(errors));
        assert.equal(validator.version, '3.1');
    });

    test('has each call of the server, with its scope and its parameters, and no other', () => {
        const routes = readRoutes();
        const sorted = (list) => list.map(({ method, path }) => `${method} ${withoutNames(path)}`).sort();
        assert.deepEqual(sorted(calls), sorted(routes));
        for (const { method, path, scope, parameters } of routes) {
            const call = calls.find((one) => one.method === method && withoutNames(one.path) === path);
            assert.equal(call.operation['x-scope'], scope, `${method} ${path}`);
            assert.deepEqual(call.operation.security, scope === 'none' ? [] : undefined, `${method} ${path}`);
            if (!parameters)
                continue;
            const named = contract.parameters({ item: document.paths[call.path], operation: call.operation }, 'query').filter((name) => name !== 'by');
            assert.deepEqual(named.sort(), [...parameters].sort(), `${method} ${path}`);
        }
    });

    test('names the parameters of each path, and accepts `by` for each change', () => {
        for (const { method, path, operation } of calls) {
            const entry = { item: document.paths[path], operation };
            assert.deepEqual(contract.parameters(entry, 'path'), [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name), path);
            assert.equal(contract.parameters(entry, 'query').includes('by'), method !== 'GET' && operation['x-scope'] !== 'none', `${method} ${path}`);
        }
    });

    test('has the sorts and the fields of each list', () => {
        const source = read('server/admin/list_kinds.c');
        const described = calls.flatMap(({ operation: { operationId, parameters = [] } }) => ['Sort', 'Q']
            .map((name) => [operationId, name, parameters.find(({ $ref }) => $ref === `#/components/parameters/${name}`)?.description])).filter(([, , text]) => text);
        const expected = (name, text) => described.some(([, one, is]) => one === name && is === text);
        const kinds = [...source.matchAll(/\n(SHORT|LONG)\((\w+), "([^"]*)",([^;]*?\}\))/g)];
        assert.ok(kinds.length >= 16, `${kinds.length} lists`);
        for (const [, size, name, order, rest] of kinds) {
            const fields = [...rest.matchAll(/\{"(\w+)", FILTER_(\w+)\}/g)].map(([, field, kind]) => ({ field, kind: kind.toLowerCase() }));
            const sorts = size === 'LONG' ? order.split(' ').filter(Boolean).join(' or ') : `A field, with - before it for downwards: ${fields.map(({ field }) => field).join(', ')}`;
            assert.ok(!sorts || expected('Sort', `${sorts}.`), `${name}: ${sorts}`);
            const text = fields.map(({ field, kind }) => (kind === 'text' ? field : `${field} (${kind})`)).join(', ');
            assert.ok(expected('Q', `A filter. Its fields: ${text}.`), `${name}: ${text}`);
        }
    });

    test('has the preconditions, keys and parts of each call that takes them', () => {
        const takes = (name) => calls.filter(({ operation }) => operation.parameters?.some(({ $ref }) => $ref === `#/components/parameters/${name}`))
            .map(({ method, path }) => `${method} ${withoutNames(path)}`).sort();
        const source = read('server/admin/match_resource.c');
        const base = { PRODUCT: '/api/v1/products/{}', FIRMWARE: '/api/v1/products/{}/firmware/{}' };
        const changes = [...source.matchAll(/\{(PRODUCT|FIRMWARE)? ?(?:"([^"]*)")?, "the \w+",\s*"([^"]*)",\s*"([^"]*)",\s*\w+_load\}/g)]
            .flatMap(([, outer, path, ...lists]) => lists.join(' ').split(' ').filter(Boolean).map((call) => {
                const [method, rest] = call.split('/');
                return `${method} ${base[outer] ?? ''}${path ?? ''}${rest ? `/${rest}` : ''}`;
            }));
        assert.ok(changes.length > 30, `${changes.length} changes`);
        assert.deepEqual(takes('IfMatch'), changes.sort());
        const without = [.../without_key\[\] = \{[^;]*\};/.exec(read('server/admin/idempotency.c'))[0].matchAll(/"(\/api[^"]*)"/g)].map(([, path]) => path);
        assert.equal(without.length, 5);
        const keyed = calls.filter(({ method, path, operation }) => method === 'POST' && operation['x-scope'] !== 'none' && !without.includes(withoutNames(path)) && !path.endsWith('/images'));
        assert.deepEqual(takes('IdempotencyKey'), keyed.map(({ path }) => `POST ${withoutNames(path)}`).sort());
        assert.deepEqual(takes('Range'), calls.filter(({ operation }) => operation.responses[206]).map(({ method, path }) => `${method} ${withoutNames(path)}`).sort());
        for (const { method, operation } of calls.filter((call) => call.method === 'PATCH')) {
            const { content } = operation.requestBody;
            assert.deepEqual(content['application/merge-patch+json'], content['application/json'], `${method} ${operation.operationId}`);
        }
    });

    test('has the text beside each time', () => {
        const plain = ['Backup', 'BackedUpHead', 'Evidence', 'AnyObject']; // bytes that are stored or signed as they are
        const isTime = (schema) => /\/Time(OrNull)?$/.test(schema.$ref ?? '');
        let count = 0;
        for (const [name, schema] of Object.entries(document.components.schemas)) {
            for (const properties of findAll({ schema }, 'properties')) {
                for (const [key, one] of Object.entries(properties)) {
                    if (!isTime(one))
                        continue;
                    assert.ok(textKey(key), `${name}.${key} is not named like a time`);
                    const text = properties[textKey(key)];
                    assert.equal(text?.$ref, plain.includes(name) ? undefined : one.$ref.replace('/Time', '/TimeText'), `${name}.${key}`);
                    count += 1;
                }
            }
        }
        assert.ok(count > 60, `${count} times`);
    });

    test('gives each call a name, a summary and a known tag', () => {
        const names = calls.map(({ operation }) => operation.operationId);
        assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
        const tags = document.tags.map(({ name }) => name);
        for (const { operation: { operationId, summary, tags: own } } of calls) {
            assert.match(summary, /^[A-Z].*[^.]$/, operationId);
            assert.ok(own.length === 1 && tags.includes(own[0]), operationId);
        }
    });

    test('has the codes of errors, each with its status', () => {
        const codes = new Map([...read('base/error.h').matchAll(/X\(ERROR_[A-Z_]+, (\d{3}), "([a-z-]+)"\)/g)].map(([, status, code]) => [code, Number(status)]));
        assert.deepEqual(document.components.schemas.ErrorCode.enum, [...codes.keys()].sort());
        const seen = new Set();
        for (const { method, path, operation } of calls) {
            for (const [status, response] of Object.entries(operation.responses)) {
                const schema = contract.resolve(response).content?.['application/problem+json']?.schema;
                for (const code of schema?.properties.code.enum ?? []) {
                    seen.add(code);
                    if (status === 'default')
                        continue;
                    // A code that says what is wrong has one status, but a link without an address is a 409.
                    assert.ok(codes.get(code) === Number(status) || (status === '409' && code === 'invalid'), `${method} ${path}: ${status} ${code}`);
                }
            }
        }
        assert.deepEqual([...codes.keys()].filter((code) => !seen.has(code)), [], 'codes that no call has');
    });

    test('closes each object, and has no part that nothing uses', () => {
        const open = ['AnyObject', 'Evidence', 'Reasons'];
        for (const [name, schema] of Object.entries(document.components.schemas)) {
            const isOpen = name.endsWith('Fields') || name === 'CampaignSettings' || open.includes(name);
            if (schema.properties || schema.allOf)
                assert.equal(schema.additionalProperties === false || schema.unevaluatedProperties === false, !isOpen, name);
        }
        const used = new Set(findAll(document, '$ref'));
        for (const kind of ['parameters', 'headers', 'responses', 'schemas']) {
            for (const name of Object.keys(document.components[kind]))
                assert.ok(used.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
        }
    });

    test('has the calls of dfotactl that do not depend on its arguments', () => {
        const source = readdirSync(join(root, 'ctl')).filter((name) => name.endsWith('.c')).map((name) => read(`ctl/${name}`)).join('')
            .replace(/ ends\[\] = \{[^}]*\}/, ''); // of paths that take no Idempotency-Key
        const paths = [...source.matchAll(/"(\/[a-z][a-z/-]*)(?:\?[^"]*)?"/g)].map(([, path]) => path).filter((path) => path !== '/api/v' && !/^\/d\//.test(path));
        assert.ok(paths.length > 10, `${paths.length} paths`);
        for (const path of paths)
            assert.ok(contract.paths.some((entry) => entry.path === `/api/v1${path}`), path);
    });

    // An answer of GET /api/v1/products, and what is wrong with it.
    const product = { product_key: 'pumps', name: null, created_at: 1790000000000, created_time: '2026-09-21T14:13:20.000Z', trusted_check_ins: false, unknown_devices: 'held', device_secret: 'optional' };
    const problem = { type: 'about:blank', title: 'Not Found', status: 404, code: 'product-not-found', detail: 'no' };
    const good = { method: 'GET', path: '/api/v1/products/pumps', status: 200, headers: { 'content-type': 'application/json', etag: '"a-b"' }, json: product };
    const { name: ignored, ...nameless } = product;
    const bad = { ...good, status: 404, headers: { 'content-type': 'application/problem+json' }, json: problem };
    for (const [what, call, message] of [
        ['an answer', good, null],
        ['an answer to HEAD', { ...good, method: 'HEAD', json: undefined }, null],
        ['a field too few', { ...good, json: nameless }, /must have required property 'name'/],
        ['a field too many', { ...good, json: { ...product, colour: 'red' } }, /must NOT have additional properties: colour/],
        ['a value of another type', { ...good, json: { ...product, created_at: '2026' } }, /\/created_at must be integer/],
        ['a value that is not listed', { ...good, json: { ...product, unknown_devices: 'eaten' } }, /\/unknown_devices must be equal to one of/],
        ['a status', { ...good, status: 202 }, /there is no such status/],
        ['a type', { ...good, headers: { ...good.headers, 'content-type': 'text/html' } }, /it has the type text\/html/],
        ['a header', { ...good, headers: { ...good.headers, location: '/' } }, /it has the header location/],
        ['a header too few', { ...good, headers: { 'content-type': 'application/json' } }, /it does not have the header ETag/],
        ['an unknown call that succeeds', { ...good, path: '/api/v1/product' }, /there is no such call/],
        ['an unknown call', { ...bad, path: '/api/v1/product', json: { ...problem, code: 'not-found' } }, null],
        ['an error', bad, null],
        ['an error with another code', { ...bad, json: { ...problem, code: 'token-not-found' } }, /\/code must be equal to one of/],
        ['an error with another status', { ...bad, json: { ...problem, status: 410 } }, /it names the status 410/],
        ['a parameter that was accepted', { ...good, path: '/api/v1/products/pumps?colour=red' }, /the query has colour/],
        ['a body that was accepted', { ...good, method: 'PATCH', sent: { colour: 'red' } }, /the request: .*additional properties: colour/],
    ]) {
        test(`${message ? 'does not allow' : 'allows'} ${what}`, () => {
            const check = () => contract.check({ body: Buffer.from(call.json ? JSON.stringify(call.json) : ''), ...call });
            if (message)
                assert.throws(check, message);
            else
                check();
        });
    }
});

describe('GET /api/v1/openapi.yaml', () => {
    test('is the document, with the version of the program', { skip: noContract }, async (t) => {
        const server = await startServer(t);
        const { body, headers } = await server.admin('GET', '/openapi.yaml', null, { token: null, expect: 200 });
        assert.equal(headers['content-type'], 'application/yaml');
        const { version } = (await server.admin('GET', '/status', null, { expect: 200 })).json;
        assert.ok(body.toString() === text.replace('@VERSION@', version), 'dfotad has another doc/openapi.yaml: run make');
        assert.match(version, /^\d+\.\d+\.\d+/);
        assert.equal(load('yaml').parse(body.toString().split('\nservers:')[0]).info.version, version);
        assert.match(headers.etag, /^"[0-9a-f]{64}"$/);
        const known = await server.admin('GET', '/openapi.yaml', null, { token: null, headers: { 'If-None-Match': headers.etag }, expect: 304 });
        assert.equal(known.body.length, 0);
        assert.equal(known.headers.etag, headers.etag);
        await server.admin('GET', '/openapi.yaml', null, { token: null, headers: { 'If-None-Match': '"another"' }, expect: 200 });
        const head = await server.admin('HEAD', '/openapi.yaml', null, { token: null, expect: 200 });
        assert.equal(Number(head.headers['content-length']), body.length);
    });

    test('the calls outside of /api/v1 answer as the document says', { skip: noContract }, async (t) => {
        const server = await startServer(t), contract = new Contract(readDocument(buildDir));
        for (const path of ['/metrics', '/healthz', '/readyz']) {
            const answer = await fetch(`http://${server.adminAddress.host}:${server.adminAddress.port}${path}`,
                { headers: { Authorization: `Bearer ${server.token}` } });
            assert.equal(answer.status, 200, path);
            contract.check({ method: 'GET', path, status: 200, headers: Object.fromEntries(answer.headers), body: Buffer.from(await answer.text()) });
        }
    });

    test('a server that answers something else fails the test that asks it', { skip: noContract }, async (t) => {
        const headers = { 'Content-Type': 'application/json', ETag: '"a"' };
        const liar = http.createServer((request, response) => response.writeHead(200, headers).end('{"seq":1}'));
        t.after(() => liar.close());
        await new Promise((done) => liar.listen(0, '127.0.0.1', done));
        const server = Object.assign(Object.create(Server.prototype), { token: 'x', adminAddress: { host: '127.0.0.1', port: liar.address().port } });
        await assert.rejects(server.admin('GET', '/ledger/head'), /does not allow this answer to GET \/api\/v1\/ledger\/head: 200: the body must have .*'hash'/);
        await server.admin('GET', '/ledger/head', null, { contract: false });
    });
});
