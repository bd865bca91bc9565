/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packs data as a section of an EC7xx image: with two files for sections.py, and as a filter for reader.py. */
#include <stdio.h>
#include <time.h>
#include "base/cleanup.h"
#include "delta/file.h"
#include "delta/lzma/lzma.h"

static bool pack(const char *from, struct buffer *packed, clock_t *ret_spent, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    if (!file_load(from, LZMA_PLAIN_MAX, &plain, err))
        return false;
    clock_t began = clock();
    bool ok = lzma_device_pack(packed, buffer_bytes(&plain), err);
    *ret_spent = clock() - began;
    return ok;
}

static bool filter(struct error *err)
{
    _cleanup_(buffer_free) struct buffer packed = {0};
    clock_t spent;
    return pack("/dev/stdin", &packed, &spent, err) &&
           (fwrite(packed.ptr, 1, packed.len, stdout) == packed.len ||
            error_set(err, ERROR_INTERNAL, "cannot write"));
}

/* Prints the processor time in seconds. */
static bool pack_file(const char *from, const char *to, struct error *err)
{
    _cleanup_(buffer_free) struct buffer packed = {0};
    clock_t spent;
    if (!pack(from, &packed, &spent, err))
        return false;
    printf("%.4f\n", (double)spent / CLOCKS_PER_SEC);
    return file_store(to, buffer_bytes(&packed), err);
}

int main(int argc, char **argv)
{
    struct error err;
    if (argc != 1 && argc != 3) {
        fputs("ec7xx-lzma [PLAIN PACKED]\n", stderr);
        return 2;
    }
    if (argc == 1 ? filter(&err) : pack_file(argv[1], argv[2], &err))
        return 0;
    fprintf(stderr, "ec7xx-lzma: %s\n", err.text);
    return 1;
}
