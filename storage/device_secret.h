/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Secrets of devices: a device shows one in the path (/t/SECRET/…) or as device_key. A secret belongs to one device, or
   to all devices of a product. It is stored sealed, with a keyed hash by which it is found. Times are UTC in
   milliseconds; 0: not set. */
#ifndef DFOTA_STORAGE_DEVICE_SECRET_H
#define DFOTA_STORAGE_DEVICE_SECRET_H

#include "storage/db.h"
#include "upgrade/identity.h"

#define DEVICE_SECRET_SIZE  65 /* 16 to 64 characters of A-Z a-z 0-9 . _ - and NUL */
#define DEVICE_SECRET_LEAST 16
#define DEVICE_SECRET_SHOWN 6    /* characters in records: enough to find it, too few to use it */
#define DEVICE_SECRETS_MAX  8    /* valid ones of one owner */
#define DEVICE_SECRET_LIST  1000 /* rows of a list */

struct device_secret {
    int64_t id, product_id;
    int64_t device_id; /* 0: of the product */
    char value[DEVICE_SECRET_SIZE];
    int64_t created_ms;
    int64_t ends_ms;    /* 0: it does not end */
    int64_t revoked_ms; /* 0: it is not revoked */
};

struct device_secret_row { /* for people */
    struct device_secret secret;
    char id_kind[8], device[IDENTITY_SIZE]; /* "": of the product */
    int64_t devices;                        /* that used this secret last */
    int64_t used_ms;                        /* by one of them, at most a day old */
};

struct device_secret_use {    /* or a conflict */
    int64_t secret_id, at_ms; /* 0: none */
};

bool device_secret_is_valid(const struct device_secret *secret, int64_t now_ms);
bool device_secret_is_char(char c);
/* Whether an admin may choose this value. */
bool device_secret_is_text(struct slice text);
/* 130 random bits in base32, in lower case. */
bool device_secret_make(char out[DEVICE_SECRET_SIZE], struct error *err) __attribute__((warn_unused_result));

/* Fills secret->id. ERROR_INVALID: the value is in use, or the owner has DEVICE_SECRETS_MAX valid ones. */
bool device_secret_add(struct db *db, struct device_secret *secret, struct error *err)
    __attribute__((warn_unused_result));
/* By its value; also one that has ended. */
bool device_secret_find(struct db *db, const char *value, struct device_secret *ret, bool *ret_found,
                        struct error *err) __attribute__((warn_unused_result));
/* ERROR_SECRET_NOT_FOUND: the product has no such secret. */
bool device_secret_get(struct db *db, int64_t product_id, int64_t id, struct device_secret *ret,
                       struct error *err) __attribute__((warn_unused_result));
/* Stores ends_ms and revoked_ms. */
bool device_secret_end(struct db *db, const struct device_secret *secret, struct error *err)
    __attribute__((warn_unused_result));
/* Of one device, or with device_id 0 of the product and all its devices: first those of the product, then by number. At
   most DEVICE_SECRET_LIST. *ret is the caller's (free). */
bool device_secret_list(struct db *db, int64_t product_id, int64_t device_id, struct device_secret_row **ret,
                        size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* One secret with its counts. ERROR_SECRET_NOT_FOUND. */
bool device_secret_show(struct db *db, int64_t product_id, int64_t id, struct device_secret_row *ret,
                        struct error *err) __attribute__((warn_unused_result));

/* The secret that the device used last. */
bool device_secret_used(struct db *db, int64_t device_id, struct device_secret_use *ret, struct error *err)
    __attribute__((warn_unused_result));
bool device_secret_set_used(struct db *db, int64_t device_id, const struct device_secret_use *use,
                            struct error *err) __attribute__((warn_unused_result));
/* The secret of another owner with which the id of the device came last. */
bool device_secret_conflict(struct db *db, int64_t device_id, struct device_secret_use *ret,
                            struct error *err) __attribute__((warn_unused_result));
bool device_secret_set_conflict(struct db *db, int64_t device_id, const struct device_secret_use *use,
                                struct error *err) __attribute__((warn_unused_result));

#endif
