/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Filters of devices: of the list of devices, and of campaigns, which store them. */
#ifndef DFOTA_UPGRADE_FILTER_DEVICE_H
#define DFOTA_UPGRADE_FILTER_DEVICE_H

#include "upgrade/filter.h"

/* Name, kind, member of struct filter_subject. A campaign stores its filter as a text: no name may go, and none
   may change its meaning. */
#define FILTER_DEVICE_FIELDS(X)                                                                              \
    X("version", VERSION, version) /* the confirmed version */                                               \
    X("asked", VERSION, asked)     /* the version that it asked from last */                                 \
    X("tag", TAGS, tags)                                                                                     \
    X("firmware", TEXT, firmware)                                                                            \
    X("device", TEXT, device) /* the id without its kind */                                                  \
    X("note", TEXT, note)                                                                                    \
    X("grade", TEXT, grade) /* of the confirmed version */                                                   \
    X("last_seen", TIME, last_seen_ms)                                                                       \
    X("first_seen", TIME, first_seen_ms)                                                                     \
    X("confirmed", TIME, confirmed_ms) /* when the version was reported */                                   \
    X("code", NUMBER, code)            /* of the last answer */                                              \
    X("check_ins", NUMBER, check_ins)                                                                        \
    X("blocked", FLAG, blocked)   /* by the loop guard */                                                    \
    X("claim", FLAG, claim)       /* a claim contradicts the confirmed version */                            \
    X("held_out", FLAG, held_out) /* of all campaigns */

struct filter_subject {            /* one device. Texts are not NULL */
    struct version version, asked; /* count 0: none */
    const char *tags, *firmware, *device, *note, *grade;
    int64_t last_seen_ms, first_seen_ms, confirmed_ms; /* UTC; 0: never */
    int64_t code, check_ins;
    bool blocked, claim, held_out;
};

extern const struct filter_language filter_device; /* its subject: struct filter_subject */

#endif
