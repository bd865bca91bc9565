/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One simulated module: it asks, downloads, really applies what it gets to the image it runs, reboots and
   asks again. One thread at a time; what it shares with others (plan, shelf) is safe to share. */
#ifndef DFOTA_SIM_MODULE_H
#define DFOTA_SIM_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include "delta/bytes.h"
#include "sim/plan.h"

/* How a life ended, its stable name, and whether that is a fault by itself: whatever version runs, something
   that must not happen did. */
#define OUTCOME_TABLE(X)                                                                                     \
    X(OUTCOME_RUNNING, "running", false)                                                                     \
    X(OUTCOME_REACHED, "reached", false) /* runs the version of --until */                                   \
    X(OUTCOME_IDLE, "idle", false)       /* code 27, or the host was told there is nothing to do */          \
    X(OUTCOME_ASKED, "asked", false)     /* its number of asks is used up */                                 \
    X(OUTCOME_REFUSED, "refused", false) /* the server refused it for good */                                \
    X(OUTCOME_REJECTED, "package-rejected", false) /* it refused the package: -1003 */                       \
    X(OUTCOME_UNKNOWN, "unknown-image", false)     /* it runs an image whose version nobody told */          \
    X(OUTCOME_BROKEN, "broken", true)              /* the server's answer breaks real modules */             \
    X(OUTCOME_UNREACHABLE, "unreachable", true)

enum outcome {
#define X(id, name, fault) id,
    OUTCOME_TABLE(X)
#undef X
        OUTCOMES
};

struct module {
    const struct plan *plan;
    char label[72];             /* the IMEI, or a name for one without */
    char imei[72];              /* or what the dialect sends for one: see --imei */
    char version[RELEASE_SIZE]; /* what it says it runs */
    const struct image *image;  /* what it runs */
    char *link, *report_url;    /* owned; NULL: none */

    struct buffer part; /* of a package that is under way; empty while it is one that does not fit */
    uint64_t part_bytes, total_bytes;
    bool cut_done;
    char before[RELEASE_SIZE]; /* what it ran before the last reboot */
    bool report_due;           /* the host has yet to tell what runs */
    bool news;                 /* nobody was told yet which version runs since the last reboot */
    int failures;              /* of the network, one after the other */
    int64_t due_ms;            /* clock_boot_ms() of the next step */

    enum outcome outcome;
    char detail[160]; /* one phrase on it; may be empty */
    int last_code;    /* of the last refusal; 0: none */
    uint64_t asks, waits, packages, rejected, resumes, reports, bytes;
};

/* Does what is next: one report or one exchange and all that follows from it. False when its life has ended.
 */
bool module_step(struct module *module);

bool module_is_at_end_as_wanted(const struct module *module);

const char *outcome_name(enum outcome outcome);

void module_release(struct module *module); /* what it owns */

#endif
