/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/image_package.h"

#include "storage/entities.h"

enum { LED_TO, AFTER, OF_PACKAGE };
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
