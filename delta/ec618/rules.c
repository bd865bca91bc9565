/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "delta/ec618/payload.h"

#define METHOD       0x40 /* bits 4 and 5 of byte 3 are 0, bit 6 is 1; the device does not read bit 7 */
#define OPTION_BYTES 8    /* size of an option; the vendor's packer can add two of them to a head */
#define OPTIONS_MAX  2

static bool wrong(struct error *err, const struct par_part *part, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets the error and returns false. */
static bool wrong(struct error *err, const struct par_part *part, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_CORRUPT, "the package of %s: %s", par_attribute_name(part->attribute), text);
}

bool ec618_rules_hold_for(const struct par *par)
{
    bool is = par->head.ptr[2] == PAR_VERSION;
    for (unsigned int i = 0; i < par->parts; i++) {
        struct bytes payload = par->part[i].payload;
        is = is || (payload.len >= 4 && memcmp(payload.ptr, "BPHD", 4) == 0);
    }
    return is;
}

static bool check_head(const struct par *par, struct error *err)
{
    if (par->method != METHOD)
        return error_set(err, ERROR_CORRUPT, "byte 3 of the archive is 0x%02x: bits 4 to 6 must be 0, 0, 1",
                         par->head.ptr[3]);
    if (par->segment_bytes != PAR_SEGMENT)
        return error_set(err, ERROR_CORRUPT, "the archive's segments have %u bytes, not %d",
                         par->segment_bytes, PAR_SEGMENT);
    for (size_t i = 0; i < PAR_PROGRESS_BYTES; i++)
        if (par->head.ptr[PAR_PROGRESS + i] != 0xFF)
            return error_set(err, ERROR_CORRUPT,
                             "byte %zu of the archive is 0x%02x: bytes 44 to 83 must be FF, because the "
                             "module records its progress there",
                             PAR_PROGRESS + i, par->head.ptr[PAR_PROGRESS + i]);
    return true;
}

static bool check_part_head(const struct par_part *part, unsigned int place, struct error *err)
{
    size_t zone = par_zone(part->attribute), options = part->head.len - PAR_PART_BYTES;
    if (zone == 0)
        return wrong(err, part, "part %u is not AP or CP", part->attribute);
    if (part->index != place)
        return wrong(err, part, "its index is %u, but its place in the archive is %u", part->index, place);
    if (options % OPTION_BYTES != 0 || options > OPTIONS_MAX * OPTION_BYTES)
        return wrong(err, part, "its head has %zu bytes, not 112, 120 or 128", part->head.len);
    if (part->base_bytes > zone)
        return wrong(err, part, "its old image has %u bytes; the zone has %zu", part->base_bytes, zone);
    if (part->new_bytes > zone)
        return wrong(err, part, "its new image has %u bytes; the zone has %zu", part->new_bytes, zone);
    return true;
}

/* Compares the head with the payload: the device reads some of these values from the head and some from
   the payload. */
static bool check_payload(const struct par_part *part, struct error *err)
{
    struct ec618_payload payload;
    struct error why;
    if (!ec618_payload_open(part->payload, &payload, &why))
        return wrong(err, part, "%.120s", why.text);
    if (part->reverse != (payload.order == EC618_REVERSE))
        return wrong(err, part, "its order bit is %d, but the order of its payload is %s", part->reverse,
                     payload.order == EC618_REVERSE ? "RvsO" : "NorO");
    if (part->segments != payload.parts)
        return wrong(err, part, "its head states %u segments, its payload %u", part->segments, payload.parts);
    if (part->new_bytes != payload.new_bytes)
        return wrong(err, part, "its head states a new image of %u bytes, its payload %u", part->new_bytes,
                     payload.new_bytes);
    if (part->base_bytes != payload.old_bytes)
        return wrong(err, part, "its head states an old image of %u bytes, its payload %u", part->base_bytes,
                     payload.old_bytes);
    return true;
}

bool ec618_rules_check(const struct par *par, struct error *err)
{
    if (!check_head(par, err) || !par_check_parts(par, err))
        return false;
    for (unsigned int i = 0; i < par->parts; i++)
        if (!check_part_head(&par->part[i], i, err) || !check_payload(&par->part[i], err))
            return false;
    return true;
}

bool ec618_rules_check_length(const struct par *par, struct error *err)
{
    return par->all.len <= PAR_MODULE_MAX ||
           error_set(err, ERROR_TOO_LARGE, "the archive has %zu bytes; a module accepts at most %d",
                     par->all.len, PAR_MODULE_MAX);
}
