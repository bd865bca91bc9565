/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The firmware of an EC618, as delta packages see it: the parts of a .binpkg or of a raw image that a
   package can change. A .soc is a .binpkg with a script. */
#ifndef DFOTA_DELTA_EC618_IMAGE_H
#define DFOTA_DELTA_EC618_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/container/binpkg.h"
#include "base/buffer.h"
#include "delta/container/par.h"
#include "delta/container/soc.h"

#define EC618_LOAD_ADDRESS 0x24000 /* of the AP image in flash, for a raw image */

enum ec618_slot { EC618_AP, EC618_CP, EC618_SLOTS };

struct ec618_image { /* ec618_image_free(); views into the file, or into the parts of the .soc */
    bool is_soc;
    struct soc soc;                   /* only with is_soc */
    bool is_binpkg;                   /* also with is_soc */
    struct binpkg binpkg;             /* only with is_binpkg */
    bool has[EC618_SLOTS];            /* a raw image has only the slot EC618_AP */
    enum par_attribute raw_attribute; /* of a raw image: which part it is. ec618_image_open() sets PAR_AP. */
    unsigned int entry[EC618_SLOTS];  /* index of the entry in the .binpkg */
    struct bytes part[EC618_SLOTS];
    uint32_t load_address[EC618_SLOTS]; /* in flash */
};

/* The part in that slot. */
enum par_attribute ec618_image_attribute(const struct ec618_image *image, enum ec618_slot slot);
const char *ec618_slot_name(enum ec618_slot slot); /* "AP", "CP" */

/* `name` names the file in errors. After an error nothing is to be freed. ERROR_INVALID: another kind of file,
   which the message names, or a .soc that is refused; ERROR_CORRUPT: damaged. */
bool ec618_image_open(struct bytes bytes, const char *name, struct ec618_image *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The slot that a package with this attribute changes. ERROR_INVALID: the old image does not have that part. */
bool ec618_image_find_slot(const struct ec618_image *old, unsigned int attribute, enum ec618_slot *ret,
                           struct error *err) __attribute__((warn_unused_result));

/* The chip that an image is for, as chip_of_image() in base/chip.h. An image that does not tell, and has packed
   sections, is for CHIP_EC7XX; otherwise *ret is NULL.
   ERROR_INVALID: its facts contradict each other. */
bool ec618_image_chip(const struct ec618_image *image, const char **ret, struct error *err)
    __attribute__((warn_unused_result));

void ec618_image_free(struct ec618_image *image);

/* Makes the file with other parts, where `part` has a ptr, and another script, unless it is empty. The caller
   frees *ret. ERROR_TOO_LARGE: the file would exceed max_bytes; ERROR_INTERNAL: no memory. */
bool ec618_image_rebuild(const struct ec618_image *image, const struct bytes part[EC618_SLOTS],
                         struct bytes script, size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Writes to `note` what differs between two .binpkg files whose parts are equal. "" if nothing differs,
   or if one is not a .binpkg. */
void ec618_image_compare(const struct ec618_image *a, const struct ec618_image *b, char *note,
                         size_t note_size);

#endif
