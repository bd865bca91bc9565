/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages of an EC7xx between images whose sizes are at a border of the layout: in both orders, with a power cut in
   and after each flash operation. */
#include "tests/unit/delta/ec7xx/test-ec7xx-outages.h"

/* Lengths of the section table and of the tail. */
#define TABLE(sections) (12U + 56U * (sections))
#define TAIL(pieces)    (20U + 12U * (pieces))

struct shape { /* of an image, besides its content */
    uint32_t plain_bytes;
    unsigned int pieces, sections;
    struct {
        unsigned int group;
        bool is_stored;
        uint32_t bytes;
    } section[PLAN_SECTIONS];
};

struct row {
    const char *name;
    uint32_t table_at;
    struct shape old, new;
};

#define TWO_GROUPS                                                                                           \
    2,                                                                                                       \
    {                                                                                                        \
        {1, false, 900},                                                                                     \
        {                                                                                                    \
            0, false, 700                                                                                    \
        }                                                                                                    \
    }
#define STORED true

/* Segments: of the plain part, and one per group. */
static const struct row plain_parts[] = {
    {"no plain part", SECTOR, {0, 3, TWO_GROUPS}, {0, 3, TWO_GROUPS}},
    {"the first byte", SECTOR, {0, 3, TWO_GROUPS}, {1, 3, TWO_GROUPS}},
    {"from below a segment to a whole one", SEG, {SEG - 1, 3, TWO_GROUPS}, {SEG, 3, TWO_GROUPS}},
    {"from a whole segment to below", SEG, {SEG, 3, TWO_GROUPS}, {SEG - 1, 3, TWO_GROUPS}},
    {"into the second segment", SEG + SECTOR, {SEG, 3, TWO_GROUPS}, {SEG + 1, 3, TWO_GROUPS}},
    {"above a segment", SEG + SECTOR, {SEG + 1, 3, TWO_GROUPS}, {SEG + 1, 3, TWO_GROUPS}},
    {"from below two segments to two", 2 * SEG, {2 * SEG - 1, 3, TWO_GROUPS}, {2 * SEG, 3, TWO_GROUPS}},
    {"from two segments to above one", 2 * SEG, {2 * SEG, 3, TWO_GROUPS}, {SEG + 1, 3, TWO_GROUPS}},
    {"into the third segment", 2 * SEG + SECTOR, {2 * SEG, 3, TWO_GROUPS}, {2 * SEG + 1, 3, TWO_GROUPS}},
};

static const struct row tails[] = {
    {"no pieces", SECTOR, {500, 0, TWO_GROUPS}, {600, 0, TWO_GROUPS}},
    {"one piece", SECTOR, {500, 1, TWO_GROUPS}, {600, 1, TWO_GROUPS}},
    {"all pieces", SECTOR, {500, 19, TWO_GROUPS}, {600, 19, TWO_GROUPS}},
    {"from no pieces to all", SECTOR, {500, 0, TWO_GROUPS}, {600, 19, TWO_GROUPS}},
    {"from all pieces to none", SECTOR, {500, 19, TWO_GROUPS}, {600, 0, TWO_GROUPS}},
};

#define ONE(stored, bytes)                                                                                   \
    1,                                                                                                       \
    {                                                                                                        \
        {                                                                                                    \
            1, stored, bytes                                                                                 \
        }                                                                                                    \
    }
#define HEAD(bytes)                                                                                          \
    2,                                                                                                       \
    {                                                                                                        \
        {1, true, bytes},                                                                                    \
        {                                                                                                    \
            0, false, 700                                                                                    \
        }                                                                                                    \
    }
#define END(bytes)                                                                                           \
    2,                                                                                                       \
    {                                                                                                        \
        {1, false, 900},                                                                                     \
        {                                                                                                    \
            0, true, bytes                                                                                   \
        }                                                                                                    \
    }
#define MIDDLE(bytes)                                                                                        \
    3,                                                                                                       \
    {                                                                                                        \
        {1, false, 900}, {2, true, bytes},                                                                   \
        {                                                                                                    \
            3, false, 700                                                                                    \
        }                                                                                                    \
    }
#define WHOLE(area, sections) ((area)-TABLE(sections))

static const struct row areas[] = {
    {"one section", SECTOR, {500, 3, ONE(false, 900)}, {600, 3, ONE(false, 901)}},
    {"one section of one byte", SECTOR, {500, 0, ONE(false, 1)}, {600, 0, ONE(false, 1)}},
    {"one section, and its area is full",
     SECTOR,
     {500, 3, ONE(STORED, WHOLE(SECTOR, 1) - TAIL(3))},
     {600, 3, ONE(STORED, WHOLE(SECTOR, 1) - TAIL(3))}},
    {"one section, and a byte is left",
     SECTOR,
     {500, 3, ONE(STORED, WHOLE(SECTOR, 1) - TAIL(3) - 1)},
     {600, 3, ONE(STORED, WHOLE(SECTOR, 1) - TAIL(3))}},
    {"one section, and its area is a whole segment",
     SECTOR,
     {500, 3, ONE(STORED, WHOLE(SEG, 1) - TAIL(3))},
     {600, 3, ONE(STORED, WHOLE(SEG, 1) - TAIL(3))}},
    {"the group of the table becomes full",
     SECTOR,
     {500, 3, HEAD(WHOLE(SECTOR, 2) - 1)},
     {600, 3, HEAD(WHOLE(SECTOR, 2))}},
    {"the group of the tail becomes full",
     SECTOR,
     {500, 19, END(SECTOR - TAIL(19) - 1)},
     {600, 19, END(SECTOR - TAIL(19))}},
    {"the group of the tail is a byte over a sector",
     SECTOR,
     {500, 19, END(SECTOR - TAIL(19) + 1)},
     {600, 19, END(SECTOR - TAIL(19) + 1)}},
    {"the tail takes what a section leaves", SECTOR, {500, 0, END(SECTOR - TAIL(0))}, {600, 19, END(7)}},
    {"a group in the middle is full", SECTOR, {500, 3, MIDDLE(SECTOR)}, {600, 3, MIDDLE(SECTOR)}},
    {"a group in the middle becomes one byte", SECTOR, {500, 3, MIDDLE(SECTOR)}, {600, 3, MIDDLE(1)}},
};

#define SIZES(first)                                                                                         \
    4,                                                                                                       \
    {                                                                                                        \
        {1, true, first}, {1, true, 401}, {0, true, first},                                                  \
        {                                                                                                    \
            0, false, 402                                                                                    \
        }                                                                                                    \
    }
#define SEVEN                                                                                                \
    7,                                                                                                       \
    {                                                                                                        \
        {1, false, 90}, {1, false, 91}, {1, true, 92}, {1, false, 93}, {1, true, 94}, {1, true, 95},         \
            {0, false, 900},                                                                                 \
    }

static const struct row sections[] = {
    {"below a multiple of 4", SECTOR, {500, 3, SIZES(400)}, {600, 3, SIZES(399)}},
    {"a multiple of 4", SECTOR, {500, 3, SIZES(399)}, {600, 3, SIZES(400)}},
    {"above a multiple of 4", SECTOR, {500, 3, SIZES(400)}, {600, 3, SIZES(401)}},
    {"two above a multiple of 4", SECTOR, {500, 3, SIZES(401)}, {600, 3, SIZES(402)}},
    {"the table grows", SECTOR, {500, 3, TWO_GROUPS}, {600, 3, SEVEN}},
    {"the table shrinks", SECTOR, {500, 3, SEVEN}, {600, 3, TWO_GROUPS}},
};

static struct plan plan_of(const struct shape *shape, uint32_t table_at, unsigned int revision)
{
    struct plan plan = {.plain_bytes = shape->plain_bytes,
                        .table_at = table_at,
                        .pieces = shape->pieces,
                        .sections = shape->sections,
                        .revision = revision};
    for (unsigned int i = 0; i < shape->sections; i++) {
        plan.section[i].group = shape->section[i].group;
        plan.section[i].is_stored = shape->section[i].is_stored;
        plan.section[i].bytes = shape->section[i].bytes;
    }
    return plan;
}

static unsigned int groups_of(const struct buffer *image)
{
    struct ec7xx_image open;
    struct error err;
    assert_true(ec7xx_image_open(buffer_bytes(image), &open, &err));
    return open.groups;
}

static void check_rows(const struct row *row, size_t count)
{
    for (; count > 0; row++, count--)
        for (int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++) {
            print_message("# %s, %s\n", row->name, order == EC7XX_BACKWARD ? "backward" : "forward");
            struct plan old = plan_of(&row->old, row->table_at, 0),
                        new = plan_of(&row->new, row->table_at, 1);
            struct pair p = make_pair(&old, &new, (enum ec7xx_order)order);
            struct error err;
            unsigned int segments = groups_of(&p.new) + (row->new.plain_bytes + SEG - 1) / SEG;
            if (!takes_pair(&p, &err))
                fail_msg("%s", err.text);
            assert_int_equal(cut_power_everywhere(&p), 4 * segments);
            free_pair(&p);
        }
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static void plain_parts_around_whole_segments(void **state)
{
    (void)state;
    CHECK(plain_parts);
}

static void tails_of_all_lengths(void **state)
{
    (void)state;
    CHECK(tails);
}

static void areas_that_are_full(void **state)
{
    (void)state;
    CHECK(areas);
}

static void sections_around_multiples_of_4(void **state)
{
    (void)state;
    CHECK(sections);
}

/* The packed size follows from the content, so all remainders are looked for. */
static void packed_sections_around_multiples_of_4(void **state)
{
    (void)state;
    unsigned int seen = 0;
    for (uint32_t bytes = 300; bytes < 312; bytes++) {
        struct row row = {
            "packed", SECTOR, {500, 3, 2, {{1, false, 299}, {0, false, 299}}}, {600, 3, TWO_GROUPS}};
        struct ec7xx_image image;
        struct error err;
        row.new.section[0].bytes = row.new.section[1].bytes = bytes;
        struct plan plan = plan_of(&row.new, row.table_at, 1);
        struct buffer made = plan_image(&plan);
        assert_true(ec7xx_image_open(buffer_bytes(&made), &image, &err));
        seen |= 1U << image.group[0].section[0].packed_bytes % 4;
        check_rows(&row, 1);
        buffer_free(&made);
    }
    assert_int_equal(seen, 0xF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_parts_around_whole_segments),
        cmocka_unit_test(tails_of_all_lengths),
        cmocka_unit_test(areas_that_are_full),
        cmocka_unit_test(sections_around_multiples_of_4),
        cmocka_unit_test(packed_sections_around_multiples_of_4),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
