/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/recognise/recognise.h"

#include <string.h>
#include "base/little.h"
#include "delta/container/binpkg.h"
#include "delta/recognise/foreign.h"
#include "delta/container/par.h"
#include "delta/container/soc.h"
#include "delta/container/wrapper.h"
#include "delta/recognise/text_file.h"

#define MAGIC(name, text)                                                                                    \
    static bool is_##name(struct bytes bytes)                                                                \
    {                                                                                                        \
        return bytes_begin_with(bytes, text, sizeof text - 1);                                               \
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

/* The magic number of a .par has only two bytes. So a known version, or the length of the file, must
   follow. */
static bool is_par(struct bytes bytes)
{
    return par_owns(bytes) && ((bytes.len > 2 && (bytes.ptr[2] == 0x20 || bytes.ptr[2] == 0x45)) ||
                               (bytes.len >= 12 && little_u32(bytes.ptr + 8) == bytes.len));
}

/* ---- Deltas of other tools ---- */

/* Variants by FreeBSD, Chromium, Android and Endsley. Each has another layout after its name. */
static bool is_bsdiff_variant(struct bytes bytes)
{
    static const char *const begin[] = {"BSDIFF", "BSDF2", "BSDIFN", "ENDSLEY/", "IMGDIFF", "BSDF"};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (bytes_begin_with(bytes, begin[i], strlen(begin[i])))
            return true;
    return false;
}

/* The third field of the head is a set of three bits. The letter S marks the interleaved form. */
static bool is_vcdiff(struct bytes bytes)
{
    return bytes_begin_with(bytes, "\xD6\xC3\xC4", 3) && bytes.len >= 5 &&
           (bytes.ptr[3] == 0 || bytes.ptr[3] == 'S') && bytes.ptr[4] < 8;
}

static bool is_ips(struct bytes bytes)
{
    static const char *const end[] = {"EOF", "EEOF"};
    if (!bytes_begin_with(bytes, "PATCH", 5) && !bytes_begin_with(bytes, "IPS32", 5))
        return false;
    for (size_t i = 0; i < 2; i++)
        for (size_t behind = 0; behind <= 4; behind++) /* the size to which the result is cut may follow */
            if (bytes.len >= 5 + strlen(end[i]) + behind &&
                memcmp(bytes.ptr + bytes.len - behind - strlen(end[i]), end[i], strlen(end[i])) == 0)
                return true;
    return bytes.ptr[0] == 'I';
}

/* Formats with a magic number of four bytes or more. */
static bool is_other_delta(struct bytes bytes)
{
    static const struct {
        const char *magic;
        size_t len;
    } known[] = {
        {"HDIFF", 5},
        {"BPS1", 4},
        {"UPS1", 4},
        {"PPF30", 5},
        {"PPF20", 5},
        {"NINJA2", 6},
        {"%XDZ0", 5},
        {"%XDELTA", 7},
        {"Zucc", 4},
        {"\xC3\xDE\xD5\x03", 4} /* Courgette */,
        {"\xD1\xFF\xD1\xFF", 4} /* GDIFF */,
        {"rs\x02\x36", 4} /* rdiff */,
        {"PUF1", 4},
        {"CrAU", 4} /* Android's payload.bin */,
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bytes_begin_with(bytes, known[i].magic, known[i].len))
            return true;
    return false;
}

/* detools has no magic number: kind and compression in one byte, one to five sizes, then the compressed
   patch. */
static bool is_detools(struct bytes bytes)
{
    static const struct {
        unsigned compression;
        const char *magic;
        size_t len;
    } known[] = {
        {1, "\x5D\0\0", 3},
        {1,
         "\xFD"
         "7zXZ\0",
         6},
        {3, "BZh", 3},
        {5, "\x28\xB5\x2F\xFD", 4},
        {6, "\x04\x22\x4D\x18", 4},
    };
    if (bytes.len < 16 || bytes.ptr[0] >> 4 > 2)
        return false;
    size_t sizes = bytes.ptr[0] >> 4 == 1 ? 5 : 1, at = 1;
    for (; sizes > 0 && at < bytes.len && at < 32; at++)
        sizes -= !(bytes.ptr[at] & 0x80);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((bytes.ptr[0] & 15u) == known[i].compression &&
            bytes_begin_with((struct bytes){bytes.ptr + at, bytes.len - at}, known[i].magic, known[i].len))
            return true;
    return false;
}

/* ---- Formats that contain firmware ---- */

static bool has_at(struct bytes bytes, size_t at, const char *magic, size_t len)
{
    return bytes.len >= at && bytes_begin_with((struct bytes){bytes.ptr + at, bytes.len - at}, magic, len);
}

MAGIC(uf2, "UF2\n\x57\x51\x5D\x9E")
MAGIC(android_sparse, "\x3A\xFF\x26\xED")
MAGIC(android_boot, "ANDROID!")
MAGIC(zstd, "\x28\xB5\x2F\xFD")
MAGIC(rar, "Rar!\x1A\x07")
MAGIC(cab, "MSCF\0\0\0\0")
MAGIC(ar, "!<arch>\n")
MAGIC(lzip, "LZIP\x01")
MAGIC(lzop, "\x89LZO\0\r\n")
MAGIC(wim, "MSWIM\0\0\0")

static bool is_tar(struct bytes bytes)
{
    return has_at(bytes, 257, "ustar", 5);
}

static bool is_lz4(struct bytes bytes)
{
    return bytes_begin_with(bytes, "\x04\x22\x4D\x18", 4) || bytes_begin_with(bytes, "\x02\x21\x4C\x18", 4);
}

static bool is_cpio(struct bytes bytes)
{
    return bytes_begin_with(bytes, "070701", 6) || bytes_begin_with(bytes, "070702", 6) ||
           bytes_begin_with(bytes, "070707", 6);
}

/* Properties, a dictionary size of 2^n or 2^n + 2^(n-1), and a plain size that is unknown or below 256
   MiB. */
static bool is_lzma(struct bytes bytes)
{
    if (bytes.len < 14 || bytes.ptr[0] != 0x5D || bytes.ptr[1] != 0 || bytes.ptr[13] != 0)
        return false;
    uint32_t dictionary = (uint32_t)bytes.ptr[1] | (uint32_t)bytes.ptr[2] << 8 |
                          (uint32_t)bytes.ptr[3] << 16 | (uint32_t)bytes.ptr[4] << 24;
    bool unknown = memcmp(bytes.ptr + 5, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) == 0;
    uint32_t left = dictionary & (dictionary - 1);
    return dictionary >= 4096 && (left & (left - 1)) == 0 &&
           (unknown || (memcmp(bytes.ptr + 9, "\0\0\0\0", 4) == 0 && bytes.ptr[8] < 0x10));
}

/* File systems. */
static bool is_filesystem(struct bytes bytes)
{
    return bytes_begin_with(bytes, "hsqs", 4) || bytes_begin_with(bytes, "sqsh", 4) ||
           bytes_begin_with(bytes, "-rom1fs-", 8) || bytes_begin_with(bytes, "\x45\x3D\xCD\x28", 4) ||
           bytes_begin_with(bytes, "UBI#", 4) || bytes_begin_with(bytes, "\x31\x18\x10\x06", 4) ||
           has_at(bytes, 32769, "CD001", 5) || has_at(bytes, 8, "littlefs", 8);
}

/* The suffix of 16 bytes that dfu-util uses, or the prefix of ST. */
static bool is_dfu(struct bytes bytes)
{
    if (bytes_begin_with(bytes, "DfuSe\x01", 6))
        return true;
    return bytes.len > 16 && memcmp(bytes.ptr + bytes.len - 8, "UFD\x10", 4) == 0 &&
           bytes.ptr[bytes.len - 9] <= 1 &&
           (bytes.ptr[bytes.len - 10] == 0 || bytes.ptr[bytes.len - 10] == 0x1A);
}

/* ---- Images of other modules ---- */

/* The app descriptor is at the beginning of the first segment. */
static bool is_esp(struct bytes bytes)
{
    return bytes_begin_with(bytes, "\xE9", 1) && has_at(bytes, 32, "\x32\x54\xCD\xAB", 4);
}

MAGIC(wm, "\x9F\xFF\xFF\xA0")

/* The last eight bytes are the offset of the section table and CMAR. */
bool recognise_ec7xx_image(struct bytes bytes)
{
    if (bytes.len < 20 || memcmp(bytes.ptr + bytes.len - 4, "CMAR", 4) != 0)
        return false;
    return has_at(bytes, little_u32(bytes.ptr + bytes.len - 8), "\xBA\x8C\x71\xEC", 4);
}

/* ---- Programs ---- */

/* Not only the two letters at the beginning: firmware may begin with them. */
static bool is_pe(struct bytes bytes)
{
    if (!bytes_begin_with(bytes, "MZ", 2) || bytes.len < 64)
        return false;
    uint32_t at = (uint32_t)bytes.ptr[60] | (uint32_t)bytes.ptr[61] << 8 | (uint32_t)bytes.ptr[62] << 16 |
                  (uint32_t)bytes.ptr[63] << 24;
    return has_at(bytes, at, "PE\0\0", 4);
}

static bool is_script(struct bytes bytes)
{
    return bytes_begin_with(bytes, "#!/", 3) || bytes_begin_with(bytes, "#! /", 4);
}

static bool is_empty(struct bytes bytes)
{
    return bytes.len == 0;
}

static bool is_zip(struct bytes bytes)
{
    return bytes_begin_with(bytes, "PK\3\4", 4) ||
           bytes_begin_with(bytes, "PK\5\6", 4); /* the second is an empty archive */
}

static bool is_any(struct bytes bytes)
{
    (void)bytes;
    return true;
}

#define UNPACK  ": unpack it first and upload the .bin inside"
#define CONVERT ": convert it first (objcopy -O binary) and upload the .bin"

/* clang-format off */
const struct recognised recognised_table[] = {
    {"empty",         "an empty file",                                              RECOGNISED_NEITHER, is_empty},
    {"binpkg",        "a .binpkg, the full firmware of an EC618 or EC7xx",          RECOGNISED_IMAGE,   binpkg_owns},
    {"par",           "a bare .par, a delta package for an EC618 or EC7xx",            RECOGNISED_PACKAGE, is_par},
    {"at-par",        "a delta package with the head of AT firmware",            RECOGNISED_PACKAGE, wrapper_at_owns},
    {"csdk-full",     "a full package of CSDK with the 92-byte head",               RECOGNISED_PACKAGE, luatos_owns_full},
    {"luatos",        "a package with the 92-byte head of LuatOS",                  RECOGNISED_PACKAGE, luatos_owns},
    {"bsdiff",        "a bsdiff package",                                           RECOGNISED_PACKAGE, is_bsdiff},
    {"bsdiff-other",  "a delta package of a variant of bsdiff",                     RECOGNISED_PACKAGE, is_bsdiff_variant},
    {"vcdiff",        "a delta package of the format VCDIFF (xdelta3)",             RECOGNISED_PACKAGE, is_vcdiff},
    {"ips",           "an IPS patch",                                               RECOGNISED_PACKAGE, is_ips},
    {"delta",         "a delta package of another tool",                            RECOGNISED_PACKAGE, is_other_delta},
    {"detools",       "a delta package of detools",                                 RECOGNISED_PACKAGE, is_detools},
    {"zstd",          "zstd data, or a zstd patch" UNPACK,                          RECOGNISED_PACKAGE, is_zstd},
    {"ec618-payload", "the payload of an EC618 delta package, without its headers", RECOGNISED_NEITHER, is_payload},
    {"soc",           "a .soc, a release of LuatOS",                                RECOGNISED_IMAGE,   soc_owns},
    {"zip",           "a ZIP archive" UNPACK,                                       RECOGNISED_NEITHER, is_zip},
    {"7z",            "a 7z archive" UNPACK,                                        RECOGNISED_NEITHER, is_7z},
    {"gzip",          "gzip data" UNPACK,                                           RECOGNISED_NEITHER, is_gzip},
    {"bzip2",         "bzip2 data" UNPACK,                                          RECOGNISED_NEITHER, is_bzip2},
    {"xz",            "xz data" UNPACK,                                             RECOGNISED_NEITHER, is_xz},
    {"lzma",          "LZMA data" UNPACK,                                           RECOGNISED_NEITHER, is_lzma},
    {"lz4",           "LZ4 data" UNPACK,                                            RECOGNISED_NEITHER, is_lz4},
    {"lzip",          "lzip data" UNPACK,                                           RECOGNISED_NEITHER, is_lzip},
    {"lzop",          "lzop data" UNPACK,                                           RECOGNISED_NEITHER, is_lzop},
    {"tar",           "a tar archive" UNPACK,                                       RECOGNISED_NEITHER, is_tar},
    {"rar",           "a RAR archive" UNPACK,                                       RECOGNISED_NEITHER, is_rar},
    {"cab",           "a CAB archive" UNPACK,                                       RECOGNISED_NEITHER, is_cab},
    {"ar",            "an ar archive (a library, or a Debian package)" UNPACK,      RECOGNISED_NEITHER, is_ar},
    {"cpio",          "a cpio archive" UNPACK,                                      RECOGNISED_NEITHER, is_cpio},
    {"wim",           "a WIM archive" UNPACK,                                       RECOGNISED_NEITHER, is_wim},
    {"filesystem",    "a file system: extract the firmware and upload it", RECOGNISED_NEITHER, is_filesystem},
    {"android",       "an Android boot image" UNPACK,                               RECOGNISED_NEITHER, is_android_boot},
    {"android-sparse", "an Android sparse image: unpack it first (simg2img) and upload the .bin",
                                                                                    RECOGNISED_NEITHER, is_android_sparse},
    {"uf2",           "a UF2 file: convert it first and upload the .bin inside",     RECOGNISED_NEITHER, is_uf2},
    {"dfu",           "a file with the suffix or prefix of DFU: remove it first (dfu-suffix -D) and upload the .bin",
                                                                                    RECOGNISED_NEITHER, is_dfu},
    {"elf",           "an ELF file, the output of a linker, not the content of flash" CONVERT, RECOGNISED_NEITHER, is_elf},
    {"pe",            "a Windows program",                                          RECOGNISED_NEITHER, is_pe},
    {"script",        "a script",                                                   RECOGNISED_NEITHER, is_script},
    {"intel-hex",     "Intel HEX, a text form of a binary" CONVERT,                 RECOGNISED_NEITHER, text_file_is_intel_hex},
    {"srecord",       "S-records, a text form of a binary" CONVERT,                 RECOGNISED_NEITHER, text_file_is_srecord},
    {"esp-image",     "an app image of an ESP32",                                   RECOGNISED_IMAGE,   is_esp},
    {"wm-image",      "an image of an Air101, Air103 or Air601 (XT804)",            RECOGNISED_IMAGE,   is_wm},
    {"ec7xx-image",   "an AP or CP image of an EC7xx with packed sections",         RECOGNISED_IMAGE,   recognise_ec7xx_image},
    {"html",          "an HTML page, perhaps from a failed download",            RECOGNISED_NEITHER, text_file_is_html},
    {"json",          "JSON, perhaps from a failed download",         RECOGNISED_NEITHER, text_file_is_json},
    {"text",          "text, not a binary file",                                         RECOGNISED_NEITHER, text_file_is_plain},
    {"utf-16",        "text (UTF-16), not a binary file",                                RECOGNISED_NEITHER, text_file_is_utf16},
    {"raw",           "a binary file of no known kind, perhaps a raw image",             RECOGNISED_IMAGE,   is_any},
};
/* clang-format on */

const size_t recognised_count = sizeof recognised_table / sizeof recognised_table[0];

const struct recognised *recognise(struct bytes bytes)
{
    const struct recognised *row = recognised_table, *last = recognised_table + recognised_count - 1,
                            *foreign;
    while (!row->is(bytes))
        row++;
    return row == last && (foreign = foreign_recognise(bytes)) ? foreign : row;
}
