/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/terminator.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/core/listen_address.h"
#include "server/http/listen_socket.h"
#include "server/http/tunnel.h"

#define EVENTS_PER_TURN  128
#define ACCEPTS_PER_TURN 16 /* a handshake costs up to a millisecond */
#define SWEEP_MS         1000
#define LEAST_HANDSHAKES 16
/* What the kernel holds for a slow peer, as for a transfer. */
#define HELD_BYTES (128 * 1024)

TAILQ_HEAD(tunnel_list, tunnel);

struct terminator {
    struct terminator_config config;
    struct sockaddr_storage address;
    int listen, epoll, wake_fd;
    pthread_t thread;
    SSL_CTX *context;
    char *scratch;
    struct tunnel_list list[TUNNEL_STATES]; /* oldest first, by the time of the state */
    struct tunnel_list dead; /* freed at the end of the turn: an event may still point to them */
    unsigned count[TUNNEL_STATES];
    unsigned most[TUNNEL_STATES];
    struct crowd crowd;
    int64_t now_ms, swept_ms;
    bool accepts, is_paused; /* paused: the listening socket is not watched */

    SSL_CTX *_Atomic next_context;
    _Atomic bool stops_accepting, stopping;
    pthread_mutex_t lock; /* guards is_quiet */
    pthread_cond_t quiet;
    bool is_quiet; /* accepts no more, and no tunnel is left */
};

static char listen_mark, wake_mark;

static void take_out(struct terminator *terminator, struct tunnel *tunnel, enum tunnel_state state)
{
    TAILQ_REMOVE(&terminator->list[state], tunnel, in_state);
    terminator->count[state]--;
    if (state == TUNNEL_HANDSHAKE)
        crowd_remove(&tunnel->member);
}

static void bury(struct terminator *terminator, struct tunnel *tunnel, enum tunnel_state listed)
{
    if (tunnel->failure && tunnel->state == TUNNEL_HANDSHAKE)
        tunnel_log_failure(tunnel);
    take_out(terminator, tunnel, listed);
    TAILQ_INSERT_TAIL(&terminator->dead, tunnel, in_state);
}

static void fail(struct terminator *terminator, struct tunnel *tunnel, const char *why)
{
    tunnel->failure = why;
    bury(terminator, tunnel, tunnel->state);
}

/* The peer has all bytes: an end in order, without a reset. */
static void end(struct terminator *terminator, struct tunnel *tunnel)
{
    tunnel->is_over = true;
    bury(terminator, tunnel, tunnel->state);
}

/* At the limit the oldest makes room, but not one to which bytes are still on their way. */
static void put_in(struct terminator *terminator, struct tunnel *tunnel)
{
    enum tunnel_state state = tunnel->state;
    TAILQ_INSERT_TAIL(&terminator->list[state], tunnel, in_state);
    if (++terminator->count[state] <= terminator->most[state])
        return;
    struct tunnel *oldest = TAILQ_FIRST(&terminator->list[state]);
    if (state == TUNNEL_CLOSING)
        end(terminator, oldest);
    else
        fail(terminator, state == TUNNEL_HANDSHAKE ? oldest : tunnel, "too many connections");
}

static void watch(struct terminator *terminator, struct tunnel_side *side, uint32_t wanted)
{
    struct epoll_event event = {.events = wanted, .data.ptr = side};
    if (side->fd < 0 || side->events == wanted)
        return;
    /* epoll reports a hang-up for as long as it watches, also when no event is wanted. */
    int operation = wanted == 0 ? EPOLL_CTL_DEL : side->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    side->events = wanted;
    epoll_ctl(terminator->epoll, operation, side->fd, &event);
}

static bool add(struct terminator *terminator, int fd, void *mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
    return epoll_ctl(terminator->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool connect_inner(struct terminator *terminator, struct tunnel *tunnel)
{
    int far;
    if (!tunnel_connect(tunnel, &far)) {
        tunnel->failure = "no connection inside of the server";
        tunnel_log_failure(tunnel);
        return false;
    }
    tunnel->inner.events = EPOLLIN;
    listener_give(terminator->config.listener, far, &tunnel->peer);
    if (!add(terminator, tunnel->inner.fd, &tunnel->inner))
        tunnel->failure = "out of descriptors";
    return !tunnel->failure;
}

static void step(struct terminator *terminator, struct tunnel *tunnel)
{
    enum tunnel_state before = tunnel->state;
    if (tunnel_step(tunnel, terminator->scratch, terminator->now_ms) && connect_inner(terminator, tunnel))
        tunnel_step(tunnel, terminator->scratch, terminator->now_ms);
    if (tunnel->failure || tunnel->is_over) {
        bury(terminator, tunnel, before);
        return;
    }
    if (tunnel->state != before) {
        take_out(terminator, tunnel, before);
        put_in(terminator, tunnel);
        if (tunnel->failure || tunnel->is_over)
            return;
    }
    watch(terminator, &tunnel->outer, tunnel_outer_events(tunnel));
    watch(terminator, &tunnel->inner, tunnel_inner_events(tunnel));
}

static void welcome(struct terminator *terminator, int fd, const struct sockaddr_storage *peer)
{
    struct tunnel *tunnel = calloc(1, sizeof *tunnel);
    SSL *ssl = tunnel ? SSL_new(terminator->context) : NULL;
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || !add(terminator, fd, &tunnel->outer)) {
        SSL_free(ssl);
        free(tunnel);
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){HELD_BYTES}, sizeof(int));
    tunnel->outer = (struct tunnel_side){.tunnel = tunnel, .fd = fd, .events = EPOLLIN};
    tunnel->inner = (struct tunnel_side){.tunnel = tunnel, .fd = -1};
    tunnel->ssl = ssl;
    tunnel->peer = *peer;
    tunnel->since_ms = terminator->now_ms;
    crowd_key_of(peer, &tunnel->member.key);
    put_in(terminator, tunnel);
    crowd_add(&terminator->crowd, &tunnel->member);
    struct crowd_member *excess = crowd_excess(&terminator->crowd, &tunnel->member);
    if (excess)
        fail(terminator, tunnel_of(excess), "too many connections of this address");
}

static void watch_listen(struct terminator *terminator, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0u, .data.ptr = &listen_mark};
    terminator->is_paused = !on;
    epoll_ctl(terminator->epoll, EPOLL_CTL_MOD, terminator->listen, &event);
}

static void accept_some(struct terminator *terminator)
{
    for (int i = 0; i < ACCEPTS_PER_TURN && terminator->accepts; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd = accept4(terminator->listen, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(terminator, fd, &peer);
        else if (errno != ECONNABORTED && errno != EINTR) {
            if (errno != EAGAIN)
                watch_listen(terminator, false); /* out of descriptors or memory: until the next sweep */
            return;
        }
    }
}

static void sweep(struct terminator *terminator)
{
    const struct terminator_config *config = &terminator->config;
    uint64_t least = config->least_rate * (uint64_t)config->idle_timeout_ms / 1000;
    struct tunnel *tunnel, *next;
    terminator->swept_ms = terminator->now_ms;
    if (terminator->is_paused && terminator->accepts)
        watch_listen(terminator, true);
    while ((tunnel = TAILQ_FIRST(&terminator->list[TUNNEL_HANDSHAKE])) &&
           terminator->now_ms - tunnel->since_ms >= config->handshake_timeout_ms)
        fail(terminator, tunnel, "the handshake took too long");
    for (enum tunnel_state state = TUNNEL_RELAY; state < TUNNEL_STATES; state++)
        for (tunnel = TAILQ_FIRST(&terminator->list[state]); tunnel; tunnel = next) {
            next = TAILQ_NEXT(tunnel, in_state);
            if (!tunnel_is_stalled(tunnel, config->idle_timeout_ms, least, terminator->now_ms)) {
                if (state == TUNNEL_DRAINING)
                    step(terminator, tunnel);
            } else if (state == TUNNEL_CLOSING) {
                end(terminator, tunnel);
            } else {
                fail(terminator, tunnel, "the peer takes no bytes");
            }
        }
}

/* While the server may still send, only a reset hangs up. */
static void handle_side(struct terminator *terminator, struct tunnel_side *side, uint32_t events)
{
    struct tunnel *tunnel = side->tunnel;
    if (tunnel->failure || tunnel->is_over)
        return;
    if (side == &tunnel->outer && tunnel->state == TUNNEL_RELAY && (events & (EPOLLERR | EPOLLHUP)))
        fail(terminator, tunnel, "the peer has closed the connection");
    else
        step(terminator, tunnel);
}

static void handle_events(struct terminator *terminator, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        void *mark = events[i].data.ptr;
        uint64_t ignored;
        if (mark == &listen_mark) {
            accept_some(terminator);
        } else if (mark == &wake_mark) {
            (void)!read(terminator->wake_fd, &ignored, sizeof ignored);
        } else {
            handle_side(terminator, mark, events[i].events);
        }
    }
}

static void free_dead(struct terminator *terminator)
{
    struct tunnel *tunnel;
    while ((tunnel = TAILQ_FIRST(&terminator->dead))) {
        TAILQ_REMOVE(&terminator->dead, tunnel, in_state);
        tunnel_free(tunnel);
    }
}

static void stop_accepting(struct terminator *terminator)
{
    struct tunnel *tunnel;
    terminator->accepts = false;
    close(terminator->listen);
    terminator->listen = -1;
    while ((tunnel = TAILQ_FIRST(&terminator->list[TUNNEL_HANDSHAKE])))
        fail(terminator, tunnel, "the server ends");
}

static unsigned count_all(const struct terminator *terminator)
{
    unsigned count = 0;
    for (enum tunnel_state state = TUNNEL_HANDSHAKE; state < TUNNEL_STATES; state++)
        count += terminator->count[state];
    return count;
}

static void obey(struct terminator *terminator)
{
    SSL_CTX *next = atomic_exchange(&terminator->next_context, NULL);
    if (next) {
        SSL_CTX_free(terminator->context);
        terminator->context = next;
    }
    if (terminator->accepts && atomic_load(&terminator->stops_accepting))
        stop_accepting(terminator);
    if (terminator->accepts || count_all(terminator))
        return;
    pthread_mutex_lock(&terminator->lock);
    terminator->is_quiet = true;
    pthread_cond_broadcast(&terminator->quiet);
    pthread_mutex_unlock(&terminator->lock);
}

static void *terminator_main(void *cls)
{
    struct terminator *terminator = cls;
    struct epoll_event events[EVENTS_PER_TURN];
    while (!atomic_load(&terminator->stopping)) {
        int count = epoll_wait(terminator->epoll, events, EVENTS_PER_TURN,
                               count_all(terminator) || terminator->is_paused ? SWEEP_MS : -1);
        terminator->now_ms = clock_boot_ms();
        handle_events(terminator, events, count);
        if (terminator->now_ms - terminator->swept_ms >= SWEEP_MS)
            sweep(terminator);
        obey(terminator);
        free_dead(terminator);
    }
    for (enum tunnel_state state = TUNNEL_HANDSHAKE; state < TUNNEL_STATES; state++)
        for (struct tunnel *tunnel; (tunnel = TAILQ_FIRST(&terminator->list[state]));)
            fail(terminator, tunnel, "the server ends");
    free_dead(terminator);
    return NULL;
}

static void destroy(struct terminator *terminator)
{
    SSL_CTX_free(terminator->context);
    SSL_CTX_free(atomic_load(&terminator->next_context));
    if (terminator->listen >= 0)
        close(terminator->listen);
    if (terminator->epoll >= 0)
        close(terminator->epoll);
    if (terminator->wake_fd >= 0)
        close(terminator->wake_fd);
    pthread_mutex_destroy(&terminator->lock);
    pthread_cond_destroy(&terminator->quiet);
    free(terminator->scratch);
    free(terminator);
}

static unsigned at_least(unsigned number)
{
    return number < LEAST_HANDSHAKES ? LEAST_HANDSHAKES : number;
}

static bool prepare(struct terminator *terminator, struct error *err)
{
    const struct terminator_config *config = &terminator->config;
    terminator->most[TUNNEL_HANDSHAKE] = at_least(config->max_connections / 4);
    /* The gate refuses what is beyond the limit of the listener, and needs a tunnel for that. */
    terminator->most[TUNNEL_RELAY] = config->max_connections + at_least(config->max_connections / 4);
    terminator->most[TUNNEL_DRAINING] = terminator->most[TUNNEL_RELAY];
    terminator->most[TUNNEL_CLOSING] = at_least(config->max_connections / 2);
    crowd_init(&terminator->crowd, at_least(terminator->most[TUNNEL_HANDSHAKE] / 2));
    for (enum tunnel_state state = TUNNEL_HANDSHAKE; state < TUNNEL_STATES; state++)
        TAILQ_INIT(&terminator->list[state]);
    TAILQ_INIT(&terminator->dead);
    if (!listen_address_parse(config->address, &terminator->address, err) ||
        !listen_socket_open(&terminator->address, config->address, false, &terminator->listen, err))
        return false;
    terminator->scratch = malloc(TUNNEL_SCRATCH);
    terminator->epoll = epoll_create1(EPOLL_CLOEXEC);
    terminator->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return (terminator->scratch && terminator->epoll >= 0 && terminator->wake_fd >= 0 &&
            add(terminator, terminator->listen, &listen_mark) &&
            add(terminator, terminator->wake_fd, &wake_mark)) ||
           error_errno(err, errno, "TLS at %s cannot be started", config->address);
}

bool terminator_open(const struct terminator_config *config, SSL_CTX *context, struct terminator **ret,
                     struct error *err)
{
    struct terminator *terminator = calloc(1, sizeof *terminator);
    if (!terminator) {
        SSL_CTX_free(context);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    terminator->config = *config;
    terminator->context = context;
    terminator->listen = terminator->epoll = terminator->wake_fd = -1;
    terminator->accepts = true;
    pthread_mutex_init(&terminator->lock, NULL);
    pthread_cond_init(&terminator->quiet, NULL);
    if (prepare(terminator, err) &&
        thread_start(config->name, terminator_main, terminator, &terminator->thread, err)) {
        *ret = terminator;
        return true;
    }
    destroy(terminator);
    return false;
}

void terminator_set_certificate(struct terminator *terminator, SSL_CTX *context)
{
    SSL_CTX_free(atomic_exchange(&terminator->next_context, context));
    eventfd_write(terminator->wake_fd, 1);
}

void terminator_address(const struct terminator *terminator, char out[64])
{
    listen_socket_text(&terminator->address, out);
}

void terminator_stop_accepting(struct terminator *terminator)
{
    atomic_store(&terminator->stops_accepting, true);
    eventfd_write(terminator->wake_fd, 1);
}

bool terminator_drain(struct terminator *terminator, int64_t deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    bool in_time = true;
    pthread_mutex_lock(&terminator->lock);
    while (!terminator->is_quiet && in_time)
        in_time = thread_wait_until(&terminator->quiet, &terminator->lock, until_ms);
    bool quiet = terminator->is_quiet;
    pthread_mutex_unlock(&terminator->lock);
    return quiet;
}

void terminator_close(struct terminator *terminator)
{
    if (!terminator)
        return;
    atomic_store(&terminator->stopping, true);
    eventfd_write(terminator->wake_fd, 1);
    thread_join(terminator->thread);
    destroy(terminator);
}
