/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Links: short URLs, each for one device. The version in a link was typed once and is not evidence. Links
   do not expire, because modules that cannot be reached have them in flash. An admin can revoke them. */
#ifndef DFOTA_STORAGE_LINK_H
#define DFOTA_STORAGE_LINK_H

#include "storage/db.h"
#include "upgrade/version.h"

#define LINK_TOKEN_SIZE  27 /* 26 characters of base32, 128 bit, and NUL */
#define LINK_TOKEN_SHOWN 6  /* characters of a token in records: enough to find a link, too few to use it */

struct link {
    int64_t id, device_id, firmware_id;
    char token[LINK_TOKEN_SIZE];
    char version[VERSION_TEXT_SIZE]; /* the version that it was made for; "": the last reported one */
    int64_t created_ms, revoked_ms;  /* revoked_ms 0: not revoked */
    bool handed_out; /* to a check-in that anybody could send; it may fetch, and proves nothing */
};

/* 128 random bits in base32, in lower case, so that they can be typed. */
bool link_make_token(char out[LINK_TOKEN_SIZE], struct error *err);
bool link_find(struct db *db, const char *token, struct link *ret, bool *ret_found, struct error *err);
/* Fills link->id and link->token (random). */
bool link_add(struct db *db, struct link *link, struct error *err);
/* Newest first; *ret is the caller's (free). */
bool link_list(struct db *db, int64_t device_id, struct link **ret, size_t *ret_count, struct error *err);
/* Revokes one link of the device; with id 0 all of them. ERROR_LINK_NOT_FOUND when the device has no link
   `id`. A link may be revoked twice. */
bool link_revoke(struct db *db, int64_t device_id, int64_t id, int64_t now_ms, struct error *err);

#endif
