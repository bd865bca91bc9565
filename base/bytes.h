/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bytes in memory that somebody else owns. */
#ifndef DFOTA_BASE_BYTES_H
#define DFOTA_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes { /* a view; ptr may be NULL when len is 0 */
    const uint8_t *ptr;
    size_t len;
};

#endif
