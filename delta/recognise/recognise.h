/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its content and never by its name: one table, with a sentence for people. */
#ifndef DFOTA_DELTA_RECOGNISE_RECOGNISE_H
#define DFOTA_DELTA_RECOGNISE_RECOGNISE_H

#include <stdbool.h>
#include "base/buffer.h"

enum recognised_role {
    RECOGNISED_IMAGE,   /* can be a full image of some format */
    RECOGNISED_PACKAGE, /* is made to be downloaded by a device */
    RECOGNISED_NEITHER,
};

struct recognised {
    const char *name;     /* stable, for programs */
    const char *sentence; /* "a ZIP archive", to stand behind "this is" */
    enum recognised_role role;
    bool (*is)(struct bytes bytes); /* NULL where libmagic tells it (foreign.h) */
};

/* In this order the first that says yes is it; before the last one, which always does, libmagic is asked.
   Adding one is adding a row. */
extern const struct recognised recognised_table[];
extern const size_t recognised_count;

const struct recognised *recognise(struct bytes bytes); /* never NULL */

#endif
