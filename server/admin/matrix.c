/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of all pairs of a firmware, the devices that wait for each pair, and how long the queue takes. */
#include "server/admin/handlers.h"
#include "server/admin/matrix.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/planning/package_key.h"
#include "storage/matrix.h"

#define QUEUE_SHOWN 100 /* pairs of the queue, without ?limit= */
#define QUEUE_MOST  1000

struct pairs {
    struct firmware firmware;
    struct matrix_pair *list;
    size_t count;
    struct matrix_waiting *waiting;
    size_t waiting_count;
    int64_t queued, generating, image_bytes; /* of the queued and generating packages */
};

static void cleanup_pairs(struct pairs *pairs)
{
    free(pairs->list);
    free(pairs->waiting);
}

/* Duration of the queue */

/* Each package is first made with the least effort in use, so this is the rate of that effort. Negative:
   nothing was measured. */
static double rate_of(const struct matrix_speed *speeds, size_t count, const char *format)
{
    int64_t least = INT64_MAX, took_ms = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(speeds[i].format, format) != 0 || speeds[i].effort > least || !speeds[i].image_bytes)
            continue;
        if (speeds[i].effort < least)
            took_ms = bytes = 0;
        least = speeds[i].effort;
        took_ms += speeds[i].took_ms;
        bytes += speeds[i].image_bytes;
    }
    return bytes ? (double)took_ms / (double)bytes : -1;
}

static bool estimate(struct admin_call *call, const struct matrix_backlog *backlog, size_t count,
                     json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct matrix_speed *speeds = NULL;
    size_t speed_count;
    double ms = 0;
    if (!matrix_speeds(call->db, &speeds, &speed_count, err))
        return false;
    for (size_t i = 0; i < count && ms >= 0; i++) {
        double rate = rate_of(speeds, speed_count, backlog[i].format);
        if (backlog[i].packages)
            ms = rate < 0 ? -1
                          : ms + rate * (double)backlog[i].image_bytes / (double)call->daemon->config->jobs;
    }
    *ret = ms < 0 ? json_null() : json_integer((json_int_t)(ms + 0.5));
    return true;
}

bool admin_backlog_estimate(struct admin_call *call, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct matrix_backlog *backlog = NULL;
    size_t count;
    return matrix_backlog(call->db, &backlog, &count, err) && estimate(call, backlog, count, ret, err);
}

static bool queue_json(struct admin_call *call, const struct pairs *pairs, json_t **ret, struct error *err)
{
    struct matrix_backlog own = {.packages = pairs->queued + pairs->generating,
                                 .image_bytes = pairs->image_bytes};
    json_t *ms;
    snprintf(own.format, sizeof own.format, "%s", pairs->firmware.format);
    if (!estimate(call, &own, 1, &ms, err))
        return false;
    *ret = json_pack("{s:I, s:I, s:o}", "queued", (json_int_t)pairs->queued, "generating",
                     (json_int_t)pairs->generating, "estimate_ms", ms);
    return true;
}

/* Pairs */

/* Storage also has rows for equal bytes under two versions, and for ways down. The matrix shows only the
   way up. */
static bool goes_up(const struct matrix_pair *pair)
{
    struct version from, to;
    return version_parse(slice_of(pair->from), &from) && version_parse(slice_of(pair->to), &to) &&
           version_compare(&from, &to) < 0;
}

static void count_states(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct matrix_pair *pair = &pairs->list[i];
        bool queued = pair->state == PACKAGE_QUEUED, generating = pair->state == PACKAGE_GENERATING;
        pairs->queued += queued;
        pairs->generating += generating;
        pairs->image_bytes += queued || generating ? pair->image_bytes : 0;
    }
}

static bool load_pairs(struct admin_call *call, struct pairs *pairs, struct error *err)
{
    struct product product;
    struct package_key key;
    static const struct image any; /* the recipe depends on the firmware only */
    if (!path_params_firmware(call->request, call->db, &product, &pairs->firmware, err))
        return false;
    package_key_of(call->daemon, &pairs->firmware, &any, &any, &key);
    if (!matrix_pairs(call->db, &key, &pairs->list, &pairs->count, err) ||
        !matrix_waiting(call->db, pairs->firmware.id, &pairs->waiting, &pairs->waiting_count, err))
        return false;
    count_states(pairs);
    return true;
}

/* At most one row per pair, and few rows: devices wait for their next hop, not for the whole matrix. */
static int64_t waiting_for(const struct pairs *pairs, const struct matrix_pair *pair)
{
    for (size_t i = 0; i < pairs->waiting_count; i++)
        if (strcmp(pairs->waiting[i].from, pair->from) == 0 && strcmp(pairs->waiting[i].to, pair->to) == 0)
            return pairs->waiting[i].devices;
    return 0;
}

static json_t *pair_json(const struct pairs *pairs, const struct matrix_pair *pair)
{
    static const char *const efforts[] = {"", "quick", "good", "best"};
    bool made = pair->size_bytes > 0;
    int64_t counted = pair->size_bytes - pair->uncounted_bytes;
    bool oversize = counted > pairs->firmware.max_package_bytes,
         timed = pair->started_ms && pair->finished_ms >= pair->started_ms;
    size_t effort = (size_t)pair->effort % (sizeof efforts / sizeof *efforts);
    json_t *json = json_pack(
        "{s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:b, s:b, s:o, s:I, s:o, s:o}", "from", pair->from,
        "from_variant", field_text(pair->from_variant), "to", pair->to, "to_variant",
        field_text(pair->to_variant), "state",
        oversize ? "oversize" : enum_name(&package_state_names, pair->state), "size",
        field_number(pair->size_bytes), "counted", made ? json_integer((json_int_t)counted) : json_null(),
        "proven", made && pair->proven, "released", pair->released, "effort", field_text(efforts[effort]),
        "waiting", (json_int_t)waiting_for(pairs, pair), "duration_ms",
        timed ? json_integer(pair->finished_ms - pair->started_ms) : json_null(), "error",
        field_text(pair->error));
    reason_to_json(json, "quarantine", pair->quarantine);
    return json;
}

static json_t *build_json(const struct image *image)
{
    char name[BUILD_NAME_SIZE];
    image_build_name(image, name);
    return json_pack("{s:s, s:s, s:o, s:b, s:b}", "name", name, "version", image->version, "variant",
                     field_text(image->variant), "default", image->is_default, "withdrawn",
                     image->withdrawn_ms != 0);
}

struct names { /* of the rows and columns */
    json_t *versions, *builds, *withdrawn, *full;
};

static void cleanup_names(struct names *names)
{
    json_decref(names->versions);
    json_decref(names->builds);
    json_decref(names->withdrawn);
    json_decref(names->full);
}

static void add_once(json_t *list, const char *version)
{
    const char *last = json_string_value(json_array_get(list, json_array_size(list) - 1));
    if (!last || strcmp(last, version) != 0)
        json_array_append_new(list, json_string(version));
}

/* A version is withdrawn when all its builds are. */
static void note_withdrawn(json_t *withdrawn, const json_t *builds)
{
    size_t i;
    json_t *build;
    bool all = true;
    json_array_foreach (builds, i, build) {
        const char *version = json_string_value(json_object_get(build, "version"));
        const char *next = json_string_value(json_object_get(json_array_get(builds, i + 1), "version"));
        all = all && json_is_true(json_object_get(build, "withdrawn"));
        if (next && strcmp(next, version) == 0)
            continue;
        if (all)
            json_array_append_new(withdrawn, json_string(version));
        all = true;
    }
}

static bool add_versions(struct admin_call *call, const struct pairs *pairs, struct names *names,
                         struct error *err)
{
    _cleanup_(cleanup_free) struct image *images = NULL;
    size_t count;
    if (!image_list(call->db, pairs->firmware.id, &images, &count, err))
        return false;
    *names = (struct names){json_array(), json_array(), json_array(), json_array()};
    for (size_t i = 0; i < count; i++) {
        add_once(image_is_full(&images[i]) ? names->full : names->versions, images[i].version);
        if (!image_is_full(&images[i]))
            json_array_append_new(names->builds, build_json(&images[i]));
    }
    note_withdrawn(names->withdrawn, names->builds);
    return true;
}

/* The full packages of CSDK: one for each image. */
static bool whole_to_json(struct admin_call *call, const struct firmware *firmware, json_t *list,
                          struct error *err)
{
    _cleanup_(cleanup_free) struct image *images = NULL;
    size_t count;
    if (!firmware_takes_full_packages(firmware))
        return true;
    if (!image_list(call->db, firmware->id, &images, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct package_key key;
        struct package package;
        bool found;
        package_key_of_whole(firmware, &images[i], &key);
        if (image_is_full(&images[i]))
            continue;
        if (!package_find(call->db, &key, &package, &found, err))
            return false;
        if (found)
            json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:o}", "to", images[i].version,
                                                  "to_variant", field_text(images[i].variant), "state",
                                                  package_state_name(&package), "size",
                                                  field_number(package.size_bytes)));
    }
    return true;
}

bool admin_matrix_show(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_pairs) struct pairs pairs = {.list = NULL};
    _cleanup_(cleanup_names) struct names names = {.versions = NULL};
    _cleanup_(cleanup_json) json_t *items = json_array(), *whole = json_array();
    json_t *queue;
    if (!load_pairs(call, &pairs, err) || !add_versions(call, &pairs, &names, err) ||
        !whole_to_json(call, &pairs.firmware, whole, err) || !queue_json(call, &pairs, &queue, err))
        return false;
    for (size_t i = 0; i < pairs.count; i++)
        if (goes_up(&pairs.list[i]))
            json_array_append_new(items, pair_json(&pairs, &pairs.list[i]));
    reply_json(&call->reply, 200,
               json_pack("{s:s, s:o, s:I, s:O, s:O, s:O, s:O, s:O, s:O, s:o}", "firmware",
                         pairs.firmware.name, "format", field_text(pairs.firmware.format), "limit",
                         (json_int_t)pairs.firmware.max_package_bytes, "versions", names.versions, "builds",
                         names.builds, "withdrawn", names.withdrawn, "full", names.full, "full_packages",
                         whole, "pairs", items, "queue", queue));
    return true;
}

/* The queue */

struct place { /* of a pair in the queue */
    const struct matrix_pair *pair;
    int64_t devices;
};

/* In the order of work: those that are being made now come first. */
static int by_turn(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    const int64_t keys[][2] = {{y->pair->state == PACKAGE_GENERATING, x->pair->state == PACKAGE_GENERATING},
                               {y->devices, x->devices},
                               {y->pair->wanted, x->pair->wanted},
                               {x->pair->queued_ms, y->pair->queued_ms}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static bool read_limit(struct admin_call *call, uint64_t *ret, struct error *err)
{
    char text[24];
    bool found;
    *ret = QUEUE_SHOWN;
    if (!request_query(call->request, "limit", text, sizeof text, &found, err))
        return false;
    return !found || (slice_u64(slice_of(text), ret) && *ret >= 1 && *ret <= QUEUE_MOST) ||
           error_set(err, ERROR_BAD_REQUEST, "limit must be a whole number from 1 to %d", QUEUE_MOST);
}

static json_t *place_json(const struct pairs *pairs, const struct place *place)
{
    json_t *json = pair_json(pairs, place->pair);
    json_object_set_new(json, "wanted", json_string(place->pair->wanted ? "asked" : "matrix"));
    json_object_set_new(json, "queued_at", field_number(place->pair->queued_ms));
    return json;
}

bool admin_queue_show(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_pairs) struct pairs pairs = {.list = NULL};
    uint64_t limit;
    json_t *queue;
    if (!read_limit(call, &limit, err) || !load_pairs(call, &pairs, err))
        return false;
    _cleanup_(cleanup_free) struct place *places = calloc(pairs.count + 1, sizeof *places);
    size_t count = 0;
    if (!places)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < pairs.count; i++) {
        struct place place = {&pairs.list[i], waiting_for(&pairs, &pairs.list[i])};
        if (place.pair->state == PACKAGE_QUEUED || place.pair->state == PACKAGE_GENERATING || place.devices)
            places[count++] = place;
    }
    qsort(places, count, sizeof *places, by_turn);
    if (!queue_json(call, &pairs, &queue, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count && i < limit; i++)
        json_array_append_new(items, place_json(&pairs, &places[i]));
    json_object_set_new(queue, "items", items);
    reply_json(&call->reply, 200, queue);
    return true;
}
