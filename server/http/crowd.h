/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The connections of a loop whose request is not whole yet: the head is missing, or a body that is kept in memory. At the
   limit of connections the oldest of them goes first, and one address has at most a share of the room for them. A
   request that is whole is never in the crowd: behind a carrier's NAT thousands of modules share one address, and each
   is in the crowd for a moment only. Internal to the http folder; loop's thread. */
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

/* Of which address a connection is: what stands for it in the crowd. */
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
/* Aborts without memory. Does nothing for one that is in already. */
void crowd_add(struct crowd *crowd, struct crowd_member *member);
void crowd_remove(struct crowd_member *member); /* fine for one that is not in */
/* The oldest one of this one's address where that has more than its share, else NULL. */
struct crowd_member *crowd_excess(const struct crowd *crowd, const struct crowd_member *member);

#endif
