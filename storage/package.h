/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages: what leads from one image to another. Keyed by the bytes on both sides, the format and its recipe, so
   that one is never made twice: firmwares with the same two images share what is made here. What an admin decides
   belongs to one firmware: an uploaded package, and the release of an unproven one. `oversize` is no stored state: it is derived from the size and the limit of the
   firmware as it is now. */
#ifndef DFOTA_STORAGE_PACKAGE_H
#define DFOTA_STORAGE_PACKAGE_H

#include "storage/db.h"
#include "storage/firmware.h"
#include "upgrade/decision.h"

#define PACKAGE_ERROR_SIZE  320
#define PACKAGE_NOTE_SIZE   320
#define PACKAGE_LOG_SIZE    16384
#define RECIPE_SIZE         17
#define PACKAGE_MAX_CRASHES 3 /* then it is failed: a fourth try would hardly end otherwise */

enum package_effort {              /* how hard dfota tried to make it small; in order */
                      EFFORT_NONE, /* it was not made by dfota */
                      EFFORT_QUICK,
                      EFFORT_GOOD,
                      EFFORT_BEST,
};

/* What decides a package's bytes, so that one is never made twice. */
struct package_key {
    struct sha256 from, to; /* of the images */
    char format[FORMAT_SIZE];
    char recipe[RECIPE_SIZE]; /* 16 hex digits for what else decides the bytes, or "" */
    int64_t
        firmware_id; /* for which it is asked: its own upload goes before the shared one. Of a package: whose
                            upload it is, 0: shared */
};

struct package {
    int64_t id;
    struct package_key key;
    char state[12];
    int64_t wanted;       /* 0: for the matrix only */
    int64_t size_bytes;   /* 0 until ready */
    struct sha256 sha256; /* of the package; zero until ready */
    char origin[12];      /* made, external, uploaded */
    char uploaded_by[ADMIN_NAME_SIZE];
    int64_t proven;      /* applied here, and what came out was the new image */
    int64_t released_ms; /* 0: no admin has released these very bytes for the firmware in question */
    char released_by[ADMIN_NAME_SIZE], released_note[PACKAGE_NOTE_SIZE];
    int64_t effort, tried;        /* enum package_effort: of the bytes; the hardest one tried */
    char note[PACKAGE_NOTE_SIZE]; /* what the proof said beside its result */
    char error[PACKAGE_ERROR_SIZE];
    int64_t crashes, queued_ms, started_ms, finished_ms; /* times 0: not yet */
};

struct package_made { /* the bytes that a job has made, or an admin has uploaded */
    int64_t size_bytes;
    struct sha256 sha256;
    const char *origin;
    bool proven;
    enum package_effort effort;
    const char *note, *log; /* "": none */
};

struct package_of_firmware { /* a package and the versions it leads between in one firmware */
    struct package package;
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
};

struct package_counts {
    int64_t queued, generating, ready, failed;
};

/* PACKAGE_READY only for what may be sent: proven, or released by an admin for the firmware that was asked for. */
enum package_state package_state(const struct package *package);

/* All fields are equal. The struct has bytes between its fields, so memcmp() does not tell. */
bool package_key_equal(const struct package_key *a, const struct package_key *b);

bool package_find(struct db *db, const struct package_key *key, struct package *ret, bool *ret_found,
                  struct error *err);
/* Needed: queued where it is not there, or `failed` and `again` is set; else left as it is, but for a higher
   `wanted`. */
bool package_queue(struct db *db, const struct package_key *key, bool again, int64_t wanted, int64_t now_ms,
                   struct error *err);
/* These bytes are a package that may be sent still to devices of this firmware. */
bool package_is_servable(struct db *db, const struct sha256 *sha256, int64_t firmware_id, bool *ret,
                         struct error *err);
/* What an external command printed, "" for nothing. */
bool package_log(struct db *db, int64_t id, char *out, size_t out_size, struct error *err);
bool package_keep_log(struct db *db, int64_t id, const char *log, struct error *err);
bool package_list(struct db *db, int64_t firmware_id, struct package_of_firmware **ret, size_t *ret_count,
                  struct error *err);
/* No image of these bytes is wanted any more, withdrawn ones left aside: what is queued to them and was never made
   is forgotten. */
bool package_unqueue(struct db *db, const struct sha256 *to, struct error *err);
/* No image has these bytes any more: every package from and to them is forgotten; where a firmware has none any more,
   what was uploaded or released for it. *ret: the SHA-256 of those that
   were made, the caller's (free); their blobs stay. Else nothing happens. */
bool package_forget_image(struct db *db, const struct sha256 *image, struct sha256 **ret, size_t *ret_count,
                          struct error *err);
/* The same of one format and recipe as a planner sees it: called for each, by the images' ids. */
struct package_edge {
    int64_t from_id, to_id; /* of the images */
    char state[12];
    int64_t size_bytes, servable; /* servable 1: proven or released */
    int64_t effort, tried;
    char error[PACKAGE_ERROR_SIZE];
};
bool package_edges(struct db *db, int64_t firmware_id, const char *format, const char *recipe,
                   struct package_edge *row, bool (*each)(void *cls), void *cls, struct error *err);
bool package_count(struct db *db, struct package_counts *ret, struct error *err);

/* What an admin brings for key->firmware_id. Its bytes go before whatever is shared for the key. What is shared by no
   other firmware is forgotten, also what a job is working on: that job's end changes nothing then. */
bool package_put_uploaded(struct db *db, const struct package_key *key, const struct package_made *made,
                          const char *uploaded_by, int64_t now_ms, struct error *err);
/* As if nobody had asked for it; only what was uploaded. */
bool package_forget(struct db *db, int64_t id, struct error *err);
/* These bytes may go out though they are not proven, to devices of this firmware because `by` says so. Its end: the taking back, or other bytes. */
bool package_release(struct db *db, int64_t id, int64_t firmware_id, const char *by, const char *note,
                     int64_t now_ms, struct error *err);
bool package_take_back(struct db *db, int64_t id, int64_t firmware_id, struct error *err);

/* The life of a job. What ends one changes only a package that is `generating` still. */
/* The queued package that most devices wait for becomes `generating`, then the oldest of those that a plan or an admin
   asked for. With `background` instead the oldest of those that only the matrix wants. */
bool package_claim(struct db *db, bool background, int64_t now_ms, struct package *ret, bool *ret_found,
                   struct error *err);
bool package_set_ready(struct db *db, int64_t id, const struct package_made *made, int64_t now_ms,
                       struct error *err);
bool package_set_failed(struct db *db, int64_t id, const char *reason, int64_t now_ms, struct error *err);
/* The process that made it died: queued again, or `failed` after PACKAGE_MAX_CRASHES; *ret_failed tells. */
bool package_crashed(struct db *db, int64_t id, const char *reason, int64_t now_ms, bool *ret_failed,
                     struct error *err);
/* Back into the queue without a crash: the server was asked to stop. */
bool package_put_back(struct db *db, int64_t id, struct error *err);
/* Likewise, but behind all others: it did not fit on the disk, and another may. */
bool package_put_last(struct db *db, int64_t id, int64_t now_ms, struct error *err);
/* What a clock that ran ahead has queued would come after all that is queued until that day: it was queued now. */
bool package_clamp_queued(struct db *db, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));
/* A damaged blob: every package of these bytes is queued again, but what was uploaded is `failed`. */
bool package_make_again(struct db *db, const struct sha256 *sha256, int64_t now_ms, struct error *err);
/* Ids left `generating` by a server that was killed; *ret is the caller's (free). */
bool package_left(struct db *db, int64_t **ret, size_t *ret_count, struct error *err);
/* Files of packages that a migration has removed, since they were made by rules that turned out wrong: *ret is
   the caller's (free). Told until they are cleared. */
bool package_outdated(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err);
bool package_outdated_clear(struct db *db, struct error *err);
bool package_by_id(struct db *db, int64_t id, struct package *ret, bool *ret_found, struct error *err);

#endif
