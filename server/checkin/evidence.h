/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reports that may be late: transcripts and lists. Compares their time with that of the confirmed
   version, and stores each try of a transcript with its attempt. Writer's thread. */
#ifndef DFOTA_SERVER_CHECKIN_EVIDENCE_H
#define DFOTA_SERVER_CHECKIN_EVIDENCE_H

#include <jansson.h>
#include "server/checkin/facts.h"
#include "storage/transcript.h"
#include "upgrade/testimony.h"

struct transcript_post { /* a transcript that is being taken */
    struct slice text;
    struct sha256 sha256;      /* of the text */
    struct transcript found;   /* what the text contains */
    bool live;                 /* from the device's host, over the link; else from an admin */
    int64_t captured_ms;       /* as the admin says; 0: not given */
    struct transcript_row row; /* as it is stored */
    const char *warning;       /* it counts, but is older than what is known; static, NULL: no warning */
    bool is_new;               /* false: it was stored before, and changed nothing now */
};

/* Any thread: reads the text, which is borrowed. The result belongs to the caller (free). NULL: memory is
   gone. */
struct transcript_post *transcript_post_make(struct slice text, bool live, int64_t captured_ms);

/* Stores the transcript, and counts it as a report of facts->device where it is one. Fills post->row and
   is_new. row.id 0: not stored, because hosts have sent enough transcripts of this device on this day. */
bool evidence_transcript(struct db *db, struct facts *facts, struct transcript_post *post, struct error *err)
    __attribute__((warn_unused_result));

/* For a new transcript: adds the row of the ledger. Takes over `by`: the admin who sent it, NULL for the
   device's host. */
bool evidence_note(struct db *db, const struct facts *facts, const struct transcript_post *post, json_t *by,
                   struct error *err) __attribute__((warn_unused_result));

/* The warning when the version counts: it was seen before the last report of the device. Static; NULL: no
   warning. Call it before evidence_version(), which changes the facts. */
const char *testify_doubt(const struct facts *facts, const struct testimony *testimony);

/* Counts one version with its time as a report, or says in *ret why not. */
bool evidence_version(struct db *db, struct facts *facts, const struct testimony *testimony,
                      enum reported_by by, enum grade grade, struct verdict *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
