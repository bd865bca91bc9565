/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What devices said and the server refused, for the admin's list (storage/unknown.h). Counted in memory and written at most
   every half minute, so that a flood costs a bounded number of rows and writes: 64 different texts of requests whose
   product is unknown, 32 of each product and 256 in all; what is more is counted and logged. */
#ifndef DFOTA_SERVER_CHECKIN_REFUSED_H
#define DFOTA_SERVER_CHECKIN_REFUSED_H

#include "server/checkin/facts.h"
#include "storage/unknown.h"

struct refused;

bool refused_open(struct refused **ret, struct error *err);

/* What was sent, out of a raw query, where it is to be shown: escaped, cut at the length of *out. */
void refused_show(struct slice raw, char *out, size_t out_size);

/* What the answer refuses (codes 25, 26, 17, 44, 3), in *ret with a count of one; false for any other answer. */
bool refused_read(const struct client_identity *client, const struct facts *facts,
                  const struct decision *decision, struct unknown *ret);

/* A request whose query cannot be decoded: names the parameter and what stands there. False: all can be. */
bool refused_read_malformed(struct slice query, int64_t now_ms, struct unknown *ret);

/* Any thread. */
void refused_add(struct refused *refused, const struct unknown *row);

/* That the next flush writes, however long ago the last one was. */
void refused_hurry(struct refused *refused);
/* For a flush of the writer's, in its thread, and `flushed` with what became of it. */
bool refused_store(struct refused *refused, struct db *db, struct error *err);
void refused_flushed(struct refused *refused, bool committed);
void refused_close(struct refused *refused); /* after the writer; NULL is fine */

#endif
