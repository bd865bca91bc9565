/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One check-in, from what the request says to its answer.

   All of it runs in the writer's thread, as one task of a group commit: what storage knows is loaded, the
   rules decide, what changes is stored; after the commit the answer leaves. Where bytes are to be sent that
   are not in memory yet, nothing is stored; a worker reads and checks them, and the check-in is decided anew.
 */
#ifndef DFOTA_SERVER_CHECKIN_CHECKIN_H
#define DFOTA_SERVER_CHECKIN_CHECKIN_H

#include "server/checkin/facts.h"
#include "server/http/request.h"

/* Answers the request, later and from another thread. Its Range header is read here; of checkin the range is
   not looked at. HEAD is decided alike and records nothing. */
void checkin_start(struct request *request, const struct client_identity *client,
                   const struct checkin *checkin);

#endif
