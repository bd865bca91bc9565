/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/base_build.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/package_format.h"
#include "storage/image_package.h"
#include "storage/turnkey.h"
#include "upgrade/full.h"

struct builds { /* of one version */
    struct image *image;
    size_t count;
};

static void name_build(const struct image *image, char out[BUILD_NAME_SIZE])
{
    snprintf(out, BUILD_NAME_SIZE, "%s", image->variant[0] ? image->variant : "'' (none)");
}

/* A module with an EC618 or EC7xx compares the hash of the base before it changes anything. bspatch does not, and nothing is
   known of the updaters for external packages. */
static bool checks_base(const char *format)
{
    const struct package_format *found = package_format_find(format);
    return found && found->chip != PACKAGE_CHIP_NONE;
}

/* The kind of core that the device says it has: in this request, or in the one to which this download was
   offered. */
static bool load_core_id(struct db *db, struct facts *facts, const char *base, struct error *err)
{
    const struct attempt *attempt = &facts->attempt;
    struct turnkey turnkey;
    bool found;
    if (facts->checkin.has_core_id || !facts->snapshot.attempt_open ||
        !(facts->checkin.offer || facts->link.handed_out) || strcmp(attempt->from, base) != 0)
        return true;
    if (!turnkey_of_attempt(db, attempt->id, &turnkey, &found, err))
        return false;
    facts->checkin.has_core_id = found && turnkey.core_id != DB_UNKNOWN;
    if (facts->checkin.has_core_id)
        facts->checkin.core_id = turnkey.core_id;
    return true;
}

/* What an admin said, or a confirmed package left. */
static bool is_known(const struct facts *facts)
{
    const struct snapshot *known = &facts->snapshot;
    return known->confirmed.count && version_compare(&known->base, &known->confirmed) == 0 &&
           !sha256_is_zero(&facts->device.build);
}

static const struct image *find_known(const struct facts *facts, const struct builds *builds)
{
    for (size_t i = 0; i < builds->count; i++)
        if (sha256_equal(&builds->image[i].sha256, &facts->device.build))
            return &builds->image[i];
    return NULL;
}

static void choose(struct facts *facts, enum build_by by, const struct image *image)
{
    facts->build.by = by;
    facts->build.sha256 = image->sha256;
}

static void choose_none(struct facts *facts)
{
    facts->build.by = BUILD_OF_NONE;
    facts->build.sha256 = image_no_build;
}

static void heed_contradiction(struct facts *facts, const struct image *stored)
{
    const struct checkin *said = &facts->checkin;
    char name[BUILD_NAME_SIZE];
    if (!said->has_core_id || !said->core_id || stored->core_id == DB_UNKNOWN ||
        stored->core_id == said->core_id)
        return;
    name_build(stored, name);
    choose_none(facts);
    reason_write(facts->snapshot.build_doubt, REASON_SIZE,
                 REASON(REASON_BUILD_CONTRADICTED, R_TEXT(stored->version), R_TEXT(name),
                        R_NUMBER((uint64_t)said->core_id), R_NUMBER((uint64_t)stored->core_id)));
}

/* The known build may have been deleted: no other build is the base then. */
static void take_known(struct facts *facts, const struct builds *builds)
{
    const struct image *image = find_known(facts, builds);
    if (image) {
        choose(facts, BUILD_KNOWN, image);
        heed_contradiction(facts, image);
    } else {
        choose_none(facts);
        facts->snapshot.base_gone = builds->count > 0;
    }
}

/* Cores without a number send 0, so a 0 that no build has says nothing. */
static void choose_by_core_id(struct facts *facts, const struct builds *builds)
{
    const struct checkin *said = &facts->checkin;
    const struct image *only = NULL;
    size_t fitting = 0;
    if (!said->has_core_id || !builds->count)
        return;
    for (size_t i = 0; i < builds->count; i++) {
        if (builds->image[i].core_id == DB_UNKNOWN)
            return;
        if (builds->image[i].core_id == said->core_id) {
            only = &builds->image[i];
            fitting++;
        }
    }
    if (fitting == 1 && builds->count > 1)
        choose(facts, BUILD_BY_CORE_ID, only);
    if (fitting || !said->core_id)
        return;
    choose_none(facts);
    reason_write(
        facts->snapshot.build_doubt, REASON_SIZE,
        REASON(REASON_CORE_ID_UNKNOWN, R_TEXT(builds->image->version), R_NUMBER((uint64_t)said->core_id)));
}

/* This very request says that the device did not apply what was delivered. */
static bool fails_now(const struct facts *facts)
{
    const struct snapshot *known = &facts->snapshot;
    enum attempt_state state = known->attempt_state;
    enum attempt_event event;
    return facts->checkin.source == CHECKIN_DIALECT && facts->checkin.version.count && known->attempt_open &&
           facts->slot == SLOT_MAIN && state == ATTEMPT_DELIVERED &&
           grade_counts(known->grade, known->confirmed_grade) &&
           decision_report(&facts->checkin.version, known, &event) && event == EVENT_SAW_OLD &&
           attempt_apply(&state, event) && state == ATTEMPT_NOT_APPLIED;
}

/* The only build of which the device has not failed to apply a package. When it failed with each, they say
   nothing. */
static bool choose_by_elimination(struct db *db, struct facts *facts, const char *base,
                                  const struct builds *builds, struct error *err)
{
    const struct image *only = NULL;
    const struct image_failures question = {.device_id = facts->device.id,
                                            .firmware_id = facts->firmware.id,
                                            .version = base,
                                            .attempt_id = fails_now(facts) ? facts->attempt.id : 0};
    size_t left = 0;
    if (builds->count < 2 || !facts->device.id || !checks_base(facts->firmware.format))
        return true;
    for (size_t i = 0; i < builds->count; i++) {
        bool failed;
        if (!image_package_failed(db, &question, &builds->image[i].sha256, &failed, err))
            return false;
        if (!failed) {
            only = &builds->image[i];
            left++;
        }
    }
    if (left == 1)
        choose(facts, BUILD_BY_ELIMINATION, only);
    else if (left && left < builds->count)
        choose_none(facts);
    return true;
}

static bool have_same_place(const struct image *a, const struct image *b)
{
    return image_same_areas(a, b) && (!a->script.bits || !b->script.bits || a->script.bits == b->script.bits);
}

/* A core_id is the word of a request, and a refused package may have been refused for another reason. Neither is certain
   enough for a script, which a module writes wherever the package says. */
static bool look_at_places(struct db *db, struct facts *facts, const char *base, const struct builds *builds,
                           struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    char names[BUILDS_SIZE];
    size_t count;
    for (size_t i = 1; i < builds->count; i++)
        known->places_differ |= !have_same_place(&builds->image[0], &builds->image[i]);
    if (!known->places_differ)
        return true;
    if (!image_builds(db, facts->firmware.id, base, names, &count, err))
        return false;
    snprintf(known->base_builds, sizeof known->base_builds, "%s", names);
    return true;
}

bool base_build_choose(struct db *db, struct facts *facts, const char *base, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    struct builds builds;
    if (!load_core_id(db, facts, base, err) ||
        !image_list_builds(db, facts->firmware.id, base, &list, &builds.count, err))
        return false;
    builds.image = list;
    if (is_known(facts)) {
        take_known(facts, &builds);
        return true;
    }
    choose_by_core_id(facts, &builds);
    if (!look_at_places(db, facts, base, &builds, err))
        return false;
    return facts->build.by != BUILD_NOT_KNOWN || choose_by_elimination(db, facts, base, &builds, err);
}

const struct sha256 *base_build_hash(const struct facts *facts)
{
    return facts->build.by == BUILD_NOT_KNOWN ? NULL : &facts->build.sha256;
}

bool base_build_explain(struct db *db, struct attempt *attempt, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    char names[BUILDS_SIZE], name[BUILD_NAME_SIZE] = "";
    struct sha256 from, to;
    size_t count;
    bool found;
    if (!checks_base(attempt->format) || !attempt->delivered_ms)
        return true;
    if (!image_package_ends(db, attempt->firmware_id, attempt->from, attempt->to, &attempt->package_sha256,
                            &from, &to, &found, err))
        return false;
    if (!found)
        return true;
    if (!image_list_builds(db, attempt->firmware_id, attempt->from, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (sha256_equal(&list[i].sha256, &from))
            name_build(&list[i], name);
    if (count < 2)
        return true;
    if (!image_builds(db, attempt->firmware_id, attempt->from, names, &count, err))
        return false;
    reason_write(attempt->reason, sizeof attempt->reason,
                 REASON(REASON_BUILD_NOT_APPLIED, R_TEXT(attempt->from), R_TEXT(name), R_TEXT(names)));
    return true;
}

bool base_build_find(struct db *db, int64_t firmware_id, const struct version *version,
                     const struct build_told *told, struct sha256 *ret, bool *ret_found, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    char text[VERSION_TEXT_SIZE], hex[SHA256_HEX_SIZE];
    struct image image;
    size_t count;
    *ret_found = told->has_variant || told->has_sha256;
    version_format(version, text);
    if (!*ret_found)
        return true;
    if (told->has_variant) {
        if (image_get_build(db, firmware_id, text, told->variant, &image, err)) {
            *ret = image.sha256;
            return true;
        }
        if (err->code == ERROR_IMAGE_NOT_FOUND)
            err->code = ERROR_INVALID;
        return false;
    }
    if (!image_list_builds(db, firmware_id, text, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (sha256_equal(&list[i].sha256, &told->sha256)) {
            *ret = told->sha256;
            return true;
        }
    sha256_hex(&told->sha256, hex);
    return error_set(err, ERROR_INVALID, "no image of version %s has the sha256 %s", text, hex);
}
