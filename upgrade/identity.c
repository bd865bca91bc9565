/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/identity.h"

#include <string.h>
#include <strings.h>

static const char *const kind_names[ID_KINDS] = {[ID_IMEI] = "imei", [ID_MAC] = "mac", [ID_UID] = "uid"};
const struct enum_names id_kind_names = ENUM_NAMES(kind_names);

const char *identity_kind_name(enum id_kind kind)
{
    return kind_names[kind];
}

bool identity_kind_parse(struct slice text, enum id_kind *ret)
{
    unsigned kind;
    if (!enum_find(&id_kind_names, text, &kind))
        return false;
    *ret = (enum id_kind)kind;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The hex digit in upper case; NUL for other characters. Without <ctype.h>, because a locale must not
   matter. */
static char upper_hex(char c)
{
    if (is_digit(c) || (c >= 'A' && c <= 'F'))
        return c;
    return c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : '\0';
}

/* Words that clients send if they do not know the id: the text of an empty value in their language. */
static const char *const placeholder_words[] = {"nil",       "null",  "none",    "(null)", "(nil)", "unknown",
                                                "undefined", "false", "invalid", "nan",    "n.a."};

static bool is_word_for_nothing(struct slice text)
{
    for (size_t i = 0; i < sizeof placeholder_words / sizeof *placeholder_words; i++)
        if (text.len == strlen(placeholder_words[i]) &&
            strncasecmp(text.ptr, placeholder_words[i], text.len) == 0)
            return true;
    return false;
}

/* Only zeros, or only F (erased memory): many modules have the same such id. */
static bool is_blank(struct slice text)
{
    size_t zeros = 0, fs = 0, separators = 0;
    for (size_t i = 0; i < text.len; i++) {
        zeros += text.ptr[i] == '0';
        fs += upper_hex(text.ptr[i]) == 'F';
        separators += memchr(":-._ ", text.ptr[i], 5) != NULL;
    }
    return zeros + separators == text.len || (fs + separators == text.len && fs >= 8);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has(struct slice text, bool (*is_one)(char c))
{
    for (size_t i = 0; i < text.len; i++)
        if (is_one(text.ptr[i]))
            return true;
    return false;
}

static size_t digits_at_front(struct slice text)
{
    size_t count = 0;
    while (count < text.len && is_digit(text.ptr[count]))
        count++;
    return count;
}

static bool copy_visible(struct slice text, char out[IDENTITY_SIZE])
{
    if (text.len == 0 || text.len >= IDENTITY_SIZE)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c <= ' ' || c >= 0x7F || memchr("/?&#%", c, 5))
            return false;
        out[i] = c;
    }
    return !is_blank(text) && !is_word_for_nothing(text) && (has(text, is_digit) || has(text, is_letter));
}

static bool normalise_imei(struct slice text, char out[IDENTITY_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ' ' || text.ptr[i] == '-')
            continue;
        if (!is_digit(text.ptr[i]) || used == IMEI_DIGITS_MAX)
            return false;
        out[used++] = text.ptr[i];
    }
    return used >= IMEI_BODY_DIGITS && !is_blank((struct slice){out, IMEI_BODY_DIGITS});
}

/* "8.66597E+14": an IMEI from a spreadsheet. */
static bool is_rounded_number(struct slice text)
{
    size_t digits = digits_at_front(text);
    for (size_t i = digits; i < text.len; i++)
        if (!is_digit(text.ptr[i]) && !memchr(".,+eE", text.ptr[i], 5))
            return false;
    return digits > 0 && memchr(text.ptr, '+', text.len);
}

/* Any text with a letter. A text that begins like an IMEI is a mistyped IMEI. */
static bool normalise_plain(struct slice text, char out[IDENTITY_SIZE])
{
    return digits_at_front(text) < IMEI_BODY_DIGITS && has(text, is_letter) && !is_rounded_number(text) &&
           copy_visible(text, out);
}

static bool normalise_imei_or_plain(struct slice text, char out[IDENTITY_SIZE])
{
    char plain[IDENTITY_SIZE] = "";
    if (normalise_imei(text, out))
        return true;
    if (!normalise_plain(text, plain))
        return false;
    memcpy(out, plain, IDENTITY_SIZE); /* also overwrites the rest of the first try */
    return true;
}

static bool normalise_mac(struct slice text, char out[IDENTITY_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':' || c == '-' || c == '.')
            continue;
        c = upper_hex(c);
        if (c == '\0' || used == IDENTITY_SIZE - 1)
            return false;
        out[used++] = c;
    }
    return used >= CHIP_ID_DIGITS_MIN && used % 2 == 0 && !is_blank((struct slice){out, used});
}

bool identity_normalise(enum id_kind kind, struct slice text, struct identity *ret)
{
    static bool (*const normalise[ID_KINDS])(struct slice, char[IDENTITY_SIZE]) = {
        [ID_IMEI] = normalise_imei_or_plain, [ID_MAC] = normalise_mac, [ID_UID] = copy_visible};
    struct identity identity = {.kind = kind, .id = ""};

    if (text.len == 0 || !normalise[kind](text, identity.id))
        return false;
    *ret = identity;
    return true;
}

bool identity_of_bytes(struct slice bytes, struct identity *ret, bool *ret_raw)
{
    static const char digits[] = "0123456789ABCDEF";
    struct identity identity = {.kind = ID_UID, .id = ""};
    bool visible = true;

    for (size_t i = 0; i < bytes.len; i++)
        visible &= bytes.ptr[i] > ' ' && bytes.ptr[i] < 0x7F;
    *ret_raw = !visible;
    if (visible)
        return identity_normalise(ID_UID, bytes, ret);
    if (bytes.len < CHIP_ID_DIGITS_MIN / 2 || bytes.len > (IDENTITY_SIZE - 1) / 2)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        identity.id[2 * i] = digits[byte >> 4];
        identity.id[2 * i + 1] = digits[byte & 15];
    }
    if (is_blank(slice_of(identity.id)))
        return false;
    *ret = identity;
    return true;
}

static bool read_prefixed(struct slice text, struct identity *ret, bool *ret_prefixed)
{
    for (unsigned kind = 0; kind < ID_KINDS; kind++) {
        size_t len = strlen(kind_names[kind]);
        *ret_prefixed =
            text.len > len && text.ptr[len] == ':' && strncasecmp(text.ptr, kind_names[kind], len) == 0;
        if (*ret_prefixed)
            return identity_normalise((enum id_kind)kind,
                                      (struct slice){text.ptr + len + 1, text.len - len - 1}, ret);
    }
    return false;
}

/* What is read without a prefix, the likeliest first. */
static unsigned guess(struct slice text, struct identity ret[IDENTITY_READINGS])
{
    struct identity imei, mac, uid;
    bool is_imei = identity_normalise(ID_IMEI, text, &imei), is_mac = identity_normalise(ID_MAC, text, &mac);
    bool is_known_imei = is_imei && identity_is_imei(&imei),
         is_short_mac = is_mac && strlen(mac.id) == MAC_DIGITS;
    unsigned count = 0;

    if (is_known_imei)
        ret[count++] = imei;
    if (is_short_mac)
        ret[count++] = mac;
    if (identity_normalise(ID_UID, text, &uid))
        ret[count++] = uid;
    if (is_imei && !is_known_imei)
        ret[count++] = imei;
    if (is_mac && !is_short_mac)
        ret[count++] = mac;
    if (is_mac && identity_normalise(ID_UID, slice_of(mac.id), &uid)) /* raw bytes are stored in upper case */
        ret[count++] = uid;
    return count;
}

unsigned identity_readings(struct slice text, struct identity ret[IDENTITY_READINGS])
{
    bool prefixed;
    if (read_prefixed(text, &ret[0], &prefixed))
        return 1;
    return prefixed ? 0 : guess(text, ret);
}

bool identity_parse(struct slice text, struct identity *ret)
{
    struct identity readings[IDENTITY_READINGS];
    if (identity_readings(text, readings) == 0)
        return false;
    *ret = readings[0];
    return true;
}

bool identity_is_imei(const struct identity *identity)
{
    return identity->kind == ID_IMEI && digits_at_front(slice_of(identity->id)) >= IMEI_BODY_DIGITS;
}

void identity_complete_imei(const char body[IMEI_BODY_DIGITS + 1], char out[IMEI_DIGITS + 1])
{
    unsigned sum = 0;
    for (unsigned i = 0; i < IMEI_BODY_DIGITS; i++) {
        unsigned digit = (unsigned)(body[i] - '0');
        if (i % 2 == 1) /* every second digit is doubled; the digits of the product are added */
            digit = digit < 5 ? digit * 2 : digit * 2 - 9;
        sum += digit;
    }
    memcpy(out, body, IMEI_BODY_DIGITS);
    out[IMEI_BODY_DIGITS] = (char)('0' + (10 - sum % 10) % 10);
    out[IMEI_DIGITS] = '\0';
}

bool identity_is_doubtful(const struct identity *identity)
{
    char body[IMEI_BODY_DIGITS + 1], whole[IMEI_DIGITS + 1];
    if (!identity_is_imei(identity) || strlen(identity->id) != IMEI_DIGITS)
        return false;
    memcpy(body, identity->id, IMEI_BODY_DIGITS);
    body[IMEI_BODY_DIGITS] = '\0';
    identity_complete_imei(body, whole);
    return strcmp(whole, identity->id) != 0;
}
