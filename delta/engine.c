/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/engine.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"
#include "delta/container/luatos.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/ec618.h"
#include "delta/ec618/package.h"
#include "delta/ec7xx/ec7xx.h"

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

static bool make_ec618(enum wrapper wrapper, struct bytes old, struct bytes new,
                       const struct engine_options *options, struct buffer *ret, struct error *err)
{
    static const enum ec618_effort efforts[] = {
        [ENGINE_QUICK] = EC618_QUICK,
        [ENGINE_GOOD] = EC618_GOOD,
        [ENGINE_BEST] = EC618_BEST,
    };
    const struct ec618_making making = {
        .effort = efforts[options->effort],
        .closed_last_part = options->closed_last_part,
        .has_load_address = options->has_load_address,
        .load_address = options->load_address,
    };
    return ec618_make(wrapper, old, new, &making, ret, err);
}

static bool find_chip(const char *name, const struct ec7xx_chip **ret, struct error *err)
{
    *ret = name ? ec7xx_chip_find(name) : NULL;
    return *ret || !name || error_set(err, ERROR_BAD_REQUEST, "the chip %.40s is not known", name);
}

static bool make_ec7xx(enum wrapper wrapper, struct bytes old, struct bytes new,
                       const struct engine_options *options, struct buffer *ret, struct error *err)
{
    static const enum ec7xx_effort efforts[] = {
        [ENGINE_QUICK] = EC7XX_QUICK,
        [ENGINE_GOOD] = EC7XX_GOOD,
        [ENGINE_BEST] = EC7XX_BEST,
    };
    struct ec7xx_making making = {
        .effort = efforts[options->effort],
        .raw_is_cp = options->raw_is_cp,
        .has_load_address = options->has_load_address,
        .load_address = options->load_address,
    };
    return find_chip(options->chip, &making.chip, err) && ec7xx_make(wrapper, old, new, &making, ret, err);
}

/* A full package is for CSDK, although it has the head of LuatOS. It is never applied as a delta. */
static bool owns_ec618_csdk(struct bytes package)
{
    return (par_owns(package) && !ec7xx_owns(package)) || luatos_owns_full(package);
}

static bool owns_ec618_at(struct bytes package)
{
    return wrapper_at_owns(package) && !ec7xx_owns(package);
}

static bool owns_ec618_luatos(struct bytes package)
{
    return luatos_owns(package) && !luatos_owns_full(package) && !ec7xx_owns(package);
}

static bool owns_ec7xx_at(struct bytes package)
{
    return wrapper_at_owns(package) && ec7xx_owns(package);
}

/* Both have the same head. A package without a script is for both. */
static bool owns_ec7xx_csdk(struct bytes package)
{
    return luatos_owns(package) && ec7xx_owns(package) && !luatos_has_script(package);
}

static bool owns_ec7xx_luatos(struct bytes package)
{
    return luatos_owns(package) && ec7xx_owns(package) && luatos_has_script(package);
}

#define MAKE(name, chip, wrapper)                                                                            \
    static bool name(struct bytes old, struct bytes new, const struct engine_options *options,               \
                     struct buffer *ret, struct error *err)                                                  \
    {                                                                                                        \
        return make_##chip(wrapper, old, new, options, ret, err);                                            \
    }
MAKE(make_ec618_at, ec618, WRAPPER_AT)
MAKE(make_ec618_csdk, ec618, WRAPPER_NONE)
MAKE(make_ec618_luatos, ec618, WRAPPER_LUATOS)
MAKE(make_ec7xx_at, ec7xx, WRAPPER_AT)
MAKE(make_ec7xx_csdk, ec7xx, WRAPPER_HEAD)
MAKE(make_ec7xx_luatos, ec7xx, WRAPPER_LUATOS)

static bool same_parts(struct bytes made, struct bytes new, struct engine_note *note)
{
    return package_same(made, new, note->text, sizeof note->text);
}

static bool fits_ec618(struct bytes package, struct bytes old, const char *chip, struct error *err)
{
    (void)old;
    (void)chip;
    return ec618_fits_module(package, err);
}

static bool fits_ec7xx(struct bytes package, struct bytes old, const char *name, struct error *err)
{
    const struct ec7xx_chip *chip;
    return find_chip(name, &chip, err) && ec7xx_fits_module(package, old, chip, err);
}

/* clang-format off */
#define FORMAT(id) &package_format_table[PACKAGE_FORMAT_##id]

const struct engine engine_table[] = {
    {FORMAT(BSDIFF),       bsdiff_owns,       make_bsdiff,       bsdiff_apply, NULL,       NULL},
    {FORMAT(EC618_AT),     owns_ec618_at,     make_ec618_at,     ec618_apply,  same_parts, fits_ec618},
    {FORMAT(EC618_CSDK),   owns_ec618_csdk,   make_ec618_csdk,   ec618_apply,  same_parts, fits_ec618},
    {FORMAT(EC618_LUATOS), owns_ec618_luatos, make_ec618_luatos, ec618_apply,  same_parts, fits_ec618},
    {FORMAT(EC7XX_AT),     owns_ec7xx_at,     make_ec7xx_at,     ec7xx_apply,  same_parts, fits_ec7xx},
    {FORMAT(EC7XX_CSDK),   owns_ec7xx_csdk,   make_ec7xx_csdk,   ec7xx_apply,  same_parts, fits_ec7xx},
    {FORMAT(EC7XX_LUATOS), owns_ec7xx_luatos, make_ec7xx_luatos, ec7xx_apply,  same_parts, fits_ec7xx},
};

/* An archive for an EC7xx without a wrapper. No device downloads one, but the vendor's tool writes such files. */
static const struct engine bare_ec7xx =
    {NULL,                 ec7xx_owns,        NULL,              ec7xx_apply,  same_parts, fits_ec7xx};
/* clang-format on */

const size_t engine_count = sizeof engine_table / sizeof engine_table[0];

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < engine_count; i++)
        if (strcmp(engine_table[i].format->name, name) == 0)
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

/* Also where the package has no wrapper. */
static const struct engine *find_applying(struct bytes package)
{
    const struct engine *engine = engine_recognise(package);
    return engine || !ec7xx_owns(package) ? engine : &bare_ec7xx;
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
    /* Where a package cannot change all of an image, the other bytes of old stay, and a .soc is written without
       compression: the result may be larger than new. Its parts are those of old and new. */
    size_t max_bytes = engine->same ? SIZE_MAX : new.len;
    if (!engine->apply(old, buffer_bytes(&package), max_bytes, &again, &why))
        return error_set(err, ERROR_INTERNAL, "the new package cannot be applied: %s", why.text);
    if (!is_same(engine, buffer_bytes(&again), new, note ? note : &unwanted))
        return error_set(err, ERROR_INTERNAL, "the new package does not give the new image");
    *ret = package;
    package = (struct buffer){0};
    return true;
}

bool engine_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err)
{
    const struct engine *engine = find_applying(package);
    if (!engine)
        return error_set(err, ERROR_CANNOT_APPLY, "the package is of no known format");
    return engine->apply(old, package, max_bytes, ret, err);
}

bool engine_fits(struct bytes package, struct bytes old, const char *chip, struct error *err)
{
    const struct engine *engine = find_applying(package);
    return !engine || !engine->fits || engine->fits(package, old, chip, err);
}

bool engine_same(struct bytes package, struct bytes made, struct bytes new, struct engine_note *note)
{
    const struct engine *engine = find_applying(package);
    return engine && is_same(engine, made, new, note);
}
