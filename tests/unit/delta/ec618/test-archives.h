/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of EC618 archives: a new image with a change in each block, and whether dfota
   accepts a package. */
#ifndef DFOTA_TESTS_UNIT_DELTA_EC618_TEST_ARCHIVES_H
#define DFOTA_TESTS_UNIT_DELTA_EC618_TEST_ARCHIVES_H

#include "tests/unit/delta/container/test-containers.h"

#include "delta/ec618/ec618.h"

#define ROOM ((size_t)1 << 24)

static inline struct buffer revise(struct bytes old, size_t len)
{
    struct buffer new = {0};
    must_fill(&new, 'n', len);
    memcpy(new.ptr, old.ptr, len < old.len ? len : old.len);
    for (size_t at = 11; at < len; at += 3001) /* each block changes and so has a stream */
        new.ptr[at] ^= 0x55;
    return new;
}

static inline void set_u32(struct buffer *file, size_t at, uint32_t value)
{
    little_put_u32(file->ptr + at, value);
}

/* Whether the package is accepted. The result of an accepted package must be `new`. */
static inline bool takes(struct bytes old, struct bytes new, struct bytes package)
{
    struct buffer made = {0};
    struct error err = {ERROR_CODES, ""};
    bool ok = ec618_apply(old, package, ROOM, &made, &err);
    bool same = ok && bytes_equal(buffer_bytes(&made), new);
    assert_int_equal(ok, same); /* an accepted package gives the new image */
    if (!ok && err.code != ERROR_CORRUPT && err.code != ERROR_INVALID && err.code != ERROR_CANNOT_APPLY)
        fail_msg("%d %s", err.code, err.text);
    buffer_free(&made);
    return same;
}

#endif
