/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/package_key.h"

#include <stdio.h>

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
    return !image_is_full(from) && !image_is_full(to);
}

bool package_key_is_full(struct db *db, const struct firmware *firmware, const struct version *base,
                         bool *ret, struct error *err)
{
    struct image target;
    bool found;
    if (!image_find(db, firmware->id, firmware->target, &target, &found, err))
        return false;
    *ret = found && image_is_full(&target) && full_takes(target.core, base);
    return true;
}
