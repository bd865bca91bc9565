/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of both listeners and the threads of the server share: all parts that live as long as the server.
   daemon.c fills the struct at start; after that the struct is only read, apart from the two atomic pointers. The header of each part says which threads
   may use the part. */
#ifndef DFOTA_SERVER_CONTEXT_H
#define DFOTA_SERVER_CONTEXT_H

#include <stdatomic.h>

#include "base/sha256.h"
#include "server/config/config.h"
#include "server/core/thread_pool.h"
#include "server/db/reader_pool.h"
#include "server/http/transfer.h"
#include "server/db/writer.h"
#include "storage/blob.h"

struct maintenance;
struct scheduler;
struct prebuild;
struct package_cache;
struct plan_cache;
struct progress;
struct refused;
struct checkin_counters;
struct sender;
struct waiting;
struct unchanged;
struct sessions;
struct tokens;
struct attempts;
struct live;
struct signing_key;
struct snapshot;
struct sizes;

#define CERTIFICATE_WARN_DAYS 21 /* before the end of a certificate */

struct daemon {
    /* A reload puts another one here; one that was read stays valid until the server ends (reload.h). So a function
       that needs several values of the same moment reads the pointer once. */
    const struct config *_Atomic config;
    struct blobs *blobs;
    struct writer *writer;           /* for changes */
    struct reader_pool *reader_pool; /* for reads */
    struct thread_pool *thread_pool;
    struct transfers *transfers;
    struct package_cache *cache;
    struct plan_cache *plan_cache; /* writer's thread only */
    struct checkin_counters *counters;
    struct refused *refused;
    struct waiting *waiting; /* writer's thread only */
    struct unchanged *unchanged;
    struct progress *progress;
    struct scheduler *scheduler;
    struct maintenance *maintenance;
    struct prebuild *prebuild;
    struct sender *sender;     /* of webhooks */
    struct tokens *tokens;     /* of the admin API */
    struct attempts *attempts; /* failed ones to use a token */
    struct sessions *sessions; /* of the console */
    struct live *live;         /* streams of events */
    struct snapshot *snapshot; /* for a backup */
    struct sizes *sizes;       /* of the last daily count */
    const struct signing_key *signing_key;
    /* "http://host:port": links begin with it. "": no link can be made. Set when the device listener is bound; its first
       requests may be here already. */
    const char *_Atomic device_url;
    _Atomic int64_t device_certificate_ends_ms, admin_certificate_ends_ms; /* UTC; 0: no TLS */
    int64_t started_ms;                                                    /* boot clock */
    atomic_bool is_serving; /* both listeners are open, and the server is not ending */
    int ending_fd; /* becomes readable when the time to answer open requests is over: ends the children of requests */
};

#endif
