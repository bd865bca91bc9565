/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Generated firmware: bytes that look like the program of a module and contain their version.

   The same version, size and seed give the same bytes on every machine. Versions with close numbers share
   most of their functions. A function that differs moves the functions after it and so changes every call
   across it, as in real firmware: a delta between close versions is small, a delta between other versions
   is large. */
#ifndef DFOTA_SIM_IMAGE_GENERATOR_H
#define DFOTA_SIM_IMAGE_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "sim/release.h"

#define GENERATOR_MIN_BYTES     ((size_t)4096)
#define GENERATOR_MAX_BYTES     ((size_t)64 << 20)
#define GENERATOR_DEFAULT_BYTES ((size_t)600 * 1024)

/* Writes exactly size_bytes to *ret, owned by the caller. `release` comes from release_read().
   ERROR_INTERNAL: out of memory. */
bool image_generator_make(const char *release, size_t size_bytes, uint32_t seed, struct buffer *ret,
                          struct error *err) __attribute__((warn_unused_result));

/* True if this is a complete, unchanged generated image; `out` is its version. */
bool image_generator_read(struct bytes image, char out[RELEASE_SIZE]);

#endif
