/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What stands around an EC618's `.par`, by who takes it: AT firmware wants ten bytes in front of it, CSDK
   nothing, LuatOS a head of 92 bytes that can carry a script beside it. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_WRAPPER_H
#define DFOTA_DELTA_CONTAINER_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/container/luatos.h"

#define WRAPPER_AT_BYTES 10

/* ---- AT ---- */

bool wrapper_at_owns(struct bytes bytes); /* does it begin as the framing does? */

/* Appends the framing and `par`. ERROR_TOO_LARGE from 4 GiB on; ERROR_INTERNAL: no memory. */
bool wrapper_at_add(struct buffer *out, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

/* *ret_par becomes what stands in it, a view, as much as is there; *ret_stated its length as it is stated.
   ERROR_CORRUPT: no framing. */
bool wrapper_at_read(struct bytes bytes, struct bytes *ret_par, uint32_t *ret_stated, struct error *err)
    __attribute__((warn_unused_result));

/* The same, and nothing may be missing or too much. */
bool wrapper_at_open(struct bytes bytes, struct bytes *ret_par, struct error *err)
    __attribute__((warn_unused_result));

/* ---- The 92-byte head of LuatOS, and of CSDK on EC7xx; luatos.h reads it ---- */

/* Appends head, common data and `.par`, either of which may be empty. ERROR_TOO_LARGE, ERROR_INTERNAL. */
bool wrapper_luatos_add(struct buffer *out, uint32_t magic, const struct luatos_versions *versions,
                        struct bytes common, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

#endif
