/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Answers in memory: a device that is up to date and asks again with the same words gets the same answer, without a look at the
   database, as long as nothing has changed that the answer depends on (writer_is_unchanged()). Most check-ins of a fleet are
   such check-ins, also those after an outage, when all devices ask at the same time.

   Kept are only answers that depend on rows of the device, on rows that many devices share, and on the request: not on the time,
   on the loop guard, an open attempt, a secret, or a filter of a campaign. */
#ifndef DFOTA_SERVER_CHECKIN_UNCHANGED_H
#define DFOTA_SERVER_CHECKIN_UNCHANGED_H

#include "server/checkin/checkin_task.h"

#define UNCHANGED_MAX         65536 /* answers in memory, of about 120 bytes */
#define UNCHANGED_REASON_SIZE 64

struct unchanged_answer {
    int64_t device_id;
    char reason[UNCHANGED_REASON_SIZE]; /* of ANSWER_UP_TO_DATE */
};

struct unchanged;

bool unchanged_open(struct unchanged **ret, struct error *err);
/* Any thread. True: *ret is the answer to this request, which changes nothing but the counts of check-ins. The client is
   filled with what its peer's address says. */
bool unchanged_find(const struct daemon *daemon, const struct client_identity *client,
                    const struct checkin *checkin, struct unchanged_answer *ret);
/* Any thread. A reader has decided about the task, with a snapshot that it took when the writer had this number of commits.
   Keeps the answer if it is of the kind above. */
void unchanged_keep(const struct checkin_task *task, uint64_t commits);
void unchanged_close(struct unchanged *unchanged); /* NULL is fine */

#endif
