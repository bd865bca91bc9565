/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The `.binpkg`: recognised by its content, read within its bounds, made again with other data. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/container/binpkg.h"

static void every_entry_is_read(void **state)
{
    (void)state;
    struct buffer file = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    struct binpkg binpkg;
    struct error err;
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_true(binpkg_check(&binpkg, &err));
    assert_false(binpkg.pkgmode);
    assert_string_equal(binpkg.product, "");
    assert_int_equal(binpkg.head.len, 52);
    assert_int_equal(binpkg.entries, 3);
    const struct binpkg_entry *ap = binpkg_find(&binpkg, "AP");
    assert_ptr_equal(ap, &binpkg.entry[1]);
    assert_string_equal(ap->name, "ap");
    assert_int_equal(ap->address, 0x824000);
    assert_int_equal(ap->flash_bytes, 0x300000);
    assert_true(bytes_equal(ap->image, text_bytes("the ap")));
    assert_null(binpkg_find(&binpkg, "APP"));
    buffer_free(&file);
}

static void a_head_with_pkgmode_is_longer(void **state)
{
    (void)state;
    struct buffer file = {0};
    must_fill(&file, 0, 0x1D8);
    memcpy(file.ptr + 0x38, "pkgmode", 7);
    add_binpkg_entry(&file, "ap", "AP", 0x24000, text_bytes("the ap"));
    struct binpkg binpkg;
    struct error err;
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_true(binpkg_check(&binpkg, &err));
    assert_true(binpkg.pkgmode);
    assert_int_equal(binpkg.head.len, 0x1D8);
    assert_int_equal(binpkg.entries, 1);
    assert_string_equal(binpkg.product, "");
    memcpy(file.ptr + 0x190, "EC718HM_PRD", 11);
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_string_equal(binpkg.product, "EC718HM_PRD");
    memcpy(file.ptr + 0x190, "\1\2", 2);
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_string_equal(binpkg.product, "");
    buffer_free(&file);
}

static void a_cut_off_or_damaged_file_is_refused(void **state)
{
    (void)state;
    struct buffer file = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    struct binpkg binpkg;
    struct error err;
    size_t whole = 0;
    for (size_t len = 0; len < file.len;
         len++) { /* the file may end after any entry: such a cut cannot be detected */
        bool sound = binpkg_read((struct bytes){file.ptr, len}, &binpkg, &err) && binpkg_check(&binpkg, &err);
        assert_true(sound || err.code == ERROR_CORRUPT);
        whole += sound;
    }
    assert_int_equal(whole, 2);
    file.ptr[file.len - 1] ^= 1;
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_false(binpkg_check(&binpkg, &err));
    assert_non_null(strstr(err.text, "entry 3"));
    buffer_free(&file);
}

static void lengths_near_the_end_of_numbers_stay_in_bounds(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {UINT32_MAX, 0x80000000, 0x7FFFFFFF, UINT32_MAX - 364, 7};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buffer file = {0};
        must_fill(&file, 0, 52);
        add_binpkg_entry(&file, "ap", "AP", 0x24000, text_bytes("the ap"));
        little_put_u32(file.ptr + 52 + 76, lengths[i]);
        struct binpkg binpkg;
        struct error err;
        assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
        assert_int_equal(binpkg.entry[0].image.len, 6);
        assert_false(binpkg_check(&binpkg, &err));
        buffer_free(&file);
    }
}

static void two_parts_of_one_type_are_refused(void **state)
{
    (void)state;
    struct buffer file = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    add_binpkg_entry(&file, "another", "CP", 0, text_bytes("data"));
    struct binpkg binpkg;
    struct error err;
    assert_true(binpkg_read(buffer_bytes(&file), &binpkg, &err));
    assert_false(binpkg_check(&binpkg, &err));
    assert_non_null(strstr(err.text, "2 entries of type CP"));
    buffer_free(&file);
}

static void other_files_are_not_recognised(void **state)
{
    (void)state;
    struct random r = {4};
    struct buffer noise = random_bytes(&r, 5000, 256), blank = {0};
    must_fill(&blank, 0xFF, 5000);
    assert_false(binpkg_owns(buffer_bytes(&noise)));
    assert_false(binpkg_owns(buffer_bytes(&blank)));
    memset(blank.ptr, ' ', blank.len);
    assert_false(binpkg_owns(buffer_bytes(&blank)));
    memset(blank.ptr, 0, blank.len);
    assert_false(binpkg_owns(buffer_bytes(&blank)));
    buffer_free(&noise);
    buffer_free(&blank);
}

static void a_rebuilt_file_is_the_one_made_with_the_new_data(void **state)
{
    (void)state;
    struct buffer old = sample_binpkg(7, text_bytes("the ap"), text_bytes("the cp"));
    struct buffer new = sample_binpkg(7, text_bytes("the ap, longer"), text_bytes("the cp"));
    struct buffer made = {0};
    struct binpkg binpkg;
    struct error err;
    assert_true(binpkg_read(buffer_bytes(&old), &binpkg, &err));
    struct bytes image[BINPKG_ENTRIES_MAX];
    for (unsigned int i = 0; i < binpkg.entries; i++)
        image[i] = binpkg.entry[i].image;
    assert_true(binpkg_rebuild(&binpkg, image, old.len, &made, &err));
    assert_true(bytes_equal(buffer_bytes(&made), buffer_bytes(&old)));
    buffer_free(&made);
    image[1] = text_bytes("the ap, longer");
    assert_false(binpkg_rebuild(&binpkg, image, new.len - 1, &made, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_true(binpkg_rebuild(&binpkg, image, new.len, &made, &err));
    assert_int_equal(made.len, new.len);
    assert_memory_equal(made.ptr, new.ptr, new.len);
    buffer_free(&made);
    buffer_free(&old);
    buffer_free(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_read),
        cmocka_unit_test(a_head_with_pkgmode_is_longer),
        cmocka_unit_test(a_cut_off_or_damaged_file_is_refused),
        cmocka_unit_test(lengths_near_the_end_of_numbers_stay_in_bounds),
        cmocka_unit_test(two_parts_of_one_type_are_refused),
        cmocka_unit_test(other_files_are_not_recognised),
        cmocka_unit_test(a_rebuilt_file_is_the_one_made_with_the_new_data),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
