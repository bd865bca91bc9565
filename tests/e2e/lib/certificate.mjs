// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Certificates for tests, made by openssl: an authority of its own, and certificates that it signs.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const openssl = (dir, ...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });

export class Authority {
    constructor() {
        this.dir = mkdtempSync(join(tmpdir(), 'dfota-ca-'));
        process.on('exit', () => rmSync(this.dir, { recursive: true, force: true }));
        openssl(this.dir, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=test authority',
            '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30');
        this.file = join(this.dir, 'ca.pem');
    }

    // → {cert, key, both}: paths of PEM files. `days` may be negative: the certificate has expired.
    issue(name, { days = 30, names = 'IP:127.0.0.1,DNS:localhost', serial = null } = {}) {
        const file = (end) => join(this.dir, `${name}.${end}`);
        openssl(this.dir, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
            '-keyout', file('key'), '-out', file('csr'));
        writeFileSync(file('ext'), `subjectAltName=${names}\n`);
        openssl(this.dir, 'x509', '-req', '-in', file('csr'), '-CA', 'ca.pem', '-CAkey', 'ca.key', '-extfile', file('ext'), '-out', file('pem'),
            '-days', String(days), ...serial === null ? ['-CAcreateserial'] : ['-set_serial', String(serial)]);
        writeFileSync(file('both'), readFileSync(file('pem'), 'utf8') + readFileSync(file('key'), 'utf8'), { mode: 0o600 });
        chmodSync(file('key'), 0o600);
        return { cert: file('pem'), key: file('key'), both: file('both') };
    }
}
