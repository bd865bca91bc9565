/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A view of bytes in memory; the owner is elsewhere. */
#ifndef DFOTA_BASE_BYTES_H
#define DFOTA_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes { /* ptr may be NULL if len is 0 */
    const uint8_t *ptr;
    size_t len;
};

#endif
