/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Commands to the module, its messages, and the transcript of its lines. */
#ifndef AT_H
#define AT_H

#include <stdbool.h>
#include <stddef.h>

struct at {
    char version[64]; /* the last name with a version that the module printed; empty: none */
    int percent;      /* the last progress of +UPGRADEIND */
    int error;        /* the last error of +UPGRADEIND; 0: none */
    bool restarted;   /* RDY came */
    char line[200];   /* the last line, without its end */
    char text[8192];  /* the transcript */
    size_t line_len, text_len;
};

extern struct at at;

/* The next line that is not empty; false: none ended in this time. It is in the transcript then, and its
   message is noted. */
bool at_read_line(int ms);
/* Sends a command and reads until OK (true), an error, or 10 seconds without a line (false). */
bool at_command(const char *text);

#endif
