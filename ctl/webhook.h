/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the commands of webhooks share. */
#ifndef DFOTA_CTL_WEBHOOK_H
#define DFOTA_CTL_WEBHOOK_H

#include "ctl/session.h"

/* The path of the webhook that the first argument names, by its name or its number. EXIT_USAGE: there is none. */
bool webhook_find(struct session *session, struct client_path *ret, struct failure *fail);

#endif
