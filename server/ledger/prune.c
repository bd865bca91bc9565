/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/ledger/prune.h"

#include "base/clock.h"
#include "server/core/log.h"
#include "server/ledger/event.h"

#define PIECE 5000 /* rows in one transaction: check-ins wait for it */

struct piece {
    int64_t before_ms;
    json_t *by;
    struct ledger_removed removed;
    int64_t days;
};

static bool remove_piece(void *cls, struct db *db, struct error *err)
{
    struct piece *piece = cls;
    const struct ledger_removed *removed = &piece->removed;
    if (!ledger_remove(db, piece->before_ms, clock_utc_ms(), PIECE, &piece->removed, err))
        return false;
    if (!removed->count)
        return true;
    const struct event event = {.kind = LEDGER_PRUNED};
    return event_add(db, &event,
                     json_pack("{s:I, s:O, s:I, s:I, s:o, s:I}", "before", (json_int_t)piece->before_ms, "by",
                               piece->by, "count", (json_int_t)removed->count, "first",
                               (json_int_t)removed->first, "hash", event_hash(&removed->hash), "last",
                               (json_int_t)removed->last),
                     err);
}

static bool remove_days(void *cls, struct db *db, struct error *err)
{
    struct piece *piece = cls;
    return ledger_day_remove(db, piece->before_ms / DAY_MS, PIECE, &piece->days, err);
}

bool ledger_prune(struct writer *writer, int64_t before_ms, json_t *by, struct ledger_pruned *ret,
                  struct error *err)
{
    struct piece piece = {.before_ms = before_ms, .by = by};
    struct log_number rows, last;
    *ret = (struct ledger_pruned){.rows = 0};
    do {
        if (!writer_call(writer, remove_piece, &piece, err))
            return false;
        if (piece.removed.count && !ret->rows)
            ret->first = piece.removed.first;
        if (piece.removed.count)
            ret->last = piece.removed.last;
        ret->rows += piece.removed.count;
    } while (piece.removed.count == PIECE);
    do {
        if (!writer_call(writer, remove_days, &piece, err))
            return false;
        ret->days += piece.days;
    } while (piece.days == PIECE);
    if (ret->rows)
        log_line(LOG_LEVEL_INFO, "ledger-pruned", "count", log_i64(&rows, ret->rows), "last",
                 log_i64(&last, ret->last), NULL);
    return true;
}
