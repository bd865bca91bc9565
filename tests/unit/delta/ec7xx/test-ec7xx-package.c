/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages of an EC7xx: round trips over generated images in both orders, a power cut at every flash operation, and
   pairs of images that are refused. */
#include "tests/unit/delta/ec7xx/test-ec7xx-outages.h"

/* ---- Round trips ---- */

static void check_plans(const struct plan *old, const struct plan *new)
{
    for (int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++) {
        struct pair p = make_pair(old, new, (enum ec7xx_order)order);
        struct error err;
        if (!takes_pair(&p, &err))
            fail_msg("%s", err.text);
        free_pair(&p);
    }
}

/* Plain parts that end around a segment, in images with room for three segments. */
static void plain_parts_at_the_borders_of_segments(void **state)
{
    (void)state;
    static const uint32_t ends[][2] = {
        {0, 0},
        {0, 1},
        {1, SEG - 1},
        {SEG - 1, SEG},
        {SEG, SEG + 1},
        {SEG + 1, 2 * SEG},
        {2 * SEG, SEG + 1},           /* shorter, in the same segment */
        {SEG + 4096, SEG + 1},        /* shorter by a sector */
        {2 * SEG + 1, 3 * SEG},       /* up to the section table */
        {3 * SEG - 5, 2 * SEG + 100}, /* a window that ends in another place */
    };
    struct plan old = usual_plan(), new = usual_plan();
    old.table_at = new.table_at = 3 * SEG;
    new.revision = 1;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        old.plain_bytes = ends[i][0];
        new.plain_bytes = ends[i][1];
        check_plans(&old, &new);
    }
}

static void groups_of_other_shapes(void **state)
{
    (void)state;
    struct plan old = usual_plan(), new = usual_plan();
    check_plans(&old, &new); /* nothing changes */
    new.revision = 1;
    new.sections = 3; /* fewer sections */
    check_plans(&old, &new);
    check_plans(&new, &old);
    new = usual_plan();
    new.section[0].bytes = 1; /* much smaller, in the same area */
    new.section[2].is_stored = true;
    new.section[3].is_stored = false;
    check_plans(&old, &new);
    new.pieces = old.pieces = 0;
    check_plans(&old, &new);
    new.section[0].group = old.section[0].group = 2;
    new.section[1].group = old.section[1].group = 3;
    new.revision = 2;
    check_plans(&old, &new);
}

static void an_archive_for_8_mb_of_flash(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    struct error err;
    size_t len = p.file.len;
    buffer_free(&p.file);
    p.file = must_make(buffer_bytes(&p.old), buffer_bytes(&p.new), EC7XX_FORWARD, true);
    assert_int_equal(p.file.len, len + 96);
    assert_int_equal(p.file.ptr[4], 0x11);
    assert_int_equal(p.file.ptr[179], 0xFF);
    assert_true(takes_pair(&p, &err));
    free_pair(&p);
}

static void all_efforts_and_the_smaller_order(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    size_t len[3];
    for (int effort = EC7XX_QUICK; effort <= EC7XX_BEST; effort++) {
        struct buffer payload = {0}, again = {0};
        enum ec7xx_order order;
        struct ec7xx_options options = {.effort = (enum ec7xx_effort)effort};
        struct error err;
        assert_true(
            ec7xx_payload_make(buffer_bytes(&p.old), buffer_bytes(&p.new), options, &payload, &order, &err));
        assert_true(
            ec7xx_payload_make(buffer_bytes(&p.old), buffer_bytes(&p.new), options, &again, &order, &err));
        assert_true(bytes_equal(buffer_bytes(&payload), buffer_bytes(&again)));
        len[effort] = payload.len;
        buffer_free(&payload);
        buffer_free(&again);
    }
    assert_true(len[EC7XX_GOOD] <= len[EC7XX_QUICK] && len[EC7XX_BEST] <= len[EC7XX_QUICK]);
    free_pair(&p);
}

/* ---- Power cuts ---- */

static void a_power_cut_at_each_operation_changes_nothing(void **state)
{
    (void)state;
    struct plan old = usual_plan(), new = usual_plan();
    old.table_at = new.table_at = SEG + 2 * SECTOR;
    old.plain_bytes = SEG + 1000;
    new.plain_bytes = SEG + 5000;
    new.revision = 1;
    for (int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++) {
        struct pair p = make_pair(&old, &new, (enum ec7xx_order)order);
        assert_int_equal(cut_power_everywhere(&p), 4 * 4); /* four segments, four operations */
        free_pair(&p);
    }
}

static enum ec7xx_power bad_supply(void *context, enum ec7xx_flash operation, unsigned int place)
{
    struct random *r = context;
    (void)operation;
    (void)place;
    size_t how = random_below(r, 8);
    return how == 0 ? EC7XX_POWER_FAILS_IN : how == 1 ? EC7XX_POWER_FAILS_AFTER : EC7XX_POWER_STAYS;
}

static void power_cuts_at_random_change_nothing(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_BACKWARD);
    struct par par;
    struct error err;
    struct random r = {3};
    assert_true(par_read(buffer_bytes(&p.file), &par, &err) && ec7xx_rules_check(&par, &err));
    for (unsigned int i = 0; i < 60; i++) {
        struct ec7xx_module *module;
        bool done = false;
        assert_true(ec7xx_module_new(buffer_bytes(&p.old), &par.part[0], &module, &err));
        while (!done)
            if (!ec7xx_module_run(module, (struct ec7xx_supply){bad_supply, &r}, &done, &err))
                fail_msg("%s", err.text);
        assert_true(bytes_equal(ec7xx_module_image(module), buffer_bytes(&p.new)));
        ec7xx_module_free(module);
    }
    free_pair(&p);
}

/* ---- Windows ---- */

static void assert_window(enum ec7xx_order order, uint32_t at, bool is_first, size_t from, size_t to)
{
    static const uint8_t old[2 * EC7XX_SEGMENT_BYTES + 10];
    struct bytes window = ec7xx_payload_window(order, (struct bytes){old, sizeof old}, at, is_first);
    assert_ptr_equal(window.ptr, old + from);
    assert_int_equal(window.len, to - from);
}

/* Nothing is read that an earlier segment may have overwritten. */
static void segments_read_their_side_of_the_old_plain_part(void **state)
{
    (void)state;
    size_t end = 2 * (size_t)SEG + 10;
    assert_window(EC7XX_FORWARD, 0, true, 0, end);
    assert_window(EC7XX_FORWARD, SEG, false, SEG, end);
    assert_window(EC7XX_FORWARD, 2 * SEG, false, 2 * (size_t)SEG, end);
    assert_window(EC7XX_FORWARD, 3 * SEG, false, end, end);
    assert_window(EC7XX_BACKWARD, 3 * SEG, true, 0, end);
    assert_window(EC7XX_BACKWARD, 2 * SEG, false, 0, end);
    assert_window(EC7XX_BACKWARD, SEG, false, 0, 2 * (size_t)SEG);
    assert_window(EC7XX_BACKWARD, SEG, true, 0, end);
    assert_window(EC7XX_BACKWARD, 0, false, 0, SEG);
}

/* ---- What cannot be made ---- */

static void assert_not_made(struct plan old, struct plan new, const char *sentence)
{
    struct buffer one = plan_image(&old), other = plan_image(&new), payload = {0};
    enum ec7xx_order order;
    struct error err = {ERROR_CODES, ""};
    if (ec7xx_payload_make(buffer_bytes(&one), buffer_bytes(&other),
                           (struct ec7xx_options){.effort = EC7XX_QUICK}, &payload, &order, &err) ||
        err.code != ERROR_INVALID || !strstr(err.text, sentence))
        fail_msg("%s: %d %s", sentence, err.code, err.text);
    buffer_free(&one);
    buffer_free(&other);
}

static void images_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct plan old = usual_plan(), new = usual_plan();
    new.table_at += SECTOR;
    assert_not_made(old, new, "section tables at different places");
    new = usual_plan();
    new.section[0].bytes = 40000; /* the image is longer */
    assert_not_made(old, new, "different sizes");
    new = usual_plan();
    old.table_at = new.table_at = 2 * SEG;
    old.plain_bytes = SEG + 1;
    new.plain_bytes = SEG;
    assert_not_made(old, new, "it is not known whether a module erases the rest");
    old = new = usual_plan();
    new.section[0].group = 2;
    assert_not_made(old, new, "other groups");
    old.spare = new.spare = SEG;
    new = old;
    assert_not_made(old, new, "the limit is 0x18000");
}

/* A valid LZMA stream of another encoder: the same section, packed when other bytes follow it. */
static void a_section_of_another_encoder_is_refused(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    struct buffer old = plan_image(&plan), new = plan_image(&plan), payload = {0};
    struct ec7xx_image image;
    enum ec7xx_order order;
    struct error err;
    assert_true(ec7xx_image_open(buffer_bytes(&new), &image, &err));
    const struct ec7xx_section *section = &image.group[0].section[1];
    /* The last byte of a range coder's stream does not always matter for decoding. */
    new.ptr[section->offset + section->packed_bytes - 1] ^= 1;
    assert_false(ec7xx_payload_make(buffer_bytes(&old), buffer_bytes(&new),
                                    (struct ec7xx_options){.effort = EC7XX_QUICK}, &payload, &order, &err));
    if (!strstr(err.text, "section 11"))
        fail_msg("%s", err.text);
    buffer_free(&old);
    buffer_free(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_parts_at_the_borders_of_segments),
        cmocka_unit_test(groups_of_other_shapes),
        cmocka_unit_test(an_archive_for_8_mb_of_flash),
        cmocka_unit_test(all_efforts_and_the_smaller_order),
        cmocka_unit_test(a_power_cut_at_each_operation_changes_nothing),
        cmocka_unit_test(power_cuts_at_random_change_nothing),
        cmocka_unit_test(segments_read_their_side_of_the_old_plain_part),
        cmocka_unit_test(images_that_do_not_fit_are_refused),
        cmocka_unit_test(a_section_of_another_encoder_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
