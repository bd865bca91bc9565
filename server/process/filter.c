/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/filter.h"

#include <config.h>
#include "server/process/sanitized.h"

#if defined HAVE_SECCOMP && !IS_SANITIZED

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES                                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
     CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sock_fprog programs[FILTERS]; /* len 0: could not be made */

/* What programs of the C library, and scripts around dfota, need. A name that libseccomp does not know is left out. */
/* clang-format off */
static const char *const own_calls[] = {
    "access", "alarm", "arch_prctl", "brk", "chdir", "chmod", "clock_getres", "clock_gettime",
    "clock_nanosleep", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3", "execve",
    "exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fchdir",
    "fchmod", "fchmodat", "fcntl", "fcntl64", "fdatasync", "flock", "fork", "fstat", "fstat64", "fstatat64",
    "fstatfs", "fsync", "ftruncate", "ftruncate64", "futex", "futex_time64", "futex_waitv", "getcwd",
    "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
    "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "gettimeofday", "getuid", "getuid32", "kill",
    "link", "linkat", "lseek", "_llseek", "lstat", "lstat64", "madvise", "membarrier", "mincore", "mkdir",
    "mkdirat", "mmap", "mmap2", "mprotect", "mremap", "msync", "munmap", "nanosleep", "newfstatat", "open",
    "openat", "openat2", "pause", "pipe", "pipe2", "poll", "ppoll", "pread64", "preadv", "prlimit64",
    "pselect6", "pwrite64", "pwritev", "read", "readahead", "readlink", "readlinkat", "readv", "rename",
    "renameat", "renameat2", "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield", "select", "sendfile",
    "set_robust_list", "set_tid_address", "setpgid", "setpriority", "setrlimit", "setsid", "sigaltstack",
    "stat", "stat64", "statfs", "statx", "symlink", "symlinkat", "sync_file_range", "sysinfo", "tgkill",
    "time", "times", "truncate", "truncate64", "ugetrlimit", "umask", "uname", "unlink", "unlinkat",
    "utime", "utimensat", "utimes", "vfork", "wait4", "waitid", "waitpid", "write", "writev",
};
/* clang-format on */

/* clang-format off */
static const char *const foreign_refused[] = {
    "_sysctl", "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
    "create_module", "delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
    "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mknod", "mknodat",
    "mount", "mount_setattr", "move_mount", "name_to_handle_at", "nfsservctl", "open_by_handle_at",
    "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "query_module", "quotactl", "quotactl_fd", "reboot", "request_key",
    "setdomainname", "sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "syslog",
    "umount", "umount2", "unshare", "uselib", "userfaultfd", "vhangup",
};
/* clang-format on */

static bool add(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, action, number, 0) != 0)
            return false;
    }
    return true;
}

static bool add_own(scmp_filter_ctx filter)
{
    return add(filter, SCMP_ACT_ALLOW, own_calls, sizeof own_calls / sizeof *own_calls) &&
           /* Threads and processes, no namespaces. clone3 cannot be looked into; without it the C library uses clone. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0)) == 0 &&
           /* Is it a terminal? */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0)) == 0;
}

static bool add_bits(scmp_filter_ctx filter)
{
    const uint32_t refused = SCMP_ACT_ERRNO(EPERM);
    for (unsigned bit = 0; bit < 32; bit++)
        if ((NAMESPACES >> bit & 1) &&
            seccomp_rule_add(filter, refused, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, UINT64_C(1) << bit, UINT64_C(1) << bit)) != 0)
            return false;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, refused, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI)) == 0 &&
           seccomp_rule_add(filter, refused, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCLINUX)) == 0;
}

static bool add_foreign(scmp_filter_ctx filter, bool network)
{
    const uint32_t refused = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    /* Programs of 32 bits, such as wine's, have calls of their own. For their socketcall(), which hides the family,
       libseccomp refuses every socket. */
    if (seccomp_arch_native() == SCMP_ARCH_X86_64 && seccomp_arch_add(filter, SCMP_ARCH_X86) != 0)
        return false;
    if (!add(filter, SCMP_ACT_ERRNO(EPERM), foreign_refused,
             sizeof foreign_refused / sizeof *foreign_refused) ||
        !add_bits(filter))
        return false;
    return network ||
           seccomp_rule_add(filter, refused, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) == 0;
}

/* The filter as the kernel takes it. */
static bool export(scmp_filter_ctx filter, struct sock_fprog *ret)
{
    struct stat info;
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = seccomp_export_bpf(filter, fd) == 0 && fstat(fd, &info) == 0;
    void *code = ok ? malloc((size_t)info.st_size) : NULL;
    ok = code && pread(fd, code, (size_t)info.st_size, 0) == info.st_size;
    close(fd);
    if (ok)
        *ret = (struct sock_fprog){(unsigned short)((size_t)info.st_size / sizeof(struct sock_filter)), code};
    else
        free(code);
    return ok;
}

static void make(enum syscall_filter which)
{
    scmp_filter_ctx filter = seccomp_init(which == FILTER_OWN ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW);
    if (!filter)
        return;
    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) == 0 &&
        (which == FILTER_OWN ? add_own(filter) : add_foreign(filter, which == FILTER_FOREIGN_NETWORK)))
        export(filter, &programs[which]);
    seccomp_release(filter);
}

static void make_all(void)
{
    for (unsigned which = 0; which < FILTERS; which++)
        make(which);
}

void filter_prepare(void)
{
    pthread_once(&once, make_all);
}

bool filter_is_there(void)
{
    const uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool filter_enter(enum syscall_filter filter)
{
    if (!filter_is_there())
        return true;
    if (programs[filter].len == 0) {
        errno = ENOTRECOVERABLE;
        return false;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[filter]) == 0;
}

#else

bool filter_is_there(void)
{
    return false;
}

void filter_prepare(void)
{
}

bool filter_enter(enum syscall_filter filter)
{
    (void)filter;
    return true;
}

#endif
