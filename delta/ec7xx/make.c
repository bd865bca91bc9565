/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/make.h"

#include <inttypes.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "delta/ec7xx/image.h"

/* If one order is larger than the other by more than 1/HOPELESS, more effort does not make it the smaller one. */
#define HOPELESS 25

struct maker {
    struct ec7xx_image old, new;
    struct ec7xx_options options;
    unsigned int plain_segments;
    struct buffer group_delta[EC7XX_GROUPS_MAX];
    struct buffer plain_delta[2][EC7XX_SEGMENTS_MAX]; /* by order, in the order of the image */
};

static void free_maker(struct maker **maker)
{
    struct maker *m = *maker;
    if (!m)
        return;
    for (unsigned int i = 0; i < EC7XX_GROUPS_MAX; i++)
        buffer_free(&m->group_delta[i]);
    for (unsigned int i = 0; i < EC7XX_SEGMENTS_MAX; i++) {
        buffer_free(&m->plain_delta[EC7XX_FORWARD][i]);
        buffer_free(&m->plain_delta[EC7XX_BACKWARD][i]);
    }
    free(m);
}

/* ---- Whether the images fit ---- */

static bool open_image(struct bytes bytes, const char *name, struct ec7xx_image *ret, struct error *err)
{
    struct error why;
    return ec7xx_image_open(bytes, ret, &why) ||
           error_set(err, why.code, "the %s image: %.300s", name, why.text);
}

static bool check_groups(const struct maker *m, struct error *err)
{
    for (unsigned int i = 0; i < m->new.groups; i++) {
        const struct ec7xx_group *new = &m->new.group[i];
        const struct ec7xx_group *old = ec7xx_image_find_group(&m->old, new->number);
        if (!old || old->offset != new->offset || old->area_bytes != new->area_bytes)
            return error_set(
                err, ERROR_INVALID,
                "group %u has another place or area in the old image, and a package cannot move it",
                new->number);
        if (new->area_bytes > EC7XX_SEGMENT_BYTES)
            return error_set(err, ERROR_INVALID,
                             "group %u has an area of 0x%" PRIx32 " bytes; the limit is 0x%x", new->number,
                             new->area_bytes, EC7XX_SEGMENT_BYTES);
    }
    return true;
}

static bool check_images(struct maker *m, struct error *err)
{
    if (m->old.all.len != m->new.all.len || m->old.table_at != m->new.table_at ||
        m->old.groups != m->new.groups)
        return error_set(
            err, ERROR_INVALID,
            "the images have different sizes, section tables at different places or other groups, and a "
            "package cannot change these");
    m->plain_segments = ec7xx_payload_plain_segments(m->new.plain_bytes);
    if (m->new.groups + m->plain_segments > EC7XX_SEGMENTS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the new image has %u segments; the limit is %d",
                         m->new.groups + m->plain_segments, EC7XX_SEGMENTS_MAX);
    if (m->old.plain_bytes > m->plain_segments * EC7XX_SEGMENT_BYTES)
        return error_set(err, ERROR_INVALID,
                         "the old plain part ends at 0x%" PRIx32
                         ", behind the last segment of the new one, which "
                         "ends at 0x%" PRIx32 "; it is not known whether a module erases the rest",
                         m->old.plain_bytes, m->new.plain_bytes);
    return check_groups(m, err) && ec7xx_image_check_packing(&m->new, err);
}

/* ---- Deltas ---- */

static bool make_groups(struct maker *m, struct error *err)
{
    for (unsigned int i = 0; i < m->new.groups; i++) {
        _cleanup_(buffer_free) struct buffer old = {0};
        _cleanup_(buffer_free) struct buffer new = {0};
        const struct ec7xx_group *group = &m->new.group[i];
        if (!ec7xx_group_unpack(ec7xx_image_find_group(&m->old, group->number), m->old.all, &old, err) ||
            !ec7xx_group_unpack(group, m->new.all, &new, err) ||
            !ec7xx_stream_make(buffer_bytes(&old), buffer_bytes(&new), m->options.effort, &m->group_delta[i],
                               err))
            return false;
    }
    return true;
}

/* Makes all plain segments of an order, and stores their total. Earlier deltas that are smaller are kept. */
static bool make_plain(struct maker *m, enum ec7xx_order order, enum ec7xx_effort effort, size_t *ret_total,
                       struct error *err)
{
    struct bytes old_plain = {m->old.all.ptr, m->old.plain_bytes};
    *ret_total = 0;
    for (unsigned int i = 0; i < m->plain_segments; i++) {
        _cleanup_(buffer_free) struct buffer made = {0};
        struct buffer *delta = &m->plain_delta[order][i];
        uint32_t at = i * EC7XX_SEGMENT_BYTES, left = m->new.plain_bytes - at;
        bool is_first = order == EC7XX_BACKWARD ? i + 1 == m->plain_segments : i == 0;
        struct bytes old = ec7xx_payload_window(order, old_plain, at, is_first);
        struct bytes new = {m->new.all.ptr + at, left < EC7XX_SEGMENT_BYTES ? left : EC7XX_SEGMENT_BYTES};
        if (!ec7xx_stream_make(old, new, effort, &made, err))
            return false;
        if (delta->len == 0 || made.len < delta->len) {
            struct buffer earlier = *delta;
            *delta = made;
            made = earlier;
        }
        *ret_total += delta->len;
    }
    return true;
}

/* Makes both orders with the effort quick, then those that may become the smallest with the full effort. */
static bool make_orders(struct maker *m, enum ec7xx_order *ret, struct error *err)
{
    const struct ec7xx_options *options = &m->options;
    size_t total[2] = {SIZE_MAX, SIZE_MAX};
    for (unsigned int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++)
        if ((!options->only_order || options->order == order) &&
            !make_plain(m, order, EC7XX_QUICK, &total[order], err))
            return false;
    size_t least = total[0] < total[1] ? total[0] : total[1];
    for (unsigned int order = EC7XX_FORWARD; order <= EC7XX_BACKWARD; order++)
        if (options->effort != EC7XX_QUICK && total[order] <= least + least / HOPELESS &&
            !make_plain(m, order, options->effort, &total[order], err))
            return false;
    *ret = total[EC7XX_BACKWARD] < total[EC7XX_FORWARD] ? EC7XX_BACKWARD : EC7XX_FORWARD;
    return true;
}

bool ec7xx_payload_make(struct bytes old, struct bytes new, struct ec7xx_options options, struct buffer *ret,
                        enum ec7xx_order *ret_order, struct error *err)
{
    _cleanup_(free_maker) struct maker *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    m->options = options;
    if (!open_image(old, "old", &m->old, err) || !open_image(new, "new", &m->new, err) ||
        !check_images(m, err) || !make_groups(m, err) || !make_orders(m, ret_order, err))
        return false;
    struct ec7xx_payload_source source = {
        .order = *ret_order,
        .old = &m->old,
        .new = &m->new,
        .group_delta = m->group_delta,
        .plain_delta = m->plain_delta[*ret_order],
    };
    return ec7xx_payload_write(&source, ret, err);
}
