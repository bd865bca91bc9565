/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/device.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/entities.h"
#include "upgrade/rhythm.h"
#include "storage/fleet.h"

/* Columns of indexes and of foreign keys. They rarely change, and storing them costs much more than the others. */
#define KEYED(FIRST, NEXT, row)                                                                              \
    FIRST(firmware_id, INT, row->firmware_id)                                                                \
    NEXT(claim_version, TEXT_OR_NULL, row->claim.version)                                                    \
    NEXT(claim_firmware_id, INT_OR_NULL, row->claim.firmware_id)                                             \
    NEXT(blocked, BOOL, row->blocked)                                                                        \
    NEXT(notice, TEXT_OR_NULL, row->notice)                                                                  \
    NEXT(state, ENUM_OR_NULL, row->state, &stored_states)                                                    \
    NEXT(replaced_by, INT_OR_NULL, row->replaced_by)                                                         \
    NEXT(held_out_ms, INT_OR_NULL, row->held_out_ms)
#define PLAIN(FIRST, NEXT, row)                                                                              \
    FIRST(confirmed_version, TEXT_OR_NULL, row->confirmed_version)                                           \
    NEXT(confirmed_ms, INT_OR_NULL, row->confirmed_ms)                                                       \
    NEXT(confirmed_by, ENUM_OR_NULL, row->confirmed_by, &reported_by_names)                                  \
    NEXT(confirmed_grade, ENUM_OR_NULL, row->confirmed_grade, &grade_names)                                  \
    NEXT(build_sha256, HASH_OR_NULL, row->build)                                                             \
    NEXT(claim_ms, INT_OR_NULL, row->claim.at_ms)                                                            \
    NEXT(claim_by, ENUM_OR_NULL, row->claim.by, &reported_by_names)                                          \
    NEXT(claim_grade, ENUM_OR_NULL, row->claim.grade, &grade_names)                                          \
    NEXT(claim_origin, TEXT_OR_NULL, row->claim.origin)                                                      \
    NEXT(asked_version, TEXT_OR_NULL, row->asked_version)                                                    \
    NEXT(asked_over, ENUM_OR_NULL, row->asked_over, &asked_over_names)                                       \
    NEXT(asked_link, INT_OR_NULL, row->asked_link)                                                           \
    NEXT(asked_said, TEXT_OR_NULL, row->asked_said)                                                          \
    NEXT(asked_firmware, TEXT_OR_NULL, row->asked_firmware)                                                  \
    NEXT(first_seen_ms, INT_OR_NULL, row->first_seen_ms)                                                     \
    NEXT(last_code, INT_OR_NULL, row->last_code)                                                             \
    NEXT(last_reason, TEXT_OR_NULL, row->last_reason)                                                        \
    NEXT(last_answer_ms, INT_OR_NULL, row->last_answer_ms)                                                   \
    NEXT(tags, TEXT_OR_NULL, row->tags)                                                                      \
    NEXT(note, TEXT_OR_NULL, row->note)                                                                      \
    NEXT(state_ms, INT_OR_NULL, row->state_ms)
#define CHANGED(FIRST, NEXT, row) KEYED(FIRST, NEXT, row) PLAIN(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(id, INT, row->id)                                                                                  \
    NEXT(product_id, INT, row->product_id)                                                                   \
    NEXT(id_kind, ENUM, row->id_kind, &id_kind_names)                                                        \
    NEXT(device, TEXT, row->device)                                                                          \
    NEXT(last_seen_ms, INT_OR_NULL, row->last_seen_ms)                                                       \
    NEXT(check_ins, INT, row->check_ins)                                                                     \
    CHANGED(NEXT, NEXT, row)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

#define IS_SHARED                                                                                            \
    "EXISTS (SELECT 1 FROM device_said s WHERE s.device_id = device.id AND s.shared_ms IS NOT NULL)"

static const char *const state_names[] = {
    [DEVICE_ACTIVE] = "active", [DEVICE_HELD] = "held", [DEVICE_RETIRED] = "retired"};
const struct enum_names device_state_names = ENUM_NAMES(state_names);
/* An active device has no state in the database. */
static const char *const stored_state_names[] = {
    [DEVICE_ACTIVE] = "", [DEVICE_HELD] = "held", [DEVICE_RETIRED] = "retired"};
static const struct enum_names stored_states = ENUM_NAMES(stored_state_names);

enum {
    FIND,
    FIND_IMEI,
    BY_ID,
    ADD,
    UPDATE_KEYED,
    UPDATE_PLAIN,
    CHECK_IN,
    SEEN,
    WALK,
    WALK_FIRMWARE,
    WALK_SEEN_AT,
    WALK_SEEN_LATER,
    WALK_SEEN_AT_LAST,
    WALK_SEEN_EARLIER,
    COUNT,
    COUNT_CONFLICTS
};
#define LAST_SEEN "coalesce(last_seen_ms, 0)"
#define WALK_SEEN(at, order)                                                                                 \
    "SELECT " COLUMN_NAMES(COLUMNS) ", " IS_SHARED                                                           \
                                    " FROM device WHERE product_id = $1 AND state IS $2 AND " LAST_SEEN      \
                                    " " at " ORDER BY " order " LIMIT "

/* What a check-in at the time `at` changes, as SQL. A stored time after `ahead` is from a clock that was wrong. A pause is
   counted when it is from `least` to `most` long. */
#define PAUSE(at)                    at " - last_seen_ms"
#define IS_PAUSE(at, least, most)    PAUSE(at) " BETWEEN " least " AND " most
#define IF_PAUSE(at, least, most, n) "iif(" IS_PAUSE(at, least, most) ", " n ", 0)"
#define SEEN_CHANGES(at, ahead, least, most)                                                                 \
    "last_seen_ms = iif(last_seen_ms > " at " AND last_seen_ms <= " ahead ", last_seen_ms, " at "), "        \
    "pauses = pauses + " IF_PAUSE(at, least, most, "1") ", "                                                 \
    "pauses_ms = pauses_ms + " IF_PAUSE(at, least, most, PAUSE(at))
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM device WHERE product_id = $1 AND id_kind = $2 AND "
             "device = $3",
    /* Devices with the same 14 digits: one, at most 10 with a check digit, and 100 with a software version. But two ids
       of 15 digits are two devices. take_better() chooses: ORDER BY would sort in a table in memory. */
    [FIND_IMEI] = "SELECT " COLUMN_NAMES(COLUMNS)
                  " FROM device WHERE product_id = $1 AND id_kind = 'imei' AND device >= $2 "
                  "AND device < $2 || ':' AND (length(device) <> $3 OR length($4) <> $3)",
    [BY_ID] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM device WHERE id = $1",
    [ADD] = "INSERT INTO device (product_id, id_kind, device, firmware_id) VALUES ($1, $2, $3, $4)",
    [UPDATE_KEYED] =
        "UPDATE device SET " COLUMN_CHANGES(KEYED) " WHERE id = $id AND " COLUMN_DIFFER(KEYED),
    [UPDATE_PLAIN] = "UPDATE device SET " COLUMN_CHANGES(PLAIN) " WHERE id = $id",
    [CHECK_IN] = "UPDATE device SET " COLUMN_CHANGES(PLAIN) ", check_ins = check_ins + 1, " SEEN_CHANGES(
        "$at", "$ahead", "$least", "$most") " WHERE id = $id",
    [SEEN] = "UPDATE device SET check_ins = check_ins + $1, " SEEN_CHANGES("$2", "$3", "$4", "$5") " WHERE id = $6",
    [WALK] = "SELECT " COLUMN_NAMES(COLUMNS) ", " IS_SHARED
             " FROM device WHERE product_id = $1 AND state IS $2 AND id > $3 ORDER BY id LIMIT $4",
    [WALK_FIRMWARE] = "SELECT " COLUMN_NAMES(COLUMNS) ", " IS_SHARED
                      " FROM device WHERE firmware_id = $1 AND state IS $2 AND id > $3 ORDER BY id LIMIT $4",
    [WALK_SEEN_AT] = WALK_SEEN("= $3 AND id > $4", "id") "$5",
    [WALK_SEEN_LATER] = WALK_SEEN("> $3", LAST_SEEN ", id") "$4",
    [WALK_SEEN_AT_LAST] = WALK_SEEN("= $3 AND id < $4", "id DESC") "$5",
    [WALK_SEEN_EARLIER] = WALK_SEEN("< $3", LAST_SEEN " DESC, id DESC") "$4",
    [COUNT] = ("SELECT coalesce(sum(g.devices), 0) FROM firmware f JOIN fleet_group g ON g.firmware_id = f.id "
               "AND g.target_version = ''"),
    [COUNT_CONFLICTS] = "SELECT count(*) FROM device WHERE claim_version IS NOT NULL AND state IS NULL",
};
DB_TABLE(device, ENTITY_DEVICE);

static const char *const by_names[] = {[REPORTED_BY_NONE] = "",
                                       [REPORTED_BY_CHECK_IN] = "check-in",
                                       [REPORTED_BY_HOST] = "host-report",
                                       [REPORTED_BY_TRANSCRIPT] = "transcript",
                                       [REPORTED_BY_LIST] = "list"};
const struct enum_names reported_by_names = ENUM_NAMES(by_names);

static const char *const over_names[] = {[ASKED_OVER_NONE] = "",
                                         [ASKED_OVER_DIALECT] = "dialect",
                                         [ASKED_OVER_CORE] = "core",
                                         [ASKED_OVER_TURNKEY] = "turnkey",
                                         [ASKED_OVER_LINK] = "link"};
const struct enum_names asked_over_names = ENUM_NAMES(over_names);

bool device_is_authenticated(const struct device *device)
{
    return device->confirmed_grade > GRADE_UNAUTHENTICATED;
}

/* The same module under another number of digits. A row keeps the form in which it was added. */
struct identity device_identity(const struct device *device)
{
    struct identity identity = {.kind = device->id_kind};
    snprintf(identity.id, sizeof identity.id, "%s", device->device);
    return identity;
}

void device_subject(const struct device *device, const char *firmware, struct filter_subject *ret)
{
    *ret = (struct filter_subject){
        .tags = device->tags,
        .firmware = firmware,
        .device = device->device,
        .note = device->note,
        .grade = grade_name(device->confirmed_grade),
        .last_seen_ms = device->last_seen_ms,
        .first_seen_ms = device->first_seen_ms,
        .confirmed_ms = device->confirmed_ms,
        .code = device->last_code,
        .check_ins = device->check_ins,
        .blocked = device->blocked,
        .claim = device->claim.version[0],
        .held_out = device->held_out_ms,
    };
    version_parse(slice_of(device->confirmed_version), &ret->version);
    version_parse(slice_of(device->asked_version), &ret->asked);
}

struct same_module {
    const char *whole; /* its 15 digits, with the right check digit */
    struct device row, best;
    bool found;
};

/* The one with the right check digit, else the oldest. */
static bool take_better(void *cls)
{
    struct same_module *module = cls;
    bool is_whole = strcmp(module->row.device, module->whole) == 0;
    if (!module->found || is_whole ||
        (module->row.id < module->best.id && strcmp(module->best.device, module->whole) != 0))
        module->best = module->row;
    module->found = true;
    return true;
}

static bool find_imei(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                      bool *ret_found, struct error *err)
{
    char body[IMEI_BODY_DIGITS + 1], whole[IMEI_DIGITS + 1];
    struct same_module module = {.whole = whole};
    snprintf(body, sizeof body, "%.*s", IMEI_BODY_DIGITS, identity->id);
    identity_complete_imei(body, whole);
    if (!db_rows(db,
                 QUERY(FIND_IMEI,
                       PARAMS(P_INT(product_id), P_TEXT(body), P_INT(IMEI_DIGITS), P_TEXT(identity->id)),
                       ROW(&module.row)),
                 take_better, &module, err))
        return false;
    *ret_found = module.found;
    if (module.found)
        *ret = module.best;
    return true;
}

bool device_find(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                 bool *ret_found, struct error *err)
{
    if (!db_row(db,
                QUERY(FIND,
                      PARAMS(P_INT(product_id), P_ENUM(identity->kind, &id_kind_names), P_TEXT(identity->id)),
                      ROW(ret)),
                ret_found, err))
        return false;
    return *ret_found || !identity_is_imei(identity) ||
           find_imei(db, product_id, identity, ret, ret_found, err);
}

bool device_look_up(struct db *db, int64_t product_id, struct slice text, struct device *ret, bool *ret_found,
                    struct error *err)
{
    struct identity readings[IDENTITY_READINGS];
    unsigned count = identity_readings(text, readings);
    *ret_found = false;
    for (unsigned i = 0; i < count && !*ret_found; i++)
        if (!device_find(db, product_id, &readings[i], ret, ret_found, err))
            return false;
    return true;
}

bool device_get(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                struct error *err)
{
    bool found;
    if (!device_find(db, product_id, identity, ret, &found, err))
        return false;
    return found || error_set(err, ERROR_DEVICE_NOT_FOUND, "the product has no device %s", identity->id);
}

bool device_by_id(struct db *db, int64_t id, struct device *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

bool device_add(struct db *db, int64_t product_id, const struct identity *identity, int64_t firmware_id,
                struct device *ret, struct error *err)
{
    *ret = (struct device){.product_id = product_id, .id_kind = identity->kind, .firmware_id = firmware_id};
    slice_copy(slice_of(identity->id), ret->device, sizeof ret->device);
    if (!db_do(db,
               COMMAND(ADD, PARAMS(P_INT(product_id), P_ENUM(identity->kind, &id_kind_names),
                                   P_TEXT(identity->id), P_INT(firmware_id))),
               NULL, err))
        return false;
    ret->id = db_last_id(db);
    return fleet_count_device(db, ret->id, err);
}

static bool update_keyed(struct db *db, const struct device *device, struct error *err)
{
    return db_do(db, COMMAND(UPDATE_KEYED, PARAMS(COLUMN_PARAMS(KEYED, device), P_INT(device->id))), NULL,
                 err);
}

bool device_update(struct db *db, const struct device *device, struct error *err)
{
    return update_keyed(db, device, err) &&
           db_do(db, COMMAND(UPDATE_PLAIN, PARAMS(COLUMN_PARAMS(PLAIN, device), P_INT(device->id))), NULL,
                 err) &&
           fleet_count_device(db, device->id, err);
}

static bool is_keyed_alike(const struct device *a, const struct device *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(KEYED, a)}, right[] = {COLUMN_PARAMS(KEYED, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

bool device_check_in(struct db *db, const struct device *before, const struct device *device, int64_t at_ms,
                     struct error *err)
{
    return ((before && is_keyed_alike(before, device)) || update_keyed(db, device, err)) &&
           db_do(db,
                 COMMAND(CHECK_IN,
                         PARAMS(COLUMN_PARAMS(PLAIN, device), P_INT(at_ms), P_INT(at_ms + CLOCK_AHEAD_MS),
                                P_INT(RHYTHM_PAUSE_MS), P_INT(RHYTHM_PAUSE_MOST_MS), P_INT(device->id))),
                 NULL, err) &&
           fleet_count_device(db, device->id, err);
}

bool device_equal(const struct device *a, const struct device *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(CHANGED, a)}, right[] = {COLUMN_PARAMS(CHANGED, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err)
{
    return db_do(
        db,
        COMMAND(SEEN, PARAMS(P_INT(check_ins), P_INT(last_seen_ms), P_INT(last_seen_ms + CLOCK_AHEAD_MS),
                             P_INT(RHYTHM_PAUSE_MS), P_INT(RHYTHM_PAUSE_MOST_MS), P_INT(id))),
        NULL, err);
}

static bool walk_by_id(struct db *db, const struct device_walk *walk, struct device *row, bool *shared,
                       db_each *each, void *cls, struct error *err)
{
    return db_rows(
        db,
        QUERY(walk->firmware_id ? WALK_FIRMWARE : WALK,
              PARAMS(P_INT(walk->firmware_id ? walk->firmware_id : walk->product_id),
                     P_ENUM_OR_NULL(walk->state, &stored_states), P_INT(walk->after), P_INT(walk->most)),
              FIELDS(COLUMN_FIELDS(COLUMNS, row), F_BOOL(shared))),
        each, cls, err);
}

struct stoppable {
    db_each *each;
    void *cls;
    bool stopped;
};

static bool pass(void *cls)
{
    struct stoppable *to = cls;
    to->stopped = !to->each(to->cls);
    return !to->stopped;
}

/* Devices with the same time come first, by their id alone: thousands may never have been seen. */
static bool walk_by_last_seen(struct db *db, const struct device_walk *walk, struct device *row, bool *shared,
                              db_each *each, void *cls, struct error *err)
{
    bool last = walk->sort == DEVICES_SEEN_LAST;
    struct stoppable to = {each, cls, false};
    return db_rows(db,
                   QUERY(last ? WALK_SEEN_AT_LAST : WALK_SEEN_AT,
                         PARAMS(P_INT(walk->product_id), P_ENUM_OR_NULL(walk->state, &stored_states),
                                P_INT(walk->after_ms), P_INT(walk->after), P_INT(walk->most)),
                         FIELDS(COLUMN_FIELDS(COLUMNS, row), F_BOOL(shared))),
                   pass, &to, err) &&
           (to.stopped ||
            db_rows(db,
                    QUERY(last ? WALK_SEEN_EARLIER : WALK_SEEN_LATER,
                          PARAMS(P_INT(walk->product_id), P_ENUM_OR_NULL(walk->state, &stored_states),
                                 P_INT(walk->after_ms), P_INT(walk->most)),
                          FIELDS(COLUMN_FIELDS(COLUMNS, row), F_BOOL(shared))),
                    pass, &to, err));
}

bool device_walk(struct db *db, const struct device_walk *walk, struct device *row, bool *shared,
                 db_each *each, void *cls, struct error *err)
{
    return (walk->sort == DEVICES_BY_ID ? walk_by_id : walk_by_last_seen)(db, walk, row, shared, each, cls,
                                                                          err);
}

bool device_count(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(COUNT, NO_PARAMS, FIELDS(F_INT(ret))), &found, err);
}

bool device_count_conflicts(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(COUNT_CONFLICTS, NO_PARAMS, FIELDS(F_INT(ret))), &found, err);
}

bool device_clamp(struct device *device, int64_t now_ms)
{
    int64_t *const times[] = {&device->confirmed_ms, &device->first_seen_ms, &device->last_seen_ms,
                              &device->last_answer_ms, &device->claim.at_ms};
    bool changed = false;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        changed |= *times[i] > now_ms;
        *times[i] = clock_clamp(*times[i], now_ms);
    }
    return changed;
}
