/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The lines of `dfota inspect`: offset, length, name and value of each field. Counts the bytes that are
   not understood. */
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
    struct bytes file; /* offsets count from the beginning of this file; all fields are inside it */
    size_t unknown;    /* number of bytes without a known meaning so far */
    size_t ranges;     /* number of ranges of such bytes; after INSPECT_RANGES_MAX they are only counted */
    struct {
        size_t at, len;
    } range[INSPECT_RANGES_MAX];
    bool failed; /* the file has a fault; `error` is the first one */
    struct error error;
};

/* Prints a field that is understood: name and value. */
void inspect_field(struct inspect_list *list, struct bytes field, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints the bytes of a field that is not understood, with a guess (NULL: none). */
void inspect_unknown(struct inspect_list *list, struct bytes field, const char *name, const char *guess);

void inspect_title(struct inspect_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Records a fault, unless there is an earlier one. Always false, so that checks read `ok ||
   inspect_wrong()`. */
bool inspect_wrong(struct inspect_list *list, const struct error *err);

/* A part of a view. */
static inline struct bytes inspect_slice(struct bytes of, size_t at, size_t len)
{
    return (struct bytes){of.ptr + at, len};
}

/* Copies text from the file for printing. Bytes that are not printable ASCII become '?'. Returns `out`. */
const char *inspect_clean(const char *text, char *out, size_t size);

/* Each prints a file of its kind. */
void inspect_par(struct inspect_list *list, struct bytes par);
void inspect_at(struct inspect_list *list, struct bytes file);
void inspect_luatos(struct inspect_list *list, struct bytes file);
void inspect_binpkg(struct inspect_list *list, struct bytes file);
void inspect_soc(struct inspect_list *list, struct bytes file);
void inspect_payload(struct inspect_list *list, struct bytes payload);
void inspect_ec7xx_payload(struct inspect_list *list, struct bytes payload); /* ec7xx_payload_owns() */
void inspect_ec7xx_image(struct inspect_list *list, struct bytes file);
void inspect_bsdiff(struct inspect_list *list, struct bytes file);

#endif
