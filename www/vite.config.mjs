// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// For build.mjs, and for `npx vite` in this folder: a server for development that passes the API on to a dfotad.

import { fileURLToPath } from 'node:url';

export default {
    root: fileURLToPath(new URL('.', import.meta.url)),
    base: '/console/',
    appType: 'spa',
    esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
    build: {
        target: 'es2022',
        assetsInlineLimit: 0, // the Content-Security-Policy allows files only
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    server: { proxy: { '/api': process.env.DFOTA_URL ?? 'http://127.0.0.1:8081' } },
};
