/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The text of one line of the log, in the format that the configuration names. A pair that does not fit is left out
   whole, so a line is always complete. */
#ifndef DFOTA_SERVER_CORE_LOG_TEXT_H
#define DFOTA_SERVER_CORE_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "server/core/log_queue.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum log_format {
    LOG_FORMAT_AUTO, /* LOG_FORMAT_JOURNAL when standard error is the journal of systemd, else LOG_FORMAT_TEXT */
    LOG_FORMAT_TEXT,    /* key=value */
    LOG_FORMAT_JSON,    /* an object; all values are texts */
    LOG_FORMAT_JOURNAL, /* key=value, after the priority of syslog: <4> */
};
bool log_format_parse(struct slice text, enum log_format *ret); /* "auto", "text", "json", "journal" */
const char *log_level_name(enum log_level level);

/* For all lines from now on. Call it before threads write lines. */
void log_text_set_format(enum log_format format);

struct log_text {
    char text[LOG_LINE_MAX];
    size_t used;
    bool has_pair;
};

void log_text_begin(struct log_text *line, enum log_level level, const char *event);
void log_text_add(struct log_text *line, const char *key, const char *value);
void log_text_end(struct log_text *line); /* with the newline */
/* A whole line of plain text for people; in JSON the event "failed" with it. */
void log_text_last_words(struct log_text *line, const char *text);

#endif
