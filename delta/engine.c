#include "delta/engine.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bsdiff.h"

const struct engine engine_table[] = {
    {"bsdiff", bsdiff_owns, bsdiff_make, bsdiff_apply},
};

const size_t engine_count = sizeof engine_table / sizeof engine_table[0];

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < engine_count; i++)
        if (strcmp(engine_table[i].name, name) == 0)
            return &engine_table[i];
    return NULL;
}

bool engine_make(const struct engine *engine, struct bytes old, struct bytes new, struct buffer *ret,
                 struct error *err)
{
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(buffer_free) struct buffer again = {0};
    if (!engine->make(old, new, &package, err))
        return false;
    struct error why;
    if (!engine->apply(old, buffer_bytes(&package), new.len, &again, &why))
        return error_set(err, ERROR_INTERNAL, "the package made cannot be applied: %s", why.text);
    if (!bytes_equal(buffer_bytes(&again), new))
        return error_set(err, ERROR_INTERNAL, "the package made does not give the new image");
    *ret = package;
    package = (struct buffer){0};
    return true;
}

bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err)
{
    for (size_t i = 0; i < engine_count; i++)
        if (engine_table[i].owns(package))
            return engine_table[i].apply(old, package, max_bytes, ret, err);
    return error_set(err, ERROR_CORRUPT, "the package has no format that is known here");
}
