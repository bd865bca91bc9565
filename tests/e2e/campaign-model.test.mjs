// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Random fleets with random faults, a random admin, and a server that is restarted and killed: after each step the
// campaign is what the modules and the admin have made of it.
//
//   DFOTA_CAMPAIGN_FLEETS   fleets, 4
//   DFOTA_CAMPAIGN_SEED     repeats a run; every run prints its own

import { test } from 'node:test';

import { CampaignFleet, late } from './lib/campaign-fleet.mjs';
import { Clock } from './lib/clock.mjs';
import { random } from './lib/firmware.mjs';
import { startServer } from './lib/server.mjs';

const fleets = Number(process.env.DFOTA_CAMPAIGN_FLEETS ?? 4);
const seed = Number(process.env.DFOTA_CAMPAIGN_SEED ?? Math.floor(Math.random() * 2 ** 31));
const steps = 70;

for (let n = 0; n < fleets; n += 1) {
    test(`fleet ${n + 1} of ${fleets}, seed ${seed + n}`, async (t) => {
        const rand = random(seed + n), lines = [];
        const clock = new Clock();
        const server = await startServer(t, { wrapper: clock.wrapper, config: { silent_after_ms: late, pin_idle_ms: late / 2 } });
        const fleet = new CampaignFleet(server, clock, rand, (line) => lines.push(line));
        try {
            await fleet.begin();
            for (let step = 0; step < steps; step += 1)
                await fleet.step();
            await fleet.end();
        } catch (error) {
            error.message = `DFOTA_CAMPAIGN_FLEETS=1 DFOTA_CAMPAIGN_SEED=${seed + n} repeats it.\n${lines.slice(-(process.env.DFOTA_CAMPAIGN_LINES ?? 40)).join('\n')}\n${error.message}`;
            throw error;
        }
        t.diagnostic(`${fleet.modules.length} modules, ${lines.length} steps, ${fleet.kills} kills: ${fleet.model.state}, ${JSON.stringify(fleet.model.counts)}`);
    });
}
