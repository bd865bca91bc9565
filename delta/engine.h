/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The package formats, one row each: how to know, make, apply and prove a package. Pure functions over
 * memory. */
#ifndef DFOTA_DELTA_ENGINE_H
#define DFOTA_DELTA_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bytes.h"

struct suffix;

enum engine_effort { /* how much time may go into a smaller package; the first is what is done unasked */
                     ENGINE_GOOD,
                     ENGINE_QUICK,
                     ENGINE_BEST,
};

/* What else making takes: all zero is what is best for most. The header fields are for the EC618's formats.
 */
struct engine_options {
    enum engine_effort effort;
    bool has_load_address; /* otherwise what the image says, or ENGINE_LOAD_ADDRESS */
    uint32_t load_address;
    bool closed_last_part; /* as the vendor's tool makes payloads of reverse order */
    struct suffix **index; /* of old, for a format with `takes_index`, which takes it over and leaves
                              NULL; NULL: one is made */
};

#define ENGINE_LOAD_ADDRESS 0x24000 /* where an EC618 has its AP image */

/* What is to be said beside a result. Empty: nothing. */
struct engine_note {
    char text[300];
};

struct engine {
    const char *name;                   /* as a firmware's `format` and `dfota diff --format` name it */
    bool (*owns)(struct bytes package); /* does it begin as this format does? */
    bool (*make)(struct bytes old, struct bytes new, const struct engine_options *options, struct buffer *ret,
                 struct error *err);
    bool (*apply)(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err);
    /* Is what applying gave the new image, as far as a package of this format can change one? NULL: byte for
       byte. */
    bool (*same)(struct bytes made, struct bytes new, struct engine_note *note);
    /* Has a module room for the package? NULL: that is the device's own matter. */
    bool (*fits)(struct bytes package, struct error *err);
    bool takes_header;   /* load address and closed last part mean something to it */
    bool takes_index;    /* and an index does */
    const char *images;  /* what it takes, in words */
    const char *wrapper; /* what stands around the package, in words */
    size_t archive_max;  /* no module takes more within that wrapper; 0: the device decides */
};

extern const struct engine engine_table[];
extern const size_t engine_count;

const struct engine *engine_find(const char *name);          /* NULL: no such format */
const struct engine *engine_recognise(struct bytes package); /* the same */

/* Makes a package, applies it to old again and compares with new: what it returns is proven. `options` and
   `note` may be NULL. *ret is freed by the caller. ERROR_TOO_LARGE: an image over the format's limit;
   ERROR_INVALID: images that the format cannot take; ERROR_INTERNAL: no memory, or the proof failed. */
bool engine_make(const struct engine *engine, struct bytes old, struct bytes new,
                 const struct engine_options *options, struct buffer *ret, struct engine_note *note,
                 struct error *err) __attribute__((warn_unused_result));

/* Finds out the format of a package and applies it. Safe on hostile packages. `bsdiff` cannot know whether
   `old` is the right image, so compare the result's SHA-256; the EC618's formats can and do. *ret is freed by
   the caller. ERROR_CANNOT_APPLY: no known format, or one that nothing here can apply; ERROR_CORRUPT: not
   sound; ERROR_INVALID: sound, but for another old image; ERROR_TOO_LARGE: the new image would exceed
   max_bytes; ERROR_INTERNAL: no memory. */
bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err) __attribute__((warn_unused_result));

/* Whether a module has room for a package that engine_apply() takes. ERROR_TOO_LARGE: it has not. */
bool engine_fits(struct bytes package, struct error *err) __attribute__((warn_unused_result));

/* Whether `made`, got by applying, is `new`: byte for byte, or as far as the package's format can change an
   image, and then *note says what else differs. */
bool engine_same(struct bytes package, struct bytes made, struct bytes new, struct engine_note *note);

#endif
