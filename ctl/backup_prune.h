/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Removes old backups from the folder of dfotactl backup. */
#ifndef DFOTA_CTL_BACKUP_PRUNE_H
#define DFOTA_CTL_BACKUP_PRUNE_H

#include "ctl/backup_store.h"

struct backup_pruned {
    int64_t backups, blobs, bytes;
};

/* Keeps the newest `keep` backups and, in any case, `made`; then removes the blobs that no backup names.
   When a manifest cannot be read, no blob is removed. */
bool backup_prune(const struct backup_store *store, uint64_t keep, const char *made,
                  struct backup_pruned *ret, struct failure *fail);

#endif
