/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: for any pair of images, the package gives the new image, and the number of steps is
   bounded. Input: length of old (2 bytes, low first), old, and the rest is new. */
#include <stdint.h>
#include <stdlib.h>
#include "delta/bsdiff/bsdiff.h"

#define MAX_STEPS_PER_BYTE 600 /* with so little text, a search at every byte */

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len < 2)
        return 0;
    size_t rest = len - 2, wanted = (size_t)(input[0] | input[1] << 8);
    struct bytes old = {input + 2, wanted < rest ? wanted : rest};
    struct bytes new = {input + 2 + old.len, rest - old.len};
    struct suffix *index;
    struct match_script script = {0};
    struct buffer package = {0}, again = {0};
    struct error err;
    must(suffix_build(old, &index, &err));
    must(match_make_script(index, old, new, &script, &err));
    must(script.steps <= MAX_STEPS_PER_BYTE * (new.len + 1));
    must(bsdiff_encode(old, new, &script, BSDIFF_STOCK, &package, &err));
    must(bsdiff_apply(old, buffer_bytes(&package), new.len, &again, &err));
    must(bytes_equal(buffer_bytes(&again), new));
    suffix_free(index);
    match_script_free(&script);
    buffer_free(&package);
    buffer_free(&again);
    return 0;
}
