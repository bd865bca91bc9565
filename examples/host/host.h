/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A host that upgrades its AT module. doc/hosts.md explains it. host.c has the steps and calls no operating
   system; posix.c is the platform, and is what you replace. No memory is allocated; there is one thread. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#ifndef SECOND
#define SECOND 1000 /* ms; the tests use shorter seconds */
#endif

enum round {
    ROUND_DONE = 0,   /* there is no more to do */
    ROUND_FAILED = 1, /* a package did not lead to another version, or the link is wrong */
    ROUND_LATER = 2,  /* the package is still being made, or the module or the server does not answer */
};

/* One round: reports the version, and upgrades the module as long as the server has a next version. `link` is
   the URL that `dfotactl device link` prints. Call it once a day. A power cut at any point does no harm. */
enum round host_run(const char *link);

/* The platform. Times are in ms. */

/* One byte from the module. False: none came in this time. */
bool serial_read(char *byte, int ms);
bool serial_write(const char *text);
/* POST with the type text/plain. Returns the HTTP status and the answer as text; 0: no complete answer. */
int http_post(const char *url, const char *body, size_t len, char *answer, size_t size);
void say(const char *what, const char *detail);

#endif
