/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Group commit: a task that fails takes back only its own changes, and what is held back is stored once, whoever
   asks for it at the same time. */
#include "tests/unit/storage/test-storage.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "server/db/writer.h"
#include "storage/firmware.h"
#include "storage/product.h"

#define THREADS 4
#define ROUNDS  500

/* Like the counts of check-ins: the writer's thread adds, a flush stores, a commit forgets. */
struct counter {
    struct writer *writer;
    int held, storing, stored;
};

static bool count_one(void *cls, struct db *db, struct error *err)
{
    struct counter *counter = cls;
    (void)db, (void)err;
    counter->held++;
    return true;
}

static bool store(void *cls, struct db *db, struct error *err)
{
    struct counter *counter = cls;
    (void)db, (void)err;
    counter->storing += counter->held;
    return true;
}

static void forget(void *cls, bool committed)
{
    struct counter *counter = cls;
    if (committed) {
        counter->stored += counter->storing;
        counter->held = 0;
    }
    counter->storing = 0;
}

struct look {
    const struct counter *counter;
    int *ret;
};

static bool look(void *cls, struct db *db, struct error *err)
{
    const struct look *looks = cls;
    (void)db, (void)err;
    *looks->ret = looks->counter->stored;
    return true;
}

static void *count_and_flush(void *cls)
{
    struct counter *counter = cls;
    struct error err;
    for (int i = 0; i < ROUNDS; i++) {
        assert_ok(writer_call(counter->writer, count_one, counter, &err), err);
        assert_ok(writer_flush_now(counter->writer, &err), err);
    }
    return NULL;
}

static void start(struct place *place, const struct writer_flush *flush, struct writer **ret)
{
    struct error err;
    struct db *db = place->db;
    place->db = NULL; /* the writer's */
    assert_ok(writer_start(db, flush, ret, &err), err);
}

static void test_what_is_held_back_is_stored_once(void **state)
{
    struct counter counter = {0};
    struct writer_flush flush = {.run = store, .flushed = forget, .cls = &counter, .every_ms = 1};
    pthread_t thread[THREADS];
    start(*state, &flush, &counter.writer);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count_and_flush, &counter), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    writer_stop(counter.writer);
    assert_int_equal(counter.stored, THREADS * ROUNDS);
    assert_int_equal(counter.held, 0);
}

/* A flush that would come in an hour. */
static void test_a_flush_is_wanted_soon(void **state)
{
    struct counter counter = {0};
    struct writer_flush flush = {.run = store, .flushed = forget, .cls = &counter, .every_ms = 3600 * 1000};
    struct error err;
    int stored = 0;
    start(*state, &flush, &counter.writer);
    assert_ok(writer_call(counter.writer, count_one, &counter, &err), err);
    writer_flush_soon(counter.writer);
    while (!stored)
        assert_ok(writer_call(counter.writer, look, (struct look[]){{&counter, &stored}}, &err), err);
    writer_stop(counter.writer);
    assert_int_equal(counter.stored, 1);
}

static bool add_product(void *cls, struct db *db, struct error *err)
{
    struct product product = {.name = "p", .created_ms = 1};
    snprintf(product.product_key, sizeof product.product_key, "%s", (const char *)cls);
    return product_add(db, &product, err);
}

static bool add_and_fail(void *cls, struct db *db, struct error *err)
{
    return add_product(cls, db, err) && error_set(err, ERROR_INVALID, "no");
}

static void test_a_task_that_fails_takes_back_its_own(void **state)
{
    struct place *place = *state;
    struct writer *writer;
    struct db *reader;
    struct product product;
    struct error err;
    bool found;
    start(place, NULL, &writer);
    assert_ok(writer_call(writer, add_product, "one", &err), err);
    assert_false(writer_call(writer, add_and_fail, "two", &err));
    assert_string_equal(err.text, "no");
    assert_ok(writer_call(writer, add_product, "three", &err), err);
    writer_stop(writer);

    assert_ok(db_open_reader(place->file, &reader, &err), err);
    assert_ok(product_find(reader, "two", &product, &found, &err), err);
    assert_false(found);
    assert_ok(product_find(reader, "three", &product, &found, &err), err);
    assert_true(found);
    db_close(reader);
}

/* A task of many that wait together, as check-ins do. */
struct one {
    struct writer_task task; /* first */
    char key[16];
    bool fails, is_stored;
    unsigned runs;
    char error[40];
    pthread_mutex_t *mutex;
    pthread_cond_t *changed;
    unsigned *left;
};

static bool run_one(struct writer_task *task, struct db *db, struct error *err)
{
    struct one *one = (struct one *)task;
    one->runs++;
    return add_product(one->key, db, err) && (!one->fails || error_set(err, ERROR_INVALID, "no"));
}

static void end_one(struct writer_task *task, const struct error *err)
{
    struct one *one = (struct one *)task;
    one->is_stored = !err;
    snprintf(one->error, sizeof one->error, "%.39s", err ? err->text : "");
    pthread_mutex_lock(one->mutex);
    --*one->left;
    pthread_cond_signal(one->changed);
    pthread_mutex_unlock(one->mutex);
}

#define TOGETHER 40

struct call {
    struct writer *writer;
    sem_t is_held, may_go;
};

/* The writer is kept busy until all are added. */
static bool wait_for_gate(void *cls, struct db *db, struct error *err)
{
    struct call *call = cls;
    (void)db, (void)err;
    sem_post(&call->is_held);
    sem_wait(&call->may_go);
    return true;
}

static void *hold_writer(void *cls)
{
    struct call *call = cls;
    struct error err;
    assert_ok(writer_call(call->writer, wait_for_gate, call, &err), err);
    return NULL;
}

static void add_together(struct writer *writer, struct one *list)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    struct call call = {.writer = writer};
    unsigned left = TOGETHER;
    pthread_t holder;
    sem_init(&call.is_held, 0, 0);
    sem_init(&call.may_go, 0, 0);
    assert_int_equal(pthread_create(&holder, NULL, hold_writer, &call), 0);
    sem_wait(&call.is_held);
    for (unsigned i = 0; i < TOGETHER; i++) {
        list[i].task.run = run_one;
        list[i].task.done = end_one;
        list[i].mutex = &mutex;
        list[i].changed = &changed;
        list[i].left = &left;
        snprintf(list[i].key, sizeof list[i].key, "p%u", i);
        writer_add(writer, &list[i].task);
    }
    sem_post(&call.may_go);
    pthread_mutex_lock(&mutex);
    while (left)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    pthread_join(holder, NULL);
    sem_destroy(&call.is_held);
    sem_destroy(&call.may_go);
}

static void check_together(struct place *place, const struct one *list)
{
    struct product product;
    struct db *reader;
    struct error err;
    bool found;
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    for (unsigned i = 0; i < TOGETHER; i++) {
        assert_ok(product_find(reader, list[i].key, &product, &found, &err), err);
        assert_int_equal(found, !list[i].fails);
        assert_int_equal(list[i].is_stored, !list[i].fails);
        assert_string_equal(list[i].error, list[i].fails ? "no" : "");
    }
    db_close(reader);
}

static void test_one_of_many_tasks_fails(void **state)
{
    for (unsigned repeatable = 0; repeatable < 3; repeatable++) { /* none, all, all but one */
        struct place *place = *state;
        struct one list[TOGETHER] = {0};
        struct writer *writer;
        unsigned runs = 0;
        list[7].fails = list[30].fails = true;
        for (unsigned i = 0; i < TOGETHER; i++)
            list[i].task.repeatable = repeatable && (repeatable == 1 || i != 20);
        start(place, NULL, &writer);
        add_together(writer, list);
        writer_stop(writer);
        check_together(place, list);
        for (unsigned i = 0; i < TOGETHER; i++)
            runs += list[i].runs;
        /* All run again after the first that failed. */
        assert_int_equal(runs, repeatable == 1 ? 8 + TOGETHER : TOGETHER);
        place_remove(state);
        place_make(state);
    }
}

static void note_touched(void *cls, unsigned touched)
{
    *(unsigned *)cls |= touched;
}

static bool add_firmware(void *cls, struct db *db, struct error *err)
{
    struct product product = {.created_ms = 1};
    struct firmware firmware;
    snprintf(product.product_key, sizeof product.product_key, "%s", (const char *)cls);
    snprintf(product.name, sizeof product.name, "%s", (const char *)cls);
    return product_add(db, &product, err) && firmware_ensure(db, product.id, "pump", 1, &firmware, err);
}

static void test_a_commit_tells_what_it_touched(void **state)
{
    struct writer *writer;
    struct error err;
    unsigned touched = 0;
    const struct writer_flush flush = {.committed = note_touched, .cls = &touched, .every_ms = 1000};
    start(*state, &flush, &writer);
    assert_ok(writer_call(writer, add_product, "one", &err), err);
    assert_int_equal(touched, 0);
    assert_ok(writer_call(writer, add_firmware, "two", &err), err);
    assert_int_equal(touched, DB_TOUCHED_IMAGES);
    writer_stop(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_held_back_is_stored_once, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_flush_is_wanted_soon, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_task_that_fails_takes_back_its_own, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_one_of_many_tasks_fails, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_commit_tells_what_it_touched, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
