/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 9 /* the family, and an IPv4 address or the first half of an IPv6 address */

struct place {
    unsigned char key[KEY_BYTES];
    int64_t free_ms; /* all failures so far are forgotten from then on; 0: a free place */
};

struct attempts {
    pthread_mutex_t mutex;
    struct place place[ATTEMPTS_MAX];
};

bool attempts_open(struct attempts **ret, struct error *err)
{
    struct attempts *attempts = calloc(1, sizeof *attempts);
    if (!attempts)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&attempts->mutex, NULL);
    *ret = attempts;
    return true;
}

void attempts_close(struct attempts *attempts)
{
    if (!attempts)
        return;
    pthread_mutex_destroy(&attempts->mutex);
    free(attempts);
}

/* Text that is no address shares one key. */
static void make_key(const char *address, unsigned char key[KEY_BYTES])
{
    unsigned char bytes[sizeof(struct in6_addr)];
    memset(key, 0, KEY_BYTES);
    if (inet_pton(AF_INET, address, bytes) == 1) {
        key[0] = 4;
        memcpy(key + 1, bytes, sizeof(struct in_addr));
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        key[0] = 6;
        memcpy(key + 1, bytes, KEY_BYTES - 1);
    }
}

static struct place *find(struct attempts *attempts, const unsigned char key[KEY_BYTES])
{
    struct place *oldest = &attempts->place[0];
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct place *place = &attempts->place[i];
        if (place->free_ms && memcmp(place->key, key, KEY_BYTES) == 0)
            return place;
        if (place->free_ms < oldest->free_ms)
            oldest = place;
    }
    memcpy(oldest->key, key, KEY_BYTES);
    oldest->free_ms = 0;
    return oldest;
}

bool attempts_note(struct attempts *attempts, const char *address, int64_t now_ms)
{
    unsigned char key[KEY_BYTES];
    make_key(address, key);
    pthread_mutex_lock(&attempts->mutex);
    struct place *place = find(attempts, key);
    int64_t from_ms = place->free_ms > now_ms ? place->free_ms : now_ms;
    bool may = from_ms + ATTEMPTS_EVERY_MS <= now_ms + (int64_t)ATTEMPTS_BURST * ATTEMPTS_EVERY_MS;
    if (may)
        place->free_ms = from_ms + ATTEMPTS_EVERY_MS;
    pthread_mutex_unlock(&attempts->mutex);
    return may;
}
