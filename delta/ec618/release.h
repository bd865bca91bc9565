/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The script of a LuatOS release in a package for an EC618 or EC7xx. A module checks neither the address nor the length
   of a script, so both are compared here with the release that the module runs. */
#ifndef DFOTA_DELTA_EC618_RELEASE_H
#define DFOTA_DELTA_EC618_RELEASE_H

#include "delta/container/luatos.h"
#include "delta/ec618/image.h"

/* Packs the script that leads from `old` to `new`. `magic` is that of the package's head: LUATOS_EC618 or
   LUATOS_EC7XX. *ret stays empty when the script stays: both are equal, or `new` has none. ERROR_INVALID: a release
   is for another family of chips, or the two do not fit each other; ERROR_TOO_LARGE: the packed script is larger
   than the area in which a module keeps it (soc_kept_limit()); ERROR_INTERNAL. */
bool release_pack_script(const struct ec618_image *old, const struct ec618_image *new, uint32_t magic,
                         struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* Unpacks the script of a sound file (luatos_check()). *ret stays empty when the file has none. The caller frees
   *ret. ERROR_CANNOT_APPLY: `old` does not state where its script is; ERROR_INVALID: `old` is for another family of
   chips than the file, or the file is for another script area, or too large for it; ERROR_CORRUPT,
   ERROR_INTERNAL. */
bool release_unpack_script(const struct ec618_image *old, const struct luatos_file *file, struct buffer *ret,
                           struct error *err) __attribute__((warn_unused_result));

/* Whether the script of `made` is that of `new`, in the same place. True: `new` has no script. */
bool release_same_script(const struct ec618_image *made, const struct ec618_image *new);

#endif
