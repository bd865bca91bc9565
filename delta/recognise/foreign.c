/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/recognise/foreign.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>

/* Libmagic gets at most this number of bytes; its signatures are at the beginning of a file. */
#define SEEN_MAX (1u << 20)

enum foreign { PICTURE, DOCUMENT, MEDIA, PROGRAM, ARCHIVE, DISK, CAPTURE, FONT, DATABASE };

/* clang-format off */
static const struct recognised kinds[] = {
    [PICTURE]  = {"picture",  "a picture",                                                        RECOGNISED_NEITHER, NULL},
    [DOCUMENT] = {"document", "a document",                                                       RECOGNISED_NEITHER, NULL},
    [MEDIA]    = {"media",    "sound or video",                                                   RECOGNISED_NEITHER, NULL},
    [PROGRAM]  = {"program",  "a program for a computer",                                         RECOGNISED_NEITHER, NULL},
    [ARCHIVE]  = {"archive",  "an archive: unpack it first and upload the .bin inside",           RECOGNISED_NEITHER, NULL},
    [DISK]     = {"disk",     "a disk image: extract the firmware and upload it",  RECOGNISED_NEITHER, NULL},
    [CAPTURE]  = {"capture",  "a capture of network traffic",                                     RECOGNISED_NEITHER, NULL},
    [FONT]     = {"font",     "a font",                                                           RECOGNISED_NEITHER, NULL},
    [DATABASE] = {"database", "a database",                                                       RECOGNISED_NEITHER, NULL},
};

/* A type that ends with * matches all types with that beginning. */
static const struct {
    const char *type;
    enum foreign kind;
} types[] = {
    {"image/png", PICTURE},      {"image/jpeg", PICTURE},     {"image/gif", PICTURE},       {"image/webp", PICTURE},
    {"image/tiff", PICTURE},     {"image/bmp", PICTURE},      {"image/svg+xml", PICTURE},   {"image/heic", PICTURE},
    {"image/heif", PICTURE},     {"image/avif", PICTURE},     {"image/jp2", PICTURE},       {"image/jxl", PICTURE},
    {"image/vnd.adobe.photoshop", PICTURE},                   {"image/x-xcf", PICTURE},
    {"application/pdf", DOCUMENT},                            {"application/postscript", DOCUMENT},
    {"application/rtf", DOCUMENT},                            {"text/rtf", DOCUMENT},
    {"application/msword", DOCUMENT},                         {"application/vnd.ms-excel", DOCUMENT},
    {"application/vnd.ms-powerpoint", DOCUMENT},              {"application/vnd.ms-office", DOCUMENT},
    {"application/vnd.openxmlformats*", DOCUMENT},            {"application/vnd.oasis*", DOCUMENT},
    {"application/CDFV2*", DOCUMENT},                         {"application/x-ole-storage", DOCUMENT},
    {"application/epub+zip", DOCUMENT},                       {"image/vnd.djvu", DOCUMENT},
    {"application/vnd.ms-htmlhelp", DOCUMENT},                {"application/x-dvi", DOCUMENT},
    {"audio/flac", MEDIA},       {"audio/ogg", MEDIA},        {"video/ogg", MEDIA},         {"application/ogg", MEDIA},
    {"audio/x-wav", MEDIA},      {"audio/midi", MEDIA},       {"audio/x-m4a", MEDIA},       {"video/mp4", MEDIA},
    {"video/quicktime", MEDIA},  {"video/3gpp", MEDIA},       {"video/x-msvideo", MEDIA},   {"video/webm", MEDIA},
    {"video/x-matroska", MEDIA}, {"video/x-ms-asf", MEDIA},   {"video/x-flv", MEDIA},
    {"application/vnd.microsoft.portable-executable", PROGRAM},
    {"application/x-mach-binary", PROGRAM},                   {"application/x-java-applet", PROGRAM},
    {"application/java-archive", PROGRAM},                    {"application/wasm", PROGRAM},
    {"application/x-rar", ARCHIVE},                           {"application/vnd.rar", ARCHIVE},
    {"application/vnd.ms-cab-compressed", ARCHIVE},           {"application/x-lzip", ARCHIVE},
    {"application/x-lzop", ARCHIVE},                          {"application/x-lz4", ARCHIVE},
    {"application/x-xar", ARCHIVE},                           {"application/x-rpm", ARCHIVE},
    {"application/x-rzip", ARCHIVE},                          {"application/x-lrzip", ARCHIVE},
    {"application/x-zoo", ARCHIVE},                           {"application/x-ace-compressed", ARCHIVE},
    {"application/vnd.debian.binary-package", ARCHIVE},       {"application/x-stuffit*", ARCHIVE},
    {"application/vnd.android.package-archive", ARCHIVE},     {"application/x-tar", ARCHIVE},
    {"application/x-gtar", ARCHIVE},                          {"application/zip", ARCHIVE},
    {"application/x-iso9660-image", DISK},                    {"application/x-qemu-disk", DISK},
    {"application/x-virtualbox-*", DISK},                     {"application/x-vmdk-disk", DISK},
    {"application/x-ms-wim", DISK},                           {"application/x-apple-diskimage", DISK},
    {"application/vnd.tcpdump.pcap", CAPTURE},                {"application/x-pcapng", CAPTURE},
    {"font/woff*", FONT},                                     {"application/vnd.ms-opentype", FONT},
    {"application/vnd.sqlite3", DATABASE},                    {"application/x-sqlite3", DATABASE},
    {"application/x-git", ARCHIVE},
};
/* clang-format on */

static bool is_type(const char *type, const char *pattern)
{
    size_t len = strlen(pattern);
    return pattern[len - 1] == '*' ? strncmp(type, pattern, len - 1) == 0 : strcmp(type, pattern) == 0;
}

static const struct recognised *find(const char *type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is_type(type, types[i].type))
            return &kinds[types[i].kind];
    return NULL;
}

const struct recognised *foreign_recognise(struct bytes bytes)
{
    const struct recognised *found = NULL;
    magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_TEXT | MAGIC_NO_CHECK_ENCODING |
                               MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_CSV);
    if (!magic || magic_load(magic, NULL) != 0) {
        fprintf(stderr, "dfota: note: documents, pictures and similar files are not recognised: %s\n",
                magic ? magic_error(magic) : "out of memory");
    } else {
        const char *type = magic_buffer(magic, bytes.ptr, bytes.len < SEEN_MAX ? bytes.len : SEEN_MAX);
        found = type ? find(type) : NULL;
    }
    if (magic)
        magic_close(magic);
    return found;
}
