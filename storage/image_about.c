/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/image_about.h"

#include "storage/entities.h"

static const char *const purpose_names[] = {"", "security-fix", "bug-fix", "feature", "other"};
const struct enum_names image_purpose_names = ENUM_NAMES(purpose_names);

enum { LOAD, SET, SET_SBOM, SBOM };
static const char *const sql[] = {
    [LOAD] =
        "SELECT coalesce(purpose, ''), release_note, advisory, coalesce(length(sbom), 0), sbom_sha256, "
        "sbom_format FROM image_about WHERE image_id = $1",
    [SET] =
        "INSERT INTO image_about (image_id, purpose, release_note, advisory) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (image_id) DO UPDATE SET purpose = excluded.purpose, "
        "release_note = excluded.release_note, advisory = excluded.advisory",
    [SET_SBOM] =
        "INSERT INTO image_about (image_id, sbom, sbom_sha256, sbom_format) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (image_id) DO UPDATE SET sbom = excluded.sbom, "
        "sbom_sha256 = excluded.sbom_sha256, sbom_format = excluded.sbom_format",
    [SBOM] = "SELECT sbom FROM image_about WHERE image_id = $1 AND sbom IS NOT NULL",
};
DB_TABLE(image_about, ENTITY_IMAGE_ABOUT);

bool image_about_load(struct db *db, int64_t image_id, struct image_about *ret, struct error *err)
{
    bool found;
    *ret = (struct image_about){.sbom_size = 0};
    return db_row(db,
                  QUERY(LOAD, PARAMS(P_INT(image_id)),
                        FIELDS(F_ENUM(&ret->purpose, &image_purpose_names), F_TEXT(ret->release_note),
                               F_TEXT(ret->advisory), F_INT(&ret->sbom_size), F_HASH(&ret->sbom_sha256),
                               F_TEXT(ret->sbom_format))),
                  &found, err);
}

bool image_about_set(struct db *db, int64_t image_id, const struct image_about *about, struct error *err)
{
    return db_do(db,
                 COMMAND(SET, PARAMS(P_INT(image_id), P_ENUM_OR_NULL(about->purpose, &image_purpose_names),
                                     P_TEXT_OR_NULL(about->release_note), P_TEXT_OR_NULL(about->advisory))),
                 NULL, err);
}

bool image_about_set_sbom(struct db *db, int64_t image_id, struct slice sbom, const struct image_about *about,
                          struct error *err)
{
    return db_do(db,
                 COMMAND(SET_SBOM, PARAMS(P_INT(image_id), sbom.len ? P_BYTES(sbom) : P_NULL,
                                          sbom.len ? P_HASH(&about->sbom_sha256) : P_NULL,
                                          P_TEXT_OR_NULL(about->sbom_format))),
                 NULL, err);
}

bool image_about_sbom(struct db *db, int64_t image_id, struct slice *ret, bool *ret_found, struct error *err)
{
    *ret = (struct slice){NULL, 0};
    return db_row(db, QUERY(SBOM, PARAMS(P_INT(image_id)), FIELDS(F_BYTES(ret))), ret_found, err);
}
