/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect` for AP and CP images of an EC7xx with packed sections. */
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "base/sha256.h"
#include "delta/ec7xx/image.h"
#include "delta/inspect/inspect_list.h"

static void list_entry(struct inspect_list *list, struct bytes entry, unsigned int number)
{
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    memcpy(hash.byte, entry.ptr + EC7XX_ENTRY_HASH, SHA256_SIZE);
    sha256_hex(&hash, hex);
    inspect_title(list, "Section entry %u at 0x%zx", number, (size_t)(entry.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(entry, 0, 4), "mark", "%08x", little_u32(entry.ptr));
    inspect_field(list, inspect_slice(entry, 4, 4), "offset", "0x%x", little_u32(entry.ptr + 4));
    inspect_field(list, inspect_slice(entry, 8, 4), "packed", "%u bytes", little_u32(entry.ptr + 8));
    inspect_field(list, inspect_slice(entry, 12, 4), "load address", "0x%08x", little_u32(entry.ptr + 12));
    inspect_field(list, inspect_slice(entry, 16, 4), "unpacked", "%u bytes", little_u32(entry.ptr + 16));
    inspect_field(list, inspect_slice(entry, 20, 1), "index", "%u", entry.ptr[20]);
    inspect_field(list, inspect_slice(entry, 21, 1), "flags", "%02x: %s", entry.ptr[21],
                  entry.ptr[21] & 1 ? "packed" : "not packed");
    inspect_field(list, inspect_slice(entry, 22, 1), "group", "%u", entry.ptr[22]);
    inspect_unknown(list, inspect_slice(entry, 23, 1), "high byte of group", "0 or 1 in known files");
    inspect_field(list, inspect_slice(entry, EC7XX_ENTRY_HASH, SHA256_SIZE), "SHA-256", "%s", hex);
}

static void list_table(struct inspect_list *list, const struct ec7xx_image *image)
{
    struct bytes table = inspect_slice(image->all, image->table_at, image->all.len - image->table_at);
    inspect_title(list, "Section table at 0x%x", image->table_at);
    inspect_field(list, inspect_slice(table, 0, 4), "mark", "%08x", little_u32(table.ptr));
    inspect_field(list, inspect_slice(table, 4, 4), "sections", "%u", image->sections);
    size_t at = EC7XX_TABLE_HEAD_BYTES;
    for (unsigned int i = 0; i < image->sections; i++, at += EC7XX_ENTRY_BYTES)
        list_entry(list, inspect_slice(table, at, EC7XX_ENTRY_BYTES), i + 1);
    inspect_field(list, inspect_slice(table, at, EC7XX_TABLE_END_BYTES), "end of the table", "%08x",
                  little_u32(table.ptr + at));
}

static void list_group(struct inspect_list *list, const struct ec7xx_image *image,
                       const struct ec7xx_group *group)
{
    size_t end = (size_t)group->offset + group->area_bytes - group->tail_bytes;
    inspect_title(list, "Group %u at 0x%x, 0x%x bytes, %u unpacked", group->number, group->offset,
                  group->area_bytes, group->plain_bytes);
    for (unsigned int i = 0; i < group->sections; i++) {
        const struct ec7xx_section *section = &group->section[i];
        size_t behind = section->offset + (size_t)section->packed_bytes;
        size_t next = i + 1 < group->sections ? group->section[i + 1].offset : end;
        inspect_field(list, inspect_slice(image->all, section->offset, section->packed_bytes), "section",
                      "%u, %s", section->index, section->is_packed ? "LZMA" : "not packed");
        if (next > behind)
            inspect_field(list, inspect_slice(image->all, behind, next - behind), "filled", "FF");
    }
}

static void list_tail(struct inspect_list *list, const struct ec7xx_image *image)
{
    struct bytes tail = inspect_slice(image->all, image->all.len - image->tail_bytes, image->tail_bytes);
    inspect_title(list, "Tail at 0x%zx", image->all.len - image->tail_bytes);
    for (unsigned int i = 0; i < image->pieces; i++) {
        struct bytes piece = inspect_slice(tail, (size_t)i * EC7XX_PIECE_BYTES, EC7XX_PIECE_BYTES);
        uint32_t length = little_u32(piece.ptr + 8);
        inspect_field(list, piece, "piece",
                      "of the plain part: addresses 0x%08x and 0x%08x, 0x%x bytes (bits 4 and up), "
                      "flags %x",
                      little_u32(piece.ptr), little_u32(piece.ptr + 4), length >> 4, length & 0xF);
    }
    struct bytes end = inspect_slice(tail, tail.len - EC7XX_TAIL_BYTES, EC7XX_TAIL_BYTES);
    inspect_unknown(list, inspect_slice(end, 0, 4), "reserved", "zero in known files");
    inspect_unknown(list, inspect_slice(end, 4, 2), "low half", "zero in known files");
    inspect_field(list, inspect_slice(end, 6, 1), "pieces", "%u", image->pieces);
    inspect_unknown(list, inspect_slice(end, 7, 1), "high byte", "1 in known files");
    inspect_field(list, inspect_slice(end, 8, 4), "plain part", "0x%x bytes", image->plain_bytes);
    inspect_field(list, inspect_slice(end, 12, 4), "section table", "at 0x%x", image->table_at);
    inspect_field(list, inspect_slice(end, 16, 4), "mark", "CMAR");
}

void inspect_ec7xx_image(struct inspect_list *list, struct bytes file)
{
    struct ec7xx_image image;
    struct error err;
    if (!ec7xx_image_open(file, &image, &err)) {
        inspect_wrong(list, &err);
        inspect_field(list, file, "image", "not read");
        return;
    }
    if (!ec7xx_image_check_hashes(&image, &err))
        inspect_wrong(list, &err);
    else if (!ec7xx_image_check_packing(&image, &err))
        inspect_title(list, "No package can lead to this image: %s.", err.text);
    inspect_field(list, inspect_slice(file, 0, image.plain_bytes), "plain part", "patched in its place");
    if (image.table_at > image.plain_bytes)
        inspect_field(list, inspect_slice(file, image.plain_bytes, image.table_at - image.plain_bytes),
                      "filled", "FF");
    list_table(list, &image);
    for (unsigned int i = 0; i < image.groups; i++)
        list_group(list, &image, &image.group[i]);
    list_tail(list, &image);
}
