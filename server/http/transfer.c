/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/transfer.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/thread.h"

#define LOOK_MS     150  /* between two checks of every transfer */
#define PROGRESS_MS 1000 /* at most one progress event per transfer in this time */
#define BUCKETS     256
/* How many bytes of one transfer the kernel may hold for a slow peer, instead of megabytes. With a round
   trip of two seconds this is still 64 KB/s. The kernel doubles the number. */
#define HELD_BYTES (128 * 1024)
#define POLL_MAX                                                                                             \
    16 /* transfers of one attempt at once: a module may ask again before its old connection is dead */

/* Values of tcpi_state. The kernel's headers for programs have no names for them. */
enum { STATE_FIN_WAIT2 = 5, STATE_TIME_WAIT = 6, STATE_CLOSE = 7 };

enum written { NOT_YET, ALL_WRITTEN, CUT_SHORT };

struct transfer {
    TAILQ_ENTRY(transfer) in_all;
    LIST_ENTRY(transfer) in_bucket;
    int fd;
    uint64_t before; /* bytes acknowledged before the package: earlier bytes, and the head */
    int64_t attempt, fetch;
    uint64_t first, end;
    _Atomic int written;

    /* Watching thread only. */
    uint64_t acked_end; /* as of moved_ms */
    int64_t moved_ms;
    uint64_t told_end;
    int64_t told_ms;
    bool over; /* and told */
};

TAILQ_HEAD(transfer_all, transfer);
LIST_HEAD(transfer_bucket, transfer);

struct transfers {
    int64_t stall_ms;
    uint64_t least_bytes; /* in it */
    transfer_function *notify;
    void *cls;
    pthread_t thread;
    pthread_mutex_t
        lock; /* guards all below; a transfer leaves the lists only after its last event was reported */
    pthread_cond_t changed;
    struct transfer_all all;                /* only the watching thread removes */
    struct transfer_bucket bucket[BUCKETS]; /* by attempt */
    bool stopping;
};

/* Asks the kernel about a transfer; changes nothing. *ret_over: no more bytes can be acknowledged. The
   order of the questions matters: bytes that are acknowledged between two of them must not be lost. */
static uint64_t ask(const struct transfer *transfer, bool *ret_over)
{
    int written = atomic_load(&transfer->written), queued = 1;
    (void)!ioctl(transfer->fd, SIOCOUTQ, &queued);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    *ret_over = true;
    if (getsockopt(transfer->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return transfer->first;

    uint64_t size = transfer->end - transfer->first;
    uint64_t acked = info.tcpi_bytes_acked > transfer->before ? info.tcpi_bytes_acked - transfer->before : 0;
    /* A FIN counts as one byte. After a whole package that does not matter; after a part it would be one
       byte too many. */
    bool all_acked = written == CUT_SHORT && queued == 0;
    bool fin_acked = info.tcpi_state == STATE_FIN_WAIT2 || info.tcpi_state == STATE_TIME_WAIT ||
                     (info.tcpi_state == STATE_CLOSE && all_acked);
    if (fin_acked && written != ALL_WRITTEN && acked > 0)
        acked--;
    if (acked >= size)
        return transfer->end;
    *ret_over = info.tcpi_state == STATE_CLOSE || all_acked;
    return transfer->first + acked;
}

static struct transfer_event event_of(const struct transfer *transfer)
{
    struct transfer_event event = {.attempt = transfer->attempt,
                                   .fetch = transfer->fetch,
                                   .first = transfer->first,
                                   .end = transfer->end};
    event.acked_end = ask(transfer, &event.over);
    return event;
}

/* The peer has stopped reading: drops the bytes that the kernel holds, and resets the connection. */
static void reset(const struct transfer *transfer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(transfer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    shutdown(transfer->fd, SHUT_RDWR); /* libmicrohttpd, if it still writes, notices and closes */
}

/* Checks one transfer, without the lock. True: the transfer is over, its last event is reported, and no
   one else uses it. */
static bool step(struct transfers *transfers, struct transfer *transfer, bool stopping)
{
    if (transfer->over)
        return stopping || atomic_load(&transfer->written) != NOT_YET;
    int64_t now_ms = clock_boot_ms();
    struct transfer_event event = event_of(transfer);
    if (event.acked_end - transfer->acked_end >= transfers->least_bytes) {
        transfer->acked_end = event.acked_end;
        transfer->moved_ms = now_ms;
    }
    if (!event.over && now_ms - transfer->moved_ms >= transfers->stall_ms) {
        reset(transfer);
        event.over = true;
    }
    event.over = event.over || stopping;
    if (event.over) {
        transfers->notify(transfers->cls, &event);
        transfer->over = true;
        return stopping || atomic_load(&transfer->written) != NOT_YET;
    }
    if (event.acked_end != transfer->told_end && now_ms - transfer->told_ms >= PROGRESS_MS) {
        transfer->told_end = event.acked_end;
        transfer->told_ms = now_ms;
        transfers->notify(transfers->cls, &event);
    }
    return false;
}

/* The lock is held on entry and return, not in between. New transfers are added at the end; only this
   thread removes one. */
static void step_all(struct transfers *transfers)
{
    struct transfer *transfer = TAILQ_FIRST(&transfers->all);
    while (transfer) {
        bool stopping = transfers->stopping;
        pthread_mutex_unlock(&transfers->lock);
        bool done = step(transfers, transfer, stopping);
        pthread_mutex_lock(&transfers->lock);
        struct transfer *next = TAILQ_NEXT(transfer, in_all);
        if (done) {
            TAILQ_REMOVE(&transfers->all, transfer, in_all);
            LIST_REMOVE(transfer, in_bucket);
            close(transfer->fd);
            free(transfer);
            pthread_cond_broadcast(&transfers->changed);
        }
        transfer = next;
    }
}

static void *watch(void *cls)
{
    struct transfers *transfers = cls;
    pthread_mutex_lock(&transfers->lock);
    for (;;) {
        step_all(transfers);
        if (transfers->stopping && TAILQ_EMPTY(&transfers->all))
            break;
        int64_t look_ms = clock_monotonic_ms() + LOOK_MS;
        bool in_time = true;
        if (TAILQ_EMPTY(&transfers->all))
            pthread_cond_wait(&transfers->changed, &transfers->lock);
        else
            while (!transfers->stopping && in_time)
                in_time = thread_wait_until(&transfers->changed, &transfers->lock, look_ms);
    }
    pthread_mutex_unlock(&transfers->lock);
    return NULL;
}

static void destroy(struct transfers *transfers)
{
    pthread_cond_destroy(&transfers->changed);
    pthread_mutex_destroy(&transfers->lock);
    free(transfers);
}

bool transfers_start(int64_t stall_ms, uint64_t least_rate, transfer_function *notify, void *cls,
                     struct transfers **ret, struct error *err)
{
    struct transfers *transfers = calloc(1, sizeof *transfers);
    if (!transfers)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    transfers->stall_ms = stall_ms;
    transfers->least_bytes = least_rate * (uint64_t)stall_ms / 1000;
    if (!transfers->least_bytes)
        transfers->least_bytes = 1;
    transfers->notify = notify;
    transfers->cls = cls;
    TAILQ_INIT(&transfers->all);
    pthread_mutex_init(&transfers->lock, NULL);
    pthread_cond_init(&transfers->changed, NULL);
    if (!thread_start("transfers", watch, transfers, &transfers->thread, err)) {
        destroy(transfers);
        return false;
    }
    *ret = transfers;
    return true;
}

struct transfer *transfer_begin(struct transfers *transfers, int socket, uint64_t head_bytes, int64_t attempt,
                                int64_t fetch, uint64_t first, uint64_t end)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    struct transfer *transfer = calloc(1, sizeof *transfer);
    int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (!transfer || fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) {
        free(transfer);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){HELD_BYTES}, sizeof(int));
    transfer->fd = fd;
    transfer->before = info.tcpi_bytes_acked + head_bytes;
    transfer->attempt = attempt;
    transfer->fetch = fetch;
    transfer->first = transfer->acked_end = transfer->told_end = first;
    transfer->end = end;
    transfer->moved_ms = clock_boot_ms();
    pthread_mutex_lock(&transfers->lock);
    if (TAILQ_EMPTY(&transfers->all))
        pthread_cond_broadcast(&transfers->changed);
    TAILQ_INSERT_TAIL(&transfers->all, transfer, in_all);
    LIST_INSERT_HEAD(&transfers->bucket[(uint64_t)attempt % BUCKETS], transfer, in_bucket);
    pthread_mutex_unlock(&transfers->lock);
    return transfer;
}

void transfer_missed(struct transfers *transfers, int64_t attempt, int64_t fetch, uint64_t first,
                     uint64_t end)
{
    struct transfer_event event = {
        .attempt = attempt, .fetch = fetch, .first = first, .acked_end = first, .end = end, .over = true};
    transfers->notify(transfers->cls, &event);
}

void transfer_written(struct transfer *transfer, bool all_written)
{
    atomic_store(&transfer->written, all_written ? ALL_WRITTEN : CUT_SHORT);
}

void transfers_poll(struct transfers *transfers, int64_t attempt, transfer_function *each, void *cls)
{
    struct transfer_event event[POLL_MAX];
    unsigned count = 0;
    struct transfer *transfer;
    pthread_mutex_lock(&transfers->lock);
    LIST_FOREACH (transfer, &transfers->bucket[(uint64_t)attempt % BUCKETS], in_bucket)
        if (transfer->attempt == attempt && count < POLL_MAX)
            event[count++] = event_of(transfer);
    pthread_mutex_unlock(&transfers->lock);
    for (unsigned i = 0; i < count; i++)
        each(cls, &event[i]);
}

bool transfers_drain(struct transfers *transfers, int64_t deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    bool in_time = true;
    pthread_mutex_lock(&transfers->lock);
    while (!TAILQ_EMPTY(&transfers->all) && in_time)
        in_time = thread_wait_until(&transfers->changed, &transfers->lock, until_ms);
    bool empty = TAILQ_EMPTY(&transfers->all);
    pthread_mutex_unlock(&transfers->lock);
    return empty;
}

void transfers_stop(struct transfers *transfers)
{
    if (!transfers)
        return;
    pthread_mutex_lock(&transfers->lock);
    transfers->stopping = true;
    pthread_cond_broadcast(&transfers->changed);
    pthread_mutex_unlock(&transfers->lock);
    thread_join(transfers->thread);
    destroy(transfers);
}
