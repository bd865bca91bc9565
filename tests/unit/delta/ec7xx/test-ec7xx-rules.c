/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the device's code and dfota do with each wrong field of an EC7xx archive. dfota must not accept anything that a
   device does not accept. */
#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "base/chip.h"
#include "delta/ec7xx/rules.h"

/* Where a field is: in the head of the archive, in the head of its package, in the payload, in the first or second
   row of its table, in the first group segment, or in the first delta of the plain part. */
enum place { HEAD, PART, PAYLOAD, ROW, PLAIN_ROW, GROUP, DELTA };

enum change { SET, FLIP, ADD };

enum verdict {
    TAKEN,   /* the device has the new image */
    REFUSED, /* the device keeps the old image */
    HALF,    /* the device is left half patched */
    LOOP,    /* the device patches again and again for ever */
    LOST,    /* the device is lost after a power cut */
    UNKNOWN, /* not tried with the device's code */
};

/* STRICTER: dfota refuses what the device would accept. */
enum ours { YES, NO, STRICTER };

static const struct row {
    const char *field;
    enum place place;
    size_t offset, bytes;
    enum change change;
    uint32_t value;
    enum verdict device;
    enum ours ours;
} rows[] = {
    {"nothing", HEAD, 0, 1, FLIP, 0, TAKEN, YES},
    {"magic", HEAD, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"version", HEAD, 2, 1, SET, 0x44, TAKEN, YES},
    {"version", HEAD, 2, 1, SET, 0xFF, TAKEN, YES},
    {"number of packages", HEAD, 3, 1, SET, 0x41, UNKNOWN, NO},
    {"method", HEAD, 3, 1, SET, 0x50, UNKNOWN, NO},
    {"bit 6", HEAD, 3, 1, SET, 0x00, UNKNOWN, NO},
    {"segment size", HEAD, 4, 1, SET, 0x00, LOOP, NO},
    {"segment size", HEAD, 4, 1, SET, 0x08, LOOP, NO},
    {"segment size", HEAD, 4, 1, SET, 0x18, LOOP, NO},
    {"capacity", HEAD, 4, 1, FLIP, 1, UNKNOWN, NO}, /* the head is longer then */
    {"chip", HEAD, 4, 1, FLIP, 2, UNKNOWN, NO},
    {"chip", HEAD, 5, 1, FLIP, 1, UNKNOWN, NO},
    {"block size", HEAD, 6, 2, SET, 0x4000, UNKNOWN, NO},
    {"length", HEAD, 8, 4, ADD, 1, UNKNOWN, NO},
    {"progress", HEAD, 44, 1, FLIP, 1, UNKNOWN, NO},
    {"progress", HEAD, 83, 1, FLIP, 0x80, UNKNOWN, NO},
    {"index", PART, 0, 1, FLIP, 1, LOST, NO},
    {"order bit", PART, 0, 1, FLIP, 0x10, TAKEN, STRICTER},
    {"part: none", PART, 0, 1, FLIP, 0x40, UNKNOWN, NO},
    {"part: high bit", PART, 2, 1, FLIP, 0x80, UNKNOWN, NO},
    {"head length", PART, 1, 1, SET, 0x78, UNKNOWN, NO},
    {"bits 18 and 19", PART, 2, 1, FLIP, 0x0C, TAKEN, YES},
    {"zip method", PART, 2, 1, FLIP, 0x10, REFUSED, NO},
    {"segments", PART, 3, 1, ADD, 255, LOOP, NO},
    {"segments", PART, 3, 1, ADD, 1, UNKNOWN, NO},
    {"package length", PART, 4, 4, ADD, 1, UNKNOWN, NO},
    {"reserved", PART, 8, 4, SET, 1, UNKNOWN, YES},
    {"load address", PART, 12, 4, FLIP, 0x1000, UNKNOWN, YES},
    {"new size", PART, 16, 4, ADD, 1, LOOP, NO},
    {"new size", PART, 16, 4, ADD, UINT32_MAX, LOOP, NO},
    {"base size", PART, 20, 4, ADD, 1, UNKNOWN, NO},
    {"base hash", PART, 24, 1, FLIP, 1, REFUSED, NO},
    {"option", PART, 56, 1, FLIP, 1, UNKNOWN, NO},
    {"new hash", PART, 60, 1, FLIP, 1, LOOP, NO},
    {"name", PART, 94, 1, FLIP, 1, UNKNOWN, YES},
    {"magic", PAYLOAD, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"flags: order", PAYLOAD, 4, 1, FLIP, 1, HALF, NO},
    {"flags: packed", PAYLOAD, 4, 1, FLIP, 2, HALF, NO},
    {"flags: groups", PAYLOAD, 4, 1, ADD, 4, HALF, NO},
    {"flags: groups", PAYLOAD, 4, 1, ADD, 252, HALF, NO},
    {"segments", PAYLOAD, 6, 2, ADD, 1, UNKNOWN, NO},
    {"segments", PAYLOAD, 6, 2, ADD, UINT32_MAX, LOOP, NO},
    {"old plain part", PAYLOAD, 8, 4, ADD, 4, UNKNOWN, NO},
    {"new plain part", PAYLOAD, 12, 4, ADD, 4, UNKNOWN, NO},
    {"new plain part", PAYLOAD, 12, 4, SET, UINT32_MAX, UNKNOWN, NO},
    {"old section table", PAYLOAD, 16, 4, ADD, 4096, UNKNOWN, NO},
    {"new section table", PAYLOAD, 20, 4, ADD, 4096, LOOP, NO},
    {"row: group", ROW, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"row: mark", ROW, 0, 1, FLIP, 2, UNKNOWN, NO},
    {"row: place", ROW, 1, 1, ADD, 1, UNKNOWN, NO},
    {"row: second form", ROW, 4, 1, FLIP, 1, UNKNOWN, NO},
    {"row: length", ROW, 5, 1, ADD, 1, UNKNOWN, NO},
    {"row: size", ROW, 8, 4, ADD, 4096, LOOP, NO},
    {"row: group", PLAIN_ROW, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"row: length", PLAIN_ROW, 5, 1, ADD, 255, UNKNOWN, NO},
    {"row: size", PLAIN_ROW, 8, 4, ADD, 32768, LOOP, NO},
    {"group: magic", GROUP, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"group: number", GROUP, 4, 1, SET, 1, UNKNOWN, NO},
    {"group: number", GROUP, 4, 1, SET, 9, UNKNOWN, NO},
    {"group: reserved", GROUP, 5, 1, SET, 1, UNKNOWN, NO},
    {"group: old tail", GROUP, 8, 1, SET, 0, UNKNOWN, NO},
    {"group: new tail", GROUP, 9, 1, SET, 0, UNKNOWN, NO},
    {"group: with table", GROUP, 9, 1, SET, 3, UNKNOWN,
     YES}, /* the vendor's packer sets bit 1 for the table */
    {"group: tail length", GROUP, 10, 1, ADD, 4, UNKNOWN, NO},
    {"group: head length", GROUP, 12, 2, ADD, 4, UNKNOWN, NO},
    {"group: sections", GROUP, 16, 1, ADD, 1, UNKNOWN, NO},
    {"group: sections", GROUP, 18, 1, SET, 255, UNKNOWN, NO},
    {"group: sections", GROUP, 18, 1, SET, 1, UNKNOWN, NO},
    {"group: old offset", GROUP, 20, 4, ADD, 4096, UNKNOWN, NO},
    {"group: new offset", GROUP, 24, 4, ADD, 4096, UNKNOWN, NO},
    {"group: old area", GROUP, 28, 4, ADD, 4096, UNKNOWN, NO},
    {"group: new area", GROUP, 32, 4, ADD, 4096, UNKNOWN, NO},
    {"group: unpacked", GROUP, 36, 4, ADD, 1, UNKNOWN, NO},
    {"group: unpacked", GROUP, 40, 4, ADD, 1, UNKNOWN, NO},
    {"section: index", GROUP, 44, 1, ADD, 1, UNKNOWN, NO},
    {"section: flags", GROUP, 45, 1, FLIP, 1, UNKNOWN, NO},
    {"section: flags", GROUP, 45, 1, FLIP, 2, UNKNOWN, NO},
    {"section: reserved", GROUP, 46, 1, SET, 1, UNKNOWN, NO},
    {"section: offset", GROUP, 48, 4, ADD, 4, UNKNOWN, NO},
    {"section: packed", GROUP, 52, 4, ADD, 1, UNKNOWN, NO},
    {"section: unpacked", GROUP, 56, 4, ADD, 1, UNKNOWN, NO},
    {"new section: offset", GROUP, 64, 4, ADD, 4, UNKNOWN, NO},
    {"new section: packed", GROUP, 68, 4, ADD, 1, UNKNOWN, NO},
    {"new section: unpacked", GROUP, 72, 4, SET, UINT32_MAX, UNKNOWN, NO},
    {"delta: magic", DELTA, 0, 1, FLIP, 1, UNKNOWN, NO},
    {"control: length", DELTA, 8, 4, ADD, 1, UNKNOWN, NO},
    {"control: negative", DELTA, 11, 1, FLIP, 0x80, UNKNOWN, NO},
    {"control: packed", DELTA, 12, 1, FLIP, 1, UNKNOWN, NO},
    {"control: packed", DELTA, 12, 1, SET, 2, UNKNOWN, NO},
    {"extra: length", DELTA, 13, 4, SET, UINT32_MAX, UNKNOWN, NO},
    {"extra: packed", DELTA, 17, 1, SET, 2, UNKNOWN, NO},
    {"difference: length", DELTA, 18, 4, ADD, UINT32_MAX, UNKNOWN, NO},
    {"control: magic", DELTA, 22, 1, FLIP, 1, UNKNOWN, NO},
    {"control: number", DELTA, 28, 1, SET, '7', TAKEN, YES}, /* the vendor's packer counts up */
    {"control: number", DELTA, 28, 1, SET, ':', UNKNOWN, NO},
    {"control: NUL", DELTA, 29, 1, SET, 1, UNKNOWN, NO},
    {"control: new size", DELTA, 30, 4, ADD, 1, UNKNOWN, NO},
    {"control: records", DELTA, 34, 4, ADD, 1, UNKNOWN, NO},
    {"control: add", DELTA, 38, 1, FLIP, 1, UNKNOWN, NO},
};

static size_t place_of(const struct buffer *file, enum place place)
{
    size_t payload = 84 + 0x70, row = payload + 24;
    switch (place) {
    case HEAD:
        return 0;
    case PART:
        return 84;
    case PAYLOAD:
        return payload;
    case ROW:
        return row;
    case PLAIN_ROW:
        return row + 2 * 12;
    case GROUP:
        return payload + (little_u32(file->ptr + row) >> 8);
    default:
        return payload + (little_u32(file->ptr + row + 2 * 12) >> 8);
    }
}

static void change_field(struct buffer *file, const struct row *row)
{
    size_t at = place_of(file, row->place) + row->offset;
    uint32_t value = 0;
    for (size_t i = 0; i < row->bytes; i++)
        value |= (uint32_t)file->ptr[at + i] << 8 * i;
    value = row->change == SET ? row->value : row->change == FLIP ? value ^ row->value : value + row->value;
    for (size_t i = 0; i < row->bytes; i++)
        file->ptr[at + i] = (uint8_t)(value >> 8 * i);
}

/* Corrects the hash of the archive, so that the check of the field itself is reached. */
static void seal(struct buffer *file)
{
    struct sha256 hash;
    par_hash(buffer_bytes(file), &hash);
    memcpy(file->ptr + 12, hash.byte, sizeof hash.byte);
}

static void check_row(const struct pair *p, size_t i)
{
    const struct row *row = &rows[i];
    struct buffer file = {0};
    struct error err;
    must_add(&file, p->file.ptr, p->file.len);
    change_field(&file, row);
    seal(&file);
    bool taken = takes(buffer_bytes(&p->old), buffer_bytes(&p->new), buffer_bytes(&file), &err);
    if (taken != (row->ours == YES))
        fail_msg("row %zu, %s: %s", i, row->field, taken ? "taken" : err.text);
    assert_false(taken && row->device != TAKEN && row->device != UNKNOWN);
    assert_int_equal(row->ours == STRICTER, !taken && row->device == TAKEN);
    if (!taken && !err.text[0])
        fail_msg("row %zu has no sentence", i);
    buffer_free(&file);
}

static void each_wrong_field_has_its_verdict(void **state)
{
    (void)state;
    for (int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++) {
        struct pair p = usual_pair((enum ec7xx_order)order);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            check_row(&p, i);
        free_pair(&p);
    }
}

static void any_shorter_file_is_refused(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_BACKWARD);
    struct error err;
    for (size_t len = 0; len < p.file.len; len++)
        assert_false(
            takes(buffer_bytes(&p.old), buffer_bytes(&p.new), (struct bytes){p.file.ptr, len}, &err));
    free_pair(&p);
}

static void the_second_form_is_named(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    struct error err;
    p.file.ptr[84 + 0x70 + 24 + 4] |= 1;
    seal(&p.file);
    assert_false(takes_pair(&p, &err));
    assert_int_equal(err.code, ERROR_CANNOT_APPLY);
    assert_non_null(strstr(err.text, "second form of the vendor's packer (HLS)"));
    free_pair(&p);
}

static void another_old_image_is_refused(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    struct error err;
    assert_false(takes(buffer_bytes(&p.new), buffer_bytes(&p.new), buffer_bytes(&p.file), &err));
    assert_int_equal(err.code, ERROR_INVALID);
    assert_non_null(strstr(err.text, "the package is for another old image"));
    free_pair(&p);
}

static void each_chip_has_its_limit(void **state)
{
    (void)state;
    struct pair p = usual_pair(EC7XX_FORWARD);
    struct par par;
    struct error err;
    assert_int_equal(ec7xx_chip_count, 9);
    assert_null(ec7xx_chip_find("ec618"));
    assert_string_equal(ec7xx_chip_smallest()->name, "ec716s");
    assert_true(par_read(buffer_bytes(&p.file), &par, &err));
    for (size_t i = 0; i < ec7xx_chip_count; i++) {
        const struct ec7xx_chip *chip = &ec7xx_chip_table[i];
        par.all.len = chip->archive_bytes;
        assert_true(chip->archive_bytes <= PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX);
        assert_true(ec7xx_rules_check_length(&par, chip, &err));
        assert_int_equal(ec7xx_rules_check_length(&par, NULL, &err), chip->archive_bytes == 217088);
        par.all.len++;
        assert_false(ec7xx_rules_check_length(&par, chip, &err));
        assert_int_equal(err.code, ERROR_TOO_LARGE);
    }
    assert_true(ec7xx_chip_find("EC718P")->archive_bytes == 331776);
    assert_false(ec7xx_rules_check_length(&par, NULL, &err));
    assert_string_equal(
        err.text,
        "the archive has 950273 bytes, and the chip is not known; the chip with the least room, "
        "ec716s, accepts at most 217088");
    free_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_field_has_its_verdict), cmocka_unit_test(any_shorter_file_is_refused),
        cmocka_unit_test(the_second_form_is_named),         cmocka_unit_test(another_old_image_is_refused),
        cmocka_unit_test(each_chip_has_its_limit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
