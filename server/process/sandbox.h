/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Keeps a process from changing files elsewhere than where it may, by Linux' Landlock. What it reads, what it
   sends and what it does to sockets is not kept from it. */
#ifndef DFOTA_SERVER_PROCESS_SANDBOX_H
#define DFOTA_SERVER_PROCESS_SANDBOX_H

#include <stdbool.h>

/* The kernel has Landlock, and this process may use it. Any thread. */
bool sandbox_is_there(void);

/* Between fork and exec: from here on this process and its descendants write only beneath these folders (NULL
   at the end; one that is not there is skipped), to /dev/null, /dev/zero and /dev/full, and signal only each
   other (Linux 6.12). Where there is no Landlock nothing happens. False: it is there and could not be had. */
bool sandbox_enter(const char *const *writable);

#endif
