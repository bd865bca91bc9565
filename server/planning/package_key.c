/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/package_key.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "server/context.h"
#include "server/config/recipe.h"
#include "upgrade/full.h"

void package_key_of(const struct daemon *daemon, const struct firmware *firmware, const struct image *from,
                    const struct image *to, struct package_key *ret)
{
    *ret = (struct package_key){.from = from->sha256, .to = to->sha256, .firmware_id = firmware->id};
    snprintf(ret->format, sizeof ret->format, "%s", firmware->format);
    recipe_of(daemon->config, firmware->name, firmware->format, ret->recipe);
}

void package_key_of_whole(const struct firmware *firmware, const struct image *to, struct package_key *ret)
{
    *ret = (struct package_key){.to = to->sha256, .firmware_id = firmware->id};
    snprintf(ret->format, sizeof ret->format, "%s", FULL_FORMAT);
}

bool package_key_can_be_made(const struct image *from, const struct image *to)
{
    return !image_is_full(from) && !image_is_full(to) && image_same_areas(from, to);
}

/* A release says how large the areas are; a full package only where its script goes. */
static bool is_release(const struct image *image)
{
    return image->script.address && !image_is_full(image);
}

static void take_smaller(int64_t *to, int64_t from)
{
    if (from && (!*to || from < *to))
        *to = from;
}

static void take_same(int64_t *to, int64_t from, bool *differs)
{
    *differs |= *to && from && *to != from;
    *to = *to ? *to : from;
}

static void add_build(struct package_base *base, const struct image *image)
{
    take_same(&base->script.address, image->script.address, &base->differs);
    take_same(&base->script.bits, image->script.bits, &base->differs);
    take_smaller(&base->script.area, image->script.area);
    take_smaller(&base->script.kept, image->script.kept);
}

static bool is_version(const struct image *image, const struct version *wanted)
{
    struct version version;
    return version_parse(slice_of(image->version), &version) && version_compare(&version, wanted) == 0;
}

static const struct image *find_release(const struct image *images, size_t count,
                                        const struct version *version, const struct sha256 *build)
{
    for (size_t i = 0; i < count; i++)
        if (sha256_equal(&images[i].sha256, build) && is_release(&images[i]) &&
            is_version(&images[i], version))
            return &images[i];
    return NULL;
}

void package_base_of(const struct image *images, size_t count, const struct version *version,
                     const struct sha256 *build, struct package_base *ret)
{
    const struct image *known = build ? find_release(images, count, version, build) : NULL;
    struct version other;
    size_t own = 0, releases = 0;
    *ret = (struct package_base){.differs = false};
    if (known) {
        add_build(ret, known);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (is_version(&images[i], version)) {
            add_build(ret, &images[i]);
            own++;
            releases += is_release(&images[i]);
        }
    if (own && own == releases)
        return;
    int64_t own_address = ret->script.address;
    for (size_t i = 0; i < count; i++)
        if (is_release(&images[i]) && version_parse(slice_of(images[i].version), &other) &&
            other.part[0] == version->part[0] && (!own_address || images[i].script.address == own_address))
            add_build(ret, &images[i]);
}

bool package_base_takes(const struct package_base *base, const struct image *package, char why[FULL_WHY_SIZE])
{
    if (!base->differs || !package->script.address)
        return full_fits(&package->script, &base->script, why);
    snprintf(why, FULL_WHY_SIZE,
             "the builds of its core have their scripts in different places, and which of them the device "
             "runs is not known");
    return false;
}

bool package_key_is_full(struct db *db, const struct firmware *firmware, const struct version *base,
                         bool *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct image *images = NULL;
    struct image target;
    char why[FULL_WHY_SIZE];
    size_t count;
    bool found;
    if (!image_find(db, firmware->id, firmware->target, &target, &found, err))
        return false;
    if (found && !image_is_full(&target)) {
        *ret = firmware_takes_full_packages(firmware);
        return true;
    }
    *ret = found && full_takes(target.core, base);
    if (!*ret)
        return true;
    if (!image_list(db, firmware->id, &images, &count, err))
        return false;
    struct package_base known;
    package_base_of(images, count, base, NULL, &known);
    *ret = package_base_takes(&known, &target, why);
    return true;
}
