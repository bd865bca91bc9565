/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Delta packages for modules: what EC618 and EC7xx share. A package is a `.par` archive with one part each for AP
   and CP, where they differ, in one of three wrappers; in the wrapper of LuatOS a script can be in front of the
   archive. Each chip family adds its payload and its rules (struct chip_functions). */
#ifndef DFOTA_DELTA_EC618_PACKAGE_H
#define DFOTA_DELTA_EC618_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/image.h"

/* The functions of a chip family. `making` is what package_make() got. */
struct chip_functions {
    const char *name; /* "an EC618", in errors */
    uint32_t magic;   /* of the 92-byte head */
    /* Makes the payload of one part. Sets `reverse` and `load_address` of *source, in which the other fields except
       the payload are set. */
    bool (*make_part)(const void *making, enum ec618_slot slot, struct par_source *source,
                      struct buffer *payload, struct error *err);
    bool (*write)(const void *making, const struct par_source *source, size_t count, struct buffer *ret,
                  struct error *err);
    bool (*check)(const struct par *par, struct error *err); /* the rules of the chip, besides par_check() */
    /* Applies one part to `old`; *ret_slot tells which part of the image it is. */
    bool (*apply_part)(const struct ec618_image *old, const struct par *par, unsigned int place,
                       size_t max_bytes, enum ec618_slot *ret_slot, struct buffer *ret, struct error *err);
};

/* Makes a package from two images, which package_open_both() has opened. A part of a .binpkg that is equal in both
   images is left out; a raw image is one part. The caller frees *ret. ERROR_INVALID: the images do not differ in
   anything that a package can change; errors of the chip; ERROR_TOO_LARGE; ERROR_INTERNAL: no memory. */
bool package_make(const struct chip_functions *chip, enum wrapper wrapper, const struct ec618_image *old,
                  const struct ec618_image *new, const void *making, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Opens two images and compares their layouts. The caller frees both with ec618_image_free(), after an error too.
   ERROR_INVALID: an image is neither a .soc, a .binpkg nor a raw image, or the two have different parts or
   addresses; ERROR_CORRUPT: damaged. */
bool package_open_both(struct bytes old, struct bytes new, struct ec618_image *ret_old,
                       struct ec618_image *ret_new, struct error *err) __attribute__((warn_unused_result));

/* Applies a package in any wrapper. Wrapper, archive, heads and the base must be right. The result for a .binpkg is
   the same .binpkg with another AP and CP. The archive may be too long for a module. Errors as engine_apply() in
   delta/engine.h. The caller frees *ret. */
bool package_apply(const struct chip_functions *chip, struct bytes old, struct bytes package,
                   size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Reads the archive in a package. *ret_is_script: the package changes only a script, and *ret is not set. Errors as
   package_apply(). */
bool package_read(const struct chip_functions *chip, struct bytes package, struct par *ret,
                  bool *ret_is_script, struct error *err) __attribute__((warn_unused_result));

/* Whether both images are the same for a module: AP, CP and script of two .binpkg or .soc files, all bytes of two
   raw images. `note` gets a sentence about the other differences of two .binpkg files, or "". */
bool package_same(struct bytes made, struct bytes new, char *note, size_t note_size);

#endif
