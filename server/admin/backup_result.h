/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The last backup, for the status and the next things to do. */
#ifndef DFOTA_SERVER_ADMIN_BACKUP_RESULT_H
#define DFOTA_SERVER_ADMIN_BACKUP_RESULT_H

#include <jansson.h>
#include "server/config/config.h"
#include "storage/backup.h"

/* The last backup, or without one the database, is older than backup_warn_days. */
bool backup_is_due(const struct config *config, const struct backup_state *state, int64_t now_ms);
json_t *backup_state_to_json(const struct config *config, const struct backup_state *state);

#endif
