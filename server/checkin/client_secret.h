/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The secret of a request: whose it is, and whether the product demands one. Writer's thread. */
#ifndef DFOTA_SERVER_CHECKIN_CLIENT_SECRET_H
#define DFOTA_SERVER_CHECKIN_CLIENT_SECRET_H

#include "server/checkin/facts.h"
#include "server/http/request.h"

/* Takes the secret from the path of the request (/t/SECRET/…). */
void client_secret_take(const struct request *request, struct client_identity *client);

/* Fills facts->snapshot.secret and facts->secret, after product and device are loaded. If the secret is wrong or missing,
   the device, its link and its firmware are forgotten: the request says nothing about them. */
bool client_secret_check(struct db *db, const struct client_identity *client, struct facts *facts,
                         struct error *err) __attribute__((warn_unused_result));

/* Whether the value is a valid secret for this device. */
bool client_secret_fits(struct db *db, const char *value, const struct device *device, int64_t now_ms,
                        bool *ret_fits, struct error *err) __attribute__((warn_unused_result));

/* After record_decision(): stores which secret the device used, at most once a day and secret; or that the id of a device
   came with the secret of another owner, at most once a day and device. */
bool client_secret_record(struct db *db, struct facts *facts, struct error *err)
    __attribute__((warn_unused_result));
/* After the commit: logs a conflict that was stored. */
void client_secret_log_conflict(const struct facts *facts);

/* The secret that the URLs of the answer must have; "": none. */
const char *client_secret_of_answer(const struct client_identity *client, const struct facts *facts);

#endif
