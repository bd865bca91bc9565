/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The package formats that dfota makes and applies: the functions of each format, one row each. The names
   and facts of the formats are in base/package_format.h. All functions work in memory and keep no state. */
#ifndef DFOTA_DELTA_ENGINE_H
#define DFOTA_DELTA_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "base/package_format.h"

struct suffix;

enum engine_effort {              /* how much time may be used for a smaller package */
                     ENGINE_GOOD, /* the default */
                     ENGINE_QUICK,
                     ENGINE_BEST,
};

/* How a package is made. All zeros are the defaults. */
struct engine_options {
    enum engine_effort effort;
    bool has_load_address; /* false: the load address is taken from the image */
    uint32_t load_address; /* only formats for chips */
    /* Only formats for an EC618: make the last part of a payload in reverse order as the vendor's tool does. */
    bool closed_last_part;
    /* Only formats for an EC7xx. */
    const char *chip; /* "ec718p"; NULL: as the images tell, if they do */
    bool raw_is_cp;   /* a raw image is CP; otherwise AP */
    /* Only formats with `takes_index`: the index of the old image. The format takes ownership and sets
       *index to NULL. Where index or *index is NULL, the format builds an index. */
    struct suffix **index;
};

/* A note to the user beside a successful result. Empty: no note. */
struct engine_note {
    char text[300];
};

struct engine {
    const struct package_format *format;
    bool (*owns)(struct bytes package); /* whether the package begins as this format does */
    bool (*make)(struct bytes old, struct bytes new, const struct engine_options *options, struct buffer *ret,
                 struct error *err);
    bool (*apply)(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err);
    /* Whether the applied result is the new image, as far as a package of this format can change an image.
       NULL: both must be equal byte for byte. */
    bool (*same)(struct bytes made, struct bytes new, struct engine_note *note);
    /* Whether a module with that chip has room for the package. NULL: the device decides. */
    bool (*fits)(struct bytes package, struct bytes old, const char *chip, struct error *err);
};

extern const struct engine engine_table[];
extern const size_t engine_count;

const struct engine *engine_find(const char *name);          /* by the format's name; NULL: unknown */
const struct engine *engine_recognise(struct bytes package); /* NULL: no known format */

/* Makes a package, applies it to the old image and compares the result with the new image. So a returned
   package is proven. `options` and `note` may be NULL. The caller frees *ret. ERROR_TOO_LARGE: an image is
   over the limit of the format; ERROR_INVALID: the format cannot use these images; ERROR_INTERNAL: no
   memory, or the proof failed. */
bool engine_make(const struct engine *engine, struct bytes old, struct bytes new,
                 const struct engine_options *options, struct buffer *ret, struct engine_note *note,
                 struct error *err) __attribute__((warn_unused_result));

/* Recognises the format of a package and applies it. Safe on hostile packages. `bsdiff` cannot detect a
   wrong old image, so the caller compares the SHA-256 of the result; the formats for chips detect it. The
   caller frees *ret. ERROR_CANNOT_APPLY: no known format, or a package that dfota cannot apply;
   ERROR_CORRUPT: damaged; ERROR_INVALID: sound, but made for another old image; ERROR_TOO_LARGE: the new
   image would exceed max_bytes; ERROR_INTERNAL: no memory. */
bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err) __attribute__((warn_unused_result));

/* Whether a module that runs the image `old` has room for the package. `chip`: of an EC7xx, as in struct
   engine_options; NULL: as `old` tells; if it does not, the package must fit every chip of the family. ERROR_TOO_LARGE: it
   does not; ERROR_INVALID: it is for another size of the flash; ERROR_BAD_REQUEST: no such chip. Other errors: the
   package is damaged. */
bool engine_fits(struct bytes package, struct bytes old, const char *chip, struct error *err)
    __attribute__((warn_unused_result));

/* Whether `made`, the result of applying `package`, is the image `new`: byte for byte, or as far as a
   package of this format can change an image. In the second case *note lists the other differences. */
bool engine_same(struct bytes package, struct bytes made, struct bytes new, struct engine_note *note);

#endif
