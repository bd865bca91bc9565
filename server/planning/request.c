/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/request.h"

#include "server/context.h"
#include "server/build/scheduler.h"
#include "server/planning/plan_cache.h"
#include "server/planning/package_key.h"

static bool queue(struct db *db, struct daemon *daemon, const struct package_key *key, bool requeue_failed,
                  int64_t now_ms, struct error *err)
{
    struct package package;
    bool found;
    if (!package_queue(db, key, requeue_failed, 1, now_ms, err) ||
        !package_find(db, key, &package, &found, err))
        return false;
    if (found && package_state(&package) == PACKAGE_QUEUED)
        scheduler_wake_wanted(daemon->scheduler);
    return true;
}

bool package_request_key(struct db *db, struct daemon *daemon, const struct package_key *key, int64_t now_ms,
                         struct error *err)
{
    return queue(db, daemon, key, false, now_ms, err);
}

bool package_request(struct db *db, struct daemon *daemon, const struct package_request *request,
                     struct error *err)
{
    const struct image *from = request->from, *to = request->to;
    if (!request->firmware->format[0])
        return true;
    if (!image_same_areas(from, to))
        return error_set(
            err, ERROR_INVALID,
            "the scripts of %s and %s have different places in flash: no delta leads from one to "
            "the other",
            from->version, to->version);
    if (!package_key_can_be_made(from, to))
        return error_set(
            err, ERROR_INVALID,
            "%s is a full package: no delta is made from it or to it, its devices get it as it is",
            image_is_full(to) ? to->version : from->version);
    struct package_key key;
    package_key_of(daemon, request->firmware, from, to, &key);
    return queue(db, daemon, &key, request->requeue_failed, request->now_ms, err);
}

bool package_request_upgrade(struct db *db, struct daemon *daemon, const struct firmware *firmware,
                             const char *version, const struct sha256 *build, int64_t now_ms,
                             struct error *err)
{
    const struct planned *planned;
    struct version base, target;
    if (!version_parse(slice_of(version), &base) || !version_parse(slice_of(firmware->target), &target))
        return true;
    int order = version_compare(&base, &target);
    if (order == 0 || (order > 0 && !firmware->downgrades))
        return true;
    return plan_cache_find(daemon, db, firmware, &base, build, &planned, err) &&
           plan_cache_ask(daemon, db, planned, now_ms, err);
}
