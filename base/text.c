/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include "base/slice.h"

/* One character as it is printed: the character itself, or its escape. */
struct piece {
    char text[12];
    size_t len, width;
    uint32_t point; /* UINT32_MAX: a byte that is not UTF-8 */
};

void text_begin(void)
{
    /* Only LC_CTYPE: numbers and times are the same in every locale. */
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static size_t sequence_length(unsigned char first)
{
    return first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
}

static uint32_t decode(const char *text, size_t len)
{
    static const unsigned char mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = (unsigned char)text[0] & mask[len];
    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3Fu);
    return point;
}

/* Characters that change the direction of writing can make one text look like another. */
static bool turns_direction(uint32_t point)
{
    return point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029;
}

/* The piece for the character at *at, which is not the end of the text; moves *at to the next character. */
static struct piece next_piece(const char **at)
{
    struct piece piece = {.point = UINT32_MAX};
    size_t len = sequence_length((unsigned char)**at);
    size_t have = strnlen(*at, len);
    bool valid = have == len && (**at & 0x80 ? slice_is_clean_utf8((struct slice){*at, len}) : true);
    /* U+0080..9F are not clean UTF-8 either: their two bytes are escaped one by one. */
    if (valid) {
        piece.point = decode(*at, len);
        int width = wcwidth((wchar_t)piece.point);
        if (width >= 0 && !is_control(piece.point) && !turns_direction(piece.point)) {
            memcpy(piece.text, *at, len);
            piece.len = len;
            piece.width = (size_t)width;
            *at += len;
            return piece;
        }
    } else {
        len = 1;
    }
    uint32_t shown = valid ? piece.point : (unsigned char)**at;
    piece.len = piece.width =
        (size_t)snprintf(piece.text, sizeof piece.text, shown < 0x100 ? "\\x%02x" : "\\u%04x", shown);
    *at += len;
    return piece;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text)
        width += next_piece(&text).width;
    return width;
}

void text_put(FILE *out, const char *text)
{
    while (*text) {
        struct piece piece = next_piece(&text);
        fwrite(piece.text, 1, piece.len, out);
    }
}

void text_blanks(FILE *out, size_t n)
{
    while (n-- > 0)
        putc(' ', out);
}

/* Bytes at the beginning of text that must stay on one line: up to a blank, or one wide character. */
static size_t unbroken(const char *text, size_t *ret_width)
{
    const char *at = text;
    *ret_width = 0;
    while (*at && *at != ' ') {
        const char *before = at;
        struct piece piece = next_piece(&at);
        if (piece.width == 2 && before != text)
            return (size_t)(before - text);
        *ret_width += piece.width;
        if (piece.width == 2)
            break;
    }
    return (size_t)(at - text);
}

void text_wrap(FILE *out, size_t indent, const char *text)
{
    size_t column = indent, blanks = 0;
    while (*text) {
        if (*text == ' ') {
            blanks++;
            text++;
            continue;
        }
        size_t width, len = unbroken(text, &width);
        if (column > indent && column + blanks + width > TEXT_COLUMNS) {
            putc('\n', out);
            text_blanks(out, indent);
            column = indent;
            blanks = 0;
        }
        text_blanks(out, blanks);
        for (const char *end = text + len; text < end;) {
            struct piece piece = next_piece(&text);
            fwrite(piece.text, 1, piece.len, out);
        }
        column += blanks + width;
        blanks = 0;
    }
    putc('\n', out);
}

void text_put_json(FILE *out, const char *json)
{
    while (*json) {
        size_t len = sequence_length((unsigned char)*json); /* jansson's dump is valid UTF-8 */
        uint32_t point = decode(json, len);
        if ((is_control(point) && point != '\n') || turns_direction(point))
            fprintf(out, "\\u%04x", point);
        else
            fwrite(json, 1, len, out);
        json += len;
    }
}
