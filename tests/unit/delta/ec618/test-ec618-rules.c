/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an EC618 does with each field of an archive, and what dfota does: a table for generated packages
   of both orders, and archives of AP and CP. dfota must not accept anything that a device does not
   accept. */
#include "tests/unit/delta/ec618/test-archives.h"

#include "delta/ec618/payload.h"
#include "delta/container/par.h"

struct archive { /* an archive that changes AP only, between raw images of three blocks; the last block is
                    short */
    struct buffer old, new, file;
};

static struct buffer make_payload(struct bytes old, struct bytes new, enum ec618_order order)
{
    struct ec618_options options = {.effort = EC618_QUICK, .only_order = true, .order = order};
    struct buffer payload = {0};
    struct error err;
    assert_true(ec618_payload_make(old, new, options, &payload, &err));
    return payload;
}

static struct archive make_archive(enum ec618_order order)
{
    struct random r = {order + 5U};
    struct archive a = {.old = random_bytes(&r, 70000, 60)};
    struct error err;
    a.new = revise(buffer_bytes(&a.old), 71500);
    struct buffer payload = make_payload(buffer_bytes(&a.old), buffer_bytes(&a.new), order);
    struct par_source source = {PAR_AP,
                                order == EC618_REVERSE,
                                0x24000,
                                buffer_bytes(&a.old),
                                buffer_bytes(&a.new),
                                buffer_bytes(&payload)};
    assert_true(par_make(&source, 1, &a.file, &err));
    buffer_free(&payload);
    return a;
}

static void free_archive(struct archive *a)
{
    buffer_free(&a->old);
    buffer_free(&a->new);
    buffer_free(&a->file);
}

/* ---- The table ---- */

/* Where a field is: in the head of the archive, in the head of its package, in the payload, or in the
   first stored part. */
enum place { HEAD, PART, PAYLOAD, BLOCK };

enum change { SET, FLIP, ADD };

enum verdict {
    TAKEN,   /* the device has the new image */
    REFUSED, /* the device keeps the old image */
    HALF,    /* the device is left half patched */
    LOOP,    /* the device patches again and again for ever */
    LOST,    /* the device is lost after a power cut */
};

/* STRICTER: dfota refuses what the device would accept; doc/package-formats.md lists each case. */
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
    {"magic", HEAD, 0, 1, FLIP, 1, REFUSED, NO},
    {"magic", HEAD, 1, 1, FLIP, 0x80, REFUSED, NO},
    {"version", HEAD, 2, 1, SET, 0x00, TAKEN, YES},
    {"version", HEAD, 2, 1, SET, 0x21, TAKEN, YES},
    {"version", HEAD, 2, 1, SET, 0xFF, TAKEN, YES},
    {"number of packages", HEAD, 3, 1, SET, 0x41, REFUSED, NO},
    {"number of packages", HEAD, 3, 1, SET, 0x42, REFUSED, NO},
    {"number of packages", HEAD, 3, 1, SET, 0x44, REFUSED, NO},
    {"number of packages", HEAD, 3, 1, SET, 0x48, REFUSED, NO},
    {"method", HEAD, 3, 1, SET, 0x50, REFUSED, NO},
    {"method", HEAD, 3, 1, SET, 0x60, REFUSED, NO},
    {"method", HEAD, 3, 1, SET, 0x70, REFUSED, NO},
    {"bit 6", HEAD, 3, 1, SET, 0x00, REFUSED, NO},
    {"bit 7", HEAD, 3, 1, SET, 0xC0, TAKEN, YES},
    {"chip", HEAD, 4, 2, SET, 0xFFFF, TAKEN, YES},
    {"segment size", HEAD, 6, 2, SET, 0, REFUSED, NO},
    {"segment size", HEAD, 6, 2, SET, 1, REFUSED, NO},
    {"segment size", HEAD, 6, 2, SET, 0x4000, REFUSED, NO},
    {"segment size", HEAD, 6, 2, SET, 0x8001, REFUSED, NO},
    {"segment size", HEAD, 6, 2, SET, 0xFFFF, REFUSED, NO},
    {"length", HEAD, 8, 4, ADD, 1, REFUSED, NO},
    {"length", HEAD, 8, 4, ADD, UINT32_MAX, REFUSED, NO},
    {"length", HEAD, 8, 4, FLIP, 0x80000000, REFUSED, NO},
    {"progress", HEAD, 44, 1, FLIP, 1, TAKEN, STRICTER},
    {"progress", HEAD, 52, 1, FLIP, 1, LOOP, NO},
    {"progress", HEAD, 60, 4, SET, 0, REFUSED, NO},
    {"progress", HEAD, 68, 1, FLIP, 1, LOOP, NO},
    {"progress", HEAD, 83, 1, FLIP, 0x80, TAKEN, STRICTER},
    {"index", PART, 0, 1, FLIP, 1, LOST, NO},
    {"index", PART, 0, 1, FLIP, 2, LOST, NO},
    {"index", PART, 0, 1, FLIP, 4, LOST, NO},
    {"index", PART, 0, 1, FLIP, 8, LOST, NO},
    {"order bit", PART, 0, 1, FLIP, 0x10, REFUSED, NO},
    {"part: CP", PART, 0, 1, FLIP, 0x20, REFUSED, NO},
    {"part: none", PART, 0, 1, FLIP, 0x40, REFUSED, NO},
    {"part: APP3", PART, 0, 1, FLIP, 0x80, REFUSED, NO},
    {"part: high bit", PART, 2, 1, FLIP, 0x80, REFUSED, NO},
    {"head length", PART, 1, 1, SET, 0x6F, REFUSED, NO},
    {"head length", PART, 1, 1, SET, 0x71, REFUSED, NO},
    {"head length", PART, 1, 1, SET, 0x78, REFUSED, NO}, /* the payload is not at this offset */
    {"head length", PART, 1, 1, SET, 0xF0, REFUSED, NO},
    {"head length, high", PART, 2, 1, FLIP, 1, TAKEN, STRICTER},
    {"head length, high", PART, 2, 1, FLIP, 2, TAKEN, STRICTER},
    {"bits 18 to 22", PART, 2, 1, FLIP, 0x7C, TAKEN, YES},
    {"segments", PART, 3, 1, SET, 0, REFUSED, NO},
    {"segments", PART, 3, 1, SET, 2, REFUSED, NO},
    {"segments", PART, 3, 1, SET, 4, REFUSED, NO},
    {"segments", PART, 3, 1, SET, 255, REFUSED, NO},
    {"package length", PART, 4, 4, ADD, 1, REFUSED, NO},
    {"package length", PART, 4, 4, ADD, UINT32_MAX, REFUSED, NO},
    {"package length", PART, 4, 4, FLIP, 0x80000000, REFUSED, NO},
    {"reserved", PART, 8, 4, SET, UINT32_MAX, TAKEN, YES},
    {"load address", PART, 12, 4, SET, 0, TAKEN, YES},
    {"load address", PART, 12, 4, SET, UINT32_MAX, TAKEN, YES},
    {"new size", PART, 16, 4, SET, 0, REFUSED, NO},
    {"new size", PART, 16, 4, SET, 1, HALF, NO},
    {"new size", PART, 16, 4, ADD, 1, LOOP, NO},
    {"new size", PART, 16, 4, ADD, UINT32_MAX, LOOP, NO},
    {"new size", PART, 16, 4, ADD, 32768, LOOP, NO},
    {"new size", PART, 16, 4, SET, 3014657, REFUSED, NO},
    {"new size", PART, 16, 4, SET, UINT32_MAX, REFUSED, NO},
    {"base size", PART, 20, 4, ADD, 1, REFUSED, NO},
    {"base size", PART, 20, 4, FLIP, 0x80000000, REFUSED, NO},
    {"base hash", PART, 24, 1, FLIP, 1, REFUSED, NO},
    {"base hash", PART, 55, 1, FLIP, 0x80, REFUSED, NO},
    {"option 3", PART, 56, 4, SET, 0, TAKEN, YES},
    {"option 3", PART, 56, 4, SET, UINT32_MAX, TAKEN, YES},
    {"new hash", PART, 60, 1, FLIP, 1, LOOP, NO},
    {"new hash", PART, 91, 1, FLIP, 0x80, LOOP, NO},
    {"option 0", PART, 92, 2, SET, 0xFFFF, TAKEN, YES},
    {"name", PART, 94, 4, SET, 0, TAKEN, YES},
    {"name", PART, 108, 4, SET, UINT32_MAX, TAKEN, YES},
    {"payload's magic", PAYLOAD, 0, 1, FLIP, 1, REFUSED, NO},
    {"parts", PAYLOAD, 4, 4, SET, 0, REFUSED, NO},
    {"parts", PAYLOAD, 4, 4, ADD, 1, REFUSED, NO},
    {"parts", PAYLOAD, 4, 4, ADD, UINT32_MAX, REFUSED, NO},
    {"parts", PAYLOAD, 4, 4, SET, 128, REFUSED, NO},
    {"parts", PAYLOAD, 4, 4, SET, UINT32_MAX, REFUSED, NO},
    {"old size", PAYLOAD, 8, 4, SET, 0, LOOP, NO},
    {"old size", PAYLOAD, 8, 4, ADD, 1, TAKEN, STRICTER},
    {"old size", PAYLOAD, 8, 4, FLIP, 0x80000000, TAKEN, STRICTER},
    {"order", PAYLOAD, 12, 1, FLIP, 1, REFUSED, NO},
    {"order", PAYLOAD, 15, 1, FLIP, 0x20, REFUSED, NO},
    {"table", PAYLOAD, 16, 4, ADD, 1, REFUSED, NO},
    {"table", PAYLOAD, 20, 4, ADD, UINT32_MAX, REFUSED, NO},
    {"table", PAYLOAD, 24, 4, SET, 0, REFUSED, NO},
    {"table", PAYLOAD, 24, 4, FLIP, 0x80000000, REFUSED, NO},
    {"part's magic", BLOCK, 0, 1, FLIP, 1, HALF, NO},
    {"part's magic", BLOCK, 7, 1, FLIP, 1, HALF, NO},
    {"part's flag", BLOCK, 8, 4, SET, 1, TAKEN, YES},
    {"part's flag", BLOCK, 8, 4, SET, 0x7FFFFFFF, TAKEN, YES},
    {"part's flag: unchanged", BLOCK, 8, 4, SET, 0x43424571, LOOP, NO},
    {"part's flag: minus 0", BLOCK, 8, 4, SET, 0x80000000, TAKEN, STRICTER},
    {"part's flag: negative", BLOCK, 8, 4, SET, 0x80000001, HALF, NO},
    {"part's flag: negative", BLOCK, 8, 4, SET, 0xC3424571, HALF, NO},
    {"part's flag: negative", BLOCK, 8, 4, SET, UINT32_MAX, HALF, NO},
    {"part's length", BLOCK, 12, 4, SET, 0, TAKEN, YES},
    {"part's length", BLOCK, 12, 4, SET, 0x7FFFFFFF, TAKEN, YES},
    {"part's length: minus 0", BLOCK, 12, 4, SET, 0x80000000, TAKEN, STRICTER},
    {"part's length: negative", BLOCK, 12, 4, FLIP, 0x80000000, HALF, NO},
    {"part's length: negative", BLOCK, 12, 4, SET, UINT32_MAX, HALF, NO},
    {"part's new size", BLOCK, 16, 4, SET, 0, LOOP, NO},
    {"part's new size", BLOCK, 16, 4, ADD, 1, HALF, NO},
    {"part's new size", BLOCK, 16, 4, ADD, UINT32_MAX, HALF, NO},
    {"part's new size", BLOCK, 16, 4, FLIP, 0x80000000, HALF, NO},
    {"bzip2's magic", BLOCK, 20, 1, FLIP, 1, HALF, NO},
    {"bzip2's level", BLOCK, 23, 1, SET, '0', HALF, NO},
    {"bzip2's level", BLOCK, 23, 1, SET, '4', TAKEN, STRICTER},
    {"bzip2's level", BLOCK, 23, 1, SET, '9', TAKEN, STRICTER},
    {"bzip2's level", BLOCK, 23, 1, SET, ':', HALF, NO},
    {"block's checksum", BLOCK, 30, 1, FLIP, 1, HALF, NO},
};

static size_t offset_of(const struct row *row)
{
    static const size_t begin[] = {
        [HEAD] = 0, [PART] = 84, [PAYLOAD] = 84 + 112, [BLOCK] = 84 + 112 + 16 + 12};
    return begin[row->place] + row->offset;
}

static void change(const struct row *row, uint8_t *at)
{
    uint32_t value = 0;
    for (size_t i = row->bytes; i-- > 0;)
        value = value << 8 | at[i];
    value = row->change == SET ? row->value : row->change == FLIP ? value ^ row->value : value + row->value;
    for (size_t i = 0; i < row->bytes; i++, value >>= 8)
        at[i] = (uint8_t)value;
}

static void each_field_is_judged_as_the_device_does(void **state)
{
    (void)state;
    for (unsigned int order = 0; order < 2; order++) {
        struct archive a = make_archive(order ? EC618_REVERSE : EC618_FORWARD);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const struct row *row = &rows[i];
            struct buffer file = {0};
            must_add(&file, a.file.ptr, a.file.len);
            change(row, file.ptr + offset_of(row));
            seal_par(buffer_bytes(&file), file.ptr);
            bool taken = takes(buffer_bytes(&a.old), buffer_bytes(&a.new), buffer_bytes(&file));
            if (taken != (row->ours == YES) || (taken && row->device != TAKEN) ||
                (row->ours == STRICTER && row->device != TAKEN))
                fail_msg("%s, row %zu, %s: taken %d", row->field, i, order ? "RvsO" : "NorO", taken);
            buffer_free(&file);
        }
        free_archive(&a);
    }
}

/* In addition to the table: no bit of the headers may change the result. */
static void every_bit_of_the_headers_is_judged(void **state)
{
    (void)state;
    static const struct {
        size_t from, to; /* [from, to): bytes that the device does not read */
    } free_bytes[] = {{2, 3}, {4, 6}, {92, 100}, {140, 144}, {176, 196}};
    for (unsigned int order = 0; order < 2; order++) {
        struct archive a = make_archive(order ? EC618_REVERSE : EC618_FORWARD);
        for (size_t bit = 0; bit < (size_t)(84 + 112 + 16 + 12) * 8; bit++) {
            size_t at = bit / 8;
            uint8_t mask = (uint8_t)(1 << bit % 8);
            bool unread = (at == 3 && mask == 0x80) || (at == 86 && mask & 0x7C);
            for (size_t i = 0; i < sizeof free_bytes / sizeof free_bytes[0]; i++)
                unread = unread || (at >= free_bytes[i].from && at < free_bytes[i].to);
            a.file.ptr[at] ^= mask;
            struct buffer file = {0};
            must_add(&file, a.file.ptr, a.file.len);
            if (at < 12 || at >= 44)
                seal_par(buffer_bytes(&file), file.ptr);
            if (takes(buffer_bytes(&a.old), buffer_bytes(&a.new), buffer_bytes(&file)) != unread)
                fail_msg("bit %zu of byte %zu, order %u", bit % 8, at, order);
            buffer_free(&file);
            a.file.ptr[at] ^= mask;
        }
        free_archive(&a);
    }
}

/* ---- More than one change ---- */

static void bytes_after_the_package_are_refused(void **state)
{
    (void)state;
    struct archive a = make_archive(EC618_FORWARD);
    must_add(&a.file, "xyz", 3);
    set_u32(&a.file, 8, (uint32_t)a.file.len);
    seal_par(buffer_bytes(&a.file), a.file.ptr);
    assert_false(takes(buffer_bytes(&a.old), buffer_bytes(&a.new),
                       buffer_bytes(&a.file))); /* dfota is stricter than the device */
    set_u32(&a.file, 88, (uint32_t)(a.file.len - 84));
    seal_par(buffer_bytes(&a.file), a.file.ptr);
    assert_false(takes(buffer_bytes(&a.old), buffer_bytes(&a.new),
                       buffer_bytes(&a.file))); /* the device refuses it, too */
    free_archive(&a);
}

/* The two options of 8 bytes that the vendor's packer can add. */
static void longer_heads_are_accepted(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 24; more += 4) {
        struct archive a = make_archive(EC618_REVERSE);
        struct buffer file = {0};
        must_add(&file, a.file.ptr, 84 + 112);
        must_fill(&file, 8, more);
        must_add(&file, a.file.ptr + 84 + 112, a.file.len - 84 - 112);
        file.ptr[85] = (uint8_t)(112 + more);
        set_u32(&file, 8, (uint32_t)file.len);
        set_u32(&file, 88, (uint32_t)(file.len - 84));
        seal_par(buffer_bytes(&file), file.ptr);
        assert_int_equal(takes(buffer_bytes(&a.old), buffer_bytes(&a.new), buffer_bytes(&file)),
                         more == 0 || more == 8 || more == 16);
        buffer_free(&file);
        free_archive(&a);
    }
}

static void the_order_bit_follows_the_payload(void **state)
{
    (void)state;
    for (unsigned int order = 0; order < 2; order++) {
        struct archive a = make_archive(order ? EC618_REVERSE : EC618_FORWARD);
        assert_int_equal(a.file.ptr[84], order ? 0x50 : 0x40);
        assert_memory_equal(a.file.ptr + 84 + 112 + 12, order ? "RvsO" : "NorO", 4);
        free_archive(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_judged_as_the_device_does),
        cmocka_unit_test(every_bit_of_the_headers_is_judged),
        cmocka_unit_test(bytes_after_the_package_are_refused),
        cmocka_unit_test(longer_heads_are_accepted),
        cmocka_unit_test(the_order_bit_follows_the_payload),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
