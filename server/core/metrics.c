/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>

struct series {
    const char *name, *label, *help;
};

static const struct series counter_series[] = {
#define X(symbol, name, label, help) {name, label, help},
    METRIC_COUNTERS(X)
#undef X
};
static const struct series time_series[] = {
#define X(symbol, name, label, help) {name, label, help},
    METRIC_TIMES(X)
#undef X
};

/* Upper ends of the buckets. The last bucket has no end. */
static const struct {
    int64_t us;
    const char *seconds;
} buckets[] = {{100, "0.0001"},   {300, "0.0003"},  {1000, "0.001"},   {3000, "0.003"},   {10000, "0.01"},
               {30000, "0.03"},   {100000, "0.1"},  {300000, "0.3"},   {1000000, "1"},    {3000000, "3"},
               {10000000, "10"}};
#define BUCKETS (sizeof buckets / sizeof *buckets)

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

void metric_count_status(unsigned status)
{
    if (status >= 200 && status < 600)
        metric_count((enum metric_counter)(METRIC_ANSWERED_2XX + status / 100 - 2), 1);
}

void metric_count_check_in(int code)
{
    metric_count(code == 200   ? METRIC_CHECK_IN_PACKAGE
                 : code == 206 ? METRIC_CHECK_IN_PART
                 : code == 27  ? METRIC_CHECK_IN_27
                 : code == 43  ? METRIC_CHECK_IN_43
                               : METRIC_CHECK_IN_OTHER,
                 1);
}

void metric_time(enum metric_time time, int64_t us)
{
    size_t i = 0;
    while (i < BUCKETS && us > buckets[i].us)
        i++;
    add(&times[time].in_bucket[i], 1);
    add(&times[time].sum_us, us > 0 ? (uint64_t)us : 0);
}

static void write_head(FILE *out, const char *name, const char *help, const char *type)
{
    if (help[0])
        fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_series(FILE *out, const char *name, const char *label)
{
    fprintf(out, label[0] ? "%s{%s}" : "%s", name, label);
}

static void write_times(FILE *out, const struct series *series, const struct times *of)
{
    const char *comma = series->label[0] ? "," : "";
    uint64_t count = 0, sum_us = read_number(&of->sum_us);
    write_head(out, series->name, series->help, "histogram");
    for (size_t i = 0; i <= BUCKETS; i++) {
        count += read_number(&of->in_bucket[i]);
        fprintf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", series->name, series->label, comma,
                i < BUCKETS ? buckets[i].seconds : "+Inf", count);
    }
    fprintf(out, series->label[0] ? "%s_sum{%s}" : "%s_sum", series->name, series->label);
    fprintf(out, " %" PRIu64 ".%06" PRIu64 "\n", sum_us / 1000000, sum_us % 1000000);
    fprintf(out, series->label[0] ? "%s_count{%s}" : "%s_count", series->name, series->label);
    fprintf(out, " %" PRIu64 "\n", count);
}

void metrics_write(FILE *out)
{
    for (size_t i = 0; i < METRIC_COUNTER_COUNT; i++) {
        write_head(out, counter_series[i].name, counter_series[i].help, "counter");
        write_series(out, counter_series[i].name, counter_series[i].label);
        fprintf(out, " %" PRIu64 "\n", read_number(&counters[i]));
    }
    for (size_t i = 0; i < METRIC_TIME_COUNT; i++)
        write_times(out, &time_series[i], &times[i]);
}

void metrics_write_gauge(FILE *out, const char *name, const char *help, const char *label, int64_t value)
{
    write_head(out, name, help, "gauge");
    write_series(out, name, label);
    fprintf(out, " %" PRId64 "\n", value);
}
