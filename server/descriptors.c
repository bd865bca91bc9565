/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/descriptors.h"

#include <sys/resource.h>

#include "server/core/log.h"

/* Database, readers, blobs, jobs with their pipes, loops, webhooks, lingering connections: 256. Packages in memory: 128. */
#define OWN_DESCRIPTORS 384

/* Descriptors of one connection, in quarters: one, and a quarter for connections that wait or linger beyond the limit. TLS
   takes two more: at the peer, and inside of the server; and one for a tunnel that still sends a package when its connection
   is over. A connection that is kept takes one more while libmicrohttpd sends its answer. */
static uint64_t device_quarters(const struct config *config)
{
    return (config->device_tls_listen[0] ? 17U : 5U) + (config->device_keep_alive_ms ? 4U : 0U);
}

static uint64_t admin_quarters(const struct config *config)
{
    return (config->admin_tls_listen[0] ? 13U : 5U) + (config->admin_keep_alive_ms ? 4U : 0U);
}

static uint64_t descriptors_needed(const struct config *config)
{
    return OWN_DESCRIPTORS + config->max_device_connections * device_quarters(config) / 4 +
           config->max_admin_connections * admin_quarters(config) / 4;
}

/* Lowers the limits of connections: without free descriptors the server could open no file any more. */
static void fit_connections(struct config *config, uint64_t descriptors)
{
    struct log_number limit, device, admin;
    if (descriptors_needed(config) <= descriptors)
        return;
    uint64_t left = descriptors > OWN_DESCRIPTORS ? descriptors - OWN_DESCRIPTORS : 0;
    uint64_t most_admin = left / 10 < 4 ? 4 : left / 10; /* an eighth of what is left */
    if (config->max_admin_connections > most_admin)
        config->max_admin_connections = most_admin;
    uint64_t taken = config->max_admin_connections * admin_quarters(config) / 4;
    uint64_t most_device = left > taken ? (left - taken) * 4 / device_quarters(config) : 0;
    if (config->max_device_connections > most_device)
        config->max_device_connections = most_device < 4 ? 4 : most_device;
    log_line(
        LOG_LEVEL_WARN, "descriptors-few", "limit", log_i64(&limit, (long long)descriptors),
        "max_device_connections", log_i64(&device, (long long)config->max_device_connections),
        "max_admin_connections", log_i64(&admin, (long long)config->max_admin_connections), "then",
        "the limits of connections were lowered to fit; for more, raise the hard limit of open files (LimitNOFILE, ulimit -Hn)",
        NULL);
}

void descriptors_raise(struct config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
        fit_connections(config, limit.rlim_max);
}
