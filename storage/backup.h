/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The last backups, as the programs that made them reported: one row for each result. */
#ifndef DFOTA_STORAGE_BACKUP_H
#define DFOTA_STORAGE_BACKUP_H

#include "storage/db.h"
#include "storage/token.h"

enum backup_result {
    BACKUP_NONE,
    BACKUP_COMPLETE,
    BACKUP_INCOMPLETE, /* without files that are damaged on the server */
    BACKUP_FAILED
};
extern const struct enum_names backup_result_names;

struct backup_record {
    enum backup_result result;
    int64_t made_ms, ended_ms; /* UTC: the copy of the database, the report */
    char token_name[TOKEN_NAME_SIZE];
    int64_t size_bytes, files, missing;
};

/* Replaces the row of the same result. */
bool backup_record_put(struct db *db, const struct backup_record *record, struct error *err)
    __attribute__((warn_unused_result));

struct backup_state {
    struct backup_record last;   /* complete or incomplete; BACKUP_NONE: no backup was made */
    struct backup_record failed; /* after `last`; BACKUP_NONE: none */
    int64_t complete_ms;         /* of the last complete one; 0: none */
    int64_t first_ms;            /* when the database was made */
};
bool backup_state_load(struct db *db, struct backup_state *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The age of the last complete backup, or without one of the database, in milliseconds; 0 when the clock is behind. */
int64_t backup_age_ms(const struct backup_state *state, int64_t now_ms);

#endif
