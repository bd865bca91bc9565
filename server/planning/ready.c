/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/ready.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/package_format.h"
#include "server/core/log.h"
#include "server/planning/plan_cache.h"
#include "server/webhook/notify.h"
#include "storage/webhook.h"

#define GROUPS_AT_ONCE  8     /* plans in one transaction: check-ins wait meanwhile */
#define DEVICES_AT_ONCE 256   /* events in one transaction */
#define AGAIN_MS        60000 /* also without a change: a plan may have lacked the newest packages */

struct ready_finder {
    struct daemon *daemon;
    /* The last whole look */
    bool has_looked;
    uint64_t changes;
    int64_t looked_ms; /* boot clock */
    /* The look under way: what comes next */
    struct ready_group group;
    int64_t after; /* attempt of the group; 0: the group comes next */
    uint64_t begun_changes;
    bool under_way;
};

static bool is_ready(const struct planned *planned, const struct firmware *firmware)
{
    return planned->outcome == PLAN_PATH && planned->hop.id &&
           (planned->full || (planned->package_found && package_state(&planned->package) == PACKAGE_READY)) &&
           package_counted(&planned->package) <=
               (planned->whole ? PACKAGE_FORMAT_EC618_FULL_MAX : firmware->max_package_bytes);
}

static bool has_way(const struct firmware *firmware, const struct version *from)
{
    struct version target;
    if (!version_parse(slice_of(firmware->target), &target))
        return false;
    int order = version_compare(from, &target);
    return order < 0 || (order > 0 && firmware->downgrades);
}

struct round { /* over the devices of one group */
    struct ready_finder *finder;
    const struct firmware *firmware;
    struct product product;
    struct version from;
    struct planned plan; /* of devices whose build is not known */
};

/* The plan of the device. *ret is valid until the next call. */
static bool plan_of(const struct round *round, struct db *db, const struct ready_device *device,
                    const struct planned **ret, struct error *err)
{
    *ret = &round->plan;
    return sha256_is_zero(&device->build) || plan_cache_find(round->finder->daemon, db, round->firmware,
                                                             &round->from, &device->build, ret, err);
}

static bool tell(const struct round *round, struct db *db, const struct ready_device *device, int64_t now_ms,
                 struct error *err)
{
    const struct planned *planned;
    if (!plan_of(round, db, device, &planned, err))
        return false;
    if (!is_ready(planned, round->firmware))
        return true;
    const struct notify_ready ready = {.product = &round->product,
                                       .firmware = round->firmware,
                                       .from = round->finder->group.from,
                                       .to = planned->hop.version,
                                       .size_bytes = planned->package.size_bytes,
                                       .device_url = round->finder->daemon->device_url};
    return notify_ready(db, &ready, device, now_ms, err) && ready_set(db, device->attempt_id, now_ms, err);
}

/* *ret_count: how many were looked at, at most DEVICES_AT_ONCE. */
static bool tell_devices(struct round *round, struct db *db, size_t *ret_count, struct error *err)
{
    _cleanup_(cleanup_free) struct ready_device *list = NULL;
    struct ready_finder *finder = round->finder;
    bool found;
    int64_t now_ms = clock_utc_ms();
    if (!ready_list(db, &finder->group, finder->after, DEVICES_AT_ONCE, &list, ret_count, err) ||
        !product_by_id(db, round->firmware->product_id, &round->product, &found, err))
        return false;
    for (size_t i = 0; i < *ret_count; i++) {
        if (!tell(round, db, &list[i], now_ms, err))
            return false;
        finder->after = list[i].attempt_id;
    }
    return true;
}

/* When the version has several builds, devices whose build is known may have a package, and others not. */
static bool look_at_devices(struct ready_finder *finder, struct db *db, const struct firmware *firmware,
                            const struct version *from, size_t *ret_count, struct error *err)
{
    struct round round = {.finder = finder, .firmware = firmware, .from = *from};
    const struct planned *planned;
    char builds[BUILDS_SIZE];
    size_t count;
    if (!plan_cache_find(finder->daemon, db, firmware, from, NULL, &planned, err) ||
        !image_builds(db, firmware->id, finder->group.from, builds, &count, err))
        return false;
    round.plan = *planned;
    return (!is_ready(planned, firmware) && count <= 1) || tell_devices(&round, db, ret_count, err);
}

static bool look_at_group(struct ready_finder *finder, struct db *db, size_t *ret_count, struct error *err)
{
    struct firmware firmware;
    struct version from;
    int64_t ids[WEBHOOKS_MAX];
    unsigned listening;
    bool found;
    *ret_count = 0;
    if (!firmware_by_id(db, finder->group.firmware_id, &firmware, &found, err) ||
        !webhook_listening(db, firmware.product_id, WEBHOOK_PACKAGE_READY, ids, &listening, err))
        return false;
    if (!listening || !version_parse(slice_of(finder->group.from), &from) || !has_way(&firmware, &from))
        return true;
    return look_at_devices(finder, db, &firmware, &from, ret_count, err);
}

static void begin_look(struct ready_finder *finder, uint64_t changes)
{
    bool again =
        !finder->has_looked || finder->changes != changes || clock_boot_ms() - finder->looked_ms >= AGAIN_MS;
    if (!again)
        return;
    finder->under_way = true;
    finder->begun_changes = changes;
    finder->group = (struct ready_group){.from = ""};
    finder->after = 0;
}

static void end_look(struct ready_finder *finder)
{
    finder->under_way = false;
    finder->has_looked = true;
    finder->changes = finder->begun_changes;
    finder->looked_ms = clock_boot_ms();
}

static bool look(void *cls, struct db *db, struct error *err)
{
    struct ready_finder *finder = cls;
    if (!finder->under_way)
        begin_look(finder, db_changes(db));
    for (size_t told = 0, groups = 0; finder->under_way && told < DEVICES_AT_ONCE && groups < GROUPS_AT_ONCE;
         groups++) {
        bool found = true;
        size_t count = 0;
        if (!finder->after && !ready_next(db, &finder->group, &found, err))
            return false;
        if (!found)
            end_look(finder);
        else if (!look_at_group(finder, db, &count, err))
            return false;
        told += count;
        if (count < DEVICES_AT_ONCE)
            finder->after = 0; /* the group has no more */
    }
    return true;
}

bool ready_finder_open(struct daemon *daemon, struct ready_finder **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    (*ret)->daemon = daemon;
    return true;
}

void ready_finder_close(struct ready_finder *finder)
{
    free(finder);
}

bool ready_finder_run(struct ready_finder *finder)
{
    struct error err;
    if (writer_call(finder->daemon->writer, look, finder, &err))
        return finder->under_way;
    log_line(LOG_LEVEL_WARN, "webhook-round-failed", "error", err.text, NULL);
    finder->under_way = finder->has_looked = false; /* what was told is taken back: all anew */
    return false;
}
