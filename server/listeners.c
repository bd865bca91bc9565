/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/listeners.h"

#include <stdio.h>

#include "base/clock.h"
#include "server/admin/admin.h"
#include "server/checkin/refusal.h"
#include "server/config/device_url.h"
#include "server/core/log.h"
#include "server/device/device.h"
#include "server/http/listener.h"

#define DEVICE_HEAD_MAX 4096 /* the longest known request of a module has less than 600 bytes */
#define DEVICE_MEMORY   (8 * 1024)
#define DEVICE_BODIES                                                                                        \
    (16 * 1024 * 1024) /* 64 transcripts of the longest kind at once; a host sends one a day */
#define ADMIN_HEAD_MAX (16 * 1024)
#define ADMIN_MEMORY   (128 * 1024) /* measured: uploads are nearly twice as fast as with 32 KB */

/* The bound address decides, because the configuration may write "any address" in many ways. */
static void note_device_url(struct daemon *daemon, struct listeners *listeners)
{
    char address[64];
    struct error unusable;
    listener_address(listeners->device, address);
    snprintf(listeners->device_url, sizeof listeners->device_url, "http://%s", address);
    if (daemon->config.public_device_url[0])
        daemon->device_url = daemon->config.public_device_url;
    else if (device_url_check(listeners->device_url, &unusable))
        daemon->device_url = listeners->device_url;
}

static void log_address(const char *name, const struct listener *listener)
{
    char address[64];
    listener_address(listener, address);
    log_line(LOG_LEVEL_INFO, "listening", "listener", name, "address", address, NULL);
}

static struct listener_config common_listener(struct daemon *daemon)
{
    return (struct listener_config){
        .loops = (unsigned)daemon->config.loops,
        .head_timeout_ms = (int64_t)daemon->config.head_timeout_ms,
        .body_timeout_ms = (int64_t)daemon->config.body_timeout_ms,
        .idle_timeout_ms = (int64_t)daemon->config.idle_timeout_ms,
        .least_rate = daemon->config.least_rate,
        .transfers = daemon->transfers,
        .thread_pool = daemon->thread_pool,
        .context = daemon,
    };
}

static struct listener_config device_listener(struct daemon *daemon)
{
    struct listener_config device = common_listener(daemon);
    device.name = "device";
    device.address = daemon->config.device_listen;
    device.max_connections = (unsigned)daemon->config.max_device_connections;
    device.max_head_bytes = DEVICE_HEAD_MAX;
    device.memory_per_connection = DEVICE_MEMORY;
    device.no_chunks = true;
    device.bare_refusals = true;
    device.trailing_slash = true;
    device.vet = report_vet;
    device.max_bodies_bytes = DEVICE_BODIES;
    device.routes = device_routes;
    device.route_count = device_route_count;
    device.render_error = refusal_render_error;
    return device;
}

static struct listener_config admin_listener(struct daemon *daemon)
{
    struct listener_config admin = common_listener(daemon);
    admin.name = "admin";
    admin.metrics = METRIC_ADMIN;
    admin.address = daemon->config.admin_listen;
    admin.loops = 1;
    admin.max_connections = (unsigned)daemon->config.max_admin_connections;
    admin.max_head_bytes = ADMIN_HEAD_MAX;
    admin.memory_per_connection = ADMIN_MEMORY;
    admin.routes = admin_routes;
    admin.route_count = admin_route_count;
    admin.authorize = admin_authorize;
    admin.take = admin_events_take;
    admin.render_error = admin_render_error;
    return admin;
}

static void log_device_url(const struct daemon *daemon)
{
    if (!daemon->device_url[0])
        log_line(
            LOG_LEVEL_WARN, "no-public-device-url", "then",
            "links cannot be made: set public_device_url to the address under which modules reach this server",
            NULL);
    else if (device_url_is_local(daemon->device_url))
        log_line(LOG_LEVEL_WARN, "local-device-url", "address", daemon->device_url, "then",
                 "only programs on this machine can reach this address, no module: set public_device_url",
                 NULL);
    else if (device_url_is_https(daemon->device_url))
        log_line(LOG_LEVEL_INFO, "https-device-url", "address", daemon->device_url, "then",
                 "AT firmware cannot use links: it fetches over plain http:// only", NULL);
}

bool listeners_open(struct daemon *daemon, struct listeners *ret, struct error *err)
{
    struct listener_config device = device_listener(daemon), admin = admin_listener(daemon);
    if (!listener_open(&device, &ret->device, err))
        return false;
    note_device_url(daemon, ret); /* before an admin can ask for a link */
    if (!listener_open(&admin, &ret->admin, err))
        return false;
    log_address("device", ret->device);
    log_address("admin", ret->admin);
    log_device_url(daemon);
    return true;
}

static bool drain(struct listener *listener, int64_t until_ms)
{
    int64_t left_ms = until_ms - clock_boot_ms();
    return !listener || listener_drain(listener, left_ms > 0 ? left_ms : 0);
}

bool listeners_drain(struct listeners *listeners, int64_t until_ms)
{
    bool drained = drain(listeners->device, until_ms);
    return drain(listeners->admin, until_ms) && drained;
}

void listeners_close(struct listeners *listeners)
{
    listener_close(listeners->device);
    listener_close(listeners->admin);
}
