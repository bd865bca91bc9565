/* `dfota inspect` of an EC618's delta packages: wrappers, archive, payload. */
#include <string.h>
#include "delta/ec618_payload.h"
#include "delta/inspect_list.h"
#include "base/little.h"
#include "delta/par.h"
#include "delta/wrapper.h"

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

/* The fields in front of the parts, as far as they are there, also of a payload that is cut off. Returns
   their length. */
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
                      sound ? "in the order in which they stand:" : "not taken apart");
    if (sound && !ec618_payload_describe(&opened, list->to, &err))
        inspect_wrong(list, &err);
}

/* ---- Archive ---- */

/* The bytes of one head that nobody knows, of those between two offsets, and whether they are the sample's.
 */
static void list_rows(struct inspect_list *list, struct bytes head, enum par_place place, size_t from,
                      size_t to)
{
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        const struct par_unknown_row *row = &par_unknown_table[i];
        char guess[160];
        if (row->place != place || row->computed || row->offset < from || row->offset >= to)
            continue;
        bool same = memcmp(head.ptr + row->offset, row->sample, row->size) == 0;
        snprintf(guess, sizeof guess, "%s; %s in the sample", row->known, same ? "the same" : "OTHER BYTES");
        inspect_unknown(list, inspect_slice(head, row->offset, row->size), row->name, guess);
    }
}

static void list_part(struct inspect_list *list, const struct par_part *part, unsigned int number)
{
    char hex[SHA256_HEX_SIZE], name[PAR_NAME_BYTES + 1];
    struct bytes head = part->head;
    uint32_t other_bits = (head.ptr[0] & 0x1FU) | (head.ptr[2] & 0xFCU) << 16;
    inspect_title(list, "Package %u at 0x%zx", number, (size_t)(head.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(head, 0, 4), "bits", "part %u (%s), head of %zu bytes, %u segments%s",
                  part->attribute, par_attribute_name(part->attribute), head.len, part->segments,
                  other_bits ? ", and bits that are zero in the sample" : "");
    inspect_field(list, inspect_slice(head, 4, 4), "length", "%u, head included", part->package_bytes);
    list_rows(list, head, PAR_IN_PART, 0, 56);
    inspect_field(list, inspect_slice(head, 12, 4), "load address", "0x%08x (presumably)",
                  part->load_address);
    inspect_field(list, inspect_slice(head, 16, 4), "new size", "%u (presumably)", part->new_bytes);
    inspect_field(list, inspect_slice(head, 20, 4), "base size", "%u", part->base_bytes);
    inspect_field(list, inspect_slice(head, 24, 32), "base SHA-256", "%s", hex_of(&part->base_hash, hex));
    list_rows(list, head, PAR_IN_PART, 56, 60);
    inspect_field(list, inspect_slice(head, 60, 32), "new SHA-256", "%s (presumably)",
                  hex_of(&part->new_hash, hex));
    list_rows(list, head, PAR_IN_PART, 60, 94);
    inspect_field(list, inspect_slice(head, 94, PAR_NAME_BYTES), "name", "%s",
                  inspect_clean(part->name, name, sizeof name));
    inspect_unknown(list, inspect_slice(head, PAR_PART_BYTES, head.len - PAR_PART_BYTES), "longer head",
                    NULL);
    if (part->payload.len > 0)
        inspect_payload(list, part->payload);
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
    char hex[SHA256_HEX_SIZE];
    bool sound = par_check(&par, &err) || inspect_wrong(list, &err);
    inspect_title(list, "Archive at 0x%zx", (size_t)(bytes.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(bytes, 0, 2), "magic", "ecdf");
    list_rows(list, par.head, PAR_IN_HEAD, 0, 44);
    inspect_field(list, inspect_slice(bytes, 8, 4), "length", "%u%s", par.stated_bytes,
                  par.stated_bytes > PAR_MODULE_MAX ? ": a module refuses more than 491520" : "");
    inspect_field(list, inspect_slice(bytes, 12, 32), "SHA-256", "%s%s", hex_of(&par.stated_hash, hex),
                  sound ? ", right (of the archive with these bytes zeroed)" : "");
    list_rows(list, par.head, PAR_IN_HEAD, 44, PAR_HEAD_BYTES);
    for (unsigned int i = 0; i < par.parts; i++)
        list_part(list, &par.part[i], i + 1);
    inspect_unknown(list, par.rest, "rest", "no package");
}

/* ---- Wrappers ---- */

void inspect_at(struct inspect_list *list, struct bytes file)
{
    struct bytes par;
    uint32_t stated;
    struct error err;
    if (!wrapper_at_read(file, &par, &stated, &err)) {
        inspect_wrong(list, &err);
        inspect_unknown(list, file, "framing", "cut off");
        return;
    }
    if (stated != par.len) {
        error_set(&err, ERROR_CORRUPT, "the AT framing is for %u bytes, and %zu follow", stated, par.len);
        inspect_wrong(list, &err);
    }
    inspect_title(list, "AT framing");
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

static void list_common(struct inspect_list *list, struct bytes common)
{
    struct luatos_sector sector;
    struct luatos_block block;
    struct error err;
    char md5[2 * LUATOS_MD5_BYTES + 1];
    if (!luatos_sector_read(common, &sector, &err)) {
        inspect_unknown(list, common, "common data", err.text);
        return;
    }
    inspect_title(list, "Common data at 0x%zx (a script)", (size_t)(common.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(common, 0, 4), "magic", "%08x", sector.magic);
    inspect_field(list, inspect_slice(common, 4, 4), "packed", "%u bytes follow", sector.packed_bytes);
    inspect_field(list, inspect_slice(common, 8, 4), "unpacked", "%u bytes", sector.plain_bytes);
    inspect_field(list, inspect_slice(common, 12, 16), "MD5", "%s of the unpacked data",
                  md5_hex(sector.md5, md5));
    inspect_field(list, inspect_slice(common, 28, 4), "block",
                  "%u bytes of unpacked data in each but the last", sector.block_bytes);
    inspect_field(list, inspect_slice(common, 32, 4), "address", "0x%08x", sector.address);
    while (luatos_block_next(&sector.blocks, &block)) {
        inspect_field(list, block.head, "block head", "%zu bytes of properties, %zu packed",
                      block.properties.len, block.packed.len);
        inspect_field(list, block.packed, "block", block.properties.len ? "LZMA" : "not packed");
    }
    inspect_unknown(list, sector.blocks, "rest", "no block");
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
                  head.crc == head.real_crc ? ", right" : ", WRONG");
    list_versions(list, inspect_slice(file, 8, 20), "core version", head.versions.main);
    inspect_field(list, inspect_slice(file, 28, 4), "app version", "%08x", head.versions.app);
    list_versions(list, inspect_slice(file, 32, 20), "allowed base", head.versions.base);
    inspect_field(list, inspect_slice(file, 52, 4), "common data", "%u bytes", head.common_bytes);
    inspect_field(list, inspect_slice(file, 56, 4), "core data", "%u bytes%s", head.sdk_bytes,
                  head.sdk_bytes ? "" : ": script only, for any core");
    inspect_field(list, inspect_slice(file, 60, 16), "common MD5", "%s", md5_hex(head.common_md5, md5));
    inspect_field(list, inspect_slice(file, 76, 16), "core MD5", "%s (zero in every file seen)",
                  md5_hex(head.sdk_md5, md5));
    if (head.common.len > 0)
        list_common(list, head.common);
    if (head.sdk.len > 0 && par_owns(head.sdk))
        inspect_par(list, head.sdk);
    else
        inspect_unknown(list, head.sdk, "core data", "no .par");
    inspect_unknown(list, head.rest, "rest", NULL);
}
