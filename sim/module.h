/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One simulated module: it asks, downloads, applies the package to the image that it runs, reboots, and
   asks again. One thread at a time; plan and store are shared by all modules, and any thread may use them. */
#ifndef DFOTA_SIM_MODULE_H
#define DFOTA_SIM_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"
#include "sim/plan.h"

/* How a module ended, the stable name of the outcome, and whether the outcome is a fault, whatever version
   runs. */
#define OUTCOME_TABLE(X)                                                                                     \
    X(OUTCOME_RUNNING, "running", false)                                                                     \
    X(OUTCOME_REACHED, "reached", false)           /* runs the version of --until */                         \
    X(OUTCOME_IDLE, "idle", false)                 /* code 27, or nothing more to do for the host */         \
    X(OUTCOME_ASKED, "asked", false)               /* has asked as often as --asks */                        \
    X(OUTCOME_REFUSED, "refused", false)           /* final refusal of the server */                         \
    X(OUTCOME_REJECTED, "package-rejected", false) /* refused the package: -1003 */                          \
    X(OUTCOME_UNKNOWN, "unknown-image", false)     /* runs an image of unknown version */                    \
    X(OUTCOME_BROKEN, "broken", true)              /* got an answer that breaks real modules */              \
    X(OUTCOME_UNREACHABLE, "unreachable", true)

enum outcome {
#define X(id, name, fault) id,
    OUTCOME_TABLE(X)
#undef X
        OUTCOMES
};

struct module {
    const struct plan *plan;
    char label[72];             /* the IMEI, or a name for a module without an IMEI */
    char imei[72];              /* or the id that the dialect sends instead */
    char version[RELEASE_SIZE]; /* version that it reports */
    const struct image *image;  /* image that it runs */
    char *link, *report_url;    /* owned; NULL: none */

    struct buffer part; /* received part of a package; empty if the package does not fit */
    uint64_t part_bytes, total_bytes;
    bool cut_done;
    bool refuses;              /* applies no package */
    bool restarts;             /* when this download is cut */
    uint64_t random;           /* state of its random numbers; not 0 */
    char before[RELEASE_SIZE]; /* version before the last reboot */
    bool report_due;           /* the host must report the version */
    bool news;                 /* the server does not know yet which version runs since the last reboot */
    int failures;              /* failures of the network in a row */
    int64_t due_ms;            /* clock_boot_ms() of the next step */

    enum outcome outcome;
    char detail[160]; /* reason in words; may be empty */
    int last_code;    /* of the last refusal; 0: none */
    uint64_t asks, waits, packages, rejected, resumes, reports, bytes;
};

/* Runs the next step: one report or one exchange, and what follows from it. Blocks. False: the module has
   ended. */
bool module_step(struct module *module);

bool module_ended_as_wanted(const struct module *module);

const char *outcome_name(enum outcome outcome);

void module_release(struct module *module); /* frees what it owns */

#endif
