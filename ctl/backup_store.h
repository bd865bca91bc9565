/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The folder of dfotactl backup: blobs/ with the files of all backups, named by their SHA-256, and one
   folder for each backup. Only the user can read it. One process at a time uses it. A file or a folder
   gets its name when it is whole and durable; names that begin with a dot are what was cut off. */
#ifndef DFOTA_CTL_BACKUP_STORE_H
#define DFOTA_CTL_BACKUP_STORE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/backup_name.h"
#include "base/sha256.h"
#include "ctl/failure.h"

struct backup_store {
    char path[PATH_MAX - 200];
    int lock_fd;
};

/* Makes the folder if it is missing, and removes what was cut off. EXIT_USAGE: it is in use, or has
   other files than backups. */
bool backup_store_open(const char *path, struct backup_store *ret, struct failure *fail);
void backup_store_close(struct backup_store *store);

/* A new file under a temporary name. keep: makes it durable under its name. Both free the rest. */
struct backup_file {
    FILE *file;
    char path[PATH_MAX]; /* temporary */
    char name[PATH_MAX];
};
/* A file of the backup that is being made. */
bool backup_store_begin(const struct backup_store *store, const char *name, struct backup_file *ret,
                        struct failure *fail);
bool backup_store_begin_blob(const struct backup_store *store, const struct sha256 *hash,
                             struct backup_file *ret, struct failure *fail);
bool backup_file_keep(struct backup_file *file, struct failure *fail);
void backup_file_drop(struct backup_file *file);

bool backup_store_has_blob(const struct backup_store *store, const struct sha256 *hash, int64_t size_bytes);
/* Begins a backup again, without files. */
bool backup_store_clear(const struct backup_store *store, struct failure *fail);
/* Gives the backup its name, made of its time. */
bool backup_store_publish(const struct backup_store *store, int64_t utc_ms, char ret_name[BACKUP_NAME_SIZE],
                          struct failure *fail);

#endif
