/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The program that made a backup reports its end. */
#include "server/admin/backup_result.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/core/log.h"
#include "server/ledger/event.h"

struct change {
    struct admin_call *call;
    struct backup_record record;
};

static bool store(void *cls, struct db *db, struct error *err)
{
    const struct change *change = cls;
    const struct backup_record *record = &change->record;
    const struct event event = {.kind = LEDGER_BACKUP_MADE, .by_admin = true};
    return backup_record_put(db, record, err) &&
           event_add(db, &event,
                     json_pack("{s:o, s:I, s:I, s:I, s:s, s:I}", "by", event_by(change->call->request),
                               "files", (json_int_t)record->files, "made", (json_int_t)record->made_ms,
                               "missing", (json_int_t)record->missing, "result",
                               enum_name(&backup_result_names, record->result), "size",
                               (json_int_t)record->size_bytes),
                     err);
}

static bool read_record(const json_t *body, struct backup_record *ret, struct error *err)
{
    const json_t *made;
    json_int_t size, files, missing;
    const char *result;
    if (!body_unpack(body, err, "{s:o, s:s, s:I, s:I, s:I}", "made_at", &made, "result", &result, "size",
                     &size, "files", &files, "missing", &missing))
        return false;
    unsigned number;
    if (!enum_find(&backup_result_names, slice_of(result), &number))
        return error_set(err, ERROR_INVALID, "result is complete, incomplete or failed");
    if (size < 0 || files < 0 || missing < 0 || missing > files)
        return error_set(err, ERROR_INVALID, "size, files and missing are counts");
    ret->result = (enum backup_result)number;
    ret->size_bytes = size;
    ret->files = files;
    ret->missing = missing;
    return call_body_time("made_at", made, false, &ret->made_ms, err);
}

bool admin_backup_result(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct change change = {.call = call};
    struct backup_record *record = &change.record;
    struct log_number bytes, missing;
    if (!call_body(call, &body, err) || !read_record(body, record, err))
        return false;
    record->ended_ms = clock_utc_ms();
    snprintf(record->token_name, sizeof record->token_name, "%s", call->request->actor.name);
    if (!call_change(call, store, &change, err))
        return false;
    log_line(record->result == BACKUP_COMPLETE ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "backup-made", "peer",
             call->request->peer, "token_name", record->token_name, "result",
             enum_name(&backup_result_names, record->result), "bytes", log_i64(&bytes, record->size_bytes),
             "missing", log_i64(&missing, record->missing), NULL);
    reply_init(&call->reply, 204);
    return true;
}

/* What GET /status says */

static json_t *record_json(const struct backup_record *record)
{
    if (!record->result)
        return json_null();
    return json_pack("{s:I, s:I, s:s, s:s, s:I, s:I, s:I}", "made_at", (json_int_t)record->made_ms,
                     "ended_at", (json_int_t)record->ended_ms, "token_name", record->token_name, "result",
                     enum_name(&backup_result_names, record->result), "size", (json_int_t)record->size_bytes,
                     "files", (json_int_t)record->files, "missing", (json_int_t)record->missing);
}

bool backup_is_due(const struct config *config, const struct backup_state *state, int64_t now_ms)
{
    return config->backup_warn_days &&
           backup_age_ms(state, now_ms) >= (int64_t)config->backup_warn_days * DAY_MS;
}

json_t *backup_state_to_json(const struct config *config, const struct backup_state *state)
{
    return json_pack("{s:o, s:o, s:b}", "last", record_json(&state->last), "failed",
                     record_json(&state->failed), "due", backup_is_due(config, state, clock_utc_ms()));
}
