/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/build_choice.h"

#include <stdlib.h>
#include <string.h>

const struct image *build_choice_to(const struct image *builds, size_t count, const struct image *base)
{
    const struct image *only = NULL;
    size_t fitting = 0;
    if (count == 1)
        return builds;
    for (size_t i = 0; i < count; i++) {
        if (base && !image_same_areas(base, &builds[i]))
            continue;
        if (builds[i].is_default)
            return &builds[i];
        only = &builds[i];
        fitting++;
    }
    return base && fitting == 1 ? only : NULL;
}

size_t build_choice_count(const struct image *images, size_t count)
{
    size_t builds = 1;
    while (builds < count && strcmp(images[builds].version, images[0].version) == 0)
        builds++;
    return builds;
}

/* A device whose build is known may run one that is not stored any more: then no other build is its base. */
static const struct image *choose_base(const struct image *builds, size_t count, const struct sha256 *build)
{
    if (!build || sha256_is_zero(build))
        return build_choice_to(builds, count, NULL);
    for (size_t i = 0; i < count; i++)
        if (sha256_equal(&builds[i].sha256, build))
            return &builds[i];
    return NULL;
}

static bool is_version(const struct image *image, const struct version *wanted)
{
    struct version version;
    return version_parse(slice_of(image->version), &version) && version_compare(&version, wanted) == 0;
}

static const struct image *find_base(const struct image *images, size_t count, const struct version *from,
                                     const struct sha256 *build)
{
    for (size_t i = 0; i < count; i++)
        if (is_version(&images[i], from))
            return choose_base(&images[i], build_choice_count(&images[i], count - i), build);
    return NULL;
}

bool build_choice_make(const struct image *images, size_t count, const struct version *from,
                       const struct sha256 *build, struct image **ret, size_t *ret_count, struct error *err)
{
    const struct image *base = find_base(images, count, from, build), *chosen;
    size_t builds;
    *ret_count = 0;
    *ret = calloc(count + 1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i += builds) {
        builds = build_choice_count(&images[i], count - i);
        chosen = is_version(&images[i], from) ? base : build_choice_to(&images[i], builds, base);
        if (chosen)
            (*ret)[(*ret_count)++] = *chosen;
    }
    return true;
}
