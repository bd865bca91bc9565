/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Grades of evidence: how much the source of a report proves about the version that a device runs.

   A report replaces what is confirmed when its grade is the same or higher. A report of a lower grade is kept
   beside it as a claim: an admin sees it, and it decides nothing. Pure. */
#ifndef DFOTA_UPGRADE_GRADE_H
#define DFOTA_UPGRADE_GRADE_H

#include <stdbool.h>
#include "base/enum_names.h"

/* Lowest first. The names are stored: a new grade (a device's own secret) takes its place in this order. */
#define GRADES(X)                                                                                            \
    X(GRADE_NONE, "")                           /* nobody has reported */                                    \
    X(GRADE_UNAUTHENTICATED, "unauthenticated") /* anybody with product key and device id could say it */    \
    X(GRADE_LINK, "link")        /* over a link that was handed out to a trusted check-in only */            \
    X(GRADE_HOST, "host-report") /* over a link that an admin made, or by a trusted check-in */              \
    X(GRADE_ADMIN, "admin")      /* an admin said it, or brought the transcript */

enum grade {
#define X(grade, name) grade,
    GRADES(X)
#undef X
        GRADE_COUNT
};

extern const struct enum_names grade_names;

const char *grade_name(enum grade grade);

/* What the device says in a request of its own. `trusted`: an admin said so of the product's check-ins. */
enum grade grade_of_check_in(bool trusted);
/* A report over a link. Only a link that an admin made gives the right to testify. A link that was handed out
   to a check-in gives the right to fetch; `trusted`: it was handed out while the check-ins were trusted. */
enum grade grade_of_link(bool handed_out, bool trusted);

bool grade_counts(enum grade said, enum grade known);

#endif
