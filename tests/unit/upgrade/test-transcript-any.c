/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* AT transcripts that are cut, have other line ends, or other lines in between. */
#include "test-transcript.h"

/* The whole result as text, to compare two results. */
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

static bool is_one_of(const struct full_name *name, const unsigned *versions)
{
    if (name->version.count == 0)
        return true;
    return name->version.count == 1 && strcmp(name->firmware, "AirM2M_780E_LTE_AT") == 0 &&
           (name->version.part[0] == versions[0] || name->version.part[0] == versions[1]);
}

/* A piece of a transcript never shows a version or a hop that the whole transcript does not show. */
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

/* The version counts only after its line end. */
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
            mixed[len++] = '#'; /* no known line begins so */
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
        cmocka_unit_test(test_cutting_makes_no_version),
        cmocka_unit_test(test_the_end_of_the_line_makes_the_version),
        cmocka_unit_test(test_any_line_ends),
        cmocka_unit_test(test_anything_in_between),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("transcript-any", tests, load_stories, free_stories);
}
