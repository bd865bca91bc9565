/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `.soc`, a release of LuatOS: an archive with `info.json`, the core and, in a release for production, a
   script. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_SOC_H
#define DFOTA_DELTA_CONTAINER_SOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"

#define SOC_TEXT_SIZE 64

struct soc_facts {            /* of info.json and the header with the settings of the build */
    char chip[SOC_TEXT_SIZE]; /* chip.type: a family, "ec618" or "ec7xx", or a model (chip.h) */
    char core[SOC_TEXT_SIZE]; /* version of the core without its letter: "1114"; "": not known */
    uint32_t magic;           /* of packages for this chip; 0: not stated */
    /* Where the script is in flash, and where a module keeps a packed script until it restarts. False: a build
       without LuatOS, whose info.json has only values of the template. */
    bool has_areas;
    uint32_t script_address, script_bytes, kept_address;
    uint32_t kept_bytes; /* 0: not known; see soc_kept_limit() */
    unsigned int bits;   /* of the virtual machine: 32 or 64; 0: not stated */
};

struct soc { /* owned: soc_free() */
    struct soc_facts facts;
    struct buffer info, settings, rom, script; /* settings, script: empty when not there */
    char rom_name[SOC_TEXT_SIZE], script_name[SOC_TEXT_SIZE];
    char left_out[300]; /* names of other files in the archive, with commas */
};

/* Whether this is an archive with info.json. Reads the list of files. */
bool soc_owns(struct bytes bytes);

/* Reads a release. In info.json, numbers in texts are hexadecimal, with or without 0x. After an error *ret is empty.
   ERROR_INVALID: an archive that is refused, or facts that contradict each other, in a sentence; ERROR_CORRUPT:
   damaged, ERROR_TOO_LARGE, ERROR_INTERNAL. */
bool soc_open(struct bytes bytes, struct soc *ret, struct error *err) __attribute__((warn_unused_result));
void soc_free(struct soc *soc);

/* Writes a release with these files and no others, not compressed. Equal files give equal bytes. */
bool soc_write(const struct soc *soc, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* How many bytes a packed script may have.
   EC618: from kept_address to the end of the area, which is the same in all builds. EC7xx: the region for the
   change of the core (fota.fota_len bytes) follows the area, and the file system follows that region, so the area
   ends at fs_addr - fota_len. That holds in every flash map of the vendor's SDK for which LuatOS is built. It is used
   only when download.fs_addr and rom.fs.filesystem.offset are equal, because a build writes both and a template may
   have old values, and only when the area is not larger than the script area, because something else lies between
   then.
   Without a known size the limit is PACKAGE_FORMAT_KEPT_AT_LEAST(). So a script is not refused because the size is
   not stated, and no known build overflows. */
uint32_t soc_kept_limit(const struct soc_facts *facts);

/* Whether both can be for the same chip, and have the script in the same places. What one of them does not state is
   not compared. ERROR_INVALID says what differs. */
bool soc_same_areas(const struct soc_facts *old, const struct soc_facts *new, struct error *err)
    __attribute__((warn_unused_result));

#endif
