/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/blob_row.h"

#include "storage/entities.h"

/* The version of an image with these bytes. */
#define VERSION_OF(column) "coalesce((SELECT min(version) FROM image WHERE sha256 = p." column "), '?')"
#define PACKAGE                                                                                              \
    "'package ' || CASE p.format WHEN 'full' THEN 'any' ELSE " VERSION_OF(                                   \
        "from_sha256") " END || ' to ' || " VERSION_OF("to_sha256")

enum { LIST };
static const char *const sql[] = {
    [LIST] =
        ("SELECT sha256, max(size_bytes), min(what) FROM ("
         "SELECT i.sha256, i.size_bytes, 'image ' || i.version || ' of ' || f.name AS what FROM image i "
         "JOIN firmware f ON f.id = i.firmware_id "
         "UNION ALL SELECT p.sha256, p.size_bytes, " PACKAGE " FROM package p WHERE p.sha256 IS NOT NULL "
         "UNION ALL SELECT p.better_sha256, p.better_size_bytes, " PACKAGE " FROM package p "
         "WHERE p.better_sha256 IS NOT NULL) GROUP BY sha256 ORDER BY sha256"),
};
DB_TABLE(blob_row, ENTITY_BLOB_ROW);

bool blob_row_list(struct db *db, struct blob_row **ret, size_t *ret_count, struct error *err)
{
    struct blob_row row = {.size_bytes = 0};
    return db_list(
        db, QUERY(LIST, NO_PARAMS, FIELDS(F_HASH(&row.sha256), F_INT(&row.size_bytes), F_TEXT(row.what))),
        &row, sizeof row, ret, ret_count, err);
}
