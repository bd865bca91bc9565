/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The reaper: the process above a foreign program. Everything that the program starts stays a descendant
   of the reaper, also a daemon such as the server of wine, and is killed when the program has ended. */
#ifndef DFOTA_SERVER_PROCESS_REAPER_H
#define DFOTA_SERVER_PROCESS_REAPER_H

#include <stdbool.h>

/* Call in a child between fork and exec, with all signals blocked. This process becomes the reaper. The
   function returns true in a child of it, which then runs the program. The reaper ends with the status of
   the program, after the last descendant is gone, or at SIGTERM. It closes its error_fd. False: no process
   could be started. */
bool reaper_begin(int error_fd);

#endif
