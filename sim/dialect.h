/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How real clients ask, one row per client: the parameters of the query in their order, and the use of
   Range. */
#ifndef DFOTA_SIM_DIALECT_H
#define DFOTA_SIM_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

struct dialect {
    const char *name; /* value of --dialect */
    /* {key} {imei} {firmware} {version} are replaced, percent-encoded. {core} is the first number of the
       version, {script} the rest; {bytes} is the id: hex digits that are sent as raw bytes. */
    const char *query;
    bool always_range; /* the first request has Range: bytes=0- too */
    int interval_ms;   /* pause after "please wait" */
};

extern const struct dialect dialect_table[];
extern const size_t dialect_count;

const struct dialect *dialect_find(const char *name); /* NULL: unknown name */

struct dialect_words {
    const char *key, *imei, *firmware, *version;
};

/* Writes path and query. `path` is the path of the server's URL: "/" is replaced by the vendor's path; to any
   other path the query is appended without a question mark, as real clients do. False: it does not fit. */
bool dialect_write(const struct dialect *dialect, const char *path, const struct dialect_words *words,
                   char *out, size_t out_size);

#endif
