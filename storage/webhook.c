/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/webhook.h"

#include "storage/entities.h"

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(name, TEXT, row->name)                                                                             \
    NEXT(url_sealed, SEALED, row->url)                                                                       \
    NEXT(secret_sealed, SEALED_OR_NULL, row->secret)                                                         \
    NEXT(kinds, TEXT, row->kinds)                                                                            \
    NEXT(template, TEXT_OR_NULL, row->template)                                                              \
    NEXT(enabled, BOOL, row->enabled)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(product_id, INT_OR_NULL, row->product_id)                                                          \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(created_by, TEXT, row->created_by)                                                                  \
    CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(id, INT, row->id)                                                                                  \
    ADDED(NEXT, NEXT, row)                                                                                   \
    NEXT(waiting, INT, row->waiting)                                                                         \
    NEXT(failed, INT, row->failed)                                                                           \
    NEXT(lost, INT, row->lost)
#define SELECT                                                                                               \
    "SELECT " COLUMN_NAMES(COLUMNS) ", (SELECT product_key FROM product WHERE product.id = product_id) "     \
                                    "FROM webhook"
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row), F_TEXT((row)->product_key))

enum { COUNT, TAKEN, ADD, UPDATE, EMPTY, REMOVE, BY_ID, LIST, LISTENING };
static const char *const sql[] = {
    [COUNT] = "SELECT count(*) FROM webhook",
    [TAKEN] = "SELECT 1 FROM webhook WHERE name = $1 AND id <> $2",
    [ADD] = "INSERT INTO webhook (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [UPDATE] = "UPDATE webhook SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [EMPTY] =
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NULL "
        "UNION ALL SELECT id FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NOT NULL)",
    [REMOVE] = "DELETE FROM webhook WHERE id = $1",
    [BY_ID] = SELECT " WHERE id = $1",
    [LIST] = SELECT " ORDER BY id",
    [LISTENING] =
        "SELECT id FROM webhook WHERE enabled = 1 AND ($1 = 0 OR product_id IS NULL OR product_id = $1) "
        "AND (kinds = '' OR instr(' ' || kinds || ' ', ' ' || $2 || ' ') > 0) ORDER BY id",
};
DB_TABLE(webhook, ENTITY_WEBHOOK);

static const char *const kind_names[] = {
#define X(kind, name, facts) [kind] = name,
    WEBHOOK_KINDS(X)
#undef X
};

const char *webhook_kind_name(enum webhook_kind kind)
{
    return kind_names[kind];
}

bool webhook_kind_is_known(struct slice name)
{
    for (unsigned kind = 0; kind < WEBHOOK_KIND_COUNT; kind++)
        if (slice_is(name, kind_names[kind]))
            return true;
    return false;
}

static bool check_name(struct db *db, const struct webhook *webhook, struct error *err)
{
    int64_t one;
    bool taken;
    return db_row(db, QUERY(TAKEN, PARAMS(P_TEXT(webhook->name), P_INT(webhook->id)), FIELDS(F_INT(&one))),
                  &taken, err) &&
           (!taken ||
            error_set(err, ERROR_WEBHOOK_EXISTS, "another webhook has the name '%s'", webhook->name));
}

bool webhook_add(struct db *db, struct webhook *webhook, struct error *err)
{
    int64_t count = 0;
    bool found;
    if (!db_row(db, QUERY(COUNT, NO_PARAMS, FIELDS(F_INT(&count))), &found, err))
        return false;
    if (count >= WEBHOOKS_MAX)
        return error_set(err, ERROR_INVALID, "there are %d webhooks, the most that are allowed",
                         WEBHOOKS_MAX);
    if (!check_name(db, webhook, err) ||
        !db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, webhook))), NULL, err))
        return false;
    webhook->id = db_last_id(db);
    return true;
}

bool webhook_update(struct db *db, const struct webhook *webhook, struct error *err)
{
    return check_name(db, webhook, err) &&
           db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, webhook), P_INT(webhook->id))), NULL, err);
}

bool webhook_remove(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(EMPTY, PARAMS(P_INT(id))), NULL, err) &&
           db_do(db, COMMAND(REMOVE, PARAMS(P_INT(id))), NULL, err);
}

bool webhook_get(struct db *db, int64_t id, struct webhook *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), &found, err) &&
           (found || error_set(err, ERROR_WEBHOOK_NOT_FOUND, "there is no webhook %lld", (long long)id));
}

bool webhook_list(struct db *db, struct webhook **ret, size_t *ret_count, struct error *err)
{
    struct webhook row = {.id = 0};
    return db_list(db, QUERY(LIST, NO_PARAMS, ROW(&row)), &row, sizeof row, ret, ret_count, err);
}

struct listening {
    int64_t id, *ids;
    unsigned count;
};

static bool take_id(void *cls)
{
    struct listening *listening = cls;
    listening->ids[listening->count++] = listening->id;
    return listening->count < WEBHOOKS_MAX;
}

bool webhook_listening(struct db *db, int64_t product_id, enum webhook_kind kind, int64_t ret[WEBHOOKS_MAX],
                       unsigned *ret_count, struct error *err)
{
    struct listening listening = {.ids = ret};
    bool ok = db_rows(db,
                      QUERY(LISTENING, PARAMS(P_INT(product_id), P_TEXT(webhook_kind_name(kind))),
                            FIELDS(F_INT(&listening.id))),
                      take_id, &listening, err);
    *ret_count = listening.count;
    return ok;
}
