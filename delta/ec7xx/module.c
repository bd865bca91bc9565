/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/module.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/ec7xx/delta.h"
#include "delta/ec7xx/image.h"
#include "delta/ec7xx/payload.h"

struct ec7xx_module {
    const struct par_part *part;
    struct ec7xx_payload payload;
    struct buffer flash; /* the old image in the beginning, the new image at the end */
    uint8_t backup[EC7XX_SEGMENT_BYTES];
    struct {
        unsigned int place; /* index of the current segment */
        bool backed_up;     /* its bytes are in the backup, and may be half written in the flash */
    } progress;
    struct ec7xx_supply supply; /* used while the module runs */
    bool power_failed;
};

/* ---- The old image ---- */

/* Whether the payload describes this image, of the old or of the new firmware. */
static bool check_layout(const struct ec7xx_payload *payload, struct bytes bytes, bool is_new,
                         struct error *err)
{
    struct ec7xx_image image;
    struct error why;
    const char *name = is_new ? "new" : "old";
    uint32_t plain = is_new ? payload->new_plain : payload->old_plain;
    uint32_t table = is_new ? payload->new_table : payload->old_table;
    if (!ec7xx_image_open(bytes, &image, &why))
        return error_set(err, ERROR_CORRUPT, "the %s image: %.300s", name, why.text);
    if (image.plain_bytes != plain || image.table_at != table)
        return error_set(err, ERROR_CORRUPT,
                         "the payload states a plain part of 0x%" PRIx32
                         " bytes and a section table at 0x%" PRIx32 "; the %s image has 0x%" PRIx32
                         " and 0x%" PRIx32,
                         plain, table, name, image.plain_bytes, image.table_at);
    if (image.groups != payload->groups)
        return error_set(err, ERROR_CORRUPT, "the payload has %u groups; the %s image has %u",
                         payload->groups, name, image.groups);
    for (unsigned int i = 0; i < payload->groups; i++) {
        const struct ec7xx_group *stated = is_new ? &payload->pair[i].new : &payload->pair[i].old;
        const struct ec7xx_group *group = ec7xx_image_find_group(&image, stated->number);
        if (!group || !ec7xx_group_equal(group, stated))
            return error_set(err, ERROR_CORRUPT, "group %u of the payload is not that of the %s image",
                             stated->number, name);
    }
    return true;
}

bool ec7xx_module_new(struct bytes old, const struct par_part *part, struct ec7xx_module **ret,
                      struct error *err)
{
    struct ec7xx_module *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    m->part = part;
    if (!par_check_base(part, old, err) || !ec7xx_payload_open(part->payload, &m->payload, err) ||
        !check_layout(&m->payload, old, false, err) || !buffer_add(&m->flash, old.ptr, old.len, err)) {
        ec7xx_module_free(m);
        return false;
    }
    *ret = m;
    return true;
}

void ec7xx_module_free(struct ec7xx_module *module)
{
    if (!module)
        return;
    buffer_free(&module->flash);
    free(module);
}

struct bytes ec7xx_module_image(const struct ec7xx_module *module)
{
    return buffer_bytes(&module->flash);
}

/* ---- One segment ---- */

/* How many bytes the segment writes: the area of a group, or up to the section table. */
static uint32_t area_of(const struct ec7xx_module *m, const struct ec7xx_segment *segment)
{
    uint32_t room = m->payload.new_table - segment->at;
    if (segment->is_group)
        return m->payload.pair[segment->group].new.area_bytes;
    return room < EC7XX_SEGMENT_BYTES ? room : EC7XX_SEGMENT_BYTES;
}

/* Applies the delta of the segment, and appends its result to *ret. */
static bool apply_delta(const struct ec7xx_segment *segment, struct bytes old, struct buffer *ret,
                        struct error *err)
{
    _cleanup_(ec7xx_delta_free) struct ec7xx_delta delta = {.new_bytes = 0};
    if (!ec7xx_delta_open(segment->delta, segment->new_bytes, &delta, err) ||
        !buffer_reserve(ret, segment->new_bytes + 1, err) ||
        !ec7xx_delta_apply(&delta, old, ret->ptr + ret->len, err))
        return false;
    ret->len += segment->new_bytes;
    return true;
}

static bool build_group(const struct ec7xx_module *m, const struct ec7xx_segment *segment, struct buffer *ret,
                        struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0};
    _cleanup_(buffer_free) struct buffer new = {0};
    const struct ec7xx_pair *pair = &m->payload.pair[segment->group];
    return ec7xx_group_unpack(&pair->old, buffer_bytes(&m->flash), &old, err) &&
           apply_delta(segment, buffer_bytes(&old), &new, err) &&
           ec7xx_group_pack(&pair->new, buffer_bytes(&new), ret, err);
}

static bool build_plain(const struct ec7xx_module *m, const struct ec7xx_segment *segment, struct buffer *ret,
                        struct error *err)
{
    struct bytes old_plain = {m->flash.ptr, m->payload.old_plain};
    bool is_first = m->progress.place == m->payload.groups;
    struct bytes old = ec7xx_payload_window(m->payload.order, old_plain, segment->at, is_first);
    uint32_t area = area_of(m, segment);
    if (!apply_delta(segment, old, ret, err) || !buffer_reserve(ret, area - segment->new_bytes, err))
        return false;
    memset(ret->ptr + ret->len, 0xFF, area - segment->new_bytes);
    ret->len = area;
    return true;
}

static bool build(const struct ec7xx_module *m, const struct ec7xx_segment *segment, struct buffer *ret,
                  struct error *err)
{
    struct error why;
    if (segment->is_group ? build_group(m, segment, ret, &why) : build_plain(m, segment, ret, &why))
        return true;
    return error_set(err, why.code, "segment %u: %.350s", m->progress.place, why.text);
}

/* ---- Flash ---- */

/* Whether the operation starts; it may fail half way. Without power nothing starts. */
static bool powered(struct ec7xx_module *m, enum ec7xx_flash operation, enum ec7xx_power *ret)
{
    if (m->power_failed)
        return false;
    *ret = m->supply.ask ? m->supply.ask(m->supply.context, operation, m->progress.place) : EC7XX_POWER_STAYS;
    m->power_failed = *ret != EC7XX_POWER_STAYS;
    return true;
}

static void write_flash(struct ec7xx_module *m, enum ec7xx_flash operation, uint8_t *to, const uint8_t *from,
                        size_t len)
{
    enum ec7xx_power power;
    if (!powered(m, operation, &power))
        return;
    memset(to, 0xFF, len); /* flash is erased before it is written */
    memcpy(to, from, power == EC7XX_POWER_FAILS_IN ? len / 2 : len);
}

static void note(struct ec7xx_module *m, enum ec7xx_flash operation, unsigned int place, bool backed_up)
{
    enum ec7xx_power power;
    if (!powered(m, operation, &power) || power == EC7XX_POWER_FAILS_IN)
        return;
    m->progress.place = place;
    m->progress.backed_up = backed_up;
}

static bool take_segment(struct ec7xx_module *m, struct error *err)
{
    unsigned int place = m->progress.place;
    const struct ec7xx_segment *segment = &m->payload.segment[place];
    uint8_t *at = m->flash.ptr + segment->at;
    size_t area = area_of(m, segment);
    _cleanup_(buffer_free) struct buffer made = {0};
    if (m->progress.backed_up)
        write_flash(m, EC7XX_FLASH_RESTORE, at, m->backup, area);
    if (m->power_failed)
        return true;
    if (!build(m, segment, &made, err))
        return false;
    if (!m->progress.backed_up) {
        write_flash(m, EC7XX_FLASH_BACKUP, m->backup, at, area);
        note(m, EC7XX_FLASH_NOTE, place, true);
    }
    write_flash(m, EC7XX_FLASH_WRITE, at, made.ptr, area);
    note(m, EC7XX_FLASH_ADVANCE, place + 1, false);
    return true;
}

/* ---- Running ---- */

static bool check_result(const struct ec7xx_module *m, struct error *err)
{
    struct sha256 hash;
    sha256_of(m->flash.ptr, m->flash.len, &hash);
    if (m->part->new_bytes != m->flash.len || !sha256_equal(&hash, &m->part->new_hash))
        return error_set(
            err, ERROR_CORRUPT,
            "the package for %s gives a new image that does not have the size and SHA-256 in its head",
            par_attribute_name(m->part->attribute));
    return check_layout(&m->payload, buffer_bytes(&m->flash), true, err);
}

bool ec7xx_module_run(struct ec7xx_module *module, struct ec7xx_supply supply, bool *ret_done,
                      struct error *err)
{
    module->supply = supply;
    module->power_failed = false;
    while (module->progress.place < module->payload.segments && !module->power_failed)
        if (!take_segment(module, err))
            return false;
    *ret_done = module->progress.place == module->payload.segments;
    return !*ret_done || check_result(module, err);
}

bool ec7xx_module_apply(struct bytes old, const struct par_part *part, struct buffer *ret, struct error *err)
{
    struct ec7xx_module *module;
    bool done;
    if (!ec7xx_module_new(old, part, &module, err))
        return false;
    bool ok = ec7xx_module_run(module, (struct ec7xx_supply){0}, &done, err);
    if (ok) {
        *ret = module->flash;
        module->flash = (struct buffer){0};
    }
    ec7xx_module_free(module);
    return ok;
}
