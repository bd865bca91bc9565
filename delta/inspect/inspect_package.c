/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect` for delta packages of EC618 and EC7xx: wrappers, archive, and the payload of an EC618. */
#include <string.h>
#include "delta/ec618/payload.h"
#include "delta/ec618/rules.h"
#include "delta/ec7xx/payload.h"
#include "delta/ec7xx/rules.h"
#include "delta/inspect/inspect_list.h"
#include "base/little.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"

static const char *hex_of(const struct sha256 *hash, char out[SHA256_HEX_SIZE])
{
    sha256_hex(hash, out);
    return out;
}

static const char *md5_hex(const uint8_t md5[LUATOS_MD5_BYTES], char out[2 * LUATOS_MD5_BYTES + 1])
{
    for (size_t i = 0; i < LUATOS_MD5_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", md5[i]);
    return out;
}

/* ---- Payload ---- */

/* Prints the fields before the parts, as far as the payload goes. Returns their length. */
static size_t list_payload_head(struct inspect_list *list, struct bytes payload)
{
    if (payload.len < 16)
        return 0;
    size_t parts = little_u32(payload.ptr + 4), there = (payload.len - 16) / 4;
    size_t table = 4 * (parts < there ? parts : there);
    inspect_field(list, inspect_slice(payload, 0, 4), "magic", "BPHD");
    inspect_field(list, inspect_slice(payload, 4, 4), "parts", "%zu", parts);
    inspect_field(list, inspect_slice(payload, 8, 4), "old size", "%u", little_u32(payload.ptr + 8));
    bool reverse = payload.ptr[12] == 'R';
    inspect_field(list, inspect_slice(payload, 12, 4), "order",
                  reverse ? "RvsO, last block first" : "NorO, first block first");
    inspect_field(list, inspect_slice(payload, 16, table), "table", "length of each part%s",
                  parts > there ? ", CUT OFF" : "");
    return 16 + table;
}

void inspect_payload(struct inspect_list *list, struct bytes payload)
{
    struct ec618_payload opened;
    struct error err;
    inspect_title(list, "Payload at 0x%zx", (size_t)(payload.ptr - list->file.ptr));
    bool sound = ec618_payload_open(payload, &opened, &err) || inspect_wrong(list, &err);
    size_t head = list_payload_head(list, payload);
    struct bytes parts = inspect_slice(payload, head, payload.len - head);
    if (!sound && head == 0)
        inspect_unknown(list, parts, "payload", "cut off in its head");
    else
        inspect_field(list, parts, "part heads, streams",
                      sound ? "in the order of the payload:" : "not read");
    if (sound && !ec618_payload_describe(&opened, list->to, &err))
        inspect_wrong(list, &err);
}

/* ---- Archive ---- */

/* The options after the first 112 bytes, which the vendor's packers can add. */
static void list_part_tail(struct inspect_list *list, struct bytes head)
{
    if (head.len == PAR_PART_BYTES)
        return;
    struct bytes tail = inspect_slice(head, PAR_PART_BYTES, head.len - PAR_PART_BYTES);
    if (tail.ptr[0] == EC7XX_OPTION_SYMBOLS)
        inspect_unknown(list, tail, "more options", "of the vendor's second form (HLS)");
    else
        inspect_field(list, tail, "more options", "not read");
}

static void list_part(struct inspect_list *list, const struct par_part *part, unsigned int number)
{
    char hex[SHA256_HEX_SIZE], name[PAR_NAME_BYTES + 1];
    struct bytes head = part->head;
    inspect_title(list, "Package %u at 0x%zx", number, (size_t)(head.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(head, 0, 4), "bits",
                  "index %u, order bit %d, part %u (%s), head of %zu bytes, %u segments", part->index,
                  part->reverse, part->attribute, par_attribute_name(part->attribute), head.len,
                  part->segments);
    inspect_field(list, inspect_slice(head, 4, 4), "length", "%u, head included", part->package_bytes);
    inspect_field(list, inspect_slice(head, 8, 4), "reserved", "not read");
    inspect_field(list, inspect_slice(head, 12, 4), "load address", "0x%08x (not used in patching)",
                  part->load_address);
    inspect_field(list, inspect_slice(head, 16, 4), "new size", "%u", part->new_bytes);
    inspect_field(list, inspect_slice(head, 20, 4), "base size", "%u", part->base_bytes);
    inspect_field(list, inspect_slice(head, 24, 32), "base SHA-256", "%s", hex_of(&part->base_hash, hex));
    inspect_field(list, inspect_slice(head, 56, 4), "option", "%02x%02x%02x%02x: kind %u, %u bytes",
                  head.ptr[56], head.ptr[57], head.ptr[58], head.ptr[59], head.ptr[56], head.ptr[57]);
    inspect_field(list, inspect_slice(head, 60, 32), "new SHA-256", "%s", hex_of(&part->new_hash, hex));
    inspect_field(list, inspect_slice(head, 92, 2), "option", "%02x%02x: kind %u, %u bytes", head.ptr[92],
                  head.ptr[93], head.ptr[92], head.ptr[93]);
    inspect_field(list, inspect_slice(head, 94, PAR_NAME_BYTES), "name", "%s",
                  inspect_clean(part->name, name, sizeof name));
    list_part_tail(list, head);
    if (ec7xx_payload_owns(part->payload))
        inspect_ec7xx_payload(list, part->payload);
    else if (part->payload.len > 0)
        inspect_payload(list, part->payload);
}

static void list_chip(struct inspect_list *list, const struct par *par)
{
    struct bytes field = inspect_slice(par->head, 4, 2);
    if (ec7xx_rules_hold_for(par))
        inspect_field(list, field, "chip", "%02x%02x: flash of %d MB, segments of %u * 32 KB", field.ptr[0],
                      field.ptr[1], field.ptr[0] & 1 ? 8 : 4, (field.ptr[0] >> 3 & 7) + 1U);
    else
        inspect_field(list, field, "chip", "%02x%02x (not read by an EC618)", field.ptr[0], field.ptr[1]);
}

static void list_head(struct inspect_list *list, const struct par *par, bool sound)
{
    char hex[SHA256_HEX_SIZE];
    struct bytes head = par->head;
    inspect_title(list, "Archive at 0x%zx", (size_t)(head.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(head, 0, 2), "magic", "ecdf");
    inspect_field(list, inspect_slice(head, 2, 1), "version", "%02x", head.ptr[2]);
    inspect_field(list, inspect_slice(head, 3, 1), "packages", "%02x: %u, and the method bits", head.ptr[3],
                  par->stated_parts);
    list_chip(list, par);
    inspect_field(list, inspect_slice(head, 6, 2), "segment size", "%u", par->segment_bytes);
    inspect_field(list, inspect_slice(head, 8, 4), "length", "%u%s", par->stated_bytes,
                  par->stated_bytes > PAR_MODULE_MAX && !ec7xx_rules_hold_for(par)
                      ? ": a module refuses more than 491520"
                      : "");
    inspect_field(list, inspect_slice(head, 12, 32), "SHA-256", "%s%s", hex_of(&par->stated_hash, hex),
                  sound ? ", correct (with these bytes as zeros, and the progress as FF)" : "");
    inspect_field(list, inspect_slice(head, PAR_PROGRESS, par->progress_bytes), "progress",
                  "FF until a module patches");
}

static void check_rules(struct inspect_list *list, const struct par *par)
{
    struct error err;
    bool is_ec7xx = ec7xx_rules_hold_for(par);
    bool ok = is_ec7xx                    ? ec7xx_rules_check(par, &err)
              : ec618_rules_hold_for(par) ? ec618_rules_check(par, &err)
                                          : true;
    if (!ok && err.code == ERROR_CANNOT_APPLY)
        inspect_title(list, "dfota cannot apply this package: %s.", err.text);
    else if (!ok)
        inspect_wrong(list, &err);
}

void inspect_par(struct inspect_list *list, struct bytes bytes)
{
    struct par par;
    struct error err;
    if (!par_read(bytes, &par, &err)) {
        inspect_wrong(list, &err);
        inspect_unknown(list, bytes, "archive", "cut off in its head");
        return;
    }
    bool sound = par_check(&par, &err) || inspect_wrong(list, &err);
    if (sound)
        check_rules(list, &par);
    list_head(list, &par, sound);
    for (unsigned int i = 0; i < par.parts; i++)
        list_part(list, &par.part[i], i + 1);
    inspect_unknown(list, par.rest, "rest", "not a package");
}

/* ---- Wrappers ---- */

void inspect_at(struct inspect_list *list, struct bytes file)
{
    struct bytes par;
    uint32_t stated;
    struct error err;
    if (!wrapper_at_read(file, &par, &stated, &err)) {
        inspect_wrong(list, &err);
        inspect_unknown(list, file, "head", "cut off");
        return;
    }
    if (stated != par.len) {
        error_set(&err, ERROR_CORRUPT, "the head of AT firmware states %u bytes, and %zu follow", stated,
                  par.len);
        inspect_wrong(list, &err);
    }
    inspect_title(list, "Head of AT firmware");
    inspect_field(list, inspect_slice(file, 0, 6), "mark", "7e000000017d");
    inspect_field(list, inspect_slice(file, 6, 4), "length", "%u (high byte first)", stated);
    inspect_par(list, par);
}

static void list_versions(struct inspect_list *list, struct bytes field, const char *name,
                          const uint32_t version[5])
{
    inspect_field(list, field, name, "%08x %08x %08x %08x %08x", version[0], version[1], version[2],
                  version[3], version[4]);
}

/* Returns what follows the sector. */
static struct bytes list_sector(struct inspect_list *list, struct bytes common, const char *content)
{
    struct luatos_sector sector;
    struct luatos_block block;
    struct error err;
    char md5[2 * LUATOS_MD5_BYTES + 1];
    if (!luatos_sector_read(common, &sector, &err)) {
        inspect_unknown(list, common, "common data", err.text);
        return (struct bytes){NULL, 0};
    }
    size_t packed = sector.packed_bytes < sector.blocks.len ? sector.packed_bytes : sector.blocks.len;
    struct bytes rest = inspect_slice(sector.blocks, packed, sector.blocks.len - packed);
    sector.blocks.len = packed;
    inspect_title(list, "Common data at 0x%zx (%s)", (size_t)(common.ptr - list->file.ptr), content);
    inspect_field(list, inspect_slice(common, 0, 4), "magic", "%08x", sector.magic);
    inspect_field(list, inspect_slice(common, 4, 4), "compressed", "%u bytes follow", sector.packed_bytes);
    inspect_field(list, inspect_slice(common, 8, 4), "unpacked", "%u bytes", sector.plain_bytes);
    inspect_field(list, inspect_slice(common, 12, 16), "MD5", "%s of the unpacked data",
                  md5_hex(sector.md5, md5));
    inspect_field(list, inspect_slice(common, 28, 4), "block",
                  "%u bytes of unpacked data in each but the last", sector.block_bytes);
    inspect_field(list, inspect_slice(common, 32, 4), "address", "0x%08x%s", sector.address,
                  sector.address & LUATOS_CP_FLASH ? ", in the flash of CP" : "");
    while (luatos_block_next(&sector.blocks, &block)) {
        inspect_field(list, block.head, "block head", "%zu bytes of properties, %zu compressed",
                      block.properties.len, block.packed.len);
        inspect_field(list, block.packed, "block", block.properties.len ? "LZMA" : "not compressed");
    }
    inspect_unknown(list, sector.blocks, "rest", "not a block");
    return rest;
}

static void list_common(struct inspect_list *list, struct bytes common, bool full)
{
    while (common.len > 0)
        common = list_sector(list, common, full ? "a part of the firmware" : "a script");
}

void inspect_luatos(struct inspect_list *list, struct bytes file)
{
    struct luatos_file head;
    struct error err;
    char md5[2 * LUATOS_MD5_BYTES + 1];
    if (!luatos_read(file, &head, &err)) {
        inspect_wrong(list, &err);
        inspect_unknown(list, file, "head", "cut off");
        return;
    }
    if (!luatos_check(&head, &err))
        inspect_wrong(list, &err);
    inspect_title(list, "Head of 92 bytes");
    inspect_field(list, inspect_slice(file, 0, 4), "magic", "%08x, %s", head.magic,
                  head.magic == LUATOS_EC618 ? "EC618" : "EC7xx");
    inspect_field(list, inspect_slice(file, 4, 4), "checksum", "%08x%s", head.crc,
                  head.crc == head.real_crc ? ", correct" : ", WRONG");
    list_versions(list, inspect_slice(file, 8, 20), "core version", head.versions.main);
    inspect_field(list, inspect_slice(file, 28, 4), "app version", "%08x", head.versions.app);
    list_versions(list, inspect_slice(file, 32, 20), "allowed base", head.versions.base);
    inspect_field(list, inspect_slice(file, 52, 4), "common data", "%u bytes", head.common_bytes);
    inspect_field(list, inspect_slice(file, 56, 4), "core data", "%u bytes%s", head.sdk_bytes,
                  head.sdk_bytes           ? ""
                  : luatos_owns_full(file) ? ": full package"
                                           : ": script only");
    inspect_field(list, inspect_slice(file, 60, 16), "common MD5", "%s", md5_hex(head.common_md5, md5));
    inspect_field(list, inspect_slice(file, 76, 16), "core MD5", "%s (no module reads this)",
                  md5_hex(head.sdk_md5, md5));
    list_common(list, head.common, luatos_owns_full(file));
    if (head.sdk.len > 0 && par_owns(head.sdk))
        inspect_par(list, head.sdk);
    else
        inspect_unknown(list, head.sdk, "core data", "not a .par");
    inspect_unknown(list, head.rest, "rest", NULL);
}
