/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

struct series {
    const char *name, *label, *help;
    bool is_long;
};

static const struct series counter_series[] = {
#define X(symbol, name, label, help) {name, label, help, false},
    METRIC_COUNTERS(X)
#undef X
};
static const struct series time_series[] = {
#define X(symbol, name, label, help, is_long) {name, label, help, is_long},
    METRIC_TIMES(X)
#undef X
};

/* Upper ends of the buckets. The last bucket has no end. */
#define BUCKETS 11
struct bucket {
    int64_t us;
    const char *seconds;
};
static const struct bucket short_buckets[BUCKETS] = {
    {100, "0.0001"}, {300, "0.0003"}, {1000, "0.001"}, {3000, "0.003"}, {10000, "0.01"}, {30000, "0.03"},
    {100000, "0.1"}, {300000, "0.3"}, {1000000, "1"},  {3000000, "3"},  {10000000, "10"}};
static const struct bucket long_buckets[BUCKETS] = {
    {100000, "0.1"},      {300000, "0.3"},      {1000000, "1"},        {3000000, "3"},
    {10000000, "10"},     {30000000, "30"},     {100000000, "100"},    {300000000, "300"},
    {1000000000, "1000"}, {3000000000, "3000"}, {10000000000, "10000"}};

static const struct bucket *buckets_of(enum metric_time time)
{
    return time_series[time].is_long ? long_buckets : short_buckets;
}

struct times {
    _Atomic uint64_t in_bucket[BUCKETS + 1];
    _Atomic uint64_t sum_us;
};

static _Atomic uint64_t counters[METRIC_COUNTER_COUNT];
static struct times times[METRIC_TIME_COUNT];

static void add(_Atomic uint64_t *number, uint64_t more)
{
    atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

static uint64_t read_number(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void metric_count(enum metric_counter counter, uint64_t number)
{
    add(&counters[counter], number);
}

void metric_count_status(enum metric_listener listener, unsigned status)
{
    enum metric_counter first = listener == METRIC_ADMIN ? METRIC_ADMIN_2XX : METRIC_DEVICE_2XX;
    if (status >= 200 && status < 600)
        metric_count((enum metric_counter)(first + status / 100 - 2), 1);
}

void metric_count_checkin(int code)
{
    metric_count(code == 200   ? METRIC_CHECKIN_PACKAGE
                 : code == 206 ? METRIC_CHECKIN_PART
                 : code == 27  ? METRIC_CHECKIN_27
                 : code == 43  ? METRIC_CHECKIN_43
                               : METRIC_CHECKIN_OTHER,
                 1);
}

void metric_time(enum metric_time time, int64_t us)
{
    const struct bucket *buckets = buckets_of(time);
    size_t i = 0;
    while (i < BUCKETS && us > buckets[i].us)
        i++;
    add(&times[time].in_bucket[i], 1);
    add(&times[time].sum_us, us > 0 ? (uint64_t)us : 0);
}

void metric_time_answer(enum metric_listener listener, int64_t taken_us)
{
    metric_time(listener == METRIC_ADMIN ? METRIC_ADMIN_TIME : METRIC_DEVICE_TIME,
                clock_boot_us() - taken_us);
}

static void write_head(FILE *out, const char *name, const char *help, const char *type)
{
    if (help[0])
        fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_name(FILE *out, const char *name, const char *label)
{
    fputs(name, out);
    if (label[0])
        fprintf(out, "{%s}", label);
}

static void write_times(FILE *out, enum metric_time time)
{
    const struct series *series = &time_series[time];
    const struct bucket *buckets = buckets_of(time);
    const char *comma = series->label[0] ? "," : "";
    uint64_t count = 0, sum_us = read_number(&times[time].sum_us);
    char name[80];
    write_head(out, series->name, series->help, "histogram");
    for (size_t i = 0; i <= BUCKETS; i++) {
        count += read_number(&times[time].in_bucket[i]);
        fprintf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", series->name, series->label, comma,
                i < BUCKETS ? buckets[i].seconds : "+Inf", count);
    }
    snprintf(name, sizeof name, "%s_sum", series->name);
    write_name(out, name, series->label);
    fprintf(out, " %" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000, sum_us % 1000000);
    snprintf(name, sizeof name, "%s_count", series->name);
    write_name(out, name, series->label);
    fprintf(out, " %" PRIu64 "\n", count);
}

void metrics_write(FILE *out)
{
    for (size_t i = 0; i < METRIC_COUNTER_COUNT; i++) {
        write_head(out, counter_series[i].name, counter_series[i].help, "counter");
        write_name(out, counter_series[i].name, counter_series[i].label);
        fprintf(out, " %" PRIu64 "\n", read_number(&counters[i]));
    }
    for (size_t i = 0; i < METRIC_TIME_COUNT; i++)
        write_times(out, (enum metric_time)i);
}

void metrics_write_gauge(FILE *out, const char *name, const char *help, const char *label, int64_t value)
{
    write_head(out, name, help, "gauge");
    write_name(out, name, label);
    fprintf(out, " %" PRId64 "\n", value);
}

void metrics_label(char *out, size_t out_size, const char *name, const char *value)
{
    size_t begin = strlen(out), len = begin;
    int head = snprintf(out + len, out_size - len, "%s%s=\"", len ? "," : "", name);
    bool fits = head > 0 && (size_t)head < out_size - len;
    len += fits ? (size_t)head : 0;
    for (; fits && *value; value++) {
        bool escaped = *value == '"' || *value == '\\' || *value == '\n';
        fits = len + 4 <= out_size; /* two characters, the quote, the end */
        if (fits && escaped)
            out[len++] = '\\';
        if (fits)
            out[len++] = *value == '\n' ? 'n' : *value;
    }
    if (fits && len + 2 <= out_size)
        out[len++] = '"';
    else
        len = begin;
    out[len] = '\0';
}
