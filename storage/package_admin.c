/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an admin decides about packages: uploads and releases. */
#include "storage/entities.h"
#include "storage/package.h"

enum { FORGET_SHARED, PUT_UPLOADED, FORGET, RELEASE, TAKE_BACK };
static const char *const sql[] = {
    /* The shared package, unless another firmware uses it, so that no job goes on making it. */
    [FORGET_SHARED] =
        "DELETE FROM package WHERE " IS_PACKAGE(1, 2, 3, 4) " AND firmware_id = 0 AND NOT EXISTS (SELECT 1 "
        "FROM image i JOIN image t ON t.firmware_id = i.firmware_id AND t.sha256 = $2 "
        "JOIN firmware f ON f.id = i.firmware_id WHERE i.sha256 = $1 AND f.format = $3 AND f.id <> $5)",
    [PUT_UPLOADED] =
        "INSERT INTO package (from_sha256, to_sha256, format, recipe, firmware_id, state, size_bytes, "
        "sha256, origin, uploaded_by, proven, note, queued_ms, finished_ms, uncounted_bytes) "
        "VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, 'uploaded', $8, $9, $10, $11, $11, $12) "
        "ON CONFLICT (from_sha256, to_sha256, format, recipe, firmware_id) DO UPDATE "
        "SET state = 'ready', size_bytes = $6, sha256 = $7, uploaded_by = $8, proven = $9, uncounted_bytes = $12, effort = 0, "
        "tried = 0, note = $10, log = NULL, error = NULL, crashes = 0, queued_ms = $11, started_ms = NULL, "
        "finished_ms = $11",
    [FORGET] = "DELETE FROM package WHERE id = $1 AND origin = 'uploaded'",
    [RELEASE] =
        "INSERT INTO package_release (package_id, firmware_id, released_ms, released_by, released_note) "
        "SELECT id, $1, $2, $3, $4 FROM package WHERE id = $5 AND state = 'ready' "
        "AND firmware_id IN (0, $1) ON CONFLICT (package_id, firmware_id) DO UPDATE "
        "SET released_ms = $2, released_by = $3, released_note = $4",
    [TAKE_BACK] = "DELETE FROM package_release WHERE package_id = $1 AND firmware_id = $2",
};
DB_TABLE(package_admin, ENTITY_PACKAGE_ADMIN);

bool package_put_uploaded(struct db *db, const struct package_key *key, const struct package_made *made,
                          const char *uploaded_by, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(FORGET_SHARED, PARAMS(P_PACKAGE_KEY(key), P_INT(key->firmware_id))), NULL,
                 err) &&
           db_do(db,
                 COMMAND(PUT_UPLOADED,
                         PARAMS(P_PACKAGE_KEY(key), P_INT(key->firmware_id), P_INT(made->size_bytes),
                                P_HASH(&made->sha256), P_TEXT(uploaded_by), P_INT(made->proven),
                                P_TEXT_OR_NULL(made->note), P_INT(now_ms), P_INT(made->uncounted_bytes))),
                 NULL, err);
}

bool package_forget(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(FORGET, PARAMS(P_INT(id))), NULL, err);
}

bool package_release(struct db *db, int64_t id, int64_t firmware_id, const char *by, const char *note,
                     int64_t now_ms, struct error *err)
{
    return db_do(
        db, COMMAND(RELEASE, PARAMS(P_INT(firmware_id), P_INT(now_ms), P_TEXT(by), P_TEXT(note), P_INT(id))),
        NULL, err);
}

bool package_take_back(struct db *db, int64_t id, int64_t firmware_id, struct error *err)
{
    return db_do(db, COMMAND(TAKE_BACK, PARAMS(P_INT(id), P_INT(firmware_id))), NULL, err);
}
