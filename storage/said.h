/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device said of itself at its check-ins last, to see two modules behind one id. */
#ifndef DFOTA_STORAGE_SAID_H
#define DFOTA_STORAGE_SAID_H

#include "storage/db.h"
#include "upgrade/identity.h"
#include "upgrade/version.h"

struct said {
    int64_t device_id;
    int64_t forms; /* of its id, as id_form() tells them; together */
    char version[VERSION_TEXT_SIZE], before[VERSION_TEXT_SIZE]; /* the last two, "": none */
    int64_t since_ms, before_ms;
    int64_t shared_ms; /* since when two modules seem to share the id; 0: they do not */
};

/* The forms of an id. */
#define SAID_14_DIGITS 1
#define SAID_15_DIGITS 2
#define SAID_16_DIGITS 4
#define SAID_TEXT      8
#define SAID_BYTES     16

int64_t said_form(const struct identity *identity, bool raw);

/* Takes what it says now; true when anything changed. Two modules seem to share the id where it comes back to the version
   before within a week and nothing was delivered since that one: `delivered` says whether anything was. */
bool said_take(struct said *said, int64_t form, const char *version, bool delivered, int64_t now_ms);

/* Whether a package was delivered to the device since then. What is dated ahead of now_ms does not count; nor below. */
bool said_delivered_since(struct db *db, int64_t device_id, int64_t since_ms, int64_t now_ms, bool *ret,
                          struct error *err);
/* Packages begun from one version: each of the modules behind one id has a loop guard of its own. */
bool said_begun_from(struct db *db, int64_t device_id, const char *version, int64_t since_ms, int64_t now_ms,
                     int64_t *ret, struct error *err);

/* All zero but device_id where nothing is stored. */
bool said_of(struct db *db, int64_t device_id, struct said *ret, struct error *err);
bool said_set(struct db *db, const struct said *said, struct error *err);

#endif
