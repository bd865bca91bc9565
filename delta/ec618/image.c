/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/image.h"

#include "base/chip.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include "delta/recognise/recognise.h"

/* A .binpkg has addresses as the processor sees them. A package has addresses from the start of the
   flash. */
#define FLASH_MASK 0x007FFFFF

static const struct {
    const char *type;
    enum par_attribute attribute;
} slots[EC618_SLOTS] = {[EC618_AP] = {"AP", PAR_AP}, [EC618_CP] = {"CP", PAR_CP}};

enum par_attribute ec618_image_attribute(const struct ec618_image *image, enum ec618_slot slot)
{
    return image->is_binpkg ? slots[slot].attribute : image->raw_attribute;
}

const char *ec618_slot_name(enum ec618_slot slot)
{
    return slots[slot].type;
}

static bool open_binpkg(struct bytes bytes, struct ec618_image *ret, struct error *err)
{
    ret->is_binpkg = true;
    if (!binpkg_read(bytes, &ret->binpkg, err) || !binpkg_check(&ret->binpkg, err))
        return false;
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        const struct binpkg_entry *entry = binpkg_find(&ret->binpkg, slots[slot].type);
        if (!entry)
            continue;
        ret->has[slot] = true;
        ret->entry[slot] = (unsigned int)(entry - ret->binpkg.entry);
        ret->part[slot] = entry->image;
        ret->load_address[slot] = entry->address & FLASH_MASK;
    }
    return true;
}

static bool open_soc(struct bytes bytes, const char *name, struct ec618_image *ret, struct error *err)
{
    if (!soc_open(bytes, &ret->soc, err))
        return false;
    struct bytes rom = buffer_bytes(&ret->soc.rom);
    ret->is_soc = true;
    bool ok = binpkg_owns(rom) ? open_binpkg(rom, ret, err)
                               : error_set(err, ERROR_INVALID, "%s is a .soc whose core %s is not a .binpkg",
                                           name, ret->soc.rom_name);
    if (!ok)
        ec618_image_free(ret);
    return ok;
}

void ec618_image_free(struct ec618_image *image)
{
    if (image->is_soc)
        soc_free(&image->soc);
    image->is_soc = false;
}

bool ec618_image_open(struct bytes bytes, const char *name, struct ec618_image *ret, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    const struct recognised *is = recognise(bytes);
    if (is->role != RECOGNISED_IMAGE)
        return error_set(err, ERROR_INVALID, "%s is %s, not a .soc, a .binpkg or a raw image", name,
                         is->sentence);
    if (soc_owns(bytes))
        return open_soc(bytes, name, ret, err);
    if (binpkg_owns(bytes))
        return open_binpkg(bytes, ret, err);
    ret->has[EC618_AP] = true;
    ret->raw_attribute = PAR_AP;
    ret->part[EC618_AP] = bytes;
    ret->load_address[EC618_AP] = EC618_LOAD_ADDRESS;
    return true;
}

/* Whether a part has the packed sections that only an EC7xx has. */
static bool has_ec7xx_part(const struct ec618_image *image)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++)
        if (image->has[slot] && recognise_ec7xx_image(image->part[slot]))
            return true;
    return false;
}

bool ec618_image_chip(const struct ec618_image *image, const char **ret, struct error *err)
{
    if (!chip_of_image(image->is_soc ? image->soc.facts.chip : "",
                       image->is_binpkg ? image->binpkg.product : "", ret, err))
        return false;
    if (!*ret && has_ec7xx_part(image))
        *ret = CHIP_EC7XX;
    return true;
}

static bool rebuild_binpkg(const struct ec618_image *image, const struct bytes part[EC618_SLOTS],
                           size_t max_bytes, struct buffer *ret, struct error *err)
{
    struct bytes all[BINPKG_ENTRIES_MAX];
    for (unsigned int i = 0; i < image->binpkg.entries; i++)
        all[i] = image->binpkg.entry[i].image;
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++)
        if (part[slot].ptr)
            all[image->entry[slot]] = part[slot];
    return binpkg_rebuild(&image->binpkg, all, max_bytes, ret, err);
}

bool ec618_image_rebuild(const struct ec618_image *image, const struct bytes part[EC618_SLOTS],
                         struct bytes script, size_t max_bytes, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer rom = {0};
    if (!image->is_soc)
        return rebuild_binpkg(image, part, max_bytes, ret, err);
    if (!rebuild_binpkg(image, part, max_bytes, &rom, err))
        return false;
    struct soc made = image->soc; /* views: not freed */
    made.rom = rom;
    if (script.len)
        made.script = (struct buffer){(uint8_t *)(uintptr_t)script.ptr, script.len, 0};
    if (!soc_write(&made, ret, err))
        return false;
    if (ret->len <= max_bytes)
        return true;
    buffer_free(ret);
    return error_set(err, ERROR_TOO_LARGE, "the new image would have more than %zu bytes", max_bytes);
}

/* ---- What differs ---- */

static void add_name(char *note, size_t note_size, const char *name)
{
    static const char intro[] =
        "the two .binpkg files also differ where a package cannot change them, and a module "
        "keeps the old content: ";
    size_t len = strlen(note);
    snprintf(note + len, note_size - len, "%s%s", len ? ", " : intro, name);
}

/* Whether both heads are equal, except for the size and the hash of the data. */
static bool same_head(struct bytes a, struct bytes b)
{
    size_t behind = BINPKG_ENTRY_HASH + BINPKG_HASH_BYTES;
    return memcmp(a.ptr, b.ptr, BINPKG_ENTRY_SIZE) == 0 &&
           memcmp(a.ptr + behind, b.ptr + behind, BINPKG_ENTRY_BYTES - behind) == 0;
}

void ec618_image_compare(const struct ec618_image *a, const struct ec618_image *b, char *note,
                         size_t note_size)
{
    note[0] = '\0';
    if (!a->is_binpkg || !b->is_binpkg)
        return;
    if (!bytes_equal(a->binpkg.head, b->binpkg.head))
        add_name(note, note_size, "the file's head");
    if (a->binpkg.entries != b->binpkg.entries) {
        add_name(note, note_size, "the number of entries");
        return;
    }
    for (unsigned int i = 0; i < a->binpkg.entries; i++) {
        const struct binpkg_entry *one = &a->binpkg.entry[i], *other = &b->binpkg.entry[i];
        char name[32];
        bool same = same_head(one->head, other->head);
        if (same && bytes_equal(one->image, other->image))
            continue;
        snprintf(name, sizeof name, same ? "entry %u" : "the head of entry %u", i + 1);
        add_name(note, note_size, name);
    }
}

bool ec618_image_find_slot(const struct ec618_image *old, unsigned int attribute, enum ec618_slot *ret,
                           struct error *err)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        if (attribute != ec618_image_attribute(old, slot))
            continue;
        if (!old->has[slot])
            break;
        *ret = slot;
        return true;
    }
    return error_set(err, ERROR_INVALID, "the package changes the part %s, which the old image does not have",
                     par_attribute_name(attribute));
}
