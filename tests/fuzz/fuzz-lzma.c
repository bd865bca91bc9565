/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a packed section, and as data to pack. What is packed is unpacked again, and
   packing gives the same bytes twice. */
#include <stdint.h>
#include <stdlib.h>
#include "delta/lzma/lzma.h"

#define PLAIN_MAX ((size_t)1 << 17)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_write(struct bytes plain)
{
    struct buffer packed = {0}, twice = {0}, again = {0};
    struct error err;
    must(lzma_device_pack(&packed, plain, &err));
    must(lzma_device_pack(&twice, plain, &err));
    must(bytes_equal(buffer_bytes(&packed), buffer_bytes(&twice)));
    must(lzma_device_unpack(&again, buffer_bytes(&packed), plain.len, &err));
    must(bytes_equal(buffer_bytes(&again), plain));
    buffer_free(&packed);
    buffer_free(&twice);
    buffer_free(&again);
}

static void check_read(struct bytes packed)
{
    struct buffer plain = {0};
    struct error err = {ERROR_CODES, ""};
    if (lzma_device_unpack(&plain, packed, PLAIN_MAX, &err)) {
        must(plain.len <= PLAIN_MAX);
        check_write(buffer_bytes(&plain));
    } else {
        must(err.code == ERROR_CORRUPT && plain.len == 0);
    }
    buffer_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    check_read((struct bytes){input, len});
    check_write((struct bytes){input, len});
    return 0;
}
