/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* AT transcripts: versions, tries and causes. */
#include "test-transcript.h"

static void assert_try(const struct transcript_try *try, const char *from, const char *to,
                       const char *outcome, const char *cause)
{
    assert_seen(&try->before, from);
    assert_seen(&try->after, to);
    assert_string_equal(transcript_outcome_name(try->outcome), outcome);
    assert_string_equal(transcript_cause_name(try->cause), cause);
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
                        "error -1003 after 100 %: the module refused the package: it is too large, "
                        "or made for another base version");

    assert_try(&found.tries[1], "1138", "", "failed", "server-wait");
    assert_int_equal(found.tries[1].download, -1);
    assert_string_equal(found.tries[1].words,
                        "error -1003 before 10 %: the package is still being made (code 43): ask "
                        "again later");

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

static const struct {
    const char *text, *from, *to, *outcome, *cause, *words;
} causes[] = {
    {ATI("1138") ASK IND("-1003"), "1138", "", "failed", "server-wait", "code 43"},
    {ATI("1138") ASK IND("10") IND("-1003"), "1138", "", "failed", "invalid-package", "at 10 %"},
    {ATI("1138") ASK IND("90") IND("-1003"), "1138", "", "failed", "invalid-package", "cut off or damaged"},
    {ATI("1138") WHOLE_DOWNLOAD IND("-1003"), "1138", "", "failed", "refused-package", "another base"},
    {ASK IND("-1000"), "", "", "failed", "bad-url", "malformed"},
    {ASK IND("-1001"), "", "", "failed", "network", "no network"},
    {ASK IND("-1002"), "", "", "failed", "connect", "could not connect"},
    {ASK IND("-1004"), "", "", "failed", "http", "HTTP response"},
    {ASK IND("30") IND("-1005"), "", "", "failed", "storing", "at 30 %"},
    {ASK IND("-1006"), "", "", "failed", "other", "other"},
    {ASK IND("-77"), "", "", "failed", "other", "error -77 before 10 %: the module reports an unknown error"},
    {ASK IND("-1003") "AT+UPGRADE?\r\n+UPGRADE: 2,-1003,400,27\r\nOK\r\n", "", "", "failed", "server-answer",
     "HTTP status 400, code 27: the server has no newer version"},
    {"\nAT+UPGRADE?\n+UPGRADE: 2,-1003,400,44\n", "", "", "failed", "server-answer",
     "no image of the module's version"},
    {"\n+UPGRADE: 2,-1003,400,40\n", "", "", "failed", "server-answer", "unblock"},
    {"\n+UPGRADE: 2,-1003,400,99\n", "", "", "failed", "server-answer", "unknown code"},
    {"\n+UPGRADE: 2,-1004,404,0\n", "", "", "failed", "http", "HTTP status 404, code 0"},
    {"\n+UPGRADE: 2,-1002\n", "", "", "failed", "connect", "HTTP status 0"},
    {"\nAT+UPGRADE\n\nERROR\n", "", "", "failed", "refused-command", "refused the command"},
    {"\nAT+UPGRADE\n+CME ERROR: 3\n", "", "", "failed", "refused-command", "refused the command"},
    {ASK "\n+UPGRADEVER: 0\n", "", "", "failed", "no-newer", "no newer version"},
    {ATI("1138") WHOLE_DOWNLOAD BOOT READY ATI("1138"), "1138", "1138", "failed", "not-verified",
     "not verified"},
    {ATI("1138") WHOLE_DOWNLOAD READY, "1138", "", "failed", "not-verified", "not verified"},
    {ATI("1138") ASK IND("40") BOOT READY, "1138", "", "failed", "reset-in-download", "40 % downloaded"},
    {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"UPDATING\",37") READY, "1138", "", "failed",
     "broken-while-writing",
     "37 % written: the module restarted during the update: perhaps the power was cut"},
    {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",5") READY ATI("1138"), "1138", "1138", "failed",
     "updater-error", "END 5: "},
    {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1138"), "1138", "1138", "failed",
     "not-changed", "the old version still runs"},
    {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY ATI("1147"), "1138", "1147", "upgraded", "none",
     ""},
    /* the text is cut: the outcome is unknown */
    {ATI("1138") WHOLE_DOWNLOAD START FOTA("\"END\",0") READY, "1138", "", "unknown", "not-seen", "END 0: "},
    {ATI("1138") WHOLE_DOWNLOAD START, "1138", "", "unknown", "not-seen", "0 % written"},
    {ATI("1138") WHOLE_DOWNLOAD, "1138", "", "unknown", "not-seen", "100 % downloaded"},
    {ATI("1138") WHOLE_DOWNLOAD ATI("1138"), "1138", "", "unknown", "not-seen", "100 % downloaded"},
    {ATI("1138") ASK IND("40"), "1138", "", "unknown", "not-seen", "ends during the download"},
    {ATI("1138") ASK, "1138", "", "unknown", "not-seen", "does not show what happened then"},
    {START FOTA("\"END\",0") READY ATI("1147"), "", "1147", "unknown", "not-seen",
     "does not show the versions before and after"},
};

static void test_causes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        struct transcript found;
        read_text(causes[i].text, &found);
        if (found.try_count != 1)
            fail_msg("case %zu: %u tries", i, found.try_count);
        const struct transcript_try *try = &found.tries[0];
        if (strcmp(transcript_cause_name(try->cause), causes[i].cause) != 0 ||
            !strstr(try->words, causes[i].words))
            fail_msg("case %zu: %s, %s", i, transcript_cause_name(try->cause), try->words);
        assert_try(try, causes[i].from, causes[i].to, causes[i].outcome, causes[i].cause);
    }
}

static void test_not_a_version(void **state)
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
        "\r\n+UPGRADEVER: AirM2M_780E_V1162_LTE_AT\r\n", /* the offered version */
        "\r\n+UPGRADEVER: 1162\r\n",
        "\r\nfotademo_1103.1.2_LuatOS-SoC_EC618\r\n", /* not a name of the vendor, and no ATI before it */
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

/* The last version holds only if nothing after it can have replaced it. */
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
              &found); /* without AT+UPGRADE */
    assert_int_equal(found.try_count, 3);
    assert_false(found.tries[0].asked);
    read_text(ASK IND("50") IND("10"), &found); /* the download begins again */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story_1138_to_1147),
        cmocka_unit_test(test_story_1147_to_1162),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_not_a_version),
        cmocka_unit_test(test_what_is_a_version),
        cmocka_unit_test(test_what_the_last_version_is_worth),
        cmocka_unit_test(test_network_time),
        cmocka_unit_test(test_tries_apart),
        cmocka_unit_test(test_newest_tries_are_kept),
        cmocka_unit_test(test_no_more_than_the_limit_is_read),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("transcript", tests, load_stories, free_stories);
}
