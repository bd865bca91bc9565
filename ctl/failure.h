/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The failure of a command of dfotactl: the exit status for scripts, and one sentence for people. */
#ifndef DFOTA_CTL_FAILURE_H
#define DFOTA_CTL_FAILURE_H

#include <stdbool.h>
#include <stdio.h>

enum exit_status { /* documented in dfotactl(1) */
                   EXIT_DONE = 0,
                   EXIT_REFUSED = 1, /* the server refused the request */
                   EXIT_USAGE = 2,   /* wrong command line, or a local file that cannot be read or written */
                   EXIT_UNREACHABLE = 3, /* no answer from the server, or an answer that is not understood */
                   EXIT_NOT_READY = 4,   /* --wait ended without success, or doctor found a fault */
};

struct failure {
    enum exit_status status;
    char code[48];   /* the stable code of the API; empty unless the server refused */
    char text[1200]; /* may contain text from the server: print it only with text_put() */
};

/* Fills *fail and returns false: return failure_set(fail, EXIT_X, "…"). */
bool failure_set(struct failure *fail, enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints "dfotactl: …", or, for programs, {"error":{"status":1,"code":"not-found","detail":"…"}}. Without a code of the
   server the code is usage, unreachable or not-ready. */
void failure_print(FILE *out, const struct failure *fail, bool json);

#endif
