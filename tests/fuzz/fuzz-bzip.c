/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a bzip2 stream. libbz2 accepts each stream that our decoder accepts, with the
   same content. Both decoders read what our encoder makes of any bytes. */
#include <bzlib.h>
#include <stdint.h>
#include <stdlib.h>
#include "delta/bzip2/block.h"
#include "delta/bzip2/decode.h"

#define PLAIN_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_libbz2_agrees(struct bytes packed, struct bytes plain)
{
    unsigned int len = (unsigned int)plain.len;
    char none, *made = len ? malloc(len) : &none;
    must(made != NULL);
    must(BZ2_bzBuffToBuffDecompress(made, &len, (char *)(uintptr_t)packed.ptr, (unsigned int)packed.len, 0,
                                    0) == BZ_OK);
    must(bytes_equal((struct bytes){(const uint8_t *)made, len}, plain));
    if (made != &none)
        free(made);
}

static void check_read(struct bytes packed)
{
    struct buffer plain = {0};
    struct bzip_shape shape;
    struct error err = {ERROR_CODES, ""};
    if (bzip_decode(packed, (struct bzip_limits){BZIP_SMALL_BLOCK, PLAIN_MAX}, &plain, &shape, &err)) {
        must(plain.len <= PLAIN_MAX && shape.largest_block <= BZIP_SMALL_BLOCK);
        check_libbz2_agrees(packed, buffer_bytes(&plain));
    } else {
        must(err.code == ERROR_CORRUPT && plain.len <= PLAIN_MAX);
    }
    buffer_free(&plain);
}

static void check_write(struct bytes plain)
{
    struct buffer packed = {0}, again = {0};
    struct error err;
    if (plain.len == 0)
        return;
    must(bzip_block_add_stream(&packed, plain, BZIP_SMALL_BLOCK, BZIP_QUICK, &err));
    must(bzip_decode(buffer_bytes(&packed), (struct bzip_limits){BZIP_SMALL_BLOCK, plain.len}, &again, NULL,
                     &err));
    must(bytes_equal(buffer_bytes(&again), plain));
    check_libbz2_agrees(buffer_bytes(&packed), plain);
    buffer_free(&packed);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    check_read((struct bytes){input, len});
    check_write((struct bytes){input, len});
    return 0;
}
