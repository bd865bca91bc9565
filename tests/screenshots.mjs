// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Makes the pictures of the documents again: runs the story of ./run to its end, and takes them from its console, in English
// into doc/images/, in Chinese into doc/images/zh/. Run:
//   node tests/screenshots.mjs

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { closeBrowser, noBrowser, openConsole } from './e2e/lib/browser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'doc', 'images');
const scale = 8 / 11; // the pictures are 800 wide
const firmware = 'product=pumps&firmware=AirM2M_780E_LTE_AT';
const languages = [['en-US', folder], ['zh-CN', join(folder, 'zh')]];

// The picture is taken when `see` is there, and begins at `from`.
const pictures = [
    { name: 'overview', path: '/console/', theme: 'light', see: 'canvas' },
    { name: 'matrix', path: `/console/firmware?${firmware}&tab=matrix&from=1138&to=1162`, theme: 'dark', see: '[role=grid] td' },
    { name: 'campaign', path: `/console/campaigns?${firmware}&campaign=spring`, theme: 'light', see: '.stage' },
    { name: 'device', path: '/console/devices?product=pumps&device=imei:866597071234569', theme: 'dark', see: '.timeline li', from: '#timeline',
        height: 440 },
];

function story(folder) {
    const child = spawn(join(root, 'run'), ['--', '--data-dir', folder, '--device-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'],
        { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    return new Promise((done, failed) => {
        child.on('exit', (code) => failed(new Error(`run ended with ${code}`)));
        child.stdout.setEncoding('utf8').on('data', (part) => {
            text += part;
            process.stdout.write(part);
            if (text.includes('The console of the story'))
                done({ child, text });
        });
    });
}

async function take({ name, see, from, height = 600, ...options }, folder, server) {
    const ends = [];
    const view = await openConsole({ after: (end) => ends.push(end) }, server, { viewport: { width: 1100, height }, scale, ...options });
    await view.logIn();
    await view.page.locator(see).first().waitFor();
    if (from)
        await view.page.locator(from).evaluate((element) => {
            element.scrollIntoView();
            window.scrollBy(0, -70); // the head of the page is over it
        });
    const path = join(folder, `${name}.png`);
    await view.page.screenshot({ path });
    assert.ok(statSync(path).size < 60_000, `${path} has ${statSync(path).size} bytes`);
    for (const end of ends)
        await end();
}

assert.equal(noBrowser, false, noBrowser);
const data = mkdtempSync(join(tmpdir(), 'dfota-screenshots-'));
const { child, text } = await story(data);
child.removeAllListeners('exit');
try {
    const [, host, port] = /^http:\/\/([^:]+):(\d+)\/console\/#/m.exec(text);
    const token = readFileSync(/^export DFOTA_TOKEN=\$\(cat (\S+)\)$/m.exec(text)[1], 'utf8').trim();
    for (const [language, folder] of languages) {
        mkdirSync(folder, { recursive: true });
        for (const picture of pictures)
            await take({ ...picture, language }, folder, { adminAddress: { host, port }, token });
    }
} finally {
    await closeBrowser();
    process.kill(-child.pid, 'SIGINT');
    await new Promise((done) => child.on('exit', done));
    rmSync(data, { recursive: true, force: true });
}
