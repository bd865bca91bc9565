/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/image_uses.h"

#include "storage/attempt.h"
#include "storage/entities.h"

#define KNOWN_BUILD "firmware_id = $1 AND state IS NULL AND confirmed_version = $2"

enum { COUNT };
static const char *const sql[] = {
    [COUNT] =
        "SELECT (SELECT coalesce(sum(devices), 0) FROM fleet_group WHERE firmware_id = $1 AND "
        "target_version = '' AND (confirmed_version = $2 OR asked_version = $2)), "
        "(SELECT count(*) FROM device WHERE " KNOWN_BUILD
        " AND build_sha256 = $3), "
        "(SELECT count(*) FROM device d WHERE " KNOWN_BUILD
        " AND build_sha256 <> $3 AND EXISTS "
        "(SELECT 1 FROM image i WHERE i.firmware_id = $1 AND i.version = $2 AND i.sha256 = d.build_sha256)), "
        "(SELECT count(*) FROM attempt a WHERE firmware_id = $1 AND (to_version = $2 OR target_version = $2) "
        "AND " ATTEMPT_IS_OPEN("a.")
        " AND NOT EXISTS (SELECT 1 FROM package p JOIN image i ON i.sha256 = p.to_sha256 "
        "WHERE p.sha256 = a.package_sha256 AND i.firmware_id = $1 AND i.version = $2 AND i.sha256 <> $3)), "
        "(SELECT count(*) FROM attempt a WHERE firmware_id = $1 AND to_version = $2 AND " ATTEMPT_IS_OPEN("a.")
        " AND (package_sha256 = $3 OR EXISTS (SELECT 1 FROM package p WHERE p.sha256 = a.package_sha256 "
        "AND p.to_sha256 = $3))), "
        "(SELECT count(*) FROM attempt a WHERE firmware_id = $1 AND from_version = $2 AND " ATTEMPT_IS_OPEN("a.")
        " AND EXISTS (SELECT 1 FROM package p WHERE p.sha256 = a.package_sha256 AND p.from_sha256 = $3)), "
        "(SELECT count(DISTINCT d.id) FROM device d "
        "JOIN link l ON l.device_id = d.id WHERE d.firmware_id = $1 AND d.asked_version IS NULL "
        "AND d.state IS NULL AND d.confirmed_version IS NULL AND l.firmware_id = $1 AND l.version = $2 "
        "AND l.revoked_ms IS NULL), (SELECT count(*) FROM package WHERE (from_sha256 = $3 "
        "OR to_sha256 = $3) AND state = 'generating')",
};
DB_TABLE(image_uses, ENTITY_IMAGE_USES);

/* A version without a named build means its default, or any of its builds while there is none. */
static bool look_for_default(struct db *db, const struct image *image, struct image_uses *ret,
                             struct error *err)
{
    struct image chosen;
    char builds[BUILDS_SIZE];
    bool found;
    if (!image_find(db, image->firmware_id, image->version, &chosen, &found, err) ||
        !image_builds(db, image->firmware_id, image->version, builds, &ret->builds, err))
        return false;
    ret->assumed = !found || chosen.id == image->id;
    ret->leads = ret->assumed || !image_same_areas(&chosen, image);
    return true;
}

bool image_count_uses(struct db *db, const struct image *image, struct image_uses *ret, struct error *err)
{
    int64_t all = 0, others = 0, coming_own = 0;
    bool found;
    if (!look_for_default(db, image, ret, err) ||
        !db_row(db,
                QUERY(COUNT,
                      PARAMS(P_INT(image->firmware_id), P_TEXT(image->version), P_HASH(&image->sha256)),
                      FIELDS(F_INT(&all), F_INT(&ret->running), F_INT(&others), F_INT(&ret->coming),
                             F_INT(&coming_own), F_INT(&ret->leaving), F_INT(&ret->linked),
                             F_INT(&ret->generating))),
                &found, err))
        return false;
    ret->unclear = ret->assumed ? all - ret->running - others : 0;
    if (!ret->leads)
        ret->coming = coming_own;
    if (!ret->assumed)
        ret->linked = 0;
    return true;
}
