/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What waits for a person, of one product and of one firmware. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/attention.h"
#include "server/planning/graph.h"

bool attention_product(struct attention *attention, const struct product *product, struct error *err)
{
    int64_t held;
    if (!overview_held(attention->call->db, product->id, &held, err))
        return false;
    if (held)
        attention_put(attention, "held",
                      json_pack("{s:s, s:I}", "product", product->product_key, "count", (json_int_t)held), 0,
                      attention_action("admit", NULL, " "),
                      "%lld%s devices of %s wait until an admin admits them", (long long)held,
                      held == OVERVIEW_HELD_MAX ? " or more" : "", product->product_key);
    return true;
}

static json_t *subject_of(const struct product *product, const struct firmware *firmware, int64_t count)
{
    return json_pack("{s:s, s:s, s:I}", "product", product->product_key, "firmware", firmware->name, "count",
                     (json_int_t)count);
}

static bool put_missing_bases(struct attention *attention, const struct product *product,
                              const struct firmware *firmware, struct error *err)
{
    _cleanup_(cleanup_free) struct missing_base *list = NULL;
    size_t count;
    if (!firmware_missing_bases(attention->call->db, firmware->id, &list, &count, err))
        return false;
    attention->more |= count > ATTENTION_OF_KIND;
    for (size_t i = 0; i < count && i < ATTENTION_OF_KIND; i++) {
        json_t *subject = subject_of(product, firmware, list[i].devices);
        json_object_set_new(subject, "version", field_text(list[i].version));
        attention_put(attention, "unknown-base", subject, 0, attention_action("upload-image", NULL, " "),
                      "devices that run V%s: %lld. There is no image of V%s: upload it", list[i].version,
                      (long long)list[i].devices, list[i].version);
    }
    return true;
}

static void put_several(struct attention *attention, const struct product *product,
                        const struct firmware *firmware, const char *version, int64_t devices)
{
    json_t *subject = subject_of(product, firmware, devices);
    json_object_set_new(subject, "version", json_string(version));
    attention_put(attention, "several-builds", subject, 0, attention_action("name-build", NULL, " "),
                  "devices that wait: %lld. V%s has several builds, and none is the default: make one the "
                  "default, or name the build of each device",
                  (long long)devices, version);
}

/* Devices that run such a version, and could go to the target. */
static bool put_several_bases(struct attention *attention, const struct product *product,
                              const struct firmware *firmware, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_version *list = NULL;
    struct version version, target;
    size_t count;
    if (!overview_several_builds(attention->call->db, firmware->id, &list, &count, err))
        return false;
    attention->more |= count > ATTENTION_OF_KIND;
    for (size_t i = 0; i < count && i < ATTENTION_OF_KIND; i++) {
        bool has_target = version_parse(slice_of(firmware->target), &target) &&
                          version_parse(slice_of(list[i].version), &version);
        int order = has_target ? version_compare(&version, &target) : -1;
        if (order < 0 || (order > 0 && firmware->downgrades))
            put_several(attention, product, firmware, list[i].version, list[i].devices);
    }
    return true;
}

/* Whether devices at this version get nothing because the target has several builds. */
static bool misses_default(struct attention *attention, const struct firmware *firmware,
                           const char *from_text, bool *ret, struct error *err)
{
    struct version from, to;
    struct graph graph;
    *ret = false;
    if (!version_parse(slice_of(from_text), &from) || !version_parse(slice_of(firmware->target), &to))
        return true;
    int order = version_compare(&from, &to);
    if (order == 0 || (order > 0 && !firmware->downgrades))
        return true;
    if (!graph_load(attention->call->daemon, attention->call->db, firmware, &from, NULL, &to, &graph, err))
        return false;
    *ret = graph.plan.version[graph.plan.count - 1].several && !graph.plan.version[0].several;
    graph_free(&graph);
    return true;
}

#define ASKED_MAX 64 /* versions that are planned */

/* The target has several builds, and none is the default. */
static bool put_several_target(struct attention *attention, const struct product *product,
                               const struct firmware *firmware, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_version *list = NULL;
    char builds[BUILDS_SIZE];
    struct image target;
    size_t count;
    int64_t devices = 0;
    bool found, misses;
    if (!firmware->target[0])
        return true;
    if (!image_find(attention->call->db, firmware->id, firmware->target, &target, &found, err) ||
        !image_builds(attention->call->db, firmware->id, firmware->target, builds, &count, err))
        return false;
    if (found || !count)
        return true;
    if (!overview_asked(attention->call->db, firmware->id, ASKED_MAX, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!misses_default(attention, firmware, list[i].version, &misses, err))
            return false;
        devices += misses ? list[i].devices : 0;
    }
    if (devices)
        put_several(attention, product, firmware, firmware->target, devices);
    return true;
}

static bool has_path(struct attention *attention, const struct firmware *firmware, const char *from_text,
                     bool *ret, struct error *err)
{
    struct version from, to;
    struct graph graph;
    struct plan plan;
    *ret = true;
    if (!version_parse(slice_of(from_text), &from) || !version_parse(slice_of(firmware->target), &to) ||
        version_compare(&from, &to) == 0)
        return true;
    if (!graph_load(attention->call->daemon, attention->call->db, firmware, &from, NULL, &to, &graph, err))
        return false;
    bool ok = graph_plan(attention->call->db, firmware, &graph, &plan, err);
    *ret = ok && plan.outcome != PLAN_NONE;
    graph_free(&graph);
    return ok;
}

static bool put_oversize(struct attention *attention, const struct product *product,
                         const struct firmware *firmware, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_oversize *list = NULL;
    size_t count = 0;
    if (firmware->target[0] && !overview_oversize(attention->call->db, firmware->id, firmware->target,
                                                  ATTENTION_OF_KIND, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool any;
        if (!has_path(attention, firmware, list[i].from, &any, err))
            return false;
        if (any)
            continue;
        json_t *subject = subject_of(product, firmware, list[i].devices);
        json_object_set_new(subject, "from", json_string(list[i].from));
        json_object_set_new(subject, "to", json_string(firmware->target));
        json_object_set_new(subject, "size", json_integer((json_int_t)list[i].size_bytes));
        json_object_set_new(subject, "counted", json_integer((json_int_t)list[i].counted_bytes));
        json_object_set_new(subject, "limit", json_integer((json_int_t)firmware->max_package_bytes));
        attention_put(
            attention, "oversize", subject, 0, attention_action("find-path", NULL, " "),
            "%sthe package V%s to V%s has %lld bytes, the limit is %lld, and there is no path of smaller packages",
            list[i].counted_bytes < list[i].size_bytes ? "the change of the core in " : "", list[i].from,
            firmware->target, (long long)list[i].counted_bytes, (long long)firmware->max_package_bytes);
    }
    return true;
}

bool attention_firmware(struct attention *attention, const struct product *product,
                        const struct firmware *firmware, const struct overview_counts *counts,
                        struct error *err)
{
    if (counts->blocked)
        attention_put(
            attention, "loop-guard", subject_of(product, firmware, counts->blocked), 0,
            attention_action("unblock", NULL, " "),
            "devices that downloaded again and again, and get nothing until they are unblocked: %lld",
            (long long)counts->blocked);
    if (counts->asked && !firmware->format[0])
        attention_put(attention, "format-not-set", subject_of(product, firmware, counts->asked), 0,
                      attention_action("set-format", NULL, " "),
                      "devices ask for %s (%lld), and no package format is set", firmware->name,
                      (long long)counts->asked);
    return put_missing_bases(attention, product, firmware, err) &&
           put_several_bases(attention, product, firmware, err) &&
           put_several_target(attention, product, firmware, err) &&
           put_oversize(attention, product, firmware, err);
}
