/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Release at the end of a scope: _cleanup_(cleanup_free) char *text = …; */
#ifndef DFOTA_BASE_CLEANUP_H
#define DFOTA_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Functions for _cleanup_. Each gets the address of the variable, and does nothing for NULL or a negative
   fd. */
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
