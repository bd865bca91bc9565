#include "delta/recognise.h"

#include <string.h>
#include <strings.h>
#include "base/slice.h"
#include "delta/binpkg.h"
#include "delta/par.h"
#include "delta/wrapper.h"

#define TEXT_PIECE 1024

static bool begins(struct bytes bytes, const char *magic, size_t len)
{
    return bytes.len >= len && memcmp(bytes.ptr, magic, len) == 0;
}

#define MAGIC(name, text)                                                                                    \
    static bool is_##name(struct bytes bytes)                                                                \
    {                                                                                                        \
        return begins(bytes, text, sizeof text - 1);                                                         \
    }

MAGIC(bsdiff, "BSDIFF40")
MAGIC(payload, "BPHD")
MAGIC(7z, "7z\xBC\xAF\x27\x1C")
MAGIC(gzip, "\x1F\x8B\x08")
MAGIC(bzip2, "BZh")
MAGIC(xz,
      "\xFD"
      "7zXZ\0")
MAGIC(elf,
      "\x7F"
      "ELF")

static bool is_empty(struct bytes bytes)
{
    return bytes.len == 0;
}

static bool is_zip(struct bytes bytes)
{
    return begins(bytes, "PK\3\4", 4) || begins(bytes, "PK\5\6", 4); /* the second: an empty one */
}

static bool is_hex_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* A record's head: colon, length, address, kind 00 to 05. */
static bool is_intel_hex(struct bytes bytes)
{
    if (bytes.len < 11 || bytes.ptr[0] != ':')
        return false;
    for (size_t i = 1; i < 11; i++)
        if (!is_hex_digit(bytes.ptr[i]))
            return false;
    return bytes.ptr[7] == '0' && bytes.ptr[8] <= '5';
}

/* How much of the beginning is one piece of clean text, no character cut; 0: it is none. */
static size_t text_piece(struct bytes bytes)
{
    char clean[TEXT_PIECE];
    size_t len = bytes.len < TEXT_PIECE ? bytes.len : TEXT_PIECE;
    for (size_t i = 0; i < len; i++)
        clean[i] =
            (char)(bytes.ptr[i] == '\n' || bytes.ptr[i] == '\r' || bytes.ptr[i] == '\t' ? ' ' : bytes.ptr[i]);
    for (size_t i = 1; bytes.len > len && i <= 4 && i <= len; i++) /* it may end inside of a character */
        if ((clean[len - i] & 0xC0) != 0x80) {
            len -= clean[len - i] & 0x80 ? i : 0;
            break;
        }
    return slice_is_clean_utf8((struct slice){clean, len}) ? len : 0;
}

/* All of it is UTF-8 without control characters other than white space. */
static bool is_text(struct bytes bytes)
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

static bool is_html(struct bytes bytes)
{
    struct bytes rest = without_blanks(bytes);
    static const char *const begin[] = {"<!doctype html", "<html", "<head", "<?xml"};
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++)
        if (rest.len >= strlen(begin[i]) &&
            strncasecmp((const char *)rest.ptr, begin[i], strlen(begin[i])) == 0)
            return true;
    return false;
}

static bool is_json(struct bytes bytes)
{
    struct bytes rest = without_blanks(bytes);
    return rest.len > 0 && (rest.ptr[0] == '{' || rest.ptr[0] == '[') && is_text(bytes);
}

static bool is_any(struct bytes bytes)
{
    (void)bytes;
    return true;
}

/* clang-format off */
const struct recognised recognised_table[] = {
    {"empty",         "an empty file",                                              RECOGNISED_NEITHER, is_empty},
    {"binpkg",        "a .binpkg, the full firmware of an EC618 or EC7xx",          RECOGNISED_IMAGE,   binpkg_owns},
    {"par",           "a bare .par, the EC618's delta package",                     RECOGNISED_PACKAGE, par_owns},
    {"at-par",        "a delta package with the framing of AT firmware",            RECOGNISED_PACKAGE, wrapper_at_owns},
    {"luatos",        "a package with the 92-byte head of LuatOS",                  RECOGNISED_PACKAGE, luatos_owns},
    {"bsdiff",        "a bsdiff package",                                           RECOGNISED_PACKAGE, is_bsdiff},
    {"ec618-payload", "the payload of an EC618 delta package, without its headers", RECOGNISED_NEITHER, is_payload},
    {"zip",           "a ZIP archive: unpack it",                                   RECOGNISED_NEITHER, is_zip},
    {"7z",            "a 7z archive (a LuatOS .soc is one): unpack it",             RECOGNISED_NEITHER, is_7z},
    {"gzip",          "gzip data: unpack it",                                       RECOGNISED_NEITHER, is_gzip},
    {"bzip2",         "bzip2 data: unpack it",                                      RECOGNISED_NEITHER, is_bzip2},
    {"xz",            "xz data: unpack it",                                         RECOGNISED_NEITHER, is_xz},
    {"elf",           "an ELF file, a linker's output and not what flash holds",    RECOGNISED_NEITHER, is_elf},
    {"intel-hex",     "Intel HEX, a text form of a binary: convert it",             RECOGNISED_NEITHER, is_intel_hex},
    {"html",          "an HTML page, perhaps of a download that failed",            RECOGNISED_NEITHER, is_html},
    {"json",          "JSON, perhaps the answer of a download that failed",         RECOGNISED_NEITHER, is_json},
    {"text",          "text and no binary",                                         RECOGNISED_NEITHER, is_text},
    {"raw",           "a binary of no known kind, perhaps a raw image",             RECOGNISED_IMAGE,   is_any},
};
/* clang-format on */

const size_t recognised_count = sizeof recognised_table / sizeof recognised_table[0];

const struct recognised *recognise(struct bytes bytes)
{
    const struct recognised *row = recognised_table;
    while (!row->is(bytes))
        row++;
    return row;
}
