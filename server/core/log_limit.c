/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/log_limit.h"

#include <pthread.h>
#include <string.h>

#define EVENTS 256 /* more than the program has: events are literals */

struct allowance {
    const char *event; /* NULL: this entry is free */
    bool stranger;
    int64_t room; /* in thousandths of a line */
    int64_t at_ms;
    uint64_t suppressed;
};

static struct {
    pthread_mutex_t mutex;
    int64_t per_second;
    struct allowance of[EVENTS];
} limit = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void log_limit_set(unsigned per_second)
{
    pthread_mutex_lock(&limit.mutex);
    limit.per_second = per_second;
    memset(limit.of, 0, sizeof limit.of);
    pthread_mutex_unlock(&limit.mutex);
}

static int64_t burst_of(bool stranger)
{
    return 1000 * (stranger ? LOG_BURST_STRANGERS : LOG_BURST);
}

/* When the table is full, all further events share the last entry. */
static struct allowance *find(const char *event, bool stranger, int64_t now_ms)
{
    struct allowance *place = limit.of;
    while (place < &limit.of[EVENTS - 1] && place->event &&
           (place->stranger != stranger || strcmp(place->event, event) != 0))
        place++;
    if (!place->event)
        *place = (struct allowance){
            .event = event, .stranger = stranger, .room = burst_of(stranger), .at_ms = now_ms};
    return place;
}

static void refill(struct allowance *place, int64_t now_ms)
{
    int64_t passed_ms = now_ms > place->at_ms ? now_ms - place->at_ms : 0, most = burst_of(place->stranger);
    int64_t gained =
        passed_ms > most ? most : passed_ms * limit.per_second / (place->stranger ? LOG_STRANGERS_PART : 1);
    if (!gained) /* less than one unit: at_ms stays, so that the time still counts later */
        return;
    place->room = place->room + gained > most ? most : place->room + gained;
    place->at_ms = now_ms;
}

bool log_limit_take(const char *event, bool stranger, int64_t now_ms, uint64_t *ret_suppressed)
{
    bool taken = true;
    *ret_suppressed = 0;
    pthread_mutex_lock(&limit.mutex);
    if (limit.per_second) {
        struct allowance *place = find(event, stranger, now_ms);
        refill(place, now_ms);
        taken = place->room >= 1000;
        if (taken) {
            place->room -= 1000;
            *ret_suppressed = place->suppressed;
            place->suppressed = 0;
        } else {
            place->suppressed++;
        }
    }
    pthread_mutex_unlock(&limit.mutex);
    return taken;
}

void log_limit_tell(void (*each)(const char *event, uint64_t suppressed))
{
    for (size_t i = 0; i < EVENTS; i++) {
        pthread_mutex_lock(&limit.mutex);
        const char *event = limit.of[i].event;
        uint64_t suppressed = limit.of[i].suppressed;
        limit.of[i].suppressed = 0;
        pthread_mutex_unlock(&limit.mutex);
        if (suppressed)
            each(event, suppressed);
    }
}
