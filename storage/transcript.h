/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* AT transcripts as they are stored, and what they say about attempts. The text is read again each time it
   is shown. */
#ifndef DFOTA_STORAGE_TRANSCRIPT_H
#define DFOTA_STORAGE_TRANSCRIPT_H

#include "storage/db.h"
#include "upgrade/transcript.h"

/* What is kept of one device; the oldest are removed first. A usual transcript has 2 KB. */
#define TRANSCRIPTS_MAX_BYTES (1024 * 1024)
#define TRANSCRIPTS_MAX       200
/* What hosts may send of a device in a UTC day, so that one day cannot remove all older transcripts. */
#define TRANSCRIPTS_DAY_BYTES (TRANSCRIPTS_MAX_BYTES / 4)
#define TRANSCRIPTS_DAY       50
#define TRANSCRIPT_WHY_SIZE   160

enum transcript_source { TRANSCRIPT_OF_HOST, TRANSCRIPT_OF_ADMIN };
extern const struct enum_names transcript_source_names; /* "host", "admin" */

struct transcript_row {
    int64_t id, device_id;
    struct sha256 sha256;
    enum transcript_source source;
    int64_t received_ms, captured_ms, seen_ms;                     /* 0: not known */
    char firmware[FIRMWARE_NAME_SIZE], version[VERSION_TEXT_SIZE]; /* the last version in it; "": none */
    bool counted;                                                  /* as a report */
    char why[TRANSCRIPT_WHY_SIZE];                                 /* why it did not count */
    int64_t attempt_id;                                            /* 0: none */
    int64_t size_bytes;
};

struct evidence { /* what one try in a transcript says about an attempt */
    int64_t attempt_id, transcript_id, try;
    enum transcript_outcome outcome;
    enum transcript_cause cause;
    char words[TRANSCRIPT_WORDS_SIZE];
};

/* Fills row->id. Removes the oldest transcripts of the device that are over the limit, never this one. */
bool transcript_add(struct db *db, struct transcript_row *row, struct slice text, struct error *err);
/* Whether hosts have sent all that is kept of this device on that UTC day (milliseconds / 86,400,000). */
bool transcript_day_is_full(struct db *db, int64_t device_id, int64_t day, bool *ret, struct error *err);
bool transcript_find(struct db *db, int64_t device_id, const struct sha256 *sha256,
                     struct transcript_row *ret, bool *ret_found, struct error *err);
/* Deletes it and its evidence. */
bool transcript_drop(struct db *db, int64_t id, struct error *err);
/* ERROR_NOT_FOUND when the device has no such transcript. */
bool transcript_get(struct db *db, int64_t device_id, int64_t id, struct transcript_row *ret,
                    struct error *err);
/* The bytes: ret->ptr is the caller's (free). */
bool transcript_text(struct db *db, int64_t id, struct slice *ret, struct error *err);
/* Newest first; *ret is the caller's (free). */
bool transcript_list(struct db *db, int64_t device_id, struct transcript_row **ret, size_t *ret_count,
                     struct error *err);

bool evidence_add(struct db *db, const struct evidence *evidence, struct error *err);
/* Of all transcripts of a device, in order of attempt, transcript and try; *ret is the caller's (free). */
bool evidence_list(struct db *db, int64_t device_id, struct evidence **ret, size_t *ret_count,
                   struct error *err);

#endif
