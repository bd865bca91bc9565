/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect` for the payloads of an EC7xx's delta packages. */
#include <stdlib.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/ec7xx/delta.h"
#include "delta/ec7xx/payload.h"
#include "delta/inspect/inspect_list.h"

/* ---- Deltas ---- */

static void list_block(struct inspect_list *list, const struct ec7xx_delta_block *block, const char *name,
                       size_t unpacked)
{
    inspect_field(list, block->bytes, name, "%zu bytes%s", unpacked,
                  block->is_packed ? ", packed with LZMA" : "");
}

static size_t count_records(const struct ec7xx_delta *delta)
{
    struct bytes left = buffer_bytes(&delta->records);
    struct ec7xx_record record;
    size_t count = 0;
    while (left.len > 0 && ec7xx_delta_next(&left, &record))
        count++;
    return count;
}

static void list_delta(struct inspect_list *list, const struct ec7xx_segment *segment)
{
    _cleanup_(ec7xx_delta_free) struct ec7xx_delta delta = {.new_bytes = 0};
    struct error err;
    bool sound = ec7xx_delta_open(segment->delta, segment->new_bytes, &delta, &err);
    if (!sound && delta.difference.bytes.ptr == NULL) {
        inspect_wrong(list, &err);
        inspect_unknown(list, segment->delta, "delta", "damaged");
        return;
    }
    if (!sound)
        inspect_wrong(list, &err);
    inspect_field(list, delta.head, "delta head", "ECHEADER, control %zu, extra %zu, difference %zu bytes",
                  delta.control.bytes.len, delta.extra.bytes.len, delta.difference.bytes.len);
    if (sound)
        inspect_field(list, delta.control.bytes, "control", "%zu records in %zu bytes%s",
                      count_records(&delta), delta.records.len,
                      delta.control.is_packed ? ", packed with LZMA" : "");
    else
        list_block(list, &delta.control, "control", delta.records.len);
    list_block(list, &delta.extra, "extra", delta.extra_bytes.len);
    inspect_field(list, delta.difference.bytes, "difference",
                  "%zu bytes, bzip2, %zu blocks of at most %zu bytes", delta.difference_bytes.len,
                  delta.shape.blocks, delta.shape.largest_block);
    if (delta.rest.len > 0)
        inspect_field(list, delta.rest, "end", "a zero, as the vendor's packer writes");
}

/* ---- Segments ---- */

static void list_row(struct inspect_list *list, struct bytes row, const struct ec7xx_pair *pair,
                     unsigned int place)
{
    const struct ec7xx_group *sides[] = {&pair->old, &pair->new};
    for (unsigned int side = 0; side < 2; side++) {
        struct bytes half = inspect_slice(row, side * row.len / 2, row.len / 2);
        const char *name = side ? "new section" : "old section";
        const struct ec7xx_section *section = &sides[side]->section[place];
        if (place < sides[side]->sections)
            inspect_field(list, half, name, "%u at 0x%x, %u bytes %s, %u unpacked", section->index,
                          section->offset, section->packed_bytes,
                          section->is_packed ? "packed" : "not packed", section->plain_bytes);
        else
            inspect_field(list, half, name, "none");
    }
}

static void list_group_head(struct inspect_list *list, struct bytes head, const struct ec7xx_pair *pair)
{
    const struct ec7xx_group *old = &pair->old, *new = &pair->new;
    inspect_field(list, inspect_slice(head, 0, 4), "magic", "ec5a4748");
    inspect_field(list, inspect_slice(head, 4, 1), "group", "%u", new->number);
    inspect_unknown(list, inspect_slice(head, 5, 3), "reserved", "zero in known files");
    inspect_field(list, inspect_slice(head, 8, 2), "kind",
                  "%u, %u: bit 0 has a tail; bit 1 has the section table (?)", head.ptr[8], head.ptr[9]);
    inspect_field(list, inspect_slice(head, 10, 2), "tail", "%u, %u bytes", old->tail_bytes, new->tail_bytes);
    inspect_field(list, inspect_slice(head, 12, 4), "head", "%u, %u bytes", old->head_bytes, new->head_bytes);
    inspect_field(list, inspect_slice(head, 16, 4), "sections", "%u, %u", old->sections, new->sections);
    inspect_field(list, inspect_slice(head, 20, 8), "offset", "0x%x, 0x%x", old->offset, new->offset);
    inspect_field(list, inspect_slice(head, 28, 8), "area", "0x%x, 0x%x bytes", old->area_bytes,
                  new->area_bytes);
    inspect_field(list, inspect_slice(head, 36, 8), "unpacked", "%u, %u bytes", old->plain_bytes,
                  new->plain_bytes);
    for (size_t at = EC7XX_GROUP_HEAD; at < head.len; at += EC7XX_GROUP_PAIR_ROW)
        list_row(list, inspect_slice(head, at, EC7XX_GROUP_PAIR_ROW), pair,
                 (unsigned int)((at - EC7XX_GROUP_HEAD) / EC7XX_GROUP_PAIR_ROW));
}

static void list_segment(struct inspect_list *list, const struct ec7xx_payload *payload, unsigned int place)
{
    const struct ec7xx_segment *segment = &payload->segment[place];
    inspect_title(list, "Segment %u at 0x%zx: %s, makes %u bytes for 0x%x of the image", place,
                  (size_t)(segment->all.ptr - list->file.ptr), segment->is_group ? "a group" : "plain",
                  segment->new_bytes, segment->at);
    if (segment->is_group)
        list_group_head(list, inspect_slice(segment->all, 0, segment->all.len - segment->delta.len),
                        &payload->pair[segment->group]);
    list_delta(list, segment);
}

/* ---- Payload ---- */

/* Prints head and table, as far as the payload goes. Returns their length. */
static size_t list_head(struct inspect_list *list, struct bytes payload)
{
    unsigned int flags = little_u16(payload.ptr + 4);
    size_t rows = little_u16(payload.ptr + 6);
    size_t there = (payload.len - EC7XX_PAYLOAD_HEAD) / EC7XX_SEGMENT_ROW;
    inspect_field(list, inspect_slice(payload, 0, 4), "magic", "ec505348");
    inspect_field(list, inspect_slice(payload, 4, 2), "flags", "%s, %s, %u groups",
                  flags & 1 ? "backward" : "forward", flags & 2 ? "packed sections" : "no packed sections",
                  flags >> 2);
    inspect_field(list, inspect_slice(payload, 6, 2), "segments", "%zu%s", rows,
                  rows > there ? ", CUT OFF" : "");
    inspect_field(list, inspect_slice(payload, 8, 4), "old plain part", "0x%x bytes",
                  little_u32(payload.ptr + 8));
    inspect_field(list, inspect_slice(payload, 12, 4), "new plain part", "0x%x bytes",
                  little_u32(payload.ptr + 12));
    inspect_field(list, inspect_slice(payload, 16, 4), "old section table", "at 0x%x",
                  little_u32(payload.ptr + 16));
    inspect_field(list, inspect_slice(payload, 20, 4), "new section table", "at 0x%x",
                  little_u32(payload.ptr + 20));
    for (size_t i = 0; i < rows && i < there; i++) {
        struct bytes row =
            inspect_slice(payload, EC7XX_PAYLOAD_HEAD + i * EC7XX_SEGMENT_ROW, EC7XX_SEGMENT_ROW);
        inspect_field(list, row, "segment", "%s at %u, %u bytes, writes 0x%x; marks %02x %02x",
                      row.ptr[0] & 1 ? "group" : "plain", little_u32(row.ptr) >> 8,
                      little_u32(row.ptr + 4) >> 8, little_u32(row.ptr + 8), row.ptr[0], row.ptr[4]);
    }
    return EC7XX_PAYLOAD_HEAD + (rows < there ? rows : there) * EC7XX_SEGMENT_ROW;
}

void inspect_ec7xx_payload(struct inspect_list *list, struct bytes bytes)
{
    _cleanup_(cleanup_free) struct ec7xx_payload *payload = malloc(sizeof *payload);
    struct error err;
    if (!payload)
        return;
    inspect_title(list, "Payload of an EC7xx at 0x%zx", (size_t)(bytes.ptr - list->file.ptr));
    bool sound = ec7xx_payload_open(bytes, payload, &err);
    size_t head = list_head(list, bytes);
    if (!sound) {
        if (err.code != ERROR_CANNOT_APPLY)
            inspect_wrong(list, &err);
        inspect_unknown(list, inspect_slice(bytes, head, bytes.len - head), "segments",
                        err.code == ERROR_CANNOT_APPLY ? err.text
                                                       : "not read, because of a fault before them");
        return;
    }
    for (unsigned int i = 0; i < payload->segments; i++)
        list_segment(list, payload, i);
}
