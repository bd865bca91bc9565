// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Checks answers of the admin API against doc/openapi.yaml:
//
//   contract.check({ method, path, status, headers, body, json, sent })
//
// throws an error that says what the document does not allow. A schema is compiled when the first answer needs it, because
// a test file uses few of them.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
export const modules = createRequire(join(root, 'www', 'package.json'));
const SPACE = 'https://dfota.invalid/api'; // the name of the document for ajv; nothing is fetched

function find(name) {
    try {
        return modules.resolve(name);
    } catch {
        return null;
    }
}

// Why answers cannot be checked; false: they can.
export const noContract = find('ajv/dist/2020.js') && find('yaml') ? false : 'no npm modules in www/: run make';

export const load = (name) => modules(name);
export const text = readFileSync(join(root, 'doc', 'openapi.yaml'), 'utf8');

// The document as an object. To parse YAML takes longer than a small test, so `cacheDir` keeps the document as JSON.
export function readDocument(cacheDir) {
    const sum = createHash('sha256').update(text).digest('hex');
    const file = join(cacheDir, 'openapi.json');
    try {
        const kept = JSON.parse(readFileSync(file, 'utf8'));
        if (kept.sum === sum)
            return kept.document;
    } catch { /* not there yet */ }
    const document = modules('yaml').parse(text);
    try {
        writeFileSync(`${file}.${process.pid}`, JSON.stringify({ sum, document }));
        renameSync(`${file}.${process.pid}`, file);
    } catch { /* a folder that cannot be written: the next test file parses again */ }
    return document;
}

// Headers that are part of the contract: an answer has them only where the document says so.
const documentedHeaders = ['accept-patch', 'accept-ranges', 'allow', 'content-disposition', 'content-range', 'etag', 'idempotency-replayed', 'link',
    'location', 'retry-after', 'set-cookie', 'www-authenticate', 'x-dfota-signature', 'x-total-count'];

export class Contract {
    constructor(document) {
        const Ajv = modules('ajv/dist/2020.js').default;
        this.document = document;
        this.ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false, code: { optimize: false } });
        this.ajv.addSchema({ $id: SPACE, components: { schemas: document.components.schemas } });
        this.compiled = new Map();
        // A path without parameters comes before one that has them.
        this.paths = Object.entries(document.paths).map(([path, item]) => {
            const source = path.split('/').map((part) => (part[0] === '{' ? '[^/]+' : part.replaceAll('.', '\\.'))).join('/');
            return { path, item, pattern: new RegExp(`^${source}$`), parameters: path.split('{').length };
        }).sort((a, b) => a.parameters - b.parameters);
    }

    resolve(part) {
        return part?.$ref && part.$ref.startsWith('#/components/')
            ? part.$ref.slice(2).split('/').reduce((at, name) => at[name], this.document) : part;
    }

    // Null, or what is wrong with `value`.
    misfit(schema, value) {
        const key = JSON.stringify(schema);
        if (!this.compiled.has(key))
            this.compiled.set(key, this.ajv.compile(JSON.parse(key.replaceAll('"#/components', `"${SPACE}#/components`))));
        const validate = this.compiled.get(key);
        if (validate(value))
            return null;
        return validate.errors.map(({ instancePath, message, params }) => {
            const name = params.additionalProperty ?? params.unevaluatedProperty;
            return `${instancePath || 'the body'} ${message}${name ? `: ${name}` : ''}`;
        }).join('; ');
    }

    // The entry of a call: {path, item, operation}. `operation` is missing when the path has no such method.
    find(method, path) {
        const entry = this.paths.find(({ pattern }) => pattern.test(path));
        return entry && { ...entry, operation: entry.item[(method === 'HEAD' ? 'GET' : method).toLowerCase()] };
    }

    parameters(entry, place) {
        return [...entry.item.parameters ?? [], ...entry.operation.parameters ?? []].map((one) => this.resolve(one))
            .filter((one) => one.in === place).map(({ name }) => name);
    }

    check(call) {
        const [path, query = ''] = call.path.split('?');
        const entry = this.find(call.method, path);
        const wrong = entry?.operation ? this.fault(entry, call, new URLSearchParams(query))
            : call.status < 400 ? 'there is no such call' : this.faultOf(this.document.components.responses.Error, call);
        if (wrong)
            throw new Error(`doc/openapi.yaml does not allow this answer to ${call.method} ${call.path}: ${call.status}: ${wrong}\n` +
                `${call.body.subarray(0, 2000)}`);
    }

    fault(entry, call, query) {
        const { responses } = entry.operation;
        const response = this.resolve(responses[call.status] ?? (call.status >= 400 ? responses.default : null));
        if (!response)
            return 'there is no such status';
        return this.faultOf(response, call) ?? (call.status < 400 ? this.faultOfRequest(entry, call, query) : null);
    }

    faultOf(response, call) {
        const headers = Object.keys(response.headers ?? {}).map((name) => name.toLowerCase());
        const stray = documentedHeaders.find((name) => call.headers[name] !== undefined && !headers.includes(name));
        if (stray)
            return `it has the header ${stray}`;
        const missing = Object.entries(response.headers ?? {})
            .find(([name, header]) => this.resolve(header).required && call.headers[name.toLowerCase()] === undefined);
        if (missing)
            return `it does not have the header ${missing[0]}`;
        if (call.method === 'HEAD' || (!response.content && !call.body.length))
            return null;
        const type = (call.headers['content-type'] ?? '').split(';')[0];
        const content = response.content?.[type];
        if (!content)
            return `it has the type ${type || 'of no kind'}`;
        const json = /[/+]json$/.test(type) && content.schema; // a part of a file has none
        if (json && call.json === undefined)
            return 'it is not JSON';
        if (type === 'application/problem+json' && call.json.status !== call.status)
            return `it names the status ${call.json.status}`;
        return json ? this.misfit(content.schema, call.json) : null;
    }

    // What was accepted must be in the document too.
    faultOfRequest(entry, call, query) {
        const names = this.parameters(entry, 'query');
        const stray = [...query.keys()].find((name) => !names.includes(name));
        if (stray)
            return `the query has ${stray}`;
        if (call.sent === undefined)
            return null;
        const schema = entry.operation.requestBody?.content?.['application/json']?.schema;
        const wrong = schema && this.misfit(schema, call.sent);
        return wrong && `the request: ${wrong}`;
    }
}

let shared = null;

function contractOf(cacheDir) {
    shared ??= new Contract(readDocument(cacheDir));
    return shared;
}

// Checks one answer of a server of `cacheDir`, a build directory. Without the npm modules nothing is checked.
export function checkAnswer(cacheDir, call) {
    if (!noContract)
        contractOf(cacheDir).check(call);
}

// Whether the document has this call; true without the npm modules.
export function hasCall(cacheDir, method, path) {
    return Boolean(noContract || contractOf(cacheDir).find(method, path)?.operation);
}
