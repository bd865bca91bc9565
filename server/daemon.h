/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of both listeners work with: everything that lives as long as the server. Made by
   daemon.c at start, read only afterwards; each part says for itself which threads may use it. */
#ifndef DFOTA_SERVER_DAEMON_H
#define DFOTA_SERVER_DAEMON_H

#include "base/sha256.h"
#include "server/config/config.h"
#include "server/db/reader_pool.h"
#include "server/delivery/transfer.h"
#include "server/core/thread_pool.h"
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

struct daemon {
    struct config config;
    struct blobs *blobs;
    struct writer *writer;           /* changes */
    struct reader_pool *reader_pool; /* looks */
    struct thread_pool *thread_pool;
    struct transfers *transfers;
    struct package_cache *cache;
    struct plan_cache *plan_cache; /* the writer's */
    struct checkin_counters *counters;
    struct refused *refused;
    struct progress *progress;
    struct scheduler *scheduler;
    struct maintenance *maintenance;
    struct prebuild *prebuild;
    struct sha256 *tokens; /* hashes of the admin tokens */
    size_t token_count;
    /* "http://host:port" that links begin with; "": none that can be handed out. Set once the device listener is
       bound, when its first requests may be here already. */
    const char *_Atomic device_url;
    int64_t started_ms; /* boot clock */
    int ending_fd; /* readable once what is being answered has had its time: ends the children of requests */
};

/* Runs the server until SIGTERM or SIGINT. The config is the caller's. */
bool daemon_run(const struct config *config, struct error *err);

#endif
