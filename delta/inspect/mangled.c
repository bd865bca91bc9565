/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/inspect/mangled.h"

#include <stdbool.h>

#define MIN_BYTES     1024 /* a smaller file may lack some byte values by chance */
#define MIN_ONE_BYTES 32768
#define MIN_DIFFERENT 200 /* different byte values; a file of padding lacks many */
#define MIN_LINES     16

struct tally {
    size_t of[256]; /* number of occurrences of each byte value */
    size_t different, line_ends /* CR LF */, high;
};

static void count(struct bytes bytes, struct tally *tally)
{
    *tally = (struct tally){{0}, 0, 0, 0};
    for (size_t i = 0; i < bytes.len; i++) {
        tally->different += tally->of[bytes.ptr[i]]++ == 0;
        tally->line_ends += bytes.ptr[i] == '\n' && i > 0 && bytes.ptr[i - 1] == '\r';
        tally->high += bytes.ptr[i] >= 0x80;
    }
}

/* The length of the UTF-8 character at that place. 0: not a character. */
static size_t character(struct bytes bytes, size_t at)
{
    uint8_t lead = bytes.ptr[at];
    size_t len = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < len; i++)
        if (at + i >= bytes.len || (bytes.ptr[at + i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static bool is_utf8(struct bytes bytes)
{
    for (size_t at = 0, len; at < bytes.len; at += len)
        if ((len = character(bytes, at)) == 0)
            return false;
    return true;
}

const char *mangled_find(struct bytes bytes)
{
    struct tally tally;
    if (bytes.len < MIN_BYTES)
        return NULL;
    count(bytes, &tally);
    if (tally.of[0] + tally.of['\n'] + tally.of['\r'] == 0)
        return "it has no NUL, LF or CR byte";
    if (bytes.len >= MIN_ONE_BYTES && tally.different >= MIN_DIFFERENT &&
        (tally.of[0] == 0 || tally.of['\n'] == 0 || tally.of['\r'] == 0))
        return tally.of[0] == 0      ? "it has no NUL byte"
               : tally.of['\n'] == 0 ? "it has no LF byte"
                                     : "it has no CR byte";
    if (tally.line_ends >= MIN_LINES && tally.line_ends == tally.of['\n'])
        return "every LF byte follows a CR byte";
    if (tally.different >= 100 && tally.high == 0)
        return "no byte is above 127";
    if (tally.high >= MIN_LINES && is_utf8(bytes))
        return "all bytes are valid UTF-8";
    return NULL;
}
