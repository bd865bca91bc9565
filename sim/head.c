/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/head.h"

#include <strings.h>

struct seen {
    bool header, length, range, close;
};

static bool name_is(struct slice name, const char *text)
{
    return name.len == strlen(text) && strncasecmp(name.ptr, text, name.len) == 0;
}

/* "HTTP/1.1 200 OK"; the reason phrase is required. */
static bool parse_status(struct slice line, int *ret)
{
    uint64_t status;
    if (!slice_starts(line, "HTTP/1.1 ") || line.len < 14 || line.ptr[12] != ' ' ||
        !slice_u64((struct slice){line.ptr + 9, 3}, &status))
        return false;
    *ret = (int)status;
    return true;
}

/* "bytes 100-299/300"; the range must end at the last byte of the file. */
static bool parse_range(struct slice value, struct fetch_answer *answer)
{
    struct slice first, last;
    uint64_t end;
    if (!slice_starts(value, "bytes "))
        return false;
    value.ptr += 6;
    value.len -= 6;
    return slice_split(&value, '-', &first) && value.ptr && slice_split(&value, '/', &last) && value.ptr &&
           slice_u64(first, &answer->first) && slice_u64(last, &end) && slice_u64(value, &answer->total) &&
           end + 1 == answer->total && answer->first <= end;
}

static const char *take_header(struct slice name, struct slice value, struct fetch_answer *answer,
                               struct seen *seen)
{
    seen->header = true;
    if (name_is(name, "Content-Length")) {
        if (!slice_is(name, "Content-Length"))
            return "modules do not find Content-Length in another spelling";
        if (seen->length)
            return "two headers Content-Length";
        if (!slice_u64(value, &answer->length_bytes))
            return "Content-Length is not a number";
        seen->length = true;
    } else if (name_is(name, "Content-Range") && answer->status == 206) {
        if (!slice_is(name, "Content-Range"))
            return "modules do not find Content-Range in another spelling";
        if (!parse_range(value, answer))
            return "Content-Range is not bytes A-B/TOTAL up to the last byte";
        seen->range = true;
    } else if (name_is(name, "Content-Type")) {
        answer->is_json = value.len >= 16 && strncasecmp(value.ptr, "application/json", 16) == 0;
    } else if (name_is(name, "Transfer-Encoding")) {
        return "modules write chunks to flash as they are";
    } else if (name_is(name, "Location")) {
        return "modules do not follow a redirect";
    } else if (name_is(name, "Connection")) {
        seen->close = name_is(value, "close");
    }
    return NULL;
}

static const char *judge(struct fetch_answer *answer, const struct seen *seen, bool resumes)
{
    bool delivers = answer->status == 200 || answer->status == 206;
    if (!seen->header)
        return "the head is empty";
    if (!seen->length && !(resumes && answer->status == 416))
        return "no Content-Length";
    if (!seen->close)
        return "no Connection: close";
    if (!delivers && answer->status < 300)
        return "the status is not 200, 206 or an error";
    if (delivers && answer->length_bytes == 0)
        return "modules take an empty file as a success";
    if (answer->status == 206 && !seen->range)
        return "206 without Content-Range";
    if (answer->status != 206)
        answer->total = answer->length_bytes;
    if (answer->total - answer->first != answer->length_bytes)
        return "Content-Length is not the size of the rest of the file";
    return NULL;
}

/* "Key: value" */
static bool split_header(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
    struct slice rest = line;
    if (!slice_split(&rest, ':', ret_name) || ret_name->len == 0 || rest.len < 2 || rest.ptr[0] != ' ' ||
        rest.ptr[1] == ' ')
        return false;
    *ret_value = (struct slice){rest.ptr + 1, rest.len - 1};
    return true;
}

static const char *read_lines(struct slice head, struct fetch_answer *answer, struct seen *seen)
{
    for (bool first = true;; first = false) {
        const char *end = memmem(head.ptr, head.len, "\r\n", 2);
        struct slice line = {head.ptr, (size_t)(end - head.ptr)}, name, value;
        head = (struct slice){end + 2, head.len - line.len - 2};
        if (line.len == 0)
            return NULL;
        const char *why = NULL;
        if (first)
            why = parse_status(line, &answer->status) ? NULL : "the status line is not HTTP/1.1 NNN REASON";
        else
            why = split_header(line, &name, &value) ? take_header(name, value, answer, seen)
                                                    : "a header is not Key: value";
        if (why)
            return why;
    }
}

bool head_parse(struct slice head, bool resumes, struct fetch_answer *answer, const char **ret_why)
{
    struct seen seen = {0};
    *ret_why =
        head.len > HEAD_MAX_BYTES ? "the head is longer than 700 bytes" : read_lines(head, answer, &seen);
    if (!*ret_why)
        *ret_why = judge(answer, &seen, resumes);
    return !*ret_why;
}
