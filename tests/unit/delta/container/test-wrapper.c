/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The wrappers of a `.par`, written and read: the head of AT firmware and the 92-byte head. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/container/sector.h"
#include "delta/container/wrapper.h"

static void the_head_of_at_firmware_is_ten_bytes(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct error err;
    assert_true(wrapper_at_add(&out, text_bytes("a par"), &err));
    assert_int_equal(out.len, 15);
    assert_memory_equal(out.ptr, "\x7E\0\0\0\1\x7D\0\0\0\5a par", 15);
    struct bytes par = {0};
    assert_true(wrapper_at_owns(buffer_bytes(&out)));
    assert_true(wrapper_at_open(buffer_bytes(&out), &par, &err));
    assert_true(bytes_equal(par, text_bytes("a par")));
    for (size_t len = 0; len < out.len; len++) {
        assert_false(wrapper_at_open((struct bytes){out.ptr, len}, &par, &err));
        assert_int_equal(err.code, ERROR_CORRUPT);
    }
    must_add(&out, "x", 1);
    assert_false(wrapper_at_open(buffer_bytes(&out), &par, &err));
    buffer_free(&out);
}

/* A short script. */
static struct buffer sample_common(void)
{
    struct buffer made = {0};
    struct error err;
    assert_true(
        sector_pack(&made, LUATOS_EC7XX, 0x5BE000, text_bytes("print(1) print(22) print(333)"), &err));
    return made;
}

static struct buffer sample_luatos(struct bytes common, struct bytes par)
{
    const struct luatos_versions versions = {{1, 2, 3, 4, 5}, 6, {7, 8, 9, 10, 11}};
    struct buffer out = {0};
    struct error err;
    assert_true(wrapper_luatos_add(&out, LUATOS_EC7XX, &versions, common, par, &err));
    return out;
}

static bool is_sound(struct bytes file)
{
    struct luatos_file head;
    struct error err = {ERROR_CODES, ""};
    if (luatos_read(file, &head, &err) && luatos_check(&head, &err))
        return true;
    assert_int_equal(err.code, ERROR_CORRUPT);
    return false;
}

static void the_head_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct buffer common = sample_common(), out = sample_luatos(buffer_bytes(&common), text_bytes("a par"));
    struct luatos_file head;
    struct error err;
    assert_int_equal(out.len, 92 + common.len + 5);
    assert_true(luatos_read(buffer_bytes(&out), &head, &err));
    assert_true(luatos_check(&head, &err));
    assert_int_equal(head.magic, LUATOS_EC7XX);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(head.versions.main[i], i + 1);
        assert_int_equal(head.versions.base[i], i + 7);
    }
    assert_int_equal(head.versions.app, 6);
    assert_true(bytes_equal(head.common, buffer_bytes(&common)));
    assert_true(bytes_equal(head.sdk, text_bytes("a par")));
    assert_int_equal(head.rest.len, 0);
    buffer_free(&common);
    buffer_free(&out);
}

/* The first 92 bytes of a real script package. The common data is not here, so only the checksum can be
   compared. */
static void the_checksum_is_that_of_a_real_file(void **state)
{
    (void)state;
    uint8_t file[92] = {0x18, 0x72, 0xC3, 0xEA, 0xF0, 0x0C, 0x7A, 0xDB, [52] = 0x70, 0x5A, 0x01};
    memcpy(file + 60, "\x5C\x0C\xA2\x74\x31\xF2\xE9\x72\xCB\x0C\x52\xBB\xF7\x67\xE5\x46", 16);
    struct luatos_file head;
    struct error err;
    assert_true(luatos_read((struct bytes){file, sizeof file}, &head, &err));
    assert_int_equal(head.crc, head.real_crc);
    assert_int_equal(head.common_bytes, 88688);
}

static void any_changed_or_missing_byte_of_head_and_script_is_found(void **state)
{
    (void)state;
    struct buffer common = sample_common(), out = sample_luatos(buffer_bytes(&common), text_bytes(""));
    assert_true(is_sound(buffer_bytes(&out)));
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] ^= 1;
        assert_false(is_sound(buffer_bytes(&out)));
        out.ptr[i] ^= 1;
        assert_false(is_sound((struct bytes){out.ptr, i}));
    }
    must_add(&out, "x", 1);
    assert_false(is_sound(buffer_bytes(&out)));
    buffer_free(&common);
    buffer_free(&out);
}

static void damaged_common_data_is_found_despite_a_sound_head(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {0, 0},    /* magic */
        {4, 99},   /* packed size */
        {8, 28},   /* unpacked size */
        {12, 0},   /* MD5 */
        {28, 1},   /* block size */
        {36, 4},   /* size of the properties */
        {37, 0},   /* properties of: not compressed */
        {37, 225}, /* properties that cannot be */
        {40, 5},   /* dictionary */
        {42, 1},   /* packed size of the block */
        {50, 0xFF},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer common = sample_common();
        common.ptr[bad[i].at] = bad[i].value;
        struct buffer out = sample_luatos(buffer_bytes(&common), text_bytes("par"));
        assert_false(is_sound(buffer_bytes(&out)));
        buffer_free(&common);
        buffer_free(&out);
    }
    struct buffer shortened = sample_luatos(text_bytes("\x18\x72\xC3\xEA"), text_bytes("par"));
    assert_false(is_sound(buffer_bytes(&shortened)));
    buffer_free(&shortened);
}

static void assert_unpacks_to(struct bytes common, uint32_t address, struct bytes expected)
{
    struct sector_plain plain;
    struct error err = {ERROR_CODES, ""};
    if (!sector_unpack(&common, &plain, &err))
        fail_msg("%s", err.text);
    assert_int_equal(plain.address, address);
    assert_true(bytes_equal(buffer_bytes(&plain.bytes), expected));
    assert_int_equal(common.len, 0);
    buffer_free(&plain.bytes);
}

/* Sizes around one and two blocks, data that compresses well and data that does not. */
static void what_is_packed_is_unpacked(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 1000, 0x3FFFF, 0x40000, 0x40001, 0x80000, 0x80001};
    static uint8_t data[0x80001];
    uint32_t random = 1;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct buffer common = {0};
            struct error err;
            struct bytes plain = {data, sizes[i]};
            assert_true(sector_pack(&common, LUATOS_EC618, 0x2CC000, plain, &err));
            assert_int_equal(common.ptr[36], 5);
            assert_memory_equal(common.ptr + 37, "\x66\0\0\4", 5);
            assert_unpacks_to(buffer_bytes(&common), 0x2CC000, plain);
            buffer_free(&common);
        }
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    }
}

static void an_empty_or_too_large_sector_is_not_packed(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct error err;
    assert_false(sector_pack(&out, LUATOS_EC618, 0, text_bytes(""), &err));
    assert_int_equal(err.code, ERROR_INVALID);
    assert_false(
        sector_pack(&out, LUATOS_EC618, 0, (struct bytes){(const uint8_t *)"", SECTOR_PLAIN_MAX + 1}, &err));
    assert_int_equal(out.len, 0);
}

/* AP and CP in a full package. */
static void several_sectors_follow_each_other(void **state)
{
    (void)state;
    struct buffer common = {0};
    struct sector_plain plain;
    struct error err;
    assert_true(sector_pack(&common, LUATOS_EC618, 0x24000, text_bytes("the AP the AP the AP"), &err));
    assert_true(sector_pack(&common, LUATOS_EC618, 0x80000000, text_bytes("the CP the CP the CP"), &err));
    assert_true(sector_check_all(buffer_bytes(&common), LUATOS_EC618, &err));
    struct bytes rest = buffer_bytes(&common);
    assert_true(sector_unpack(&rest, &plain, &err));
    assert_int_equal(plain.address, 0x24000);
    buffer_free(&plain.bytes);
    assert_unpacks_to(rest, 0x80000000, text_bytes("the CP the CP the CP"));
    assert_false(sector_check_all(buffer_bytes(&common), LUATOS_EC7XX, &err));
    for (size_t len = 1; len < common.len; len++)
        if (sector_check_all((struct bytes){common.ptr, len}, LUATOS_EC618, &err) !=
            (len == common.len - rest.len))
            fail_msg("cut at %zu", len);
    buffer_free(&common);
}

static const uint8_t zero_md5[LUATOS_MD5_BYTES];

static void without_a_script_its_md5_is_zero(void **state)
{
    (void)state;
    struct buffer out = sample_luatos(text_bytes(""), text_bytes("a par"));
    assert_memory_equal(out.ptr + LUATOS_COMMON_MD5, zero_md5, sizeof zero_md5);
    assert_true(is_sound(buffer_bytes(&out)));
    buffer_free(&out);
}

static void the_md5_of_the_core_is_stated_or_zero(void **state)
{
    (void)state;
    struct buffer out = sample_luatos(text_bytes(""), text_bytes("a par"));
    uint8_t md5[LUATOS_MD5_BYTES];
    struct error err;
    assert_true(luatos_md5(text_bytes("a par"), md5, &err));
    assert_memory_equal(out.ptr + LUATOS_SDK_MD5, md5, sizeof md5);
    memset(out.ptr + LUATOS_SDK_MD5, 0, sizeof md5);
    little_put_u32(out.ptr + LUATOS_CRC, luatos_head_crc(out.ptr));
    assert_true(is_sound(buffer_bytes(&out)));
    out.ptr[LUATOS_SDK_MD5] = 1;
    little_put_u32(out.ptr + LUATOS_CRC, luatos_head_crc(out.ptr));
    assert_false(is_sound(buffer_bytes(&out)));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_of_at_firmware_is_ten_bytes),
        cmocka_unit_test(the_head_is_read_as_it_was_written),
        cmocka_unit_test(the_checksum_is_that_of_a_real_file),
        cmocka_unit_test(any_changed_or_missing_byte_of_head_and_script_is_found),
        cmocka_unit_test(damaged_common_data_is_found_despite_a_sound_head),
        cmocka_unit_test(what_is_packed_is_unpacked),
        cmocka_unit_test(an_empty_or_too_large_sector_is_not_packed),
        cmocka_unit_test(several_sectors_follow_each_other),
        cmocka_unit_test(without_a_script_its_md5_is_zero),
        cmocka_unit_test(the_md5_of_the_core_is_stated_or_zero),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
