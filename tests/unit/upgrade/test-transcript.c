/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* AT transcripts: the story's two in full, what each way to fail is called, and what never counts as a
 * version. */
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

static int load_stories(void **state)
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

static int free_stories(void **state)
{
    (void)state;
    free(story[0]);
    free(story[1]);
    return 0;
}

/* In memory of exactly its size, so that a sanitizer sees a byte too many being read. */
static void read_bytes(const char *text, size_t len, struct transcript *ret)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    transcript_read((struct slice){copy, len}, ret);
    free(copy);
}

static void read_text(const char *text, struct transcript *ret)
{
    read_bytes(text, strlen(text), ret);
}

static void assert_seen(const struct transcript_seen *seen, const char *version)
{
    char text[VERSION_TEXT_SIZE] = "";
    if (seen->name.version.count)
        version_format(&seen->name.version, text);
    assert_string_equal(text, version);
    if (version[0])
        assert_string_equal(seen->name.firmware, "AirM2M_780E_LTE_AT");
}

static void assert_try(const struct transcript_try *try, const char *from, const char *to,
                       const char *outcome, const char *cause)
{
    assert_seen(&try->before, from);
    assert_seen(&try->after, to);
    assert_string_equal(transcript_outcome_name(try->outcome), outcome);
    assert_string_equal(transcript_cause_name(try->cause), cause);
}

/* Everything that was found, as text, to compare two results by. */
static void dump(const struct transcript *found, char *out, size_t size)
{
    char first[VERSION_TEXT_SIZE] = "", last[VERSION_TEXT_SIZE] = "";
    if (found->first.name.version.count)
        version_format(&found->first.name.version, first);
    if (found->last.name.version.count)
        version_format(&found->last.name.version, last);
    int len =
        snprintf(out, size, "%s %s %d %lld %lld %u %u\n", first, last, found->last_holds,
                 (long long)found->first_ms, (long long)found->last_ms, found->try_count, found->lines_known);
    for (unsigned i = 0; i < found->try_count; i++) {
        const struct transcript_try *try = &found->tries[i];
        len += snprintf(out + len, size - (size_t)len, "%d %d %d %d %d %d %u>%u %lld %s\n", try->asked,
                        try->download, try->write, try->boot, try->ended, try->ready,
                        (unsigned)try->before.name.version.part[0], (unsigned)try->after.name.version.part[0],
                        (long long)try->at_ms, try->words);
        assert_true((size_t)len < size);
    }
}

static void test_story_1138_to_1147(void **state)
{
    struct transcript found;
    (void)state;
    read_bytes(story[0], story_len[0], &found);
    assert_seen(&found.first, "1138");
    assert_seen(&found.last, "1147");
    assert_true(found.last_holds);
    assert_int_equal(found.last_ms,
                     1724367170000); /* 2024-08-22 22:52:50 UTC: the zone is +32 quarters of an hour */
    assert_int_equal(found.last.at_ms, found.last_ms);
    assert_int_equal(found.first_ms, 1724365267000);
    assert_int_equal(found.try_count, 3);
    assert_int_equal(found.tries_dropped, 0);

    assert_try(&found.tries[0], "1138", "1138", "failed", "refused-package"); /* to 1162, of 550 KB */
    assert_int_equal(found.tries[0].download, 100);
    assert_int_equal(found.tries[0].error, -1003);
    assert_false(found.tries[0].boot);
    assert_int_equal(found.tries[0].at_ms, found.first_ms);
    assert_string_equal(found.tries[0].words,
                        "error -1003 after 100 %: the module refused the package: too big for it, "
                        "or made for another base version");

    assert_try(&found.tries[1], "1138", "", "failed", "server-wait");
    assert_int_equal(found.tries[1].download, -1);
    assert_string_equal(found.tries[1].words,
                        "error -1003 before 10 %: the server said wait: the package was still "
                        "being made (code 43); ask again");

    const struct transcript_try *try = &found.tries[2];
    assert_try(try, "1138", "1147", "upgraded", "none");
    assert_true(try->asked && try->boot && try->started && try->ended && try->ready && !try->failed);
    assert_int_equal(try->download, 100);
    assert_int_equal(try->write, 100);
    assert_int_equal(try->end_error, 0);
    assert_int_equal(try->after.at_ms, found.last_ms);
}

static void test_story_1147_to_1162(void **state)
{
    struct transcript found;
    (void)state;
    read_bytes(story[1], story_len[1], &found);
    assert_seen(&found.first, "1147");
    assert_seen(&found.last, "1162");
    assert_true(found.last_holds);
    assert_int_equal(found.try_count, 2);
    assert_try(&found.tries[0], "1147", "", "failed", "server-wait");
    assert_true(found.tries[0].has_answer);
    assert_int_equal(found.tries[0].http_status, 400);
    assert_int_equal(found.tries[0].code, 43);
    assert_try(&found.tries[1], "1147", "1162", "upgraded", "none");
}

static void test_causes(void **state)
{
    static const struct {
        const char *text, *from, *to, *outcome, *cause, *words;
    } cases[] = {
        {ATI("1138") ASK IND("-1003"), "1138", "", "failed", "server-wait", "code 43"},
        {ATI("1138") ASK IND("10") IND("-1003"), "1138", "", "failed", "invalid-package", "at 10 %"},
        {ATI("1138") ASK IND("90") IND("-1003"), "1138", "", "failed", "invalid-package",
         "broke off or was damaged"},
        {ATI("1138") WHOLE_DOWNLOAD IND("-1003"), "1138", "", "failed", "refused-package", "another base"},
        {ASK IND("-1000"), "", "", "failed", "bad-url", "malformed"},
        {ASK IND("-1001"), "", "", "failed", "network", "no network"},
        {ASK IND("-1002"), "", "", "failed", "connect", "could not be reached"},
        {ASK IND("-1004"), "", "", "failed", "http", "HTTP answer"},
        {ASK IND("30") IND("-1005"), "", "", "failed", "storing", "at 30 %"},
        {ASK IND("-1006"), "", "", "failed", "other", "other"},
        {ASK IND("-77"), "", "", "failed", "other",
         "error -77 before 10 %: the module gives an error that is not known"},
        {ASK IND("-1003") "AT+UPGRADE?\r\n+UPGRADE: 2,-1003,400,27\r\nOK\r\n", "", "", "failed",
         "server-answer", "HTTP status 400, code 27: the server says that there is nothing newer"},
        {"\nAT+UPGRADE?\n+UPGRADE: 2,-1003,400,44\n", "", "", "failed", "server-answer",
         "no image of the version"},
        {"\n+UPGRADE: 2,-1003,400,40\n", "", "", "failed", "server-answer", "unblock"},
        {"\n+UPGRADE: 2,-1003,400,99\n", "", "", "failed", "server-answer", "not known here"},
        {"\n+UPGRADE: 2,-1004,404,0\n", "", "", "failed", "http", "HTTP status 404, code 0"},
        {"\n+UPGRADE: 2,-1002\n", "", "", "failed", "connect", "HTTP status 0"},
        {"\nAT+UPGRADE\n\nERROR\n", "", "", "failed", "refused-command", "refused the command"},
        {"\nAT+UPGRADE\n+CME ERROR: 3\n", "", "", "failed", "refused-command", "refused the command"},
        {ASK "\n+UPGRADEVER: 0\n", "", "", "failed", "no-newer", "nothing newer"},
        {ATI("1138") WHOLE_DOWNLOAD BOOT READY ATI("1138"), "1138", "1138", "failed", "not-verified",
         "not verified"},
        {ATI("1138") WHOLE_DOWNLOAD READY, "1138", "", "failed", "not-verified", "not verified"},
        {ATI("1138") ASK IND("40") BOOT READY, "1138", "", "failed", "reset-in-download",
         "downloaded to 40 %"},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"UPDATING\",37") READY, "1138", "", "failed",
         "broken-while-writing",
         "written to 37 %: it restarted while it was being written: was the power cut?"},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",5") READY ATI("1138"), "1138", "1138", "failed",
         "updater-error", "END 5: "},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1138"), "1138", "1138", "failed",
         "not-changed", "the old version still runs"},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1147"), "1138", "1147", "upgraded",
         "none", ""},
        /* cut: nothing is claimed */
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY, "1138", "", "unknown", "not-seen",
         "END 0: "},
        {ATI("1138") WHOLE_DOWNLOAD START, "1138", "", "unknown", "not-seen", "written to 0 %"},
        {ATI("1138") WHOLE_DOWNLOAD, "1138", "", "unknown", "not-seen", "downloaded to 100 %"},
        {ATI("1138") WHOLE_DOWNLOAD ATI("1138"), "1138", "", "unknown", "not-seen", "downloaded to 100 %"},
        {ATI("1138") ASK IND("40"), "1138", "", "unknown", "not-seen", "the download was going on"},
        {ATI("1138") ASK, "1138", "", "unknown", "not-seen", "nothing that followed"},
        {START FOTA("\"END\",0") READY ATI("1147"), "", "1147", "unknown", "not-seen", "no version before"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transcript found;
        read_text(cases[i].text, &found);
        if (found.try_count != 1)
            fail_msg("case %zu: %u tries", i, found.try_count);
        const struct transcript_try *try = &found.tries[0];
        if (strcmp(transcript_cause_name(try->cause), cases[i].cause) != 0 ||
            !strstr(try->words, cases[i].words))
            fail_msg("case %zu: %s, %s", i, transcript_cause_name(try->cause), try->words);
        assert_try(try, cases[i].from, cases[i].to, cases[i].outcome, cases[i].cause);
    }
}

static void test_what_is_no_version(void **state)
{
    static const char *const texts[] = {
        "",
        "ATI",
        "AirM2M_780E_V1147_LTE_AT\r\nOK\r\n", /* what stood before it? */
        "\r\nAirM2M_780E_V1147_LTE_AT",       /* what would follow? */
        "\r\nAirM2M_780E_V11",
        "\r\nATI\r\nAirM2M_780E_V1147_LTE_AT.dfota.bin\r\n",
        "\r\nAirM2M_780E_V1147_LTE_AT.bin\r\n",
        "\r\nATI\r\nAirM2M_780E_LTE_AT\r\n",
        "\r\nhttp://fota.example/AirM2M_780E_V1147_LTE_AT\r\n",
        "\r\nAT+UPGRADE=\"URL\",\"http://fota.example/d/0a1b/1147\"\r\n",
        "\r\nis it AirM2M_780E_V1147_LTE_AT\r\n",
        "\r\nAirM2M_780E_V1147_LTE_AT?\r\n",
        "\r\nAirM2M_780E_LTE_AT_V11\xff\xff\r\n", /* noise hides the rest of the number */
        ("\r\n\xff"
         "AirM2M_780E_V1147_LTE_AT\r\n"),
        "\r\n+VER: AirM2M_780E_LTE_AT_V11\xff\xff\r\n",
        "\r\n+UPGRADEVER: AirM2M_780E_V1162_LTE_AT\r\n", /* on offer */
        "\r\n+UPGRADEVER: 1162\r\n",
        "\r\nfotademo_1103.1.2_LuatOS-SoC_EC618\r\n", /* anybody's text, unless ATI was asked */
        "\r\nATI\r\nOK\r\nfotademo_1103.1.2_LuatOS-SoC_EC618\r\n",
        "\r\nATI\r\nAT+CSQ\r\nfotademo_1103.1.2_LuatOS-SoC_EC618\r\n",
        "+VER: AirM2M_780E_V1147_LTE_AT\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct transcript found;
        read_text(texts[i], &found);
        if (found.first.name.version.count || found.last.name.version.count || found.last_holds)
            fail_msg("a version was read out of '%s'", texts[i]);
    }
}

static void test_what_is_a_version(void **state)
{
    static const struct {
        const char *text, *firmware;
        unsigned version;
    } cases[] = {
        {"ATI\r\nAirM2M_780E_V1147_LTE_AT\r\n", "AirM2M_780E_LTE_AT", 1147},
        {"\nAirM2M_780E_V1147_LTE_AT\n", "AirM2M_780E_LTE_AT", 1147},
        {"\r AirM2M_780E_LTE_AT_V1147\t\r", "AirM2M_780E_LTE_AT", 1147},
        {"at+ver\r\n\r\n+VER: AirM2M_780E_V1147_LTE_AT\r\n", "AirM2M_780E_LTE_AT", 1147},
        {"AT+VER\r\n\"x\"\r\nAirM2M_780E_V1147_LTE_AT\r\n", "AirM2M_780E_LTE_AT", 1147},
        {"\xff\xfe"
         "ATI\r\nfotademo_1103.1.2_LuatOS-SoC_EC618\r\nOK\r\n",
         "fotademo_LuatOS-SoC_EC618", 1103},
        {"[14:36:38.159]\xca\xd5\xa1\xfb\xa1\xf4\n[14:36:38.160]\xca\xd5\xa1\xfb\xa1\xf4"
         "AirM2M_780E_V1147_LTE_AT\n",
         "AirM2M_780E_LTE_AT", 1147},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transcript found;
        read_text(cases[i].text, &found);
        if (found.last.name.version.part[0] != cases[i].version)
            fail_msg("no version was read out of '%s'", cases[i].text);
        assert_string_equal(found.last.name.firmware, cases[i].firmware);
        assert_true(found.last_holds);
    }
}

/* Only what nothing behind it can have replaced is what runs. */
static void test_what_the_last_version_is_worth(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        {ATI("1138"), true},
        {ATI("1138") ASK IND("90"), true},
        {ATI("1138") WHOLE_DOWNLOAD, false},
        {ATI("1138") WHOLE_DOWNLOAD ATI("1138"), false}, /* it has not restarted yet */
        {ATI("1138") WHOLE_DOWNLOAD IND("-1003"), true}, /* refused: nothing was written */
        {ATI("1138") WHOLE_DOWNLOAD BOOT, false},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY, false},
        {ATI("1138") START READY, false},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1147"), true},
        {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1147") WHOLE_DOWNLOAD, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transcript found;
        read_text(cases[i].text, &found);
        if (found.last_holds != cases[i].holds)
            fail_msg("case %zu", i);
    }
}

static void test_network_time(void **state)
{
    static const struct {
        const char *said;
        int64_t ms;
    } cases[] = {
        {"2024/08/23,06:52:50+32,0", 1724367170000},
        {"24/08/23,06:52:50+32,0", 1724367170000},
        {"\"24/08/23,06:52:50+32\",0", 0}, /* the quotes hold a comma */
        {"2024/08/23,06:52:50+0, ", 1724395970000},
        {"2024/08/23,06:52:50", 1724395970000},
        {"2024/08/23,06:52:50-16,1", 1724410370000},
        {"2024/08/23,06:52:50+23,0", 1724375270000}, /* 5:45 */
        {"2024/02/29,23:59:59+0,0", 1709251199000},
        {"2024/03/01,00:00:00+0,0", 1709251200000},
        {"2023/12/31,23:00:00-8,0", 1704070800000},
        {"2080/01/01,00:00:00+0,0", 3471292800000},
        {"1970/01/01,00:00:00+0,0", 0},
        {"2000/01/01,00:00:00+0,0", 0},
        {"2024/13/01,00:00:00+0,0", 0},
        {"2024/00/01,00:00:00+0,0", 0},
        {"2024/01/32,00:00:00+0,0", 0},
        {"2024/01/01,24:00:00+0,0", 0},
        {"2024/01/01,00:00:00+57,0", 0},
        {"2024/01/01,00:00:00-49,0", 0},
        {"2024/01/01,00:00:00+--1,0", 0},
        {"2024/01/01,00:00+0,0", 0},
        {"2024/01,00:00:00+0,0", 0},
        {"2024/01/01/01,00:00:00+0,0", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transcript found;
        char text[80];
        snprintf(text, sizeof text, "+NITZ: %s\n", cases[i].said);
        read_text(text, &found);
        if (found.last_ms != cases[i].ms)
            fail_msg("%s gives %lld", cases[i].said, (long long)found.last_ms);
    }
}

static void test_tries_apart(void **state)
{
    struct transcript found;
    (void)state;
    read_text(IND("10") IND("20") IND("-1002") IND("10") IND("-1003") IND("-1003"),
              &found); /* all by itself */
    assert_int_equal(found.try_count, 3);
    assert_false(found.tries[0].asked);
    read_text(ASK IND("50") IND("10"), &found); /* from the beginning again */
    assert_int_equal(found.try_count, 2);
    read_text(ASK "\n+UPGRADEDL: 19\n" IND("10") "\n+UPGRADEDL: 30\n+UPGRADE: 1,31\n", &found);
    assert_int_equal(found.try_count, 1);
    assert_int_equal(found.tries[0].download, 31);
    read_text(ASK "\n+UPGRADEVER: 1\n+UPGRADEVER: V1162\n" IND("10"), &found);
    assert_int_equal(found.try_count, 1);
    assert_int_equal(found.tries[0].offered.part[0], 1162);
    read_text(ASK IND("101") IND("ten") IND("10x") "\n+UPGRADEIND:\n", &found);
    assert_int_equal(found.tries[0].download, -1);
    read_text(BOOT READY BOOT READY, &found);
    assert_int_equal(found.try_count, 0);
}

static void test_newest_tries_are_kept(void **state)
{
    char text[100 * 64];
    size_t len = 0;
    struct transcript found;
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\n+UPGRADEIND: -%u\n", ASK, i + 1);
    read_bytes(text, len, &found);
    assert_int_equal(found.try_count, TRANSCRIPT_TRIES_MAX);
    assert_int_equal(found.tries_dropped, 100 - TRANSCRIPT_TRIES_MAX);
    assert_int_equal(found.tries[TRANSCRIPT_TRIES_MAX - 1].error, -100);
    assert_int_equal(found.tries[0].error, -(100 - TRANSCRIPT_TRIES_MAX + 1));
}

static void test_no_more_than_the_limit_is_read(void **state)
{
    static char text[TRANSCRIPT_MAX_BYTES + 100];
    static const char name[] = "\nAirM2M_780E_V1147_LTE_AT\n";
    struct transcript found;
    (void)state;
    memset(text, '\n', sizeof text);
    memcpy(text + TRANSCRIPT_MAX_BYTES - 10, name, sizeof name - 1);
    read_bytes(text, sizeof text, &found);
    assert_int_equal(found.last.name.version.count, 0);
    memset(text, '+', sizeof text);
    read_bytes(text, sizeof text, &found);
    assert_int_equal(found.lines_known, 0);
}

/* Properties */

static bool is_one_of(const struct full_name *name, const unsigned *versions)
{
    if (name->version.count == 0)
        return true;
    return name->version.count == 1 && strcmp(name->firmware, "AirM2M_780E_LTE_AT") == 0 &&
           (name->version.part[0] == versions[0] || name->version.part[0] == versions[1]);
}

/* A piece of a transcript holds no version that the whole has not, and no hop either. */
static void check_piece(const char *text, size_t len, const unsigned *versions)
{
    struct transcript found;
    read_bytes(text, len, &found);
    bool ok = is_one_of(&found.first.name, versions) && is_one_of(&found.last.name, versions);
    for (unsigned i = 0; i < found.try_count; i++) {
        const struct transcript_try *try = &found.tries[i];
        ok = ok && is_one_of(&try->before.name, versions) && is_one_of(&try->after.name, versions);
        ok = ok && (try->outcome != OUTCOME_UPGRADED || (try->before.name.version.part[0] == versions[0] &&
                                                         try->after.name.version.part[0] == versions[1]));
    }
    if (!ok)
        fail_msg("a version was made by cutting to: %.*s", (int)len, text);
}

static void test_cutting_makes_no_version(void **state)
{
    static const unsigned versions[2][2] = {{1138, 1147}, {1147, 1162}};
    uint32_t random = 1;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        for (size_t cut = 0; cut <= story_len[i]; cut++) {
            check_piece(story[i], cut, versions[i]);
            check_piece(story[i] + cut, story_len[i] - cut, versions[i]);
        }
        for (unsigned round = 0; round < 5000; round++) {
            random = random * 1664525u + 1013904223u;
            size_t first = (random >> 8) % story_len[i];
            random = random * 1664525u + 1013904223u;
            check_piece(story[i] + first, (random >> 8) % (story_len[i] - first), versions[i]);
        }
    }
}

/* The version counts from the byte behind its line end on, not before. */
static void test_the_end_of_the_line_makes_the_version(void **state)
{
    struct transcript found;
    (void)state;
    const char *name = strstr(story[0], "AirM2M_780E_V1147_LTE_AT");
    assert_non_null(name);
    size_t end = (size_t)(name - story[0]) + strlen("AirM2M_780E_V1147_LTE_AT");
    for (size_t cut = 0; cut <= story_len[0]; cut++) {
        read_bytes(story[0], cut, &found);
        assert_int_equal(found.last.name.version.part[0] == 1147, cut > end);
        if (found.last_holds && cut <= end)
            assert_seen(&found.last, "1138");
    }
}

static size_t other_ends(const char *text, size_t len, uint32_t *random, char *out)
{
    static const char *const ends[] = {"\r", "\n", "\r\n", "\n\r", "\r\r\n", "\r\n\r\n", "\n\n\n\n"};
    size_t out_len = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r' && text[i] != '\n') {
            out[out_len++] = text[i];
            continue;
        }
        while (i + 1 < len && (text[i + 1] == '\r' || text[i + 1] == '\n'))
            i++;
        *random = *random * 1664525u + 1013904223u;
        const char *end = ends[(*random >> 16) % (sizeof ends / sizeof *ends)];
        memcpy(out + out_len, end, strlen(end));
        out_len += strlen(end);
    }
    return out_len;
}

static void test_any_line_ends(void **state)
{
    static char mixed[4 * 4096], expected[8192], got[8192];
    struct transcript found;
    uint32_t random = 7;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(story_len[i] < 4096);
        read_bytes(story[i], story_len[i], &found);
        dump(&found, expected, sizeof expected);
        for (unsigned round = 0; round < 500; round++) {
            read_bytes(mixed, other_ends(story[i], story_len[i], &random, mixed), &found);
            dump(&found, got, sizeof got);
            assert_string_equal(got, expected);
        }
    }
}

/* Other lines between any two change nothing, whatever bytes they are made of. */
static void test_anything_in_between(void **state)
{
    static char mixed[64 * 4096], expected[8192], got[8192];
    struct transcript found;
    uint32_t random = 3;
    (void)state;
    read_bytes(story[0], story_len[0], &found);
    dump(&found, expected, sizeof expected);
    for (unsigned round = 0; round < 200; round++) {
        size_t len = 0;
        for (size_t i = 0; i < story_len[0]; i++) {
            mixed[len++] = story[0][i];
            random = random * 1664525u + 1013904223u;
            if (story[0][i] != '\n' || random >> 31)
                continue;
            mixed[len++] = '#'; /* nothing that is understood begins so */
            for (unsigned noise = (random >> 20) % 60; noise; noise--) {
                random = random * 1664525u + 1013904223u;
                mixed[len] = (char)(random >> 24);
                len += mixed[len] != '\r' && mixed[len] != '\n';
            }
            mixed[len++] = '\n';
        }
        read_bytes(mixed, len, &found);
        dump(&found, got, sizeof got);
        assert_string_equal(got, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story_1138_to_1147),
        cmocka_unit_test(test_story_1147_to_1162),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_what_is_no_version),
        cmocka_unit_test(test_what_is_a_version),
        cmocka_unit_test(test_what_the_last_version_is_worth),
        cmocka_unit_test(test_network_time),
        cmocka_unit_test(test_tries_apart),
        cmocka_unit_test(test_newest_tries_are_kept),
        cmocka_unit_test(test_no_more_than_the_limit_is_read),
        cmocka_unit_test(test_cutting_makes_no_version),
        cmocka_unit_test(test_the_end_of_the_line_makes_the_version),
        cmocka_unit_test(test_any_line_ends),
        cmocka_unit_test(test_anything_in_between),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("transcript", tests, load_stories, free_stories);
}
