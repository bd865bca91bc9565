/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/recognise/text_file.h"

#include <string.h>
#include <strings.h>
#include "base/slice.h"

#define TEXT_PIECE 1024

static bool is_hex_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* The head of a record: colon, length, address, kind 00 to 05. */
bool text_file_is_intel_hex(struct bytes bytes)
{
    if (bytes.len < 11 || bytes.ptr[0] != ':')
        return false;
    for (size_t i = 1; i < 11; i++)
        if (!is_hex_digit(bytes.ptr[i]))
            return false;
    return bytes.ptr[7] == '0' && bytes.ptr[8] <= '5';
}

bool text_file_is_srecord(struct bytes bytes)
{
    if (bytes.len < 10 || bytes.ptr[0] != 'S' || bytes.ptr[1] < '0' || bytes.ptr[1] > '9')
        return false;
    for (size_t i = 2; i < 10; i++)
        if (!is_hex_digit(bytes.ptr[i]))
            return false;
    return true;
}

/* The length of a piece of clean text at the beginning, with no character cut. 0: not text. */
static size_t text_piece(struct bytes bytes)
{
    char clean[TEXT_PIECE];
    size_t len = bytes.len < TEXT_PIECE ? bytes.len : TEXT_PIECE;
    for (size_t i = 0; i < len; i++)
        clean[i] =
            (char)(bytes.ptr[i] == '\n' || bytes.ptr[i] == '\r' || bytes.ptr[i] == '\t' ? ' ' : bytes.ptr[i]);
    for (size_t i = 1; bytes.len > len && i <= 4 && i <= len; i++) /* the piece may end inside a character */
        if ((clean[len - i] & 0xC0) != 0x80) {
            len -= clean[len - i] & 0x80 ? i : 0;
            break;
        }
    return slice_is_clean_utf8((struct slice){clean, len}) ? len : 0;
}

bool text_file_is_plain(struct bytes bytes)
{
    size_t taken = 0;
    while (bytes.len > 0 && (taken = text_piece(bytes)) > 0)
        bytes = (struct bytes){bytes.ptr + taken, bytes.len - taken};
    return taken > 0;
}

static struct bytes without_blanks(struct bytes bytes)
{
    while (bytes.len > 0 && strchr(" \t\r\n", bytes.ptr[0]) && bytes.ptr[0] != 0)
        bytes = (struct bytes){bytes.ptr + 1, bytes.len - 1};
    return bytes;
}

bool text_file_is_html(struct bytes bytes)
{
    struct bytes rest = without_blanks(
        bytes_begin_with(bytes, "\xEF\xBB\xBF", 3) ? (struct bytes){bytes.ptr + 3, bytes.len - 3} : bytes);
    static const char *const begin[] = {"<!doctype", "<html", "<head", "<body",
                                        "<title",    "<!--",  "<?xml", "<?php"};
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++)
        if (rest.len >= strlen(begin[i]) &&
            strncasecmp((const char *)rest.ptr, begin[i], strlen(begin[i])) == 0)
            return true;
    return false;
}

bool text_file_is_json(struct bytes bytes)
{
    struct bytes rest = without_blanks(bytes);
    return rest.len > 0 && (rest.ptr[0] == '{' || rest.ptr[0] == '[') && text_file_is_plain(bytes);
}

bool text_file_is_utf16(struct bytes bytes)
{
    bool little = bytes_begin_with(bytes, "\xFF\xFE", 2);
    size_t plain = 0, count = bytes.len / 2;
    if (bytes.len < 8 || (!little && !bytes_begin_with(bytes, "\xFE\xFF", 2)))
        return false;
    for (size_t i = 1; i < count; i++)
        plain += bytes.ptr[2 * i + little] == 0 && bytes.ptr[2 * i + !little] != 0;
    return plain * 10 >= (count - 1) * 9;
}
