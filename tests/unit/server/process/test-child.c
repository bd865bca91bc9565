/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/child: limits hold, nothing leaks into the child or out of it, and no child outlives the server. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "server/process/process.h"

static char directory[] = "/tmp/dfota-child-XXXXXX";

/* Children run here; orphans become ours, so that their end can be awaited instead of guessed. */
static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) && chdir(directory) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    DIR *entries = opendir(directory);
    for (struct dirent *entry; (entry = readdir(entries));)
        unlink(entry->d_name);
    closedir(entries);
    return rmdir(directory);
}

static const struct process_limits no_limits = {0};

/* Between fork and exec a child can be stopped here: before it has a group of its own, and just before exec. */
static enum { NOWHERE, BEFORE_ITS_GROUP, BEFORE_EXEC } stops_at;

int __real_setpgid(pid_t pid, pid_t group);
int __wrap_setpgid(pid_t pid, pid_t group);
int __wrap_setpgid(pid_t pid, pid_t group)
{
    if (stops_at == BEFORE_ITS_GROUP)
        kill(getpid(), SIGSTOP);
    return __real_setpgid(pid, group);
}

int __real_nice(int more);
int __wrap_nice(int more);
int __wrap_nice(int more)
{
    if (stops_at == BEFORE_EXEC)
        kill(getpid(), SIGSTOP);
    return __real_nice(more);
}

#define SHELL(script)                                                                                        \
    (char *[])                                                                                               \
    {                                                                                                        \
        "/bin/sh", "-c", script, NULL                                                                        \
    }

static struct process_outcome run(char *const argv[], const struct process_limits *limits)
{
    struct process_outcome outcome;
    struct error err = {0};
    if (!process_run(argv, limits, -1, &outcome, &err))
        fail_msg("not run: %s", err.text);
    return outcome;
}

static void read_file(const char *path, char *out, size_t out_size)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("no file %s", path);
    out[fread(out, 1, out_size - 1, file)] = '\0';
}

static void assert_described(const struct process_outcome *outcome, const struct process_limits *limits,
                             const char *expected)
{
    char text[600];
    process_describe(outcome, limits, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_exit_status_and_words(void **state)
{
    (void)state;
    struct process_outcome outcome = run(SHELL("exit 0"), &no_limits);
    assert_int_equal(outcome.end, CHILD_EXITED);
    assert_int_equal(outcome.exit_status, 0);
    assert_string_equal(outcome.stderr_text, "");
    assert_described(&outcome, &no_limits, "exit status 0");
    outcome = run(SHELL("echo unheard; echo 'bad\tpackage' >&2; echo again >&2; exit 3"), &no_limits);
    assert_int_equal(outcome.end, CHILD_EXITED);
    assert_int_equal(outcome.exit_status, 3);
    assert_string_equal(outcome.stderr_text, "bad package again");
    assert_described(&outcome, &no_limits, "exit status 3: bad package again");
}

static void test_signal(void **state)
{
    (void)state;
    struct process_outcome outcome = run(SHELL("echo ouch >&2; kill -SEGV $$"), &no_limits);
    assert_int_equal(outcome.end, CHILD_SIGNALLED);
    assert_int_equal(outcome.signal, SIGSEGV);
    assert_int_equal(outcome.exit_status, -1);
    assert_described(&outcome, &no_limits, "killed by SIGSEGV: ouch");
}

static void test_much_on_stderr_neither_blocks_nor_overflows(void **state)
{
    (void)state;
    struct process_outcome outcome =
        run(SHELL("printf 'first\\n' >&2; head -c 1000000 /dev/zero | tr '\\0' y >&2; exit 4"), &no_limits);
    assert_int_equal(outcome.exit_status, 4);
    assert_int_equal(strlen(outcome.stderr_text), 400);
    assert_memory_equal(outcome.stderr_text, "first yyyy", 10);
}

static void test_standard_output_is_heard_where_it_is_asked_for(void **state)
{
    (void)state;
    char text[8];
    struct process_capture capture = {text, sizeof text, 0};
    struct process_outcome outcome;
    struct error err = {0};
    assert_true(process_run_heard(SHELL("printf 'a\\000b'; echo ouch >&2; exit 3"), &no_limits, -1, &capture,
                                  &outcome, &err));
    assert_int_equal(outcome.exit_status, 3);
    assert_string_equal(outcome.stderr_text, "ouch");
    assert_int_equal(capture.len, 3);
    assert_memory_equal(text, "a\0b", 4);
    assert_true(process_run_heard(SHELL("head -c 1000000 /dev/zero | tr '\\0' y; exit 4"), &no_limits, -1,
                                  &capture, &outcome, &err));
    assert_int_equal(outcome.exit_status, 4);
    assert_string_equal(text, "yyyyyyy");
    assert_true(process_run_heard(SHELL("exit 0"), &no_limits, -1, &capture, &outcome, &err));
    assert_int_equal(capture.len, 0);
    assert_string_equal(text, "");
}

/* A foreign program's output: the beginning and the end, whatever comes between and however little there is room. */
static void test_foreign_output_keeps_both_ends(void **state)
{
    (void)state;
    static const size_t rooms[] = {200, 1000, 4096, 8192, 8193, 16384};
    static const struct process_place nowhere;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        _cleanup_(cleanup_free) char *log = malloc(rooms[i]);
        struct process_capture capture = {.text = log, .size = rooms[i]};
        struct process_outcome outcome;
        struct error err = {0};
        char *const argv[] = {"/bin/sh", "-c",
                              "echo first; head -c 100000 /dev/zero | tr '\\0' y; echo; echo last >&2", NULL};
        if (!process_run_foreign(argv, &no_limits, -1, &nowhere, &capture, &outcome, &err))
            fail_msg("not run: %s", err.text);
        size_t len = strlen(log);
        assert_true(len < rooms[i] && len + 100 > rooms[i]);
        assert_memory_equal(log, "first\nyyyy", 10);
        assert_string_equal(log + len - 9, "yyyy\nlast");
        assert_non_null(strstr(log, " bytes are left out here)"));
    }
}

static void test_foreign_output_that_fits_is_kept_whole(void **state)
{
    (void)state;
    static const struct process_place nowhere;
    char log[200];
    struct process_capture capture = {.text = log, .size = sizeof log};
    struct process_outcome outcome;
    struct error err = {0};
    assert_true(process_run_foreign(SHELL("echo out; echo err >&2; printf '\\345\\233\\272\\377'; exit 3"),
                                    &no_limits, -1, &nowhere, &capture, &outcome, &err));
    assert_int_equal(outcome.exit_status, 3);
    assert_string_equal(log, "out\nerr\n\345\233\272?");
}

/* What left its process group is a descendant all the same. */
static void test_foreign_daemons_are_gone(void **state)
{
    (void)state;
    static const struct process_place nowhere;
    char log[200], path[64];
    struct process_capture capture = {.text = log, .size = sizeof log};
    struct process_outcome outcome;
    struct error err = {0};
    assert_true(
        process_run_foreign(SHELL("setsid sleep 1000 & setsid sh -c 'sleep 1000 & echo $!'; kill -TERM $$"),
                            &no_limits, -1, &nowhere, &capture, &outcome, &err));
    assert_int_equal(outcome.signal, SIGTERM);
    assert_true(strtol(log, NULL, 10) > 0);
    snprintf(path, sizeof path, "/proc/%ld", strtol(log, NULL, 10));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_stderr_is_clean_text(void **state)
{
    (void)state;
    struct process_outcome outcome = run(SHELL("printf 'a\\033[2Jb\\377c\\000d\\n\\n' >&2"), &no_limits);
    assert_string_equal(outcome.stderr_text, "a [2Jb?c d");
    outcome = run(SHELL("printf '\\345\\233\\272 ok' >&2"), &no_limits);
    assert_string_equal(outcome.stderr_text, "\345\233\272 ok");
    /* Cut inside a character: 399 bytes and the first of three. */
    outcome = run(SHELL("head -c 399 /dev/zero | tr '\\0' y >&2; printf '\\345\\233\\272' >&2"), &no_limits);
    assert_int_equal(strlen(outcome.stderr_text), 399);
    assert_int_equal(outcome.stderr_text[398], 'y');
}

static void test_cannot_run(void **state)
{
    (void)state;
    struct process_outcome outcome;
    struct error err = {0};
    assert_false(process_run((char *[]){"/nonexistent/program", NULL}, &no_limits, -1, &outcome, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, "cannot run /nonexistent/program: No such file"));
    assert_false(process_run((char *[]){directory, NULL}, &no_limits, -1, &outcome, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
    assert_int_equal(errno, ECHILD);
}

static void test_processor_time_is_limited(void **state)
{
    (void)state;
    struct process_limits limits = {.cpu_s = 1};
    struct process_outcome outcome = run(SHELL("while :; do :; done"), &limits);
    assert_int_equal(outcome.end, CHILD_SIGNALLED);
    assert_int_equal(outcome.signal, SIGXCPU);
    assert_true(outcome.cpu_ms > 0);
    assert_described(&outcome, &limits, "used more than 1 s of CPU time");
    /* Who ignores the signal is killed. */
    outcome = run(SHELL("trap '' XCPU; while :; do :; done"), &limits);
    assert_int_equal(outcome.end, CHILD_SIGNALLED);
    assert_int_equal(outcome.signal, SIGKILL);
}

static void test_memory_is_limited(void **state)
{
    (void)state;
    char *argv[] = {"/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1", NULL};
    struct process_outcome outcome = run(argv, &no_limits);
    assert_int_equal(outcome.exit_status, 0);
    outcome = run(argv, &(struct process_limits){.memory_bytes = 128 << 20});
    assert_int_equal(outcome.end, CHILD_EXITED);
    assert_int_equal(outcome.exit_status, 1);
    assert_non_null(strstr(outcome.stderr_text, "memory exhausted"));
}

static void test_output_is_limited(void **state)
{
    (void)state;
    struct process_limits limits = {.out_max = 1000};
    char *argv[] = {"/bin/dd", "if=/dev/zero", "of=large", "bs=1001", "count=2", NULL};
    struct process_outcome outcome = run(argv, &limits);
    assert_int_equal(outcome.end, CHILD_SIGNALLED);
    assert_int_equal(outcome.signal, SIGXFSZ);
    struct stat large;
    assert_int_equal(stat("large", &large), 0);
    assert_int_equal(large.st_size, 1000);
    char text[600];
    process_describe(&outcome, &limits, text, sizeof text);
    assert_memory_equal(text, "wrote a file of more than 1000 bytes", 36);
}

static void test_no_core_and_no_hurry(void **state)
{
    (void)state;
    run(SHELL("ulimit -c >limits; ulimit -Hc >>limits; nice >>limits"), &no_limits);
    char text[64], expected[64];
    read_file("limits", text, sizeof text);
    int own = getpriority(PRIO_PROCESS, 0);
    snprintf(expected, sizeof expected, "0\n0\n%d\n", own + 10 > 19 ? 19 : own + 10);
    assert_string_equal(text, expected);
}

static void test_nothing_leaks_into_the_child(void **state)
{
    (void)state;
    assert_int_equal(setenv("DFOTA_TOKEN", "secret", 1), 0);
    int leak = fcntl(STDERR_FILENO, F_DUPFD, 100); /* without O_CLOEXEC */
    assert_true(leak >= 100);
    int own_input = dup(STDIN_FILENO), input[2];
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    assert_int_equal(write(input[1], "secret", 6), 6);
    assert_int_equal(dup2(input[0], STDIN_FILENO), STDIN_FILENO);
    close(input[0]);
    close(input[1]);
    signal(SIGPIPE, SIG_IGN);
    sigset_t set, before;
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, &before);
    run((char *[]){"/bin/sh", "-c",
                   "env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= | sort >environment\n"
                   "echo /proc/self/fd/* >descriptors; wc -c >input; pwd >place\n"
                   "sed -n '/^Sig[BI][lg][kn]:/s/.*\\(.\\{8\\}\\)$/\\1/p' /proc/self/status >signals",
                   NULL},
        &no_limits);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(dup2(own_input, STDIN_FILENO), STDIN_FILENO);
    close(own_input);
    close(leak);
    unsetenv("DFOTA_TOKEN");
    char text[2000];
    read_file("environment", text, sizeof text);
    assert_string_equal(text, "LC_ALL=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\n");
    read_file("descriptors", text, sizeof text);
    assert_null(strstr(text, "/100"));
    for (const char *at = text; (at = strstr(at, "/fd/")); at += 4)
        assert_true(strtol(at + 4, NULL, 10) <= 3 || strtol(at + 4, NULL, 10) == 10); /* the shell's own */
    read_file("input", text, sizeof text);
    assert_int_equal(strtol(text, NULL, 10), 0);
    read_file("signals", text, sizeof text);
    /* The first 31 signals. Those behind are real-time ones; two of them are glibc's own and cannot be set back. */
    char *ignored;
    assert_int_equal(strtoul(text, &ignored, 16) & 0x7FFFFFFF, 0);
    assert_int_equal(strtoul(ignored, NULL, 16) & 0x7FFFFFFF, 0);
}

static void test_descriptors_of_a_server_without_stdio(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        struct process_outcome outcome;
        struct error err;
        bool good = process_run(SHELL("echo heard >&2; exit 5"), &no_limits, -1, &outcome, &err) &&
                    outcome.exit_status == 5 && strcmp(outcome.stderr_text, "heard") == 0;
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *entries = opendir("/proc/self/fd");
    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

static void test_nothing_leaks_into_the_server(void **state)
{
    (void)state;
    unsigned before = count_descriptors();
    run(SHELL("exit 1"), &no_limits);
    struct error err;
    struct process_outcome outcome;
    assert_false(process_run((char *[]){"/nonexistent", NULL}, &no_limits, -1, &outcome, &err));
    assert_int_equal(count_descriptors(), before);
}

/* A pipe with a name, through which a child says that it has come so far. */
static void make_fifo(const char *name)
{
    unlink(name);
    assert_int_equal(mkfifo(name, 0600), 0);
}

/* Waits for the number that a child writes. */
static pid_t read_fifo(const char *name)
{
    char text[32];
    read_file(name, text, sizeof text);
    return (pid_t)strtol(text, NULL, 10);
}

/* An orphan of a child, handed to us by the kernel, must have been killed. */
static void assert_killed(pid_t orphan)
{
    int status;
    assert_true(orphan > 1);
    assert_int_equal(waitpid(orphan, &status, 0), orphan);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_time_is_limited_for_the_whole_group(void **state)
{
    (void)state;
    struct process_limits limits = {.wall_ms = 300};
    struct process_outcome outcome =
        run(SHELL("sleep 1000 & echo $! >orphan; echo waiting >&2; wait"), &limits);
    assert_int_equal(outcome.end, CHILD_TIMED_OUT);
    assert_int_equal(outcome.exit_status, -1);
    assert_described(&outcome, &limits, "took longer than 300 ms: waiting");
    assert_killed(read_fifo("orphan"));
}

static void test_what_a_child_leaves_behind_is_killed(void **state)
{
    (void)state;
    struct process_outcome outcome = run(SHELL("sleep 1000 & echo $! >orphan; exit 0"), &no_limits);
    assert_int_equal(outcome.end, CHILD_EXITED);
    assert_int_equal(outcome.exit_status, 0);
    assert_killed(read_fifo("orphan"));
}

struct call {
    int cancel_fd, number;
    struct process_outcome outcome;
    bool good;
};

static void *run_until_cancelled(void *cls)
{
    struct call *call = cls;
    struct error err;
    char script[64];
    snprintf(script, sizeof script, "echo $$ >started%d; exec sleep 1000", call->number);
    call->good = process_run(SHELL(script), &no_limits, call->cancel_fd, &call->outcome, &err);
    return NULL;
}

static void test_one_cancel_ends_all(void **state)
{
    (void)state;
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(cancel_fd >= 0);
    struct call calls[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "started%d", i);
        make_fifo(name);
        calls[i] = (struct call){.cancel_fd = cancel_fd, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_until_cancelled, &calls[i]), 0);
        assert_true(read_fifo(name) > 1);
    }
    assert_int_equal(eventfd_write(cancel_fd, 1), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(calls[i].good);
        assert_int_equal(calls[i].outcome.end, CHILD_CANCELLED);
        assert_described(&calls[i].outcome, &no_limits, "cancelled");
    }
    eventfd_t value;
    assert_int_equal(eventfd_read(cancel_fd, &value), 0); /* it was only looked at */
    close(cancel_fd);
}

static void test_no_child_outlives_a_killed_server(void **state)
{
    (void)state;
    make_fifo("started");
    pid_t server = fork();
    if (server == 0) {
        struct process_outcome outcome;
        struct error err;
        bool good = process_run(SHELL("echo $$ >started; exec sleep 1000"), &no_limits, -1, &outcome, &err);
        _exit(good ? 0 : 1);
    }
    pid_t child = read_fifo("started");
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    assert_killed(child);
}

static void *run_many(void *cls)
{
    struct call *call = cls;
    call->good = true;
    for (int i = 0; i < 20 && call->good; i++) {
        char script[64], expected[32];
        struct error err;
        snprintf(expected, sizeof expected, "%d of %d", i, call->number);
        snprintf(script, sizeof script, "echo %s >&2; exit %d", expected, call->number + i);
        call->good = process_run(SHELL(script), &(struct process_limits){.cpu_s = 10, .wall_ms = 60000}, -1,
                                 &call->outcome, &err) &&
                     call->outcome.end == CHILD_EXITED && call->outcome.exit_status == call->number + i &&
                     strcmp(call->outcome.stderr_text, expected) == 0;
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct call calls[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        calls[i] = (struct call){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &calls[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_true(calls[i].good);
    }
}

static void assert_no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Ours, and a foreign one under its keeper. */
static struct process_outcome run_either(bool foreign, char *const argv[],
                                         const struct process_limits *limits, int cancel_fd)
{
    static const struct process_place nowhere;
    struct process_outcome outcome;
    struct error err = {0};
    char log[1000];
    struct process_capture capture = {.text = log, .size = sizeof log};
    bool ok = foreign ? process_run_foreign(argv, limits, cancel_fd, &nowhere, &capture, &outcome, &err)
                      : process_run(argv, limits, cancel_fd, &outcome, &err);
    if (!ok)
        fail_msg("not run: %s", err.text);
    return outcome;
}

static void test_a_child_stopped_between_fork_and_exec(void **state)
{
    (void)state;
    int cancel_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    const struct process_limits limits = {.wall_ms = 200};
    for (int foreign = 0; foreign < 2; foreign++)
        for (stops_at = BEFORE_ITS_GROUP; stops_at <= BEFORE_EXEC; stops_at++) {
            struct process_outcome outcome = run_either(foreign, SHELL("exit 0"), &limits, -1);
            assert_int_equal(outcome.end, CHILD_TIMED_OUT);
            assert_no_child_is_left();
            outcome = run_either(foreign, SHELL("exit 0"), &no_limits, cancel_fd);
            assert_int_equal(outcome.end, CHILD_CANCELLED);
            assert_no_child_is_left();
        }
    stops_at = NOWHERE;
    close(cancel_fd);
}

/* Whatever a child does, it ends by its limit and when it is cancelled. */
static void test_no_child_can_hold_out(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "kill -STOP $$",
        "trap '' TERM INT HUP QUIT; while :; do sleep 1000; done",
        "exec >&- 2>&- <&-; exec sleep 1000",
        "exec yes", /* there is always something to hear */
        "exec yes >&2",
        "sleep 1000 & sleep 1000 & wait",
        "(kill -STOP $(exec sh -c 'echo $PPID')) & sleep 1000",
    };
    static const char *const foreign_scripts[] = {
        "kill -STOP $PPID; sleep 1000", /* its keeper */
        "setsid sh -c 'kill -STOP $$' & sleep 1000",
        "setsid sh -c 'while :; do echo and on; done' & exit 0",
    };
    int cancel_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    const struct process_limits limits = {.wall_ms = 200};
    for (int foreign = 0; foreign < 2; foreign++)
        for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
            char *const argv[] = {"/bin/sh", "-c", (char *)scripts[i], NULL};
            assert_int_equal(run_either(foreign, argv, &limits, -1).end, CHILD_TIMED_OUT);
            assert_int_equal(run_either(foreign, argv, &no_limits, cancel_fd).end, CHILD_CANCELLED);
            while (waitpid(-1, NULL, 0) > 0) /* what was left of its group was killed */
                ;
        }
    for (size_t i = 0; i < sizeof foreign_scripts / sizeof *foreign_scripts; i++) {
        char *const argv[] = {"/bin/sh", "-c", (char *)foreign_scripts[i], NULL};
        run_either(true, argv, &limits, -1);
        assert_no_child_is_left();
    }
    close(cancel_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_status_and_words),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_much_on_stderr_neither_blocks_nor_overflows),
        cmocka_unit_test(test_standard_output_is_heard_where_it_is_asked_for),
        cmocka_unit_test(test_foreign_output_keeps_both_ends),
        cmocka_unit_test(test_foreign_output_that_fits_is_kept_whole),
        cmocka_unit_test(test_foreign_daemons_are_gone),
        cmocka_unit_test(test_stderr_is_clean_text),
        cmocka_unit_test(test_cannot_run),
        cmocka_unit_test(test_processor_time_is_limited),
        cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_output_is_limited),
        cmocka_unit_test(test_no_core_and_no_hurry),
        cmocka_unit_test(test_nothing_leaks_into_the_child),
        cmocka_unit_test(test_descriptors_of_a_server_without_stdio),
        cmocka_unit_test(test_nothing_leaks_into_the_server),
        cmocka_unit_test(test_time_is_limited_for_the_whole_group),
        cmocka_unit_test(test_what_a_child_leaves_behind_is_killed),
        cmocka_unit_test(test_one_cancel_ends_all),
        cmocka_unit_test(test_no_child_outlives_a_killed_server),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_a_child_stopped_between_fork_and_exec),
        cmocka_unit_test(test_no_child_can_hold_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("child", tests, make_directory, remove_directory);
}
