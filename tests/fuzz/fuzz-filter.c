/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a filter of devices. What is parsed is compared without fault, and means the same
 * between brackets; what is refused has a message. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "upgrade/filter_device.h"

#define NOW INT64_C(1790000000000)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static struct filter filter, bracketed;
    struct error err = {ERROR_CODES, ""};
    char text[FILTER_TEXT_MAX + 8];
    struct filter_subject subject = {.tags = "a north",
                                     .firmware = "pump",
                                     .device = "866597071234567",
                                     .note = "",
                                     .grade = "link",
                                     .code = 43};
    version_parse(slice_of("1138"), &subject.version);
    subject.last_seen_ms = NOW - (int64_t)(len * 1000000);
    if (!filter_parse((struct slice){(const char *)input, len}, &filter_device, &filter, &err)) {
        if (err.code != ERROR_INVALID || !err.text[0])
            abort();
        return 0;
    }
    if (filter.count > FILTER_STEPS_MAX || (filter.count == 0 && !filter_selects(&filter, &subject, NOW)))
        abort();
    snprintf(text, sizeof text, "not(%.*s)", (int)len, (const char *)input);
    if (filter.count && filter_parse(slice_of(text), &filter_device, &bracketed, &err) &&
        filter_selects(&bracketed, &subject, NOW) == filter_selects(&filter, &subject, NOW))
        abort();
    return 0;
}
