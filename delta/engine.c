/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/engine.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"
#include "delta/ec618/ec618.h"
#include "delta/container/par.h"

static bool make_bsdiff(struct bytes old, struct bytes new, const struct engine_options *options,
                        struct buffer *ret, struct error *err)
{
    static const enum bsdiff_effort efforts[] = {
        [ENGINE_QUICK] = BSDIFF_EFFORT_QUICK,
        [ENGINE_GOOD] = BSDIFF_EFFORT_GOOD,
        [ENGINE_BEST] = BSDIFF_EFFORT_BEST,
    };
    struct suffix *index = NULL;
    if (options->index) {
        index = *options->index;
        *options->index = NULL;
    }
    return bsdiff_make(old, new, index, efforts[options->effort], ret, NULL, err);
}

/* clang-format off */
#define EC618_IMAGES "two .binpkg, or two raw images of the AP part"

const struct engine engine_table[] = {
    {"bsdiff",       bsdiff_owns,       make_bsdiff,       bsdiff_apply, NULL,       NULL,              false, true,
     "any two files", "none", 0},
    {"ec618-at",     ec618_at_owns,     ec618_at_make,     ec618_apply,  ec618_same, ec618_fits_module, true,  false,
     EC618_IMAGES, "10 bytes of AT firmware", PAR_MODULE_MAX},
    {"ec618-csdk",   ec618_csdk_owns,   ec618_csdk_make,   ec618_apply,  ec618_same, ec618_fits_module, true,  false,
     EC618_IMAGES, "none: the bare .par", PAR_MODULE_MAX},
    {"ec618-luatos", ec618_luatos_owns, ec618_luatos_make, ec618_apply,  ec618_same, ec618_fits_module, true,  false,
     EC618_IMAGES, "the 92 bytes of LuatOS", PAR_MODULE_MAX},
};
/* clang-format on */

const size_t engine_count = sizeof engine_table / sizeof engine_table[0];

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < engine_count; i++)
        if (strcmp(engine_table[i].name, name) == 0)
            return &engine_table[i];
    return NULL;
}

const struct engine *engine_recognise(struct bytes package)
{
    for (size_t i = 0; i < engine_count; i++)
        if (engine_table[i].owns(package))
            return &engine_table[i];
    return NULL;
}

static bool is_same(const struct engine *engine, struct bytes made, struct bytes new,
                    struct engine_note *note)
{
    note->text[0] = '\0';
    return engine->same ? engine->same(made, new, note) : bytes_equal(made, new);
}

bool engine_make(const struct engine *engine, struct bytes old, struct bytes new,
                 const struct engine_options *options, struct buffer *ret, struct engine_note *note,
                 struct error *err)
{
    static const struct engine_options plain;
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(buffer_free) struct buffer again = {0};
    if (!engine->make(old, new, options ? options : &plain, &package, err))
        return false;
    struct error why;
    struct engine_note unwanted;
    size_t room =
        old.len > new.len ? old.len : new.len; /* what a package cannot change may keep old's size */
    if (!engine->apply(old, buffer_bytes(&package), engine->same ? room + old.len : new.len, &again, &why))
        return error_set(err, ERROR_INTERNAL, "the package made cannot be applied: %s", why.text);
    if (!is_same(engine, buffer_bytes(&again), new, note ? note : &unwanted))
        return error_set(err, ERROR_INTERNAL, "the package made does not give the new image");
    *ret = package;
    package = (struct buffer){0};
    return true;
}

bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err)
{
    const struct engine *engine = engine_recognise(package);
    if (!engine)
        return error_set(err, ERROR_CANNOT_APPLY, "the package has no format that is known here");
    return engine->apply(old, package, max_bytes, ret, err);
}

bool engine_fits(struct bytes package, struct error *err)
{
    const struct engine *engine = engine_recognise(package);
    return !engine || !engine->fits || engine->fits(package, err);
}

bool engine_same(struct bytes package, struct bytes made, struct bytes new, struct engine_note *note)
{
    const struct engine *engine = engine_recognise(package);
    return engine && is_same(engine, made, new, note);
}
