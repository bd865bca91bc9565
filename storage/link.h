/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Links: short URLs of one device each. The version in one was typed once and is evidence of nothing. They do
   not expire (they sit in the flash of modules nobody can reach); they can be revoked. */
#ifndef DFOTA_STORAGE_LINK_H
#define DFOTA_STORAGE_LINK_H

#include "storage/db.h"
#include "upgrade/version.h"

#define LINK_TOKEN_SIZE 27 /* 26 characters of base32, 128 bit, and NUL */

struct link {
    int64_t id, device_id, firmware_id;
    char token[LINK_TOKEN_SIZE];
    char version[VERSION_TEXT_SIZE]; /* that it was made for; "": the last reported one */
    int64_t created_ms, revoked_ms;  /* 0: not revoked */
    int64_t handed_out;              /* 1: to a check-in of anybody; it may fetch, and proves nothing */
};

/* 128 random bits in base32: lower case and digits, so that one survives being typed. */
bool link_make_token(char out[LINK_TOKEN_SIZE], struct error *err);
bool link_find(struct db *db, const char *token, struct link *ret, bool *ret_found, struct error *err);
/* Fills link->id and link->token (random). */
bool link_add(struct db *db, struct link *link, struct error *err);
/* Newest first; *ret is the caller's (free). */
bool link_list(struct db *db, int64_t device_id, struct link **ret, size_t *ret_count, struct error *err);
/* One link, or with id 0 all of the device. ERROR_LINK_NOT_FOUND when `id` is none of its links; revoking
 * twice is fine. */
bool link_revoke(struct db *db, int64_t device_id, int64_t id, int64_t now_ms, struct error *err);

#endif
