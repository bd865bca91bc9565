/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of all pairs of images of a firmware, and its queue, as an admin sees them. One statement
   each. */
#ifndef DFOTA_STORAGE_MATRIX_H
#define DFOTA_STORAGE_MATRIX_H

#include "storage/package.h"
#include "upgrade/name.h"
#include "upgrade/version.h"

struct matrix_pair { /* a package, made or not; upgrades and downgrades */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    char from_variant[VARIANT_SIZE], to_variant[VARIANT_SIZE];
    int64_t image_bytes;      /* of both images */
    enum package_state state; /* as package.state */
    int64_t wanted, size_bytes, uncounted_bytes;
    bool proven, released;
    int64_t effort;
    char error[PACKAGE_ERROR_SIZE];
    int64_t queued_ms, started_ms, finished_ms;
    char quarantine[QUARANTINE_REASON_SIZE]; /* "": in service */
};

struct matrix_waiting {
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    int64_t devices;
};

struct matrix_speed { /* a package that was made recently */
    char format[FORMAT_SIZE];
    int64_t effort, took_ms, image_bytes;
};

struct matrix_backlog { /* packages of one format that are queued or being made */
    char format[FORMAT_SIZE];
    int64_t packages, image_bytes;
};

/* Each list is the caller's (free). */
/* Of `key` the firmware, format and recipe count. */
bool matrix_pairs(struct db *db, const struct package_key *key, struct matrix_pair **ret, size_t *ret_count,
                  struct error *err);
/* How many devices wait for a package, by its versions: of all their builds together. */
bool matrix_waiting(struct db *db, int64_t firmware_id, struct matrix_waiting **ret, size_t *ret_count,
                    struct error *err);
/* The newest, at most 100. */
bool matrix_speeds(struct db *db, struct matrix_speed **ret, size_t *ret_count, struct error *err);
bool matrix_backlog(struct db *db, struct matrix_backlog **ret, size_t *ret_count, struct error *err);

/* Ids of the firmwares that have a format. */
bool matrix_firmwares(struct db *db, int64_t **ret, size_t *ret_count, struct error *err);

/* Deletes the packages that only the matrix wants, and that are queued and were never begun: all of them,
   or those of one format between images of one firmware. */
bool matrix_forget(struct db *db, struct error *err);
bool matrix_forget_format(struct db *db, int64_t firmware_id, const char *format, struct error *err);

#endif
