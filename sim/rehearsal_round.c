/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/rehearsal_round.h"

#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "sim/code.h"

#define AGAIN_US 100000
#define AGAIN_MS (10 * MINUTE_MS) /* no package takes longer */
#define THREADS  16

static void begin(struct module *module)
{
    module->outcome = OUTCOME_RUNNING;
    module->last_code = 0;
    module->failures = 0;
    module->due_ms = 0;
}

/* It was told to wait, or has a part of a package. */
static bool asks_again(const struct module *module)
{
    return module->outcome == OUTCOME_ASKED && (module->last_code == CODE_WAIT || module->part_bytes);
}

static size_t begin_again(struct fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->count; i++)
        if (asks_again(&fleet->module[i])) {
            begin(&fleet->module[i]);
            count++;
        }
    return count;
}

static uint64_t count_bytes(const struct fleet *fleet)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < fleet->count; i++)
        bytes += fleet->module[i].bytes;
    return bytes;
}

static void end(struct rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->fleet.count; i++) {
        const struct module *module = &rehearsal->fleet.module[i];
        rehearsal->asks += module->asks;
        if (module->outcome == OUTCOME_ASKED)
            continue;
        if (!rehearsal->faults++)
            snprintf(rehearsal->fault, sizeof rehearsal->fault, "%s %s: %s", module->label,
                     outcome_name(module->outcome), module->detail);
    }
}

bool rehearsal_round(struct rehearsal *rehearsal, bool *ret_moved, struct error *err)
{
    struct fleet *fleet = &rehearsal->fleet;
    const struct sim_options *options = rehearsal->options;
    size_t parallel = options->parallel ? (size_t)options->parallel : THREADS;
    uint64_t before = count_bytes(fleet);
    for (size_t i = 0; i < fleet->count; i++) {
        begin(&fleet->module[i]);
        fleet->module[i].asks = 0;
    }
    int64_t end_ms = clock_boot_ms() + AGAIN_MS;
    do {
        if (!fleet_run(fleet, parallel, err))
            return false;
        if (scratch_is_interrupted())
            return error_set(err, ERROR_UNAVAILABLE, "interrupted");
        if (clock_boot_ms() > end_ms)
            return error_set(err, ERROR_UNAVAILABLE, "modules wait for more than ten minutes for a package");
    } while (begin_again(fleet) && usleep(AGAIN_US) == 0);
    *ret_moved = count_bytes(fleet) != before;
    end(rehearsal);
    return true;
}
