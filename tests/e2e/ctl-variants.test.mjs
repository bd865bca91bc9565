// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// dfotactl with several builds of one version: each command names one, and the tables show which is meant.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertRun, run } from './lib/ctl.mjs';
import { noiseImage } from './lib/firmware.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

const full = noiseImage({ seed: 8101, size: 16_000 });
let server, scene, folder, file, ctl;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server, { versions: ['1', '2'] });
    folder = await mkdtemp(join(tmpdir(), 'dfota-variants-'));
    file = join(folder, 'pump_V1.bin');
    await writeFile(file, full);
    const { adminAddress: { host, port }, token } = server;
    ctl = (...words) => run([...words, '-p', scene.product, '--url', `http://${host}:${port}`], { env: { DFOTA_TOKEN: token } });
});
after(async () => {
    await server?.dispose();
    await rm(folder, { recursive: true, force: true });
});

const upload = ['image', 'upload', '--firmware', 'pump', '--version', '1'];
const image = async (variant) => (await server.admin('GET', scene.path(`/images/1?variant=${variant}`), null, { expect: 200 })).json;
const narrow = ({ out }) => { for (const line of out.split('\n')) assert.ok(line.length <= 80, line); };

describe('dfotactl with several builds', () => {
    test('a refused upload says how to name another build', async () => {
        assertRun(await ctl(...upload, file), 1, { err: /another build of the version, give it a variant, for example --variant full/ });
        const stored = await ctl(...upload, '--variant', 'full', file);
        assertRun(stored, 0, { out: /^pump +1 \(full\) /m });
        narrow(stored);
        assertRun(await ctl(...upload, '--variant', 'FULL', file), 1, { err: /--variant must be 1 to 32 characters/ });
    });

    test('commands about an image name the build', async () => {
        assertRun(await ctl('image', 'show', 'pump', '1'), 1, { err: /several builds \(variants '' \(none\), full\).*name one with --variant/s });
        assertRun(await ctl('image', 'show', 'pump', '1', '--variant', 'tts'), 1, { err: /no variant 'tts'; there is '' \(none\), full/ });
        assertRun(await ctl('image', 'show', 'pump', '1', '--variant', 'full'), 0, { out: /^Version +1 \(full\)$/m });
        assertRun(await ctl('image', 'show', 'pump', '1', '--variant', ''), 0, { out: /^Version +1$/m });
        const copy = join(folder, 'copy.bin');
        assertRun(await ctl('image', 'get', 'pump', '1', copy, '--variant', 'full'), 0);
        assert.ok((await readFile(copy)).equals(full));
        assertRun(await ctl('image', 'about', 'pump', '1', '--variant', 'full', '--advisory', 'A-1'), 0, { out: /^Version +1 \(full\)$/m });
        assert.deepEqual([(await image('full')).about.advisory, (await image('')).about?.advisory ?? null], ['A-1', null]);
        assertRun(await ctl('image', 'withdraw', 'pump', '1', '--variant', 'full', '--reason', 'bad'), 0);
        assert.deepEqual([Boolean((await image('full')).withdrawn), (await image('')).withdrawn], [true, null]);
        assertRun(await ctl('image', 'restore', 'pump', '1', '--variant', 'full'), 0);
    });

    test('image default names the build for devices whose build is not known', async () => {
        assertRun(await ctl('image', 'default', 'pump', '1', 'maybe', '--variant', ''), 2, { err: /'maybe' is not yes or no/ });
        assertRun(await ctl('image', 'default', 'pump', '1', 'yes', '--variant', ''), 0, { out: /the default of this version/ });
        assert.equal((await image('')).default, true);
        const list = await ctl('image', 'list', 'pump');
        assertRun(list, 0, { out: /^pump +1 .*\n.*the default of this version.*\n.*\npump +1 \(full\) /m });
        narrow(list);
    });

    test('commands about a package name both builds', async () => {
        const of = ['pump', '1', '2', '--from-variant', 'full'];
        assertRun(await ctl('package', 'make', ...of, '--wait'), 0, { out: /^From +1 \(full\)$/m });
        assertRun(await ctl('package', 'make', 'pump', '1', '2', '--wait'), 0, { out: /^From +1$/m });
        assertRun(await ctl('package', 'show', ...of), 0, { out: /^From +1 \(full\)$/m });
        assertRun(await ctl('package', 'show', ...of, '--to-variant', 'x'), 1, { err: /no variant 'x'/ });
        const list = await ctl('package', 'list', 'pump');
        assertRun(list, 0, { out: /^1 +2 .*\n1 \(full\) +2 /m });
        narrow(list);
        assertRun(await ctl('package', 'quarantine', ...of, '--reason', 'x'), 0, { err: /the package 1 \(full\)→2 of pump is out of service/ });
        const rows = (await server.admin('GET', `/ledger?kind=package-quarantined&product=${scene.product}`, null, { expect: 200 })).json.items;
        assert.deepEqual(rows.map(({ detail }) => [detail.from, detail.from_variant, detail.to, detail.to_variant]), [['1', 'full', '2', undefined]]);
        const { items } = (await server.admin('GET', scene.path('/packages'))).json;
        assert.deepEqual(items.map((one) => [one.from_variant, one.to_variant, Boolean(one.quarantine)]), [[null, null, false], ['full', null, true]]);
        assertRun(await ctl('package', 'lift', ...of), 0, { err: /1 \(full\)→2 of pump is in service/ });
    });

    test('matrix, queue and path show the builds', async () => {
        const matrix = await ctl('matrix', 'pump');
        assertRun(matrix, 0, { out: /^ +KB +1 \(full\) +2\n +1 +\d+\n +1 \(full\) +\d+$/m });
        narrow(matrix);
        const { builds } = (await server.admin('GET', scene.path('/matrix'))).json;
        assert.deepEqual(builds.map(({ name, default: isDefault }) => [name, isDefault]), [['1', true], ['1 (full)', false], ['2', false]]);
        assertRun(await ctl('path', '1', '2', '--from-variant', 'full'), 0, { out: /^1 \(full\)→2: a path of 1 hop\n {2}1 \(full\)→2 / });
        assertRun(await ctl('queue', 'pump'), 0);
    });

    test('image delete deletes one build', async () => {
        await writeFile(file, noiseImage({ seed: 8102, size: 16_000 }));
        assertRun(await ctl(...upload, '--variant', 'tts', file), 0);
        assertRun(await ctl('image', 'delete', 'pump', '1', '--variant', 'tts', '--yes'), 0, { err: /version 1 \(tts\) of pump is deleted/ });
        assertRun(await ctl('image', 'show', 'pump', '1', '--variant', 'full'), 0);
    });

    test('device build says which build a device runs', async () => {
        const module = scene.module({ version: '1' });
        await module.ask();
        const device = `imei:${module.id}`;
        assertRun(await ctl('device', 'build', device, 'full'), 0, { out: /^Build +1 \(full\)$/m });
        assertRun(await ctl('device', 'show', device), 0, { out: /^ {2}build +1 \(full\)$/m });
        const list = await ctl('device', 'list');
        assertRun(list, 0, { out: /^\S+ +pump +1 \(full\) /m });
        narrow(list);
        assertRun(await ctl('device', 'build', device, 'tts'), 1, { err: /no variant 'tts'/ });
        assertRun(await ctl('device', 'forget-build', device), 0, { out: /^Build +-$/m });
    });
});
