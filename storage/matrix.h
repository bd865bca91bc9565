/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of all pairs of a firmware, and what its queue is about: read for the admin, one statement each. */
#ifndef DFOTA_STORAGE_MATRIX_H
#define DFOTA_STORAGE_MATRIX_H

#include "storage/package.h"
#include "upgrade/version.h"

struct matrix_pair { /* a package that is known, made or not; both directions */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    int64_t image_bytes; /* of both images */
    char state[12];      /* as package.state */
    int64_t wanted, size_bytes, proven, released, effort;
    char error[PACKAGE_ERROR_SIZE];
    int64_t queued_ms, started_ms, finished_ms;
};

struct matrix_waiting {
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    int64_t devices;
};

struct matrix_speed { /* one package that was made lately */
    char format[FORMAT_SIZE];
    int64_t effort, took_ms, image_bytes;
};

struct matrix_backlog { /* what is queued or being made in a format */
    char format[FORMAT_SIZE];
    int64_t packages, image_bytes;
};

/* Each list is the caller's (free). */
bool matrix_pairs(struct db *db, int64_t firmware_id, const char *format, const char *recipe,
                  struct matrix_pair **ret, size_t *ret_count, struct error *err);
/* Devices that wait for a package, by the versions that it leads between. */
bool matrix_waiting(struct db *db, int64_t firmware_id, struct matrix_waiting **ret, size_t *ret_count,
                    struct error *err);
/* At most 100, the newest. */
bool matrix_speeds(struct db *db, struct matrix_speed **ret, size_t *ret_count, struct error *err);
bool matrix_backlog(struct db *db, struct matrix_backlog **ret, size_t *ret_count, struct error *err);

/* Ids of those with a format. */
bool matrix_firmwares(struct db *db, int64_t **ret, size_t *ret_count, struct error *err);

/* What only the matrix wanted, and is queued and was never begun, is forgotten: all of it, or that of one format between
   images of a firmware. */
bool matrix_forget(struct db *db, struct error *err);
bool matrix_forget_format(struct db *db, int64_t firmware_id, const char *format, struct error *err);

#endif
