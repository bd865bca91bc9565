/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of webhooks share. */
#ifndef DFOTA_SERVER_ADMIN_WEBHOOK_H
#define DFOTA_SERVER_ADMIN_WEBHOOK_H

#include "server/admin/call.h"
#include "storage/webhook.h"

/* The webhook in the path (param 0). ERROR_WEBHOOK_NOT_FOUND. */
bool webhook_of_path(const struct request *request, struct db *db, struct webhook *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
