/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of the formats: two .binpkg files with AP and CP. */
#ifndef DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_FILES_H
#define DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_FILES_H

#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "delta/container/binpkg.h"
#include "delta/container/wrapper.h"
#include "delta/engine.h"

struct files {
    struct buffer old_ap, new_ap, old_cp, new_cp, old, new;
};

static inline struct files make_files(void)
{
    struct plan plan = usual_plan();
    struct files f = {.old_cp = plan_image(&plan)};
    plan.revision = 1;
    f.new_cp = plan_image(&plan);
    plan.plain_bytes = 9000;
    f.old_ap = plan_image(&plan);
    plan.revision = 2;
    f.new_ap = plan_image(&plan);
    f.old = sample_binpkg(1, buffer_bytes(&f.old_ap), buffer_bytes(&f.old_cp));
    f.new = sample_binpkg(1, buffer_bytes(&f.new_ap), buffer_bytes(&f.new_cp));
    return f;
}

static inline void free_files(struct files *f)
{
    struct buffer *all[] = {&f->old_ap, &f->new_ap, &f->old_cp, &f->new_cp, &f->old, &f->new};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

static inline struct buffer must_diff(const char *format, const struct buffer *old, const struct buffer *new,
                                      struct engine_options options)
{
    struct buffer package = {0};
    struct error err;
    options.effort = ENGINE_QUICK;
    if (!engine_make(engine_find(format), buffer_bytes(old), buffer_bytes(new), &options, &package, NULL,
                     &err))
        fail_msg("%s: %s", format, err.text);
    return package;
}

static inline void refuse(const struct buffer *old, const struct buffer *new, struct engine_options options,
                          const char *why)
{
    struct buffer package = {0};
    struct error err;
    options.effort = ENGINE_QUICK;
    assert_false(engine_make(engine_find("ec7xx-at"), buffer_bytes(old), buffer_bytes(new), &options,
                             &package, NULL, &err));
    assert_string_equal(err.text, why);
}

/* The archive in a package of that format. */
static inline struct par archive_of(const struct buffer *package, size_t wrapper)
{
    struct par par;
    struct error err;
    assert_true(par_read((struct bytes){package->ptr + wrapper, package->len - wrapper}, &par, &err));
    assert_true(par_check(&par, &err));
    return par;
}

/* The same .binpkg with a head that names the product. */
static inline struct buffer with_product(const struct buffer *binpkg, const char *product)
{
    struct buffer made = {0};
    must_fill(&made, 0, BINPKG_HEAD_PKGMODE);
    memcpy(made.ptr + 0x38, "pkgmode", 7);
    memcpy(made.ptr + BINPKG_PRODUCT, product, strlen(product));
    must_add(&made, binpkg->ptr + BINPKG_HEAD_BYTES, binpkg->len - BINPKG_HEAD_BYTES);
    return made;
}

#endif
