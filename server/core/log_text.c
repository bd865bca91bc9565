/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/log_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_MAX_BYTES 1024 /* bytes of one value; a longer value is cut and marked with "..." */
#define END_ROOM        2    /* of a line: "}" and the newline */

static const struct {
    const char *name;
    char priority; /* of syslog */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", '7'},
    [LOG_LEVEL_INFO] = {"info", '6'},
    [LOG_LEVEL_WARN] = {"warn", '4'},
    [LOG_LEVEL_ERROR] = {"error", '3'},
};

static enum log_format format = LOG_FORMAT_TEXT;

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

bool log_format_parse(struct slice text, enum log_format *ret)
{
    static const char *const names[] = {"auto", "text", "json", "journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(text, names[i])) {
            *ret = (enum log_format)i;
            return true;
        }
    return false;
}

/* JOURNAL_STREAM has device and inode of the stream that systemd has opened. A program in between, such as a shell with
   a pipe, inherits the variable but not the stream. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char ours[64];
    struct stat info;
    if (!stream || fstat(STDERR_FILENO, &info) != 0)
        return false;
    snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
    return strcmp(stream, ours) == 0;
}

void log_text_set_format(enum log_format wanted)
{
    format = wanted != LOG_FORMAT_AUTO ? wanted : is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
}

/* A piece that does not fit is left out whole. Room for the end is always kept. */
static bool put(struct log_text *line, const char *bytes, size_t len)
{
    if (len > sizeof line->text - END_ROOM - line->used)
        return false;
    memcpy(line->text + line->used, bytes, len);
    line->used += len;
    return true;
}

static bool put_text(struct log_text *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* The size in bytes of the clean character at the start of text; 0 for a control character or invalid
   UTF-8. */
static size_t clean_character(const char *text, size_t len)
{
    for (size_t size = 1; size <= 4 && size <= len; size++)
        if (slice_is_clean_utf8((struct slice){text, size}))
            return size;
    return 0;
}

static bool is_plain(const char *value, size_t len)
{
    return len > 0 && slice_is_clean_utf8((struct slice){value, len}) && !memchr(value, ' ', len) &&
           !memchr(value, '"', len) && !memchr(value, '\\', len) && !memchr(value, '=', len);
}

/* JSON has no escape for a byte: one that is not UTF-8 becomes U+FFFD. */
static bool put_escape(struct log_text *line, unsigned char byte)
{
    char escape[8];
    if (format != LOG_FORMAT_JSON)
        snprintf(escape, sizeof escape, "\\x%02x", byte);
    else if (byte < 0x80)
        snprintf(escape, sizeof escape, "\\u%04x", byte);
    else
        snprintf(escape, sizeof escape, "\\ufffd");
    return put_text(line, escape);
}

static bool put_quoted(struct log_text *line, const char *value, size_t len, const char *rest)
{
    bool ok = put_text(line, "\"");
    for (size_t i = 0; i < len && ok;) {
        size_t size = clean_character(value + i, len - i);
        if (size == 0) {
            ok = put_escape(line, (unsigned char)value[i++]);
            continue;
        }
        if (value[i] == '"' || value[i] == '\\')
            ok = put_text(line, "\\");
        ok = ok && put(line, value + i, size);
        i += size;
    }
    return ok && put_text(line, rest) && put_text(line, "\"");
}

static size_t cut(const char *value, size_t len)
{
    size_t kept = len;
    if (len > VALUE_MAX_BYTES) {
        kept = VALUE_MAX_BYTES;
        while (kept > VALUE_MAX_BYTES - 4 && ((unsigned char)value[kept] & 0xC0) == 0x80)
            kept--; /* never cut inside a character */
    }
    return kept;
}

static bool put_json(struct log_text *line, const char *key, const char *value, size_t kept, bool is_cut)
{
    return put_text(line, line->has_pair ? ",\"" : "{\"") && put_text(line, key) && put_text(line, "\":") &&
           put_quoted(line, value, kept, is_cut ? "..." : "");
}

static bool put_pair(struct log_text *line, const char *key, const char *value, size_t kept, bool is_cut)
{
    return (!line->has_pair || put_text(line, " ")) && put_text(line, key) && put_text(line, "=") &&
           (is_plain(value, kept) ? put(line, value, kept) : put_quoted(line, value, kept, "")) &&
           put_text(line, is_cut ? "..." : "");
}

void log_text_add(struct log_text *line, const char *key, const char *value)
{
    size_t len = strlen(value), kept = cut(value, len), before = line->used;
    bool ok = format == LOG_FORMAT_JSON ? put_json(line, key, value, kept, kept < len)
                                        : put_pair(line, key, value, kept, kept < len);
    if (ok)
        line->has_pair = true;
    else
        line->used = before;
}

void log_text_begin(struct log_text *line, enum log_level level, const char *event)
{
    const char priority[] = {'<', levels[level].priority, '>'};
    line->used = 0;
    line->has_pair = false;
    if (format == LOG_FORMAT_JOURNAL)
        put(line, priority, sizeof priority);
    log_text_add(line, "level", levels[level].name);
    log_text_add(line, "event", event);
}

void log_text_end(struct log_text *line)
{
    if (format == LOG_FORMAT_JSON)
        line->text[line->used++] = '}';
    line->text[line->used++] = '\n';
}

void log_text_last_words(struct log_text *line, const char *text)
{
    size_t len = strlen(text), most = sizeof line->text - 8;
    if (format == LOG_FORMAT_JSON) {
        log_text_begin(line, LOG_LEVEL_ERROR, "failed");
        log_text_add(line, "error", text);
        log_text_end(line);
        return;
    }
    line->used = 0;
    if (format == LOG_FORMAT_JOURNAL)
        put_text(line, "<3>");
    put(line, text, len < most ? len : most);
    put_text(line, "\n");
}
