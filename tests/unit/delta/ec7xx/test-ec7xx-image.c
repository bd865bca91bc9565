/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Images of an EC7xx: every layout at its borders is read, unpacked and packed to the same bytes, and each fault has
   its sentence. */
#include "tests/unit/delta/ec7xx/test-ec7xx.h"

static struct ec7xx_image must_open(const struct buffer *image)
{
    struct ec7xx_image opened;
    struct error err;
    if (!ec7xx_image_open(buffer_bytes(image), &opened, &err))
        fail_msg("%s", err.text);
    return opened;
}

static void check_plan(const struct plan *plan, unsigned int groups)
{
    struct buffer image = plan_image(plan);
    struct ec7xx_image opened = must_open(&image);
    struct error err;
    uint32_t area = 0;
    assert_int_equal(opened.plain_bytes, plan->plain_bytes);
    assert_int_equal(opened.table_at, plan->table_at);
    assert_int_equal(opened.sections, plan->sections);
    assert_int_equal(opened.groups, groups);
    for (unsigned int i = 0; i < groups; i++)
        area += opened.group[i].area_bytes;
    assert_int_equal(opened.table_at + area, image.len);
    if (!ec7xx_image_check_hashes(&opened, &err) || !ec7xx_image_check_packing(&opened, &err))
        fail_msg("%s", err.text);
    buffer_free(&image);
}

static void groups_sections_and_sizes_at_their_borders(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    check_plan(&plan, 2);
    for (uint32_t bytes = 1; bytes <= 5; bytes++) { /* each remainder of 4 */
        plan.section[0].bytes = bytes;
        plan.section[3].bytes = bytes;
        check_plan(&plan, 2);
    }
    plan.plain_bytes = plan.table_at; /* no FF between */
    check_plan(&plan, 2);
    plan.plain_bytes = 0;
    check_plan(&plan, 2);
    plan.table_at = 0; /* no plain part */
    check_plan(&plan, 2);
    plan = usual_plan();
    plan.pieces = 0;
    check_plan(&plan, 2);
    plan.pieces = EC7XX_PIECES_MAX;
    check_plan(&plan, 2);
    plan.section[0].group = plan.section[1].group = 1; /* one group with table and tail */
    check_plan(&plan, 1);
    plan.section[0].group = 0;
    plan.section[1].group = 3;
    check_plan(&plan, 3);
}

/* The tail begins exactly where the last section ends, and the next sector. */
static void a_full_area(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    plan.spare = 0;
    for (uint32_t bytes = 3 * SECTOR - 200; bytes < 3 * SECTOR; bytes++) {
        plan.section[0] = plan.section[1] = plan.section[2] = plan.section[3];
        plan.sections = 3;
        plan.section[0].group = 0;
        plan.section[0].bytes = bytes;
        check_plan(&plan, 2);
    }
}

/* ---- Faults ---- */

enum place { TABLE, ENTRY, TAIL_END, BYTES }; /* TAIL_END: counted back from the end of the image */

static const struct fault {
    enum place place;
    size_t offset, bytes;
    uint32_t value;
    const char *sentence;
} faults[] = {
    {TAIL_END, 4, 1, 'X', "the image does not end in CMAR"},
    {TAIL_END, 14, 1, 20, "the tail of the image states 20 pieces; the limit is 19"},
    {TAIL_END, 12, 4, 3 * SECTOR + 1,
     "the plain part of the image has 0x3001 bytes and goes past the section table"},
    {TAIL_END, 12, 4, UINT32_MAX, "goes past the section table at 0x3000"},
    {TAIL_END, 12, 4, 4990, "the bytes between plain part and section table are not FF"},
    {TAIL_END, 8, 4, UINT32_MAX, "the tail of the image states a section table past its end"},
    {TAIL_END, 8, 4, 3 * SECTOR + 4, "bytes between plain part and section table are not FF"},
    {TAIL_END, 8, 4, 2 * SECTOR, "no section table is at 0x2000 of the image"},
    {TABLE, 0, 1, 0, "no section table is at 0x3000 of the image"},
    {TABLE, 4, 4, 0, "the section table has 0 sections, not 1 to 96"},
    {TABLE, 4, 4, 97, "the section table has 97 sections, not 1 to 96"},
    {TABLE, 4, 4, 3, "the section table has no mark at its end"},
    {TABLE, 4, 4, 5, "entry 5 of the section table has no mark"},
    {ENTRY, 0, 1, 0, "entry 1 of the section table has no mark"},
    {ENTRY, 4, 4, 0, "group 0 is not between section table and end of the image"},
    {ENTRY, 4, 4, UINT32_MAX, "group 0 is not between section table and end of the image"},
    {ENTRY, 4, 4, 3 * SECTOR, "two groups begin at 0x3000"},
    {ENTRY, 8, 4, 1, "section 11 of group 0 begins at"},
    {ENTRY, 8, 4, UINT32_MAX, "section 10 of group 0 goes past the end of the group"},
    {ENTRY, 16, 4, (1 << 20) + 1, "section 10 has 1048577 bytes unpacked; the limit is 1048576"},
    {ENTRY, 16, 4, 1 << 20, "the limit is 1048576"},
    {ENTRY, 21, 1, 2, "section 10 has the flags 0x02, of which only bit 0 is known"},
    {ENTRY, 21, 1, 0, "section 10 of group 0 is not packed, but its sizes are"},
    {ENTRY, 22, 1, 1, "the sections of group 1 are not together in the table"},
    {ENTRY, 56 + 22, 1, 5, "the area of group 0, 0x4000 and"}, /* the next one does not begin at a sector */
    {ENTRY, 56 + 4, 1, 1, "section 11 of group 0 begins at"},
    {ENTRY, 2 * 56 + 4, 1, 1, "no section follows directly after the section table"},
    {BYTES, 5001, 1, 0, "the bytes between plain part and section table are not FF"},
};

static size_t place_of(const struct fault *fault, size_t image_bytes)
{
    switch (fault->place) {
    case TABLE:
        return 3 * SECTOR + fault->offset;
    case ENTRY:
        return 3 * SECTOR + 8 + fault->offset;
    case TAIL_END:
        return image_bytes - fault->offset;
    default:
        return fault->offset;
    }
}

static void each_fault_has_its_sentence(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct buffer image = plan_image(&plan);
        struct ec7xx_image opened;
        struct error err = {ERROR_CODES, ""};
        size_t at = place_of(&faults[i], image.len);
        for (size_t k = 0; k < faults[i].bytes; k++)
            image.ptr[at + k] = (uint8_t)(faults[i].value >> 8 * k);
        if (ec7xx_image_open(buffer_bytes(&image), &opened, &err) || !strstr(err.text, faults[i].sentence))
            fail_msg("row %zu, \"%s\": %s", i, faults[i].sentence, err.text);
        buffer_free(&image);
    }
}

static void bytes_behind_a_section_are_ff(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    struct buffer image = plan_image(&plan);
    struct ec7xx_image opened = must_open(&image);
    struct error err;
    const struct ec7xx_section *section = &opened.group[1].section[1];
    image.ptr[section->offset + section->packed_bytes] = 0;
    assert_false(ec7xx_image_open(buffer_bytes(&image), &opened, &err));
    assert_string_equal(err.text, "the bytes behind section 13 are not FF");
    buffer_free(&image);
}

static void any_shorter_file_is_refused(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    struct buffer image = plan_image(&plan);
    struct ec7xx_image opened;
    struct error err;
    for (size_t len = 0; len < image.len; len++)
        assert_false(ec7xx_image_open((struct bytes){image.ptr, len}, &opened, &err));
    buffer_free(&image);
}

/* A section that another encoder packed, a damaged one, and one with another hash. */
static void sections_are_checked(void **state)
{
    (void)state;
    struct plan plan = usual_plan();
    struct buffer image = plan_image(&plan);
    struct ec7xx_image opened = must_open(&image);
    struct error err;
    size_t hash = plan.table_at + 8 + 24, section = opened.group[0].section[0].offset;
    image.ptr[hash] ^= 1;
    assert_false(ec7xx_image_check_hashes(&opened, &err));
    assert_string_equal(err.text, "section 10 does not have its SHA-256 in the section table");
    assert_int_equal(err.code, ERROR_CORRUPT);
    image.ptr[hash] ^= 1;
    image.ptr[section + 5] ^= 1; /* the unpacked size */
    assert_false(ec7xx_image_check_hashes(&opened, &err));
    assert_non_null(strstr(err.text, "section 10 of group 0"));
    assert_int_equal(err.code, ERROR_CORRUPT);
    buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_sections_and_sizes_at_their_borders),
        cmocka_unit_test(a_full_area),
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(bytes_behind_a_section_are_ff),
        cmocka_unit_test(any_shorter_file_is_refused),
        cmocka_unit_test(sections_are_checked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
