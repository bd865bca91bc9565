/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Work runs once each, in order on one thread, at the same time on several, and all of it before the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <cmocka.h>
#include "server/core/thread_pool.h"

#define JOBS 1000

static int order[JOBS], order_used;

static struct thread_pool *start(unsigned threads)
{
    struct thread_pool *thread_pool;
    struct error err;
    assert_true(thread_pool_start(threads, &thread_pool, &err));
    return thread_pool;
}

static void note(void *cls)
{
    order[order_used++] = *(const int *)cls;
}

static void test_first_come_first_served(void **state)
{
    (void)state;
    static int number[JOBS];
    struct thread_pool *thread_pool = start(1);
    order_used = 0;
    for (int i = 0; i < JOBS; i++) {
        number[i] = i;
        thread_pool_add(thread_pool, note, &number[i]);
    }
    thread_pool_stop(thread_pool); /* what was added has been run */
    assert_int_equal(order_used, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(order[i], i);
}

static void meet(void *cls)
{
    pthread_barrier_wait(cls);
}

static void test_several_at_once(void **state)
{
    (void)state;
    pthread_barrier_t barrier; /* passed only when four run at the same time */
    pthread_barrier_init(&barrier, NULL, 4);
    struct thread_pool *thread_pool = start(4);
    for (int i = 0; i < 8; i++)
        thread_pool_add(thread_pool, meet, &barrier);
    thread_pool_stop(thread_pool);
    pthread_barrier_destroy(&barrier);
}

struct again {
    struct thread_pool *thread_pool;
    atomic_int left;
    pthread_barrier_t *done;
};

static void add_again(void *cls)
{
    struct again *again = cls;
    if (atomic_fetch_sub(&again->left, 1) > 1)
        thread_pool_add(again->thread_pool, add_again, again);
    else
        pthread_barrier_wait(again->done);
}

static void test_work_adds_work(void **state)
{
    (void)state;
    pthread_barrier_t done;
    pthread_barrier_init(&done, NULL, 2);
    struct again again = {.thread_pool = start(2), .left = 100, .done = &done};
    thread_pool_add(again.thread_pool, add_again, &again);
    pthread_barrier_wait(&done);
    thread_pool_stop(again.thread_pool);
    pthread_barrier_destroy(&done);
    assert_int_equal(again.left, 0);
}

static void test_nothing_to_stop(void **state)
{
    (void)state;
    thread_pool_stop(NULL);
    thread_pool_stop(start(3));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come_first_served),
        cmocka_unit_test(test_several_at_once),
        cmocka_unit_test(test_work_adds_work),
        cmocka_unit_test(test_nothing_to_stop),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
