/* Files known by their content. */
#include "tests/unit/test-containers.h"

#include "delta/recognise.h"

static void each_kind_is_known_by_its_beginning(void **state)
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

/* A long text whose sample ends inside of a character is text all the same. */
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

static void every_row_has_a_sentence_and_the_last_takes_all(void **state)
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
        cmocka_unit_test(each_kind_is_known_by_its_beginning),
        cmocka_unit_test(a_character_on_the_edge_is_text),
        cmocka_unit_test(every_row_has_a_sentence_and_the_last_takes_all),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
