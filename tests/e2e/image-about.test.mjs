// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What an admin says about an image: purpose, release note, advisory, SBOM.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { run } from './lib/ctl.mjs';
import { sha256 } from './lib/module.mjs';
import { assertProblem, Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

test('what is said about an image is stored, shown, on record, and removed with it', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    const at = (rest = '') => scene.path(`/images/2${rest}`);
    const about = async () => (await server.admin('GET', at(), null, { expect: 200 })).json.about;
    assert.deepEqual(await about(), { purpose: null, release_note: null, advisory: null, sbom: null });
    assertProblem(await server.admin('GET', at('/sbom')), 404, 'not-found');

    const said = { purpose: 'security-fix', release_note: 'Two faults.\n更新', advisory: 'DFOTA-2026-1' };
    const { json } = await server.admin('PUT', at('/about'), said, { expect: 200 });
    assert.deepEqual(json, { ...said, sbom: null });
    const sbom = Buffer.from('{ "bomFormat": "CycloneDX", "components": [] }\n');
    const stored = (await server.admin('PUT', at('/sbom'), sbom, { expect: 200 })).json.sbom;
    assert.deepEqual(stored, { size: sbom.length, sha256: sha256(sbom), format: 'CycloneDX' });
    assert.deepEqual(await about(), { ...said, sbom: stored });
    assert.ok((await server.admin('GET', at('/sbom'), null, { expect: 200 })).body.equals(sbom));
    const rows = (await server.admin('GET', '/ledger?kind=image-set')).json.items;
    assert.deepEqual(rows.map(({ detail: { by, ...rest } }) => (assert.ok(by), rest)), [
        { version: '2', purpose: 'security-fix', advisory: 'DFOTA-2026-1', release_note_sha256: sha256(said.release_note) },
        { version: '2', sbom_sha256: sha256(sbom) },
    ]);
    await server.restart();
    assert.deepEqual(await about(), { ...said, sbom: stored });

    for (const body of [{ purpose: 'fun' }, { release_note: 'x'.repeat(4001) }, { release_note: 'a\u0007' }, { advisory: 'a\nb' }])
        assertProblem(await server.admin('PUT', at('/about'), body), 422, 'invalid');
    for (const [body, status, code] of [['[]', 422, 'invalid'], ['{"a":1', 400, 'bad-json'], [Buffer.alloc(2 << 20, 32), 413, 'too-large']])
        assertProblem(await server.admin('PUT', at('/sbom'), body), status, code);
    assert.deepEqual(await about(), { ...said, sbom: stored });

    assert.equal((await server.admin('DELETE', at('/sbom'), null, { expect: 200 })).json.sbom, null);
    assert.equal((await about()).sbom, null);
    await server.admin('DELETE', at(), null, { expect: [200, 204] });
    await scene.upload('2');
    assert.deepEqual(await about(), { purpose: null, release_note: null, advisory: null, sbom: null });
});

test('dfotactl image about and image show', async (t) => {
    const server = await startServer(t);
    const scene = await Scene.build(server, { versions: ['1', '2'], target: null });
    const dir = await mkdtemp(join(tmpdir(), 'dfota-about-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, 'sbom.json'), text = '{"spdxVersion": "SPDX-2.3"}\n';
    await writeFile(file, text);
    const ctl = (...args) => run(['--url', `http://${server.adminAddress.host}:${server.adminAddress.port}`, ...args], { env: { DFOTA_TOKEN: server.token } });
    const { status, out, err } = await ctl('image', 'about', scene.firmware, '2', '--purpose', 'feature', '--advisory', 'none', '--sbom', file);
    assert.equal(status, 0, err);
    assert.match(out, /^Purpose +feature\n[^]*^Advisory +none\n[^]*^SBOM +SPDX$/m);
    const shown = JSON.parse((await ctl('image', 'show', scene.firmware, '2', '-o', 'json')).out);
    assert.deepEqual(shown.about.sbom, { size: text.length, sha256: sha256(text), format: 'SPDX' });
    assert.equal((await ctl('image', 'about', scene.firmware, '2')).status, 2);
    assert.equal((await ctl('image', 'about', scene.firmware, '2', '--purpose', 'fun')).status, 2);
    assert.equal((await ctl('image', 'about', scene.firmware, '2', '--sbom', join(dir, 'none'))).status, 2);
});
