/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/listeners.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/admin/admin.h"
#include "server/checkin/refusal.h"
#include "server/config/device_url.h"
#include "server/core/log.h"
#include "server/db/turn_reader.h"
#include "server/device/device.h"
#include "server/http/certificate.h"
#include "server/http/listener.h"
#include "server/http/terminator.h"

#define DEVICE_HEAD_MAX 4096 /* the longest known request of a module has less than 600 bytes */
#define DEVICE_MEMORY   (8 * 1024)
#define DEVICE_BODIES                                                                                        \
    (16 * 1024 * 1024) /* 64 transcripts of the longest kind at once; a host sends one a day */
#define ADMIN_HEAD_MAX (16 * 1024)
#define ADMIN_MEMORY   (128 * 1024) /* measured: uploads are nearly twice as fast as with 32 KB */

static void choose_device_url(struct daemon *daemon, const struct listeners *listeners)
{
    const char *configured = daemon->config->public_device_url;
    struct error unusable;
    daemon->device_url = configured[0]                                        ? configured
                         : device_url_check(listeners->device_url, &unusable) ? listeners->device_url
                                                                              : "";
}

/* The bound address decides, because the configuration may write "any address" in many ways. */
static void note_device_url(struct daemon *daemon, struct listeners *listeners)
{
    char address[64];
    listener_address(listeners->device, address);
    snprintf(listeners->device_url, sizeof listeners->device_url, "http://%s", address);
    choose_device_url(daemon, listeners);
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
        .loops = (unsigned)daemon->config->loops,
        .head_timeout_ms = (int64_t)daemon->config->head_timeout_ms,
        .body_timeout_ms = (int64_t)daemon->config->body_timeout_ms,
        .idle_timeout_ms = (int64_t)daemon->config->idle_timeout_ms,
        .least_rate = daemon->config->least_rate,
        .thread_pool = daemon->thread_pool,
        .context = daemon,
    };
}

static bool comes_from_proxy(const struct request *request)
{
    const struct daemon *daemon = request->context;
    return config_is_proxy(daemon->config, request->peer);
}

static struct listener_config device_listener(struct daemon *daemon)
{
    struct listener_config device = common_listener(daemon);
    device.name = "device";
    device.address = daemon->config->device_listen;
    device.max_connections = (unsigned)daemon->config->max_device_connections;
    device.keep_alive_ms = (int64_t)daemon->config->device_keep_alive_ms;
    device.is_proxy = comes_from_proxy;
    device.max_head_bytes = DEVICE_HEAD_MAX;
    device.memory_per_connection = DEVICE_MEMORY;
    device.no_chunks = true;
    device.bare_refusals = true;
    device.direct = true;
    device.trailing_slash = true;
    device.secret_paths = true;
    device.no_transform = true;
    device.vet = report_vet;
    device.max_bodies_bytes = DEVICE_BODIES;
    device.routes = device_routes;
    device.route_count = device_route_count;
    device.end_turn = turn_reader_end;
    device.transfers = daemon->transfers;
    device.render_error = refusal_render_error;
    return device;
}

static struct listener_config admin_listener(struct daemon *daemon)
{
    struct listener_config admin = common_listener(daemon);
    admin.name = "admin";
    admin.metrics = METRIC_ADMIN;
    admin.address = daemon->config->admin_listen;
    admin.loops = 1;
    admin.max_connections = (unsigned)daemon->config->max_admin_connections;
    admin.keep_alive_ms = (int64_t)daemon->config->admin_keep_alive_ms;
    admin.max_head_bytes = ADMIN_HEAD_MAX;
    admin.memory_per_connection = ADMIN_MEMORY;
    admin.routes = admin_routes;
    admin.route_count = admin_route_count;
    admin.single_headers = true;
    admin.authorize = admin_authorize;
    admin.check = admin_check_query;
    admin.divert = admin_divert;
    admin.add_headers = admin_add_headers;
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

/* One of the two places with TLS, as the configuration names them. */
struct tls_place {
    const char *name, *listen, *cert, *key;
};

static struct tls_place device_place(const struct config *config)
{
    return (struct tls_place){"device", config->device_tls_listen, config->device_tls_cert,
                              config->device_tls_key};
}

static struct tls_place admin_place(const struct config *config)
{
    return (struct tls_place){"admin", config->admin_tls_listen, config->admin_tls_cert,
                              config->admin_tls_key};
}

static bool load(const struct tls_place *place, struct certificate *ret, struct error *err)
{
    struct error why;
    if (!place->cert[0])
        return error_set(err, ERROR_INVALID, "%s_tls_listen needs a certificate: set %s_tls_cert",
                         place->name, place->name);
    return certificate_load(place->cert, place->key, ret, &why) ||
           error_set(err, ERROR_INVALID, "%s_tls_cert: %s", place->name, why.text);
}

static bool check(struct tls_place place, struct error *err)
{
    struct certificate certificate;
    if (!place.listen[0])
        return true;
    if (!load(&place, &certificate, err))
        return false;
    SSL_CTX_free(certificate.context);
    return true;
}

bool listeners_check(const struct config *config, struct error *err)
{
    return check(device_place(config), err) && check(admin_place(config), err);
}

static void warn_of_end(const struct tls_place *place, int64_t ends_ms)
{
    int64_t left_ms = ends_ms - clock_utc_ms();
    struct log_number days;
    if (left_ms <= 0)
        log_line(LOG_LEVEL_WARN, "certificate-expired", "listener", place->name, "file", place->cert, "then",
                 "clients refuse it: put a new one there, and reload (SIGHUP)", NULL);
    else if (left_ms < CERTIFICATE_WARN_DAYS * DAY_MS)
        log_line(LOG_LEVEL_WARN, "certificate-ends", "listener", place->name, "file", place->cert, "days",
                 log_i64(&days, left_ms / DAY_MS), "then", "put a new one there, and reload (SIGHUP)", NULL);
}

void listeners_warn(const struct daemon *daemon)
{
    const struct config *config = daemon->config;
    const struct tls_place device = device_place(config), admin = admin_place(config);
    if (daemon->device_certificate_ends_ms)
        warn_of_end(&device, daemon->device_certificate_ends_ms);
    if (daemon->admin_certificate_ends_ms)
        warn_of_end(&admin, daemon->admin_certificate_ends_ms);
}

static void log_certificate(const struct tls_place *place, const struct certificate *certificate)
{
    struct log_number days;
    log_line(LOG_LEVEL_INFO, "certificate", "listener", place->name, "file", place->cert, "days",
             log_i64(&days, (certificate->ends_ms - clock_utc_ms()) / DAY_MS), NULL);
    warn_of_end(place, certificate->ends_ms);
    if (certificate->is_exposed)
        log_line(LOG_LEVEL_WARN, "certificate-key-exposed", "listener", place->name, "file",
                 place->key[0] ? place->key : place->cert, "then",
                 "other users of this machine may read or change the private key: chmod 600", NULL);
}

static void take_certificate(struct tls_place place, struct terminator *terminator, _Atomic int64_t *ends_ms)
{
    struct certificate certificate;
    struct error err;
    if (!terminator)
        return;
    if (!load(&place, &certificate, &err)) { /* was checked a moment ago */
        log_line(LOG_LEVEL_ERROR, "reload-failed", "error", err.text, "then", "the certificate in use stays",
                 NULL);
        return;
    }
    terminator_set_certificate(terminator, certificate.context);
    *ends_ms = certificate.ends_ms;
    log_certificate(&place, &certificate);
}

static bool open_tls(struct daemon *daemon, struct tls_place place, struct listener *listener, unsigned most,
                     _Atomic int64_t *ends_ms, struct terminator **ret, struct error *err)
{
    char address[64];
    struct certificate certificate;
    const struct terminator_config config = {
        .name = place.name[0] == 'd' ? "tls-device" : "tls-admin",
        .address = place.listen,
        .listener = listener,
        .max_connections = most,
        .handshake_timeout_ms = (int64_t)daemon->config->head_timeout_ms,
        .idle_timeout_ms = (int64_t)daemon->config->idle_timeout_ms,
        .least_rate = daemon->config->least_rate,
    };
    if (!place.listen[0])
        return true;
    if (!load(&place, &certificate, err) || !terminator_open(&config, certificate.context, ret, err))
        return false;
    *ends_ms = certificate.ends_ms;
    terminator_address(*ret, address);
    log_line(LOG_LEVEL_INFO, "listening-tls", "listener", place.name, "address", address, NULL);
    log_certificate(&place, &certificate);
    return true;
}

static bool open_both_tls(struct daemon *daemon, struct listeners *listeners, struct error *err)
{
    const struct config *config = daemon->config;
    return open_tls(daemon, device_place(config), listeners->device, (unsigned)config->max_device_connections,
                    &daemon->device_certificate_ends_ms, &listeners->device_tls, err) &&
           open_tls(daemon, admin_place(config), listeners->admin, (unsigned)config->max_admin_connections,
                    &daemon->admin_certificate_ends_ms, &listeners->admin_tls, err);
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
    return open_both_tls(daemon, ret, err);
}

int64_t listeners_turned_ms(struct listeners *listeners)
{
    int64_t device = listener_turned_ms(listeners->device), admin = listener_turned_ms(listeners->admin);
    return device < admin ? device : admin;
}

void listeners_reload(struct listeners *listeners, struct daemon *daemon)
{
    const char *before = daemon->device_url;
    choose_device_url(daemon, listeners);
    if (strcmp(before, daemon->device_url) != 0)
        log_device_url(daemon);
    take_certificate(device_place(daemon->config), listeners->device_tls,
                     &daemon->device_certificate_ends_ms);
    take_certificate(admin_place(daemon->config), listeners->admin_tls, &daemon->admin_certificate_ends_ms);
}

static int64_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_boot_ms();
    return left > 0 ? left : 0;
}

/* TLS goes on until the listener behind it has answered. */
static bool drain(struct listener *listener, struct terminator *terminator, int64_t until_ms)
{
    if (terminator)
        terminator_stop_accepting(terminator);
    bool drained = !listener || listener_drain(listener, left_ms(until_ms));
    return (!terminator || terminator_drain(terminator, left_ms(until_ms))) && drained;
}

bool listeners_drain(struct listeners *listeners, int64_t until_ms)
{
    bool drained = drain(listeners->device, listeners->device_tls, until_ms);
    return drain(listeners->admin, listeners->admin_tls, until_ms) && drained;
}

void listeners_close(struct listeners *listeners)
{
    terminator_close(listeners->device_tls);
    terminator_close(listeners->admin_tls);
    listener_close(listeners->device);
    listener_close(listeners->admin);
}
