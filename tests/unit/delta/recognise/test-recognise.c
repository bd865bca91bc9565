/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files are recognised by their content. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/recognise/recognise.h"

static void each_kind_is_recognised_by_its_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *name, *begin;
        size_t len;
    } known[] = {
        {"empty", "", 0},
        {"par", "\xEC\xDF\x20\x40", 4},
        {"at-par", "\x7E\0\0\0\1\x7D\0\0\0\0", 10},
        {"luatos", "\x16\x8C\xF1\xEA", 4},
        {"luatos", "\x18\x72\xC3\xEA", 4},
        {"bsdiff", "BSDIFF40", 8},
        {"ec618-payload", "BPHD", 4},
        {"zip", "PK\3\4", 4},
        {"zip", "PK\5\6", 4},
        {"7z", "7z\xBC\xAF\x27\x1C", 6},
        {"gzip", "\x1F\x8B\x08", 3},
        {"bzip2", "BZh9", 4},
        {"xz",
         "\xFD"
         "7zXZ\0",
         6},
        {"elf",
         "\x7F"
         "ELF\1",
         5},
        {"intel-hex", ":020000040800F2\r\n", 17},
        {"html", "<!DOCTYPE html>\n<title>404", 26},
        {"html", "\r\n  <HTML>", 10},
        {"json", "{\"code\": 404}", 13},
        {"json", " [1]", 4},
        {"text", "not found\n", 10},
        {"text", "gr\xC3\xBC\xC3\x9F", 6},
        {"bsdiff-other", "BSDIFF43\1\2", 10},
        {"bsdiff-other", "ENDSLEY/BSDIFF43", 16},
        {"bsdiff-other", "IMGDIFF2", 8},
        {"vcdiff", "\xD6\xC3\xC4\0\0\1", 6},
        {"delta", "HDIFF13&lzma", 12},
        {"delta", "HDIFFPATCH", 10},
        {"ips",
         "PATCH\0\0\1\0\1\xFF"
         "EOF",
         14},
        {"delta", "BPS1\x80\x80\x80", 7},
        {"delta", "UPS1\x80\x80\x80", 7},
        {"delta", "\xC3\xDE\xD5\x03\1", 5},
        {"detools", "\1\x85\1\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 16},
        {"zstd", "\x28\xB5\x2F\xFD\4", 5},
        {"uf2", "UF2\n\x57\x51\x5D\x9E", 8},
        {"dfu", "\1\2\3\4\xFF\xFF\xFF\xFF\xFF\xFF\0\1UFD\x10\xAA\xBB\xCC\xDD", 20},
        {"srecord", "S00600004844521B\r\n", 18},
        {"android-sparse", "\x3A\xFF\x26\xED\1\0", 6},
        {"lzma", "\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\1", 15},
        {"lz4", "\x04\x22\x4D\x18", 4},
        {"rar", "Rar!\x1A\x07\0", 7},
        {"cab", "MSCF\0\0\0\0", 8},
        {"ar", "!<arch>\n", 8},
        {"cpio", "070701", 6},
        {"filesystem", "hsqs", 4},
        {"script", "#!/bin/sh\n", 10},
        {"html", "\xEF\xBB\xBF<html>", 9},
        {"html", "<!-- x -->", 10},
        {"utf-16", "\xFF\xFEn\0o\0t\0 \0f\0", 12},
        {"picture", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0", 29},
        {"picture", "GIF89a\1\0\1\0\x80\0\0\0", 14},
        {"document", "%PDF-1.4\n\xE2\xE3\xCF\xD3", 13},
        {"capture", "\xD4\xC3\xB2\xA1\2\0\4\0\0\0\0\0\0\0\0\0\xFF\xFF\0\0\1\0\0\0", 24},
        {"esp-image", "\xE9\4\2\x20\0\1\2\3\4\5\6\7\0\1\2\3\4\5\6\7\0\1\2\3\4\5\6\7\0\1\2\3\x32\x54\xCD\xAB",
         36},
        {"ec7xx-image", "\xBA\x8C\x71\xEC\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0CMAR", 24},
        {"raw", "\xBB\x8C\x71\xEC\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0CMAR", 24},
        {"raw",
         "\xBA\x8C\x71\xEC\0\0\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF"
         "CMAR",
         24},
        {"par", "\xEC\xDF\x45\x40", 4},
        {"raw", "MZ\0\1\2\3", 6},
        {"raw", "\x00\x00\x01\x00\x01\x00", 6},
        {"raw", "\0", 1},
        {"raw", "{\1", 2},
        {"raw", "\x50\x20\0\x20\xC1\1\0\x08", 8},
        {"raw",
         ":0200\xFF"
         "04080F2",
         14},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct recognised *is =
            recognise((struct bytes){(const uint8_t *)known[i].begin, known[i].len});
        assert_string_equal(is->name, known[i].name);
    }
    struct buffer binpkg = sample_binpkg(0, text_bytes("ap"), text_bytes("cp"));
    assert_string_equal(recognise(buffer_bytes(&binpkg))->name, "binpkg");
    buffer_free(&binpkg);
}

/* A long text is recognised even if its first piece ends inside a character. */
static void a_character_on_the_edge_is_text(void **state)
{
    (void)state;
    struct buffer text = {0};
    for (size_t i = 0; i < 700; i++)
        must_add(&text, "\xE5\x90\x88", 3);
    for (size_t len = 1020; len <= text.len; len += 3)
        assert_string_equal(recognise((struct bytes){text.ptr, len})->name, "text");
    buffer_free(&text);
}

/* Random bytes, also after the first two words of the vector table of a Cortex-M. */
static void firmware_is_never_refused_by_chance(void **state)
{
    (void)state;
    static uint8_t bytes[1500];
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 600; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        if (round % 2) {
            memcpy(bytes + 2, "\0\x20", 2);
            memcpy(bytes + 6, "\0\x08", 2);
        }
        const char *name = recognise((struct bytes){bytes, sizeof bytes})->name;
        if (strcmp(name, "raw") != 0)
            fail_msg("round %u is recognised as %s", round, name);
    }
}

static void every_row_has_a_description_and_the_last_matches_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < recognised_count; i++) {
        assert_true(strlen(recognised_table[i].name) > 0 && strlen(recognised_table[i].sentence) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(recognised_table[i].name, recognised_table[k].name);
    }
    assert_true(recognised_table[recognised_count - 1].is((struct bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_recognised_by_its_beginning),
        cmocka_unit_test(a_character_on_the_edge_is_text),
        cmocka_unit_test(firmware_is_never_refused_by_chance),
        cmocka_unit_test(every_row_has_a_description_and_the_last_matches_all),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
