/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One check-in, from the request to the answer.

   A check-in that changes nothing is decided by a reader, in the loop's thread. Any other is one task of a group commit in
   the writer's thread: it loads the facts, decides by the rules and stores the changes. The answer is sent after the commit. When the bytes to send are not in
   memory, nothing is stored: a worker reads and checks the bytes, and the check-in is decided again. */
#ifndef DFOTA_SERVER_CHECKIN_CHECKIN_H
#define DFOTA_SERVER_CHECKIN_CHECKIN_H

#include "server/checkin/facts.h"
#include "server/http/request.h"

/* Fills what the query and the path do not say: the Range header, and what the peer's address says of the client. */
void checkin_complete(const struct request *request, struct client_identity *client, struct checkin *checkin);
/* Answers the request, at once or later and from another thread. HEAD is decided in the same way and stores nothing. */
void checkin_start(struct request *request, const struct client_identity *client,
                   const struct checkin *checkin);

#endif
