/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The names of backups: 20261129T183016Z, in UTC, or 20261129T183016Z-2 for another one of the same second. In
   the order of strcmp() the newest is the last. */
#ifndef DFOTA_BASE_BACKUP_NAME_H
#define DFOTA_BASE_BACKUP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUP_NAME_SIZE 32

bool backup_name_is(const char *name);
/* number 1: the first one of this second. */
void backup_name_make(int64_t utc_ms, unsigned number, char out[BACKUP_NAME_SIZE]);

/* The backups in a folder, the oldest first. *ret is the caller's (free). False with errno. */
bool backup_name_list(const char *folder, char (**ret)[BACKUP_NAME_SIZE], size_t *ret_count);

#endif
