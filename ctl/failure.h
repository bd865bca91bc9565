/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How a command of dfotactl ends: the exit status that scripts test, and one sentence for the person. */
#ifndef DFOTA_CTL_FAILURE_H
#define DFOTA_CTL_FAILURE_H

#include <stdbool.h>

enum exit_status { /* documented in dfotactl(1) */
                   EXIT_DONE = 0,
                   EXIT_REFUSED = 1, /* the server understood and said no */
                   EXIT_USAGE = 2, /* a wrong command line, or a local file that cannot be read or written */
                   EXIT_UNREACHABLE = 3, /* no server there, or what it answers makes no sense */
                   EXIT_NOT_READY = 4,   /* --wait ended without a package that can be served */
};

struct failure {
    enum exit_status status;
    char code[48];   /* the API's stable code; empty when the API did not refuse */
    char text[1200]; /* may hold text of the server: print it with text_put() only */
};

/* Fills *fail and returns false, so that failing is one line. */
bool failure_set(struct failure *fail, enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
