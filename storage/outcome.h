/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The outcome of each device of a firmware on its way to a target, from its newest attempt for that
   target. */
#ifndef DFOTA_STORAGE_OUTCOME_H
#define DFOTA_STORAGE_OUTCOME_H

#include "storage/attempt.h"
#include "storage/device.h"

struct outcome_row {
    int64_t device_id;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    char confirmed_version[VERSION_TEXT_SIZE];
    enum reported_by confirmed_by;
    enum grade confirmed_grade;
    char asked_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms, last_seen_ms, last_answer_ms;
    bool blocked; /* the loop guard is closed for the origin that the device last fetched from */
    char last_reason[REASON_SIZE];
    int64_t attempt_id; /* 0: no attempt for this target; then all below is 0 or "" */
    bool by_us;         /* a package to the target was delivered to the device, and confirmed */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    enum attempt_state state;
    char reason[REASON_SIZE];
    int64_t bytes_acked, created_ms, sent_ms, delivered_ms, ended_ms;
};

struct outcome_bytes { /* acknowledged by peers, of all attempts for the target */
    int64_t all;
    int64_t vain; /* of attempts that ended and were not confirmed */
};

/* Fills *row and calls each(cls) for every device, in order of device_id. */
bool outcome_rows(struct db *db, int64_t firmware_id, const char *target, struct outcome_row *row,
                  db_each *each, void *cls, struct error *err) __attribute__((warn_unused_result));
bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err) __attribute__((warn_unused_result));

#endif
