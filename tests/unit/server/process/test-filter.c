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
#include <sys/mount.h>
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

static long call(const char *name)
{
    char byte = 0;
    struct {
        void *base;
        size_t len;
    } piece = {&byte, 1};
    if (strcmp(name, "inet") == 0)
        return socket(AF_INET, SOCK_STREAM, 0);
    if (strcmp(name, "inet6") == 0)
        return socket(AF_INET6, SOCK_DGRAM, 0);
    if (strcmp(name, "netlink") == 0)
        return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (strcmp(name, "unix") == 0)
        return socket(AF_UNIX, SOCK_STREAM, 0);
    if (strcmp(name, "trace-parent") == 0)
        return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
    if (strcmp(name, "traced") == 0)
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    if (strcmp(name, "read-parent") == 0)
        return syscall(SYS_process_vm_readv, getppid(), &piece, 1, &piece, 1, 0);
    if (strcmp(name, "mount") == 0)
        return mount("none", "/mnt", "tmpfs", 0, NULL);
    if (strcmp(name, "module") == 0)
        return syscall(SYS_init_module, &byte, 1, "");
    if (strcmp(name, "bpf") == 0)
        return syscall(SYS_bpf, 0, NULL, 0);
    if (strcmp(name, "key") == 0)
        return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
    if (strcmp(name, "io_uring") == 0)
        return syscall(SYS_io_uring_setup, 1, NULL);
    if (strcmp(name, "unshare") == 0)
        return unshare(CLONE_NEWNET);
    if (strcmp(name, "namespace") == 0)
        return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (strcmp(name, "clone3") == 0)
        return syscall(SYS_clone3, NULL, 0);
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

/* Only its own files: a data directory beside other files. */
static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *act, *path;
        int number; /* errno */
    } cases[] = {
        {"read", "data/blobs/ab", 0},         {"read", "data/incoming/ab", 0},
        {"read", "data/suffix/ab", 0},        {"make", "data/incoming/new", 0},
        {"make", "data/suffix/new", 0},       {"make", "data/blobs/new", EACCES},
        {"make", "data/new", EACCES},         {"read", "data/dfota.db", EACCES},
        {"read", "data/admin.token", EACCES}, {"read", "other", EACCES},
        {"read", "data/../other", EACCES},    {"make", "other2", EACCES},
    };
    char folder[] = "/tmp/dfota-files-XXXXXX", self[PATH_MAX] = "", text[PATH_MAX + 64];
    struct error err;
    if (!sandbox_is_there() || IS_SANITIZED)
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "%s:%s/%s", cases[i].act, folder, cases[i].path);
        int got = run(text, FILTER_OWN);
        if (got != cases[i].number)
            fail_msg("%s: %s, and not %s", text, strerror(got), strerror(cases[i].number));
    }
    assert_int_equal(run("read:/etc/passwd", FILTER_OWN), EACCES);
    assert_int_equal(run("read:/proc/self/environ", FILTER_OWN), EACCES);
    assert_int_equal(run("thread", FILTER_OWN), 0);
    program = "/proc/self/exe";
    snprintf(text, sizeof text, "rm -r %s", folder);
    assert_int_equal(system(text), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return call(argv[1]) < 0 ? errno : 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_files)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
