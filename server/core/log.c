/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/core/log_limit.h"
#include "server/core/log_queue.h"

#define VALUE_MAX_BYTES 1024 /* bytes of one value; a longer value is cut and marked with "..." */

static const char *const level_name[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

static _Atomic int least_level = LOG_LEVEL_INFO;

struct line {
    char text[LOG_LINE_MAX];
    size_t used;
};

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, least);
}

bool log_level_parse(struct slice text, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof level_name / sizeof level_name[0]; i++)
        if (slice_is(text, level_name[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    return false;
}

/* Room for the newline is always kept. A piece that does not fit is left out whole. */
static void put(struct line *line, const char *bytes, size_t len)
{
    if (len > sizeof line->text - 1 - line->used)
        return;
    memcpy(line->text + line->used, bytes, len);
    line->used += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
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

static void put_quoted(struct line *line, const char *value, size_t len)
{
    put_text(line, "\"");
    for (size_t i = 0; i < len;) {
        size_t size = clean_character(value + i, len - i);
        if (size == 0) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)value[i++]);
            put_text(line, escape);
            continue;
        }
        if (value[i] == '"' || value[i] == '\\')
            put_text(line, "\\");
        put(line, value + i, size);
        i += size;
    }
    put_text(line, "\"");
}

static void put_pair(struct line *line, const char *key, const char *value)
{
    size_t len = strlen(value), kept = len;
    if (len > VALUE_MAX_BYTES) {
        kept = VALUE_MAX_BYTES;
        while (kept > VALUE_MAX_BYTES - 4 && ((unsigned char)value[kept] & 0xC0) == 0x80)
            kept--; /* never cut inside a character */
    }
    if (line->used)
        put_text(line, " ");
    put_text(line, key);
    put_text(line, "=");
    if (is_plain(value, kept))
        put(line, value, kept);
    else
        put_quoted(line, value, kept);
    if (kept < len)
        put_text(line, "...");
}

static void put_line(enum log_level level, const char *event, uint64_t suppressed, va_list args)
{
    struct line line;
    struct log_number number;
    line.used = 0;
    put_pair(&line, "level", level_name[level]);
    put_pair(&line, "event", event);
    if (suppressed)
        put_pair(&line, "suppressed", log_i64(&number, (long long)suppressed));
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value)
            put_pair(&line, key, value);
    }
    line.text[line.used++] = '\n';
    log_queue_put(line.text, line.used, level >= LOG_LEVEL_WARN);
}

static bool wanted(enum log_level level, const char *event, bool stranger, uint64_t *ret_suppressed)
{
    return (int)level >= atomic_load(&least_level) &&
           log_limit_take(event, stranger, clock_boot_ms(), ret_suppressed);
}

void log_line(enum log_level level, const char *event, ...)
{
    uint64_t suppressed;
    if (!wanted(level, event, false, &suppressed))
        return;
    va_list args;
    va_start(args, event);
    put_line(level, event, suppressed, args);
    va_end(args);
}

void log_stranger(enum log_level level, const char *event, ...)
{
    uint64_t suppressed;
    if (!wanted(level, event, true, &suppressed))
        return;
    va_list args;
    va_start(args, event);
    put_line(level, event, suppressed, args);
    va_end(args);
}

/* Not limited: there are fewer such lines than events. */
static void put_unlimited(enum log_level level, const char *event, ...)
{
    va_list args;
    va_start(args, event);
    put_line(level, event, 0, args);
    va_end(args);
}

static void write_suppressed(const char *event, uint64_t suppressed)
{
    struct log_number number;
    put_unlimited(LOG_LEVEL_WARN, "log-limited", "name", event, "suppressed",
                  log_i64(&number, (long long)suppressed), NULL);
}

static void write_all_suppressed(void)
{
    log_limit_tell(write_suppressed);
}

void log_set_limit(unsigned lines_per_second)
{
    log_limit_set(lines_per_second);
}

bool log_start(unsigned lines_per_second, struct error *err)
{
    log_limit_set(lines_per_second);
    return log_queue_start(write_all_suppressed, err);
}

void log_stop(void)
{
    write_all_suppressed();
    log_queue_stop(LOG_END_MS);
}

void log_last_words(const char *text)
{
    char line[LOG_LINE_MAX];
    int size = snprintf(line, sizeof line, "%s\n", text);
    if (size >= (int)sizeof line)
        size = (int)sizeof line - 1;
    if (size > 0)
        log_queue_put(line, (size_t)size, true);
}

const char *log_i64(struct log_number *store, long long value)
{
    snprintf(store->text, sizeof store->text, "%lld", value);
    return store->text;
}
