// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A device that is told again that it is up to date changes nothing, so its answer needs no write: it comes also while another
// process holds the lock of the database. Everything that changes something waits for the writer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { poll } from './lib/module.mjs';
import { Scene } from './lib/scene.mjs';
import { startServer } from './lib/server.mjs';

let server, scene;
before(async () => {
    server = await startServer(null, { keep: true });
    scene = await Scene.build(server, { versions: ['1001', '1002'] });
});
after(() => server?.dispose());

// Another process that holds the lock for writing until release().
async function lockDatabase(t) {
    const child = spawn('sqlite3', [join(server.dataDir, 'dfota.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill());
    child.stdin.write('PRAGMA busy_timeout = 5000;\nBEGIN IMMEDIATE;\nSELECT 42;\n');
    let out = '';
    for await (const data of child.stdout) {
        out += data;
        if (out.includes('42'))
            break;
    }
    return async () => {
        child.stdin.end('ROLLBACK;\n');
        await once(child, 'exit');
    };
}

const checkIns = async (module) => (await scene.record(module)).check_ins;

describe('answers that change nothing', () => {
    test('come while the database cannot be written; others wait, and none is lost', async (t) => {
        const idle = scene.module({ version: '1002' }), idleLinked = await scene.linkedModule({ version: '1002' });
        for (const module of [idle, idleLinked.module])
            assert.equal((await module.ask()).code, 27);
        const release = await lockDatabase(t);
        for (let n = 0; n < 3; n += 1)
            assert.equal((await idle.ask()).code, 27);
        assert.equal((await idle.ask({ method: 'HEAD' })).status, 400);
        idle.version = '1003';
        assert.equal((await idle.ask({ method: 'HEAD' })).status, 400, 'HEAD stores nothing, whatever it says');
        idle.version = '1002';
        assert.equal((await idleLinked.module.ask()).code, 27);
        const fresh = scene.module({ version: '1002' });
        let answered = false;
        const answer = fresh.ask().then((found) => {
            answered = true;
            return found;
        });
        assert.equal((await idle.ask()).code, 27);
        assert.equal(answered, false, 'a new device is stored before it is answered');
        await release();
        assert.equal((await answer).code, 27);
        await poll('the check-ins are counted', async () => await checkIns(idle) === 5);
        assert.equal(await checkIns(idleLinked.module), 2);
        assert.equal(await checkIns(fresh), 1);
    });

    test('show each change at once: a new target, another version, a block', async () => {
        const module = scene.module({ version: '1002' });
        assert.equal((await module.ask()).code, 27);
        assert.equal((await module.ask()).code, 27);
        await scene.setTarget('1001');
        assert.equal((await module.ask()).code, 27); // above the target
        await scene.set({ downgrades: true });
        assert.notEqual((await module.ask()).code, 27);
        await scene.set({ downgrades: false });
        await scene.setTarget('1002');
        assert.equal((await module.ask()).code, 27);
        module.version = '900';
        assert.notEqual((await module.ask()).code, 27);
        module.version = '1002';
        assert.equal((await module.ask()).code, 27);
        assert.equal((await scene.record(module)).confirmed_version, '1002');
    });
});
