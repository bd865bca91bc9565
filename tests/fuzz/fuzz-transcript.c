/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as an AT transcript. What is found in it, and in any piece of it, stands in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "upgrade/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static bool is_in(const struct full_name *name, const char *line, size_t len)
{
    struct full_name other;
    struct error err;
    while (len && (line[0] == ' ' || line[0] == '\t')) {
        line++;
        len--;
    }
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++) { /* behind a time stamp, or "+VER:" and quotes */
        if (i && !memchr(" \t]:\"", line[i - 1], 5) && (unsigned char)line[i - 1] < 0x80)
            continue;
        for (size_t end = 0; end < 2 && i + end < len; end++)
            if (name_parse_full((struct slice){line + i, len - i - end}, &other, &err) &&
                version_compare(&other.version, &name->version) == 0 &&
                strcmp(other.firmware, name->firmware) == 0)
                return true;
    }
    return false;
}

/* Some line that ends, and is not the first, is the name. */
static void check_seen(const struct transcript_seen *seen, const char *text, size_t len)
{
    const char *end = text + len, *line = text;
    if (!seen->name.version.count)
        return;
    bool first = true, found = false;
    for (const char *at = text; at < end && !found; at++) {
        if (*at != '\r' && *at != '\n')
            continue;
        found = !first && at - line < 400 && is_in(&seen->name, line, (size_t)(at - line));
        first = false;
        line = at + 1;
    }
    demand(found);
    demand(name_is_firmware(slice_of(seen->name.firmware)));
}

static void check(const char *text, size_t len)
{
    struct transcript found;
    const struct transcript_seen *checked = &found.last;
    transcript_read((struct slice){text, len}, &found);
    check_seen(&found.first, text, len);
    check_seen(&found.last, text, len);
    demand(found.try_count <= TRANSCRIPT_TRIES_MAX);
    demand(!found.last_holds || found.last.name.version.count);
    for (unsigned i = 0; i < found.try_count; i++) {
        const struct transcript_try *try = &found.tries[i];
        if (memcmp(&try->before.name, &checked->name, sizeof checked->name) != 0)
            check_seen(&try->before, text, len);
        if (try->before.name.version.count)
            checked = &try->before;
        check_seen(&try->after, text, len);
        demand(try->download >= -1 && try->download <= 100 && try->write >= -1 && try->write <= 100);
        demand(try->words[0] && strlen(try->words) + 1 < sizeof try->words);
        demand(slice_is_clean_utf8(slice_of(try->words)));
        demand(try->outcome != OUTCOME_UPGRADED ||
               (try->before.name.version.count && try->after.name.version.count));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    const char *text = (const char *)input;
    check(text, len);
    check(text, len - len / 3);
    check(text + len / 3, len - len / 3);
    return 0;
}
