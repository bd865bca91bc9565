// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A real browser (Debian's Chromium) on the console of a real dfotad.
//
//   describe('…', { skip: noBrowser }, () => {
//       const view = await openConsole(t, server, { language: 'zh-CN', theme: 'dark', viewport: phone });
//       await view.logIn();
//       await view.page.getByRole('link', { name: 'Devices' }).click();
//       await view.checkAccess();            // axe-core finds nothing
//       await view.screenshot('devices');    // build/screenshots/devices.png
//
// A test fails when the page logs an error, throws, or asks another host. `allow` lists patterns of errors that a test causes.
// Lost connections are no errors once the test has stopped the server.

import assert from 'node:assert/strict';
import { accessSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { hasCall } from './contract.mjs';
import { buildDir } from './server.mjs';

const require = createRequire(fileURLToPath(new URL('../../../www/package.json', import.meta.url)));
const program = process.env.DFOTA_CHROMIUM ?? '/usr/bin/chromium';

function find(name) {
    try {
        return require.resolve(name);
    } catch {
        return null;
    }
}

function missing() {
    try {
        accessSync(program);
    } catch {
        return `no browser at ${program}: install chromium`;
    }
    return find('playwright-core') && find('axe-core') ? false : 'no npm modules in www/: run make';
}

// Why these tests cannot run; false: they can.
export const noBrowser = missing();

export const phone = { width: 390, height: 844 };
// What the browser says of a server that ends: until its sockets are closed, it answers 503.
const lost = /net::ERR_[A-Z_]+|status of 503 /;
const desktop = { width: 1280, height: 800 };
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

let started = null;

// One browser for a test file; call closeBrowser() in after().
async function browser() {
    started ??= require('playwright-core').chromium.launch({ executablePath: program, args: flags });
    return started;
}

export async function closeBrowser() {
    await (await started)?.close();
    started = null;
}

// An empty page in a context of its own, for pages that are not the console.
export async function openPage(t) {
    const context = await (await browser()).newContext();
    t.after(() => context.close());
    return context.newPage();
}

export async function openConsole(t, server, { path = '/console/', language = 'en-US', theme = 'light', viewport = desktop, scale = 1, allow = [] } = {}) {
    const context = await (await browser()).newContext({ locale: language, colorScheme: theme, viewport, deviceScaleFactor: scale, reducedMotion: 'reduce' });
    const view = new View(context, await context.newPage(), server, allow);
    t.after(async () => {
        await context.close();
        view.assertClean();
    });
    await view.open(path);
    return view;
}

export class View {
    constructor(context, page, server, allow) {
        Object.assign(this, { context, page, server, allow, errors: [], hosts: new Set(), pending: new Set() });
        const ends = server.ends;
        this.origin = `http://${server.adminAddress.host}:${server.adminAddress.port}`;
        page.on('console', (message) => {
            if (['error', 'warning'].includes(message.type()) && !(server.ends > ends && lost.test(message.text())))
                this.errors.push(`${message.text()} (${message.location().url})`);
        });
        page.on('pageerror', (error) => this.errors.push(String(error.stack)));
        page.on('request', (request) => {
            const { origin, pathname } = new URL(request.url());
            this.hosts.add(origin);
            if (pathname.startsWith('/api/') && !hasCall(buildDir, request.method(), pathname))
                this.errors.push(`doc/openapi.yaml has no ${request.method()} ${pathname}`);
            this.pending.add(request);
        });
        for (const end of ['requestfinished', 'requestfailed'])
            page.on(end, (request) => this.pending.delete(request));
    }

    assertClean() {
        const unexpected = this.errors.filter((text) => !this.allow.some((pattern) => pattern.test(text)));
        assert.deepEqual(unexpected, [], 'errors in the browser');
        assert.deepEqual([...this.hosts].filter((origin) => origin !== this.origin && origin !== 'null'), [], 'requests to another host');
    }

    async open(path) {
        await this.page.goto(this.origin + path);
        await this.page.locator('main').waitFor().catch((error) => {
            const unanswered = [...this.pending].map((request) => request.url());
            throw new Error(`${error.message}\nunanswered: ${unanswered.join(' ') || 'nothing'}; errors: ${this.errors.join('; ') || 'none'}`);
        });
    }

    get tokenField() {
        return this.page.locator('input[name=token]');
    }

    async logIn(token = this.server.token) {
        await this.tokenField.fill(token);
        await this.tokenField.press('Enter');
        await this.page.locator('.shell').waitFor();
    }

    // What axe-core finds against WCAG 2.2 AA and its own good practice.
    async checkAccess() {
        if (!await this.page.evaluate(() => 'axe' in globalThis))
            await this.page.evaluate(readFileSync(find('axe-core'), 'utf8'));
        const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
        assert.deepEqual(violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)), []);
    }

    // No part of the page is wider than the window.
    async checkWidth() {
        const [content, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(content <= window, `the page is ${content} wide, the window ${window}`);
    }

    async screenshot(name) {
        const folder = join(buildDir, 'screenshots');
        if (!existsSync(folder))
            mkdirSync(folder, { recursive: true });
        await this.page.screenshot({ path: join(folder, `${name}.png`) });
    }

    // What has the focus, as a reader hears it.
    focused() {
        return this.page.evaluate(() => {
            const element = document.activeElement;
            return `${element.tagName.toLowerCase()} ${(element.getAttribute('aria-label') ?? element.textContent).trim()}`;
        });
    }
}
