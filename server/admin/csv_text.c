/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/csv_text.h"

#include <errno.h>
#include <iconv.h>

#define PIECE 4096 /* bytes converted at a time */

static unsigned line_at(struct slice text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* Converts the text to UTF-8. *ret_bad is the offset of the first byte that does not fit, or text.len.
   `out` NULL: only looks. */
static bool convert(struct slice text, iconv_t converter, struct buffer *out, size_t *ret_bad,
                    struct error *err)
{
    char *at = (char *)text.ptr; /* iconv() does not change it */
    size_t left = text.len;
    while (left) {
        char piece[PIECE], *to = piece;
        size_t room = sizeof piece;
        size_t result = iconv(converter, &at, &left, &to, &room);
        if (out && !buffer_add(out, piece, sizeof piece - room, err))
            return false;
        if (result == (size_t)-1 && errno != E2BIG)
            break;
    }
    *ret_bad = text.len - left;
    return true;
}

static bool convert_from(const char *encoding, struct slice text, unsigned line, struct buffer *out,
                         size_t *ret_bad, struct error *err)
{
    iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == (iconv_t)-1)
        return error_set(err, ERROR_INVALID,
                         "line %u: the list is not UTF-8, and this system cannot read %s: send UTF-8", line,
                         encoding);
    bool ok = convert(text, converter, out, ret_bad, err);
    iconv_close(converter);
    return ok;
}

bool csv_text_decode(struct slice *text, struct buffer *decoded, struct error *err)
{
    size_t bad, bad_gbk;
    if (slice_starts(*text, "\xEF\xBB\xBF"))
        *text = (struct slice){text->ptr + 3, text->len - 3};
    if (!convert_from("UTF-8", *text, 1, NULL, &bad, err))
        return false;
    if (bad == text->len)
        return true;
    if (!convert_from("GBK", *text, line_at(*text, bad), decoded, &bad_gbk, err))
        return false;
    if (bad_gbk < text->len)
        return error_set(err, ERROR_INVALID, "line %u: the list is neither UTF-8 nor GBK",
                         line_at(*text, bad_gbk > bad ? bad_gbk : bad));
    *text = (struct slice){(const char *)decoded->ptr, decoded->len};
    return true;
}
