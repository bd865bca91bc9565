/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Generated firmware: bytes that look like a module's program and say which version they are.

   The same (version, size, seed) gives the same bytes on every machine. Versions whose numbers lie close
   share most of their functions; what differs moves the rest, and with it every call that crosses it, as in
   real firmware. So a delta between neighbours is small, between strangers it is not. */
#ifndef DFOTA_SIM_IMAGE_GENERATOR_H
#define DFOTA_SIM_IMAGE_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bytes.h"
#include "sim/release.h"

#define FORGE_MIN_BYTES     ((size_t)4096)
#define FORGE_MAX_BYTES     ((size_t)64 << 20)
#define FORGE_DEFAULT_BYTES ((size_t)600 * 1024)

/* Exactly size_bytes into *ret, which the caller frees. `release` as release_read() left it. ERROR_INTERNAL:
   no memory. */
bool image_generator_make(const char *release, size_t size_bytes, uint32_t seed, struct buffer *ret,
                          struct error *err) __attribute__((warn_unused_result));

/* Is this a whole and unaltered generated image? Then out is its version. */
bool image_generator_read(struct bytes image, char out[RELEASE_SIZE]);

#endif
