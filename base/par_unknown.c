#include "base/par_unknown.h"

#include <stdio.h>

/* clang-format off */
#define FF8 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF

const struct par_unknown_row par_unknown_table[PAR_UNKNOWNS] = {
    [PAR_HEAD_2]  = {"head-2",  PAR_IN_HEAD, 2, 1, false, {0x20}, "nothing is known of it"},
    [PAR_HEAD_3]  = {"head-3",  PAR_IN_HEAD, 3, 1, false, {0x40}, "nothing is known of it"},
    [PAR_HEAD_4]  = {"head-4",  PAR_IN_HEAD, 4, 2, false, {0, 0}, "nothing is known of it"},
    [PAR_HEAD_6]  = {"head-6",  PAR_IN_HEAD, 6, 2, false, {0x00, 0x80}, "32768 as a number: a block's size?"},
    [PAR_HEAD_44] = {"head-44", PAR_IN_HEAD, 44, 40, false, {FF8, FF8, FF8, FF8, FF8}, "reserved by its maker"},
    [PAR_PART_8]  = {"part-8",  PAR_IN_PART, 8, 4, false, {0}, "reserved by its maker"},
    [PAR_PART_12] = {"part-12", PAR_IN_PART, 12, 4, true, {0}, "presumably the load address"},
    [PAR_PART_16] = {"part-16", PAR_IN_PART, 16, 4, true, {0}, "presumably the new image's size"},
    [PAR_PART_56] = {"part-56", PAR_IN_PART, 56, 4, false, {3, 0x24, 0, 0}, "kind 3, 36 bytes with the next field?"},
    [PAR_PART_60] = {"part-60", PAR_IN_PART, 60, 32, true, {0}, "presumably the new image's SHA-256"},
    [PAR_PART_92] = {"part-92", PAR_IN_PART, 92, 2, false, {0, 0x14}, "kind 0, 20 bytes with the name?"},
};
/* clang-format on */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(struct slice text, uint8_t *to, size_t size)
{
    if (text.len != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_override(struct slice item, struct par_overrides *ret, struct error *err)
{
    struct slice name, hex = item;
    if (!slice_split(&hex, '=', &name) || !hex.ptr)
        return error_set(err, ERROR_BAD_REQUEST, "an override is NAME=HEX");
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        const struct par_unknown_row *row = &par_unknown_table[i];
        if (!slice_is(name, row->name))
            continue;
        if (!read_hex(hex, ret->value[i], row->size))
            return error_set(err, ERROR_BAD_REQUEST, "%s needs %zu hex digits", row->name, 2 * row->size);
        ret->set[i] = true;
        return true;
    }
    return error_set(err, ERROR_BAD_REQUEST, "no bytes of the header are called %.*s",
                     (int)(name.len < 40 ? name.len : 40), name.ptr);
}

bool par_overrides_read(struct slice text, struct par_overrides *ret, struct error *err)
{
    struct par_overrides read = {0};
    struct slice item;
    if (text.len > 0)
        while (slice_split(&text, ',', &item))
            if (!read_override(item, &read, err))
                return false;
    *ret = read;
    return true;
}

void par_overrides_write(const struct par_overrides *overrides, char out[PAR_OVERRIDES_TEXT])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        if (!overrides->set[i])
            continue;
        at += (size_t)snprintf(out + at, PAR_OVERRIDES_TEXT - at, "%s%s=", at ? "," : "",
                               par_unknown_table[i].name);
        for (size_t k = 0; k < par_unknown_table[i].size; k++)
            at += (size_t)snprintf(out + at, PAR_OVERRIDES_TEXT - at, "%02x", overrides->value[i][k]);
    }
}
