/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of EC7xx packages: a power supply that fails once, at any flash operation of the simulated
   module. */
#ifndef DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_OUTAGES_H
#define DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_OUTAGES_H

#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "delta/ec7xx/module.h"
#include "delta/ec7xx/rules.h"

struct outage { /* the power fails at this operation, counted over all runs */
    unsigned int operations, at;
    enum ec7xx_power how;
};

static inline enum ec7xx_power supply_until(void *context, enum ec7xx_flash operation, unsigned int place)
{
    struct outage *outage = context;
    (void)operation;
    (void)place;
    return outage->operations++ == outage->at ? outage->how : EC7XX_POWER_STAYS;
}

/* Boots a module until it is finished. It must have the new image then. */
static inline void run_through(const struct pair *p, const struct par_part *part, struct outage *outage)
{
    struct ec7xx_module *module;
    struct error err;
    bool done = false;
    assert_true(ec7xx_module_new(buffer_bytes(&p->old), part, &module, &err));
    for (unsigned int boots = 0; !done; boots++) {
        assert_true(boots < 3);
        if (!ec7xx_module_run(module, (struct ec7xx_supply){supply_until, outage}, &done, &err))
            fail_msg("operation %u: %s", outage->at, err.text);
    }
    assert_true(bytes_equal(ec7xx_module_image(module), buffer_bytes(&p->new)));
    ec7xx_module_free(module);
}

/* Runs a module without a power cut, and with one in and after each operation. Returns the number of operations. */
static inline unsigned int cut_power_everywhere(const struct pair *p)
{
    struct par par;
    struct error err;
    struct outage none = {0, UINT32_MAX, EC7XX_POWER_STAYS};
    assert_true(par_read(buffer_bytes(&p->file), &par, &err) && ec7xx_rules_check(&par, &err));
    run_through(p, &par.part[0], &none);
    for (unsigned int at = 0; at < none.operations; at++)
        for (int how = EC7XX_POWER_FAILS_IN; how <= EC7XX_POWER_FAILS_AFTER; how++) {
            struct outage outage = {0, at, (enum ec7xx_power)how};
            run_through(p, &par.part[0], &outage);
        }
    return none.operations;
}

#endif
