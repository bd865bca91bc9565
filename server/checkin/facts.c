/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/facts.h"

#include "server/core/log.h"

bool facts_counts(const struct facts *facts, enum grade grade)
{
    return !facts->device.id || grade_counts(grade, facts->device.confirmed_grade);
}

bool facts_are_lower(const struct facts *facts)
{
    /* GRADE_NONE: an admin asks, and not a device. */
    return facts->grade != GRADE_NONE && facts->grade <= GRADE_PRODUCT_SECRET &&
           !facts_counts(facts, facts->grade);
}

void facts_log(const struct facts *facts, const char *network)
{
    if (facts->tells_admission)
        log_line(
            LOG_LEVEL_WARN, "admission-full", "product", facts->product.product_key, "network",
            facts->admission == ADMISSION_NETWORK_FULL ? network : NULL, "then",
            "new devices get code 21 until the next UTC day; if the devices are yours, raise max_new_devices_per_day",
            NULL);
}

bool facts_of_stranger(const struct facts *facts)
{
    return !facts->device.id || facts->spent;
}
