/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotad --fsck: checks a data directory or a backup, and prints what it finds. */
#ifndef DFOTA_SERVER_BACKUP_FSCK_H
#define DFOTA_SERVER_BACKUP_FSCK_H

#include "base/error.h"

/* `backup`: a store or a copy; NULL: the data directory, in which no server may run. Only reads. Returns
   the exit status: 0 no fault, 1 faults, 2 it could not be checked, and *err says why. */
int fsck_run(const char *data_dir, const char *backup, struct error *err);

#endif
