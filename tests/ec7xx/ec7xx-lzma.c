/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packs data as a section of an EC7xx image from the command line, for sections.py. */
#include <stdio.h>
#include <time.h>
#include "base/cleanup.h"
#include "delta/file.h"
#include "delta/lzma/lzma.h"

/* Prints the processor time in seconds. */
static bool pack(const char *from, const char *to, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0}, packed = {0};
    if (!file_load(from, LZMA_PLAIN_MAX, &plain, err))
        return false;
    clock_t began = clock();
    if (!lzma_device_pack(&packed, buffer_bytes(&plain), err))
        return false;
    printf("%.4f\n", (double)(clock() - began) / CLOCKS_PER_SEC);
    return file_store(to, buffer_bytes(&packed), err);
}

int main(int argc, char **argv)
{
    struct error err;
    if (argc != 3) {
        fputs("ec7xx-lzma PLAIN PACKED\n", stderr);
        return 2;
    }
    if (pack(argv[1], argv[2], &err))
        return 0;
    fprintf(stderr, "ec7xx-lzma: %s\n", err.text);
    return 1;
}
