/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts that were offered to libfota3: the secret number of each, the result that the device posted,
   and the link that the device downloads from. */
#ifndef DFOTA_STORAGE_TURNKEY_H
#define DFOTA_STORAGE_TURNKEY_H

#include "storage/link.h"
#include "upgrade/turnkey.h"

#define FOTA_SN_SIZE LINK_TOKEN_SIZE

struct turnkey {
    int64_t attempt_id;
    char fota_sn[FOTA_SN_SIZE];    /* cannot be guessed */
    int64_t core_id;               /* the kind of its core, as the device said; DB_UNKNOWN: it said nothing */
    int64_t result_code;           /* as the device said: evidence, never a confirmation */
    enum turnkey_form result_form; /* how it was posted, which decides what the code means */
    int64_t result_ms;             /* 0: no result was posted */
};

bool turnkey_of_attempt(struct db *db, int64_t attempt_id, struct turnkey *ret, bool *ret_found,
                        struct error *err);
bool turnkey_by_sn(struct db *db, const char *fota_sn, struct turnkey *ret, bool *ret_found,
                   struct error *err);
/* The offer of the attempt; a new one when there is none. */
bool turnkey_ensure(struct db *db, int64_t attempt_id, struct turnkey *ret, struct error *err);
bool turnkey_set_core_id(struct db *db, const struct turnkey *turnkey, struct error *err);
/* Stores the three fields of the result, in place of an earlier result. */
bool turnkey_set_result(struct db *db, const struct turnkey *turnkey, struct error *err);

/* The link (without a version) that the device downloads from; a new one when there is none or it was
   revoked. */
bool turnkey_link_ensure(struct db *db, int64_t device_id, int64_t firmware_id, int64_t now_ms,
                         struct link *ret, struct error *err);

#endif
