/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Formats `ec618-at`, `ec618-csdk` and `ec618-luatos`: one `.par` archive in three wrappers. A package is
   made from two .binpkg files (with one part each for AP and CP, where they differ) or from two raw images
   of the AP part. doc/package-formats.md says what the new image of a .binpkg is, and how each rule is
   known. */
#ifndef DFOTA_DELTA_EC618_EC618_H
#define DFOTA_DELTA_EC618_EC618_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/payload.h"

struct ec618_making {
    enum ec618_effort effort;
    bool closed_last_part; /* as in struct ec618_options */
    bool has_load_address; /* false: the load address is taken from the image */
    uint32_t load_address; /* of the AP part in flash */
};

/* Makes a package. The caller frees *ret. ERROR_INVALID: an image is neither a .binpkg nor a raw image,
   only one of them is a .binpkg, or they do not differ in anything that a package can change;
   ERROR_CORRUPT: a .binpkg is damaged; ERROR_TOO_LARGE: an image is over a limit of the module;
   ERROR_INTERNAL: no memory. */
bool ec618_make(enum wrapper wrapper, struct bytes old, struct bytes new, const struct ec618_making *making,
                struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* Applies a package in any of the wrappers, as the module would. Wrapper, archive, both headers and the
   base must be right (rules.h). Each payload goes through the simulated module, and its result must have
   the size and the hash that the header states. The archive may be too long for a module: see
   ec618_fits_module(). The result for a .binpkg is the same .binpkg with another AP and CP. Errors as
   engine_apply() in delta/engine.h. The caller frees *ret. */
bool ec618_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Whether a module has room for the archive. ERROR_TOO_LARGE: it does not. Other errors as ec618_apply(). */
bool ec618_fits_module(struct bytes package, struct error *err) __attribute__((warn_unused_result));

#endif
