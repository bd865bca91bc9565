/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "at.h"

#include <stdio.h>
#include <string.h>
#include "host.h"

struct at at;

/* A full transcript loses its older half. Lines with a link are left out: the link is a secret. */
static void record(void)
{
    if (strstr(at.line, "://"))
        return;
    if (at.text_len + at.line_len + 2 > sizeof at.text) {
        at.text_len -= sizeof at.text / 2;
        memmove(at.text, at.text + sizeof at.text / 2, at.text_len);
    }
    memcpy(at.text + at.text_len, at.line, at.line_len);
    memcpy(at.text + at.text_len + at.line_len, "\r\n", 2);
    at.text_len += at.line_len + 2;
}

/* Messages come at any time, also between a command and its answer. */
static void take_line(void)
{
    int value;
    at.line[at.line_len] = '\0';
    record();
    if (sscanf(at.line, "+UPGRADEIND: %d", &value) == 1)
        *(value < 0 ? &at.error : &at.percent) = value;
    else if (strcmp(at.line, "RDY") == 0)
        at.restarted = true;
    else if (strstr(at.line, "_V") && !strpbrk(at.line, " \"/"))
        snprintf(at.version, sizeof at.version, "%.63s", at.line);
}

/* The next line that is not empty; false: none ended in this time. */
bool at_read_line(int ms)
{
    char c;
    for (int bytes = 0; bytes < 4096 && serial_read(&c, ms); bytes++) {
        if (c == '\r' || c == '\n') {
            if (at.line_len == 0)
                continue;
            take_line();
            at.line_len = 0;
            return true;
        }
        if (c != '\0' && at.line_len < sizeof at.line - 1)
            at.line[at.line_len++] = c;
    }
    return false;
}

bool at_command(const char *text)
{
    if (!serial_write(text) || !serial_write("\r"))
        return false;
    for (int lines = 0; lines < 100 && at_read_line(10 * SECOND); lines++) {
        if (strcmp(at.line, "OK") == 0)
            return true;
        if (strcmp(at.line, "ERROR") == 0 || strncmp(at.line, "+CME ERROR", 10) == 0)
            return false;
    }
    return false;
}
