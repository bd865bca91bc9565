/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Making EC618 payloads: the simulated module makes the new image from each payload, for any pair, and
   payloads are as small as the changes. */
#include "tests/unit/delta/test-delta.h"

#include "delta/ec618/module.h"

#define BLOCK ((size_t)EC618_BLOCK_BYTES)

static struct buffer must_make(struct bytes old, struct bytes new, struct ec618_options options)
{
    struct buffer payload;
    struct error err;
    if (!ec618_payload_make(old, new, options, &payload, &err))
        fail_msg("%s", err.text);
    return payload;
}

/* Makes a payload, applies it and compares. Returns the size of the payload. */
static size_t check_pair(struct bytes old, struct bytes new, struct ec618_options options)
{
    struct buffer payload = must_make(old, new, options), image;
    struct error err;
    if (!ec618_module_apply(old, buffer_bytes(&payload), new.len, &image, &err))
        fail_msg("%s", err.text);
    assert_true(bytes_equal(buffer_bytes(&image), new));
    size_t size = payload.len;
    buffer_free(&payload);
    buffer_free(&image);
    return size;
}

static void check_orders(struct bytes old, struct bytes new, enum ec618_effort effort)
{
    size_t forward = check_pair(old, new, (struct ec618_options){effort, false, true, EC618_FORWARD});
    size_t reverse = check_pair(old, new, (struct ec618_options){effort, false, true, EC618_REVERSE});
    size_t closed = check_pair(old, new, (struct ec618_options){effort, true, true, EC618_REVERSE});
    size_t both = check_pair(old, new, (struct ec618_options){effort, false, false, EC618_FORWARD});
    assert_int_equal(both, forward < reverse ? forward : reverse);
    assert_true(reverse <= closed + closed / 20 + 16);
}

static void any_pair_of_small_images_is_rebuilt(void **state)
{
    (void)state;
    struct random r = {41};
    for (int round = 0; round < 24; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 4, 256}[round % 4];
        struct buffer old = random_bytes(&r, random_below(&r, 700), letters);
        struct buffer new = random_revision(&r, buffer_bytes(&old), letters);
        if (new.len == 0)
            must_add(&new, "x", 1);
        check_orders(buffer_bytes(&old), buffer_bytes(&new), (enum ec618_effort)(round % 3));
        buffer_free(&old);
        buffer_free(&new);
    }
}

static void revisions_over_several_blocks_are_rebuilt(void **state)
{
    (void)state;
    struct random r = {42};
    for (int effort = EC618_QUICK; effort <= EC618_BEST; effort++) {
        struct buffer old = random_bytes(&r, 2 * BLOCK + random_below(&r, 2 * BLOCK), 90);
        struct buffer new = random_revision(&r, buffer_bytes(&old), 90);
        must_add(&new, old.ptr, 5000);
        check_orders(buffer_bytes(&old), buffer_bytes(&new), (enum ec618_effort)effort);
        buffer_free(&old);
        buffer_free(&new);
    }
}

static void images_that_end_at_or_beside_a_block_are_rebuilt(void **state)
{
    (void)state;
    struct random r = {43};
    struct buffer image = random_bytes(&r, 2 * BLOCK + 2, 256);
    for (size_t old = BLOCK - 1; old <= BLOCK + 1; old++)
        for (size_t new = 2 * BLOCK - 1; new <= 2 * BLOCK + 1; new ++) {
            check_pair((struct bytes){image.ptr + 1, old}, (struct bytes){image.ptr, new},
                       (struct ec618_options){0});
            check_pair((struct bytes){image.ptr + 1, new}, (struct bytes){image.ptr, old},
                       (struct ec618_options){0});
        }
    check_pair((struct bytes){NULL, 0}, (struct bytes){image.ptr, BLOCK + 1}, (struct ec618_options){0});
    check_pair(buffer_bytes(&image), (struct bytes){image.ptr + 9, 1}, (struct ec618_options){0});
    buffer_free(&image);
}

/* Runs, repeats and erased flash, where everything matches everything. */
static void monotonous_images_are_rebuilt(void **state)
{
    (void)state;
    for (size_t period = 1; period <= 3; period++) {
        struct buffer old = {0}, new = {0};
        must_fill(&old, 0xFF, 5 * BLOCK);
        must_fill(&new, 0xFF, 5 * BLOCK + 77);
        for (size_t i = 0; i < old.len; i += period)
            old.ptr[i] = (uint8_t)(i % period);
        for (size_t i = 0; i < new.len; i += period)
            new.ptr[i] = (uint8_t)(i % period);
        new.ptr[100] = 1;
        for (size_t i = BLOCK; i < 2 * BLOCK; i += 50)
            new.ptr[i] ^= 0x10;
        size_t size = check_pair(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){0});
        assert_true(size < 1500);
        buffer_free(&old);
        buffer_free(&new);
    }
}

static void unchanged_blocks_have_no_stream(void **state)
{
    (void)state;
    struct random r = {44};
    struct buffer old = random_bytes(&r, 5 * BLOCK + 300, 256);
    assert_int_equal(check_pair(buffer_bytes(&old), buffer_bytes(&old), (struct ec618_options){0}),
                     16 + 6 * 24);
    struct buffer new = {0};
    must_add(&new, old.ptr, old.len - 10);
    new.ptr[BLOCK + 5] ^= 1;
    struct buffer payload = must_make(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){0});
    struct ec618_payload opened;
    struct error err;
    assert_true(ec618_payload_open(buffer_bytes(&payload), &opened, &err));
    for (unsigned int place = 0; place < opened.parts; place++) {
        const struct ec618_part *part = &opened.part[place];
        assert_int_equal(part->flag, part->block == 1 ? 0 : EC618_UNCHANGED);
        assert_int_equal(part->stated_bytes, 20 + part->stream.len);
        assert_true(part->block == 1 ? part->stream.len < 120 : part->stream.len == 0);
    }
    buffer_free(&payload);
    buffer_free(&old);
    buffer_free(&new);
}

/* Bytes that moved towards the end can only be read in reverse order, bytes that moved the other way only
   in forward order. */
static void the_smaller_order_wins(void **state)
{
    (void)state;
    struct random r = {45};
    struct buffer image = random_bytes(&r, 6 * BLOCK, 256);
    struct bytes early = {image.ptr, 5 * BLOCK}, late = {image.ptr + BLOCK, 5 * BLOCK};
    for (int order = 0; order < 2; order++) {
        struct bytes old = order == EC618_FORWARD ? early : late, new = order == EC618_FORWARD ? late : early;
        struct buffer payload = must_make(old, new, (struct ec618_options){0});
        struct ec618_payload opened;
        struct error err;
        assert_true(ec618_payload_open(buffer_bytes(&payload), &opened, &err));
        assert_int_equal(opened.order, order);
        assert_true(payload.len < BLOCK * 3 / 2); /* one block is new, the others are old */
        buffer_free(&payload);
    }
    buffer_free(&image);
}

static void the_last_part_can_be_kept_from_reading_old(void **state)
{
    (void)state;
    struct random r = {46};
    struct buffer old = random_bytes(&r, 2 * BLOCK, 256), new = {0};
    must_add(&new, old.ptr + 1, old.len - 1);
    struct ec618_options options = {.only_order = true, .order = EC618_REVERSE};
    size_t open = check_pair(buffer_bytes(&old), buffer_bytes(&new), options);
    options.closed_last_part = true;
    size_t closed = check_pair(buffer_bytes(&old), buffer_bytes(&new), options);
    assert_true(open < 700 && closed > BLOCK && closed < BLOCK + 1000);
    buffer_free(&old);
    buffer_free(&new);
}

static void more_effort_is_never_larger(void **state)
{
    (void)state;
    struct random r = {47};
    struct buffer old = random_bytes(&r, 2 * BLOCK, 40);
    struct buffer new = random_revision(&r, buffer_bytes(&old), 40);
    for (size_t i = 0; i < new.len; i += 1 + random_below(&r, 90))
        new.ptr[i] = (uint8_t)(new.ptr[i] + random_below(&r, 5));
    size_t quick =
        check_pair(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){.effort = EC618_QUICK});
    size_t good =
        check_pair(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){.effort = EC618_GOOD});
    size_t best =
        check_pair(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){.effort = EC618_BEST});
    assert_true(good <= quick && best <= good);
    buffer_free(&old);
    buffer_free(&new);
}

static void the_same_pair_gives_the_same_bytes(void **state)
{
    (void)state;
    struct random r = {48};
    struct buffer old = random_bytes(&r, BLOCK, 50);
    struct buffer new = random_revision(&r, buffer_bytes(&old), 50);
    struct buffer one =
        must_make(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){.effort = EC618_GOOD});
    struct buffer two =
        must_make(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){.effort = EC618_GOOD});
    assert_true(bytes_equal(buffer_bytes(&one), buffer_bytes(&two)));
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&one);
    buffer_free(&two);
}

static void images_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    struct buffer old = {0}, new = {0}, payload;
    struct error err;
    must_fill(&new, 0, EC618_PARTS_MAX * BLOCK + 1);
    must_fill(&old, 0, EC618_PARTS_MAX * BLOCK + 1);
    assert_false(ec618_payload_make(buffer_bytes(&old), (struct bytes){new.ptr, 0}, (struct ec618_options){0},
                                    &payload, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    assert_false(ec618_payload_make(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){0},
                                    &payload, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_false(ec618_payload_make((struct bytes){old.ptr, EC618_OLD_MAX + 1U}, (struct bytes){new.ptr, 9},
                                    (struct ec618_options){0}, &payload, &err)); /* the length decides */
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    new.len--;
    assert_int_equal(check_pair(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){0}),
                     16 + EC618_PARTS_MAX * 24);
    buffer_free(&old);
    buffer_free(&new);
}

static void a_description_names_every_part(void **state)
{
    (void)state;
    struct random r = {49};
    struct buffer old = random_bytes(&r, 2 * BLOCK, 256), new = random_bytes(&r, BLOCK + 5, 256);
    memcpy(new.ptr + BLOCK, old.ptr + BLOCK, 5);
    struct buffer payload = must_make(buffer_bytes(&old), buffer_bytes(&new), (struct ec618_options){0});
    struct ec618_payload opened;
    struct error err;
    char *text;
    size_t len;
    assert_true(ec618_payload_open(buffer_bytes(&payload), &opened, &err));
    FILE *to = open_memstream(&text, &len);
    assert_true(ec618_payload_describe(&opened, to, &err));
    fclose(to);
    assert_non_null(strstr(text, " parts=2 old_bytes=65536 new_bytes=32773\n"));
    assert_non_null(strstr(text, "part block=0 flag=0x00000000 stated_bytes="));
    assert_non_null(
        strstr(text, "part block=1 flag=0x43424571 unchanged stated_bytes=20 new_bytes=5 stream_bytes=0\n"));
    free(text);
    payload.ptr[payload.len / 2] ^= 1;
    to = open_memstream(&text, &len);
    assert_false(ec618_payload_describe(&opened, to, &err));
    fclose(to);
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_non_null(strstr(text, "part block=0 "));
    free(text);
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pair_of_small_images_is_rebuilt),
        cmocka_unit_test(revisions_over_several_blocks_are_rebuilt),
        cmocka_unit_test(images_that_end_at_or_beside_a_block_are_rebuilt),
        cmocka_unit_test(monotonous_images_are_rebuilt),
        cmocka_unit_test(unchanged_blocks_have_no_stream),
        cmocka_unit_test(the_smaller_order_wins),
        cmocka_unit_test(the_last_part_can_be_kept_from_reading_old),
        cmocka_unit_test(more_effort_is_never_larger),
        cmocka_unit_test(the_same_pair_gives_the_same_bytes),
        cmocka_unit_test(images_beyond_the_limits_are_refused),
        cmocka_unit_test(a_description_names_every_part),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
