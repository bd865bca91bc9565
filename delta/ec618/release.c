/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/release.h"

#include "base/cleanup.h"
#include "base/chip.h"
#include "delta/container/sector.h"

static bool check_kept(const struct soc_facts *facts, size_t packed, enum error_code code, struct error *err)
{
    uint32_t limit = soc_kept_limit(facts);
    if (packed <= limit)
        return true;
    if (facts->kept_bytes)
        return error_set(err, code,
                         "the packed script has %zu bytes, and a module of this release keeps at most %u",
                         packed, limit);
    return error_set(err, code,
                     "the packed script has %zu bytes. The release does not state how much its modules keep; "
                     "%u bytes, 5/8 of the script area, are kept by all known builds",
                     packed, limit);
}

static bool check_chip(const struct ec618_image *image, uint32_t magic, struct error *err)
{
    const struct soc_facts *facts = &image->soc.facts;
    if (!luatos_magic_of(facts->chip))
        return error_set(err, ERROR_INVALID, "the release is for the chip %s, which is not known",
                         facts->chip);
    if (luatos_magic_of(facts->chip) != magic)
        return error_set(err, ERROR_INVALID, "the release is for the chip %s, not for an %s", facts->chip,
                         magic == LUATOS_EC618 ? "EC618" : "EC7xx");
    return facts->magic == 0 || facts->magic == magic ||
           error_set(
               err, ERROR_INVALID,
               "info.json of the .soc contradicts itself: chip.type is %s, whose packages begin with %08x, "
               "and fota.magic_num is %08x",
               facts->chip, magic, facts->magic);
}

/* The script of the old release must run on the new core. */
static bool check_script_stays(const struct soc_facts *old, const struct soc_facts *new, struct error *err)
{
    return !old->bits || !new->bits || old->bits == new->bits ||
           error_set(
               err, ERROR_INVALID,
               "the script would stay, and it is for a core of %u bits; the new core has %u: upload the .soc with "
               "the new core and its script",
               old->bits, new->bits);
}

bool release_pack_script(const struct ec618_image *old, const struct ec618_image *new, uint32_t magic,
                         struct buffer *ret, struct error *err)
{
    if (!old->is_soc && !new->is_soc)
        return true; /* two cores */
    if (!old->is_soc || !new->is_soc)
        return error_set(
            err, ERROR_INVALID,
            "the %s image is a .soc and the other is not: upload the .soc of both releases (remove the image that is "
            "stored, if devices do not run it)",
            old->is_soc ? "old" : "new");
    const struct soc_facts *facts = &new->soc.facts;
    struct bytes script = buffer_bytes(&new->soc.script);
    if (!check_chip(old, magic, err) || !check_chip(new, magic, err) ||
        !soc_same_areas(&old->soc.facts, facts, err))
        return false;
    if (script.len == 0 || bytes_equal(script, buffer_bytes(&old->soc.script)))
        return check_script_stays(&old->soc.facts, facts, err);
    return sector_pack(ret, magic, facts->script_address, script, err) &&
           check_kept(&old->soc.facts, ret->len, ERROR_TOO_LARGE, err);
}

static bool check_place(const struct soc_facts *facts, const struct sector_plain *plain, struct error *err)
{
    if (plain->address != facts->script_address)
        return error_set(err, ERROR_INVALID,
                         "the package writes its script to %x, and the old release has its script at %x",
                         plain->address, facts->script_address);
    return plain->bytes.len <= facts->script_bytes ||
           error_set(err, ERROR_INVALID, "the script of the package has %zu bytes, and its area has %u",
                     plain->bytes.len, facts->script_bytes);
}

bool release_unpack_script(const struct ec618_image *old, const struct luatos_file *file, struct buffer *ret,
                           struct error *err)
{
    struct bytes common = file->common;
    struct sector_plain plain;
    if (common.len == 0)
        return true;
    if (!old->is_soc || !old->soc.facts.has_areas)
        return error_set(
            err, ERROR_CANNOT_APPLY,
            "the package has a script, and the old image does not state where its script is: upload "
            "the .soc of the release");
    if (!check_chip(old, file->magic, err) || !check_kept(&old->soc.facts, common.len, ERROR_INVALID, err) ||
        !sector_unpack(&common, &plain, err))
        return false;
    bool ok = check_place(&old->soc.facts, &plain, err);
    if (ok && common.len > 0)
        ok = error_set(err, ERROR_INVALID, "the package writes more than a script");
    if (ok)
        *ret = plain.bytes;
    else
        buffer_free(&plain.bytes);
    return ok;
}

bool release_same_script(const struct ec618_image *made, const struct ec618_image *new)
{
    struct error unwanted;
    if (!new->is_soc || new->soc.script.len == 0)
        return true;
    return made->is_soc && soc_same_areas(&made->soc.facts, &new->soc.facts, &unwanted) &&
           bytes_equal(buffer_bytes(&made->soc.script), buffer_bytes(&new->soc.script));
}
