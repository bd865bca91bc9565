/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/image_package.h"

#include "storage/entities.h"

enum { LED_TO, AFTER, OF_PACKAGE, FAILED, FULL_IS_SERVABLE, USES_BLOB };
static const char *const sql[] = {
    [LED_TO] =
        "SELECT 1 FROM package p JOIN image i ON i.sha256 = p.to_sha256 WHERE p.sha256 = $1 "
        "AND i.firmware_id = $2 AND i.version = $3 AND i.withdrawn_ms IS NULL LIMIT 1",
    [AFTER] =
        "SELECT min(i.sha256) FROM image i WHERE (i.sha256 IN (SELECT to_sha256 FROM package WHERE sha256 = $1) "
        "OR (i.sha256 = $1 AND i.kind = 'full')) AND i.firmware_id = $2 AND i.version = $3 "
        "GROUP BY i.firmware_id HAVING count(DISTINCT i.sha256) = 1",
    [OF_PACKAGE] =
        "SELECT f.sha256, t.sha256 FROM package p JOIN image f ON f.sha256 = p.from_sha256 "
        "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
        "WHERE p.sha256 = $1 AND f.firmware_id = $2 AND f.version = $3 AND t.version = $4 LIMIT 1",
    [FAILED] =
        "SELECT 1 FROM attempt a JOIN package p ON p.sha256 = a.package_sha256 WHERE a.device_id = $1 "
        "AND +a.firmware_id = $2 AND a.from_version = $3 AND (a.state = 'not_applied' OR a.id = $4) "
        "AND p.from_sha256 = $5 AND a.beside = 0 AND a.by_proxy = 0 AND a.delivered_ms IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM attempt o WHERE o.device_id = $1 AND o.id > a.id AND o.beside = 0 "
        "AND (o.from_version <> $3 OR o.firmware_id <> $2 OR o.state = 'confirmed')) LIMIT 1",
    [FULL_IS_SERVABLE] =
        "SELECT 1 FROM image WHERE sha256 = $1 AND firmware_id = $2 AND kind = 'full' AND withdrawn_ms "
        "IS NULL AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.firmware_id = $2 AND q.from_sha256 = zeroblob(32) "
        "AND q.to_sha256 = $1)",
    [USES_BLOB] =
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM image WHERE sha256 = $1) "
        "OR EXISTS (SELECT 1 FROM package WHERE sha256 = $1) OR EXISTS (SELECT 1 FROM package WHERE "
        "better_sha256 = $1)",
};
DB_TABLE(image_package, ENTITY_IMAGE_PACKAGE);

bool image_package_is_servable(struct db *db, int64_t firmware_id, const char *version,
                               const struct sha256 *package, bool *ret, struct error *err)
{
    return db_row(db, QUERY(LED_TO, PARAMS(P_HASH(package), P_INT(firmware_id), P_TEXT(version)), NO_FIELDS),
                  ret, err);
}

bool image_package_to(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *package,
                      struct sha256 *ret, bool *ret_found, struct error *err)
{
    return db_row(
        db, QUERY(AFTER, PARAMS(P_HASH(package), P_INT(firmware_id), P_TEXT(version)), FIELDS(F_HASH(ret))),
        ret_found, err);
}

bool image_package_ends(struct db *db, int64_t firmware_id, const char *from, const char *to,
                        const struct sha256 *package, struct sha256 *ret_from, struct sha256 *ret_to,
                        bool *ret_found, struct error *err)
{
    return db_row(db,
                  QUERY(OF_PACKAGE, PARAMS(P_HASH(package), P_INT(firmware_id), P_TEXT(from), P_TEXT(to)),
                        FIELDS(F_HASH(ret_from), F_HASH(ret_to))),
                  ret_found, err);
}

bool image_package_failed(struct db *db, const struct image_failures *question, const struct sha256 *from,
                          bool *ret, struct error *err)
{
    return db_row(db,
                  QUERY(FAILED,
                        PARAMS(P_INT(question->device_id), P_INT(question->firmware_id),
                               P_TEXT(question->version), P_INT(question->attempt_id), P_HASH(from)),
                        NO_FIELDS),
                  ret, err);
}

bool image_full_is_servable(struct db *db, int64_t firmware_id, const struct sha256 *hash, bool *ret,
                            struct error *err)
{
    return db_row(db, QUERY(FULL_IS_SERVABLE, PARAMS(P_HASH(hash), P_INT(firmware_id)), NO_FIELDS), ret, err);
}

bool image_uses_blob(struct db *db, const struct sha256 *hash, bool *ret, struct error *err)
{
    return db_row(db, QUERY(USES_BLOB, PARAMS(P_HASH(hash)), NO_FIELDS), ret, err);
}
