/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The limit of a firmware with an ec7xx format: how long a package may be depends on the chip of its modules. */
#ifndef DFOTA_SERVER_ADMIN_FIRMWARE_LIMIT_H
#define DFOTA_SERVER_ADMIN_FIRMWARE_LIMIT_H

#include "base/chip.h"
#include "server/config/config.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/product.h"

#define FIRMWARE_LIMIT_NOTE_SIZE 400

struct firmware_limit {
    bool by_chip;                  /* the format is one of ec7xx; otherwise all below is unset */
    const struct ec7xx_chip *chip; /* of the modules; NULL: not known */
    const char *source;            /* what says so: "the configuration (chip)", ... */
    bool by_images;                /* only images say so */
    bool has_inexact; /* neither the configuration nor the name says so, and an image tells only its family */
    int64_t usual;    /* what a firmware gets: the limit of the chip, or of the chip with the least room */
    int64_t
        most; /* no package with more counted bytes is taken; of a chip that is not known: by one with 4 MB of flash */
};

/* Finds the chip in the configuration, the name of the firmware and its images, also the withdrawn ones. If they differ, the
   chip with the least room counts. */
bool firmware_limit_find(const struct config *config, struct db *db, const struct firmware *firmware,
                         struct firmware_limit *ret, struct error *err) __attribute__((warn_unused_result));

struct limit_wish {
    int64_t given;            /* max_package_bytes as an admin gives it; 0: not given */
    bool resets;              /* an admin wants the default */
    char before[FORMAT_SIZE]; /* the format before the change */
};

/* Sets firmware->max_package_bytes. A given limit is kept; ERROR_INVALID: it is above that of the known chip. If none is
   given, a firmware that gets an ec7xx format gets the limit of the chip, unless an admin has set a lower one; and a limit
   above that of the known chip becomes that of the chip. */
bool firmware_limit_settle(const struct config *config, struct db *db, const struct limit_wish *wish,
                           struct firmware *firmware, struct error *err) __attribute__((warn_unused_result));

/* Whether the image of an upload may be stored: ERROR_INVALID when its chip takes less than the limit of the firmware.
   Adds warnings about another chip, and about a limit that could be higher. */
bool firmware_limit_take_image(const struct config *config, struct db *db, const struct firmware *firmware,
                               struct image *image, struct error *err) __attribute__((warn_unused_result));

/* One sentence: which limit the firmware has, and why. "": the format has no limit by chip. */
void firmware_limit_note(const struct firmware *firmware, const struct firmware_limit *limit,
                         char out[FIRMWARE_LIMIT_NOTE_SIZE]);

/* Lowers the limit of a firmware that is above what its modules take, as far as that is known now, and logs it. For a change
   after which the chip may be another one, or not known any more. In a transaction of the caller. */
bool firmware_limit_lower(const struct config *config, struct db *db, const struct product *product,
                          struct firmware *firmware, struct error *err) __attribute__((warn_unused_result));

/* The same for all firmwares, at the start of the server: the configuration may have changed. In a transaction of the
   caller. */
bool firmware_limit_lower_all(const struct config *config, struct db *db, struct error *err)
    __attribute__((warn_unused_result));

#endif
