/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What real clients ask, one row per client: the words of the query and their order, and how they use Range.
 */
#ifndef DFOTA_SIM_DIALECT_H
#define DFOTA_SIM_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

struct dialect {
    const char *name; /* as --dialect names it */
    const char *
        query; /* {key} {imei} {firmware} {version} are filled in, percent-encoded; {core} and {script} are the
                          first number of the version and the rest, {bytes} the id in hex as raw bytes */
    bool always_range; /* sends Range: bytes=0- from the start */
    int interval_ms;   /* how long it waits after "please wait" */
};

extern const struct dialect dialect_table[];
extern const size_t dialect_count;

const struct dialect *dialect_find(const char *name); /* NULL: no such client */

struct dialect_words {
    const char *key, *imei, *firmware, *version;
};

/* `path` is that of the server's URL: "/" stands for the vendor's own path; any other gets the query glued to
   it, which is what real clients do. False when it does not fit. */
bool dialect_write(const struct dialect *dialect, const char *path, const struct dialect_words *words,
                   char *out, size_t out_size);

#endif
