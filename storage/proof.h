/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the evidence of a campaign is made of, besides what campaign.h, image.h and package.h give. */
#ifndef DFOTA_STORAGE_PROOF_H
#define DFOTA_STORAGE_PROOF_H

#include "storage/attempt.h"
#include "storage/campaign_device.h"
#include "storage/device.h"
#include "storage/ledger.h"

struct proof_approval {
    int64_t stage; /* from 0 */
    char by[ADMIN_NAME_SIZE];
    int64_t at_ms;
};
/* In the order of stages and times; *ret is the caller's (free). */
bool proof_approvals(struct db *db, int64_t campaign_id, struct proof_approval **ret, size_t *ret_count,
                     struct error *err) __attribute__((warn_unused_result));

struct proof_device {
    struct campaign_device place;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    char confirmed_version[VERSION_TEXT_SIZE];
    enum reported_by confirmed_by;
    enum grade confirmed_grade;
    int64_t confirmed_ms;
};
/* A page in the order of rank, after `after` (first: -1). *ret is the caller's (free). */
bool proof_devices(struct db *db, int64_t campaign_id, int64_t after, int64_t limit,
                   struct proof_device **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

struct proof_attempt {
    int64_t id;
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], format[FORMAT_SIZE];
    enum attempt_state state;
    struct sha256 package_sha256; /* zero: no byte was sent */
    int64_t size_bytes, bytes_acked;
    bool proven, by_proxy;
    char released_by[ADMIN_NAME_SIZE];
    int64_t created_ms, sent_ms, delivered_ms, ended_ms;
};
/* The last `limit` attempts of a device for the campaign, the newest first; *ret is the caller's (free). */
bool proof_attempts(struct db *db, int64_t device_id, int64_t campaign_id, int64_t limit,
                    struct proof_attempt **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

/* Rows of the ledger, in order of seq, from `first` to `last`. */
struct proof_rows {
    const char *product, *firmware;
    int64_t first, last;
};
/* The first and the last row of the firmware in this time; UTC in milliseconds. 0: there is none. */
bool proof_row_bounds(struct db *db, struct proof_rows *rows, int64_t since_ms, int64_t until_ms,
                      struct error *err) __attribute__((warn_unused_result));
/* Their numbers, of the firmware; at most `limit`. *ret is the caller's (free). */
bool proof_row_numbers(struct db *db, const struct proof_rows *rows, int64_t limit, int64_t **ret,
                       size_t *ret_count, struct error *err) __attribute__((warn_unused_result));

struct proof_row { /* one that a condition selects */
    int64_t seq;
    char package[SHA256_HEX_SIZE], detail[LEDGER_DETAIL_SIZE];
};
/* Calls each(cls) with *row for the rows of a kind, of any product when rows->product is "", the newest first. */
bool proof_rows_of_kind(struct db *db, enum ledger_kind kind, const struct proof_rows *rows,
                        struct proof_row *row, db_each *each, void *cls, struct error *err)
    __attribute__((warn_unused_result));

#endif
