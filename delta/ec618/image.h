/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An EC618's firmware as its delta packages see it: the parts that a package can change, out of a .binpkg or
   a raw image. */
#ifndef DFOTA_DELTA_EC618_IMAGE_H
#define DFOTA_DELTA_EC618_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/container/binpkg.h"
#include "base/buffer.h"
#include "delta/container/par.h"

#define EC618_LOAD_ADDRESS 0x24000 /* of the AP image in flash, where the image does not tell */

enum ec618_slot { EC618_AP, EC618_CP, EC618_SLOTS };

struct ec618_image { /* views into the file */
    bool is_binpkg;
    struct binpkg binpkg;            /* only then */
    bool has[EC618_SLOTS];           /* a raw image has EC618_AP alone */
    unsigned int entry[EC618_SLOTS]; /* number in the .binpkg */
    struct bytes part[EC618_SLOTS];
    uint32_t load_address[EC618_SLOTS]; /* in flash */
};

enum par_attribute ec618_slot_attribute(enum ec618_slot slot);
const char *ec618_slot_name(enum ec618_slot slot); /* "AP", "CP" */

/* `name` stands for the file in errors. ERROR_INVALID: it is something else, and the error says what;
   ERROR_CORRUPT: a .binpkg that is not sound. */
bool ec618_image_open(struct bytes bytes, const char *name, struct ec618_image *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The file with other parts: those whose `part` has a ptr. */
bool ec618_image_rebuild(const struct ec618_image *image, const struct bytes part[EC618_SLOTS],
                         size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Names what differs between two .binpkg whose parts are the same; of anything else, nothing. */
void ec618_image_compare(const struct ec618_image *a, const struct ec618_image *b, char *note,
                         size_t note_size);

#endif
