/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Limits with Landlock (Linux) where a process may change files, and for dfota also what it may read. filter.h limits
   its system calls. */
#ifndef DFOTA_SERVER_PROCESS_SANDBOX_H
#define DFOTA_SERVER_PROCESS_SANDBOX_H

#include <stdbool.h>

/* True: the kernel has Landlock and this process may use it. Any thread. */
bool sandbox_is_there(void);

/* Call between fork and exec. From then on this process and its descendants can write only below these
   folders (NULL ends them; a folder that does not exist is skipped) and to /dev/null, /dev/zero and
   /dev/full, and can signal only each other (Linux 6.12). Without Landlock nothing happens. False:
   Landlock exists but could not be used. */
bool sandbox_enter(const char *const *writable);

/* The same for dfota, which can also read only below `readable` (folders or files; NULL ends them), below `writable`, and
   the programs and libraries of the system. Does nothing in a build with a sanitizer. */
bool sandbox_enter_own(const char *const *readable, const char *const *writable);

#endif
