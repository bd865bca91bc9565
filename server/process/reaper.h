/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The process above a foreign program: whatever that starts, and however it hides it (a daemon of its own, as
   wine's server is), stays among the keeper's descendants, and is killed when the program has ended. */
#ifndef DFOTA_SERVER_PROCESS_REAPER_H
#define DFOTA_SERVER_PROCESS_REAPER_H

#include <stdbool.h>

/* In a child between fork and exec, all signals blocked: this process becomes the keeper, and the function
   returns true in a child of it, where the program is to be run. The keeper ends as the program does, after
   the last of them is gone, or at SIGTERM. It closes its error_fd. False: no process. */
bool reaper_begin(int error_fd);

#endif
