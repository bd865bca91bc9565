/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A backup as dfotactl writes it: a folder with blobs/ for all copies, and one folder for each copy,
   named by its time. A copy has dfota.db, secret.key (not those of older servers), dfota.conf (when
   the server read one), manifest.json, and SHA256SUMS of these. */
#ifndef DFOTA_SERVER_BACKUP_COPY_H
#define DFOTA_SERVER_BACKUP_COPY_H

#include <limits.h>
#include <stdint.h>
#include "base/backup_name.h"
#include "base/chain.h"
#include "server/backup/findings.h"

struct copy {
    char store[PATH_MAX];        /* the folder that has blobs/ */
    char name[BACKUP_NAME_SIZE]; /* of the folder of the copy, in the store */
    int64_t made_ms;
    char version[32]; /* of the server */
    struct chain_head head;
    bool has_configuration, has_key;
    struct sha256 *missing; /* blobs that the server could not read; owned */
    size_t missing_count;
};

void copy_free(struct copy *copy); /* allowed on a zeroed one, and twice */

/* The names of the copies in a store, the oldest first. *ret is the caller's (free). ERROR_INVALID: the
   folder is no backup. */
bool copy_list(const char *store, char (**ret)[BACKUP_NAME_SIZE], size_t *ret_count, struct error *err);
/* The copy that `path` names: a copy, or a store, of which the newest copy is meant. Fills store and
   name only. *ret_is_store may be NULL. */
bool copy_find(const char *path, struct copy *ret, bool *ret_is_store, struct error *err);

/* A path in the copy. */
void copy_path(const struct copy *copy, const char *file, char *out, size_t out_size);
/* Compares the files with SHA256SUMS, and fills the rest of *copy from the manifest. False, with
   findings: the copy cannot be used. */
bool copy_read(struct copy *copy, struct findings *findings);

#endif
