/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/ec618.h"

#include "base/cleanup.h"
#include "delta/ec618/module.h"
#include "delta/ec618/package.h"
#include "delta/ec618/rules.h"

static bool make_part(const void *how, enum ec618_slot slot, struct par_source *source,
                      struct buffer *payload, struct error *err)
{
    const struct ec618_making *making = how;
    const struct ec618_options options = {.effort = making->effort,
                                          .closed_last_part = making->closed_last_part};
    struct ec618_payload made;
    if (!ec618_payload_make(source->old, source->new, options, payload, err) ||
        !ec618_payload_open(buffer_bytes(payload), &made, err))
        return false;
    source->reverse = made.order == EC618_REVERSE;
    if (slot == EC618_AP && making->has_load_address)
        source->load_address = making->load_address;
    return true;
}

static bool make_archive(const void *how, const struct par_source *source, size_t count, struct buffer *ret,
                         struct error *err)
{
    (void)how;
    return par_make(source, count, ret, err);
}

static bool check(const struct par *par, struct error *err)
{
    if (!ec618_rules_hold_for(par))
        return error_set(err, ERROR_CANNOT_APPLY, "the archive has a payload that dfota cannot apply");
    return ec618_rules_check(par, err);
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

static bool apply_part(const struct ec618_image *old, const struct par *par, unsigned int place,
                       size_t max_bytes, enum ec618_slot *ret_slot, struct buffer *ret, struct error *err)
{
    const struct par_part *part = &par->part[place];
    if (!ec618_image_find_slot(old, part->attribute, ret_slot, err))
        return false;
    struct bytes base = old->part[*ret_slot];
    return par_check_base(part, base, err) && ec618_module_apply(base, part->payload, max_bytes, ret, err) &&
           check_result(part, buffer_bytes(ret), err);
}

static const struct chip_functions chip = {
    .name = "an EC618",
    .magic = LUATOS_EC618,
    .make_part = make_part,
    .write = make_archive,
    .check = check,
    .apply_part = apply_part,
};

bool ec618_make(enum wrapper wrapper, struct bytes old, struct bytes new, const struct ec618_making *making,
                struct buffer *ret, struct error *err)
{
    _cleanup_(ec618_image_free) struct ec618_image from = {0};
    _cleanup_(ec618_image_free) struct ec618_image to = {0};
    return package_open_both(old, new, &from, &to, err) &&
           package_make(&chip, wrapper, &from, &to, making, ret, err);
}

bool ec618_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err)
{
    return package_apply(&chip, old, package, max_bytes, ret, err);
}

bool ec618_fits_module(struct bytes package, struct error *err)
{
    bool is_script;
    struct par par;
    return package_read(&chip, package, &par, &is_script, err) &&
           (is_script || ec618_rules_check_length(&par, err));
}
