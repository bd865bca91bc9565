/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* AT transcripts: what a module and its host said to each other over the serial line, read for what became of
   its upgrades.

   The text is raw bytes as somebody captured them: other commands and messages in between, CR and LF in any
   mixture, cut anywhere. Only lines that are whole count: the last one only with a line end behind it, and a
   version only with one before it too. So cutting a transcript at its ends never makes a version that was not
   there. What a hole in the middle joins into one line cannot be told from a line.

   Pure: no clock, no I/O, no allocation; time and memory are bounded by the length of the text. */
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

/* How a try ended, as far as the text tells; stable name. */
#define TRANSCRIPT_OUTCOMES(X)                                                                               \
    X(OUTCOME_UPGRADED, "upgraded") /* another version runs */                                               \
    X(OUTCOME_FAILED, "failed")     /* an error, or the same version after it */                             \
    X(OUTCOME_UNKNOWN, "unknown")   /* the text ends, or leaves out, what would tell */

enum transcript_outcome {
#define X(outcome, name) outcome,
    TRANSCRIPT_OUTCOMES(X)
#undef X
        TRANSCRIPT_OUTCOME_COUNT
};
extern const struct enum_names transcript_outcome_names;

/* Its likely cause: stable name for programs. The sentence for people is made from the try's own numbers. */
#define TRANSCRIPT_CAUSES(X)                                                                                 \
    X(CAUSE_NONE, "none")                   /* it went well */                                               \
    X(CAUSE_NOT_CHANGED, "not-changed")     /* the updater said success, the version is the old one */       \
    X(CAUSE_UPDATER_ERROR, "updater-error") /* END with an error */                                          \
    X(CAUSE_BROKEN_WHILE_WRITING, "broken-while-writing")                                                    \
    X(CAUSE_NOT_VERIFIED, "not-verified")       /* reset before START */                                     \
    X(CAUSE_REFUSED_COMMAND, "refused-command") /* ERROR to AT+UPGRADE */                                    \
    X(CAUSE_SERVER_ANSWER, "server-answer")     /* a code of the dialect */                                  \
    X(CAUSE_SERVER_WAIT, "server-wait")         /* -1003 at once, or code 43 */                              \
    X(CAUSE_REFUSED_PACKAGE, "refused-package") /* -1003 after 100 */                                        \
    X(CAUSE_INVALID_PACKAGE, "invalid-package") /* -1003 in between */                                       \
    X(CAUSE_BAD_URL, "bad-url")                 /* -1000 */                                                  \
    X(CAUSE_NETWORK, "network")                 /* -1001 */                                                  \
    X(CAUSE_CONNECT, "connect")                 /* -1002 */                                                  \
    X(CAUSE_HTTP, "http")                       /* -1004 */                                                  \
    X(CAUSE_STORING, "storing")                 /* -1005 */                                                  \
    X(CAUSE_OTHER, "other")                     /* -1006 and numbers that nobody explains */                 \
    X(CAUSE_RESET_IN_DOWNLOAD, "reset-in-download")                                                          \
    X(CAUSE_NO_NEWER, "no-newer") /* +UPGRADEVER: 0 */                                                       \
    X(CAUSE_NOT_SEEN, "not-seen") /* nothing failed in what is here; what followed is not here */

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
    bool asked; /* AT+UPGRADE stands in the text; else the module began by itself, or the beginning is cut off
                 */
    bool refused;        /* … and ERROR behind it */
    bool no_newer;       /* +UPGRADEVER: 0 */
    int download, write; /* percent, the highest seen; -1: none */
    bool failed;         /* with `error`, negative: +UPGRADEIND: -1003, +UPGRADE: 2,… */
    long error;
    bool has_answer; /* +UPGRADE: 2,error,status,code; each 0 where the module had none */
    long http_status, code;
    bool boot;           /* the boot loader spoke, or RDY: it restarted after the download began */
    bool started, ended; /* FOTA START, END */
    long end_error;
    bool ready;                           /* RDY after all that */
    struct version offered;               /* +UPGRADEVER: what the platform offered; count 0: not told */
    struct transcript_seen before, after; /* after: once it had failed or restarted */
    int64_t at_ms;                        /* the last network time before it began; 0: none */

    enum transcript_outcome outcome;
    enum transcript_cause cause;
    char words[TRANSCRIPT_WORDS_SIZE]; /* the cause in a sentence */
};

struct transcript {
    struct transcript_seen first, last; /* versions printed */
    /* Nothing in the text has replaced what `last` names: no package was whole behind it. Only then is it
     * what runs. */
    bool last_holds;
    int64_t first_ms, last_ms;                         /* network times; 0: none */
    struct transcript_try tries[TRANSCRIPT_TRIES_MAX]; /* in order of time */
    unsigned try_count, tries_dropped;                 /* dropped: older than those */
    unsigned lines_known; /* how many lines meant something; 0: this is no transcript */
};

/* Reads the whole text, of which only the first TRANSCRIPT_MAX_BYTES are looked at. Never fails: what is not
   understood is skipped. */
void transcript_read(struct slice text, struct transcript *ret);

const char *transcript_outcome_name(enum transcript_outcome outcome);
const char *transcript_cause_name(enum transcript_cause cause);

#endif
