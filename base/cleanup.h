/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Scoped release: _cleanup_(free_ptr) char *text = …; the named function runs when the variable leaves its scope. */
#ifndef DFOTA_BASE_CLEANUP_H
#define DFOTA_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Functions for _cleanup_: each gets the address of the variable and does nothing for NULL or a negative fd. */
static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

#endif
