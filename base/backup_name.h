/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The names of backups: 20261129T183016Z, in UTC. In the order of strcmp() the newest is the last. */
#ifndef DFOTA_BASE_BACKUP_NAME_H
#define DFOTA_BASE_BACKUP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUP_NAME_SIZE 17

bool backup_name_is(const char *name);
/* A name for this time, but later than `newest` (NULL: no other). So a clock that was wrong, or two
   backups in a second, do not change the order. */
void backup_name_make(int64_t utc_ms, const char *newest, char out[BACKUP_NAME_SIZE]);

/* The backups in a folder, the oldest first. *ret is the caller's (free). False with errno. */
bool backup_name_list(const char *folder, char (**ret)[BACKUP_NAME_SIZE], size_t *ret_count);

#endif
