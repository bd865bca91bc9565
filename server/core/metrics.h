/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What this process has counted since its start, for GET /metrics. Any thread, no locks: a reader may see
   one number of a moment and another of a microsecond later. */
#ifndef DFOTA_SERVER_CORE_METRICS_H
#define DFOTA_SERVER_CORE_METRICS_H

#include <stdint.h>
#include <stdio.h>

/* Symbol, name, label of the series ("": no label), help (of the first series of a name). */
#define METRIC_COUNTERS(X)                                                                                   \
    X(METRIC_ANSWERED_2XX, "dfota_answers_total", "class=\"2xx\"", "Answers by class of status.")            \
    X(METRIC_ANSWERED_3XX, "dfota_answers_total", "class=\"3xx\"", "")                                       \
    X(METRIC_ANSWERED_4XX, "dfota_answers_total", "class=\"4xx\"", "")                                       \
    X(METRIC_ANSWERED_5XX, "dfota_answers_total", "class=\"5xx\"", "")                                       \
    X(METRIC_CHECK_IN_PACKAGE, "dfota_check_ins_total", "code=\"200\"",                                      \
      "Check-ins by the code of the answer; 200: a package is sent.")                                        \
    X(METRIC_CHECK_IN_PART, "dfota_check_ins_total", "code=\"206\"", "")                                     \
    X(METRIC_CHECK_IN_27, "dfota_check_ins_total", "code=\"27\"", "")                                        \
    X(METRIC_CHECK_IN_43, "dfota_check_ins_total", "code=\"43\"", "")                                        \
    X(METRIC_CHECK_IN_OTHER, "dfota_check_ins_total", "code=\"other\"", "")                                  \
    X(METRIC_COMMITTED, "dfota_commit_tasks_total", "", "Changes that were committed, many in one commit.")  \
    X(METRIC_COMMIT_FAILED, "dfota_commit_failures_total", "", "Commits that failed.")                       \
    X(METRIC_LOGIN_REFUSED, "dfota_logins_refused_total", "", "Requests with a wrong or missing token.")

/* Symbol, name, label, help. Seconds. */
#define METRIC_TIMES(X)                                                                                      \
    X(METRIC_DEVICE_TIME, "dfota_request_seconds", "listener=\"device\"",                                    \
      "Time from a complete request to its answer.")                                                         \
    X(METRIC_ADMIN_TIME, "dfota_request_seconds", "listener=\"admin\"", "")                                  \
    X(METRIC_COMMIT_TIME, "dfota_commit_seconds", "", "Time of a transaction with its commit.")

enum metric_counter {
#define X(symbol, ...) symbol,
    METRIC_COUNTERS(X)
#undef X
        METRIC_COUNTER_COUNT
};
enum metric_time {
#define X(symbol, ...) symbol,
    METRIC_TIMES(X)
#undef X
        METRIC_TIME_COUNT
};

void metric_count(enum metric_counter counter, uint64_t number);
void metric_count_status(unsigned status);
void metric_count_check_in(int code);
void metric_time(enum metric_time time, int64_t us);

/* Writes all of them in the text format of Prometheus, version 0.0.4. */
void metrics_write(FILE *out);
/* One number that the caller knows: its comment, when `help` is not "", and its line. */
void metrics_write_gauge(FILE *out, const char *name, const char *help, const char *label, int64_t value);

#endif
