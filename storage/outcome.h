/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What became of the devices of a firmware on their way to a target: each with its newest attempt for it. */
#ifndef DFOTA_STORAGE_OUTCOME_H
#define DFOTA_STORAGE_OUTCOME_H

#include "storage/attempt.h"
#include "storage/device.h"

struct outcome_row {
    int64_t device_id;
    char id_kind[8], device[IDENTITY_SIZE];
    char confirmed_version[VERSION_TEXT_SIZE], confirmed_by[16], confirmed_grade[GRADE_SIZE],
        asked_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms, last_seen_ms, last_answer_ms, blocked;
    char last_reason[REASON_SIZE];
    int64_t attempt_id; /* 0: none for this target; then all below is empty */
    int64_t by_us;      /* 1: a package to the target was delivered to it, and confirmed */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], state[ATTEMPT_STATE_SIZE], reason[REASON_SIZE];
    int64_t bytes_acked, created_ms, sent_ms, delivered_ms, ended_ms;
};

struct outcome_bytes { /* acknowledged by peers, of all attempts for the target */
    int64_t all;
    int64_t vain; /* of attempts that are over and were not confirmed */
};

/* Fills *row for every device, in order of device_id, and calls each(cls), which returns false to stop. */
bool outcome_rows(struct db *db, int64_t firmware_id, const char *target, struct outcome_row *row,
                  bool (*each)(void *cls), void *cls, struct error *err) __attribute__((warn_unused_result));
bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err) __attribute__((warn_unused_result));

#endif
