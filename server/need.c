#include "server/need.h"

#include "server/jobs.h"

bool need_package(struct db *db, struct jobs *jobs, const struct firmware *firmware, const struct image *from,
                  const struct image *to, bool again, int64_t now_ms, struct error *err)
{
    if (!firmware->format[0])
        return true;
    if (!package_queue(db, &from->sha256, &to->sha256, firmware->format, again, now_ms, err))
        return false;
    jobs_wake(jobs);
    return true;
}

bool need_upgrade(struct db *db, struct jobs *jobs, const struct firmware *firmware, const char *version,
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
    return !from_found || !to_found || need_package(db, jobs, firmware, &from, &to, false, now_ms, err);
}
