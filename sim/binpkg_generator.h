/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A generated .binpkg, the full firmware of an EC618. The AP part is a generated image and 36 blocks of packed
   data. A block changes as a whole, every 36 version numbers, and the next number changes the next block. So the
   size of a delta follows the distance between the two versions. The CP part is a generated image. */
#ifndef DFOTA_SIM_BINPKG_GENERATOR_H
#define DFOTA_SIM_BINPKG_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

/* The image in the AP part has image_bytes, the blocks have one and a half times as much, and the CP part half as
   much. The same arguments give the same bytes on every machine. `release` comes from release_read(). The caller
   frees *ret. ERROR_INTERNAL: out of memory. */
bool binpkg_generator_make(const char *release, size_t image_bytes, uint32_t seed, struct buffer *ret,
                           struct error *err) __attribute__((warn_unused_result));

#endif
