/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Named places where a test holds the server, to kill it there or to look at its disk. Only in a build that
   was configured with --enable-stop-points; in any other this is no code at all. */
#ifndef DFOTA_SERVER_CORE_STOP_POINT_H
#define DFOTA_SERVER_CORE_STOP_POINT_H

#include <config.h>

/* Where the environment has DFOTA_STOP=NAME, or NAME:N for the N-th time that any thread comes by, this is
   logged
   (`stopped-at`) and the calling thread never goes on. Any thread. */
#ifdef HAVE_STOP_POINTS
void stop_point(const char *name);
#else
static inline void stop_point(const char *name)
{
    (void)name;
}
#endif

#endif
