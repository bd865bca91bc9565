/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/filter_device.h"

#include <stddef.h>

static const struct filter_field fields[] = {
#define X(name, kind, member) {name, FILTER_##kind},
    FILTER_DEVICE_FIELDS(X)
#undef X
};

static const size_t offsets[] = {
#define X(name, kind, member) offsetof(struct filter_subject, member),
    FILTER_DEVICE_FIELDS(X)
#undef X
};

static void read_field(const void *subject, unsigned field, struct filter_value *ret)
{
    const void *member = (const char *)subject + offsets[field];
    switch (fields[field].kind) {
    case FILTER_VERSION:
        ret->version = *(const struct version *)member;
        break;
    case FILTER_TAGS:
    case FILTER_TEXT:
        ret->text = *(const char *const *)member;
        break;
    case FILTER_TIME:
    case FILTER_NUMBER:
        ret->number = *(const int64_t *)member;
        break;
    case FILTER_FLAG:
        ret->number = *(const bool *)member;
        break;
    }
}

const struct filter_language filter_device = {fields, sizeof fields / sizeof *fields, read_field};
