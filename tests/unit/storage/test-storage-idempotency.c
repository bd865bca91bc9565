/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Keys of repeated calls: found for a day, by their token and text; the oldest go when there are too many. */
#include <string.h>

#include "storage/idempotency.h"
#include "tests/unit/storage/test-storage-scene.h"

#define NOW 1790000000000

static int64_t add(struct db *db, int64_t token_id, const char *key, int64_t now_ms)
{
    const struct idempotency_call call = {token_id, key, "the fingerprint"};
    int64_t id;
    struct error err;
    assert_ok(idempotency_add(db, &call, now_ms, &id, &err), err);
    return id;
}

static void answer(struct db *db, int64_t id, struct slice text)
{
    struct error err;
    assert_ok(idempotency_answer(db, id, text, &err), err);
}

/* 'n': not found; 'o': another call; 'l': the answer is lost; else the first character of the answer. */
static char look(struct db *db, int64_t token_id, const char *key, const char *fingerprint, int64_t now_ms)
{
    const struct idempotency_call call = {token_id, key, fingerprint};
    struct idempotency_found found;
    struct error err;
    bool is_there;
    assert_ok(idempotency_find(db, &call, now_ms, &found, &is_there, &err), err);
    char sign = !is_there ? 'n' : !found.is_same ? 'o' : !found.has_answer ? 'l' : found.answer.ptr[0];
    free((char *)found.answer.ptr);
    return sign;
}

static void test_lives_for_a_day(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    const char *same = "the fingerprint";
    assert_int_equal(look(db, 1, "a", same, NOW), 'n');
    int64_t id = add(db, 1, "a", NOW);
    assert_int_equal(look(db, 1, "a", same, NOW), 'l');
    answer(db, id, slice_of("Answer"));
    assert_int_equal(look(db, 1, "a", same, NOW + DAY_MS - 1), 'A');
    assert_int_equal(look(db, 1, "a", "another one", NOW), 'o');
    assert_int_equal(look(db, 2, "a", same, NOW), 'n');
    assert_int_equal(look(db, 1, "A", same, NOW), 'n');
    assert_int_equal(look(db, 1, "a", same, NOW + DAY_MS), 'n');
    assert_int_equal(look(db, 1, "a", same, NOW - DAY_MS), 'A'); /* the clock was set back */
    add(db, 1, "a", NOW + DAY_MS);                               /* used again */
    assert_int_equal(look(db, 1, "a", same, NOW + DAY_MS), 'l');
}

static void test_the_oldest_go(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct error err;
    char key[16];
    int64_t removed;
    assert_ok(db_begin(db, &err), err);
    for (int i = 0; i <= IDEMPOTENCY_KEYS_MAX; i++) {
        snprintf(key, sizeof key, "%d", i);
        add(db, 1, key, NOW + i);
    }
    assert_int_equal(look(db, 1, "0", "the fingerprint", NOW), 'n');
    assert_int_equal(look(db, 1, "1", "the fingerprint", NOW), 'l');
    assert_ok(idempotency_expire(db, NOW + DAY_MS + 500, 1000, &removed, &err), err);
    assert_int_equal(removed, 500);
    assert_ok(idempotency_expire(db, NOW + 2 * DAY_MS, 1000, &removed, &err), err);
    assert_int_equal(removed, 1000);
    db_rollback(db);
}

static void test_large_answers_push_out_the_oldest_answers(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    const size_t size = IDEMPOTENCY_BYTES_MAX / 2;
    char *text = malloc(size);
    struct error err;
    assert_non_null(text);
    memset(text, 'X', size);
    assert_ok(db_begin(db, &err), err);
    answer(db, add(db, 1, "small", NOW), slice_of("small"));
    answer(db, add(db, 1, "first", NOW), (struct slice){text, size});
    answer(db, add(db, 1, "second", NOW), (struct slice){text, size - 5});
    assert_int_equal(look(db, 1, "small", "the fingerprint", NOW), 's');
    answer(db, add(db, 1, "third", NOW), slice_of("third"));
    assert_int_equal(look(db, 1, "small", "the fingerprint", NOW), 'l');
    assert_int_equal(look(db, 1, "first", "the fingerprint", NOW), 'X');
    assert_int_equal(look(db, 1, "second", "the fingerprint", NOW), 'X');
    assert_int_equal(look(db, 1, "third", "the fingerprint", NOW), 't');
    db_rollback(db);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lives_for_a_day, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_the_oldest_go, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_large_answers_push_out_the_oldest_answers, place_make,
                                        place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-idempotency", tests, NULL, NULL);
}
