/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The crowd: connections of a loop whose request is incomplete, because the head or a body that is kept
   in memory is missing. At the limit of connections the oldest connection of the crowd is closed first,
   and one address may have only a share of the connections. A complete request is never in the crowd:
   behind a carrier's NAT thousands of modules share one address, and each is in the crowd for a moment
   only. Internal to the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_CROWD_H
#define DFOTA_SERVER_HTTP_CROWD_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define CROWD_BUCKETS 256

struct crowd_address;

LIST_HEAD(crowd_bucket, crowd_address);

struct crowd {
    unsigned share; /* of one address; IPv6: of one /64 */
    struct crowd_bucket bucket[CROWD_BUCKETS];
};

/* The address of a connection, as the crowd compares it. */
struct crowd_key {
    unsigned char bytes[16];
};

/* A connection as the crowd sees it; a part of struct connection. */
struct crowd_member {
    struct crowd_key key;
    struct crowd_address *address; /* NULL: not in the crowd */
    TAILQ_ENTRY(crowd_member) in_address;
};

void crowd_init(struct crowd *crowd, unsigned share);
void crowd_key_of(const struct sockaddr_storage *address, struct crowd_key *ret);
/* Aborts when memory is gone. Does nothing for a member that is in the crowd already. */
void crowd_add(struct crowd *crowd, struct crowd_member *member);
void crowd_remove(struct crowd_member *member); /* fine for a member that is not in the crowd */
/* The oldest member with the same address, when that address has more than its share. Else NULL. */
struct crowd_member *crowd_excess(const struct crowd *crowd, const struct crowd_member *member);

#endif
