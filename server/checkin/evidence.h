/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reports that may be late: transcripts and lists. Puts what was seen in order with what is confirmed, and
   what a transcript tells of a try beside the attempt it belongs to. Writer's thread throughout. */
#ifndef DFOTA_SERVER_CHECKIN_EVIDENCE_H
#define DFOTA_SERVER_CHECKIN_EVIDENCE_H

#include <jansson.h>
#include "server/checkin/facts.h"
#include "storage/transcript.h"
#include "upgrade/testimony.h"

struct transcript_post { /* a transcript on its way in */
    struct slice text;
    struct sha256 sha256;      /* of it */
    struct transcript found;   /* in it */
    bool live;                 /* from the device's host, over its link; else from an admin */
    int64_t captured_ms;       /* as the admin says; 0: not said */
    struct transcript_row row; /* as it is kept */
    const char *warning;       /* it counts, and is older than what is known; static, NULL: no doubt */
    bool is_new;               /* false: it was here already, and changed nothing now */
};

/* Any thread: reads the text, which is borrowed. NULL when memory is gone; the caller's (free). */
struct transcript_post *transcript_post_make(struct slice text, bool live, int64_t captured_ms);

/* Keeps it (row.id 0: not, since hosts have sent enough of this device for the day), and counts it as a report of facts->device where it is one. Fills post->row and is_new. */
bool evidence_transcript(struct db *db, struct facts *facts, struct transcript_post *post, struct error *err)
    __attribute__((warn_unused_result));

/* For the ledger, of one that is new. Takes over `by`: the admin who brought it, NULL for the device's host. */
bool evidence_note(struct db *db, const struct facts *facts, const struct transcript_post *post, json_t *by,
                   struct error *err) __attribute__((warn_unused_result));

/* What to warn of where this counts: it was seen before the device was last heard of. Static; NULL: nothing. To be asked
   before evidence_version(), which changes what is known. */
const char *testify_doubt(const struct facts *facts, const struct testimony *testimony);

/* Counts one dated version as a report, or says in *ret why not. */
bool evidence_version(struct db *db, struct facts *facts, const struct testimony *testimony, const char *by,
                      enum grade grade, struct verdict *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
