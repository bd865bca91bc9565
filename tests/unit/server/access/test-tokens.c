/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The list of tokens in memory: which secret counts when, the last use, and the tokens of an older version. */
#include <sqlite3.h>

#include "server/access/tokens.h"
#include "tests/unit/storage/test-storage.h"

#define NOW 1790000000000

/* No writer here: changes are tested with the whole server (tokens.test.mjs). */
bool writer_call(struct writer *writer, writer_function *run, void *cls, struct error *err)
{
    return run(cls, (struct db *)writer, err);
}

static struct sha256 hash_of(const char *text)
{
    struct sha256 hash;
    sha256_of(text, strlen(text), &hash);
    return hash;
}

static struct token token_named(const char *name)
{
    struct token token = {.scope = SCOPE_UPLOAD, .created_ms = NOW, .hash = hash_of(name)};
    snprintf(token.name, sizeof token.name, "%s", name);
    return token;
}

static struct tokens *open_tokens(struct place *place)
{
    struct tokens *tokens;
    struct error err;
    assert_ok(tokens_open(place->db, &tokens, &err), err);
    return tokens;
}

static void add(struct place *place, struct token *token)
{
    struct error err;
    assert_ok(token_add(place->db, token, &err), err);
}

static void test_when_a_secret_counts(void **state)
{
    struct place *place = *state;
    struct token token = token_named("new"), found;
    token.old_hash = hash_of("old");
    token.old_until_ms = NOW + 10;
    token.expires_ms = NOW + 20;
    add(place, &token);
    struct tokens *tokens = open_tokens(place);
    bool expired;
    assert_false(tokens_find(tokens, slice_of("other"), NOW, &found, &expired));
    assert_false(expired);
    assert_false(tokens_find(tokens, slice_of(""), NOW, &found, &expired));
    assert_false(expired);
    assert_true(tokens_find(tokens, slice_of("new"), NOW + 19, &found, &expired));
    assert_string_equal(found.name, "new");
    assert_int_equal(found.scope, SCOPE_UPLOAD);
    assert_true(tokens_find(tokens, slice_of("old"), NOW + 9, &found, NULL));
    assert_false(tokens_find(tokens, slice_of("old"), NOW + 10, &found, &expired));
    assert_false(expired);
    assert_false(tokens_find(tokens, slice_of("new"), NOW + 20, &found, &expired));
    assert_true(expired);
    struct sha256 zero = {{0}};
    assert_false(tokens_find_hash(tokens, &zero, NOW, &found, NULL));
    tokens_close(tokens);
}

static bool store(void *cls, struct db *db, struct error *err)
{
    return token_update(db, cls, err);
}

static void test_a_revoked_token_is_gone(void **state)
{
    struct place *place = *state;
    struct token first = token_named("first"), second = token_named("second"), found;
    struct error err;
    add(place, &first);
    add(place, &second);
    struct tokens *tokens = open_tokens(place);
    first.revoked_ms = NOW;
    assert_ok(tokens_change(tokens, (struct writer *)place->db, store, &first, &first, &err), err);
    for (int again = 0; again < 2; again++) {
        assert_false(tokens_find(tokens, slice_of("first"), NOW, &found, NULL));
        assert_true(tokens_find(tokens, slice_of("second"), NOW, &found, NULL));
        tokens_close(tokens);
        tokens = open_tokens(place);
    }
    struct token third = token_named("first"); /* the name is free again */
    third.hash = hash_of("third");
    add(place, &third);
    assert_false(token_add(place->db, &third, &err));
    assert_int_equal(err.code, ERROR_TOKEN_EXISTS);
    tokens_close(tokens);
}

static void test_the_last_use_is_stored(void **state)
{
    struct place *place = *state;
    struct token token = token_named("t"), found;
    struct error err;
    add(place, &token);
    struct tokens *tokens = open_tokens(place);
    /* Boot clock of the store, the use, and what is stored then. */
    const struct {
        int64_t at_ms, used_ms, stored_ms;
    } uses[] = {{1000, NOW, 0}, {60999, NOW + 5, 0}, {61000, NOW + 6, NOW + 6}, {61001, NOW + 7, NOW + 6}};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        tokens_note_use(tokens, token.id, uses[i].used_ms, "192.0.2.7");
        assert_ok(tokens_store(tokens, place->db, uses[i].at_ms, &err), err);
        tokens_flushed(tokens, true);
        assert_ok(token_get(place->db, token.id, &found, &err), err);
        assert_int_equal(found.used_ms, uses[i].stored_ms);
        tokens_fill_use(tokens, &found);
        assert_int_equal(found.used_ms, uses[i].used_ms);
        assert_string_equal(found.used_from, "192.0.2.7");
    }
    tokens_end(tokens);
    for (int again = 0; again < 2; again++) { /* the first time it is rolled back */
        assert_ok(token_use(place->db, token.id, NOW, "x", &err), err);
        assert_ok(tokens_store(tokens, place->db, 61002, &err), err);
        tokens_flushed(tokens, again);
        assert_ok(token_get(place->db, token.id, &found, &err), err);
        assert_int_equal(found.used_ms, NOW + 7);
    }
    tokens_close(tokens);
}

static void run(sqlite3 *handle, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

/* The tokens of a version without names may still do everything. */
static void test_tokens_of_an_older_version(void **state)
{
    struct place *place = *state;
    struct error err;
    sqlite3 *handle;
    size_t count;
    strcat(place->file, "-old");
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    run(handle,
        "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) "
        "STRICT");
    for (unsigned i = 0; i < db_migration_count && strcmp(db_migrations[i].name, "032-token") != 0; i++) {
        char record[100];
        snprintf(record, sizeof record, "INSERT INTO migration VALUES (%u, '%s', 1)", i + 1,
                 db_migrations[i].name);
        run(handle, db_migrations[i].sql);
        run(handle, record);
    }
    run(handle,
        "INSERT INTO admin_token (id, sha256, created_ms) VALUES (2, zeroblob(32), 5), (7, randomblob(32), 6)");
    sqlite3_close(handle);
    db_close(place->db);
    place->db = NULL;
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    struct token *list;
    assert_ok(token_list(place->db, &list, &count, &err), err);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].name, i ? "admin-7" : "admin");
        assert_int_equal(list[i].scope, SCOPE_ADMIN);
        assert_int_equal(list[i].created_ms, 5 + (int64_t)i);
        assert_true(!list[i].expires_ms && !list[i].revoked_ms && !list[i].used_ms && !list[i].product[0]);
    }
    free(list);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_when_a_secret_counts),
        TEST(test_a_revoked_token_is_gone),
        TEST(test_the_last_use_is_stored),
        TEST(test_tokens_of_an_older_version),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
