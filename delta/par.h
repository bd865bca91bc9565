/* `.par`, the archive in which an EC618 takes its delta packages: a head of 84 bytes, then one package per
   part of the firmware, each with a head of its own and a payload. Layout: doc/package-formats.md. Made from
   the public layout and one real sample; never yet held against hardware. */
#ifndef DFOTA_DELTA_PAR_H
#define DFOTA_DELTA_PAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/par_unknown.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "delta/bytes.h"

#define PAR_MODULE_MAX   491520 /* a module refuses a longer archive */
#define PAR_HEAD_BYTES   84
#define PAR_PART_BYTES   0x70 /* head of a package as we write it, and as the sample has it */
#define PAR_PARTS_MAX    8
#define PAR_NAME_BYTES   18 /* NUL padding included */
#define PAR_SEGMENTS_MAX 255
#define PAR_SEGMENT      32768

enum par_attribute { PAR_BL = 1, PAR_AP = 2, PAR_CP = 3 }; /* public header: 4 to 6 are APP, APP2, APP3 */

const char *par_attribute_name(unsigned int attribute); /* "AP", …; "?" for what has no name */

/* ---- Writing ---- */

struct par_source {
    enum par_attribute attribute;
    uint32_t load_address;
    struct bytes old, new; /* for sizes and hashes */
    struct bytes payload;
};

/* Writes the archive into *ret, which the caller frees. `overrides` may be NULL. It may be longer than
   PAR_MODULE_MAX: whoever serves it has a limit of his own. ERROR_TOO_LARGE: more segments or bytes than its
   fields hold; ERROR_INTERNAL: no memory. */
bool par_make(const struct par_source *source, size_t count, const struct par_overrides *overrides,
              struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* ---- Reading ---- */

struct par_part { /* views into the archive */
    struct bytes head;
    unsigned int attribute, segments;
    uint32_t package_bytes; /* stated, head included */
    uint32_t zero, load_address, new_bytes, base_bytes;
    struct sha256 base_hash, new_hash;
    char name[PAR_NAME_BYTES + 1]; /* cut at NUL; not cleaned */
    struct bytes payload;          /* as much of it as is there */
};

struct par {
    struct bytes all, head;
    uint32_t stated_bytes;
    struct sha256 stated_hash;
    unsigned int parts;
    struct par_part part[PAR_PARTS_MAX];
    struct bytes rest; /* behind the last part that could be read; may be the whole remainder */
};

bool par_owns(struct bytes bytes); /* does it begin as an archive does? */

/* Reads as far as there is something to read, also of an archive that is cut off, and checks nothing that is
   not needed for that. ERROR_CORRUPT: not even the head is there. */
bool par_read(struct bytes bytes, struct par *ret, struct error *err) __attribute__((warn_unused_result));

/* Whether it is whole and sound: lengths, hash, and packages that fill it. Says what is wrong first. The
   payloads are not looked into. ERROR_CORRUPT. */
bool par_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* SHA-256 of the archive with the hash's own field zeroed, which is what that field holds. */
void par_hash(struct bytes archive, struct sha256 *ret);

#endif
