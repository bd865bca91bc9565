/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Untrusted bytes as pointer and length, without NUL, and functions that read such text. */
#ifndef DFOTA_BASE_SLICE_H
#define DFOTA_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr; /* may be NULL if len is 0 */
    size_t len;
};

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *text);
bool slice_starts(struct slice a, const char *prefix);
bool slice_ends(struct slice a, const char *suffix);

/* Stores the part before the first `by` in *ret_head and moves *rest after it. Without a `by` stores
   everything and sets rest->ptr to NULL. False if rest->ptr was NULL. So "a,," gives "a", "", "". */
bool slice_split(struct slice *rest, char by, struct slice *ret_head);

/* A decimal number without sign or blanks. False if empty, not only digits, or above 2^64-1. */
bool slice_u64(struct slice text, uint64_t *ret);

/* Percent-decodes into out, with NUL. '+' stays '+'. False if an escape is malformed or out is too small. */
bool slice_percent_decode(struct slice text, char *out, size_t out_size, size_t *ret_len);

/* Percent-encodes all characters except unreserved ones (RFC 3986), with NUL. False if out is too small. */
bool slice_percent_encode(struct slice text, char *out, size_t out_size);

/* Valid UTF-8 without control characters (U+0000..1F, U+007F..9F). */
bool slice_is_clean_utf8(struct slice text);

/* Copies with NUL. False if out is too small. */
bool slice_copy(struct slice text, char *out, size_t out_size);

#endif
