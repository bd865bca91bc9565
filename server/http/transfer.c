/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/transfer.h"

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
#include "server/http/rate.h"

#define LOOK_MS     150  /* between two checks of every transfer */
#define PROGRESS_MS 1000 /* at most one progress event per transfer in this time */
#define RATE_MS     1000 /* over which the rate is measured */
#define BUCKETS     256
/* How many bytes of one transfer the kernel may hold for a slow peer, instead of megabytes. With a round
   trip of two seconds this is still 64 KB/s. The kernel doubles the number. */
#define HELD_BYTES (128 * 1024)
#define POLL_MAX                                                                                             \
    16 /* transfers of one attempt at once: a module may ask again before its old connection is dead */

/* Values of tcpi_state. The kernel's headers for programs have no names for them. */
enum { STATE_FIN_WAIT2 = 5, STATE_TIME_WAIT = 6, STATE_CLOSE = 7 };

enum written { NOT_YET, ALL_WRITTEN, CUT_SHORT, CUT_WITHOUT_FIN };

struct transfer {
    TAILQ_ENTRY(transfer) in_all;
    LIST_ENTRY(transfer) in_bucket;
    int fd;          /* owned */
    uint64_t before; /* bytes acknowledged before the package: earlier bytes, and the head */
    int64_t attempt, fetch;
    uint64_t first, end;
    _Atomic int written;
    _Atomic bool was_reset; /* by us, after a stall: a FIN was sent */
    uint64_t sent_before;   /* bytes sent before the package */
    bool counted;           /* in transfers.counted; under the lock */
    bool is_copy;
    _Atomic bool given_up; /* the device has asked again */
    bool trails;           /* in transfers.trailing */

    /* Watching thread only. */
    uint64_t acked_end; /* as of moved_ms */
    int64_t moved_ms;
    uint64_t seen_end; /* as of the last look */
    uint64_t told_end, told_sent;
    int64_t told_ms;
    bool over; /* and told */
};

TAILQ_HEAD(transfer_all, transfer);
LIST_HEAD(transfer_bucket, transfer);

struct transfers {
    struct transfers_config config;
    uint64_t least_bytes; /* in stall_ms */
    struct rate rate;
    pthread_t thread;
    uint64_t acked, acked_then; /* by all transfers, now and at rated_ms; watching thread only */
    int64_t rated_ms;
    _Atomic uint64_t acked_rate; /* bytes per second */
    _Atomic unsigned trailing;   /* see transfers_trailing() */
    pthread_mutex_t
        lock; /* guards all below; a transfer leaves the lists only after its last event was reported */
    pthread_cond_t changed;
    struct transfer_all all;                /* only the watching thread removes */
    struct transfer_bucket bucket[BUCKETS]; /* by attempt */
    unsigned promised, counted;             /* transfers that have not begun; those of `all` that count */
    bool stopping;
};

/* Asks the kernel about a transfer; changes nothing. *ret_over: no more bytes can be acknowledged. The
   order of the questions matters: bytes that are acknowledged between two of them must not be lost. */
static uint64_t ask(const struct transfer *transfer, uint64_t *ret_sent, bool *ret_over)
{
    int written = atomic_load(&transfer->written), queued = 1;
    if (atomic_load(&transfer->was_reset) && written != ALL_WRITTEN)
        written = CUT_SHORT;
    (void)!ioctl(transfer->fd, SIOCOUTQ, &queued);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    *ret_over = true;
    *ret_sent = 0;
    if (getsockopt(transfer->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return transfer->first;
    if (info.tcpi_bytes_sent > transfer->sent_before)
        *ret_sent = info.tcpi_bytes_sent - transfer->sent_before;

    uint64_t size = transfer->end - transfer->first;
    uint64_t acked = info.tcpi_bytes_acked > transfer->before ? info.tcpi_bytes_acked - transfer->before : 0;
    /* A FIN counts as one byte. After a whole package that does not matter; after a part it would be one
       byte too many. */
    bool all_acked = written >= CUT_SHORT && queued == 0;
    bool fin_acked = info.tcpi_state == STATE_FIN_WAIT2 || info.tcpi_state == STATE_TIME_WAIT ||
                     (info.tcpi_state == STATE_CLOSE && all_acked && written == CUT_SHORT);
    if (fin_acked && written != ALL_WRITTEN && acked > 0)
        acked--;
    if (acked >= size)
        return transfer->end;
    *ret_over = info.tcpi_state == STATE_CLOSE || all_acked;
    return transfer->first + acked;
}

/* *ret_sent: since the transfer began; event.sent is 0. */
static struct transfer_event event_of(const struct transfer *transfer, uint64_t *ret_sent)
{
    struct transfer_event event = {.attempt = transfer->attempt,
                                   .fetch = transfer->fetch,
                                   .first = transfer->first,
                                   .end = transfer->end};
    event.acked_end = ask(transfer, ret_sent, &event.over);
    return event;
}

/* The peer has stopped reading: drops the bytes that the kernel holds, and resets the connection. */
static void reset(struct transfer *transfer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    atomic_store(&transfer->was_reset, true);
    setsockopt(transfer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    shutdown(transfer->fd, SHUT_RDWR); /* who still writes to the socket notices, and closes it */
}

static void tell(struct transfers *transfers, struct transfer *transfer, struct transfer_event *event,
                 uint64_t sent, int64_t now_ms)
{
    if (sent > transfer->told_sent) {
        event->sent = sent - transfer->told_sent;
        transfer->told_sent = sent;
    }
    transfer->told_end = event->acked_end;
    transfer->told_ms = now_ms;
    transfers->config.notify(transfers->config.cls, event);
}

static void set_trailing(struct transfers *transfers, struct transfer *transfer, bool trails)
{
    if (trails != transfer->trails)
        atomic_fetch_add(&transfers->trailing, trails ? 1 : -1);
    transfer->trails = trails;
}

/* Checks one transfer, without the lock. True: the transfer is over, its last event is reported, and no
   one else uses it. */
static bool step(struct transfers *transfers, struct transfer *transfer, bool stopping)
{
    uint64_t sent;
    if (transfer->over)
        return stopping || atomic_load(&transfer->written) != NOT_YET;
    int64_t now_ms = clock_boot_ms();
    struct transfer_event event = event_of(transfer, &sent);
    if (event.acked_end > transfer->seen_end) {
        transfers->acked += event.acked_end - transfer->seen_end;
        transfer->seen_end = event.acked_end;
    }
    if (event.acked_end - transfer->acked_end >= transfers->least_bytes) {
        transfer->acked_end = event.acked_end;
        transfer->moved_ms = now_ms;
    }
    if (!event.over && now_ms - transfer->moved_ms >= transfers->config.stall_ms) {
        reset(transfer);
        event.over = true;
    }
    bool is_beside = transfer->is_copy || atomic_load(&transfer->written) != NOT_YET;
    set_trailing(transfers, transfer, is_beside && !event.over && !atomic_load(&transfer->given_up));
    event.over = event.over || stopping;
    if (event.over) {
        tell(transfers, transfer, &event, sent, now_ms);
        transfer->over = true;
        return stopping || atomic_load(&transfer->written) != NOT_YET;
    }
    bool is_new = event.acked_end != transfer->told_end || sent > transfer->told_sent;
    if (is_new && now_ms - transfer->told_ms >= PROGRESS_MS)
        tell(transfers, transfer, &event, sent, now_ms);
    return false;
}

/* Under the lock. */
static void count_out(struct transfers *transfers, struct transfer *transfer)
{
    transfers->counted -= transfer->counted;
    transfer->counted = false;
}

static void release(struct transfers *transfers, struct transfer *transfer)
{
    set_trailing(transfers, transfer, false);
    close(transfer->fd);
    free(transfer);
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
        if (transfer->over)
            count_out(transfers, transfer);
        if (done) {
            TAILQ_REMOVE(&transfers->all, transfer, in_all);
            LIST_REMOVE(transfer, in_bucket);
            release(transfers, transfer);
            pthread_cond_broadcast(&transfers->changed);
        }
        transfer = next;
    }
}

static void measure(struct transfers *transfers)
{
    int64_t now_ms = clock_boot_ms(), passed_ms = now_ms - transfers->rated_ms;
    if (passed_ms < RATE_MS && !TAILQ_EMPTY(&transfers->all))
        return;
    uint64_t acked = transfers->acked - transfers->acked_then;
    atomic_store(&transfers->acked_rate,
                 TAILQ_EMPTY(&transfers->all) ? 0 : acked * 1000 / (uint64_t)passed_ms);
    transfers->acked_then = transfers->acked;
    transfers->rated_ms = now_ms;
}

static void *watch(void *cls)
{
    struct transfers *transfers = cls;
    pthread_mutex_lock(&transfers->lock);
    for (;;) {
        step_all(transfers);
        measure(transfers);
        if (transfers->stopping && TAILQ_EMPTY(&transfers->all))
            break;
        int64_t look_ms = clock_monotonic_ms() + LOOK_MS;
        bool in_time = true;
        if (TAILQ_EMPTY(&transfers->all)) {
            pthread_cond_wait(&transfers->changed, &transfers->lock);
            transfers->rated_ms = clock_boot_ms();
        } else {
            while (!transfers->stopping && in_time)
                in_time = thread_wait_until(&transfers->changed, &transfers->lock, look_ms);
        }
    }
    pthread_mutex_unlock(&transfers->lock);
    return NULL;
}

static void destroy(struct transfers *transfers)
{
    pthread_cond_destroy(&transfers->changed);
    pthread_mutex_destroy(&transfers->lock);
    rate_destroy(&transfers->rate);
    free(transfers);
}

bool transfers_start(const struct transfers_config *config, struct transfers **ret, struct error *err)
{
    struct transfers *transfers = calloc(1, sizeof *transfers);
    if (!transfers)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    transfers->config = *config;
    transfers->least_bytes = config->least_rate * (uint64_t)config->stall_ms / 1000;
    if (!transfers->least_bytes)
        transfers->least_bytes = 1;
    rate_init(&transfers->rate, config->max_rate, config->share_rate);
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

struct transfers_load transfers_load(struct transfers *transfers, int64_t but)
{
    struct transfers_load load = {.bytes_per_second = atomic_load(&transfers->acked_rate)};
    struct transfer *transfer;
    pthread_mutex_lock(&transfers->lock);
    load.running = transfers->promised + transfers->counted;
    LIST_FOREACH (transfer, &transfers->bucket[(uint64_t)but % BUCKETS], in_bucket)
        if (transfer->attempt == but && transfer->counted)
            load.running--;
    pthread_mutex_unlock(&transfers->lock);
    return load;
}

void transfer_promise(struct transfers *transfers, int64_t attempt)
{
    struct transfer *transfer;
    pthread_mutex_lock(&transfers->lock);
    LIST_FOREACH (transfer, &transfers->bucket[(uint64_t)attempt % BUCKETS], in_bucket)
        if (transfer->attempt == attempt) {
            count_out(transfers, transfer);
            atomic_store(&transfer->given_up, true);
        }
    transfers->promised++;
    pthread_mutex_unlock(&transfers->lock);
}

void transfer_recall(struct transfers *transfers)
{
    pthread_mutex_lock(&transfers->lock);
    transfers->promised -= transfers->promised > 0;
    pthread_mutex_unlock(&transfers->lock);
}

unsigned transfers_trailing(const struct transfers *transfers)
{
    return atomic_load(&transfers->trailing);
}

bool transfers_are_paced(const struct transfers *transfers)
{
    return transfers->rate.bytes_per_second;
}

uint64_t transfers_take(struct transfers *transfers, uint64_t wanted, int64_t *ret_wait_us)
{
    pthread_mutex_lock(&transfers->lock);
    unsigned running = transfers->counted;
    pthread_mutex_unlock(&transfers->lock);
    return rate_take(&transfers->rate, clock_boot_us(), running, wanted, ret_wait_us);
}

#define LOOKS_MAX 1000

/* What the socket has sent and got acknowledged, and what waits in it. Earlier answers of a kept connection may wait there,
   and their acknowledgements are not those of the package. Asked again until no acknowledgement came in between. */
static bool look_before(int fd, struct tcp_info *ret, uint64_t *ret_queued)
{
    int queued, again;
    for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
        socklen_t len = sizeof *ret;
        if (ioctl(fd, SIOCOUTQ, &queued) != 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len) != 0 ||
            ioctl(fd, SIOCOUTQ, &again) != 0)
            return false;
        *ret_queued = (uint64_t)queued;
        if (queued == again)
            return true;
    }
    return false;
}

struct transfer *transfer_begin(struct transfers *transfers, int socket, bool is_copy, uint64_t head_bytes,
                                int64_t attempt, int64_t fetch, uint64_t first, uint64_t end)
{
    struct tcp_info info = {0};
    uint64_t queued = 0;
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer || !look_before(socket, &info, &queued)) {
        free(transfer);
        transfer_recall(transfers);
        return NULL;
    }
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &(int){HELD_BYTES}, sizeof(int));
    transfer->fd = socket;
    transfer->before = info.tcpi_bytes_acked + queued + head_bytes;
    transfer->attempt = attempt;
    transfer->fetch = fetch;
    transfer->sent_before = info.tcpi_bytes_sent + (uint64_t)info.tcpi_notsent_bytes + head_bytes;
    transfer->first = transfer->acked_end = transfer->seen_end = transfer->told_end = first;
    transfer->end = end;
    transfer->moved_ms = clock_boot_ms();
    transfer->is_copy = is_copy;
    set_trailing(transfers, transfer, is_copy);
    pthread_mutex_lock(&transfers->lock);
    if (TAILQ_EMPTY(&transfers->all))
        pthread_cond_broadcast(&transfers->changed);
    transfers->promised -= transfers->promised > 0;
    transfers->counted++;
    transfer->counted = true;
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
    transfer_recall(transfers);
    transfers->config.notify(transfers->config.cls, &event);
}

void transfer_written(struct transfer *transfer, bool all_written)
{
    atomic_store(&transfer->written, all_written ? ALL_WRITTEN : CUT_SHORT);
}

void transfer_cut(struct transfer *transfer)
{
    atomic_store(&transfer->written, CUT_WITHOUT_FIN);
}

void transfers_poll(struct transfers *transfers, int64_t attempt, transfer_function *each, void *cls)
{
    struct transfer_event event[POLL_MAX];
    unsigned count = 0;
    uint64_t sent;
    struct transfer *transfer;
    pthread_mutex_lock(&transfers->lock);
    LIST_FOREACH (transfer, &transfers->bucket[(uint64_t)attempt % BUCKETS], in_bucket)
        if (transfer->attempt == attempt && count < POLL_MAX)
            event[count++] = event_of(transfer, &sent);
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
