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

bool package_key_can_be_made(const struct image *from, const struct image *to)
{
    return !image_is_full(from) && !image_is_full(to) && image_same_areas(from, to);
}

/* A release, which says which builds of a core there are. */
static bool has_place(const struct image *image)
{
    return image->script.address && !image_is_full(image);
}

bool package_key_full_fits(const struct image *package, const struct version *base,
                           const struct image *images, size_t count, char why[FULL_WHY_SIZE])
{
    struct version version;
    bool found = false;
    why[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!version_parse(slice_of(images[i].version), &version) || version_compare(&version, base) != 0 ||
            !images[i].script.address)
            continue;
        found = true;
        if (!full_fits(&package->script, &images[i].script, why))
            return false;
    }
    if (found)
        return true;
    for (size_t i = 0; i < count; i++)
        if (has_place(&images[i]) && version_parse(slice_of(images[i].version), &version) &&
            version.part[0] == base->part[0] && !full_fits(&package->script, &images[i].script, why))
            return false;
    return true;
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
    *ret = found && image_is_full(&target) && full_takes(target.core, base);
    if (!*ret)
        return true;
    if (!image_list(db, firmware->id, &images, &count, err))
        return false;
    *ret = package_key_full_fits(&target, base, images, count, why);
    return true;
}
