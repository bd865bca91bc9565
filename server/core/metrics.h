/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What this process has counted since its start, for GET /metrics. Any thread, no locks: a reader may see
   one number of a moment and another of a microsecond later. */
#ifndef DFOTA_SERVER_CORE_METRICS_H
#define DFOTA_SERVER_CORE_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Symbol, name, label of the series ("": no label), help (of the first series of a name; "" for the others). */
#define METRIC_COUNTERS(X)                                                                                    \
    X(METRIC_DEVICE_2XX, "dfota_http_responses_total", "listener=\"device\",class=\"2xx\"",                   \
      "Answers by listener and class of the HTTP status.")                                                    \
    X(METRIC_DEVICE_3XX, "dfota_http_responses_total", "listener=\"device\",class=\"3xx\"", "")               \
    X(METRIC_DEVICE_4XX, "dfota_http_responses_total", "listener=\"device\",class=\"4xx\"", "")               \
    X(METRIC_DEVICE_5XX, "dfota_http_responses_total", "listener=\"device\",class=\"5xx\"", "")               \
    X(METRIC_ADMIN_2XX, "dfota_http_responses_total", "listener=\"admin\",class=\"2xx\"", "")                 \
    X(METRIC_ADMIN_3XX, "dfota_http_responses_total", "listener=\"admin\",class=\"3xx\"", "")                 \
    X(METRIC_ADMIN_4XX, "dfota_http_responses_total", "listener=\"admin\",class=\"4xx\"", "")                 \
    X(METRIC_ADMIN_5XX, "dfota_http_responses_total", "listener=\"admin\",class=\"5xx\"", "")                 \
    X(METRIC_CHECKIN_PACKAGE, "dfota_checkins_total", "code=\"200\"",                                         \
      "Check-ins by the code of the answer: 200 and 206 send a package, 27 and 43 do not.")                   \
    X(METRIC_CHECKIN_PART, "dfota_checkins_total", "code=\"206\"", "")                                        \
    X(METRIC_CHECKIN_27, "dfota_checkins_total", "code=\"27\"", "")                                           \
    X(METRIC_CHECKIN_43, "dfota_checkins_total", "code=\"43\"", "")                                           \
    X(METRIC_CHECKIN_OTHER, "dfota_checkins_total", "code=\"other\"", "")                                     \
    X(METRIC_CHECKIN_UNCHANGED, "dfota_checkins_unchanged_total", "",                                         \
      "Check-ins that were answered from memory, because nothing had changed since the device asked before.") \
    X(METRIC_SENT_BYTES, "dfota_package_sent_bytes_total", "",                                                \
      "Bytes of packages that were sent to devices, with those that were sent again.")                        \
    X(METRIC_BUILD_READY, "dfota_package_builds_total", "result=\"ready\"",                                   \
      "Jobs that make packages, by result; other: the job was put back into the queue.")                      \
    X(METRIC_BUILD_FAILED, "dfota_package_builds_total", "result=\"failed\"", "")                             \
    X(METRIC_BUILD_CRASHED, "dfota_package_builds_total", "result=\"crashed\"", "")                           \
    X(METRIC_BUILD_OTHER, "dfota_package_builds_total", "result=\"other\"", "")                               \
    X(METRIC_COMMITTED, "dfota_writer_tasks_total", "", "Changes that were committed, many in one commit.")   \
    X(METRIC_COMMIT_FAILED, "dfota_commit_failures_total", "", "Transactions that could not be committed.")   \
    X(METRIC_LOGIN_REFUSED, "dfota_logins_refused_total", "reason=\"credentials\"",                           \
      "Requests with a wrong or expired token, by reason; limit: too many from one address.")                 \
    X(METRIC_LOGIN_LIMITED, "dfota_logins_refused_total", "reason=\"limit\"", "")

/* Symbol, name, label, help, whether its times are long. Seconds. */
#define METRIC_TIMES(X)                                                                                      \
    X(METRIC_DEVICE_TIME, "dfota_http_request_duration_seconds", "listener=\"device\"",                      \
      "Time from a complete request head to the begin of its answer.", false)                                \
    X(METRIC_ADMIN_TIME, "dfota_http_request_duration_seconds", "listener=\"admin\"", "", false)             \
    X(METRIC_CHECKIN_TIME, "dfota_checkin_duration_seconds", "",                                             \
      "Time from the begin of a check-in to its answer, with the commit.", false)                            \
    X(METRIC_COMMIT_TIME, "dfota_commit_duration_seconds", "", "Time of a transaction with its commit.",     \
      false)                                                                                                 \
    X(METRIC_BUILD_TIME, "dfota_package_build_duration_seconds", "",                                         \
      "Time of a job that makes a package and proves it.", true)

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

enum metric_listener { METRIC_DEVICE, METRIC_ADMIN };

void metric_count(enum metric_counter counter, uint64_t number);
/* An answer. */
void metric_count_status(enum metric_listener listener, unsigned status);
/* The time of an answer, from taken_us (boot clock) until now. */
void metric_time_answer(enum metric_listener listener, int64_t taken_us);
void metric_count_checkin(int code);
/* `us`: microseconds. */
void metric_time(enum metric_time time, int64_t us);

/* Writes all of them in the text format of Prometheus, version 0.0.4. */
void metrics_write(FILE *out);
/* One number that the caller knows: its comment, when `help` is not "", and its line. `label`: "" or one or more
   name="value", each value written by metrics_label() unless it is a literal. */
void metrics_write_gauge(FILE *out, const char *name, const char *help, const char *label, int64_t value);
/* Appends name="value" to the labels in `out`, with a comma before it unless it is the first; the value is escaped. A label
   that does not fit is left out. */
void metrics_label(char *out, size_t out_size, const char *name, const char *value);

#endif
