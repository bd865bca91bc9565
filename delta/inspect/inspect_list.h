/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The lines of `dfota inspect`: offset, length, name, value, and the count of bytes that are not understood.
 */
#ifndef DFOTA_DELTA_INSPECT_INSPECT_LIST_H
#define DFOTA_DELTA_INSPECT_INSPECT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/buffer.h"

#define INSPECT_RANGES_MAX 64

struct inspect_list {
    FILE *to;
    struct bytes file; /* offsets count from here: all that is listed lies inside */
    size_t unknown;    /* bytes so far without a known meaning */
    size_t ranges;     /* of them; those behind INSPECT_RANGES_MAX are only counted */
    struct {
        size_t at, len;
    } range[INSPECT_RANGES_MAX];
    bool failed; /* something is wrong with the file: `error` has the first */
    struct error error;
};

/* A field that is understood: its bytes, its name, and its value in words. */
void inspect_field(struct inspect_list *list, struct bytes field, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One that is not, with what is guessed of it (NULL: nothing); its bytes are shown. */
void inspect_unknown(struct inspect_list *list, struct bytes field, const char *name, const char *guess);

void inspect_title(struct inspect_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes what is wrong, unless something was before. Always false, so that checks read `ok || inspect_wrong`.
 */
bool inspect_wrong(struct inspect_list *list, const struct error *err);

/* A part of the file by offset and length in one of its views. */
static inline struct bytes inspect_slice(struct bytes of, size_t at, size_t len)
{
    return (struct bytes){of.ptr + at, len};
}

/* Text out of the file, for a line: what is not printable ASCII becomes '?'. Returns `out`. */
const char *inspect_clean(const char *text, char *out, size_t size);

/* Each lists a file of its kind that begins there. */
void inspect_par(struct inspect_list *list, struct bytes par);
void inspect_at(struct inspect_list *list, struct bytes file);
void inspect_luatos(struct inspect_list *list, struct bytes file);
void inspect_binpkg(struct inspect_list *list, struct bytes file);
void inspect_payload(struct inspect_list *list, struct bytes payload);
void inspect_bsdiff(struct inspect_list *list, struct bytes file);

#endif
