/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect` for the full firmware of an EC618: a .binpkg, and a .soc. */
#include "delta/container/binpkg.h"
#include "delta/container/luadb.h"
#include "delta/container/soc.h"
#include "delta/inspect/inspect_list.h"

static void list_entry(struct inspect_list *list, const struct binpkg_entry *entry, unsigned int number)
{
    char name[65], type[17], hex[SHA256_HEX_SIZE] = "no SHA-256";
    struct bytes head = entry->head;
    struct sha256 hash;
    sha256_of(entry->image.ptr, entry->image.len, &hash);
    bool right = entry->has_hash && sha256_equal(&hash, &entry->hash);
    if (entry->has_hash)
        sha256_hex(&entry->hash, hex);
    inspect_title(list, "Entry %u at 0x%zx", number, (size_t)(head.ptr - list->file.ptr));
    inspect_field(list, inspect_slice(head, 0, 64), "name", "%s",
                  inspect_clean(entry->name, name, sizeof name));
    inspect_field(list, inspect_slice(head, 64, 4), "address", "0x%08x", entry->address);
    inspect_field(list, inspect_slice(head, 68, 4), "flash size", "%u", entry->flash_bytes);
    inspect_field(list, inspect_slice(head, 72, 4), "offset", "%u", entry->offset);
    inspect_field(list, inspect_slice(head, 76, 4), "image size", "%u%s", entry->image_bytes,
                  entry->image.len == entry->image_bytes ? "" : ", CUT OFF");
    inspect_field(list, inspect_slice(head, 80, 256), "SHA-256", "%s%s", hex,
                  right ? ", correct" : ", WRONG");
    inspect_field(list, inspect_slice(head, 336, 16), "type", "%s",
                  inspect_clean(entry->type, type, sizeof type));
    inspect_unknown(list, inspect_slice(head, 352, 12), "vt, rsvd, pdata",
                    "names from a public reader; zero in known files");
    inspect_field(list, entry->image, "data", "%zu bytes", entry->image.len);
}

/* The rest of a head with pkgmode. */
static void list_product(struct inspect_list *list, const struct binpkg *binpkg)
{
    size_t at = 0x3F, size = BINPKG_PRODUCT_SIZE - 1;
    if (binpkg->product[0]) {
        inspect_unknown(list, inspect_slice(binpkg->head, at, BINPKG_PRODUCT - at), "head", NULL);
        inspect_field(list, inspect_slice(binpkg->head, BINPKG_PRODUCT, size), "product", "%s",
                      binpkg->product);
        at = BINPKG_PRODUCT + size;
    }
    inspect_unknown(list, inspect_slice(binpkg->head, at, binpkg->head.len - at), "head", NULL);
}

void inspect_binpkg(struct inspect_list *list, struct bytes file)
{
    struct binpkg binpkg;
    struct error err;
    if (!binpkg_read(file, &binpkg, &err)) {
        inspect_wrong(list, &err);
        return;
    }
    if (!binpkg_check(&binpkg, &err))
        inspect_wrong(list, &err);
    inspect_title(list, "Head of %zu bytes%s", binpkg.head.len, binpkg.pkgmode ? ", with pkgmode" : "");
    if (binpkg.pkgmode) {
        inspect_unknown(list, inspect_slice(binpkg.head, 0, 0x38), "head", NULL);
        inspect_field(list, inspect_slice(binpkg.head, 0x38, 7), "mark", "pkgmode");
        list_product(list, &binpkg);
    } else {
        inspect_unknown(list, binpkg.head, "head", NULL);
    }
    for (unsigned int i = 0; i < binpkg.entries; i++)
        list_entry(list, &binpkg.entry[i], i + 1);
    inspect_unknown(list, binpkg.rest, "rest", "not an entry");
}

static void list_areas(struct inspect_list *list, const struct soc_facts *facts)
{
    fprintf(list->to, "  script area          0x%x, %u KB\n", facts->script_address,
            facts->script_bytes >> 10);
    fprintf(list->to, "  packed script        kept at 0x%x", facts->kept_address);
    if (facts->kept_bytes)
        fprintf(list->to, ", at most %u bytes", facts->kept_bytes);
    fprintf(list->to, "\n  virtual machine      %u bits\n", facts->bits);
}

void inspect_soc(struct inspect_list *list, struct bytes file)
{
    struct soc soc;
    struct error err;
    char text[SOC_TEXT_SIZE];
    inspect_field(list, file, "archive", "its files are compressed or not; they are not listed byte by byte");
    if (!soc_open(file, &soc, &err)) {
        inspect_wrong(list, &err);
        return;
    }
    inspect_title(list, "Release");
    fprintf(list->to, "  chip                 %s\n", inspect_clean(soc.facts.chip, text, sizeof text));
    fprintf(list->to, "  core                 %s\n",
            soc.facts.core[0] ? soc.facts.core : "version not stated");
    fprintf(list->to, "  core file            %s, %zu bytes\n",
            inspect_clean(soc.rom_name, text, sizeof text), soc.rom.len);
    if (soc.facts.has_areas)
        list_areas(list, &soc.facts);
    if (soc.script.len)
        fprintf(list->to, "  script               %s, %zu bytes, %scompiled for %u bits\n",
                inspect_clean(soc.script_name, text, sizeof text), soc.script.len,
                luadb_owns(buffer_bytes(&soc.script)) ? "" : "no LuaDB, ",
                luadb_bits(buffer_bytes(&soc.script)));
    else
        fprintf(list->to, "  script               none\n");
    soc_free(&soc);
}
