#include "server/need.h"

#include <stdio.h>

#include "server/daemon.h"
#include "server/jobs.h"
#include "server/recipe.h"

void need_key(const struct daemon *daemon, const struct firmware *firmware, const struct image *from,
              const struct image *to, struct package_key *ret)
{
    *ret = (struct package_key){.from = from->sha256, .to = to->sha256};
    snprintf(ret->format, sizeof ret->format, "%s", firmware->format);
    recipe_of(&daemon->config, firmware->name, firmware->format, ret->recipe);
}

bool need_package(struct db *db, struct daemon *daemon, const struct firmware *firmware, const struct image *from,
                  const struct image *to, bool again, int64_t now_ms, struct error *err)
{
    if (!firmware->format[0])
        return true;
    struct package_key key;
    need_key(daemon, firmware, from, to, &key);
    if (!package_queue(db, &key, again, 1, now_ms, err))
        return false;
    jobs_wake(daemon->jobs);
    return true;
}

bool need_upgrade(struct db *db, struct daemon *daemon, const struct firmware *firmware, const char *version,
                  int64_t now_ms, struct error *err)
{
    struct image from, to;
    struct version base, target;
    bool from_found, to_found;
    if (!version_parse(slice_of(version), &base) || !version_parse(slice_of(firmware->target), &target) ||
        version_compare(&base, &target) >= 0)
        return true;
    if (!image_find(db, firmware->id, version, &from, &from_found, err) ||
        !image_find(db, firmware->id, firmware->target, &to, &to_found, err))
        return false;
    return !from_found || !to_found || need_package(db, daemon, firmware, &from, &to, false, now_ms, err);
}
