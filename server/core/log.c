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
#include "server/core/log_text.h"

static _Atomic int least_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, least);
}

bool log_level_parse(struct slice text, enum log_level *ret)
{
    for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++)
        if (slice_is(text, log_level_name((enum log_level)level))) {
            *ret = (enum log_level)level;
            return true;
        }
    return false;
}

static void put_line(enum log_level level, const char *event, uint64_t suppressed, va_list args)
{
    struct log_text line;
    struct log_number number;
    log_text_begin(&line, level, event);
    if (suppressed)
        log_text_add(&line, "suppressed", log_i64(&number, (long long)suppressed));
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value)
            log_text_add(&line, key, value);
    }
    log_text_end(&line);
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
    struct log_text line;
    log_text_last_words(&line, text);
    log_queue_put(line.text, line.used, true);
}

const char *log_i64(struct log_number *store, long long value)
{
    snprintf(store->text, sizeof store->text, "%lld", value);
    return store->text;
}
