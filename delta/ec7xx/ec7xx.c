/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/ec7xx.h"

#include <inttypes.h>
#include "base/cleanup.h"
#include "delta/container/luatos.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/image.h"
#include "delta/ec7xx/module.h"
#include "delta/ec7xx/rules.h"

bool ec7xx_owns(struct bytes package)
{
    struct luatos_file head;
    struct par par;
    struct bytes archive = package;
    uint32_t stated;
    struct error unwanted;
    if (luatos_owns(package))
        return luatos_read(package, &head, &unwanted) && head.magic != LUATOS_EC618;
    if (wrapper_at_owns(package) && !wrapper_at_read(package, &archive, &stated, &unwanted))
        return false;
    return par_read(archive, &par, &unwanted) && ec7xx_rules_hold_for(&par);
}

/* `head` is of a LuatOS file; all zeros for the other wrappers. *ret is empty when the file changes only the
   script. */
static bool unwrap(struct bytes package, struct luatos_file *head, struct bytes *ret, struct error *err)
{
    *head = (struct luatos_file){.magic = 0};
    *ret = package;
    if (wrapper_at_owns(package))
        return wrapper_at_open(package, ret, err);
    if (!luatos_owns(package))
        return true;
    if (!luatos_read(package, head, err) || !luatos_check(head, err))
        return false;
    if (luatos_owns_full(package))
        return error_set(err, ERROR_INVALID,
                         "this is a full package of CSDK, not a package between two images");
    if (head->magic == LUATOS_EC618)
        return error_set(err, ERROR_INVALID, "the package is for an EC618");
    if (head->common.len > 0)
        return error_set(err, ERROR_CANNOT_APPLY,
                         "the package has a script for an EC7xx; dfota cannot apply such a package");
    *ret = head->sdk;
    return true;
}

struct applying {
    struct ec618_image old;
    struct buffer made[EC618_SLOTS];
    struct bytes part[EC618_SLOTS]; /* of the new image; ptr NULL: as in the old image */
};

static void applying_free(struct applying *a)
{
    ec618_image_free(&a->old);
    for (size_t i = 0; i < EC618_SLOTS; i++)
        buffer_free(&a->made[i]);
}

/* A raw image is the part that the only package changes; its base hash tells whether that is right. */
static bool find_slot(const struct applying *a, const struct par *par, const struct par_part *part,
                      enum ec618_slot *ret, struct error *err)
{
    *ret = EC618_AP;
    if (!a->old.is_binpkg)
        return par->parts == 1 ||
               error_set(err, ERROR_INVALID,
                         "the archive changes AP and CP, and the old image is only one part");
    return ec618_image_find_slot(&a->old, part->attribute, ret, err);
}

static bool check_zone(const struct applying *a, enum ec618_slot slot, const struct par_part *part,
                       struct error *err)
{
    if (!a->old.is_binpkg)
        return true;
    uint32_t zone = a->old.binpkg.entry[a->old.entry[slot]].flash_bytes;
    return part->new_bytes <= zone ||
           error_set(err, ERROR_TOO_LARGE,
                     "the new %s has %" PRIu32 " bytes; its zone in the module's flash has %" PRIu32,
                     ec618_slot_name(slot), part->new_bytes, zone);
}

static bool apply_part(struct applying *a, const struct par *par, unsigned int place, size_t max_bytes,
                       struct error *err)
{
    const struct par_part *part = &par->part[place];
    enum ec618_slot slot;
    if (part->new_bytes > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "the new image would have %" PRIu32 " bytes; the limit is %zu",
                         part->new_bytes, max_bytes);
    if (!find_slot(a, par, part, &slot, err) || !check_zone(a, slot, part, err) ||
        !ec7xx_module_apply(a->old.part[slot], part, &a->made[slot], err))
        return false;
    a->part[slot] = buffer_bytes(&a->made[slot]);
    return true;
}

static bool apply_archive(struct applying *a, struct bytes archive, size_t max_bytes, struct error *err)
{
    struct par par;
    if (!par_read(archive, &par, err) || !par_check(&par, err))
        return false;
    if (!ec7xx_rules_hold_for(&par))
        return error_set(err, ERROR_CANNOT_APPLY, "the archive is not for an EC7xx");
    if (!ec7xx_rules_check(&par, err))
        return false;
    for (unsigned int i = 0; i < par.parts; i++)
        if (!apply_part(a, &par, i, max_bytes, err))
            return false;
    return true;
}

bool ec7xx_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err)
{
    _cleanup_(applying_free) struct applying a = {.part = {{NULL, 0}}};
    struct bytes archive = {0};
    struct luatos_file head;
    if (!unwrap(package, &head, &archive, err) || !ec618_image_open(old, "the old image", &a.old, err) ||
        !apply_archive(&a, archive, max_bytes, err))
        return false;
    if (a.old.is_binpkg)
        return ec618_image_rebuild(&a.old, a.part, (struct bytes){NULL, 0}, max_bytes, ret, err);
    *ret = a.made[EC618_AP];
    a.made[EC618_AP] = (struct buffer){0};
    return true;
}
