/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/ec618.h"

#include "base/cleanup.h"
#include "delta/ec618/image.h"
#include "delta/ec618/module.h"
#include "delta/ec618/payload.h"
#include "delta/ec618/release.h"
#include "delta/ec618/rules.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"

/* ---- Making ---- */

struct making {
    struct ec618_image old, new;
    struct par_source source[EC618_SLOTS];
    struct buffer payload[EC618_SLOTS];
    size_t count;
};

static void making_free(struct making *m)
{
    ec618_image_free(&m->old);
    ec618_image_free(&m->new);
    for (size_t i = 0; i < m->count; i++)
        buffer_free(&m->payload[i]);
}

static bool open_both(struct making *m, struct bytes old, struct bytes new, struct error *err)
{
    if (!ec618_image_open(old, "the old image", &m->old, err) ||
        !ec618_image_open(new, "the new image", &m->new, err))
        return false;
    if (m->old.is_binpkg != m->new.is_binpkg)
        return error_set(err, ERROR_INVALID, "the %s image is a .binpkg and the other is not",
                         m->old.is_binpkg ? "old" : "new");
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        if (m->old.has[slot] != m->new.has[slot])
            return error_set(err, ERROR_INVALID, "only the %s image has the part %s",
                             m->old.has[slot] ? "old" : "new", ec618_slot_name(slot));
        if (m->old.load_address[slot] != m->new.load_address[slot])
            return error_set(err, ERROR_INVALID,
                             "%s has a different address in the new image, and a package cannot move it",
                             ec618_slot_name(slot));
    }
    return true;
}

static bool make_part(struct making *m, enum ec618_slot slot, const struct ec618_making *making,
                      struct error *err)
{
    const struct ec618_options options = {.effort = making->effort,
                                          .closed_last_part = making->closed_last_part};
    bool own_address = slot == EC618_AP && making->has_load_address;
    struct bytes old = m->old.part[slot], new = m->new.part[slot];
    struct ec618_payload payload;
    if (!ec618_payload_make(old, new, options, &m->payload[m->count], err) ||
        !ec618_payload_open(buffer_bytes(&m->payload[m->count]), &payload, err))
        return false;
    m->source[m->count] = (struct par_source){
        .attribute = ec618_slot_attribute(slot),
        .reverse = payload.order == EC618_REVERSE,
        .load_address = own_address ? making->load_address : m->old.load_address[slot],
        .old = old,
        .new = new,
        .payload = buffer_bytes(&m->payload[m->count]),
    };
    m->count++;
    return true;
}

/* Leaves *ret empty when AP and CP are equal. */
static bool make_par(struct making *m, const struct ec618_making *making, struct buffer *ret,
                     struct error *err)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        bool differs = !bytes_equal(m->old.part[slot], m->new.part[slot]);
        if (m->old.has[slot] && (differs || !m->old.is_binpkg) && !make_part(m, slot, making, err))
            return false;
    }
    return m->count == 0 || par_make(m->source, m->count, ret, err);
}

/* The LuatOS head allows any version of the core: no module reads it, and the base hash in the archive is
   stricter. */
static bool wrap(enum ec618_wrapper wrapper, struct bytes script, struct bytes par, struct buffer *out,
                 struct error *err)
{
    static const struct luatos_versions any;
    switch (wrapper) {
    case EC618_WRAPPER_AT:
        return wrapper_at_add(out, par, err);
    case EC618_WRAPPER_LUATOS:
        return wrapper_luatos_add(out, LUATOS_EC618, &any, script, par, err);
    default:
        return buffer_add(out, par.ptr, par.len, err);
    }
}

bool ec618_make(enum ec618_wrapper wrapper, struct bytes old, struct bytes new,
                const struct ec618_making *making, struct buffer *ret, struct error *err)
{
    _cleanup_(making_free) struct making m = {.count = 0};
    _cleanup_(buffer_free) struct buffer par = {0};
    _cleanup_(buffer_free) struct buffer script = {0};
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!open_both(&m, old, new, err) ||
        (wrapper == EC618_WRAPPER_LUATOS &&
         !release_pack_script(&m.old, &m.new, LUATOS_EC618, &script, err)) ||
        !make_par(&m, making, &par, err))
        return false;
    if (par.len == 0 && script.len == 0)
        return error_set(
            err, ERROR_INVALID,
            "the images have the same AP and CP, and no other script: a package can change only these");
    if (!wrap(wrapper, buffer_bytes(&script), buffer_bytes(&par), &out, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}

/* ---- Applying ---- */

/* `head` is of a LuatOS file; all zeros for the other wrappers. *ret is empty when the file changes only the
   script. */
static bool unwrap_luatos(struct bytes package, struct luatos_file *head, struct bytes *ret,
                          struct error *err)
{
    if (!luatos_read(package, head, err) || !luatos_check(head, err))
        return false;
    if (luatos_owns_full(package))
        return error_set(err, ERROR_INVALID,
                         "this is a full package of CSDK, not a package between two images; dfota verify "
                         "--full checks it");
    if (head->magic != LUATOS_EC618)
        return error_set(err, ERROR_CANNOT_APPLY,
                         "the package is for an EC7xx; dfota cannot apply its packages");
    *ret = head->sdk;
    return true;
}

static bool unwrap(struct bytes package, struct luatos_file *head, struct bytes *ret, struct error *err)
{
    *head = (struct luatos_file){.magic = 0};
    if (luatos_owns(package))
        return unwrap_luatos(package, head, ret, err);
    if (wrapper_at_owns(package))
        return wrapper_at_open(package, ret, err);
    *ret = package;
    return true;
}

bool ec618_fits_module(struct bytes package, struct error *err)
{
    struct bytes archive = {0};
    struct luatos_file head;
    struct par par;
    if (!unwrap(package, &head, &archive, err))
        return false;
    return (head.magic && archive.len == 0) ||
           (par_read(archive, &par, err) && ec618_rules_check_length(&par, err));
}

struct applying {
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

static bool check_result(const struct par_part *part, struct bytes made, struct error *err)
{
    struct sha256 hash;
    sha256_of(made.ptr, made.len, &hash);
    return (part->new_bytes == made.len && sha256_equal(&hash, &part->new_hash)) ||
           error_set(
               err, ERROR_CORRUPT,
               "the package for %s gives a new image that does not have the size and SHA-256 in its head",
               par_attribute_name(part->attribute));
}

static bool apply_part(struct applying *a, const struct par_part *part, size_t max_bytes, struct error *err)
{
    enum ec618_slot slot = EC618_AP;
    if (!ec618_image_find_slot(&a->old, part->attribute, &slot, err))
        return false;
    struct bytes base = a->old.part[slot];
    if (!par_check_base(part, base, err) ||
        !ec618_module_apply(base, part->payload, max_bytes, &a->made[slot], err) ||
        !check_result(part, buffer_bytes(&a->made[slot]), err))
        return false;
    a->part[slot] = buffer_bytes(&a->made[slot]);
    return true;
}

static bool apply_archive(struct applying *a, struct bytes archive, size_t max_bytes, struct error *err)
{
    struct par par;
    if (!par_read(archive, &par, err) || !par_check(&par, err))
        return false;
    if (!ec618_rules_hold_for(&par))
        return error_set(err, ERROR_CANNOT_APPLY, "the archive has a payload that dfota cannot apply");
    if (!ec618_rules_check(&par, err))
        return false;
    for (unsigned int i = 0; i < par.parts; i++)
        if (!apply_part(a, &par.part[i], max_bytes, err))
            return false;
    return true;
}

bool ec618_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err)
{
    _cleanup_(applying_free) struct applying a = {.part = {{NULL, 0}}};
    struct bytes archive = {0};
    if (!unwrap(package, &a.head, &archive, err) || !ec618_image_open(old, "the old image", &a.old, err) ||
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

static bool same_parts(const struct ec618_image *made, const struct ec618_image *new)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++)
        if (made->has[slot] != new->has[slot] || !bytes_equal(made->part[slot], new->part[slot]))
            return false;
    return made->is_binpkg && new->is_binpkg &&release_same_script(made, new);
}

bool ec618_same(struct bytes made, struct bytes new, char *note, size_t note_size)
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
