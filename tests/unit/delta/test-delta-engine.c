/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of engines, the proof of every package, and the memory that making a package takes. */
#include "tests/unit/delta/ec7xx/test-ec7xx.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "delta/container/luatos.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"
#include "base/chip.h"
#include "delta/engine.h"

static const uint8_t old_text[] = "version 1138 of a firmware";
static const uint8_t new_text[] = "version 1162 of the same firmware";
static const struct bytes old_image = {old_text, sizeof old_text};
static const struct bytes new_image = {new_text, sizeof new_text};

static void each_format_that_dfota_makes_has_one_engine(void **state)
{
    (void)state;
    size_t by_dfota = 0;
    for (size_t i = 0; i < PACKAGE_FORMAT_COUNT; i++) {
        const struct package_format *format = &package_format_table[i];
        const struct engine *engine = engine_find(format->name);
        assert_int_equal(engine != NULL, format->by_dfota);
        assert_true(!engine || engine->format == format);
        assert_true(!engine || (engine->fits != NULL) == (format->max_bytes > 0));
        by_dfota += format->by_dfota;
    }
    assert_int_equal(by_dfota, engine_count);
}

static void the_largest_package_is_the_archive_and_its_wrapper(void **state)
{
    (void)state;
    assert_int_equal(package_format_table[PACKAGE_FORMAT_EC618_CSDK].max_bytes, PAR_MODULE_MAX);
    assert_int_equal(package_format_table[PACKAGE_FORMAT_EC618_AT].max_bytes,
                     PAR_MODULE_MAX + WRAPPER_AT_BYTES);
    assert_int_equal(package_format_table[PACKAGE_FORMAT_EC618_LUATOS].max_bytes,
                     PAR_MODULE_MAX); /* the head does not count */
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        assert_true(ec7xx_chip_table[i].archive_bytes <= PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX);
    assert_int_equal(ec7xx_chip_find("ec718u")->archive_bytes, PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX);
}

static void every_format_applies_what_it_makes(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    struct buffer old_ec7xx = plan_image(&plan);
    plan.revision = 1;
    struct buffer new_ec7xx = plan_image(&plan);
    assert_true(engine_count > 0);
    for (size_t i = 0; i < engine_count; i++) {
        const struct engine *engine = &engine_table[i];
        bool is_ec7xx = engine->format->chip == PACKAGE_CHIP_EC7XX;
        struct bytes old = is_ec7xx ? buffer_bytes(&old_ec7xx) : old_image,
                     new = is_ec7xx ? buffer_bytes(&new_ec7xx) : new_image;
        assert_ptr_equal(engine_find(engine->format->name), engine);
        struct buffer package = {0}, again = {0};
        struct error err;
        assert_true(engine_make(engine, old, new, NULL, &package, NULL, &err));
        unsigned int owners = 0;
        for (size_t k = 0; k < engine_count; k++)
            owners += engine_table[k].owns(buffer_bytes(&package));
        assert_int_equal(owners, 1);
        assert_true(package_format_takes(engine->format->name,
                                         engine_recognise(buffer_bytes(&package))->format->name));
        assert_true(engine_apply(old, buffer_bytes(&package), new.len, &again, &err));
        assert_true(bytes_equal(buffer_bytes(&again), new));
        buffer_free(&again);
        assert_false(engine_apply(old, buffer_bytes(&package), new.len - 1, &again, &err));
        assert_int_equal(err.code, ERROR_TOO_LARGE);
        buffer_free(&package);
    }
    buffer_free(&old_ec7xx);
    buffer_free(&new_ec7xx);
}

static void an_unknown_format_is_not_found(void **state)
{
    (void)state;
    assert_null(engine_find(""));
    assert_null(engine_find("bsdif"));
    assert_null(engine_find("bsdiff2"));
    const struct bytes packages[] = {{NULL, 0}, old_image, {(const uint8_t *)"BSDIFF4", 7}};
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        struct buffer new = {0};
        struct error err;
        assert_false(engine_apply(old_image, packages[i], 1000, &new, &err));
        assert_int_equal(err.code, ERROR_CANNOT_APPLY);
        assert_null(new.ptr);
    }
}

/* ---- Formats with faults ---- */

static bool owns_all(struct bytes package)
{
    (void)package;
    return true;
}

static bool make_empty(struct bytes old, struct bytes new, const struct engine_options *options,
                       struct buffer *ret, struct error *err)
{
    (void)options;
    (void)old;
    (void)new;
    return buffer_add(ret, "x", 1, err);
}

static bool apply_gives_old(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                            struct error *err)
{
    (void)package;
    (void)max_bytes;
    return buffer_add(ret, old.ptr, old.len, err);
}

static bool apply_fails(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                        struct error *err)
{
    (void)old;
    (void)package;
    (void)max_bytes;
    (void)ret;
    return error_set(err, ERROR_CORRUPT, "my own package is bad");
}

static void a_package_that_is_not_proven_is_not_returned(void **state)
{
    (void)state;
    const struct engine gives_old = {.owns = owns_all, .make = make_empty, .apply = apply_gives_old};
    const struct engine fails = {.owns = owns_all, .make = make_empty, .apply = apply_fails};
    struct buffer package = {0};
    struct error err;
    assert_false(engine_make(&gives_old, old_image, new_image, NULL, &package, NULL, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_null(package.ptr);
    assert_false(engine_make(&fails, old_image, new_image, NULL, &package, NULL, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_non_null(strstr(err.text, "my own package is bad"));
    assert_null(package.ptr);
}

/* ---- Memory: not with a sanitizer, which takes memory of its own ---- */

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined __SANITIZE_ADDRESS__
#define SANITIZED
#endif

#ifndef SANITIZED

/* The peak memory, in bytes, of a child process that makes and proves a package. */
static size_t peak_of_making(const struct engine *engine, enum engine_effort effort, struct bytes old,
                             struct bytes new)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct engine_options options = {.effort = effort};
        struct buffer package = {0};
        struct error err;
        _exit(engine_make(engine, old, new, &options, &package, NULL, &err) ? 0 : 1);
    }
    int status;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    return (size_t)usage.ru_maxrss * 1024;
}

/* Images that need the most: as many records as there can be, or nothing in common. The fixed part is what
   bzip2's readers and writer take, and the program itself. */
static void making_takes_at_most_12_bytes_a_byte(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20, PER_BYTE = 12, FIXED = 24 << 20 };
    struct random r = {30};
    struct buffer old = random_bytes(&r, SIZE, 256), unrelated = random_bytes(&r, SIZE, 256);
    struct buffer shuffled = random_bytes(&r, SIZE, 256);
    for (size_t i = 0; i + 12 <= SIZE; i += 12)
        memcpy(shuffled.ptr + i, old.ptr + random_below(&r, SIZE - 12), 12);
    const struct bytes images[] = {buffer_bytes(&old), buffer_bytes(&unrelated), buffer_bytes(&shuffled)};
    for (size_t i = 0; i < 2 * sizeof images / sizeof images[0]; i++) {
        struct bytes new = images[i / 2];
        enum engine_effort effort = i % 2 ? ENGINE_GOOD : ENGINE_QUICK;
        size_t peak = peak_of_making(engine_find("bsdiff"), effort, images[0], new);
        size_t input = images[0].len + new.len;
        print_message("# bsdiff, %s, pair %zu: %zu KB, %.1f bytes a byte\n", i % 2 ? "good" : "quick", i / 2,
                      peak / 1024, (double)peak / (double)input);
        assert_true(peak <= PER_BYTE * input + FIXED);
    }
    buffer_free(&old);
    buffer_free(&unrelated);
    buffer_free(&shuffled);
}

/* A window of new and the index of old set the peak, not the search over all of new. Half of new is edited
   densely, so the search has much to do in each window. */
static void a_large_image_takes_little_memory_and_its_effort(void **state)
{
    (void)state;
    enum { SIZE = 17 << 20, EDITED = 1 << 20, PER_OLD = 6, PER_NEW = 3, FIXED = 140 << 20 };
    struct random r = {31};
    struct buffer old = random_bytes(&r, SIZE, 256), new = {0}, quick = {0}, good = {0};
    struct error err;
    must_add(&new, old.ptr, SIZE);
    for (size_t i = 0; i < EDITED; i += 12 + random_below(&r, 4))
        memcpy(new.ptr + i, old.ptr + random_below(&r, EDITED), 12);
    const struct engine *engine = engine_find("bsdiff");
    size_t peak = peak_of_making(engine, ENGINE_GOOD, buffer_bytes(&old), buffer_bytes(&new));
    print_message("# good, %d bytes: %zu KB\n", SIZE, peak / 1024);
    assert_true(peak <= (size_t)SIZE * PER_OLD + (size_t)SIZE * PER_NEW + FIXED);
    const struct engine_options options = {.effort = ENGINE_QUICK};
    assert_true(engine_make(engine, buffer_bytes(&old), buffer_bytes(&new), &options, &quick, NULL, &err));
    assert_true(engine_make(engine, buffer_bytes(&old), buffer_bytes(&new), NULL, &good, NULL, &err));
    print_message("# quick %zu bytes, good %zu bytes\n", quick.len, good.len);
    assert_true(good.len < quick.len); /* an image that gets the effort quick makes equal packages */
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&quick);
    buffer_free(&good);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_that_dfota_makes_has_one_engine),
        cmocka_unit_test(the_largest_package_is_the_archive_and_its_wrapper),
        cmocka_unit_test(every_format_applies_what_it_makes),
        cmocka_unit_test(an_unknown_format_is_not_found),
        cmocka_unit_test(a_package_that_is_not_proven_is_not_returned),
#ifndef SANITIZED
        cmocka_unit_test(making_takes_at_most_12_bytes_a_byte),
        cmocka_unit_test(a_large_image_takes_little_memory_and_its_effort),
#endif
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
