/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which of several builds of a version a path leads over. */
#ifndef DFOTA_SERVER_PLANNING_BUILD_CHOICE_H
#define DFOTA_SERVER_PLANNING_BUILD_CHOICE_H

#include "storage/image.h"
#include "upgrade/name.h"

/* Keeps at most one build of each version: no path leads over two kinds of builds. `images` are in order of version. Of
   `from`: the image with the hash `build`; with NULL or zero (the build is not known) the only build or the default. Of
   each other version: see build_choice_to(). The caller frees *ret. */
bool build_choice_make(const struct image *images, size_t count, const struct version *from,
                       const struct sha256 *build, struct image **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

/* The build to which packages from `base` lead, among the builds of one version: the only one, else the default, else the
   only one whose script has the same place as that of the base; NULL: none of them is certain. `base` NULL: not known. */
const struct image *build_choice_to(const struct image *builds, size_t count, const struct image *base);

/* How many of the images, from the first on, are builds of the version of the first. */
size_t build_choice_count(const struct image *images, size_t count);

#endif
