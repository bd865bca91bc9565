/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The wrappers of a `.par`: ten bytes before it for AT firmware, nothing for CSDK on EC618, and a head of 92 bytes
   for LuatOS and for CSDK on EC7xx. A file for LuatOS can also contain a script. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_WRAPPER_H
#define DFOTA_DELTA_CONTAINER_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/container/luatos.h"

#define WRAPPER_AT_BYTES 10

enum wrapper {
    WRAPPER_NONE,
    WRAPPER_AT,
    WRAPPER_HEAD,   /* the 92-byte head, without a script: CSDK on EC7xx */
    WRAPPER_LUATOS, /* the 92-byte head, and a script if it changes */
};

/* Appends the wrapper, and in it the `.par`. Only the 92-byte head uses the magic number and the script. The head
   allows any version of the core: no module reads the versions, and the base hash in the archive is stricter. With
   the head `script` and `par` may be empty. Errors as below. */
bool wrapper_add(struct buffer *out, enum wrapper wrapper, uint32_t magic, struct bytes script,
                 struct bytes par, struct error *err) __attribute__((warn_unused_result));

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
