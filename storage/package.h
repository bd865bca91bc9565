/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages: each leads from one image to another. The key has the bytes of both images, the format and its
   recipe, so that no package is made twice: firmwares with the same two images share the packages that the
   server makes. What an admin decides belongs to one firmware: an uploaded package, and the release of an
   unproven one. `oversize` is not stored: it follows from the size and the present limit of the firmware. */
#ifndef DFOTA_STORAGE_PACKAGE_H
#define DFOTA_STORAGE_PACKAGE_H

#include "storage/db.h"
#include "storage/firmware.h"
#include "storage/quarantine.h"
#include "upgrade/decision.h"
#include "upgrade/name.h"

#define PACKAGE_ERROR_SIZE  320
#define PACKAGE_NOTE_SIZE   320
#define PACKAGE_LOG_SIZE    16384
#define RECIPE_SIZE         17
#define PACKAGE_MAX_CRASHES 3 /* after these the package is failed: a fourth try would hardly end otherwise */

/* How hard dfota tried to make the package small; in order. */
enum package_effort {
    EFFORT_NONE, /* dfota did not make it */
    EFFORT_QUICK,
    EFFORT_GOOD,
    EFFORT_BEST,
};

enum package_origin { PACKAGE_MADE, PACKAGE_EXTERNAL, PACKAGE_UPLOADED };
extern const struct enum_names package_origin_names; /* "made", "external", "uploaded" */
/* The states that are stored: "queued", "generating", "ready", "failed". */
extern const struct enum_names package_state_names;

/* What decides the bytes of a package. */
struct package_key {
    struct sha256 from, to; /* of the images */
    char format[FORMAT_SIZE];
    char recipe[RECIPE_SIZE]; /* 16 hex digits for what else decides the bytes, or "" */
    /* In a request: the firmware that asks; its own upload comes before the shared package. In a package:
       the firmware that it was uploaded for; 0: shared. */
    int64_t firmware_id;
};

struct package {
    int64_t id;
    struct package_key key;
    enum package_state state; /* as stored: see package_state() for what that means */
    int64_t wanted;           /* 0: for the matrix only */
    int64_t size_bytes;       /* 0 until ready */
    int64_t uncounted_bytes;  /* of the size; see package_counted() */
    struct sha256 sha256;     /* of the package; zero until ready */
    enum package_origin origin;
    char uploaded_by[ADMIN_NAME_SIZE];
    bool proven;         /* it was applied here, and the result was the new image */
    int64_t released_ms; /* 0: no admin has released these bytes for the firmware that was asked for */
    char released_by[ADMIN_NAME_SIZE], released_note[PACKAGE_NOTE_SIZE];
    /* Why the hop is out of service for the firmware that was asked for; "": it is in service. */
    char quarantine[QUARANTINE_REASON_SIZE];
    int64_t quarantined_ms;
    int64_t effort, tried;        /* enum package_effort: of the bytes; the hardest one that was tried */
    char note[PACKAGE_NOTE_SIZE]; /* what the proof said besides its result */
    char error[PACKAGE_ERROR_SIZE];
    int64_t crashes, queued_ms, started_ms, finished_ms; /* times 0: not yet */
};

struct package_made { /* bytes that a job has made, or an admin has uploaded */
    int64_t size_bytes, uncounted_bytes;
    struct sha256 sha256;
    enum package_origin origin;
    bool proven;
    enum package_effort effort;
    const char *note, *log; /* "": none */
};

struct package_of_firmware { /* a package and its two builds in one firmware */
    struct package package;
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    char from_variant[VARIANT_SIZE], to_variant[VARIANT_SIZE];
};

struct package_counts {
    int64_t queued, generating, ready, failed;
};

/* PACKAGE_READY only for a package that may be sent: in service, and proven or released by an admin for the
   firmware that was asked for. Other ready packages are PACKAGE_QUARANTINED or PACKAGE_UNPROVEN. */
enum package_state package_state(const struct package *package);

/* What is compared with the limit of the firmware: the size without what a module keeps elsewhere than in its update
   partition (package_format_uncounted()). */
int64_t package_counted(const struct package *package);

/* The SHA-256 of the base in hex, or "any" for a full package of CSDK (key->from is zero). For logs and records. */
const char *package_key_base(const struct package_key *key, char out[SHA256_HEX_SIZE]);

/* The name of package_state(): also "unproven" and "quarantined". */
const char *package_state_name(const struct package *package);

/* All fields are equal. */
bool package_key_equal(const struct package_key *a, const struct package_key *b);

bool package_find(struct db *db, const struct package_key *key, struct package *ret, bool *ret_found,
                  struct error *err);
/* Queues the package when there is none. `requeue_failed`: also when it is `failed`. Else the package stays as it
   is, except that a higher `wanted` is stored. */
bool package_queue(struct db *db, const struct package_key *key, bool requeue_failed, int64_t wanted,
                   int64_t now_ms, struct error *err);
/* Whether these bytes are a package that may still be sent to devices of this firmware. *ret_uncounted: as
   package.uncounted_bytes, unchanged if not. */
bool package_is_servable(struct db *db, const struct sha256 *sha256, int64_t firmware_id, bool *ret,
                         int64_t *ret_uncounted, struct error *err);
/* What an external command printed, "": nothing. */
bool package_log(struct db *db, int64_t id, char *out, size_t out_size, struct error *err);
bool package_keep_log(struct db *db, int64_t id, const char *log, struct error *err);
bool package_list(struct db *db, int64_t firmware_id, struct package_of_firmware **ret, size_t *ret_count,
                  struct error *err);
/* When no image has these bytes, except withdrawn ones: deletes the queued packages to them. */
bool package_unqueue(struct db *db, const struct sha256 *to, struct error *err);
/* When no image has these bytes any more: deletes all packages from and to them. When a firmware has no
   image of them any more: deletes what was uploaded or released for that firmware. Else nothing happens.
   *ret: the SHA-256 of deleted packages that were made; the caller's (free). Their blobs stay. */
bool package_forget_image(struct db *db, const struct sha256 *image, struct sha256 **ret, size_t *ret_count,
                          struct error *err);

struct package_edge {         /* a package as the planner sees it */
    int64_t from_id, to_id;   /* of the images */
    enum package_state state; /* as package.state */
    int64_t size_bytes, uncounted_bytes;
    bool servable; /* proven or released */
    int64_t effort, tried;
    char error[PACKAGE_ERROR_SIZE];
    char quarantine[QUARANTINE_REASON_SIZE]; /* "": in service */
};
/* Fills *row and calls each(cls) for every package of key->firmware_id with the format and the recipe of
   the key. */
bool package_edges(struct db *db, const struct package_key *key, struct package_edge *row, db_each *each,
                   void *cls, struct error *err);
bool package_count(struct db *db, struct package_counts *ret, struct error *err);

/* Stores what an admin uploads for key->firmware_id. The upload comes before a shared package of the key.
   A shared package that no other firmware uses is deleted, also while a job makes it: the end of that job
   then changes nothing. */
bool package_put_uploaded(struct db *db, const struct package_key *key, const struct package_made *made,
                          const char *uploaded_by, int64_t now_ms, struct error *err);
/* Deletes an uploaded package; other packages stay. */
bool package_forget(struct db *db, int64_t id, struct error *err);
/* Releases the present bytes of an unproven package for the devices of this firmware, because `by` says
   so. The release ends when it is taken back, or when the package gets other bytes. */
bool package_release(struct db *db, int64_t id, int64_t firmware_id, const char *by, const char *note,
                     int64_t now_ms, struct error *err);
bool package_take_back(struct db *db, int64_t id, int64_t firmware_id, struct error *err);

/* The life of a job. The functions that end a job change a package only while it is `generating`. */

/* The queued package that most devices wait for becomes `generating`; then the oldest that a plan or an
   admin asked for. `background`: instead the oldest of those that only the matrix wants. */
bool package_claim(struct db *db, bool background, int64_t now_ms, struct package *ret, bool *ret_found,
                   struct error *err);
bool package_set_ready(struct db *db, int64_t id, const struct package_made *made, int64_t now_ms,
                       struct error *err);
bool package_set_failed(struct db *db, int64_t id, const char *reason, int64_t now_ms, struct error *err);
/* The process that made it died. The package is queued again; after PACKAGE_MAX_CRASHES it is `failed`,
   and *ret_failed is true. */
bool package_crashed(struct db *db, int64_t id, const char *reason, int64_t now_ms, bool *ret_failed,
                     struct error *err);
/* Back into the queue, without a crash: the server stops. */
bool package_put_back(struct db *db, int64_t id, struct error *err);
/* To the end of the queue: it did not fit on the disk, but another package may. */
bool package_put_last(struct db *db, int64_t id, int64_t now_ms, struct error *err);
/* Sets queued_ms of queued packages that is ahead of now_ms to now_ms. A clock that ran ahead has written
   it; such a package would wait until that time. */
bool package_clamp_queued(struct db *db, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));
/* A blob is damaged: every package of these bytes is queued again. An uploaded package becomes `failed`. */
bool package_make_again(struct db *db, const struct sha256 *sha256, int64_t now_ms, struct error *err);
/* Ids of packages that are `generating` since a server was killed; *ret is the caller's (free). */
bool package_left(struct db *db, int64_t **ret, size_t *ret_count, struct error *err);
/* Files of packages that a migration has deleted, because they were made by wrong rules. *ret is the
   caller's (free). The list stays until it is cleared. */
bool package_outdated(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err);
bool package_outdated_clear(struct db *db, struct error *err);
bool package_by_id(struct db *db, int64_t id, struct package *ret, bool *ret_found, struct error *err);

#endif
