/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The counts of the fleet after random events, rollbacks and restarts: they agree with a recount of all devices
   and attempts, the pages of all groups have each device once, and the migration counts the same. */
#include <inttypes.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "storage/guard.h"
#include "storage/outcome.h"
#include "storage/removal.h"
#include "storage/sqlite.h"
#include "tests/unit/storage/test-storage-scene.h"

#define DEVICES 40
#define EVENTS  2000

static const char *const versions[] = {"9", "10", "11", "7.1"};
static const char *const targets[] = {"10", "11"};
static const char *const origins[] = {"", "192.0.2.1", "link"};
static unsigned seed;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 12) % below;
}

struct fleet {
    struct place *place;
    struct scene scene;
    struct firmware other;
    struct device device[DEVICES];
};

/* ---- Events ---- */

static void maybe(char *field, size_t size, const char *text)
{
    if (any(3) == 0)
        snprintf(field, size, "%s", any(4) ? text : "");
}

static void change_device(struct fleet *fleet, struct device *device)
{
    struct error err;
    maybe(device->confirmed_version, sizeof device->confirmed_version, versions[any(4)]);
    maybe(device->asked_version, sizeof device->asked_version, versions[any(4)]);
    if (any(8) == 0)
        device->state = any(3);
    device->blocked = any(3) == 0;
    if (any(20) == 0)
        device->firmware_id = any(2) ? fleet->scene.firmware.id : fleet->other.id;
    assert_ok(device_update(fleet->place->db, device, &err), err);
}

static void change_guard(struct fleet *fleet, const struct device *device)
{
    struct error err;
    if (any(2))
        assert_ok(guard_close(fleet->place->db, device->id, origins[any(3)], &err), err);
    else
        assert_ok(guard_open(fleet->place->db, device->id, &err), err);
}

/* Any state but a second open attempt of the device. */
static void change_attempt(struct fleet *fleet, const struct device *device)
{
    struct db *db = fleet->place->db;
    struct attempt attempt;
    struct error err;
    bool found, beside = any(5) == 0;
    assert_ok(attempt_open_of(db, device->id, beside, &attempt, &found, &err), err);
    if (!found) {
        attempt = (struct attempt){.device_id = device->id,
                                   .firmware_id = any(10) ? device->firmware_id : fleet->other.id,
                                   .beside = beside,
                                   .created_ms = 5};
        strcpy(attempt.from, versions[any(4)]);
        strcpy(attempt.to, versions[any(4)]);
        strcpy(attempt.target, targets[any(2)]);
        if (any(4) == 0)
            assert_ok(attempt_add_in_place(db, &attempt, &found, &err), err);
        if (!found)
            assert_ok(attempt_add(db, &attempt, &err), err);
        return;
    }
    struct attempt main;
    if (beside && any(3) == 0) {
        assert_ok(attempt_open_of(db, device->id, false, &main, &found, &err), err);
        if (!found) {
            assert_ok(attempt_promote(db, &attempt, &err), err);
            return;
        }
    }
    attempt.state = any(ATTEMPT_STATE_COUNT);
    attempt.ended_ms = attempt_is_open(attempt.state) ? 0 : 9;
    attempt.bytes_acked += any(3) * 100;
    attempt.fetches = any(2);
    strcpy(attempt.origin, origins[any(3)]);
    if (any(3) == 0)
        strcpy(attempt.target, targets[any(2)]);
    if (any(2))
        strcpy(attempt.to, attempt.target);
    assert_ok(attempt_update(db, &attempt, &err), err);
}

/* Inside of a transaction too, the counts are those of this moment. */
static void check_now(struct fleet *fleet)
{
    struct error err;
    int64_t counted, active = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        active += fleet->device[i].state == DEVICE_ACTIVE;
    assert_ok(device_count(fleet->place->db, &counted, &err), err);
    assert_int_equal(counted, active);
}

static void change_any(struct fleet *fleet, struct device *device)
{
    switch (any(4)) {
    case 0:
        change_device(fleet, device);
        break;
    case 1:
        change_guard(fleet, device);
        break;
    default:
        change_attempt(fleet, device);
    }
}

/* One task of a transaction. `depth` savepoints are around it. */
static void change(struct fleet *fleet, unsigned depth)
{
    struct device before[DEVICES];
    struct db *db = fleet->place->db;
    struct error err;
    memcpy(before, fleet->device, sizeof before);
    assert_ok(db_savepoint(db, &err), err);
    change_any(fleet, &fleet->device[any(DEVICES)]);
    if (any(4) == 0)
        check_now(fleet);
    if (depth < 2 && any(4) == 0)
        change(fleet, depth + 1);
    if (any(6) == 0) {
        db_rollback_savepoint(db);
        memcpy(fleet->device, before, sizeof before);
    } else {
        assert_ok(db_release(db, &err), err);
    }
    if (any(4) == 0)
        check_now(fleet);
}

static void run_transaction(struct fleet *fleet)
{
    struct error err;
    assert_ok(db_begin(fleet->place->db, &err), err);
    for (unsigned tasks = 1 + any(5); tasks; tasks--)
        change(fleet, 0);
    assert_ok(db_commit(fleet->place->db, &err), err);
}

static void restart(struct fleet *fleet)
{
    struct error err;
    db_close(fleet->place->db);
    assert_ok(db_open_writer(fleet->place->file, &fleet->place->db, &err), err);
    assert_ok(attempt_interrupt_all(fleet->place->db, &err), err);
}

/* ---- The recount ---- */

static sqlite3_stmt *prepare(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    return statement;
}

static int64_t number(sqlite3 *handle, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    sqlite3_stmt *statement = prepare(handle, sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return result;
}

static void write_key(const struct fleet_group *group, char out[200])
{
    snprintf(out, 200, "%s|%s|%d|%d|%s|%d", group->confirmed, group->asked, group->blocked, group->by_us,
             group->state, group->to_target);
}

/* What the whole tables say of one device. */
#define FACTS                                                                                                \
    "SELECT coalesce(d.confirmed_version, '') || '|' || coalesce(d.asked_version, '') || '|' || "            \
    "(d.blocked AND EXISTS (SELECT 1 FROM guard_closed g WHERE g.device_id = d.id AND (g.origin = '' OR "    \
    "g.origin = coalesce((SELECT o.origin FROM attempt o WHERE o.device_id = d.id AND o.beside = 0 "         \
    "AND o.origin <> '' ORDER BY o.id DESC LIMIT 1), g.origin)))) || '|' || (a.id IS NOT NULL AND EXISTS "   \
    "(SELECT 1 FROM attempt c WHERE c.firmware_id = d.firmware_id AND c.target_version = %Q AND "            \
    "c.device_id = d.id AND c.to_version = %Q AND c.state = 'confirmed' AND c.beside = 0)) || '|' || "       \
    "coalesce(a.state, '') || '|' || coalesce(a.to_version = a.target_version, 0) FROM device d LEFT JOIN "  \
    "attempt a ON a.id = (SELECT max(b.id) FROM attempt b WHERE b.firmware_id = d.firmware_id AND "          \
    "b.target_version = %Q AND b.device_id = d.id AND b.beside = 0) WHERE d.id = %lld AND "                  \
    "d.firmware_id = %lld AND d.state IS NULL"

static bool facts_of(sqlite3 *handle, const char *target, int64_t device, int64_t firmware, char out[200])
{
    char *sql = sqlite3_mprintf(FACTS, target, target, target, (long long)device, (long long)firmware);
    sqlite3_stmt *statement = prepare(handle, sql);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        snprintf(out, 200, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return found;
}

/* All pages of a group, three devices each, are the devices that the recount puts into it. */
static unsigned check_pages(struct fleet *fleet, sqlite3 *handle, const struct outcome_group *group,
                            const char *target)
{
    unsigned seen = 0;
    int64_t after = 0;
    struct error err;
    char key[200], facts[200];
    write_key(&group->group, key);
    do {
        struct outcome_page page = OUTCOME_PAGE(after, 3);
        assert_ok(outcome_members(fleet->place->db, &group->group, target, &page, &err), err);
        outcome_page_cut(&page);
        for (size_t i = 0; i < page.count; i++, seen++) {
            assert_true(page.ids[i] > after && page.ids[i] <= page.until);
            assert_true(facts_of(handle, target, page.ids[i], group->group.firmware_id, facts));
            assert_string_equal(facts, key);
        }
        after = page.until;
        free(page.ids);
    } while (after != INT64_MAX);
    return seen;
}

static void check_target(struct fleet *fleet, sqlite3 *handle, int64_t firmware, const char *target)
{
    struct outcome_group *groups;
    struct outcome_bytes bytes;
    struct error err;
    size_t count;
    unsigned devices = 0;
    char facts[200];
    assert_ok(outcome_groups(fleet->place->db, firmware, target, &groups, &count, &err), err);
    for (size_t i = 0; i < count; i++) {
        unsigned seen = check_pages(fleet, handle, &groups[i], target);
        if (seen != groups[i].devices)
            fail_msg("a group for %s counts %" PRId64 " devices and has %u", target, groups[i].devices, seen);
        devices += seen;
    }
    free(groups);
    for (unsigned i = 0; i < DEVICES; i++)
        devices -= facts_of(handle, target, fleet->device[i].id, firmware, facts);
    assert_int_equal(devices, 0);
    assert_ok(outcome_bytes(fleet->place->db, firmware, target, &bytes, &err), err);
    assert_int_equal(bytes.all,
                     number(handle,
                            "SELECT coalesce(sum(bytes_acked), 0) FROM attempt WHERE firmware_id = %lld "
                            "AND target_version = %Q",
                            (long long)firmware, target));
    assert_int_equal(
        bytes.vain,
        number(handle,
               "SELECT coalesce(sum(bytes_acked), 0) FROM attempt WHERE firmware_id = %lld AND "
               "target_version = %Q AND state IN ('not_applied', 'diverged', 'silent', 'abandoned')",
               (long long)firmware, target));
}

static void check_count(struct fleet *fleet, sqlite3 *handle)
{
    struct error err;
    int64_t counted;
    assert_ok(device_count(fleet->place->db, &counted, &err), err);
    assert_int_equal(counted, number(handle, "SELECT count(*) FROM device WHERE state IS NULL"));
}

static void check(struct fleet *fleet)
{
    sqlite3 *handle;
    const int64_t firmwares[] = {fleet->scene.firmware.id, fleet->other.id};
    assert_int_equal(sqlite3_open(fleet->place->file, &handle), SQLITE_OK);
    for (unsigned i = 0; i < 4; i++)
        check_target(fleet, handle, firmwares[i % 2], targets[i / 2]);
    check_count(fleet, handle);
    assert_int_equal(number(handle,
                            "SELECT count(*) FROM (SELECT firmware_id, from_version, to_version, count(*) "
                            "FROM attempt WHERE state = 'waiting' GROUP BY 1, 2, 3 EXCEPT SELECT * FROM "
                            "fleet_waiting)"),
                     0);
    assert_int_equal(number(handle, "SELECT count(*) FROM attempt WHERE state = 'waiting'"),
                     number(handle, "SELECT coalesce(sum(devices), 0) FROM fleet_waiting"));
    sqlite3_close(handle);
}

/* ---- The migration ---- */

#define COUNTED                                                                                              \
    "SELECT group_concat(x, ';') FROM (SELECT g.firmware_id || '|' || g.target_version || '|' || "           \
    "confirmed_version || '|' || asked_version || '|' || blocked || '|' || by_us || '|' || "                 \
    "state || '|' || to_target || '|' || devices || '|' || (SELECT group_concat(device_id) FROM (SELECT "    \
    "device_id FROM fleet_member m WHERE m.group_id = g.id ORDER BY 1)) AS x FROM fleet_group g UNION ALL "  \
    "SELECT firmware_id || '|' || target_version || '|' || bytes || '|' || vain FROM fleet_bytes WHERE "     \
    "bytes <> 0 UNION ALL SELECT firmware_id || '|' || from_version || '|' || to_version || '|' || devices " \
    "FROM fleet_waiting ORDER BY 1)"

static char *counted(sqlite3 *handle)
{
    sqlite3_stmt *statement = prepare(handle, COUNTED);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    char *text = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    assert_non_null(text);
    return text;
}

static const char *first_counts(void)
{
    for (unsigned i = 0; i < db_migration_count; i++) {
        const char *at = strstr(db_migrations[i].sql, "CREATE VIEW fleet_fact");
        if (at)
            return at;
    }
    fail_msg("no migration makes the first counts");
    return NULL;
}

static void check_migration(struct fleet *fleet)
{
    sqlite3 *handle;
    char *why = NULL;
    assert_int_equal(sqlite3_open(fleet->place->file, &handle), SQLITE_OK);
    char *before = counted(handle);
    sqlite3_exec(handle,
                 "DELETE FROM fleet_member; DELETE FROM fleet_group; DELETE FROM fleet_bytes; "
                 "DELETE FROM fleet_waiting; DELETE FROM ledger_hour",
                 NULL, NULL, NULL);
    if (sqlite3_exec(handle, first_counts(), NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    char *after = counted(handle);
    assert_string_equal(before, after);
    free(before);
    free(after);
    sqlite3_close(handle);
}

/* A device without an attempt can be removed. Its id may be used again. */
static void check_removal(struct fleet *fleet)
{
    struct db *db = fleet->place->db;
    struct identity identity;
    struct device device;
    struct error err;
    int64_t before, after;
    assert_true(identity_parse(slice_of("uid:removed"), &identity));
    assert_ok(device_count(db, &before, &err), err);
    for (unsigned is_counted = 0; is_counted < 2; is_counted++) { /* before the transaction */
        if (!is_counted)
            assert_ok(db_begin(db, &err), err);
        assert_ok(device_add(db, fleet->scene.product.id, &identity, fleet->other.id, &device, &err), err);
        if (is_counted)
            assert_ok(db_begin(db, &err), err);
        strcpy(device.asked_version, "8.8");
        assert_ok(device_update(db, &device, &err), err);
        assert_ok(removal_device(db, device.id, &err), err);
        assert_ok(db_commit(db, &err), err);
    }
    assert_ok(device_count(db, &after, &err), err);
    assert_int_equal(before, after);
    check(fleet);
}

/* In one transaction the last device leaves a firmware, and the firmware is deleted. */
static void test_a_firmware_is_deleted_after_its_last_device_left(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct scene scene;
    struct firmware old;
    struct device device;
    struct error err;
    const struct identity identity = {.kind = ID_UID, .id = "moves"};
    set_scene(db, &scene);
    assert_ok(firmware_ensure(db, scene.product.id, "old", 1, &old, &err), err);
    assert_ok(device_add(db, scene.product.id, &identity, old.id, &device, &err), err);
    assert_ok(db_begin(db, &err) && db_savepoint(db, &err), err);
    device.firmware_id = scene.firmware.id;
    assert_ok(device_update(db, &device, &err) && db_release(db, &err), err);
    assert_ok(db_savepoint(db, &err) && removal_firmware(db, old.id, &err) && db_release(db, &err), err);
    assert_ok(db_commit(db, &err), err);
}

/* Counting fails half way, and the caller ignores that. */
static void test_counting_is_all_or_nothing(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct scene scene;
    struct device device;
    struct error err;
    int64_t count;
    const struct identity identity = {.kind = ID_UID, .id = "one"};
    set_scene(db, &scene);
    assert_ok(device_add(db, scene.product.id, &identity, scene.firmware.id, &device, &err), err);
    assert_ok(db_begin(db, &err) && db_savepoint(db, &err), err);
    strcpy(device.asked_version, "9");
    assert_ok(device_update(db, &device, &err), err);
    assert_int_equal(sqlite3_exec(db->handle,
                                  "CREATE TEMP TRIGGER once BEFORE UPDATE ON main.fleet_member "
                                  "BEGIN SELECT RAISE(ABORT, 'once'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_false(device_count(db, &count, &err));
    assert_int_equal(sqlite3_exec(db->handle, "DROP TRIGGER once", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(db_release(db, &err) && db_commit(db, &err), err);
    assert_ok(device_count(db, &count, &err), err);
    assert_int_equal(count, 1);
}

static void test_counts_agree_with_a_recount(void **state)
{
    struct fleet fleet = {.place = *state};
    struct error err;
    set_scene(fleet.place->db, &fleet.scene);
    assert_ok(firmware_ensure(fleet.place->db, fleet.scene.product.id, "other", 1, &fleet.other, &err), err);
    for (unsigned i = 0; i < DEVICES; i++) {
        char id[IDENTITY_SIZE];
        struct identity identity;
        snprintf(id, sizeof id, "uid:device-%u", i);
        assert_true(identity_parse(slice_of(id), &identity));
        assert_ok(device_add(fleet.place->db, fleet.scene.product.id, &identity, fleet.scene.firmware.id,
                             &fleet.device[i], &err),
                  err);
    }
    seed = 1;
    for (unsigned i = 1; i <= EVENTS; i++) {
        run_transaction(&fleet);
        if (i % 1000 == 0)
            restart(&fleet);
        if (i % 100 == 0)
            check(&fleet);
    }
    check_removal(&fleet);
    check_migration(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_counts_agree_with_a_recount),
                                       TEST(test_a_firmware_is_deleted_after_its_last_device_left),
                                       TEST(test_counting_is_all_or_nothing)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
