/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a bsdiff package. Input: length of old (2 bytes, low first), old, the package. */
#include <stdint.h>
#include <stdlib.h>
#include "delta/bsdiff/bsdiff.h"

#define MAX_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len < 2)
        return 0;
    size_t rest = len - 2, wanted = (size_t)(input[0] | input[1] << 8);
    struct bytes old = {input + 2, wanted < rest ? wanted : rest};
    struct bytes package = {input + 2 + old.len, rest - old.len};
    struct buffer new = {0};
    struct error err = {ERROR_CODES, ""};
    if (!bsdiff_apply(old, package, MAX_BYTES, &new, &err)) {
        if (new.ptr || (err.code != ERROR_CORRUPT && err.code != ERROR_TOO_LARGE) || err.text[0] == '\0')
            abort();
        return 0;
    }
    uint64_t claimed = 0; /* an accepted package has a header with the size of the new image */
    for (size_t i = 0; i < 8; i++)
        claimed |= (uint64_t)package.ptr[24 + i] << 8 * i;
    if (new.len > MAX_BYTES || new.len != (claimed & INT64_MAX))
        abort();
    buffer_free(&new);
    return 0;
}
