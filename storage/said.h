/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device said about itself at its last check-ins. It shows when two modules use the same id. */
#ifndef DFOTA_STORAGE_SAID_H
#define DFOTA_STORAGE_SAID_H

#include "storage/db.h"
#include "upgrade/identity.h"
#include "upgrade/version.h"

struct said {
    int64_t device_id;
    int64_t forms; /* of its id: all that said_form() has returned, combined by OR */
    char version[VERSION_TEXT_SIZE],
        before[VERSION_TEXT_SIZE]; /* the last version and the one before, "": none */
    int64_t since_ms, before_ms;   /* when each was first said */
    int64_t shared_ms;             /* since when two modules seem to share the id; 0: they do not */
};

/* The forms of an id. */
#define SAID_14_DIGITS 1
#define SAID_15_DIGITS 2
#define SAID_16_DIGITS 4
#define SAID_TEXT      8
#define SAID_BYTES     16

int64_t said_form(const struct identity *identity, bool raw);

/* Adds what the device says now. True when *said changed. Two modules seem to share the id when the device
   returns to the version before within a week and no package was delivered since it left that version.
   `delivered`: one was. */
bool said_take(struct said *said, int64_t form, const char *version, bool delivered, int64_t now_ms);

/* Whether a package was delivered to the device since since_ms. In this function and the next, times that
   are ahead of now_ms do not count. */
bool said_delivered_since(struct db *db, int64_t device_id, int64_t since_ms, int64_t now_ms, bool *ret,
                          struct error *err);
/* How many packages were begun from one version. So each of two modules with one id has its own loop
   guard. */
bool said_begun_from(struct db *db, int64_t device_id, const char *version, int64_t since_ms, int64_t now_ms,
                     int64_t *ret, struct error *err);

/* All zero except device_id when nothing is stored. */
bool said_of(struct db *db, int64_t device_id, struct said *ret, struct error *err);
bool said_set(struct db *db, const struct said *said, struct error *err);

#endif
