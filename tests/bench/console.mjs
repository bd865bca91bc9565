// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// How many bytes the first view of the console takes, and how long a browser needs to draw it.
//
//     node tests/bench/console.mjs [loads]      (DFOTA_BUILD: where the programs were built; by default ten loads)
//
// Each load is a browser without a cache, on loopback. The time is from the request to the drawn page: the login, and the
// overview of a session. Needs Debian's chromium, and the npm modules of www/.

import { closeBrowser, noBrowser, openConsole } from '../e2e/lib/browser.mjs';
import { startServer } from '../e2e/lib/server.mjs';

const loads = Number(process.argv[2] ?? 10);
if (noBrowser)
    throw new Error(noBrowser);

const cleanups = [];
const t = { after: (run) => cleanups.unshift(run), diagnostic() {} };
const server = await startServer(t);

async function draw(view, drawn) {
    const began = performance.now();
    await view.page.reload({ waitUntil: 'commit' });
    await view.page.locator(drawn).first().waitFor();
    return performance.now() - began;
}

function tell(what, list) {
    const [least, middle, most] = [0, Math.floor(list.length / 2), list.length - 1].map((i) => Math.round(list.sort((a, b) => a - b)[i]));
    console.log(`${what}: ${least} ms at least, ${middle} ms in the middle, ${most} ms at most`);
}

const login = [], overview = [];
let bytes = 0;
for (let n = 0; n < loads; n += 1) {
    const view = await openConsole(t, server);
    const network = await view.context.newCDPSession(view.page);
    await network.send('Network.enable');
    await network.send('Network.setCacheDisabled', { cacheDisabled: true });
    let taken = 0;
    network.on('Network.loadingFinished', ({ encodedDataLength }) => { taken += encodedDataLength; });
    login.push(await draw(view, 'main form, form'));
    bytes = Math.max(bytes, taken);
    await view.logIn();
    overview.push(await draw(view, 'main .stats, main .steps'));
}
console.log(`first view: ${bytes} bytes with heads, compressed`);
tell('login', login);
tell('overview', overview);
await closeBrowser();
for (const run of cleanups)
    await run();
