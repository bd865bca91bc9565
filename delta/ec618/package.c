/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/package.h"

#include "base/cleanup.h"
#include "delta/ec618/release.h"

/* ---- The chip ---- */

static bool check_chip(const struct chip_functions *chip, const struct ec618_image *image, const char *name,
                       struct error *err)
{
    const char *found;
    if (!ec618_image_chip(image, &found, err))
        return false;
    return !found || luatos_magic_of(found) == chip->magic ||
           error_set(err, ERROR_INVALID, "the %s image is for the chip %s, not for %s", name, found,
                     chip->name);
}

/* ---- Making ---- */

struct making {
    const struct chip_functions *chip;
    const struct ec618_image *old, *new;
    const void *how;
    struct par_source source[EC618_SLOTS];
    struct buffer payload[EC618_SLOTS];
    size_t count;
};

static void making_free(struct making *m)
{
    for (size_t i = 0; i < EC618_SLOTS; i++)
        buffer_free(&m->payload[i]);
}

bool package_open_both(struct bytes old, struct bytes new, struct ec618_image *ret_old,
                       struct ec618_image *ret_new, struct error *err)
{
    if (!ec618_image_open(old, "the old image", ret_old, err) ||
        !ec618_image_open(new, "the new image", ret_new, err))
        return false;
    if (ret_old->is_binpkg != ret_new->is_binpkg)
        return error_set(err, ERROR_INVALID, "the %s image is a .binpkg and the other is not",
                         ret_old->is_binpkg ? "old" : "new");
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        if (ret_old->has[slot] != ret_new->has[slot])
            return error_set(err, ERROR_INVALID, "only the %s image has the part %s",
                             ret_old->has[slot] ? "old" : "new", ec618_slot_name(slot));
        if (ret_old->load_address[slot] != ret_new->load_address[slot])
            return error_set(err, ERROR_INVALID,
                             "%s has a different address in the new image, and a package cannot move it",
                             ec618_slot_name(slot));
    }
    return true;
}

static bool make_part(struct making *m, enum ec618_slot slot, struct error *err)
{
    struct par_source *source = &m->source[m->count];
    struct buffer *payload = &m->payload[m->count];
    *source = (struct par_source){
        .attribute = ec618_image_attribute(m->old, slot),
        .load_address = m->old->load_address[slot],
        .old = m->old->part[slot],
        .new = m->new->part[slot],
    };
    if (!m->chip->make_part(m->how, slot, source, payload, err))
        return false;
    source->payload = buffer_bytes(payload);
    m->count++;
    return true;
}

/* Leaves *ret empty when AP and CP are equal. */
static bool make_par(struct making *m, struct buffer *ret, struct error *err)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        bool differs = !bytes_equal(m->old->part[slot], m->new->part[slot]);
        if (m->old->has[slot] && (differs || !m->old->is_binpkg) && !make_part(m, slot, err))
            return false;
    }
    return m->count == 0 || m->chip->write(m->how, m->source, m->count, ret, err);
}

/* The wrappers for AT and CSDK carry no script. */
static bool make_script(const struct chip_functions *chip, enum wrapper wrapper,
                        const struct ec618_image *old, const struct ec618_image *new, struct buffer *ret,
                        struct error *err)
{
    if (wrapper == WRAPPER_LUATOS)
        return release_pack_script(old, new, chip->magic, ret, err);
    return release_same_script(old, new) ||
           error_set(
               err, ERROR_INVALID,
               "the new release has another script or another place for it, and only a package for LuatOS "
               "can change a script");
}

bool package_make(const struct chip_functions *chip, enum wrapper wrapper, const struct ec618_image *old,
                  const struct ec618_image *new, const void *making, struct buffer *ret, struct error *err)
{
    _cleanup_(making_free) struct making m = {.chip = chip, .old = old, .new = new, .how = making};
    _cleanup_(buffer_free) struct buffer par = {0};
    _cleanup_(buffer_free) struct buffer script = {0};
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!check_chip(chip, old, "old", err) || !check_chip(chip, new, "new", err) ||
        !make_script(chip, wrapper, old, new, &script, err) || !make_par(&m, &par, err))
        return false;
    if (par.len == 0 && script.len == 0)
        return error_set(
            err, ERROR_INVALID,
            "the images have the same AP and CP, and no other script: a package can change only these");
    if (!wrapper_add(&out, wrapper, chip->magic, buffer_bytes(&script), buffer_bytes(&par), err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}

/* ---- Applying ---- */

/* *ret is empty when the file changes only the script. */
static bool unwrap_luatos(const struct chip_functions *chip, struct bytes package, struct luatos_file *head,
                          struct bytes *ret, struct error *err)
{
    if (!luatos_read(package, head, err) || !luatos_check(head, err))
        return false;
    if (luatos_owns_full(package))
        return error_set(err, ERROR_INVALID,
                         "this is a full package of CSDK, not a package between two images; dfota verify "
                         "--full checks it");
    if (head->magic != chip->magic)
        return error_set(err, ERROR_INVALID, "the head of the package is not for %s", chip->name);
    *ret = head->sdk;
    return true;
}

/* `head` is of a LuatOS file; all zeros for the other wrappers. */
static bool unwrap(const struct chip_functions *chip, struct bytes package, struct luatos_file *head,
                   struct bytes *ret, struct error *err)
{
    *head = (struct luatos_file){.magic = 0};
    *ret = package;
    if (luatos_owns(package))
        return unwrap_luatos(chip, package, head, ret, err);
    return !wrapper_at_owns(package) || wrapper_at_open(package, ret, err);
}

bool package_read(const struct chip_functions *chip, struct bytes package, struct par *ret,
                  bool *ret_is_script, struct error *err)
{
    struct bytes archive = {0};
    struct luatos_file head;
    if (!unwrap(chip, package, &head, &archive, err))
        return false;
    *ret_is_script = head.magic && archive.len == 0;
    return *ret_is_script || par_read(archive, ret, err);
}

struct applying {
    const struct chip_functions *chip;
    struct ec618_image old;
    struct luatos_file head;
    struct buffer made[EC618_SLOTS];
    struct bytes part[EC618_SLOTS]; /* of the new image; ptr NULL: as in the old image */
    struct buffer script;           /* of the new image; empty: as in the old image */
};

static void applying_free(struct applying *a)
{
    ec618_image_free(&a->old);
    buffer_free(&a->script);
    for (size_t i = 0; i < EC618_SLOTS; i++)
        buffer_free(&a->made[i]);
}

static bool apply_archive(struct applying *a, struct bytes archive, size_t max_bytes, struct error *err)
{
    struct par par;
    if (!par_read(archive, &par, err) || !par_check(&par, err) || !a->chip->check(&par, err))
        return false;
    for (unsigned int i = 0; i < par.parts; i++) {
        _cleanup_(buffer_free) struct buffer made = {0};
        enum ec618_slot slot = EC618_AP;
        if (!a->chip->apply_part(&a->old, &par, i, max_bytes, &slot, &made, err))
            return false;
        a->made[slot] = made; /* the rules allow one package for each part */
        a->part[slot] = buffer_bytes(&a->made[slot]);
        made = (struct buffer){0};
    }
    return true;
}

bool package_apply(const struct chip_functions *chip, struct bytes old, struct bytes package,
                   size_t max_bytes, struct buffer *ret, struct error *err)
{
    _cleanup_(applying_free) struct applying a = {.chip = chip};
    struct bytes archive = {0};
    if (!unwrap(chip, package, &a.head, &archive, err) ||
        !ec618_image_open(old, "the old image", &a.old, err) || !check_chip(chip, &a.old, "old", err) ||
        !release_unpack_script(&a.old, &a.head, &a.script, err))
        return false;
    if ((archive.len > 0 || !a.head.magic) && !apply_archive(&a, archive, max_bytes, err))
        return false;
    if (a.head.magic && archive.len == 0 && a.script.len == 0)
        return error_set(err, ERROR_CORRUPT, "the package changes nothing");
    if (a.old.is_binpkg)
        return ec618_image_rebuild(&a.old, a.part, buffer_bytes(&a.script), max_bytes, ret, err);
    *ret = a.made[EC618_AP];
    a.made[EC618_AP] = (struct buffer){0};
    return true;
}

/* ---- Comparing ---- */

static bool same_parts(const struct ec618_image *made, const struct ec618_image *new)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++)
        if (made->has[slot] != new->has[slot] || !bytes_equal(made->part[slot], new->part[slot]))
            return false;
    return made->is_binpkg && new->is_binpkg &&release_same_script(made, new);
}

bool package_same(struct bytes made, struct bytes new, char *note, size_t note_size)
{
    struct ec618_image one = {.is_soc = false}, other = {.is_soc = false};
    struct error unwanted;
    note[0] = '\0';
    if (bytes_equal(made, new))
        return true;
    bool same = ec618_image_open(made, "", &one, &unwanted) && ec618_image_open(new, "", &other, &unwanted) &&
                same_parts(&one, &other);
    if (same)
        ec618_image_compare(&one, &other, note, note_size);
    ec618_image_free(&one);
    ec618_image_free(&other);
    return same;
}
