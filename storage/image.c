/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/entities.h"

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(withdrawn_ms, INT_OR_NULL, row->withdrawn_ms)                                                      \
    NEXT(withdrawn_reason, TEXT_OR_NULL, row->withdrawn_reason)                                              \
    NEXT(waypoint, ENUM, row->waypoint, &waypoint_names)                                                     \
    NEXT(waypoint_reason, TEXT_OR_NULL, row->waypoint_reason)
#define FACTS(FIRST, NEXT, row)                                                                              \
    FIRST(core_id, INT_OR_UNKNOWN, row->core_id)                                                             \
    NEXT(chip, TEXT_OR_NULL, row->chip)                                                                      \
    NEXT(script_address, INT_OR_NULL, row->script.address)                                                   \
    NEXT(script_area, INT_OR_NULL, row->script.area)                                                         \
    NEXT(kept_bytes, INT_OR_NULL, row->script.kept)                                                          \
    NEXT(script_bytes, INT_OR_NULL, row->script.bytes)                                                       \
    NEXT(packed_bytes, INT_OR_NULL, row->script.packed)                                                      \
    NEXT(script_bits, INT_OR_NULL, row->script.bits)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(firmware_id, INT, row->firmware_id)                                                                \
    NEXT(version, TEXT, row->version)                                                                        \
    NEXT(variant, TEXT, row->variant)                                                                        \
    NEXT(is_default, BOOL, row->is_default)                                                                  \
    NEXT(sha256, HASH, row->sha256)                                                                          \
    NEXT(size_bytes, INT, row->size_bytes)                                                                   \
    NEXT(file_name, TEXT_OR_NULL, row->file_name)                                                            \
    NEXT(warning, TEXT_OR_NULL, row->warnings)                                                               \
    NEXT(uploaded_ms, INT, row->uploaded_ms)                                                                 \
    NEXT(kind, ENUM, row->kind, &image_kind_names)                                                           \
    NEXT(core, TEXT_OR_NULL, row->core)                                                                      \
    NEXT(content, TEXT_OR_NULL, row->content)                                                                \
    FACTS(NEXT, NEXT, row)                                                                                   \
    CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum {
    FIND,
    FIND_BUILD,
    BUILDS,
    LIST_BUILDS,
    VARIANT_OF,
    CLEAR_DEFAULT,
    SET_DEFAULT,
    TWIN,
    ADD,
    LIST,
    UPDATE,
    ANY_SERVED,
    REMOVE,
    REQUIRED,
    SET_FACTS
};
static const char *const sql[] = {
    [FIND] = KEPT "SELECT " COLUMN_NAMES(COLUMNS) " FROM image i WHERE firmware_id = $1 AND version = $2 AND "
             "(sha256 = $3 OR ($3 = zeroblob(32) AND (is_default = 1 OR NOT EXISTS (SELECT 1 FROM image o "
             "WHERE o.firmware_id = $1 AND o.version = $2 AND o.id <> i.id)))) ORDER BY is_default DESC LIMIT 1",
    [FIND_BUILD] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM image WHERE firmware_id = $1 AND version = $2 AND variant = $3",
    [BUILDS] = KEPT "SELECT variant FROM image WHERE firmware_id = $1 AND version = $2 ORDER BY variant",
    [LIST_BUILDS] = KEPT
        "SELECT " COLUMN_NAMES(COLUMNS) " FROM image WHERE firmware_id = $1 AND version = $2 ORDER BY variant",
    [VARIANT_OF] =
        "SELECT variant FROM image WHERE firmware_id = $1 AND version = $2 AND sha256 = $3 ORDER BY variant LIMIT 1",
    [CLEAR_DEFAULT] = "UPDATE image SET is_default = 0 WHERE firmware_id = $1 AND version = $2 AND is_default = 1",
    [SET_DEFAULT] = "UPDATE image SET is_default = $1 WHERE id = $2",
    [TWIN] =
        "SELECT f.name, i.version, i.firmware_id FROM image i JOIN firmware f ON f.id = i.firmware_id "
        "WHERE i.sha256 = $1 AND f.product_id = $2 ORDER BY i.firmware_id <> $3, i.id LIMIT 1",
    [ADD] = "INSERT INTO image (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM image WHERE firmware_id = $1",
    [UPDATE] = "UPDATE image SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [ANY_SERVED] = "SELECT 1 FROM image WHERE firmware_id = $1 AND version = $2 AND id <> $3 "
                   "AND withdrawn_ms IS NULL LIMIT 1",
    [REMOVE] = "DELETE FROM image WHERE id = $1",
    [SET_FACTS] = "UPDATE image SET " COLUMN_CHANGES(FACTS) " WHERE id = $id",
    [REQUIRED] = "SELECT version FROM image WHERE firmware_id = $1 AND waypoint = 'required'",
};
DB_TABLE(image, ENTITY_IMAGE);

static const char *const kind_names[] = {[IMAGE_PLAIN] = "image", [IMAGE_FULL] = "full"};
const struct enum_names image_kind_names = ENUM_NAMES(kind_names);

const struct sha256 image_no_build = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

bool image_find_build(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *build,
                      struct image *ret, bool *ret_found, struct error *err)
{
    static const struct sha256 unknown;
    if (build && sha256_equal(build, &image_no_build)) {
        *ret_found = false;
        return true;
    }
    return db_row(
        db,
        QUERY(FIND, PARAMS(P_INT(firmware_id), P_TEXT(version), P_HASH(build ? build : &unknown)), ROW(ret)),
        ret_found, err);
}

bool image_find(struct db *db, int64_t firmware_id, const char *version, struct image *ret, bool *ret_found,
                struct error *err)
{
    return image_find_build(db, firmware_id, version, NULL, ret, ret_found, err);
}

struct builds {
    char variant[VARIANT_SIZE]; /* the row */
    char *text;
    size_t count;
};

static bool add_build(void *cls)
{
    struct builds *builds = cls;
    size_t used = strlen(builds->text);
    snprintf(builds->text + used, BUILDS_SIZE - used, "%s%s", used ? ", " : "",
             builds->variant[0] ? builds->variant : "'' (none)");
    builds->count++;
    return true;
}

bool image_builds(struct db *db, int64_t firmware_id, const char *version, char out[BUILDS_SIZE],
                  size_t *ret_count, struct error *err)
{
    struct builds builds = {.text = out};
    out[0] = '\0';
    if (!db_rows(db,
                 QUERY(BUILDS, PARAMS(P_INT(firmware_id), P_TEXT(version)), FIELDS(F_TEXT(builds.variant))),
                 add_build, &builds, err))
        return false;
    *ret_count = builds.count;
    return true;
}

bool image_list_builds(struct db *db, int64_t firmware_id, const char *version, struct image **ret,
                       size_t *ret_count, struct error *err)
{
    struct image row = {0};
    return db_list(db, QUERY(LIST_BUILDS, PARAMS(P_INT(firmware_id), P_TEXT(version)), ROW(&row)), &row,
                   sizeof row, ret, ret_count, err);
}

bool image_get(struct db *db, int64_t firmware_id, const char *version, struct image *ret, struct error *err)
{
    char builds[BUILDS_SIZE];
    size_t count;
    bool found;
    if (!image_find(db, firmware_id, version, ret, &found, err))
        return false;
    if (found)
        return true;
    if (!image_builds(db, firmware_id, version, builds, &count, err))
        return false;
    if (count)
        return error_set(
            err, ERROR_SEVERAL_BUILDS,
            "version %s has several builds (variants %s), and none is the default: name one with "
            "variant, or make one the default",
            version, builds);
    return error_set(err, ERROR_IMAGE_NOT_FOUND, "there is no image of version %s", version);
}

static bool find_build(struct db *db, int64_t firmware_id, const char *version, const char *variant,
                       struct image *ret, bool *ret_found, struct error *err)
{
    return db_row(db,
                  QUERY(FIND_BUILD, PARAMS(P_INT(firmware_id), P_TEXT(version), P_TEXT(variant)), ROW(ret)),
                  ret_found, err);
}

bool image_get_build(struct db *db, int64_t firmware_id, const char *version, const char *variant,
                     struct image *ret, struct error *err)
{
    char builds[BUILDS_SIZE];
    size_t count;
    bool found;
    if (!find_build(db, firmware_id, version, variant, ret, &found, err))
        return false;
    if (found)
        return true;
    if (!image_builds(db, firmware_id, version, builds, &count, err))
        return false;
    if (!count)
        return error_set(err, ERROR_IMAGE_NOT_FOUND, "there is no image of version %s", version);
    return error_set(err, ERROR_IMAGE_NOT_FOUND, "version %s has no variant '%s'; there is %s", version,
                     variant, builds);
}

void image_build_name(const struct image *image, char out[BUILD_NAME_SIZE])
{
    name_write_build(image->version, image->variant, out);
}

bool image_variant_of(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *sha256,
                      char ret[VARIANT_SIZE], bool *ret_found, struct error *err)
{
    struct {
        char variant[VARIANT_SIZE];
    } row = {""};
    if (!db_row(db,
                QUERY(VARIANT_OF, PARAMS(P_INT(firmware_id), P_TEXT(version), P_HASH(sha256)),
                      FIELDS(F_TEXT(row.variant))),
                ret_found, err))
        return false;
    memcpy(ret, row.variant, sizeof row.variant);
    return true;
}

void image_warn(struct image *image, const char *format, ...)
{
    size_t used = strlen(image->warnings);
    char *at = image->warnings + used;
    va_list arguments;
    va_start(arguments, format);
    if (used > 0)
        *at++ = '\n';
    size_t left = sizeof image->warnings - (size_t)(at - image->warnings);
    if (left == 0 || (size_t)vsnprintf(at, left, format, arguments) >= left)
        image->warnings[used] = '\0';
    va_end(arguments);
}

/* The same bytes under another version or firmware of this product: a file may have been renamed. */
static bool warn_of_twin(struct db *db, int64_t product_id, struct image *image, struct error *err)
{
    char name[FIRMWARE_NAME_SIZE], version[VERSION_TEXT_SIZE];
    int64_t firmware_id;
    bool found;
    if (!db_row(db,
                QUERY(TWIN, PARAMS(P_HASH(&image->sha256), P_INT(product_id), P_INT(image->firmware_id)),
                      FIELDS(F_TEXT(name), F_TEXT(version), F_INT(&firmware_id))),
                &found, err))
        return false;
    if (found && firmware_id == image->firmware_id && strcmp(version, image->version) == 0)
        image_warn(image, "another build of this version has the same bytes: was a file renamed?");
    else if (found && firmware_id == image->firmware_id)
        image_warn(image, "version %s has the same bytes: was a file renamed?", version);
    else if (found)
        image_warn(image, "version %s of %s has the same bytes: was a file renamed?", version, name);
    return true;
}

/* What the vendor adds to the file names of builds: LuatOS-SoC_V1114_EC618_TTS_ONCHIP.soc */
static const char *suggest_variant(const char *file_name)
{
    static const struct {
        const char *part, *variant;
    } known[] = {{"_TTS_ONCHIP", "tts_onchip"}, {"_TTS", "tts"}, {"_FULL", "full"}, {"_CLOUD", "cloud"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(file_name, known[i].part))
            return known[i].variant;
    return "full";
}

static bool refuse_other(const struct image *image, const char *hex, struct error *err)
{
    char name[BUILD_NAME_SIZE];
    image_build_name(image, name);
    return error_set(
        err, ERROR_IMAGE_CONFLICT,
        "version %s exists already with other bytes (sha256 %s). If this is another build of the "
        "version, give it a variant, for example variant=%s",
        name, hex, suggest_variant(image->file_name));
}

/* The same bytes once more: adds what was not known of them. */
static bool take_again(struct db *db, struct image *image, const struct image *there, struct error *err)
{
    const struct image again = *image;
    bool adds_id = there->core_id == DB_UNKNOWN && again.core_id != DB_UNKNOWN;
    bool adds_chip = again.chip[0] && strcmp(there->chip, again.chip) != 0, /* read more exactly */
        adds_script = !there->script.address && again.script.address;
    if (!adds_id && again.core_id != DB_UNKNOWN && there->core_id != again.core_id)
        return error_set(
            err, ERROR_IMAGE_CONFLICT,
            "version %s is stored with core_id %lld, and this upload says %lld: if the stored one is "
            "wrong, delete the image and upload it again",
            there->version, (long long)there->core_id, (long long)again.core_id);
    *image = *there;
    if (adds_id)
        image->core_id = again.core_id;
    if (adds_chip)
        memcpy(image->chip, again.chip, sizeof image->chip);
    if (adds_script)
        image->script = again.script;
    return (!adds_id && !adds_chip && !adds_script) ||
           db_do(db, COMMAND(SET_FACTS, PARAMS(COLUMN_PARAMS(FACTS, image), P_INT(image->id))), NULL, err);
}

bool image_add(struct db *db, int64_t product_id, struct image *image, bool *ret_new, struct error *err)
{
    struct image there;
    bool found;
    if (!find_build(db, image->firmware_id, image->version, image->variant, &there, &found, err))
        return false;
    if (found) {
        char hex[SHA256_HEX_SIZE];
        sha256_hex(&there.sha256, hex);
        if (!sha256_equal(&there.sha256, &image->sha256))
            return refuse_other(image, hex, err);
        *ret_new = false;
        return take_again(db, image, &there, err);
    }
    *ret_new = true;
    if (!warn_of_twin(db, product_id, image, err) ||
        !db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, image))), NULL, err))
        return false;
    image->id = db_last_id(db);
    return true;
}

static int by_version(const void *a, const void *b)
{
    struct version va, vb;
    version_parse(slice_of(((const struct image *)a)->version), &va);
    version_parse(slice_of(((const struct image *)b)->version), &vb);
    int order = version_compare(&va, &vb);
    return order ? order : strcmp(((const struct image *)a)->variant, ((const struct image *)b)->variant);
}

bool image_list(struct db *db, int64_t firmware_id, struct image **ret, size_t *ret_count, struct error *err)
{
    struct image row = {0};
    if (!db_list(db, QUERY(LIST, PARAMS(P_INT(firmware_id)), ROW(&row)), &row, sizeof row, ret, ret_count,
                 err))
        return false;
    if (*ret_count)
        qsort(*ret, *ret_count, sizeof **ret, by_version);
    return true;
}

bool image_set_default(struct db *db, struct image *image, bool is_default, struct error *err)
{
    image->is_default = is_default;
    return db_do(db, COMMAND(CLEAR_DEFAULT, PARAMS(P_INT(image->firmware_id), P_TEXT(image->version))), NULL,
                 err) &&
           db_do(db, COMMAND(SET_DEFAULT, PARAMS(P_INT(is_default), P_INT(image->id))), NULL, err);
}

bool image_update(struct db *db, const struct image *image, struct error *err)
{
    return db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, image), P_INT(image->id))), NULL, err);
}

bool image_any_served(struct db *db, int64_t firmware_id, const char *version, int64_t except, bool *ret,
                      struct error *err)
{
    return db_row(db,
                  QUERY(ANY_SERVED, PARAMS(P_INT(firmware_id), P_TEXT(version), P_INT(except)), NO_FIELDS),
                  ret, err);
}

bool image_remove(struct db *db, const struct image *image, struct error *err)
{
    return db_do(db, COMMAND(REMOVE, PARAMS(P_INT(image->id))), NULL, err);
}

static bool differ(int64_t a, int64_t b)
{
    return a && b && a != b;
}

bool image_same_areas(const struct image *a, const struct image *b)
{
    return !differ(a->script.address, b->script.address) && !differ(a->script.area, b->script.area) &&
           !differ(a->script.kept, b->script.kept);
}

bool image_is_full(const struct image *image)
{
    return image->kind == IMAGE_FULL;
}

struct between {
    struct version low, high;
    char text[VERSION_TEXT_SIZE]; /* the row */
    bool found;
};

static bool look_between(void *cls)
{
    struct between *between = cls;
    struct version version;
    if (version_parse(slice_of(between->text), &version) && version_compare(&between->low, &version) < 0 &&
        version_compare(&version, &between->high) < 0)
        between->found = true;
    return !between->found;
}

bool image_required_between(struct db *db, int64_t firmware_id, const struct version *a,
                            const struct version *b, bool *ret, struct error *err)
{
    bool up = version_compare(a, b) < 0;
    struct between between = {.low = up ? *a : *b, .high = up ? *b : *a};
    if (!db_rows(db, QUERY(REQUIRED, PARAMS(P_INT(firmware_id)), FIELDS(F_TEXT(between.text))), look_between,
                 &between, err))
        return false;
    *ret = between.found;
    return true;
}
