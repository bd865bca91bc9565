/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Recognises what a file is by its content, not by its name. One table, with a description of each kind. */
#ifndef DFOTA_DELTA_RECOGNISE_RECOGNISE_H
#define DFOTA_DELTA_RECOGNISE_RECOGNISE_H

#include <stdbool.h>
#include "base/buffer.h"

enum recognised_role {
    RECOGNISED_IMAGE,   /* can be an image for some format */
    RECOGNISED_PACKAGE, /* a package for devices */
    RECOGNISED_NEITHER,
};

struct recognised {
    const char *name;     /* never changes; for programs */
    const char *sentence; /* "a ZIP archive": a description, after "this is" */
    enum recognised_role role;
    bool (*is)(struct bytes bytes); /* NULL: libmagic decides (foreign.h) */
};

/* The first row whose `is` returns true is the kind of the file. The last row matches every file; before
   that row, libmagic is asked. To add a kind, add a row. */
extern const struct recognised recognised_table[];
extern const size_t recognised_count;

const struct recognised *recognise(struct bytes bytes); /* never NULL */

/* Whether this is AP or CP of an EC7xx: it ends in a tail that leads to a section table. */
bool recognise_ec7xx_image(struct bytes bytes);

#endif
