/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Threads: their signals, their names, and waits with a deadline. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"

#define NEVER_MS 600000

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    sigset_t blocked;
    bool begun, may_end;
};

static void begin(struct shared *shared)
{
    *shared = (struct shared){.begun = false};
    pthread_mutex_init(&shared->mutex, NULL);
    pthread_cond_init(&shared->changed, NULL);
}

static void end(struct shared *shared)
{
    pthread_cond_destroy(&shared->changed);
    pthread_mutex_destroy(&shared->mutex);
}

static void set(struct shared *shared, bool *flag)
{
    pthread_mutex_lock(&shared->mutex);
    *flag = true;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->mutex);
}

static bool await(struct shared *shared, const bool *flag, int64_t deadline_ms)
{
    bool in_time = true;
    pthread_mutex_lock(&shared->mutex);
    while (!*flag && in_time)
        in_time = thread_wait_until(&shared->changed, &shared->mutex, deadline_ms);
    bool is_set = *flag;
    pthread_mutex_unlock(&shared->mutex);
    return is_set;
}

static void *run(void *cls)
{
    struct shared *shared = cls;
    pthread_sigmask(SIG_SETMASK, NULL, &shared->blocked);
    set(shared, &shared->begun);
    await(shared, &shared->may_end, clock_monotonic_ms() + NEVER_MS);
    return NULL;
}

static void test_start(void **state)
{
    struct shared shared;
    struct error err;
    pthread_t thread;
    char name[32];
    sigset_t before, after;
    (void)state;
    begin(&shared);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_true(thread_start("a name of 20 letters", run, &shared, &thread, &err));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_true(await(&shared, &shared.begun, clock_monotonic_ms() + NEVER_MS));
    assert_int_equal(pthread_getname_np(thread, name, sizeof name), 0);
    assert_string_equal(name, "a name of 20 le");
    set(&shared, &shared.may_end);
    thread_join(thread);
    static const int numbers[] = {SIGTERM, SIGINT, SIGPIPE, SIGCHLD, SIGUSR1, SIGALRM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(sigismember(&shared.blocked, numbers[i]));
        assert_int_equal(sigismember(&after, numbers[i]), sigismember(&before, numbers[i]));
    }
    end(&shared);
}

static void test_no_thread(void **state)
{
    struct shared shared;
    struct error err;
    pthread_t thread = pthread_self();
    pthread_attr_t usual, huge;
    (void)state;
    begin(&shared);
    pthread_getattr_default_np(&usual);
    pthread_attr_init(&huge);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    bool started = thread_start("worker", run, &shared, &thread, &err);
    pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
    assert_false(started);
    assert_true(pthread_equal(thread, pthread_self()));
    assert_non_null(strstr(err.text, "cannot start the thread \"worker\": "));
    end(&shared);
}

static void test_deadline(void **state)
{
    struct shared shared;
    (void)state;
    begin(&shared);
    int64_t deadline_ms = clock_monotonic_ms() + 20;
    assert_false(await(&shared, &shared.begun, deadline_ms));
    assert_true(clock_monotonic_ms() >= deadline_ms);
    assert_false(await(&shared, &shared.begun, deadline_ms)); /* the deadline has passed: no wait */
    end(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_deadline),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
