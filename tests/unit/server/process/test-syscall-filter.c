/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/process/filter and sandbox: which system calls a child can make, and which files dfota can use. The program runs itself as the child; its exit status
   is the errno of the call, 0 when the call worked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "server/process/filter.h"
#include "server/process/process.h"
#include "server/process/sandbox.h"
#include "server/process/sanitized.h"

/* ---- The child ---- */

static void *nothing(void *cls)
{
    return cls;
}

static long make_thread(void)
{
    pthread_t thread;
    int number = pthread_create(&thread, NULL, nothing, NULL);
    errno = number;
    return number ? -1 : pthread_join(thread, NULL);
}

static long make_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long read_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static long make_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long write_file(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -1 : write(fd, "x", 1);
}

static long open_socket(const char *name)
{
    static const struct {
        const char *name;
        int family;
    } families[] = {{"inet", AF_INET}, {"inet6", AF_INET6}, {"netlink", AF_NETLINK}, {"unix", AF_UNIX}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(name, families[i].name) == 0)
            return socket(families[i].family, SOCK_DGRAM, 0);
    return -2;
}

static long call_number(const char *name)
{
    static char byte;
    struct {
        void *base;
        size_t len;
    } piece = {&byte, 1};
    const struct {
        const char *name;
        long number, a, b, c;
    } calls[] = {
        {"trace-parent", SYS_ptrace, PTRACE_ATTACH, getppid(), 0},
        {"traced", SYS_ptrace, PTRACE_TRACEME, 0, 0},
        {"read-parent", SYS_process_vm_readv, getppid(), (long)&piece, 1},
        {"mount", SYS_mount, (long)"none", (long)"/mnt", (long)"tmpfs"},
        {"module", SYS_init_module, (long)&byte, 1, (long)""},
        {"bpf", SYS_bpf, 0, 0, 0},
        {"key", SYS_keyctl, 0, 0, 0},
        {"io_uring", SYS_io_uring_setup, 1, 0, 0},
        {"unshare", SYS_unshare, CLONE_NEWNET, 0, 0},
        {"namespace", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0},
        {"clone3", SYS_clone3, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(name, calls[i].name) == 0)
            return syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0, 0, 0);
    return -2;
}

static long call(const char *name)
{
    long got = open_socket(name);
    if (got == -2)
        got = call_number(name);
    if (got != -2)
        return got;
    if (strcmp(name, "thread") == 0)
        return make_thread();
    if (strcmp(name, "process") == 0)
        return make_process();
    if (strncmp(name, "read:", 5) == 0)
        return read_file(name + 5);
    return strncmp(name, "make:", 5) == 0 ? make_file(name + 5) : write_file();
}

/* ---- The tests ---- */

static const char *program = "/proc/self/exe";

static int run(const char *name, enum syscall_filter filter)
{
    char *const argv[] = {(char *)program, (char *)name, NULL};
    const struct process_place place = {.network = filter == FILTER_FOREIGN_NETWORK};
    const struct process_limits limits = {.wall_ms = 20000};
    struct process_outcome outcome;
    struct error err = {0};
    char log[200];
    struct process_capture capture = {.text = log, .size = sizeof log};
    bool ok = filter == FILTER_OWN ? process_run(argv, &limits, -1, &outcome, &err)
                                   : process_run_foreign(argv, &limits, -1, &place, &capture, &outcome, &err);
    if (!ok || outcome.end != CHILD_EXITED)
        fail_msg("%s: %s, end %d, signal %d", name, err.text, outcome.end, outcome.signal);
    return outcome.exit_status;
}

static void test_calls(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int own, foreign, with_network; /* errno */
    } cases[] = {
        {"file", 0, 0, 0},
        {"thread", 0, 0, 0},
        {"process", 0, 0, 0},
        {"unix", ENOSYS, 0, 0},
        {"inet", ENOSYS, EAFNOSUPPORT, 0},
        {"inet6", ENOSYS, EAFNOSUPPORT, 0},
        {"netlink", ENOSYS, EAFNOSUPPORT, 0},
        {"trace-parent", ENOSYS, EPERM, EPERM},
        {"traced", ENOSYS, EPERM, EPERM},
        {"read-parent", ENOSYS, EPERM, EPERM},
        {"mount", ENOSYS, EPERM, EPERM},
        {"module", ENOSYS, EPERM, EPERM},
        {"bpf", ENOSYS, EPERM, EPERM},
        {"key", ENOSYS, EPERM, EPERM},
        {"io_uring", ENOSYS, EPERM, EPERM},
        {"unshare", ENOSYS, EPERM, EPERM},
        {"namespace", ENOSYS, EPERM, EPERM},
        {"clone3", ENOSYS, ENOSYS, ENOSYS},
    };
    if (!filter_is_there())
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run(cases[i].name, FILTER_OWN), cases[i].own);
        assert_int_equal(run(cases[i].name, FILTER_FOREIGN), cases[i].foreign);
        /* A machine of a test may have no IPv6. */
        int got = run(cases[i].name, FILTER_FOREIGN_NETWORK);
        if (cases[i].with_network || got != EAFNOSUPPORT || strcmp(cases[i].name, "inet6") != 0)
            assert_int_equal(got, cases[i].with_network);
    }
}

static void assert_file(const char *act, const char *folder, const char *path, int number)
{
    char text[200];
    snprintf(text, sizeof text, "%s:%s%s", act, folder, path);
    int got = run(text, FILTER_OWN);
    if (got != number)
        fail_msg("%s: %s, and not %s", text, strerror(got), strerror(number));
}

/* Only its own files: a data directory beside other files. */
static void test_files(void **state)
{
    (void)state;
    static const char *const allowed[][2] = {{"read", "/data/blobs/ab"},
                                             {"read", "/data/incoming/ab"},
                                             {"read", "/data/suffix/ab"},
                                             {"make", "/data/incoming/new"},
                                             {"make", "/data/suffix/new"}};
    static const char *const refused[][2] = {{"make", "/data/blobs/new"}, {"make", "/data/new"},
                                             {"read", "/data/dfota.db"},  {"read", "/data/admin.token"},
                                             {"read", "/other"},          {"read", "/data/../other"},
                                             {"make", "/other2"}};
    char folder[] = "/tmp/dfota-files-XXXXXX", self[PATH_MAX] = "", text[400];
    struct error err;
    if (!sandbox_is_there())
        skip();
    assert_non_null(mkdtemp(folder));
    snprintf(
        text, sizeof text,
        "cd %s && mkdir -p data/blobs data/incoming data/suffix && touch data/dfota.db data/admin.token other "
        "data/blobs/ab data/incoming/ab data/suffix/ab",
        folder);
    assert_int_equal(system(text), 0);
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(text, sizeof text, "%s/data", folder);
    assert_true(process_confine(self, text, &err));
    program = self;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        assert_file(allowed[i][0], folder, allowed[i][1], 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_file(refused[i][0], folder, refused[i][1], EACCES);
    assert_file("read", "", "/etc/passwd", EACCES);
    assert_file("read", "", "/proc/self/environ", EACCES);
    snprintf(text, sizeof text, "rm -r %s", folder);
    assert_int_equal(system(text), 0);
}

/* Sanitizers need calls of their own. */
static void test_sanitized_programs_are_not_limited(void **state)
{
    (void)state;
    assert_false(filter_is_there());
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return call(argv[1]) < 0 ? errno : 0;
    const struct CMUnitTest sanitized[] = {cmocka_unit_test(test_sanitized_programs_are_not_limited)};
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_files)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return IS_SANITIZED ? cmocka_run_group_tests_name("filter", sanitized, NULL, NULL)
                        : cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
