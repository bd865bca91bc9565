/* Log lines on standard error: one line each, key=value, values with blanks or quotes quoted, control characters escaped. */
#ifndef DFOTA_SERVER_LOG_H
#define DFOTA_SERVER_LOG_H

#include <stdbool.h>
#include "base/slice.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_set_level(enum log_level least);
bool log_level_parse(struct slice text, enum log_level *ret);

/* log_line(LOG_LEVEL_INFO, "listening", "listener", "device", "address", text, NULL): pairs of key and value, NULL ends; a NULL value
   leaves the pair out. Any thread; a line is one write(2). */
void log_line(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* A number as text for log_line. */
struct log_number {
    char text[24];
};
const char *log_i64(struct log_number *store, long long value);

#endif
