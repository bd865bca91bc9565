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

static void note(void *cls)
{
    order[order_used++] = *(const int *)cls;
}

static void test_first_come_first_served(void **state)
{
    (void)state;
    static int number[JOBS];
    struct workers *workers = workers_start(1);
    order_used = 0;
    for (int i = 0; i < JOBS; i++) {
        number[i] = i;
        workers_add(workers, note, &number[i]);
    }
    workers_stop(workers); /* what was added has been run */
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
    struct workers *workers = workers_start(4);
    for (int i = 0; i < 8; i++)
        workers_add(workers, meet, &barrier);
    workers_stop(workers);
    pthread_barrier_destroy(&barrier);
}

struct again {
    struct workers *workers;
    atomic_int left;
    pthread_barrier_t *done;
};

static void add_again(void *cls)
{
    struct again *again = cls;
    if (atomic_fetch_sub(&again->left, 1) > 1)
        workers_add(again->workers, add_again, again);
    else
        pthread_barrier_wait(again->done);
}

static void test_work_adds_work(void **state)
{
    (void)state;
    pthread_barrier_t done;
    pthread_barrier_init(&done, NULL, 2);
    struct again again = {.workers = workers_start(2), .left = 100, .done = &done};
    workers_add(again.workers, add_again, &again);
    pthread_barrier_wait(&done);
    workers_stop(again.workers);
    pthread_barrier_destroy(&done);
    assert_int_equal(again.left, 0);
}

static void test_nothing_to_stop(void **state)
{
    (void)state;
    workers_stop(NULL);
    workers_stop(workers_start(3));
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
