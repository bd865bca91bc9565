/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/transcript_json.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/call.h"

json_t *transcript_row_json(const struct transcript_row *row)
{
    return json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:o}", "transcript",
                     (json_int_t)row->id, "source", enum_name(&transcript_source_names, row->source),
                     "received_at", (json_int_t)row->received_ms, "captured_at",
                     field_number(row->captured_ms), "seen_at", field_number(row->seen_ms), "firmware",
                     field_text(row->firmware), "version", field_text(row->version), "counted", row->counted,
                     "why", field_text(row->why), "attempt", field_number(row->attempt_id), "size",
                     (json_int_t)row->size_bytes, "sha256", field_hash(&row->sha256));
}

static json_t *version_json(const struct version *version)
{
    char text[VERSION_TEXT_SIZE];
    if (!version->count)
        return json_null();
    version_format(version, text);
    return json_string(text);
}

static json_t *where(bool there, long value)
{
    return there ? json_integer(value) : json_null();
}

static json_t *try_json(const struct transcript_try *try, int64_t attempt_id)
{
    return json_pack(
        "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:b, s:s, s:s, s:s, s:o}", "from",
        version_json(&try->before.name.version), "to", version_json(&try->after.name.version), "at",
        field_number(try->at_ms), "asked", try->asked, "offered", version_json(&try->offered), "download",
        where(try->download >= 0, try->download), "write", where(try->write >= 0, try->write), "error",
        where(try->failed, try->error), "http_status", where(try->has_answer, try->http_status), "code",
        where(try->has_answer, try->code), "restarted", try->boot, "started", try->started, "end",
        where(try->ended, try->end_error), "ready", try->ready, "outcome",
        transcript_outcome_name(try->outcome), "cause", transcript_cause_name(try->cause), "words",
        try->words, "attempt", field_number(attempt_id));
}

json_t *transcript_found_json(const struct transcript *found, const struct evidence *evidence, size_t count)
{
    json_t *tries = json_array();
    for (unsigned i = 0; i < found->try_count; i++) {
        int64_t attempt_id = 0;
        for (size_t k = 0; k < count; k++)
            if (evidence[k].try == i)
                attempt_id = evidence[k].attempt_id;
        json_array_append_new(tries, try_json(&found->tries[i], attempt_id));
    }
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:o}", "first_version",
                     version_json(&found->first.name.version), "last_version",
                     version_json(&found->last.name.version), "last_holds", found->last_holds,
                     "first_line_at", field_number(found->first_ms), "last_line_at",
                     field_number(found->last_ms), "lines_known", (json_int_t)found->lines_known,
                     "tries_dropped", (json_int_t)found->tries_dropped, "tries", tries);
}

/* The size of the UTF-8 character at the start of text; 0: there is none. */
static size_t character(struct slice text)
{
    for (size_t len = 2; len <= 4 && len <= text.len; len++)
        if (slice_is_clean_utf8((struct slice){text.ptr, len}))
            return len;
    return 0;
}

json_t *transcript_text_json(struct slice text)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    _cleanup_(cleanup_free) char *out = malloc(3 * text.len + 1);
    size_t len = 0;
    if (!out)
        return NULL;
    while (text.len) {
        size_t take = (unsigned char)text.ptr[0] < 0x80 ? 1 : character(text);
        memcpy(out + len, take ? text.ptr : replacement, take ? take : 3);
        len += take ? take : 3;
        take += !take;
        text = (struct slice){text.ptr + take, text.len - take};
    }
    return json_stringn(out, len);
}
