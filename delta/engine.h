/* The package formats, one row each: how to know, make and apply a package. Pure functions over memory. */
#ifndef DFOTA_DELTA_ENGINE_H
#define DFOTA_DELTA_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "delta/bytes.h"

struct engine {
    const char *name;                   /* as a firmware's `format` and `dfota diff --format` name it */
    bool (*owns)(struct bytes package); /* does it begin as this format does? */
    bool (*make)(struct bytes old, struct bytes new, struct buffer *ret, struct error *err);
    bool (*apply)(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err);
};

extern const struct engine engine_table[];
extern const size_t engine_count;

const struct engine *engine_find(const char *name); /* NULL: no such format */

/* Makes a package, applies it to old again and compares with new: what it returns is proven. *ret is freed by
   the caller. ERROR_TOO_LARGE: an image over the format's limit; ERROR_INTERNAL: no memory, or the proof
   failed. */
bool engine_make(const struct engine *engine, struct bytes old, struct bytes new, struct buffer *ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Finds out the format of a package and applies it. Safe on hostile packages; the format need not know
   whether `old` is the right image, so compare the result's SHA-256. *ret is freed by the caller.
   ERROR_CORRUPT: no known format or not sound; ERROR_TOO_LARGE: the new image would exceed max_bytes;
   ERROR_INTERNAL: no memory. */
bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err) __attribute__((warn_unused_result));

#endif
