/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Grades of evidence: how much the source of a report proves about the version that a device runs.

   A report replaces the confirmed version if its grade is the same or higher. A report of a lower grade is
   stored as a claim: an admin sees it, and the server does not act on it. Pure. */
#ifndef DFOTA_UPGRADE_GRADE_H
#define DFOTA_UPGRADE_GRADE_H

#include <stdbool.h>
#include "base/enum_names.h"

/* The lowest first. The names are stored, so a new grade can be inserted. */
#define GRADES(X)                                                                                            \
    X(GRADE_NONE, "")                           /* no report */                                              \
    X(GRADE_UNAUTHENTICATED, "unauthenticated") /* anybody with product key and device id can send it */     \
    X(GRADE_PRODUCT_SECRET, "product-secret")   /* under a secret that all devices of the product have */    \
    X(GRADE_LINK, "link")                       /* over a link that was given to a trusted check-in */       \
    X(GRADE_HOST, "host-report")            /* over a link that an admin made, or in a trusted check-in */   \
    X(GRADE_ADMIN, "admin")                 /* from an admin, or in a transcript of an admin */              \
    X(GRADE_DEVICE_SECRET, "device-secret") /* under the secret of this device */

enum grade {
#define X(grade, name) grade,
    GRADES(X)
#undef X
        GRADE_COUNT
};

extern const struct enum_names grade_names;

const char *grade_name(enum grade grade);

/* The grade of a check-in. `trusted`: an admin trusts the check-ins of the product. */
enum grade grade_of_check_in(bool trusted);
/* The grade of a report over a link. A link that an admin made gives GRADE_HOST. A link that was handed out
   to a check-in is only for fetching; `trusted`: the check-ins were trusted when it was handed out. */
enum grade grade_of_link(bool handed_out, bool trusted);

/* The secret of the request, if any, gives a grade of its own. */
enum secret_kind { SECRET_NONE, SECRET_OF_PRODUCT, SECRET_OF_DEVICE };
/* The higher one of `grade` and the grade of the secret. */
enum grade grade_with_secret(enum grade grade, enum secret_kind secret);

/* Whether a report of grade `said` replaces evidence of grade `known`. */
bool grade_counts(enum grade said, enum grade known);

#endif
