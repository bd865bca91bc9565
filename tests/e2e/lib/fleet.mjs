// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A fleet of simulated modules, and what it sees of a campaign from outside: which modules have bytes of which package,
// which module had them first, and what was reported since.

import assert from 'node:assert/strict';

import { bspatch, poll, sha256 } from './module.mjs';

const applied = new Map(); // all modules of a fleet run the same few images

// The image that a package makes of another.
async function apply(image, bytes) {
    const key = `${sha256(image)} ${sha256(bytes)}`;
    if (!applied.has(key))
        applied.set(key, bspatch(image, bytes));
    return applied.get(key);
}

// A package, as the fleet sees it.
class Hop {
    constructor(from) {
        this.from = from;
        this.got = []; // modules in the order of their first byte, each once
        this.holders = new Set(); // modules with bytes of it that have not asked since
        this.most = 0; // holders at the same time
        this.most_on_trial = 0; // the same while no module had reported the new version
        this.confirmed = 0;
    }
}

export class Fleet {
    // modules   in the order of the campaign's list
    // target    the version that ends the way of a module
    // refuses   (index, module) → true: the module does not apply the package that it has
    // record    (index): the record of a module on the server
    // onGot     (index, hop, module): a module got bytes of a package from the start
    constructor(modules, { target, record, refuses = () => false, onGot = () => {} }) {
        Object.assign(this, { modules, target, record, refuses, onGot });
        this.hops = new Map(); // SHA-256 of a package → Hop
        this.done = new Set(); // indexes of modules that have begun to report the target
        this.failed = new Set(); // indexes of modules that have begun to report the old version
        this.afterFailure = modules.map(() => null); // the code of the answer to the first of these reports
        this.downloads = modules.map(() => 0);
        this.codes = modules.map(() => null); // of the last answer
        this.held = modules.map(() => null); // {bytes, hop}
    }

    // What a module does with its package before it asks again.
    async #reboot(index) {
        const module = this.modules[index];
        const { bytes, hop } = this.held[index];
        this.held[index] = null;
        if (this.refuses(index, module)) {
            this.failed.add(index);
        } else {
            module.image = await apply(module.image, bytes);
            module.version = module.known.get(sha256(module.image));
            assert.ok(module.version, 'the new image is one of those that were uploaded');
            hop.confirmed += 1;
            if (module.version === this.target)
                this.done.add(index);
        }
        hop.holders.delete(index);
    }

    // One request of a module; it has applied before what it got last time.
    async ask(index) {
        const module = this.modules[index];
        if (this.held[index])
            await this.#reboot(index);
        const answer = await module.ask();
        module.answers.length = 0;
        this.codes[index] = answer.code ?? answer.status;
        if (this.failed.has(index))
            this.afterFailure[index] ??= this.codes[index];
        if (answer.status !== 200)
            return answer;
        this.downloads[index] += 1;
        const sum = sha256(answer.body);
        if (!this.hops.has(sum))
            this.hops.set(sum, new Hop(module.version));
        const hop = this.hops.get(sum);
        assert.equal(hop.from, module.version);
        if (!hop.got.includes(index))
            hop.got.push(index);
        hop.holders.add(index);
        hop.most = Math.max(hop.most, hop.holders.size);
        if (hop.confirmed === 0)
            hop.most_on_trial = Math.max(hop.most_on_trial, hop.holders.size);
        this.held[index] = { bytes: answer.body, hop };
        this.onGot(index, hop, module);
        // The last acknowledgement is stored a moment after the module has all bytes.
        await poll('the package is delivered', async () => (await this.record(index)).attempts[0].state === 'delivered', { every_ms: 5 });
        return answer;
    }

    // Each of these modules asks once, `parallel` at a time.
    async round({ parallel = 8, order = this.modules.keys() } = {}) {
        const waiting = [...order];
        const worker = async () => {
            while (waiting.length > 0)
                await this.ask(waiting.shift());
        };
        await Promise.all(Array.from({ length: parallel }, worker));
    }

    get hopList() {
        return [...this.hops.values()].sort((a, b) => Number(a.from) - Number(b.from));
    }
}
