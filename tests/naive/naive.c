/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A small server on libmicrohttpd as one writes it from the manual: its own event loop, its default limits, its timeout.
   The tests of traps run against it too, where they must find the fault that dfotad is built around. Not installed.

   naive-server internal|external TIMEOUT_S
     internal   libmicrohttpd's own epoll thread
     external   our thread polls libmicrohttpd's epoll descriptor, as its manual tells, and nothing else
   Says "listening PORT", "waiting" for each request suspended, and "ended ok=0|1 acked=BYTES" for each request that is
   over, the bytes being what the peer has acknowledged by then (-1: cannot be told). SIGTERM ends it.

     /file    FILE_SIZE bytes
     /work    suspended; the worker resumes it when it has done its work, which takes no time
     /stuck   suspended; the worker never gets to it
     others   told back as the handler was given them: method, URL, bytes of body */
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define FILE_SIZE 400000
#define QUEUE_MAX 1024

struct state {
    size_t body;
    bool suspended;
};

static struct MHD_Connection *queue[QUEUE_MAX];
static unsigned queued;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static atomic_bool ending;

static void *work(void *cls)
{
    (void)cls;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (queued == 0)
            pthread_cond_wait(&some, &lock);
        struct MHD_Connection *connection = queue[--queued];
        pthread_mutex_unlock(&lock);
        MHD_resume_connection(connection);
    }
    return NULL;
}

static void give_to_worker(struct MHD_Connection *connection)
{
    pthread_mutex_lock(&lock);
    if (queued < QUEUE_MAX)
        queue[queued++] = connection;
    pthread_cond_signal(&some);
    pthread_mutex_unlock(&lock);
}

static enum MHD_Result answer(struct MHD_Connection *connection, size_t size, void *bytes)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request_cls)
{
    static char file[FILE_SIZE];
    struct state *state = *request_cls;
    (void)cls, (void)version, (void)upload;
    if (!state) {
        *request_cls = calloc(1, sizeof *state);
        return *request_cls ? MHD_YES : MHD_NO;
    }
    if (*upload_size) {
        state->body += *upload_size;
        *upload_size = 0;
        return MHD_YES;
    }
    bool stuck = strcmp(url, "/stuck") == 0;
    if ((stuck || strcmp(url, "/work") == 0) && !state->suspended) {
        state->suspended = true;
        MHD_suspend_connection(connection);
        puts("waiting");
        if (!stuck)
            give_to_worker(connection);
        return MHD_YES;
    }
    if (strcmp(url, "/file") == 0)
        return answer(connection, sizeof file, file);
    char text[512];
    int size = snprintf(text, sizeof text, "%.15s %.400s %zu", method, url, state->body);
    return answer(connection, (size_t)size, text);
}

static void completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                      enum MHD_RequestTerminationCode code)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    bool known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0;
    (void)cls;
    printf("ended ok=%d acked=%lld\n", code == MHD_REQUEST_TERMINATED_COMPLETED_OK,
           known ? (long long)info.tcpi_bytes_acked : -1);
    free(*request_cls);
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&ending, true);
}

static void run_external(struct MHD_Daemon *daemon)
{
    struct pollfd ready = {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                           .events = POLLIN};
    while (!atomic_load(&ending)) {
        MHD_UNSIGNED_LONG_LONG left_ms;
        poll(&ready, 1, MHD_get_timeout(daemon, &left_ms) == MHD_YES ? (int)left_ms : -1);
        MHD_run(daemon);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    bool internal = strcmp(argv[1], "internal") == 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* it is meant to abort */
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);

    sigset_t term, before;
    pthread_t worker;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    pthread_create(&worker, NULL, work, NULL);
    unsigned flags = MHD_ALLOW_SUSPEND_RESUME | (internal ? MHD_USE_EPOLL_INTERNAL_THREAD : MHD_USE_EPOLL);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)atoi(argv[2]), MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("listening %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    if (internal) {
        int number;
        sigwait(&term, &number);
    } else {
        struct sigaction action = {.sa_handler = on_signal};
        sigaction(SIGTERM, &action, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        run_external(daemon);
    }
    MHD_stop_daemon(daemon);
    puts("stopped");
    return 0;
}
