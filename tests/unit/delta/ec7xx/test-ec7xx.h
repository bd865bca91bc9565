/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of EC7xx: images with groups of packed sections, made from the table of the layout. The
   caller frees returned buffers. */
#ifndef DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_H
#define DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_H

#include "tests/unit/delta/container/test-containers.h"

#include <lzma.h>
#include "delta/ec7xx/image.h"
#include "delta/lzma/lzma.h"

#define PLAN_SECTIONS 8
#define SECTOR        4096U

struct plan {
    uint32_t plain_bytes, table_at;
    unsigned int pieces;
    unsigned int sections;
    struct {
        unsigned int group;
        bool is_stored; /* not packed */
        uint32_t bytes;
    } section
        [PLAN_SECTIONS]; /* in the order of the table. Group 1 follows the table; each other group begins at a
                                 sector and after the group before it. */
    uint32_t spare;      /* bytes of FF in each area, at least; sectors are filled */
    unsigned int revision; /* images of different revisions resemble each other */
    bool other_packer;     /* another encoder than that of a module packs section 0 */
};

/* Two groups, as in real CP images: group 0 at the end of the image. */
static inline struct plan usual_plan(void)
{
    return (struct plan){
        .plain_bytes = 5000,
        .table_at = 3 * SECTOR,
        .pieces = 3,
        .sections = 4,
        .section = {{0, false, 3001}, {0, false, 700}, {1, false, 2002}, {1, true, 333}},
        .spare = 600,
    };
}

/* Code-like bytes: few values, with a change in some places of each revision. */
static inline struct buffer plan_bytes(unsigned int seed, uint32_t len, unsigned int revision)
{
    struct random r = {seed};
    struct buffer made = random_bytes(&r, len, 23);
    for (uint32_t at = 17; revision > 0 && at < len; at += 1009)
        made.ptr[at] = (uint8_t)(revision + at);
    return made;
}

static inline void put_u32(struct buffer *buffer, size_t at, uint32_t value)
{
    little_put_u32(buffer->ptr + at, value);
}

static inline void fill_to(struct buffer *image, size_t multiple)
{
    size_t over = image->len % multiple;
    must_fill(image, 0xFF, over ? multiple - over : 0);
}

static inline void put_entry(struct buffer *image, size_t entry, const struct plan *plan, unsigned int place,
                             size_t offset, struct bytes plain)
{
    struct sha256 hash;
    bool is_stored = plan->section[place].is_stored;
    put_u32(image, entry, 0xEC718CA0);
    put_u32(image, entry + 4, (uint32_t)offset);
    put_u32(image, entry + 8, (uint32_t)(image->len - offset));
    put_u32(image, entry + 12, 0x500000 + place * 0x10000);
    put_u32(image, entry + 16, (uint32_t)plain.len);
    image->ptr[entry + 20] = (uint8_t)(10 + place);
    image->ptr[entry + 21] = !is_stored;
    image->ptr[entry + 22] = (uint8_t)plan->section[place].group;
    image->ptr[entry + 23] = !is_stored;
    sha256_of(plain.ptr, plain.len, &hash);
    memcpy(image->ptr + entry + 24, hash.byte, sizeof hash.byte);
}

/* The same form as lzma_device_pack(), by the encoder of liblzma. */
static inline void pack_otherwise(struct buffer *out, struct bytes plain)
{
    lzma_options_lzma options;
    size_t head = out->len, used = 0;
    assert_false(lzma_lzma_preset(&options, 6));
    options.dict_size = 0x10000;
    options.ext_flags = 0; /* no end marker */
    lzma_set_ext_size(options, plain.len);
    const lzma_filter chain[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    must_fill(out, 0, LZMA_HEAD_BYTES + plain.len + 1000);
    out->ptr[head] = 0x5D;
    put_u32(out, head + 1, 0x10000);
    put_u32(out, head + 5, (uint32_t)plain.len);
    assert_int_equal(lzma_raw_buffer_encode(chain, NULL, plain.ptr, plain.len,
                                            out->ptr + head + LZMA_HEAD_BYTES, &used, plain.len + 1000),
                     LZMA_OK);
    out->len = head + LZMA_HEAD_BYTES + used;
}

static inline void add_section(struct buffer *image, const struct plan *plan, unsigned int place)
{
    struct buffer plain = plan_bytes(50 + place, plan->section[place].bytes, plan->revision);
    struct error err;
    fill_to(image, 4);
    size_t offset = image->len;
    if (plan->section[place].is_stored)
        must_add(image, plain.ptr, plain.len);
    else if (plan->other_packer && place == 0)
        pack_otherwise(image, buffer_bytes(&plain));
    else
        assert_true(lzma_device_pack(image, buffer_bytes(&plain), &err));
    put_entry(image, plan->table_at + 8 + 56 * (size_t)place, plan, place, offset, buffer_bytes(&plain));
    buffer_free(&plain);
}

static inline void add_group(struct buffer *image, const struct plan *plan, unsigned int group)
{
    for (unsigned int i = 0; i < plan->sections; i++)
        if (plan->section[i].group == group)
            add_section(image, plan, i);
    must_fill(image, 0xFF, plan->spare);
}

static inline void add_tail(struct buffer *image, const struct plan *plan)
{
    size_t tail = 20 + 12 * (size_t)plan->pieces;
    must_fill(image, 0xFF, tail);
    fill_to(image, SECTOR);
    memset(image->ptr + image->len - tail, 0, tail);
    for (unsigned int i = 0; i < plan->pieces; i++)
        put_u32(image, image->len - tail + 12 * (size_t)i + 8,
                i + 1 == plan->pieces ? plan->plain_bytes << 4 : 0);
    put_u32(image, image->len - 16, 0x01000000 | plan->pieces << 16);
    put_u32(image, image->len - 12, plan->plain_bytes);
    put_u32(image, image->len - 8, plan->table_at);
    memcpy(image->ptr + image->len - 4, "CMAR", 4);
}

static inline struct buffer plan_image(const struct plan *plan)
{
    struct buffer image = plan_bytes(7, plan->plain_bytes, plan->revision);
    must_fill(&image, 0xFF, plan->table_at - plan->plain_bytes);
    must_fill(&image, 0, 12 + 56 * (size_t)plan->sections);
    put_u32(&image, plan->table_at, 0xEC718CBA);
    put_u32(&image, plan->table_at + 4, plan->sections);
    put_u32(&image, image.len - 4, 0xEC718CBD);
    add_group(&image, plan, 1);
    for (unsigned int group = 0; group < 4; group++)
        for (unsigned int i = 0; i < plan->sections; i++)
            if (group != 1 && plan->section[i].group == group) {
                fill_to(&image, SECTOR);
                add_group(&image, plan, group);
                break;
            }
    add_tail(&image, plan);
    return image;
}

#endif
