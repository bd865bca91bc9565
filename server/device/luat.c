/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The vendor's dialect: GET /api/site/firmware_upgrade with all parameters in the query. */
#include <stdio.h>

#include "base/clock.h"
#include "server/checkin/checkin.h"
#include "server/checkin/checkin_task.h"
#include "server/context.h"
#include "server/device/device.h"
#include "server/core/log.h"
#include "server/checkin/refused.h"
#include "server/checkin/client_secret.h"
#include "upgrade/name_dialect.h"

#define VALUE_SIZE 256

/* The query follows '?', or directly the path; then it must contain '='. A slash may come before it. */
static bool find_query(struct slice rest, struct slice *ret, struct error *err)
{
    while (rest.len && rest.ptr[0] == '/')
        rest = (struct slice){rest.ptr + 1, rest.len - 1};
    bool glued = rest.len && rest.ptr[0] != '?';
    if (glued && !memchr(rest.ptr, '=', rest.len))
        return error_set(err, ERROR_NOT_FOUND, "this path does not exist");
    *ret = rest.len && !glued ? (struct slice){rest.ptr + 1, rest.len - 1} : rest;
    return true;
}

static bool read_identity(struct slice query, struct client_identity *client, struct error *err)
{
    for (enum id_kind kind = 0; kind < ID_KINDS && !client->id_usable; kind++) {
        char text[VALUE_SIZE];
        struct slice raw;
        size_t len;
        if (!query_raw(query, identity_kind_name(kind), &raw))
            continue;
        if (!slice_percent_decode(raw, text, sizeof text, &len))
            return error_set(err, ERROR_BAD_NAME,
                             "%s is malformed: it must be percent-encoded, at most %d bytes",
                             identity_kind_name(kind), VALUE_SIZE - 1);
        struct slice bytes = {text, len};
        client->id_usable = kind == ID_UID ? identity_of_bytes(bytes, &client->identity, &client->id_raw)
                                           : identity_normalise(kind, bytes, &client->identity);
    }
    return true;
}

static bool read_firmware(struct slice query, struct client_identity *client, struct checkin *checkin,
                          struct error *err)
{
    char name[VALUE_SIZE], version[VALUE_SIZE], core_version[VALUE_SIZE], dfota[VALUE_SIZE];
    struct full_name full;
    bool found;
    if (!query_find(query, "firmware_name", name, sizeof name, &found, err) ||
        !query_find(query, "version", version, sizeof version, &found, err) ||
        !query_find(query, "core_version", core_version, sizeof core_version, &found, err) ||
        !query_find(query, "dfota", dfota, sizeof dfota, &found, err))
        return false;
    struct dialect_version said = {.firmware_name = slice_of(name),
                                   .version = slice_of(version),
                                   .core_version = slice_of(core_version),
                                   .dfota = slice_of(dfota)};
    if (!name_dialect_resolve(&said, &full))
        return true;
    slice_copy(slice_of(full.firmware), client->firmware, sizeof client->firmware);
    checkin->version = full.version;
    checkin->core_leads = core_version[0] && strcmp(dfota, "1") == 0 && full.version.count > 1;
    return true;
}

static void show(struct slice query, const char *name, char out[SAID_SIZE])
{
    struct slice raw;
    query_raw(query, name, &raw);
    refused_show(raw, out, SAID_SIZE);
}

void luat_take_words(struct slice query, struct said_words *said)
{
    char id[SAID_SIZE];
    size_t used = 0;
    struct slice raw;
    show(query, "project_key", said->product_key);
    show(query, query_raw(query, "firmware_name", &raw) ? "firmware_name" : "script_name", said->firmware);
    show(query, query_raw(query, "core_version", &raw) ? "core_version" : "version", said->version);
    for (enum id_kind kind = 0; kind < ID_KINDS; kind++) {
        if (!query_raw(query, identity_kind_name(kind), &raw))
            continue;
        refused_show(raw, id, sizeof id);
        used += (size_t)snprintf(said->id + used, SAID_SIZE - used, "%s%s:%.*s", used ? "," : "",
                                 identity_kind_name(kind), 34, id);
    }
}

void luat_fail(struct request *request, struct slice query, const struct error *err)
{
    const struct daemon *daemon = request->context;
    struct unknown row;
    if (!request->head_only && refused_read_malformed(query, clock_utc_ms(), &row)) {
        struct log_number code;
        refused_add(daemon->refused, &row);
        log_line(LOG_LEVEL_INFO, "answer", "peer", request->peer, "code", log_i64(&code, row.code), "reason",
                 err->text, "said", row.text, NULL);
    }
    request_fail(request, err);
}

/* Many clients send an empty one. One that cannot be a secret is ignored. */
static void take_device_key(struct slice query, struct client_identity *client)
{
    struct error ignored;
    bool found;
    if (!query_find(query, "device_key", client->device_key, sizeof client->device_key, &found, &ignored))
        client->device_key[0] = '\0';
}

bool luat_read_client(struct slice query, struct client_identity *client, struct error *err)
{
    char key[VALUE_SIZE];
    bool found;
    if (!query_find(query, "project_key", key, sizeof key, &found, err))
        return false;
    if (name_is_product_key(slice_of(key)))
        slice_copy(slice_of(key), client->product_key, sizeof client->product_key);
    take_device_key(query, client);
    return read_identity(query, client, err);
}

static bool read_request(struct slice query, struct client_identity *client, struct checkin *checkin,
                         struct error *err)
{
    return luat_read_client(query, client, err) && read_firmware(query, client, checkin, err);
}

void luat_handle(struct request *request)
{
    struct client_identity client = {.id_usable = false};
    struct checkin checkin = {.source = CHECKIN_DIALECT, .now_ms = clock_utc_ms()};
    struct error err;
    struct slice query;
    client_secret_take(request, &client);
    if (!find_query(request->param[0], &query, &err))
        request_fail(request, &err);
    else if (!read_request(query, &client, &checkin, &err))
        luat_fail(request, query, &err);
    else {
        checkin_complete(request, &client, &checkin);
        if (checkin_answer_unchanged(request, &client, &checkin))
            return;
        luat_take_words(query, &client.said);
        checkin_start(request, &client, &checkin);
    }
}
