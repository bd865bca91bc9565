/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The wrappers of an EC618's `.par`: ten bytes before it for AT firmware, nothing for CSDK, and a head of
   92 bytes for LuatOS, whose file can also contain a script. Layout: doc/package-formats.md. */
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

bool wrapper_at_owns(struct bytes bytes); /* whether it begins with the head of AT firmware */

/* Appends the head of AT firmware and `par`. ERROR_TOO_LARGE: 4 GiB or more; ERROR_INTERNAL: no memory. */
bool wrapper_at_add(struct buffer *out, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

/* *ret_par is a view of the archive, as far as the file goes. *ret_stated is the length that the head
   states. ERROR_CORRUPT: no complete head. */
bool wrapper_at_read(struct bytes bytes, struct bytes *ret_par, uint32_t *ret_stated, struct error *err)
    __attribute__((warn_unused_result));

/* The same, and both lengths must be equal. ERROR_CORRUPT otherwise. */
bool wrapper_at_open(struct bytes bytes, struct bytes *ret_par, struct error *err)
    __attribute__((warn_unused_result));

/* ---- The 92-byte head of LuatOS, and of CSDK on EC7xx. luatos.h reads it. ---- */

/* Appends the head, the common data and the `.par`; either may be empty. ERROR_TOO_LARGE: 4 GiB or more;
   ERROR_INTERNAL: no memory. */
bool wrapper_luatos_add(struct buffer *out, uint32_t magic, const struct luatos_versions *versions,
                        struct bytes common, struct bytes par, struct error *err)
    __attribute__((warn_unused_result));

#endif
