#include "upgrade/identity.h"

#include <strings.h>

static const char *const kind_names[ID_KINDS] = {[ID_IMEI] = "imei", [ID_MAC] = "mac", [ID_UID] = "uid"};

const char *identity_kind_name(enum id_kind kind)
{
    return kind_names[kind];
}

bool identity_kind_parse(struct slice text, enum id_kind *ret)
{
    for (unsigned kind = 0; kind < ID_KINDS; kind++) {
        if (slice_is(text, kind_names[kind])) {
            *ret = (enum id_kind)kind;
            return true;
        }
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* '0'–'9', 'A'–'F' for a hex digit of either case, NUL for all else. No <ctype.h>: a locale decides nothing here. */
static char upper_hex(char c)
{
    if (is_digit(c) || (c >= 'A' && c <= 'F'))
        return c;
    return c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : '\0';
}

static bool normalise_imei(struct slice text, char out[IDENTITY_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ' ' || text.ptr[i] == '-')
            continue;
        if (!is_digit(text.ptr[i]) || used == 16)
            return false;
        out[used++] = text.ptr[i];
    }
    return used >= 14;
}

static bool normalise_mac(struct slice text, char out[IDENTITY_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':' || c == '-' || c == '.')
            continue;
        c = upper_hex(c);
        if (c == '\0' || used == 12)
            return false;
        out[used++] = c;
    }
    return used == 12;
}

static bool normalise_uid(struct slice text, char out[IDENTITY_SIZE])
{
    if (text.len == 0 || text.len >= IDENTITY_SIZE)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c <= ' ' || c >= 0x7F || memchr("/?&#%", c, 5))
            return false;
        out[i] = c;
    }
    return true;
}

bool identity_normalise(enum id_kind kind, struct slice text, struct identity *ret)
{
    static bool (*const normalise[ID_KINDS])(struct slice, char[IDENTITY_SIZE]) = {
        [ID_IMEI] = normalise_imei, [ID_MAC] = normalise_mac, [ID_UID] = normalise_uid};
    struct identity identity = {.kind = kind, .id = ""};

    if (!normalise[kind](text, identity.id))
        return false;
    *ret = identity;
    return true;
}

bool identity_parse(struct slice text, struct identity *ret)
{
    for (unsigned kind = 0; kind < ID_KINDS; kind++) {
        size_t len = strlen(kind_names[kind]);
        if (text.len > len && text.ptr[len] == ':' && strncasecmp(text.ptr, kind_names[kind], len) == 0)
            return identity_normalise((enum id_kind)kind, (struct slice){text.ptr + len + 1, text.len - len - 1}, ret);
    }
    return identity_normalise(ID_IMEI, text, ret) || identity_normalise(ID_MAC, text, ret) ||
           identity_normalise(ID_UID, text, ret);
}

bool identity_is_doubtful(const struct identity *identity)
{
    if (identity->kind != ID_IMEI || strlen(identity->id) != 15)
        return false;
    unsigned sum = 0;
    for (unsigned i = 0; i < 15; i++) {
        unsigned digit = (unsigned)(identity->id[i] - '0');
        if (i % 2 == 1) /* every second one doubled, digits of the product added */
            digit = digit < 5 ? digit * 2 : digit * 2 - 9;
        sum += digit;
    }
    return sum % 10 != 0;
}
