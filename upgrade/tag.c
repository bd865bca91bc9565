/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/tag.h"

#include <stdio.h>

static bool is_letter_or_digit(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
}

bool tag_is_valid(struct slice text)
{
    if (text.len == 0 || text.len >= TAG_SIZE || !slice_is_clean_utf8(text) ||
        !is_letter_or_digit((unsigned char)text.ptr[0]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_letter_or_digit((unsigned char)text.ptr[i]) && !memchr("._-:", text.ptr[i], 4))
            return false;
    return true;
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where the tag is, or belongs. Counts all tags. */
static bool find(const char *tags, struct slice tag, size_t *ret_at, unsigned *ret_count)
{
    struct slice rest = slice_of(tags), one;
    bool found = false;
    *ret_at = rest.len;
    *ret_count = 0;
    while (rest.len && slice_split(&rest, ' ', &one)) {
        int order = compare(one, tag);
        size_t at = (size_t)(one.ptr - tags);
        found |= order == 0;
        if (order >= 0 && at < *ret_at)
            *ret_at = at;
        ++*ret_count;
    }
    return found;
}

bool tags_have(const char *tags, struct slice tag)
{
    size_t at;
    unsigned count;
    return find(tags, tag, &at, &count);
}

bool tags_add(char tags[TAGS_SIZE], struct slice tag, struct error *err)
{
    char made[TAGS_SIZE];
    size_t at;
    unsigned count;
    if (!tag_is_valid(tag))
        return error_set(
            err, ERROR_INVALID,
            "'%.*s' is not a tag: a tag has 1 to %d bytes, letters, digits and . _ - :, and begins "
            "with a letter or a digit",
            (int)(tag.len < 2 * TAG_SIZE ? tag.len : 2 * TAG_SIZE), tag.ptr ? tag.ptr : "", TAG_SIZE - 1);
    if (find(tags, tag, &at, &count))
        return true;
    if (count == TAGS_MAX)
        return error_set(err, ERROR_INVALID, "a device has at most %d tags", TAGS_MAX);
    bool last = tags[at] == '\0';
    snprintf(made, sizeof made, "%.*s%s%.*s%s%s", (int)at, tags, last && count ? " " : "", (int)tag.len,
             tag.ptr, last ? "" : " ", tags + at);
    memcpy(tags, made, sizeof made);
    return true;
}

void tags_remove(char tags[TAGS_SIZE], struct slice tag)
{
    size_t at;
    unsigned count;
    if (!find(tags, tag, &at, &count))
        return;
    char *end = tags + at + tag.len;
    if (*end)
        memmove(tags + at, end + 1, strlen(end + 1) + 1);
    else
        tags[at ? at - 1 : 0] = '\0';
}

bool tags_parse(struct slice text, char out[TAGS_SIZE], struct error *err)
{
    char made[TAGS_SIZE] = "";
    while (text.len) {
        size_t len = 0;
        while (len < text.len && !memchr(" ,;", text.ptr[len], 3))
            len++;
        if (len && !tags_add(made, (struct slice){text.ptr, len}, err))
            return false;
        len += len < text.len;
        text = (struct slice){text.ptr + len, text.len - len};
    }
    memcpy(out, made, sizeof made);
    return true;
}
