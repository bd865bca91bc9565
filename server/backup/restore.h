/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotad --restore: makes a data directory from a backup. */
#ifndef DFOTA_SERVER_BACKUP_RESTORE_H
#define DFOTA_SERVER_BACKUP_RESTORE_H

#include <stdbool.h>
#include "base/error.h"

/* `backup`: a copy, or a store, of which the newest copy is taken. The data directory must be empty or
   missing, or have what a restore left that was cut off. Everything is checked before the database gets
   its name, and after an error the directory is as it was. Files belong to the owner of the directory.
   Prints what was done. */
bool restore_run(const char *data_dir, const char *backup, struct error *err)
    __attribute__((warn_unused_result));

#endif
