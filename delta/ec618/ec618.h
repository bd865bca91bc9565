/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Formats `ec618-at`, `ec618-csdk` and `ec618-luatos`: one `.par` in three wrappers, between two .binpkg (a
   package for each of AP and CP that differs) or two raw images of the AP part. What is "the new image" of a
   .binpkg, and what is known of all this: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC618_EC618_H
#define DFOTA_DELTA_EC618_EC618_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "delta/bytes.h"
#include "delta/engine.h"

bool ec618_at_owns(struct bytes package);
bool ec618_csdk_owns(struct bytes package);
bool ec618_luatos_owns(struct bytes package);

/* As engine's `make`. ERROR_INVALID: an image is no .binpkg and no raw image, or they are of two kinds, or
   nothing differs that a package can change. */
bool ec618_at_make(struct bytes old, struct bytes new, const struct engine_options *options,
                   struct buffer *ret, struct error *err) __attribute__((warn_unused_result));
bool ec618_csdk_make(struct bytes old, struct bytes new, const struct engine_options *options,
                     struct buffer *ret, struct error *err) __attribute__((warn_unused_result));
bool ec618_luatos_make(struct bytes old, struct bytes new, const struct engine_options *options,
                       struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* Applies a package in any of the wrappers, as the module would: wrapper, archive, both headers and base must
   be right (ec618_rules.h), each payload goes through the simulated module, and its result must have the size
   and hash that the header states. The archive may be too long: ec618_fits_module() tells. From a .binpkg it
   makes the same .binpkg with other AP and CP. */
bool ec618_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Whether a module has room for the archive. ERROR_TOO_LARGE: it has not; otherwise as ec618_apply(). */
bool ec618_fits_module(struct bytes package, struct error *err) __attribute__((warn_unused_result));

/* Whether a module would hold the same: AP and CP of two .binpkg, all of two raw images. The note names what
   else of a .binpkg differs. */
bool ec618_same(struct bytes made, struct bytes new, struct engine_note *note);

#endif
