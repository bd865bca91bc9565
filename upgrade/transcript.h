/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reads AT transcripts: the dialogue of a module and its host over the serial line. Finds the module's
   versions, and how its upgrades ended.

   The text is raw captured bytes: with other commands and messages, with CR and LF in any mixture, cut
   anywhere. Only complete lines count. The last line needs a line end after it; a version also needs a line
   end before it. So a cut at either end never gives a version that was not in the text. A gap in the middle
   may join two lines into one; that cannot be detected.

   Pure: no clock, no I/O, no allocation. Time and memory are bounded by the length of the text. */
#ifndef DFOTA_UPGRADE_TRANSCRIPT_H
#define DFOTA_UPGRADE_TRANSCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "base/slice.h"
#include "upgrade/name.h"

#define TRANSCRIPT_MAX_BYTES  (256 * 1024)
#define TRANSCRIPT_TRIES_MAX  32 /* the newest are kept */
#define TRANSCRIPT_WORDS_SIZE 240

/* How a try ended, as far as the text shows; stable name. */
#define TRANSCRIPT_OUTCOMES(X)                                                                               \
    X(OUTCOME_UPGRADED, "upgraded") /* another version runs */                                               \
    X(OUTCOME_FAILED, "failed")     /* an error, or the same version afterwards */                           \
    X(OUTCOME_UNKNOWN, "unknown")   /* the text does not show the end */

enum transcript_outcome {
#define X(outcome, name) outcome,
    TRANSCRIPT_OUTCOMES(X)
#undef X
        TRANSCRIPT_OUTCOME_COUNT
};
extern const struct enum_names transcript_outcome_names;

/* The likely cause; stable name for programs. The sentence for people contains the numbers of the try. */
#define TRANSCRIPT_CAUSES(X)                                                                                 \
    X(CAUSE_NONE, "none")               /* success */                                                        \
    X(CAUSE_NOT_CHANGED, "not-changed") /* the updater reported success, but the version is the old one */   \
    X(CAUSE_UPDATER_ERROR, "updater-error") /* END with an error */                                          \
    X(CAUSE_BROKEN_WHILE_WRITING, "broken-while-writing")                                                    \
    X(CAUSE_NOT_VERIFIED, "not-verified")       /* restart before START */                                   \
    X(CAUSE_REFUSED_COMMAND, "refused-command") /* ERROR after AT+UPGRADE */                                 \
    X(CAUSE_SERVER_ANSWER, "server-answer")     /* a code of the dialect */                                  \
    X(CAUSE_SERVER_WAIT, "server-wait")         /* -1003 at once, or code 43 */                              \
    X(CAUSE_REFUSED_PACKAGE, "refused-package") /* -1003 after 100 */                                        \
    X(CAUSE_INVALID_PACKAGE, "invalid-package") /* -1003 in between */                                       \
    X(CAUSE_BAD_URL, "bad-url")                 /* -1000 */                                                  \
    X(CAUSE_NETWORK, "network")                 /* -1001 */                                                  \
    X(CAUSE_CONNECT, "connect")                 /* -1002 */                                                  \
    X(CAUSE_HTTP, "http")                       /* -1004 */                                                  \
    X(CAUSE_STORING, "storing")                 /* -1005 */                                                  \
    X(CAUSE_OTHER, "other")                     /* -1006 and unknown errors */                               \
    X(CAUSE_RESET_IN_DOWNLOAD, "reset-in-download")                                                          \
    X(CAUSE_NO_NEWER, "no-newer") /* +UPGRADEVER: 0 */                                                       \
    X(CAUSE_NOT_SEEN, "not-seen") /* no failure in the text, but the end is missing */

enum transcript_cause {
#define X(cause, name) cause,
    TRANSCRIPT_CAUSES(X)
#undef X
        TRANSCRIPT_CAUSE_COUNT
};
extern const struct enum_names transcript_cause_names;

struct transcript_seen { /* a version that the module printed; name.version.count 0: none */
    struct full_name name;
    int64_t at_ms; /* the last network time before it, UTC; 0: none in the text */
};

struct transcript_try {
    bool asked; /* the text has AT+UPGRADE; otherwise the module began by itself, or the text begins later */
    bool refused;        /* … and ERROR after it */
    bool no_newer;       /* +UPGRADEVER: 0 */
    int download, write; /* percent, the highest seen; -1: none */
    bool failed;         /* with `error`, negative: +UPGRADEIND: -1003, +UPGRADE: 2,… */
    long error;
    bool has_answer; /* +UPGRADE: 2,error,status,code; 0 if the module had none */
    long http_status, code;
    bool boot; /* output of the boot loader, or RDY: the module restarted after the download began */
    bool started, ended; /* FOTA START, END */
    long end_error;
    bool ready;                           /* RDY after all that */
    struct version offered;               /* +UPGRADEVER: the offered version; count 0: unknown */
    struct transcript_seen before, after; /* after: printed after the failure or restart */
    int64_t at_ms;                        /* UTC, the last network time before the try; 0: none */

    enum transcript_outcome outcome;
    enum transcript_cause cause;
    char words[TRANSCRIPT_WORDS_SIZE]; /* the cause in a sentence */
};

struct transcript {
    struct transcript_seen first, last; /* printed versions */
    /* After `last` no package was completely downloaded. Only then the module still runs `last`. */
    bool last_holds;
    int64_t first_ms, last_ms;                         /* UTC, network times; 0: none */
    struct transcript_try tries[TRANSCRIPT_TRIES_MAX]; /* in order of time */
    unsigned try_count, tries_dropped;                 /* dropped: older tries */
    unsigned lines_known; /* lines that were understood; 0: the text is not a transcript */
};

/* Reads the first TRANSCRIPT_MAX_BYTES of the text. Never fails: unknown lines are skipped. */
void transcript_read(struct slice text, struct transcript *ret);

const char *transcript_outcome_name(enum transcript_outcome outcome);
const char *transcript_cause_name(enum transcript_cause cause);

#endif
