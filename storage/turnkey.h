/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts that were offered to libfota3: the number that names one unguessably, what the device said became
   of it, and the link that the device downloads from. */
#ifndef DFOTA_STORAGE_TURNKEY_H
#define DFOTA_STORAGE_TURNKEY_H

#include "storage/link.h"

#define FOTA_SN_SIZE     LINK_TOKEN_SIZE
#define RESULT_FORM_SIZE 6

struct turnkey {
    int64_t attempt_id;
    char fota_sn[FOTA_SN_SIZE];
    int64_t result_code;                /* the device's own word: evidence, never a confirmation */
    char result_form[RESULT_FORM_SIZE]; /* "query", "json": how it was posted, which tells what the code
                                           means; "" */
    int64_t result_ms;                  /* 0: nothing was said */
};

bool turnkey_of_attempt(struct db *db, int64_t attempt_id, struct turnkey *ret, bool *ret_found,
                        struct error *err);
bool turnkey_by_sn(struct db *db, const char *fota_sn, struct turnkey *ret, bool *ret_found,
                   struct error *err);
/* The attempt's number, a new one where it has none. */
bool turnkey_ensure(struct db *db, int64_t attempt_id, struct turnkey *ret, struct error *err);
/* Stores the three fields of the result; the newest stays. */
bool turnkey_set_result(struct db *db, const struct turnkey *turnkey, struct error *err);

/* The device's link without a version for such downloads; a new one where it has none, or that one was
 * revoked. */
bool turnkey_link_ensure(struct db *db, int64_t device_id, int64_t firmware_id, int64_t now_ms,
                         struct link *ret, struct error *err);

#endif
