/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The flash of a LuatOS module: what the writer of packages checks, in its order, and what the bootloader does at the
   next start. The bootloader trusts a package. A package with a wrong script makes a module restart for ever, and one
   with a wrong address overwrites other flash: both end as LUATOS_DEAD, an error of the server. */
#ifndef DFOTA_SIM_LUATOS_FLASH_H
#define DFOTA_SIM_LUATOS_FLASH_H

#include <stdbool.h>
#include <stdint.h>
#include "delta/container/soc.h"
#include "sim/image_store.h"

#define LUATOS_WHY_SIZE 300

enum luatos_result {
    LUATOS_DONE,
    LUATOS_REFUSED, /* the module keeps what it runs */
    LUATOS_DEAD,    /* the module is lost */
};

struct luatos_flash { /* owned: luatos_flash_free() */
    bool whole;       /* packages are written as they are, for chips whose packages are not public */
    struct soc release;
    uint32_t magic;       /* of packages for this chip */
    struct buffer system; /* `whole`: what runs */

    bool pending; /* a package is complete, and the next start applies it */
    struct buffer new_rom, script_data;
};

/* Puts the image into flash: a .soc or a .binpkg, with `whole` any file. After an error *ret is empty. */
bool luatos_flash_open(const struct image *image, bool whole, struct luatos_flash *ret, struct error *err)
    __attribute__((warn_unused_result));
void luatos_flash_free(struct luatos_flash *flash);

/* Writes the package. LUATOS_REFUSED: with the reason in `why`. Data after the end is refused, although the next
   start applies the package. */
enum luatos_result luatos_flash_write(struct luatos_flash *flash, struct bytes package,
                                      char why[LUATOS_WHY_SIZE]);

/* The next start. LUATOS_REFUSED: nothing was written before, or the old script stays. LUATOS_DEAD: `why` says how. */
enum luatos_result luatos_flash_start(struct luatos_flash *flash, char why[LUATOS_WHY_SIZE]);

/* Whether this image is what runs: a .soc or .binpkg by AP, CP and script, a package with a script by the script. `cls`
   is a struct luatos_flash; see image_store_pick(). */
bool luatos_flash_runs(const struct image *image, void *cls);

#endif
