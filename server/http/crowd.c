/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/crowd.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct crowd_address {
    LIST_ENTRY(crowd_address) in_bucket;
    struct crowd_key key;
    unsigned count;
    TAILQ_HEAD(, crowd_member) oldest_first;
};

void crowd_init(struct crowd *crowd, unsigned share)
{
    crowd->share = share;
    for (size_t i = 0; i < CROWD_BUCKETS; i++)
        LIST_INIT(&crowd->bucket[i]);
}

void crowd_key_of(const struct sockaddr_storage *address, struct crowd_key *ret)
{
    memset(ret, 0, sizeof *ret);
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        memcpy(ret->bytes + 12, &four->sin_addr, 4);
        return;
    }
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six))
        memcpy(ret->bytes + 12, &six->s6_addr[12], 4);
    else
        memcpy(ret->bytes, six->s6_addr, 8);
}

static struct crowd_bucket *bucket_of(struct crowd *crowd, const struct crowd_key *key)
{
    unsigned hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < sizeof key->bytes; i++)
        hash = (hash ^ key->bytes[i]) * 16777619u;
    return &crowd->bucket[hash % CROWD_BUCKETS];
}

static struct crowd_address *find_or_make(struct crowd *crowd, const struct crowd_key *key)
{
    struct crowd_bucket *bucket = bucket_of(crowd, key);
    struct crowd_address *address;
    LIST_FOREACH (address, bucket, in_bucket)
        if (memcmp(&address->key, key, sizeof *key) == 0)
            return address;
    address = calloc(1, sizeof *address);
    if (!address)
        abort();
    address->key = *key;
    TAILQ_INIT(&address->oldest_first);
    LIST_INSERT_HEAD(bucket, address, in_bucket);
    return address;
}

void crowd_add(struct crowd *crowd, struct crowd_member *member)
{
    if (member->address)
        return;
    member->address = find_or_make(crowd, &member->key);
    member->address->count++;
    TAILQ_INSERT_TAIL(&member->address->oldest_first, member, in_address);
}

void crowd_remove(struct crowd_member *member)
{
    struct crowd_address *address = member->address;
    if (!address)
        return;
    TAILQ_REMOVE(&address->oldest_first, member, in_address);
    member->address = NULL;
    if (--address->count == 0) {
        LIST_REMOVE(address, in_bucket);
        free(address);
    }
}

struct crowd_member *crowd_excess(const struct crowd *crowd, const struct crowd_member *member)
{
    const struct crowd_address *address = member->address;
    return address && address->count > crowd->share ? TAILQ_FIRST(&address->oldest_first) : NULL;
}
