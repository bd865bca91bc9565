/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of transcripts: the fixtures, and readers of texts. */
#ifndef DFOTA_TESTS_UNIT_UPGRADE_TEST_TRANSCRIPT_H
#define DFOTA_TESTS_UNIT_UPGRADE_TEST_TRANSCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "upgrade/transcript.h"

#define NAME(version)  "AirM2M_780E_V" version "_LTE_AT\r\n"
#define ATI(version)   "\r\nATI\r\r\n" NAME(version) "\r\nOK\r\n"
#define ASK            "AT+UPGRADE\r\r\nOK\r\n"
#define IND(value)     "\r\n+UPGRADEIND: " value "\r\n"
#define WHOLE_DOWNLOAD ASK IND("10") IND("50") IND("100")
#define BOOT           "\r\n^boot.rom'v'!\\n"
#define FOTA(rest)     "\r\n+QIND: \"FOTA\"," rest "\r\n"
#define START          BOOT FOTA("\"START\"") FOTA("\"UPDATING\",0")
#define READY          "\r\nRDY\r\n"

static char *story[2];
static size_t story_len[2];

static inline int load_stories(void **state)
{
    static const char *const paths[] = {FIXTURES "/transcript-1138-1147.txt",
                                        FIXTURES "/transcript-1147-1162.txt"};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "rb");
        story[i] = malloc(TRANSCRIPT_MAX_BYTES);
        if (!file || !story[i])
            return -1;
        story_len[i] = fread(story[i], 1, TRANSCRIPT_MAX_BYTES, file);
        fclose(file);
    }
    return 0;
}

static inline int free_stories(void **state)
{
    (void)state;
    free(story[0]);
    free(story[1]);
    return 0;
}

/* In memory of exactly this size, so that a sanitizer finds a read beyond it. */
static inline void read_bytes(const char *text, size_t len, struct transcript *ret)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    transcript_read((struct slice){copy, len}, ret);
    free(copy);
}

static inline void read_text(const char *text, struct transcript *ret)
{
    read_bytes(text, strlen(text), ret);
}

static inline void assert_seen(const struct transcript_seen *seen, const char *version)
{
    char text[VERSION_TEXT_SIZE] = "";
    if (seen->name.version.count)
        version_format(&seen->name.version, text);
    assert_string_equal(text, version);
    if (version[0])
        assert_string_equal(seen->name.firmware, "AirM2M_780E_LTE_AT");
}

#endif
