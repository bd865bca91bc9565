#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES  4096 /* a pipe takes this much in one piece */
#define VALUE_MAX_BYTES 1024 /* of a value as given; the rest is cut off and marked */

static const char *const level_name[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

static _Atomic int least_level = LOG_LEVEL_INFO;

struct line {
    char text[LINE_MAX_BYTES];
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

/* Room for the newline is always kept; what does not fit whole is left out. */
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

/* Bytes of the clean character that text begins with; 0 when it begins with a control character or is no
 * UTF-8. */
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
            kept--; /* not in the middle of a character */
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

void log_line(enum log_level level, const char *event, ...)
{
    if ((int)level < atomic_load(&least_level))
        return;
    struct line line;
    line.used = 0;
    put_pair(&line, "level", level_name[level]);
    put_pair(&line, "event", event);
    va_list args;
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value)
            put_pair(&line, key, value);
    }
    va_end(args);
    line.text[line.used++] = '\n';
    (void)!write(STDERR_FILENO, line.text, line.used);
}

const char *log_i64(struct log_number *store, long long value)
{
    snprintf(store->text, sizeof store->text, "%lld", value);
    return store->text;
}
