/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Named places where a test stops the server, to kill it there or to look at its disk. Only in a build
   that was configured with --enable-stop-points; in other builds the function is empty. */
#ifndef DFOTA_SERVER_CORE_STOP_POINT_H
#define DFOTA_SERVER_CORE_STOP_POINT_H

#include <config.h>

/* If the environment has DFOTA_STOP=NAME, or NAME:N for the N-th pass of any thread, this is logged
   (`stopped-at`) and the calling thread never continues. Any thread. */
#ifdef HAVE_STOP_POINTS
void stop_point(const char *name);
#else
static inline void stop_point(const char *name)
{
    (void)name;
}
#endif

#endif
