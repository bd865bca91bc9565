/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Refused requests for the admin's list (storage/unknown.h). Counted in memory and stored at most every
   half minute, so that a flood causes a limited number of rows and writes: 64 different texts for
   requests with an unknown product, 32 for each product, 256 in all. Further texts are only counted and
   logged. */
#ifndef DFOTA_SERVER_CHECKIN_REFUSED_H
#define DFOTA_SERVER_CHECKIN_REFUSED_H

#include "server/checkin/facts.h"
#include "storage/unknown.h"

struct refused;

bool refused_open(struct refused **ret, struct error *err);

/* A raw value of a query as text for people: escaped, and cut to out_size. */
void refused_show(struct slice raw, char *out, size_t out_size);

/* The refused text (codes 25, 26, 17, 44, 3) in *ret, with a count of one. False for any other answer. */
bool refused_read(const struct client_identity *client, const struct facts *facts,
                  const struct decision *decision, struct unknown *ret);

/* For a query that cannot be decoded: the parameter and its raw value. False: all parameters can be
   decoded. */
bool refused_read_malformed(struct slice query, int64_t now_ms, struct unknown *ret);

/* Any thread. */
void refused_add(struct refused *refused, const struct unknown *row);

/* Makes the next flush store, whenever the last one was. */
void refused_hurry(struct refused *refused);
/* For struct writer_flush: writer's thread. */
bool refused_store(struct refused *refused, struct db *db, struct error *err);
void refused_flushed(struct refused *refused, bool committed);
void refused_close(struct refused *refused); /* after the writer has stopped; NULL is fine */

#endif
