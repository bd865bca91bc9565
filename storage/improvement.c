/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/improvement.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "storage/attempt.h"
#include "storage/entities.h"

#define TEXT_OF(number) #number
#define AS_TEXT(number) TEXT_OF(number)
#define IMPROVABLE      "p.state = 'ready' AND p.origin = 'made' AND p.tried > 0 AND p.tried < 3 "
#define KEY(FIRST, NEXT, row)                                                                                \
    FIRST(p.id, INT, row->id)                                                                                \
    NEXT(p.from_sha256, HASH, row->key.from)                                                                 \
    NEXT(p.to_sha256, HASH, row->key.to)                                                                     \
    NEXT(p.format, TEXT, row->key.format)                                                                    \
    NEXT(p.recipe, TEXT, row->key.recipe)
#define IMPROVEMENT(FIRST, NEXT, row)                                                                        \
    KEY(FIRST, NEXT, row)                                                                                    \
    NEXT(coalesce(p.better_size_bytes, p.size_bytes), INT, row->size_bytes)                                  \
    NEXT(p.tried, INT, row->tried)
#define REPLACED(FIRST, NEXT, row)                                                                           \
    KEY(FIRST, NEXT, row)                                                                                    \
    NEXT(p.sha256, HASH, row->old)                                                                           \
    NEXT(p.size_bytes, INT, row->old_size_bytes)                                                             \
    NEXT(p.better_sha256, HASH, row->sha256)                                                                 \
    NEXT(p.better_size_bytes, INT, row->size_bytes)                                                          \
    NEXT(p.better_uncounted_bytes, INT, row->uncounted_bytes)                                                \
    NEXT(p.better_effort, INT, row->effort)
/* No device has had all of the present bytes. What a device has confirmed is worth more than smaller bytes, and other
   bytes would begin a trial anew. */
#define NOT_TRIED                                                                                            \
    "NOT EXISTS (SELECT 1 FROM attempt WHERE package_sha256 = p.sha256 AND state IN ('delivered', "          \
    "'silent', 'confirmed', 'not_applied'))"
/* No device is being sent these bytes, or may resume them. */
#define NOT_PINNED(since, now)                                                                               \
    "NOT EXISTS (SELECT 1 FROM attempt a WHERE a.package_sha256 = p.sha256 "                                 \
    "AND " ATTEMPT_IS_PINNED("a.")                                                                                 \
    " "                                                                                                      \
    "AND (a.state = 'sending' OR (a.active_ms > " since " AND a.active_ms <= " now "))) "

enum { REACHABLE, LIST, TRIED, BETTER, KEEP, SWAPPABLE, SWAP, WAITING };
static const char *const sql[] = {
    [REACHABLE] =
        "SELECT " COLUMN_NAMES(IMPROVEMENT) " FROM package p WHERE " IMPROVABLE "AND EXISTS (SELECT 1 FROM image i "
        "JOIN firmware f ON f.id = i.firmware_id JOIN image t ON t.firmware_id = f.id "
        "AND t.sha256 = p.to_sha256 WHERE i.sha256 = p.from_sha256 AND f.format = p.format "
        "AND p.size_bytes - p.uncounted_bytes > f.max_package_bytes "
        "AND (p.size_bytes - p.uncounted_bytes) * 1000 <= f.max_package_bytes * CASE "
        "p.tried WHEN 1 THEN " AS_TEXT(REACH_AFTER_QUICK) " ELSE " AS_TEXT(REACH_AFTER_GOOD) " END) ORDER "
        "BY " WAITING_DEVICES("p.") " DESC, p.wanted DESC, p.id LIMIT $1",
    [LIST] = "SELECT " COLUMN_NAMES(IMPROVEMENT) " FROM package p WHERE " IMPROVABLE "AND p.tried < $1 AND p.wanted >= $2 "
             "ORDER BY p.wanted DESC, " WAITING_DEVICES("p.") " DESC, p.tried, p.id LIMIT $3",
    [TRIED] = "UPDATE package SET tried = $1 WHERE id = $2 AND state = 'ready' AND origin = 'made' AND "
              "tried < $1",
    [BETTER] = "SELECT better_sha256 FROM package WHERE id = $1 AND better_sha256 IS NOT NULL",
    [KEEP] =
        "UPDATE package SET better_size_bytes = $1, better_uncounted_bytes = $2, better_sha256 = $3, better_effort = $4, better_note = "
        "$5 WHERE id = $6 AND state = 'ready' AND origin = 'made' AND size_bytes > $1 "
        "AND (better_size_bytes IS NULL OR better_size_bytes > $1)",
    [SWAPPABLE] =
        "SELECT " COLUMN_NAMES(REPLACED) " FROM package p "
        "WHERE p.better_sha256 IS NOT NULL AND p.state = 'ready' AND p.origin = 'made' "
        "AND p.size_bytes > p.better_size_bytes AND " NOT_PINNED("$1", "$2") "AND " NOT_TRIED,
    [SWAP] =
        "UPDATE package AS p SET size_bytes = better_size_bytes, uncounted_bytes = better_uncounted_bytes, sha256 = better_sha256, effort = "
        "better_effort, note = better_note, proven = 1, better_size_bytes = NULL, better_sha256 = NULL, "
        "better_effort = NULL, better_note = NULL WHERE p.id = $1 AND p.better_sha256 IS NOT NULL "
        "AND p.state = 'ready' AND p.origin = 'made' AND " NOT_PINNED("$2", "$3") "AND " NOT_TRIED,
    [WAITING] = "SELECT count(*) FROM package WHERE better_sha256 IS NOT NULL AND state = 'ready' AND "
                "origin = 'made'",
};
DB_TABLE(improvement, ENTITY_IMPROVEMENT);

bool improvement_may_fit(int64_t counted_bytes, int64_t tried, int64_t max_package_bytes)
{
    int64_t reach = tried == EFFORT_QUICK ? REACH_AFTER_QUICK : REACH_AFTER_GOOD;
    return tried >= EFFORT_QUICK && tried < EFFORT_BEST && counted_bytes > max_package_bytes &&
           counted_bytes * 1000 <= max_package_bytes * reach;
}

static bool list(struct db *db, unsigned statement, const struct db_value *params, size_t param_count,
                 struct improvement **ret, size_t *ret_count, struct error *err)
{
    struct improvement row = {0};
    return db_list(db, QUERY(statement, params, param_count, FIELDS(COLUMN_FIELDS(IMPROVEMENT, &row))), &row,
                   sizeof row, ret, ret_count, err);
}

bool improvement_reachable(struct db *db, int64_t limit, struct improvement **ret, size_t *ret_count,
                           struct error *err)
{
    return list(db, REACHABLE, PARAMS(P_INT(limit)), ret, ret_count, err);
}

bool improvement_list(struct db *db, enum package_effort effort, int64_t wanted, int64_t limit,
                      struct improvement **ret, size_t *ret_count, struct error *err)
{
    return list(db, LIST, PARAMS(P_INT(effort), P_INT(wanted), P_INT(limit)), ret, ret_count, err);
}

bool improvement_tried(struct db *db, int64_t id, enum package_effort effort, struct error *err)
{
    return db_do(db, COMMAND(TRIED, PARAMS(P_INT(effort), P_INT(id))), NULL, err);
}

bool improvement_keep(struct db *db, int64_t id, const struct package_made *made, bool *ret_kept,
                      struct sha256 *ret_old, bool *ret_had, struct error *err)
{
    int64_t changes;
    if (!db_row(db, QUERY(BETTER, PARAMS(P_INT(id)), FIELDS(F_HASH(ret_old))), ret_had, err) ||
        !db_do(
            db,
            COMMAND(KEEP, PARAMS(P_INT(made->size_bytes), P_INT(made->uncounted_bytes), P_HASH(&made->sha256),
                                 P_INT(made->effort), P_TEXT_OR_NULL(made->note), P_INT(id))),
            &changes, err))
        return false;
    *ret_kept = changes > 0;
    *ret_had = *ret_had && *ret_kept;
    return true;
}

bool improvement_swap_all(struct db *db, int64_t pinned_since_ms, int64_t now_ms,
                          struct improvement_swap **ret, size_t *ret_count, int64_t *ret_waiting,
                          struct error *err)
{
    struct improvement_swap row = {0};
    _cleanup_(cleanup_free) struct improvement_swap *swaps = NULL;
    size_t count;
    bool found;
    if (!db_list(db,
                 QUERY(SWAPPABLE, PARAMS(P_INT(pinned_since_ms), P_INT(now_ms + CLOCK_AHEAD_MS)),
                       FIELDS(COLUMN_FIELDS(REPLACED, &row))),
                 &row, sizeof row, &swaps, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!db_do(db,
                   COMMAND(SWAP, PARAMS(P_INT(swaps[i].id), P_INT(pinned_since_ms),
                                        P_INT(now_ms + CLOCK_AHEAD_MS))),
                   NULL, err))
            return false;
    if (!db_row(db, QUERY(WAITING, NO_PARAMS, FIELDS(F_INT(ret_waiting))), &found, err))
        return false;
    *ret = swaps;
    *ret_count = count;
    swaps = NULL;
    return true;
}
